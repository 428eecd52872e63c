//! The API: JSON over HTTP, for pipelines and programs.
//!
//! Who calls shows a token; cookies do not count here. Everything that is refused is told as a
//! problem (RFC 9457). What it can is described in `openapi.json`, whose examples are run by tests.

mod caller;
mod input;
mod once;
mod problem;
mod scans;
mod shapes;

use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use axum::{Router, middleware};
use utoipa::IntoParams;

use crate::App;

/// What every request that changes something can have.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header")]
struct IdempotencyKey {
    /// The request is done once for each key of a token, and its answer given again for 24 hours.
    #[param(rename = "Idempotency-Key", required = false, max_length = 200)]
    key: String,
}

pub fn router(app: &App) -> Router<App> {
    Router::new()
        .route("/scans", post(scans::send).layer(DefaultBodyLimit::disable()))
        .route_layer(middleware::from_fn_with_state(app.clone(), once::once))
        .route_layer(middleware::from_fn_with_state(app.clone(), caller::admit))
}
