//! `govulncheck -json`: the messages of 1.0 and newer, and the one document of 0.x.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_model::Confidence;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::package::package;
use crate::shape::Json as _;
use crate::wording::{first, headline, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Govulncheck;

impl Format for Govulncheck {
    fn name(&self) -> &'static str {
        "govulncheck"
    }

    fn title(&self) -> &'static str {
        "govulncheck"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = shape.values().iter().take(200).any(|message| {
            message.text("config.scanner_name") == "govulncheck"
                || message.has("config.protocol_version")
                || message.has("finding.osv")
                || (message.has("Vulns")
                    && (message.has("Calls") || message.has("Modules") || message.has("Imports")))
        });
        if ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let messages = shape.values();
        let mut advisories: HashMap<String, &Value> = HashMap::new();
        for osv in messages.iter().filter_map(|m| m.at("osv")) {
            advisories.insert(osv.text("id"), osv);
        }
        let nothing = Value::Null;
        // A weakness comes once for its module, once for its package and once for every way to a weak function.
        let mut groups = Groups::default();
        let mut surest: HashMap<String, Confidence> = HashMap::new();
        for message in messages {
            if let Some(config) = message.at("config") {
                report.tool(&config.text("scanner_name"), &config.text("scanner_version"));
            }
            let Some(finding) = message.at("finding") else { continue };
            let trace = finding.list("trace");
            let weak = trace.first().unwrap_or(&nothing);
            let key = format!("{}\n{}", finding.text("osv"), weak.text("module"));
            let sure = match (weak.has("function"), weak.has("package")) {
                (true, _) => Confidence::High,
                (false, true) => Confidence::Medium,
                (false, false) => Confidence::Low,
            };
            let known = surest.entry(key.clone()).or_insert(sure);
            *known = (*known).max(sure);
            let osv = advisories.get(&finding.text("osv")).copied().unwrap_or(&nothing);
            let mut found = advisory(osv, &finding.text("osv"), &weak.text("module"), &weak.text("version"));
            found.fixed_in = vec![finding.text("fixed_version")];
            // The trace leads from the weak function to where our own code calls it.
            let mut places = trace.iter().rev().filter(|f| f.has("position.filename")).take(50).map(frame);
            found.place = places.next();
            found.places = places.collect();
            groups.put(key, found);
        }
        for weak in messages.iter().flat_map(|m| m.list("Vulns")) {
            let osv = weak.at("OSV").unwrap_or(&nothing);
            let id = osv.text("id");
            let found = advisory(osv, &id, &weak.text("ModPath"), "");
            let key = format!("{id}\n{}", weak.text("ModPath"));
            // A call stands behind what is no 0.
            let sure =
                if weak.whole("CallSink").unwrap_or(0) > 0 { Confidence::High } else { Confidence::Low };
            let known = surest.entry(key.clone()).or_insert(sure);
            *known = (*known).max(sure);
            groups.put(key, found);
        }
        groups.tell_with(report, |key, found| found.confidence = surest.get(key).copied());
    }
}

fn frame(frame: &Value) -> Place {
    let receiver = frame.text("receiver");
    let function = frame.text("function");
    Place {
        column: frame.whole("position.column").and_then(|n| u32::try_from(n).ok()),
        scope: if receiver.is_empty() { function } else { format!("{receiver}.{function}") },
        ..Place::new(frame.text("position.filename"), frame.whole("position.line"))
    }
}

fn advisory(osv: &Value, id: &str, module: &str, version: &str) -> Reported {
    let mut ids = vec![id.to_owned()];
    ids.extend(osv.texts("aliases"));
    // The name that most people know stands first.
    ids.sort_by_key(|id| !id.starts_with("CVE-"));
    let affected = osv.list("affected").iter().filter(|a| a.text("package.name") == module);
    let symbols: Vec<String> = affected
        .flat_map(|a| a.list("ecosystem_specific.imports"))
        .flat_map(|i| i.texts("symbols"))
        .take(40)
        .map(|s| format!("`{s}`"))
        .collect();
    let details = osv.text("details");
    let summary = first([osv.text("summary"), headline(&details), id.to_owned()]);
    let cvss =
        osv.list("severity").iter().map(|s| s.text("score")).find(|s| s.contains('/')).unwrap_or_default();
    Reported {
        rule: id.to_owned(),
        title: format!("{module}: {summary}"),
        cwes: identifier::cwes(&details),
        description: paragraphs([details, labelled("Weak functions", &symbols.join(", "))]),
        severity: severity::of_word(&osv.text("database_specific.severity")),
        cvss,
        ids,
        package: package("golang", module, version),
        references: osv
            .list("references")
            .iter()
            .map(|r| r.text("url"))
            .chain([osv.text("database_specific.url")])
            .collect(),
        found: osv.text("published"),
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    #[test]
    fn one_weakness_of_one_module_is_one_finding() {
        let text = r#"{"config": {"scanner_name": "govulncheck", "scanner_version": "v1.1.0"}}
            {"osv": {"id": "GO-2021-0113", "aliases": ["CVE-2021-38561"], "summary": "Out of bounds", "details": "d",
              "affected": [{"package": {"name": "golang.org/x/text"}}]}}
            {"finding": {"osv": "GO-2021-0113", "fixed_version": "v0.3.7", "trace": [{"module": "golang.org/x/text", "version": "v0.3.5"}]}}
            {"finding": {"osv": "GO-2021-0113", "fixed_version": "v0.3.7", "trace": [
              {"module": "golang.org/x/text", "version": "v0.3.5", "package": "golang.org/x/text/language", "function": "Parse"},
              {"module": "a", "function": "main", "position": {"filename": "main.go", "line": 12, "column": 3}}]}}"#;
        let read = read("a.json", text.as_bytes(), None).unwrap();
        assert_eq!((read.format, read.findings.len()), ("govulncheck", 1));
        let found = &read.findings[0];
        assert_eq!(found.confidence, Some(Confidence::High));
        assert_eq!(
            found.places[0],
            Place { column: Some(3), scope: "main".into(), ..Place::new("main.go", Some(12)) }
        );
        assert_eq!(found.ids, ["CVE-2021-38561", "GO-2021-0113"]);
    }
}
