//! `wardroom scan`.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::Context;
use wardroom_model::{Finding, Report, Rule};
use wardroom_report::Format;

use crate::analysis::{self, Analysis};
use crate::args::{FailOn, ScanArgs};
use crate::cache::Cache;
use crate::clock::{self, Date};
use crate::failure::{CLEAN, FINDINGS, RUN, is_broken_pipe, usage};
use crate::ignores::{self, file};
use crate::input::{self, Input};
use crate::output::{self, Console};
use crate::progress::Progress;
use crate::rules;

/// Runs it; the exit code.
pub fn run(options: &ScanArgs) -> anyhow::Result<u8> {
    if let Some(rule) = &options.explain {
        return rules::explain(rule, options.color);
    }
    let wanted = wanted_rules(options)?;
    if let Some(path) = &options.output {
        output::check_writable(path)?;
    }
    let baseline = options.baseline.as_deref().map(read_baseline).transpose()?;
    start_threads(options.threads)?;

    let started = clock::now();
    let progress = Progress::start(options.quiet);
    progress.phase("read");
    let input = input::read(&options.path, &options.knowledge)?;
    let file_ignores = file::read(&input.root)?;
    let cache = if options.no_cache { None } else { Cache::of_user() };
    let Input { root: _, only_file, tree, knowledge } = input;
    let empty = tree.files.is_empty() && tree.problems.is_empty();
    let mut analysis = analysis::of(tree, &knowledge, cache.as_ref(), &progress)?;

    let mut findings = std::mem::take(&mut analysis.findings);
    ignores::apply(&mut findings, &analysis.ignores, &file_ignores, Date::of(started), &mut analysis.problems);
    for finding in &mut findings {
        if baseline.as_ref().is_some_and(|b| b.contains(&finding.fingerprint.0)) {
            ignores::suppress(finding, "baseline", "in the baseline");
        }
    }
    findings.retain(|f| {
        wanted.iter().any(|r| r.id == f.rule)
            && f.confidence >= options.min_confidence
            && f.severity >= options.severity
            && only_file.as_ref().is_none_or(|only| **only == *f.location.file)
    });
    sort(&mut findings);

    let mut report = analysis.report(options.path.display().to_string(), started, progress.phases());
    report.rules = wanted;
    report.findings = findings;
    drop(progress);
    if !options.quiet {
        notices(&analysis, empty, &options.path);
    }
    let code = verdict(&report, &analysis, options.fail_on);
    match deliver(&report, options) {
        Err(error) if error.chain().any(is_broken_pipe) => {}
        result => result?,
    }
    // Taking the report apart would only cost time.
    std::mem::forget((report, analysis));
    Ok(code)
}

/// The rules that the user wants to hear of, by id.
fn wanted_rules(options: &ScanArgs) -> anyhow::Result<Vec<&'static Rule>> {
    let named = |list: &[String]| -> anyhow::Result<HashSet<&'static str>> {
        list.iter().map(|id| id.trim()).filter(|id| !id.is_empty()).map(|id| Ok(rules::find(id)?.id)).collect()
    };
    let (only, skip) = (named(&options.only)?, named(&options.skip)?);
    let wanted = |r: &&Rule| (only.is_empty() || only.contains(r.id)) && !skip.contains(r.id);
    Ok(rules::all().into_iter().filter(wanted).collect())
}

/// The fingerprints of an earlier report.
fn read_baseline(path: &Path) -> anyhow::Result<HashSet<String>> {
    let wrong = |what: String| usage(format!("--baseline {}: {what}", path.display()));
    let text = fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let report: serde_json::Value = serde_json::from_slice(&text).map_err(|e| wrong(format!("it is no JSON: {e}")))?;
    let findings = report.get("findings").and_then(|f| f.as_array());
    let findings = findings.ok_or_else(|| wrong("it is no report of `wardroom scan --format json`".to_owned()))?;
    Ok(findings.iter().filter_map(|f| f.get("fingerprint")?.as_str().map(str::to_owned)).collect())
}

/// Starts the pool. Its threads recurse over trees, like the main one.
pub fn start_threads(threads: Option<u16>) -> anyhow::Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(64 << 20).num_threads(threads.map_or(0, usize::from));
    pool.build_global().context("the threads could not be started")
}

/// Worst first, then by place.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        (b.severity, b.confidence).cmp(&(a.severity, a.confidence)).then_with(|| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)))
    });
}

/// What the user would otherwise have to guess from an empty report.
fn notices(analysis: &Analysis, empty: bool, path: &Path) {
    if empty {
        Console::stderr(&format!("wardroom: {} holds no Ruby, so there is nothing to scan", path.display()));
    } else if !analysis.rails {
        Console::stderr(&format!("wardroom: no Rails application in {} (neither the gem nor config/application.rb); its Ruby was scanned all the same", path.display()));
    }
}

fn verdict(report: &Report, analysis: &Analysis, fail_on: FailOn) -> u8 {
    let counts = |f: &Finding| match fail_on {
        FailOn::Never => false,
        FailOn::From(severity, confidence) => f.severity >= severity && f.confidence >= confidence,
    };
    if report.active().any(counts) {
        FINDINGS
    } else if analysis.failed {
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
                Console::stderr(&format!("wardroom: {active} finding{s}; the report is in {}", path.display()));
            }
            Ok(())
        }
        None if options.quiet => Ok(()),
        None => Console::stdout(|out| Ok(wardroom_report::write(options.format, report, &style, out)?)),
    }
}
