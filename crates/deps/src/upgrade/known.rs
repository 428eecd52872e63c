//! A plan without a registry: the first versions that advisories call mended, as far as the requirements in
//! the lockfile let them in. What those versions ask for themselves is not known.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Blocked, Change, Plan};
use crate::index::IndexError;
use crate::lockfile::Inventory;
use crate::matching::{Matcher, Weakness};
use crate::version::{Version, step, takes};
use crate::{Ecosystem, Package};

/// By ecosystem, name and version: the first entry of it, and what it has.
type Sick<'i> = BTreeMap<(Ecosystem, &'i str, &'i str), (usize, Vec<Arc<Weakness>>)>;

/// Plans one lockfile.
pub fn plan(inventory: &Inventory, matcher: &Matcher<'_>) -> Result<Plan, IndexError> {
    let mut packages = Sick::new();
    for matched in matcher.matches(inventory)? {
        let package = &inventory.packages[matched.package];
        let key = (package.ecosystem, package.name.as_str(), package.version.as_str());
        let (first, weaknesses) = packages.entry(key).or_insert_with(|| (matched.package, Vec::new()));
        // Builds of other platforms say the same again.
        if *first == matched.package {
            weaknesses.push(matched.weakness);
        }
    }
    let mut plan = Plan::default();
    for ((ecosystem, name, version), (package, weaknesses)) in packages {
        let package = &inventory.packages[package];
        let Some(current) = Version::parse(ecosystem, version) else { continue };
        let all = matcher.weaknesses(ecosystem, &crate::normalised(ecosystem, name))?;
        let mut best: Option<(usize, Version, String)> = None;
        let (mut nearest, mut any) = (None, false);
        for (candidate, text) in candidates(ecosystem, &current, &weaknesses) {
            any = true;
            let left = all.iter().filter(|weakness| weakness.has(ecosystem, &text, &candidate)).count();
            if let Some(who) = in_the_way(inventory, package, &candidate) {
                nearest.get_or_insert((text, who));
                continue;
            }
            // Fewest weaknesses left, then the smallest version.
            let better = best.as_ref().is_none_or(|(other, least, _)| {
                left < *other || (left == *other && candidate.order(least) == Some(Ordering::Less))
            });
            if better && left < weaknesses.len() {
                best = Some((left, candidate, text));
            }
        }
        let stays = |weakness: &Weakness| match &best {
            Some((_, candidate, text)) => weakness.has(ecosystem, text, candidate),
            None => true,
        };
        let (left, clears): (Vec<_>, Vec<_>) = weaknesses.iter().partition(|weakness| stays(weakness));
        if !left.is_empty() {
            let reason = match (nearest, any) {
                (Some((text, who)), _) => format!("{text} would mend it, but {who}."),
                (None, false) => "No version is known to mend it.".to_owned(),
                (None, true) => "No known version mends all of it.".to_owned(),
            };
            let ids = left.iter().map(|weakness| weakness.id.clone()).collect();
            plan.blocked.push(Blocked {
                name: name.to_owned(),
                version: version.to_owned(),
                weaknesses: ids,
                reason,
            });
        }
        if let Some((_, _, to)) = best {
            let clears = clears.iter().map(|weakness| weakness.id.clone()).collect();
            let step = step(version, &to);
            plan.changes.push(Change { name: name.to_owned(), from: version.to_owned(), to, step, clears });
        }
    }
    Ok(plan)
}

/// The mended versions above the current one, smallest first; releases only, unless the current one is none.
fn candidates(
    ecosystem: Ecosystem,
    current: &Version,
    weaknesses: &[Arc<Weakness>],
) -> Vec<(Version, String)> {
    let entries = weaknesses.iter().flat_map(|weakness| &weakness.entries);
    let mut found: Vec<(Version, String)> = entries
        .flat_map(|entry| entry.advisory.affected.patched(ecosystem))
        .filter_map(|text| Some((Version::parse(ecosystem, &text)?, text)))
        .filter(|(version, _)| version.order(current) == Some(Ordering::Greater))
        .filter(|(version, _)| current.is_prerelease() || !version.is_prerelease())
        .collect();
    found.sort_by(|(a, _), (b, _)| a.order(b).unwrap_or(Ordering::Equal));
    found.dedup_by(|(_, a), (_, b)| a == b);
    found
}

/// Who does not take a version: the manifest, or a package in the lockfile.
fn in_the_way(inventory: &Inventory, package: &Package, version: &Version) -> Option<String> {
    let refuses = |range: &str| takes(package.ecosystem, range, version) == Some(false);
    let same = |name: &str| name == package.name;
    for ask in inventory.asks.iter().filter(|ask| same(&ask.requirement.name)) {
        if refuses(&ask.requirement.range) {
            return Some(format!("the manifest asks for `{}` ({})", package.name, ask.requirement.range));
        }
    }
    let others =
        inventory.packages.iter().flat_map(|parent| parent.requires.iter().map(move |need| (parent, need)));
    for (parent, need) in others.filter(|(_, need)| same(&need.name)) {
        if refuses(&need.range) {
            // Where a file holds two versions of a name, a parent that does not take this one has the other.
            let mine = Version::parse(package.ecosystem, &package.version);
            if mine.is_some_and(|mine| takes(package.ecosystem, &need.range, &mine) == Some(false)) {
                continue;
            }
            return Some(format!(
                "`{}` {} asks for `{}` ({})",
                parent.name, parent.version, package.name, need.range
            ));
        }
    }
    None
}
