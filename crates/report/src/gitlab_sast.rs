//! GitLab's SAST report, schema 15: what the merge request widget and the vulnerability report read.
//!
//! Suppressed findings are left out, since this format has no word for them; the scan's messages
//! say how many there are. The confidence, which the schema dropped in 15, stands in the details.

use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};
use wardroom_model::{Finding, Location, Report, Severity, Step};

use crate::Error;
use crate::escape::{code, line, markdown, shorten};
use crate::stream::Each;
use crate::summary::{
    Counts, Guards, count, cwe_url, endpoints_open_first, milliseconds, repository_path, utc,
};

const VERSION: &str = "15.0.6";
const SCHEMA: &str = "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v15.0.6/dist/sast-report-format.json";
/// The schema's bounds, in characters.
const NAME: usize = 255;
const SOLUTION: usize = 7000;
/// Far below the schema's bound: a person reads it.
const DESCRIPTION: usize = 20_000;
/// Rows of the endpoints' table; the rest is counted.
const ENDPOINTS: usize = 20;

#[derive(Serialize)]
struct Document<V> {
    version: &'static str,
    schema: &'static str,
    scan: Value,
    vulnerabilities: V,
}

/// Writes the report.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let document = Document {
        version: VERSION,
        schema: SCHEMA,
        scan: scan(report),
        vulnerabilities: Each(|| report.active().map(|f| vulnerability(report, f))),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn scan(report: &Report) -> Value {
    let version = if report.version.is_empty() { "0" } else { &report.version };
    let tool = json!({
        "id": "wardroom",
        "name": "Wardroom",
        "url": "https://github.com/wardroom/wardroom",
        "version": version,
        "vendor": { "name": "Wardroom" },
    });
    // The schema asks for times, so a repeatable report gets the beginning of the count.
    let started = report.started.unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "a float's cast saturates")]
    let seconds = (milliseconds(report) / 1000.0).ceil() as i64;
    let mut messages: Vec<Value> =
        report.problems.iter().map(|p| json!({ "level": "warn", "value": line(&p.to_string()) })).collect();
    let suppressed = Counts::of(report).suppressed_total();
    if suppressed > 0 {
        let value = format!("{} suppressed and not listed", count(suppressed, "finding is", "findings are"));
        messages.push(json!({ "level": "info", "value": value }));
    }
    let mut primary: Vec<Value> = report.rules.iter().map(|r| identifier(r.id)).collect();
    primary.dedup();
    json!({
        "type": "sast",
        "status": "success",
        "start_time": utc(started),
        "end_time": utc(started.saturating_add(seconds)),
        "analyzer": tool,
        "scanner": tool,
        "messages": messages,
        "primary_identifiers": primary,
    })
}

fn identifier(rule: &str) -> Value {
    json!({ "type": "wardroom_rule", "name": format!("Wardroom {rule}"), "value": rule })
}

fn vulnerability(report: &Report, finding: &Finding) -> Value {
    let title = report.rule(&finding.rule).map_or(finding.rule.as_str(), |rule| rule.title);
    let place = &finding.location;
    let file = repository_path(&report.root, &place.file);
    let (start, end) = (place.start.line, place.end.line.max(place.start.line));
    let mut value = json!({
        "id": id(&finding.fingerprint.0),
        "name": shorten(&line(title), NAME),
        "description": shorten(&description(finding), DESCRIPTION),
        "severity": severity(finding.severity),
        "solution": shorten(&line(&finding.remedy), SOLUTION),
        "identifiers": [
            identifier(&finding.rule),
            {
                "type": "cwe",
                "name": finding.cwe.to_string(),
                "value": finding.cwe.0.to_string(),
                "url": cwe_url(finding.cwe),
            },
        ],
        "location": { "file": file, "start_line": start, "end_line": end },
        "tracking": {
            "type": "source",
            "items": [{
                "file": file,
                "start_line": start,
                "end_line": end,
                "signatures": [{ "algorithm": "scope_offset", "value": finding.fingerprint.0 }],
            }],
        },
        "details": details(report, finding),
    });
    if let Some(advisory) = finding.advisory.as_ref().filter(|a| a.id.starts_with("CVE-"))
        && let Some(identifiers) = value["identifiers"].as_array_mut()
    {
        identifiers.push(json!({ "type": "cve", "name": advisory.id, "value": advisory.id }));
    }
    if !place.snippet.is_empty() {
        value["raw_source_code_extract"] = json!(place.snippet);
    }
    value
}

/// GitLab shows the description as its Markdown.
fn description(finding: &Finding) -> String {
    let mut text = markdown(&finding.message);
    if !finding.reason.is_empty() {
        text.push_str(&format!("\n\n**Why:** {}", markdown(&finding.reason)));
    }
    let endpoints = endpoints_open_first(finding);
    if let Some(first) = endpoints.first() {
        let name = crate::escape::markdown_code(&first.to_string());
        let guards: Vec<String> = Guards::of(first).words.iter().map(|w| markdown(w)).collect();
        text.push_str(&format!("\n\n**Reached from:** {name} ({})", guards.join("; ")));
        if endpoints.len() > 1 {
            text.push_str(&format!(
                " and {}",
                count(endpoints.len() - 1, "other endpoint", "other endpoints")
            ));
        }
    }
    text
}

fn details(report: &Report, finding: &Finding) -> Value {
    let mut details = json!({
        "confidence": { "name": "Confidence", "type": "text", "value": finding.confidence.as_str() },
    });
    if !finding.location.snippet.trim().is_empty() {
        details["code"] = json!({
            "name": "Code", "type": "code", "lang": "ruby", "value": code(&finding.location.snippet),
        });
    }
    if !finding.path.is_empty() {
        let rows: Vec<Value> = finding.path.iter().map(|s| step(report, s)).collect();
        details["path"] = json!({
            "name": "Path", "type": "table",
            "header": [text("Where"), text("What happens"), text("Code")],
            "rows": rows,
        });
    }
    let endpoints = endpoints_open_first(finding);
    if !endpoints.is_empty() {
        let mut rows: Vec<Value> = endpoints
            .iter()
            .take(ENDPOINTS)
            .map(|e| json!([text(&e.to_string()), text(&Guards::of(e).words.join("; "))]))
            .collect();
        if endpoints.len() > ENDPOINTS {
            let more = count(endpoints.len() - ENDPOINTS, "other", "others");
            rows.push(json!([text(&format!("and {more}")), text("")]));
        }
        details["endpoints"] = json!({
            "name": "Reached from", "type": "table",
            "header": [text("Endpoint"), text("Behind")],
            "rows": rows,
        });
    }
    details
}

fn step(report: &Report, step: &Step) -> Value {
    let Location { file, start, end, snippet } = &step.location;
    let first = code(snippet);
    json!([
        {
            "type": "file-location",
            "file_name": repository_path(&report.root, file),
            "line_start": start.line,
            "line_end": end.line.max(start.line),
        },
        text(&step.note),
        { "type": "code", "lang": "ruby", "value": first.lines().next().unwrap_or_default().trim() },
    ])
}

fn text(value: &str) -> Value {
    json!({ "type": "text", "value": line(value) })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

/// A fingerprint of 32 hexadecimal digits in the form of a UUID, which GitLab recommends.
fn id(fingerprint: &str) -> String {
    if fingerprint.len() == 32 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()) {
        let part = |range: std::ops::Range<usize>| &fingerprint[range];
        format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
    } else {
        fingerprint.to_owned()
    }
}
