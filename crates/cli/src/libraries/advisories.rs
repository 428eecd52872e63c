//! The advisories that a scan compares with: the user's own index, or a feed that is named.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use wardroom_deps::advisory::{self, Reading};
use wardroom_deps::index::{Builder, Index, Storage};
use wardroom_model::{Feed, Problem};

use crate::clock::Date;
use crate::failure::usage;

/// Advisories, with what is known of their feeds.
#[derive(Debug, Default)]
pub struct Advisories {
    /// None where there are none.
    pub index: Option<Index>,
    /// Where they came from.
    pub feeds: Vec<Feed>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
}

/// The user's index: `$XDG_DATA_HOME/wardroom/advisories.index`, or under `~/.local/share`.
pub fn of_user() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let base = folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share")))?;
    Some(base.join("wardroom/advisories.index"))
}

impl Advisories {
    /// Those that are named, or the user's; none where there are none.
    pub fn open(named: &[PathBuf], today: Date) -> anyhow::Result<Advisories> {
        if !named.is_empty() {
            return Advisories::read(named, today);
        }
        let Some(path) = of_user().filter(|path| path.exists()) else { return Ok(Advisories::default()) };
        let index = open_index(&path)?;
        Ok(Advisories { feeds: feeds(&index, today), index: Some(index), problems: Vec::new() })
    }

    /// Feeds by path: a folder of advisories (ruby-advisory-db or OSV), an archive of such, or an index.
    fn read(named: &[PathBuf], today: Date) -> anyhow::Result<Advisories> {
        if let [path] = named
            && path.extension().is_some_and(|e| e == "index")
        {
            let index = open_index(path)?;
            return Ok(Advisories { feeds: feeds(&index, today), index: Some(index), problems: Vec::new() });
        }
        let mut builder = Builder::default();
        let mut problems = Vec::new();
        for path in named {
            let reading = read_feed(path)?;
            if reading.advisories.is_empty() {
                return Err(usage(format!("--advisories {}: no advisory is in it", path.display())));
            }
            let name = name_of(path);
            builder.feed(&name, &reading.newest, "", reading.advisories);
            problems.extend(reading.problems);
        }
        let index = Index::open(builder.build())?;
        Ok(Advisories { feeds: feeds(&index, today), index: Some(index), problems })
    }
}

/// As people call a feed that they have as a folder or an archive.
fn name_of(path: &Path) -> String {
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let stem = if full.is_dir() { full.file_name() } else { full.file_stem() };
    stem.map_or_else(|| "advisories".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// All advisories of a folder or a file.
pub fn read_feed(path: &Path) -> anyhow::Result<Reading> {
    let wrong = |e: &dyn std::fmt::Display| usage(format!("--advisories {}: {e}", path.display()));
    let mut files = Vec::new();
    if fs::metadata(path).map_err(|e| wrong(&e))?.is_dir() {
        for entry in ignore::WalkBuilder::new(path).standard_filters(false).build() {
            let entry = entry.map_err(|e| wrong(&e))?;
            let ends = entry
                .path()
                .extension()
                .is_some_and(|e| e == "yml" || e == "yaml" || e == "json" || e == "zip");
            if ends && entry.file_type().is_some_and(|t| t.is_file()) {
                files.push(entry.into_path());
            }
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let parts: Vec<Reading> = files
        .par_chunks(64)
        .map(|files| {
            let mut reading = Reading::default();
            for file in files {
                let name: Arc<str> = file.display().to_string().into();
                match fs::read(file) {
                    Ok(bytes) => {
                        advisory::read_file(&name, &bytes, &mut reading);
                    }
                    Err(error) => reading.problems.push(Problem {
                        file: name,
                        line: None,
                        message: format!("the advisory could not be read: {error}"),
                        unread: true,
                    }),
                }
            }
            reading
        })
        .collect();
    let mut whole = Reading::default();
    for part in parts {
        whole.advisories.extend(part.advisories);
        whole.problems.extend(part.problems);
        whole.withdrawn += part.withdrawn;
        whole.foreign += part.foreign;
        whole.newest = whole.newest.max(part.newest);
    }
    Ok(whole)
}

/// Opens an index on a disk: only what is asked for is read.
pub fn open_index(path: &Path) -> anyhow::Result<Index> {
    let wrong = |e: &dyn std::fmt::Display| {
        anyhow::anyhow!("{}: {e}; `wardroom feeds sync` makes a new one", path.display())
    };
    let file = File::open(path).map_err(|e| wrong(&e))?;
    Index::open(OnDisk(file)).map_err(|e| wrong(&e))
}

/// A file of which parts are read.
struct OnDisk(File);

impl Storage for OnDisk {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, buffer, at)
    }

    #[cfg(not(unix))]
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        use std::io::{Read, Seek};
        let mut file = self.0.try_clone()?;
        file.seek(io::SeekFrom::Start(at))?;
        file.read_exact(buffer)
    }
}

/// The feeds of an index, with their age: those of advisories, and that of release cycles.
pub fn feeds(index: &Index, today: Date) -> Vec<Feed> {
    let mut feeds = feeds_of_advisories(index, today);
    if !index.cycles_date().is_empty() {
        feeds.push(feed("endoflife.date", index.cycles_date(), 0, today));
    }
    feeds
}

/// The feeds of advisories of an index, with their age.
pub fn feeds_of_advisories(index: &Index, today: Date) -> Vec<Feed> {
    index.feeds().iter().map(|f| feed(&f.name, &f.date, f.count, today)).collect()
}

fn feed(name: &str, date: &str, advisories: u32, today: Date) -> Feed {
    let age = date.parse::<Date>().ok().map(|day| u32::try_from(today.days_since(day)).unwrap_or(0));
    Feed { name: name.to_owned(), date: date.to_owned(), age, advisories }
}

/// What to tell of feeds that are old, or of there being none.
pub fn warning(feeds: &[Feed]) -> Option<String> {
    if feeds.iter().all(|f| f.advisories == 0) {
        return Some(
            "no advisories are at hand, so libraries were not compared with any: run `wardroom feeds sync`, or name a feed with --advisories"
                .to_owned(),
        );
    }
    let old: Vec<&str> = feeds.iter().filter(|f| f.is_old()).map(|f| f.name.as_str()).collect();
    (!old.is_empty()).then(|| {
        format!(
            "advisories of {} are more than {} days old: `wardroom feeds sync` brings newer ones",
            old.join(", "),
            Feed::OLD
        )
    })
}
