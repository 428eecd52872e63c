//! Taint: how what an outsider sends reaches a dangerous call, across methods, files and templates.
//!
//! Every method and template is evaluated once, abstractly, with its parameters and unknown instance
//! variables as placeholders; the result is a [`summary::Summary`] that callers apply. What a source,
//! a sink or a sanitizer is stands in data ([`knowledge`]), which users extend. The engine only says
//! *what reaches what, how*; whether that is a weakness is for the checks to say.
//!
//! This crate never touches the file system and never guesses a severity.

mod call;
mod drive;
mod engine;
mod env;
mod eval;
mod guard;
pub mod knowledge;
mod path;
mod pattern;
mod prefix;
mod record;
mod summary;
mod value;

pub use drive::{Flow, FlowStep, Flows, Unresolved, analyse};
pub use guard::regex as literal_pattern;
pub use knowledge::{Knowledge, KnowledgeError, Mark, Marks, SourceKind};
pub use pattern::{PatternPart, anchored as anchored_pattern};
