//! What a report said, in the form in which the desk takes what `wardroom scan` finds.

use std::collections::HashMap;

use serde_json::{Value, json};
use wardroom_model::{Confidence, Fingerprint, Severity, normalise};

use crate::{Address, Imported, Place, Reported, Standing};

impl Imported {
    /// The report as `wardroom scan --format json` would write it. Rules are named after the format (`zap/10202`), so
    /// that two tools' numbers do not meet; the finding as the tool reports it stands under `reported`. What is
    /// fixed where the report comes from is left out, what is accepted or wrong there opens nothing.
    pub fn delivered(&self) -> Value {
        let mut seen: HashMap<(String, String, String), u32> = HashMap::new();
        let findings: Vec<Value> = self
            .findings
            .iter()
            .filter(|f| f.standing != Standing::Fixed)
            .map(|found| {
                let rule = self.rule_of(found);
                let (place, code) = identity(found);
                let ordinal = seen.entry((rule.clone(), place.clone(), code.clone())).or_default();
                let fingerprint = Fingerprint::new(&rule, &place, &code, *ordinal);
                *ordinal += 1;
                finding(found, &rule, &fingerprint)
            })
            .collect();
        json!({
            "tool": {"name": self.format, "version": self.tool_version},
            "findings": findings,
            "problems": self.problems,
        })
    }

    /// `zap/10202`; where the tool names no check, what it found by its published name, or the class.
    fn rule_of(&self, found: &Reported) -> String {
        let name = [&found.rule, found.ids.first().unwrap_or(&found.rule), &found.title]
            .into_iter()
            .find(|t| !t.is_empty())
            .map_or("finding", String::as_str);
        let name: String = name.chars().map(|c| if c.is_whitespace() { '-' } else { c }).take(150).collect();
        format!("{}/{name}", self.format)
    }
}

/// What makes a finding the same in the tool's next report: its own name for it, or else where it is and what stands
/// there. A line is no part of it where anything else tells findings apart: lines move.
fn identity(found: &Reported) -> (String, String) {
    if !found.tool_id.is_empty() {
        return (String::new(), found.tool_id.clone());
    }
    if let Some(package) = &found.package {
        let place = found.place.as_ref().map_or("", |p| p.file.as_str());
        return (format!("{place} {}", package.name), format!("{} {}", package.version, found.ids.join(" ")));
    }
    match (&found.place, found.addresses.first()) {
        (Some(place), _) => {
            let code = normalise(&place.snippet);
            (
                format!("{} {}", place.file, place.scope),
                if code.is_empty() { found.title.clone() } else { code },
            )
        }
        (None, Some(address)) => {
            (format!("{} {}", address.method, without_query(&address.url)), address.parameter.clone())
        }
        (None, None) => (String::new(), found.title.clone()),
    }
}

fn finding(found: &Reported, rule: &str, fingerprint: &Fingerprint) -> Value {
    let location = match (&found.place, found.addresses.first(), &found.package) {
        (Some(place), ..) if !place.file.is_empty() => of_place(place),
        (_, Some(address), _) if !address.url.is_empty() => {
            of_place(&Place::new(without_query(&address.url), None))
        }
        (.., Some(package)) => {
            let name = if package.purl.is_empty() { &package.name } else { &package.purl };
            of_place(&Place::new(name.as_str(), None))
        }
        _ => of_place(&Place::new("report", None)),
    };
    let advisory = found.ids.first().map(|id| {
        json!({"id": id, "aliases": &found.ids[1..], "url": found.references.first().map_or("", String::as_str)})
    });
    let suppression = match found.standing {
        Standing::Open | Standing::Fixed => Value::Null,
        Standing::FalsePositive => {
            json!({"kind": "tool", "reason": "It is a false positive where the report comes from."})
        }
        Standing::Accepted => {
            json!({"kind": "tool", "reason": "It is accepted where the report comes from."})
        }
    };
    let mut endpoints: Vec<Value> = Vec::new();
    for endpoint in found.addresses.iter().filter_map(endpoint) {
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    json!({
        "fingerprint": fingerprint,
        "rule": rule,
        "message": found.title,
        "reason": "",
        "remedy": found.remedy,
        "severity": found.severity.unwrap_or(Severity::Info),
        "confidence": found.confidence.unwrap_or(Confidence::Medium),
        "cwe": found.cwes.first(),
        "location": location,
        "scope": found.place.as_ref().map_or("", |p| p.scope.as_str()),
        "places": found.places.iter().filter(|p| !p.file.is_empty()).map(of_place).collect::<Vec<_>>(),
        "package": found.package,
        "advisory": advisory,
        "endpoints": endpoints,
        "suppression": suppression,
        "reported": found,
    })
}

fn of_place(place: &Place) -> Value {
    let Some(line) = place.line else {
        return json!({"file": place.file, "snippet": place.snippet});
    };
    json!({
        "file": place.file,
        "start": {"line": line, "column": place.column.unwrap_or(1)},
        "end": {"line": place.end_line.unwrap_or(line).max(line)},
        "snippet": place.snippet,
    })
}

/// The path of a URL, which is what the code knows it by; none for a host and port.
fn endpoint(address: &Address) -> Option<Value> {
    let (_, rest) = address.url.split_once("://")?;
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let method = if address.method.is_empty() { "GET" } else { &address.method };
    Some(json!({"method": method, "path": format!("/{}", without_query(path))}))
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(findings: Vec<Reported>) -> Imported {
        Imported {
            format: "zap",
            tool: "ZAP".to_owned(),
            tool_version: "2.15".to_owned(),
            findings,
            problems: Vec::new(),
        }
    }

    fn at(url: &str, parameter: &str) -> Reported {
        let address = Address { url: url.to_owned(), parameter: parameter.to_owned(), ..Address::default() };
        Reported {
            rule: "40012".to_owned(),
            title: "XSS".to_owned(),
            addresses: vec![address],
            ..Reported::default()
        }
    }

    #[test]
    fn a_finding_keeps_its_name_when_a_line_or_a_query_changes() {
        let names = |report: Imported| -> Vec<String> {
            let value = report.delivered();
            value["findings"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| f["fingerprint"].as_str().unwrap().to_owned())
                .collect()
        };
        let first =
            names(imported(vec![at("https://a.example/search?q=1", "q"), at("https://a.example/x", "q")]));
        let again =
            names(imported(vec![at("https://a.example/x", "q"), at("https://a.example/search?q=%3Cb", "q")]));
        assert_eq!((&first[0], &first[1]), (&again[1], &again[0]));
        let twice = names(imported(vec![at("https://a.example/x", "q"), at("https://a.example/x", "q")]));
        assert_ne!(twice[0], twice[1]);
        let placed = |line| {
            let place = Place { snippet: "eval(x)".to_owned(), ..Place::new("a.js", Some(line)) };
            imported(vec![Reported { place: Some(place), ..Reported::default() }])
        };
        assert_eq!(names(placed(3)), names(placed(30)));
    }

    #[test]
    fn what_is_decided_elsewhere_opens_nothing_here() {
        let with = |standing| Reported { standing, ..at("https://a.example/", "") };
        let value =
            imported(vec![with(Standing::Fixed), with(Standing::Accepted), with(Standing::Open)]).delivered();
        let findings = value["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 2);
        assert!(findings[0]["suppression"].is_object() && findings[1]["suppression"].is_null());
        assert_eq!(findings[1]["rule"], "zap/40012");
        assert_eq!(findings[1]["endpoints"][0]["path"], "/");
        // No line is made up.
        assert_eq!(findings[1]["location"], json!({"file": "https://a.example/", "snippet": ""}));
    }
}
