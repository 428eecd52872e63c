//! What goes wrong, and what the store does then. docs/faults.md is the table of it.
#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod copies;
mod files;
mod processes;
mod support;
mod tamper;
