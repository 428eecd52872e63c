//! The example application, scanned by the real binary and compared with the tables of its
//! `EXPECTED.md`: what must be found, what must not, and the totals that the page states.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// 2026-11-23: what has no support any more depends on the day.
const TODAY: &str = "1795392000";

fn example() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/harbour"))
}

fn expected() -> String {
    std::fs::read_to_string(example().join("EXPECTED.md")).expect("EXPECTED.md can be read")
}

/// One row of a table, its cells without backquotes.
fn rows(page: &str, section: &str) -> Vec<Vec<String>> {
    let start = page.find(&format!("\n## {section}\n")).expect("the section is there") + 1;
    let body = &page[start..];
    let end = body[3..].find("\n## ").map_or(body.len(), |at| at + 3);
    body[..end]
        .lines()
        .filter(|l| l.starts_with('|'))
        .skip(2)
        .map(|l| l.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

struct Weakness {
    file: String,
    line: u64,
    rule: String,
    found: String,
}

struct Twin {
    file: String,
    line: u64,
    rules: Vec<String>,
}

fn weaknesses(page: &str) -> Vec<Weakness> {
    rows(page, "Weaknesses")
        .into_iter()
        .map(|row| {
            let [file, line, _, _, rule, found] = row.try_into().expect("six cells");
            Weakness {
                file,
                line: line.parse().expect("a line"),
                rule: rule.trim_matches('`').to_owned(),
                found,
            }
        })
        .collect()
}

fn twins(page: &str) -> Vec<Twin> {
    rows(page, "Safe twins")
        .into_iter()
        .map(|row| {
            let [file, line, _, rules] = row.try_into().expect("four cells");
            Twin {
                file,
                line: line.parse().expect("a line"),
                rules: rules.split(", ").map(|r| r.trim_matches('`').to_owned()).collect(),
            }
        })
        .collect()
}

/// A finding of the scan.
#[derive(Clone, Debug)]
struct Found {
    file: String,
    line: u64,
    rule: String,
    confidence: String,
    message: String,
}

fn scan() -> (Vec<Found>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .args(["scan", "--no-cache", "--format", "json", "--min-confidence", "low"])
        .arg(example())
        .env("SOURCE_DATE_EPOCH", TODAY)
        // No index of whoever runs it.
        .env("XDG_DATA_HOME", "/nonexistent")
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let findings = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|f| Found {
            file: text(&f["location"]["file"]),
            line: f["location"]["start"]["line"].as_u64().expect("a line"),
            rule: text(&f["rule"]),
            confidence: text(&f["confidence"]),
            message: text(&f["message"]),
        })
        .collect();
    (findings, report)
}

fn by_default(found: &Found) -> bool {
    matches!(found.confidence.as_str(), "medium" | "high")
}

fn meets(found: &Found, weakness: &Weakness) -> bool {
    found.file == weakness.file && found.rule == weakness.rule && found.line.abs_diff(weakness.line) <= 1
}

#[test]
fn every_weakness_is_found_as_the_page_says() {
    let page = expected();
    let (findings, _) = scan();
    let mut wrong = Vec::new();
    for weakness in weaknesses(&page) {
        let place = format!("{}:{} {}", weakness.file, weakness.line, weakness.rule);
        let met: Vec<&Found> = findings.iter().filter(|f| meets(f, &weakness)).collect();
        match weakness.found.as_str() {
            "yes" if !met.iter().any(|f| by_default(f)) => wrong.push(format!("not found: {place}: {met:?}")),
            "low" if met.is_empty() => wrong.push(format!("not found at all: {place}")),
            "low" if met.iter().any(|f| by_default(f)) => {
                wrong.push(format!("found by default, while the page says low: {place}"));
            }
            "no" if !met.is_empty() => wrong.push(format!("found, while the page says no: {place}")),
            "yes" | "low" | "no" => {}
            other => wrong.push(format!("`{other}` in the last column: {place}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_safe_twin_is_reported() {
    let page = expected();
    let (findings, _) = scan();
    let wrong: Vec<String> = twins(&page)
        .iter()
        .flat_map(|twin| {
            findings
                .iter()
                .filter(|f| by_default(f) && f.file == twin.file && f.line == twin.line)
                .filter(|f| twin.rules.contains(&f.rule))
                .map(|f| format!("{}:{} {}: {}", f.file, f.line, f.rule, f.message))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_else_is_reported() {
    let page = expected();
    let known = weaknesses(&page);
    let wrong: Vec<String> = scan()
        .0
        .iter()
        .filter(|f| by_default(f) && !known.iter().any(|w| meets(f, w)))
        .map(|f| format!("{}:{} {}: {}", f.file, f.line, f.rule, f.message))
        .collect();
    assert!(wrong.is_empty(), "not in the table:\n{}", wrong.join("\n"));
}

#[test]
fn the_totals_are_those_of_the_tables() {
    let page = expected();
    let (weak, safe) = (weaknesses(&page), twins(&page));
    let count = |found: &str| weak.iter().filter(|w| w.found == found).count();
    let folded = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        format!("It has {} weaknesses, and beside them {} places", weak.len(), safe.len()),
        format!(
            "Found: {} of {} by default, and {} more at low confidence.",
            count("yes"),
            weak.len(),
            count("low")
        ),
        format!("Safe twins reported: 0 of {}.", safe.len()),
    ] {
        assert!(folded.contains(&sentence), "the page does not say: {sentence}");
    }
    assert!(weak.len() >= 60 && safe.len() >= 60, "tables lost rows: {} and {}", weak.len(), safe.len());
}

#[test]
fn the_tables_name_what_there_is() {
    let page = expected();
    let (_, report) = scan();
    let rules: BTreeSet<&str> =
        report["rules"].as_array().expect("rules").iter().filter_map(|r| r["id"].as_str()).collect();
    let named = weaknesses(&page)
        .into_iter()
        .map(|w| (w.file, w.line, vec![w.rule]))
        .chain(twins(&page).into_iter().map(|t| (t.file, t.line, t.rules)));
    for (file, line, ids) in named {
        let text = std::fs::read_to_string(example().join(&file)).expect("a file of the table");
        let there = text.lines().nth(line as usize - 1).is_some_and(|l| !l.trim().is_empty());
        assert!(there, "{file} has no code on line {line}");
        for id in ids {
            assert!(rules.contains(id.as_str()), "{file}:{line}: there is no rule `{id}`");
        }
    }
}
