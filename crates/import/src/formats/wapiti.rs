//! Wapiti 2.3 to 3.2: XML and JSON.

use serde_json::Value;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::shape::Json as _;
use crate::wording::{first, joined, labelled, paragraphs};
use crate::{Address, Report, Reported, Shape, identifier};
use wardroom_model::Severity;

/// The format.
#[derive(Debug)]
pub(super) struct Wapiti;

/// What it found stands under these; the last are facts about the target rather than weaknesses.
const KINDS: [(&str, &str); 3] =
    [("vulnerabilities", "vulnerability"), ("anomalies", "anomaly"), ("additionals", "additional")];

impl Format for Wapiti {
    fn name(&self) -> &'static str {
        "wapiti"
    }

    fn title(&self) -> &'static str {
        "Wapiti"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        if let Some(root) = shape.xml("report") {
            let named = root
                .at("report_infos")
                .is_some_and(|i| i.all("info").any(|i| i.text.trim().eq_ignore_ascii_case("wapiti")));
            return if named { Likeness::Sure } else { Likeness::No };
        }
        let Some(json) = shape.json() else { return Likeness::No };
        let wapiti = json.text("infos.version").to_ascii_lowercase().contains("wapiti");
        match json.at("vulnerabilities").is_some_and(Value::is_object) {
            true if wapiti || json.has("classifications") && json.has("infos") => Likeness::Sure,
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let mut groups = Groups::default();
        if let Some(root) = shape.xml("report") {
            let info = |name: &str| {
                let infos = root.child("report_infos");
                let one = infos.and_then(|i| i.all("info").find(|i| i.attribute("name") == name));
                one.map(|i| i.text.trim().to_owned()).unwrap_or_default()
            };
            report.tool("Wapiti", info("generatorVersion").trim_start_matches("Wapiti "));
            let (target, found) = (info("target"), first([info("dateOfScan"), info("date")]));
            for (group, kind) in KINDS {
                for class in root.child(group).into_iter().flat_map(|g| g.all(kind)) {
                    let mut texts = Vec::new();
                    for reference in class.below("reference") {
                        texts.push((reference.text_at("title"), reference.text_at("url")));
                    }
                    let class_of = Class {
                        name: class.attribute("name").to_owned(),
                        description: class.text_at("description"),
                        solution: class.text_at("solution"),
                        references: texts,
                        target: &target,
                        found: &found,
                    };
                    for entry in class.below("entry") {
                        class_of.put(&|key| entry.text_at(key), &mut groups);
                    }
                }
            }
        }
        if let Some(json) = shape.json() {
            report.tool("Wapiti", json.text("infos.version").trim_start_matches("Wapiti "));
            let (target, found) = (json.text("infos.target"), json.text("infos.date"));
            for (group, _) in KINDS {
                for (name, entries) in json.at(group).and_then(Value::as_object).into_iter().flatten() {
                    let nothing = Value::Null;
                    let class = json.at("classifications").and_then(|c| c.get(name)).unwrap_or(&nothing);
                    let references = class.at("ref").and_then(Value::as_object);
                    let class_of = Class {
                        name: name.clone(),
                        description: class.text("desc"),
                        solution: class.text("sol"),
                        references: references
                            .into_iter()
                            .flatten()
                            .map(|(title, url)| (title.clone(), url.as_str().unwrap_or_default().to_owned()))
                            .collect(),
                        target: &target,
                        found: &found,
                    };
                    for (at, entry) in entries.as_array().into_iter().flatten().enumerate() {
                        if entry.is_object() {
                            class_of.put(&|key| entry.text(key), &mut groups);
                        } else {
                            report.problem(&format!("{group}.{name}[{at}]"), "an entry is an object");
                        }
                    }
                }
            }
        }
        groups.tell(report);
    }
}

/// A class of weaknesses, with what is said of all of its entries.
struct Class<'a> {
    name: String,
    description: String,
    solution: String,
    /// Titles and links.
    references: Vec<(String, String)>,
    target: &'a str,
    found: &'a str,
}

impl Class<'_> {
    /// Takes an entry, by the names of its parts.
    fn put(&self, text: &dyn Fn(&str) -> String, groups: &mut Groups) {
        let info = text("info");
        let level = text("level");
        let named: Vec<String> = self.references.iter().map(|(title, _)| title.clone()).collect();
        let severity = match level.as_str() {
            "4" => Severity::Critical,
            "3" => Severity::High,
            "2" => Severity::Medium,
            "0" => Severity::Info,
            _ => Severity::Low,
        };
        let finding = Reported {
            rule: self.name.clone(),
            title: [self.name.as_str(), info.as_str()]
                .iter()
                .filter(|t| !t.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join(": "),
            description: paragraphs([
                info.clone(),
                self.description.clone(),
                labelled("Again with", &code(&text("curl_command"))),
            ]),
            remedy: self.solution.clone(),
            severity: Some(severity),
            cwes: identifier::cwes(&named.join(" ")),
            ids: identifier::published(&info),
            addresses: vec![Address {
                url: joined(&origin(self.target), &text("path")),
                method: text("method"),
                parameter: text("parameter"),
                request: text("http_request"),
                ..Address::default()
            }],
            references: self.references.iter().map(|(_, url)| url.clone()).collect(),
            found: self.found.to_owned(),
            tags: Some(text("module")).filter(|m| !m.is_empty()).into_iter().collect(),
            ..Reported::default()
        };
        groups.put(format!("{} {info} {level}", self.name), finding);
    }
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// Scheme and host of a target, to which paths of entries are joined.
fn origin(target: &str) -> String {
    let Some((scheme, rest)) = target.split_once("://") else { return target.to_owned() };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn json() {
        let report = br#"{"classifications": {"SQL Injection": {"desc": "About it.", "sol": "Use parameters.",
                "ref": {"CWE-89: SQL Injection": "https://cwe.mitre.org/data/definitions/89.html"}}},
            "vulnerabilities": {"SQL Injection": [{"method": "GET", "path": "/a", "info": "SQL Injection via id", "level": 4,
                "parameter": "id", "module": "sql", "http_request": "GET /a?id=1 HTTP/1.1", "curl_command": "curl"}], "XSS": []},
            "anomalies": {"Internal Server Error": [{"method": "GET", "path": "/b", "info": "500", "level": 3, "parameter": ""}]},
            "additionals": {}, "infos": {"target": "https://a.example/x/", "date": "today", "version": "Wapiti 3.1.0"}}"#;
        let imported = read("w.json", report, None).unwrap();
        assert_eq!(
            (imported.format, imported.tool_version.as_str(), imported.findings.len()),
            ("wapiti", "3.1.0", 2)
        );
        let finding = &imported.findings[0];
        assert_eq!((finding.severity, finding.cwes.as_slice()), (Some(Severity::Critical), [89].as_slice()));
        assert_eq!(finding.addresses[0].url, "https://a.example/a");
        assert_eq!(
            (finding.remedy.as_str(), finding.addresses[0].parameter.as_str()),
            ("Use parameters.", "id")
        );
    }
}
