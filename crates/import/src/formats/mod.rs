//! The formats: one file each.

mod acunetix;
mod arachni;
mod bugcrowd;
mod burp;
mod burp_api;
mod csaf;
mod cyclonedx;
mod dependency_check;
mod dependency_track;
mod generic;
mod hackerone;
mod jfrog_xray;
mod nikto;
mod nmap;
mod nuclei;
mod openvas;
mod openvex;
mod ossindex;
mod qualys;
mod retirejs;
mod sarif;
mod spdx;
mod sslscan;
mod sslyze;
mod tenable;
mod testssl;
mod wapiti;
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
        &bugcrowd::Bugcrowd,
        &burp::Burp,
        &burp_api::BurpApi,
        &csaf::Csaf,
        &cyclonedx::CycloneDx,
        &dependency_check::DependencyCheck,
        &dependency_track::DependencyTrack,
        &generic::Generic,
        &hackerone::HackerOne,
        &jfrog_xray::JfrogXray,
        &nikto::Nikto,
        &nmap::Nmap,
        &nuclei::Nuclei,
        &openvas::OpenVas,
        &openvex::OpenVex,
        &ossindex::OssIndex,
        &qualys::Qualys,
        &retirejs::RetireJs,
        &sarif::Sarif,
        &spdx::Spdx,
        &sslscan::SslScan,
        &sslyze::Sslyze,
        &tenable::Tenable,
        &testssl::TestSsl,
        &wapiti::Wapiti,
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
