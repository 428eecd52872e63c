//! `cargo audit --json`, 0.12 and newer. Its warnings (unmaintained, yanked) are no weaknesses and are left out.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::package::{package, upgrade};
use crate::shape::Json as _;
use crate::wording::{headline, labelled, paragraphs, titled};
use crate::{Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct CargoAudit;

impl Format for CargoAudit {
    fn name(&self) -> &'static str {
        "cargo-audit"
    }

    fn title(&self) -> &'static str {
        "cargo audit"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let listed = root.at("vulnerabilities.list").is_some_and(Value::is_array);
        if listed && (root.has("database") || root.has("lockfile")) { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        for (at, value) in root.list("vulnerabilities.list").iter().enumerate() {
            if value.has("advisory") {
                report.found(one(value));
            } else {
                report.problem(&format!("vulnerabilities.list[{at}]"), "a vulnerability has an advisory");
            }
        }
    }
}

/// Stands where the advisory has no vector: RustSec keeps what is less apart, as a warning.
const UNRATED: Severity = Severity::High;

fn one(value: &Value) -> Reported {
    let advisory = value.at("advisory").unwrap_or(&Value::Null);
    let id = advisory.text("id");
    let mut ids = vec![id.clone()];
    ids.extend(advisory.texts("aliases"));
    let cvss = advisory.text("cvss");
    let score = severity::score_of(&cvss);
    let fixed = value.texts("versions.patched");
    let functions = value.at("affected.functions").and_then(Value::as_object);
    let functions: Vec<String> =
        functions.into_iter().flatten().map(|(name, _)| format!("`{name}`")).collect();
    let name = value.text("package.name");
    let mut references = vec![advisory.text("url")];
    references.extend(advisory.texts("references"));
    let mut tags = advisory.texts("categories");
    tags.extend(advisory.texts("keywords"));
    let title = advisory.text("title");
    Reported {
        title: titled(&name, &headline(&title)),
        description: paragraphs([
            title,
            advisory.text("description"),
            labelled("Weak functions", &functions.join(", ")),
        ]),
        remedy: upgrade(&name, &fixed),
        rule: id,
        severity: score.map(severity::of_score).or(Some(UNRATED)),
        cwes: identifier::cwes(&advisory.text("description")),
        cvss,
        ids,
        package: package("cargo", &name, &value.text("package.version")),
        fixed_in: fixed,
        references,
        found: advisory.text("date"),
        tags,
        ..Reported::default()
    }
}
