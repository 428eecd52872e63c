//! Every published report, against what is known to be in it.
//!
//! `unlike.toml` lists, with the reason, each report for which the given answer is not taken.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use wardroom_import::{Imported, Reported};

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/reports")
}

/// A finding in the terms of the given answers.
fn told(finding: &Reported) -> Map<String, Value> {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        let empty = value.is_null() || value == json!("") || value == json!([]);
        if !empty {
            map.insert(key.to_owned(), value);
        }
    };
    let severity = finding.severity.map_or("info", |s| s.as_str());
    put("severity", json!(severity));
    put("cwes", json!(finding.cwes));
    put("file", json!(finding.place.as_ref().map(|p| p.file.clone())));
    put("line", json!(finding.place.as_ref().and_then(|p| p.line)));
    put("component", json!(finding.package.as_ref().map(|p| p.name.clone())));
    put("version", json!(finding.package.as_ref().map(|p| p.version.clone())));
    put("ids", json!(finding.ids));
    put("rule", json!(finding.rule));
    put("tool_id", json!(finding.tool_id));
    put("cvss3", json!(finding.cvss));
    put("cvss3_score", json!(finding.score));
    map
}

/// Which fields of an expected finding one of ours has.
fn unlike(expected: &Value, ours: &Map<String, Value>) -> Vec<String> {
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    // Some answers write a number as text, or with its family: `"120"`, `CWE-506`.
    let number = |v: &Value| v.as_f64().or_else(|| text(v).trim_start_matches("CWE-").parse().ok());
    let expected = expected.as_object().unwrap();
    expected
        .iter()
        .filter(|(key, value)| {
            let mine = ours.get(*key);
            let same = match key.as_str() {
                "cwe" => ours.get("cwes").and_then(Value::as_array).is_some_and(|c| {
                    c.iter().any(|ours| number(ours).is_some() && number(ours) == number(value))
                }),
                // Which slash a path has is no difference.
                "file" => mine.is_some_and(|m| text(m) == text(value).replace('\\', "/")),
                "severity" => {
                    let known = text(value).to_ascii_lowercase();
                    let known = if known.starts_with("info") { "info" } else { known.as_str() };
                    mine.is_some_and(|m| text(m) == known)
                }
                "ids" => value
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|id| mine.and_then(Value::as_array).is_some_and(|m| m.contains(id))),
                "cvss3_score" => {
                    mine.and_then(number).zip(number(value)).is_some_and(|(a, b)| (a - b).abs() < 0.05)
                }
                _ => mine.is_some_and(|m| text(m) == text(value)),
            };
            !same
        })
        .map(|(key, value)| {
            format!(
                "{key}={} (ours: {})",
                text(value),
                ours.get(if key == "cwe" { "cwes" } else { key }).map(text).unwrap_or_default()
            )
        })
        .collect()
}

/// Reads one published report.
fn import(name: &str) -> Result<Imported, String> {
    let bytes = std::fs::read(data().join(name)).map_err(|e| e.to_string())?;
    wardroom_import::read(name, &bytes, None).map_err(|e| e.to_string())
}

#[test]
fn published_reports_give_what_is_known_to_be_in_them() {
    let expected: BTreeMap<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(data().join("expected.json")).unwrap()).unwrap();
    let list =
        std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/unlike.toml")).unwrap();
    let unlike_on_purpose: BTreeMap<String, String> = toml::from_str(&list).unwrap();
    // `ONLY=zap` looks at one folder.
    let only = std::env::var("ONLY").unwrap_or_default();
    let (mut wrong, mut needless) = (Vec::new(), Vec::new());
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for (name, answer) in expected.iter().filter(|(name, _)| name.starts_with(&only)) {
        let mut lines = Vec::new();
        let mut counts = Tally { reports: 1, known: answer["count"].as_u64().unwrap(), ..Tally::default() };
        let mut format = "none";
        match import(name) {
            Err(error) => lines.push(error),
            Ok(imported) => {
                format = imported.format;
                counts.read = imported.findings.len() as u64;
                let count = answer["count"].as_u64().unwrap();
                if imported.findings.len() as u64 != count {
                    lines.push(format!("{} findings where {count} are known", imported.findings.len()));
                }
                let mut ours: Vec<Map<String, Value>> = imported.findings.iter().map(told).collect();
                // Those of which most is known choose first.
                let mut known: Vec<&Value> = answer["findings"].as_array().unwrap().iter().collect();
                known.sort_by_key(|f| std::cmp::Reverse(f.as_object().unwrap().len()));
                for finding in known {
                    // The nearest of those that nothing else was matched with.
                    let best = ours
                        .iter()
                        .enumerate()
                        .map(|(at, mine)| (unlike(finding, mine), at))
                        .min_by_key(|(unlike, _)| unlike.len());
                    let Some((differences, at)) = best else {
                        lines.push(format!("missing: {finding}"));
                        continue;
                    };
                    ours.swap_remove(at);
                    counts.same += u64::from(differences.is_empty());
                    if !differences.is_empty() {
                        lines.push(format!("differs: {}", differences.join(", ")));
                    }
                }
            }
        }
        counts.unlike = u64::from(!lines.is_empty());
        tallies.entry(format.to_owned()).or_default().add(&counts);
        match (lines.is_empty(), unlike_on_purpose.contains_key(name)) {
            (false, false) => wrong.push(format!("{name}:\n    {}", lines.join("\n    "))),
            (true, true) => needless.push(name.clone()),
            _ => {}
        }
    }
    assert!(
        wrong.is_empty() && needless.is_empty(),
        "{} of {} differ:\n{}\nneed no reason any more: {needless:?}",
        wrong.len(),
        expected.len(),
        wrong.join("\n")
    );
    if only.is_empty() {
        compare(&page(&tallies, &unlike_on_purpose));
    }
}

/// What the given reports of a format come to.
#[derive(Default)]
struct Tally {
    reports: u64,
    /// Findings by the given answers, and findings that were read.
    known: u64,
    read: u64,
    /// Findings of which every field that is given is the same.
    same: u64,
    unlike: u64,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.reports += other.reports;
        self.known += other.known;
        self.read += other.read;
        self.same += other.same;
        self.unlike += other.unlike;
    }
}

/// The page of the documentation.
fn page(tallies: &BTreeMap<String, Tally>, unlike: &BTreeMap<String, String>) -> String {
    let mut page = String::from(
        "# Reports of other tools\n\n\
         <!-- The tables are written by the tests of crates/import: INSTA_UPDATE=always cargo test -p wardroom-import \
         --test expected -->\n\n\
         Wardroom reads the reports of the tools below. It tells the format by the content, never by the name of the \
         file; where the\ncontent does not tell, the format can be named. The tests read sample reports that \
         DefectDojo publishes, and know what its parsers\nfind in them. The table says how many reports that are, how \
         many findings are known and how many are read here, and of how many\nevery known field (severity, class, \
         file, line, package, version, published names, rule, vector, score) is the same. Formats without\nreports \
         are tried on made-up ones.\n\n\
         An empty list is read as no findings of no tool. What cannot be read in a report is told, and the rest is \
         taken. Reports have at most\n512 MiB and 200,000 findings.\n\n\
         | tool | format | reports | findings known | read | the same in every field | reports unlike |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let nothing = Tally::default();
    let line = |title: &str, name: &str, t: &Tally| {
        format!(
            "| {title} | {name} | {} | {} | {} | {} | {} |\n",
            t.reports, t.known, t.read, t.same, t.unlike
        )
    };
    let mut all = Tally::default();
    let mut formats: Vec<_> = wardroom_import::formats().iter().collect();
    formats.sort_by_key(|f| f.title().to_lowercase());
    for format in formats {
        let tally = tallies.get(format.name()).unwrap_or(&nothing);
        all.add(tally);
        page.push_str(&line(format.title(), &format!("`{}`", format.name()), tally));
    }
    for (name, title) in [(wardroom_import::NOTHING, "an empty list"), ("none", "refused")] {
        if let Some(tally) = tallies.get(name) {
            all.add(tally);
            page.push_str(&line(title, "", tally));
        }
    }
    page.push_str(&line("together", "", &all));
    page.push_str("\n## Where the given answer is not taken\n\n| report | reason |\n| --- | --- |\n");
    for (name, reason) in unlike {
        page.push_str(&format!("| {name} | {} |\n", reason.replace('|', "\\|")));
    }
    page
}

/// Compares the page with the one in the documentation, or writes it.
fn compare(page: &str) {
    let at = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/import.md");
    if std::env::var("INSTA_UPDATE").is_ok_and(|v| v == "always") {
        std::fs::write(&at, page).unwrap();
    }
    let there = std::fs::read_to_string(&at).unwrap_or_default();
    assert!(
        there == page,
        "docs/import.md is not what the tests find: INSTA_UPDATE=always cargo test -p wardroom-import --test expected"
    );
}
