//! `yarn audit --json` of yarn 1, and `yarn npm audit --json` of yarn 4: lines of JSON. What yarn 2 and 3 write is
//! read as npm's.

use serde_json::Value;

use super::npm_audit::advisory_of;
use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::package::package;
use crate::shape::Json as _;
use crate::wording::first;
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct YarnAudit;

impl Format for YarnAudit {
    fn name(&self) -> &'static str {
        "yarn-audit"
    }

    fn title(&self) -> &'static str {
        "yarn audit"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = shape.values().iter().take(50).any(|v| {
            let classic = v.text("type").starts_with("audit") && v.has("data");
            classic || (v.has("value") && v.has("children.Severity"))
        });
        if ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        // Yarn 1 tells an advisory once for each path to the library.
        let mut groups = Groups::default();
        for (at, line) in shape.values().iter().enumerate() {
            if let Some(advisory) = line.at("data.advisory").filter(|a| a.is_object()) {
                let found = advisory_of(advisory);
                let path = line.text("data.resolution.path");
                let place = found.place.clone().or_else(|| Some(Place::new(path, None)));
                groups.put(
                    format!("{}\n{}", found.rule, advisory.text("module_name")),
                    Reported { place, ..found },
                );
            } else if line.has("children.Severity") {
                if let Some(found) = newer(line) {
                    groups.put(format!("{at}"), found);
                }
            } else if !line.is_object() {
                report.problem(&format!("line {}", at + 1), "a line is an object");
            } else if line.text("type") == "error" {
                report.problem(&format!("line {}", at + 1), &line.text("data"));
            }
        }
        groups.tell(report);
    }
}

/// A line of yarn 4. Its deprecations come in the same form.
fn newer(line: &Value) -> Option<Reported> {
    let weak = line.at("children")?;
    let (name, issue) = (line.text("value"), weak.text("Issue"));
    let versions = weak.texts("Tree Versions");
    let url = weak.text("URL");
    let dependents = weak.texts("Dependents");
    Some(Reported {
        rule: weak.text("ID"),
        title: first([format!("{name}: {}", crate::wording::headline(&issue)), name.clone()]),
        description: format!("{issue}\n\nWeak are the versions {}.", weak.text("Vulnerable Versions")),
        severity: severity::of_word(&weak.text("Severity")),
        ids: identifier::published(&url),
        places: dependents.into_iter().take(100).map(|d| Place::new(d, None)).collect(),
        package: package("npm", &name, versions.first().map_or("", String::as_str)),
        references: vec![url],
        tags: match weak.text("ID").contains("(deprecation)") {
            true => vec!["deprecation".to_owned()],
            false => Vec::new(),
        },
        ..Reported::default()
    })
}
