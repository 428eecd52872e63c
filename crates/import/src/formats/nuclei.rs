//! Nuclei 2 and 3: JSON, and JSON one a line.

use serde_json::Value;

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::shape::Json as _;
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Address, Report, Reported, Shape, identifier, severity};
use wardroom_model::Package;

/// The format.
#[derive(Debug)]
pub(super) struct Nuclei;

impl Format for Nuclei {
    fn name(&self) -> &'static str {
        "nuclei"
    }

    fn title(&self) -> &'static str {
        "Nuclei"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(one) = shape.values().first() else { return Likeness::No };
        let named = ["template-id", "templateID", "template_id"].iter().any(|key| one.has(key));
        let met = ["matched-at", "matched", "host", "matcher-status"].iter().any(|key| one.has(key));
        if named && met && one.has("info") { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let mut groups = Groups::default();
        for (at, one) in shape.values().iter().enumerate() {
            if !one.is_object() {
                report.problem(&format!("[{at}]"), "a result is an object");
                continue;
            }
            // Templates that did not match are told only where that was asked for.
            if one.at("matcher-status").and_then(Value::as_bool) == Some(false) {
                continue;
            }
            let finding = reported(one);
            let key = format!(
                "{} {} {} {}",
                finding.rule,
                one.text("type"),
                matcher(one),
                first([one.text("host"), one.text("matched-at")])
            );
            groups.put(key, finding);
        }
        groups.tell(report);
    }
}

fn matcher(one: &Value) -> String {
    first([one.text("matcher-name"), one.text("matcher_name")])
}

/// A list that older versions wrote as one text with commas.
fn list(value: &Value, path: &str) -> Vec<String> {
    let texts = value.texts(path);
    texts.iter().flat_map(|t| t.split(',')).map(|t| t.trim().to_owned()).collect()
}

fn reported(one: &Value) -> Reported {
    let info = one.at("info").unwrap_or(&Value::Null);
    let rule = first([one.text("template-id"), one.text("templateID"), one.text("template_id")]);
    let matcher = matcher(one);
    let extracted =
        first([one.texts("extracted-results").join("\n"), one.texts("extracted_results").join("\n")]);
    let tags = list(info, "tags");
    // The matcher names a product where the template looks for products.
    let detects = tags.iter().any(|tag| matches!(tag.as_str(), "tech" | "service" | "detect" | "favicon"));
    let product = (detects && !matcher.is_empty()).then(|| Package {
        name: matcher.clone(),
        version: String::new(),
        purl: String::new(),
    });
    let mut references: Vec<String> = info.texts("reference");
    // Older versions put several into one text.
    if references.len() == 1 {
        let within = links(&references[0]);
        references = if within.is_empty() { references } else { within };
    }
    references.push(first([one.text("template-url"), one.text("template_url")]));
    let class = info.at("classification").unwrap_or(&Value::Null);
    let mut ids: Vec<String> = identifier::published(&list(class, "cve-id").join(" "));
    if ids.is_empty() {
        ids = identifier::published(&rule);
    }
    let request = one.text("request");
    Reported {
        title: match matcher.is_empty() {
            true => first([info.text("name"), rule.clone()]),
            false => format!("{} ({matcher})", first([info.text("name"), rule.clone()])),
        },
        description: paragraphs([
            info.text("description"),
            info.text("impact"),
            labelled("Extracted", &extracted),
            labelled("Matcher", &matcher),
            labelled("Again with", &first([one.text("curl-command"), one.text("curl_command")])),
        ]),
        remedy: info.text("remediation"),
        severity: severity::of_word(&info.text("severity")),
        cwes: list(class, "cwe-id").iter().filter_map(|t| identifier::cwe(t)).collect(),
        cvss: severity::vector(&class.text("cvss-metrics")),
        score: class.number("cvss-score").filter(|s| *s > 0.0),
        ids,
        addresses: vec![Address {
            url: first([one.text("matched-at"), one.text("matched"), one.text("url"), one.text("host")]),
            method: request
                .split_whitespace()
                .next()
                .filter(|m| m.len() < 10 && m.bytes().all(|b| b.is_ascii_uppercase()))
                .unwrap_or_default()
                .to_owned(),
            parameter: first([one.text("fuzzing_parameter"), one.text("fuzzing-parameter")]),
            evidence: extracted,
            request,
            response: one.text("response"),
            ..Address::default()
        }],
        package: product,
        references,
        found: one.text("timestamp"),
        tags,
        rule,
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn lines_of_older_versions_and_several_places() {
        let report = b"{\"templateID\": \"git-config\", \"info\": {\"name\": \"Git Config\", \"severity\": \"medium\", \"tags\": \"config,git\", \"reference\": \"https://a.example/1 https://a.example/2\"}, \"host\": \"https://t.example\", \"matched\": \"https://t.example/.git/config\", \"type\": \"http\"}
{\"templateID\": \"git-config\", \"info\": {\"name\": \"Git Config\", \"severity\": \"medium\"}, \"host\": \"https://t.example\", \"matched\": \"https://t.example/x/.git/config\", \"type\": \"http\"}
{\"template-id\": \"x\", \"info\": {\"severity\": \"unknown\"}, \"host\": \"h\", \"matcher-status\": false}
";
        let imported = read("n.jsonl", report, None).unwrap();
        let [finding] = &imported.findings[..] else { panic!() };
        assert_eq!((finding.addresses.len(), finding.severity), (2, Some(Severity::Medium)));
        assert_eq!(
            (finding.tags.as_slice(), finding.references.len()),
            (["config".to_owned(), "git".to_owned()].as_slice(), 2)
        );
    }

    #[test]
    fn an_empty_file_is_read_where_the_format_is_named() {
        assert!(read("n.jsonl", b"", None).is_err());
        assert!(read("n.jsonl", b"\n", Some("nuclei")).unwrap().findings.is_empty());
    }
}
