//! The whole server, killed, crowded and without room. `docs/faults.md` has a row for each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod crowd;
mod killed;
mod room;
mod support;
