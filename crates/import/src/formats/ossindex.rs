//! Sonatype's DevAudit with the OSS Index: JSON.

use serde_json::Value;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::package;
use crate::shape::Json as _;
use crate::wording::{links, paragraphs};
use crate::{Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct OssIndex;

impl Format for OssIndex {
    fn name(&self) -> &'static str {
        "ossindex"
    }

    fn title(&self) -> &'static str {
        "OSS Index DevAudit"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(json) = shape.json() else { return Likeness::No };
        match json.has("Packages") && (json.has("Packages Audited") || json.has("Packages.0.Package")) {
            true => Likeness::Sure,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(json) = shape.json() else { return };
        let mut groups = Groups::default();
        for one in json.list("Packages") {
            let library = one.at("Package").unwrap_or(&Value::Null);
            for weak in one.list("Vulnerabilities") {
                let finding = reported(weak, library);
                let on = finding.package.as_ref().map(|p| format!("{} {}", p.name, p.version));
                groups.put(format!("{} {}", finding.rule, on.unwrap_or_default()), finding);
            }
        }
        groups.tell(report);
    }
}

fn reported(weak: &Value, library: &Value) -> Reported {
    // The tool writes Python's `None`.
    let text = |value: &Value, key: &str| Some(value.text(key)).filter(|t| t != "None").unwrap_or_default();
    let group = text(library, "group");
    let name = match (group.as_str(), library.text("pm").as_str()) {
        ("", _) => library.text("name"),
        (group, "maven") => format!("{group}:{}", library.text("name")),
        (group, _) => format!("{group}/{}", library.text("name")),
    };
    let title = text(weak, "title");
    let mut cwes: Vec<u32> = identifier::cwe(&text(weak, "cwe")).into_iter().collect();
    // The class of what the tool looks for, where it gives none of its own.
    if cwes.is_empty() {
        cwes.push(1035);
    }
    let description = text(weak, "description");
    Reported {
        rule: weak.text("id"),
        cwes,
        ids: identifier::published(&format!("{title} {}", text(weak, "cve"))),
        description: paragraphs([description]),
        cvss: severity::vector(&text(weak, "cvssVector")),
        score: weak.number("cvssScore").filter(|s| (0.0..=10.0).contains(s)),
        package: package::package(&library.text("pm"), &name, &text(library, "version")),
        references: links(&text(weak, "reference")),
        title,
        ..Reported::default()
    }
}
