//! Hadolint's JSON, 1 and 2.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::first;
use crate::{Place, Report, Reported, Shape};

/// The format.
#[derive(Debug)]
pub(super) struct Hadolint;

impl Format for Hadolint {
    fn name(&self) -> &'static str {
        "hadolint"
    }

    fn title(&self) -> &'static str {
        "Hadolint"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = |v: &Value| {
            let code = v.text("code");
            let named = code.starts_with("DL") || code.starts_with("SC");
            named && v.has("level") && v.has("file") && v.has("line") && v.has("message")
        };
        if shape.values().iter().take(20).any(ours) { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, value) in shape.values().iter().enumerate() {
            if value.is_object() {
                report.found(one(value));
            } else {
                report.problem(&format!("[{at}]"), "a finding is an object");
            }
        }
    }
}

fn one(value: &Value) -> Reported {
    let code = value.text("code");
    let reference = match code.starts_with("SC") {
        true => format!("https://www.shellcheck.net/wiki/{code}"),
        false => format!("https://github.com/hadolint/hadolint/wiki/{code}"),
    };
    Reported {
        title: first([value.text("message"), code.clone()]),
        description: value.text("message"),
        severity: match value.text("level").as_str() {
            "error" => Some(Severity::Critical),
            "warning" => Some(Severity::High),
            "info" => Some(Severity::Info),
            "style" => Some(Severity::Low),
            _ => None,
        },
        place: Some(Place {
            column: value.whole("column").and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
            ..Place::new(value.text("file"), value.whole("line"))
        }),
        references: vec![reference],
        rule: code,
        ..Reported::default()
    }
}
