//! Who calls: a token, with the role and the scopes it was given.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use wardroom_desk::{Caller, Viewer};

use super::problem::{NOT_ALLOWED, Problem, SCOPE, UNAUTHENTICATED};
use crate::App;
use crate::error::Failed;

/// What a token may be used for, beside what its role allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Looking.
    Read,
    /// Changing records.
    Write,
    /// Sending scans.
    Deliver,
}

impl Scope {
    /// As tokens and problems name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Deliver => "deliver",
        }
    }

    /// What a request needs.
    fn of(method: &Method, path: &str) -> Scope {
        match *method {
            Method::GET | Method::HEAD => Scope::Read,
            _ if path.ends_with("/scans") => Scope::Deliver,
            _ => Scope::Write,
        }
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct ApiCaller {
    /// Who they are to the desk.
    pub caller: Caller,
    /// What the token may be used for.
    pub scopes: Vec<Scope>,
    /// The token's name in the store; never its secret.
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
    let caller = token_caller(app, secret).await?.ok_or_else(unknown)?;
    let needed = Scope::of(&request.method, request.uri.path());
    if !caller.scopes.contains(&needed) {
        let text = format!("The token has not the scope `{}`.", needed.as_str());
        let challenge = HeaderValue::from_static("Bearer realm=\"wardroom\", error=\"insufficient_scope\"");
        return Err(Problem::new(SCOPE, text)
            .with("scope", needed.as_str())
            .header(header::WWW_AUTHENTICATE, challenge));
    }
    // Said before hundreds of MiB are read.
    if needed == Scope::Deliver && !caller.caller.role.deliver {
        let text = format!("your role ({}) may not send scans", caller.caller.role.title);
        return Err(Problem::new(NOT_ALLOWED, text));
    }
    Ok(caller)
}

impl FromRequestParts<App> for ApiCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<ApiCaller>().cloned();
        caller.ok_or_else(|| Problem::broken(&"a route of the API admits everybody"))
    }
}

/// The collection of tokens in the store.
pub const TOKEN: &str = "token";

/// Who a token belongs to; none where it is unknown, over or revoked.
async fn token_caller(app: &App, secret: &str) -> Result<Option<ApiCaller>, Failed> {
    let key = crate::random::kept(secret);
    let Some(document) = app.desk.store().get(TOKEN, &key, app.desk.now()).await? else { return Ok(None) };
    let text = |name: &str| document.body.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let program = app.desk.program();
    let Some(role) = program.policies.roles.iter().find(|r| r.name == text("role")).cloned() else {
        return Ok(None);
    };
    let all = [Scope::Read, Scope::Write, Scope::Deliver];
    let listed = document.body.get("scopes").and_then(|v| v.as_array()).cloned().unwrap_or_default();
    let scopes = all.into_iter().filter(|s| listed.iter().any(|l| l == s.as_str())).collect();
    let caller =
        Caller { actor: wardroom_desk::Actor::Token(text("name")), role, login: None, team: None };
    Ok(Some(ApiCaller { caller, scopes, token: key }))
}
