//! Veracode: detailed reports (XML), and what the findings API answers (JSON).

use serde_json::Value;
use wardroom_model::{Package, Severity};

use super::{Format, Likeness};
use crate::markup::plain;
use crate::package;
use crate::shape::{Element, Json as _};
use crate::wording::{first, labelled, links, paragraphs};
use crate::{Address, Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Veracode;

impl Format for Veracode {
    fn name(&self) -> &'static str {
        "veracode"
    }

    fn title(&self) -> &'static str {
        "Veracode"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Xml(root) => {
                root.name == "detailedreport"
                    && (!root.attribute("app_id").is_empty() || root.child("severity").is_some())
            }
            Shape::Json(json) => {
                let one = findings(json).first();
                one.is_some_and(|f| f.has("scan_type") && f.has("finding_details"))
                    || json.has("_embedded.findings") && json.has("_links")
            }
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        match shape {
            Shape::Xml(root) => detailed(root, report),
            Shape::Json(json) => {
                for (at, one) in findings(json).iter().enumerate() {
                    if !one.is_object() {
                        report.problem(&format!("findings[{at}]"), "a finding is an object");
                    } else if one.text("finding_status.status") != "CLOSED" {
                        report.found(of_api(one));
                    }
                }
            }
            _ => {}
        }
    }
}

/// A page of the API, or its list alone.
fn findings(json: &Value) -> &[Value] {
    match json.has("_embedded") {
        true => json.list("_embedded.findings"),
        false => json.list("findings"),
    }
}

/// Very high to informational.
fn level(number: &str) -> Option<Severity> {
    Some(match number.trim() {
        "5" => Severity::Critical,
        "4" => Severity::High,
        "3" => Severity::Medium,
        "2" => Severity::Low,
        "1" | "0" => Severity::Info,
        word => return severity::of_word(word),
    })
}

fn detailed(root: &Element, report: &mut Report<'_>) {
    let version = root.child("static-analysis").map_or("", |s| s.attribute("engine_version"));
    report.tool("Veracode", version);
    let application = root.attribute("app_id");
    for category in root.all("severity").flat_map(|s| s.all("category")) {
        let paras = |name: &str| {
            let part = category.child(name);
            let lines = part.into_iter().flat_map(|p| p.all("para")).map(|p| {
                let items = p.all("bulletitem").map(|b| format!("\n- {}", b.attribute("text")));
                format!("{}{}", p.attribute("text"), items.collect::<String>())
            });
            lines.collect::<Vec<_>>().join("\n\n")
        };
        let (about, remedy) = (paras("desc"), paras("recommendations"));
        for class in category.all("cwe") {
            for flaw in class.below("flaw") {
                report.found(of_flaw(flaw, class, application, &about, &remedy));
            }
        }
    }
    for component in root.below("component") {
        for weak in component.all("vulnerabilities").flat_map(|v| v.all("vulnerability")) {
            report.found(of_component(component, weak));
        }
    }
}

fn of_flaw(flaw: &Element, class: &Element, application: &str, about: &str, remedy: &str) -> Reported {
    let of = |name: &str| flaw.attribute(name).to_owned();
    let (folder, file) = (of("sourcefilepath"), of("sourcefile"));
    let path = match folder.is_empty() || folder.ends_with(['/', '\\']) {
        true => format!("{folder}{file}"),
        false => format!("{folder}/{file}"),
    };
    let url = of("url");
    let mitigations = flaw.below("mitigation");
    let mitigations: Vec<String> = mitigations
        .iter()
        .map(|m| format!("- {}: {}", m.attribute("action"), m.attribute("description")))
        .collect();
    let id = of("issueid");
    Reported {
        rule: first([of("cweid"), class.attribute("cweid").to_owned()]),
        title: first([of("categoryname"), class.attribute("cwename").to_owned()]),
        description: paragraphs([
            plain(&of("description")),
            about.to_owned(),
            labelled("Module", &of("module")),
            labelled("Call", &of("type")),
            labelled("Note", &of("note")),
            labelled("Mitigations", &mitigations.join("\n")),
        ]),
        remedy: remedy.to_owned(),
        severity: level(&of("severity")),
        cwes: identifier::cwe(&first([of("cweid"), class.attribute("cweid").to_owned()]))
            .into_iter()
            .collect(),
        tool_id: if application.is_empty() { id } else { format!("app-{application}_issue-{id}") },
        place: (!file.is_empty())
            .then(|| Place { scope: of("functionprototype"), ..Place::new(path, of("line").parse().ok()) }),
        addresses: if url.is_empty() {
            Vec::new()
        } else {
            vec![Address { url, parameter: of("vuln_parameter"), ..Address::default() }]
        },
        standing: match (of("remediation_status").as_str(), of("mitigation_status").as_str()) {
            ("Fixed", _) => Standing::Fixed,
            (_, "accepted") => Standing::Accepted,
            _ => Standing::Open,
        },
        found: of("date_first_occurrence"),
        tags: vec![of("categoryname")],
        ..Reported::default()
    }
}

/// The library of a component: `library_id` (`maven:group:artifact:version:`) in newer reports, a name in older ones.
fn library(component: &Element) -> Option<Package> {
    let id = component.attribute("library_id");
    let version = component.attribute("version");
    let mut parts = id.split(':');
    let kind = parts.next().unwrap_or_default();
    let group = parts.next().unwrap_or_default();
    let artifact = parts.next().unwrap_or_default();
    let name = first([artifact.to_owned(), component.attribute("library").to_owned()]);
    let whole = match kind {
        "maven" => package::package("maven", &format!("{group}:{artifact}"), version),
        _ => package::package(kind, &name, version),
    };
    let plain = package::package("", &name, version)?;
    Some(Package { purl: whole.map(|w| w.purl).unwrap_or_default(), ..plain })
}

fn of_component(component: &Element, weak: &Element) -> Reported {
    let of = |name: &str| weak.attribute(name).to_owned();
    let id = of("cve_id");
    let library = library(component);
    let paths = component.below("file_path").into_iter().map(|p| Place::new(p.attribute("value"), None));
    let on = library.as_ref().map(|p| format!(" in {} {}", p.name, p.version)).unwrap_or_default();
    let accepted = of("mitigation").eq_ignore_ascii_case("true");
    Reported {
        title: format!("{id}{}", on.trim_end()),
        description: paragraphs([
            of("cve_summary"),
            labelled("Vendor", component.attribute("vendor")),
            labelled("Mitigated by", &of("mitigation_type")),
        ]),
        severity: level(&of("severity")),
        cwes: identifier::cwe(&of("cwe_id")).into_iter().collect(),
        score: of("cvss_score").parse().ok(),
        ids: [identifier::published(&id), vec![id.clone()]].concat(),
        places: paths.collect(),
        package: library,
        standing: if accepted { Standing::Accepted } else { Standing::Open },
        found: of("first_found_date"),
        rule: id,
        ..Reported::default()
    }
}

fn of_api(one: &Value) -> Reported {
    let about = one.at("finding_details").unwrap_or(&Value::Null);
    let status = one.at("finding_status").unwrap_or(&Value::Null);
    let standing = match (status.text("resolution").as_str(), status.text("resolution_status").as_str()) {
        ("POTENTIAL_FALSE_POSITIVE", "APPROVED") => Standing::FalsePositive,
        ("FIXED", _) => Standing::Fixed,
        (_, "APPROVED") => Standing::Accepted,
        _ => Standing::Open,
    };
    let text = one.text("description");
    let class = about.text("cwe.id");
    let mut finding = Reported {
        rule: class.clone(),
        title: first([about.text("finding_category.name"), about.text("cwe.name"), about.text("plugin")]),
        description: paragraphs([
            plain(&text),
            labelled("Class", &about.text("cwe.name")),
            labelled("Module", &about.text("module")),
            labelled("Attack", &about.text("attack_vector")),
        ]),
        severity: level(&about.text("severity")),
        cwes: identifier::cwe(&class).into_iter().collect(),
        tool_id: one.text("issue_id"),
        references: links(&text),
        standing,
        found: status.text("first_found_date"),
        tags: vec![one.text("scan_type").to_ascii_lowercase()],
        ..Reported::default()
    };
    match one.text("scan_type").as_str() {
        "SCA" => library_of_api(about, &mut finding),
        "DYNAMIC" => {
            let url = first([about.text("url"), format!("{}{}", about.text("hostname"), about.text("path"))]);
            finding.addresses =
                vec![Address { url, parameter: about.text("vulnerable_parameter"), ..Address::default() }];
        }
        _ => {
            let file = first([about.text("file_path"), about.text("file_name")]);
            finding.place = (!file.is_empty()).then(|| Place {
                scope: about.text("procedure"),
                ..Place::new(file, about.whole("file_line_number"))
            });
        }
    }
    finding
}

/// What the API tells of a library.
fn library_of_api(about: &Value, finding: &mut Reported) {
    let cve = about.at("cve").unwrap_or(&Value::Null);
    let version = about.text("version");
    let file = about.text("component_filename");
    // `okio-2.8.0.jar` is `okio.jar` in version 2.8.0.
    let name = match file.find(&format!("-{version}")).filter(|_| !version.is_empty()) {
        Some(at) => format!("{}{}", &file[..at], &file[at + 1 + version.len()..]),
        None => file.clone(),
    };
    let id = cve.text("name");
    let three = cve.text("cvss3.vector");
    finding.package = package::package("", &name, &version);
    finding.cvss = match three.is_empty() || three.starts_with("CVSS:") {
        true => severity::vector(&first([three, cve.text("vector")])),
        false => format!("CVSS:3.1/{three}"),
    };
    finding.score = cve.number("cvss3.score").or_else(|| cve.number("cvss"));
    finding.ids = [identifier::published(&id), vec![id.clone()]].concat();
    finding.title = format!("{id} in {name} {version}").trim().to_owned();
    finding.places = about.list("component_path").iter().map(|p| Place::new(p.text("path"), None)).collect();
    finding.references.push(cve.text("href"));
    finding.rule = id;
}
