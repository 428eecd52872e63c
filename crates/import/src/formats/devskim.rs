//! DevSkim's JSON, 0.x and 1.x. It writes SARIF as well.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::first;
use crate::{Place, Report, Reported, Shape, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Devskim;

impl Format for Devskim {
    fn name(&self) -> &'static str {
        "devskim"
    }

    fn title(&self) -> &'static str {
        "DevSkim"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours =
            |v: &Value| v.has("filename") && v.has("rule_id") && v.has("rule_name") && v.has("start_line");
        if shape.values().iter().take(20).any(ours) { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, value) in shape.values().iter().enumerate() {
            if !value.is_object() {
                report.problem(&format!("[{at}]"), "a finding is an object");
                continue;
            }
            let small = |key: &str| value.whole(key).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
            let description = value.text("description");
            report.found(Reported {
                rule: value.text("rule_id"),
                title: first([value.text("rule_name"), value.text("rule_id")]),
                remedy: value.text("recommendation"),
                description,
                severity: severity_of(&value.text("severity")),
                confidence: severity::confidence_of_word(&value.text("confidence")),
                place: Some(Place {
                    column: small("start_column"),
                    end_line: small("end_line"),
                    snippet: value.text("match"),
                    ..Place::new(value.text("filename"), value.whole("start_line"))
                }),
                tags: value.texts("tags"),
                ..Reported::default()
            });
        }
    }
}

fn severity_of(word: &str) -> Option<Severity> {
    match word.to_ascii_lowercase().as_str() {
        "bestpractice" | "best-practice" => Some(Severity::Low),
        "manualreview" | "manual-review" => Some(Severity::Info),
        other => severity::of_word(other),
    }
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn a_list_is_read() {
        let text = r#"[{"filename": "a.cs", "start_line": 3, "rule_id": "DS126858", "rule_name": "Weak hash",
            "severity": "Critical", "description": "d"}]"#;
        let read = read("a.json", text.as_bytes(), None).unwrap();
        assert_eq!((read.format, read.findings[0].title.as_str()), ("devskim", "Weak hash"));
    }
}
