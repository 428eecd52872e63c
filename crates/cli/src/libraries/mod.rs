//! What a scan says of libraries: the files that name some, compared with what is published.

pub mod advisories;
pub mod reach;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use wardroom_deps::Ecosystem;
use wardroom_deps::lockfile::{self, Inventory};
use wardroom_deps::matching::{self, Matcher};
use wardroom_model::{Endpoint, Finding, Problem};
use wardroom_source::{Source, Tree, Wanted};

use self::advisories::Advisories;
use self::reach::{Answer, Question};

/// Folders of others' code, and of tests: what their lockfiles name is not what the application runs on.
const FOREIGN: [&str; 10] = [
    "vendor",
    "node_modules",
    "tmp",
    "spec",
    "test",
    "tests",
    "fixtures",
    "__fixtures__",
    "testdata",
    "examples",
];

/// What was found.
#[derive(Debug, Default)]
pub struct Libraries {
    /// Findings, in the order of files.
    pub findings: Vec<Finding>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
    /// The files, each with what it says.
    pub files: Vec<(Source, Inventory)>,
    /// What to ask the application, each thing once.
    pub questions: Vec<Question>,
    /// For each finding the question that it is answered by.
    asked: Vec<Option<usize>>,
}

impl Libraries {
    /// Puts the answers to the questions on the findings.
    pub fn answered(&mut self, answers: &[Answer], endpoints: &[Arc<Endpoint>]) {
        for (finding, asked) in self.findings.iter_mut().zip(&self.asked) {
            if let Some(answer) = asked.and_then(|at| answers.get(at)) {
                answer.tell(finding, endpoints);
            }
        }
    }

    /// Only gems of the application's own lockfile are asked for: the model knows of no others.
    fn ask(&mut self, matcher: &Matcher<'_>) -> anyhow::Result<()> {
        let mut known: HashMap<Question, usize> = HashMap::new();
        for finding in &self.findings {
            let question = question(finding, matcher)?;
            let at = question.map(|question| {
                let next = known.len();
                *known.entry(question).or_insert(next)
            });
            self.asked.push(at);
        }
        let mut questions: Vec<(Question, usize)> = known.into_iter().collect();
        questions.sort_by_key(|(_, at)| *at);
        self.questions = questions.into_iter().map(|(question, _)| question).collect();
        Ok(())
    }

    /// How many libraries the files lock, each version once.
    pub fn packages(&self) -> u32 {
        let all = self.files.iter().flat_map(|(_, inventory)| &inventory.packages);
        all.map(|p| (p.ecosystem, &p.name, &p.version)).collect::<HashSet<_>>().len() as u32
    }
}

/// Whether a scan reads a file for the libraries that it names.
pub fn wanted(path: &str) -> Wanted {
    if lockfile::format_of(path).is_none() {
        return Wanted::No;
    }
    let foreign =
        path.rsplit_once('/').is_some_and(|(folders, _)| folders.split('/').any(|f| FOREIGN.contains(&f)));
    if foreign { Wanted::Skipped } else { Wanted::Yes }
}

/// The files under a folder that name libraries; nothing where one file of code was asked for.
pub fn read(root: &Path, only_file: Option<&str>) -> anyhow::Result<Tree> {
    let asked = |path: &str| match only_file {
        Some(only) if only != path => Wanted::No,
        _ => wanted(path),
    };
    Ok(wardroom_source::read_tree(root, &asked)?)
}

/// Reads the files, and compares what they lock with what is published.
pub fn look(tree: Tree, advisories: &Advisories) -> anyhow::Result<Libraries> {
    let read = |file: Source| {
        let inventory = lockfile::format_of(&file.path).map(|f| (f.read)(&file.path, &file.text));
        (file, inventory.unwrap_or_default())
    };
    let files: Vec<(Source, Inventory)> = tree.files.into_par_iter().map(read).collect();
    let mut libraries = Libraries { problems: tree.problems, ..Libraries::default() };
    libraries.problems.extend(files.iter().flat_map(|(_, inventory)| inventory.problems.iter().cloned()));
    if let Some(index) = &advisories.index {
        let matcher = Matcher::new(index);
        for (file, inventory) in &files {
            let path: &Arc<str> = &file.path;
            libraries.findings.extend(matching::findings(path, &file.text, inventory, &matcher)?);
            libraries.findings.extend(matching::runtime_findings(path, &file.text, inventory, &matcher)?);
        }
    }
    libraries.files = files;
    if let Some(index) = &advisories.index {
        libraries.ask(&Matcher::new(index))?;
    }
    Ok(libraries)
}

/// What a finding asks of the application; nothing where it is about no gem of the application itself.
fn question(finding: &Finding, matcher: &Matcher<'_>) -> anyhow::Result<Option<Question>> {
    let (Some(package), Some(advisory)) = (&finding.package, &finding.advisory) else { return Ok(None) };
    if !matches!(&*finding.location.file, "Gemfile.lock" | "gems.locked") {
        return Ok(None);
    }
    let weaknesses = matcher.weaknesses(Ecosystem::RubyGems, &package.name)?;
    let weakness = weaknesses.iter().find(|w| w.id == advisory.id);
    let mut functions: Vec<String> =
        weakness.iter().flat_map(|w| &w.entries).flat_map(|e| e.advisory.functions.iter().cloned()).collect();
    functions.sort();
    functions.dedup();
    Ok(Some(Question { gem: package.name.clone(), functions }))
}
