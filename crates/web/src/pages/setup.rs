//! The first set-up: a link that the server prints where nobody has an account yet.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use wardroom_desk::{Actor, Caller, Fields, PERSON, Refused};
use wardroom_service::{Desk, Error, Person};

use crate::browser::Browser;
use crate::error::Failed;
use crate::form::Form;
use crate::link::{self, Link, Purpose};
use crate::pages::sign_in::{Gate, enter};
use crate::{App, Origin, credential, password};

/// Longest login, in characters.
const LOGIN: usize = 40;

pub fn router() -> Router<App> {
    Router::new().route("/setup", get(ask).post(set_up))
}

/// The link of the first set-up; none where somebody has an account already. An earlier link works
/// no more.
pub async fn setup_link(desk: &Desk, origin: &Origin) -> Result<Option<String>, Error> {
    if somebody(desk) {
        return Ok(None);
    }
    Ok(Some(link::make(desk, &origin.0, &Link::set_up(), link::SET_UP).await?))
}

fn somebody(desk: &Desk) -> bool {
    desk.read().people.all().next().is_some()
}

/// The key in an address.
#[derive(Deserialize, Default)]
pub struct Key {
    #[serde(default)]
    pub key: String,
}

#[derive(Template, Default)]
#[template(path = "setup.html")]
struct SetupPage {
    gate: Gate,
    key: String,
    login: String,
    name: String,
    login_wrong: String,
    name_wrong: String,
    password_wrong: String,
}

impl Default for Gate {
    fn default() -> Self {
        Gate::new()
    }
}

/// The link leads nowhere.
pub fn spent() -> Failed {
    Failed::Page(
        StatusCode::FORBIDDEN,
        "This link does not work".to_owned(),
        "It was used already, it is too old, or a part of it is missing. Ask for a new one; for the first \
         set-up, the server prints one when it starts."
            .to_owned(),
    )
}

async fn ask(State(app): State<App>, Query(Key { key }): Query<Key>) -> Result<Html<String>, Failed> {
    if somebody(&app.desk) || link::look(&app.desk, &key, Purpose::SetUp).await?.is_none() {
        return Err(spent());
    }
    Ok(Html(SetupPage { key, ..SetupPage::default() }.render()?))
}

async fn set_up(State(app): State<App>, browser: Browser, form: Form) -> Result<Response, Failed> {
    let key = form.get("key");
    if somebody(&app.desk) || link::look(&app.desk, key, Purpose::SetUp).await?.is_none() {
        return Err(spent());
    }
    let (login, name) = (form.get("login").trim().to_lowercase(), form.get("name").trim());
    let page = SetupPage {
        key: key.to_owned(),
        login: login.clone(),
        name: name.to_owned(),
        login_wrong: login_problem(&login).unwrap_or_default(),
        name_wrong: name_problem(name).unwrap_or_default(),
        password_wrong: password::problem(&login, form.get("password"), form.get("again"))
            .unwrap_or_default(),
        ..SetupPage::default()
    };
    if [&page.login_wrong, &page.name_wrong, &page.password_wrong].iter().any(|w| !w.is_empty()) {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render()?)).into_response());
    }
    let role = {
        let program = app.desk.program();
        program.policies.roles.iter().find(|r| r.admin).map(|r| r.name.clone())
    };
    let Some(role) = role else { return Err(Failed::broken(&"the program has no role that administers")) };
    let hashed = password::hash(form.get("password")).await?;
    let Some(link) = link::take(&app.desk, key, Purpose::SetUp).await? else { return Err(spent()) };
    let operator = Caller::engine(Actor::Operator);
    let made = async {
        let person = open(&app.desk, &operator, &login, name, &role, "").await?;
        credential::change(&app.desk, &person, |c| c.password = Some(hashed)).await?;
        Ok::<Person, Failed>(person)
    };
    match made.await {
        Ok(person) => enter(&app, &browser, &person, "/inbox", "the first set-up").await,
        Err(failed) => {
            link::put_back(&app.desk, key, &link).await?;
            Err(failed)
        }
    }
}

/// Held while somebody is added: no login is given twice.
static ADDING: Mutex<()> = Mutex::const_new(());

/// Opens the record of somebody new.
pub async fn open(
    desk: &Desk,
    caller: &Caller,
    login: &str,
    name: &str,
    role: &str,
    team: &str,
) -> Result<Person, Failed> {
    let _adding = ADDING.lock().await;
    if desk.read().people.get(login).is_some() {
        return Err(Refused::invalid("login", "somebody has this sign-in name").into());
    }
    let mut fields: Fields = [
        ("title".to_owned(), json!(name)),
        ("login".to_owned(), json!(login)),
        ("role".to_owned(), json!(role)),
    ]
    .into();
    if !team.is_empty() {
        fields.insert("team".to_owned(), json!(team));
    }
    desk.open_record(caller, PERSON, fields, Vec::new()).await?;
    let person = desk.read().people.get(login).cloned();
    person.ok_or_else(|| Failed::broken(&"a person was added and is not there"))
}

/// Why a login will not do.
pub fn login_problem(login: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let begins = login.starts_with(|c: char| c.is_ascii_lowercase());
    (!begins || login.len() > LOGIN || !login.chars().all(fits)).then(|| {
        format!(
            "Letters from a to z, digits, `.`, `_` and `-` are possible, a letter first, {LOGIN} at most."
        )
    })
}

/// Why a name will not do.
pub fn name_problem(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("A name is needed.".to_owned())
    } else if name.chars().count() > 200 || name.chars().any(char::is_control) {
        Some("One line of 200 characters at most is possible.".to_owned())
    } else {
        None
    }
}
