//! Somebody's own account: password, second factor, sessions, tokens, theme.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use qrcode::{Color, EcLevel, QrCode};
use wardroom_desk::{Millis, Refused};
use wardroom_service::Error;

use crate::browser::{Browser, in_words};
use crate::credential::{self, Credential};
use crate::error::Failed;
use crate::form::{Form, back};
use crate::pages::said;
use crate::session::{self, Viewer};
use crate::tokens::{self, Scope, Wanted};
use crate::view::{Frame, ago, datetime, day, moment};
use crate::{App, password, trail};

pub fn router() -> Router<App> {
    Router::new()
        .route("/account", get(account))
        .route("/account/password", post(change_password))
        .route("/account/totp/begin", post(begin_totp))
        .route("/account/totp", post(turn_on))
        .route("/account/totp/off", post(turn_off))
        .route("/account/codes", post(new_codes))
        .route("/account/sessions/end", post(end_session))
        .route("/account/sessions/end-others", post(end_others))
        .route("/account/tokens", post(make_token))
        .route("/account/tokens/revoke", post(revoke_token))
        .route("/account/theme", post(theme))
}

/// A moment as a page shows it.
#[derive(Clone, Debug, Default)]
pub struct When {
    pub datetime: String,
    pub title: String,
    pub text: String,
}

impl When {
    pub fn past(at: Millis, now: Millis) -> When {
        When { datetime: datetime(at), title: moment(at), text: ago(at, now) }
    }

    pub fn on(at: Millis, now: Millis) -> When {
        When { datetime: datetime(at), title: moment(at), text: day(at, now) }
    }
}

/// A session in a list.
pub struct SessionRow {
    pub key: String,
    pub login: String,
    pub place: String,
    pub began: When,
    pub used: When,
    pub this: bool,
}

/// Sessions of one or of all, as rows.
pub async fn session_rows(
    app: &App,
    viewer: &Viewer,
    login: Option<&str>,
) -> Result<Vec<SessionRow>, Failed> {
    let now = app.desk.now();
    let sessions = session::all(&app.desk, login).await?;
    Ok(sessions
        .into_iter()
        .map(|(key, s)| SessionRow {
            this: key == viewer.key,
            key,
            login: s.login,
            place: format!("{}, {}", in_words(&s.agent), s.address),
            began: When::past(s.began, now),
            used: When::past(s.used, now),
        })
        .collect())
}

/// A token in a list.
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub owner: String,
    pub role: String,
    pub scopes: Vec<&'static str>,
    pub ends: When,
    pub soon: bool,
    pub used: Option<When>,
    pub by: String,
}

/// Tokens of one or of all, as rows.
pub async fn token_rows(app: &App, login: Option<&str>) -> Result<Vec<TokenRow>, Failed> {
    let now = app.desk.now();
    let program = app.desk.program();
    let title = |role: &str| {
        program.policies.roles.iter().find(|r| r.name == role).map_or(role.to_owned(), |r| r.title.clone())
    };
    let mut rows: Vec<TokenRow> = tokens::all(&app.desk)
        .await?
        .into_iter()
        .filter(|(_, t)| login.is_none() || t.login.as_deref() == login)
        .map(|(id, t)| TokenRow {
            id,
            name: t.name,
            owner: t.login.unwrap_or_default(),
            role: title(&t.role),
            scopes: t.scopes.iter().map(|s| s.word()).collect(),
            ends: When::on(t.ends, now),
            soon: t.ends - now < 14 * 86_400_000,
            used: t.used.map(|u| When::past(u, now)),
            by: t.by.to_string(),
        })
        .collect();
    rows.sort_by(|a, b| (&a.owner, &a.name).cmp(&(&b.owner, &b.name)));
    Ok(rows)
}

/// A role that can be chosen.
pub struct RoleChoice {
    pub name: String,
    pub title: String,
    pub chosen: bool,
}

/// What the page says beside what is always there.
#[derive(Default)]
struct Shown {
    codes: Vec<String>,
    token: String,
    good: String,
    password_wrong: String,
    code_wrong: String,
    proof_wrong: String,
    token_wrong: String,
    token_name: String,
    status: Option<StatusCode>,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    login: String,
    role: String,
    may: Vec<&'static str>,
    limited: bool,
    on: bool,
    left: usize,
    qr: Option<Qr>,
    typed: String,
    sessions: Vec<SessionRow>,
    tokens: Vec<TokenRow>,
    roles: Vec<RoleChoice>,
    shown: Shown,
}

/// A picture for an authenticator app: the data of one path.
struct Qr {
    size: usize,
    path: String,
}

impl Qr {
    fn of(text: &str) -> Option<Qr> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (y, row) in code.to_colors().chunks(width).enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, c)| **c == Color::Dark) {
                path.push_str(&format!("M{} {}h1v1h-1z", x + 2, y + 2));
            }
        }
        Some(Qr { size: width + 4, path })
    }
}

async fn show(app: &App, viewer: &Viewer, shown: Shown) -> Result<Response, Failed> {
    let credential = credential::of(&app.desk, &viewer.person).await?;
    let login = &viewer.person.login;
    let role = &viewer.caller.role;
    let may = [
        (role.confidential, "see confidential records"),
        (role.edit, "change records"),
        (role.comment, "comment and attach files"),
        (role.deliver, "send scans"),
        (role.admin, "manage people, tokens and the store"),
    ];
    let roles = {
        let program = app.desk.program();
        let roles = tokens::roles(&program, Some(&role.name));
        roles
            .iter()
            .enumerate()
            .map(|(at, r)| RoleChoice { name: r.name.clone(), title: r.title.clone(), chosen: at == 0 })
            .collect()
    };
    let host = app.origin.0.split_once("://").map_or("", |(_, host)| host);
    let pending = credential.pending.as_deref().filter(|_| credential.app.is_none());
    let page = AccountPage {
        frame: Frame::of(app, viewer, "Your account", "/account").await,
        login: login.clone(),
        role: role.title.clone(),
        may: may.iter().filter(|(may, _)| *may).map(|(_, what)| *what).collect(),
        limited: viewer.session.limited,
        on: credential.app.is_some(),
        left: credential.codes.len(),
        qr: pending.and_then(|secret| Qr::of(&credential::address(secret, login, host))),
        typed: pending.map(credential::typed).unwrap_or_default(),
        sessions: session_rows(app, viewer, Some(login)).await?,
        tokens: token_rows(app, Some(login)).await?,
        roles,
        shown,
    };
    let status = page.shown.status.unwrap_or(StatusCode::OK);
    Ok((status, Html(page.render()?)).into_response())
}

async fn wrong(app: &App, viewer: &Viewer, shown: Shown) -> Result<Response, Failed> {
    show(app, viewer, Shown { status: Some(StatusCode::UNPROCESSABLE_ENTITY), ..shown }).await
}

async fn account(State(app): State<App>, viewer: Viewer) -> Result<Response, Failed> {
    show(&app, &viewer, Shown::default()).await
}

/// Whether the password is theirs: a session alone does not change how somebody signs in. What is
/// wrong, where it is not.
async fn proven(
    app: &App,
    browser: &Browser,
    viewer: &Viewer,
    typed: &str,
) -> Result<Option<String>, Failed> {
    let guessed = format!("account of {}", viewer.person.login);
    if browser.tries(app, &guessed).is_err() {
        return Ok(Some("Too many tries. Wait some minutes.".to_owned()));
    }
    let credential = credential::of(&app.desk, &viewer.person).await?;
    if !password::verify(credential.password.as_ref(), typed).await? {
        return Ok(Some("This is not your password.".to_owned()));
    }
    browser.succeeds(app, &guessed);
    Ok(None)
}

async fn change_password(
    State(app): State<App>,
    browser: Browser,
    viewer: Viewer,
    form: Form,
) -> Result<Response, Failed> {
    viewer.check(form.get("csrf"))?;
    let login = &viewer.person.login;
    let mut problem = proven(&app, &browser, &viewer, form.get("old")).await?;
    if problem.is_none() {
        problem = password::problem(login, form.get("password"), form.get("again"));
    }
    if let Some(password_wrong) = problem {
        return wrong(&app, &viewer, Shown { password_wrong, ..Shown::default() }).await;
    }
    let hashed = password::hash(form.get("password")).await?;
    credential::change(&app.desk, &viewer.person, |c| c.password = Some(hashed)).await?;
    let ended = session::end_all(&app.desk, login, Some(&viewer.key)).await?;
    crate::link::remove(&app.desk, login, None).await?;
    trail::own(&app.desk, &viewer.person, "password changed", &[]).await?;
    let text = match ended {
        0 => "Your password is changed.".to_owned(),
        n => format!("Your password is changed, and your other sessions ({n}) are ended."),
    };
    said::leave(&app, &viewer, &text, None).await?;
    Ok(Redirect::to("/account").into_response())
}

async fn begin_totp(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    credential::change(&app.desk, &viewer.person, |c| {
        if c.app.is_none() {
            c.pending = Some(credential::new_secret());
        }
    })
    .await?;
    Ok(Redirect::to("/account"))
}

async fn turn_on(
    State(app): State<App>,
    browser: Browser,
    mut viewer: Viewer,
    form: Form,
) -> Result<Response, Failed> {
    viewer.check(form.get("csrf"))?;
    let (login, now) = (viewer.person.login.clone(), app.desk.now());
    if let Some(problem) = proven(&app, &browser, &viewer, form.get("proof")).await? {
        return wrong(&app, &viewer, Shown { code_wrong: problem, ..Shown::default() }).await;
    }
    let code = form.get("code").to_owned();
    let turn = |c: &mut Credential| (c.app.is_none() && c.turn_on(&code, now)).then(|| c.new_codes(&login));
    let Some(codes) = credential::change(&app.desk, &viewer.person, turn).await? else {
        let code_wrong = "This code is wrong. Wait for the next one, and look whether your clock is right.";
        return wrong(&app, &viewer, Shown { code_wrong: code_wrong.to_owned(), ..Shown::default() }).await;
    };
    // What was begun without it ends; this one has shown it.
    session::end_all(&app.desk, &viewer.person.login, Some(&viewer.key)).await?;
    viewer.session.limited = false;
    session::keep(&app, &viewer.key, &viewer.session).await?;
    trail::own(&app.desk, &viewer.person, "second factor turned on", &[]).await?;
    let good = "Your second factor is on. Keep the recovery codes where you will find them.".to_owned();
    show(&app, &viewer, Shown { codes, good, ..Shown::default() }).await
}

async fn turn_off(
    State(app): State<App>,
    browser: Browser,
    viewer: Viewer,
    form: Form,
) -> Result<Response, Failed> {
    viewer.check(form.get("csrf"))?;
    let mut problem = proven(&app, &browser, &viewer, form.get("proof")).await?;
    if problem.is_none() && credential::of(&app.desk, &viewer.person).await?.must {
        problem = Some("Your account asks for a second factor. An administrator can change that.".to_owned());
    }
    if let Some(proof_wrong) = problem {
        return wrong(&app, &viewer, Shown { proof_wrong, ..Shown::default() }).await;
    }
    credential::change(&app.desk, &viewer.person, Credential::turn_off).await?;
    trail::own(&app.desk, &viewer.person, "second factor turned off", &[]).await?;
    said::leave(&app, &viewer, "Your second factor is off.", None).await?;
    Ok(Redirect::to("/account").into_response())
}

async fn new_codes(
    State(app): State<App>,
    browser: Browser,
    viewer: Viewer,
    form: Form,
) -> Result<Response, Failed> {
    viewer.check(form.get("csrf"))?;
    if let Some(proof_wrong) = proven(&app, &browser, &viewer, form.get("proof")).await? {
        return wrong(&app, &viewer, Shown { proof_wrong, ..Shown::default() }).await;
    }
    let login = viewer.person.login.clone();
    let make = |c: &mut Credential| if c.app.is_some() { c.new_codes(&login) } else { Vec::new() };
    let codes = credential::change(&app.desk, &viewer.person, make).await?;
    trail::own(&app.desk, &viewer.person, "recovery codes made", &[]).await?;
    show(
        &app,
        &viewer,
        Shown { codes, good: "The earlier codes work no more.".to_owned(), ..Shown::default() },
    )
    .await
}

async fn end_session(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let theirs = session::all(&app.desk, Some(&viewer.person.login)).await?;
    let found = theirs.iter().find(|(key, _)| key == form.get("session"));
    let (key, _) = found.ok_or_else(Failed::nothing)?;
    session::end(&app.desk, key).await?;
    trail::own(&app.desk, &viewer.person, "session revoked", &[]).await?;
    said::leave(&app, &viewer, "The session is ended.", None).await?;
    Ok(Redirect::to("/account"))
}

async fn end_others(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let ended = session::end_all(&app.desk, &viewer.person.login, Some(&viewer.key)).await?;
    if ended > 0 {
        trail::own(&app.desk, &viewer.person, "session revoked", &[("sessions", &ended.to_string())]).await?;
    }
    said::leave(&app, &viewer, &format!("{ended} other sessions are ended."), None).await?;
    Ok(Redirect::to("/account"))
}

/// The scopes that a form names.
pub fn scopes(form: &Form) -> Vec<Scope> {
    Scope::ALL.into_iter().filter(|s| form.all("scope").any(|word| word == s.word())).collect()
}

async fn make_token(
    State(app): State<App>,
    browser: Browser,
    viewer: Viewer,
    form: Form,
) -> Result<Response, Failed> {
    viewer.check(form.get("csrf"))?;
    let token_name = form.get("name").to_owned();
    if let Some(token_wrong) = proven(&app, &browser, &viewer, form.get("proof")).await? {
        return wrong(&app, &viewer, Shown { token_wrong, token_name, ..Shown::default() }).await;
    }
    let wanted = Wanted {
        name: form.get("name"),
        role: form.get("role"),
        scopes: &scopes(&form),
        days: form.get("days").parse().unwrap_or(0),
        owner: Some(&viewer.person),
    };
    match tokens::make(&app.desk, &wanted, &viewer.caller.actor).await {
        Ok(token) => show(&app, &viewer, Shown { token, ..Shown::default() }).await,
        Err(Error::Refused(Refused::Invalid { problem, .. } | Refused::NotAllowed(problem))) => {
            wrong(&app, &viewer, Shown { token_wrong: problem, token_name, ..Shown::default() }).await
        }
        Err(other) => Err(other.into()),
    }
}

async fn revoke_token(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let login = Some(viewer.person.login.as_str());
    let name = tokens::revoke(&app.desk, form.get("token"), login, &viewer.caller.actor).await?;
    let name = name.ok_or_else(Failed::nothing)?;
    said::leave(&app, &viewer, &format!("The token {name} works no more."), None).await?;
    Ok(Redirect::to("/account"))
}

async fn theme(State(app): State<App>, mut viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    viewer.session.theme = match form.get("theme") {
        "light" => "light".to_owned(),
        "dark" => "dark".to_owned(),
        "auto" => String::new(),
        _ => return Err(Failed::bad("The theme is `auto`, `light` or `dark`.")),
    };
    session::keep(&app, &viewer.key, &viewer.session).await?;
    Ok(Redirect::to(&back(form.get("back"))))
}
