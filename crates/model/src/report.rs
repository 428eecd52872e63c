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
    /// Counts and times.
    pub stats: Stats,
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
    /// Milliseconds of wall time per phase, in order.
    pub phases: Vec<(String, f64)>,
}
