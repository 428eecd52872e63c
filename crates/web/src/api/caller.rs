//! Who calls: a token, with the role and the scopes it was given.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use wardroom_desk::{Caller, Viewer};

use super::problem::{NOT_ALLOWED, Problem, SCOPE, UNAUTHENTICATED};
use crate::App;
use crate::tokens::{Scope, TokenCaller, token_caller};

/// What a request needs.
fn needed(method: &Method, path: &str) -> Scope {
    match *method {
        Method::GET | Method::HEAD => Scope::Read,
        _ if path.ends_with("/scans") => Scope::Deliver,
        _ => Scope::Write,
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct ApiCaller {
    /// Who they are to the desk.
    pub caller: Caller,
    /// The token's id; never its secret.
    pub token: String,
}

impl ApiCaller {
    /// What the index needs to know.
    pub fn eyes(&self) -> Viewer {
        Viewer {
            login: self.caller.login.clone(),
            team: self.caller.team.clone(),
            sees_confidential: self.caller.role.confidential,
        }
    }

    /// How jobs name them.
    pub fn owner(&self) -> String {
        self.caller.login.clone().unwrap_or_else(|| self.caller.actor.to_string())
    }
}

/// The secret that a request shows. Cookies do not count, so that no other site can use a browser's.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(one), None) = (all.next(), all.next()) else { return None };
    let (scheme, secret) = one.to_str().ok()?.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty() && secret.len() <= 200).then_some(secret)
}

/// Lets a request in that shows a token with the scope it needs.
pub async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match admitted(&app, &parts).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn admitted(app: &App, request: &Parts) -> Result<ApiCaller, Problem> {
    let unknown = || {
        let challenge = HeaderValue::from_static("Bearer realm=\"wardroom\"");
        Problem::new(UNAUTHENTICATED, "Send `Authorization: Bearer TOKEN` with a token that is valid.")
            .header(header::WWW_AUTHENTICATE, challenge)
    };
    let secret = bearer(&request.headers).ok_or_else(unknown)?;
    let TokenCaller { caller, scopes, id } = token_caller(app, secret).await?.ok_or_else(unknown)?;
    let needed = needed(&request.method, request.uri.path());
    if !scopes.contains(&needed) {
        let text = format!("The token has not the scope `{}`.", needed.word());
        let challenge = HeaderValue::from_static("Bearer realm=\"wardroom\", error=\"insufficient_scope\"");
        return Err(Problem::new(SCOPE, text)
            .with("scope", needed.word())
            .header(header::WWW_AUTHENTICATE, challenge));
    }
    // Said before hundreds of MiB are read.
    if needed == Scope::Deliver && !caller.role.deliver {
        let text = format!("your role ({}) may not send scans", caller.role.title);
        return Err(Problem::new(NOT_ALLOWED, text));
    }
    Ok(ApiCaller { caller, token: id })
}

impl FromRequestParts<App> for ApiCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<ApiCaller>().cloned();
        caller.ok_or_else(|| Problem::broken(&"a route of the API admits everybody"))
    }
}
