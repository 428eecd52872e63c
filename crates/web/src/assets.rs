//! Styles, script and icon: built in, named by what they hold, kept by browsers for a year.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

use crate::App;

struct Asset {
    name: &'static str,
    media: &'static str,
    text: &'static str,
}

static ASSETS: [Asset; 3] = [
    Asset {
        name: "wardroom.css",
        media: "text/css; charset=utf-8",
        text: include_str!("../static/wardroom.css"),
    },
    Asset {
        name: "wardroom.js",
        media: "text/javascript; charset=utf-8",
        text: include_str!("../static/wardroom.js"),
    },
    Asset { name: "wardroom.svg", media: "image/svg+xml", text: include_str!("../static/wardroom.svg") },
];

/// A few digits over all of them: a new version has new addresses.
static STAMP: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = Sha256::new();
    for asset in &ASSETS {
        hasher.update(asset.text);
    }
    crate::random::hex(&hasher.finalize()[..6])
});

/// The address of an asset.
pub fn address(name: &str) -> String {
    format!("/static/{}/{name}", *STAMP)
}

pub fn router() -> Router<App> {
    Router::new().route("/static/{stamp}/{name}", get(asset)).route("/favicon.ico", get(icon))
}

async fn asset(Path((stamp, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|a| a.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // An old page after an update gets what there is, but does not keep it.
    let keep = if stamp == *STAMP { "public, max-age=31536000, immutable" } else { "no-store" };
    ([(header::CONTENT_TYPE, asset.media), (header::CACHE_CONTROL, keep)], asset.text).into_response()
}

async fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], ASSETS[2].text).into_response()
}
