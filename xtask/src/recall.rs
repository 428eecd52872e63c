//! `cargo xtask recall`: how many published weaknesses a scan finds in the commit before their fix,
//! and whether they are gone in the fix.
//!
//! The cases are a table (tab separated, with a head line): id, repo, fix_commit, vulnerable_commit,
//! class, file, line_from, line_to, note, tier. The repositories are clones (bare ones too) in one
//! folder, named by the last part of `repo` or by `owner+name`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::run::{self, say};

/// Rules that answer a class of weakness, by the beginnings of their ids.
const CLASSES: &[(&str, &[&str])] = &[
    ("sqli", &["sql-injection"]),
    (
        "xss",
        &[
            "cross-site-scripting",
            "unescaped-",
            "script-",
            "json-in-script",
            "unsafe-url",
            "unquoted-",
            "style-",
            "dynamic-tag",
            "render-text",
            "sanitize-",
            "turbo-",
            "phlex-",
            "content-type",
            "unrestricted-upload",
            "flash-",
            "incomplete-",
            "upload-",
            "escaping-",
        ],
    ),
    ("redirect", &["open-redirect", "redirect-", "parameters-as-url-options"]),
    ("eval", &["code-injection", "unsafe-reflection", "dynamic-", "template-injection"]),
    ("ssrf", &["server-side-request-forgery", "kernel-open"]),
    ("deser", &["unsafe-deserialization"]),
    ("info-leak", &["detailed-", "record-rendered", "personal-data", "secret-in-log", "user-enumeration"]),
    ("csrf", &["csrf-", "state-change-by-get", "oauth-"]),
    ("session", &["session-", "cookie-"]),
    ("tls", &["tls-", "force-ssl-", "hsts-"]),
    ("crypto", &["weak-", "predictable-", "constant-salt", "unsalted-", "hard-coded-"]),
    ("cmdi", &["command-", "argument-injection", "kernel-open"]),
    ("authz", &["missing-auth", "unscoped-", "insecure-direct"]),
    ("massassign", &["mass-assignment", "permitted-", "dangerous-permit", "sensitive-attribute"]),
    ("timing", &["timing-"]),
    ("path", &["path-traversal", "send-file", "render-path", "kernel-open", "zip-slip"]),
    ("redos", &["redos", "user-made-regexp", "incomplete-anchors"]),
];

struct Case {
    id: String,
    repo: String,
    fix: String,
    vulnerable: String,
    class: String,
    file: String,
    from: u32,
    to: u32,
    note: String,
    tier: String,
}

/// A finding that is shown by default: rule, first and last line.
type Found = (String, u32, u32);

/// Runs every case and prints a table per class and tier, then every case.
pub fn run(root: &Path, cases: &Path, repositories: &Path) -> anyhow::Result<()> {
    run::run(root, &["cargo", "build", "--release", "--package", "wardroom-cli", "--locked"])?;
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), PathBuf::from);
    let program = target.join("release/wardroom");
    let text =
        std::fs::read_to_string(cases).with_context(|| format!("{} cannot be read", cases.display()))?;
    let cases = read(&text)?;
    let work = target.join("recall");
    let mut tally: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
    let mut lines = Vec::new();
    for case in &cases {
        let parent = tree(repositories, &case.repo, &case.vulnerable, &work)?;
        let before = scan(&program, &parent, case)?;
        let hits: Vec<&Found> =
            before.iter().filter(|f| f.1 <= case.to + 2 && f.2 + 2 >= case.from).collect();
        let mut told = "missed".to_owned();
        if !hits.is_empty() {
            let fixed = tree(repositories, &case.repo, &case.fix, &work)?;
            let after = scan(&program, &fixed, case)?;
            let hunks = hunks(&parent.join(&case.file), &fixed.join(&case.file))?;
            let state = |hit: &Found| match moved(&hunks, hit.1, hit.2) {
                Moved::Rewritten(from, to) | Moved::Kept(from, to)
                    if after.iter().any(|a| a.0 == hit.0 && a.1 <= to && a.2 >= from) =>
                {
                    "still there in the fix"
                }
                Moved::Rewritten(..) => "gone in the fix",
                Moved::Kept(..) => "gone in the fix, which changes other lines",
            };
            let rules: BTreeSet<&str> = hits.iter().map(|h| h.0.as_str()).collect();
            let rules: Vec<&str> = rules.into_iter().collect();
            let states: BTreeSet<&str> = hits.iter().map(|h| state(h)).collect();
            let states: Vec<&str> = states.into_iter().collect();
            told = format!("{} ({})", rules.join(", "), states.join("; "));
        }
        for key in [case.class.clone(), "all".to_owned()] {
            let entry = tally.entry((key, case.tier.clone())).or_default();
            entry.1 += 1;
            entry.0 += u32::from(!hits.is_empty());
        }
        lines.push(format!("| {} | {} | {} | {} | {told} |", case.id, case.class, case.tier, case.note));
        say(lines.last().map_or("", String::as_str));
    }
    let tiers: BTreeSet<&String> = tally.keys().map(|(_, tier)| tier).collect();
    let classes: BTreeSet<&String> = tally.keys().map(|(class, _)| class).collect();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "| Class | {} |",
        tiers.iter().map(|t| format!("Tier {t}")).collect::<Vec<_>>().join(" | ")
    )?;
    writeln!(out, "| --- |{}", " ---: |".repeat(tiers.len()))?;
    for class in classes {
        let cells = tiers.iter().map(|tier| match tally.get(&(class.clone(), (*tier).clone())) {
            Some((hits, all)) => format!("{hits} of {all}"),
            None => String::new(),
        });
        writeln!(out, "| {class} | {} |", cells.collect::<Vec<_>>().join(" | "))?;
    }
    writeln!(
        out,
        "\n| Case | Class | Tier | What | Told |\n| --- | --- | --- | --- | --- |\n{}",
        lines.join("\n")
    )?;
    Ok(())
}

fn read(text: &str) -> anyhow::Result<Vec<Case>> {
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().context("the table of cases is empty")?.split('\t').collect();
    let column = |name: &str| {
        head.iter().position(|h| *h == name).with_context(|| format!("the table has no column `{name}`"))
    };
    let names = [
        "id",
        "repo",
        "fix_commit",
        "vulnerable_commit",
        "class",
        "file",
        "line_from",
        "line_to",
        "note",
        "tier",
    ];
    let columns = names.iter().map(|n| column(n)).collect::<anyhow::Result<Vec<usize>>>()?;
    let mut cases = Vec::new();
    for (number, line) in lines.enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |i: usize| -> anyhow::Result<String> {
            let text = cells
                .get(columns[i])
                .with_context(|| format!("line {}: column `{}` is missing", number + 2, names[i]))?;
            Ok((*text).to_owned())
        };
        let line_number = |i: usize| -> anyhow::Result<u32> {
            cell(i)?.parse().with_context(|| format!("line {}: `{}` is no number", number + 2, names[i]))
        };
        cases.push(Case {
            id: cell(0)?,
            repo: cell(1)?,
            fix: cell(2)?,
            vulnerable: cell(3)?,
            class: cell(4)?,
            file: cell(5)?,
            from: line_number(6)?,
            to: line_number(7)?,
            note: cell(8)?,
            tier: cell(9)?,
        });
    }
    Ok(cases)
}

/// The code of a commit, laid out in a folder once.
fn tree(repositories: &Path, repo: &str, commit: &str, work: &Path) -> anyhow::Result<PathBuf> {
    let folder = work.join(commit);
    if folder.join(".complete").exists() {
        return Ok(folder);
    }
    let name = repo.rsplit('/').next().unwrap_or(repo);
    let candidates = [
        name.to_owned(),
        repo.replace('/', "+"),
        format!("{}/repo", repo.replace('/', "+")),
        format!("{name}.git"),
    ];
    let Some(clone) = candidates
        .iter()
        .map(|c| repositories.join(c))
        .find(|p| p.join("HEAD").exists() || p.join(".git").exists())
    else {
        bail!("no clone of {repo} in {}", repositories.display());
    };
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&clone)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    };
    let list =
        git(&["ls-tree", "-r", "-z", "--full-tree", commit]).output().context("git could not be started")?;
    if !list.status.success() {
        bail!("{repo} has no commit {commit}");
    }
    // Only what the scanner reads; and objects that a partial clone lacks are passed over.
    let listing = String::from_utf8_lossy(&list.stdout).into_owned();
    let wanted: Vec<(&str, &str)> = listing
        .split('\0')
        .filter_map(|entry| {
            let (meta, path) = entry.split_once('\t')?;
            let mut words = meta.split(' ');
            let regular = words.next()?.starts_with("100");
            let object = words.nth(1)?;
            (regular && is_code(path)).then_some((path, object))
        })
        .collect();
    let mut batch = git(&["cat-file", "--batch"]).spawn().context("git could not be started")?;
    let mut input = batch.stdin.take().context("git takes no input")?;
    let objects: String = wanted.iter().map(|(_, object)| format!("{object}\n")).collect();
    let feed = std::thread::spawn(move || input.write_all(objects.as_bytes()));
    let mut output = BufReader::new(batch.stdout.take().context("git gives no output")?);
    for (path, _) in &wanted {
        let mut head = String::new();
        output.read_line(&mut head)?;
        let Some(size) = head.trim().rsplit(' ').next().and_then(|s| s.parse::<usize>().ok()) else {
            continue;
        };
        let mut body = vec![0; size + 1];
        output.read_exact(&mut body)?;
        body.pop();
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(&folder))?;
        std::fs::write(file, body)?;
    }
    feed.join().ok().context("git was not fed")??;
    batch.wait()?;
    std::fs::write(folder.join(".complete"), "")?;
    Ok(folder)
}

fn is_code(path: &str) -> bool {
    const ENDINGS: &[&str] = &[
        ".rb",
        ".erb",
        ".rhtml",
        ".haml",
        ".slim",
        ".rake",
        ".ru",
        ".lock",
        ".sql",
        ".jbuilder",
        ".builder",
        ".rjs",
        ".rxml",
        ".gemspec",
        "Gemfile",
        ".ruby-version",
    ];
    ENDINGS.iter().any(|e| path.ends_with(e))
        && !["spec/", "test/", "features/"].iter().any(|f| path.starts_with(f))
}

/// What a scan shows by default in the case's file, of the rules of its class.
fn scan(program: &Path, folder: &Path, case: &Case) -> anyhow::Result<Vec<Found>> {
    let Some((_, rules)) = CLASSES.iter().find(|(class, _)| *class == case.class) else {
        bail!("{}: no rules are known for the class `{}`", case.id, case.class);
    };
    let output = Command::new(program)
        .args(["scan", "--fail-on", "never", "--format", "json"])
        .arg(folder)
        .output()?;
    if !output.status.success() {
        bail!("the scan of {} failed: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
    }
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let findings = report["findings"].as_array().context("the report has no findings")?;
    let number = |v: &serde_json::Value| v.as_u64().unwrap_or_default() as u32;
    Ok(findings
        .iter()
        .filter(|f| f["location"]["file"] == case.file.as_str())
        .filter(|f| f["rule"].as_str().is_some_and(|r| rules.iter().any(|p| r.starts_with(p))))
        .map(|f| {
            let at = &f["location"];
            (
                f["rule"].as_str().unwrap_or_default().to_owned(),
                number(&at["start"]["line"]),
                number(&at["end"]["line"]),
            )
        })
        .collect())
}

/// One change between two versions of a file: first line and number of lines, before and after.
type Hunk = [u32; 4];

/// Where lines of the one version are in the other.
#[derive(Debug, PartialEq, Eq)]
enum Moved {
    /// A change touches them: the lines that it wrote.
    Rewritten(u32, u32),
    /// No change touches them.
    Kept(u32, u32),
}

/// The changes between two files; all is changed where the second is not there.
fn hunks(before: &Path, after: &Path) -> anyhow::Result<Vec<Hunk>> {
    if !after.exists() {
        return Ok(vec![[1, u32::MAX, 0, 0]]);
    }
    let output = Command::new("git")
        .args(["diff", "--no-index", "--no-color", "--unified=0", "--"])
        .args([before, after])
        .output()
        .context("git could not be started")?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(hunk).collect())
}

/// `@@ -10,2 +10,3 @@`
fn hunk(line: &str) -> Option<Hunk> {
    let (old, new) = line.strip_prefix("@@ -")?.split_once(" @@")?.0.split_once(" +")?;
    let side = |text: &str| -> Option<(u32, u32)> {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let ((a, b), (c, d)) = (side(old)?, side(new)?);
    Some([a, b, c, d])
}

fn moved(hunks: &[Hunk], from: u32, to: u32) -> Moved {
    let mut shift = 0_i64;
    let mut written: Option<(u32, u32)> = None;
    for [start, count, new_start, new_count] in hunks {
        // Where nothing is taken away, the line in front is named.
        let (first, last) =
            if *count == 0 { (start + 1, *start) } else { (*start, start.saturating_add(count - 1)) };
        if first <= to && last >= from && *count > 0 {
            let end = new_start + new_count.saturating_sub(1);
            written = Some(written.map_or((*new_start, end), |(a, b)| (a.min(*new_start), b.max(end))));
        } else if last < from {
            shift += i64::from(*new_count) - i64::from(*count);
        }
    }
    match written {
        Some((from, to)) => Moved::Rewritten(from, to),
        None => {
            let line = |n: u32| u32::try_from(i64::from(n) + shift).unwrap_or(1);
            Moved::Kept(line(from), line(to))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_again_behind_a_change() {
        assert_eq!(hunk("@@ -10,2 +12,3 @@ def x"), Some([10, 2, 12, 3]));
        assert_eq!(hunk("@@ -7 +7 @@"), Some([7, 1, 7, 1]));
        assert_eq!(hunk("+@@"), None);
        let changes = [[2, 0, 3, 4], [10, 2, 14, 1]];
        assert_eq!(moved(&changes, 1, 1), Moved::Kept(1, 1));
        assert_eq!(moved(&changes, 5, 6), Moved::Kept(9, 10));
        assert_eq!(moved(&changes, 11, 11), Moved::Rewritten(14, 14));
        assert_eq!(moved(&changes, 20, 20), Moved::Kept(23, 23));
    }

    #[test]
    fn a_broken_table_is_told_with_its_line() {
        let head = "id\trepo\tfix_commit\tvulnerable_commit\tclass\tfile\tline_from\tline_to\tnote\ttier\n";
        assert_eq!(read(&format!("{head}a\tb/c\td\te\tsqli\tf\t1\t2\tn\tA\n")).unwrap().len(), 1);
        let error = |text: &str| read(text).err().map(|e| format!("{e:#}")).unwrap_or_default();
        assert!(error("").contains("empty"));
        assert!(error("id\trepo\n").contains("fix_commit"));
        assert!(error(&format!("{head}a\tb\n")).contains("line 2"));
        assert!(error(&format!("{head}a\tb/c\td\te\tsqli\tf\tx\t2\tn\tA\n")).contains("line_from"));
    }
}
