//! SARIF 2.1.0, and 2.0 as far as it is alike: what most scanners of code can write.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_model::{Package, Severity};

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, identifier, package, severity};

/// Most places of one result: a check that fires ten thousand times is one to switch off.
const MOST_PLACES: usize = 1000;

/// The format.
#[derive(Debug)]
pub(super) struct Sarif;

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn title(&self) -> &'static str {
        "SARIF"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(log) = shape.json() else { return Likeness::No };
        let said = log.text("$schema").contains("sarif");
        match log.has("runs") {
            true if said || log.list("runs").iter().any(|run| run.has("tool.driver")) => Likeness::Sure,
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(log) = shape.json() else { return };
        for (at, run) in log.list("runs").iter().enumerate() {
            let driver = run.at("tool.driver").unwrap_or(&Value::Null);
            report
                .tool(&driver.text("name"), &first([driver.text("semanticVersion"), driver.text("version")]));
            let run = Run::new(run);
            for (n, result) in run.value.list("results").iter().enumerate() {
                if result.is_object() {
                    run.results(result).into_iter().for_each(|found| report.found(found));
                } else {
                    report.problem(&format!("runs[{at}].results[{n}]"), "a result is an object");
                }
            }
        }
    }
}

/// One run, with its rules by name.
struct Run<'a> {
    value: &'a Value,
    rules: HashMap<String, &'a Value>,
    /// The rules of the driver in their order, as results may point at them by number.
    driver: &'a [Value],
    /// CWE numbers that a taxonomy gives rules.
    taxa: HashMap<String, u32>,
}

impl<'a> Run<'a> {
    fn new(value: &'a Value) -> Run<'a> {
        let driver = value.list("tool.driver.rules");
        let extensions = value.list("tool.extensions").iter().flat_map(|e| e.list("rules"));
        // Version 2.0 kept rules in an object under `resources`.
        let old = value.at("resources.rules").and_then(Value::as_object);
        let mut rules: HashMap<String, &Value> = HashMap::new();
        for rule in driver.iter().chain(extensions) {
            rules.entry(rule.text("id")).or_insert(rule);
        }
        for (id, rule) in old.into_iter().flatten() {
            rules.entry(id.clone()).or_insert(rule);
        }
        let taxa = value
            .list("taxonomies")
            .iter()
            .filter(|t| t.text("name").eq_ignore_ascii_case("cwe"))
            .flat_map(|t| t.list("taxa"))
            .filter_map(|taxon| {
                Some((taxon.text("guid"), taxon.whole("id").and_then(|n| u32::try_from(n).ok())?))
            })
            .collect();
        Run { value, rules, driver, taxa }
    }

    /// The findings of one result: one for each place that it names, since each of them has to be mended.
    fn results(&self, result: &Value) -> Vec<Reported> {
        let Some(found) = self.result(result) else { return Vec::new() };
        let mut others: Vec<Place> = result.list("locations").iter().skip(1).map(|l| self.place(l)).collect();
        others.retain(|place| !place.file.is_empty());
        let more = others.into_iter().take(MOST_PLACES).map(|place| Reported {
            package: found.package.clone(),
            place: Some(place),
            ..found.clone()
        });
        let mut all: Vec<Reported> = more.collect();
        all.insert(0, found);
        all
    }

    /// The finding of one result, at its first place; none where the result says that all is well.
    fn result(&self, result: &Value) -> Option<Reported> {
        if ["pass", "notApplicable"].contains(&result.text("kind").as_str()) {
            return None;
        }
        let number = result.whole("ruleIndex").or_else(|| result.whole("rule.index"));
        let by_number = number.and_then(|n| self.driver.get(usize::try_from(n).ok()?));
        let id = first([
            result.text("ruleId"),
            result.text("rule.id"),
            by_number.map(|r| r.text("id")).unwrap_or_default(),
        ]);
        let nothing = Value::Null;
        let rule = self.rules.get(&id).copied().or(by_number).unwrap_or(&nothing);
        let short = first([rule.text("shortDescription.text"), rule.text("name")]);
        let long = first([rule.text("fullDescription.text"), rule.text("help.text"), short.clone()]);
        let message = self.message(result.at("message").unwrap_or(&nothing), rule);
        let tags = rule.texts("properties.tags");

        let mut cwes = identifier::cwes(&tags.join(" "));
        for properties in [result, rule] {
            for key in ["properties.cwe", "properties.cwes", "properties.CWE"] {
                for text in properties.texts(key) {
                    cwes.extend(identifier::cwe(&text));
                }
            }
        }
        for relation in rule.list("relationships") {
            cwes.extend(self.cwe_of(relation.at("target").unwrap_or(&nothing)));
        }
        for taxon in result.list("taxa") {
            cwes.extend(self.cwe_of(taxon));
        }
        if cwes.is_empty() {
            cwes = identifier::cwes(&format!("{long} {message} {}", rule.text("helpUri")));
        }
        let place = result.list("locations").first().map(|l| self.place(l));
        let steps = result
            .list("codeFlows")
            .iter()
            .flat_map(|flow| flow.list("threadFlows"))
            .flat_map(|t| t.list("locations"));
        let places =
            steps.filter_map(|step| step.at("location")).take(MOST_PLACES).map(|l| self.place(l)).collect();
        let score = rule
            .number("properties.security-severity")
            .or_else(|| result.number("properties.security-severity"));
        let level = first([
            result.text("level"),
            rule.text("defaultConfiguration.level"),
            rule.text("configuration.defaultLevel"),
            "warning".to_owned(),
        ]);
        Some(Reported {
            ids: identifier::published(&format!("{id} {}", tags.join(" "))),
            title: first([message.clone(), short, id.clone()]),
            description: if long == message { long } else { [message, long].join("\n\n").trim().to_owned() },
            rule: id,
            remedy: paragraphs([
                result
                    .list("fixes")
                    .iter()
                    .map(|f| f.text("description.text"))
                    .collect::<Vec<_>>()
                    .join("\n"),
                first([rule.text("help.markdown"), rule.text("help.text")]),
            ]),
            severity: score.map(severity::of_score).or_else(|| of_level(&level)),
            package: package_of(result),
            fixed_in: after(&result.text("message.text"), "Fixed Version:").into_iter().collect(),
            confidence: severity::confidence_of_word(&rule.text("properties.precision")),
            cwes,
            score,
            tool_id: print(result),
            place,
            places,
            references: vec![rule.text("helpUri")],
            standing: standing(result),
            tags,
            ..Reported::default()
        })
    }

    /// The text of a message, with its arguments put in.
    fn message(&self, message: &Value, rule: &Value) -> String {
        let id = message.text("id");
        let mut text = first([
            message.text("text"),
            rule.at("messageStrings").and_then(|m| m.get(&id)).map(|m| m.text("text")).unwrap_or_default(),
            rule.at("messageStrings")
                .and_then(|m| m.get(&id))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            message.text("markdown"),
        ]);
        for (at, argument) in message.texts("arguments").iter().enumerate() {
            text = text.replace(&format!("{{{at}}}"), argument);
        }
        text
    }

    fn cwe_of(&self, reference: &Value) -> Option<u32> {
        let named = reference.text("toolComponent.name").eq_ignore_ascii_case("cwe");
        let by_guid = Some(reference.text("guid")).filter(|g| !g.is_empty());
        let by_guid = by_guid.and_then(|guid| self.taxa.get(&guid)).copied();
        by_guid.or_else(|| named.then(|| identifier::cwe(&reference.text("id"))).flatten())
    }

    fn place(&self, location: &Value) -> Place {
        let physical = location.at("physicalLocation").unwrap_or(&Value::Null);
        let artifact =
            physical.at("artifactLocation").or_else(|| physical.at("fileLocation")).unwrap_or(&Value::Null);
        let by_number =
            artifact.whole("index").and_then(|n| self.value.list("artifacts").get(usize::try_from(n).ok()?));
        let file =
            first([artifact.text("uri"), by_number.map(|a| a.text("location.uri")).unwrap_or_default()]);
        let region = physical.at("region").unwrap_or(&Value::Null);
        let small = |path: &str| region.whole(path).and_then(|n| u32::try_from(n).ok());
        Place {
            column: small("startColumn"),
            end_line: small("endLine"),
            scope: first([
                location.text("logicalLocations.0.fullyQualifiedName"),
                location.text("logicalLocations.0.name"),
                location.text("fullyQualifiedLogicalName"),
            ]),
            snippet: first([region.text("snippet.text"), physical.text("contextRegion.snippet.text")]),
            ..Place::new(file, region.whole("startLine"))
        }
    }
}

/// SARIF's own scale: a note is an opportunity, not a weakness.
fn of_level(level: &str) -> Option<Severity> {
    match level {
        "note" | "none" => Some(Severity::Info),
        other => severity::of_word(other),
    }
}

/// The package that a scanner of libraries and images means: by package URL, by properties (Black Duck), or in the
/// lines of the message (Trivy).
fn package_of(result: &Value) -> Option<Package> {
    let logical = result.list("locations").iter().flat_map(|l| l.list("logicalLocations"));
    let mut purls: Vec<String> = logical.map(|l| l.text("fullyQualifiedName")).collect();
    purls.extend(result.texts("properties.purls"));
    purls.extend(result.texts("properties.purl"));
    if let Some(found) = purls.iter().find_map(|purl| package::of_purl(purl)) {
        return Some(found);
    }
    let properties = result.at("properties").unwrap_or(&Value::Null);
    if properties.has("component") && properties.has("componentVersion") {
        return package::package(
            &properties.text("componentOrigin"),
            &properties.text("component"),
            &properties.text("componentVersion"),
        );
    }
    let message = result.text("message.text");
    let (name, version) = (after(&message, "Package:")?, after(&message, "Installed Version:")?);
    package::package("", &name, &version)
}

/// What follows a label on its line.
fn after(text: &str, label: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(label))?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// What stays the same in the tool's next report. Some tools nest their fingerprints.
fn print(result: &Value) -> String {
    fn text_in(value: &Value, depth: usize) -> Option<String> {
        match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Object(object) if depth > 0 => object.values().find_map(|v| text_in(v, depth - 1)),
            Value::Array(list) if depth > 0 => list.iter().find_map(|v| text_in(v, depth - 1)),
            _ => None,
        }
    }
    let prints = |key: &str| result.at(key).and_then(|v| text_in(v, 4)).unwrap_or_default();
    first([prints("fingerprints"), prints("partialFingerprints"), result.text("guid")])
}

fn standing(result: &Value) -> Standing {
    let holds = |s: &Value| ["", "accepted"].contains(&s.text("status").as_str());
    match result.list("suppressions").iter().any(holds) || !result.list("suppressionStates").is_empty() {
        true => Standing::Accepted,
        false if result.text("baselineState") == "absent" => Standing::Fixed,
        false => Standing::Open,
    }
}
