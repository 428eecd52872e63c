//! SonarQube: issues and hotspots of its web API (also several answers in a ZIP file), and sonar-report's JSON and
//! HTML.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::markup::plain;
use crate::package::package;
use crate::reported::bound;
use crate::shape::{Json as _, LONGEST_TEXT};
use crate::tables::tables;
use crate::wording::{first, links, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Sonarqube;

impl Format for Sonarqube {
    fn name(&self) -> &'static str {
        "sonarqube"
    }

    fn title(&self) -> &'static str {
        "SonarQube"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = match shape {
            Shape::Json(root) => is_ours(root),
            Shape::Archive(members) => members.iter().any(|(_, s)| s.json().is_some_and(is_ours)),
            Shape::Text(text) => {
                text.contains("<title>SonarQube")
                    || (text.contains("SonarQube") && tables(text).iter().any(|t| columns(t).is_some()))
            }
            _ => false,
        };
        if ours { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        match shape {
            Shape::Json(root) => json(root, report),
            Shape::Archive(members) => {
                for (name, member) in members {
                    match member.json().filter(|root| is_ours(root)) {
                        Some(root) => json(root, report),
                        None => report.problem(name, "this part of the archive is no answer of SonarQube"),
                    }
                }
            }
            Shape::Text(text) => html(text, report),
            _ => {}
        }
    }
}

fn is_ours(root: &Value) -> bool {
    let list = |key: &str| root.at(key).is_some_and(Value::is_array);
    let paged = root.has("paging.pageIndex") || (root.has("p") && root.has("ps"));
    (list("hotspots") || list("issues")) && (paged || root.has("sonarBaseURL") || root.has("sonarComponent"))
}

/// SonarQube's own five steps. What is `CRITICAL` there is below `BLOCKER`, and so high here.
fn severity_of(word: &str) -> Option<Severity> {
    match word.trim().to_ascii_uppercase().as_str() {
        "BLOCKER" => Some(Severity::Critical),
        "CRITICAL" => Some(Severity::High),
        "MAJOR" => Some(Severity::Medium),
        "MINOR" => Some(Severity::Low),
        other => severity::of_word(other),
    }
}

fn json(root: &Value, report: &mut Report<'_>) {
    // The paths of the components; their keys begin with the project.
    let components = root.list("components").iter().filter(|c| c.has("path"));
    let paths: HashMap<String, String> = components.map(|c| (c.text("key"), c.text("path"))).collect();
    for key in ["issues", "hotspots"] {
        for (at, value) in root.list(key).iter().enumerate() {
            if value.is_object() {
                report.found(issue(value, root, &paths));
            } else {
                report.problem(&format!("{key}[{at}]"), "an issue is an object");
            }
        }
    }
}

fn issue(value: &Value, root: &Value, paths: &HashMap<String, String>) -> Reported {
    let nothing = Value::Null;
    let rule = first([value.text("rule"), value.text("ruleKey")]);
    let about = root.at("rules").and_then(|rules| rules.get(&rule)).unwrap_or(&nothing);
    let said = about.text("htmlDesc");
    let component = value.text("component");
    let file = match paths.get(&component) {
        Some(path) => path.clone(),
        // Without the list of components the path is what stands behind the project's key.
        None => {
            component.strip_prefix(&format!("{}:", value.text("project"))).unwrap_or(&component).to_owned()
        }
    };
    let message = value.text("message");
    let library = Library::of(&message);
    let mut cwes = library.cwes.clone();
    cwes.extend(classes(&said));
    cwes.extend(identifier::cwes(&value.texts("tags").join(" ")));
    let word = first([
        value.text("severity"),
        value.text("vulnerabilityProbability"),
        value.text("impacts.0.severity"),
    ]);
    let steps = value.list("flows").iter().flat_map(|f| f.list("locations")).take(200);
    let places = steps.map(|l| {
        let component = l.text("component");
        let path = paths.get(&component).cloned().unwrap_or(component);
        Place::new(path, l.whole("textRange.startLine"))
    });
    let mut tags = value.texts("tags");
    tags.extend([value.text("type"), value.text("securityCategory")]);
    Reported {
        title: first([library.title(), message.clone(), value.text("description"), about.text("name")]),
        description: paragraphs([value.text("description"), message, about.text("name"), plain(&said)]),
        rule,
        severity: severity_of(&word),
        cwes,
        score: library.score,
        ids: library.ids,
        tool_id: value.text("key"),
        place: Some(Place {
            end_line: value.whole("textRange.endLine").and_then(|n| u32::try_from(n).ok()),
            // SonarQube counts columns from 0.
            column: value.whole("textRange.startOffset").and_then(|n| u32::try_from(n + 1).ok()),
            ..Place::new(file, value.whole("line").or_else(|| value.whole("textRange.startLine")))
        }),
        places: places.collect(),
        package: package("", &library.name, &library.version),
        references: links(&said),
        standing: standing(value),
        found: value.text("creationDate"),
        tags,
        ..Reported::default()
    }
}

/// The classes that a rule's text refers to at its end.
fn classes(html: &str) -> Vec<u32> {
    identifier::cwes(&plain(html))
}

fn standing(value: &Value) -> Standing {
    let resolution = first([value.text("resolution"), value.text("issueStatus"), value.text("status")]);
    match resolution.to_ascii_uppercase().replace('-', "_").as_str() {
        "FALSE_POSITIVE" | "SAFE" => Standing::FalsePositive,
        "WONTFIX" | "ACCEPTED" | "ACKNOWLEDGED" => Standing::Accepted,
        "FIXED" | "REMOVED" | "CLOSED" => Standing::Fixed,
        _ => Standing::Open,
    }
}

/// What the plug-in of Dependency-Check writes into the message of an issue:
/// `Filename: a:1.2 | Reference: CVE-… | CVSS Score: 6.4 | Category: CWE-120 | …`
#[derive(Debug, Default)]
struct Library {
    name: String,
    version: String,
    ids: Vec<String>,
    score: Option<f32>,
    cwes: Vec<u32>,
}

impl Library {
    fn title(&self) -> String {
        let weakness = self.ids.first().map_or("known weakness", String::as_str);
        match self.name.as_str() {
            "" => String::new(),
            name => format!("{}: {weakness}", format!("{name} {}", self.version).trim()),
        }
    }

    fn of(message: &str) -> Library {
        let parts: Vec<&str> = message.split(" | ").map(str::trim).collect();
        let part = |label: &str| parts.iter().find_map(|p| p.strip_prefix(label)).map(str::trim);
        let Some(file) = part("Filename:") else { return Library::default() };
        let (name, version) = file.rsplit_once(':').unwrap_or((file, ""));
        Library {
            name: name.to_owned(),
            version: version.to_owned(),
            ids: part("Reference:").map(|r| r.to_owned()).into_iter().collect(),
            score: part("CVSS Score:").and_then(|s| s.parse().ok()),
            cwes: part("Category:").map(identifier::cwes).unwrap_or_default(),
        }
    }
}

/// Which column of the table of findings holds what; none where it is another table.
fn columns(rows: &[Vec<&str>]) -> Option<HashMap<String, usize>> {
    let header = rows.first()?;
    let named: HashMap<String, usize> =
        header.iter().enumerate().map(|(at, cell)| (plain(cell).to_ascii_lowercase(), at)).collect();
    ["rule", "severity", "component", "message"].iter().all(|c| named.contains_key(*c)).then_some(named)
}

fn html(text: &str, report: &mut Report<'_>) {
    let tables = tables(text);
    // The table of rules: its second column holds the whole text of the rule.
    let is_rules = |rows: &&Vec<Vec<&str>>| {
        rows.first().is_some_and(|h| h.len() == 2 && plain(h[0]) == "Rule" && plain(h[1]) == "Description")
    };
    let rules: HashMap<String, (String, Vec<String>)> = tables
        .iter()
        .filter(is_rules)
        .flat_map(|rows| rows.iter().skip(1))
        .filter_map(|row| {
            let said = *row.get(1)?;
            let mut text = plain(said);
            bound(&mut text, LONGEST_TEXT);
            Some((plain(row.first()?), (text, links(said).into_iter().take(50).collect())))
        })
        .collect();
    let nothing = (String::new(), Vec::new());
    for rows in &tables {
        let Some(columns) = columns(rows) else { continue };
        for row in rows.iter().skip(1).filter(|r| !r.is_empty()) {
            let cell =
                |name: &str| columns.get(name).and_then(|at| row.get(*at)).copied().unwrap_or_default();
            let rule = plain(cell("rule"));
            let (said, more) = rules.get(&rule).unwrap_or(&nothing);
            let mut references = links(cell("rule"));
            references.extend(more.iter().cloned());
            report.found(Reported {
                title: first([plain(cell("description")), plain(cell("message"))]),
                description: paragraphs([plain(cell("message")), said.clone()]),
                severity: severity_of(&plain(cell("severity"))),
                cwes: identifier::cwes(said),
                tool_id: plain(cell("key")),
                place: Some(Place::new(plain(cell("component")), plain(cell("line")).parse().ok())),
                references,
                rule,
                ..Reported::default()
            });
        }
    }
}
