//! Images by a name that others move.

use wardroom_model::{Confidence, Severity};

use super::File;
use super::report::{Reporter, Sighting, Uses};
use crate::Ecosystem;

wardroom_model::rule! {
    /// A container is built on, or run from, an image by a tag and not by its digest.
    ///
    /// ## Why it is bad
    ///
    /// A tag is moved by whoever owns the image: two builds of one commit differ, and a stranger's image may
    /// take the place of the one that was looked at. With no tag at all, or `latest`, the next major version
    /// comes in unasked.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// FROM ruby:latest
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```dockerfile
    /// FROM ruby:3.4.7-slim@sha256:3b1c…
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-829: Inclusion of Functionality from Untrusted Control Sphere
    rule: "unpinned-image", "Image by a moving tag", Libraries, 829, Info
}

/// One finding for each image, with all the places that name it so.
pub fn run(files: &[File<'_>], reporter: &mut Reporter) {
    let mut used = Uses::new();
    for file in files {
        for package in file.inventory.packages.iter().filter(|p| p.ecosystem == Ecosystem::Container) {
            if package.checksum.is_empty() {
                used.entry((&package.name, &package.version)).or_default().push((file, package.span));
            }
        }
    }
    for ((name, tag), places) in used {
        let (file, span) = places[0];
        let floating = matches!(tag, "" | "latest");
        let by = match tag {
            "" => "without a tag".to_owned(),
            tag => format!("by the tag `{tag}`"),
        };
        let times = if places.len() == 1 { String::new() } else { format!(", in {} places", places.len()) };
        reporter.report(Sighting {
            rule: rule(),
            file,
            span,
            message: format!("The image `{name}` is named {by} and without its digest{times}"),
            remedy: "Write the tag and the digest: `name:tag@sha256:…`.".to_owned(),
            confidence: Confidence::High,
            severity: floating.then_some(Severity::Low),
            package: None,
            key: format!("{name}:{tag}"),
            places: places[1..].to_vec(),
        });
    }
}
