//! OWASP Dependency-Track: its file of findings (FPF 1.0 to 1.3), and what its API answers.

use serde_json::Value;

use super::{Format, Likeness};
use crate::package;
use crate::shape::Json as _;
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct DependencyTrack;

impl Format for DependencyTrack {
    fn name(&self) -> &'static str {
        "dependency-track"
    }

    fn title(&self) -> &'static str {
        "OWASP Dependency-Track"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Json(Value::Array(list)) => list.first().is_some_and(finding),
            Shape::Json(json) => {
                json.text("meta.application").contains("Dependency-Track")
                    || json.has("meta") && json.at("findings.0").is_some_and(finding)
            }
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(json) = shape.json() else { return };
        report.tool("Dependency-Track", &json.text("meta.version"));
        let list = json.as_array().map_or(json.list("findings"), Vec::as_slice);
        let found = json.text("meta.timestamp");
        for (at, one) in list.iter().enumerate() {
            if finding(one) {
                report.found(Reported { found: found.clone(), ..reported(one) });
            } else {
                report.problem(&format!("findings[{at}]"), "a finding has a component and a vulnerability");
            }
        }
    }
}

fn finding(one: &Value) -> bool {
    one.has("component") && one.has("vulnerability.vulnId")
}

fn reported(one: &Value) -> Reported {
    let weak = one.at("vulnerability").unwrap_or(&Value::Null);
    let component = one.at("component").unwrap_or(&Value::Null);
    let id = weak.text("vulnId");
    let purl = component.text("purl");
    let name = match (component.text("group"), component.text("name")) {
        (group, name) if group.is_empty() => name,
        (group, name) if purl.starts_with("pkg:maven/") => format!("{group}:{name}"),
        (group, name) if purl.starts_with("pkg:npm/") => format!("{group}/{name}"),
        (_, name) => name,
    };
    let package = package::package_at(&purl, "", &name, &component.text("version"));
    let aliases = weak.list("aliases").iter().filter_map(Value::as_object);
    let aliases: Vec<String> =
        aliases.flat_map(|a| a.values().filter_map(Value::as_str).map(str::to_owned)).collect();
    let mut ids = identifier::published(&format!("{id} {}", aliases.join(" ")));
    if identifier::published(&id).is_empty() {
        ids.push(id.clone());
    }
    let state = one.text("analysis.state");
    let suppressed = one.at("analysis.isSuppressed").and_then(Value::as_bool) == Some(true);
    let title = first([weak.text("title"), weak.text("subtitle")]);
    let on = package.as_ref().map(|p| format!("{} {}", p.name, p.version)).unwrap_or_default();
    let fixed = component.text("latestVersion");
    Reported {
        title: [format!("{id} in {}", on.trim()), title].join(": ").trim_end_matches(": ").to_owned(),
        description: paragraphs([
            weak.text("description"),
            labelled("Newest version", &fixed),
            labelled("Analysis", &state.replace('_', " ").to_ascii_lowercase()),
        ]),
        remedy: weak.text("recommendation"),
        severity: severity::of_word(&weak.text("severity")),
        cwes: weak
            .list("cwes")
            .iter()
            .map(|c| c.text("cweId"))
            .chain([weak.text("cweId")])
            .filter_map(|c| identifier::cwe(&c))
            .collect(),
        cvss: severity::vector(&first([
            weak.text("cvssV4Vector"),
            weak.text("cvssV3Vector"),
            weak.text("cvssV2Vector"),
        ])),
        score: ["cvssV4BaseScore", "cvssV3BaseScore", "cvssV2BaseScore"].iter().find_map(|k| weak.number(k)),
        ids,
        tool_id: one.text("matrix"),
        package,
        references: links(&weak.text("references").replace("](", " ")),
        standing: match state.as_str() {
            "FALSE_POSITIVE" | "NOT_AFFECTED" => Standing::FalsePositive,
            "RESOLVED" => Standing::Fixed,
            _ if suppressed => Standing::Accepted,
            _ => Standing::Open,
        },
        tags: vec![weak.text("source")],
        rule: id,
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn its_file_of_findings() {
        let report = br#"{"version": "1.2", "meta": {"application": "Dependency-Track", "version": "4.11.0", "timestamp": "then"}, "project": {"name": "p"}, "findings": [
            {"component": {"name": "core", "group": "@babel", "version": "7.0.0", "purl": "pkg:npm/%40babel/core@7.0.0", "latestVersion": "7.24.0"},
             "vulnerability": {"source": "GITHUB", "vulnId": "GHSA-aaaa-bbbb-cccc", "title": "Weak", "severity": "HIGH", "cvssV3BaseScore": 7.5,
               "cwes": [{"cweId": 1321, "name": "n"}], "aliases": [{"cveId": "CVE-2020-0001", "ghsaId": "GHSA-aaaa-bbbb-cccc"}], "description": "d"},
             "analysis": {"state": "NOT_AFFECTED", "isSuppressed": true}, "matrix": "p:c:v"}, {"component": {}}]}"#;
        let imported = read("f.json", report, None).unwrap();
        let [finding] = &imported.findings[..] else { panic!() };
        assert_eq!((imported.format, imported.problems.len()), ("dependency-track", 1));
        assert_eq!((finding.severity, finding.score), (Some(Severity::High), Some(7.5)));
        assert_eq!(finding.package.as_ref().unwrap().name, "@babel/core");
        assert_eq!((finding.ids.len(), finding.cwes.as_slice()), (2, [1321].as_slice()));
        assert_eq!(finding.standing, Standing::FalsePositive);
    }
}
