//! Which versions to change so that published weaknesses go, as few and as small steps as can be, without
//! touching what the manifest asks for; and the text of the lockfile with those changes.
//!
//! With a registry's lists, a resolver answers for everything that has to move along. Without, only what
//! advisories and the lockfile say is known, and the plan says so.

mod cargo_lock;
mod gemfile_lock;
mod known;
mod npm_lock;
mod registry;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::Ecosystem;
use crate::index::IndexError;
use crate::lockfile::Inventory;
use crate::matching::Matcher;
use crate::version::Step;

pub use cargo_lock::{CargoError, plan_cargo_lock};
pub use gemfile_lock::{EditError, edit_gemfile_lock};
pub use npm_lock::{NpmError, plan_npm_lock};
pub use registry::{
    Nothing, Registry, RegistryError, Release, read_cargo_index, read_compact_index, read_packument,
};

/// What to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The changes: patch steps first, then by name.
    pub changes: Vec<Change>,
    /// Weaknesses that stay, and why.
    pub blocked: Vec<Blocked>,
    /// A resolver has looked at everything that moves along; else only advisories and the lockfile were asked.
    pub resolved: bool,
}

/// One package in another version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The package.
    pub name: String,
    /// The locked version; empty for a package that is new.
    pub from: String,
    /// The version to take; empty for a package that nothing asks for any more.
    pub to: String,
    /// How big the step is.
    pub step: Step,
    /// The weaknesses that go with it; empty where it only moves along with another change.
    pub clears: Vec<String>,
}

/// Weaknesses of one package that a plan cannot clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The package.
    pub name: String,
    /// Its locked version.
    pub version: String,
    /// The weaknesses.
    pub weaknesses: Vec<String>,
    /// What is in the way, in one sentence.
    pub reason: String,
}

impl Plan {
    /// The changes by how much work they are likely to be.
    pub fn by_effort(&self) -> BTreeMap<Step, Vec<&Change>> {
        let mut groups: BTreeMap<Step, Vec<&Change>> = BTreeMap::new();
        for change in &self.changes {
            groups.entry(change.step).or_default().push(change);
        }
        groups
    }

    /// How many weaknesses go.
    pub fn cleared(&self) -> usize {
        self.changes.iter().map(|change| change.clears.len()).sum()
    }

    fn sort(&mut self) {
        self.changes.sort_by(|a, b| (a.step, &a.name).cmp(&(b.step, &b.name)));
        self.blocked.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// Plans the changes of one lockfile. `runtime` is the version of the language that the project runs on, empty
/// where it is not known. A resolver is there for RubyGems; of other ecosystems what is known is said.
pub fn plan(
    inventory: &Inventory,
    matcher: &Matcher<'_>,
    registry: &dyn Registry,
    runtime: &str,
) -> Result<Plan, IndexError> {
    let vulnerable = matcher.matches(inventory)?;
    let mut plan = Plan::default();
    let gems = vulnerable.iter().any(|m| inventory.packages[m.package].ecosystem == Ecosystem::RubyGems);
    if gems && let Some(resolved) = resolve::plan(inventory, matcher, registry, runtime)? {
        plan = resolved;
    } else if !vulnerable.is_empty() {
        plan = known::plan(inventory, matcher)?;
    }
    plan.sort();
    Ok(plan)
}
