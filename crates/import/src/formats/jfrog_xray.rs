//! JFrog Xray: the export of a component's issues, the unified report of violations, and what `jf` and on-demand
//! scans write.

use serde_json::Value;
use wardroom_model::Package;

use super::{Format, Likeness};
use crate::package;
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct JfrogXray;

impl Format for JfrogXray {
    fn name(&self) -> &'static str {
        "jfrog-xray"
    }

    fn title(&self) -> &'static str {
        "JFrog Xray"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(json) = shape.json() else { return Likeness::No };
        let exported = json.has("data.0.source_comp_id") || json.has("data.0.component_versions");
        let empty = json.list("data").is_empty() && json.has("data") && json.has("total_count");
        let unified = json.has("total_rows") && json.has("rows") || json.has("rows.0.vulnerable_component");
        let scanned = scans(json).iter().any(|s| {
            s.has("vulnerabilities.0.components") && s.has("vulnerabilities.0.severity")
                || s.has("scan_id") && s.has("component_id")
        });
        if exported || unified || scanned || empty { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(json) = shape.json() else { return };
        for one in json.list("data") {
            report.found(exported(one));
        }
        for one in json.list("rows") {
            report.found(unified(one));
        }
        for one in scans(json).iter().flat_map(|s| s.list("vulnerabilities")) {
            for (component, details) in one.at("components").and_then(Value::as_object).into_iter().flatten()
            {
                report.found(scanned(one, component, details));
            }
        }
    }
}

/// Scans, one or a list of them.
fn scans(json: &Value) -> &[Value] {
    json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice)
}

/// `9.8/CVSS:3.0/AV:N/…`: a score and its vector.
fn score_and_vector(text: &str) -> (Option<f32>, String) {
    let (score, vector) = text.split_once('/').unwrap_or((text, ""));
    (score.trim().parse().ok(), severity::vector(vector))
}

/// `deb://debian:stretch:libx11:2:1.6.4-3`: the kind, the name, the version. `component` is the name, where that is
/// told: versions hold colons too.
fn component(text: &str, component: &str) -> Option<Package> {
    let (kind, rest) = text.split_once("://").unwrap_or(("", text));
    let (name, version) = match rest.strip_prefix(component).and_then(|r| r.strip_prefix(':')) {
        Some(version) if !component.is_empty() => (component, version),
        _ => rest.rsplit_once(':').unwrap_or((rest, "")),
    };
    let kind = match kind {
        "gav" => "maven",
        "deb" => name.split(':').next().unwrap_or_default(),
        other => other,
    };
    let package = package::package(kind, name, version)?;
    // A package URL names the system package alone, without distribution and release.
    let system = matches!(kind, "debian" | "ubuntu");
    let plain = name.rsplit(':').next().unwrap_or(name);
    match package::package(kind, plain, version) {
        Some(short) if system => Some(Package { purl: short.purl, ..package }),
        _ => Some(package),
    }
}

/// The names, classes and vectors of all CVEs of an issue.
fn published(cves: &[Value], finding: &mut Reported) {
    for cve in cves {
        finding.ids.extend(identifier::published(&first([cve.text("cve"), cve.text("id")])));
        finding.cwes.extend(cve.texts("cwe").iter().filter_map(|c| identifier::cwe(c)));
        let vector = first([cve.text("cvss_v3_vector"), cve.text("cvss_v2_vector")]);
        let score = cve.number("cvss_v3_score").or_else(|| cve.number("cvss_v2_score"));
        let (packed_score, packed) = score_and_vector(&first([cve.text("cvss_v3"), cve.text("cvss_v2")]));
        if finding.cvss.is_empty() {
            finding.cvss = severity::vector(&first([vector, packed]));
            finding.score = score.or(packed_score).filter(|s| *s > 0.0);
        }
    }
}

fn exported(one: &Value) -> Reported {
    let at = one.text("source_comp_id");
    let package = component(&at, &one.text("component"));
    let details = one.at("component_versions").unwrap_or(&Value::Null);
    let fixed = details.texts("fixed_versions");
    // `≥ 1.2` is from 1.2 on.
    let fixed_in: Vec<String> = fixed.iter().map(|f| f.trim_start_matches(['≥', ' ']).to_owned()).collect();
    let name = package.as_ref().map(|p| p.name.clone()).unwrap_or_default();
    let mut finding = Reported {
        title: title(&one.text("summary"), package.as_ref()),
        description: paragraphs([
            one.text("summary"),
            details.text("more_details.description"),
            labelled("Affected", &details.texts("vulnerable_versions").join(", ")),
        ]),
        remedy: package::upgrade(&name, &fixed_in),
        severity: severity::of_word(&one.text("severity")),
        tool_id: one.text("id"),
        place: (!at.is_empty()).then(|| Place::new(at, None)),
        package,
        fixed_in,
        found: one.text("created"),
        tags: vec![one.text("issue_type"), one.text("provider")],
        ..Reported::default()
    };
    published(details.list("more_details.cves"), &mut finding);
    finding.rule = first([one.text("id"), finding.ids.first().cloned().unwrap_or_default()]);
    finding
}

fn title(summary: &str, package: Option<&Package>) -> String {
    let on = package.map(|p| format!("{} {}", p.name, p.version)).unwrap_or_default();
    let summary = crate::wording::headline(summary);
    [on.trim(), &summary].iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join(": ")
}

fn unified(one: &Value) -> Reported {
    let package = component(&one.text("vulnerable_component"), "");
    let fixed: Vec<String> = one
        .texts("fixed_versions")
        .iter()
        .map(|f| f.trim_matches(['[', ']', '(', ')', '≥', ' ', ',']).to_owned())
        .collect();
    let name = package.as_ref().map(|p| p.name.clone()).unwrap_or_default();
    let path = first([one.text("impacted_artifact"), one.text("path")]);
    let mut finding = Reported {
        rule: one.text("issue_id"),
        title: title(&one.text("summary"), package.as_ref()),
        description: paragraphs([
            one.text("summary"),
            one.text("description"),
            labelled("Artifact", &path),
            labelled("Affected", &one.texts("vulnerable_versions").join(", ")),
        ]),
        remedy: package::upgrade(&name, &fixed),
        severity: severity::of_word(&one.text("severity")),
        place: (!path.is_empty()).then(|| Place::new(path, None)),
        package,
        fixed_in: fixed,
        references: one.texts("references"),
        found: first([one.text("artifact_scan_time"), one.text("published")]),
        tags: vec![one.text("package_type"), one.text("provider")],
        ..Reported::default()
    };
    published(one.list("cves"), &mut finding);
    finding
}

fn scanned(one: &Value, at: &str, details: &Value) -> Reported {
    let package = component(at, "");
    let fixed: Vec<String> =
        details.texts("fixed_versions").iter().map(|f| f.trim_matches(['[', ']', ' ']).to_owned()).collect();
    let name = package.as_ref().map(|p| p.name.clone()).unwrap_or_default();
    // The way from what was scanned to the component.
    let path: Vec<String> = details
        .list("impact_paths")
        .first()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|step| first([step.text("full_path"), step.text("component_id")]))
        .collect();
    let mut finding = Reported {
        rule: one.text("issue_id"),
        title: title(&one.text("summary"), package.as_ref()),
        description: paragraphs([
            one.text("summary"),
            one.text("extended_information.full_description"),
            labelled("Path", &path.join(" → ")),
        ]),
        remedy: first([one.text("extended_information.remediation"), package::upgrade(&name, &fixed)]),
        severity: severity::of_word(&one.text("severity")),
        package,
        fixed_in: fixed,
        references: one.texts("references"),
        ..Reported::default()
    };
    published(one.list("cves"), &mut finding);
    finding
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn the_unified_report_and_scans() {
        let rows = br#"{"total_rows": 1, "rows": [{"cves": [{"cve": "CVE-2020-0001", "cvss_v3_score": 7.5, "cvss_v3_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
            "summary": "Slow", "severity": "High", "vulnerable_component": "npm://lodash:4.17.11", "impacted_artifact": "docker://app:1", "path": "p",
            "fixed_versions": ["4.17.21"], "issue_id": "XRAY-1", "package_type": "npm"}]}"#;
        let scans = br#"[{"scan_id": "s", "component_id": "app", "vulnerabilities": [{"cves": [{"cve": "CVE-2020-0001", "cvss_v3_score": "7.5"}], "summary": "Slow",
            "severity": "High", "issue_id": "XRAY-1", "components": {"npm://lodash:4.17.11": {"fixed_versions": ["[4.17.21]"], "impact_paths": [[{"component_id": "app"}, {"component_id": "npm://lodash:4.17.11"}]]}}}]}]"#;
        for report in [rows.as_slice(), scans] {
            let imported = read("x.json", report, None).unwrap();
            let [finding] = &imported.findings[..] else { panic!() };
            assert_eq!(
                (imported.format, finding.severity, finding.score),
                ("jfrog-xray", Some(Severity::High), Some(7.5))
            );
            assert_eq!(finding.package.as_ref().unwrap().purl, "pkg:npm/lodash@4.17.11");
            assert_eq!(
                (finding.rule.as_str(), finding.fixed_in.as_slice()),
                ("XRAY-1", ["4.17.21".to_owned()].as_slice())
            );
        }
    }
}
