//! The formats: one file each.

mod bandit;
mod brakeman;
mod bundler_audit;
mod cargo_audit;
mod checkov;
mod codechecker;
mod cppcheck;
mod devskim;
mod dockle;
mod eslint;
mod flawfinder;
mod gitlab;
mod gitleaks;
mod gosec;
mod govulncheck;
mod grype;
mod hadolint;
mod kics;
mod npm_audit;
mod osv_scanner;
mod pip_audit;
mod rubocop;
mod sarif;
mod semgrep;
mod snyk;
mod sonarqube;
mod spotbugs;
mod tfsec;
mod trivy;
mod trivy_operator;
mod trufflehog;
mod yarn_audit;

use std::fmt::Debug;

use crate::{ImportError, Report, Shape};

/// How sure a format is that a report is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// It is another's.
    No,
    /// It could be: its fields are there, and they are such as others have too.
    Maybe,
    /// It says so itself, or has what no other format has.
    Sure,
}

/// A format of reports.
pub trait Format: Debug + Sync {
    /// As it is named on the command line: `gitlab`, `npm-audit`.
    fn name(&self) -> &'static str;
    /// As people call it: `npm audit`.
    fn title(&self) -> &'static str;
    /// Whether a report is of this format, by its content.
    fn knows(&self, shape: &Shape) -> Likeness;
    /// Reads it. What it cannot read it says in `report`, and goes on.
    fn read(&self, shape: &Shape, report: &mut Report<'_>);
}

/// Every format, by name.
pub fn formats() -> &'static [&'static dyn Format] {
    &[
        &bandit::Bandit,
        &brakeman::Brakeman,
        &bundler_audit::BundlerAudit,
        &cargo_audit::CargoAudit,
        &checkov::Checkov,
        &codechecker::Codechecker,
        &cppcheck::Cppcheck,
        &devskim::Devskim,
        &dockle::Dockle,
        &eslint::Eslint,
        &flawfinder::Flawfinder,
        &gitlab::Gitlab,
        &gitleaks::Gitleaks,
        &gosec::Gosec,
        &govulncheck::Govulncheck,
        &grype::Grype,
        &hadolint::Hadolint,
        &kics::Kics,
        &npm_audit::NpmAudit,
        &osv_scanner::OsvScanner,
        &pip_audit::PipAudit,
        &rubocop::Rubocop,
        &sarif::Sarif,
        &semgrep::Semgrep,
        &snyk::Snyk,
        &sonarqube::Sonarqube,
        &spotbugs::Spotbugs,
        &tfsec::Tfsec,
        &trivy::Trivy,
        &trivy_operator::TrivyOperator,
        &trufflehog::Trufflehog,
        &yarn_audit::YarnAudit,
    ]
}

/// The one of that name.
pub(crate) fn named(name: &str) -> Result<&'static dyn Format, ImportError> {
    formats()
        .iter()
        .copied()
        .find(|f| f.name() == name)
        .ok_or_else(|| ImportError::NoSuchFormat { wanted: name.to_owned(), nearest: nearest(name) })
}

/// The surest one; the first of those that are as sure.
pub(crate) fn that_knows(shape: &Shape) -> Option<&'static dyn Format> {
    let (likeness, format) = formats().iter().map(|f| (f.knows(shape), *f)).rev().max_by_key(|(l, _)| *l)?;
    (likeness > Likeness::No).then_some(format)
}

/// The name that a typing mistake most likely meant: it begins alike.
fn nearest(name: &str) -> Option<&'static str> {
    let alike = |f: &&&dyn Format| {
        f.name().chars().zip(name.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    formats().iter().filter(|f| alike(f) >= 3).max_by_key(alike).map(|f| f.name())
}
