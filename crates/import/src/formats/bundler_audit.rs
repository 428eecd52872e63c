//! bundler-audit: its text (0.5 and newer) and its JSON (0.8 and newer).

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::package::{package, upgrade};
use crate::shape::Json as _;
use crate::wording::{first, titled};
use crate::{Report, Reported, Shape, identifier, severity};

/// The format.
#[derive(Debug)]
pub(super) struct BundlerAudit;

impl Format for BundlerAudit {
    fn name(&self) -> &'static str {
        "bundler-audit"
    }

    fn title(&self) -> &'static str {
        "bundler-audit"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        match shape {
            Shape::Json(root) => {
                let kind =
                    |r: &Value| ["unpatched_gem", "insecure_source"].contains(&r.text("type").as_str());
                match root.list("results") {
                    [] if root.at("results").is_some_and(Value::is_array) && root.has("created_at") => {
                        Likeness::Maybe
                    }
                    list if list.iter().take(20).any(kind) => Likeness::Sure,
                    _ => Likeness::No,
                }
            }
            Shape::Text(text) => {
                let gem = blocks(text).any(|b| {
                    let has = |label| value(b, label).is_some();
                    has("Name:") && has("Version:") && has("Solution:") && has("URL:")
                });
                if gem || text.contains(SOURCE) { Likeness::Sure } else { Likeness::No }
            }
            _ => Likeness::No,
        }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        match shape {
            Shape::Json(root) => {
                report.tool("", &root.text("version"));
                for (at, result) in root.list("results").iter().enumerate() {
                    match result.text("type").as_str() {
                        "unpatched_gem" => report.found(gem(result)),
                        "insecure_source" => report.found(source(&result.text("source"))),
                        other => {
                            report.problem(&format!("results[{at}]"), &format!("no known kind: `{other}`"))
                        }
                    }
                }
            }
            Shape::Text(text) => {
                for line in text.lines() {
                    if let Some((_, at)) = line.split_once(SOURCE) {
                        report.found(source(at));
                    }
                }
                for block in blocks(text) {
                    if let Some(found) = block_of(block) {
                        report.found(found);
                    }
                }
            }
            _ => {}
        }
    }
}

const SOURCE: &str = "Insecure Source URI found:";

/// What is taken where the advisory is not rated: the middle.
const UNRATED: Severity = Severity::Medium;

/// Blocks of lines, separated by empty ones.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").flat_map(|b| b.split("\r\n\r\n"))
}

/// What follows a label in a block.
fn value<'a>(block: &'a str, label: &str) -> Option<&'a str> {
    block.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim).filter(|v| !v.is_empty())
}

fn block_of(block: &str) -> Option<Reported> {
    let name = value(block, "Name:")?;
    let at = |label: &str| value(block, label).unwrap_or_default().to_owned();
    let id = at("Advisory:");
    let mut ids = identifier::published(&[at("CVE:"), id.clone(), at("GHSA:")].join(" "));
    if ids.is_empty() {
        ids.push(id.clone());
    }
    let solution = at("Solution:");
    Some(Reported {
        rule: first([id, ids.first().cloned().unwrap_or_default()]),
        title: titled(name, &at("Title:")),
        description: at("Description:"),
        fixed_in: versions(&solution),
        remedy: solution,
        severity: severity::of_word(&at("Criticality:")).or(Some(UNRATED)),
        ids,
        package: package("gem", name, &at("Version:")),
        references: vec![at("URL:")],
        ..Reported::default()
    })
}

/// `upgrade to ~> 1.6.11, >= 2.0.6`
fn versions(solution: &str) -> Vec<String> {
    let list = solution.strip_prefix("upgrade to").unwrap_or_default();
    list.split(',').map(|v| v.trim().trim_matches('\'').to_owned()).collect()
}

fn gem(result: &Value) -> Reported {
    let advisory = result.at("advisory").unwrap_or(&Value::Null);
    let prefixed = |key: &str, prefix: &str| {
        let text = advisory.text(key);
        if text.is_empty() || text.starts_with(prefix) { text } else { format!("{prefix}{text}") }
    };
    let ids = [
        prefixed("cve", "CVE-"),
        prefixed("ghsa", "GHSA-"),
        prefixed("osvdb", "OSVDB-"),
        advisory.text("id"),
    ];
    let score = advisory.number("cvss_v3").or_else(|| advisory.number("cvss_v2"));
    let rated = severity::of_word(&advisory.text("criticality")).or_else(|| score.map(severity::of_score));
    let fixed = advisory.texts("patched_versions");
    Reported {
        rule: advisory.text("id"),
        title: titled(&result.text("gem.name"), &advisory.text("title")),
        description: advisory.text("description"),
        remedy: upgrade(&result.text("gem.name"), &fixed),
        severity: rated.or(Some(UNRATED)),
        score,
        ids: ids.to_vec(),
        package: package("gem", &result.text("gem.name"), &result.text("gem.version")),
        fixed_in: fixed,
        references: vec![advisory.text("url")],
        found: advisory.text("date"),
        ..Reported::default()
    }
}

/// Gems that come over a line that anybody can change.
fn source(at: &str) -> Reported {
    Reported {
        rule: "insecure-source".to_owned(),
        title: format!("Gems come from an insecure source: {}", at.trim()),
        description: "Whoever sits on the line can replace the gems that come from there.".to_owned(),
        remedy: "Use the source by `https`.".to_owned(),
        severity: Some(Severity::Medium),
        cwes: vec![829],
        ..Reported::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn the_json_of_newer_versions_is_read() {
        let text = r#"{"version": "0.9.3", "created_at": "2026-01-02", "results": [
            {"type": "insecure_source", "source": "http://rubygems.org/"},
            {"type": "unpatched_gem", "gem": {"name": "rack", "version": "2.0.1"}, "advisory": {"id": "CVE-2022-30123",
             "url": "https://a.example", "title": "Shell escape", "description": "d", "cvss_v3": 10.0, "cve": "2022-30123",
             "ghsa": "wq4h-7r42-5hrr", "patched_versions": ["~> 2.0.9, >= 2.0.9.1"], "criticality": "critical"}}]}"#;
        let read = read("a.json", text.as_bytes(), None).unwrap();
        assert_eq!((read.format, read.findings.len()), ("bundler-audit", 2));
        assert_eq!(read.findings[1].ids, ["CVE-2022-30123", "GHSA-wq4h-7r42-5hrr"]);
        assert_eq!(read.findings[1].package.as_ref().unwrap().purl, "pkg:gem/rack@2.0.1");
    }

    #[test]
    fn insecure_sources_in_text_are_findings() {
        let read =
            read("a.txt", b"Insecure Source URI found: http://rubygems.org/\nVulnerabilities found!\n", None);
        assert_eq!(read.unwrap().findings.len(), 1);
    }
}
