//! SARIF 2.1.0, and 2.0 as far as it is alike: what most scanners of code can write.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_model::{Confidence, Package, Severity};

use super::{Format, Likeness};
use crate::shape::{Json as _, LONGEST_TEXT};
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
                    run.results(result, report);
                } else {
                    report.problem(&format!("runs[{at}].results[{n}]"), "a result is an object");
                }
            }
        }
    }
}

/// What a run says of one of its rules, read once: a rule may have a hundred thousand results.
#[derive(Debug, Default)]
struct Rule<'a> {
    value: Option<&'a Value>,
    id: String,
    short: String,
    long: String,
    remedy: String,
    level: String,
    tags: Vec<String>,
    cwes: Vec<u32>,
    /// Classes that only its texts name.
    told: Vec<u32>,
    score: Option<f32>,
    confidence: Option<Confidence>,
    reference: String,
}

impl<'a> Rule<'a> {
    fn of(id: &str, rule: &'a Value, taxa: &HashMap<String, u32>) -> Rule<'a> {
        let short = first([rule.text("shortDescription.text"), rule.text("name")]);
        let long = first([rule.text("fullDescription.text"), rule.text("help.text"), short.clone()]);
        let tags = rule.texts("properties.tags");
        let mut cwes = identifier::cwes(&tags.join(" "));
        cwes.extend(classes(rule));
        for relation in rule.list("relationships") {
            cwes.extend(cwe_of(relation.at("target").unwrap_or(&Value::Null), taxa));
        }
        let reference = rule.text("helpUri");
        Rule {
            value: Some(rule),
            id: first([rule.text("id"), id.to_owned()]),
            told: identifier::cwes(&format!("{long} {reference}")),
            short,
            long,
            remedy: first([rule.text("help.markdown"), rule.text("help.text")]),
            level: first([rule.text("defaultConfiguration.level"), rule.text("configuration.defaultLevel")]),
            tags,
            cwes,
            score: rule.number("properties.security-severity"),
            confidence: severity::confidence_of_word(&rule.text("properties.precision")),
            reference,
        }
    }
}

/// Classes among the properties of a rule or a result.
fn classes(value: &Value) -> impl Iterator<Item = u32> {
    let texts = ["properties.cwe", "properties.cwes", "properties.CWE"].map(|key| value.texts(key)).concat();
    texts.into_iter().filter_map(|text| identifier::cwe(&text))
}

/// The class that a reference to a taxonomy means: by its GUID, or by its number where the taxonomy is named.
fn cwe_of(reference: &Value, taxa: &HashMap<String, u32>) -> Option<u32> {
    let named = reference.text("toolComponent.name").eq_ignore_ascii_case("cwe");
    let by_guid = Some(reference.text("guid")).filter(|g| !g.is_empty());
    let by_guid = by_guid.and_then(|guid| taxa.get(&guid)).copied();
    by_guid.or_else(|| named.then(|| identifier::cwe(&reference.text("id"))).flatten())
}

/// One run, with its rules.
struct Run<'a> {
    value: &'a Value,
    rules: Vec<Rule<'a>>,
    by_name: HashMap<String, usize>,
    /// Class numbers that a taxonomy gives GUIDs.
    taxa: HashMap<String, u32>,
}

impl<'a> Run<'a> {
    fn new(value: &'a Value) -> Run<'a> {
        let taxa: HashMap<String, u32> = value
            .list("taxonomies")
            .iter()
            .filter(|t| t.text("name").eq_ignore_ascii_case("cwe"))
            .flat_map(|t| t.list("taxa"))
            .filter_map(|taxon| {
                Some((taxon.text("guid"), taxon.whole("id").and_then(|n| u32::try_from(n).ok())?))
            })
            .collect();
        let extensions = value.list("tool.extensions").iter().flat_map(|e| e.list("rules"));
        // Those of the driver stand first, in their order, as results may point at them by number.
        let rules = value.list("tool.driver.rules").iter().chain(extensions);
        let mut rules: Vec<Rule<'_>> = rules.map(|rule| Rule::of("", rule, &taxa)).collect();
        // Version 2.0 kept rules in an object under `resources`.
        let old = value.at("resources.rules").and_then(Value::as_object);
        rules.extend(old.into_iter().flatten().map(|(id, rule)| Rule::of(id, rule, &taxa)));
        let mut by_name = HashMap::new();
        for (at, rule) in rules.iter().enumerate() {
            by_name.entry(rule.id.clone()).or_insert(at);
        }
        Run { value, rules, by_name, taxa }
    }

    /// The findings of one result: one for each place that it names, since each of them has to be mended.
    fn results(&self, result: &Value, report: &mut Report<'_>) {
        let Some(mut found) = self.result(result) else { return };
        // Before it is copied: its texts may be long.
        found.settle();
        let others = result.list("locations").iter().skip(1).take(MOST_PLACES).map(|l| self.place(l));
        let others: Vec<Reported> = others
            .filter(|place| !place.file.is_empty())
            .map(|place| Reported { place: Some(place), ..found.clone() })
            .collect();
        report.found(found);
        others.into_iter().for_each(|found| report.found(found));
    }

    /// The finding of one result, at its first place; none where the result says that all is well.
    fn result(&self, result: &Value) -> Option<Reported> {
        if ["pass", "notApplicable"].contains(&result.text("kind").as_str()) {
            return None;
        }
        let number = result.whole("ruleIndex").or_else(|| result.whole("rule.index"));
        let by_number = number.and_then(|n| self.rules.get(usize::try_from(n).ok()?));
        let id = first([
            result.text("ruleId"),
            result.text("rule.id"),
            by_number.map(|r| r.id.clone()).unwrap_or_default(),
        ]);
        let unknown = Rule::default();
        let by_name = self.by_name.get(&id).and_then(|at| self.rules.get(*at));
        let rule = by_name.or(by_number).unwrap_or(&unknown);
        let nothing = Value::Null;
        let message = message(result.at("message").unwrap_or(&nothing), rule.value.unwrap_or(&nothing));
        let mut cwes = rule.cwes.clone();
        cwes.extend(classes(result));
        for taxon in result.list("taxa") {
            cwes.extend(cwe_of(taxon, &self.taxa));
        }
        if cwes.is_empty() {
            cwes.clone_from(&rule.told);
            cwes.extend(identifier::cwes(&message));
        }
        let place = result.list("locations").first().map(|l| self.place(l));
        let steps = result
            .list("codeFlows")
            .iter()
            .flat_map(|flow| flow.list("threadFlows"))
            .flat_map(|t| t.list("locations"));
        let places =
            steps.filter_map(|step| step.at("location")).take(MOST_PLACES).map(|l| self.place(l)).collect();
        let score = rule.score.or_else(|| result.number("properties.security-severity"));
        let level = first([result.text("level"), rule.level.clone(), "warning".to_owned()]);
        let fixes = result.list("fixes").iter().map(|f| f.text("description.text"));
        Some(Reported {
            ids: identifier::published(&format!("{id} {}", rule.tags.join(" "))),
            title: first([message.clone(), rule.short.clone(), id.clone()]),
            remedy: paragraphs([
                fixes.collect::<Vec<_>>().join("\n"),
                // Some tools say the same in every field.
                if rule.remedy == message || rule.remedy == rule.long {
                    String::new()
                } else {
                    rule.remedy.clone()
                },
            ]),
            description: paragraphs([message, rule.long.clone()]),
            rule: id,
            severity: score.map(severity::of_score).or_else(|| of_level(&level)),
            package: package_of(result),
            fixed_in: after(&result.text("message.text"), "Fixed Version:").into_iter().collect(),
            confidence: rule.confidence,
            cwes,
            score,
            tool_id: print(result),
            place,
            places,
            references: vec![rule.reference.clone()],
            standing: standing(result),
            tags: rule.tags.clone(),
            ..Reported::default()
        })
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

/// The text of a message, with its arguments put in.
fn message(message: &Value, rule: &Value) -> String {
    let id = message.text("id");
    let known = rule.at("messageStrings").and_then(|m| m.get(&id));
    let mut text = first([
        message.text("text"),
        known.map(|m| m.text("text")).unwrap_or_default(),
        known.and_then(Value::as_str).unwrap_or_default().to_owned(),
        message.text("markdown"),
    ]);
    for (at, argument) in message.texts("arguments").iter().enumerate().take(100) {
        let hole = format!("{{{at}}}");
        // A text of nothing but holes would grow without end.
        if text.matches(&hole).count() * argument.len() < LONGEST_TEXT {
            text = text.replace(&hole, argument);
        }
    }
    text
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
