//! Doing the same to many records: those selected, or all that a search finds.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::post;
use serde_json::Value;
use wardroom_desk::query::Query;
use wardroom_desk::{Command, RecordId, Refused};
use wardroom_service::{Error, JobState, ManyDone, Progress};

use crate::App;
use crate::error::Failed;
use crate::form::{Form, back};
use crate::pages::act::fields;
use crate::pages::record::Input;
use crate::pages::said;
use crate::session::Viewer;
use crate::view::{Frame, number};

/// With more, it becomes a job that can be watched and stopped.
const AT_ONCE: usize = 500;

pub fn router() -> Router<App> {
    Router::new().route("/bulk", post(bulk))
}

#[derive(Template)]
#[template(path = "bulk.html")]
struct Confirm {
    frame: Frame,
    title: String,
    help: String,
    count: String,
    ids: Vec<String>,
    all: Option<String>,
    transition: String,
    inputs: Vec<Input>,
    needs_reason: bool,
    back: String,
    problem: String,
}

async fn bulk(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Response, Failed> {
    viewer.check(form.get("csrf"))?;
    let nos = chosen(&app, &viewer, &form)?;
    if nos.is_empty() {
        return Err(Refused::invalid("id", "nothing is selected: choose rows first").into());
    }
    let (command, verb) = match command(&app, &form) {
        Ok(ready) => ready,
        Err(Some(needs)) => return confirm(&app, &viewer, &form, nos.len(), &needs).await,
        Err(None) => return Err(Failed::bad("Nothing was chosen to do with them.")),
    };
    let to = back(form.get("back"));
    if nos.len() > AT_ONCE {
        let title = format!("{verb} {} records", number(nos.len() as u64));
        let job = app.desk.jobs.start(&viewer.person.login, &title, app.desk.now());
        let (id, progress) = (job.id, job.progress);
        let caller = viewer.caller.clone();
        let runs = app.clone();
        tokio::spawn(async move {
            let (state, batch) = match runs.desk.act_on_many(&caller, &nos, &command, &progress).await {
                Ok(done) if progress.cancelled() => (JobState::Cancelled(told(&done)), done.batch),
                Ok(done) => (JobState::Done(told(&done)), done.batch),
                Err(Error::Cancelled) => (JobState::Cancelled("Nothing was changed.".to_owned()), None),
                Err(Error::Refused(refused)) => (JobState::Failed(refused.to_string()), None),
                Err(error) => {
                    tracing::error!(%error, "a job failed");
                    (
                        JobState::Failed(
                            "The store could not be written; the log has the reason.".to_owned(),
                        ),
                        None,
                    )
                }
            };
            runs.desk.jobs.end(id, state, batch);
        });
        return Ok(Redirect::to(&format!("/jobs/{id}")).into_response());
    }
    let done = app.desk.act_on_many(&viewer.caller, &nos, &command, &Progress::default()).await?;
    said::leave(&app, &viewer, &told(&done), done.batch).await?;
    Ok(Redirect::to(&to).into_response())
}

/// The records that a form names: by its search, or one by one.
fn chosen(app: &App, viewer: &Viewer, form: &Form) -> Result<Vec<u32>, Failed> {
    if form.has("all") {
        let (query, problems) = Query::parse(form.get("all"));
        if query.is_empty() || problems.iter().any(|p| !p.warning) {
            return Err(Refused::invalid("all", "the search cannot be read, so nothing is done").into());
        }
        return Ok(app.desk.read().index.find(&query, &viewer.eyes(), app.desk.now()).iter().collect());
    }
    let ids: Result<Vec<RecordId>, _> = form.all("id").map(str::parse).collect();
    let ids = ids.map_err(|e| Refused::invalid("id", e.to_string()))?;
    Ok(ids.into_iter().map(|id| id.no).collect())
}

/// A transition that wants more to be said.
struct Needs {
    title: String,
    help: String,
    transition: String,
    inputs: Vec<Input>,
    needs_reason: bool,
}

/// What a form wants done, with the verb for it; what else has to be said, or nothing at all.
fn command(app: &App, form: &Form) -> Result<(Command, String), Option<Needs>> {
    if form.has("move") {
        let name = form.get("move");
        let program = app.desk.program();
        let found = program.kinds.values().find_map(|k| Some((k, k.transition(name)?)));
        let Some((kind, transition)) = found else { return Err(None) };
        if (transition.needs_reason || !transition.needs.is_empty()) && !form.has("ready") {
            let inputs = transition.needs.iter().filter_map(|n| kind.field(n));
            return Err(Some(Needs {
                title: transition.title.clone(),
                help: transition.help.clone(),
                transition: transition.name.clone(),
                inputs: inputs.map(|f| Input::of(app, f, None, true)).collect(),
                needs_reason: transition.needs_reason,
            }));
        }
        let command = Command::Move {
            transition: name.to_owned(),
            fields: fields(form).into_iter().filter(|(_, v)| !v.is_null()).collect(),
            because: form.get("because").to_owned(),
        };
        return Ok((command, transition.title.clone()));
    }
    if form.has("label") {
        let labels = form.get("labels").split(',').map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
        return Ok((Command::Label { add: labels.collect(), remove: Vec::new() }, "Label".to_owned()));
    }
    if form.has("owner") {
        let owner = form.get("owner");
        let value = if owner.is_empty() { Value::Null } else { Value::String(owner.to_owned()) };
        let command = Command::Set { fields: [("owner".to_owned(), value)].into(), because: String::new() };
        return Ok((command, "Assign".to_owned()));
    }
    Err(None)
}

async fn confirm(
    app: &App,
    viewer: &Viewer,
    form: &Form,
    count: usize,
    needs: &Needs,
) -> Result<Response, Failed> {
    let frame = Frame::of(app, viewer, &needs.title, "/bulk").await;
    let page = Confirm {
        frame,
        title: needs.title.clone(),
        help: needs.help.clone(),
        count: if count == 1 { "one record".to_owned() } else { format!("{} records", number(count as u64)) },
        ids: if form.has("all") { Vec::new() } else { form.all("id").map(str::to_owned).collect() },
        all: form.has("all").then(|| form.get("all").to_owned()),
        transition: needs.transition.clone(),
        inputs: needs.inputs.clone(),
        needs_reason: needs.needs_reason,
        back: back(form.get("back")),
        problem: String::new(),
    };
    Ok(Html(page.render()?).into_response())
}

/// What was done, in words.
fn told(done: &ManyDone) -> String {
    let records =
        |n: usize| if n == 1 { "1 record".to_owned() } else { format!("{} records", number(n as u64)) };
    let mut text = match done.changed {
        0 => "Nothing was changed.".to_owned(),
        n => format!("{} changed.", records(n)),
    };
    if done.same > 0 {
        text.push_str(&format!(" {} already so.", records(done.same)));
    }
    if let Some((id, why)) = done.refused.first() {
        text.push_str(&format!(" {} could not be changed; {id}: {why}.", records(done.refused.len())));
    }
    text
}
