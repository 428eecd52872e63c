//! Findings in DefectDojo's generic form, JSON and CSV, and tables whose columns say what they are.

use serde_json::Value;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::mapping::Mapping;
use crate::package;
use crate::severity::{of_word, vector};
use crate::shape::Json as _;
use crate::wording::{first, host_and_port, joined, labelled, links, paragraphs};
use crate::{Address, Place, Report, Reported, Shape, Standing, identifier};

/// The format.
#[derive(Debug)]
pub(super) struct Generic;

impl Format for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn title(&self) -> &'static str {
        "Generic findings"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        if let Some(table) = shape.table() {
            let mapping = Mapping::suggested(table);
            let whole = table.has(&["title", "severity", "description"])
                && ["cweid", "mitigation", "falsepositive", "vulnerability id", "date"]
                    .iter()
                    .any(|c| table.has(&[c]));
            return match whole {
                true => Likeness::Sure,
                false if mapping.is_enough() => Likeness::Maybe,
                false => Likeness::No,
            };
        }
        let Some(json) = shape.json() else { return Likeness::No };
        let list = json.at("findings").and_then(Value::as_array);
        match list.map(|l| l.first()) {
            Some(Some(one)) if one.has("title") && one.has("severity") => Likeness::Sure,
            // Nothing found, by whichever tool.
            Some(None) => Likeness::Maybe,
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        if let Some(table) = shape.table() {
            let mapping = Mapping::suggested(table);
            let mut groups = Groups::default();
            for row in 0..table.len() {
                let finding = mapping.reported(table, row);
                if finding.title.is_empty() && finding.description.is_empty() {
                    continue;
                }
                let key = format!(
                    "{:?}\n{}\n{}\n{:?}",
                    finding.severity, finding.title, finding.description, finding.place
                );
                groups.put(key, finding);
            }
            groups.tell(report);
            return;
        }
        let Some(json) = shape.json() else { return };
        report.tool(&first([json.text("type"), json.text("name")]), &json.text("version"));
        for (at, one) in json.list("findings").iter().enumerate() {
            if one.is_object() {
                report.found(reported(one));
            } else {
                report.problem(&format!("findings[{at}]"), "a finding is an object");
            }
        }
    }
}

fn truth(one: &Value, keys: &[&str]) -> bool {
    keys.iter().any(|key| match one.at(key) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    })
}

fn reported(one: &Value) -> Reported {
    let mut cwes: Vec<u32> = identifier::cwe(&one.text("cwe")).into_iter().collect();
    cwes.extend(one.texts("cwes").iter().filter_map(|c| identifier::cwe(c)));
    let mut ids: Vec<String> = vec![one.text("cve")];
    ids.extend(one.texts("vulnerability_ids"));
    let file = one.text("file_path");
    let source = one.text("sast_source_file_path");
    let line = |key: &str| one.whole(key);
    let steps: Vec<Place> = match source.is_empty() {
        true => Vec::new(),
        false => vec![Place::new(source, line("sast_source_line"))],
    };
    Reported {
        rule: one.text("vuln_id_from_tool"),
        title: one.text("title"),
        description: paragraphs([
            one.text("description"),
            labelled("Impact", &one.text("impact")),
            labelled("Steps", &one.text("steps_to_reproduce")),
            labelled("Severity", &one.text("severity_justification")),
        ]),
        remedy: one.text("mitigation"),
        severity: of_word(&one.text("severity")),
        cwes,
        cvss: vector(&first([one.text("cvssv4"), one.text("cvssv3")])),
        score: one.number("cvssv4_score").or_else(|| one.number("cvssv3_score")),
        ids,
        tool_id: one.text("unique_id_from_tool"),
        place: (!file.is_empty() || line("line").is_some()).then(|| Place::new(file, line("line"))),
        places: steps,
        addresses: one.list("endpoints").iter().map(address).collect(),
        package: package::package("", &one.text("component_name"), &one.text("component_version")),
        fixed_in: one.texts("fix_version"),
        references: links(&one.text("references")),
        standing: match () {
            () if truth(one, &["false_p", "out_of_scope"]) => Standing::FalsePositive,
            () if truth(one, &["risk_accepted", "duplicate"]) => Standing::Accepted,
            () if truth(one, &["is_mitigated"]) => Standing::Fixed,
            () => Standing::Open,
        },
        found: one.text("date"),
        tags: one.texts("tags"),
        ..Reported::default()
    }
}

/// An endpoint: an address, or its parts.
fn address(endpoint: &Value) -> Address {
    if let Some(url) = endpoint.as_str() {
        return Address { url: url.to_owned(), ..Address::default() };
    }
    let protocol = endpoint.text("protocol");
    let host = host_and_port(&endpoint.text("host"), &endpoint.text("port"));
    let base = if protocol.is_empty() { host } else { format!("{protocol}://{host}") };
    let mut url = joined(&base, &endpoint.text("path"));
    for (mark, key) in [('?', "query"), ('#', "fragment")] {
        let part = endpoint.text(key);
        if !part.is_empty() {
            url.push(mark);
            url.push_str(part.trim_start_matches(mark));
        }
    }
    Address { url, ..Address::default() }
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};

    #[test]
    fn endpoints_may_be_told_in_parts() {
        let report = br#"{"name": "Ours", "findings": [{"title": "T", "severity": "High", "false_p": true,
            "endpoints": ["https://a.example/b", {"protocol": "http", "host": "c.example", "port": 8080,
            "path": "d", "query": "e=1"}], "file_path": "a.rb", "line": 3}]}"#;
        let imported = read("r.json", report, None).unwrap();
        let finding = &imported.findings[0];
        let urls: Vec<&str> = finding.addresses.iter().map(|a| a.url.as_str()).collect();
        assert_eq!(urls, ["https://a.example/b", "http://c.example:8080/d?e=1"]);
        assert_eq!(finding.standing, Standing::FalsePositive);
        assert_eq!(imported.tool, "Ours");
    }
}
