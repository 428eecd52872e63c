//! HackerOne: reports of the API (JSON), and the export of reports as CSV and JSON.

use serde_json::Value;

use super::{Format, Likeness};
use crate::severity::{of_word, score_of};
use crate::shape::Json as _;
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, identifier};

/// The format.
#[derive(Debug)]
pub(super) struct HackerOne;

impl Format for HackerOne {
    fn name(&self) -> &'static str {
        "hackerone"
    }

    fn title(&self) -> &'static str {
        "HackerOne"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Table(table) => table.has(&["id", "title", "severity_rating", "substate"]),
            Shape::Json(json) => {
                let exported = json.at("findings.0").is_some_and(|f| {
                    f.has("title") && f.get("severity_rating").is_some() && f.get("substate").is_some()
                });
                let one = json.at("data.0").or_else(|| json.at("data")).unwrap_or(&Value::Null);
                let attributes = one.has("attributes.title") && one.text("type") == "report";
                let empty = json.at("data").is_some_and(|d| d.as_array().is_some_and(Vec::is_empty));
                exported || attributes || empty && json.text("links.self").contains("api.hackerone.com")
            }
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        if let Some(table) = shape.table() {
            for row in 0..table.len() {
                report.found(exported(&|column| table.cell(row, column).to_owned()));
            }
        }
        let Some(json) = shape.json() else { return };
        for (at, one) in json.list("findings").iter().enumerate() {
            if one.is_object() {
                report.found(exported(&|column| one.text(column)));
            } else {
                report.problem(&format!("findings[{at}]"), "a report is an object");
            }
        }
        // A page of reports, or one alone.
        let reports = match json.at("data") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => &[],
        };
        for (at, one) in reports.iter().enumerate() {
            if one.has("attributes") {
                report.found(of_api(one));
            } else {
                report.problem(&format!("data[{at}]"), "a report has attributes");
            }
        }
    }
}

/// What the state of a report says; what closes as a duplicate needs no second finding.
fn standing(state: &str) -> Standing {
    match state.to_ascii_lowercase().replace(' ', "-").as_str() {
        "resolved" => Standing::Fixed,
        "informative" | "duplicate" => Standing::Accepted,
        "not-applicable" | "spam" => Standing::FalsePositive,
        _ => Standing::Open,
    }
}

/// A report of the export, by its columns.
fn exported(text: &dyn Fn(&str) -> String) -> Reported {
    let (weakness, scope) = (text("weakness"), text("structured_scope"));
    let named = scope.contains('.');
    Reported {
        rule: weakness.clone(),
        title: text("title"),
        description: paragraphs([
            labelled("Weakness", &weakness),
            labelled("Scope", &scope),
            labelled("Reported by", &text("reporter")),
            labelled("Assigned to", &text("assigned")),
            labelled("Bounty", &text("bounty")),
        ]),
        severity: of_word(&text("severity_rating")),
        score: text("severity_score").parse().ok().filter(|s| *s > 0.0),
        cwes: identifier::cwes(&weakness),
        ids: identifier::published(&text("cve_ids")),
        tool_id: text("id"),
        addresses: if named { vec![Address { url: scope, ..Address::default() }] } else { Vec::new() },
        references: vec![text("reference_url"), of_report(&text("id"))],
        standing: standing(&text("substate")),
        found: text("reported_at"),
        tags: if text("substate") == "duplicate" { vec!["duplicate".to_owned()] } else { Vec::new() },
        ..Reported::default()
    }
}

fn of_report(id: &str) -> String {
    let number = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    if number { format!("https://hackerone.com/reports/{id}") } else { String::new() }
}

fn of_api(one: &Value) -> Reported {
    let id = one.text("id");
    let weakness = one.at("relationships.weakness.data.attributes").unwrap_or(&Value::Null);
    let rated = one.at("relationships.severity.data.attributes").unwrap_or(&Value::Null);
    let scope = one.text("relationships.structured_scope.data.attributes.asset_identifier");
    let kind = one.text("relationships.structured_scope.data.attributes.asset_type").to_ascii_lowercase();
    let text = one.text("attributes.vulnerability_information");
    let cves = one.texts("attributes.cve_ids").join(" ");
    let vector = vector(rated);
    Reported {
        rule: first([weakness.text("external_id"), weakness.text("name")]),
        title: one.text("attributes.title"),
        description: paragraphs([
            text.clone(),
            labelled("Impact", &one.text("attributes.impact")),
            labelled(&weakness.text("name"), &weakness.text("description")),
            labelled("Scope", &scope),
            labelled("Reported by", &one.text("relationships.reporter.data.attributes.username")),
        ]),
        severity: of_word(&rated.text("rating")),
        score: rated.number("score").filter(|s| *s > 0.0).or_else(|| score_of(&vector)),
        cvss: vector,
        cwes: identifier::cwes(&weakness.text("external_id")),
        ids: identifier::published(&cves),
        tool_id: id.clone(),
        addresses: if matches!(kind.as_str(), "url" | "wildcard" | "cidr" | "ip_address") {
            vec![Address { url: scope, ..Address::default() }]
        } else {
            Vec::new()
        },
        references: std::iter::once(of_report(&id)).chain(links(&text)).collect(),
        standing: standing(&one.text("attributes.state")),
        found: one.text("attributes.created_at"),
        ..Reported::default()
    }
}

/// The vector whose parts the API tells one by one; empty unless all are there.
fn vector(rated: &Value) -> String {
    let parts = [
        ("AV", "attack_vector"),
        ("AC", "attack_complexity"),
        ("PR", "privileges_required"),
        ("UI", "user_interaction"),
        ("S", "scope"),
        ("C", "confidentiality"),
        ("I", "integrity"),
        ("A", "availability"),
    ];
    let mut vector = "CVSS:3.0".to_owned();
    for (short, key) in parts {
        let Some(letter) = rated.text(key).chars().next() else { return String::new() };
        vector.push_str(&format!("/{short}:{}", letter.to_ascii_uppercase()));
    }
    vector
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn one_report_alone() {
        let report = br#"{"data": {"id": "5", "type": "report", "attributes": {"title": "XSS", "state": "spam", "cve_ids": ["CVE-2020-0001"]}}}"#;
        let imported = read("h.json", report, None).unwrap();
        let [finding] = &imported.findings[..] else { panic!() };
        assert_eq!((finding.standing, finding.ids[0].as_str()), (Standing::FalsePositive, "CVE-2020-0001"));
    }

    #[test]
    fn the_export_as_csv() {
        let report = b"id,title,severity_rating,severity_score,state,substate,weakness,reported_at,structured_scope,cve_ids\n12,IDOR,high,8.1,closed,resolved,IDOR,2024-01-01,www.a.example,\n";
        let imported = read("h.csv", report, None).unwrap();
        let [finding] = &imported.findings[..] else { panic!() };
        assert_eq!(
            (imported.format, finding.severity, finding.score),
            ("hackerone", Some(Severity::High), Some(8.1))
        );
        assert_eq!((finding.standing, finding.addresses[0].url.as_str()), (Standing::Fixed, "www.a.example"));
    }
}
