//! What holds for all kinds: roles, and how one scan's findings are matched with another's.

use serde::Serialize;

/// Policies that are no part of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Policies {
    /// Roles, by rank: each may what its own entry says.
    pub roles: Vec<Role>,
    /// How findings are matched from run to run.
    pub identity: Identity,
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
