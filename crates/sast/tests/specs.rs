//! Runs every spec: Markdown with vulnerable and safe code, the expected findings marked inline.
//!
//! Each `##` section is one application. A fenced block whose info line holds a path is a file of it.
//! `~> rule confidence` anywhere in a line says that the rule must report that line with that
//! confidence; of the rule that the spec is named after nothing else may be reported.

use std::collections::BTreeSet;
use std::path::Path;

use wardroom_flow::Knowledge;
use wardroom_rails::{App, load};
use wardroom_source::Source;

fn sections(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut out: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut block: Option<(String, String)> = None;
    for line in text.lines() {
        if let Some(info) = line.strip_prefix("```") {
            match block.take() {
                Some(done) => {
                    if !done.0.is_empty() {
                        out.last_mut().expect("a block stands in a section").1.push(done);
                    }
                }
                None => {
                    let path = info.split_whitespace().nth(1).unwrap_or_default().to_owned();
                    block = Some((path, String::new()));
                }
            }
        } else if let Some((_, body)) = &mut block {
            body.push_str(line);
            body.push('\n');
        } else if let Some(title) = line.strip_prefix("## ") {
            out.push((title.to_owned(), Vec::new()));
        }
    }
    out
}

fn check(path: &Path, problems: &mut Vec<String>) {
    let rule = path.file_stem().expect("a spec has a name").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).expect("a spec can be read");
    let knowledge = Knowledge::built_in().expect("the knowledge reads");
    let sections = sections(&text);
    if sections.is_empty() {
        problems.push(format!("{rule}: no section"));
    }
    let mut marked = 0;
    for (title, files) in sections {
        let mut expected = BTreeSet::new();
        for (file, body) in &files {
            for (number, line) in body.lines().enumerate() {
                for mark in line.split("~>").skip(1) {
                    let mut words = mark.split_whitespace();
                    let (Some(id), Some(confidence)) = (words.next(), words.next()) else {
                        problems.push(format!("{rule}: {title}: `~>` wants a rule and a confidence: {line}"));
                        continue;
                    };
                    if id == rule {
                        marked += 1;
                        expected.insert((file.clone(), number as u32 + 1, confidence.to_owned()));
                    }
                }
            }
        }
        let sources = files
            .iter()
            .map(|(p, body)| Source { path: p.as_str().into(), text: body.as_bytes().into() })
            .collect::<Vec<_>>();
        let loaded = load(sources);
        for problem in &loaded.problems {
            problems.push(format!("{rule}: {title}: {problem}"));
        }
        let app = App::build(&loaded.files);
        let flows = wardroom_flow::analyse(&app, &knowledge);
        let outcome = wardroom_sast::run(&app, &flows, &|_| true);
        for (failed, message) in &outcome.failures {
            problems.push(format!("{rule}: {title}: check {failed} failed: {message}"));
        }
        let found: BTreeSet<_> = outcome
            .findings
            .iter()
            .filter(|f| f.rule == rule)
            .map(|f| (f.location.file.to_string(), f.location.start.line, f.confidence.to_string()))
            .collect();
        for (file, line, confidence) in expected.difference(&found) {
            problems.push(format!("{rule}: {title}: missing: {file}:{line} {confidence}"));
        }
        for (file, line, confidence) in found.difference(&expected) {
            problems.push(format!("{rule}: {title}: not expected: {file}:{line} {confidence}"));
        }
    }
    if marked == 0 {
        problems
            .push(format!("{rule}: nothing is marked: the spec cannot fail for a check that finds nothing"));
    }
}

#[test]
fn every_spec_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    let mut problems = Vec::new();
    let only = std::env::var("SPEC").ok();
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the specs are there") {
        let path = entry.expect("an entry reads").path();
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        seen.insert(stem.clone());
        if only.as_ref().is_none_or(|o| *o == stem) {
            check(&path, &mut problems);
        }
    }
    for check in wardroom_sast::registry() {
        let id = (check.rule)().id;
        if !seen.contains(id) {
            problems.push(format!("{id}: has no spec"));
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}
