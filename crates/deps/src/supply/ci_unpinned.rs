//! Pipelines that run code of others at whatever stands there today.

use wardroom_model::{Confidence, Severity};

use super::File;
use super::report::{Reporter, Sighting, Uses};
use crate::{Ecosystem, Origin};

wardroom_model::rule! {
    /// A pipeline uses an action, a component or an included file of somebody else by a tag or a branch, or
    /// by an address alone.
    ///
    /// ## Why it is bad
    ///
    /// Tags move. Whoever takes over the other project decides what runs in the pipeline, with its secrets
    /// and its right to publish. That has happened to actions that thousands of projects used.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// - uses: shop/deploy@v2
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml
    /// - uses: shop/deploy@8c6a1d0f4e2b7a5c3d9e1f0a2b4c6d8e0f1a3b5c # v2.1.0
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-829: Inclusion of Functionality from Untrusted Control Sphere
    rule: "unpinned-ci-include", "Pipeline that runs code of others by a moving name", Libraries, 829, Low
}

/// One finding for each thing that is used, with all the places that use it so.
pub fn run(files: &[File<'_>], reporter: &mut Reporter) {
    let mut used = Uses::new();
    for file in files {
        for package in file.inventory.packages.iter().filter(|p| p.ecosystem == Ecosystem::Ci) {
            // What the forge itself publishes is trusted with the pipeline anyway.
            if package.name.starts_with("actions/") || package.name.starts_with("github/") {
                continue;
            }
            let (fixed, moving) = match &package.origin {
                Origin::Git { revision, reference, .. } => (!revision.is_empty(), reference.as_str()),
                _ => (false, ""),
            };
            if !fixed {
                used.entry((&package.name, moving)).or_default().push((file, package.span));
            }
        }
    }
    for ((name, reference), places) in used {
        let (file, span) = places[0];
        let branch = !reference.starts_with(|c: char| c == 'v' || c.is_ascii_digit());
        let by = match reference {
            "" => "without saying which version".to_owned(),
            reference => format!("by `{reference}`, which may move"),
        };
        let times = if places.len() == 1 { String::new() } else { format!(", in {} places", places.len()) };
        reporter.report(Sighting {
            rule: rule(),
            file,
            span,
            message: format!("The pipeline uses `{name}` {by}{times}"),
            remedy: "Name the commit in full, with the tag behind it in a comment.".to_owned(),
            confidence: Confidence::High,
            severity: branch.then_some(Severity::Medium),
            package: None,
            key: format!("{name}@{reference}"),
            places: places[1..].to_vec(),
        });
    }
}
