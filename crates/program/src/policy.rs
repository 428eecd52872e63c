//! What holds for all kinds: roles, and how one scan's findings are matched with another's.

use jiff::civil::Date;
use serde::Serialize;

/// Policies that are no part of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Policies {
    /// Roles, by rank: each may what its own entry says.
    pub roles: Vec<Role>,
    /// How findings are matched from run to run.
    pub identity: Identity,
    /// Numbers that formulas ask for.
    pub values: Vec<PolicyValue>,
}

/// A number that a formula asks for, or one for each of some words, with the days from which it holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyValue {
    /// `put_back_first`.
    pub name: String,
    /// One sentence on what it is.
    pub help: String,
    /// From which day on it is what, oldest first.
    pub dated: Vec<Dated>,
}

/// What a value is from a day on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dated {
    /// The first day.
    pub since: Date,
    /// The number.
    pub value: Option<f64>,
    /// Or one for each word.
    pub table: Vec<(String, f64)>,
}

impl PolicyValue {
    /// What held on a day, for a word where it has one for each; none where it says nothing.
    pub fn on(&self, day: Date, word: Option<&str>) -> Option<f64> {
        let dated = self.dated.iter().rfind(|d| d.since <= day)?;
        match word {
            None => dated.value,
            Some(word) => dated.table.iter().find(|(w, _)| w == word).map(|(_, number)| *number),
        }
    }
}

/// A role that a person or a token has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    /// `engineer`.
    pub name: String,
    /// `Security engineer`.
    pub title: String,
    /// Sees confidential records.
    pub confidential: bool,
    /// Edits fields, labels, links and owners, and comments.
    pub edit: bool,
    /// Comments.
    pub comment: bool,
    /// Sends scans.
    pub deliver: bool,
    /// Manages people, tokens and the store.
    pub admin: bool,
}

/// How findings are matched from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Identity {
    /// A finding that this many complete scans of the default branch have not seen is resolved, 1
    /// being the first that does not see it; 0 leaves it to people.
    pub resolve_unseen_after: u32,
    /// From this likeness of their code on (0 to 1), a finding that came and one that went, of one
    /// rule, are shown to a person as perhaps the same.
    pub likeness: f64,
}
