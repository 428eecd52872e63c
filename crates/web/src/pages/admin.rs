//! Administration: how the store is, and the way to the other parts.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use wardroom_store::ledger;

use crate::App;
use crate::error::Failed;
use crate::pages::account::When;
use crate::session::Viewer;
use crate::view::{Frame, number, title};

pub fn router() -> Router<App> {
    Router::new().route("/admin", get(health))
}

/// Only administrators get further.
pub fn only(viewer: &Viewer) -> Result<(), Failed> {
    if viewer.caller.role.admin {
        return Ok(());
    }
    Err(Failed::not_allowed(&format!(
        "administration takes an administrator; your role is {}",
        viewer.caller.role.title
    )))
}

/// A name and a value.
struct Figure {
    name: String,
    value: String,
}

#[derive(Template)]
#[template(path = "admin.html")]
struct HealthPage {
    frame: Frame,
    events: String,
    records: String,
    disk: String,
    memory: String,
    more: Vec<Figure>,
    head: u64,
    signed: Option<(String, String, When)>,
    public_key: String,
    check: String,
}

async fn health(State(app): State<App>, viewer: Viewer) -> Result<Html<String>, Failed> {
    only(&viewer)?;
    let figures = app.desk.store().figures().await?;
    let figure = |name: &str| figures.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
    let count = |name: &str| figure(name).parse::<u64>().map_or_else(|_| figure(name).to_owned(), number);
    let head = app.desk.store().head().await?;
    let now = app.desk.now();
    // An empty log has none.
    let checkpoint = ledger::newest(&**app.desk.store()).await.ok();
    let memory: usize = app.desk.read().index.memory().iter().map(|(_, bytes)| bytes).sum();
    let known = ["bytes on disk", "events", "records", "public key"];
    let page = HealthPage {
        frame: Frame::of(&app, &viewer, "Administration", "/admin").await,
        events: count("events"),
        records: count("records"),
        disk: figure("bytes on disk").parse().map_or_else(|_| "unknown".to_owned(), size),
        memory: size(memory as u64),
        more: figures
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, value)| Figure { name: title(name), value: value.clone() })
            .collect(),
        head: head.seq,
        signed: checkpoint.map(|c| (number(c.size), c.root, When::past(c.at, now))),
        public_key: crate::random::hex(&app.public_key),
        check: audit_command().to_owned(),
    };
    Ok(Html(page.render()?))
}

/// How the log is checked. A server that was broken into could say anything of its own log, so the
/// check that counts is made elsewhere, with a public key that was kept elsewhere.
fn audit_command() -> &'static str {
    "wardroom audit verify"
}

/// Bytes in words.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
