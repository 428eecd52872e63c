//! The exact order of versions, and what a range takes, for each ecosystem.
//!
//! Each has rules of its own, and none of them is "numbers between dots": a module a family.

mod composer;
pub mod gem;
mod maven;
mod npm;
mod nuget;
mod semantic;

use std::cmp::Ordering;
use std::str::FromStr;

use crate::Ecosystem;

/// A longer version or range is none: nobody publishes one.
const LONGEST: usize = 1024;

/// A version that was read by the rules of its ecosystem.
#[derive(Clone, Debug)]
pub struct Version(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Gem(gem::Version),
    Semantic(semver::Version),
    /// Pub orders what comes behind `+`, too.
    Dart(semver::Version),
    Python(pep440_rs::Version),
    Composer(composer::Version),
    Maven(maven::Version),
    NuGet(nuget::Version),
}

impl Version {
    /// Reads a version; `None` where the ecosystem would not take it for one.
    pub fn parse(ecosystem: Ecosystem, text: &str) -> Option<Version> {
        if text.len() > LONGEST {
            return None;
        }
        Some(Version(match ecosystem {
            Ecosystem::RubyGems => Kind::Gem(gem::Version::parse(text)?),
            Ecosystem::Npm => Kind::Semantic(npm::parse(text)?),
            Ecosystem::Cargo | Ecosystem::Hex => Kind::Semantic(semver::Version::parse(text.trim()).ok()?),
            Ecosystem::Go => Kind::Semantic(semantic::parse_go(text)?),
            Ecosystem::Pub => Kind::Dart(semver::Version::parse(text.trim()).ok()?),
            Ecosystem::PyPi => Kind::Python(pep440_rs::Version::from_str(text.trim()).ok()?),
            Ecosystem::Composer => Kind::Composer(composer::Version::parse(text)?),
            Ecosystem::Maven => Kind::Maven(maven::Version::parse(text)?),
            Ecosystem::NuGet => Kind::NuGet(nuget::Version::parse(text)?),
            // These have no rules of their own; RubyGems' take most of what people write.
            Ecosystem::Container | Ecosystem::Ci | Ecosystem::Runtime => {
                Kind::Gem(gem::Version::parse(text.trim().trim_start_matches('v'))?)
            }
        }))
    }

    /// How two versions of one ecosystem stand; `None` for versions of different ones.
    pub fn order(&self, other: &Version) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Kind::Gem(a), Kind::Gem(b)) => Some(a.cmp(b)),
            (Kind::Semantic(a), Kind::Semantic(b)) => Some(a.cmp_precedence(b)),
            (Kind::Dart(a), Kind::Dart(b)) => Some(a.cmp(b)),
            (Kind::Python(a), Kind::Python(b)) => Some(a.cmp(b)),
            (Kind::Composer(a), Kind::Composer(b)) => Some(a.cmp(b)),
            (Kind::Maven(a), Kind::Maven(b)) => Some(a.cmp(b)),
            (Kind::NuGet(a), Kind::NuGet(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// The gem's version, where it is one.
    pub fn as_gem(&self) -> Option<&gem::Version> {
        match &self.0 {
            Kind::Gem(version) => Some(version),
            _ => None,
        }
    }

    /// Whether it comes before a release.
    pub fn is_prerelease(&self) -> bool {
        match &self.0 {
            Kind::Gem(version) => version.is_prerelease(),
            Kind::Semantic(version) | Kind::Dart(version) => !version.pre.is_empty(),
            Kind::Python(version) => version.any_prerelease(),
            Kind::Composer(version) => version.is_prerelease(),
            Kind::Maven(version) => version.is_prerelease(),
            Kind::NuGet(version) => version.is_prerelease(),
        }
    }
}

/// How two versions stand; `None` where one of them is no version of that ecosystem.
pub fn compare(ecosystem: Ecosystem, a: &str, b: &str) -> Option<Ordering> {
    Version::parse(ecosystem, a)?.order(&Version::parse(ecosystem, b)?)
}

/// Whether a range, as the ecosystem writes it in manifests, takes a version; `None` where one of the two
/// cannot be understood. An empty range takes every version.
pub fn satisfies(ecosystem: Ecosystem, range: &str, version: &str) -> Option<bool> {
    takes(ecosystem, range, &Version::parse(ecosystem, version)?)
}

/// As [`satisfies`], for a version that was read already.
pub fn takes(ecosystem: Ecosystem, range: &str, version: &Version) -> Option<bool> {
    if range.len() > LONGEST {
        return None;
    }
    match (&version.0, ecosystem) {
        (Kind::Gem(version), _) => Some(gem::Requirement::parse(range)?.takes(version)),
        (Kind::Semantic(version), Ecosystem::Npm) => Some(npm::Range::parse(range)?.takes(version)),
        (Kind::Semantic(version), Ecosystem::Hex) => semantic::hex_takes(range, version),
        (Kind::Semantic(version), Ecosystem::Go) => semantic::go_takes(range, version),
        (Kind::Semantic(version), _) => semantic::cargo_takes(range, version),
        (Kind::Dart(version), _) => semantic::pub_takes(range, version),
        (Kind::Python(version), _) => {
            Some(pep440_rs::VersionSpecifiers::from_str(range.trim()).ok()?.contains(version))
        }
        (Kind::Composer(version), _) => composer::takes(range, version),
        (Kind::Maven(version), _) => maven::takes(range, version),
        (Kind::NuGet(version), _) => nuget::takes(range, version),
    }
}

/// How big a step from one version to the next is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Only what comes behind the second number changes.
    Patch,
    /// The second number changes.
    Minor,
    /// The first number changes, or the second below version 1.
    Major,
}

/// How big the step from `a` to `b` is, by the first numbers of both. Below version 1 a change of the second
/// number counts as major, as there nobody promises anything.
pub fn step(a: &str, b: &str) -> Step {
    let numbers = |text: &str| -> [u64; 2] {
        let mut numbers = text
            .trim_start_matches('v')
            .split(|c: char| !c.is_ascii_digit())
            .map(|digits| digits.parse::<u64>().unwrap_or(0));
        [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)]
    };
    let (a, b) = (numbers(a), numbers(b));
    if a[0] != b[0] {
        Step::Major
    } else if a[1] == b[1] {
        Step::Patch
    } else if a[0] == 0 {
        Step::Major
    } else {
        Step::Minor
    }
}

#[cfg(test)]
mod tests;
