//! What a scan says of libraries: the files that name some, compared with what is published.

pub mod advisories;
pub mod bill;
pub mod reach;
pub mod registry;
pub mod upgrade;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use wardroom_deps::Ecosystem;
use wardroom_deps::lockfile::{self, Inventory};
use wardroom_deps::matching::{self, Matcher};
use wardroom_deps::sbom;
use wardroom_deps::supply::{self, Policy};
use wardroom_deps::support::{self, Table};
use wardroom_model::{Endpoint, Finding, Problem};
use wardroom_source::{Source, Tree, Wanted};

use self::advisories::Advisories;
use self::reach::{Answer, Question};
use crate::clock::Date;
use crate::failure::usage;
use crate::input::SCANS_LIBRARIES;

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
    if lockfile::format_of(path).is_none() && !sbom::matches(path) {
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

/// Reads the files.
pub fn inventories(tree: Tree) -> Libraries {
    let names: HashSet<Arc<str>> = tree.files.iter().map(|file| Arc::clone(&file.path)).collect();
    let read = |file: Source| {
        let inventory = match lockfile::format_of(&file.path) {
            Some(format) => (format.read)(&file.path, &file.text),
            None => sbom::read(&file.path, &file.text),
        };
        (file, inventory)
    };
    // What another file beside it says better is not read a second time.
    let shadowed = |file: &Source| lockfile::shadows(&file.path, |other| names.contains(other));
    let files: Vec<Source> = tree.files.into_iter().filter(|file| !shadowed(file)).collect();
    let files: Vec<(Source, Inventory)> = files.into_par_iter().map(read).collect();
    let files = settled(files);
    let mut problems = tree.problems;
    problems.extend(files.iter().flat_map(|(_, inventory)| inventory.problems.iter().cloned()));
    Libraries { files, problems, ..Libraries::default() }
}

/// What a lockfile itself does not say, the manifests beside it do: what is asked for, and by which groups.
fn settled(files: Vec<(Source, Inventory)>) -> Vec<(Source, Inventory)> {
    let place = |file: &Source| {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        lockfile::format_of(&file.path).map(|format| (folder, format.ecosystem, format.locks))
    };
    let mut manifests: HashMap<(String, Ecosystem), Vec<Inventory>> = HashMap::new();
    for (file, inventory) in &files {
        if let Some((folder, ecosystem, false)) = place(file) {
            manifests.entry((folder, ecosystem)).or_default().push(inventory.clone());
        }
    }
    let settle = |(file, mut inventory): (Source, Inventory)| {
        if let Some((folder, ecosystem, true)) = place(&file)
            && let Some(beside) = manifests.get(&(folder, ecosystem))
        {
            lockfile::settle(&mut inventory, &beside.iter().collect::<Vec<_>>());
        }
        (file, inventory)
    };
    files.into_iter().map(settle).collect()
}

/// The programme's policy on libraries: an empty one where the application has none.
pub fn policy(root: &Path) -> anyhow::Result<Policy> {
    match fs::read(root.join(SCANS_LIBRARIES)) {
        Ok(bytes) => Policy::read(SCANS_LIBRARIES, &bytes).map_err(|e| usage(e.to_string())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Policy::default())
        }
        Err(error) => Err(usage(format!("{SCANS_LIBRARIES} could not be read: {error}"))),
    }
}

/// Reads the files, compares what they lock with what is published, and looks at where it comes from and
/// whether it is still looked after.
pub fn look(tree: Tree, advisories: &Advisories, policy: &Policy, today: Date) -> anyhow::Result<Libraries> {
    let mut libraries = inventories(tree);
    let Libraries { files, findings, .. } = &mut libraries;
    if let Some(index) = &advisories.index {
        let matcher = Matcher::new(index);
        for (file, inventory) in &*files {
            let path: &Arc<str> = &file.path;
            findings.extend(matching::findings(path, &file.text, inventory, &matcher)?);
            findings.extend(matching::runtime_findings(path, &file.text, inventory, &matcher)?);
        }
        once_a_folder(findings);
    }
    let named: Vec<supply::File<'_>> = files
        .iter()
        .filter_map(|(file, inventory)| {
            let format = lockfile::format_of(&file.path)?;
            Some(supply::File { path: &file.path, text: &file.text, format, inventory })
        })
        .collect();
    findings.extend(supply::findings(&named, policy));
    // What a feed says of a product comes before what is built in.
    let newer = advisories.index.as_ref().map(|index| Table::built_in().with(index.cycles()));
    let table = newer.as_ref().unwrap_or(Table::built_in());
    findings.extend(support::out_of_support(&named, table, today.into()));
    if let Some(index) = &advisories.index {
        libraries.ask(&Matcher::new(index))?;
    } else {
        libraries.asked = vec![None; libraries.findings.len()];
    }
    Ok(libraries)
}

/// Several files of one folder name the interpreter: its weakness is one finding with several places.
fn once_a_folder(findings: &mut Vec<Finding>) {
    let mut first: HashMap<(String, String), usize> = HashMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings.drain(..) {
        if let (None, Some(advisory)) = (&finding.package, &finding.advisory) {
            let folder = finding.location.file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let key = (folder.to_owned(), advisory.id.clone());
            if let Some(at) = first.get(&key) {
                kept[*at].places.push(finding.location);
                continue;
            }
            first.insert(key, kept.len());
        }
        kept.push(finding);
    }
    *findings = kept;
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
