//! Trivy's JSON: schema 2, the list of schema 1, and scans of Kubernetes clusters. Vulnerabilities, misconfigurations,
//! secrets and licences.

use serde_json::Value;

use super::{Format, Likeness};
use crate::package::{package_at, upgrade};
use crate::shape::Json as _;
use crate::wording::{first, headline, labelled, paragraphs, titled};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Trivy;

impl Format for Trivy {
    fn name(&self) -> &'static str {
        "trivy"
    }

    fn title(&self) -> &'static str {
        "Trivy"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let target = |r: &Value| r.has("Target") && (r.has("Type") || r.has("Class") || holds(r));
        let ours = match shape.json() {
            Some(Value::Array(list)) => list.iter().take(20).any(target),
            Some(root) => {
                (root.has("SchemaVersion") && (root.has("ArtifactName") || root.has("Results")))
                    || root.list("Results").iter().take(20).any(target)
                    || (root.at("ClusterName").is_some() && CLUSTER.iter().any(|key| root.has(key)))
            }
            None => false,
        };
        if ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        if let Value::Array(list) = root {
            results(list, "", "", report);
            return;
        }
        report.tool("", &root.text("Trivy.Version"));
        results(root.list("Results"), "Results", &root.text("ArtifactName"), report);
        for key in CLUSTER {
            for resource in root.list(key) {
                let name = format!("{} {}", resource.text("Kind"), resource.text("Name"));
                let space = resource.text("Namespace");
                let name = if space.is_empty() { name } else { format!("{name} in {space}") };
                results(resource.list("Results"), key, &name, report);
            }
        }
    }
}

/// Where the scan of a cluster keeps what it found; the first ones are those of older versions.
const CLUSTER: [&str; 4] = ["Vulnerabilities", "Misconfigurations", "Resources", "Findings"];

fn holds(result: &Value) -> bool {
    ["Vulnerabilities", "Misconfigurations", "Secrets", "Licenses"].iter().any(|key| result.has(key))
}

fn results(list: &[Value], at: &str, artifact: &str, report: &mut Report<'_>) {
    for (n, result) in list.iter().enumerate() {
        if !result.is_object() {
            report.problem(&format!("{at}[{n}]"), "a result is an object");
            continue;
        }
        let target = result.text("Target");
        let note = labelled("Scanned", artifact);
        let add = |mut found: Reported, report: &mut Report<'_>| {
            found.description = paragraphs([found.description, note.clone()]);
            report.found(found);
        };
        for weak in result.list("Vulnerabilities") {
            add(vulnerability(weak, &target, &result.text("Type")), report);
        }
        for wrong in result.list("Misconfigurations").iter().filter(|m| m.text("Status") != "PASS") {
            add(misconfiguration(wrong, &target), report);
        }
        for secret in result.list("Secrets") {
            add(self::secret(secret, &target), report);
        }
        for licence in result.list("Licenses") {
            add(self::licence(licence, &target), report);
        }
        // What an ignore file or a VEX document took out.
        for taken in result.list("ExperimentalModifiedFindings") {
            let Some(finding) = taken.at("Finding") else { continue };
            let found = match taken.text("Type").as_str() {
                "vulnerability" => vulnerability(finding, &target, &result.text("Type")),
                "misconfiguration" => misconfiguration(finding, &target),
                "secret" => secret(finding, &target),
                "license" => licence(finding, &target),
                _ => continue,
            };
            let standing = match taken.text("Status").as_str() {
                "not_affected" => Standing::FalsePositive,
                "fixed" => Standing::Fixed,
                _ => Standing::Accepted,
            };
            let description = paragraphs([found.description, labelled("Decided", &taken.text("Statement"))]);
            add(Reported { standing, description, ..found }, report);
        }
    }
}

fn vulnerability(weak: &Value, target: &str, kind: &str) -> Reported {
    let name = weak.text("PkgName");
    let id = weak.text("VulnerabilityID");
    let mut ids = vec![id.clone()];
    ids.extend(weak.texts("VendorIDs"));
    let (cvss, score) = vector(weak);
    let fixed: Vec<String> = weak.text("FixedVersion").split(',').map(|v| v.trim().to_owned()).collect();
    let fixed: Vec<String> = fixed.into_iter().filter(|v| !v.is_empty()).collect();
    let (title, description) = (weak.text("Title"), weak.text("Description"));
    let status = weak.text("Status");
    let mut references = vec![weak.text("PrimaryURL")];
    references.extend(weak.texts("References"));
    Reported {
        title: titled(&name, &first([title.clone(), headline(&description), id.clone()])),
        description: paragraphs([title, description, labelled("Status", &status.replace('_', " "))]),
        remedy: upgrade(&name, &fixed),
        rule: id,
        severity: severity::of_word(&weak.text("Severity")),
        cwes: weak.texts("CweIDs").iter().filter_map(|t| identifier::cwe(t)).collect(),
        cvss,
        score,
        ids,
        tool_id: weak.text("Fingerprint"),
        place: Some(Place::new(first([weak.text("PkgPath"), target.to_owned()]), None)),
        package: package_at(
            &first([weak.text("PkgIdentifier.PURL"), weak.text("Ref")]),
            kind,
            &name,
            &weak.text("InstalledVersion"),
        ),
        fixed_in: fixed,
        references,
        standing: if status == "not_affected" { Standing::FalsePositive } else { Standing::Open },
        found: weak.text("PublishedDate"),
        ..Reported::default()
    }
}

/// The newest vector of whoever rated the severity; of the NVD, GitHub and Red Hat, in this order, where they did not.
pub(super) fn vector(weak: &Value) -> (String, Option<f32>) {
    let Some(rated) = weak.at("CVSS").and_then(Value::as_object) else { return (String::new(), None) };
    let source = weak.text("SeveritySource");
    let named = [source.as_str(), "nvd", "ghsa", "redhat"].into_iter().filter_map(|name| rated.get(name));
    for value in named.chain(rated.values()) {
        for (vector, score) in [("V40Vector", "V40Score"), ("V3Vector", "V3Score"), ("V2Vector", "V2Score")] {
            if value.has(vector) {
                return (value.text(vector), value.number(score));
            }
        }
    }
    (String::new(), None)
}

fn misconfiguration(wrong: &Value, target: &str) -> Reported {
    let cause = wrong.at("CauseMetadata").unwrap_or(&Value::Null);
    let id = first([wrong.text("AVDID"), wrong.text("ID")]);
    let lines = cause.list("Code.Lines").iter().map(|l| l.text("Content")).collect::<Vec<_>>().join("\n");
    let mut references = vec![wrong.text("PrimaryURL")];
    references.extend(wrong.texts("References"));
    let message = wrong.text("Message");
    // Where the code that was called with these settings is called.
    let callers = cause.list("Occurrences").iter().take(50).map(|o| Place {
        scope: o.text("Resource"),
        ..Place::new(o.text("Filename"), o.whole("Location.StartLine"))
    });
    Reported {
        rule: first([wrong.text("ID"), id.clone()]),
        title: wrong.text("Title"),
        description: paragraphs([message, wrong.text("Description")]),
        remedy: wrong.text("Resolution"),
        severity: severity::of_word(&wrong.text("Severity")),
        ids: vec![id],
        place: Some(Place {
            end_line: cause.whole("EndLine").and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
            scope: cause.text("Resource"),
            snippet: lines,
            ..Place::new(target, cause.whole("StartLine"))
        }),
        places: callers.collect(),
        references,
        standing: if wrong.text("Status") == "EXCEPTION" { Standing::Accepted } else { Standing::Open },
        tags: vec![wrong.text("Type"), cause.text("Service")],
        ..Reported::default()
    }
}

fn secret(value: &Value, target: &str) -> Reported {
    let title = first([value.text("Title"), value.text("RuleID")]);
    Reported {
        title: format!("{title} in {target}"),
        description: labelled("Kind", &value.text("Category")),
        remedy: "Revoke the secret, make a new one and keep it out of the code.".to_owned(),
        rule: value.text("RuleID"),
        severity: severity::of_word(&value.text("Severity")),
        cwes: vec![798],
        place: Some(Place {
            end_line: value.whole("EndLine").and_then(|n| u32::try_from(n).ok()),
            // Trivy has put stars in the place of the secret.
            snippet: value.text("Match"),
            ..Place::new(target, value.whole("StartLine"))
        }),
        ..Reported::default()
    }
}

fn licence(value: &Value, target: &str) -> Reported {
    let (name, package) = (value.text("Name"), value.text("PkgName"));
    let file = first([value.text("FilePath"), target.to_owned()]);
    let what = first([package.clone(), file.clone()]);
    Reported {
        rule: name.clone(),
        title: format!("{what} is under the licence {name}"),
        description: paragraphs([
            labelled("Category", &value.text("Category")),
            labelled("Confidence", &value.text("Confidence")),
        ]),
        severity: severity::of_word(&value.text("Severity")),
        place: Some(Place::new(file, None)),
        package: package_at("", "", &package, ""),
        references: vec![value.text("Link")],
        tags: vec!["licence".to_owned()],
        ..Reported::default()
    }
}
