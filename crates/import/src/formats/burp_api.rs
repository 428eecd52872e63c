//! Burp Suite's REST API 0.1 and the events of Burp Suite Enterprise: issues of a scan in JSON.

use serde_json::Value;

use super::burp::decoded;
use super::{Format, Likeness};
use crate::markup::plain;
use crate::shape::Json as _;
use crate::wording::{joined, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct BurpApi;

impl Format for BurpApi {
    fn name(&self) -> &'static str {
        "burp-api"
    }

    fn title(&self) -> &'static str {
        "Burp Suite REST API"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(json) = shape.json() else { return Likeness::No };
        match json.at("issue_events").is_some_and(Value::is_array) {
            true if json.has("scan_status") || json.has("issue_events.0.issue") => Likeness::Sure,
            true => Likeness::Maybe,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(json) = shape.json() else { return };
        for (at, event) in json.list("issue_events").iter().enumerate() {
            match event.at("issue") {
                Some(issue) if issue.is_object() => report.found(reported(issue)),
                _ => report.problem(&format!("issue_events[{at}]"), "there is no issue in it"),
            }
        }
    }
}

/// Most pieces of evidence of one issue that are kept.
const EXCHANGES: usize = 20;

fn reported(issue: &Value) -> Reported {
    let url = joined(&issue.text("origin"), &issue.text("path"));
    let mut addresses: Vec<Address> = issue
        .list("evidence")
        .iter()
        .flat_map(|evidence| {
            let more = evidence.list("first_evidence").iter().chain(evidence.list("second_evidence"));
            std::iter::once(evidence).chain(more)
        })
        .take(EXCHANGES)
        .filter_map(|evidence| Some((evidence, evidence.at("request_response")?)))
        .map(|(evidence, exchange)| {
            let request = segments(exchange.list("request"));
            Address {
                url: exchange.text("url"),
                method: request.split_whitespace().next().unwrap_or_default().to_owned(),
                parameter: insertion_point(issue),
                attack: decoded(&evidence.text("detail.payload.bytes")),
                evidence: evidence.texts("information_items").join("\n"),
                request,
                response: segments(exchange.list("response")),
            }
        })
        .collect();
    if addresses.is_empty() {
        addresses.push(Address { url, parameter: insertion_point(issue), ..Address::default() });
    }
    let classes = issue.text("vulnerability_classifications");
    let word = issue.text("severity");
    let mut references = links(&issue.text("references"));
    references.extend(links(&classes));
    Reported {
        rule: issue.text("type_index"),
        title: issue.text("name"),
        description: paragraphs([
            plain(&issue.text("description")),
            plain(&issue.text("issue_background")),
            labelled("Location", &issue.text("caption")),
        ]),
        remedy: paragraphs([plain(&issue.text("remediation")), plain(&issue.text("remediation_background"))]),
        severity: severity::of_word(&word),
        confidence: severity::confidence_of_word(&issue.text("confidence")),
        cwes: identifier::cwes(&classes),
        tool_id: issue.text("serial_number"),
        addresses,
        references,
        standing: if word == "false_positive" { Standing::FalsePositive } else { Standing::Open },
        ..Reported::default()
    }
}

/// The input that was tried, where the caption names it in brackets.
fn insertion_point(issue: &Value) -> String {
    let caption = issue.text("caption");
    let inside = caption.rsplit_once('[').and_then(|(_, rest)| rest.trim_end().strip_suffix(']'));
    inside.unwrap_or_default().trim_end_matches(" parameter").to_owned()
}

/// A message, which comes in pieces: data, what the scanner points at, and what it left out.
fn segments(pieces: &[Value]) -> String {
    pieces
        .iter()
        .map(|piece| match piece.text("type").as_str() {
            "SnipSegment" => "\n…\n".to_owned(),
            _ => decoded(&piece.text("data")),
        })
        .collect()
}
