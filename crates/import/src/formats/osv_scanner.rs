//! OSV-Scanner's JSON, 1 and 2.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::package::{package_at, upgrade};
use crate::shape::Json as _;
use crate::wording::{first, headline, paragraphs, titled};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct OsvScanner;

impl Format for OsvScanner {
    fn name(&self) -> &'static str {
        "osv-scanner"
    }

    fn title(&self) -> &'static str {
        "OSV-Scanner"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let ours = |r: &Value| r.has("packages") && r.has("source");
        match root.list("results") {
            list if list.iter().take(20).any(ours) => Likeness::Sure,
            [] if root.at("results").is_some_and(Value::is_array) && root.has("experimental_config") => {
                Likeness::Sure
            }
            [] if root.at("results").is_some_and(Value::is_array)
                && root.as_object().is_some_and(|o| o.len() == 1) =>
            {
                Likeness::Maybe
            }
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        for (at, result) in root.list("results").iter().enumerate() {
            if !result.is_object() {
                report.problem(&format!("results[{at}]"), "a result is an object");
            }
            let file = result.text("source.path");
            for package in result.list("packages") {
                let mut scores: HashMap<String, f32> = HashMap::new();
                for group in package.list("groups") {
                    let score = group.number("max_severity");
                    group.texts("ids").into_iter().for_each(|id| scores.extend(score.map(|s| (id, s))));
                }
                for weak in package.list("vulnerabilities") {
                    report.found(one(&file, package, weak, &scores));
                }
            }
        }
    }
}

/// Stands where the database rates nothing.
const UNRATED: Severity = Severity::Low;

fn one(file: &str, holder: &Value, weak: &Value, scores: &HashMap<String, f32>) -> Reported {
    let (name, version) = (holder.text("package.name"), holder.text("package.version"));
    let ecosystem = holder.text("package.ecosystem");
    let id = weak.text("id");
    let mut ids = vec![id.clone()];
    ids.extend(weak.texts("aliases"));
    let same = |a: &&Value| a.text("package.name") == name || weak.list("affected").len() == 1;
    let affected: Vec<&Value> = weak.list("affected").iter().filter(same).collect();
    let events = affected.iter().flat_map(|a| a.list("ranges")).flat_map(|r| r.list("events"));
    let fixed: Vec<String> = events.map(|e| e.text("fixed")).filter(|f| !f.is_empty()).collect();
    let mut cwes = weak.texts("database_specific.cwe_ids");
    cwes.extend(affected.iter().flat_map(|a| a.list("database_specific.cwes")).map(|c| c.text("cweId")));
    let score = scores.get(&id).copied();
    // The newest vector stands last.
    let vectors = weak.list("severity").iter().map(|s| (s.text("type"), s.text("score")));
    let cvss = vectors.max().map(|(_, score)| score).unwrap_or_default();
    let (summary, details) = (weak.text("summary"), weak.text("details"));
    let rated = severity::of_word(&weak.text("database_specific.severity"))
        .or_else(|| score.map(severity::of_score))
        .or_else(|| severity::score_of(&cvss).map(severity::of_score));
    // Code that was put there to do harm is not rated by vector.
    let malicious = id.starts_with("MAL-").then_some(Severity::Critical);
    Reported {
        title: titled(&name, &first([summary.clone(), headline(&details), id.clone()])),
        description: paragraphs([summary, details]),
        remedy: upgrade(&name, &fixed),
        rule: id,
        severity: malicious.or(rated).or(Some(UNRATED)),
        cwes: cwes.iter().filter_map(|t| identifier::cwe(t)).collect(),
        score: score.filter(|_| severity::score_of(&cvss).is_none()),
        cvss,
        ids,
        place: Some(Place::new(file, None)),
        package: package_at("", &ecosystem, &name, &version),
        fixed_in: fixed,
        references: weak.list("references").iter().map(|r| r.text("url")).collect(),
        found: weak.text("published"),
        ..Reported::default()
    }
}
