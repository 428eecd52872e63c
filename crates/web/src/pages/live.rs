//! Changes as they happen, for pages that are open: server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::routing::get;
use serde_json::json;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

use crate::App;
use crate::error::Failed;
use crate::session::{Viewer, of_key};

pub fn router() -> Router<App> {
    Router::new().route("/live", get(live))
}

async fn live(
    State(app): State<App>,
    viewer: Viewer,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failed> {
    let notices = BroadcastStream::new(app.desk.listen());
    // Who they are is asked each time: a page may stay open after a session has ended or a role was
    // taken away.
    let asked = notices.then(move |notice| {
        let (app, key) = (app.clone(), viewer.key.clone());
        async move { (of_key(&app, key).await.ok().flatten(), notice) }
    });
    let told = asked.map_while(|(viewer, notice)| Some((viewer?.caller.role.confidential, notice)));
    let events = told.filter_map(|(sees, notice)| {
        // Who fell behind is told that something changed, not what.
        let body = match notice {
            Ok(notice) if notice.confidential && !sees => return None,
            Ok(notice) => json!({"records": *notice.records, "at": notice.seq}),
            Err(_) => json!({"records": [], "at": 0}),
        };
        Some(Ok(Event::default().data(body.to_string())))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))))
}
