//! MobSF 3 and 4 (JSON of Android and iOS applications), and mobsfscan (JSON).

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::markup::plain;
use crate::shape::Json as _;
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Place, Report, Reported, Shape, identifier};

/// The format.
#[derive(Debug)]
pub(super) struct Mobsf;

/// The class of weaknesses of mobile applications, where the tool gives no closer one.
const MOBILE: u32 = 919;

impl Format for Mobsf {
    fn name(&self) -> &'static str {
        "mobsf"
    }

    fn title(&self) -> &'static str {
        "MobSF"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(json) = shape.json() else { return Likeness::No };
        let application = (json.has("app_name") || json.has("package_name") || json.has("bundle_id"))
            && ["code_analysis", "permissions", "manifest_analysis", "binary_analysis", "appsec"]
                .iter()
                .any(|key| json.has(key));
        if json.has("mobsfscan_version") || application { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(json) = shape.json() else { return };
        if json.has("mobsfscan_version") {
            report.tool("mobsfscan", &json.text("mobsfscan_version"));
            for (rule, one) in entries(json.at("results")) {
                source(rule, one, report);
            }
            return;
        }
        report.tool("MobSF", &json.text("version"));
        application(json, report);
    }
}

/// What an object holds.
fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// Words of MobSF; what is fine is none.
fn level(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_lowercase().as_str() {
        "dangerous" | "high" | "error" | "critical" => Severity::High,
        // What the tool warns of is rarely more than a hint: it says `high` where it means a weakness.
        "warning" | "medium" | "low" | "hotspot" => Severity::Low,
        "secure" | "good" => return None,
        _ => Severity::Info,
    })
}

/// A finding with what all have in common.
fn base(rule: &str, title: &str, text: &str, severity: Severity, kind: &str) -> Reported {
    let text = plain(text);
    Reported {
        rule: rule.to_owned(),
        title: plain(title),
        references: links(&text),
        description: text,
        severity: Some(severity),
        cwes: vec![MOBILE],
        tags: vec![kind.to_owned()],
        ..Reported::default()
    }
}

fn application(json: &Value, report: &mut Report<'_>) {
    for (name, one) in entries(json.at("permissions")) {
        let status = first([one.text("status"), one.text("reason")]);
        if let Some(severity) = level(&status) {
            let text = paragraphs([
                one.text("description"),
                one.text("info"),
                labelled("Status", &one.text("status")),
                one.text("reason"),
            ]);
            report.found(base("permission", &format!("Permission {name}"), &text, severity, "permission"));
        }
    }
    for one in json.list("permissions") {
        if let Some(severity) = level(&one.text("status")) {
            let text = paragraphs([
                one.text("description"),
                one.text("reason"),
                labelled("Status", &one.text("status")),
            ]);
            let title = format!("Permission {}", one.text("name"));
            report.found(base("permission", &title, &text, severity, "permission"));
        }
    }
    for one in json.list("ats_analysis.ats_findings") {
        let text = one.text("description");
        if let Some(severity) = level(&one.text("severity")) {
            report.found(base("transport-security", &one.text("issue"), &text, severity, "network"));
        }
    }
    for one in json.texts("insecure_connections") {
        let title = format!("Connection without encryption: {one}");
        report.found(base("insecure-connection", &title, &title, Severity::Low, "network"));
    }
    // An object with a list in newer versions, triples in a list in between, one text in old ones.
    let certificate = json.list("certificate_analysis.certificate_findings");
    let certificate = if certificate.is_empty() { json.list("certificate_analysis") } else { certificate };
    for one in certificate {
        if let Some(severity) = level(&one.text("0")) {
            let title = first([one.text("2"), one.text("1")]);
            report.found(base("certificate", &title, &one.text("1"), severity, "certificate"));
        }
    }
    let manifest = json.list("manifest_analysis.manifest_findings");
    let manifest = if manifest.is_empty() { json.list("manifest_analysis") } else { manifest };
    for one in manifest {
        let word = first([one.text("severity"), one.text("stat")]);
        if let Some(severity) = level(&word) {
            let text = first([one.text("description"), one.text("desc")]);
            let rule = first([one.text("rule"), "manifest".to_owned()]);
            let mut finding = base(&rule, &one.text("title"), &text, severity, "manifest");
            finding.place = Some(Place::new("AndroidManifest.xml", None));
            report.found(finding);
        }
    }
    for one in json.list("network_security.network_findings").iter().chain(json.list("network_security")) {
        if let Some(severity) = level(&one.text("severity")) {
            let scope = labelled("Scope", &one.texts("scope").join(", "));
            let text = paragraphs([one.text("description"), scope]);
            report.found(base("network", &one.text("description"), &text, severity, "network"));
        }
    }
    let code = json.at("code_analysis.findings").or_else(|| json.at("code_analysis"));
    for (rule, one) in entries(code).chain(entries(json.at("android_api"))) {
        analysed(rule, one, report);
    }
    for one in json.list("binary_analysis") {
        // Of a library each property is told by itself.
        for (property, part) in entries(Some(one)) {
            let word = part.text("severity");
            if let (Some(severity), false) = (level(&word), word.is_empty()) {
                let name = one.text("name");
                let text = part.text("description");
                let title = format!("{}: {name}", property.replace('_', " "));
                let mut finding = base(property, &title, &text, severity, "binary");
                finding.place = Some(Place::new(name, None));
                report.found(finding);
            }
        }
    }
    for (title, one) in entries(json.at("binary_analysis.findings").or_else(|| json.at("binary_analysis"))) {
        if let (Some(severity), false) = (level(&one.text("severity")), one.text("severity").is_empty()) {
            let text = first([one.text("detailed_desc"), one.text("description")]);
            let mut finding = base("binary", title, &text, severity, "binary");
            finding.cwes.splice(0..0, identifier::cwe(&one.text("cwe")));
            report.found(finding);
        }
    }
}

/// What was found in the code by a rule, with the files and their lines.
fn analysed(rule: &str, one: &Value, report: &mut Report<'_>) {
    let about = one.at("metadata").unwrap_or(one);
    let Some(severity) = level(&first([about.text("severity"), about.text("level")])) else { return };
    let text = paragraphs([
        about.text("description"),
        labelled("MASVS", &about.text("masvs")),
        labelled("OWASP", &about.text("owasp-mobile")),
    ]);
    let title = first([about.text("description"), rule.replace('_', " ")]);
    let mut finding = base(rule, &title, &text, severity, "code");
    finding.cwes.splice(0..0, identifier::cwe(&about.text("cwe")));
    finding.references.extend(links(&about.text("ref")));
    // `file: "1,2,3"`; only names of files in old versions.
    let mut places = Vec::new();
    for (file, lines) in entries(one.at("files")) {
        let lines = lines.as_str().unwrap_or_default();
        let line = lines.split(',').filter_map(|l| l.trim().parse().ok()).min();
        places.push(Place::new(file.clone(), line));
    }
    places.extend(one.texts("path").into_iter().chain(one.texts("files")).map(|f| Place::new(f, None)));
    finding.places = places;
    report.found(finding);
}

/// What mobsfscan found by a rule: one finding for each place, one without a place where something is missing.
fn source(rule: &str, one: &Value, report: &mut Report<'_>) {
    let about = one.at("metadata").unwrap_or(&Value::Null);
    let severity = match about.text("severity").to_ascii_uppercase().as_str() {
        "ERROR" => Severity::High,
        "WARNING" => Severity::Medium,
        "INFO" => Severity::Low,
        _ => Severity::Info,
    };
    let text = paragraphs([
        about.text("description"),
        labelled("MASVS", &about.text("masvs")),
        labelled("OWASP", &about.text("owasp-mobile")),
    ]);
    let mut finding = base(rule, &about.text("description"), &text, severity, "code");
    finding.title = first([crate::wording::headline(&finding.title), rule.to_owned()]);
    if let Some(cwe) = identifier::cwe(&about.text("cwe")) {
        finding.cwes = vec![cwe];
    }
    finding.references.extend(links(&about.text("reference")));
    let mut places = one.list("files").iter().map(|file| Place {
        column: file.whole("match_position.0").and_then(|n| u32::try_from(n).ok()),
        end_line: file.whole("match_lines.1").and_then(|n| u32::try_from(n).ok()),
        snippet: file.text("match_string"),
        ..Place::new(file.text("file_path"), file.whole("match_lines.0"))
    });
    let first = places.next();
    let more: Vec<Place> = places.collect();
    report.found(Reported { place: first, ..finding.clone() });
    for place in more {
        report.found(Reported { place: Some(place), ..finding.clone() });
    }
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn an_application_for_ios() {
        let report = br#"{"app_name": "a", "bundle_id": "b", "version": "v4.0.0",
            "permissions": {"NSCameraUsageDescription": {"status": "dangerous", "reason": "To scan"}},
            "ats_analysis": {"ats_findings": [{"issue": "App Transport Security is off", "severity": "high", "description": "All of it"}]},
            "binary_analysis": {"findings": {"Binary uses gets": {"severity": "warning", "detailed_desc": "gets()", "cwe": "CWE-676: Use"},
                                             "Stack canary": {"severity": "secure", "detailed_desc": "there"}}},
            "code_analysis": {"findings": {"ios_log": {"files": {"a.m": "7,3"}, "metadata": {"severity": "info", "description": "It logs", "cwe": "CWE-532"}}}}}"#;
        let imported = read("i.json", report, None).unwrap();
        let told: Vec<(&str, Option<Severity>)> =
            imported.findings.iter().map(|f| (f.title.as_str(), f.severity)).collect();
        assert_eq!(
            told,
            [
                ("Permission NSCameraUsageDescription", Some(Severity::High)),
                ("App Transport Security is off", Some(Severity::High)),
                ("It logs", Some(Severity::Info)),
                ("Binary uses gets", Some(Severity::Low)),
            ]
        );
        assert_eq!(imported.findings[2].places[0].line, Some(3));
        assert_eq!(imported.findings[2].cwes, [532, 919]);
    }
}
