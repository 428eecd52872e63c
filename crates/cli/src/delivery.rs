//! A scan's result as the desk takes it: the JSON report in an envelope that says where and when the
//! code was so, with the pieces of code that its page shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use similar::TextDiff;
use wardroom_model::{Category, Finding, Report};

use crate::scan::changed::git;

/// Lines shown above and below each step of a path.
const AROUND: u32 = 5;
/// Longest line in a piece of code, in characters.
const WIDE: usize = 400;

/// Where and when the code was so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The repository's name.
    pub repository: String,
    /// The branch.
    pub branch: String,
    /// The branch that counts.
    pub default_branch: String,
    /// The commit; empty where there is none.
    pub commit: String,
    /// The CODEOWNERS file.
    pub codeowners: String,
    /// Nothing was left out: what is not in the report is gone.
    pub complete: bool,
}

/// Where repositories keep the file of owners, first found first taken, as the forges do.
const CODEOWNERS: [&str; 4] = ["CODEOWNERS", ".gitlab/CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS"];

impl Place {
    /// What git and the folder say; what the user named takes its place.
    pub fn of(
        root: &Path,
        repository: Option<&str>,
        branch: Option<&str>,
        default_branch: Option<&str>,
        complete: bool,
    ) -> Place {
        let said = |words: &[&str]| {
            let out = git(root, words).ok()?;
            let text = String::from_utf8_lossy(&out).trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let commit = said(&["rev-parse", "--verify", "--quiet", "HEAD"]).unwrap_or_default();
        let of_remote = || {
            let address = said(&["remote", "get-url", "origin"])?;
            Some(name_in(&address))
        };
        let of_folder = || {
            let full = std::fs::canonicalize(root).ok()?;
            Some(full.file_name()?.to_string_lossy().into_owned())
        };
        // In a pipeline the checkout is of a commit, and the environment names the branch.
        let of_pipeline = || {
            ["CI_COMMIT_BRANCH", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "GITHUB_HEAD_REF", "GITHUB_REF_NAME"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
        };
        let branch = branch
            .map(str::to_owned)
            .or_else(of_pipeline)
            .or_else(|| said(&["symbolic-ref", "--quiet", "--short", "HEAD"]))
            .unwrap_or_else(|| "main".to_owned());
        let default_branch = default_branch
            .map(str::to_owned)
            .or_else(|| std::env::var("CI_DEFAULT_BRANCH").ok().filter(|v| !v.is_empty()))
            .or_else(|| {
                let head = said(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])?;
                head.split_once('/').map(|(_, b)| b.to_owned())
            })
            // With nothing that says otherwise, what is scanned is what counts.
            .unwrap_or_else(|| {
                if matches!(branch.as_str(), "main" | "master") { branch.clone() } else { "main".to_owned() }
            });
        let codeowners = CODEOWNERS.iter().find_map(|name| std::fs::read_to_string(root.join(name)).ok());
        Place {
            repository: repository
                .map(str::to_owned)
                .or_else(of_remote)
                .or_else(of_folder)
                .unwrap_or_else(|| "application".to_owned()),
            branch,
            default_branch,
            commit,
            codeowners: codeowners.unwrap_or_default(),
            complete,
        }
    }
}

/// `group/name` of a remote's address.
fn name_in(address: &str) -> String {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, path)| path),
        None => address.split_once(':').map_or(address, |(_, path)| path),
    };
    path.trim_end_matches('/').trim_end_matches(".git").trim_start_matches('/').to_owned()
}

/// The envelope of a report. `text` gives a file of the scanned tree as it was scanned.
pub fn envelope(
    report: &Report,
    place: &Place,
    text: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Value> {
    let mut json = Vec::new();
    let style = wardroom_report::Style::default();
    wardroom_report::write(wardroom_report::Format::Json, report, &style, &mut json)?;
    let mut body: Value = serde_json::from_slice(&json).context("the report is no JSON")?;
    // Times differ from run to run and say nothing about the code.
    if let Some(body) = body.as_object_mut() {
        body.remove("started");
        body.remove("stats");
    }
    let mut lines: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for finding in &report.findings {
        let places = finding.path.iter().map(|s| &s.location).chain([&finding.location]);
        for place in places {
            let from = place.start.line.saturating_sub(AROUND).max(1);
            lines
                .entry(&place.file)
                .or_default()
                .extend(from..=place.end.line.min(place.start.line + 6) + AROUND);
        }
    }
    let mut excerpts: BTreeMap<&str, Vec<(u32, String)>> = BTreeMap::new();
    let hidden = hidden(report);
    for (file, wanted) in lines {
        if let Some(text) = text(file) {
            excerpts.insert(file, pieces(&text, &wanted, hidden.get(file)));
        }
    }
    let diffs: BTreeMap<&str, String> =
        report.findings.iter().filter_map(|f| Some((f.fingerprint.0.as_str(), diff(f, text)?))).collect();
    Ok(json!({
        "repository": place.repository,
        "branch": place.branch,
        "default_branch": place.default_branch,
        "commit": place.commit,
        "complete": place.complete,
        "codeowners": place.codeowners,
        "excerpts": excerpts,
        "diffs": diffs,
        "report": body,
    }))
}

/// Lines by number, with what is shown in their place.
type Hidden = BTreeMap<u32, String>;

/// By file, the lines that hold a secret, as the finding shows them.
fn hidden(report: &Report) -> BTreeMap<&str, Hidden> {
    let mut hidden: BTreeMap<&str, Hidden> = BTreeMap::new();
    let secrets = report
        .findings
        .iter()
        .filter(|f| report.rule(&f.rule).is_some_and(|r| r.category == Category::Secrets));
    for place in secrets.flat_map(|f| std::iter::once(&f.location).chain(&f.places)) {
        let lines = hidden.entry(&place.file).or_default();
        let mut shown = place.snippet.lines();
        for number in place.start.line..=place.end.line {
            lines.insert(number, shown.next().unwrap_or("…").to_owned());
        }
    }
    hidden
}

/// The wanted lines, those that stand together in one piece with the number of its first.
fn pieces(text: &str, wanted: &BTreeSet<u32>, hidden: Option<&Hidden>) -> Vec<(u32, String)> {
    let mut pieces: Vec<(u32, Vec<String>)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if !wanted.contains(&number) {
            continue;
        }
        let line = hidden.and_then(|h| h.get(&number)).map_or(line, String::as_str);
        let line: String = line.chars().take(WIDE).collect();
        match pieces.last_mut() {
            Some((first, lines)) if *first as usize + lines.len() == number as usize => lines.push(line),
            _ => pieces.push((number, vec![line])),
        }
    }
    pieces.into_iter().map(|(first, lines)| (first, lines.join("\n"))).collect()
}

/// A finding's mechanical change as a diff of one file.
fn diff(finding: &Finding, text: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let fix = finding.fix.as_ref()?;
    let file = &fix.replacements.first()?.file;
    if fix.replacements.iter().any(|r| r.file != *file) {
        return None;
    }
    let old = text(file)?;
    let mut replacements: Vec<_> = fix.replacements.iter().collect();
    replacements.sort_by_key(|r| r.start);
    let mut new = String::with_capacity(old.len());
    let mut at = 0;
    for replacement in replacements {
        new.push_str(old.get(at..replacement.start as usize)?);
        new.push_str(&replacement.text);
        at = replacement.end as usize;
    }
    new.push_str(old.get(at..)?);
    let diff = TextDiff::from_lines(&old, &new);
    let shown =
        diff.unified_diff().context_radius(3).header(&format!("a/{file}"), &format!("b/{file}")).to_string();
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_are_named_by_their_path() {
        for (address, name) in [
            ("git@gitlab.example:group/app.git", "group/app"),
            ("https://gitlab.example/group/sub/app", "group/sub/app"),
            ("ssh://git@host:22/x/app.git", "x/app"),
        ] {
            assert_eq!(name_in(address), name);
        }
    }

    #[test]
    fn lines_that_stand_together_are_one_piece() {
        let text = "a\nb\nc\nd\ne\n";
        let hidden = [(2, "…".to_owned())].into();
        assert_eq!(pieces(text, &[1, 2].into(), Some(&hidden)), [(1, "a\n…".to_owned())]);
        assert_eq!(pieces(text, &[1, 2, 4].into(), None), [(1, "a\nb".to_owned()), (4, "d".to_owned())]);
    }
}
