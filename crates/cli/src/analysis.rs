//! From files to everything that was found in them, before anybody's wishes are applied: all rules,
//! all confidences. This is what the cache keeps.

use std::any::Any;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wardroom_flow::Knowledge;
use wardroom_model::{Endpoint, Finding, Problem, Report};
use wardroom_rails::{App, File, Role};
use wardroom_source::Tree;

use crate::cache::Cache;
use crate::failure::usage;
use crate::ignores::inline::{self, InlineIgnore};
use crate::input::{KnowledgeFile, digest};
use crate::libraries::reach::{self, Answer, Question};
use crate::progress::Progress;

/// Everything that was found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Analysis {
    /// Findings of every rule and confidence, worst first.
    pub findings: Vec<Finding>,
    /// What could not be read or done.
    pub problems: Vec<Problem>,
    /// Ways into the application.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Ignores in comments.
    pub ignores: Vec<InlineIgnore>,
    /// A check did not end: the result is not whole.
    pub failed: bool,
    /// Ruby files.
    pub ruby_files: u32,
    /// Templates.
    pub templates: u32,
    /// Lines in both.
    pub lines: u64,
    /// Files left out on purpose.
    pub skipped_files: u32,
    /// It is a Rails application.
    pub rails: bool,
    /// What was asked of the application about its libraries.
    pub answers: Vec<Answer>,
}

impl Analysis {
    /// The report's frame, without findings and rules.
    pub fn report(&self, root: String, started: i64, phases: Vec<(String, f64)>) -> Report {
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            root,
            started: Some(started),
            findings: Vec::new(),
            rules: Vec::new(),
            problems: self.problems.clone(),
            endpoints: self.endpoints.clone(),
            feeds: Vec::new(),
            stats: wardroom_model::Stats {
                ruby_files: self.ruby_files,
                templates: self.templates,
                lines: self.lines,
                skipped_files: self.skipped_files,
                endpoints: self.endpoints.len() as u32,
                phases,
                ..wardroom_model::Stats::default()
            },
        }
    }
}

/// Analyses a tree, or takes the result of an earlier run over the same bytes; whether it did.
pub fn of(
    tree: Tree,
    knowledge: &[KnowledgeFile],
    questions: &[Question],
    cache: Option<&Cache>,
    progress: &Progress,
) -> anyhow::Result<(Analysis, bool)> {
    if cache.is_some() {
        progress.phase("look up");
    }
    let key = cache.map(|c| (c, digest(&tree, knowledge, questions)));
    if let Some((cache, key)) = &key
        && let Some(known) = cache.load(key)
    {
        return Ok((known, true));
    }
    let fresh = run(tree, knowledge, questions, progress)?;
    if let Some((cache, key)) = &key
        && !fresh.failed
    {
        progress.phase("keep");
        cache.store(key, &fresh);
    }
    Ok((fresh, false))
}

/// The built-in knowledge with the user's.
pub fn knowledge(files: &[KnowledgeFile]) -> anyhow::Result<Knowledge> {
    let mut knowledge = Knowledge::built_in()?;
    for file in files {
        knowledge.add(&file.name, &file.text).map_err(|e| usage(e.to_string()))?;
    }
    Ok(knowledge)
}

fn run(
    tree: Tree,
    knowledge_files: &[KnowledgeFile],
    questions: &[Question],
    progress: &Progress,
) -> anyhow::Result<Analysis> {
    let knowledge = knowledge(knowledge_files)?;
    progress.phase("parse");
    let skipped_files = tree.skipped;
    let mut problems = tree.problems;
    let loaded = wardroom_rails::load(tree.files);
    progress.phase("model");
    let app = App::build(&loaded.files);
    progress.phase("follow data");
    let flows = wardroom_flow::analyse(&app, &knowledge);
    progress.phase("check");
    let outcome = wardroom_sast::run(&app, &flows, &|_| true);
    let count = |wanted: &dyn Fn(&File) -> bool| app.files.iter().filter(|f| wanted(f)).count() as u32;
    let ruby = |f: &File| matches!(f.role, Role::Ruby | Role::Migration);
    let mut analysis = Analysis {
        findings: outcome.findings,
        endpoints: app.endpoints.clone(),
        ignores: inline::find(app.files),
        failed: !outcome.failures.is_empty(),
        ruby_files: count(&ruby),
        templates: count(&File::is_template),
        lines: app.files.iter().filter(|f| ruby(f) || f.is_template()).map(|f| lines(&f.text)).sum(),
        skipped_files,
        rails: is_rails(&app),
        answers: reach::answer(&app, questions),
        ..Analysis::default()
    };
    problems.extend(loaded.problems.iter().cloned());
    problems.sort();
    problems.extend(outcome.failures.iter().map(|(rule, said)| Problem {
        file: format!("rule {rule}").into(),
        line: None,
        message: format!("the check failed, so its findings are missing ({said})"),
        unread: false,
    }));
    analysis.problems = problems;
    // The process ends soon; taking millions of small objects apart would only cost time.
    std::mem::forget((app, flows));
    std::mem::forget(loaded);
    Ok(analysis)
}

/// Only the ways into an application: no data is followed, no check runs.
pub fn endpoints(tree: Tree, progress: &Progress) -> Analysis {
    progress.phase("parse");
    let loaded = wardroom_rails::load(tree.files);
    progress.phase("model");
    let app = App::build(&loaded.files);
    let mut problems = tree.problems;
    problems.extend(loaded.problems.iter().cloned());
    Analysis { problems, endpoints: app.endpoints.clone(), rails: is_rails(&app), ..Analysis::default() }
}

fn lines(text: &[u8]) -> u64 {
    let newlines = memchr::memchr_iter(b'\n', text).count() as u64;
    newlines + u64::from(!text.is_empty() && !text.ends_with(b"\n"))
}

fn is_rails(app: &App<'_>) -> bool {
    let sign = |path: &str| {
        ["config/application.rb", "config/environment.rb", "config/routes.rb"]
            .iter()
            .any(|s| path == *s || path.ends_with(&format!("/{s}")))
    };
    app.gems.rails_version().is_some() || app.files.iter().any(|f| sign(&f.path))
}

/// What a panic said.
pub fn said(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it gave no reason").to_owned()
}
