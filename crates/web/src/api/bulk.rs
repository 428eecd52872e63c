//! The same for many records, taking back, and the jobs that long work becomes.

use std::collections::BTreeSet;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use wardroom_desk::{Command, RecordId, Refused};
use wardroom_service::{Error, JobState, ManyDone, Progress};

use super::caller::ApiCaller;
use super::input::{Json, Path};
use super::problem::{Problem, Told};
use super::records::{command, given};
use super::shapes::{Bulk, BulkDone, Job, RefusedOne, moment};
use super::show::{Sight, refers};
use super::{IdempotencyKey, search};
use crate::App;

/// With more, it becomes a job.
const AT_ONCE: usize = 500;

/// Change many records
///
/// Those that a search finds, or those that are named. What is refused on one does not stop the
/// others. More than 500 become a job.
#[utoipa::path(
    post, path = "/bulk", tag = "Records", operation_id = "commandRecords", params(IdempotencyKey),
    request_body(content = Bulk, examples(
        ("by search" = (summary = "All that a search finds", value = json!({"query": "is:open rule:open-redirect", "command": {"do": "label", "add": ["redirects"]}}))),
        ("by name" = (summary = "Some records", value = json!({"ids": ["F-3", "F-4"], "command": {"do": "set", "fields": {"severity": "low"}, "because": "Behind the VPN."}}))),
    )),
    responses(
        (status = 200, description = "It was done.", body = BulkDone),
        (status = 202, description = "It became a job; `Location` leads to it.", body = Job,
            headers(("Location" = String, description = "The job."))),
        (status = 422, description = "The search or the command cannot be read.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn bulk(
    State(app): State<App>,
    caller: ApiCaller,
    Json(asked): Json<Bulk>,
) -> Result<Response, Problem> {
    let sight = Sight::of(&app, &caller);
    let command = command(&sight, asked.command)?;
    if let Some(fields) = given(&command) {
        let program = app.desk.program();
        for kind in program.kinds.keys() {
            refers(&program, &sight, kind, fields)?;
        }
    }
    let (nos, missing) = match (asked.query, asked.ids) {
        (Some(text), None) => (found(&app, &caller, &text)?, Vec::new()),
        (None, Some(ids)) => named(&app, &sight, &ids)?,
        _ => return Err(Problem::invalid("query", "either `query` or `ids` is needed, not both")),
    };
    if nos.len() > AT_ONCE {
        return later(&app, caller, nos, command);
    }
    let mut done = app.desk.act_on_many(&caller.caller, &nos, &command, &Progress::default()).await?;
    done.refused.extend(missing.into_iter().map(|id| {
        let reason = format!("there is no record {id}");
        (id, reason)
    }));
    Ok(Answer(shown(&sight, done)).into_response())
}

fn found(app: &App, caller: &ApiCaller, text: &str) -> Result<Vec<u32>, Problem> {
    let (query, _) = search::read(app, "query", text)?;
    if query.is_empty() {
        return Err(Problem::invalid("query", "an empty search finds everything: say what is meant"));
    }
    Ok(app.desk.read().index.find(&query, &caller.eyes(), app.desk.now()).iter().collect())
}

/// The numbers of records that are there for the caller, and the names of those that are not.
fn named(app: &App, sight: &Sight, ids: &[String]) -> Result<(Vec<u32>, Vec<RecordId>), Problem> {
    let (mut nos, mut missing) = (Vec::new(), Vec::new());
    let mut met = BTreeSet::new();
    let shared = app.desk.read();
    for (at, text) in ids.iter().enumerate() {
        let id: RecordId = text
            .parse()
            .map_err(|e: wardroom_desk::NoId| Problem::invalid(format!("ids[{at}]"), e.to_string()))?;
        if !met.insert(id.clone()) {
            continue;
        }
        if sight.may(id.no) && shared.index.id(id.no).as_ref() == Some(&id) {
            nos.push(id.no);
        } else {
            missing.push(id);
        }
    }
    if met.is_empty() {
        return Err(Problem::invalid("ids", "no record is named"));
    }
    Ok((nos, missing))
}

fn later(app: &App, caller: ApiCaller, nos: Vec<u32>, command: Command) -> Result<Response, Problem> {
    let title = format!("Change {} records", nos.len());
    let job = app.desk.jobs.start(&caller.owner(), &title, app.desk.now());
    let (id, progress) = (job.id, job.progress.clone());
    progress.total(nos.len() as u64);
    let runs = app.clone();
    tokio::spawn(async move {
        let (state, batch) = match runs.desk.act_on_many(&caller.caller, &nos, &command, &progress).await {
            Ok(done) if progress.cancelled() => (JobState::Cancelled(told(&done)), done.batch),
            Ok(done) => (JobState::Done(told(&done)), done.batch),
            Err(Error::Cancelled) => (JobState::Cancelled("Nothing was changed.".to_owned()), None),
            Err(Error::Refused(refused)) => (JobState::Failed(refused.to_string()), None),
            Err(Error::Store(error)) => {
                tracing::error!(%error, "a job failed");
                (JobState::Failed("The store could not be written; the log has the reason.".to_owned()), None)
            }
        };
        runs.desk.jobs.end(id, state, batch);
    });
    let job = job_of(&job);
    let address = HeaderValue::try_from(job.href.clone()).map_err(|e| Problem::broken(&e))?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, address)], Answer(job)).into_response())
}

fn told(done: &ManyDone) -> String {
    format!(
        "{} changed, {} were so already, {} could not be changed.",
        done.changed,
        done.same,
        done.refused.len()
    )
}

fn shown(sight: &Sight, done: ManyDone) -> BulkDone {
    let ManyDone { changed, same, refused, batch } = done;
    let refused = refused.into_iter().filter(|(id, reason)| {
        // Of what is not there for the caller, only what they named themselves is told.
        sight.may(id.no) || reason.starts_with("there is no record")
    });
    let refused = refused.map(|(id, reason)| RefusedOne { record: id.to_string(), reason }).collect();
    BulkDone { changed, same, refused, batch }
}

/// Take back what was done in one go
///
/// As new events: nothing is removed from the log. Records that have changed since stay as they are.
#[utoipa::path(
    post, path = "/undo/{batch}", tag = "Records", operation_id = "undo",
    params(("batch" = u64, Path, description = "From the answer to what was done.", example = 12), IdempotencyKey),
    responses(
        (status = 200, description = "It was taken back, as far as possible.", body = BulkDone),
        (status = 403, description = "Somebody else did it.", body = Told, content_type = "application/problem+json"),
        (status = 409, description = "There is nothing to undo.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn undo(
    State(app): State<App>,
    caller: ApiCaller,
    Path(batch): Path<u64>,
) -> Result<Answer<BulkDone>, Problem> {
    let sight = Sight::of(&app, &caller);
    let nothing = || Refused::NotNow("there is nothing to undo".to_owned());
    let batch = i64::try_from(batch).map_err(|_| nothing())?.unsigned_abs();
    let events = app.desk.store().batch(batch).await?;
    if events.iter().any(|e| !sight.may(e.record.no)) {
        return Err(nothing().into());
    }
    // Who may no longer change records takes nothing back either.
    if !caller.caller.role.edit && !caller.caller.role.comment {
        let why = format!("your role ({}) may not change records", caller.caller.role.title);
        return Err(Refused::NotAllowed(why).into());
    }
    Ok(Answer(shown(&sight, app.desk.undo(&caller.caller, batch).await?)))
}

fn job_of(job: &wardroom_service::Job) -> Job {
    let (done, total) = job.progress.figures();
    let (state, says) = match &job.state {
        JobState::Running => ("running", None),
        JobState::Done(says) => ("done", Some(says)),
        JobState::Failed(says) => ("failed", Some(says)),
        JobState::Cancelled(says) => ("cancelled", Some(says)),
    };
    Job {
        id: job.id,
        title: job.title.clone(),
        state,
        says: says.cloned(),
        done,
        total,
        started: moment(job.started),
        batch: job.batch,
        href: format!("/api/v1/jobs/{}", job.id),
    }
}

/// A job of the caller's own.
fn own(app: &App, caller: &ApiCaller, id: u64) -> Result<wardroom_service::Job, Problem> {
    let job = app.desk.jobs.get(id).filter(|j| j.owner == caller.owner() || caller.caller.role.admin);
    job.ok_or_else(Problem::nothing)
}

/// Look how far a job is
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "Jobs", operation_id = "getJob",
    params(("id" = u64, Path, description = "Its number.", example = 1)),
    responses(
        (status = 200, description = "How it stands.", body = Job),
        (status = 404, description = "There is none of yours.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn job(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<u64>,
) -> Result<Answer<Job>, Problem> {
    Ok(Answer(job_of(&own(&app, &caller, id)?)))
}

/// Stop a job
///
/// It stops at the next whole step; what was done until then stays, and can be undone.
#[utoipa::path(
    post, path = "/jobs/{id}/cancel", tag = "Jobs", operation_id = "cancelJob",
    params(("id" = u64, Path, description = "Its number.", example = 1), IdempotencyKey),
    responses(
        (status = 202, description = "It will stop.", body = Job),
        (status = 404, description = "There is none of yours.", body = Told, content_type = "application/problem+json"),
        (status = 409, description = "It has ended.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn cancel(
    State(app): State<App>,
    caller: ApiCaller,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let job = own(&app, &caller, id)?;
    if job.state != JobState::Running {
        return Err(Refused::NotNow("the job has ended".to_owned()).into());
    }
    job.progress.cancel();
    Ok((StatusCode::ACCEPTED, Answer(job_of(&job))).into_response())
}
