//! `wardroom secrets`.

pub mod changes;
mod history;
pub mod in_scan;
mod project;
mod verify;

use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use wardroom_model::{Confidence, Finding, Problem, Report, Severity};
use wardroom_report::Format;
use wardroom_secrets::{Hit, Scanner};
use wardroom_source::{Stream, stream_tree};

use crate::args::{FailOn, SecretsArgs};
use crate::clock;
use crate::failure::{CLEAN, FINDINGS, is_broken_pipe, usage};
use crate::output::{self, Console};
use crate::progress::Progress;
use crate::scan;

pub use project::Project;

/// Largest file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// What was looked at, and found.
#[derive(Debug, Default)]
pub struct Looked {
    /// The secrets.
    pub hits: Vec<Hit>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Texts.
    pub texts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Binary files that were left out.
    pub binary: u64,
    /// Commits, where commits were read.
    pub commits: Option<u64>,
}

impl Looked {
    /// Takes in the result of one file.
    pub fn add(&mut self, scanned: wardroom_secrets::Scanned) {
        self.hits.extend(scanned.hits);
        self.problems.extend(scanned.problems);
        self.texts += u64::from(scanned.texts);
        self.bytes += scanned.bytes;
        self.binary += u64::from(scanned.binary);
    }
}

/// Runs it; the exit code.
pub fn run(options: &SecretsArgs) -> anyhow::Result<u8> {
    if let Some(path) = &options.output {
        output::check_writable(path)?;
    }
    let started = clock::now();
    let progress = Progress::start(options.quiet);
    progress.phase("prepare");
    let project = Project::read(&options.path, options.allow.as_deref(), options.salt.as_deref())?;
    let scanner = Scanner::new(project.allow()?);
    progress.phase("look for secrets");
    let (looked, times) = look(options, &scanner)?;
    let mut problems = looked.problems;
    let mut answers = verify::Answers::default();
    if options.verify {
        progress.phase("ask providers");
        answers = verify::Answers::ask(&looked.hits, &project.salt, options.verify_base.as_deref());
    }
    let mut findings = wardroom_secrets::findings(looked.hits, &project.salt);
    if let Some(times) = times {
        times.tell(&mut findings, &project.salt);
    }
    answers.tell(&mut findings);
    project.apply_ignores(&mut findings);
    if let Some(baseline) = &options.baseline {
        let known = scan::read_baseline(baseline)?;
        for finding in findings.iter_mut().filter(|f| known.contains(&f.fingerprint.0)) {
            crate::ignores::suppress(finding, "baseline", "in the baseline");
        }
    }
    findings.retain(|f| shown(f, options.min_confidence, options.severity));
    scan::sort(&mut findings);
    problems.sort();
    let phases = progress.phases();
    drop(progress);
    let report = Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        root: options.path.display().to_string(),
        started: Some(started),
        findings,
        rules: wardroom_secrets::rules().to_vec(),
        problems,
        endpoints: Vec::new(),
        feeds: Vec::new(),
        stats: wardroom_model::Stats { phases, ..Default::default() },
    };
    if !options.quiet {
        let commits = looked.commits.map(|n| format!(" of {n} commits")).unwrap_or_default();
        Console::stderr(&format!(
            "wardroom: {} texts{commits} with {:.1} MB looked at, {} binary files left out",
            looked.texts,
            looked.bytes as f64 / 1e6,
            looked.binary
        ));
        let tree = !options.stdin && looked.commits.is_none() && !options.staged;
        if tree && looked.texts == 0 && !options.no_ignore {
            Console::stderr(
                "wardroom: git ignores everything here, or there is nothing; --no-ignore reads it all the same",
            );
        }
        if options.verify {
            let (alive, dead, unknown) = answers.counts();
            Console::stderr(&format!(
                "wardroom: asked providers: {alive} alive, {dead} dead, {unknown} without an answer"
            ));
        }
    }
    match deliver(&report, options) {
        Err(error) if error.chain().any(is_broken_pipe) => {}
        result => result?,
    }
    Ok(verdict(&report, options.fail_on))
}

fn look(options: &SecretsArgs, scanner: &Scanner) -> anyhow::Result<(Looked, Option<history::Times>)> {
    scan::start_threads(options.threads)?;
    if options.history {
        let (looked, times) = history::look(&options.path, scanner, options.min_confidence)?;
        return Ok((looked, Some(times)));
    }
    if options.staged {
        return Ok((changes::look(&options.path, &changes::Which::Staged, scanner)?, None));
    }
    if let Some(range) = &options.range {
        let commits = wardroom_source::Commits::Range(range.clone());
        return Ok((changes::look(&options.path, &changes::Which::Of(commits), scanner)?, None));
    }
    if options.stdin {
        let mut text = Vec::new();
        std::io::stdin().lock().take(LARGEST).read_to_end(&mut text)?;
        let mut looked = Looked::default();
        looked.add(scanner.scan(&options.stdin_name, &text));
        return Ok((looked, None));
    }
    Ok((tree(&options.path, scanner, !options.no_ignore, options.threads)?, None))
}

/// Looks at the files of a folder.
pub fn tree(
    path: &Path,
    scanner: &Scanner,
    respect_ignores: bool,
    threads: Option<u16>,
) -> anyhow::Result<Looked> {
    let looked = Mutex::new(Looked::default());
    let how = Stream { respect_ignores, largest: LARGEST, threads: threads.map_or(0, usize::from) };
    let problems = stream_tree(path, how, &|name, bytes| {
        let scanned = scanner.scan(name, bytes);
        looked.lock().unwrap_or_else(PoisonError::into_inner).add(scanned);
    })
    .map_err(|e| usage(e.to_string()))?;
    let mut looked = looked.into_inner().unwrap_or_else(PoisonError::into_inner);
    looked.problems.extend(problems);
    Ok(looked)
}

fn shown(finding: &Finding, confidence: Confidence, severity: Severity) -> bool {
    finding.confidence >= confidence && finding.severity >= severity
}

fn verdict(report: &Report, fail_on: FailOn) -> u8 {
    let counts = |f: &Finding| match fail_on {
        FailOn::Never => false,
        FailOn::From(severity, confidence) => f.severity >= severity && f.confidence >= confidence,
    };
    if report.active().any(counts) { FINDINGS } else { CLEAN }
}

fn deliver(report: &Report, options: &SecretsArgs) -> anyhow::Result<()> {
    let style = Console::style(options.color, options.short, options.output.is_some());
    match &options.output {
        Some(path) => {
            let mut text = Vec::new();
            wardroom_report::write(options.format, report, &style, &mut text)?;
            output::write_whole(path, &text)?;
            if !options.quiet && options.format != Format::Text {
                Console::stderr(&format!(
                    "wardroom: {} findings; the report is in {}",
                    report.active().count(),
                    path.display()
                ));
            }
            Ok(())
        }
        None if options.quiet => Ok(()),
        None => Console::stdout(|out| Ok(wardroom_report::write(options.format, report, &style, out)?)),
    }
}
