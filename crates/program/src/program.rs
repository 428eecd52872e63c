//! The program as a whole.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::{Calendar, Kind, Policies};

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
}

impl Program {
    /// A kind by its name.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.get(name)
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

/// What is wrong in a program, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Relative to the program's folder.
    pub file: String,
    /// From 1; 0 where the file as a whole is meant.
    pub line: u32,
    /// From 1; 0 where the line as a whole is meant.
    pub column: u32,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to write instead, where it can be guessed.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        write!(f, ": {}", self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

/// What loading gives: a program only where nothing stands in its way.
#[derive(Clone, Debug)]
pub struct Built {
    /// The program, where there are no problems.
    pub program: Option<Program>,
    /// What is wrong, by file and line.
    pub problems: Vec<Problem>,
}
