//! Administration of people: who they are, what they may, whether they may sign in.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde_json::json;
use std::collections::BTreeMap;
use wardroom_desk::{Command, Fields, PERSON, RecordId, Refused, barred};
use wardroom_service::{ACTIVE, Person};

use crate::App;
use crate::credential::{self, Credential};
use crate::error::{Failed, url_encode};
use crate::form::Form;
use crate::link::{self, Link, Purpose};
use crate::pages::account::{RoleChoice, When};
use crate::pages::admin::only;
use crate::pages::said;
use crate::pages::setup;
use crate::session::{self, Viewer};
use crate::trail;
use crate::view::{Face, Frame};

pub fn router() -> Router<App> {
    Router::new()
        .route("/admin/people", get(people).post(invite))
        .route("/admin/people/{login}/role", post(role))
        .route("/admin/people/{login}/move", post(take))
        .route("/admin/people/{login}/end-sessions", post(end_sessions))
        .route("/admin/people/{login}/link", post(new_link))
        .route("/admin/people/{login}/second-factor", post(second_factor))
}

struct Way {
    name: String,
    title: String,
    reason: bool,
    ends: bool,
}

struct PersonRow {
    face: Face,
    /// The login as part of an address.
    at: String,
    record: String,
    role: String,
    roles: Vec<RoleChoice>,
    team: String,
    active: bool,
    joined: bool,
    on: bool,
    must: bool,
    seen: Option<When>,
    sessions: usize,
    ways: Vec<Way>,
}

/// What was typed for an invitation, what is wrong with it, and a link that was just made.
#[derive(Default)]
struct Shown {
    login: String,
    name: String,
    team: String,
    role: String,
    must: bool,
    login_wrong: String,
    name_wrong: String,
    wrong: String,
    link: String,
    link_for: String,
    link_lives: &'static str,
}

#[derive(Template)]
#[template(path = "admin_people.html")]
struct PeoplePage {
    frame: Frame,
    people: Vec<PersonRow>,
    roles: Vec<RoleChoice>,
    shown: Shown,
}

fn choices(app: &App, chosen: &str) -> Vec<RoleChoice> {
    let program = app.desk.program();
    let roles = program.policies.roles.iter();
    roles
        .map(|r| RoleChoice { name: r.name.clone(), title: r.title.clone(), chosen: r.name == chosen })
        .collect()
}

async fn show(app: &App, viewer: &Viewer, status: StatusCode, shown: Shown) -> Result<Response, Failed> {
    let now = app.desk.now();
    let mut credentials: BTreeMap<String, Credential> = BTreeMap::new();
    for document in app.desk.store().list(credential::CREDENTIAL, None, now).await? {
        if let Ok(credential) = serde_json::from_value(document.body) {
            credentials.insert(document.key, credential);
        }
    }
    let mut sessions: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for (_, session) in session::all(&app.desk, None).await? {
        let entry = sessions.entry(session.login).or_default();
        *entry = (entry.0 + 1, entry.1.max(session.used));
    }
    let persons: Vec<Person> = app.desk.read().people.all().cloned().collect();
    let records = app.desk.store().records(&persons.iter().map(|p| p.no).collect::<Vec<_>>()).await?;
    let program = app.desk.program();
    let kind = program.kind(PERSON);
    let mut rows = Vec::new();
    for person in &persons {
        let Some(record) = records.iter().find(|r| r.id.no == person.no) else { continue };
        let credential = credentials.get(&person.login).filter(|c| c.no == person.no);
        let seen = sessions.get(&person.login);
        let ways = kind.into_iter().flat_map(|k| k.ways_out(&record.state));
        rows.push(PersonRow {
            face: Face::of(&person.login, Some(person)),
            at: url_encode(&person.login).replace('/', "%2F"),
            record: record.id.to_string(),
            role: person.role.clone(),
            roles: choices(app, &person.role),
            team: person.team.clone().unwrap_or_default(),
            active: person.active,
            joined: credential.is_some_and(|c| c.password.is_some()),
            on: credential.is_some_and(|c| c.app.is_some()),
            must: credential.is_some_and(|c| c.must),
            seen: seen.map(|(_, used)| When::past(*used, now)),
            sessions: seen.map_or(0, |(count, _)| *count),
            ways: ways
                .filter(|t| barred(t, &viewer.caller).is_none())
                .map(|t| Way {
                    name: t.name.clone(),
                    title: t.title.clone(),
                    reason: t.needs_reason,
                    ends: t.to != ACTIVE,
                })
                .collect(),
        });
    }
    let lowest = program.policies.roles.last().map_or("", |r| r.name.as_str());
    let page = PeoplePage {
        frame: Frame::of(app, viewer, "People", "/admin/people").await,
        people: rows,
        roles: choices(app, if shown.role.is_empty() { lowest } else { &shown.role }),
        shown,
    };
    Ok((status, Html(page.render()?)).into_response())
}

async fn people(State(app): State<App>, viewer: Viewer) -> Result<Response, Failed> {
    only(&viewer)?;
    show(&app, &viewer, StatusCode::OK, Shown::default()).await
}

async fn invite(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Response, Failed> {
    only(&viewer)?;
    viewer.check(form.get("csrf"))?;
    let mut shown = Shown {
        login: form.get("login").trim().to_lowercase(),
        name: form.get("name").trim().to_owned(),
        team: form.get("team").trim().to_owned(),
        role: form.get("role").to_owned(),
        must: form.has("must"),
        ..Shown::default()
    };
    shown.login_wrong = setup::login_problem(&shown.login).unwrap_or_default();
    shown.name_wrong = setup::name_problem(&shown.name).unwrap_or_default();
    if !shown.login_wrong.is_empty() || !shown.name_wrong.is_empty() {
        return show(&app, &viewer, StatusCode::UNPROCESSABLE_ENTITY, shown).await;
    }
    let opened =
        setup::open(&app.desk, &viewer.caller, &shown.login, &shown.name, &shown.role, &shown.team).await;
    let person = match opened {
        Ok(person) => person,
        Err(Failed::Refused(Refused::Invalid { field, problem })) => {
            if field == "login" {
                shown.login_wrong = problem;
            } else {
                shown.wrong = format!("{field}: {problem}");
            }
            return show(&app, &viewer, StatusCode::UNPROCESSABLE_ENTITY, shown).await;
        }
        Err(other) => return Err(other),
    };
    let must = shown.must;
    credential::change(&app.desk, &person, |c| c.must = must).await?;
    show_link(&app, &viewer, &person, false).await
}

/// Makes a link to somebody, and shows it this once.
async fn show_link(app: &App, viewer: &Viewer, person: &Person, without: bool) -> Result<Response, Failed> {
    let joined = credential::of(&app.desk, person).await?.password.is_some();
    let (purpose, lives, link_lives, what) = if joined {
        (Purpose::Recover, link::RECOVERY, "for 24 hours", "recovery link made")
    } else {
        (Purpose::Join, link::INVITATION, "for 7 days", "invited")
    };
    let link = Link { without_app: without, ..Link::to(person, purpose) };
    let link = link::make(&app.desk, &app.origin.0, &link, lives).await?;
    trail::write(&app.desk, person.no, &viewer.caller.actor, what, &[]).await?;
    let shown = Shown { link, link_for: person.name.clone(), link_lives, ..Shown::default() };
    show(app, viewer, StatusCode::OK, shown).await
}

/// Somebody, and their record.
fn somebody(app: &App, login: &str) -> Result<(Person, RecordId), Failed> {
    let shared = app.desk.read();
    let person = shared.people.get(login).cloned().ok_or_else(Failed::nothing)?;
    let id = shared.index.id(person.no).ok_or_else(Failed::nothing)?;
    Ok((person, id))
}

/// Somebody has to be left who administers.
fn not_the_last(app: &App, person: &Person) -> Result<(), Failed> {
    let shared = app.desk.read();
    let admins = |name: &str| shared.program.policies.roles.iter().any(|r| r.admin && r.name == name);
    let others = shared.people.all().any(|p| p.active && p.login != person.login && admins(&p.role));
    if others || !admins(&person.role) {
        return Ok(());
    }
    let why = format!("{} is the only administrator: make somebody else one first", person.login);
    Err(Refused::NotNow(why).into())
}

async fn role(
    State(app): State<App>,
    Path(login): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    only(&viewer)?;
    viewer.check(form.get("csrf"))?;
    let (person, id) = somebody(&app, &login)?;
    let (role, team) = (form.get("role"), form.get("team").trim());
    let admin = app.desk.program().policies.roles.iter().any(|r| r.admin && r.name == role);
    if !admin {
        not_the_last(&app, &person)?;
    }
    let team = if team.is_empty() { serde_json::Value::Null } else { json!(team) };
    let fields: Fields = [("role".to_owned(), json!(role)), ("team".to_owned(), team)].into();
    let done = app.desk.act(&viewer.caller, &id, None, Command::Set { fields, because: String::new() }).await?;
    let text = if done.batch.is_some() { format!("{login} is changed.") } else { "Nothing had to change.".to_owned() };
    said::leave(&app, &viewer, &text, done.batch).await?;
    Ok(Redirect::to("/admin/people"))
}

async fn take(
    State(app): State<App>,
    Path(login): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    only(&viewer)?;
    viewer.check(form.get("csrf"))?;
    let (person, id) = somebody(&app, &login)?;
    let transition = form.get("transition").to_owned();
    let ends = {
        let program = app.desk.program();
        let kind = program.kind(PERSON);
        kind.is_some_and(|k| k.transition(&transition).is_some_and(|t| t.to != ACTIVE))
    };
    if ends {
        not_the_last(&app, &person)?;
    }
    let because = form.get("because").to_owned();
    let command = Command::Move { transition, fields: Fields::new(), because };
    let done = app.desk.act(&viewer.caller, &id, None, command).await?;
    let active = done.record.state == ACTIVE;
    if !active {
        session::end_all(&app.desk, &login, None).await?;
        link::remove(&app.desk, &login, None).await?;
    }
    let text = if active { "can sign in again" } else { "is signed out and cannot sign in" };
    said::leave(&app, &viewer, &format!("{login} {text}."), done.batch).await?;
    Ok(Redirect::to("/admin/people"))
}

async fn end_sessions(
    State(app): State<App>,
    Path(login): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    only(&viewer)?;
    viewer.check(form.get("csrf"))?;
    let (person, _) = somebody(&app, &login)?;
    let ended = session::end_all(&app.desk, &login, None).await?;
    if ended > 0 {
        let fields = [("sessions", ended.to_string())];
        let fields = fields.each_ref().map(|(n, v)| (*n, v.as_str()));
        trail::write(&app.desk, person.no, &viewer.caller.actor, "session revoked", &fields).await?;
    }
    said::leave(&app, &viewer, &format!("Sessions of {login} that are ended: {ended}."), None).await?;
    Ok(Redirect::to("/admin/people"))
}

async fn new_link(
    State(app): State<App>,
    Path(login): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Response, Failed> {
    only(&viewer)?;
    viewer.check(form.get("csrf"))?;
    let (person, _) = somebody(&app, &login)?;
    if !person.active {
        return Err(Refused::NotNow(format!("{login} cannot sign in: let them in again first")).into());
    }
    show_link(&app, &viewer, &person, form.has("without")).await
}

/// Whether somebody must have a second factor.
async fn second_factor(
    State(app): State<App>,
    Path(login): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    only(&viewer)?;
    viewer.check(form.get("csrf"))?;
    let (person, _) = somebody(&app, &login)?;
    let must = form.get("must") == "yes";
    let without = credential::change(&app.desk, &person, |c| {
        c.must = must;
        c.app.is_none()
    })
    .await?;
    if must && without {
        session::end_all(&app.desk, &login, None).await?;
    }
    let what = if must { "second factor asked for" } else { "second factor no longer asked for" };
    trail::write(&app.desk, person.no, &viewer.caller.actor, what, &[]).await?;
    said::leave(&app, &viewer, &format!("{login}: {what}."), None).await?;
    Ok(Redirect::to("/admin/people"))
}
