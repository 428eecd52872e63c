//! RuboCop's JSON, 1. Only its cops of security are findings: the others judge style.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::{Place, Report, Reported, Shape};

/// The format.
#[derive(Debug)]
pub(super) struct Rubocop;

impl Format for Rubocop {
    fn name(&self) -> &'static str {
        "rubocop"
    }

    fn title(&self) -> &'static str {
        "RuboCop"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let ours = root.has("metadata.rubocop_version")
            || root.list("files").iter().take(20).any(|f| f.has("path") && f.has("offenses"));
        if ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        report.tool("", &root.text("metadata.rubocop_version"));
        for (at, file) in root.list("files").iter().enumerate() {
            if !file.is_object() {
                report.problem(&format!("files[{at}]"), "a file is an object");
            }
            let path = file.text("path");
            let offences =
                file.list("offenses").iter().filter(|o| o.text("cop_name").starts_with("Security/"));
            offences.for_each(|offence| report.found(one(offence, &path)));
        }
    }
}

fn one(offence: &Value, file: &str) -> Reported {
    let small = |key: &str| offence.whole(key).and_then(|n| u32::try_from(n).ok());
    let message = offence.text("message");
    let cop = offence.text("cop_name");
    let name = cop.trim_start_matches("Security/").to_ascii_lowercase();
    Reported {
        // Messages begin with the cop's name where RuboCop is told to.
        title: message.strip_prefix(&format!("{cop}: ")).unwrap_or(&message).to_owned(),
        description: message,
        // Every cop of security is a convention to RuboCop, however bad what it found is.
        severity: match offence.text("severity").as_str() {
            "fatal" => Some(Severity::Critical),
            "error" => Some(Severity::High),
            _ => Some(Severity::Medium),
        },
        place: Some(Place {
            column: small("location.start_column").or_else(|| small("location.column")),
            end_line: small("location.last_line"),
            ..Place::new(
                file,
                offence.whole("location.start_line").or_else(|| offence.whole("location.line")),
            )
        }),
        references: vec![format!("https://docs.rubocop.org/rubocop/cops_security.html#security{name}")],
        rule: cop,
        ..Reported::default()
    }
}
