//! What a scan reads: the tree, and the knowledge that the user adds to the built-in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use wardroom_source::{Source, Tree};

use crate::failure::usage;
use crate::libraries::reach::Question;

/// Folder, under the root, with the programme's own sources, sinks, sanitizers and ignores.
pub const SCANS: &str = "program/scans";
/// The ignores of that folder, which are no knowledge.
pub const SCANS_IGNORES: &str = "program/scans/ignores.toml";
/// The programme's policy on libraries, which is no knowledge either.
pub const SCANS_LIBRARIES: &str = "program/scans/libraries.toml";
/// What stands at the root of an application, and hardly anywhere else.
const ROOT_SIGNS: [&str; 3] = ["config/application.rb", "config/environment.rb", "Gemfile"];

/// A knowledge file.
#[derive(Clone, Debug)]
pub struct KnowledgeFile {
    /// As messages name it.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What one scan reads.
#[derive(Debug)]
pub struct Input {
    /// The scanned folder.
    pub root: PathBuf,
    /// Set where the user named one file: its path under the root.
    pub only_file: Option<String>,
    /// The files.
    pub tree: Tree,
    /// The user's knowledge.
    pub knowledge: Vec<KnowledgeFile>,
}

/// Where the application of a path begins, and the one file that was meant.
pub fn root_of(path: &Path) -> anyhow::Result<(PathBuf, Option<String>)> {
    let meta = fs::metadata(path).with_context(|| format!("{} cannot be scanned", path.display()))?;
    if meta.is_dir() {
        return Ok((path.to_owned(), None));
    }
    let full = fs::canonicalize(path).with_context(|| format!("{} cannot be scanned", path.display()))?;
    let folders = || full.ancestors().skip(1);
    let root =
        folders().find(|f| ROOT_SIGNS.iter().any(|sign| f.join(sign).exists())).or_else(|| folders().next());
    let root = root.unwrap_or(Path::new("/")).to_owned();
    let relative = full.strip_prefix(&root).unwrap_or(&full).to_string_lossy().replace('\\', "/");
    Ok((root, Some(relative)))
}

/// Reads everything.
pub fn read(path: &Path, extra: &[PathBuf]) -> anyhow::Result<Input> {
    let (root, only_file) = root_of(path)?;
    let tree = match &only_file {
        Some(file) if !ROOT_SIGNS.iter().any(|sign| root.join(sign).exists()) => alone(path, file)?,
        _ => wardroom_source::read_tree(&root, &wardroom_rails::wanted)?,
    };
    let knowledge = read_knowledge(&root, extra)?;
    Ok(Input { root, only_file, tree, knowledge })
}

/// A file that belongs to no application.
fn alone(path: &Path, name: &str) -> anyhow::Result<Tree> {
    if wardroom_rails::role(name).is_none() {
        return Err(usage(format!(
            "{} is neither Ruby nor part of an application; give a folder, a Ruby file, or a template inside an application",
            path.display()
        )));
    }
    Ok(wardroom_source::read_tree(path, &wardroom_rails::wanted)?)
}

fn read_knowledge(root: &Path, extra: &[PathBuf]) -> anyhow::Result<Vec<KnowledgeFile>> {
    let mut found = Vec::new();
    if let Ok(entries) = fs::read_dir(root.join(SCANS)) {
        let mut names: Vec<String> =
            entries.flatten().map(|e| format!("{SCANS}/{}", e.file_name().to_string_lossy())).collect();
        names.retain(|n| n.ends_with(".toml") && n != SCANS_IGNORES && n != SCANS_LIBRARIES);
        names.sort();
        for name in names {
            let text =
                fs::read_to_string(root.join(&name)).with_context(|| format!("{name} could not be read"))?;
            found.push(KnowledgeFile { name, text });
        }
    }
    for path in extra {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|e| usage(format!("--knowledge {name}: {e}")))?;
        found.push(KnowledgeFile { name, text });
    }
    Ok(found)
}

/// The names and contents of files as one digest, with everything else that a result depends on.
pub fn digest(tree: &Tree, knowledge: &[KnowledgeFile], questions: &[Question]) -> blake3::Hash {
    use rayon::prelude::*;
    let one = |file: &Source| *blake3::hash(&file.text).as_bytes();
    let contents: Vec<[u8; 32]> = tree.files.par_iter().with_min_len(16).map(one).collect();
    let mut whole = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        whole.update(&(bytes.len() as u64).to_le_bytes());
        whole.update(bytes);
    };
    part(program().as_bytes());
    for file in knowledge {
        part(file.name.as_bytes());
        part(file.text.as_bytes());
    }
    part(b"");
    for question in questions {
        part(question.gem.as_bytes());
        question.functions.iter().for_each(|f| part(f.as_bytes()));
    }
    part(b"");
    for (file, content) in tree.files.iter().zip(&contents) {
        part(file.path.as_bytes());
        part(content);
    }
    part(b"");
    for problem in &tree.problems {
        part(problem.to_string().as_bytes());
    }
    part(&tree.skipped.to_le_bytes());
    whole.finalize()
}

/// This very program: its version, and what tells one build of a version from another.
fn program() -> String {
    let built = std::env::current_exe().and_then(fs::metadata).map(|m| (m.len(), m.modified().ok()));
    format!("wardroom {} {built:?}", env!("CARGO_PKG_VERSION"))
}
