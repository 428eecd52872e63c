//! `wardroom feeds`: the index of advisories that scans compare libraries with.

mod cycles;
pub mod download;
mod sync;

use std::fs;
use std::path::Path;

use anyhow::Context;
use wardroom_deps::index::Index;

use crate::args_feeds::{FeedsArgs, FeedsCommand};
use crate::clock::{self, Date};
use crate::failure::{CLEAN, usage};
use crate::libraries::advisories::{self, open_index};
use crate::output::{self, Console};

/// Runs it; the exit code.
pub fn run(options: &FeedsArgs) -> anyhow::Result<u8> {
    let path = options
        .index
        .clone()
        .or_else(advisories::of_user)
        .ok_or_else(|| usage("there is no home folder to keep the index in: name a file with --index"))?;
    match &options.command {
        FeedsCommand::Sync(sync) => return sync::run(sync, &path),
        FeedsCommand::List => list(&path)?,
        FeedsCommand::Export { file } => {
            whole(&open_index(&path)?)?;
            put(file, &fs::read(&path).with_context(|| path.display().to_string())?)?;
            Console::stderr(&format!("wardroom: the index is in {}", file.display()));
        }
        FeedsCommand::Import { file } => {
            let index = open_index(file)?;
            whole(&index)?;
            put(&path, &fs::read(file).with_context(|| file.display().to_string())?)?;
            Console::stderr(&format!(
                "wardroom: {} packages with advisories are in the index",
                index.packages()
            ));
        }
    }
    Ok(CLEAN)
}

/// Puts an index in place, with its folder.
fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("{} could not be made", folder.display()))?;
    }
    output::write_whole(path, bytes)
}

/// Reads all of an index, so that every checksum is looked at.
fn whole(index: &Index) -> anyhow::Result<()> {
    Ok(index.each(|_, _, _| {})?)
}

fn list(path: &Path) -> anyhow::Result<()> {
    if !path.exists() {
        Console::stderr(&format!(
            "wardroom: there is no index at {}; `wardroom feeds sync` makes one",
            path.display()
        ));
        return Ok(());
    }
    let index = open_index(path)?;
    let feeds = advisories::feeds_of_advisories(&index, Date::of(clock::now()));
    Console::stdout(|out| {
        let width = feeds.iter().map(|f| f.name.chars().count()).max().unwrap_or(0);
        for feed in &feeds {
            let age = match feed.age {
                None => "of a day that is not known".to_owned(),
                Some(0) => "of today".to_owned(),
                Some(1) => "1 day old".to_owned(),
                Some(days) => format!("{days} days old"),
            };
            let old = if feed.is_old() { ", which is old" } else { "" };
            writeln!(out, "{:<width$}  {:>7} advisories, {age}{old}", feed.name, feed.advisories)?;
        }
        for (what, date) in [
            ("exploited weaknesses (KEV)", index.exploited_date()),
            ("likelihoods (EPSS)", index.likelihood_date()),
            ("release cycles (endoflife.date)", index.cycles_date()),
        ] {
            if !date.is_empty() {
                writeln!(out, "{what}: of {date}")?;
            }
        }
        Ok(())
    })
}
