//! Saved views: a search with a name, one's own or one's team's.

use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::post;
use serde_json::json;
use wardroom_desk::{Refused, query::Query};
use wardroom_store::Document;

use crate::App;
use crate::error::{Failed, url_encode};
use crate::form::{Form, back};
use crate::pages::{count, said};
use crate::random;
use crate::session::Viewer;
use crate::view::SavedView;

/// The collection of saved views in the store.
const VIEW: &str = "view";
/// Most views of one person.
const MOST: usize = 50;

pub fn router() -> Router<App> {
    Router::new().route("/views", post(save)).route("/views/remove", post(remove))
}

/// The views in somebody's menu: their own, and their team's.
pub async fn for_menu(app: &App, viewer: &Viewer) -> Vec<SavedView> {
    let store = app.desk.store();
    // A menu without them is better than no page.
    let of = async |owner: Option<String>| match owner {
        Some(owner) => store.list(VIEW, Some(&owner), app.desk.now()).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let mut owners = owners(viewer).into_iter();
    let (mut found, team) = tokio::join!(of(owners.next()), of(owners.next()));
    found.extend(team);
    found
        .into_iter()
        .filter_map(|d| {
            let (name, search) = (d.body.get("name")?.as_str()?, d.body.get("search")?.as_str()?);
            Some(SavedView {
                href: format!("/queue?q={}", url_encode(search)),
                name: name.to_owned(),
                search: search.to_owned(),
                count: count(app, viewer, search),
                late: search.contains("late:"),
            })
        })
        .collect()
}

fn owners(viewer: &Viewer) -> Vec<String> {
    let mut owners = vec![format!("person:{}", viewer.person.login)];
    owners.extend(viewer.person.team.as_ref().map(|t| format!("team:{t}")));
    owners
}

async fn save(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let name: String = form.get("name").trim().chars().filter(|c| !c.is_control()).take(60).collect();
    if name.is_empty() {
        return Err(Refused::invalid("name", "a view needs a name").into());
    }
    let (query, _) = Query::parse(form.get("search"));
    let owner = match &viewer.person.team {
        Some(team) if form.has("team") => format!("team:{team}"),
        _ => format!("person:{}", viewer.person.login),
    };
    let now = app.desk.now();
    if app.desk.store().list(VIEW, Some(&owner), now).await?.len() >= MOST {
        return Err(Refused::NotNow(format!("there are {MOST} views already: remove one first")).into());
    }
    let document = Document {
        collection: VIEW.to_owned(),
        key: random::hex(&random::bytes::<16>()),
        owner: Some(owner),
        body: json!({"name": name, "search": query.to_string()}),
        expires: None,
    };
    app.desk.store().put(&document).await?;
    said::leave(&app, &viewer, &format!("The view “{name}” is saved."), None).await?;
    Ok(Redirect::to(&back(form.get("back"))))
}

async fn remove(State(app): State<App>, viewer: Viewer, form: Form) -> Result<Redirect, Failed> {
    viewer.check(form.get("csrf"))?;
    let now = app.desk.now();
    for owner in owners(&viewer) {
        for document in app.desk.store().list(VIEW, Some(&owner), now).await? {
            if document.body.get("search").and_then(|s| s.as_str()) == Some(form.get("search")) {
                app.desk.store().remove(VIEW, &document.key).await?;
            }
        }
    }
    said::leave(&app, &viewer, "The view is removed.", None).await?;
    Ok(Redirect::to(&back(form.get("back"))))
}
