//! The program as a whole.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;

use crate::{Calendar, Ground, Kind, Policies, Problem};

/// How a team wants its security work done.
#[derive(Clone, Debug, Serialize)]
pub struct Program {
    /// The organisation's name, shown at the top of every page.
    pub name: String,
    /// Time zone, holidays and working days.
    #[serde(skip)]
    pub calendar: Calendar,
    /// By name.
    pub kinds: BTreeMap<String, Kind>,
    /// What holds for all kinds.
    pub policies: Policies,
    /// The texts that it was made of, by path.
    #[serde(skip)]
    pub files: BTreeMap<String, String>,
    /// Over all files: two programs with one digest are the same.
    pub digest: String,
    /// What [`Program::ground`] gives, made when it is first asked for.
    #[serde(skip)]
    pub ground: OnceLock<Ground>,
}

impl Program {
    /// A kind by its name.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.get(name)
    }

    /// What formulas may ask beside facts.
    pub fn ground(&self) -> &Ground {
        self.ground.get_or_init(|| Ground::new(&self.calendar, &self.policies.values))
    }

    /// The kind whose records have this prefix.
    pub fn by_prefix(&self, prefix: &str) -> Option<&Kind> {
        self.kinds.values().find(|k| k.prefix.eq_ignore_ascii_case(prefix))
    }
}

/// One file of a program repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Relative to the repository's `program/` folder, with `/` between folders.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// What loading gives: a program only where nothing stands in its way.
#[derive(Clone, Debug)]
pub struct Built {
    /// The program, where there are no problems.
    pub program: Option<Program>,
    /// What is wrong, by file and line.
    pub problems: Vec<Problem>,
}
