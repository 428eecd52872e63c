//! Links to one person: an invitation, recovery, and the way into the demo.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use wardroom_desk::{Millis, Refused};
use wardroom_service::{Desk, Error, Person};

use crate::browser::Browser;
use crate::error::Failed;
use crate::form::Form;
use crate::link::{self, Link, Purpose};
use crate::pages::setup::{Key, spent};
use crate::pages::sign_in::{Gate, enter, second_step};
use crate::{App, Origin, credential, password, session, trail};

pub fn router() -> Router<App> {
    Router::new()
        .route("/join", get(ask_join).post(join))
        .route("/recover", get(ask_recover).post(recover))
        .route("/enter", get(way_in))
}

/// A link by which somebody sets another password, for the command line: who has that also turns the
/// second factor off. It works once, for a day.
pub async fn recovery_link(desk: &Desk, origin: &Origin, login: &str) -> Result<String, Error> {
    let person = somebody(desk, login)?;
    let link = Link { without_app: true, ..Link::to(&person, Purpose::Recover) };
    Ok(link::make(desk, &origin.0, &link, link::RECOVERY).await?)
}

/// A link that begins a session for somebody, once: for the demo, which prints it. `lives` is in
/// milliseconds.
pub async fn signed_in_link(
    desk: &Desk,
    origin: &Origin,
    login: &str,
    lives: Millis,
) -> Result<String, Error> {
    let person = somebody(desk, login)?;
    Ok(link::make(desk, &origin.0, &Link::to(&person, Purpose::Enter), lives).await?)
}

fn somebody(desk: &Desk, login: &str) -> Result<Person, Error> {
    let person = desk.read().people.get(login).filter(|p| p.active).cloned();
    person.ok_or_else(|| Refused::invalid("login", format!("nobody here is called `{login}`")).into())
}

#[derive(Template)]
#[template(path = "join.html")]
struct JoinPage<'a> {
    gate: Gate,
    heading: String,
    to: &'static str,
    key: &'a str,
    login: &'a str,
    wrong: String,
}

/// Whom a link is to, where it still works.
async fn person_of(app: &App, key: &str, purpose: Purpose) -> Result<Person, Failed> {
    let link = link::look(&app.desk, key, purpose).await?.ok_or_else(spent)?;
    theirs(app, &link).ok_or_else(spent)
}

fn theirs(app: &App, link: &Link) -> Option<Person> {
    app.desk.read().people.get(&link.login).filter(|p| p.active && p.no == link.no).cloned()
}

fn page(person: &Person, purpose: Purpose, key: &str, wrong: String) -> Result<String, Failed> {
    let (heading, to) = match purpose {
        Purpose::Join => (format!("Welcome, {}", person.name), "/join"),
        _ => ("Set a new password".to_owned(), "/recover"),
    };
    Ok(JoinPage { gate: Gate::new(), heading, to, key, login: &person.login, wrong }.render()?)
}

async fn ask_join(State(app): State<App>, Query(Key { key }): Query<Key>) -> Result<Html<String>, Failed> {
    let person = person_of(&app, &key, Purpose::Join).await?;
    Ok(Html(page(&person, Purpose::Join, &key, String::new())?))
}

async fn ask_recover(State(app): State<App>, Query(Key { key }): Query<Key>) -> Result<Html<String>, Failed> {
    let person = person_of(&app, &key, Purpose::Recover).await?;
    Ok(Html(page(&person, Purpose::Recover, &key, String::new())?))
}

async fn join(State(app): State<App>, browser: Browser, form: Form) -> Result<Response, Failed> {
    set(&app, &browser, &form, Purpose::Join).await
}

async fn recover(State(app): State<App>, browser: Browser, form: Form) -> Result<Response, Failed> {
    set(&app, &browser, &form, Purpose::Recover).await
}

/// Sets the password that a link allows to set.
async fn set(app: &App, browser: &Browser, form: &Form, purpose: Purpose) -> Result<Response, Failed> {
    let key = form.get("key");
    let person = person_of(app, key, purpose).await?;
    if let Some(wrong) = password::problem(&person.login, form.get("password"), form.get("again")) {
        let page = page(&person, purpose, key, wrong)?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response());
    }
    let hashed = password::hash(form.get("password")).await?;
    let link = link::take(&app.desk, key, purpose).await?.ok_or_else(spent)?;
    let without = link.without_app;
    let app_left = credential::change(&app.desk, &person, move |c| {
        c.password = Some(hashed);
        if without {
            c.turn_off();
        }
        c.app.is_some()
    })
    .await?;
    session::end_all(&app.desk, &person.login, None).await?;
    link::remove(&app.desk, &person.login, None).await?;
    let (what, with) = match purpose {
        Purpose::Join => ("password set", "an invitation"),
        _ => ("password changed", "a recovery link"),
    };
    trail::own(&app.desk, &person, what, &[("with", with)]).await?;
    if app_left {
        second_step(app, browser, &person, "/inbox", with).await
    } else {
        enter(app, browser, &person, "/inbox", with).await
    }
}

async fn way_in(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    Query(Key { key }): Query<Key>,
) -> Result<Response, Failed> {
    // Somebody follows it. A picture or a frame of another site signs nobody in.
    if headers.get("sec-fetch-dest").is_some_and(|dest| dest != "document") {
        return Err(spent());
    }
    let link = link::take(&app.desk, &key, Purpose::Enter).await?.ok_or_else(spent)?;
    let person = theirs(&app, &link).ok_or_else(spent)?;
    enter(&app, &browser, &person, "/inbox", "a link of the demo").await
}
