//! Dockle's JSON, 0.x.

use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Report, Reported, Shape};

/// The format.
#[derive(Debug)]
pub(super) struct Dockle;

impl Format for Dockle {
    fn name(&self) -> &'static str {
        "dockle"
    }

    fn title(&self) -> &'static str {
        "Dockle"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let listed = root.at("details").is_some();
        let counted = root.has("summary.fatal") && root.has("summary.pass");
        if listed && counted { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        for (at, check) in root.list("details").iter().enumerate() {
            if !check.is_object() {
                report.problem(&format!("details[{at}]"), "a check is an object");
                continue;
            }
            // What passed, was skipped or is to be ignored is no finding.
            let Some(severity) = severity_of(&check.text("level")) else { continue };
            let code = check.text("code");
            report.found(Reported {
                title: first([check.text("title"), code.clone()]),
                description: paragraphs([
                    check.texts("alerts").join("\n"),
                    labelled("Image", &root.text("image")),
                ]),
                severity: Some(severity),
                references: vec![format!(
                    "https://github.com/goodwithtech/dockle/blob/master/CHECKPOINT.md#{}",
                    code.to_lowercase()
                )],
                rule: code,
                ..Reported::default()
            });
        }
    }
}

fn severity_of(level: &str) -> Option<Severity> {
    match level {
        "FATAL" => Some(Severity::Critical),
        "WARN" => Some(Severity::Medium),
        "INFO" => Some(Severity::Low),
        _ => None,
    }
}
