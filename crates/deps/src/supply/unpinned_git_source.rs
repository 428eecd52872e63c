//! Packages from a repository at whatever stands there today.

use wardroom_model::{Confidence, Severity};

use super::File;
use super::report::{Reporter, Sighting};
use crate::{Ecosystem, Origin};

wardroom_model::rule! {
    /// A package is taken from a git repository by a branch, a tag or nothing at all, and no lockfile beside
    /// it fixes the commit.
    ///
    /// ## Why it is bad
    ///
    /// Whoever can push to the repository, or takes its name over, decides what the next build runs. Two
    /// builds of the same commit differ, and nobody can say which code was in production.
    ///
    /// ## Example
    ///
    /// ```text
    /// shop-tools @ git+https://git.example.com/shop/tools.git@main
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```text
    /// shop-tools @ git+https://git.example.com/shop/tools.git@8c6a1d0f4e2b7a5c3d9e1f0a2b4c6d8e0f1a3b5c
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-829: Inclusion of Functionality from Untrusted Control Sphere
    rule: "unpinned-git-source", "Package from a repository without a fixed commit", Libraries, 829, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at what is locked without a commit, and at what manifests ask for where nothing is locked.
pub fn run(files: &[File<'_>], reporter: &mut Reporter) {
    for file in files {
        for package in &file.inventory.packages {
            let Origin::Git { url, revision, reference } = &package.origin else { continue };
            if revision.is_empty() && package.ecosystem != Ecosystem::Ci {
                report(reporter, file, package.span, (&package.name, url, reference));
            }
        }
        // A lockfile of the same kind beside the manifest, or above it, fixes what the manifest leaves open.
        let locked = files.iter().any(|other| {
            other.format.locks
                && other.format.ecosystem == file.format.ecosystem
                && other.format.name != file.format.name
                && file.folder().starts_with(other.folder())
        });
        if locked || file.format.locks {
            continue;
        }
        for ask in &file.inventory.asks {
            let Origin::Git { url, revision, reference } = &ask.origin else { continue };
            if revision.is_empty() {
                report(reporter, file, ask.span, (&ask.requirement.name, url, reference));
            }
        }
    }
}

fn report(
    reporter: &mut Reporter,
    file: &File<'_>,
    span: (u32, u32),
    (name, url, reference): (&str, &str, &str),
) {
    // Tags move less often than branches, and look like versions.
    let tag = reference.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let from = match reference {
        "" => "at no fixed commit".to_owned(),
        reference => format!("at `{reference}`, which may move"),
    };
    reporter.report(Sighting {
        rule: rule(),
        file,
        span,
        message: format!("`{name}` is taken from {url} {from}"),
        remedy: "Name the commit in full, or commit a lockfile that does.".to_owned(),
        confidence: Confidence::High,
        severity: tag.then_some(Severity::Low),
        package: None,
        key: name.to_owned(),
        places: Vec::new(),
    });
}
