//! What a commit that is about to be made, or some commits that were, add to the files before.

use std::collections::{BinaryHeap, HashMap};
use std::path::Path;

use gix::{ObjectId, hashtable};

use crate::history::{Commit, EntryKind, HistoryError, commit_of, discover, entries, object_folders, tips};

/// Largest file that is looked at, in bytes.
const LARGEST: u64 = 32 << 20;
/// Deepest folder.
const DEEPEST: usize = 200;

/// A file that is new or was changed.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Its path in the repository.
    pub path: &'a str,
    /// What is in it now.
    pub new: &'a [u8],
    /// What was in it before; empty where it was not there.
    pub old: &'a [u8],
    /// The commit that changes it; `None` for what is staged.
    pub commit: Option<&'a Commit>,
}

/// Which commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commits {
    /// `A..B`: those that B has and A has not; `B` alone is all that B has.
    Range(String),
    /// Those that these have and no reference has: what was pushed and is not taken yet. Full ids in hexadecimal.
    Pushed(Vec<String>),
}

/// A repository in which changes are looked up.
pub struct Changes {
    repository: gix::Repository,
    /// Where git keeps what was pushed until it is taken.
    waiting: Vec<gix::odb::Handle>,
}

impl Changes {
    /// Opens the repository that holds a folder.
    ///
    /// # Errors
    /// [`HistoryError::Open`] where there is none.
    pub fn open(path: &Path) -> Result<Changes, HistoryError> {
        let mut repository = discover(path)?;
        // Trees and commits are asked for again and again.
        repository.object_cache_size_if_unset(16 << 20);
        let own = repository.common_dir().join("objects");
        let own = std::fs::canonicalize(&own).unwrap_or(own);
        let waiting = object_folders(&repository)
            .into_iter()
            .filter(|f| *f != own)
            .filter_map(|folder| gix::odb::at(folder, gix::hash::Kind::Sha1).ok())
            .collect();
        Ok(Changes { repository, waiting })
    }

    /// Visits every file that is staged and is not the same in HEAD.
    ///
    /// # Errors
    /// [`HistoryError::Missing`] where the index or an object of it cannot be read.
    pub fn each_staged(&self, visit: &mut dyn FnMut(Change<'_>)) -> Result<(), HistoryError> {
        let missing =
            |e: gix::Error| HistoryError::Missing { what: "its index".to_owned(), message: e.to_string() };
        let index = self.repository.index_or_empty().map_err(missing)?;
        let head = self.repository.head_tree_id_or_empty().ok().map(|id| id.detach());
        let state: &gix::index::State = &index;
        let mut found: Vec<(String, ObjectId, Option<ObjectId>)> = Vec::new();
        self.staged(state, state.entries(), state.tree(), head, "", &mut found)?;
        for (path, new, old) in found {
            self.change(&path, new, old, None, visit)?;
        }
        Ok(())
    }

    fn staged(
        &self,
        state: &gix::index::State,
        mut files: &[gix::index::Entry],
        node: Option<&gix::index::extension::Tree>,
        head: Option<ObjectId>,
        folder: &str,
        out: &mut Vec<(String, ObjectId, Option<ObjectId>)>,
    ) -> Result<(), HistoryError> {
        // Git keeps in its index the ids of folders in which nothing was staged.
        if node.is_some_and(|n| n.num_entries.is_some() && Some(n.id) == head)
            || folder.matches('/').count() > DEEPEST
        {
            return Ok(());
        }
        let bytes = head.map(|id| self.object(id)).transpose()?.unwrap_or_default();
        let before: HashMap<&[u8], (EntryKind, ObjectId)> =
            entries(&bytes).map(|e| (e.name, (e.kind, e.id))).collect();
        while let Some(first) = files.first() {
            let path: &[u8] = first.path(state);
            let rest = path.get(folder.len()..).unwrap_or_default();
            match memchr::memchr(b'/', rest) {
                Some(slash) => {
                    let inner = &path[..folder.len() + slash + 1];
                    let count = files.iter().take_while(|e| e.path(state).starts_with(inner)).count();
                    let name = &rest[..slash];
                    let child = node.and_then(|n| n.children.iter().find(|c| c.name.as_slice() == name));
                    let was =
                        before.get(name).filter(|(kind, _)| *kind == EntryKind::Folder).map(|(_, id)| *id);
                    self.staged(state, &files[..count], child, was, &String::from_utf8_lossy(inner), out)?;
                    files = &files[count..];
                }
                None => {
                    let was =
                        before.get(rest).filter(|(kind, _)| *kind == EntryKind::File).map(|(_, id)| *id);
                    let file = first.mode.contains(gix::index::entry::Mode::FILE);
                    if file && was != Some(first.id) {
                        out.push((String::from_utf8_lossy(path).into_owned(), first.id, was));
                    }
                    files = &files[1..];
                }
            }
        }
        Ok(())
    }

    /// Visits every file that commits change, each version once; how many commits there were.
    ///
    /// # Errors
    /// [`HistoryError::Revision`] where a name stands for no commit, [`HistoryError::Missing`] where an object cannot
    /// be read.
    pub fn each_in(
        &self,
        commits: &Commits,
        visit: &mut dyn FnMut(Change<'_>),
    ) -> Result<usize, HistoryError> {
        let (shown, hidden) = match commits {
            Commits::Range(range) => match range.split_once("..") {
                Some((from, to)) => {
                    let to = to.trim_start_matches('.');
                    let name = |n: &str| self.commit_id(if n.is_empty() { "HEAD" } else { n });
                    (vec![name(to)?], vec![name(from)?])
                }
                None => (vec![self.commit_id(range)?], Vec::new()),
            },
            Commits::Pushed(ids) => {
                let ids: Result<Vec<ObjectId>, HistoryError> = ids
                    .iter()
                    .map(|id| {
                        ObjectId::from_hex(id.as_bytes())
                            .map_err(|e| HistoryError::Revision { name: id.clone(), message: e.to_string() })
                    })
                    .collect();
                (ids?, tips(&self.repository))
            }
        };
        let commits = self.only(&shown, &hidden)?;
        let mut seen = hashtable::HashSet::default();
        for (id, tree, parents) in &commits {
            let bytes = self.object(*id)?;
            let commit = commit_of(*id, &bytes);
            let mut before = Vec::new();
            for parent in parents {
                let bytes = self.object(*parent)?;
                before.extend(tree_and_parents(&bytes).0);
            }
            let mut found = Vec::new();
            self.differing(*tree, &before, "", &mut found)?;
            for (path, new, old) in found {
                if seen.insert(new) {
                    self.change(&path, new, old, Some(&commit), visit)?;
                }
            }
        }
        Ok(commits.len())
    }

    /// Commits that the shown have and the hidden have not, oldest first, with their trees and parents.
    fn only(
        &self,
        shown: &[ObjectId],
        hidden: &[ObjectId],
    ) -> Result<Vec<(ObjectId, ObjectId, Vec<ObjectId>)>, HistoryError> {
        let mut state: hashtable::HashMap<ObjectId, bool> = hashtable::HashMap::default();
        let mut heap: BinaryHeap<(i64, ObjectId)> = BinaryHeap::new();
        let mut open = 0usize;
        let mut found = Vec::new();
        let time = |id: ObjectId| -> Result<i64, HistoryError> { Ok(committed(&self.object(id)?)) };
        for (ids, hide) in [(hidden, true), (shown, false)] {
            for id in ids {
                if !state.contains_key(id) {
                    state.insert(*id, hide);
                    heap.push((time(*id)?, *id));
                    open += usize::from(!hide);
                }
            }
        }
        while open > 0 {
            let Some((_, id)) = heap.pop() else { break };
            let hide = state.get(&id).copied().unwrap_or(true);
            open -= usize::from(!hide);
            let bytes = self.object(id)?;
            let (tree, parents) = tree_and_parents(&bytes);
            for parent in &parents {
                match state.get_mut(parent) {
                    None => {
                        // A shallow clone ends somewhere.
                        let Ok(when) = time(*parent) else { continue };
                        state.insert(*parent, hide);
                        heap.push((when, *parent));
                        open += usize::from(!hide);
                    }
                    Some(was) if hide && !*was => {
                        *was = true;
                        if heap.iter().any(|(_, waiting)| waiting == parent) {
                            open -= 1;
                        }
                    }
                    Some(_) => {}
                }
            }
            if !hide && let Some(tree) = tree {
                found.push((id, tree, parents));
            }
        }
        found.retain(|(id, _, _)| state.get(id) == Some(&false));
        found.reverse();
        Ok(found)
    }

    /// Files of a tree that none of the others has in that place.
    fn differing(
        &self,
        tree: ObjectId,
        before: &[ObjectId],
        folder: &str,
        out: &mut Vec<(String, ObjectId, Option<ObjectId>)>,
    ) -> Result<(), HistoryError> {
        if before.contains(&tree) || folder.matches('/').count() > DEEPEST {
            return Ok(());
        }
        let bytes = self.object(tree)?;
        let others: Vec<Vec<u8>> = before.iter().map(|id| self.object(*id)).collect::<Result<_, _>>()?;
        let others: Vec<HashMap<&[u8], (EntryKind, ObjectId)>> =
            others.iter().map(|b| entries(b).map(|e| (e.name, (e.kind, e.id))).collect()).collect();
        for entry in entries(&bytes) {
            let same: Vec<(EntryKind, ObjectId)> =
                others.iter().filter_map(|o| o.get(entry.name).copied()).collect();
            if same.iter().any(|(_, id)| *id == entry.id) {
                continue;
            }
            let path = format!("{folder}{}", String::from_utf8_lossy(entry.name));
            let of_kind = |kind: EntryKind| same.iter().filter(move |(k, _)| *k == kind).map(|(_, id)| *id);
            match entry.kind {
                EntryKind::Folder => {
                    let inner: Vec<ObjectId> = of_kind(EntryKind::Folder).collect();
                    self.differing(entry.id, &inner, &(path + "/"), out)?;
                }
                EntryKind::File => out.push((path, entry.id, of_kind(EntryKind::File).next())),
                EntryKind::Other => {}
            }
        }
        Ok(())
    }

    fn change(
        &self,
        path: &str,
        new: ObjectId,
        old: Option<ObjectId>,
        commit: Option<&Commit>,
        visit: &mut dyn FnMut(Change<'_>),
    ) -> Result<(), HistoryError> {
        if self.repository.find_header(new).is_ok_and(|h| h.size() > LARGEST) {
            return Ok(());
        }
        let new = self.object(new)?;
        // In a clone that was made without old contents, what was before may be missing.
        let old = old.and_then(|id| self.object(id).ok()).unwrap_or_default();
        visit(Change { path, new: &new, old: &old, commit });
        Ok(())
    }

    fn commit_id(&self, name: &str) -> Result<ObjectId, HistoryError> {
        let wrong = |e: gix::Error| HistoryError::Revision { name: name.to_owned(), message: e.to_string() };
        let id = self.repository.rev_parse_single(name).map_err(wrong)?;
        let object = id.object().map_err(wrong)?.peel_to_kind(gix::objs::Kind::Commit).map_err(wrong)?;
        Ok(object.id)
    }

    fn object(&self, id: ObjectId) -> Result<Vec<u8>, HistoryError> {
        use gix::prelude::FindExt;
        if id == ObjectId::empty_tree(gix::hash::Kind::Sha1) {
            return Ok(Vec::new());
        }
        let first = match self.repository.find_object(id) {
            Ok(object) => return Ok(object.detach().data),
            Err(error) => error,
        };
        for other in &self.waiting {
            let mut buffer = Vec::new();
            if other.find(&id, &mut buffer).is_ok() {
                return Ok(buffer);
            }
        }
        Err(HistoryError::Missing { what: format!("the object {id}"), message: first.to_string() })
    }
}

fn tree_and_parents(bytes: &[u8]) -> (Option<ObjectId>, Vec<ObjectId>) {
    let mut tree = None;
    let mut parents = Vec::new();
    for line in bytes.split(|b| *b == b'\n').take_while(|l| !l.is_empty()) {
        if let Some(hex) = line.strip_prefix(b"tree ") {
            tree = ObjectId::from_hex(hex).ok();
        } else if let Some(hex) = line.strip_prefix(b"parent ") {
            parents.extend(ObjectId::from_hex(hex).ok());
        }
    }
    (tree, parents)
}

fn committed(bytes: &[u8]) -> i64 {
    let line =
        bytes.split(|b| *b == b'\n').take_while(|l| !l.is_empty()).find(|l| l.starts_with(b"committer "));
    line.map_or(0, |l| crate::history::person(l).1)
}
