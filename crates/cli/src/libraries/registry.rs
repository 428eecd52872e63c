//! Lists of versions: a compact index on a disk, or the registry's own over HTTP, asked only for what a plan
//! needs.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use wardroom_deps::Ecosystem;
use wardroom_deps::upgrade::{Registry, Release, read_compact_index};

use crate::failure::usage;
use crate::feeds::download::{self, Downloads, Fetched};

/// Where RubyGems keeps its own.
pub const RUBYGEMS: &str = "https://index.rubygems.org";

/// A compact index: `info/NAME` for each gem.
pub struct Index {
    place: Place,
    known: Mutex<HashMap<String, Option<Arc<[Release]>>>>,
    /// What went wrong first: a plan that was made without an answer is not the whole plan.
    failure: Mutex<Option<String>>,
}

enum Place {
    Nowhere,
    Folder(PathBuf),
    Address(String, Downloads),
}

impl Index {
    /// By what the user says: an address, a folder, or `none`.
    pub fn of(said: &str) -> anyhow::Result<Index> {
        let place = if said == "none" {
            Place::Nowhere
        } else if said.contains("://") {
            download::check(said)?;
            let parts = std::env::temp_dir().join(format!("wardroom-registry-{}", std::process::id()));
            Place::Address(said.trim_end_matches('/').to_owned(), Downloads::new(parts))
        } else {
            let folder = PathBuf::from(said);
            if !folder.join("info").is_dir() {
                return Err(usage(format!(
                    "--registry {said}: there is no folder `info` in it, so it is no compact index"
                )));
            }
            Place::Folder(folder)
        };
        Ok(Index { place, known: Mutex::default(), failure: Mutex::default() })
    }

    /// What went wrong, where something did.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ask(&self, name: &str) -> anyhow::Result<Option<Vec<Release>>> {
        // A name is part of a path and of an address.
        if name.is_empty()
            || name.starts_with('.')
            || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        {
            return Ok(None);
        }
        let bytes = match &self.place {
            Place::Nowhere => return Ok(None),
            Place::Folder(folder) => match fs::read(folder.join("info").join(name)) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            },
            Place::Address(base, downloads) => match downloads.fetch(&format!("{base}/info/{name}"), "")? {
                Fetched::File(bytes, _) => bytes,
                Fetched::Missing | Fetched::Unchanged => return Ok(None),
            },
        };
        Ok(Some(read_compact_index(&bytes)?))
    }
}

impl Registry for Index {
    fn releases(&self, ecosystem: Ecosystem, name: &str) -> Option<Arc<[Release]>> {
        if ecosystem != Ecosystem::RubyGems {
            return None;
        }
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(name) {
            return known.clone();
        }
        // Of a registry that did not answer nothing more is asked.
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_some() {
            return None;
        }
        let releases: Option<Arc<[Release]>> = match self.ask(name) {
            Ok(releases) => releases.map(Into::into),
            Err(error) => {
                *failure = Some(format!("{name}: {error:#}"));
                None
            }
        };
        lock().insert(name.to_owned(), releases.clone());
        releases
    }
}
