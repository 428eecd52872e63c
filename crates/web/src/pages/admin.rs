//! Administration: how the store is, and the way to the other parts.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use wardroom_service::{JobState, Progress};
use wardroom_store::audit::{Trust, verify};
use wardroom_store::ledger;

use crate::App;
use crate::error::Failed;
use crate::form::Form;
use crate::pages::account::When;
use crate::session::Viewer;
use crate::view::{Frame, number, title};

pub fn router() -> Router<App> {
    Router::new().route("/admin", get(health)).route("/admin/audit", post(audit))
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

/// Goes through the whole log as a job: every event, the tree, every checkpoint and every record.
async fn audit(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    only(&viewer)?;
    let key =
        app.public_key.clone().try_into().map_err(|_| Failed::broken(&"the public key has not 32 bytes"))?;
    let job = app.desk.jobs.start(&viewer.person.login, "Audit of the log", app.desk.now());
    let (id, progress) = (job.id, job.progress);
    let app = app.clone();
    tokio::spawn(async move {
        let mut told = |p: wardroom_store::Progress| progress.at(p.done, p.of);
        let store = app.desk.store();
        let trust = Trust::key(key);
        let verified = tokio::select! {
            verified = verify(&**store, &trust, true, &mut told) => Some(verified),
            () = stopped(&progress) => None,
        };
        let state = match verified {
            None => JobState::Cancelled("It was stopped before the end; nothing can be said.".to_owned()),
            Some(Err(error)) => {
                tracing::error!(%error, "an audit broke off");
                JobState::Failed(
                    "The log could not be read to its end; the server's log has the reason.".to_owned(),
                )
            }
            Some(Ok(report)) if report.is_clean() => JobState::Done(format!(
                "{} events and {} records: nothing was changed, removed or inserted.",
                number(report.events),
                number(u64::from(report.records))
            )),
            Some(Ok(report)) => {
                let named: Vec<String> = report.problems.iter().take(20).map(ToString::to_string).collect();
                JobState::Failed(named.join("; "))
            }
        };
        app.desk.jobs.end(id, state, None);
    });
    Ok(Redirect::to(&format!("/jobs/{id}")))
}

/// Ends when somebody wants the work stopped.
async fn stopped(progress: &Progress) {
    while !progress.cancelled() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
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
