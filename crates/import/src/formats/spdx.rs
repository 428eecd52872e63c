//! SPDX 2.2 and 2.3 (JSON and tag-value): advisories that packages refer to; SPDX 3.0: vulnerabilities.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_model::{Package, Severity};

use super::{Format, Likeness};
use crate::grouping::Groups;
use crate::package;
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Spdx;

impl Format for Spdx {
    fn name(&self) -> &'static str {
        "spdx"
    }

    fn title(&self) -> &'static str {
        "SPDX"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Json(json) => {
                json.text("spdxVersion").starts_with("SPDX-")
                    || json.texts("@context").iter().any(|c| c.contains("spdx.org"))
            }
            Shape::Text(text) => text.lines().take(50).any(|l| l.trim_start().starts_with("SPDXVersion:")),
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let mut groups = Groups::default();
        match shape {
            Shape::Json(json) if json.has("@graph") => graph(json.list("@graph"), &mut groups),
            Shape::Json(json) => {
                for one in json.list("packages") {
                    let references = one.list("externalRefs").iter().map(|r| Reference {
                        category: r.text("referenceCategory"),
                        kind: r.text("referenceType"),
                        locator: r.text("referenceLocator"),
                        comment: r.text("comment"),
                    });
                    Described {
                        id: one.text("SPDXID"),
                        name: one.text("name"),
                        version: one.text("versionInfo"),
                        references: references.collect(),
                    }
                    .put(&mut groups);
                }
            }
            Shape::Text(text) => tagged(text, &mut groups),
            _ => {}
        }
        groups.tell(report);
    }
}

/// What a package refers to.
#[derive(Default)]
struct Reference {
    category: String,
    kind: String,
    locator: String,
    comment: String,
}

/// A package of version 2.
#[derive(Default)]
struct Described {
    id: String,
    name: String,
    version: String,
    references: Vec<Reference>,
}

impl Described {
    /// A finding for each published name that its references on security hold.
    fn put(self, groups: &mut Groups) {
        let purl = self.references.iter().find(|r| r.kind.ends_with("purl")).map(|r| r.locator.clone());
        let package = package::package_at(&purl.unwrap_or_default(), "", &self.name, &self.version);
        for reference in self.references.iter().filter(|r| r.category.eq_ignore_ascii_case("SECURITY")) {
            // CPEs and SWIDs name the package; the rest points at what is known of it.
            if reference.kind.starts_with("cpe") || reference.kind == "swid" {
                continue;
            }
            let fixed = reference.kind == "fix";
            for id in identifier::published(&reference.locator) {
                let finding = Reported {
                    rule: id.clone(),
                    title: format!("{id} in {} {}", self.name, self.version).trim_end().to_owned(),
                    description: paragraphs([
                        format!("The bill of materials refers from {} to {id}.", self.name),
                        labelled(if fixed { "Mended" } else { "Note" }, &reference.comment),
                    ]),
                    severity: Some(Severity::Medium),
                    ids: vec![id.clone()],
                    tool_id: format!("{}|{id}", self.id),
                    package: package.clone(),
                    references: vec![reference.locator.clone()],
                    ..Reported::default()
                };
                groups.put(format!("{}|{id}", self.id), finding);
            }
        }
    }
}

/// Version 2 as lines of `Tag: value`.
fn tagged(text: &str, groups: &mut Groups) {
    let mut package = Described::default();
    for line in text.lines() {
        let Some((tag, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match tag.trim() {
            "PackageName" => {
                std::mem::take(&mut package).put(groups);
                package.name = value.to_owned();
            }
            "SPDXID" => package.id = value.to_owned(),
            "PackageVersion" => package.version = value.to_owned(),
            "ExternalRef" => {
                let mut words = value.split_whitespace().map(str::to_owned);
                package.references.push(Reference {
                    category: words.next().unwrap_or_default(),
                    kind: words.next().unwrap_or_default(),
                    locator: words.next().unwrap_or_default(),
                    comment: String::new(),
                });
            }
            "ExternalRefComment" => {
                if let Some(last) = package.references.last_mut() {
                    last.comment = value.replace("<text>", "").replace("</text>", "");
                }
            }
            _ => {}
        }
    }
    package.put(groups);
}

/// Version 3: elements of a graph, some of which relate vulnerabilities to packages and judge them.
fn graph(elements: &[Value], groups: &mut Groups) {
    let id = |element: &Value| first([element.text("spdxId"), element.text("@id")]);
    let by_id: HashMap<String, &Value> = elements.iter().map(|e| (id(e), e)).collect();
    for judged in elements.iter().filter(|e| e.text("type").contains("VulnAssessmentRelationship")) {
        let Some(vulnerability) = by_id.get(&judged.text("from")) else { continue };
        let kind = judged.text("type");
        let targets = first([judged.texts("to").join("\n"), judged.text("security_assessedElement")]);
        let names: Vec<String> = vulnerability
            .list("externalIdentifier")
            .iter()
            .map(|e| e.text("identifier"))
            .chain([vulnerability.text("name"), id(vulnerability)])
            .collect();
        let ids = identifier::published(&names.join(" "));
        let name =
            first([ids.first().cloned().unwrap_or_default(), vulnerability.text("name"), id(vulnerability)]);
        for target in targets.lines() {
            let package = by_id.get(target).and_then(|p| packaged(p));
            let on = package.as_ref().map(|p| format!(" in {} {}", p.name, p.version)).unwrap_or_default();
            let word = severity::of_word(&judged.text("security_severity"));
            let finding = Reported {
                rule: name.clone(),
                title: format!("{name}{}", on.trim_end()),
                description: paragraphs([
                    vulnerability.text("description"),
                    vulnerability.text("summary"),
                    judged.text("security_statusNotes"),
                    labelled("Reason", &judged.text("security_impactStatement")),
                ]),
                remedy: judged.text("security_actionStatement"),
                severity: word,
                cvss: judged.text("security_vectorString"),
                score: judged.number("security_score").filter(|_| kind.contains("Cvss")),
                ids: ids.clone(),
                tool_id: format!("{target}|{name}"),
                package,
                references: vulnerability
                    .list("externalRef")
                    .iter()
                    .flat_map(|r| r.texts("locator"))
                    .collect(),
                standing: match kind.as_str() {
                    k if k.contains("VexNotAffected") => Standing::FalsePositive,
                    k if k.contains("VexFixed") => Standing::Fixed,
                    _ => Standing::Open,
                },
                found: first([
                    judged.text("security_publishedTime"),
                    vulnerability.text("security_publishedTime"),
                ]),
                ..Reported::default()
            };
            groups.put(format!("{target}|{name}"), finding);
        }
    }
}

fn packaged(element: &Value) -> Option<Package> {
    let version = first([element.text("software_packageVersion"), element.text("packageVersion")]);
    let purl = first([element.text("software_packageUrl"), element.text("packageUrl")]);
    package::package_at(&purl, "", &element.text("name"), &version)
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn tag_value() {
        let report = b"SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n\nPackageName: zlib\nSPDXID: SPDXRef-zlib\nPackageVersion: 1.2.11\nExternalRef: PACKAGE-MANAGER purl pkg:apk/alpine/zlib@1.2.11\nExternalRef: SECURITY advisory https://nvd.nist.gov/vuln/detail/CVE-2022-37434\nExternalRefComment: <text>See it</text>\n\nPackageName: other\nSPDXID: SPDXRef-other\n";
        let imported = read("s.spdx", report, None).unwrap();
        let [finding] = &imported.findings[..] else { panic!() };
        assert_eq!(
            (finding.rule.as_str(), finding.tool_id.as_str()),
            ("CVE-2022-37434", "SPDXRef-zlib|CVE-2022-37434")
        );
        assert_eq!(finding.package.as_ref().unwrap().purl, "pkg:apk/alpine/zlib@1.2.11");
    }

    #[test]
    fn version_three() {
        let report = br#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
            {"type": "security_Vulnerability", "spdxId": "urn:v1", "name": "CVE-2022-37434", "description": "d"},
            {"type": "software_Package", "spdxId": "urn:p1", "name": "zlib", "software_packageVersion": "1.2.11"},
            {"type": "security_CvssV3VulnAssessmentRelationship", "spdxId": "urn:r1", "from": "urn:v1", "to": ["urn:p1"], "security_score": "9.8",
             "security_severity": "critical", "security_vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
            {"type": "security_VexNotAffectedVulnAssessmentRelationship", "spdxId": "urn:r2", "from": "urn:v1", "to": ["urn:none"]}]}"#;
        let imported = read("s.json", report, None).unwrap();
        let [weak, not] = &imported.findings[..] else { panic!() };
        assert_eq!((weak.severity, weak.score), (Some(Severity::Critical), Some(9.8)));
        assert_eq!(weak.package.as_ref().unwrap().name, "zlib");
        assert_eq!(not.standing, Standing::FalsePositive);
    }
}
