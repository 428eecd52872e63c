//! Wardroom's own JSON, described by `schema/scan-1.json`: everything the report holds.
//!
//! The schema's number grows when a field goes or changes its meaning; new fields may come within
//! one number. The structs here, not the model's, fix the names, so that the model can move.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use serde::Serialize;
use wardroom_model::{
    Advisory, Category, Confidence, Cwe, Endpoint, Feed, Filter, FilterRole, Finding, Fix, Location, Package,
    Problem, Reach, Report, Rule, Severity, Step, Suppression, Verb,
};

use crate::Error;
use crate::stream::Each;
use crate::summary::{CONFIDENCES, Counts, SEVERITIES, score, utc};

/// The name of the schema; a name only, nothing is fetched from there.
const SCHEMA: &str = "https://wardroom.dev/schema/scan-1.json";

#[derive(Serialize)]
struct Scan<'a, F, P, E, R> {
    schema: &'static str,
    tool: Tool<'a>,
    root: &'a str,
    started: Option<String>,
    summary: Summary,
    findings: F,
    problems: P,
    endpoints: E,
    rules: R,
    feeds: &'a [Feed],
    stats: Statistics<'a>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Summary {
    findings: usize,
    suppressed: usize,
    problems: usize,
    counts: Vec<Count>,
}

#[derive(Serialize)]
struct Count {
    severity: Severity,
    confidence: Confidence,
    findings: usize,
}

#[derive(Serialize)]
struct Found<'a> {
    fingerprint: &'a str,
    rule: &'a str,
    severity: Severity,
    confidence: Confidence,
    cwe: Cwe,
    message: &'a str,
    reason: &'a str,
    remedy: &'a str,
    location: &'a Location,
    scope: &'a str,
    path: &'a [Step],
    #[serde(skip_serializing_if = "<[Location]>::is_empty")]
    places: &'a [Location],
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a Package>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advisory: Option<&'a Advisory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<Reach>,
    endpoints: Vec<Reached<'a>>,
    fix: Option<&'a Fix>,
    suppression: Option<&'a Suppression>,
}

/// An endpoint in a finding: enough to judge by, and where the whole of it stands.
#[derive(Serialize)]
struct Reached<'a> {
    index: usize,
    method: Verb,
    path: &'a str,
    handler: &'a str,
    authenticated: bool,
    authorized: bool,
}

#[derive(Serialize)]
struct Entry<'a> {
    method: Verb,
    path: &'a str,
    handler: &'a str,
    parameters: &'a [String],
    filters: &'a [Filter],
    authenticated: bool,
    authorized: bool,
    route: Option<&'a Location>,
    action: Option<&'a Location>,
}

#[derive(Serialize)]
struct Described {
    id: &'static str,
    title: &'static str,
    summary: String,
    category: Category,
    cwe: Cwe,
    severity: Severity,
    cvss: Option<&'static str>,
    score: f64,
    doc: &'static str,
}

#[derive(Serialize)]
struct Statistics<'a> {
    ruby_files: u32,
    templates: u32,
    lines: u64,
    skipped_files: u32,
    endpoints: u32,
    lockfiles: u32,
    packages: u32,
    phases: Vec<Phase<'a>>,
}

#[derive(Serialize)]
struct Phase<'a> {
    name: &'a str,
    milliseconds: f64,
}

/// Writes the document.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let counts = Counts::of(report);
    let endpoints = Endpoints::of(report);
    let cells = SEVERITIES.into_iter().flat_map(|s| CONFIDENCES.into_iter().map(move |c| (s, c)));
    let stats = &report.stats;
    let scan = Scan {
        schema: SCHEMA,
        tool: Tool { name: "Wardroom", version: &report.version },
        root: &report.root,
        started: report.started.map(|seconds| utc(seconds) + "Z"),
        summary: Summary {
            findings: counts.active,
            suppressed: counts.suppressed_total(),
            problems: report.problems.len(),
            counts: cells
                .map(|(severity, confidence)| Count {
                    severity,
                    confidence,
                    findings: counts.cell(severity, confidence),
                })
                .collect(),
        },
        findings: Each(|| report.findings.iter().map(|f| found(f, &endpoints))),
        problems: Each(|| report.problems.iter().collect::<Vec<&Problem>>()),
        endpoints: Each(|| endpoints.all.iter().map(|e| entry(e))),
        rules: Each(|| report.rules.iter().map(|r| described(r))),
        feeds: &report.feeds,
        stats: Statistics {
            ruby_files: stats.ruby_files,
            templates: stats.templates,
            lines: stats.lines,
            skipped_files: stats.skipped_files,
            endpoints: stats.endpoints,
            lockfiles: stats.lockfiles,
            packages: stats.packages,
            phases: stats.phases.iter().map(|(name, ms)| Phase { name, milliseconds: *ms }).collect(),
        },
    };
    serde_json::to_writer_pretty(&mut *out, &scan)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn found<'a>(finding: &'a Finding, endpoints: &Endpoints<'_>) -> Found<'a> {
    let reached = |endpoint: &'a Arc<Endpoint>| Reached {
        index: endpoints.index(endpoint),
        method: endpoint.verb,
        path: &endpoint.path,
        handler: &endpoint.handler,
        authenticated: endpoint.guarded_by(FilterRole::Authentication),
        authorized: endpoint.guarded_by(FilterRole::Authorization),
    };
    Found {
        fingerprint: &finding.fingerprint.0,
        rule: &finding.rule,
        severity: finding.severity,
        confidence: finding.confidence,
        cwe: finding.cwe,
        message: &finding.message,
        reason: &finding.reason,
        remedy: &finding.remedy,
        location: &finding.location,
        scope: &finding.scope,
        path: &finding.path,
        places: &finding.places,
        package: finding.package.as_ref(),
        advisory: finding.advisory.as_ref(),
        reach: finding.reach,
        endpoints: finding.endpoints.iter().map(reached).collect(),
        fix: finding.fix.as_ref(),
        suppression: finding.suppression.as_ref(),
    }
}

fn entry(endpoint: &Endpoint) -> Entry<'_> {
    Entry {
        method: endpoint.verb,
        path: &endpoint.path,
        handler: &endpoint.handler,
        parameters: &endpoint.parameters,
        filters: &endpoint.filters,
        authenticated: endpoint.guarded_by(FilterRole::Authentication),
        authorized: endpoint.guarded_by(FilterRole::Authorization),
        route: endpoint.route.as_ref(),
        action: endpoint.action.as_ref(),
    }
}

fn described(rule: &Rule) -> Described {
    Described {
        id: rule.id,
        title: rule.title,
        summary: rule.summary(),
        category: rule.category,
        cwe: rule.cwe,
        severity: rule.severity,
        cvss: rule.cvss,
        score: score(rule),
        doc: rule.doc,
    }
}

/// Every endpoint once: those of the model in its order, then any that only findings hold.
struct Endpoints<'a> {
    all: Vec<&'a Arc<Endpoint>>,
    by_address: HashMap<*const Endpoint, usize>,
}

impl<'a> Endpoints<'a> {
    fn of(report: &'a Report) -> Endpoints<'a> {
        let mut endpoints = Endpoints { all: Vec::new(), by_address: HashMap::new() };
        let mut by_name: HashMap<(Verb, &str, &str), Vec<usize>> = HashMap::new();
        let held = report.findings.iter().flat_map(|f| &f.endpoints);
        for (number, endpoint) in report.endpoints.iter().chain(held).enumerate() {
            let address = Arc::as_ptr(endpoint);
            if endpoints.by_address.contains_key(&address) {
                continue;
            }
            let name = (endpoint.verb, endpoint.path.as_str(), endpoint.handler.as_str());
            let same = by_name.entry(name).or_default();
            // A finding may hold a copy of what the model holds.
            let held = number >= report.endpoints.len();
            let known = same.iter().copied().find(|&i| held && *endpoints.all[i] == *endpoint);
            let index = known.unwrap_or_else(|| {
                endpoints.all.push(endpoint);
                same.push(endpoints.all.len() - 1);
                endpoints.all.len() - 1
            });
            endpoints.by_address.insert(address, index);
        }
        endpoints
    }

    fn index(&self, endpoint: &Arc<Endpoint>) -> usize {
        self.by_address.get(&Arc::as_ptr(endpoint)).copied().unwrap_or_default()
    }
}
