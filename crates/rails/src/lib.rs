//! The model of a Rails application, read from its tree without running it.

pub mod routes;
