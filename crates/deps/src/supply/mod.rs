//! The supply chain: how packages get into the project, whoever wrote them.
//!
//! One check, one file. A check looks at what the lockfiles, manifests and pipelines of one project say
//! and reports what lets somebody else decide what is built.

mod ci_unpinned;
mod dependency_confusion;
mod image_unpinned;
mod insecure_source_url;
mod install_script;
mod licence_denied;
mod lockfile_disagrees;
mod lockfile_without_checksums;
mod policy;
mod popular;
pub(crate) mod report;
mod typosquat;
mod unpinned_git_source;

use std::sync::Arc;

use wardroom_model::{Finding, Rule};

use crate::lockfile::{Format, Inventory};

pub use policy::{Internal, Policy, PolicyError};
use report::Reporter;

/// One file that was read.
#[derive(Clone, Copy)]
pub struct File<'a> {
    /// Its path, relative to the scanned root, with `/` between folders.
    pub path: &'a Arc<str>,
    /// Its bytes.
    pub text: &'a [u8],
    /// Its format.
    pub format: &'static Format,
    /// What it says.
    pub inventory: &'a Inventory,
}

impl File<'_> {
    /// The folder that it is in, with `/` at the end; empty for the root.
    fn folder(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(self.path);
        &self.path[..self.path.len() - name.len()]
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }
}

/// Every rule of this module, by id.
pub fn rules() -> Vec<&'static Rule> {
    let mut rules = vec![
        ci_unpinned::rule(),
        dependency_confusion::rule(),
        image_unpinned::rule(),
        insecure_source_url::rule(),
        install_script::rule(),
        licence_denied::rule(),
        lockfile_disagrees::rule(),
        lockfile_without_checksums::rule(),
        typosquat::rule(),
        unpinned_git_source::rule(),
    ];
    rules.sort_by_key(|r| r.id);
    rules
}

/// Looks at all files of a project together. The findings are in the order of the rules, then of the files.
pub fn findings(files: &[File<'_>], policy: &Policy) -> Vec<Finding> {
    let mut reporter = Reporter::default();
    ci_unpinned::run(files, &mut reporter);
    dependency_confusion::run(files, policy, &mut reporter);
    image_unpinned::run(files, &mut reporter);
    insecure_source_url::run(files, &mut reporter);
    install_script::run(files, &mut reporter);
    licence_denied::run(files, policy, &mut reporter);
    lockfile_disagrees::run(files, &mut reporter);
    lockfile_without_checksums::run(files, &mut reporter);
    typosquat::run(files, &mut reporter);
    unpinned_git_source::run(files, &mut reporter);
    reporter.findings()
}
