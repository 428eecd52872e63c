//! ZAP's reports in XML and JSON ("traditional", with and without requests), and the list of alerts of its API.

use serde_json::Value;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::markup::plain;
use crate::shape::{Element, Json as _};
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, Standing, identifier, severity};
use wardroom_model::{Confidence, Severity};

/// The format.
#[derive(Debug)]
pub(super) struct Zap;

impl Format for Zap {
    fn name(&self) -> &'static str {
        "zap"
    }

    fn title(&self) -> &'static str {
        "ZAP"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        if shape.xml("OWASPZAPReport").is_some() {
            return Likeness::Sure;
        }
        let Some(json) = shape.json() else { return Likeness::No };
        // GitLab's oldest reports of DAST carry ZAP's along.
        if json.has("vulnerabilities") {
            return Likeness::No;
        }
        let named = json.text("@programName").to_ascii_uppercase().contains("ZAP");
        let site = json.at("site").map(|s| s.get(0).unwrap_or(s));
        let sites = site.is_some_and(|s| s.get("@name").is_some() || s.get("alerts").is_some());
        let alerts = json.list("alerts").first().is_some_and(|a| a.has("pluginId") && a.has("risk"));
        match (named || json.has("@version")) && json.has("site") || sites || alerts {
            true => Likeness::Sure,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        if let Some(root) = shape.xml("OWASPZAPReport") {
            report.tool("ZAP", root.attribute("version"));
            for item in root.below("alertitem") {
                let alert = Alert { text: &|key| item.text_at(key) };
                let instances = item.below("instance");
                let mut addresses: Vec<Address> =
                    instances.iter().map(|i| address(&|key| of_element(i, key))).collect();
                // Before 2.5 an alert had one place, in itself.
                if addresses.is_empty() {
                    addresses.push(address(&|key| of_element(item, key)));
                }
                report.found(alert.reported(addresses));
            }
        }
        let Some(json) = shape.json() else { return };
        report.tool(&json.text("@programName"), &json.text("@version"));
        let sites = match json.at("site") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for item in sites.iter().flat_map(|site| site.list("alerts")) {
            let alert = Alert { text: &|key| item.text(key) };
            let addresses = item.list("instances").iter().map(|i| address(&|key| of_value(i, key))).collect();
            report.found(alert.reported(addresses));
        }
        // The API tells one alert a place.
        let mut groups = Groups::default();
        for item in json.list("alerts") {
            let alert = Alert { text: &|key| of_api(item, key) };
            let finding = alert.reported(vec![address(&|key| of_api(item, key))]);
            groups.put(format!("{} {} {:?}", finding.rule, finding.title, finding.severity), finding);
        }
        groups.tell(report);
    }
}

/// An alert, by the names that the XML report gives its parts.
struct Alert<'a> {
    text: &'a dyn Fn(&str) -> String,
}

impl Alert<'_> {
    fn reported(&self, addresses: Vec<Address>) -> Reported {
        let text = self.text;
        let risk = text("riskdesc");
        let sure = text("confidence");
        let named = risk.split_once('(').map(|(_, rest)| rest.trim_end_matches(')').to_owned());
        let reference = plain(&text("reference"));
        let other = plain(&text("otherinfo"));
        Reported {
            rule: text("pluginid"),
            title: first([text("name"), text("alert")]),
            description: paragraphs([plain(&text("desc")), labelled("More", &other)]),
            remedy: plain(&text("solution")),
            severity: match text("riskcode").as_str() {
                "0" => Some(Severity::Info),
                "1" => Some(Severity::Low),
                "2" => Some(Severity::Medium),
                "3" => Some(Severity::High),
                _ => severity::of_word(risk.split(['(', ' ']).next().unwrap_or_default()),
            },
            confidence: match sure.as_str() {
                "0" | "1" => Some(Confidence::Low),
                "2" => Some(Confidence::Medium),
                "3" | "4" => Some(Confidence::High),
                _ => severity::confidence_of_word(&first([named.clone().unwrap_or_default(), sure.clone()])),
            },
            cwes: identifier::cwe(&text("cweid")).into_iter().collect(),
            ids: identifier::published(&format!("{reference} {other}")),
            addresses,
            references: links(&reference),
            standing: match named.as_deref() {
                Some("False Positive") => Standing::FalsePositive,
                _ if sure == "0" || sure.eq_ignore_ascii_case("false positive") => Standing::FalsePositive,
                _ => Standing::Open,
            },
            ..Reported::default()
        }
    }
}

/// A place where an alert was raised. The parts of messages are named alike in XML and JSON but for a hyphen.
fn address(text: &dyn Fn(&str) -> String) -> Address {
    let message = |head: &str, body: &str| {
        let (head, body) = (text(head), text(body));
        format!("{}\n\n{}", head.trim(), body.trim()).trim().to_owned()
    };
    Address {
        url: text("uri"),
        method: text("method"),
        parameter: text("param"),
        attack: text("attack"),
        evidence: text("evidence"),
        request: message("requestheader", "requestbody"),
        response: message("responseheader", "responsebody"),
    }
}

fn of_element(element: &Element, key: &str) -> String {
    element.text_at(key)
}

fn of_value(value: &Value, key: &str) -> String {
    let hyphened = key.replacen("header", "-header", 1).replacen("body", "-body", 1);
    first([value.text(key), value.text(&hyphened)])
}

/// The API's own names for what the report calls otherwise.
fn of_api(value: &Value, key: &str) -> String {
    let theirs = match key {
        "pluginid" => "pluginId",
        "desc" => "description",
        "otherinfo" => "other",
        "riskdesc" => "risk",
        "uri" => "url",
        other => other,
    };
    value.text(theirs)
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::{Confidence, Severity};

    #[test]
    fn json_with_requests() {
        let report = br#"{"@programName": "ZAP", "@version": "2.14.0", "site": [{"@name": "http://a.example", "alerts": [{
            "pluginid": "40012", "alert": "Cross Site Scripting (Reflected)", "name": "Cross Site Scripting (Reflected)", "riskcode": "3",
            "confidence": "0", "riskdesc": "High (False Positive)", "desc": "<p>One.</p><p>Two.</p>", "solution": "<p>Escape.</p>",
            "reference": "<p>https://r.example/1</p><p>https://r.example/2</p>", "cweid": "79", "instances": [
            {"uri": "http://a.example/?q=1", "method": "GET", "param": "q", "attack": "<b>", "evidence": "<b>",
             "request-header": "GET /?q=1 HTTP/1.1", "request-body": "", "response-header": "HTTP/1.1 200 OK", "response-body": "<b>"}]}]}]}"#;
        let imported = read("z.json", report, None).unwrap();
        assert_eq!((imported.format, imported.tool_version.as_str()), ("zap", "2.14.0"));
        let finding = &imported.findings[0];
        assert_eq!((finding.severity, finding.standing), (Some(Severity::High), Standing::FalsePositive));
        assert_eq!(finding.description, "One.\n\nTwo.");
        assert_eq!(finding.references, ["https://r.example/1", "https://r.example/2"]);
        assert_eq!(finding.addresses[0].response, "HTTP/1.1 200 OK\n\n<b>");
    }

    #[test]
    fn alerts_of_the_api_are_put_together() {
        let report = br#"{"alerts": [
            {"pluginId": "10020", "name": "Missing Header", "risk": "Medium", "confidence": "High", "url": "http://a.example/1", "cweid": "-1", "description": "d"},
            {"pluginId": "10020", "name": "Missing Header", "risk": "Medium", "confidence": "High", "url": "http://a.example/2", "cweid": "-1", "description": "d"}]}"#;
        let imported = read("z.json", report, None).unwrap();
        let [finding] = &imported.findings[..] else { panic!() };
        assert_eq!((finding.addresses.len(), finding.cwes.len()), (2, 0));
        assert_eq!((finding.severity, finding.confidence), (Some(Severity::Medium), Some(Confidence::High)));
    }
}
