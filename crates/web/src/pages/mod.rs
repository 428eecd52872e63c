//! The pages, one file each: what is asked, what is shown, what is done.

mod account;
mod act;
mod admin;
mod admin_people;
mod admin_tokens;
mod board;
mod bulk;
mod export;
mod files;
#[cfg(test)]
mod fixture;
mod inbox;
mod jobs;
mod join;
mod list;
mod live;
mod metrics;
mod offers;
mod program;
mod queue;
mod record;
mod rules;
pub mod said;
mod setup;
mod sign_in;
mod surface;
pub mod views;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use wardroom_desk::query::Query;

use crate::App;
use crate::session::Viewer;

pub use join::{recovery_link, signed_in_link};
pub use setup::setup_link;

/// Every page.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/inbox") }))
        .merge(account::router())
        .merge(act::router())
        .merge(admin::router())
        .merge(admin_people::router())
        .merge(admin_tokens::router())
        .merge(board::router())
        .merge(bulk::router())
        .merge(export::router())
        .merge(files::router())
        .merge(inbox::router())
        .merge(jobs::router())
        .merge(join::router())
        .merge(live::router())
        .merge(metrics::router())
        .merge(offers::router())
        .merge(program::router())
        .merge(queue::router())
        .merge(record::router())
        .merge(rules::router())
        .merge(setup::router())
        .merge(sign_in::router())
        .merge(surface::router())
        .merge(views::router())
}

/// How many a search finds.
pub fn count(app: &App, viewer: &Viewer, search: &str) -> u64 {
    let (query, _) = Query::parse(search);
    app.desk.read().index.find(&query, &viewer.eyes(), app.desk.now()).len()
}

/// For the menu: what waits in the inbox, what is open, and whether records can be opened by hand.
pub fn counts(app: &App, viewer: &Viewer) -> (u64, u64, bool) {
    let may_open = {
        let shared = app.desk.read();
        shared.program.kinds.values().any(|k| k.opened_by.contains(&viewer.caller.role.name))
    };
    (count(app, viewer, inbox::WAITING), count(app, viewer, queue::OPEN), may_open)
}
