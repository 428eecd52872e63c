//! GitLab's security reports, schemas 2 to 15: SAST, DAST, dependency, container and secret scanning, fuzzing of APIs
//! and by coverage. They are one format, whichever analyser wrote them.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_model::{Confidence, Package};

use super::{Format, Likeness};
use crate::package::package;
use crate::shape::Json as _;
use crate::wording::{first, headline, joined, labelled, paragraphs};
use crate::{Address, Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Gitlab;

impl Format for Gitlab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn title(&self) -> &'static str {
        "GitLab security report"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let found = found(shape);
        let ours = found.iter().take(20).filter(|v| {
            let named =
                v.list("identifiers").iter().any(|i| i.has("type") && (i.has("name") || i.has("value")));
            named && v.at("location").is_some_and(Value::is_object)
        });
        let Some(root) = shape.json() else { return Likeness::No };
        match root {
            _ if ours.count() > 0 => Likeness::Sure,
            Value::Object(_) if root.at("vulnerabilities").is_some_and(Value::is_array) => {
                let scan = root.has("scan.scanner") || root.has("scan.type");
                if scan || root.at("remediations").is_some_and(Value::is_array) {
                    Likeness::Sure
                } else {
                    Likeness::No
                }
            }
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let nothing = Value::Null;
        let root = shape.json().unwrap_or(&nothing);
        report.tool(&root.text("scan.scanner.name"), &root.text("scan.scanner.version"));
        let around = Around::of(root);
        for (at, value) in found(shape).iter().enumerate() {
            if value.is_object() {
                report.found(one(value, &around));
            } else {
                report.problem(&format!("vulnerabilities[{at}]"), "a vulnerability is an object");
            }
        }
    }
}

/// The findings: under a key, or, in the first version, the whole document.
fn found(shape: &Shape) -> &[Value] {
    match shape.json() {
        Some(Value::Array(list)) => list,
        Some(root) => root.list("vulnerabilities"),
        None => &[],
    }
}

fn one(value: &Value, around: &Around<'_>) -> Reported {
    let nothing = Value::Null;
    let location = value.at("location").unwrap_or(&nothing);
    let names = value.list("identifiers");
    let is = |i: &&Value, kind: &str| i.text("type").eq_ignore_ascii_case(kind);
    let classes = names.iter().filter(|i| is(i, "cwe"));
    let cwes = classes
        .filter_map(|i| identifier::cwe(&i.text("value")).or_else(|| identifier::cwe(&i.text("name"))));
    let published: Vec<String> = names
        .iter()
        .flat_map(|i| identifier::published(&format!("{} {}", i.text("value"), i.text("name"))))
        .collect();
    let rule = names.iter().find(|i| !["cwe", "owasp", "cve", "ghsa"].iter().any(|kind| is(i, kind)));
    let package = package_of(location, around);
    let title = first([value.text("name"), value.text("message")]);
    let title = match (&package, published.first()) {
        _ if !title.is_empty() => title,
        (Some(package), Some(id)) => format!("{id} in {}", package.name),
        _ => first([
            published.first().cloned().unwrap_or_default(),
            names.first().map(|i| i.text("name")).unwrap_or_default(),
            headline(&value.text("description")),
        ]),
    };
    let crash = [location.text("crash_type"), location.text("crash_state")].join("\n");
    Reported {
        title,
        description: paragraphs([
            first([value.text("description"), value.text("message")]),
            labelled("Crash", &crash),
            labelled("Stack trace", &location.text("stacktrace_snippet")),
            labelled("Evidence", &value.text("evidence.summary")),
            labelled("Operating system", &location.text("operating_system")),
        ]),
        remedy: remedy(value, around),
        rule: first([
            rule.map(|r| r.text("value")).unwrap_or_default(),
            published.first().cloned().unwrap_or_default(),
        ]),
        severity: severity::of_word(&value.text("severity")),
        confidence: confidence(&value.text("confidence")),
        cwes: cwes.collect(),
        ids: published,
        tool_id: first([value.text("id"), value.text("cve")]),
        place: place(location),
        addresses: address(value, location).into_iter().collect(),
        package,
        references: value
            .list("links")
            .iter()
            .chain(names)
            .map(|l| l.text("url"))
            .filter(|url| url.contains("://"))
            .collect(),
        found: value.text("discovered_at"),
        tags: value.list("flags").iter().map(|f| f.text("type")).collect(),
        ..Reported::default()
    }
}

fn confidence(word: &str) -> Option<Confidence> {
    match word.to_ascii_lowercase().as_str() {
        "experimental" | "ignore" => Some(Confidence::Low),
        other => severity::confidence_of_word(other),
    }
}

/// What stands beside the findings in a report.
#[derive(Debug, Default)]
struct Around<'a> {
    /// Changes that mend a finding, by its `id` or, in older schemas, its `cve`.
    changes: HashMap<String, &'a Value>,
    /// Package managers by the file of dependencies.
    managers: HashMap<String, String>,
}

impl<'a> Around<'a> {
    fn of(root: &'a Value) -> Around<'a> {
        let mut around = Around::default();
        for change in root.list("remediations") {
            for name in change.list("fixes").iter().flat_map(|f| [f.text("id"), f.text("cve")]) {
                around.changes.entry(name).or_insert(change);
            }
        }
        let files = root.list("dependency_files").iter();
        around.managers = files.map(|f| (f.text("path"), f.text("package_manager"))).collect();
        around
    }
}

/// The solution, and the change that the report brings along for this finding.
fn remedy(value: &Value, around: &Around<'_>) -> String {
    let names = [value.text("id"), value.text("cve")];
    let change = names.iter().filter(|n| !n.is_empty()).find_map(|n| around.changes.get(n));
    let solution = value.text("solution");
    let solution =
        if solution.eq_ignore_ascii_case("no solution provided") { String::new() } else { solution };
    paragraphs([solution, change.map(|c| c.text("summary")).unwrap_or_default()])
}

fn place(location: &Value) -> Option<Place> {
    let file =
        first([location.text("file"), location.text("image"), location.text("kubernetes_resource.name")]);
    let scope: Vec<String> =
        ["class", "method"].iter().map(|k| location.text(k)).filter(|t| !t.is_empty()).collect();
    // In reports of DAST the method is that of HTTP.
    let scope = if location.has("hostname") { String::new() } else { scope.join("#") };
    (!file.is_empty()).then(|| Place {
        end_line: location.whole("end_line").and_then(|n| u32::try_from(n).ok()),
        scope,
        ..Place::new(file, location.whole("start_line"))
    })
}

fn address(value: &Value, location: &Value) -> Option<Address> {
    let evidence = value.at("evidence").unwrap_or(&Value::Null);
    let host = location.text("hostname");
    if host.is_empty() && !evidence.has("request") {
        return None;
    }
    Some(Address {
        url: first([joined(&host, &location.text("path")), evidence.text("request.url")]),
        method: first([location.text("method"), evidence.text("request.method")]),
        parameter: location.text("param"),
        evidence: evidence.text("summary"),
        request: message(evidence, "request"),
        response: message(evidence, "response"),
        ..Address::default()
    })
}

/// A request or a response, put together as it went over the line.
fn message(evidence: &Value, kind: &str) -> String {
    let Some(value) = evidence.at(kind) else { return String::new() };
    let start = match kind {
        "request" => [value.text("method"), value.text("url")],
        _ => [value.text("status_code"), value.text("reason_phrase")],
    };
    let headers = value.list("headers").iter().map(|h| format!("{}: {}", h.text("name"), h.text("value")));
    let mut lines = vec![start.join(" ")];
    lines.extend(headers);
    let body = value.text("body");
    if !body.is_empty() {
        lines.extend([String::new(), body]);
    }
    lines.join("\n").trim().to_owned()
}

fn package_of(location: &Value, around: &Around<'_>) -> Option<Package> {
    let manager = around.managers.get(&location.text("file")).cloned().unwrap_or_default();
    let ecosystem = first([manager, location.text("operating_system")]);
    let name = location.text("dependency.package.name");
    package(&ecosystem, &name, &location.text("dependency.version"))
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn secrets_and_the_first_version_are_read() {
        let old = r#"[{"category": "sast", "message": "Bad", "cve": "a:1:X", "severity": "High", "confidence": "Medium",
            "location": {"file": "a.rb", "start_line": 3}, "identifiers": [{"type": "cwe", "name": "CWE-89", "value": "89"}]}]"#;
        let read_old = read("a.json", old.as_bytes(), None).unwrap();
        assert_eq!((read_old.format, read_old.findings.len()), ("gitlab", 1));
        assert_eq!(read_old.findings[0].cwes, [89]);
        let secret = r#"{"version": "15.0.0", "scan": {"type": "secret_detection", "scanner": {"name": "Gitleaks", "version": "8"}},
            "vulnerabilities": [{"id": "1", "name": "AWS", "severity": "Critical", "raw_source_code_extract": "AKIA-secret",
            "location": {"file": "a.env", "start_line": 1, "commit": {"sha": "abc"}}, "identifiers": [{"type": "gitleaks_rule_id", "name": "x", "value": "AWS"}]}]}"#;
        let read_secret = read("a.json", secret.as_bytes(), None).unwrap();
        assert_eq!((read_secret.tool.as_str(), read_secret.findings[0].rule.as_str()), ("Gitleaks", "AWS"));
        assert!(!format!("{read_secret:?}").contains("AKIA-secret"), "a secret is never repeated");
    }
}
