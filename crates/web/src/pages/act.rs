//! Doing something to one record: fields, transitions, comments, labels, links, undo.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::routing::post;
use serde_json::Value;
use wardroom_desk::{Command, Fields, RecordId, Refused};
use wardroom_service::Done;

use crate::App;
use crate::error::Failed;
use crate::form::{Form, back};
use crate::pages::record::cvss;
use crate::pages::said;
use crate::session::Viewer;

pub fn router() -> Router<App> {
    Router::new()
        .route("/records/{id}/move", post(take))
        .route("/records/{id}/set", post(set))
        .route("/records/{id}/cvss", post(score))
        .route("/records/{id}/comments", post(comment))
        .route("/records/{id}/labels", post(label))
        .route("/records/{id}/link", post(link))
        .route("/records/{id}/unlink", post(unlink))
        .route("/records/{id}/same", post(same))
        .route("/undo", post(undo))
}

/// The record that an address names.
pub fn id_of(text: &str) -> Result<RecordId, Failed> {
    text.parse().map_err(|_| Failed::nothing())
}

/// The version that a form was made from: an edit of an older one is refused, not lost.
fn seen(form: &Form) -> Option<u32> {
    form.get("version").parse().ok()
}

/// Fields of a form, sent as `field.NAME`; an empty one takes the value away.
pub fn fields(form: &Form) -> Fields {
    form.under("field.")
        .map(|(name, value)| {
            let value = if value.is_empty() { Value::Null } else { Value::String(value.to_owned()) };
            (name.to_owned(), value)
        })
        .collect()
}

async fn done(app: &App, viewer: &Viewer, form: &Form, done: &Done, text: &str) -> Result<Redirect, Failed> {
    let text = if done.batch.is_some() { text } else { "Nothing had to change." };
    said::leave(app, viewer, text, done.batch).await?;
    let here = format!("/records/{}", done.record.id);
    Ok(Redirect::to(&if form.has("back") { back(form.get("back")) } else { here }))
}

async fn take(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let id = id_of(&id)?;
    let command = Command::Move {
        transition: form.get("transition").to_owned(),
        fields: fields(&form).into_iter().filter(|(_, v)| !v.is_null()).collect(),
        because: form.get("because").to_owned(),
    };
    let result = app.desk.act(&viewer.caller, &id, seen(&form), command).await?;
    let state = {
        let shared = app.desk.read();
        let kind = shared.program.kind(&result.record.kind);
        kind.and_then(|k| k.state(&result.record.state))
            .map_or(result.record.state.clone(), |s| s.title.clone())
    };
    done(&app, &viewer, &form, &result, &format!("{id} is now in state {state}.")).await
}

async fn set(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let id = id_of(&id)?;
    let fields = fields(&form);
    let names: Vec<String> = fields.keys().map(|n| n.replace('_', " ")).collect();
    let command = Command::Set { fields, because: form.get("because").to_owned() };
    let result = app.desk.act(&viewer.caller, &id, seen(&form), command).await?;
    done(&app, &viewer, &form, &result, &format!("{id}: {} changed.", names.join(", "))).await
}

/// A vector as it was typed, or as the choices make it where nothing was typed.
async fn score(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let id = id_of(&id)?;
    let typed = form.get("vector").trim();
    let made = cvss::composed(form.get("of"), &|name| form.get(name).to_owned());
    let vector = if typed == form.get("was").trim() {
        made.unwrap_or_else(|| typed.to_owned())
    } else {
        typed.to_owned()
    };
    let value = if vector.is_empty() { Value::Null } else { Value::String(vector) };
    let command = Command::Set { fields: [("cvss".to_owned(), value)].into(), because: String::new() };
    let result = app.desk.act(&viewer.caller, &id, seen(&form), command).await?;
    let severity = result.record.text("severity").to_owned();
    done(&app, &viewer, &form, &result, &format!("{id}: its severity is {severity} now.")).await
}

async fn comment(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let id = id_of(&id)?;
    // A comment is added to whatever stands there by now: no version is asked for.
    let command = Command::Comment { text: form.get("text").to_owned() };
    let result = app.desk.act(&viewer.caller, &id, None, command).await?;
    said::leave(&app, &viewer, &format!("Your comment on {id} is kept."), None).await?;
    Ok(Redirect::to(&format!("/records/{}#timeline", result.record.id)))
}

async fn label(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let id = id_of(&id)?;
    let record = app.desk.record(&viewer.caller, &id).await?;
    let wanted: Vec<String> =
        form.get("labels").split(',').map(|l| l.trim().to_lowercase()).filter(|l| !l.is_empty()).collect();
    let command = Command::Label {
        remove: record.labels.iter().filter(|l| !wanted.contains(l)).cloned().collect(),
        add: wanted,
    };
    let result = app.desk.act(&viewer.caller, &id, seen(&form), command).await?;
    done(&app, &viewer, &form, &result, &format!("{id}: labels changed.")).await
}

fn tie(form: &Form) -> Result<(String, RecordId), Failed> {
    let to = form.get("to").trim();
    let to = to.parse().map_err(|e: wardroom_desk::NoId| Refused::invalid("to", e.to_string()))?;
    Ok((form.get("relation").to_owned(), to))
}

async fn link(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let id = id_of(&id)?;
    let (relation, to) = tie(&form)?;
    let result = app.desk.act(&viewer.caller, &id, None, Command::Link { relation, to: to.clone() }).await?;
    done(&app, &viewer, &form, &result, &format!("{id} is tied to {to}.")).await
}

async fn unlink(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let id = id_of(&id)?;
    let (relation, to) = tie(&form)?;
    let result =
        app.desk.act(&viewer.caller, &id, None, Command::Unlink { relation, to: to.clone() }).await?;
    done(&app, &viewer, &form, &result, &format!("{id} is no longer tied to {to}.")).await
}

/// A person answers whether a finding that came is one that went in new words.
async fn same(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    form: Form,
) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let id = id_of(&id)?;
    let other = id_of(form.get("to"))?;
    let yes = form.get("answer") == "yes";
    let result = app.desk.same(&viewer.caller, &id, &other, yes).await?;
    let text = if yes {
        format!("{other} goes on; {id} is its duplicate.")
    } else {
        format!("{id} and {other} are two.")
    };
    done(&app, &viewer, &form, &result, &text).await
}

async fn undo(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let batch: u64 = form.get("batch").parse().map_err(|_| Failed::bad("What should be undone?"))?;
    let result = app.desk.undo(&viewer.caller, batch).await?;
    let mut text = match result.changed {
        0 => "Nothing was undone.".to_owned(),
        1 => "Undone.".to_owned(),
        n => format!("Undone on {n} records."),
    };
    if let Some((id, why)) = result.refused.first() {
        let more = result.refused.len() - 1;
        text.push_str(&format!(" {id} stays: {why}"));
        text.push_str(&if more > 0 { format!(", and {more} more.") } else { ".".to_owned() });
    }
    said::leave(&app, &viewer, &text, None).await?;
    Ok(Redirect::to(&back(form.get("back"))))
}
