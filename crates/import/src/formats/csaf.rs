//! CSAF 2.0 and 2.1: advisories and VEX documents.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_model::{Package, Severity};

use super::{Format, Likeness};
use crate::package;
use crate::shape::Json as _;
use crate::wording::{first, paragraphs};
use crate::{Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Csaf;

/// What a document may say of a product, and how that stands.
const STATUSES: [(&str, &str, Standing); 7] = [
    ("known_affected", "is affected", Standing::Open),
    ("first_affected", "is the first that is affected", Standing::Open),
    ("last_affected", "is the last that is affected", Standing::Open),
    ("under_investigation", "is being looked into", Standing::Open),
    ("first_fixed", "is the first that is mended", Standing::Fixed),
    ("fixed", "is mended", Standing::Fixed),
    ("known_not_affected", "is not affected", Standing::FalsePositive),
];

impl Format for Csaf {
    fn name(&self) -> &'static str {
        "csaf"
    }

    fn title(&self) -> &'static str {
        "CSAF"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(json) = shape.json() else { return Likeness::No };
        match json.has("document.csaf_version") || json.has("document.tracking") && json.has("product_tree") {
            true => Likeness::Sure,
            false => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(json) = shape.json() else { return };
        report.tool(
            &first([
                json.text("document.tracking.generator.engine.name"),
                json.text("document.publisher.name"),
            ]),
            &json.text("document.tracking.generator.engine.version"),
        );
        let products = products(json.at("product_tree").unwrap_or(&Value::Null));
        for (at, one) in json.list("vulnerabilities").iter().enumerate() {
            if !one.is_object() {
                report.problem(&format!("vulnerabilities[{at}]"), "a vulnerability is an object");
                continue;
            }
            let by_product = ByProduct::of(one);
            let mut told = false;
            for (status, said, standing) in STATUSES {
                for product in one.texts(&format!("product_status.{status}")) {
                    told = true;
                    report.found(Reported {
                        standing,
                        ..of_vulnerability(one, json, &product, said, &products, &by_product)
                    });
                }
            }
            if !told {
                report.found(of_vulnerability(one, json, "", "is named", &products, &by_product));
            }
        }
    }
}

/// Every product by its id.
fn products(tree: &Value) -> HashMap<String, Package> {
    let mut found = HashMap::new();
    // A branch with the name and the version that stand above it.
    let mut open: Vec<(&Value, String, String)> =
        tree.list("branches").iter().map(|b| (b, String::new(), String::new())).collect();
    while let Some((branch, name, version)) = open.pop() {
        let here = branch.text("name");
        let (name, version) = match branch.text("category").as_str() {
            "product_name" => (here, version),
            "product_version" | "product_version_range" => (name, here),
            _ => (name, version),
        };
        if let Some(product) = branch.at("product") {
            add(product, &name, &version, &mut found);
        }
        open.extend(branch.list("branches").iter().map(|b| (b, name.clone(), version.clone())));
    }
    for product in tree.list("full_product_names") {
        add(product, "", "", &mut found);
    }
    // Of a part in a whole it is the part that is weak.
    for relation in tree.list("relationships") {
        let part = found.get(&relation.text("product_reference")).cloned();
        let id = relation.text("full_product_name.product_id");
        match part {
            Some(part) => {
                found.insert(id, part);
            }
            None => add(relation.at("full_product_name").unwrap_or(&Value::Null), "", "", &mut found),
        }
    }
    found
}

fn add(product: &Value, name: &str, version: &str, found: &mut HashMap<String, Package>) {
    let helper = product.at("product_identification_helper").unwrap_or(&Value::Null);
    let purl = first([helper.text("purl"), helper.text("purls.0")]);
    let whole = product.text("name");
    // A full name most often ends in the version.
    let (named, last) = match whole.rsplit_once(' ') {
        Some((named, last)) if last.starts_with(|c: char| c.is_ascii_digit()) => (named, last),
        _ => (whole.as_str(), ""),
    };
    let (name, version) = if name.is_empty() { (named, last) } else { (name, version) };
    if let Some(package) = package::package_at(&purl, "", name, version) {
        found.insert(product.text("product_id"), package);
    }
}

/// Most remedies that are told of one product.
const REMEDIES: usize = 20;

/// What a vulnerability says of single products, looked up once: both lists may have thousands of products.
struct ByProduct<'a> {
    /// The newest score of each product; under the empty name what is said of all.
    scores: HashMap<String, &'a Value>,
    /// The remedies of each product; under the empty name those of all.
    remedies: HashMap<String, Vec<String>>,
}

/// The products that an entry is about; the empty name where it names none.
fn about(entry: &Value, key: &str) -> Vec<String> {
    let list = entry.texts(key);
    if list.is_empty() { vec![String::new()] } else { list }
}

impl<'a> ByProduct<'a> {
    fn of(one: &'a Value) -> ByProduct<'a> {
        let mut scores = HashMap::new();
        // `scores` up to 2.0, `metrics` from 2.1 on.
        let old = one.list("scores").iter().map(|s| (s, s));
        let new = one.list("metrics").iter().filter_map(|m| Some((m, m.at("content")?)));
        let entries: Vec<(&Value, &Value)> = old.chain(new).collect();
        for key in ["cvss_v4", "cvss_v3", "cvss_v2"] {
            for (entry, content) in &entries {
                let Some(score) = content.at(key) else { continue };
                for product in about(entry, "products") {
                    scores.entry(product).or_insert(score);
                }
            }
        }
        let mut remedies: HashMap<String, Vec<String>> = HashMap::new();
        for remedy in one.list("remediations") {
            let kind = remedy.text("category").replace('_', " ");
            let text = format!("- {} ({kind}) {}", remedy.text("details"), remedy.text("url"));
            for product in about(remedy, "product_ids") {
                let told = remedies.entry(product).or_default();
                if told.len() < REMEDIES {
                    told.push(text.trim_end().to_owned());
                }
            }
        }
        ByProduct { scores, remedies }
    }

    fn score(&self, product: &str) -> Option<&'a Value> {
        // Where no product is named any score tells something.
        let any = || self.scores.values().next().filter(|_| product.is_empty());
        self.scores.get(product).or_else(|| self.scores.get("")).or_else(any).copied()
    }

    fn remedy(&self, product: &str) -> String {
        let own = self.remedies.get(product).into_iter().flatten();
        let all = self.remedies.get("").filter(|_| !product.is_empty()).into_iter().flatten();
        own.chain(all).cloned().collect::<Vec<_>>().join("\n")
    }
}

fn of_vulnerability(
    one: &Value,
    document: &Value,
    product: &str,
    said: &str,
    products: &HashMap<String, Package>,
    by_product: &ByProduct<'_>,
) -> Reported {
    let other: Vec<String> = one.list("ids").iter().map(|i| i.text("text")).collect();
    let id = first([one.text("cve"), other.first().cloned().unwrap_or_default()]);
    let notes = one.list("notes").iter().filter(|n| n.text("category") != "legal_disclaimer");
    let notes: Vec<String> = notes.map(|n| n.text("text")).collect();
    let newest = by_product.score(product).unwrap_or(&Value::Null);
    let word = severity::of_word(&first([
        newest.text("baseSeverity"),
        one.text("threats.0.details"),
        document.text("document.aggregate_severity.text"),
    ]));
    let score = newest.number("baseScore");
    let package = products.get(product).cloned();
    let on = package.as_ref().map(|p| format!("{} {}", p.name, p.version).trim().to_owned());
    let references = one.list("references").iter().chain(document.list("document.references"));
    let mut ids = vec![id.clone()];
    ids.extend(other);
    ids.retain(|i| !i.is_empty());
    let cwes = std::iter::once(one.text("cwe.id")).chain(one.list("cwes").iter().map(|c| c.text("id")));
    Reported {
        title: [first([one.text("title"), id.clone()]), on.clone().unwrap_or_default()]
            .join(" in ")
            .trim_end_matches(" in ")
            .to_owned(),
        description: paragraphs([
            notes.join("\n\n"),
            on.map(|on| format!("{on} {said}.")).unwrap_or_default(),
        ]),
        remedy: by_product.remedy(product),
        severity: score.map(severity::of_score).or(word).or(Some(Severity::Medium)),
        cwes: cwes.filter_map(|c| identifier::cwe(&c)).collect(),
        cvss: newest.text("vectorString"),
        score,
        tool_id: format!("{product}|{id}").trim_start_matches('|').to_owned(),
        ids,
        package,
        references: references.take(200).map(|r| r.text("url")).collect(),
        found: first([
            one.text("discovery_date"),
            one.text("release_date"),
            document.text("document.tracking.initial_release_date"),
        ]),
        rule: id,
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::read;
    use wardroom_model::Severity;

    #[test]
    fn version_two_one() {
        let report = br#"{"document": {"csaf_version": "2.1", "title": "t", "publisher": {"name": "p"}, "tracking": {"id": "x"}},
            "product_tree": {"full_product_names": [{"product_id": "P1", "name": "Server 4.2",
                "product_identification_helper": {"purls": ["pkg:generic/server@4.2"]}}]},
            "vulnerabilities": [{"cve": "CVE-2026-0001", "cwes": [{"id": "CWE-89", "name": "SQL"}], "product_status": {"known_affected": ["P1"]},
                "metrics": [{"products": ["P1"], "content": {"cvss_v4": {"baseScore": 9.3, "baseSeverity": "CRITICAL",
                "vectorString": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}}}],
                "remediations": [{"category": "vendor_fix", "details": "Update.", "product_ids": ["P2"]}]}]}"#;
        let finding = &read("c.json", report, None).unwrap().findings[0];
        assert_eq!(
            (finding.severity, finding.score, finding.cwes.as_slice()),
            (Some(Severity::Critical), Some(9.3), [89].as_slice())
        );
        let package = finding.package.as_ref().unwrap();
        assert_eq!(
            (package.name.as_str(), package.version.as_str(), package.purl.as_str()),
            ("Server", "4.2", "pkg:generic/server@4.2")
        );
        // The remedy is for another product.
        assert_eq!(finding.remedy, "");
    }
}
