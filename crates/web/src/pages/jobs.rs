//! Long work: how far it is, what came of it, and a way to stop it or take it back.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use wardroom_service::{Job, JobState};

use crate::App;
use crate::error::Failed;
use crate::form::Form;
use crate::pages::account::When;
use crate::pages::said;
use crate::session::Viewer;
use crate::view::{Frame, number};

/// How often a page of running work loads itself again, in seconds.
const AGAIN: &str = "3";

pub fn router() -> Router<App> {
    Router::new()
        .route("/jobs", get(list))
        .route("/jobs/{id}", get(one))
        .route("/jobs/{id}/cancel", post(cancel))
}

/// Whose work it is, and administrators, know of it.
fn theirs(viewer: &Viewer, job: &Job) -> bool {
    viewer.caller.role.admin || job.owner == viewer.person.login
}

fn job(app: &App, viewer: &Viewer, id: &str) -> Result<Job, Failed> {
    let job = id.parse().ok().and_then(|id| app.desk.jobs.get(id));
    job.filter(|j| theirs(viewer, j)).ok_or_else(Failed::nothing)
}

/// A job as pages show it.
struct Shown {
    id: u64,
    title: String,
    owner: String,
    started: When,
    state: &'static str,
    class: &'static str,
    running: bool,
    text: String,
    done: u64,
    total: u64,
    percent: u64,
    figures: String,
    batch: Option<u64>,
}

impl Shown {
    fn of(job: Job, now: i64) -> Shown {
        let (done, total) = job.progress.figures();
        let done = done.min(total);
        let (state, class, text) = match job.state {
            JobState::Running if job.progress.cancelled() => ("Stopping", "work", String::new()),
            JobState::Running => ("Running", "work", String::new()),
            JobState::Done(text) => ("Done", "done", text),
            JobState::Failed(text) => ("Failed", "dropped", text),
            JobState::Cancelled(text) => ("Stopped", "dropped", text),
        };
        Shown {
            id: job.id,
            title: job.title,
            owner: job.owner,
            started: When::past(job.started, now),
            state,
            class,
            running: class == "work",
            text,
            done,
            total,
            percent: (done * 100).checked_div(total).unwrap_or(0),
            figures: if total == 0 {
                String::new()
            } else {
                format!("{} of {}", number(done), number(total))
            },
            batch: job.batch,
        }
    }
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    frame: Frame,
    admin: bool,
    jobs: Vec<Shown>,
}

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    frame: Frame,
    job: Shown,
}

async fn list(State(app): State<App>, viewer: Viewer) -> Result<Html<String>, Failed> {
    let now = app.desk.now();
    let jobs = app.desk.jobs.all();
    let page = JobsPage {
        frame: Frame::of(&app, &viewer, "Jobs", "/jobs").await,
        admin: viewer.caller.role.admin,
        jobs: jobs.into_iter().filter(|j| theirs(&viewer, j)).map(|j| Shown::of(j, now)).collect(),
    };
    Ok(Html(page.render()?))
}

async fn one(State(app): State<App>, Path(id): Path<String>, viewer: Viewer) -> Result<Response, Failed> {
    let job = job(&app, &viewer, &id)?;
    let here = format!("/jobs/{}", job.id);
    let frame = Frame::of(&app, &viewer, &job.title, &here).await;
    let page = JobPage { frame, job: Shown::of(job, app.desk.now()) };
    let running = page.job.running;
    let mut response = Html(page.render()?).into_response();
    if running {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static(AGAIN));
    }
    Ok(response)
}

async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let job = job(&app, &viewer, &id)?;
    let text = if job.state == JobState::Running {
        job.progress.cancel();
        "It stops after the step that it is at."
    } else {
        "It had ended already."
    };
    said::leave(&app, &viewer, text, None).await?;
    Ok(Redirect::to(&format!("/jobs/{}", job.id)))
}
