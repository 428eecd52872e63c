//! The formats: one file each.

mod acunetix;
mod arachni;
mod asff;
mod bandit;
mod brakeman;
mod bugcrowd;
mod bundler_audit;
mod burp;
mod burp_api;
mod cargo_audit;
mod checkmarx;
mod checkov;
mod codechecker;
mod cppcheck;
mod csaf;
mod cyclonedx;
mod dependency_check;
mod dependency_track;
mod devskim;
mod dockle;
mod eslint;
mod flawfinder;
mod fortify;
mod generic;
mod github;
mod gitlab;
mod gitleaks;
mod gosec;
mod govulncheck;
mod grype;
mod hackerone;
mod hadolint;
mod jfrog_xray;
mod kics;
mod kiuwan;
mod kube_bench;
mod mobsf;
mod nikto;
mod nmap;
mod npm_audit;
mod nuclei;
mod openvas;
mod openvex;
mod ossindex;
mod osv_scanner;
mod pip_audit;
mod prowler;
mod qualys;
mod retirejs;
mod rubocop;
mod sarif;
mod semgrep;
mod snyk;
mod sonarqube;
mod spdx;
mod spotbugs;
mod sqlmap;
mod sslscan;
mod sslyze;
mod tenable;
mod testssl;
mod tfsec;
mod trivy;
mod trivy_operator;
mod trufflehog;
mod veracode;
mod wapiti;
mod yarn_audit;
mod zap;

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
        &acunetix::Acunetix,
        &arachni::Arachni,
        &asff::Asff,
        &bandit::Bandit,
        &brakeman::Brakeman,
        &bugcrowd::Bugcrowd,
        &bundler_audit::BundlerAudit,
        &burp::Burp,
        &burp_api::BurpApi,
        &cargo_audit::CargoAudit,
        &checkmarx::Checkmarx,
        &checkov::Checkov,
        &codechecker::Codechecker,
        &cppcheck::Cppcheck,
        &csaf::Csaf,
        &cyclonedx::CycloneDx,
        &dependency_check::DependencyCheck,
        &dependency_track::DependencyTrack,
        &devskim::Devskim,
        &dockle::Dockle,
        &eslint::Eslint,
        &flawfinder::Flawfinder,
        &fortify::Fortify,
        &generic::Generic,
        &github::GitHub,
        &gitlab::Gitlab,
        &gitleaks::Gitleaks,
        &gosec::Gosec,
        &govulncheck::Govulncheck,
        &grype::Grype,
        &hackerone::HackerOne,
        &hadolint::Hadolint,
        &jfrog_xray::JfrogXray,
        &kics::Kics,
        &kiuwan::Kiuwan,
        &kube_bench::KubeBench,
        &mobsf::Mobsf,
        &nikto::Nikto,
        &nmap::Nmap,
        &npm_audit::NpmAudit,
        &nuclei::Nuclei,
        &openvas::OpenVas,
        &openvex::OpenVex,
        &ossindex::OssIndex,
        &osv_scanner::OsvScanner,
        &pip_audit::PipAudit,
        &prowler::Prowler,
        &qualys::Qualys,
        &retirejs::RetireJs,
        &rubocop::Rubocop,
        &sarif::Sarif,
        &semgrep::Semgrep,
        &snyk::Snyk,
        &sonarqube::Sonarqube,
        &spdx::Spdx,
        &spotbugs::Spotbugs,
        &sqlmap::Sqlmap,
        &sslscan::SslScan,
        &sslyze::Sslyze,
        &tenable::Tenable,
        &testssl::TestSsl,
        &tfsec::Tfsec,
        &trivy::Trivy,
        &trivy_operator::TrivyOperator,
        &trufflehog::Trufflehog,
        &veracode::Veracode,
        &wapiti::Wapiti,
        &yarn_audit::YarnAudit,
        &zap::Zap,
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
