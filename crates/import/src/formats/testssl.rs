//! testssl.sh 2.9 to 3.2: CSV and JSON, flat and by section.

use serde_json::Value;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::shape::Json as _;
use crate::wording::{host_and_port, paragraphs};
use crate::{Address, Report, Reported, Shape, identifier};
use wardroom_model::Severity;

/// The format.
#[derive(Debug)]
pub(super) struct TestSsl;

impl Format for TestSsl {
    fn name(&self) -> &'static str {
        "testssl"
    }

    fn title(&self) -> &'static str {
        "testssl.sh"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Table(table) => table.has(&["id", "fqdn/ip", "port", "severity", "finding"]),
            Shape::Json(json @ Value::Object(_)) => {
                json.text("Invocation").contains("testssl") || json.has("scanResult") && json.has("openssl")
            }
            Shape::Json(Value::Array(list)) => list.first().is_some_and(|one| {
                ["id", "ip", "port", "severity", "finding"].iter().all(|key| one.has(key))
            }),
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        // The same line of several addresses of one name is one finding.
        let mut groups = Groups::default();
        match shape {
            Shape::Table(table) => {
                for row in 0..table.len() {
                    tell(
                        &|key| table.cell(row, if key == "ip" { "fqdn/ip" } else { key }).to_owned(),
                        &mut groups,
                    );
                }
            }
            Shape::Json(Value::Array(list)) => {
                list.iter().for_each(|one| tell(&|key| one.text(key), &mut groups));
            }
            Shape::Json(json) => {
                report.tool("testssl.sh", &json.text("version"));
                for target in json.list("scanResult") {
                    let host = format!("{}/{}", target.text("targetHost"), target.text("ip"));
                    let port = target.text("port");
                    // Every section is a list of lines.
                    let sections = target.as_object().into_iter().flatten();
                    for line in sections.filter_map(|(_, s)| s.as_array()).flatten() {
                        let text = |key: &str| match key {
                            "ip" => host.clone(),
                            "port" => port.clone(),
                            key => line.text(key),
                        };
                        tell(&text, &mut groups);
                    }
                }
            }
            _ => {}
        }
        groups.tell(report);
    }
}

/// Lines that sum up the others: the grade and how it came about.
fn sums_up(id: &str) -> bool {
    id.starts_with("rating_")
        || id.starts_with("grade_cap_reason")
        || id.starts_with("overall_grade")
        || id.starts_with("final_score")
        || id.starts_with("protocol_support_score")
        || id.starts_with("key_exchange_score")
        || id.starts_with("cipher_strength_score")
        || id == "scanTime"
}

/// A line, by the names of its parts; one finding for each of its CVEs.
fn tell(text: &dyn Fn(&str) -> String, groups: &mut Groups) {
    let (id, level) = (text("id"), text("severity"));
    if id.is_empty() || sums_up(&id) {
        return;
    }
    let severity = match level.to_ascii_uppercase().as_str() {
        "CRITICAL" => Severity::Critical,
        "HIGH" => Severity::High,
        "MEDIUM" => Severity::Medium,
        "LOW" => Severity::Low,
        "INFO" | "WARN" | "FATAL" => Severity::Info,
        // All is well, or a note for those who mend the tool.
        _ => return,
    };
    let what = text("finding");
    let address = text("ip");
    // `name/address`, either of which may be missing.
    let host = address.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    let ids = identifier::published(&text("cve"));
    let finding = Reported {
        title: format!("{id}: {what}"),
        description: paragraphs([what.clone()]),
        severity: Some(severity),
        cwes: identifier::cwes(&text("cwe")),
        addresses: vec![Address {
            url: host_and_port(host, &text("port")),
            evidence: what.clone(),
            ..Address::default()
        }],
        rule: id,
        ..Reported::default()
    };
    let key = format!("{} {level}", finding.title);
    if ids.is_empty() {
        groups.put(key, finding);
        return;
    }
    for id in ids {
        groups.put(format!("{key} {id}"), Reported { ids: vec![id], ..finding.clone() });
    }
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn json_flat_and_by_section() {
        let flat = br#"[{"id": "SSLv3", "ip": "a.example/192.0.2.1", "port": "443", "severity": "HIGH", "finding": "offered", "cwe": "CWE-310", "cve": "CVE-2014-3566"},
            {"id": "TLS1_2", "ip": "a.example/192.0.2.1", "port": "443", "severity": "OK", "finding": "offered"}]"#;
        let nested = br#"{"Invocation": "testssl.sh --json-pretty a.example", "version": "3.0.8", "openssl": "o", "scanResult": [{"targetHost": "a.example",
            "ip": "192.0.2.1", "port": "443", "protocols": [{"id": "SSLv3", "severity": "HIGH", "finding": "offered", "cwe": "CWE-310", "cve": "CVE-2014-3566"}],
            "rating": [{"id": "overall_grade", "severity": "MEDIUM", "finding": "B"}]}]}"#;
        for report in [flat.as_slice(), nested] {
            let imported = read("t.json", report, None).unwrap();
            let [finding] = &imported.findings[..] else { panic!() };
            assert_eq!((imported.format, finding.severity), ("testssl", Some(Severity::High)));
            assert_eq!(
                (finding.ids.as_slice(), finding.cwes.as_slice()),
                (["CVE-2014-3566".to_owned()].as_slice(), [310].as_slice())
            );
            assert_eq!(finding.addresses[0].url, "a.example:443");
        }
    }
}
