//! Mechanical changes: what they make of the code, and that the finding is gone after them and nothing
//! new has come.
//!
//! `fixes.md` holds the table. Each `##` section is one application. The first block of a path is the
//! code as it stands, the second the code after every fix of the rule named in the section's title;
//! a path with one block only is not changed.

use std::collections::{BTreeMap, BTreeSet};

use wardroom_flow::Knowledge;
use wardroom_model::Finding;
use wardroom_rails::{App, load};
use wardroom_source::Source;

type Files = BTreeMap<String, String>;

struct Case {
    rule: String,
    title: String,
    before: Files,
    after: Files,
}

fn cases(text: &str) -> Vec<Case> {
    let mut out: Vec<Case> = Vec::new();
    let mut block: Option<(String, String)> = None;
    for line in text.lines() {
        if line.starts_with("```") && block.is_some() {
            let (path, body) = block.take().expect("a block is open");
            let case = out.last_mut().expect("a block stands in a section");
            let seen = case.before.contains_key(&path);
            let files = if seen { &mut case.after } else { &mut case.before };
            files.insert(path, body);
        } else if let Some(info) = line.strip_prefix("```") {
            let path = info.split_whitespace().nth(1).expect("a block names its file");
            block = Some((path.to_owned(), String::new()));
        } else if let Some((_, body)) = &mut block {
            body.push_str(line);
            body.push('\n');
        } else if let Some(title) = line.strip_prefix("## ") {
            let (rule, title) = title.split_once(": ").expect("a title is `rule: words`");
            out.push(Case {
                rule: rule.to_owned(),
                title: title.to_owned(),
                before: Files::new(),
                after: Files::new(),
            });
        }
    }
    out
}

fn scan(files: &Files, knowledge: &Knowledge) -> (Vec<Finding>, usize) {
    let sources = files
        .iter()
        .map(|(path, body)| Source { path: path.as_str().into(), text: body.as_bytes().into() })
        .collect();
    let loaded = load(sources);
    let app = App::build(&loaded.files);
    let flows = wardroom_flow::analyse(&app, knowledge);
    (wardroom_sast::run(&app, &flows, &|_| true).findings, loaded.problems.len())
}

fn apply(files: &Files, fixed: &[&Finding]) -> Files {
    let mut edits: BTreeMap<&str, BTreeSet<(u32, u32, &str)>> = BTreeMap::new();
    for replacement in fixed.iter().filter_map(|f| f.fix.as_ref()).flat_map(|f| &f.replacements) {
        edits.entry(&replacement.file).or_default().insert((
            replacement.start,
            replacement.end,
            &replacement.text,
        ));
    }
    let mut out = files.clone();
    for (file, edits) in edits {
        let text = out.get_mut(file).expect("a fix changes a file of the application");
        for (start, end, new) in edits.into_iter().rev() {
            text.replace_range(start as usize..end as usize, new);
        }
    }
    out
}

fn counts(findings: &[Finding]) -> BTreeMap<&str, usize> {
    let mut out = BTreeMap::new();
    for finding in findings {
        *out.entry(&*finding.rule).or_default() += 1;
    }
    out
}

#[test]
fn every_fix_does_what_it_says() {
    let knowledge = Knowledge::built_in().expect("the knowledge reads");
    let mut problems = Vec::new();
    let cases = cases(include_str!("fixes.md"));
    assert!(cases.len() > 40, "the table has been read");
    for case in cases {
        let name = format!("{}: {}", case.rule, case.title);
        let (before, errors) = scan(&case.before, &knowledge);
        let found: Vec<&Finding> = before.iter().filter(|f| f.rule == case.rule).collect();
        let fixed: Vec<&Finding> = found.iter().copied().filter(|f| f.fix.is_some()).collect();
        let after = apply(&case.before, &fixed);
        let mut expected = case.before.clone();
        expected.extend(case.after.clone());
        if found.is_empty() {
            problems.push(format!("{name}: nothing is found"));
        }
        for (path, text) in &expected {
            if after[path] != *text {
                problems.push(format!("{name}: {path} becomes\n{}", after[path]));
            }
        }
        let (again, errors_after) = scan(&after, &knowledge);
        let left = again.iter().filter(|f| f.rule == case.rule).count();
        if left != found.len() - fixed.len() {
            problems.push(format!("{name}: {} found, {} mended, {left} left", found.len(), fixed.len()));
        }
        let old = counts(&before);
        for (rule, count) in counts(&again) {
            if count > old.get(rule).copied().unwrap_or_default() {
                problems.push(format!("{name}: {rule} is new after the change"));
            }
        }
        if errors_after > errors {
            problems.push(format!("{name}: the changed code does not parse"));
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}
