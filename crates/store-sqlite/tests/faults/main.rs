//! What goes wrong, and what the store does then. docs/faults.md is the table of it.

mod copies;
mod files;
mod processes;
mod support;
mod tamper;
