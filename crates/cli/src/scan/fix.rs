//! `--fix` and `--apply`: the mechanical changes of findings, shown as a diff or made.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context;
use similar::TextDiff;
use wardroom_model::{Finding, Replacement};
use wardroom_source::LineIndex;

use crate::args::ScanArgs;
use crate::output::{self, Console};
use crate::progress::Progress;
use crate::scan::{self, Scanned, Wanted, verdict};

/// The changes to one file.
struct Change {
    old: Vec<u8>,
    new: Vec<u8>,
}

/// Shows or makes the changes; the exit code.
pub fn run(options: &ScanArgs, wanted: &Wanted, scanned: Scanned) -> anyhow::Result<u8> {
    let fixable: Vec<&Finding> = scanned.report.active().filter(|f| f.fix.is_some()).collect();
    let (taken, left) = choose(&scanned.root, &fixable)?;
    let changes = changes(&scanned.root, &taken)?;
    if !options.apply {
        Console::stdout(|out| {
            for (file, change) in &changes {
                let diff = TextDiff::from_lines(&change.old[..], &change.new[..]);
                diff.unified_diff()
                    .context_radius(3)
                    .header(&format!("a/{file}"), &format!("b/{file}"))
                    .to_writer(&mut *out)?;
            }
            Ok(())
        })?;
        if !options.quiet {
            let open = scanned.report.active().count() - taken.len();
            Console::stderr(&format!(
                "wardroom: {}; {} need a person",
                count(
                    taken.len(),
                    "finding can be mended mechanically",
                    "findings can be mended mechanically"
                ),
                open
            ));
            tell_left(&left);
        }
        return Ok(verdict(&scanned, options.fail_on));
    }
    for (file, change) in &changes {
        output::write_whole(&scanned.root.join(file), &change.new)?;
    }
    let again = scan::scan(options, wanted, &Progress::start(options.quiet))?;
    let outcome = compare(&scanned.all, &again.all, &taken);
    if !options.quiet {
        let mut lines = Vec::new();
        for (finding, gone) in taken.iter().zip(&outcome.gone) {
            let fate = if *gone { "gone" } else { "STILL THERE" };
            let title = finding.fix.as_ref().map_or("", |f| f.title.as_str());
            lines.push(format!(
                "{fate}: {}:{} {} ({title})",
                finding.location.file, finding.location.start.line, finding.rule
            ));
        }
        for finding in &outcome.new {
            lines.push(format!(
                "NEW: {}:{} {} {}",
                finding.location.file, finding.location.start.line, finding.rule, finding.message
            ));
        }
        let new = if outcome.new.is_empty() {
            "nothing new came".to_owned()
        } else {
            count(outcome.new.len(), "new finding came", "new findings came")
        };
        lines.push(format!(
            "{} changed in {}; {new}",
            count(taken.len(), "finding", "findings"),
            count(changes.len(), "file", "files")
        ));
        Console::stdout(|out| Ok(writeln!(out, "{}", lines.join("\n"))?))?;
        tell_left(&left);
    }
    Ok(verdict(&again, options.fail_on))
}

fn tell_left(left: &[(&Finding, &str)]) {
    for (finding, why) in left {
        Console::stderr(&format!(
            "wardroom: not changed: {}:{} {}: {why}",
            finding.location.file, finding.location.start.line, finding.rule
        ));
    }
}

type Choice<'f> = (Vec<&'f Finding>, Vec<(&'f Finding, &'static str)>);

/// Takes every fix that overlaps no other taken one and whose file is still what was scanned.
fn choose<'f>(root: &Path, fixable: &[&'f Finding]) -> anyhow::Result<Choice<'f>> {
    let mut taken: Vec<&Finding> = Vec::new();
    let mut left = Vec::new();
    let mut ranges: BTreeMap<&str, BTreeSet<(u32, u32, &str)>> = BTreeMap::new();
    for &finding in fixable {
        let Some(fix) = &finding.fix else { continue };
        let clashes = |r: &Replacement| {
            // The very same change for two findings is one change.
            let same = (r.start, r.end, r.text.as_str());
            let ranges = ranges.get(&*r.file);
            ranges.is_some_and(|all| all.iter().any(|o| *o != same && o.0 <= r.end && r.start <= o.1))
        };
        if fix.replacements.is_empty() || fix.replacements.iter().any(clashes) {
            left.push((finding, "it overlaps another change; run again"));
            continue;
        }
        if !unchanged(root, finding)? {
            left.push((finding, "the file has changed since it was read"));
            continue;
        }
        for r in &fix.replacements {
            ranges.entry(&r.file).or_default().insert((r.start, r.end, &r.text));
        }
        taken.push(finding);
    }
    Ok((taken, left))
}

fn unchanged(root: &Path, finding: &Finding) -> anyhow::Result<bool> {
    let text = read(root, &finding.location.file)?;
    let line = LineIndex::new(&text).text(&text, finding.location.start.line).to_vec();
    let line = String::from_utf8_lossy(&line).into_owned();
    Ok(finding.location.snippet.lines().next().unwrap_or_default()
        == line.chars().take(400).collect::<String>())
}

fn read(root: &Path, file: &str) -> anyhow::Result<Vec<u8>> {
    fs::read(root.join(file)).with_context(|| format!("{file} could not be read again"))
}

fn changes<'f>(root: &Path, taken: &[&'f Finding]) -> anyhow::Result<BTreeMap<&'f str, Change>> {
    let mut by_file: BTreeMap<&str, BTreeMap<(u32, u32), &str>> = BTreeMap::new();
    for replacement in taken.iter().filter_map(|f| f.fix.as_ref()).flat_map(|f| &f.replacements) {
        by_file
            .entry(&replacement.file)
            .or_default()
            .insert((replacement.start, replacement.end), &replacement.text);
    }
    let mut out = BTreeMap::new();
    for (file, replacements) in by_file {
        let old = read(root, file)?;
        let mut new = Vec::with_capacity(old.len());
        let mut at = 0;
        for ((start, end), text) in replacements {
            let before = old
                .get(at..start as usize)
                .with_context(|| format!("{file} has changed since it was read"))?;
            new.extend_from_slice(before);
            new.extend_from_slice(text.as_bytes());
            at = end as usize;
        }
        new.extend_from_slice(old.get(at..).unwrap_or_default());
        out.insert(file, Change { old, new });
    }
    Ok(out)
}

struct Outcome<'f> {
    gone: Vec<bool>,
    new: Vec<&'f Finding>,
}

/// What became of the findings. Where one of several equal ones goes, the others move up and take its
/// fingerprint; counts by rule and file tell that from one that stayed.
fn compare<'f>(before: &[Finding], after: &'f [Finding], taken: &[&Finding]) -> Outcome<'f> {
    let prints =
        |all: &[Finding]| -> BTreeSet<String> { all.iter().map(|f| f.fingerprint.0.clone()).collect() };
    let (old, new) = (prints(before), prints(after));
    let count = |all: &[Finding], of: &Finding| {
        all.iter().filter(|f| f.rule == of.rule && f.location.file == of.location.file).count()
    };
    let gone = taken
        .iter()
        .map(|f| {
            let expected =
                taken.iter().filter(|t| t.rule == f.rule && t.location.file == f.location.file).count();
            !new.contains(&f.fingerprint.0) || count(before, f) >= count(after, f) + expected
        })
        .collect();
    // A change of the code around an old finding changes its fingerprint: only where a file has more
    // findings of a rule than were to be left is one of them new.
    let grown = |f: &Finding| {
        let gone = taken.iter().filter(|t| t.rule == f.rule && t.location.file == f.location.file).count();
        count(after, f) + gone > count(before, f)
    };
    let new = after.iter().filter(|f| !old.contains(&f.fingerprint.0) && grown(f)).collect();
    Outcome { gone, new }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use wardroom_model::{Confidence, Cwe, Fingerprint, Fix, Location, Position, Severity};

    fn finding(print: &str, line: &str, replacements: &[(u32, u32, &str)]) -> Finding {
        let file: Arc<str> = "a.rb".into();
        let at = Position { line: 1, column: 1 };
        Finding {
            rule: "r".to_owned(),
            message: String::new(),
            reason: String::new(),
            remedy: String::new(),
            severity: Severity::High,
            confidence: Confidence::High,
            cwe: Cwe(1),
            location: Location { file: Arc::clone(&file), start: at, end: at, snippet: line.to_owned() },
            scope: String::new(),
            path: Vec::new(),
            places: Vec::new(),
            package: None,
            advisory: None,
            reach: None,
            endpoints: Vec::new(),
            fix: Some(Fix {
                title: "t".to_owned(),
                replacements: replacements
                    .iter()
                    .map(|(start, end, text)| Replacement {
                        file: Arc::clone(&file),
                        start: *start,
                        end: *end,
                        text: (*text).to_owned(),
                    })
                    .collect(),
            }),
            fingerprint: Fingerprint(print.to_owned()),
            suppression: None,
        }
    }

    #[test]
    fn changes_do_not_overlap() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.rb"), "one two three\n").unwrap();
        let line = "one two three";
        let a = finding("a", line, &[(0, 3, "1"), (8, 13, "3")]);
        let b = finding("b", line, &[(2, 5, "x")]);
        let c = finding("c", line, &[(0, 3, "1")]);
        let d = finding("d", "another line", &[(5, 6, "x")]);
        let (taken, left) = choose(folder.path(), &[&a, &b, &c, &d]).unwrap();
        assert_eq!(taken.iter().map(|f| &*f.fingerprint.0).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(left.len(), 2);
        let changes = changes(folder.path(), &taken).unwrap();
        assert_eq!(changes["a.rb"].new, b"1 two 3\n");
    }

    #[test]
    fn fates_are_told() {
        let (a, b, c) = (finding("a", "", &[]), finding("b", "", &[]), finding("c", "", &[]));
        let outcome = |after: &[Finding], taken: &[&Finding]| {
            let found = compare(&[a.clone(), b.clone()], after, taken);
            (found.gone, found.new.len())
        };
        assert_eq!(outcome(std::slice::from_ref(&b), &[&a]), (vec![true], 0));
        // The second of two equal ones moved up.
        assert_eq!(outcome(std::slice::from_ref(&a), &[&a]), (vec![true], 0));
        assert_eq!(outcome(&[a.clone(), b.clone()], &[&a]), (vec![false], 0));
        assert_eq!(outcome(&[b.clone(), c.clone()], &[&a]), (vec![true], 1));
    }
}
