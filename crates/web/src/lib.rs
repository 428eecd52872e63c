//! Pages and API of the desk, over HTTP.
//!
//! Server-rendered: every page can be read and every action taken without script. It decides
//! nothing about records (`desk` does) and knows no store by name. Whatever comes from outside is
//! escaped by the templates; only what [`markdown`] has sanitised is put out as it is.

mod api;
mod app;
mod assets;
mod browser;
mod chart;
mod credential;
mod csv;
mod error;
mod form;
mod guard;
mod link;
mod markdown;
mod pages;
mod password;
mod random;
mod session;
mod tokens;
mod trail;
mod view;

pub use app::{App, Origin, Settings, serve};
pub use pages::{recovery_link, setup_link, signed_in_link};
pub use tokens::make_token;
