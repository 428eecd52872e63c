//! To be filled.

use axum::Router;

use crate::App;

pub fn router() -> Router<App> {
    Router::new()
}

/// What is open, worst first.
pub const OPEN: &str = "kind:finding is:open";
