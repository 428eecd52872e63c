//! Retire.js 1.6 to 5: JSON.

use serde_json::Value;

use super::{Format, Likeness};
use crate::package;
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct RetireJs;

impl Format for RetireJs {
    fn name(&self) -> &'static str {
        "retirejs"
    }

    fn title(&self) -> &'static str {
        "Retire.js"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(one) = files(shape).first() else {
            let empty = shape.json().is_some_and(|j| j.has("data") && j.has("version") && j.has("messages"));
            return if empty { Likeness::Sure } else { Likeness::No };
        };
        let first = one.list("results").first();
        match first.is_some_and(|r| r.has("component") && (r.has("detection") || r.has("vulnerabilities"))) {
            true => Likeness::Sure,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        if let Some(json) = shape.json() {
            report.tool("Retire.js", &json.text("version"));
        }
        for one in files(shape) {
            let file = one.text("file");
            for library in one.list("results") {
                for weak in library.list("vulnerabilities") {
                    report.found(reported(weak, library, &file));
                }
            }
        }
    }
}

/// The files: a list of its own in old versions, one a line when the tool was asked for that.
fn files(shape: &Shape) -> &[Value] {
    match shape.json() {
        Some(json @ Value::Object(_)) if json.has("data") => json.list("data"),
        _ => shape.values(),
    }
}

fn reported(weak: &Value, library: &Value, file: &str) -> Reported {
    let named = weak.at("identifiers").unwrap_or(&Value::Null);
    let name = first([library.text("npmname"), library.text("component")]);
    let version = library.text("version");
    let (below, from) = (weak.text("below"), weak.text("atOrAbove"));
    let mut ids = identifier::published(&named.texts("CVE").join(" "));
    ids.extend(identifier::published(&named.text("githubID")));
    let rule = first([
        ids.first().cloned().unwrap_or_default(),
        named.text("githubID"),
        format!(
            "{name}-{}",
            first([named.text("retid"), named.text("issue"), named.text("bug"), below.clone()])
        ),
    ]);
    let summary = named.text("summary");
    let fixed: Vec<String> = Some(below.clone()).filter(|b| !b.is_empty()).into_iter().collect();
    Reported {
        title: format!("{}: {name} {version}", first([summary.clone(), rule.clone()])),
        description: paragraphs([
            summary,
            labelled(
                "Affected",
                [
                    if from.is_empty() { String::new() } else { format!("from {from}") },
                    if below.is_empty() { String::new() } else { format!("below {below}") },
                ]
                .join(" ")
                .trim(),
            ),
            labelled("Detected by", &library.text("detection")),
        ]),
        remedy: package::upgrade(&name, &fixed),
        severity: severity::of_word(&weak.text("severity")),
        cwes: weak.texts("cwe").iter().filter_map(|c| identifier::cwe(c)).collect(),
        ids,
        place: (!file.is_empty()).then(|| Place::new(file, None)),
        package: package::package("npm", &name, &version),
        fixed_in: fixed,
        references: weak.texts("info"),
        rule,
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn an_object_and_a_list() {
        let newer = br#"{"version": "4.3.1", "data": [{"file": "js/jquery.js", "results": [{"version": "1.8.0", "component": "jquery", "npmname": "jquery", "detection": "filecontent",
            "vulnerabilities": [{"info": ["https://i.example/"], "below": "1.9.0b1", "atOrAbove": "1.0", "severity": "medium", "cwe": ["CWE-79"],
            "identifiers": {"CVE": ["CVE-2012-6708"], "summary": "Selector interpreted as HTML", "githubID": "GHSA-2pqj-h3vj-pqgw"}}]}]}], "messages": [], "errors": []}"#;
        let older = br#"[{"file": "js/jquery.js", "results": [{"version": "1.8.0", "component": "jquery", "detection": "filename",
            "vulnerabilities": [{"info": ["https://i.example/"], "below": "1.9.0b1", "severity": "medium", "identifiers": {"CVE": ["CVE-2012-6708"]}}]}]}]"#;
        for report in [newer.as_slice(), older] {
            let imported = read("r.json", report, None).unwrap();
            let [finding] = &imported.findings[..] else { panic!() };
            assert_eq!((imported.format, finding.severity), ("retirejs", Some(Severity::Medium)));
            assert_eq!((finding.rule.as_str(), finding.fixed_in[0].as_str()), ("CVE-2012-6708", "1.9.0b1"));
            assert_eq!(finding.package.as_ref().unwrap().purl, "pkg:npm/jquery@1.8.0");
        }
    }
}
