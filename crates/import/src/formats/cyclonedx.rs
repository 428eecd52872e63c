//! CycloneDX 1.0 to 1.6, JSON and XML: the vulnerabilities that a bill of materials holds, those of the extension
//! for 1.0 to 1.3 too.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_model::{Package, Severity};

use super::{Format, Likeness};
use crate::package;
use crate::shape::{Element, Json as _};
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct CycloneDx;

impl Format for CycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx"
    }

    fn title(&self) -> &'static str {
        "CycloneDX"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Xml(root) => {
                root.name == "bom"
                    && (root.attributes.iter().any(|(_, v)| v.contains("cyclonedx.org"))
                        || root.child("components").is_some())
            }
            Shape::Json(json) => json.text("bomFormat").eq_ignore_ascii_case("CycloneDX"),
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        match shape {
            Shape::Xml(root) => xml(root, report),
            Shape::Json(json) => self::json(json, report),
            _ => {}
        }
    }
}

/// What is said of a component.
#[derive(Clone, Debug, Default)]
struct Component {
    package: Option<Package>,
}

/// A rating, in whatever version of the format.
#[derive(Default)]
struct Rating {
    word: String,
    method: String,
    vector: String,
    score: Option<f32>,
}

impl Rating {
    /// How new the method is; the newest vector is taken.
    fn rank(&self) -> u8 {
        match self.method.to_ascii_lowercase().replace('.', "").as_str() {
            _ if self.vector.starts_with("CVSS:4") => 4,
            "cvssv4" => 4,
            "cvssv31" | "cvssv3" | "cvss3" => 3,
            "cvssv2" => 2,
            _ if self.vector.contains("PR:") => 3,
            _ if self.vector.contains("Au:") => 2,
            _ => 0,
        }
    }

    /// The vector, with the prefix that the format lets out.
    fn vector(&self) -> String {
        match self.rank() {
            0 => String::new(),
            3 if !self.vector.is_empty() && !self.vector.starts_with("CVSS:") => {
                format!("CVSS:3.1/{}", self.vector.trim_matches(['(', ')']))
            }
            _ => severity::vector(&self.vector),
        }
    }
}

/// What the two syntaxes have in common.
#[derive(Default)]
struct Vulnerability {
    id: String,
    other_ids: Vec<String>,
    ratings: Vec<Rating>,
    cwes: Vec<u32>,
    description: String,
    detail: String,
    remedy: String,
    references: Vec<String>,
    state: String,
    reason: String,
    found: String,
    affects: Vec<String>,
}

impl Vulnerability {
    /// One finding for each component that it affects; one where none is named.
    fn tell(self, components: &HashMap<String, Component>, report: &mut Report<'_>) {
        let word = self.ratings.iter().find_map(|r| severity::of_word(&r.word));
        let best = self.ratings.iter().max_by_key(|r| (!r.vector.is_empty(), r.rank()));
        let vector = best.map(Rating::vector).unwrap_or_default();
        let score = best
            .and_then(|r| r.score)
            .or_else(|| severity::score_of(&vector))
            .filter(|s| (0.0..=10.0).contains(s));
        let known = identifier::published(&format!("{} {}", self.id, self.other_ids.join(" ")));
        let mut ids = known;
        for id in std::iter::once(&self.id).chain(&self.other_ids) {
            let stands = ids.iter().any(|known| known.eq_ignore_ascii_case(id));
            if !id.is_empty() && !stands {
                ids.push(id.clone());
            }
        }
        let standing = match self.state.to_ascii_lowercase().as_str() {
            "not_affected" | "false_positive" => Standing::FalsePositive,
            "resolved" | "resolved_with_pedigree" => Standing::Fixed,
            _ => Standing::Open,
        };
        let affected: Vec<Option<Package>> = match self.affects.is_empty() {
            true => vec![None],
            false => self
                .affects
                .iter()
                .map(|at| {
                    // `urn:cdx:…/1#ref` names a component of this or another bill.
                    let short = at.rsplit_once('#').filter(|_| at.starts_with("urn:cdx:")).map(|(_, r)| r);
                    let known = components.get(at).or_else(|| components.get(short?));
                    known.map_or_else(|| package::of_purl(at), |component| component.package.clone())
                })
                .collect(),
        };
        for package in affected {
            let on = package.as_ref().map(|p| format!(" in {} {}", p.name, p.version)).unwrap_or_default();
            report.found(Reported {
                rule: self.id.clone(),
                title: format!("{}{}", first([self.id.clone(), self.description.clone()]), on.trim_end()),
                description: paragraphs([
                    self.description.clone(),
                    self.detail.clone(),
                    labelled("Analysis", &self.reason),
                ]),
                remedy: self.remedy.clone(),
                severity: word.or_else(|| score.map(severity::of_score)).or(Some(Severity::Medium)),
                cwes: self.cwes.clone(),
                cvss: vector.clone(),
                score,
                ids: ids.clone(),
                package,
                references: self.references.clone(),
                standing,
                found: self.found.clone(),
                ..Reported::default()
            });
        }
    }
}

fn json(bom: &Value, report: &mut Report<'_>) {
    // A list of tools up to 1.4, an object from 1.5 on.
    let tool = ["metadata.tools.0", "metadata.tools.components.0", "metadata.tools.services.0"]
        .iter()
        .find_map(|path| bom.at(path))
        .unwrap_or(&Value::Null);
    report.tool(&tool.text("name"), &tool.text("version"));
    let mut components = HashMap::new();
    let main = bom.at("metadata.component");
    let mut open: Vec<&Value> = bom.list("components").iter().chain(main).collect();
    while let Some(one) = open.pop() {
        open.extend(one.list("components"));
        let package = package::package_at(&one.text("purl"), "", &one.text("name"), &one.text("version"));
        components.insert(one.text("bom-ref"), Component { package });
    }
    for (at, one) in bom.list("vulnerabilities").iter().enumerate() {
        if !one.is_object() {
            report.problem(&format!("vulnerabilities[{at}]"), "a vulnerability is an object");
            continue;
        }
        let mut references = vec![one.text("source.url")];
        references.extend(one.list("advisories").iter().map(|a| a.text("url")));
        references.extend(one.list("references").iter().map(|r| r.text("source.url")));
        let ratings = one.list("ratings").iter().map(|rating| Rating {
            word: rating.text("severity"),
            method: rating.text("method"),
            vector: rating.text("vector"),
            score: rating.number("score"),
        });
        Vulnerability {
            id: one.text("id"),
            other_ids: one.list("references").iter().map(|r| r.text("id")).collect(),
            ratings: ratings.collect(),
            cwes: one.texts("cwes").iter().filter_map(|t| identifier::cwe(t)).collect(),
            description: one.text("description"),
            detail: one.text("detail"),
            remedy: paragraphs([one.text("recommendation"), one.text("workaround")]),
            references,
            state: one.text("analysis.state"),
            reason: [one.text("analysis.justification").replace('_', " "), one.text("analysis.detail")]
                .join(" ")
                .trim()
                .to_owned(),
            found: first([one.text("published"), one.text("created")]),
            affects: one.list("affects").iter().map(|a| a.text("ref")).collect(),
        }
        .tell(&components, report);
    }
}

fn xml(bom: &Element, report: &mut Report<'_>) {
    let tools = bom.at("metadata/tools");
    let tool = tools.and_then(|t| t.below("name").first().copied());
    let version = tools.and_then(|t| t.below("version").first().copied());
    report.tool(tool.map_or("", |t| t.text.trim()), version.map_or("", |v| v.text.trim()));
    let mut components = HashMap::new();
    let of = |component: &Element| {
        let text = |path: &str| component.text_at(path);
        Component { package: package::package_at(&text("purl"), "", &text("name"), &text("version")) }
    };
    for component in bom.below("component") {
        components.insert(component.attribute("bom-ref").to_owned(), of(component));
        // The oldest extension puts them into the component.
        for one in component.all("vulnerabilities").flat_map(|v| v.all("vulnerability")) {
            let key =
                first([component.attribute("bom-ref").to_owned(), component.text_at("purl"), "-".to_owned()]);
            let alone = HashMap::from([(key.clone(), of(component))]);
            Vulnerability { affects: vec![key], ..of_element(one) }.tell(&alone, report);
        }
    }
    for one in bom.all("vulnerabilities").flat_map(|v| v.all("vulnerability")) {
        of_element(one).tell(&components, report);
    }
}

fn of_element(one: &Element) -> Vulnerability {
    let text = |path: &str| one.text_at(path);
    let ratings = one.child("ratings").map(|r| r.all("rating").collect::<Vec<_>>()).unwrap_or_default();
    let mut affects: Vec<String> =
        Some(one.attribute("ref").to_owned()).filter(|r| !r.is_empty()).into_iter().collect();
    let targets = one.child("affects").map(|a| a.all("target").collect::<Vec<_>>()).unwrap_or_default();
    affects.extend(targets.iter().map(|t| t.text_at("ref")));
    let mut references = vec![text("source/url")];
    for advisory in one.below("advisory") {
        references.extend(links(&first([advisory.text_at("url"), advisory.text.clone()])));
    }
    let others = one.child("references").map(|r| r.all("reference").collect::<Vec<_>>()).unwrap_or_default();
    references.extend(others.iter().map(|r| r.text_at("source/url")));
    let recommended: Vec<String> =
        one.below("recommendation").iter().map(|r| r.text.trim().to_owned()).collect();
    Vulnerability {
        id: text("id"),
        other_ids: others.iter().map(|r| r.text_at("id")).collect(),
        ratings: ratings
            .iter()
            .map(|rating| Rating {
                word: rating.text_at("severity"),
                method: rating.text_at("method"),
                vector: rating.text_at("vector"),
                score: first([rating.text_at("score/base"), rating.text_at("score")]).parse().ok(),
            })
            .collect(),
        cwes: one.below("cwe").iter().filter_map(|c| identifier::cwe(&c.text)).collect(),
        description: text("description"),
        detail: text("detail"),
        remedy: recommended.join("\n\n"),
        references,
        state: text("analysis/state"),
        reason: [text("analysis/justification").replace('_', " "), text("analysis/detail")]
            .join(" ")
            .trim()
            .to_owned(),
        found: first([text("published"), text("created")]),
        affects,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn parts_of_parts_and_links_between_bills() {
        let report = br#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"tools": {"components": [{"name": "trivy", "version": "0.50"}]}},
            "components": [{"name": "app", "components": [{"bom-ref": "inner", "name": "rack", "version": "2.0", "purl": "pkg:gem/rack@2.0"}]}],
            "vulnerabilities": [{"id": "CVE-2024-25126", "ratings": [{"method": "CVSSv31", "score": 5.3, "vector": "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"},
                {"method": "CVSSv4", "score": 6.9, "vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N"}],
                "analysis": {"state": "resolved"}, "affects": [{"ref": "urn:cdx:1/1#inner"}, {"ref": "pkg:npm/x@1"}]}]}"#;
        let imported = read("b.json", report, None).unwrap();
        assert_eq!((imported.tool.as_str(), imported.findings.len()), ("trivy", 2));
        let [rack, x] = &imported.findings[..] else { panic!() };
        assert_eq!(rack.package.as_ref().unwrap().purl, "pkg:gem/rack@2.0");
        assert_eq!(x.package.as_ref().unwrap().name, "x");
        assert_eq!((rack.score, rack.standing), (Some(6.9), Standing::Fixed));
        assert!(rack.cvss.starts_with("CVSS:4.0/"));
        assert_eq!(rack.severity, Some(Severity::Medium));
    }

    #[test]
    fn the_extension_in_a_component() {
        let report = br#"<bom xmlns="http://cyclonedx.org/schema/bom/1.0" xmlns:v="http://cyclonedx.org/schema/ext/vulnerability/1.0"><components>
            <component type="library"><name>a</name><version>1</version><purl>pkg:pypi/a@1</purl><v:vulnerabilities>
            <v:vulnerability><v:id>CVE-2018-7489</v:id><v:ratings><v:rating><v:severity>High</v:severity></v:rating></v:ratings></v:vulnerability>
            </v:vulnerabilities></component></components></bom>"#;
        let finding = &read("b.xml", report, None).unwrap().findings[0];
        assert_eq!(finding.package.as_ref().unwrap().purl, "pkg:pypi/a@1");
        assert_eq!(
            (finding.severity, finding.ids.as_slice()),
            (Some(Severity::High), ["CVE-2018-7489".to_owned()].as_slice())
        );
    }
}
