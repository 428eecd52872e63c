//! What a scan says of libraries: the files that name some, compared with what is published.

pub mod advisories;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use wardroom_deps::lockfile::{self, Inventory};
use wardroom_deps::matching::{self, Matcher};
use wardroom_model::{Finding, Problem};
use wardroom_source::{Source, Tree, Wanted};

use self::advisories::Advisories;

/// Folders of others' code, and of tests: what their lockfiles name is not what the application runs on.
const FOREIGN: [&str; 10] = [
    "vendor",
    "node_modules",
    "tmp",
    "spec",
    "test",
    "tests",
    "fixtures",
    "__fixtures__",
    "testdata",
    "examples",
];

/// What was found.
#[derive(Debug, Default)]
pub struct Libraries {
    /// Findings, in the order of files.
    pub findings: Vec<Finding>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
    /// The files, each with what it says.
    pub files: Vec<(Source, Inventory)>,
}

impl Libraries {
    /// How many libraries the files lock, each version once.
    pub fn packages(&self) -> u32 {
        let all = self.files.iter().flat_map(|(_, inventory)| &inventory.packages);
        all.map(|p| (p.ecosystem, &p.name, &p.version)).collect::<HashSet<_>>().len() as u32
    }
}

/// Whether a scan reads a file for the libraries that it names.
pub fn wanted(path: &str) -> Wanted {
    if lockfile::format_of(path).is_none() {
        return Wanted::No;
    }
    let foreign =
        path.rsplit_once('/').is_some_and(|(folders, _)| folders.split('/').any(|f| FOREIGN.contains(&f)));
    if foreign { Wanted::Skipped } else { Wanted::Yes }
}

/// The files under a folder that name libraries; nothing where one file of code was asked for.
pub fn read(root: &Path, only_file: Option<&str>) -> anyhow::Result<Tree> {
    let asked = |path: &str| match only_file {
        Some(only) if only != path => Wanted::No,
        _ => wanted(path),
    };
    Ok(wardroom_source::read_tree(root, &asked)?)
}

/// Reads the files, and compares what they lock with what is published.
pub fn look(tree: Tree, advisories: &Advisories) -> anyhow::Result<Libraries> {
    let read = |file: Source| {
        let inventory = lockfile::format_of(&file.path).map(|f| (f.read)(&file.path, &file.text));
        (file, inventory.unwrap_or_default())
    };
    let files: Vec<(Source, Inventory)> = tree.files.into_par_iter().map(read).collect();
    let mut libraries = Libraries { problems: tree.problems, ..Libraries::default() };
    libraries.problems.extend(files.iter().flat_map(|(_, inventory)| inventory.problems.iter().cloned()));
    if let Some(index) = &advisories.index {
        let matcher = Matcher::new(index);
        for (file, inventory) in &files {
            let path: &Arc<str> = &file.path;
            libraries.findings.extend(matching::findings(path, &file.text, inventory, &matcher)?);
            libraries.findings.extend(matching::runtime_findings(path, &file.text, inventory, &matcher)?);
        }
    }
    libraries.files = files;
    Ok(libraries)
}
