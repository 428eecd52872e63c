//! Attempts to break in: as an outsider, with a stolen session, as somebody with a small role, by
//! what a scan delivers. `docs/attacks.md` has a row for each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod forgery;
mod headers;
mod hidden;
mod markup;
mod place;
mod probes;
mod requests;
mod routes;
mod sessions;
mod templates;
