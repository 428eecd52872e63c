//! What requests bring: bodies, parameters and addresses, each refused with a problem that names the
//! place.

use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use wardroom_desk::RecordId;

use super::problem::{MALFORMED, MEDIA, Problem, TOO_LARGE};
use crate::App;

/// Largest body that is no scan, in bytes.
pub const LARGEST: usize = 1 << 20;

/// Reads JSON; what is wrong with it otherwise, and where. Its depth is bounded to 128.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // To know where it is wrong costs more than to read it: only what is wrong is read that way.
    if let Ok(read) = serde_json::from_slice(bytes) {
        return Ok(read);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        wrong(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| wrong("", &error))?;
    Ok(read)
}

fn wrong(path: &str, error: &serde_json::Error) -> Problem {
    let path = if path == "." { "" } else { path };
    // Names in the message come from the sender: they are cut, and JSON keeps them from doing harm.
    let message: String = error.to_string().chars().take(400).collect();
    match error.classify() {
        Category::Data => Problem::invalid(path, message),
        Category::Eof => Problem::new(MALFORMED, format!("The JSON ends too early: {message}.")),
        Category::Syntax | Category::Io => {
            let place = if path.is_empty() { String::new() } else { format!(" (in {path})") };
            Problem::new(MALFORMED, format!("That is no JSON: {message}{place}."))
        }
    }
}

/// Refuses what does not call itself JSON.
pub fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media == "application/json" || (media.starts_with("application/") && media.ends_with("+json")) {
        return Ok(());
    }
    Err(Problem::new(MEDIA, "Send JSON, with `Content-Type: application/json`."))
}

/// A whole body of at most so many bytes.
pub async fn whole(body: Body, most: usize) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, most).await.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(one) = cause {
            if one.to_string().contains("length limit exceeded") {
                return too_large(most);
            }
            cause = one.source();
        }
        Problem::new(MALFORMED, "The body broke off.")
    })
}

/// A body is larger than what is taken.
pub fn too_large(most: usize) -> Problem {
    Problem::new(TOO_LARGE, format!("At most {} MiB are taken.", most >> 20))
}

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        must_be_json(request.headers())?;
        let bytes = whole(request.into_body(), LARGEST).await?;
        Ok(Json(parse(&bytes)?))
    }
}

/// Parameters behind the question mark.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let read: Result<axum::extract::Query<T>, QueryRejection> =
            axum::extract::Query::from_request_parts(parts, app).await;
        match read {
            Ok(axum::extract::Query(read)) => Ok(Query(read)),
            Err(error) => {
                let text: String = error.body_text().chars().take(400).collect();
                Err(Problem::new(MALFORMED, text))
            }
        }
    }
}

/// What stands in the address itself. What cannot be such a thing leads nowhere.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let read: Result<axum::extract::Path<T>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, app).await;
        read.map(|axum::extract::Path(read)| Path(read)).map_err(|_| Problem::nothing())
    }
}

/// The record that an address names.
pub struct Id(pub RecordId);

impl FromRequestParts<App> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, app).await?;
        text.parse().map(Id).map_err(|_| Problem::nothing())
    }
}

/// A size of a page, within its bounds.
pub fn limit(asked: Option<u32>, usual: u32, most: u32) -> Result<u32, Problem> {
    match asked.unwrap_or(usual) {
        n if (1..=most).contains(&n) => Ok(n),
        _ => Err(Problem::invalid("limit", format!("1 to {most} is possible"))),
    }
}
