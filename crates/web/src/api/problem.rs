//! What the API says when something cannot be done: problem details (RFC 9457), each with a type
//! whose meaning can be looked up.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use wardroom_desk::Refused;
use wardroom_service::Error;
use wardroom_store::StoreError;

use crate::error::Failed;

/// Where the types of problems are told.
pub const TYPES: &str = "/api/v1/problems";

/// A type of problem: its name, the status it usually comes with, its title, and what to do about it.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    pub help: &'static str,
}

macro_rules! kinds {
    ($($konst:ident $name:literal $status:ident $title:literal $help:literal)*) => {
        $(pub const $konst: Kind = Kind {
            name: $name, status: StatusCode::$status, title: $title, help: $help,
        };)*
        /// All of them, in the order of their status.
        pub const ALL: &[Kind] = &[$($konst),*];
    };
}

kinds! {
    MALFORMED "malformed" BAD_REQUEST "That cannot be read"
        "The body is no JSON, broke off, nests too deeply, or a parameter or header has not the form it must have. `detail` says where. Send it again when it is mended."
    UNAUTHENTICATED "unauthenticated" UNAUTHORIZED "A token is needed"
        "Send `Authorization: Bearer TOKEN`. The token is missing, unknown, expired or revoked; which of these is not said."
    NOT_ALLOWED "not-allowed" FORBIDDEN "You may not do that"
        "The role of the token, or of who made it, does not allow it. `detail` says what it takes."
    SCOPE "scope" FORBIDDEN "The token was not made for that"
        "The token lacks the scope that `scope` names: read, write or deliver. Make a token that has it."
    NOT_FOUND "not-found" NOT_FOUND "There is nothing here"
        "There is no such thing, or you may not know of it: the answer is the same."
    METHOD "method" METHOD_NOT_ALLOWED "This address does not take that method"
        "The `Allow` header names the methods that it takes."
    STALE "stale" CONFLICT "Somebody changed this record while you were editing"
        "The record is no longer at the version that you named: `version` is where it stands. Read it again and decide anew. With `If-Match` the status is 412."
    NOT_NOW "not-now" CONFLICT "That does not work now"
        "The state of the record or its fields do not allow it. `detail` says what is possible."
    RUNNING "running" CONFLICT "The same request is still running"
        "A request with this idempotency key has not ended. Ask again after the seconds in `Retry-After`."
    TOO_LARGE "too-large" PAYLOAD_TOO_LARGE "That is too large"
        "`detail` says how much is taken. A scan may be 256 MiB after it is unpacked, all else one MiB."
    MEDIA "media" UNSUPPORTED_MEDIA_TYPE "That form is not understood"
        "Bodies are `application/json`; a scan may be packed with `Content-Encoding: gzip`."
    INVALID "invalid" UNPROCESSABLE_ENTITY "A value is wrong"
        "`errors` names each place that is wrong and what would be right. Nothing was changed."
    KEY_REUSED "key-reused" UNPROCESSABLE_ENTITY "The idempotency key was used for something else"
        "A key stands for one request. Make a new one for another body or address."
    BROKEN "broken" INTERNAL_SERVER_ERROR "Something broke"
        "It is in the server's log. Try again; with the same idempotency key nothing is done twice."
    AWAY "away" SERVICE_UNAVAILABLE "The store cannot be reached"
        "The database does not answer for the moment. Try again in some seconds; with the same idempotency key nothing is done twice."
    FULL "full" INSUFFICIENT_STORAGE "The store cannot be written"
        "Nothing was changed. Whoever runs the server has to make room on its disk."
}

/// One place that is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Wrong {
    /// The place: a field, or a path such as `report.findings[3].severity`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

/// A problem, as it is answered. Boxed, so that it costs little where there is none.
#[derive(Debug)]
pub struct Problem(Box<Particulars>);

#[derive(Debug)]
struct Particulars {
    kind: Kind,
    status: StatusCode,
    detail: String,
    errors: Vec<Wrong>,
    more: Map<String, Value>,
    headers: HeaderMap,
}

impl Problem {
    /// With its usual status.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem(Box::new(Particulars {
            kind,
            status: kind.status,
            detail: detail.into(),
            errors: Vec::new(),
            more: Map::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// There is no such thing, or the caller may not know of it.
    pub fn nothing() -> Problem {
        Problem::new(NOT_FOUND, "There is no such thing, or you may not know of it.")
    }

    /// One value is wrong.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Problem {
        let (field, detail) = (field.into(), detail.into());
        let told = if field.is_empty() { detail.clone() } else { format!("{field}: {detail}") };
        let mut problem = Problem::new(INVALID, told);
        problem.0.errors.push(Wrong { field, detail });
        problem
    }

    /// Something broke: it is logged, and told without particulars.
    pub fn broken(error: &dyn std::fmt::Display) -> Problem {
        tracing::error!(%error, "a request failed");
        Problem::new(BROKEN, "Nothing was lost. Try again; the server's log has the reason.")
    }

    /// Another status than the usual one.
    pub fn status(mut self, status: StatusCode) -> Problem {
        self.0.status = status;
        self
    }

    /// Another place that is wrong.
    pub fn wrong(mut self, field: impl Into<String>, detail: impl Into<String>) -> Problem {
        self.0.errors.push(Wrong { field: field.into(), detail: detail.into() });
        self
    }

    /// A particular.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// A header.
    pub fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Problem {
        self.0.headers.insert(name, value);
        self
    }

    /// The type's name.
    #[cfg(test)]
    pub fn name(&self) -> &'static str {
        self.0.kind.name
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Particulars { kind, status, detail, errors, more, headers } = *self.0;
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(format!("{TYPES}#{}", kind.name)));
        body.insert("title".to_owned(), json!(kind.title));
        body.insert("status".to_owned(), json!(status.as_u16()));
        body.insert("detail".to_owned(), json!(detail));
        if !errors.is_empty() {
            body.insert("errors".to_owned(), json!(errors));
        }
        body.extend(more);
        let media = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, media, headers, Value::Object(body).to_string()).into_response()
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        match refused {
            Refused::NoRecord(id) => {
                Problem::new(NOT_FOUND, format!("There is no record {id}, or you may not see it."))
            }
            Refused::NotAllowed(why) => Problem::new(NOT_ALLOWED, why),
            Refused::Stale { now, seen, .. } => {
                Problem::new(STALE, refused.to_string()).with("version", now).with("seen", seen)
            }
            Refused::NotNow(why) => Problem::new(NOT_NOW, why),
            Refused::Invalid { field, problem } => Problem::invalid(field, problem),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        if let StoreError::Unwritable(_) = &error {
            tracing::error!(%error, "the store cannot be written");
            return Problem::new(FULL, FULL.help);
        }
        if let StoreError::Unavailable(_) = &error {
            tracing::error!(%error, "the store does not answer");
            return Problem::new(AWAY, AWAY.help);
        }
        Problem::broken(&error)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Refused(refused) => refused.into(),
            Error::Store(error) => error.into(),
            Error::Cancelled => Problem::new(NOT_NOW, "It was stopped."),
        }
    }
}

impl From<&Failed> for Problem {
    fn from(failed: &Failed) -> Problem {
        let (status, _, text) = failed.told();
        match failed {
            Failed::Refused(refused) => refused.clone().into(),
            Failed::SignIn(_) => Problem::new(UNAUTHENTICATED, text),
            Failed::Page(..) | Failed::Elsewhere(_) => {
                let kind = ALL.iter().find(|k| k.status == status).copied().unwrap_or(BROKEN);
                Problem::new(kind, text).status(status)
            }
        }
    }
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Problem {
        Problem::from(&failed)
    }
}

/// A problem in the description of the API.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Told {
    /// Which type: `GET /problems` says what each means.
    #[schema(rename = "type", example = "/api/v1/problems#invalid")]
    r#type: String,
    /// The type in words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What was wrong this time.
    detail: String,
    /// Each place that is wrong, where there are such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Wrong>,
}
