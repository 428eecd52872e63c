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
    ("redirect", &["open-redirect", "redirect-"]),
    ("eval", &["code-injection", "unsafe-reflection", "dynamic-send"]),
    ("csrf", &["csrf-", "state-change-by-get"]),
    ("session", &["session-", "cookie-"]),
    ("tls", &["tls-"]),
    ("crypto", &["weak-", "predictable-", "constant-salt", "unsalted-", "hard-coded-"]),
    ("cmdi", &["command-", "argument-injection", "kernel-open"]),
    ("authz", &["missing-auth", "unscoped-", "insecure-direct"]),
    ("massassign", &["mass-assignment", "permitted-", "dangerous-permit", "sensitive-attribute"]),
    ("timing", &["timing-"]),
    ("path", &["path-traversal", "send-file", "render-path"]),
    ("redos", &["redos", "user-made-regexp", "polynomial-"]),
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

/// A finding that is shown by default: rule, first and last line, code.
type Found = (String, u32, u32, String);

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
        let before = scan(&program, &tree(repositories, &case.repo, &case.vulnerable, &work)?, case)?;
        let hits: Vec<&Found> =
            before.iter().filter(|f| f.1 <= case.to + 2 && f.2 + 2 >= case.from).collect();
        let mut told = "missed".to_owned();
        if !hits.is_empty() {
            let after: BTreeSet<Found> =
                scan(&program, &tree(repositories, &case.repo, &case.fix, &work)?, case)?
                    .into_iter()
                    .collect();
            let gone = hits.iter().any(|h| !after.iter().any(|a| a.0 == h.0 && a.3 == h.3));
            let rules: BTreeSet<&str> = hits.iter().map(|h| h.0.as_str()).collect();
            let rules: Vec<&str> = rules.into_iter().collect();
            told = format!(
                "{} ({})",
                rules.join(", "),
                if gone { "gone in the fix" } else { "still there in the fix" }
            );
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
            let code = at["snippet"].as_str().unwrap_or_default().trim().to_owned();
            (
                f["rule"].as_str().unwrap_or_default().to_owned(),
                number(&at["start"]["line"]),
                number(&at["end"]["line"]),
                code,
            )
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
