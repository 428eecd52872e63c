//! To be filled.

use axum::Router;

use crate::App;

pub fn router() -> Router<App> {
    Router::new()
}

/// What waits for somebody.
pub const WAITING: &str = "is:open owner:@me";
