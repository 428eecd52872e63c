//! `pip-audit --format json`, 1 and 2.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::package::{package, upgrade};
use crate::shape::Json as _;
use crate::wording::{first, headline, titled};
use crate::{Report, Reported, Shape, identifier};

/// The format.
#[derive(Debug)]
pub(super) struct PipAudit;

impl Format for PipAudit {
    fn name(&self) -> &'static str {
        "pip-audit"
    }

    fn title(&self) -> &'static str {
        "pip-audit"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let list = dependencies(shape);
        let ours =
            list.iter().take(50).any(|d| d.has("name") && (d.at("vulns").is_some_and(Value::is_array)));
        let empty = shape.json().is_some_and(|root| {
            root.at("fixes").is_some_and(Value::is_array)
                && root.at("dependencies").is_some_and(Value::is_array)
        });
        if ours || empty { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, dependency) in dependencies(shape).iter().enumerate() {
            if !dependency.is_object() {
                report.problem(&format!("dependencies[{at}]"), "a dependency is an object");
                continue;
            }
            let skipped = dependency.text("skip_reason");
            if !skipped.is_empty() {
                report.problem(&dependency.text("name"), &format!("pip-audit left it out: {skipped}"));
            }
            for weak in dependency.list("vulns") {
                report.found(one(dependency, weak));
            }
        }
    }
}

/// A list in version 1, under a key in version 2.
fn dependencies(shape: &Shape) -> &[Value] {
    match shape.json() {
        Some(Value::Array(list)) => list,
        Some(root) => root.list("dependencies"),
        None => &[],
    }
}

/// pip-audit rates nothing: the middle stands for all.
const SEVERITY: Severity = Severity::Medium;
/// A weak library; pip-audit names no class of what is weak in it.
const KNOWN: u32 = 1395;

fn one(dependency: &Value, weak: &Value) -> Reported {
    let id = weak.text("id");
    let mut ids = vec![id.clone()];
    ids.extend(weak.texts("aliases"));
    let description = weak.text("description");
    let fixed = weak.texts("fix_versions");
    let name = dependency.text("name");
    Reported {
        title: titled(&name, &first([headline(&description), id.clone()])),
        remedy: upgrade(&name, &fixed),
        rule: id,
        severity: Some(SEVERITY),
        cwes: identifier::cwes(&description).into_iter().chain([KNOWN]).collect(),
        description,
        ids,
        package: package("pypi", &name, &dependency.text("version")),
        fixed_in: fixed,
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn the_second_version_has_aliases_and_skips() {
        let text = r#"{"dependencies": [{"name": "a", "skip_reason": "not on PyPI"}, {"name": "b", "version": "1",
            "vulns": [{"id": "PYSEC-2021-1", "fix_versions": [], "aliases": ["CVE-2021-12345"], "description": ""}]}], "fixes": []}"#;
        let read = read("a.json", text.as_bytes(), None).unwrap();
        assert_eq!((read.findings.len(), read.problems.len()), (1, 1));
        assert_eq!(read.findings[0].ids, ["CVE-2021-12345", "PYSEC-2021-1"]);
        assert_eq!(read.findings[0].title, "b: PYSEC-2021-1");
    }
}
