//! SARIF 2.1.0, as code scanning services take it.
//!
//! Written as plain JSON values: the few objects that a report needs are easier to read here than
//! through a generated model of the whole standard. The tests check every document against the
//! official schema.

use std::collections::HashMap;
use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};
use wardroom_model::{
    Confidence, Endpoint, FilterRole, Finding, Fix, Location, Position, Problem, Report, Rule, Severity,
};

use crate::Error;
use crate::escape::{line, uri_path};
use crate::stream::Each;
use crate::summary::{cwe_url, milliseconds, repository_path, score, utc};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Every path in the log is relative to this.
const SOURCE_ROOT: &str = "%SRCROOT%";
/// Our fingerprints are of the first version.
const FINGERPRINT: &str = "wardroom/v1";

#[derive(Serialize)]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [R; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<R> {
    tool: Value,
    invocations: [Value; 1],
    original_uri_base_ids: Value,
    column_kind: &'static str,
    default_source_language: &'static str,
    results: R,
}

/// Writes the log.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let indexes: HashMap<&str, usize> = report.rules.iter().enumerate().map(|(i, r)| (r.id, i)).collect();
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: json!({ "driver": driver(report) }),
            invocations: [invocation(report)],
            original_uri_base_ids: json!({ SOURCE_ROOT: source_root(&report.root) }),
            column_kind: "unicodeCodePoints",
            default_source_language: "ruby",
            results: Each(|| report.findings.iter().map(|f| result(report, &indexes, f))),
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn driver(report: &Report) -> Value {
    // A rule has no confidence of its own: its findings have. The surest of them stands for it.
    let mut surest: HashMap<&str, Confidence> = HashMap::new();
    for finding in &report.findings {
        let confidence = surest.entry(&finding.rule).or_insert(finding.confidence);
        *confidence = (*confidence).max(finding.confidence);
    }
    let rules: Vec<Value> =
        report.rules.iter().map(|rule| descriptor(rule, surest.get(rule.id).copied())).collect();
    json!({
        "name": "Wardroom",
        "version": report.version,
        "informationUri": "https://github.com/wardroom/wardroom",
        "rules": rules,
    })
}

fn descriptor(rule: &Rule, surest: Option<Confidence>) -> Value {
    let summary = rule.summary();
    let full = if summary.is_empty() { rule.title.to_owned() } else { summary };
    let doc = if rule.doc.trim().is_empty() { rule.title } else { rule.doc };
    json!({
        "id": rule.id,
        "name": pascal_case(rule.id),
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": full },
        "help": { "text": doc, "markdown": doc },
        "helpUri": cwe_url(rule.cwe),
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "tags": ["security", format!("external/cwe/cwe-{:03}", rule.cwe.0), category(rule)],
            "security-severity": format!("{:.1}", score(rule)),
            "precision": surest.unwrap_or(Confidence::Medium).as_str(),
        },
    })
}

fn category(rule: &Rule) -> String {
    rule.category.title().to_lowercase().replace(' ', "-")
}

fn result(report: &Report, indexes: &HashMap<&str, usize>, finding: &Finding) -> Value {
    let root = &report.root;
    let mut value = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": message(finding) },
        "locations": [location(root, &finding.location, None)],
        "partialFingerprints": { FINGERPRINT: finding.fingerprint.0 },
        "properties": {
            "severity": finding.severity.as_str(),
            "confidence": finding.confidence.as_str(),
            "cwe": finding.cwe.to_string(),
            "reason": finding.reason,
            "remedy": finding.remedy,
            "endpoints": finding.endpoints.iter().map(|e| endpoint(e)).collect::<Vec<_>>(),
        },
    });
    if let Some(index) = indexes.get(finding.rule.as_str()) {
        value["ruleIndex"] = json!(index);
    }
    if !finding.places.is_empty() {
        let places = finding.places.iter().enumerate();
        value["relatedLocations"] = places
            .map(|(number, place)| {
                let mut place = location(root, place, None);
                place["id"] = json!(number);
                place["message"] = json!({ "text": "The same stands here" });
                place
            })
            .collect();
    }
    for (name, field) in [
        ("package", finding.package.as_ref().map(|p| json!(p))),
        ("advisory", finding.advisory.as_ref().map(|a| json!(a))),
        ("reach", finding.reach.map(|r| json!(r))),
    ] {
        if let Some(field) = field {
            value["properties"][name] = field;
        }
    }
    if !finding.path.is_empty() {
        let last = finding.path.len() - 1;
        let steps: Vec<Value> = finding
            .path
            .iter()
            .enumerate()
            .map(|(index, step)| {
                json!({
                    "location": location(root, &step.location, Some(&step.note)),
                    "executionOrder": index + 1,
                    "importance": if index == 0 || index == last { "essential" } else { "important" },
                })
            })
            .collect();
        value["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps }] }]);
    }
    if let Some(suppression) = &finding.suppression {
        let kind = if suppression.kind == "inline" { "inSource" } else { "external" };
        value["suppressions"] = json!([{
            "kind": kind,
            "status": "accepted",
            "justification": suppression.reason,
            "properties": { "source": suppression.kind },
        }]);
    } else {
        // An empty list says that suppressions were looked for, and there is none.
        value["suppressions"] = json!([]);
    }
    if let Some(fix) = &finding.fix
        && !fix.replacements.is_empty()
    {
        value["fixes"] = json!([changes(root, fix)]);
    }
    value
}

/// The message and the remedy. A closing bracket before a parenthesis would make a link of what
/// stands around it.
fn message(finding: &Finding) -> String {
    let mut text = line(&finding.message).into_owned();
    if !finding.remedy.is_empty() {
        let full_stop = if text.ends_with(['.', '!', '?']) { " " } else { ". " };
        text = format!("{text}{full_stop}{}", line(&finding.remedy));
    }
    if text.contains("](") {
        text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
    } else {
        text
    }
}

fn location(root: &str, place: &Location, note: Option<&str>) -> Value {
    let mut value = json!({
        "physicalLocation": {
            "artifactLocation": artifact(root, &place.file),
            "region": region(place.start, place.end, &place.snippet),
        },
    });
    if let Some(note) = note {
        value["message"] = json!({ "text": line(note) });
    }
    value
}

fn region(start: Position, end: Position, snippet: &str) -> Value {
    let (line, column) = (start.line.max(1), start.column.max(1));
    let end_line = end.line.max(line);
    // On one line the end may not come before the start.
    let end_column = if end_line == line { end.column.max(column) } else { end.column.max(1) };
    let mut value =
        json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column });
    if !snippet.is_empty() {
        value["snippet"] = json!({ "text": snippet });
    }
    value
}

fn artifact(root: &str, file: &str) -> Value {
    json!({ "uri": uri_path(&repository_path(root, file)), "uriBaseId": SOURCE_ROOT })
}

/// What the base of all paths is. Only an absolute root has a URI; a relative one is where the
/// checkout is, which whoever takes the log in knows.
fn source_root(root: &str) -> Value {
    if root.starts_with('/') {
        let path = uri_path(root.trim_end_matches('/'));
        json!({ "uri": format!("file://{path}/") })
    } else {
        json!({ "description": { "text": "The root of the checked-out repository." } })
    }
}

fn changes(root: &str, fix: &Fix) -> Value {
    let mut files: Vec<(&str, Vec<Value>)> = Vec::new();
    for replacement in &fix.replacements {
        let change = json!({
            "deletedRegion": {
                "byteOffset": replacement.start,
                "byteLength": replacement.end.saturating_sub(replacement.start),
            },
            "insertedContent": { "text": replacement.text },
        });
        match files.iter_mut().find(|(file, _)| *file == &*replacement.file) {
            Some((_, changes)) => changes.push(change),
            None => files.push((&replacement.file, vec![change])),
        }
    }
    let changes: Vec<Value> = files
        .into_iter()
        .map(|(file, changes)| json!({ "artifactLocation": artifact(root, file), "replacements": changes }))
        .collect();
    json!({ "description": { "text": fix.title }, "artifactChanges": changes })
}

fn endpoint(endpoint: &Endpoint) -> Value {
    json!({
        "method": endpoint.verb.as_str(),
        "path": endpoint.path,
        "handler": endpoint.handler,
        "authenticated": endpoint.guarded_by(FilterRole::Authentication),
        "authorized": endpoint.guarded_by(FilterRole::Authorization),
    })
}

fn invocation(report: &Report) -> Value {
    let mut value = json!({
        "executionSuccessful": true,
        "toolExecutionNotifications":
            report.problems.iter().map(|p| notification(&report.root, p)).collect::<Vec<_>>(),
    });
    if let Some(started) = report.started {
        value["startTimeUtc"] = json!(utc(started) + "Z");
        // Whole seconds, rounded up: a scan never ends before it began.
        #[expect(clippy::cast_possible_truncation, reason = "a float's cast saturates")]
        let seconds = (milliseconds(report) / 1000.0).ceil() as i64;
        value["endTimeUtc"] = json!(utc(started.saturating_add(seconds)) + "Z");
    }
    value
}

fn notification(root: &str, problem: &Problem) -> Value {
    let mut place = json!({ "artifactLocation": artifact(root, &problem.file) });
    if let Some(line) = problem.line {
        place["region"] = json!({ "startLine": line.max(1) });
    }
    json!({
        "level": if problem.unread { "error" } else { "warning" },
        "message": { "text": line(&problem.message) },
        "locations": [{ "physicalLocation": place }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// `sql-injection` as `SqlInjection`, the form SARIF wants for a rule's name.
fn pascal_case(id: &str) -> String {
    id.split('-')
        .flat_map(|word| {
            let mut chars = word.chars();
            chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
        })
        .collect()
}
