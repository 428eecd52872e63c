//! What a method or template does to whoever calls it.

use wardroom_rails::FileId;
use wardroom_ruby::ir::{HtmlContext, Name, Span};

use crate::knowledge::{Mark, Marks};
use crate::value::{Taint, Value};

/// What a method or template does, in terms of its placeholders.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// What it gives back.
    pub result: Value,
    /// Instance variables that it may set.
    pub ivars: Vec<(Name, Value)>,
    /// Sinks that a placeholder reaches.
    pub hits: Vec<Hit>,
    /// Expressions (`params[sort]`) that are harmless wherever it ends without having answered the
    /// request: as a filter it lets nothing else through.
    pub checked: Vec<(Name, Marks)>,
    /// What it hands to its block, joined over every `yield`.
    pub yields: Vec<Value>,
    /// It runs its block: what the block gives may be in the result.
    pub calls_block: bool,
}

/// A sink.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The kind of sink.
    pub mark: Mark,
    /// The method called, or the tag.
    pub method: Name,
    /// Where in the page, for markup.
    pub context: Option<HtmlContext>,
    /// Which argument, by position or keyword.
    pub argument: Name,
    /// Where.
    pub file: FileId,
    /// The whole call.
    pub span: Span,
    /// Text that stands in front of the data in what is passed, where it is known.
    pub prefix: Option<Name>,
}

/// A taint at a sink.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The sink.
    pub site: Site,
    /// The data.
    pub taint: Taint,
}
