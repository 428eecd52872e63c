//! Lockfiles that do not say what was fetched.

use rustc_hash::FxHashSet;
use wardroom_model::{Confidence, Severity};

use super::File;
use super::report::{Reporter, Sighting, named};
use crate::Origin;

wardroom_model::rule! {
    /// A lockfile whose format has checksums holds packages without one.
    ///
    /// ## Why it is bad
    ///
    /// The version alone does not say what was fetched: a registry, a mirror or somebody on the way may hand
    /// out another archive under the same number, and the install goes through.
    ///
    /// ## Example
    ///
    /// ```json
    /// "node_modules/shop-ui": {"version": "2.0.0", "resolved": "https://npm.shop.example/shop-ui-2.0.0.tgz"}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json
    /// "node_modules/shop-ui": {"version": "2.0.0", "resolved": "…", "integrity": "sha512-…"}
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-353: Missing Support for Integrity Check
    /// - CWE-494: Download of Code Without Integrity Check
    rule: "lockfile-without-checksums", "Locked packages without a checksum", Libraries, 353, Low
}

/// Formats in which every package of a registry has a checksum.
const FORMATS: [&str; 9] = [
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "Cargo.lock",
    "poetry.lock",
    "Pipfile.lock",
    "uv.lock",
    "packages.lock.json",
];

/// One finding for each lockfile.
pub fn run(files: &[File<'_>], reporter: &mut Reporter) {
    for file in files.iter().filter(|f| FORMATS.contains(&f.format.name)) {
        let inventory = file.inventory;
        let bundled: FxHashSet<usize> = inventory.bundled.iter().copied().collect();
        let fetched: Vec<_> = inventory
            .packages
            .iter()
            .enumerate()
            .filter(|(index, package)| {
                matches!(package.origin, Origin::Registry(_) | Origin::Url(_)) && !bundled.contains(index)
            })
            .map(|(_, package)| package)
            .collect();
        // Yarn gives no checksum to what is built for another system.
        let bare: Vec<_> =
            fetched.iter().filter(|p| p.checksum.is_empty()).filter(|p| !conditional(file, p)).collect();
        let Some(first) = bare.first() else { continue };
        let all = bare.len() == fetched.len();
        let names: Vec<&str> = bare.iter().map(|p| p.name.as_str()).collect();
        let message = match all {
            true => format!("None of the {} packages of `{}` has a checksum", bare.len(), file.name()),
            false => format!(
                "{} of {} packages have no checksum: {}",
                bare.len(),
                fetched.len(),
                named(names.iter().copied())
            ),
        };
        reporter.report(Sighting {
            rule: rule(),
            file,
            span: first.span,
            key: if all { "all".to_owned() } else { names.join(" ") },
            message,
            remedy: "Make the lockfile anew with the tool's present version.".to_owned(),
            confidence: Confidence::High,
            // One among many that has none is stranger than a lockfile of a time that had none.
            severity: (!all).then_some(Severity::Medium),
            package: None,
            places: if all { Vec::new() } else { bare[1..].iter().map(|p| (file, p.span)).collect() },
        });
    }
}

/// Whether an entry of Yarn's is bound to a system.
fn conditional(file: &File<'_>, package: &crate::Package) -> bool {
    if file.format.name != "yarn.lock" {
        return false;
    }
    let rest = file.text.get(package.span.1 as usize..).unwrap_or_default();
    let rest = &rest[..rest.len().min(8192)];
    let end = memchr::memmem::find(rest, b"\n\n").unwrap_or(rest.len());
    memchr::memmem::find(&rest[..end], b"  conditions:").is_some()
}
