//! Administration of what is signed in: sessions of people, tokens of programs.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use wardroom_desk::Refused;
use wardroom_service::Error;

use crate::App;
use crate::error::Failed;
use crate::form::Form;
use crate::pages::account::{RoleChoice, SessionRow, TokenRow, scopes, session_rows, token_rows};
use crate::pages::admin::only;
use crate::pages::said;
use crate::session::{self, Viewer};
use crate::tokens::{self, Scope, Wanted};
use crate::trail;
use crate::view::Frame;

pub fn router() -> Router<App> {
    Router::new()
        .route("/admin/tokens", get(list).post(make))
        .route("/admin/tokens/revoke", post(revoke))
        .route("/admin/sessions/end", post(end))
}

/// What was typed for a token, what is wrong with it, and one that was just made.
#[derive(Default)]
struct Shown {
    token: String,
    name: String,
    days: String,
    role: String,
    scopes: Vec<&'static str>,
    wrong: String,
}

struct ScopeChoice {
    word: &'static str,
    what: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "admin_tokens.html")]
struct TokensPage {
    frame: Frame,
    sessions: Vec<SessionRow>,
    tokens: Vec<TokenRow>,
    roles: Vec<RoleChoice>,
    scopes: Vec<ScopeChoice>,
    shown: Shown,
}

async fn show(app: &App, viewer: &Viewer, status: StatusCode, mut shown: Shown) -> Result<Response, Failed> {
    if shown.days.is_empty() {
        "90".clone_into(&mut shown.days);
    }
    let roles = {
        let program = app.desk.program();
        let roles = tokens::roles(&program, None);
        let default = roles.iter().rfind(|r| r.deliver).map_or("", |r| r.name.as_str());
        let chosen = if shown.role.is_empty() { default } else { &shown.role };
        let choice = |r: &&wardroom_program::Role| RoleChoice {
            name: r.name.clone(),
            title: r.title.clone(),
            chosen: r.name == chosen,
        };
        roles.iter().map(choice).collect()
    };
    let what = |scope: Scope| match scope {
        Scope::Deliver => "send scans",
        Scope::Read => "read records",
        Scope::Write => "change records",
    };
    let page = TokensPage {
        frame: Frame::of(app, viewer, "Sessions and tokens", "/admin/tokens").await,
        sessions: session_rows(app, viewer, None).await?,
        tokens: token_rows(app, None).await?,
        roles,
        scopes: Scope::ALL
            .into_iter()
            .map(|s| ScopeChoice { word: s.word(), what: what(s), chosen: shown.scopes.contains(&s.word()) })
            .collect(),
        shown,
    };
    Ok((status, Html(page.render()?)).into_response())
}

async fn list(State(app): State<App>, viewer: Viewer) -> Result<Response, Failed> {
    only(&viewer)?;
    show(&app, &viewer, StatusCode::OK, Shown::default()).await
}

async fn make(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Response, Failed> {
    only(&viewer)?;
    viewer.check(form.get("csrf"))?;
    let scopes = scopes(&form);
    let wanted = Wanted {
        name: form.get("name"),
        role: form.get("role"),
        scopes: &scopes,
        days: form.get("days").parse().unwrap_or(0),
        owner: None,
    };
    match tokens::make(&app.desk, &wanted, &viewer.caller.actor).await {
        Ok(token) => show(&app, &viewer, StatusCode::OK, Shown { token, ..Shown::default() }).await,
        Err(Error::Refused(Refused::Invalid { field, problem })) => {
            let shown = Shown {
                token: String::new(),
                name: form.get("name").to_owned(),
                days: form.get("days").to_owned(),
                role: form.get("role").to_owned(),
                scopes: scopes.iter().map(|s| s.word()).collect(),
                wrong: format!("{field}: {problem}"),
            };
            show(&app, &viewer, StatusCode::UNPROCESSABLE_ENTITY, shown).await
        }
        Err(other) => Err(other.into()),
    }
}

async fn revoke(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    only(&viewer)?;
    viewer.check(form.get("csrf"))?;
    let name = tokens::revoke(&app.desk, form.get("token"), None, &viewer.caller.actor).await?;
    let name = name.ok_or_else(Failed::nothing)?;
    said::leave(&app, &viewer, &format!("The token {name} works no more."), None).await?;
    Ok(Redirect::to("/admin/tokens"))
}

async fn end(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    only(&viewer)?;
    viewer.check(form.get("csrf"))?;
    let all = session::all(&app.desk, None).await?;
    let found = all.into_iter().find(|(key, _)| key == form.get("session"));
    let (key, ended) = found.ok_or_else(Failed::nothing)?;
    session::end(&app.desk, &key).await?;
    let no = app.desk.read().people.get(&ended.login).map(|p| p.no);
    if let Some(no) = no {
        trail::write(&app.desk, no, &viewer.caller.actor, "session revoked", &[]).await?;
    }
    said::leave(&app, &viewer, &format!("A session of {} is ended.", ended.login), None).await?;
    Ok(Redirect::to("/admin/tokens"))
}
