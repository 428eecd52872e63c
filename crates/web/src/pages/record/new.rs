//! Opening a record by hand.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Query as Parameters, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use wardroom_desk::Refused;
use wardroom_program::Kind;
use wardroom_service::Error;

use crate::App;
use crate::error::Failed;
use crate::form::Form;
use crate::pages::act::fields;
use crate::pages::record::Input;
use crate::pages::said;
use crate::session::Viewer;
use crate::view::Frame;

pub fn router() -> Router<App> {
    Router::new().route("/records/new", get(page).post(open))
}

#[derive(Template)]
#[template(path = "new.html")]
struct NewPage {
    frame: Frame,
    kinds: Vec<(String, String, String, bool)>,
    kind: String,
    title: String,
    summary: String,
    inputs: Vec<Input>,
    problem: String,
}

async fn page(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(asked): Parameters<HashMap<String, String>>,
) -> Result<Response, Failed> {
    show(&app, &viewer, asked.get("kind").map_or("", String::as_str), &Form::default(), None).await
}

/// The kinds that somebody may open by hand; people come by invitation.
fn openable(app: &App, viewer: &Viewer) -> Vec<Kind> {
    let program = app.desk.program();
    let may = |k: &&Kind| k.opened_by.contains(&viewer.caller.role.name) && k.name != wardroom_desk::PERSON;
    program.kinds.values().filter(may).cloned().collect()
}

async fn show(
    app: &App,
    viewer: &Viewer,
    wanted: &str,
    form: &Form,
    problem: Option<Refused>,
) -> Result<Response, Failed> {
    let kinds = openable(app, viewer);
    let kind = kinds.iter().find(|k| k.name == wanted).or_else(|| kinds.first());
    let Some(kind) = kind else {
        return Err(Failed::not_allowed(&format!(
            "your role ({}) may not open records by hand",
            viewer.caller.role.title
        )));
    };
    let inputs = kind
        .fields
        .iter()
        .filter(|f| !f.engine)
        .map(|f| {
            let typed = form.get(&format!("field.{}", f.name));
            let value = (!typed.is_empty()).then(|| serde_json::json!(typed));
            Input::of(app, f, value.as_ref(), f.required)
        })
        .collect();
    let page = NewPage {
        frame: Frame::of(app, viewer, &format!("New {}", kind.title.to_lowercase()), "/records/new").await,
        kinds: kinds
            .iter()
            .map(|k| (k.name.clone(), k.title.clone(), k.summary.clone(), k.name == kind.name))
            .collect(),
        kind: kind.name.clone(),
        title: kind.title.to_lowercase(),
        summary: kind.summary.clone(),
        inputs,
        problem: problem.as_ref().map_or(String::new(), ToString::to_string),
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Html(page.render()?)).into_response())
}

async fn open(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Response, Failed> {
    viewer.check(form.get("csrf"))?;
    let kind = form.get("kind");
    if !openable(&app, &viewer).iter().any(|k| k.name == kind) {
        return Err(Failed::not_allowed("records of this kind are not opened here"));
    }
    let fields = fields(&form).into_iter().filter(|(_, v)| !v.is_null()).collect();
    match app.desk.open_record(&viewer.caller, kind, fields, Vec::new()).await {
        Ok(done) => {
            said::leave(&app, &viewer, &format!("{} is open.", done.record.id), None).await?;
            Ok(Redirect::to(&format!("/records/{}", done.record.id)).into_response())
        }
        // What was typed stays, with what is wrong about it.
        Err(Error::Refused(refused @ Refused::Invalid { .. })) => {
            show(&app, &viewer, kind, &form, Some(refused)).await
        }
        Err(error) => Err(error.into()),
    }
}
