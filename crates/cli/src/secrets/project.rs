//! What a project says about its secrets: allow-lists, ignores, the salt.

use std::fs;
use std::path::{Path, PathBuf};

use wardroom_model::Finding;
use wardroom_secrets::Allow;

use crate::clock::{self, Date};
use crate::failure::usage;
use crate::ignores::file::FileIgnore;
use crate::ignores::{self, file};

/// The salt, under the root.
const SALT: &str = "program/scans/secrets.salt";

/// What stands beside the code.
pub struct Project {
    allow_file: Option<(String, String)>,
    ignored: String,
    ignores: Vec<FileIgnore>,
    /// What names of secrets are salted with.
    pub salt: Vec<u8>,
}

impl Project {
    /// Reads it from the folder, or the nearest one above it that has a `.git`.
    pub fn read(path: &Path, allow: Option<&Path>, salt: Option<&Path>) -> anyhow::Result<Project> {
        let root = root_of(path);
        let read = |file: &Path| fs::read_to_string(file);
        let allow_file = match allow {
            Some(file) => {
                let text = read(file).map_err(|e| usage(format!("--allow {}: {e}", file.display())))?;
                Some((file.display().to_string(), text))
            }
            None => read(&root.join(".gitleaks.toml")).ok().map(|text| (".gitleaks.toml".to_owned(), text)),
        };
        let salt = match salt {
            Some(file) => fs::read(file).map_err(|e| usage(format!("--salt {}: {e}", file.display())))?,
            None => std::env::var_os("WARDROOM_SALT")
                .map(|s| s.to_string_lossy().into_owned().into_bytes())
                .or_else(|| fs::read(root.join(SALT)).ok())
                .unwrap_or_default(),
        };
        Ok(Project {
            allow_file,
            ignored: read(&root.join(".gitleaksignore")).unwrap_or_default(),
            ignores: file::read(&root)?,
            salt,
        })
    }

    /// The allow-lists.
    pub fn allow(&self) -> anyhow::Result<Allow> {
        let mut allow = Allow::none();
        if let Some((name, text)) = &self.allow_file {
            allow.add_gitleaks(name, text).map_err(|e| usage(e.to_string()))?;
        }
        allow.add_ignored(&self.ignored);
        Ok(allow)
    }

    /// Marks what the project's ignore file covers.
    pub fn apply_ignores(&self, findings: &mut [Finding]) {
        let today = Date::of(clock::now());
        for finding in findings {
            let covering = |i: &&FileIgnore| i.covers(finding) && i.expires.is_none_or(|day| today <= day);
            if let Some(ignore) = self.ignores.iter().find(covering) {
                ignores::suppress(finding, "file", &ignore.reason);
            }
        }
    }
}

/// The folder that holds the project of a path.
fn root_of(path: &Path) -> PathBuf {
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let start = if full.is_file() { full.parent().map(Path::to_owned).unwrap_or_default() } else { full };
    start.ancestors().find(|f| f.join(".git").exists()).unwrap_or(&start).to_owned()
}
