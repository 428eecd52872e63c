//! gosec's JSON, 2.

use serde_json::Value;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Gosec;

impl Format for Gosec {
    fn name(&self) -> &'static str {
        "gosec"
    }

    fn title(&self) -> &'static str {
        "gosec"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let ours = root.at("Issues").is_some() && root.has("Stats.files");
        let one = |i: &Value| i.has("rule_id") && i.has("details") && i.has("file");
        if ours || root.list("Issues").iter().take(20).any(one) { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        report.tool("", &root.text("GosecVersion"));
        for (at, issue) in root.list("Issues").iter().enumerate() {
            if issue.is_object() {
                report.found(one(issue));
            } else {
                report.problem(&format!("Issues[{at}]"), "an issue is an object");
            }
        }
        for (file, errors) in root.at("Golang errors").and_then(Value::as_object).into_iter().flatten() {
            let said = errors.as_array().into_iter().flatten().map(|e| e.text("error"));
            report.problem(
                file,
                &format!("gosec could not read it whole: {}", said.collect::<Vec<_>>().join("; ")),
            );
        }
    }
}

fn one(issue: &Value) -> Reported {
    // Several lines are `12-15`.
    let lines = issue.text("line");
    let (from, to) = lines.split_once('-').unwrap_or((&lines, ""));
    let reasons = issue.list("suppressions").iter().map(|s| s.text("justification"));
    let reasons = reasons.filter(|r| !r.is_empty()).collect::<Vec<_>>().join("; ");
    let suppressed = issue.text("nosec") == "true" || !issue.list("suppressions").is_empty();
    Reported {
        rule: issue.text("rule_id"),
        title: first([issue.text("details"), issue.text("rule_id")]),
        description: paragraphs([issue.text("details"), labelled("Suppressed", &reasons)]),
        remedy: issue.text("autofix"),
        severity: severity::of_word(&issue.text("severity")),
        confidence: severity::confidence_of_word(&issue.text("confidence")),
        cwes: identifier::cwe(&first([issue.text("cwe.id"), issue.text("cwe.ID")])).into_iter().collect(),
        place: Some(Place {
            column: issue.whole("column").and_then(|n| u32::try_from(n).ok()),
            end_line: to.parse().ok(),
            snippet: issue.text("code"),
            ..Place::new(issue.text("file"), from.parse().ok())
        }),
        references: vec![first([issue.text("cwe.url"), issue.text("cwe.URL")])],
        standing: if suppressed { Standing::Accepted } else { Standing::Open },
        ..Reported::default()
    }
}
