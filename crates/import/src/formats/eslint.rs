//! ESLint's JSON, 4 and newer.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing};

/// The format.
#[derive(Debug)]
pub(super) struct Eslint;

impl Format for Eslint {
    fn name(&self) -> &'static str {
        "eslint"
    }

    fn title(&self) -> &'static str {
        "ESLint"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = files(shape).iter().take(20).any(|f| f.has("filePath") && f.has("messages"));
        if ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, file) in files(shape).iter().enumerate() {
            if !file.is_object() {
                report.problem(&format!("[{at}]"), "a file is an object");
            }
            let source = file.text("source");
            let lines: Vec<&str> = source.lines().collect();
            for (key, standing) in [("messages", Standing::Open), ("suppressedMessages", Standing::Accepted)]
            {
                for message in file.list(key).iter().filter(|m| m.is_object()) {
                    report.found(Reported { standing, ..one(message, &file.text("filePath"), &lines) });
                }
            }
        }
    }
}

/// A list; `json-with-metadata` keeps it under a key.
fn files(shape: &Shape) -> &[Value] {
    match shape.json() {
        Some(Value::Array(list)) => list,
        Some(root) => root.list("results"),
        None => &[],
    }
}

fn one(message: &Value, file: &str, lines: &[&str]) -> Reported {
    let line = message.whole("line");
    let code = line.and_then(|n| usize::try_from(n).ok()?.checked_sub(1)).and_then(|n| lines.get(n));
    let reasons = message.list("suppressions").iter().map(|s| s.text("justification"));
    let reasons = reasons.filter(|r| !r.is_empty()).collect::<Vec<_>>().join("; ");
    let small = |key: &str| message.whole(key).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    Reported {
        rule: message.text("ruleId"),
        title: first([message.text("message"), message.text("ruleId")]),
        description: paragraphs([message.text("message"), labelled("Suppressed", &reasons)]),
        // 2 is an error and 1 a warning.
        severity: match message.whole("severity") {
            Some(2) => Some(Severity::High),
            Some(1) => Some(Severity::Medium),
            _ => None,
        },
        place: Some(Place {
            column: small("column"),
            end_line: small("endLine"),
            snippet: code.map(|c| c.trim().to_owned()).unwrap_or_default(),
            ..Place::new(file, line)
        }),
        ..Reported::default()
    }
}
