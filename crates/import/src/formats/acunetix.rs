//! Acunetix in XML, and Acunetix 360 (Invicti) in JSON.

use serde_json::Value;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::markup::plain;
use crate::shape::{Element, Json as _};
use crate::wording::{first, joined, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, identifier, severity};
use wardroom_model::Confidence;

/// The format.
#[derive(Debug)]
pub(super) struct Acunetix;

impl Format for Acunetix {
    fn name(&self) -> &'static str {
        "acunetix"
    }

    fn title(&self) -> &'static str {
        "Acunetix"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Xml(root) => {
                root.name == "ScanGroup" && root.child("Scan").is_some()
                    || root.name == "Scan" && root.child("ReportItems").is_some()
            }
            Shape::Json(json) => {
                json.at("Vulnerabilities").is_some_and(Value::is_array)
                    && (json.has("Target.ScanId")
                        || json.has("Generated") && json.has("Target")
                        || json.has("Vulnerabilities.0.LookupId"))
            }
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let mut groups = Groups::default();
        if let Shape::Xml(root) = shape {
            for scan in std::iter::once(root).chain(root.all("Scan")) {
                let start = scan.text_at("StartURL");
                let base =
                    match (scan.child("Crawler").map(|c| c.attribute("StartUrl")), start.contains("://")) {
                        (Some(url), false) if !url.is_empty() => url.to_owned(),
                        _ => start,
                    };
                let found = scan.text_at("StartTime");
                for item in scan.all("ReportItems").flat_map(|i| i.all("ReportItem")) {
                    let finding = of_item(item, &base);
                    groups.put(
                        format!("{} {:?} {:?}", finding.title, finding.severity, finding.cwes),
                        Reported { found: found.clone(), ..finding },
                    );
                }
            }
        }
        if let Some(json) = shape.json() {
            // The two products write the same; what they say of themselves stands in their texts.
            let said = json.text("Vulnerabilities.0.Description");
            let name = ["Invicti", "Netsparker"].into_iter().find(|name| said.contains(name));
            report.tool(name.unwrap_or("Acunetix 360"), "");
            for (at, one) in json.list("Vulnerabilities").iter().enumerate() {
                if one.is_object() {
                    let finding = of_value(one);
                    groups.put(format!("{} {} {:?}", finding.rule, finding.title, finding.severity), finding);
                } else {
                    report.problem(&format!("Vulnerabilities[{at}]"), "a finding is an object");
                }
            }
        }
        groups.tell(report);
    }
}

fn of_item(item: &Element, base: &str) -> Reported {
    let text = |path: &str| item.text_at(path);
    let references = item.below("Reference");
    let place = text("Affects");
    // A file of the server's own code, where its sensor (AcuSensor) is installed.
    let file = text("AOP_SourceFile");
    Reported {
        rule: text("ModuleName"),
        title: text("Name"),
        description: paragraphs([
            plain(&text("Description")),
            plain(&text("Details")),
            labelled("Impact", &plain(&text("Impact"))),
            plain(&text("DetailedInformation")),
        ]),
        remedy: plain(&text("Recommendation")),
        severity: severity::of_word(&text("Severity")),
        cwes: item
            .below("CWE")
            .iter()
            .filter_map(|c| identifier::cwe(&first([c.text.clone(), c.attribute("id").to_owned()])))
            .collect(),
        cvss: severity::vector(&first([text("CVSS3/Descriptor"), text("CVSS/Descriptor")])),
        score: first([text("CVSS3/Score"), text("CVSS/Score")]).parse().ok(),
        ids: item.below("CVE").iter().flat_map(|c| identifier::published(&c.text)).collect(),
        place: (!file.is_empty()).then(|| crate::Place::new(file, text("AOP_SourceLine").parse().ok())),
        addresses: vec![Address {
            url: joined(base, &place),
            parameter: text("Parameter").trim_matches(['<', '>']).replace("empty", ""),
            method: text("TechnicalDetails/Request").split_whitespace().next().unwrap_or_default().to_owned(),
            request: text("TechnicalDetails/Request"),
            response: text("TechnicalDetails/Response"),
            ..Address::default()
        }],
        references: references.iter().map(|r| r.text_at("URL")).collect(),
        standing: match text("IsFalsePositive").to_ascii_lowercase().as_str() {
            "true" | "1" => Standing::FalsePositive,
            _ => Standing::Open,
        },
        tags: vec![text("Type")],
        ..Reported::default()
    }
}

fn of_value(one: &Value) -> Reported {
    let class = one.at("Classification").unwrap_or(&Value::Null);
    let score = [("Cvss40", "Cvss40"), ("Cvss31", "Cvss31"), ("Cvss", "Cvss")]
        .iter()
        .find_map(|(name, _)| class.at(name).filter(|c| c.is_object()))
        .unwrap_or(&Value::Null);
    let state = one.text("State").to_ascii_lowercase().replace(' ', "");
    let cwes = class.text("Cwe");
    let external = one.text("ExternalReferences");
    let extra: Vec<String> =
        one.list("ExtraInformation").iter().map(|e| labelled(&e.text("Name"), &e.text("Value"))).collect();
    Reported {
        rule: one.text("Type"),
        title: one.text("Name"),
        description: paragraphs([
            plain(&one.text("Description")),
            labelled("Impact", &plain(&one.text("Impact"))),
            plain(&one.text("ProofOfConcept")),
            extra.join("\n\n"),
        ]),
        remedy: paragraphs([plain(&one.text("RemedialProcedure")), plain(&one.text("RemedialActions"))]),
        severity: severity::of_word(&one.text("Severity")),
        confidence: match one.at("Confirmed").and_then(Value::as_bool) {
            Some(true) => Some(Confidence::High),
            _ => one.whole("Certainty").map(|c| match c {
                90.. => Confidence::High,
                50..90 => Confidence::Medium,
                _ => Confidence::Low,
            }),
        },
        cwes: cwes.split([',', ' ']).filter_map(identifier::cwe).collect(),
        cvss: severity::vector(&score.text("Vector")),
        score: score.number("BaseScore.Value"),
        ids: one
            .list("KnownVulnerabilities")
            .iter()
            .flat_map(|k| identifier::published(&first([k.text("Title"), k.text("Name")])))
            .collect(),
        tool_id: one.text("LookupId"),
        addresses: vec![Address {
            url: one.text("Url"),
            method: one.text("HttpRequest.Method"),
            parameter: one.text("HttpRequest.Parameters.0.Name"),
            attack: one.text("HttpRequest.Parameters.0.Value"),
            evidence: String::new(),
            request: one.text("HttpRequest.Content"),
            response: one.text("HttpResponse.Content"),
        }],
        references: links(&external).into_iter().chain(links(&one.text("RemedyReferences"))).collect(),
        standing: match state.as_str() {
            s if s.contains("falsepositive") => Standing::FalsePositive,
            s if s.contains("acceptedrisk") => Standing::Accepted,
            s if s.contains("fixed") && !s.contains("fixedunconfirmed") => Standing::Fixed,
            _ => Standing::Open,
        },
        found: one.text("FirstSeenDate"),
        ..Reported::default()
    }
}
