//! Arachni's report (AFR) as JSON, 1.x.

use serde_json::Value;

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Address, Report, Reported, Shape, identifier, severity};
use wardroom_model::Confidence;

/// The format.
#[derive(Debug)]
pub(super) struct Arachni;

impl Format for Arachni {
    fn name(&self) -> &'static str {
        "arachni"
    }

    fn title(&self) -> &'static str {
        "Arachni"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(json) = shape.json() else { return Likeness::No };
        let issues = json.at("issues").is_some_and(Value::is_array);
        match issues && json.has("sitemap") && (json.has("seed") || json.has("options")) {
            true => Likeness::Sure,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(json) = shape.json() else { return };
        report.tool("Arachni", &json.text("version"));
        let found = json.text("start_datetime");
        for (at, issue) in json.list("issues").iter().enumerate() {
            if issue.is_object() {
                report.found(Reported { found: found.clone(), ..reported(issue) });
            } else {
                report.problem(&format!("issues[{at}]"), "an issue is an object");
            }
        }
    }
}

fn reported(issue: &Value) -> Reported {
    let message = |head: &str, body: &str| {
        let text = format!("{}\n\n{}", issue.text(head).trim(), issue.text(body).trim());
        text.trim().to_owned()
    };
    let address = Address {
        url: first([
            issue.text("vector.action"),
            issue.text("request.url"),
            issue.text("vector.url"),
            issue.text("page.dom.url"),
        ]),
        method: first([issue.text("request.method"), issue.text("vector.method")]).to_ascii_uppercase(),
        parameter: issue.text("vector.affected_input_name"),
        attack: issue.text("vector.seed"),
        evidence: issue.text("proof"),
        request: message("request.headers_string", "request.body"),
        response: message("response.headers_string", "response.body"),
    };
    let references = issue.at("references").and_then(Value::as_object);
    let links = references.into_iter().flatten().filter_map(|(_, link)| link.as_str().map(str::to_owned));
    let remarks = issue.at("remarks").and_then(Value::as_object);
    let remarks: Vec<String> = remarks
        .into_iter()
        .flatten()
        .flat_map(|(_, list)| list.as_array().into_iter().flatten())
        .filter_map(|remark| remark.as_str().map(str::to_owned))
        .collect();
    Reported {
        // The digest names the finding, not the check.
        rule: first([issue.text("check.shortname"), issue.text("check.name")]),
        title: issue.text("name"),
        description: paragraphs([
            issue.text("description"),
            labelled("Check", &issue.text("check.description")),
            labelled("Remarks", &remarks.join(" ")),
        ]),
        remedy: issue.text("remedy_guidance"),
        severity: severity::of_word(&issue.text("severity")),
        // What it does not trust it wants a person to look at.
        confidence: issue.at("trusted").and_then(Value::as_bool).map(|trusted| match trusted {
            true => Confidence::High,
            false => Confidence::Low,
        }),
        cwes: identifier::cwe(&issue.text("cwe")).into_iter().collect(),
        tool_id: issue.text("digest"),
        addresses: vec![address],
        references: links.chain([issue.text("cwe_url")]).collect(),
        tags: issue.texts("tags"),
        ..Reported::default()
    }
}
