//! What is published about libraries: one type for all feeds, and a reader for each form.

mod exploited;
mod functions;
mod osv;
mod rubysec;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wardroom_model::{Problem, Severity};

use crate::Ecosystem;
use crate::version::{Version, takes};

pub use exploited::{Exploited, Likelihoods, ListError, read_epss, read_kev};
pub use osv::{read_osv, read_osv_zip};
pub use rubysec::read_rubysec;

/// Longest file that holds one advisory, in bytes.
const LONGEST: usize = 4 << 20;
/// Longest summary that is kept, in characters.
const SUMMARY: usize = 240;

/// A published weakness of one package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// As its feed calls it.
    pub id: String,
    /// Its other names, sorted.
    pub aliases: Vec<String>,
    /// Whose package.
    pub ecosystem: Ecosystem,
    /// The package; for [`Ecosystem::Runtime`] the engine: `ruby`, `jruby`.
    pub package: String,
    /// Which versions have it.
    pub affected: Affected,
    /// How bad, by its CVSS or its feed's word; `None` where nobody has said.
    pub severity: Option<Severity>,
    /// The CVSS base score; `None` where there is none.
    pub score: Option<f32>,
    /// The CVSS vector that the score is from; empty where only a score is published.
    pub vector: String,
    /// What it is, in the feed's words: one line.
    pub summary: String,
    /// Where to read it.
    pub url: String,
    /// Classes of weakness by number, sorted.
    pub cwes: Vec<u16>,
    /// The day that it was published: `2024-01-31`; empty where unknown.
    pub published: String,
    /// The day that it was taken back.
    pub withdrawn: Option<String>,
    /// The functions that it names: `Rack::Utils.parse_nested_query`, `sanitize`.
    pub functions: Vec<String>,
}

/// The versions that have a weakness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Affected {
    /// All but these ranges, written as the ecosystem writes them.
    Unless {
        /// Ranges in which it is mended.
        patched: Vec<String>,
        /// Ranges that never had it.
        unaffected: Vec<String>,
    },
    /// Those between the ends, and those that are named.
    Within {
        /// From an end to an end, sorted as the feed has them.
        ranges: Vec<Range>,
        /// One by one, as the feed writes them.
        versions: Vec<String>,
    },
}

/// From a version on, until one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first that has it; `0` for the very first.
    pub introduced: String,
    /// Where it ends.
    pub end: End,
}

/// Where a range ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It has not ended yet.
    Open,
    /// The first version without it.
    Fixed(String),
    /// The last version with it; whether a later one is mended nobody says.
    Last(String),
}

impl Affected {
    /// Whether a version has the weakness. A part that cannot be understood excuses nothing: such a range of
    /// patched versions takes no version, and such a range of affected versions takes every one.
    pub fn has(&self, ecosystem: Ecosystem, text: &str, version: &Version) -> bool {
        match self {
            Affected::Unless { patched, unaffected } => {
                !patched.iter().chain(unaffected).any(|range| takes(ecosystem, range, version) == Some(true))
            }
            Affected::Within { ranges, versions } => {
                versions.iter().any(|named| named == text)
                    || ranges.iter().any(|range| range.has(ecosystem, version))
            }
        }
    }

    /// The first versions that no longer have it, as the feed names them, in no order.
    pub fn patched(&self, ecosystem: Ecosystem) -> Vec<String> {
        match self {
            Affected::Unless { patched, .. } => {
                let firsts = patched.iter().filter_map(|range| first_of(ecosystem, range));
                firsts.collect()
            }
            Affected::Within { ranges, .. } => {
                let fixed = ranges.iter().filter_map(|range| match &range.end {
                    End::Fixed(version) => Some(version.clone()),
                    End::Open | End::Last(_) => None,
                });
                fixed.collect()
            }
        }
    }
}

/// The least version that a gem's range takes: the greatest of its lower ends.
fn first_of(ecosystem: Ecosystem, range: &str) -> Option<String> {
    let mut first: Option<(Version, &str)> = None;
    for part in range.split(',') {
        let part = part.trim();
        let Some(text) = ["~>", ">=", "="].iter().find_map(|sign| part.strip_prefix(sign)) else { continue };
        let text = text.trim();
        let version = Version::parse(ecosystem, text)?;
        if first.as_ref().is_none_or(|(least, _)| version.order(least).is_some_and(|o| o.is_gt())) {
            first = Some((version, text));
        }
    }
    let (version, text) = first?;
    (takes(ecosystem, range, &version) == Some(true)).then(|| text.to_owned())
}

impl Range {
    fn has(&self, ecosystem: Ecosystem, version: &Version) -> bool {
        let order = |text: &str| Version::parse(ecosystem, text).and_then(|end| version.order(&end));
        let begun = self.introduced == "0" || order(&self.introduced).is_none_or(|o| o.is_ge());
        begun
            && match &self.end {
                End::Open => true,
                End::Fixed(end) => order(end).is_none_or(|o| o.is_lt()),
                End::Last(end) => order(end).is_none_or(|o| o.is_le()),
            }
    }
}

/// What a feed's files gave.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The advisories that stand, one for each package that one names.
    pub advisories: Vec<Advisory>,
    /// How many were taken back by their authors and left out.
    pub withdrawn: usize,
    /// How many are about ecosystems that are not known here.
    pub foreign: usize,
    /// The newest day that a file bears: `2026-08-22`; empty where none does.
    pub newest: String,
    /// What could not be understood.
    pub problems: Vec<Problem>,
}

/// Most problems of one feed that are kept.
const MOST_PROBLEMS: usize = 1000;

impl Reading {
    fn problem(&mut self, file: &Arc<str>, line: Option<u32>, message: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { file: file.clone(), line, message, unread: true });
        }
    }

    fn too_long(&mut self, file: &Arc<str>, length: usize) -> bool {
        if length > LONGEST {
            let message =
                format!("The advisory has {} KiB; more than {} are not read.", length >> 10, LONGEST >> 10);
            self.problem(file, None, message);
        }
        length > LONGEST
    }

    fn add(&mut self, mut advisory: Advisory) {
        if advisory.published > self.newest {
            self.newest.clone_from(&advisory.published);
        }
        if advisory.withdrawn.is_some() {
            self.withdrawn += 1;
            return;
        }
        let id = advisory.id.clone();
        advisory.aliases.retain(|alias| !alias.is_empty() && *alias != id);
        advisory.aliases.sort();
        advisory.aliases.dedup();
        self.advisories.push(advisory);
    }
}

/// Reads one file of a feed by its name: `*.yml` as ruby-advisory-db has them, `*.json` as OSV, `*.zip` full of
/// such. Other files are no part of a feed; `false` says so.
pub fn read_file(file: &Arc<str>, bytes: &[u8], reading: &mut Reading) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    match file.rsplit('.').next() {
        // Beside its advisories, that repository has other files of YAML.
        Some("yml" | "yaml") if !["CVE-", "GHSA-", "OSVDB-"].iter().any(|start| name.starts_with(start)) => {
            return false;
        }
        Some("yml" | "yaml") => read_rubysec(file, bytes, reading),
        Some("json") => read_osv(file, bytes, reading),
        Some("zip") => read_osv_zip(file, bytes, reading),
        _ => return false,
    }
    true
}

/// White space folded, and cut to what fits on a line or two.
fn one_line(text: &str) -> String {
    let mut out = String::new();
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() > SUMMARY {
            let end =
                out.char_indices().map(|(at, _)| at).take_while(|at| *at <= SUMMARY).last().unwrap_or(0);
            out.truncate(end);
            out.push('…');
            break;
        }
    }
    out
}
