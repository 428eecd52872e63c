//! Burp Suite's reports of issues in XML, from 1.5 on.

use base64::Engine as _;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::markup::plain;
use crate::shape::Element;
use crate::wording::{joined, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Burp;

impl Format for Burp {
    fn name(&self) -> &'static str {
        "burp"
    }

    fn title(&self) -> &'static str {
        "Burp Suite"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        match shape.xml("issues") {
            Some(root) if !root.attribute("burpVersion").is_empty() => Likeness::Sure,
            Some(root) if root.child("issue").is_some_and(|i| i.child("serialNumber").is_some()) => {
                Likeness::Sure
            }
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.xml("issues") else { return };
        report.tool("Burp Suite", root.attribute("burpVersion"));
        // The same check in several places is one finding; what is said of each place goes with its address.
        let mut groups = Groups::default();
        for issue in root.all("issue") {
            let finding = reported(issue);
            let key =
                format!("{} {} {:?} {:?}", finding.rule, finding.title, finding.severity, finding.standing);
            groups.put(key, finding);
        }
        groups.tell(report);
    }
}

/// Most requests of one issue that are kept.
const EXCHANGES: usize = 20;

fn reported(issue: &Element) -> Reported {
    let url = joined(&issue.text_at("host"), &issue.text_at("path"));
    let location = issue.text_at("location");
    let detail = plain(&issue.text_at("issueDetail"));
    let items: Vec<String> =
        issue.below("issueDetailItem").iter().map(|i| format!("- {}", plain(&i.text))).collect();
    let classes = issue.text_at("vulnerabilityClassifications");
    let mut references = links(&issue.text_at("references"));
    references.extend(links(&classes));
    // What stands in brackets after the path names the input: `/basket [b_id cookie]`.
    let parameter = location
        .rsplit_once('[')
        .and_then(|(_, rest)| rest.strip_suffix(']'))
        .unwrap_or_default()
        .trim_end_matches(" parameter")
        .to_owned();
    let mut exchanges = issue.below("requestresponse").into_iter().take(EXCHANGES).map(|exchange| Address {
        url: url.clone(),
        method: exchange.child("request").map(|r| r.attribute("method").to_owned()).unwrap_or_default(),
        parameter: parameter.clone(),
        evidence: detail.clone(),
        request: exchange.child("request").map(message).unwrap_or_default(),
        response: exchange.child("response").map(message).unwrap_or_default(),
        ..Address::default()
    });
    let first = exchanges.next().unwrap_or_else(|| Address {
        url: url.clone(),
        parameter: parameter.clone(),
        evidence: detail.clone(),
        ..Address::default()
    });
    let mut addresses = vec![first];
    addresses.extend(exchanges);
    let word = issue.text_at("severity");
    Reported {
        rule: issue.text_at("type"),
        title: issue.text_at("name"),
        description: paragraphs([
            detail.clone(),
            items.join("\n"),
            plain(&issue.text_at("issueBackground")),
            labelled("Location", &location),
        ]),
        remedy: paragraphs([
            plain(&issue.text_at("remediationDetail")),
            plain(&issue.text_at("remediationBackground")),
        ]),
        severity: severity::of_word(&word),
        confidence: severity::confidence_of_word(&issue.text_at("confidence")),
        cwes: identifier::cwes(&classes),
        ids: identifier::published(&issue.text_at("issueDetail")),
        tool_id: issue.text_at("serialNumber"),
        addresses,
        references,
        standing: if word.eq_ignore_ascii_case("false positive") {
            Standing::FalsePositive
        } else {
            Standing::Open
        },
        ..Reported::default()
    }
}

/// A request or a response, which Burp writes in base64 unless it is asked not to.
fn message(element: &Element) -> String {
    if element.attribute("base64").eq_ignore_ascii_case("true") {
        decoded(&element.text)
    } else {
        element.text.trim().to_owned()
    }
}

/// Base64 as text; what is none stays as it is.
pub(super) fn decoded(text: &str) -> String {
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    match base64::engine::general_purpose::STANDARD.decode(&packed) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => text.to_owned(),
    }
}
