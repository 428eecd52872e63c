//! kube-bench 0.2 to 0.9: JSON, one node or several.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Report, Reported, Shape};

/// The format.
#[derive(Debug)]
pub(super) struct KubeBench;

impl Format for KubeBench {
    fn name(&self) -> &'static str {
        "kube-bench"
    }

    fn title(&self) -> &'static str {
        "kube-bench"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(one) = controls(shape).first() else { return Likeness::No };
        let test = one.at("tests.0");
        match one.has("node_type") && test.is_some() || test.is_some_and(|t| t.has("results.0.test_number")) {
            true => Likeness::Sure,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for control in controls(shape) {
            report.tool("kube-bench", "");
            for section in control.list("tests") {
                for one in section.list("results") {
                    if let Some(finding) = reported(one, section, control) {
                        report.found(finding);
                    }
                }
            }
        }
    }
}

/// The groups of checks: under `Controls` in newer versions, a list or one alone in older ones.
fn controls(shape: &Shape) -> &[Value] {
    match shape.json() {
        Some(json) if json.has("Controls") => json.list("Controls"),
        _ => shape.values(),
    }
}

/// The finding of a check that did not pass. What the tool cannot check by itself, and says so, is a task for a
/// person and no finding.
fn reported(one: &Value, section: &Value, control: &Value) -> Option<Reported> {
    let severity = match one.text("status").as_str() {
        "FAIL" => Severity::Medium,
        "WARN" if one.text("type") != "manual" => Severity::Info,
        _ => return None,
    };
    let rule = one.text("test_number");
    let named = format!("{} {}", section.text("section"), section.text("desc"));
    Some(Reported {
        title: format!("{rule} {}", one.text("test_desc")),
        description: paragraphs([
            one.text("test_desc"),
            labelled("Section", &named),
            labelled("Benchmark", &first([control.text("version"), control.text("detected_version")])),
            labelled("Node", &control.text("node_type")),
            labelled("Audit", &code(&first([one.text("audit"), one.text("AuditConfig")]))),
            labelled("Expected", &one.text("expected_result")),
            labelled("Found", &one.text("actual_value")),
            labelled("Reason", &one.text("reason")),
        ]),
        remedy: one.text("remediation"),
        severity: Some(severity),
        tags: vec![control.text("node_type")],
        rule,
        ..Reported::default()
    })
}

fn code(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { format!("`{}`", text.trim()) }
}
