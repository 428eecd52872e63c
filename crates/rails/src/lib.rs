//! placeholder

pub mod config;
pub mod gems;
pub mod schema;
