//! OWASP Dependency-Check 1.3 to 12: XML and JSON.

use serde_json::Value;
use wardroom_model::Package;

use super::{Format, Likeness};
use crate::package;
use crate::shape::{Element, Json as _};
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct DependencyCheck;

impl Format for DependencyCheck {
    fn name(&self) -> &'static str {
        "dependency-check"
    }

    fn title(&self) -> &'static str {
        "OWASP Dependency-Check"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Xml(root) => root.name == "analysis" && root.child("dependencies").is_some(),
            Shape::Json(json) => {
                json.has("reportSchema") && json.has("scanInfo")
                    || json.has("projectInfo.credits") && json.has("dependencies")
            }
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        match shape {
            Shape::Xml(root) => {
                report.tool("OWASP Dependency-Check", &root.text_at("scanInfo/engineVersion"));
                let found = root.text_at("projectInfo/reportDate");
                for dependency in root.all("dependencies").flat_map(|d| d.all("dependency")) {
                    let library = Library::of_element(dependency);
                    let weak = dependency.child("vulnerabilities");
                    let open =
                        weak.into_iter().flat_map(|v| v.all("vulnerability")).map(|v| (v, Standing::Open));
                    let closed = weak
                        .into_iter()
                        .flat_map(|v| v.all("suppressedVulnerability"))
                        .map(|v| (v, Standing::Accepted));
                    for (one, standing) in open.chain(closed) {
                        let weakness = Weakness::of_element(one);
                        report.found(weakness.reported(&library, standing, &found));
                    }
                }
            }
            Shape::Json(json) => {
                report.tool("OWASP Dependency-Check", &json.text("scanInfo.engineVersion"));
                let found = json.text("projectInfo.reportDate");
                for dependency in json.list("dependencies") {
                    let library = Library::of_value(dependency);
                    let open = dependency.list("vulnerabilities").iter().map(|v| (v, Standing::Open));
                    let closed =
                        dependency.list("suppressedVulnerabilities").iter().map(|v| (v, Standing::Accepted));
                    for (one, standing) in open.chain(closed) {
                        let weakness = Weakness::of_value(one);
                        report.found(weakness.reported(&library, standing, &found));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Most other files of a library that are told.
const RELATED: usize = 100;

/// A library as it was found.
struct Library {
    file: String,
    related: Vec<String>,
    package: Option<Package>,
}

impl Library {
    fn of_element(one: &Element) -> Library {
        let purl = one.below("package").iter().map(|p| p.text_at("id")).find(|id| id.starts_with("pkg:"));
        // Before version 5 packages stood among the identifiers.
        let old = one.below("identifier").into_iter().find(|i| i.attribute("type") == "maven");
        let maven = old.map(|i| i.text_at("name")).unwrap_or_default();
        let evidence = |kind: &str| {
            let all = one.below("evidence");
            let mut of = all.iter().filter(|e| e.attribute("type") == kind);
            // The most certain stands first.
            of.next().map(|e| e.text_at("value")).unwrap_or_default()
        };
        Library {
            file: one.text_at("fileName"),
            related: one
                .below("relatedDependency")
                .iter()
                .take(RELATED)
                .map(|r| r.text_at("filePath"))
                .collect(),
            package: purl
                .and_then(|purl| package::of_purl(&purl))
                .or_else(|| of_coordinates(&maven))
                .or_else(|| package::package("", &evidence("product"), &evidence("version"))),
        }
    }

    fn of_value(one: &Value) -> Library {
        let purl = one.list("packages").iter().map(|p| p.text("id")).find(|id| id.starts_with("pkg:"));
        let evidence = |kind: &str| one.text(&format!("evidenceCollected.{kind}Evidence.0.value"));
        Library {
            file: one.text("fileName"),
            related: one
                .list("relatedDependencies")
                .iter()
                .take(RELATED)
                .map(|r| r.text("filePath"))
                .collect(),
            package: purl
                .and_then(|purl| package::of_purl(&purl))
                .or_else(|| package::package("", &evidence("product"), &evidence("version"))),
        }
    }
}

/// `group:artifact:version`.
fn of_coordinates(text: &str) -> Option<Package> {
    let (name, version) = text.rsplit_once(':')?;
    package::package("maven", name, version)
}

/// A weakness, in either syntax.
struct Weakness {
    name: String,
    source: String,
    severity: String,
    description: String,
    notes: String,
    vector: String,
    score: Option<f32>,
    cwes: Vec<String>,
    references: Vec<String>,
}

impl Weakness {
    fn of_element(one: &Element) -> Weakness {
        let text = |path: &str| one.text_at(path);
        let cwes = one.below("cwe").iter().map(|c| c.text.clone()).collect();
        let references = one.below("reference");
        let mut cited: Vec<String> = references.iter().map(|r| r.text_at("url")).collect();
        cited.extend(references.iter().flat_map(|r| links(&r.text_at("name").replace("](", " "))));
        let three = one.child("cvssV3");
        let vector = three.map(|c| third(&|key| c.text_at(key))).unwrap_or_default();
        let score = ["cvssV4/baseScore", "cvssV3/baseScore", "cvssV2/score", "cvssScore"];
        Weakness {
            name: text("name"),
            source: one.attribute("source").to_owned(),
            severity: first([text("severity"), text("cvssV3/baseSeverity"), text("cvssV2/severity")]),
            description: text("description"),
            notes: text("notes"),
            vector: first([text("cvssV4/vectorString"), vector]),
            score: score.iter().find_map(|path| text(path).parse().ok()),
            cwes,
            references: cited,
        }
    }

    fn of_value(one: &Value) -> Weakness {
        let vector = one.at("cvssv3").map(|c| third(&|key| c.text(key))).unwrap_or_default();
        let score = ["cvssv4.baseScore", "cvssv3.baseScore", "cvssv2.score"];
        Weakness {
            name: one.text("name"),
            source: one.text("source"),
            severity: first([
                one.text("severity"),
                one.text("cvssv3.baseSeverity"),
                one.text("cvssv2.severity"),
            ]),
            description: one.text("description"),
            notes: one.text("notes"),
            vector: first([one.text("cvssv4.vectorString"), one.text("cvssv4.vector"), vector]),
            score: score.iter().find_map(|path| one.number(path)),
            cwes: one.texts("cwes"),
            references: one
                .list("references")
                .iter()
                .flat_map(|r| {
                    let mut all = vec![r.text("url")];
                    all.extend(links(&r.text("name").replace("](", " ")));
                    all
                })
                .collect(),
        }
    }

    fn reported(self, library: &Library, standing: Standing, found: &str) -> Reported {
        let package = library.package.as_ref();
        let on = package.map(|p| format!("{} {}", p.name, p.version).trim().to_owned());
        let mut cwes: Vec<u32> = self.cwes.iter().flat_map(|t| identifier::cwes(t)).collect();
        let named = identifier::cwes(&self.name);
        cwes.extend(named);
        // The class of what the tool looks for, where it gives none of its own.
        if cwes.is_empty() && !self.cwes.iter().any(|t| t.to_ascii_uppercase().starts_with("CWE-")) {
            cwes.push(1035);
        }
        Reported {
            title: [self.name.clone(), on.unwrap_or_else(|| library.file.clone())].join(" in "),
            description: paragraphs([
                self.description,
                labelled("File", &library.file),
                labelled("Suppressed because", if standing == Standing::Accepted { &self.notes } else { "" }),
            ]),
            remedy: package
                .map(|p| format!("Update {} to a version that is not affected.", p.name))
                .unwrap_or_default(),
            severity: severity::of_word(&self.severity),
            cwes,
            cvss: self.vector,
            score: self.score.filter(|s| (0.0..=10.0).contains(s)),
            ids: identifier::published(&self.name),
            place: Some(Place::new(library.file.clone(), None)),
            places: library.related.iter().map(|file| Place::new(file.clone(), None)).collect(),
            package: library.package.clone(),
            references: self.references,
            standing,
            found: found.to_owned(),
            tags: vec![self.source],
            rule: self.name,
            ..Reported::default()
        }
    }
}

/// A vector of CVSS 3 whose parts are told one by one, in words or letters; empty unless all are there.
fn third(text: &dyn Fn(&str) -> String) -> String {
    let parts = [
        ("AV", "attackVector"),
        ("AC", "attackComplexity"),
        ("PR", "privilegesRequired"),
        ("UI", "userInteraction"),
        ("S", "scope"),
        ("C", "confidentialityImpact"),
        ("I", "integrityImpact"),
        ("A", "availabilityImpact"),
    ];
    // The version of the vector is told by newer versions of the tool only.
    let version = if text("version") == "3.0" { "3.0" } else { "3.1" };
    let mut vector = format!("CVSS:{version}");
    for (short, key) in parts {
        let Some(letter) = text(key).chars().next() else { return String::new() };
        vector.push_str(&format!("/{short}:{}", letter.to_ascii_uppercase()));
    }
    vector
}

#[cfg(test)]
mod tests {
    use crate::{Standing, read};
    use wardroom_model::Severity;

    #[test]
    fn json() {
        let report = br#"{"reportSchema": "1.1", "scanInfo": {"engineVersion": "9.0.0"}, "projectInfo": {"reportDate": "then"}, "dependencies": [
            {"fileName": "a.jar", "packages": [{"id": "pkg:maven/org.a/a@1.0", "confidence": "HIGH"}], "vulnerabilities": [{"source": "NVD", "name": "CVE-2020-0001",
              "severity": "HIGH", "cwes": ["CWE-502"], "cvssv3": {"baseScore": 8.1, "attackVector": "NETWORK", "attackComplexity": "HIGH", "privilegesRequired": "NONE",
              "userInteraction": "NONE", "scope": "UNCHANGED", "confidentialityImpact": "HIGH", "integrityImpact": "HIGH", "availabilityImpact": "HIGH", "version": "3.0"},
              "description": "d", "references": [{"url": "https://r.example/", "name": "n"}]}],
             "suppressedVulnerabilities": [{"name": "CVE-2020-0002", "severity": "low", "notes": "Not used"}]}, {"fileName": "b.jar"}]}"#;
        let imported = read("d.json", report, None).unwrap();
        let [open, closed] = &imported.findings[..] else { panic!() };
        assert_eq!((imported.tool_version.as_str(), open.severity), ("9.0.0", Some(Severity::High)));
        assert_eq!(open.cvss, "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H");
        assert_eq!(open.package.as_ref().unwrap().name, "org.a:a");
        assert_eq!(closed.standing, Standing::Accepted);
        assert!(closed.description.contains("Not used"));
    }
}
