//! The checks: each one file, a pure function from the application's model and its flows to
//! findings.
//!
//! A check never reads a file, never prints and never decides what a user gets to see: it says what
//! it found, how bad, how sure and why. One failing check never stops the others.

mod rule;

pub mod checks;
mod context;
mod literal;
mod mend;
mod run;

pub use context::{Context, Draft};
pub use rule::Check;
pub use run::{Outcome, registry, run};
