//! Signing in and out.
//!
//! The forms here stand before any session, so they carry no secret of one. The guard refuses what a
//! browser says comes from another site; every browser that can show these pages says so of each
//! form it posts, and what is no browser has nobody's cookies. A cookie for the form alone would add
//! nothing but a thing that a neighbouring host could plant.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use wardroom_desk::Millis;
use wardroom_service::Person;
use wardroom_store::Document;

use crate::browser::{Browser, STEP, step_cookie};
use crate::credential::{self, Proof};
use crate::error::Failed;
use crate::form::{Form, back};
use crate::session::{self, Viewer, cookie};
use crate::{App, assets, password, random, trail};

/// The collection of sign-ins that wait for their second step.
const WAITING: &str = "sign-in";
/// Wrong codes after which it begins again with the password.
const CODES: u32 = 5;
/// Longest name that is looked up, in bytes.
const NAME: usize = 200;

pub fn router() -> Router<App> {
    Router::new()
        .route("/sign-in", get(ask).post(sign_in))
        .route("/sign-in/code", get(ask_code).post(code))
        .route("/sign-out", post(sign_out))
}

/// What every page before a session needs.
#[derive(Clone, Debug)]
pub struct Gate {
    pub css: String,
    pub icon: String,
}

impl Gate {
    pub fn new() -> Gate {
        Gate { css: assets::address("wardroom.css"), icon: assets::address("wardroom.svg") }
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    gate: Gate,
    next: &'a str,
    name: &'a str,
    wrong: String,
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage {
    gate: Gate,
    recovery: bool,
    wrong: String,
}

#[derive(Deserialize, Default)]
struct Asked {
    #[serde(default)]
    next: String,
    #[serde(default)]
    recovery: String,
}

/// A sign-in whose password was right.
#[derive(Serialize, Deserialize)]
struct Waiting {
    login: String,
    no: u32,
    next: String,
    /// How the first step was taken.
    with: String,
    wrong: u32,
}

async fn ask(viewer: Option<Viewer>, Query(asked): Query<Asked>) -> Result<Response, Failed> {
    if viewer.is_some() {
        return Ok(Redirect::to(&back(&asked.next)).into_response());
    }
    let page = SignInPage { gate: Gate::new(), next: &asked.next, name: "", wrong: String::new() };
    Ok(Html(page.render()?).into_response())
}

async fn sign_in(State(app): State<App>, browser: Browser, form: Form) -> Result<Response, Failed> {
    let (name, next) = (form.get("name").trim(), form.get("next"));
    let again = |status: StatusCode, wrong: String| -> Result<Response, Failed> {
        let page = SignInPage { gate: Gate::new(), next, name, wrong };
        Ok((status, Html(page.render()?)).into_response())
    };
    if let Err(wait) = browser.tries(&app, name) {
        return waits(again(StatusCode::TOO_MANY_REQUESTS, too_many(wait))?, wait);
    }
    // Whether the name is anybody's changes neither the work that is done nor what is said.
    let looked_up = if name.len() > NAME { "" } else { name };
    let person = app.desk.read().people.get(looked_up).cloned();
    let credential = credential::of_login(&app.desk, looked_up).await?;
    let credential = credential.filter(|c| person.as_ref().is_some_and(|p| p.no == c.no));
    let hashed = credential.as_ref().and_then(|c| c.password.as_ref());
    let right = password::verify(hashed, form.get("password")).await?;
    let (Some(person), Some(credential), true) = (person.clone().filter(|p| p.active), credential, right)
    else {
        tracing::warn!(name = looked_up, address = browser.place(), "a sign-in failed");
        if let Some(person) = person {
            trail::failed(&app, &person, "password");
        }
        return again(StatusCode::UNPROCESSABLE_ENTITY, "Name or password is wrong.".to_owned());
    };
    browser.succeeds(&app, name);
    if credential.app.is_some() {
        return second_step(&app, &browser, &person, next, "password").await;
    }
    enter(&app, &browser, &person, next, "password").await
}

/// Puts a sign-in by until its code comes.
pub async fn second_step(
    app: &App,
    browser: &Browser,
    person: &Person,
    next: &str,
    with: &str,
) -> Result<Response, Failed> {
    if let Some(old) = &browser.step {
        app.desk.store().remove(WAITING, &random::kept(old)).await?;
    }
    let secret = random::secret();
    let waiting = Waiting {
        login: person.login.clone(),
        no: person.no,
        next: back(next),
        with: with.to_owned(),
        wrong: 0,
    };
    keep(app, &random::kept(&secret), &waiting, app.desk.now() + STEP).await?;
    let headers = [(SET_COOKIE, step_cookie(app, Some(&secret))?)];
    Ok((headers, Redirect::to("/sign-in/code")).into_response())
}

async fn keep(app: &App, key: &str, waiting: &Waiting, expires: Millis) -> Result<(), Failed> {
    let document = Document {
        collection: WAITING.to_owned(),
        key: key.to_owned(),
        owner: Some(waiting.login.clone()),
        body: serde_json::to_value(waiting).map_err(|e| Failed::broken(&e))?,
        expires: Some(expires),
    };
    Ok(app.desk.store().put(&document).await?)
}

/// The sign-in that a browser's second step belongs to: its key, what is kept, when it is over.
async fn waiting(app: &App, browser: &Browser) -> Result<Option<(String, Waiting, Millis)>, Failed> {
    let Some(secret) = &browser.step else { return Ok(None) };
    let key = random::kept(secret);
    let Some(document) = app.desk.store().get(WAITING, &key, app.desk.now()).await? else { return Ok(None) };
    let waiting: Waiting = serde_json::from_value(document.body).map_err(|e| Failed::broken(&e))?;
    Ok(Some((key, waiting, document.expires.unwrap_or_default())))
}

async fn ask_code(
    State(app): State<App>,
    browser: Browser,
    Query(asked): Query<Asked>,
) -> Result<Response, Failed> {
    if waiting(&app, &browser).await?.is_none() {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    let page = CodePage { gate: Gate::new(), recovery: !asked.recovery.is_empty(), wrong: String::new() };
    Ok(Html(page.render()?).into_response())
}

async fn code(State(app): State<App>, browser: Browser, form: Form) -> Result<Response, Failed> {
    let Some((key, mut waiting, expires)) = waiting(&app, &browser).await? else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let again = |status: StatusCode, wrong: &str| -> Result<Response, Failed> {
        let recovery = form.has("recovery");
        let page = CodePage { gate: Gate::new(), recovery, wrong: wrong.to_owned() };
        Ok((status, Html(page.render()?)).into_response())
    };
    let guessed = format!("code of {}", waiting.login);
    if let Err(wait) = browser.tries(&app, &guessed) {
        return waits(again(StatusCode::TOO_MANY_REQUESTS, &too_many(wait))?, wait);
    }
    let person = app.desk.read().people.get(&waiting.login).cloned();
    let Some(person) = person.filter(|p| p.active && p.no == waiting.no) else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let now = app.desk.now();
    let login = person.login.clone();
    let typed = form.get("code").to_owned();
    let proof = credential::change(&app.desk, &person, move |c| c.take(&login, &typed, now)).await?;
    let Some(proof) = proof else {
        tracing::warn!(name = person.login, address = browser.place(), "a code was wrong");
        trail::failed(&app, &person, "code");
        waiting.wrong += 1;
        if waiting.wrong >= CODES {
            app.desk.store().remove(WAITING, &key).await?;
            return Ok(Redirect::to("/sign-in").into_response());
        }
        keep(&app, &key, &waiting, expires).await?;
        let wrong = "This code is wrong, or it was used already. Wait for the next one.";
        return again(StatusCode::UNPROCESSABLE_ENTITY, wrong);
    };
    // Only one of two that hold the same step begins a session.
    if !app.desk.store().remove(WAITING, &key).await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    browser.succeeds(&app, &guessed);
    let with = match proof {
        Proof::App => format!("{} and code", waiting.with),
        Proof::Recovery(left) => {
            trail::own(&app.desk, &person, "recovery code used", &[("left", &left.to_string())]).await?;
            format!("{} and recovery code", waiting.with)
        }
    };
    let mut response = enter(&app, &browser, &person, &waiting.next, &with).await?;
    response.headers_mut().append(SET_COOKIE, step_cookie(&app, None)?);
    Ok(response)
}

/// Begins a session. Whatever session the browser brought is ended: nobody else's lives on in it.
pub async fn enter(
    app: &App,
    browser: &Browser,
    person: &Person,
    next: &str,
    with: &str,
) -> Result<Response, Failed> {
    if let Some(old) = &browser.session {
        session::end(&app.desk, &random::kept(old)).await?;
    }
    let credential = credential::of(&app.desk, person).await?;
    let limited = credential.must && credential.app.is_none();
    let secret = session::begin(app, &person.login, &browser.agent, &browser.place(), limited).await?;
    trail::own(&app.desk, person, "signed in", &[("with", with)]).await?;
    tracing::info!(name = person.login, address = browser.place(), with, "signed in");
    let next = if limited { "/account".to_owned() } else { back(next) };
    Ok(([(SET_COOKIE, cookie(app, Some(&secret))?)], Redirect::to(&next)).into_response())
}

async fn sign_out(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Response, Failed> {
    viewer.check(form.get("csrf"))?;
    session::end(&app.desk, &viewer.key).await?;
    trail::own(&app.desk, &viewer.person, "signed out", &[]).await?;
    Ok(([(SET_COOKIE, cookie(&app, None)?)], Redirect::to("/sign-in")).into_response())
}

fn too_many(wait: Millis) -> String {
    let seconds = (wait + 999) / 1_000;
    if seconds > 90 {
        format!("Too many tries. Wait {} minutes.", (seconds + 59) / 60)
    } else {
        format!("Too many tries. Wait {seconds} s.")
    }
}

fn waits(mut response: Response, wait: Millis) -> Result<Response, Failed> {
    let seconds = ((wait + 999) / 1_000).to_string();
    let value = HeaderValue::from_str(&seconds).map_err(|e| Failed::broken(&e))?;
    response.headers_mut().insert(RETRY_AFTER, value);
    Ok(response)
}
