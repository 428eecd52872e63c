//! Walking a tree file by file, without keeping what was read.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{WalkBuilder, WalkState};
use wardroom_model::Problem;

use crate::tree::WalkError;

/// How a stream goes through a tree.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// Leave out what git ignores.
    pub respect_ignores: bool,
    /// Largest file that is read, in bytes; what is larger is a problem.
    pub largest: u64,
    /// Threads; 0 is as many as the machine has.
    pub threads: usize,
}

/// Walks `root` (a folder or one file) and hands every file to `visit`, by its path under the root with `/` between
/// folders, from several threads and in no order. Each thread keeps one file at a time. Version control's own
/// folders are left out; links are not followed. The answer is what could not be read, sorted.
///
/// # Errors
/// [`WalkError::Root`] where nothing that can be read stands at `root`.
pub fn stream_tree(
    root: &Path,
    how: Stream,
    visit: &(dyn Fn(&str, &[u8]) + Sync),
) -> Result<Vec<Problem>, WalkError> {
    let root_error = |error| WalkError::Root { path: root.to_owned(), error };
    let meta = fs::metadata(root).map_err(root_error)?;
    let problems = Mutex::new(Vec::new());
    let add = |problem| problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    if meta.is_file() {
        let name = root.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let mut buffer = Vec::new();
        match read(root, &name, how.largest, &mut buffer) {
            Ok(()) => visit(&name, &buffer),
            Err(problem) => add(problem),
        }
    } else {
        fs::read_dir(root).map_err(root_error)?;
        WalkBuilder::new(root)
            .hidden(false)
            .follow_links(false)
            .require_git(false)
            .ignore(false)
            .git_ignore(how.respect_ignores)
            .git_exclude(how.respect_ignores)
            .git_global(false)
            .parents(how.respect_ignores)
            .threads(how.threads)
            .filter_entry(|e| {
                e.depth() == 0 || !matches!(e.file_name().to_str(), Some(".git" | ".hg" | ".svn"))
            })
            .build_parallel()
            .run(|| {
                let mut buffer = Vec::new();
                Box::new(move |entry| {
                    match entry {
                        Err(error) => add(Problem {
                            file: "".into(),
                            line: None,
                            message: format!("could not be walked: {error}"),
                            unread: true,
                        }),
                        Ok(entry) if entry.file_type().is_some_and(|t| t.is_file()) => {
                            let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
                            let path = relative.to_string_lossy();
                            let path = if std::path::MAIN_SEPARATOR == '/' {
                                path
                            } else {
                                path.replace('\\', "/").into()
                            };
                            match read(entry.path(), &path, how.largest, &mut buffer) {
                                Ok(()) => visit(&path, &buffer),
                                Err(problem) => add(problem),
                            }
                        }
                        Ok(_) => {}
                    }
                    WalkState::Continue
                })
            });
    }
    let mut problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
    problems.sort();
    Ok(problems)
}

fn read(full: &Path, path: &str, largest: u64, buffer: &mut Vec<u8>) -> Result<(), Problem> {
    let problem = |message: String| Problem { file: Arc::from(path), line: None, message, unread: true };
    let mut file = fs::File::open(full).map_err(|e| problem(format!("could not be opened: {e}")))?;
    let size = file.metadata().map_or(0, |m| m.len());
    if size > largest {
        return Err(problem(format!(
            "left out: {} MiB is more than the {} MiB that are read",
            size >> 20,
            largest >> 20
        )));
    }
    buffer.clear();
    // Room for one more byte spares the question whether there is more.
    buffer.reserve(size as usize + 1);
    (&mut file).take(largest).read_to_end(buffer).map_err(|e| problem(format!("could not be read: {e}")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_once_and_ignores_where_asked() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/.git")).unwrap();
        for (name, text) in [
            ("a/x", "1"),
            ("a/.env", "2"),
            ("a/.git/config", "3"),
            (".gitignore", ".env\n"),
            ("big", "123456789"),
        ] {
            fs::write(at(name), text).unwrap();
        }
        for (respect_ignores, expected) in [(true, ".gitignore a/x"), (false, ".gitignore a/.env a/x")] {
            let seen = Mutex::new(Vec::new());
            let how = Stream { respect_ignores, largest: 8, threads: 2 };
            let problems =
                stream_tree(folder.path(), how, &|path, _| seen.lock().unwrap().push(path.to_owned()))
                    .unwrap();
            let mut seen = seen.into_inner().unwrap();
            seen.sort();
            assert_eq!(seen.join(" "), expected);
            assert_eq!(problems.len(), 1);
            assert_eq!(&*problems[0].file, "big");
        }
        let how = Stream { respect_ignores: true, largest: 8, threads: 1 };
        assert!(stream_tree(&at("none"), how, &|_, _| ()).is_err());
    }
}
