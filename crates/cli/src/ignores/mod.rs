//! Ignores: which findings somebody has set aside, and which of these decisions are themselves out
//! of date.

pub mod file;
pub mod inline;

use std::collections::{HashMap, HashSet};

use wardroom_model::{
    Confidence, Finding, Fingerprint, Fix, Location, Problem, Replacement, Rule, Suppression,
};

use crate::clock::Date;
use crate::rules;
use file::FileIgnore;
use inline::InlineIgnore;

/// Marks every finding that an ignore covers, and adds a finding for each ignore that covers none or
/// has expired. Reasons that are missing become problems.
pub fn apply(
    findings: &mut Vec<Finding>,
    inline: &[InlineIgnore],
    file: &[FileIgnore],
    today: Date,
    problems: &mut Vec<Problem>,
) {
    let mut used_inline: HashSet<(usize, usize)> = HashSet::new();
    let mut used_file: HashSet<usize> = HashSet::new();
    let mut by_file: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, ignore) in inline.iter().enumerate() {
        by_file.entry(&ignore.location.file).or_default().push(number);
    }
    for finding in findings.iter_mut() {
        for &number in by_file.get(&*finding.location.file).into_iter().flatten() {
            let ignore = &inline[number];
            for (place, rule) in ignore.rules.iter().enumerate() {
                if ignore.covers(&finding.location) && (*rule == finding.rule || rule == "all") {
                    used_inline.insert((number, place));
                    suppress(finding, "inline", &ignore.reason);
                }
            }
        }
        for (number, ignore) in file.iter().enumerate() {
            if ignore.covers(finding) {
                used_file.insert(number);
                if ignore.expires.is_none_or(|day| today <= day) {
                    suppress(finding, "file", &ignore.reason);
                }
            }
        }
    }
    let known = rules::all();
    let mut added = Added { findings: Vec::new(), seen: HashMap::new() };
    for (number, ignore) in inline.iter().enumerate() {
        if ignore.rules.is_empty() {
            added.add(
                rules::unused_ignore(),
                &ignore.location,
                "This ignore names no rule".to_owned(),
                NAME_A_RULE,
            );
        }
        let first = added.findings.len();
        let used = |place: usize| used_inline.contains(&(number, place));
        for (_, rule) in ignore.rules.iter().enumerate().filter(|(place, _)| !used(*place)) {
            let message = match known.iter().any(|k| k.id == rule) || rule == "all" {
                true => format!("This ignore of `{rule}` covers no finding"),
                false => format!(
                    "This ignore names `{rule}`, and no rule is called so{}",
                    rules::nearest(rule, &known)
                ),
            };
            added.add(
                rules::unused_ignore(),
                &ignore.location,
                message,
                "Remove it, or name the rule that it is meant for.",
            );
        }
        // A comment that still covers something is a person's to shorten.
        if !(0..ignore.rules.len()).any(used) {
            for finding in &mut added.findings[first..] {
                finding.fix = Some(removal(ignore));
            }
        }
        if ignore.reason.is_empty() {
            problems.push(no_reason(&ignore.location));
        }
    }
    for (number, ignore) in file.iter().enumerate() {
        let subject = ignore.subject();
        if !used_file.contains(&number) {
            let message = format!("This ignore of {subject} covers no finding");
            added.add(rules::unused_ignore(), &ignore.location, message, "Remove the entry.");
        } else if let Some(day) = ignore.expires.filter(|day| today > *day) {
            let message =
                format!("This ignore of {subject} expired on {day}, and what it covered is still there");
            added.add(
                rules::expired_ignore(),
                &ignore.location,
                message,
                "Mend the finding and remove the entry, or decide anew and write a new date.",
            );
        }
        if ignore.reason.is_empty() {
            problems.push(no_reason(&ignore.location));
        }
    }
    // Such a finding can be ignored like any other, by one in the file.
    for finding in &mut added.findings {
        if let Some(ignore) =
            file.iter().find(|i| i.covers(finding) && i.expires.is_none_or(|day| today <= day))
        {
            suppress(finding, "file", &ignore.reason);
        }
    }
    findings.append(&mut added.findings);
}

const NAME_A_RULE: &str = "Name the rule: `wardroom:ignore sql-injection -- why`.";

/// The first ignore that covers a finding is the one that is told.
pub fn suppress(finding: &mut Finding, kind: &str, reason: &str) {
    if finding.suppression.is_none() {
        finding.suppression = Some(Suppression { kind: kind.to_owned(), reason: reason.to_owned() });
    }
}

fn removal(ignore: &InlineIgnore) -> Fix {
    let (start, end) = ignore.extent;
    Fix {
        title: "Remove the ignore".to_owned(),
        replacements: vec![Replacement {
            file: ignore.location.file.clone(),
            start,
            end,
            text: String::new(),
        }],
    }
}

fn no_reason(location: &Location) -> Problem {
    Problem {
        file: location.file.clone(),
        line: Some(location.start.line),
        message: "this ignore gives no reason; it counts, but write one (`-- why` in a comment, `reason = \"why\"` in the file)".to_owned(),
        unread: false,
    }
}

struct Added {
    findings: Vec<Finding>,
    seen: HashMap<(&'static str, String, String), u32>,
}

impl Added {
    fn add(&mut self, rule: &'static Rule, location: &Location, message: String, remedy: &str) {
        let scope = location.file.rsplit('/').next().unwrap_or_default().to_owned();
        let ordinal = self.seen.entry((rule.id, scope.clone(), message.clone())).or_default();
        let fingerprint = Fingerprint::new(rule.id, &scope, &message, *ordinal);
        *ordinal += 1;
        self.findings.push(Finding {
            rule: rule.id.to_owned(),
            message,
            reason: String::new(),
            remedy: remedy.to_owned(),
            severity: rule.severity,
            confidence: Confidence::High,
            cwe: rule.cwe,
            location: location.clone(),
            scope: String::new(),
            path: Vec::new(),
            places: Vec::new(),
            package: None,
            advisory: None,
            reach: None,
            endpoints: Vec::new(),
            fix: None,
            fingerprint,
            suppression: None,
        });
    }
}
