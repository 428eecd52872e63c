//! Checkov's JSON, 1 to 3: one framework, several, or the short form that says that there was nothing to check.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::package::{package, upgrade};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Checkov;

impl Format for Checkov {
    fn name(&self) -> &'static str {
        "checkov"
    }

    fn title(&self) -> &'static str {
        "Checkov"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = shape.values().iter().take(20).any(|v| {
            (v.has("check_type") && v.has("results"))
                || v.has("checkov_version")
                || v.has("results.failed_checks")
        });
        if ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for framework in shape.values() {
            let version =
                first([framework.text("summary.checkov_version"), framework.text("checkov_version")]);
            report.tool("", &version);
            let kind = framework.text("check_type");
            for (key, standing) in [("failed_checks", Standing::Open), ("skipped_checks", Standing::Accepted)]
            {
                for (at, check) in framework.list(&format!("results.{key}")).iter().enumerate() {
                    if check.is_object() {
                        report.found(Reported { standing, ..one(check, &kind) });
                    } else {
                        report.problem(&format!("results.{key}[{at}]"), "a check is an object");
                    }
                }
            }
            for file in framework.texts("results.parsing_errors") {
                report.problem(&file, "Checkov could not read it");
            }
        }
    }
}

/// Stands where Checkov was run without the platform that rates its checks.
const UNRATED: Severity = Severity::Medium;

fn one(check: &Value, kind: &str) -> Reported {
    let id = check.text("check_id");
    let lines = check.list("code_block").iter().map(|l| l.text("1")).collect::<String>();
    let weak = check.at("vulnerability_details").unwrap_or(&Value::Null);
    let name = weak.text("package_name");
    let fixed: Vec<String> =
        [weak.text("lowest_fixed_version")].into_iter().filter(|v| !v.is_empty()).collect();
    let guideline = check.text("guideline");
    let file = first([check.text("file_path"), check.text("repo_file_path")]);
    Reported {
        rule: id.clone(),
        title: first([check.text("check_name"), check.text("short_description"), id]),
        description: paragraphs([
            check.text("description"),
            weak.text("description"),
            labelled("Resource", &check.text("resource")),
            labelled("Skipped", &check.text("check_result.suppress_comment")),
        ]),
        remedy: if name.is_empty() { labelled("Guideline", &guideline) } else { upgrade(&name, &fixed) },
        severity: severity::of_word(&first([check.text("severity"), weak.text("severity")]))
            .or(Some(UNRATED)),
        cwes: if kind == "secrets" { vec![798] } else { Vec::new() },
        cvss: weak.text("vector"),
        score: weak.number("cvss"),
        ids: vec![weak.text("id")],
        place: Some(Place {
            end_line: check.whole("file_line_range.1").and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
            scope: check.text("resource"),
            // The code around a secret holds the secret.
            snippet: if kind == "secrets" { String::new() } else { lines },
            ..Place::new(file, check.whole("file_line_range.0"))
        }),
        package: package("", &name, &weak.text("package_version")),
        fixed_in: fixed,
        references: vec![guideline, weak.text("link")],
        tags: vec![kind.to_owned()],
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};

    #[test]
    fn several_frameworks_and_skipped_checks_are_read() {
        let text = r#"[{"check_type": "terraform", "results": {"failed_checks": [{"check_id": "CKV_1", "check_name": "n",
             "severity": "HIGH", "file_path": "/a.tf", "file_line_range": [3, 9], "resource": "r.a", "code_block": [[3, "x\n"]]}],
             "skipped_checks": [{"check_id": "CKV_2", "check_result": {"suppress_comment": "why"}}]}},
            {"check_type": "secrets", "results": {"failed_checks": [{"check_id": "CKV_SECRET_1", "code_block": [[1, "AKIA"]]}]}}]"#;
        let read = read("a.json", text.as_bytes(), None).unwrap();
        assert_eq!(read.findings.len(), 3);
        assert_eq!(read.findings[1].standing, Standing::Accepted);
        assert!(!format!("{read:?}").contains("AKIA"));
    }
}
