//! To be filled.

use axum::Router;

use crate::App;

pub fn router() -> Router<App> {
    Router::new()
}

/// The link of the first set-up; none where somebody has an account already.
pub async fn setup_link(
    _desk: &wardroom_service::Desk,
    _origin: &crate::Origin,
) -> Result<Option<String>, wardroom_service::Error> {
    Ok(None)
}
