//! Walking a tree and reading the files that an analysis wants.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::{WalkBuilder, WalkState};
use rayon::prelude::*;
use wardroom_model::Problem;

/// A file larger than this is not read: no person wrote it. In bytes.
const MAX_FILE: u64 = 8 << 20;

/// One file of the tree.
#[derive(Clone, Debug)]
pub struct Source {
    /// Relative to the root, `/` between folders.
    pub path: Arc<str>,
    /// What is in it, as it stands on disk.
    pub text: Arc<[u8]>,
}

/// What a walk brought.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The files, by path.
    pub files: Vec<Source>,
    /// Files that were left out on purpose (tests, vendored code), counted.
    pub skipped: u32,
    /// Files that could not be read.
    pub problems: Vec<Problem>,
}

/// The tree could not be walked at all.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// Nothing stands at the path.
    #[error("{}: {error}", path.display())]
    Root {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Read it.
    Yes,
    /// Of no interest.
    No,
    /// It would be of interest, were it not a test or vendored: counted.
    Skipped,
}

/// Walks `root` (a folder or one file) and reads every file for which `wanted` says so.
///
/// Version control's and package managers' own folders are left out; what git ignores too. Links are not followed, so a loop of them
/// cannot trap the walk.
pub fn read_tree(root: &Path, wanted: &(dyn Fn(&str) -> Wanted + Sync)) -> Result<Tree, WalkError> {
    let root_error = |error| WalkError::Root { path: root.to_owned(), error };
    let meta = fs::metadata(root).map_err(root_error)?;
    if meta.is_file() {
        let name: Arc<str> =
            root.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()).into();
        let mut tree = Tree::default();
        match read(root, &name) {
            Ok(source) => tree.files.push(source),
            Err(problem) => tree.problems.push(problem),
        }
        return Ok(tree);
    }
    fs::read_dir(root).map_err(root_error)?;

    let found = Mutex::new((Vec::new(), 0u32, Vec::new()));
    let threads = rayon::current_num_threads();
    WalkBuilder::new(root)
        .hidden(false)
        .follow_links(false)
        .require_git(false)
        .threads(threads)
        .filter_entry(|e| e.depth() == 0 || !is_left_out(&e.file_name().to_string_lossy()))
        .build_parallel()
        .run(|| {
            Box::new(|entry| {
                let mut found = match found.lock() {
                    Ok(found) => found,
                    Err(poisoned) => poisoned.into_inner(),
                };
                match entry {
                    Err(error) => found.2.push(Problem {
                        file: "".into(),
                        line: None,
                        message: format!("could not be walked: {error}"),
                        unread: true,
                    }),
                    Ok(entry) if entry.file_type().is_some_and(|t| t.is_file()) => {
                        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
                        let path = relative.to_string_lossy().replace('\\', "/");
                        match wanted(&path) {
                            Wanted::Yes => found.0.push((path, entry.into_path())),
                            Wanted::Skipped => found.1 += 1,
                            Wanted::No => {}
                        }
                    }
                    Ok(_) => {}
                }
                WalkState::Continue
            })
        });
    let (mut paths, skipped, mut problems) = match found.into_inner() {
        Ok(found) => found,
        Err(poisoned) => poisoned.into_inner(),
    };
    paths.sort();
    let read: Vec<Result<Source, Problem>> =
        paths.par_iter().map(|(relative, full)| read(full, &Arc::from(relative.as_str()))).collect();
    let mut files = Vec::with_capacity(read.len());
    for result in read {
        match result {
            Ok(source) => files.push(source),
            Err(problem) => problems.push(problem),
        }
    }
    Ok(Tree { files, skipped, problems })
}

/// Folders that hold no code of the project's own, whatever else is asked for.
fn is_left_out(name: &str) -> bool {
    matches!(name, ".git" | ".hg" | ".svn" | ".bundle" | "node_modules" | ".yarn" | ".cache")
}

fn read(full: &Path, path: &Arc<str>) -> Result<Source, Problem> {
    let problem = |message: String| Problem { file: Arc::clone(path), line: None, message, unread: true };
    let file = fs::File::open(full).map_err(|e| problem(format!("could not be opened: {e}")))?;
    let size = file.metadata().map_or(0, |m| m.len());
    if size > MAX_FILE {
        return Err(problem(format!(
            "left out: {} MiB is more than the {} MiB that are read",
            size >> 20,
            MAX_FILE >> 20
        )));
    }
    let mut text = Vec::with_capacity(size as usize + 1);
    // A reader with a bound does not ask for the file's size again.
    file.take(MAX_FILE).read_to_end(&mut text).map_err(|e| problem(format!("could not be read: {e}")))?;
    if memchr::memchr(0, &text[..text.len().min(8192)]).is_some() {
        return Err(problem("left out: it is a binary file".to_owned()));
    }
    Ok(Source { path: Arc::clone(path), text: text.into() })
}
