//! What it costs to match lockfiles with advisories: `deps-load index FEED INDEX` makes an index of a folder of
//! advisories, `deps-load match INDEX LOCKS` opens it and goes through every lockfile below a folder, `deps-load
//! plan INDEX LOCK INFO` plans the changes of a Gemfile.lock, package-lock.json or Cargo.lock with a folder of the registry's lists
//! (and writes them, with `--write`). Each says how many CPU seconds it took, its start included, and how much memory at most.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use wardroom_deps::Ecosystem;
use wardroom_deps::advisory::{Reading, read_file};
use wardroom_deps::index::{Builder, Index, Storage};
use wardroom_deps::lockfile::format_of;
use wardroom_deps::matching::{Matcher, findings};
use wardroom_deps::upgrade::{
    Registry, Release, edit_gemfile, edit_gemfile_lock, plan, plan_beyond_manifest, plan_cargo_lock,
    plan_npm_lock, read_cargo_index, read_compact_index, read_packument,
};
use wardroom_model::Replacement;

/// The program that users run has this allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes an index.
    Index { feed: PathBuf, index: PathBuf },
    /// Matches every lockfile below a folder.
    Match { index: PathBuf, locks: PathBuf },
    /// Plans the changes of one Gemfile.lock, package-lock.json or Cargo.lock.
    Plan {
        index: PathBuf,
        lock: PathBuf,
        info: PathBuf,
        /// Writes the changes into the lockfile.
        #[arg(long)]
        write: bool,
        /// Changes what this Gemfile asks for where that is in the way.
        #[arg(long)]
        gemfile: Option<PathBuf>,
        /// The version of Ruby that the project runs on.
        #[arg(long, default_value = "")]
        ruby: String,
    },
}

/// A file of which only what is asked for is read.
struct OnDisk(File);

impl Storage for OnDisk {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, buffer, at)
    }
}

/// A folder of a registry's lists, one file a package: of the compact index for gems, documents for npm, lines of
/// the index for crates.
struct Lists(PathBuf, RefCell<HashMap<String, Option<Arc<[Release]>>>>);

impl Registry for Lists {
    fn releases(&self, ecosystem: Ecosystem, name: &str) -> Option<Arc<[Release]>> {
        let mut known = self.1.borrow_mut();
        let read = || {
            let bytes = fs::read(self.0.join(name.replace('/', "%2f"))).ok()?;
            let releases = match ecosystem {
                Ecosystem::Npm => read_packument(&bytes),
                Ecosystem::Cargo => read_cargo_index(&bytes),
                _ => read_compact_index(&bytes),
            };
            Some(releases.ok()?.into())
        };
        known.entry(name.to_owned()).or_insert_with(read).clone()
    }
}

fn applied(text: &str, edits: &[Replacement]) -> String {
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        out.replace_range(edit.start as usize..edit.end as usize, &edit.text);
    }
    out
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, out)?;
        } else {
            out.push(path);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Index { feed, index } => {
            let (mut paths, mut reading) = (Vec::new(), Reading::default());
            files(&feed, &mut paths)?;
            for path in paths {
                read_file(&path.to_string_lossy().into(), &fs::read(&path)?, &mut reading);
            }
            println!("{} advisories, {} problems", reading.advisories.len(), reading.problems.len());
            let mut builder = Builder::default();
            builder.feed("feed", &reading.newest, "", reading.advisories);
            let bytes = builder.build();
            println!("{} bytes", bytes.len());
            fs::write(index, bytes)?;
        }
        Command::Match { index, locks } => {
            let index = Index::open(OnDisk(File::open(index)?))?;
            let matcher = Matcher::new(&index);
            let mut paths = Vec::new();
            files(&locks, &mut paths)?;
            let (mut count, mut packages, mut found) = (0, 0, 0);
            for path in paths {
                let file: Arc<str> = path.to_string_lossy().into();
                let Some(format) = format_of(&file).filter(|format| format.locks) else { continue };
                let bytes = fs::read(&path)?;
                let inventory = (format.read)(&file, &bytes);
                packages += inventory.packages.len();
                found += findings(&file, &bytes, &inventory, &matcher)?.len();
                count += 1;
            }
            println!("{count} lockfiles, {packages} packages, {found} findings");
        }
        Command::Plan { index, lock, info, write, gemfile, ruby } => {
            let index = Index::open(OnDisk(File::open(index)?))?;
            let matcher = Matcher::new(&index);
            let file: Arc<str> = lock.to_string_lossy().into();
            let text = fs::read_to_string(&lock)?;
            let lists = Lists(info, RefCell::default());
            let format = format_of(&file).context("this is no lockfile")?;
            let inventory = (format.read)(&file, text.as_bytes());
            let before = matcher.matches(&inventory)?.len();
            let (plan, edits) = match format.ecosystem {
                Ecosystem::Npm => plan_npm_lock(&file, &text, &matcher, &lists)?,
                Ecosystem::Cargo => {
                    let mut paths = Vec::new();
                    files(lock.parent().context("a lockfile is in a folder")?, &mut paths)?;
                    paths.retain(|path| path.ends_with("Cargo.toml"));
                    let manifests = paths.iter().map(fs::read_to_string).collect::<io::Result<Vec<_>>>()?;
                    let manifests: Vec<&str> = manifests.iter().map(String::as_str).collect();
                    plan_cargo_lock(&file, &text, &manifests, &matcher, &lists)?
                }
                _ => {
                    let plan = match gemfile {
                        Some(_) => plan_beyond_manifest(&inventory, &matcher, &lists, &ruby)?,
                        None => plan(&inventory, &matcher, &lists, &ruby)?,
                    };
                    let edits = match write {
                        true => edit_gemfile_lock(&file, &text, &inventory, &plan, &lists)?,
                        false => Vec::new(),
                    };
                    (plan, edits)
                }
            };
            println!("{} packages, {before} matches, resolved: {}", inventory.packages.len(), plan.resolved);
            for (step, changes) in plan.by_effort() {
                for change in changes {
                    println!(
                        "{step:?} {} {} -> {} clears {}",
                        change.name,
                        change.from,
                        change.to,
                        change.clears.join(" ")
                    );
                }
            }
            for blocked in &plan.blocked {
                println!(
                    "stays {} {} {}: {}",
                    blocked.name,
                    blocked.version,
                    blocked.weaknesses.join(" "),
                    blocked.reason
                );
            }
            for loosened in &plan.manifest {
                println!("manifest {} {} -> {}", loosened.name, loosened.from, loosened.to);
            }
            if write && let Some(path) = gemfile {
                let text = fs::read_to_string(&path)?;
                let edits = edit_gemfile(&path.to_string_lossy().into(), &text, &plan.manifest)?;
                fs::write(path, applied(&text, &edits))?;
            }
            if write {
                let changed = applied(&text, &edits);
                let after = matcher.matches(&(format.read)(&file, changed.as_bytes()))?.len();
                println!("{before} matches before, {after} after");
                fs::write(&lock, changed)?;
            }
        }
    }
    let status = fs::read_to_string("/proc/self/schedstat").context("this needs Linux")?;
    let nanoseconds: u64 = status.split(' ').next().unwrap_or_default().parse()?;
    println!("{:.3} CPU seconds", nanoseconds as f64 / 1e9);
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    println!("{} at most", peak.trim());
    Ok(())
}
