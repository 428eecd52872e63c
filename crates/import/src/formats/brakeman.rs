//! Brakeman's JSON, 2 and newer.

use serde_json::Value;
use wardroom_model::{Confidence, Severity};

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Brakeman;

impl Format for Brakeman {
    fn name(&self) -> &'static str {
        "brakeman"
    }

    fn title(&self) -> &'static str {
        "Brakeman"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let warned = root.at("warnings").is_some_and(Value::is_array);
        let named = root.has("scan_info.brakeman_version")
            || root.list("warnings").iter().take(20).any(|w| w.has("warning_type") && w.has("fingerprint"));
        if warned && named { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        report.tool("", &root.text("scan_info.brakeman_version"));
        for (key, standing) in [("warnings", Standing::Open), ("ignored_warnings", Standing::Accepted)] {
            for (at, value) in root.list(key).iter().enumerate() {
                if value.is_object() {
                    report.found(Reported { standing, ..warning(value) });
                } else {
                    report.problem(&format!("{key}[{at}]"), "a warning is an object");
                }
            }
        }
        for error in root.list("errors") {
            report.problem(
                &error.text("location"),
                &format!("Brakeman could not read this: {}", error.text("error")),
            );
        }
    }
}

/// Brakeman says how sure it is, never how bad: the middle stands for all of them.
const SEVERITY: Severity = Severity::Medium;

fn warning(value: &Value) -> Reported {
    let message = value.text("message");
    let scope = match value.text("location.type").as_str() {
        "template" => value.text("location.template"),
        _ => [value.text("location.class"), value.text("location.method")]
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect::<Vec<_>>()
            .join("#"),
    };
    let rendered = value.list("render_path").iter().take(100).map(|step| Place {
        scope: format!("{}#{}", step.text("class"), step.text("method")),
        ..Place::new(step.text("file"), step.whole("line"))
    });
    Reported {
        rule: first([value.text("check_name"), value.text("warning_code")]),
        title: first([message.clone(), value.text("warning_type")]),
        description: paragraphs([
            labelled("Kind", &value.text("warning_type")),
            message.clone(),
            labelled("Input of the user", &value.text("user_input")),
            labelled("Note", &value.text("note")),
        ]),
        severity: Some(SEVERITY),
        confidence: match value.text("confidence").as_str() {
            "Weak" => Some(Confidence::Low),
            word => severity::confidence_of_word(word),
        },
        cwes: value.texts("cwe_id").iter().filter_map(|t| identifier::cwe(t)).collect(),
        ids: identifier::published(&message),
        tool_id: value.text("fingerprint"),
        place: Some(Place {
            scope,
            snippet: value.text("code"),
            ..Place::new(value.text("file"), value.whole("line"))
        }),
        places: rendered.collect(),
        references: vec![value.text("link")],
        tags: vec![value.text("warning_type")],
        ..Reported::default()
    }
}
