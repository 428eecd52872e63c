//! The description of the API, made from the code that answers.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{bulk, metrics, problem, program, records, scans, search, shapes};

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(title = "Wardroom", version = "1", license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        description = "Findings and other records of a security team. Every request but these two shows a token: `Authorization: Bearer TOKEN`. What is refused is told as problem details (RFC 9457); `GET /problems` says what each type means."),
    servers((url = "/api/v1")),
    security(("token" = [])),
    modifiers(&Token),
    tags(
        (name = "Scans", description = "Taking in what scans found."),
        (name = "Records", description = "Findings, exceptions, assets and whatever else the program declares."),
        (name = "Searches", description = "What a search means and finds."),
        (name = "Program", description = "How work is done here."),
        (name = "Jobs", description = "Long work."),
        (name = "Audit", description = "What an auditor needs."),
        (name = "About", description = "The API itself."),
    ),
    paths(
        scans::send, records::list, records::open, records::get, records::events, records::evidence,
        records::act, bulk::bulk, bulk::undo, search::facets, search::complete, metrics::metrics,
        program::surface, program::program, program::kind, program::rules, bulk::job, bulk::cancel,
        program::audit_head, program::problems, openapi,
    ),
    components(schemas(shapes::Command, problem::Told)),
)]
pub struct Described;

struct Token;

impl Modify for Token {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        api.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// The description as JSON, with a line's end.
pub fn text() -> Result<String, problem::Problem> {
    let mut text = Described::openapi().to_pretty_json().map_err(|e| problem::Problem::broken(&e))?;
    text.push('\n');
    Ok(text)
}

/// Read this description
#[utoipa::path(
    get, path = "/openapi.json", tag = "About", operation_id = "getDescription", security(()),
    responses((status = 200, description = "OpenAPI 3.1.", content_type = "application/json", body = std::collections::HashMap<String, serde_json::Value>)),
)]
pub async fn openapi() -> Result<Response, problem::Problem> {
    Ok(([(header::CONTENT_TYPE, "application/json")], text()?).into_response())
}
