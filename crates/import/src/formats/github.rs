//! Alerts of GitHub, as its REST API tells them: code scanning, Dependabot, secret scanning; Dependabot's by GraphQL
//! too.

use serde_json::Value;
use wardroom_model::{Confidence, Severity};

use super::{Format, Likeness};
use crate::package;
use crate::shape::Json as _;
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct GitHub;

impl Format for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn title(&self) -> &'static str {
        "GitHub alerts"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        match alerts(shape).first().map(kind) {
            Some(Some(_)) => Likeness::Sure,
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, one) in alerts(shape).iter().enumerate() {
            match kind(one) {
                Some(Kind::Code) => {
                    report.tool(&one.text("tool.name"), &one.text("tool.version"));
                    report.found(code(one));
                }
                Some(Kind::Library) => {
                    report.tool("Dependabot", "");
                    report.found(library(one));
                }
                Some(Kind::Queried) => {
                    report.tool("Dependabot", "");
                    report.found(queried(one));
                }
                Some(Kind::Secret) => {
                    report.tool("GitHub secret scanning", "");
                    report.found(secret(one));
                }
                None => report.problem(&format!("[{at}]"), "this is no alert"),
            }
        }
    }
}

enum Kind {
    Code,
    Library,
    Queried,
    Secret,
}

fn kind(one: &Value) -> Option<Kind> {
    match () {
        () if one.has("rule") && (one.has("most_recent_instance") || one.has("tool.name")) => {
            Some(Kind::Code)
        }
        () if one.has("security_advisory") && one.has("dependency") => Some(Kind::Library),
        () if one.has("securityVulnerability") => Some(Kind::Queried),
        () if one.has("secret_type") && one.has("state") => Some(Kind::Secret),
        () => None,
    }
}

/// A list, one alert, or the answer to a query.
fn alerts(shape: &Shape) -> &[Value] {
    let nodes = "data.repository.vulnerabilityAlerts.nodes";
    match shape.json() {
        Some(json) if json.has(nodes) => json.list(nodes),
        _ => shape.values(),
    }
}

fn standing(one: &Value) -> Standing {
    let reason = first([one.text("dismissed_reason"), one.text("dismissReason"), one.text("resolution")]);
    let reason = reason.to_ascii_lowercase().replace(['_', ' ', '\''], "-");
    match (one.text("state").to_ascii_lowercase().as_str(), reason.as_str()) {
        ("fixed", _) | (_, "revoked" | "pattern-deleted" | "pattern-edited") => Standing::Fixed,
        ("dismissed" | "auto_dismissed" | "resolved", "false-positive" | "inaccurate" | "not-used") => {
            Standing::FalsePositive
        }
        ("dismissed" | "auto_dismissed" | "resolved", _) => Standing::Accepted,
        _ => Standing::Open,
    }
}

fn code(one: &Value) -> Reported {
    let rule = one.at("rule").unwrap_or(&Value::Null);
    let now = one.at("most_recent_instance").unwrap_or(&Value::Null);
    let small = |key: &str| now.whole(key).and_then(|n| u32::try_from(n).ok());
    let message = now.text("message.text");
    let tags = rule.texts("tags");
    let file = now.text("location.path");
    Reported {
        rule: rule.text("id"),
        title: first([rule.text("description"), message.clone(), rule.text("name")]),
        description: paragraphs([
            message,
            rule.text("full_description"),
            labelled("Branch", &now.text("ref")),
            labelled("Dismissed because", &one.text("dismissed_comment")),
        ]),
        remedy: rule.text("help"),
        severity: severity::of_word(&first([rule.text("security_severity_level"), rule.text("severity")])),
        cwes: identifier::cwes(&tags.join(" ")),
        tool_id: first([one.text("html_url"), one.text("number")]),
        place: (!file.is_empty()).then(|| Place {
            column: small("location.start_column"),
            end_line: small("location.end_line"),
            ..Place::new(file, now.whole("location.start_line"))
        }),
        references: vec![one.text("html_url"), rule.text("help_uri")],
        standing: standing(one),
        found: one.text("created_at"),
        tags,
        ..Reported::default()
    }
}

fn library(one: &Value) -> Reported {
    let advisory = one.at("security_advisory").unwrap_or(&Value::Null);
    let weak = one.at("security_vulnerability").unwrap_or(&Value::Null);
    let name = first([one.text("dependency.package.name"), weak.text("package.name")]);
    let ecosystem = first([one.text("dependency.package.ecosystem"), weak.text("package.ecosystem")]);
    let fixed = weak.text("first_patched_version.identifier");
    let fixed: Vec<String> = Some(fixed).filter(|f| !f.is_empty()).into_iter().collect();
    let mut ids = vec![advisory.text("cve_id"), advisory.text("ghsa_id")];
    ids.extend(advisory.list("identifiers").iter().map(|i| i.text("value")));
    let manifest = one.text("dependency.manifest_path");
    let scope = one.text("dependency.scope");
    let newest = ["cvss_severities.cvss_v4", "cvss_severities.cvss_v3", "cvss"]
        .iter()
        .find_map(|path| advisory.at(path).filter(|c| c.has("vector_string")))
        .unwrap_or(&Value::Null);
    Reported {
        rule: advisory.text("ghsa_id"),
        title: format!("{name}: {}", advisory.text("summary")),
        description: paragraphs([
            advisory.text("description"),
            labelled("Affected", &weak.text("vulnerable_version_range")),
            labelled("Scope", &scope),
            labelled("Dismissed because", &one.text("dismissed_comment")),
        ]),
        remedy: package::upgrade(&name, &fixed),
        severity: severity::of_word(&first([advisory.text("severity"), weak.text("severity")])),
        cwes: advisory.list("cwes").iter().filter_map(|c| identifier::cwe(&c.text("cwe_id"))).collect(),
        cvss: newest.text("vector_string"),
        score: newest.number("score").filter(|s| *s > 0.0),
        ids,
        tool_id: first([one.text("html_url"), one.text("number")]),
        place: (!manifest.is_empty()).then(|| Place::new(manifest, None)),
        package: package::package(&ecosystem, &name, ""),
        fixed_in: fixed,
        references: std::iter::once(one.text("html_url"))
            .chain(advisory.list("references").iter().map(|r| r.text("url")))
            .collect(),
        standing: standing(one),
        found: one.text("created_at"),
        tags: vec![ecosystem, scope],
        ..Reported::default()
    }
}

/// An alert as GraphQL tells it.
fn queried(one: &Value) -> Reported {
    let weak = one.at("securityVulnerability").unwrap_or(&Value::Null);
    let advisory = weak.at("advisory").or_else(|| one.at("securityAdvisory")).unwrap_or(&Value::Null);
    let name = weak.text("package.name");
    let ecosystem = weak.text("package.ecosystem");
    let fixed = weak.text("firstPatchedVersion.identifier");
    let fixed: Vec<String> = Some(fixed).filter(|f| !f.is_empty()).into_iter().collect();
    let mut ids: Vec<String> = advisory.list("identifiers").iter().map(|i| i.text("value")).collect();
    ids.sort_by_key(|id| !id.starts_with("CVE-"));
    ids.push(advisory.text("ghsaId"));
    let file = first([one.text("vulnerableManifestPath"), one.text("vulnerableManifestFilename")]);
    // `= 1.2.3`
    let version = one.text("vulnerableRequirements").trim_start_matches(['=', 'v', ' ']).to_owned();
    Reported {
        rule: advisory.text("ghsaId"),
        title: format!("{name}: {}", advisory.text("summary")),
        description: paragraphs([
            advisory.text("description"),
            labelled("Affected", &weak.text("vulnerableVersionRange")),
            labelled("Scope", &one.text("dependencyScope")),
        ]),
        remedy: package::upgrade(&name, &fixed),
        severity: severity::of_word(&first([weak.text("severity"), advisory.text("severity")])),
        cwes: advisory.list("cwes.nodes").iter().filter_map(|c| identifier::cwe(&c.text("cweId"))).collect(),
        cvss: advisory.text("cvss.vectorString"),
        score: advisory.number("cvss.score").filter(|s| *s > 0.0),
        ids,
        tool_id: first([one.text("id"), one.text("number")]),
        place: (!file.is_empty()).then(|| Place::new(file, None)),
        package: package::package(&ecosystem, &name, &version),
        fixed_in: fixed,
        references: advisory.list("references").iter().map(|r| r.text("url")).collect(),
        standing: standing(one),
        found: one.text("createdAt"),
        tags: vec![ecosystem.to_ascii_lowercase()],
        ..Reported::default()
    }
}

/// A secret. Its value is not kept: the desk is read by more people than the repository.
fn secret(one: &Value) -> Reported {
    let kind = first([one.text("secret_type_display_name"), one.text("secret_type").replace('_', " ")]);
    let at = one.at("first_location_detected").unwrap_or(&Value::Null);
    let small = |key: &str| at.whole(key).and_then(|n| u32::try_from(n).ok());
    let file = at.text("path");
    let validity = one.text("validity");
    let link = one.text("html_url");
    Reported {
        rule: one.text("secret_type"),
        title: format!("Secret: {kind}"),
        description: paragraphs([
            format!("A secret of the kind {kind} stands in the repository or its history."),
            labelled("Still valid", &validity),
            labelled("Push protection bypassed by", &one.text("push_protection_bypassed_by.login")),
            labelled("Resolved because", &one.text("resolution_comment")),
        ]),
        remedy: "Revoke it where it was issued, then take it out of the code.".to_owned(),
        severity: Some(if validity == "active" { Severity::Critical } else { Severity::High }),
        confidence: Some(if validity == "active" { Confidence::High } else { Confidence::Medium }),
        cwes: vec![798],
        tool_id: first([link.clone(), one.text("number")]),
        place: (!file.is_empty()).then(|| Place {
            column: small("start_column"),
            end_line: small("end_line"),
            ..Place::new(file, at.whole("start_line"))
        }),
        references: links(&link),
        standing: standing(one),
        found: one.text("created_at"),
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn alerts_of_code_scanning() {
        let report = br#"[{"number": 4, "html_url": "https://github.com/o/r/security/code-scanning/4", "state": "dismissed",
            "dismissed_reason": "false positive", "rule": {"id": "rb/sql-injection", "security_severity_level": "high",
            "severity": "error", "tags": ["security", "external/cwe/cwe-089"], "description": "SQL built from input"},
            "tool": {"name": "CodeQL", "version": "2.4.0"}, "most_recent_instance": {"ref": "refs/heads/main",
            "message": {"text": "This depends on params."}, "location": {"path": "a.rb", "start_line": 9, "start_column": 2}}}]"#;
        let imported = read("alerts.json", report, None).unwrap();
        assert_eq!((imported.format, imported.tool.as_str()), ("github", "CodeQL"));
        let finding = &imported.findings[0];
        assert_eq!((finding.severity, finding.cwes.as_slice()), (Some(Severity::High), [89].as_slice()));
        assert_eq!(finding.place.as_ref().unwrap().line, Some(9));
        assert_eq!(finding.standing, Standing::FalsePositive);
    }

    #[test]
    fn alerts_of_dependabot() {
        let report = br#"[{"number": 1, "state": "open", "dependency": {"package": {"ecosystem": "rubygems", "name": "rack"},
            "manifest_path": "Gemfile.lock", "scope": "runtime"}, "security_advisory": {"ghsa_id": "GHSA-aaaa-bbbb-cccc",
            "cve_id": "CVE-2024-25126", "summary": "Slow parsing", "severity": "medium",
            "cvss": {"vector_string": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", "score": 5.3},
            "cwes": [{"cwe_id": "CWE-1333"}]}, "security_vulnerability": {"vulnerable_version_range": "< 2.2.8.1",
            "first_patched_version": {"identifier": "2.2.8.1"}}}]"#;
        let finding = &read("alerts.json", report, None).unwrap().findings[0];
        assert_eq!(finding.ids, ["CVE-2024-25126", "GHSA-aaaa-bbbb-cccc"]);
        assert_eq!(finding.package.as_ref().unwrap().purl, "pkg:gem/rack");
        assert_eq!(
            (finding.score, finding.fixed_in.as_slice()),
            (Some(5.3), ["2.2.8.1".to_owned()].as_slice())
        );
        let queried = br#"{"data": {"repository": {"vulnerabilityAlerts": {"nodes": [{"id": "RVA_1", "state": "FIXED",
            "vulnerableManifestPath": "Gemfile.lock", "vulnerableRequirements": "= 2.2.0", "securityVulnerability":
            {"severity": "MODERATE", "package": {"name": "rack", "ecosystem": "RUBYGEMS"}, "firstPatchedVersion":
            {"identifier": "2.2.8.1"}, "advisory": {"ghsaId": "GHSA-aaaa-bbbb-cccc", "summary": "Slow parsing",
            "identifiers": [{"value": "GHSA-aaaa-bbbb-cccc"}, {"value": "CVE-2024-25126"}]}}}]}}}}"#;
        let finding = &read("alerts.json", queried, None).unwrap().findings[0];
        assert_eq!(finding.package.as_ref().unwrap().purl, "pkg:gem/rack@2.2.0");
        assert_eq!(finding.ids, ["CVE-2024-25126", "GHSA-aaaa-bbbb-cccc"]);
        assert_eq!((finding.severity, finding.standing), (Some(Severity::Medium), Standing::Fixed));
    }

    #[test]
    fn secrets_are_not_kept() {
        let report = br#"[{"number": 7, "state": "resolved", "resolution": "revoked", "secret_type": "adafruit_io_key",
            "secret_type_display_name": "Adafruit IO Key", "secret": "aio_XXXXXXXXXXXXXXXXXXXXXXXXXXXX", "validity": "active"}]"#;
        let imported = read("alerts.json", report, None).unwrap();
        let finding = &imported.findings[0];
        assert_eq!((finding.severity, finding.standing), (Some(Severity::Critical), Standing::Fixed));
        assert!(!format!("{imported:?}").contains("aio_X"));
    }
}
