//! What could not be read or done, told rather than hidden.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One thing that went wrong in one file. It never stops a run; it is listed and counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The file, relative to the scanned root.
    pub file: Arc<str>,
    /// The line, from 1; `None` where the whole file is meant.
    pub line: Option<u32>,
    /// What happened and what it means, in one sentence.
    pub message: String,
    /// Whether the file was left out wholly (`true`) or read in part.
    pub unread: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}
