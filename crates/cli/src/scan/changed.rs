//! The tree as it was at a git revision, so that what a change adds can be told from what was there.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use wardroom_source::{Source, Tree, Wanted};

use crate::failure::usage;

/// Blobs larger than this are not read, as in a walk; in bytes.
const LARGEST: u64 = 8 << 20;

/// What differs between the present and the point where the work began.
pub struct Difference {
    base: String,
    prefix: String,
    /// Files that were not there.
    added: HashSet<String>,
    /// Files that were there, and are others now or gone.
    changed: Vec<String>,
}

impl Difference {
    /// Since a revision's merge base with what is checked out, committed or not.
    pub fn since(root: &Path, reference: &str) -> anyhow::Result<Difference> {
        let prefix = git(root, &["rev-parse", "--show-prefix"]).map_err(|e| {
            usage(format!(
                "--changed-since: {} is in no git repository, or git cannot be run ({e:#})",
                root.display()
            ))
        })?;
        let prefix = String::from_utf8_lossy(&prefix).trim_end_matches('\n').to_owned();
        let revision = format!("{reference}^{{commit}}");
        let commit = git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &revision])
            .map_err(|_| usage(format!("--changed-since: git knows no revision `{reference}` here (in a shallow clone, fetch it first)")))?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        // Against the point where the work began: what others have changed since is not this change's.
        let base = git(root, &["merge-base", &commit, "HEAD"])
            .map(|out| String::from_utf8_lossy(&out).trim().to_owned())
            .ok()
            .filter(|base| !base.is_empty())
            .unwrap_or(commit);

        let diff = git(
            root,
            &["diff", "--name-status", "--no-renames", "--no-ext-diff", "--relative", "-z", &base, "--"],
        )?;
        let mut added: HashSet<String> = HashSet::new();
        let mut changed: Vec<String> = Vec::new();
        let mut fields = diff.split(|b| *b == 0).map(|f| String::from_utf8_lossy(f).into_owned());
        while let (Some(status), Some(path)) = (fields.next(), fields.next()) {
            if status.starts_with('A') {
                added.insert(path);
            } else {
                changed.push(path);
            }
        }
        let untracked = git(root, &["ls-files", "--others", "--exclude-standard", "-z"])?;
        let untracked = untracked.split(|b| *b == 0).map(|f| String::from_utf8_lossy(f).into_owned());
        added.extend(untracked.filter(|path| !path.is_empty()));
        Ok(Difference { base, prefix, added, changed })
    }

    /// Whether a file is not as it was.
    pub fn touches(&self, path: &str) -> bool {
        self.added.contains(path) || self.changed.iter().any(|c| c == path)
    }

    /// The old contents of files that were there and that are wanted.
    pub fn old(&self, root: &Path, wanted: &dyn Fn(&str) -> Wanted) -> anyhow::Result<Vec<Source>> {
        let paths: Vec<String> = self.changed.iter().filter(|p| wanted(p) == Wanted::Yes).cloned().collect();
        let old = contents(root, &self.base, &self.prefix, &paths)?;
        Ok(old.into_iter().map(|(path, text)| Source { path: path.into(), text: text.into() }).collect())
    }

    /// The tree before the change, of files that are wanted, made of the present one and the old contents of
    /// what differs; `None` where nothing that is wanted differs.
    pub fn old_tree(
        &self,
        root: &Path,
        now: &Tree,
        wanted: &dyn Fn(&str) -> Wanted,
    ) -> anyhow::Result<Option<Tree>> {
        let is_wanted = |path: &String| wanted(path) == Wanted::Yes;
        if !self.added.iter().any(is_wanted) && !self.changed.iter().any(is_wanted) {
            return Ok(None);
        }
        let changed: HashSet<&str> = self.changed.iter().map(String::as_str).collect();
        let same = |f: &&Source| !self.added.contains(&*f.path) && !changed.contains(&*f.path);
        let mut files: Vec<Source> = now.files.iter().filter(same).cloned().collect();
        files.extend(self.old(root, wanted)?);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Some(Tree { files, skipped: now.skipped, problems: Vec::new() }))
    }
}

/// Runs git without anything that the repository could make it run.
fn command(root: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(root)
        .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "core.hooksPath=/dev/null"])
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

/// What git says; its first line of complaint otherwise.
pub fn git(root: &Path, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let output = command(root).args(arguments).output().context("git could not be started")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::bail!(
            "git {}: {}",
            arguments.first().unwrap_or(&""),
            said.lines().next().unwrap_or("it failed").trim()
        );
    }
    Ok(output.stdout)
}

/// The old contents of paths, through one git process.
fn contents(
    root: &Path,
    base: &str,
    prefix: &str,
    paths: &[String],
) -> anyhow::Result<HashMap<String, Vec<u8>>> {
    let mut found = HashMap::new();
    if paths.is_empty() {
        return Ok(found);
    }
    let mut child = command(root)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("git could not be started")?;
    // A newline cannot stand in a request; no file of code has one in its name.
    let paths: Vec<&String> = paths.iter().filter(|p| !p.contains('\n')).collect();
    let requests: String = paths.iter().map(|path| format!("{base}:{prefix}{path}\n")).collect();
    let mut stdin = child.stdin.take().context("git takes no requests")?;
    // From a thread, so that a full pipe in one direction cannot block the other.
    let writer = std::thread::spawn(move || stdin.write_all(requests.as_bytes()));
    let mut out = BufReader::new(child.stdout.take().context("git gives no answers")?);
    for path in paths {
        let mut head = String::new();
        out.read_line(&mut head).context("git cat-file broke off")?;
        let mut words = head.split_whitespace();
        let Some(size) = words
            .nth(2)
            .and_then(|s| s.parse::<u64>().ok())
            .filter(|_| !head.trim_end().ends_with(" missing"))
        else {
            continue;
        };
        let blob = head.split_whitespace().nth(1) == Some("blob");
        if size > LARGEST || !blob {
            std::io::copy(&mut out.by_ref().take(size + 1), &mut std::io::sink())
                .context("git cat-file broke off")?;
            continue;
        }
        let mut text = vec![0; size as usize + 1];
        out.read_exact(&mut text).context("git cat-file broke off")?;
        text.pop();
        if !text.iter().take(8192).any(|b| *b == 0) {
            found.insert(path.clone(), text);
        }
    }
    drop(out);
    let _ = writer.join();
    child.wait().context("git cat-file could not be waited for")?;
    Ok(found)
}
