//! What is staged, and what some commits add: secrets that the files did not hold before.

use std::collections::HashSet;
use std::path::Path;

use wardroom_secrets::Scanner;
use wardroom_source::{Change, Changes, Commits};

use super::Looked;
use super::history::named;
use crate::failure::usage;

/// Which changes.
pub enum Which {
    /// Those in the index.
    Staged,
    /// Those of commits.
    Of(Commits),
}

/// Looks at the changes in the repository that holds a folder.
pub fn look(path: &Path, which: &Which, scanner: &Scanner) -> anyhow::Result<Looked> {
    let changes = Changes::open(path).map_err(|e| usage(e.to_string()))?;
    let mut looked = Looked::default();
    let mut visit = |change: Change<'_>| one(scanner, change, &mut looked);
    match which {
        Which::Staged => changes.each_staged(&mut visit).map_err(anyhow::Error::from)?,
        Which::Of(commits) => {
            let count = changes.each_in(commits, &mut visit).map_err(|e| usage(e.to_string()))?;
            looked.commits = Some(count as u64);
        }
    }
    Ok(looked)
}

fn one(scanner: &Scanner, change: Change<'_>, looked: &mut Looked) {
    if change.commit.is_some_and(|c| scanner.allow().commit(&c.id)) {
        return;
    }
    let mut scanned = scanner.scan(change.path, change.new);
    if !scanned.hits.is_empty() && !change.old.is_empty() {
        let old = scanner.scan(change.path, change.old);
        let known: HashSet<&[u8]> = old.hits.iter().map(|h| h.secret.expose()).collect();
        scanned.hits.retain(|h| !known.contains(h.secret.expose()));
    }
    if let Some(commit) = change.commit {
        for hit in &mut scanned.hits {
            let rest = if hit.reason.is_empty() { String::new() } else { format!("; {}", hit.reason) };
            hit.reason = format!("in {}{rest}", named(commit));
        }
    }
    looked.add(scanned);
}
