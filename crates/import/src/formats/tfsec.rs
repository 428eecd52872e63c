//! tfsec's JSON, 0.x and 1.x.

use serde_json::Value;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::shape::Json as _;
use crate::wording::{first, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Tfsec;

impl Format for Tfsec {
    fn name(&self) -> &'static str {
        "tfsec"
    }

    fn title(&self) -> &'static str {
        "tfsec"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let ours = |r: &Value| r.has("rule_id") && r.has("location.filename") && r.has("severity");
        match root.list("results") {
            list if list.iter().take(20).any(ours) => Likeness::Sure,
            // tfsec writes a `null` where it found nothing.
            [] if root
                .as_object()
                .is_some_and(|o| o.len() == 1 && o.get("results") == Some(&Value::Null)) =>
            {
                Likeness::Maybe
            }
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        // A module that is used several times is told once for each use; it is mended in one place.
        let mut groups = Groups::default();
        for (at, result) in root.list("results").iter().enumerate() {
            if !result.is_object() {
                report.problem(&format!("results[{at}]"), "a result is an object");
                continue;
            }
            // `passed` and, by number, 1.
            if ["passed", "1"].contains(&result.text("status").as_str()) || result.text("passed") == "true" {
                continue;
            }
            let found = one(result);
            let place = found.place.clone().unwrap_or_default();
            groups.put(
                format!("{}\n{}\n{:?}\n{:?}", found.rule, place.file, place.line, place.end_line),
                found,
            );
        }
        groups.tell(report);
    }
}

fn one(result: &Value) -> Reported {
    let mut references = result.texts("links");
    references.push(result.text("link"));
    let about = result.text("rule_description");
    let description = result.text("description");
    Reported {
        rule: first([result.text("long_id"), result.text("rule_id")]),
        title: first([about.clone(), description.clone()]),
        description: paragraphs([description, about, result.text("impact")]),
        remedy: result.text("resolution"),
        severity: severity::of_word(&result.text("severity")),
        place: Some(Place {
            end_line: result
                .whole("location.end_line")
                .and_then(|n| u32::try_from(n).ok())
                .filter(|n| *n > 0),
            scope: result.text("resource"),
            ..Place::new(result.text("location.filename"), result.whole("location.start_line"))
        }),
        references,
        standing: match result.text("status").as_str() {
            "ignored" | "2" => Standing::Accepted,
            _ => Standing::Open,
        },
        tags: vec![result.text("rule_provider"), result.text("legacy_rule_id")],
        ..Reported::default()
    }
}
