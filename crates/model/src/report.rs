//! All that one scan found, as the writers of reports take it.

use serde::Serialize;

use crate::{Endpoint, Finding, Problem, Rule};

/// The whole result of one scan.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Wardroom's version.
    pub version: String,
    /// The scanned root, as the user named it.
    pub root: String,
    /// Unix seconds at which the scan began; `None` where a repeatable report is asked for.
    pub started: Option<i64>,
    /// Findings, worst first, then by place; suppressed ones are included and marked.
    pub findings: Vec<Finding>,
    /// Every rule that ran, by id.
    pub rules: Vec<&'static Rule>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Every way into the application that the model found.
    pub endpoints: Vec<std::sync::Arc<Endpoint>>,
    /// Where advisories came from; empty where none were at hand.
    pub feeds: Vec<Feed>,
    /// Counts and times.
    pub stats: Stats,
}

/// Where advisories came from, and how fresh they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Feed {
    /// `ruby-advisory-db`, `osv:npm`.
    pub name: String,
    /// The day that its content is of: `2026-08-22`; empty where unknown.
    pub date: String,
    /// How many days ago that was.
    pub age: Option<u32>,
    /// How many advisories it has.
    pub advisories: u32,
}

impl Feed {
    /// Days after which a feed is old: within a week most weaknesses that matter are published.
    pub const OLD: u32 = 7;

    /// Whether what it says may be out of date; one without a day may.
    pub fn is_old(&self) -> bool {
        self.age.is_none_or(|age| age > Feed::OLD)
    }
}

impl Report {
    /// The findings that count: not suppressed.
    pub fn active(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.suppression.is_none())
    }

    /// The rule of a finding.
    pub fn rule(&self, id: &str) -> Option<&'static Rule> {
        self.rules.binary_search_by(|r| r.id.cmp(id)).ok().map(|i| self.rules[i])
    }
}

/// Counts and times of one scan.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Ruby files read.
    pub ruby_files: u32,
    /// Templates read.
    pub templates: u32,
    /// Lines in both.
    pub lines: u64,
    /// Files of tests and of vendored code that were left out on purpose.
    pub skipped_files: u32,
    /// Endpoints in the model.
    pub endpoints: u32,
    /// Lockfiles and manifests read.
    pub lockfiles: u32,
    /// Libraries that they lock, each version once.
    pub packages: u32,
    /// Milliseconds of wall time per phase, in order.
    pub phases: Vec<(String, f64)>,
}
