//! What a scan delivers: its report, and where and when the code was what it looked at.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::{Value, json};
use wardroom_model::normalise;

use crate::{Fields, Refused};

/// Most findings of one delivery: more are a mistake, or an attack.
const MOST: usize = 200_000;
/// Longest of the texts that become fields, in characters.
const LONGEST: usize = 300;

/// One scan's result as it is sent: the scan's own JSON report in an envelope.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The repository's name, as the team knows it.
    pub repository: String,
    /// The branch.
    #[serde(default = "main")]
    pub branch: String,
    /// The branch that counts: what is on others only is proposed.
    #[serde(default = "main")]
    pub default_branch: String,
    /// The commit; empty where the tree is in no repository.
    #[serde(default)]
    pub commit: String,
    /// Everything was looked for everywhere: what is not in the report is gone.
    #[serde(default)]
    pub complete: bool,
    /// The repository's CODEOWNERS file.
    #[serde(default)]
    pub codeowners: String,
    /// Fixes as diffs, by fingerprint.
    #[serde(default)]
    pub diffs: HashMap<String, String>,
    /// Pieces of the code around findings: by file, each with the number of its first line.
    #[serde(default)]
    pub excerpts: HashMap<String, Vec<(u32, String)>>,
    /// The report, as `wardroom scan --format json` writes it.
    pub report: Value,
}

fn main() -> String {
    "main".to_owned()
}

/// A delivery that was read.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The repository.
    pub repository: String,
    /// The branch.
    pub branch: String,
    /// The branch that counts.
    pub default_branch: String,
    /// The commit.
    pub commit: String,
    /// What is not in it is gone.
    pub complete: bool,
    /// The CODEOWNERS file.
    pub codeowners: String,
    /// The engine and its version.
    pub tool: String,
    /// Files that could not be read: nothing is said about them.
    pub unread: BTreeSet<String>,
    /// What was found.
    pub found: Vec<Found>,
    /// The ways into the application, for the surface map.
    pub surface: Value,
    /// Over everything that counts, and nothing that changes from run to run.
    pub digest: String,
}

/// One finding of a delivery.
#[derive(Clone, Debug)]
pub struct Found {
    /// The name that stays when code moves.
    pub fingerprint: String,
    /// The rule.
    pub rule: String,
    /// The file.
    pub file: String,
    /// The enclosing definition.
    pub scope: String,
    /// The lines, with white space folded.
    pub code: String,
    /// Fields for the record.
    pub fields: Fields,
    /// All of it, for the page.
    pub evidence: Value,
    /// Over the evidence: a sighting with the same says nothing new.
    pub content: String,
    /// An ignore in the code covers it: it opens no record.
    pub suppressed: bool,
}

impl Delivery {
    /// Reads an envelope; the first thing that is wrong with it otherwise, and where it stands.
    pub fn read(envelope: Envelope) -> Result<Delivery, Refused> {
        let Envelope {
            repository,
            branch,
            default_branch,
            commit,
            complete,
            codeowners,
            diffs,
            excerpts,
            report,
        } = envelope;
        for (field, value, longest) in [
            ("repository", &repository, 200),
            ("branch", &branch, 250),
            ("default_branch", &default_branch, 250),
            ("commit", &commit, 64),
        ] {
            if (value.is_empty() && field != "commit") || value.chars().count() > longest {
                return Err(Refused::invalid(field, format!("1 to {longest} characters are needed")));
            }
            if value.chars().any(char::is_control) {
                return Err(Refused::invalid(field, "control characters are not allowed"));
            }
        }
        let Value::Object(mut report) = report else {
            return Err(Refused::invalid("report", "a report of `wardroom scan --format json` is needed"));
        };
        let list = |name: &str, value: Option<Value>| match value {
            Some(Value::Array(list)) => Ok(list),
            None => Ok(Vec::new()),
            Some(_) => Err(Refused::invalid(&format!("report.{name}"), "a list is needed")),
        };
        if !report.contains_key("findings") {
            return Err(Refused::invalid("report.findings", "the report holds no list of findings"));
        }
        let findings = list("findings", report.remove("findings"))?;
        if findings.len() > MOST {
            return Err(Refused::invalid(
                "report.findings",
                format!("at most {MOST} findings are taken at once"),
            ));
        }
        let endpoints = list("endpoints", report.remove("endpoints"))?;
        let problems = list("problems", report.remove("problems"))?;
        let unread = problems.iter().filter_map(|p| p.get("file")?.as_str().map(str::to_owned)).collect();
        let categories: HashMap<String, String> = list("rules", report.remove("rules"))?
            .iter()
            .filter_map(|r| {
                Some((r.get("id")?.as_str()?.to_owned(), r.get("category")?.as_str()?.to_owned()))
            })
            .collect();
        let tool = report.get("tool");
        let of_tool = |name: &str| tool.and_then(|t| t.get(name)?.as_str()).unwrap_or("unknown");
        let tool = crop(&format!("{} {}", of_tool("name"), of_tool("version")));
        let mut found = Vec::with_capacity(findings.len());
        let mut prints = BTreeSet::new();
        for (at, finding) in findings.into_iter().enumerate() {
            let one = self::found(at, finding, &endpoints, &categories, &diffs, &excerpts, &tool)?;
            if !prints.insert(one.fingerprint.clone()) {
                return Err(Refused::invalid(
                    &format!("report.findings[{at}].fingerprint"),
                    "two findings have the same fingerprint",
                ));
            }
            found.push(one);
        }
        let mut hasher = blake3::Hasher::new();
        for part in [&repository, &branch, &default_branch, &commit, &codeowners, &tool] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        hasher.update(&[u8::from(complete)]);
        let surface = Value::Array(endpoints);
        hasher.update(surface.to_string().as_bytes());
        for one in &found {
            hasher.update(one.content.as_bytes());
        }
        let digest = hasher.finalize().to_hex()[..32].to_owned();
        Ok(Delivery {
            repository,
            branch,
            default_branch,
            commit,
            complete,
            codeowners,
            tool,
            unread,
            found,
            surface,
            digest,
        })
    }

    /// The tool without its version: `wardroom`.
    pub fn tool_name(&self) -> String {
        named(&self.tool)
    }

    /// The branch is the one that counts.
    pub fn counts(&self) -> bool {
        self.branch == self.default_branch
    }
}

fn found(
    at: usize,
    finding: Value,
    endpoints: &[Value],
    categories: &HashMap<String, String>,
    diffs: &HashMap<String, String>,
    excerpts: &HashMap<String, Vec<(u32, String)>>,
    tool: &str,
) -> Result<Found, Refused> {
    let place = |field: &str| format!("report.findings[{at}].{field}");
    let Value::Object(mut finding) = finding else {
        return Err(Refused::invalid(&format!("report.findings[{at}]"), "a finding is needed"));
    };
    let text = |field: &str| finding.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let needed = |field: &str| {
        let value = text(field);
        if value.is_empty() || value.chars().any(char::is_control) {
            Err(Refused::invalid(&place(field), "a text on one line is needed"))
        } else {
            Ok(value)
        }
    };
    let (fingerprint, rule) = (needed("fingerprint")?, needed("rule")?);
    if fingerprint.len() > 200 || rule.len() > 200 {
        return Err(Refused::invalid(&place("fingerprint"), "at most 200 characters fit"));
    }
    let message = text("message");
    let severity: wardroom_model::Severity =
        text("severity").parse().map_err(|e| Refused::invalid(&place("severity"), format!("{e}")))?;
    let confidence: wardroom_model::Confidence =
        text("confidence").parse().map_err(|e| Refused::invalid(&place("confidence"), format!("{e}")))?;
    let location = finding.get("location").cloned().unwrap_or(Value::Null);
    let file = location.get("file").and_then(Value::as_str).unwrap_or_default().to_owned();
    if file.is_empty() {
        return Err(Refused::invalid(&place("location.file"), "a file is needed"));
    }
    let line = location.pointer("/start/line").and_then(Value::as_u64);
    let snippet = location.get("snippet").and_then(Value::as_str).unwrap_or_default();
    let code = normalise(snippet);
    let scope = text("scope");
    let suppressed = finding.get("suppression").is_some_and(|s| !s.is_null());

    // Endpoints whole, with their filters: the page shows them, and exposure follows from them.
    let reached: Vec<Value> = finding
        .get("endpoints")
        .and_then(Value::as_array)
        .map(|list| {
            list.iter()
                .map(|e| {
                    let index = e.get("index").and_then(Value::as_u64).and_then(|i| usize::try_from(i).ok());
                    index.and_then(|i| endpoints.get(i)).unwrap_or(e).clone()
                })
                .collect()
        })
        .unwrap_or_default();
    let exposure = exposure(&reached);
    let of_first = |field: &str| {
        reached.first().and_then(|e| e.get(field)?.as_str()).map(crop).filter(|s| !s.is_empty())
    };
    let handler = of_first("handler");
    let endpoint = of_first("method").zip(of_first("path")).map(|(m, p)| crop(&format!("{m} {p}")));

    let diff = diffs.get(&fingerprint).cloned();
    let mut files: BTreeSet<&str> = BTreeSet::from([file.as_str()]);
    if let Some(path) = finding.get("path").and_then(Value::as_array) {
        files.extend(path.iter().filter_map(|s| s.pointer("/location/file")?.as_str()));
    }
    let mut pieces = Vec::new();
    for name in files {
        for (first, text) in excerpts.get(name).into_iter().flatten() {
            if touches(&finding, &location, name, *first, text.lines().count()) {
                pieces.push(json!({"file": name, "first": first, "text": text}));
            }
        }
    }
    let mut fields = Fields::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|v| v.as_str() != Some("")) {
            fields.insert(name.to_owned(), value);
        }
    };
    put("title", Some(json!(crop(if message.is_empty() { &rule } else { &message }))));
    put("message", Some(json!(crop(&message))));
    put("rule", Some(json!(rule)));
    put("severity", Some(json!(severity.as_str())));
    put("severity_found", Some(json!(severity.as_str())));
    put("confidence", Some(json!(confidence.as_str())));
    put("cwe", finding.get("cwe").and_then(Value::as_u64).map(|n| json!(format!("CWE-{n}"))));
    put("category", categories.get(&rule).map(|c| json!(crop(c))));
    let of = |object: &str, field: &str| {
        finding.get(object).and_then(|o| o.get(field)?.as_str()).map(|text| json!(crop(text)))
    };
    put("package", of("package", "name"));
    put("package_version", of("package", "version"));
    put("advisory", of("advisory", "id"));
    let reach = finding.get("reach").and_then(Value::as_str).map(|r| r.replace('-', "_"));
    put(
        "reach",
        reach.filter(|r| ["reached", "loaded", "not_loaded"].contains(&r.as_str())).map(Value::from),
    );
    put("tool", Some(json!(named(tool))));
    put("file", Some(json!(crop(&file))));
    put("line", line.map(Value::from));
    put("scope", Some(json!(crop(&scope))));
    put("code", Some(json!(crop(&code))));
    put("handler", handler.map(Value::from));
    put("endpoint", endpoint.map(Value::from));
    put("exposure", Some(json!(exposure)));
    put("exposure_found", Some(json!(exposure)));
    finding.insert("endpoints".to_owned(), Value::Array(reached));
    finding.remove("suppression");
    if let Some(diff) = diff {
        finding.insert("diff".to_owned(), Value::String(diff));
    }
    finding.insert("excerpts".to_owned(), Value::Array(pieces));
    let evidence = Value::Object(finding);
    let content = blake3::hash(evidence.to_string().as_bytes()).to_hex()[..16].to_owned();
    Ok(Found { fingerprint, rule, file, scope, code, fields, evidence, content, suppressed })
}

/// Whether a piece of a file holds the place of a finding or of one of its steps.
fn touches(
    finding: &serde_json::Map<String, Value>,
    location: &Value,
    file: &str,
    first: u32,
    lines: usize,
) -> bool {
    let within = |location: &Value| {
        let line = location.pointer("/start/line").and_then(Value::as_u64).unwrap_or_default();
        location.get("file").and_then(Value::as_str) == Some(file)
            && line >= u64::from(first)
            && line < u64::from(first) + lines as u64
    };
    let steps = finding.get("path").and_then(Value::as_array);
    within(location) || steps.is_some_and(|s| s.iter().filter_map(|s| s.get("location")).any(within))
}

fn named(tool: &str) -> String {
    tool.split(' ').next().unwrap_or(tool).to_lowercase()
}

/// From where it can be reached: the most exposed of its endpoints. Other tools do not say who may ask.
fn exposure(endpoints: &[Value]) -> &'static str {
    if endpoints.iter().all(|e| e.get("authenticated").is_none()) {
        return "unknown";
    }
    let guarded = |e: &Value| e.get("authenticated").and_then(Value::as_bool).unwrap_or(false);
    if endpoints.iter().all(guarded) { "authenticated" } else { "public" }
}

/// A text that fits a field: one line, not too long.
fn crop(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    line.trim().to_owned()
}
