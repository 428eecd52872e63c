//! Lists of versions: a folder of them, or the registries' own over HTTP, asked only for what a plan needs.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use wardroom_deps::Ecosystem;
use wardroom_deps::upgrade::{Registry, Release, read_cargo_index, read_compact_index, read_packument};

use crate::failure::usage;
use crate::feeds::download::{self, Downloads, Fetched};

/// What stands for each ecosystem's own registry.
pub const OWN: &str = "own";
/// Where RubyGems, npm and Cargo keep theirs.
const RUBYGEMS: &str = "https://index.rubygems.org";
const NPM: &str = "https://registry.npmjs.org";
const CRATES: &str = "https://index.crates.io";

/// Lists of the versions of packages, each read once.
pub struct Lists {
    place: Place,
    known: Mutex<Known>,
    /// What went wrong first: a plan that was made without an answer is not the whole plan.
    failure: Mutex<Option<String>>,
}

type Known = HashMap<(Ecosystem, String), Option<Arc<[Release]>>>;

enum Place {
    Nowhere,
    Folder(PathBuf),
    /// With the address of the compact index of gems.
    Address(String, Downloads),
}

impl Lists {
    /// By what the user says: `own`, the address of a compact index, a folder, or `none`.
    pub fn of(said: &str) -> anyhow::Result<Lists> {
        let place = if said == "none" {
            Place::Nowhere
        } else if said == OWN || said.contains("://") {
            let gems = if said == OWN { RUBYGEMS } else { said.trim_end_matches('/') };
            download::check(gems)?;
            let parts = std::env::temp_dir().join(format!("wardroom-registry-{}", std::process::id()));
            Place::Address(gems.to_owned(), Downloads::new(parts))
        } else {
            let folder = PathBuf::from(said);
            if !["info", "npm", "crates"].iter().any(|name| folder.join(name).is_dir()) {
                return Err(usage(format!(
                    "--registry {said}: there is none of the folders `info`, `npm` and `crates` in it"
                )));
            }
            Place::Folder(folder)
        };
        Ok(Lists { place, known: Mutex::default(), failure: Mutex::default() })
    }

    /// Whether anything is known at all.
    pub fn know(&self) -> bool {
        !matches!(self.place, Place::Nowhere)
    }

    /// What went wrong, where something did.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ask(&self, ecosystem: Ecosystem, name: &str) -> anyhow::Result<Option<Vec<Release>>> {
        // A name is part of a path and of an address.
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let scope =
            name.strip_prefix('@').and_then(|n| n.split_once('/')).filter(|_| ecosystem == Ecosystem::Npm);
        let parts = scope.map_or([name, name], |(scope, name)| [scope, name]);
        if parts.iter().any(|p| p.is_empty() || p.starts_with('.') || !p.bytes().all(allowed)) {
            return Ok(None);
        }
        let encoded = name.replace('/', "%2f");
        let (folder, address) = match (ecosystem, &self.place) {
            (Ecosystem::RubyGems, Place::Address(gems, _)) => ("info", format!("{gems}/info/{name}")),
            (Ecosystem::RubyGems, _) => ("info", String::new()),
            (Ecosystem::Npm, _) => ("npm", format!("{NPM}/{encoded}")),
            (Ecosystem::Cargo, _) => ("crates", format!("{CRATES}/{}", shard(name))),
            _ => return Ok(None),
        };
        let bytes = match &self.place {
            Place::Nowhere => return Ok(None),
            Place::Folder(all) => match fs::read(all.join(folder).join(&encoded)) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            },
            Place::Address(_, downloads) => match downloads.fetch(&address, "")? {
                Fetched::File(bytes, _) => bytes,
                Fetched::Missing | Fetched::Unchanged => return Ok(None),
            },
        };
        Ok(Some(match ecosystem {
            Ecosystem::Npm => read_packument(&bytes)?,
            Ecosystem::Cargo => read_cargo_index(&bytes)?,
            _ => read_compact_index(&bytes)?,
        }))
    }
}

/// The place of a crate in Cargo's index.
fn shard(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.len() {
        1 | 2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

impl Registry for Lists {
    fn releases(&self, ecosystem: Ecosystem, name: &str) -> Option<Arc<[Release]>> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (ecosystem, name.to_owned());
        if let Some(known) = lock().get(&key) {
            return known.clone();
        }
        // Of a registry that did not answer nothing more is asked.
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_some() {
            return None;
        }
        let releases: Option<Arc<[Release]>> = match self.ask(ecosystem, name) {
            Ok(releases) => releases.map(Into::into),
            Err(error) => {
                *failure = Some(format!("{name}: {error:#}"));
                None
            }
        };
        lock().insert(key, releases.clone());
        releases
    }
}
