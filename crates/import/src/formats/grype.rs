//! Grype's JSON, which Anchore's products write as well.

use serde_json::Value;

use super::{Format, Likeness};
use crate::package::{package_at, upgrade};
use crate::shape::Json as _;
use crate::wording::{first, headline, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Grype;

impl Format for Grype {
    fn name(&self) -> &'static str {
        "grype"
    }

    fn title(&self) -> &'static str {
        "Grype"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let Some(matches) = root.at("matches").and_then(Value::as_array) else { return Likeness::No };
        let ours = matches.iter().take(20).any(|m| m.has("vulnerability") && m.has("artifact"));
        let empty = matches.is_empty() && root.text("descriptor.name") == "grype";
        if ours || empty { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        report.tool(&root.text("descriptor.name"), &root.text("descriptor.version"));
        let scanned = first([
            root.text("source.target.userInput"),
            root.text("source.target.path"),
            root.text("source.target"),
        ]);
        for (at, found) in root.list("matches").iter().enumerate() {
            if found.has("vulnerability") {
                report.found(one(found, &scanned));
            } else {
                report.problem(&format!("matches[{at}]"), "a match has a vulnerability");
            }
        }
    }
}

fn one(found: &Value, scanned: &str) -> Reported {
    let nothing = Value::Null;
    let weak = found.at("vulnerability").unwrap_or(&nothing);
    let artifact = found.at("artifact").unwrap_or(&nothing);
    let related = found.list("relatedVulnerabilities");
    let id = weak.text("id");
    let mut ids = vec![id.clone()];
    ids.extend(related.iter().map(|r| r.text("id")));
    let description = first([
        weak.text("description"),
        related.iter().map(|r| r.text("description")).find(|d| !d.is_empty()).unwrap_or_default(),
    ]);
    // What the distribution or the ecosystem says goes before what the NVD says.
    let rated = weak.list("cvss").iter().chain(related.iter().flat_map(|r| r.list("cvss")));
    let mut rated: Vec<&Value> = rated.filter(|c| c.has("vector")).collect();
    rated.sort_by_key(|c| match c.text("version").as_bytes().first() {
        Some(b'4') => 0,
        Some(b'3') => 1,
        _ => 2,
    });
    let main = rated.first().copied().unwrap_or(&nothing);
    let (name, version) = (artifact.text("name"), artifact.text("version"));
    let fixed = weak.texts("fix.versions");
    let mut places = artifact.list("locations").iter().take(100).map(|l| Place::new(l.text("path"), None));
    let kind = first([artifact.text("type"), artifact.text("language")]);
    let mut references = vec![weak.text("dataSource")];
    references.extend(weak.texts("urls"));
    references.extend(related.iter().flat_map(|r| [vec![r.text("dataSource")], r.texts("urls")].concat()));
    references.extend(weak.list("advisories").iter().map(|a| a.text("link")));
    let mut classes: Vec<String> = weak.list("cwes").iter().map(|c| c.text("cwe")).collect();
    classes.extend(related.iter().flat_map(|r| r.list("cwes")).map(|c| c.text("cwe")));
    Reported {
        title: format!("{name} {version}: {}", first([headline(&description), id.clone()])),
        description: paragraphs([description, labelled("Scanned", scanned)]),
        remedy: match weak.text("fix.state").as_str() {
            "wont-fix" => format!("Its makers will not mend it: replace {name} or accept the risk."),
            _ => upgrade(&name, &fixed),
        },
        rule: id,
        severity: severity::of_word(&weak.text("severity"))
            .or_else(|| related.iter().find_map(|r| severity::of_word(&r.text("severity")))),
        cwes: classes.iter().filter_map(|t| identifier::cwe(t)).collect(),
        cvss: main.text("vector"),
        score: main.number("metrics.baseScore"),
        ids,
        place: places.next(),
        places: places.collect(),
        package: package_at(&artifact.text("purl"), &kind, &name, &version),
        fixed_in: fixed,
        references,
        tags: vec![weak.text("namespace")],
        ..Reported::default()
    }
}
