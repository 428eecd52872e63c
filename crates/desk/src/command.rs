//! What somebody wants done to a record, and why it may be refused.

use serde::{Deserialize, Serialize};

use crate::{Fields, RecordId};

/// What somebody wants done to one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Give fields other values; null takes one away.
    Set {
        /// The new values.
        fields: Fields,
        /// Why.
        #[serde(default)]
        because: String,
    },
    /// Take a transition.
    Move {
        /// Its name.
        transition: String,
        /// Values that the transition needs, or that go with it.
        #[serde(default)]
        fields: Fields,
        /// Why.
        #[serde(default)]
        because: String,
    },
    /// Write something, in Markdown.
    Comment {
        /// What.
        text: String,
    },
    /// Put labels on and take labels off.
    Label {
        /// Put on.
        #[serde(default)]
        add: Vec<String>,
        /// Take off.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// Tie the record to another.
    Link {
        /// The link's name.
        relation: String,
        /// The other record.
        to: RecordId,
    },
    /// Cut a tie.
    Unlink {
        /// The link's name.
        relation: String,
        /// The other record.
        to: RecordId,
    },
    /// Put a file with the record: it has been stored under its digest already.
    Attach {
        /// Its name.
        name: String,
        /// Its media type.
        media: String,
        /// In bytes.
        size: u64,
        /// SHA-256, in hex.
        digest: String,
    },
}

/// Why something was not done. Each says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such record, or the caller may not know of it.
    #[error("there is no record {0}")]
    NoRecord(String),
    /// The caller may not.
    #[error("{0}")]
    NotAllowed(String),
    /// The record has changed since the caller looked.
    #[error("{record} has changed since you looked: it is at version {now}, you saw version {seen}")]
    Stale {
        /// The record.
        record: RecordId,
        /// Its version now.
        now: u32,
        /// The version that the caller saw.
        seen: u32,
    },
    /// The record's state or fields do not allow it.
    #[error("{0}")]
    NotNow(String),
    /// A value is wrong; which field, and what is wrong with it.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field.
        field: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

impl Refused {
    /// A value that is wrong.
    pub fn invalid(field: &str, problem: impl Into<String>) -> Refused {
        Refused::Invalid { field: field.to_owned(), problem: problem.into() }
    }
}
