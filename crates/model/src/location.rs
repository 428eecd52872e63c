//! A place in a file, as a person and as a report see it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A point in a text: line and column count from 1, columns in Unicode code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in code points.
    pub column: u32,
}

/// A stretch of one file, with the lines it stands on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Relative to the scanned root, with `/` between folders on every system.
    pub file: Arc<str>,
    /// First character.
    pub start: Position,
    /// Just past the last character.
    pub end: Position,
    /// The whole source lines from `start.line` to `end.line` (at most six), without the last newline.
    pub snippet: String,
}
