//! KICS's JSON, 1 and 2.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Kics;

impl Format for Kics {
    fn name(&self) -> &'static str {
        "kics"
    }

    fn title(&self) -> &'static str {
        "KICS"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json() else { return Likeness::No };
        let listed = root.at("queries").is_some_and(Value::is_array);
        let ours = root.has("kics_version")
            || root.list("queries").iter().take(20).any(|q| q.has("query_name") && q.has("files"));
        if listed && ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        report.tool("", &root.text("kics_version"));
        for (at, query) in root.list("queries").iter().enumerate() {
            if !query.is_object() {
                report.problem(&format!("queries[{at}]"), "a query is an object");
            }
            for file in query.list("files") {
                report.found(one(query, file));
            }
        }
    }
}

fn severity_of(word: &str) -> Option<Severity> {
    if word.eq_ignore_ascii_case("trace") { Some(Severity::Info) } else { severity::of_word(word) }
}

fn one(query: &Value, file: &Value) -> Reported {
    let resource = [file.text("resource_type"), file.text("resource_name")].join(" ");
    let expected = first([file.text("expected_value"), file.text("search_value")]);
    let about = first([query.text("description"), query.text("query_description")]);
    Reported {
        rule: query.text("query_id"),
        title: query.text("query_name"),
        description: paragraphs([
            about,
            labelled("There", &file.text("actual_value")),
            labelled("Expected", &expected),
            labelled("Setting", &file.text("search_key")),
        ]),
        remedy: first([file.text("remediation"), expected]),
        severity: severity_of(&query.text("severity")),
        cwes: identifier::cwe(&query.text("cwe")).into_iter().collect(),
        tool_id: file.text("similarity_id"),
        place: Some(Place {
            scope: resource.trim().to_owned(),
            ..Place::new(file.text("file_name"), file.whole("line"))
        }),
        references: vec![query.text("query_url")],
        tags: vec![query.text("platform"), query.text("category"), file.text("issue_type")],
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use wardroom_model::Severity;

    use crate::read;

    #[test]
    fn one_file_is_one_finding() {
        let text = r#"{"kics_version": "2.1.0", "files_scanned": 2, "queries": [{"query_name": "Open bucket", "query_id": "q",
            "severity": "TRACE", "cwe": "284", "files": [{"file_name": "a.tf", "line": 3, "similarity_id": "s", "actual_value": "is open"},
            {"file_name": "b.tf", "line": 1, "similarity_id": "t"}]}]}"#;
        let read = read("a.json", text.as_bytes(), None).unwrap();
        assert_eq!((read.format, read.findings.len()), ("kics", 2));
        assert_eq!((read.findings[0].severity, read.findings[0].cwes[0]), (Some(Severity::Info), 284));
    }
}
