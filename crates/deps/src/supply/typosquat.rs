//! Names that are meant to be mistyped into.

use wardroom_model::Confidence;

use super::File;
use super::popular::{honest, popular};
use super::report::{Reporter, Sighting};
use crate::{Ecosystem, Origin};

wardroom_model::rule! {
    /// A package's name is one slip of the finger away from one that everybody knows.
    ///
    /// ## Why it is bad
    ///
    /// Names close to popular ones are taken by people who wait for a mistake: the package works like the
    /// real one and sends the keys of the build away beside it.
    ///
    /// ## Example
    ///
    /// ```json
    /// {"dependencies": {"expresss": "^4.0.0"}}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json
    /// {"dependencies": {"express": "^4.0.0"}}
    /// ```
    ///
    /// If the package is what you meant, ignore the finding with that reason.
    ///
    /// ## References
    ///
    /// - CWE-1357: Reliance on Insufficiently Trustworthy Component
    rule: "typosquat", "Name close to that of a popular package", Libraries, 1357, High,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:H"
}

/// Shortest name that is compared, in bytes: among shorter ones every name is close to some other.
const SHORTEST: usize = 5;

/// The popular name that a name imitates; none where it is one itself, or honest.
fn imitated(ecosystem: Ecosystem, name: &str) -> Option<&'static str> {
    let names = popular(ecosystem);
    if name.len() < SHORTEST || names.contains(&name) || honest(ecosystem).contains(&name) {
        return None;
    }
    names.iter().copied().find(|known| slip(name, known))
}

/// Whether one slip makes a name of the other: a letter doubled, left out, put in, changed for its
/// neighbour on the keyboard or swapped with the next, a separator changed or left out.
fn slip(name: &str, known: &str) -> bool {
    if known.len() < SHORTEST || name.len().abs_diff(known.len()) > 1 {
        return false;
    }
    let plain = |words: &str| words.replace(['-', '_', '.'], "");
    if name != known && plain(name) == plain(known) {
        return true;
    }
    if strsim::osa_distance(name, known) != 1 {
        return false;
    }
    // A number or an `s` at the end tells editions and kinds apart, and names often begin as another does.
    let edition = |long: &str, short: &str| {
        long.strip_prefix(short)
            .is_some_and(|tail| tail.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'x' | b'j')))
    };
    if edition(name, known) || edition(known, name) {
        return false;
    }
    let digits = |words: &str| words.bytes().filter(u8::is_ascii_digit).count();
    digits(name) == digits(known)
}

/// Looks at what the project itself asks for, which is what somebody typed.
pub fn run(files: &[File<'_>], reporter: &mut Reporter) {
    let mut told = std::collections::BTreeSet::new();
    for file in files {
        let ecosystem = file.format.ecosystem;
        for package in &file.inventory.packages {
            if !package.direct || !matches!(package.origin, Origin::Registry(_)) {
                continue;
            }
            let Some(known) = imitated(package.ecosystem, &package.name) else { continue };
            if !told.insert((package.ecosystem, package.name.clone())) {
                continue;
            }
            reporter.report(Sighting {
                rule: rule(),
                file,
                span: package.span,
                message: format!("`{}` is one slip away from `{known}`", package.name),
                remedy: format!("Look whether `{known}` was meant, and at what the package does."),
                confidence: Confidence::Medium,
                severity: None,
                package: Some(package),
                key: package.name.clone(),
                places: Vec::new(),
            });
        }
        for ask in &file.inventory.asks {
            if !matches!(ask.origin, Origin::Registry(_)) {
                continue;
            }
            let name = &ask.requirement.name;
            let Some(known) = imitated(ecosystem, name) else { continue };
            if !told.insert((ecosystem, name.clone())) {
                continue;
            }
            reporter.report(Sighting {
                rule: rule(),
                file,
                span: ask.span,
                message: format!("`{name}` is one slip away from `{known}`"),
                remedy: format!("Look whether `{known}` was meant, and at what the package does."),
                confidence: Confidence::Medium,
                severity: None,
                package: None,
                key: name.clone(),
                places: Vec::new(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips() {
        for (ecosystem, name) in [
            (Ecosystem::Npm, "expresss"),
            (Ecosystem::Npm, "loadsh"),
            (Ecosystem::Npm, "crossenv"),
            (Ecosystem::Npm, "momnet"),
            (Ecosystem::PyPi, "reqeusts"),
            (Ecosystem::PyPi, "djago"),
            (Ecosystem::PyPi, "python-dateutils"),
            (Ecosystem::RubyGems, "rest_client"),
            (Ecosystem::Cargo, "serde-json"),
        ] {
            assert!(imitated(ecosystem, name).is_some(), "{name}");
        }
        for (ecosystem, name) in [
            (Ecosystem::Npm, "express"),
            (Ecosystem::Npm, "preact"),
            (Ecosystem::Npm, "chalk4"),
            (Ecosystem::Npm, "ms"),
            (Ecosystem::PyPi, "boto"),
            (Ecosystem::PyPi, "requests-toolbelt"),
            (Ecosystem::RubyGems, "rails-i18n"),
            (Ecosystem::Go, "expresss"),
        ] {
            assert_eq!(imitated(ecosystem, name), None, "{name}");
        }
    }
}
