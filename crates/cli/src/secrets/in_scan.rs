//! Secrets as a part of `wardroom scan`.

use std::fs;
use std::path::Path;

use anyhow::Context;
use wardroom_model::{Finding, Problem};
use wardroom_secrets::{Hit, Scanner};
use wardroom_source::Source;

use super::{Looked, Project, tree};

/// What a folder holds of secrets, and what is needed to look at other texts in the same way.
pub struct Secrets {
    /// The findings.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    scanner: Scanner,
    salt: Vec<u8>,
}

impl Secrets {
    /// Looks at a folder, or at one file under it.
    pub fn of(root: &Path, only_file: Option<&str>, threads: Option<u16>) -> anyhow::Result<Secrets> {
        let project = Project::read(root, None, None)?;
        let scanner = Scanner::new(project.allow()?);
        let looked = match only_file {
            None => tree(root, &scanner, true, threads)?,
            Some(name) => {
                let path = root.join(name);
                let text =
                    fs::read(&path).with_context(|| format!("{} could not be read", path.display()))?;
                let mut looked = Looked::default();
                looked.add(scanner.scan(name, &text));
                looked
            }
        };
        let findings = wardroom_secrets::findings(looked.hits, &project.salt);
        Ok(Secrets { findings, problems: looked.problems, scanner, salt: project.salt })
    }

    /// What texts hold, by the same rules and under the same names.
    pub fn in_texts(&self, texts: Vec<Source>) -> Vec<Finding> {
        let hits: Vec<Hit> =
            texts.iter().flat_map(|text| self.scanner.scan(&text.path, &text.text).hits).collect();
        wardroom_secrets::findings(hits, &self.salt)
    }
}
