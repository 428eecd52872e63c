//! Checkmarx SAST (XML), and Checkmarx One (JSON: results, and the report by languages).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Format, Likeness};
use crate::package;
use crate::shape::{Element, Json as _};
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Checkmarx;

impl Format for Checkmarx {
    fn name(&self) -> &'static str {
        "checkmarx"
    }

    fn title(&self) -> &'static str {
        "Checkmarx"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        if shape.xml("CxXMLResults").is_some() {
            return Likeness::Sure;
        }
        let Some(json) = shape.json() else { return Likeness::No };
        let one = json.at("results.0");
        let result = one.is_some_and(|r| r.has("similarityId") && r.has("data"));
        let report = json.has("reportHeader") && json.has("scanResults");
        let empty = json.has("scanID") && json.has("totalCount") && json.has("results");
        if result || report || empty { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        if let Some(root) = shape.xml("CxXMLResults") {
            report.tool("Checkmarx", root.attribute("CheckmarxVersion"));
            xml(root, report);
        }
        let Some(json) = shape.json() else { return };
        report.tool("Checkmarx One", "");
        for (at, one) in json.list("results").iter().enumerate() {
            if one.is_object() {
                report.found(of_result(one));
            } else {
                report.problem(&format!("results[{at}]"), "a result is an object");
            }
        }
        for library in json.list("scanResults.sca.packages") {
            library.list("vulnerabilities").iter().for_each(|one| report.found(of_library(one, library)));
        }
        for query in json.list("scanResults.kics.results") {
            query.list("vulnerabilities").iter().for_each(|one| report.found(of_infrastructure(one, query)));
        }
        for part in ["scanResults.sast.languages", "scanResults.languages", "scanResults"] {
            for query in json.list(part).iter().flat_map(|l| l.list("queries")) {
                for one in query.list("vulnerabilities").iter().chain(query.list("resultsList")) {
                    report.found(of_language(one, query, json));
                }
            }
        }
    }
}

/// Results that share a weakness class, a severity and the file where the data arrives are mended together: they are one
/// finding.
#[derive(Default)]
struct Together {
    finding: Reported,
    rules: Vec<String>,
    names: Vec<String>,
    texts: Vec<String>,
    open: bool,
    stated: Vec<Standing>,
}

/// Class, severity, file.
type Key = (String, String, String);

fn xml(root: &Element, report: &mut Report<'_>) {
    let mut order: Vec<Key> = Vec::new();
    let mut together: BTreeMap<Key, Together> = BTreeMap::new();
    for query in root.all("Query") {
        let class = query.attribute("cweId").to_owned();
        for result in query.all("Result") {
            let steps = steps(result);
            let file = first([
                steps.last().map(|s| s.file.clone()).unwrap_or_default(),
                result.attribute("FileName").to_owned(),
            ]);
            // Without a class, results of one check belong together.
            let class = if class.is_empty() || class == "0" {
                query.attribute("id").to_owned()
            } else {
                class.clone()
            };
            let word =
                first([result.attribute("Severity").to_owned(), query.attribute("Severity").to_owned()]);
            let key = (class, word.to_ascii_lowercase(), file);
            if !together.contains_key(&key) {
                order.push(key.clone());
            }
            let entry = together.entry(key).or_default();
            take(entry, query, result, steps);
        }
    }
    for key in order {
        let Some(entry) = together.remove(&key) else { continue };
        let mut stated = entry.stated.iter();
        let standing = match stated.next() {
            Some(one) if !entry.open && stated.all(|s| s == one) => *one,
            _ if entry.open => Standing::Open,
            _ => Standing::Accepted,
        };
        report.found(Reported {
            rule: entry.rules.join(","),
            title: format!("{} in {}", entry.names.join(", ").replace('_', " "), key.2),
            description: entry.texts.join("\n\n"),
            standing,
            ..entry.finding
        });
    }
}

/// What one result adds.
fn take(entry: &mut Together, query: &Element, result: &Element, steps: Vec<Place>) {
    let of = |name: &str| query.attribute(name).to_owned();
    let (rule, name) = (of("id"), of("name"));
    if !entry.rules.contains(&rule) {
        entry.rules.push(rule);
        entry.texts.push(paragraphs([
            labelled("Check", &name.replace('_', " ")),
            labelled("Group", &of("group").replace('_', " ")),
            labelled("Language", &of("Language")),
            labelled("Filed under", &of("categories").replace(';', ": ")),
        ]));
    }
    if !entry.names.contains(&name) {
        entry.names.push(name);
    }
    let word = first([result.attribute("Severity").to_owned(), of("Severity")]);
    let level = severity::of_word(&word);
    let state = result.attribute("state");
    let standing = match (result.attribute("FalsePositive"), state) {
        ("True" | "true", _) | (_, "1") => Standing::FalsePositive,
        _ if result.attribute("Status") == "Fixed" => Standing::Fixed,
        _ => Standing::Open,
    };
    entry.open |= standing == Standing::Open;
    entry.stated.push(standing);
    let remark = result.attribute("Remark");
    if !remark.is_empty() && entry.texts.len() < 200 {
        entry.texts.push(labelled("Remark", remark));
    }
    let finding = &mut entry.finding;
    finding.severity = level;
    finding.cwes.extend(identifier::cwe(&of("cweId")));
    if finding.place.is_none() {
        finding.place = steps.last().cloned().or_else(|| {
            let line = result.attribute("Line").parse().ok();
            Some(Place::new(result.attribute("FileName"), line))
        });
        finding.tool_id =
            result.at("Path").map(|p| p.attribute("SimilarityId").to_owned()).unwrap_or_default();
        finding.found = result.attribute("DetectionDate").to_owned();
    }
    let room = 1000usize.saturating_sub(finding.places.len());
    finding.places.extend(steps.into_iter().take(room));
    finding.references.push(result.attribute("DeepLink").to_owned());
    finding.references.truncate(20);
}

/// The path from source to sink.
fn steps(result: &Element) -> Vec<Place> {
    result
        .below("PathNode")
        .into_iter()
        .map(|node| Place {
            column: node.text_at("Column").parse().ok(),
            scope: node.text_at("Name"),
            snippet: node.text_at("Snippet/Line/Code"),
            ..Place::new(node.text_at("FileName"), node.text_at("Line").parse().ok())
        })
        .collect()
}

/// What was decided on a result of Checkmarx One.
fn standing(state: &str, status: &str) -> Standing {
    match state.to_ascii_uppercase().as_str() {
        "NOT_EXPLOITABLE" => Standing::FalsePositive,
        "IGNORED" => Standing::Accepted,
        _ if status.eq_ignore_ascii_case("fixed") => Standing::Fixed,
        _ => Standing::Open,
    }
}

fn nodes(list: &[Value]) -> Vec<Place> {
    list.iter()
        .map(|node| Place {
            column: node.whole("column").and_then(|n| u32::try_from(n).ok()),
            scope: first([node.text("method"), node.text("name")]),
            ..Place::new(node.text("fileName"), node.whole("line"))
        })
        .collect()
}

/// A result of any engine of Checkmarx One.
fn of_result(one: &Value) -> Reported {
    let data = one.at("data").unwrap_or(&Value::Null);
    let weak = one.at("vulnerabilityDetails").unwrap_or(&Value::Null);
    let mut places = nodes(data.list("nodes"));
    let file = first([data.text("fileName"), data.text("filename")]);
    let place = match places.is_empty() {
        // The last node is where the harm is done.
        false => places.pop(),
        true => (!file.is_empty()).then(|| Place::new(file, data.whole("line"))),
    };
    let purl = data.text("packageIdentifier");
    // `Npm-lodash-4.17.11`
    let mut parts = purl.splitn(2, '-');
    let (manager, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let package = rest
        .rsplit_once('-')
        .and_then(|(name, version)| package::package(&manager.to_ascii_lowercase(), name, version));
    let cve = weak.text("cveName");
    let id = first([cve.clone(), data.text("queryId"), one.text("id")]);
    let fixed = data.text("recommendedVersion");
    let name = first([data.text("queryName").replace('_', " "), cve, one.text("id")]);
    Reported {
        title: match &package {
            Some(package) => format!("{name} in {} {}", package.name, package.version),
            None => name,
        },
        description: paragraphs([
            one.text("description"),
            labelled("Group", &data.text("group").replace('_', " ")),
            labelled("Expected", &data.text("expectedValue")),
            labelled("Found", &data.text("value")),
        ]),
        remedy: match &package {
            Some(package) if !fixed.is_empty() => {
                package::upgrade(&package.name, std::slice::from_ref(&fixed))
            }
            _ => String::new(),
        },
        severity: severity::of_word(&one.text("severity")),
        cwes: identifier::cwe(&weak.text("cweId")).into_iter().collect(),
        score: weak.number("cvssScore").filter(|s| *s > 0.0),
        cvss: severity::vector(&weak.text("cvss.vector")),
        ids: identifier::published(&weak.text("cveName")),
        tool_id: first([data.text("resultHash"), one.text("similarityId"), one.text("id")]),
        place,
        places,
        package,
        fixed_in: vec![fixed],
        references: data.list("packageData").iter().map(|r| r.text("url")).collect(),
        standing: standing(&one.text("state"), &one.text("status")),
        found: one.text("firstFoundAt"),
        tags: vec![one.text("type")],
        rule: id,
        ..Reported::default()
    }
}

/// A result of the report by languages, under its query.
fn of_language(one: &Value, query: &Value, report: &Value) -> Reported {
    let name = query.text("queryName");
    // What is said of all results of a query stands elsewhere.
    let about = report
        .list("vulnerabilityDetails")
        .iter()
        .find(|d| d.text("queryName") == name)
        .or_else(|| query.at("metadata"))
        .unwrap_or(query);
    let mut places = nodes(one.list("nodes"));
    let place = places.pop().or_else(|| {
        let file = first([one.text("destinationFileName"), one.text("sourceFileName"), one.text("fileName")]);
        let line = one.whole("destinationLine").or_else(|| one.whole("sourceLine"));
        (!file.is_empty()).then(|| Place::new(file, line))
    });
    Reported {
        rule: first([query.text("queryId"), name.clone()]),
        title: name.replace('_', " "),
        description: paragraphs([
            first([query.text("description"), about.text("risk")]),
            labelled("Cause", &about.text("cause")),
        ]),
        remedy: first([about.text("generalRecommendations"), about.text("recommendations")]),
        severity: severity::of_word(&first([one.text("severity"), query.text("severity")])),
        cwes: identifier::cwe(&first([query.text("cweId"), about.text("cweId"), about.text("cwe")]))
            .into_iter()
            .collect(),
        tool_id: first([one.text("id"), one.text("similarityId")]),
        place,
        places,
        standing: standing(&one.text("state"), &one.text("status")),
        found: one.text("firstFoundDate"),
        ..Reported::default()
    }
}

/// A library of the report by engines, named `Npm-lodash-4.17.11` or `lodash-4.17.11`.
fn of_library(one: &Value, library: &Value) -> Reported {
    let whole = library.text("name");
    let (name, version) = whole.rsplit_once('-').unwrap_or((&whole, ""));
    let (manager, name) = match name.split_once('-') {
        Some((manager, name)) if manager.starts_with(|c: char| c.is_ascii_uppercase()) => (manager, name),
        _ => ("", name),
    };
    let id = first([one.text("cveId"), one.text("id")]);
    let fixed = one.text("fixVersion");
    let fixed: Vec<String> = Some(fixed).filter(|f| !f.is_empty()).into_iter().collect();
    Reported {
        title: format!("{id} in {name} {version}").trim_end().to_owned(),
        description: paragraphs([one.text("description")]),
        remedy: package::upgrade(name, &fixed),
        severity: severity::of_word(&one.text("severity")),
        cwes: identifier::cwe(&one.text("cwe")).into_iter().collect(),
        score: one.number("cvssScore").or_else(|| one.number("score")).filter(|s| *s > 0.0),
        ids: identifier::published(&id),
        package: package::package(&manager.to_ascii_lowercase(), name, version),
        fixed_in: fixed,
        references: one.texts("references"),
        standing: standing(&one.text("state"), &one.text("status")),
        found: one.text("firstFoundDate"),
        tags: vec!["sca".to_owned()],
        rule: id,
        ..Reported::default()
    }
}

/// A setting of the report by engines.
fn of_infrastructure(one: &Value, query: &Value) -> Reported {
    let name = first([query.text("name"), query.text("queryName")]);
    let file = one.text("fileName");
    Reported {
        rule: first([query.text("queryId"), name.clone()]),
        title: name,
        description: paragraphs([
            one.text("description"),
            labelled("Kind", &one.text("issueType")),
            labelled("Expected", &one.text("expectedValue")),
            labelled("Found", &one.text("actualValue")),
        ]),
        severity: severity::of_word(&first([one.text("severity"), query.text("severity")])),
        tool_id: first([one.text("id"), one.text("similarityId")]),
        place: (!file.is_empty()).then(|| Place::new(file, one.whole("line"))),
        standing: standing(&one.text("state"), &one.text("status")),
        found: one.text("firstFoundDate"),
        tags: vec!["kics".to_owned()],
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn results_of_checkmarx_one() {
        let report = br#"{"scanID": "s", "totalCount": 2, "results": [
            {"type": "sast", "id": "1", "similarityId": "77", "state": "NOT_EXPLOITABLE", "severity": "HIGH",
             "data": {"queryId": 594, "queryName": "SQL_Injection", "resultHash": "h=",
                      "nodes": [{"fileName": "/a.rb", "line": 3}, {"fileName": "/b.rb", "line": 9, "column": 2}]},
             "vulnerabilityDetails": {"cweId": 89}},
            {"type": "sca", "id": "CVE-2019-10744", "similarityId": "8", "state": "TO_VERIFY", "severity": "CRITICAL",
             "data": {"packageIdentifier": "Npm-lodash-4.17.11", "recommendedVersion": "4.17.21"},
             "vulnerabilityDetails": {"cweId": "CWE-1321", "cvssScore": 9.1, "cveName": "CVE-2019-10744"}}]}"#;
        let imported = read("cx.json", report, None).unwrap();
        assert_eq!(imported.format, "checkmarx");
        let [sast, sca] = &imported.findings[..] else { panic!() };
        let place = sast.place.as_ref().unwrap();
        assert_eq!((place.file.as_str(), place.line, place.column), ("/b.rb", Some(9), Some(2)));
        assert_eq!((sast.cwes.as_slice(), sast.standing), ([89].as_slice(), Standing::FalsePositive));
        let package = sca.package.as_ref().unwrap();
        assert_eq!((package.name.as_str(), package.version.as_str()), ("lodash", "4.17.11"));
        assert_eq!(
            (sca.severity, sca.fixed_in.as_slice()),
            (Some(Severity::Critical), ["4.17.21".to_owned()].as_slice())
        );
    }

    #[test]
    fn the_report_by_languages() {
        let report = br#"{"reportHeader": {"projectName": "p"}, "scanResults": {"sast": {"languages": [{"languageName": "Ruby",
            "queries": [{"queryName": "Open_Redirect", "vulnerabilities": [{"similarityId": "5", "severity": "Low",
            "nodes": [{"fileName": "a.rb", "line": 4}]}]}]}]},
            "sca": {"packages": [{"name": "Npm-lodash-4.17.11", "vulnerabilities": [{"cveId": "CVE-2019-10744", "severity": "Critical", "cwe": "1321"}]}]},
            "kics": {"results": [{"name": "Privileged", "vulnerabilities": [{"severity": "High", "fileName": "d.yml", "line": 2, "status": "Fixed"}]}]}},
            "vulnerabilityDetails": [{"queryName": "Open_Redirect", "cweId": 601, "generalRecommendations": "Do not."}]}"#;
        let imported = read("cx.json", report, None).unwrap();
        let [library, setting, finding] = &imported.findings[..] else { panic!() };
        assert_eq!(library.package.as_ref().unwrap().purl, "pkg:npm/lodash@4.17.11");
        assert_eq!(setting.standing, Standing::Fixed);
        assert_eq!((finding.title.as_str(), finding.cwes.as_slice()), ("Open Redirect", [601].as_slice()));
        assert_eq!((finding.remedy.as_str(), finding.tool_id.as_str()), ("Do not.", "5"));
    }
}
