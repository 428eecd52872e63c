//! Semgrep: the command's JSON (0.x and 1.x, with supply-chain findings), the findings and the supply-chain
//! vulnerabilities of the AppSec platform's API.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::package::package;
use crate::shape::Json as _;
use crate::wording::{first, headline, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape, Standing, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct Semgrep;

impl Format for Semgrep {
    fn name(&self) -> &'static str {
        "semgrep"
    }

    fn title(&self) -> &'static str {
        "Semgrep"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let Some(root) = shape.json().filter(|r| r.is_object()) else { return Likeness::No };
        let any = |key: &str, of: fn(&Value) -> bool| root.list(key).iter().take(20).any(of);
        let ours = any("results", |r| r.has("check_id") && r.has("extra"))
            || any("findings", |f| f.has("rule_name") && f.has("location"))
            || any("vulns", |v| v.has("advisory") && v.has("matchedDependency"));
        let empty = root.at("results").is_some_and(|r| r.as_array().is_some_and(Vec::is_empty))
            && root.has("errors")
            && (root.has("paths") || root.has("skipped_rules") || root.has("version"));
        if ours || empty { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        let Some(root) = shape.json() else { return };
        report.tool("", &root.text("version"));
        for (key, of) in [("results", result as Read), ("findings", finding), ("vulns", vulnerability)] {
            for (at, value) in root.list(key).iter().enumerate() {
                if value.is_object() {
                    report.found(of(value));
                } else {
                    report.problem(&format!("{key}[{at}]"), "a finding is an object");
                }
            }
        }
        for error in root.list("errors") {
            let message = first([error.text("long_msg"), error.text("message"), error.text("type")]);
            report.problem(
                &error.text("path"),
                &format!("Semgrep could not scan this whole: {}", headline(&message)),
            );
        }
    }
}

/// Reads one finding.
type Read = fn(&Value) -> Reported;

/// Rules say `ERROR`, `WARNING`, `INFO`, newer ones `CRITICAL` to `LOW`; the platform says `SEVERITY_HIGH` as well.
/// `INFO` is the lowest that a rule of security has.
fn severity_of(word: &str) -> Option<Severity> {
    let word = word.trim_start_matches("SEVERITY_");
    match word.to_ascii_uppercase().as_str() {
        "INFO" => Some(Severity::Low),
        "INVENTORY" | "EXPERIMENT" => Some(Severity::Info),
        _ => severity::of_word(word),
    }
}

/// What Semgrep writes where it would write something to those who log in.
fn told(text: String) -> String {
    if text == "requires login" { String::new() } else { text }
}

/// A result of the command.
fn result(value: &Value) -> Reported {
    let extra = value.at("extra").unwrap_or(&Value::Null);
    let metadata = extra.at("metadata").unwrap_or(&Value::Null);
    let message = extra.text("message");
    let dependency = extra.at("sca_info.dependency_match.found_dependency").unwrap_or(&Value::Null);
    let cwes = metadata.texts("cwe").iter().filter_map(|t| identifier::cwe(t)).collect();
    let ids =
        identifier::published(&format!("{} {}", metadata.text("sca-vuln-database-identifier"), message));
    let place = Place {
        column: small(value, "start.col"),
        end_line: small(value, "end.line"),
        snippet: told(extra.text("lines")),
        ..Place::new(value.text("path"), value.whole("start.line"))
    };
    let mut references = metadata.texts("references");
    references.extend([metadata.text("source"), metadata.text("shortlink")]);
    Reported {
        rule: value.text("check_id"),
        title: first([headline(&message), value.text("check_id")]),
        description: message,
        remedy: labelled("Semgrep's fix", &extra.text("fix")),
        severity: severity_of(&extra.text("severity")),
        confidence: severity::confidence_of_word(&metadata.text("confidence")),
        cwes,
        ids,
        tool_id: told(extra.text("fingerprint")),
        places: trace(extra),
        place: Some(place),
        package: package(
            &dependency.text("ecosystem"),
            &dependency.text("package"),
            &dependency.text("version"),
        ),
        references,
        standing: match extra.at("is_ignored") {
            Some(Value::Bool(true)) => Standing::Accepted,
            _ => Standing::Open,
        },
        tags: metadata.texts("owasp"),
        ..Reported::default()
    }
}

/// The path of the data, from where it comes in.
fn trace(extra: &Value) -> Vec<Place> {
    let place = |location: &Value, snippet: String| Place {
        column: small(location, "start.col"),
        end_line: small(location, "end.line"),
        snippet,
        ..Place::new(location.text("path"), location.whole("start.line"))
    };
    // `["CliLoc", [location, "the code"]]`
    let end = |key: &str| {
        let found = extra.at(key)?;
        Some(place(found.at("1.0")?, found.text("1.1")))
    };
    let mut places: Vec<Place> = end("dataflow_trace.taint_source").into_iter().collect();
    let steps = extra.list("dataflow_trace.intermediate_vars").iter().take(200);
    places.extend(steps.filter_map(|s| Some(place(s.at("location")?, s.text("content")))));
    places.extend(end("dataflow_trace.taint_sink"));
    places
}

/// A finding of the platform's API.
fn finding(value: &Value) -> Reported {
    let rule = value.at("rule").unwrap_or(&Value::Null);
    let message = first([value.text("rule_message"), rule.text("message")]);
    let cwes = rule.texts("cwe_names").iter().filter_map(|t| identifier::cwe(t)).collect();
    let guidance = value.at("assistant.guidance").unwrap_or(&Value::Null);
    let mut tags = rule.texts("owasp_names");
    tags.extend(value.texts("categories"));
    tags.push(value.text("assistant.component.tag"));
    Reported {
        rule: first([value.text("rule_name"), rule.text("name")]),
        title: first([headline(&message), value.text("rule_name")]),
        description: paragraphs([
            message,
            labelled("Semgrep's assistant", &value.text("assistant.autotriage.reason")),
            labelled("Triage", &value.text("triage_comment")),
        ]),
        remedy: paragraphs([
            guidance.text("summary"),
            guidance.text("instructions"),
            labelled("Semgrep's fix", &value.text("assistant.autofix.fix_code")),
        ]),
        severity: severity_of(&value.text("severity")),
        confidence: severity::confidence_of_word(&value.text("confidence")),
        cwes,
        tool_id: first([value.text("match_based_id"), value.text("syntactic_id"), value.text("id")]),
        place: Some(Place {
            column: small(value, "location.column"),
            end_line: small(value, "location.end_line"),
            ..Place::new(value.text("location.file_path"), value.whole("location.line"))
        }),
        references: vec![value.text("line_of_code_url")],
        standing: standing(
            &value.text("triage_state"),
            &value.text("triage_reason"),
            &first([value.text("status"), value.text("state")]),
        ),
        found: value.text("created_at"),
        tags,
        ..Reported::default()
    }
}

/// A vulnerability of the platform's supply-chain API.
fn vulnerability(value: &Value) -> Reported {
    let advisory = value.at("advisory").unwrap_or(&Value::Null);
    let safe = advisory.list("safeDependencies");
    let name = value.text("matchedDependency.name");
    let version = value.text("matchedDependency.versionSpecifier");
    let mut fixed: Vec<String> =
        safe.iter().filter(|s| s.text("name") == name).map(|s| s.text("versionSpecifier")).collect();
    fixed.push(value.text("closestSafeDependency.versionSpecifier"));
    // An advisory for several ecosystems tells only one of them: that of the packages that it names.
    let ecosystem = advisory.text("ecosystem");
    let named = advisory.list("vulnerableDependencies").iter().any(|d| d.text("name") == name);
    let mut ids = advisory.texts("references.cveIds");
    ids.extend(identifier::published(&advisory.texts("references.urls").join(" ")));
    Reported {
        rule: advisory.text("ruleId"),
        title: first([value.text("title"), advisory.text("title")]),
        description: paragraphs([
            advisory.text("description"),
            labelled("Reachable if", &advisory.text("reachableIf")),
            labelled("Exposure", &value.text("exposureType")),
        ]),
        severity: severity_of(&advisory.text("severity")),
        cwes: advisory.texts("references.cweIds").iter().filter_map(|t| identifier::cwe(t)).collect(),
        ids,
        tool_id: value.text("groupKey"),
        place: Some(Place::new(
            value.text("dependencyFileLocation.path"),
            value.whole("dependencyFileLocation.startLine"),
        )),
        places: value
            .list("usages")
            .iter()
            .take(200)
            .map(|u| Place::new(u.text("location.path"), u.whole("location.startLine")))
            .collect(),
        package: package(if named { &ecosystem } else { "" }, &name, &version),
        fixed_in: fixed,
        references: advisory.texts("references.urls"),
        standing: standing(&value.text("triage.status"), &value.text("triage.dismissReason"), ""),
        found: value.text("openedAt"),
        tags: advisory.texts("references.owaspIds"),
        ..Reported::default()
    }
}

fn standing(triage: &str, reason: &str, state: &str) -> Standing {
    let (triage, reason) = (triage.to_ascii_lowercase(), reason.to_ascii_lowercase());
    match triage.as_str() {
        "ignored" | "dismissed" | "removed" if reason.contains("false") => Standing::FalsePositive,
        "ignored" | "dismissed" => Standing::Accepted,
        "fixed" => Standing::Fixed,
        _ if ["fixed", "removed", "resolved"].contains(&state.to_ascii_lowercase().as_str()) => {
            Standing::Fixed
        }
        _ => Standing::Open,
    }
}

fn small(value: &Value, path: &str) -> Option<u32> {
    value.whole(path).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
}
