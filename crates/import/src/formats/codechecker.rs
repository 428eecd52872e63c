//! CodeChecker's JSON: `CodeChecker parse -e json` and `CodeChecker cmd results -o json`.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Codechecker;

impl Format for Codechecker {
    fn name(&self) -> &'static str {
        "codechecker"
    }

    fn title(&self) -> &'static str {
        "CodeChecker"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = |r: &Value| {
            (r.has("report_hash") && r.has("checker_name")) || (r.has("bugHash") && r.has("checkerId"))
        };
        let empty = shape.json().is_some_and(|root| {
            root.at("reports").is_some_and(|r| r.as_array().is_some_and(Vec::is_empty)) && root.has("version")
        });
        if empty || reports(shape).iter().take(20).any(ours) { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, value) in reports(shape).iter().enumerate() {
            if value.is_object() {
                report.found(one(value));
            } else {
                report.problem(&format!("reports[{at}]"), "a report is an object");
            }
        }
    }
}

/// Under a key, or a list as the server gives it.
fn reports(shape: &Shape) -> &[Value] {
    match shape.json() {
        Some(Value::Array(list)) => list,
        Some(root) => root.list("reports"),
        None => &[],
    }
}

/// CodeChecker's server counts its severities, and has a step of its own for style.
fn severity_of(word: &str) -> Option<Severity> {
    match word.to_ascii_uppercase().as_str() {
        "20" => Some(Severity::Low),
        "30" => Some(Severity::Medium),
        "40" => Some(Severity::High),
        "50" => Some(Severity::Critical),
        "STYLE" | "10" | "UNSPECIFIED" | "0" => Some(Severity::Info),
        other => severity::of_word(other),
    }
}

fn one(value: &Value) -> Reported {
    let place = |step: &Value| Place {
        column: step.whole("column").and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
        ..Place::new(
            first([step.text("file.path"), step.text("file.original_path"), step.text("checkedFile")]),
            step.whole("line"),
        )
    };
    let message = first([value.text("message"), value.text("checkerMsg")]);
    let comments = value.list("source_code_comments").iter().map(|c| c.text("message"));
    let comments = comments.filter(|c| !c.is_empty()).collect::<Vec<_>>().join("\n");
    let review = first([
        value.text("review_status"),
        value.text("reviewData.status"),
        value.text("source_code_comments.0.status"),
    ]);
    Reported {
        rule: first([value.text("checker_name"), value.text("checkerId")]),
        title: message.clone(),
        description: paragraphs([
            message,
            labelled("Analyser", &value.text("analyzer_name")),
            labelled("Review", &first([comments, value.text("reviewData.comment")])),
        ]),
        severity: severity_of(&value.text("severity")),
        tool_id: first([value.text("report_hash"), value.text("bugHash")]),
        place: Some(place(value)),
        places: value.list("bug_path_events").iter().take(100).map(place).collect(),
        standing: match review.to_ascii_lowercase().as_str() {
            "false_positive" | "suppress" | "2" => Standing::FalsePositive,
            "intentional" | "3" => Standing::Accepted,
            _ if !value.text("fixedAt").is_empty() => Standing::Fixed,
            _ => Standing::Open,
        },
        tags: vec![value.text("category")],
        ..Reported::default()
    }
}
