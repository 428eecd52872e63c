//! The API: JSON over HTTP, for pipelines and programs.
//!
//! Who calls shows a token; cookies do not count here. Everything that is refused is told as a
//! problem (RFC 9457). What it can is described in `openapi.json`, whose examples are run by tests.

#![expect(unused_qualifications, reason = "in what utoipa makes of parameters")]

mod bulk;
mod caller;
mod input;
mod metrics;
mod once;
mod openapi;
pub mod problem;
mod program;
mod records;
mod scans;
mod search;
mod shapes;
pub mod show;
#[cfg(test)]
mod tests;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use utoipa::IntoParams;

use crate::App;
use problem::{METHOD, Problem};

/// What every request that changes something can have.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header")]
struct IdempotencyKey {
    /// The request is done once for each key of a token, and its answer given again for 24 hours.
    #[param(rename = "Idempotency-Key", required = false, max_length = 200)]
    key: String,
}

/// Every way into the API.
pub fn router(app: &App) -> Router<App> {
    let known = Router::new()
        .route("/scans", post(scans::send).layer(DefaultBodyLimit::disable()))
        .route("/records", get(records::list).post(records::open))
        .route("/records/{id}", get(records::get))
        .route("/records/{id}/events", get(records::events))
        .route("/records/{id}/evidence", get(records::evidence))
        .route("/records/{id}/commands", post(records::act))
        .route("/bulk", post(bulk::bulk))
        .route("/undo/{batch}", post(bulk::undo))
        .route("/facets", get(search::facets))
        .route("/complete", get(search::complete))
        .route("/metrics", get(metrics::metrics))
        .route("/surface/{*repository}", get(program::surface))
        .route("/program", get(program::program))
        .route("/kinds/{kind}", get(program::kind))
        .route("/rules", get(program::rules))
        .route("/jobs/{id}", get(bulk::job))
        .route("/jobs/{id}/cancel", post(bulk::cancel))
        .route("/audit/head", get(program::audit_head))
        .route_layer(middleware::from_fn_with_state(app.clone(), once::once))
        .route_layer(middleware::from_fn_with_state(app.clone(), caller::admit));
    // These two tell of every installation the same.
    Router::new()
        .route("/openapi.json", get(openapi::openapi))
        .route("/problems", get(program::problems))
        .merge(known)
        .method_not_allowed_fallback(|| async { Problem::new(METHOD, METHOD.help) })
        .fallback(|| async { Problem::nothing() })
}
