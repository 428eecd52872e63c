//! The whole server, killed, crowded and without room. `docs/faults.md` has a row for each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "it stands in the report of a test that fails")]

mod crowd;
mod database;
mod killed;
mod room;
mod support;
