//! Licences that the organisation does not take.

use wardroom_model::Confidence;

use super::report::{Reporter, Sighting};
use super::{File, Policy};

wardroom_model::rule! {
    /// A package is only given under licences that the organisation's policy denies, or does not allow. The
    /// policy is `program/scans/libraries.toml`; without one nothing is told.
    ///
    /// ## Why it is bad
    ///
    /// A licence binds whoever passes the code on, or lets others use it over the network. What the
    /// organisation's lawyers ruled out should not come in by a lockfile.
    ///
    /// ## Example
    ///
    /// ```json
    /// {"name": "vendor/pdf", "version": "3.1.0", "license": ["AGPL-3.0-only"]}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```text
    /// Another package, a commercial licence, or an ignore with the reason and the ruling.
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1357: Reliance on Insufficiently Trustworthy Component
    rule: "licence-denied", "Licence that the policy denies", Libraries, 1357, Low
}

/// Looks at the licences that lockfiles tell.
pub fn run(files: &[File<'_>], policy: &Policy, reporter: &mut Reporter) {
    if !policy.rules_licences() {
        return;
    }
    for file in files {
        for (index, words) in &file.inventory.licences {
            let Some(package) = file.inventory.packages.get(*index) else { continue };
            // Who may choose takes one that is allowed; who must keep all must keep the denied one too.
            let bare = words.trim_matches(['(', ')']);
            let refused = bare
                .split(" OR ")
                .all(|choice| choice.split(" AND ").any(|l| policy.refuses(l.trim_matches(['(', ')', ' ']))));
            if refused {
                reporter.report(Sighting {
                    rule: rule(),
                    file,
                    span: package.span,
                    message: format!("`{}` is given under {words} only", package.name),
                    remedy: "Take another package, or write down why this one may stay.".to_owned(),
                    confidence: Confidence::High,
                    severity: None,
                    package: Some(package),
                    key: format!("{} {words}", package.name),
                    places: Vec::new(),
                });
            }
        }
    }
}
