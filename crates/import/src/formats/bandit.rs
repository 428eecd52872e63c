//! Bandit's JSON, 1.

use serde_json::Value;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, headline};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Bandit;

impl Format for Bandit {
    fn name(&self) -> &'static str {
        "bandit"
    }

    fn title(&self) -> &'static str {
        "Bandit"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let ours = |r: &Value| r.has("issue_text") && r.has("test_id");
        let empty = root.at("results").is_some_and(|r| r.as_array().is_some_and(Vec::is_empty))
            && root.has("metrics._totals");
        if empty || root.list("results").iter().take(20).any(ours) { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        for (at, result) in root.list("results").iter().enumerate() {
            if result.is_object() {
                report.found(one(result));
            } else {
                report.problem(&format!("results[{at}]"), "a result is an object");
            }
        }
        for error in root.list("errors") {
            report.problem(
                &error.text("filename"),
                &format!("Bandit could not scan it: {}", error.text("reason")),
            );
        }
    }
}

fn one(result: &Value) -> Reported {
    let text = result.text("issue_text");
    let lines = result.list("line_range").iter().filter_map(Value::as_u64);
    Reported {
        rule: format!("{}:{}", result.text("test_name"), result.text("test_id")),
        title: first([headline(&text), result.text("test_name")]),
        description: text,
        severity: severity::of_word(&result.text("issue_severity")),
        confidence: severity::confidence_of_word(&result.text("issue_confidence")),
        cwes: identifier::cwe(&result.text("issue_cwe.id")).into_iter().collect(),
        place: Some(Place {
            column: result.whole("col_offset").and_then(|n| u32::try_from(n + 1).ok()),
            end_line: lines.max().and_then(|n| u32::try_from(n).ok()),
            snippet: result.text("code"),
            ..Place::new(result.text("filename"), result.whole("line_number"))
        }),
        references: vec![result.text("more_info"), result.text("issue_cwe.link")],
        ..Reported::default()
    }
}
