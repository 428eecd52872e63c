//! `wardroom scan`.

pub mod changed;
mod fix;
mod import;
pub(crate) mod send;
mod stats;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use wardroom_model::{Confidence, Finding, Location, Report, Rule, Severity};
use wardroom_report::Format;
use wardroom_source::Tree;

use crate::analysis::{self, Analysis};
use crate::args::{FailOn, ScanArgs};
use crate::cache::Cache;
use crate::clock::{self, Date};
use crate::failure::{CLEAN, FINDINGS, RUN, is_broken_pipe, usage};
use crate::ignores::inline::InlineIgnore;
use crate::ignores::{self, file};
use crate::input::{self, Input};
use crate::libraries;
use crate::libraries::advisories::{self, Advisories};
use crate::output::{self, Console};
use crate::progress::Progress;
use crate::rules;
use crate::scan::changed::Difference;
use crate::secrets::in_scan::Secrets;

/// The rule of the engine for code that sees what the engine for secrets sees.
const HARD_CODED: &str = "hard-coded-secret";
/// The rules of the engines for code and for libraries about what gets no more fixes.
const UNSUPPORTED: &str = "unsupported-framework";
const OUT_OF_SUPPORT: &str = "out-of-support";

/// One scan's result, before it is written.
pub struct Scanned {
    /// What is shown.
    pub report: Report,
    /// What was found, but for the findings.
    pub analysis: Analysis,
    /// Every finding, shown or not, with what ignores say of it.
    pub all: Vec<Finding>,
    /// The scanned folder.
    pub root: PathBuf,
    /// Only this file was asked for.
    only_file: Option<String>,
    /// There was nothing to read.
    empty: bool,
    /// The result is that of an earlier run.
    cached: bool,
}

/// Runs it; the exit code.
pub fn run(options: &ScanArgs) -> anyhow::Result<u8> {
    if let Some(rule) = &options.explain {
        return rules::explain(rule, options.color);
    }
    let wanted = Wanted::of(options)?;
    if let Some(path) = &options.output {
        output::check_writable(path)?;
    }
    start_threads(options.threads)?;
    let progress = Progress::start(options.quiet);
    let scanned = scan(options, &wanted, &progress)?;
    drop(progress);
    if !options.quiet {
        notices(&scanned, &options.path);
    }
    if options.stats {
        stats::tell(&scanned.report, scanned.cached);
    }
    if let Some(file) = &options.import_ignores {
        return import::run(file, &scanned, options.quiet);
    }
    if options.fix || options.apply {
        return fix::run(options, &wanted, scanned);
    }
    let code = verdict(&scanned, options.fail_on);
    if options.send.is_some() || options.into.is_some() {
        send::run(options, &scanned)?;
    }
    match deliver(&scanned.report, options) {
        Err(error) if error.chain().any(is_broken_pipe) => {}
        result => result?,
    }
    // Taking the report apart would only cost time.
    std::mem::forget(scanned);
    Ok(code)
}

/// Reads, analyses and applies the user's wishes.
pub fn scan(options: &ScanArgs, wanted: &Wanted, progress: &Progress) -> anyhow::Result<Scanned> {
    let started = clock::now();
    let today = Date::of(started);
    progress.phase("read");
    let Input { root, only_file, tree, knowledge } = input::read(&options.path, &options.knowledge)?;
    let file_ignores = file::read(&root)?;
    let policy = libraries::policy(&root)?;
    let libraries_tree = libraries::read(&root, only_file.as_deref())?;
    let cache = if options.no_cache { None } else { Cache::of_user() };
    let empty = tree.files.is_empty() && tree.problems.is_empty() && libraries_tree.files.is_empty();
    let old = match &options.changed_since {
        None => None,
        Some(reference) => {
            let difference = Difference::since(&root, reference)?;
            Some(Old {
                code: difference.old_tree(&root, &tree, &wardroom_rails::wanted)?,
                libraries: difference.old_tree(&root, &libraries_tree, &libraries::wanted)?,
                difference,
            })
        }
    };
    progress.phase("libraries");
    let mut advisories = Advisories::open(&options.advisories, today)?;
    let mut libraries = libraries::look(libraries_tree, &advisories, &policy, today)?;
    progress.phase("secrets");
    let secrets = Secrets::of(&root, only_file.as_deref(), options.threads)?;
    let (mut analysis, cached) =
        analysis::of(tree, &knowledge, &libraries.questions, cache.as_ref(), progress)?;
    if options.fix || options.apply {
        libraries::upgrade::mend(&mut libraries, &advisories, &options.registry, options.beyond_manifest)?;
    }
    libraries.answered(&analysis.answers, &analysis.endpoints);

    let mut all = std::mem::take(&mut analysis.findings);
    told_once(&mut all, &mut libraries.findings, &secrets.findings, wanted);
    all.extend(libraries.findings.iter().cloned());
    all.extend(secrets.findings.iter().cloned());
    analysis.problems.extend(secrets.problems.iter().cloned());
    analysis.problems.append(&mut advisories.problems);
    analysis.problems.extend(libraries.problems.iter().cloned());
    // The engine for secrets heeds the comments that are meant for it by itself.
    let for_secrets = |rule: &String| rule.starts_with("secret-");
    analysis.ignores.retain(|ignore| ignore.rules.is_empty() || !ignore.rules.iter().all(for_secrets));
    ignores::apply(&mut all, &analysis.ignores, &file_ignores, today, &mut analysis.problems);
    for finding in &mut all {
        if wanted.baseline.contains(&finding.fingerprint.0) {
            ignores::suppress(finding, "baseline", "in the baseline");
        }
    }
    sort(&mut all);
    let shown =
        |f: &&Finding| wanted.shows(f) && only_file.as_ref().is_none_or(|only| **only == *f.location.file);
    let mut findings: Vec<Finding> = all.iter().filter(shown).cloned().collect();
    if let Some(old) = old {
        let known = known(
            old,
            &root,
            &all,
            &secrets,
            &Before {
                libraries: &|tree| Ok(libraries::look(tree, &advisories, &policy, today)?.findings),
                code: &|tree| Ok(analysis::of(tree, &knowledge, &[], cache.as_ref(), progress)?.0),
                shows: &|findings: &mut Vec<Finding>, ignored: &[InlineIgnore]| {
                    ignores::apply(findings, ignored, &file_ignores, today, &mut Vec::new());
                    // What was hidden then and is shown now is new to who reads the report.
                    findings.retain(|f| wanted.shows(f) && f.suppression.is_none());
                },
            },
        )?;
        findings.retain(|f| !known.contains(&f.fingerprint.0));
    }

    let mut report = analysis.report(options.path.display().to_string(), started, progress.phases());
    report.rules.clone_from(&wanted.rules);
    report.findings = findings;
    report.stats.lockfiles = libraries.files.len() as u32;
    report.stats.packages = libraries.packages();
    report.feeds = advisories.feeds;
    Ok(Scanned { report, analysis, all, root, only_file, empty, cached })
}

/// What two engines see in one place is told once: of a secret by the engine that hides the value, of a
/// framework by the one that knows what the application does with it.
fn told_once(code: &mut Vec<Finding>, libraries: &mut Vec<Finding>, secrets: &[Finding], wanted: &Wanted) {
    type Places = HashSet<(Arc<str>, u32)>;
    let line = |place: &Location| (Arc::clone(&place.file), place.start.line);
    let shown = secrets.iter().filter(|f| wanted.shows(f));
    let hidden: Places =
        shown.flat_map(|f| std::iter::once(&f.location).chain(&f.places)).map(line).collect();
    code.retain(|f| f.rule != HARD_CODED || !hidden.contains(&line(&f.location)));
    let frameworks = code.iter().filter(|f| f.rule == UNSUPPORTED && wanted.shows(f));
    let frameworks: Places = frameworks.map(|f| line(&f.location)).collect();
    libraries.retain(|f| f.rule != OUT_OF_SUPPORT || !frameworks.contains(&line(&f.location)));
}

/// What stood before a change; none where nothing of the kind has changed.
struct Old {
    code: Option<Tree>,
    libraries: Option<Tree>,
    difference: Difference,
}

/// How what stood before is looked at.
struct Before<'a> {
    libraries: &'a dyn Fn(Tree) -> anyhow::Result<Vec<Finding>>,
    code: &'a dyn Fn(Tree) -> anyhow::Result<Analysis>,
    shows: &'a dyn Fn(&mut Vec<Finding>, &[InlineIgnore]),
}

/// The fingerprints of what was there before a change.
fn known(
    old: Old,
    root: &Path,
    all: &[Finding],
    secrets: &Secrets,
    before: &Before<'_>,
) -> anyhow::Result<HashSet<String>> {
    let is_library = |f: &Finding| f.package.is_some() || f.advisory.is_some();
    let is_secret = |f: &Finding| secrets.findings.iter().any(|s| s.fingerprint == f.fingerprint);
    // Of what has not changed nothing can have been added.
    let mut known: HashSet<String> = HashSet::new();
    let mut keep = |holds: &dyn Fn(&Finding) -> bool| {
        known.extend(all.iter().filter(|f| holds(f)).map(|f| f.fingerprint.0.clone()));
    };
    let untouched = |f: &Finding| {
        let places = std::iter::once(&f.location).chain(&f.places);
        places.into_iter().any(|place| !old.difference.touches(&place.file))
    };
    keep(&|f| is_secret(f) && untouched(f));
    if old.libraries.is_none() {
        keep(&|f| is_library(f));
    }
    if old.code.is_none() {
        keep(&|f| !is_library(f) && !is_secret(f));
    }
    let mut then = secrets.in_texts(old.difference.old(root, &|_| wardroom_source::Wanted::Yes)?);
    let mut ignored = Vec::new();
    if let Some(tree) = old.libraries {
        then.extend((before.libraries)(tree)?);
    }
    if let Some(tree) = old.code {
        let analysis = (before.code)(tree)?;
        then.extend(analysis.findings);
        ignored = analysis.ignores;
    }
    (before.shows)(&mut then, &ignored);
    known.extend(then.into_iter().map(|f| f.fingerprint.0));
    Ok(known)
}

/// Which findings the user wants to hear of.
pub struct Wanted {
    /// Rules, by id.
    pub rules: Vec<&'static Rule>,
    min_confidence: Confidence,
    min_severity: Severity,
    /// Fingerprints of an earlier report.
    baseline: HashSet<String>,
}

impl Wanted {
    fn of(options: &ScanArgs) -> anyhow::Result<Wanted> {
        Ok(Wanted {
            rules: wanted_rules(options)?,
            // Somebody may have set aside what is now hardly worth a look: all of it can be matched.
            min_confidence: if options.import_ignores.is_some() {
                Confidence::Low
            } else {
                options.min_confidence
            },
            min_severity: options.severity,
            baseline: options.baseline.as_deref().map(read_baseline).transpose()?.unwrap_or_default(),
        })
    }

    fn shows(&self, finding: &Finding) -> bool {
        finding.confidence >= self.min_confidence
            && finding.severity >= self.min_severity
            && self.rules.binary_search_by(|r| r.id.cmp(&finding.rule)).is_ok()
    }
}

/// The rules that the user wants to hear of, by id.
fn wanted_rules(options: &ScanArgs) -> anyhow::Result<Vec<&'static Rule>> {
    let named = |list: &[String]| -> anyhow::Result<HashSet<&'static str>> {
        list.iter()
            .map(|id| id.trim())
            .filter(|id| !id.is_empty())
            .map(|id| Ok(rules::find(id)?.id))
            .collect()
    };
    let (only, skip) = (named(&options.only)?, named(&options.skip)?);
    let wanted = |r: &&Rule| (only.is_empty() || only.contains(r.id)) && !skip.contains(r.id);
    Ok(rules::all().into_iter().filter(wanted).collect())
}

/// The fingerprints of an earlier report.
pub fn read_baseline(path: &Path) -> anyhow::Result<HashSet<String>> {
    let wrong = |what: String| usage(format!("--baseline {}: {what}", path.display()));
    let text = fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let report: serde_json::Value =
        serde_json::from_slice(&text).map_err(|e| wrong(format!("it is no JSON: {e}")))?;
    let findings = report.get("findings").and_then(|f| f.as_array());
    let findings =
        findings.ok_or_else(|| wrong("it is no report of `wardroom scan --format json`".to_owned()))?;
    Ok(findings.iter().filter_map(|f| f.get("fingerprint")?.as_str().map(str::to_owned)).collect())
}

/// Starts the pool. Its threads recurse over trees, like the main one.
pub fn start_threads(threads: Option<u16>) -> anyhow::Result<()> {
    let pool =
        rayon::ThreadPoolBuilder::new().stack_size(64 << 20).num_threads(threads.map_or(0, usize::from));
    pool.build_global().context("the threads could not be started")
}

/// Worst first, then by place.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        (b.severity, b.confidence)
            .cmp(&(a.severity, a.confidence))
            .then_with(|| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)))
    });
}

/// What the user would otherwise have to guess from an empty report.
fn notices(scanned: &Scanned, path: &Path) {
    let report = &scanned.report;
    if report.stats.packages > 0
        && report.rule("vulnerable-library").is_some()
        && let Some(warning) = advisories::warning(&report.feeds)
    {
        Console::stderr(&format!("wardroom: {warning}"));
    }
    if scanned.empty {
        Console::stderr(&format!(
            "wardroom: {} holds neither Ruby nor a lockfile: only secrets were looked for",
            path.display()
        ));
    } else if !scanned.analysis.rails && scanned.analysis.ruby_files > 0 {
        Console::stderr(&format!(
            "wardroom: no Rails application in {} (neither the gem nor config/application.rb); its Ruby was scanned all the same",
            path.display()
        ));
    }
}

/// The exit code of a scan.
pub fn verdict(scanned: &Scanned, fail_on: FailOn) -> u8 {
    let counts = |f: &Finding| match fail_on {
        FailOn::Never => false,
        FailOn::From(severity, confidence) => f.severity >= severity && f.confidence >= confidence,
    };
    if scanned.report.active().any(counts) {
        FINDINGS
    } else if scanned.analysis.failed {
        // What was not looked for cannot be said to be absent.
        RUN
    } else {
        CLEAN
    }
}

fn deliver(report: &Report, options: &ScanArgs) -> anyhow::Result<()> {
    let style = Console::style(options.color, options.short, options.output.is_some());
    match &options.output {
        Some(path) => {
            let mut text = Vec::new();
            wardroom_report::write(options.format, report, &style, &mut text)?;
            output::write_whole(path, &text)?;
            if !options.quiet && options.format != Format::Text {
                let active = report.active().count();
                let s = if active == 1 { "" } else { "s" };
                Console::stderr(&format!(
                    "wardroom: {active} finding{s}; the report is in {}",
                    path.display()
                ));
            }
            Ok(())
        }
        None if options.quiet => Ok(()),
        None => Console::stdout(|out| Ok(wardroom_report::write(options.format, report, &style, out)?)),
    }
}
