//! `wardroom feeds sync`: a new index out of the old one and what has changed since.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use wardroom_deps::Ecosystem;
use wardroom_deps::advisory::{self, Reading};
use wardroom_deps::index::{Builder, Index};

use super::cycles::Cycles;
use super::download::{self, Downloads, Fetched};
use crate::args_feeds::SyncArgs;
use crate::clock::{self, Date};
use crate::failure::{CLEAN, RUN, usage};
use crate::libraries::advisories::{open_index, read_feed};
use crate::output::Console;

/// Up to so many advisories that have changed are fetched one by one; of more, the archive is smaller.
const ONE_BY_ONE: usize = 150;

struct Sync<'a> {
    options: &'a SyncArgs,
    downloads: Downloads,
    old: Option<Index>,
    builder: Builder,
    changed: bool,
    failed: bool,
}

/// Runs it; the exit code.
pub fn run(options: &SyncArgs, path: &Path) -> anyhow::Result<u8> {
    let ecosystems: Vec<Ecosystem> =
        options.ecosystem.iter().map(|name| ecosystem(name.trim())).collect::<anyhow::Result<_>>()?;
    if options.osv != "none" {
        download::check(&options.osv)?;
    }
    // An index that is damaged is no reason not to make a good one.
    let old = if path.exists() { open_index(path).ok() } else { None };
    let mut parts = path.as_os_str().to_owned();
    parts.push(".parts");
    let downloads = Downloads::new(parts.into());
    let mut sync =
        Sync { options, downloads, old, builder: Builder::default(), changed: false, failed: false };
    if let Some(old) = &sync.old
        && sync.builder.keep(old).is_err()
    {
        (sync.builder, sync.old) = (Builder::default(), None);
    }
    if options.osv != "none" {
        for ecosystem in ecosystems {
            sync.attempt(&format!("osv:{}", ecosystem.osv().unwrap_or_default()), |s| s.osv(ecosystem));
        }
    }
    for path in &options.add {
        let reading = read_feed(path)?;
        if reading.advisories.is_empty() {
            return Err(usage(format!("--add {}: no advisory is in it", path.display())));
        }
        let stem =
            fs::canonicalize(path).ok().and_then(|p| Some(p.file_stem()?.to_string_lossy().into_owned()));
        sync.take(&stem.unwrap_or_else(|| "advisories".to_owned()), "", reading);
    }
    sync.attempt("KEV", Sync::exploited);
    sync.attempt("EPSS", Sync::likelihoods);
    sync.attempt("endoflife.date", Sync::cycles);
    let Sync { builder, changed, failed, .. } = sync;
    if changed {
        let bytes = builder.build();
        let size = bytes.len();
        super::put(path, &bytes)?;
        if !options.quiet {
            Console::stderr(&format!("wardroom: the index is in {} ({} KiB)", path.display(), size >> 10));
        }
    } else if !options.quiet && !failed {
        Console::stderr("wardroom: nothing has changed");
    }
    Ok(if failed { RUN } else { CLEAN })
}

fn ecosystem(name: &str) -> anyhow::Result<Ecosystem> {
    let known = || Ecosystem::ALL.into_iter().filter_map(|e| Some((e, e.osv()?)));
    known().find(|(_, osv)| osv.eq_ignore_ascii_case(name)).map(|(e, _)| e).ok_or_else(|| {
        let all: Vec<&str> = known().map(|(_, osv)| osv).collect();
        usage(format!("`{name}` is no ecosystem of OSV's that is known here: {}", all.join(", ")))
    })
}

impl Sync<'_> {
    fn say(&self, line: &str) {
        if !self.options.quiet {
            Console::stderr(&format!("wardroom: {line}"));
        }
    }

    /// One feed that cannot be had does not keep the others away; what was known of it stays.
    fn attempt(&mut self, name: &str, work: impl FnOnce(&mut Self) -> anyhow::Result<()>) {
        if let Err(error) = work(self) {
            self.failed = true;
            Console::stderr(&format!("wardroom: {name}: {error:#}; what was known of it stays"));
        }
    }

    /// What tells the version of a feed that is in the index: empty for none.
    fn revision(&self, name: &str) -> String {
        let feeds = self.old.as_ref().map(Index::feeds).unwrap_or_default();
        feeds.iter().find(|f| f.name == name).map_or(String::new(), |f| f.revision.clone())
    }

    fn take(&mut self, name: &str, revision: &str, reading: Reading) {
        for problem in reading.problems.iter().take(5) {
            self.say(&format!("{name}: {problem}"));
        }
        if reading.problems.len() > 5 {
            self.say(&format!("{name}: {} advisories in all were not understood", reading.problems.len()));
        }
        self.say(&format!("{name}: {} advisories", reading.advisories.len()));
        self.builder.feed(name, &reading.newest, revision, reading.advisories);
        self.changed = true;
    }

    fn osv(&mut self, ecosystem: Ecosystem) -> anyhow::Result<()> {
        let title = ecosystem.osv().unwrap_or_default();
        let name = format!("osv:{title}");
        let base = format!("{}/{}", self.options.osv.trim_end_matches('/'), title.replace(' ', "%20"));
        let known = self.revision(&name);
        // A list of what was changed when, newest first; not every mirror has one.
        let list = match self.downloads.fetch(&format!("{base}/modified_id.csv"), "")? {
            Fetched::File(bytes, _) => {
                Some(String::from_utf8(bytes).context("the list of changes is no text")?)
            }
            _ => None,
        };
        let newest = list.as_deref().and_then(|l| l.lines().next()?.split(',').next()).unwrap_or_default();
        if !newest.is_empty() && newest == known {
            return Ok(());
        }
        if let Some(list) = &list
            && known.contains('T')
        {
            let since: Vec<&str> = list
                .lines()
                .filter_map(|l| l.split_once(','))
                .take_while(|(at, _)| *at > known.as_str())
                .map(|(_, id)| id.trim())
                .collect();
            if since.len() <= ONE_BY_ONE {
                return self.one_by_one(&name, &base, newest, &since);
            }
        }
        let condition = if known.contains('T') { "" } else { &known };
        match self.downloads.fetch(&format!("{base}/all.zip"), condition)? {
            Fetched::Unchanged => Ok(()),
            Fetched::Missing => anyhow::bail!("{base}/all.zip is not there"),
            Fetched::File(bytes, etag) => {
                let mut reading = Reading::default();
                let file: Arc<str> = format!("{name}/all.zip").into();
                advisory::read_file(&file, &bytes, &mut reading);
                anyhow::ensure!(!reading.advisories.is_empty(), "{base}/all.zip holds no advisory");
                let revision = if newest.is_empty() { &etag } else { newest };
                self.take(&name, revision, reading);
                Ok(())
            }
        }
    }

    fn one_by_one(&mut self, name: &str, base: &str, newest: &str, ids: &[&str]) -> anyhow::Result<()> {
        let mut reading = Reading::default();
        for id in ids {
            anyhow::ensure!(
                id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
                "the list of changes names `{}`, which is no advisory",
                id.chars().take(60).collect::<String>()
            );
            // One that is gone is taken out, like one that was withdrawn.
            if let Fetched::File(bytes, _) = self.downloads.fetch(&format!("{base}/{id}.json"), "")? {
                let file: Arc<str> = format!("{name}/{id}.json").into();
                advisory::read_file(&file, &bytes, &mut reading);
            }
        }
        anyhow::ensure!(reading.problems.is_empty(), "{}", reading.problems[0]);
        self.say(&format!("{name}: {} advisories have changed", ids.len()));
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        self.builder.change(name, &reading.newest, newest, &ids, reading.advisories);
        self.changed = true;
        Ok(())
    }

    /// A list by address or by file; nothing where it is not wanted.
    fn list(&self, from: &str) -> anyhow::Result<Option<Vec<u8>>> {
        if from == "none" {
            return Ok(None);
        }
        if !from.contains("://") {
            return Ok(Some(fs::read(from).with_context(|| from.to_owned())?));
        }
        match self.downloads.fetch(from, "")? {
            Fetched::File(bytes, _) => Ok(Some(bytes)),
            _ => anyhow::bail!("{from} is not there"),
        }
    }

    fn exploited(&mut self) -> anyhow::Result<()> {
        let Some(bytes) = self.list(&self.options.kev)? else { return Ok(()) };
        let list = advisory::read_kev(&bytes)?;
        if self.old.as_ref().is_none_or(|old| old.exploited_date() != list.date) || self.changed {
            self.say(&format!("KEV: {} exploited weaknesses", list.entries.len()));
            self.changed = true;
        }
        self.builder.exploited(list);
        Ok(())
    }

    fn cycles(&mut self) -> anyhow::Result<()> {
        let from = &self.options.endoflife;
        let cycles = match from.as_str() {
            "none" => return Ok(()),
            from if from.contains("://") => match self.list(from)? {
                Some(bytes) => Cycles::of_answer(from, &bytes, Date::of(clock::now())),
                None => return Ok(()),
            },
            from => Cycles::at(Path::new(from))?,
        };
        for problem in cycles.problems.iter().take(5) {
            self.say(&format!("endoflife.date: {problem}"));
        }
        anyhow::ensure!(!cycles.products.is_empty(), "{from} tells of no product");
        self.say(&format!("endoflife.date: {} products", cycles.products.len()));
        self.builder.cycles(&cycles.day.to_string(), cycles.products);
        self.changed = true;
        Ok(())
    }

    fn likelihoods(&mut self) -> anyhow::Result<()> {
        let Some(bytes) = self.list(&self.options.epss)? else { return Ok(()) };
        let list = advisory::read_epss(&bytes)?;
        if self.old.as_ref().is_none_or(|old| old.likelihood_date() != list.date) || self.changed {
            self.say(&format!("EPSS: {} likelihoods", list.entries.len()));
            self.changed = true;
        }
        self.builder.likelihoods(list);
        Ok(())
    }
}
