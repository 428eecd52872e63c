//! What the next page says of what was just done: it waits in the session for one page.

use crate::App;
use crate::error::Failed;
use crate::session::{Viewer, keep};
use crate::view::Said;

/// Leaves words for the next page, with what can be undone.
pub async fn leave(app: &App, viewer: &Viewer, text: &str, undo: Option<u64>) -> Result<(), Failed> {
    let mut session = viewer.session.clone();
    session.said = Some(text.to_owned());
    session.undo = undo;
    keep(app, &viewer.key, &session).await
}

/// Takes them.
pub async fn take(app: &App, viewer: &Viewer) -> Option<Said> {
    let text = viewer.session.said.clone()?;
    let mut session = viewer.session.clone();
    session.said = None;
    if let Err(error) = keep(app, &viewer.key, &session).await {
        tracing::warn!(?error, "a message could not be taken back");
    }
    Some(Said { text, undo: viewer.session.undo })
}
