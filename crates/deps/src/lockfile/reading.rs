//! One file on its way to an inventory: what every format does in the same way.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wardroom_model::Problem;

use super::document::{Broken, Node, json, toml, yaml};
use super::{Inventory, LONGEST, MOST};
use crate::{Dependency, Package};

/// Most problems that one file may tell: the rest are of the same kind.
const MOST_PROBLEMS: usize = 50;
/// Most groups that are handed down from parents to what they need.
const MOST_GROUPS: usize = 64;

/// One file that is being read.
pub struct Reading<'t> {
    /// Its path.
    pub file: &'t Arc<str>,
    /// What stands in it.
    pub text: &'t str,
    /// What was understood so far.
    pub found: Inventory,
    /// The file names more packages than are read: what follows is left out.
    pub full: bool,
}

impl<'t> Reading<'t> {
    /// Opens a file, lets `read` take it in, and closes it. A file that is too long or no text is refused.
    pub fn of(file: &'t Arc<str>, bytes: &'t [u8], read: impl FnOnce(&mut Reading<'t>)) -> Inventory {
        let refuse = |line, message| Inventory {
            problems: vec![Problem { file: Arc::clone(file), line, message, unread: true }],
            ..Inventory::default()
        };
        if bytes.len() > LONGEST {
            return refuse(None, format!("The file has {} bytes; at most {LONGEST} are read.", bytes.len()));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let line = memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count() as u32 + 1;
                return refuse(Some(line), "The file is not UTF-8.".to_owned());
            }
        };
        let mut reading = Reading { file, text, found: Inventory::default(), full: false };
        read(&mut reading);
        let nothing = reading.found.is_empty();
        for problem in &mut reading.found.problems {
            problem.unread = nothing;
        }
        reading.found
    }

    /// Reads a file that is JSON.
    pub fn json(file: &Arc<str>, bytes: &[u8], read: impl FnOnce(&mut Reading<'_>, &Node<'_>)) -> Inventory {
        Reading::of(file, bytes, |reading| {
            let (root, broken) = json(reading.text);
            reading.tree(&root, broken, "JSON", read);
        })
    }

    /// Reads a file that is TOML.
    pub fn toml(file: &Arc<str>, bytes: &[u8], read: impl FnOnce(&mut Reading<'_>, &Node<'_>)) -> Inventory {
        Reading::of(file, bytes, |reading| {
            let (root, broken) = toml(reading.text);
            reading.tree(&root, broken, "TOML", read);
        })
    }

    /// Reads a file that is YAML, one document after the other.
    pub fn yaml(
        file: &Arc<str>,
        bytes: &[u8],
        mut read: impl FnMut(&mut Reading<'_>, &Node<'_>),
    ) -> Inventory {
        Reading::of(file, bytes, |reading| {
            let (documents, broken) = yaml(reading.text);
            let first = documents.first().cloned().unwrap_or_default();
            reading.tree(&first, broken, "YAML", &mut read);
            for document in documents.iter().skip(1) {
                read(reading, document);
            }
        })
    }

    fn tree(
        &mut self,
        root: &Node<'_>,
        broken: Option<Broken>,
        language: &str,
        read: impl FnOnce(&mut Reading<'t>, &Node<'_>),
    ) {
        match broken {
            Some(broken) => {
                let message =
                    format!("This cannot be read as {language}: {}.", broken.message.trim_end_matches('.'));
                self.problem(broken.at, message);
            }
            None if !root.is_map() && !self.text.trim().is_empty() => {
                self.problem(0, format!("A mapping must stand at the top of this {language}."));
            }
            None => {}
        }
        read(self, root);
    }

    /// Tells what could not be understood, with the byte where it stands.
    pub fn problem(&mut self, at: usize, message: impl Into<String>) {
        let at = at.min(self.text.len());
        if self.found.problems.len() < MOST_PROBLEMS {
            let before = &self.text.as_bytes()[..at];
            let line = memchr::memchr_iter(b'\n', before).count() as u32 + 1;
            let file = Arc::clone(self.file);
            self.found.problems.push(Problem {
                file,
                line: Some(line),
                message: message.into(),
                unread: false,
            });
        }
    }

    /// Adds a package and gives its index; none where the file names too many, or this one no name.
    pub fn package(&mut self, package: Package) -> Option<usize> {
        if package.name.is_empty() {
            return None;
        }
        if self.found.packages.len() >= MOST {
            if !self.full {
                self.full = true;
                let message = format!("The file names more than {MOST} packages; the rest is left out.");
                self.problem(package.span.0 as usize, message);
            }
            return None;
        }
        self.found.packages.push(package);
        Some(self.found.packages.len() - 1)
    }

    /// Adds what the project asks for.
    pub fn ask(&mut self, dependency: Dependency) {
        if !dependency.requirement.name.is_empty() && self.found.asks.len() < MOST {
            self.found.asks.push(dependency);
        }
    }

    /// Adds a runtime that the project asks for.
    pub fn runtime(&mut self, name: &str, range: &str) {
        let range = range.trim();
        if !range.is_empty() && self.found.runtimes.len() < 100 {
            self.found.runtimes.push((name.to_owned(), range.to_owned()));
        }
    }

    /// Adds a registry that the file takes packages from.
    pub fn source(&mut self, url: &str, span: (u32, u32)) {
        if !url.is_empty() && self.found.sources.len() < 1_000 {
            self.found.sources.push((url.to_owned(), span));
        }
    }

    /// Adds a licence of the package at an index.
    pub fn licence(&mut self, package: Option<usize>, words: &str) {
        if let Some(index) = package
            && !words.is_empty()
        {
            self.found.licences.push((index, words.to_owned()));
        }
    }

    /// The lines of the text with the byte at which each begins, without their ends.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &'t str)> + use<'t> {
        let mut at = 0;
        self.text.split_inclusive('\n').map(move |line| {
            let start = at;
            at += line.len();
            (start, line.trim_end_matches(['\n', '\r']))
        })
    }
}

/// What a message shows of a file's words: their beginning, with nothing that could steer a terminal.
pub fn shown(words: &str) -> String {
    words.chars().take(80).flat_map(char::escape_debug).collect()
}

/// Bytes as a span.
pub fn span(start: usize, end: usize) -> (u32, u32) {
    (u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX))
}

/// Marks what the project itself asks for, and hands the groups of that down to what it needs: what a
/// root without a group needs is needed everywhere, whatever else asks for it.
///
/// `edges[i]` are the indices that package `i` needs; a root is an index and the group that asks for it,
/// empty for none.
pub fn spread(packages: &mut [Package], edges: &[Vec<usize>], roots: &[(usize, String)]) {
    let mut groups: Vec<&str> = roots.iter().map(|(_, group)| group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut everywhere = vec![false; packages.len()];
    // An empty group sorts first, so that what it reaches is known before the others.
    for group in groups.into_iter().take(MOST_GROUPS) {
        let mut seen = vec![false; packages.len()];
        let mut todo: Vec<usize> = roots.iter().filter(|(_, g)| g == group).map(|(i, _)| *i).collect();
        for index in &todo {
            if let Some(package) = packages.get_mut(*index) {
                package.direct = true;
            }
        }
        while let Some(index) = todo.pop() {
            if seen.get(index).copied().unwrap_or(true) {
                continue;
            }
            seen[index] = true;
            match group {
                "" => everywhere[index] = true,
                _ if !everywhere[index] => packages[index].groups.push(group.to_owned()),
                _ => {}
            }
            todo.extend(edges.get(index).into_iter().flatten());
        }
    }
}

/// Packages by name.
pub fn by_name(packages: &[Package]) -> FxHashMap<&str, Vec<usize>> {
    let mut index: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (i, package) in packages.iter().enumerate() {
        index.entry(&package.name).or_default().push(i);
    }
    index
}

/// Who needs whom, where names and ranges are all there is.
pub fn edges_by_name(packages: &[Package]) -> Vec<Vec<usize>> {
    let index = by_name(packages);
    let targets = |package: &Package| {
        let mut out = Vec::new();
        for requirement in &package.requires {
            let Some(found) = index.get(requirement.name.as_str()) else { continue };
            let exact = requirement.range.trim_start_matches(['=', ' ']);
            match found.iter().find(|i| packages[**i].version == exact) {
                Some(one) => out.push(*one),
                // A name that stands there a thousand times is not one that a range was written for.
                None => out.extend(found.iter().take(16)),
            }
        }
        out
    };
    packages.iter().map(targets).collect()
}
