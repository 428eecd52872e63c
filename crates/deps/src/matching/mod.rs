//! Which of the packages that a file names have a published weakness.
//!
//! One weakness has several names, and feeds tell of it under different ones: what is known about a package
//! is joined first, by CVE, then by any other name that two of them share.

mod findings;
mod paths;
mod rules;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use crate::advisory::Affected;
use crate::index::{Entry, Index, IndexError};
use crate::lockfile::Inventory;
use crate::version::Version;
use crate::{Ecosystem, Origin, Package};

pub use findings::{findings, runtime_findings};
pub use paths::Paths;
pub use rules::rules;

/// One weakness of one package, with all that feeds say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Weakness {
    /// The name that people know it by.
    pub id: String,
    /// Its other names, sorted.
    pub aliases: Vec<String>,
    /// What feeds say, the feed that is heard first at the front; at least one.
    pub entries: Vec<Entry>,
}

/// A package that has a weakness.
#[derive(Clone, Debug)]
pub struct Match {
    /// The package, by its place in [`Inventory::packages`].
    pub package: usize,
    /// What it has.
    pub weakness: Arc<Weakness>,
    /// A feed says that this version has it, another one that it does not.
    pub disputed: bool,
}

/// The weaknesses of one version of a package, each with whether feeds disagree about that version.
pub type Answer = Arc<[(Arc<Weakness>, bool)]>;
/// All weaknesses of one package, by its ecosystem and name.
type ByPackage = FxHashMap<(Ecosystem, String), Arc<[Arc<Weakness>]>>;
/// What has been asked: ecosystem, name and version.
type ByVersion = FxHashMap<(Ecosystem, String, String), Answer>;

/// The version that mends a weakness, by the weakness' place in memory, where [`ByPackage`] keeps it, and the
/// version that has it.
type Mended = FxHashMap<(usize, String), Option<String>>;

/// Answers for one index, and remembers what it has found out: lockfiles have many packages in common.
pub struct Matcher<'i> {
    index: &'i Index,
    weaknesses: Mutex<ByPackage>,
    known: Mutex<ByVersion>,
    mended: Mutex<Mended>,
}

impl<'i> Matcher<'i> {
    /// A matcher that knows nothing yet.
    pub fn new(index: &'i Index) -> Self {
        Matcher { index, weaknesses: Mutex::default(), known: Mutex::default(), mended: Mutex::default() }
    }

    /// The index that it asks.
    pub fn index(&self) -> &'i Index {
        self.index
    }

    /// All matches of a file's packages, in the file's order.
    pub fn matches(&self, inventory: &Inventory) -> Result<Vec<Match>, IndexError> {
        let mut found = Vec::new();
        for (number, package) in inventory.packages.iter().enumerate() {
            if !is_public(package) {
                continue;
            }
            for (weakness, disputed) in self.of(package.ecosystem, &package.name, &package.version)?.iter() {
                found.push(Match { package: number, weakness: weakness.clone(), disputed: *disputed });
            }
        }
        Ok(found)
    }

    /// The weaknesses of one version of a package, sorted by name, and whether feeds disagree. A version that
    /// its ecosystem does not understand has none: nothing can be said about it.
    pub fn of(&self, ecosystem: Ecosystem, name: &str, version: &str) -> Result<Answer, IndexError> {
        let key = (ecosystem, crate::normalised(ecosystem, name), version.to_owned());
        if let Ok(known) = self.known.lock()
            && let Some(answer) = known.get(&key)
        {
            return Ok(answer.clone());
        }
        let weaknesses = self.weaknesses(ecosystem, &key.1)?;
        let mut answer = Vec::new();
        if !weaknesses.is_empty()
            && let Some(parsed) = Version::parse(ecosystem, version)
        {
            for weakness in weaknesses.iter() {
                let says = |entry: &Entry| entry.advisory.affected.has(ecosystem, version, &parsed);
                if weakness.entries.iter().any(says) {
                    answer.push((weakness.clone(), !weakness.entries.iter().all(says)));
                }
            }
        }
        let answer: Arc<[_]> = answer.into();
        if let Ok(mut known) = self.known.lock() {
            known.insert(key, answer.clone());
        }
        Ok(answer)
    }

    /// As [`Weakness::mended_after`], for a weakness that this matcher gave; it is remembered.
    pub(crate) fn mended(
        &self,
        weakness: &Arc<Weakness>,
        ecosystem: Ecosystem,
        version: &str,
    ) -> Option<String> {
        let key = (Arc::as_ptr(weakness) as usize, version.to_owned());
        let Ok(mut mended) = self.mended.lock() else { return weakness.mended_after(ecosystem, version) };
        mended.entry(key).or_insert_with(|| weakness.mended_after(ecosystem, version)).clone()
    }

    /// All weaknesses that any version of a package has.
    pub fn weaknesses(&self, ecosystem: Ecosystem, name: &str) -> Result<Arc<[Arc<Weakness>]>, IndexError> {
        let key = (ecosystem, name.to_owned());
        if let Ok(weaknesses) = self.weaknesses.lock()
            && let Some(answer) = weaknesses.get(&key)
        {
            return Ok(answer.clone());
        }
        let answer: Arc<[_]> = join(&self.index.lookup(ecosystem, name)?).into_iter().map(Arc::new).collect();
        if let Ok(mut weaknesses) = self.weaknesses.lock() {
            weaknesses.insert(key, answer.clone());
        }
        Ok(answer)
    }
}

/// Whether feeds can be talking about this package. A gem in a folder or a repository keeps its public name
/// and number; elsewhere a folder of the project bears whatever name its author liked.
fn is_public(package: &Package) -> bool {
    !package.version.is_empty()
        && (package.ecosystem == Ecosystem::RubyGems || !matches!(package.origin, Origin::Path(_)))
}

fn names(entry: &Entry) -> impl Iterator<Item = &str> {
    std::iter::once(entry.advisory.id.as_str()).chain(entry.advisory.aliases.iter().map(String::as_str))
}

fn is_cve(name: &str) -> bool {
    name.starts_with("CVE-")
}

/// Joins what tells of the same weakness. Two CVEs are two weaknesses, whatever other name they share; an entry
/// that names several belongs to each of them.
fn join(entries: &[Entry]) -> Vec<Weakness> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut by_cve: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, entry) in entries.iter().enumerate() {
        for cve in names(entry).filter(|name| is_cve(name)) {
            let group = *by_cve.entry(cve).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if !groups[group].contains(&number) {
                groups[group].push(number);
            }
        }
    }
    let mut by_name: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (group, members) in groups.iter().enumerate() {
        for name in members.iter().flat_map(|member| names(&entries[*member])) {
            by_name.entry(name).or_default().push(group);
        }
    }
    for (number, entry) in entries.iter().enumerate().filter(|(_, entry)| !names(entry).any(is_cve)) {
        let mut homes: Vec<usize> =
            names(entry).filter_map(|name| by_name.get(name)).flatten().copied().collect();
        homes.sort_unstable();
        homes.dedup();
        if homes.is_empty() {
            homes.push(groups.len());
            groups.push(Vec::new());
        }
        for home in homes {
            groups[home].push(number);
            for name in names(entry) {
                by_name.entry(name).or_default().push(home);
            }
        }
    }
    let mut cve_of: FxHashMap<usize, &str> = FxHashMap::default();
    for (cve, group) in by_cve {
        cve_of.entry(group).or_insert(cve);
    }
    let mut joined: Vec<Weakness> = groups
        .into_iter()
        .enumerate()
        .map(|(group, mut members)| {
            members.sort_unstable();
            weakness(
                members.into_iter().map(|member| entries[member].clone()).collect(),
                cve_of.get(&group).copied(),
            )
        })
        .collect();
    joined.sort_by(|a, b| a.id.cmp(&b.id));
    joined
}

fn weakness(entries: Vec<Entry>, cve: Option<&str>) -> Weakness {
    // ruby-advisory-db names its files as people know them; of the others the CVE is what people know.
    let own = entries.iter().find(|entry| {
        matches!(entry.advisory.affected, Affected::Unless { .. }) && (cve.is_none() || !several_cves(entry))
    });
    let id =
        own.map(|entry| entry.advisory.id.as_str()).or(cve).unwrap_or(&entries[0].advisory.id).to_owned();
    // Other CVEs of an entry that names several are other weaknesses, not other names.
    let mut aliases: Vec<String> = entries
        .iter()
        .flat_map(names)
        .filter(|name| *name != id && (!is_cve(name) || cve == Some(name)))
        .map(str::to_owned)
        .collect();
    aliases.sort();
    aliases.dedup();
    Weakness { id, aliases, entries }
}

fn several_cves(entry: &Entry) -> bool {
    names(entry).filter(|name| is_cve(name)).nth(1).is_some()
}

impl Weakness {
    /// The smallest version above one that no feed says has it; releases come before what precedes a release.
    pub fn mended_after(&self, ecosystem: Ecosystem, version: &str) -> Option<String> {
        let current = Version::parse(ecosystem, version)?;
        let mut best: Option<(bool, Version, String)> = None;
        for text in self.entries.iter().flat_map(|entry| entry.advisory.affected.patched(ecosystem)) {
            let Some(candidate) = Version::parse(ecosystem, &text) else { continue };
            if candidate.order(&current) != Some(Ordering::Greater) || self.has(ecosystem, &text, &candidate)
            {
                continue;
            }
            let early = candidate.is_prerelease();
            let better = best.as_ref().is_none_or(|(other_early, other, _)| {
                (early, candidate.order(other).unwrap_or(Ordering::Equal)) < (*other_early, Ordering::Equal)
            });
            if better {
                best = Some((early, candidate, text));
            }
        }
        best.map(|(_, _, text)| text)
    }

    /// Whether any feed says that a version has it.
    pub fn has(&self, ecosystem: Ecosystem, text: &str, version: &Version) -> bool {
        self.entries.iter().any(|entry| entry.advisory.affected.has(ecosystem, text, version))
    }
}
