//! The history of a repository: every version of every file once, and where it stands in time.
//!
//! Reads git's own files through `gix`; nothing is written, fetched or run.

use std::collections::BinaryHeap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use gix::{ObjectId, hashtable};

use crate::history_pack::{Kind, Objects};

/// A history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The folder is in no repository, or it cannot be opened.
    #[error("{}: {message}", path.display())]
    Open {
        /// The folder as given.
        path: PathBuf,
        /// What git's reader says.
        message: String,
    },
    /// A pack is broken.
    #[error("{}: {message}", path.display())]
    Pack {
        /// The pack's index.
        path: PathBuf,
        /// What git's reader says.
        message: String,
    },
    /// A name stands for no commit.
    #[error("`{name}` names no commit here: {message}")]
    Revision {
        /// As given.
        name: String,
        /// What git's reader says.
        message: String,
    },
    /// An object that is needed is missing or broken.
    #[error("the repository lacks {what}: {message}")]
    Missing {
        /// The object.
        what: String,
        /// What git's reader says.
        message: String,
    },
}

/// One version of a file.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// Where it stood first.
    pub path: &'a str,
    /// What is in it.
    pub text: &'a [u8],
    /// The stretches that are not in the version that it was stored as a change of, in order; everything where it was
    /// stored whole. That version is visited too, before this one.
    pub changed: &'a [Range<usize>],
}

/// A commit, as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Forty characters of hexadecimal.
    pub id: String,
    /// `Name <mail>`
    pub author: String,
    /// When it was written, in Unix seconds.
    pub time: i64,
}

/// Where a version stands in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The first commit that has it; its number in order of time comes first.
    pub first: (u32, Commit),
    /// The last commit that has it.
    pub last: (u32, Commit),
    /// HEAD has it.
    pub in_head: bool,
}

/// Names a version: its number in this history.
pub type VersionId = u32;

/// What is done with a version: its number, itself, and what was made of the one that it is stored as a change of.
pub type Visit<'v, T> = dyn Fn(VersionId, &Version<'_>, &[T]) -> Vec<T> + Sync + 'v;

/// Folders, as git stores them.
type Trees = hashtable::HashMap<ObjectId, Box<[u8]>>;

pub(crate) struct ParsedCommit {
    id: ObjectId,
    tree: ObjectId,
    parents: Vec<ObjectId>,
    author: String,
    authored: i64,
    committed: i64,
}

/// A history, read as far as its commits and folders.
pub struct History {
    objects: Objects,
    /// In order of time, parents before children.
    commits: Vec<ParsedCommit>,
    head: Option<ObjectId>,
    trees: Trees,
    versions: hashtable::HashMap<ObjectId, (VersionId, u32)>,
    paths: Vec<Box<str>>,
}

impl History {
    /// Reads the commits that some reference or HEAD leads to, and their folders.
    ///
    /// # Errors
    /// [`HistoryError::Open`] where `path` is in no repository, [`HistoryError::Pack`] where a pack is broken.
    pub fn open(path: &Path) -> Result<History, HistoryError> {
        let repository = discover(path)?;
        let tips = tips(&repository);
        let head = repository.head_id().ok().map(|id| id.detach());
        let objects = Objects::open(&object_folders(&repository))?;
        let found: Mutex<(Vec<ParsedCommit>, Trees)> = Mutex::default();
        objects.each::<()>(&|kind| matches!(kind, Kind::Commit | Kind::Tree), &|object, _| {
            // Parsed before the lock is taken.
            let commit =
                (object.kind == Kind::Commit).then(|| parse_commit(object.id, object.bytes)).flatten();
            let tree: Option<Box<[u8]>> = (object.kind == Kind::Tree).then(|| object.bytes.into());
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.0.extend(commit);
            if let Some(tree) = tree {
                found.1.insert(object.id, tree);
            }
            Vec::new()
        });
        let (commits, trees) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut history = History {
            objects,
            commits: in_order(commits, &tips),
            head,
            trees,
            versions: hashtable::HashMap::default(),
            paths: Vec::new(),
        };
        history.name_versions();
        Ok(history)
    }

    /// How many commits there are.
    pub fn commits(&self) -> usize {
        self.commits.len()
    }

    /// How many versions of files there are.
    pub fn versions(&self) -> usize {
        self.versions.len()
    }

    /// Objects that were too large or broken so far.
    pub fn left_out(&self) -> u32 {
        self.objects.left_out.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Visits every version of every file once, in the order in which the packs hold them, from several threads. What `visit`
    /// makes of a version is handed to it again for the versions that are stored as changes of that one.
    pub fn each_version<T: Send + Sync>(&self, visit: &Visit<'_, T>) {
        self.objects.each(&|kind| kind == Kind::Blob, &|object, before| {
            let Some((number, _)) = self.versions.get(&object.id) else { return Vec::new() };
            let path = &self.paths[*number as usize];
            visit(*number, &Version { path, text: object.bytes, changed: object.changed }, before)
        });
    }

    /// The path at which a version stood first.
    pub fn path(&self, version: VersionId) -> &str {
        &self.paths[version as usize]
    }

    /// Where versions stand in time, in the order in which they are asked for.
    pub fn standing(&self, versions: &[VersionId]) -> Vec<Standing> {
        let wanted: std::collections::HashSet<VersionId> = versions.iter().copied().collect();
        let mut last: rustc_hash::FxHashMap<VersionId, u32> = rustc_hash::FxHashMap::default();
        let mut seen = hashtable::HashSet::default();
        for (number, commit) in self.commits.iter().enumerate().rev() {
            if last.len() == wanted.len() {
                break;
            }
            self.walk(commit.tree, &mut seen, &mut |id, _| {
                if let Some((version, _)) = self.versions.get(&id)
                    && wanted.contains(version)
                {
                    last.entry(*version).or_insert(number as u32);
                }
            });
        }
        let mut in_head = std::collections::HashSet::new();
        let head = self.head.and_then(|id| self.commits.iter().find(|c| c.id == id));
        if let Some(head) = head {
            self.walk(head.tree, &mut hashtable::HashSet::default(), &mut |id, _| {
                if let Some((version, _)) = self.versions.get(&id) {
                    in_head.insert(*version);
                }
            });
        }
        let mut first = vec![0u32; self.paths.len()];
        for (version, commit) in self.versions.values() {
            first[*version as usize] = *commit;
        }
        versions
            .iter()
            .map(|version| {
                let begun = first[*version as usize];
                let ended = last.get(version).copied().unwrap_or(begun);
                Standing {
                    first: (begun, self.commit(begun)),
                    last: (ended, self.commit(ended)),
                    in_head: in_head.contains(version),
                }
            })
            .collect()
    }

    fn commit(&self, number: u32) -> Commit {
        let commit = &self.commits[number as usize];
        Commit { id: commit.id.to_string(), author: commit.author.clone(), time: commit.authored }
    }

    /// Gives each version that a commit has its number, its path and its first commit.
    fn name_versions(&mut self) {
        let mut seen = hashtable::HashSet::default();
        let mut versions: hashtable::HashMap<ObjectId, (VersionId, u32)> = hashtable::HashMap::default();
        let mut paths: Vec<Box<str>> = Vec::new();
        for (number, commit) in self.commits.iter().enumerate() {
            self.walk(commit.tree, &mut seen, &mut |id, path| {
                versions.entry(id).or_insert_with(|| {
                    let version = paths.len() as u32;
                    paths.push(path().into());
                    (version, number as u32)
                });
            });
        }
        self.versions = versions;
        self.paths = paths;
    }

    /// Every file below a folder that was not walked before.
    fn walk(
        &self,
        tree: ObjectId,
        seen: &mut hashtable::HashSet<ObjectId>,
        file: &mut dyn FnMut(ObjectId, &dyn Fn() -> String),
    ) {
        let mut todo: Vec<(ObjectId, String)> = vec![(tree, String::new())];
        while let Some((id, folder)) = todo.pop() {
            if !seen.insert(id) {
                continue;
            }
            let Some(bytes) = self.trees.get(&id) else { continue };
            for entry in entries(bytes) {
                let path = || format!("{folder}{}", String::from_utf8_lossy(entry.name));
                match entry.kind {
                    EntryKind::Folder if !seen.contains(&entry.id) && todo.len() < 1 << 20 => {
                        todo.push((entry.id, path() + "/"))
                    }
                    EntryKind::File => file(entry.id, &path),
                    _ => {}
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Folder,
    File,
    /// A link, or another repository.
    Other,
}

pub(crate) struct Entry<'a> {
    pub kind: EntryKind,
    pub name: &'a [u8],
    pub id: ObjectId,
}

/// The entries of a tree object; a broken one ends early.
pub(crate) fn entries(mut bytes: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let space = memchr::memchr(b' ', bytes)?;
        let zero = memchr::memchr(0, bytes)?;
        let id = bytes.get(zero + 1..zero + 21)?;
        let kind = match bytes.get(..space)? {
            b"40000" | b"040000" => EntryKind::Folder,
            mode if mode.starts_with(b"100") => EntryKind::File,
            _ => EntryKind::Other,
        };
        let name = bytes.get(space + 1..zero)?;
        bytes = &bytes[zero + 21..];
        Some(Entry { kind, name, id: ObjectId::from_bytes_or_panic(id) })
    })
}

fn parse_commit(id: ObjectId, bytes: &[u8]) -> Option<ParsedCommit> {
    let mut commit =
        ParsedCommit { id, tree: id, parents: Vec::new(), author: String::new(), authored: 0, committed: 0 };
    let mut tree = None;
    for line in bytes.split(|b| *b == b'\n') {
        if line.is_empty() {
            break;
        }
        if let Some(hex) = line.strip_prefix(b"tree ") {
            tree = ObjectId::from_hex(hex).ok();
        } else if let Some(hex) = line.strip_prefix(b"parent ") {
            commit.parents.extend(ObjectId::from_hex(hex).ok());
        } else if let Some(author) = line.strip_prefix(b"author ") {
            (commit.author, commit.authored) = person(author);
        } else if let Some(committer) = line.strip_prefix(b"committer ") {
            commit.committed = person(committer).1;
        }
    }
    commit.tree = tree?;
    Some(commit)
}

/// A commit as people name it.
pub(crate) fn commit_of(id: ObjectId, bytes: &[u8]) -> Commit {
    let parsed = parse_commit(id, bytes);
    let (author, time) = parsed.map_or_else(Default::default, |c| (c.author, c.authored));
    Commit { id: id.to_string(), author, time }
}

/// `Name <mail> seconds zone`
pub(crate) fn person(text: &[u8]) -> (String, i64) {
    let text = String::from_utf8_lossy(text);
    let Some((name, rest)) = text.rsplit_once('>') else { return (text.into_owned(), 0) };
    let time = rest.split_whitespace().next().and_then(|t| t.parse().ok()).unwrap_or(0);
    (format!("{name}>"), time)
}

/// Those that the tips lead to, parents before children, otherwise by time.
fn in_order(commits: Vec<ParsedCommit>, tips: &[ObjectId]) -> Vec<ParsedCommit> {
    let by_id: hashtable::HashMap<ObjectId, usize> =
        commits.iter().enumerate().map(|(n, c)| (c.id, n)).collect();
    let mut reached = vec![false; commits.len()];
    let mut todo: Vec<usize> = tips.iter().filter_map(|t| by_id.get(t).copied()).collect();
    while let Some(number) = todo.pop() {
        if !std::mem::replace(&mut reached[number], true) {
            todo.extend(commits[number].parents.iter().filter_map(|p| by_id.get(p).copied()));
        }
    }
    let mut waiting = vec![0u32; commits.len()];
    let mut children: Vec<Vec<u32>> = vec![Vec::new(); commits.len()];
    let mut ready: BinaryHeap<std::cmp::Reverse<(i64, usize)>> = BinaryHeap::new();
    for (number, commit) in commits.iter().enumerate().filter(|(n, _)| reached[*n]) {
        for parent in commit.parents.iter().filter_map(|p| by_id.get(p)) {
            waiting[number] += 1;
            children[*parent].push(number as u32);
        }
        if waiting[number] == 0 {
            ready.push(std::cmp::Reverse((commit.committed, number)));
        }
    }
    let mut order = Vec::with_capacity(commits.len());
    while let Some(std::cmp::Reverse((_, number))) = ready.pop() {
        order.push(number);
        for child in &children[number] {
            let child = *child as usize;
            waiting[child] -= 1;
            if waiting[child] == 0 {
                ready.push(std::cmp::Reverse((commits[child].committed, child)));
            }
        }
    }
    let mut commits: Vec<Option<ParsedCommit>> = commits.into_iter().map(Some).collect();
    order.into_iter().filter_map(|n| commits[n].take()).collect()
}

pub(crate) fn discover(path: &Path) -> Result<gix::Repository, HistoryError> {
    let open = |message: String| HistoryError::Open { path: path.to_owned(), message };
    let repository = gix::discover_with_environment_overrides(path)
        .map_err(|e| open(format!("no git repository can be opened here ({e})")))?;
    if repository.object_hash() != gix::hash::Kind::Sha1 {
        return Err(open("the repository names its objects by SHA-256, which is not read yet".to_owned()));
    }
    Ok(repository)
}

/// The folders with objects: the repository's own, those it borrows from, and those that git names while a push waits.
pub(crate) fn object_folders(repository: &gix::Repository) -> Vec<PathBuf> {
    let own = repository.common_dir().join("objects");
    let mut folders = vec![own.clone()];
    folders.extend(std::env::var_os("GIT_OBJECT_DIRECTORY").map(PathBuf::from));
    if let Some(others) = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES") {
        folders.extend(std::env::split_paths(&others));
    }
    let here = std::env::current_dir().unwrap_or_default();
    folders.extend(gix::odb::alternate::resolve(own, &here).unwrap_or_default());
    let mut unique: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let real = std::fs::canonicalize(&folder).unwrap_or(folder);
        if !unique.contains(&real) {
            unique.push(real);
        }
    }
    unique
}

/// Where every reference and HEAD lead, as far as they lead to commits.
pub(crate) fn tips(repository: &gix::Repository) -> Vec<ObjectId> {
    let mut tips: Vec<ObjectId> = repository.head_id().ok().map(|id| id.detach()).into_iter().collect();
    if let Ok(references) = repository.references()
        && let Ok(all) = references.all()
    {
        tips.extend(all.flatten().filter_map(|mut r| r.peel_to_commit().ok()).map(|c| c.id));
    }
    tips.sort_unstable();
    tips.dedup();
    tips
}
