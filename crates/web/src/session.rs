//! Who is asking: sessions of people in browsers.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::{COOKIE, HeaderValue};
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use wardroom_desk::{Actor, Caller, Millis};
use wardroom_service::{Desk, Person};
use wardroom_store::Document;

use crate::error::Failed;
use crate::{App, random};

/// The collection of sessions in the store.
pub const SESSION: &str = "session";
/// How long a session lives without being used, in milliseconds: a working day and a half.
pub const IDLE: Millis = 12 * 3_600_000;
/// How long it lives at most: two weeks.
pub const LONGEST: Millis = 14 * 24 * 3_600_000;
/// How often its last use is written down.
const TOUCH: Millis = 5 * 60_000;

/// What is kept of a session, under the hash of its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Whose.
    pub login: String,
    /// Proves that a form came from a page of this session.
    pub csrf: String,
    /// When it began.
    pub began: Millis,
    /// When it was last used, to within some minutes.
    pub used: Millis,
    /// The browser, as it calls itself.
    pub agent: String,
    /// The address it was begun from.
    pub address: String,
    /// `auto`, `light` or `dark`.
    #[serde(default)]
    pub theme: String,
    /// What the next page says.
    #[serde(default)]
    pub said: Option<String>,
    /// What was last done and can be undone.
    #[serde(default)]
    pub undo: Option<u64>,
    /// It leads to the account only, until a second factor is set up.
    #[serde(default)]
    pub limited: bool,
}

/// Held while a session is changed or ended: one that has ended is not written again by a request
/// that was under way.
static WRITING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Somebody who is signed in, with what the page needs to know of them.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who they are to the desk.
    pub caller: Caller,
    /// Who they are.
    pub person: Person,
    /// Their session.
    pub session: Session,
    /// The key under which it is kept.
    pub key: String,
}

impl Viewer {
    /// Whether a form came from a page of this session.
    pub fn check(&self, csrf: &str) -> Result<(), Failed> {
        if bool::from(self.session.csrf.as_bytes().ct_eq(csrf.as_bytes())) {
            return Ok(());
        }
        Err(Failed::Page(
            axum::http::StatusCode::FORBIDDEN,
            "This form is out of date".to_owned(),
            "Go back, load the page again and send it once more.".to_owned(),
        ))
    }

    /// What the index needs to know.
    pub fn eyes(&self) -> wardroom_desk::Viewer {
        wardroom_desk::Viewer {
            login: self.caller.login.clone(),
            team: self.caller.team.clone(),
            sees_confidential: self.caller.role.confidential,
        }
    }
}

/// The cookie's name: with TLS its prefix makes browsers keep it to this host.
pub fn cookie_name(app: &App) -> &'static str {
    if app.origin.secure() { "__Host-wardroom" } else { "wardroom" }
}

/// The header that gives a browser its session, or takes it away.
pub fn cookie(app: &App, secret: Option<&str>) -> Result<HeaderValue, Failed> {
    let secure = if app.origin.secure() { "; Secure" } else { "" };
    let name = cookie_name(app);
    let text = match secret {
        Some(secret) => {
            format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", LONGEST / 1000)
        }
        None => format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}"),
    };
    HeaderValue::from_str(&text).map_err(|e| Failed::broken(&e))
}

/// Begins a session; its secret, which only the browser keeps.
pub async fn begin(
    app: &App,
    login: &str,
    agent: &str,
    address: &str,
    limited: bool,
) -> Result<String, Failed> {
    let secret = random::secret();
    let now = app.desk.now();
    let session = Session {
        login: login.to_owned(),
        csrf: random::secret(),
        // Not before what is on their record, also where the clock went back since.
        began: app.desk.event_time(),
        used: now,
        agent: agent.chars().filter(|c| !c.is_control()).take(200).collect(),
        address: address.to_owned(),
        theme: String::new(),
        said: None,
        undo: None,
        limited,
    };
    app.desk.store().put(&document(&random::kept(&secret), &session)?).await?;
    Ok(secret)
}

/// Writes down what became of a session; nothing where it has ended.
pub async fn keep(app: &App, key: &str, session: &Session) -> Result<(), Failed> {
    let _writing = WRITING.lock().await;
    let store = app.desk.store();
    if store.get(SESSION, key, app.desk.now()).await?.is_some() {
        store.put(&document(key, session)?).await?;
    }
    Ok(())
}

/// Ends a session; whether there was one.
pub async fn end(desk: &Desk, key: &str) -> Result<bool, Failed> {
    let _writing = WRITING.lock().await;
    Ok(desk.store().remove(SESSION, key).await?)
}

/// Ends somebody's sessions, but for one; how many.
pub async fn end_all(desk: &Desk, login: &str, but: Option<&str>) -> Result<u64, Failed> {
    let mut ended = 0;
    for (key, _) in all(desk, Some(login)).await? {
        if Some(key.as_str()) != but && end(desk, &key).await? {
            ended += 1;
        }
    }
    Ok(ended)
}

/// Sessions of somebody or of everybody, with their keys, the last used first.
pub async fn all(desk: &Desk, login: Option<&str>) -> Result<Vec<(String, Session)>, Failed> {
    let documents = desk.store().list(SESSION, login, desk.now()).await?;
    let mut sessions: Vec<(String, Session)> =
        documents.into_iter().filter_map(|d| Some((d.key, serde_json::from_value(d.body).ok()?))).collect();
    sessions.sort_by_key(|(_, s)| std::cmp::Reverse(s.used));
    Ok(sessions)
}

fn document(key: &str, session: &Session) -> Result<Document, Failed> {
    Ok(Document {
        collection: SESSION.to_owned(),
        key: key.to_owned(),
        owner: Some(session.login.clone()),
        body: serde_json::to_value(session).map_err(|e| Failed::broken(&e))?,
        expires: Some((session.used + IDLE).min(session.began + LONGEST)),
    })
}

/// The secret in a request's cookie.
pub fn secret_of(app: &App, parts: &Parts) -> Option<String> {
    cookie_of(cookie_name(app), parts)
}

/// A secret in a cookie of this name.
pub fn cookie_of(name: &str, parts: &Parts) -> Option<String> {
    parts.headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';')).find_map(
        |pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name && value.len() == 64).then(|| value.to_owned())
        },
    )
}

async fn viewer(app: &App, parts: &Parts) -> Result<Option<Viewer>, Failed> {
    let Some(secret) = secret_of(app, parts) else { return Ok(None) };
    let Some(mut viewer) = of_key(app, random::kept(&secret)).await? else { return Ok(None) };
    let now = app.desk.now();
    if now - viewer.session.used > TOUCH {
        viewer.session.used = now;
        // A disk without room keeps nobody from reading.
        if let Err(error) = keep(app, &viewer.key, &viewer.session).await {
            tracing::warn!(?error, "the use of a session could not be written down");
        }
    }
    Ok(Some(viewer))
}

/// Who has the session under a key, while it lives. That it is looked at is no use of it.
pub async fn of_key(app: &App, key: String) -> Result<Option<Viewer>, Failed> {
    let now = app.desk.now();
    let Some(document) = app.desk.store().get(SESSION, &key, now).await? else { return Ok(None) };
    let session: Session = serde_json::from_value(document.body).map_err(|e| Failed::broken(&e))?;
    let Some(viewer) = ({
        let shared = app.desk.read();
        // A session from before somebody was suspended, or had this login, is none.
        let theirs = |p: &&Person| p.active && session.began >= p.since;
        shared.people.get(&session.login).filter(theirs).and_then(|person| {
            let role = shared.program.policies.roles.iter().find(|r| r.name == person.role)?.clone();
            let caller = Caller {
                actor: Actor::Person(person.login.clone()),
                role,
                login: Some(person.login.clone()),
                team: person.team.clone(),
            };
            Some((caller, person.clone()))
        })
    }) else {
        return Ok(None);
    };
    let (caller, person) = viewer;
    Ok(Some(Viewer { caller, person, session, key }))
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let next = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        let viewer = viewer(app, parts).await?.ok_or(Failed::SignIn(next))?;
        let path = parts.uri.path();
        let account = path == "/account" || path.starts_with("/account/") || path == "/sign-out";
        if viewer.session.limited && !account {
            return Err(Failed::Elsewhere("/account"));
        }
        Ok(viewer)
    }
}

impl OptionalFromRequestParts<App> for Viewer {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Self::Rejection> {
        viewer(app, parts).await
    }
}
