//! A plan with a registry, for ecosystems that hold one version of each package: the resolver finds versions
//! that go together, and each change that is not needed is taken back.

mod world;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{Blocked, Change, Plan, Registry};
use crate::Ecosystem;
use crate::index::IndexError;
use crate::lockfile::Inventory;
use crate::matching::{Matcher, Weakness};
use crate::version::step;
use world::{Chosen, Limits, World};

/// The weaknesses of a locked package, worst first.
struct Sick {
    package: u32,
    weaknesses: Vec<Arc<Weakness>>,
}

/// Plans one Gemfile.lock; `None` where the registry knows none of the packages that have weaknesses, so that
/// there is nothing to resolve with, or where the lockfile itself does not resolve.
pub fn plan(
    inventory: &Inventory,
    matcher: &Matcher<'_>,
    registry: &dyn Registry,
    runtime: &str,
) -> Result<Option<Plan>, IndexError> {
    let mut sick: BTreeMap<&str, Vec<Arc<Weakness>>> = BTreeMap::new();
    for matched in matcher.matches(inventory)? {
        let weaknesses = sick.entry(&inventory.packages[matched.package].name).or_default();
        if !weaknesses.iter().any(|known| Arc::ptr_eq(known, &matched.weakness)) {
            weaknesses.push(matched.weakness);
        }
    }
    if !sick.keys().any(|name| registry.releases(Ecosystem::RubyGems, name).is_some()) {
        return Ok(None);
    }
    let world = World::new(inventory, registry, runtime);
    let locked = Limits::locked(&world);
    let Some(start) = world.solve(&locked) else { return Ok(None) };
    let mut sick: Vec<Sick> = sick
        .into_iter()
        .filter_map(|(name, weaknesses)| Some(Sick { package: world.id(name)?, weaknesses }))
        .collect();
    sick.sort_by_key(|s| Reverse((worst(&s.weaknesses), s.weaknesses.len())));

    let mut limits = Limits::none();
    // Nothing may be moved to a version that brings a weakness in.
    for package in world.packages() {
        let healthy = healthy(&world, matcher, package)?;
        limits.narrow(package, world.count(package), |version| {
            healthy.contains(&version) || Some(version) == world.locked(package)
        });
    }
    let mut blocked = Vec::new();
    let mut solution = start;
    let mut all = limits.clone();
    for s in &sick {
        let healthy = healthy(&world, matcher, s.package)?;
        all.narrow(s.package, world.count(s.package), |version| healthy.contains(&version));
    }
    if let Some(found) = world.solve(&all) {
        (limits, solution) = (all, found);
    } else {
        for s in &sick {
            let left = clear(&world, matcher, s, &mut limits, &mut solution)?;
            if !left.is_empty() {
                blocked.push(block(&world, s, left));
            }
        }
    }
    minimise(&world, &mut limits, &mut solution);

    let mut plan = Plan { blocked, resolved: true, ..Plan::default() };
    let weaknesses: HashMap<u32, &Sick> = sick.iter().map(|s| (s.package, s)).collect();
    let names: BTreeSet<u32> = world.packages().chain(solution.keys().copied()).collect();
    for package in names {
        let (from, to) = (world.locked(package), solution.get(&package).copied());
        if from == to {
            continue;
        }
        let text = |version: Option<u32>| version.map(|v| world.version(package, v)).unwrap_or_default();
        let (from, to) = (text(from), text(to));
        let clears = weaknesses.get(&package).map(|s| {
            let gone = s.weaknesses.iter().filter(|weakness| to.is_empty() || !has(weakness, &to));
            gone.map(|weakness| weakness.id.clone()).collect()
        });
        let step =
            if from.is_empty() || to.is_empty() { crate::version::Step::Patch } else { step(&from, &to) };
        plan.changes.push(Change {
            name: world.name(package),
            from,
            to,
            step,
            clears: clears.unwrap_or_default(),
        });
    }
    Ok(Some(plan))
}

fn worst(weaknesses: &[Arc<Weakness>]) -> Option<wardroom_model::Severity> {
    weaknesses.iter().flat_map(|w| &w.entries).filter_map(|entry| entry.advisory.severity).max()
}

fn has(weakness: &Weakness, version: &str) -> bool {
    crate::version::Version::parse(Ecosystem::RubyGems, version)
        .is_some_and(|parsed| weakness.has(Ecosystem::RubyGems, version, &parsed))
}

/// The versions of a package that have no weakness at all.
fn healthy(world: &World<'_>, matcher: &Matcher<'_>, package: u32) -> Result<BTreeSet<u32>, IndexError> {
    let weaknesses = matcher.weaknesses(Ecosystem::RubyGems, &world.name(package))?;
    let versions = 0..world.count(package);
    Ok(versions.filter(|v| !weaknesses.iter().any(|w| has(w, &world.version(package, *v)))).collect())
}

/// Clears what can be cleared of one package: all at once, else one weakness after the other, worst first.
/// Gives those that stay.
fn clear<'s>(
    world: &World<'_>,
    matcher: &Matcher<'_>,
    sick: &'s Sick,
    limits: &mut Limits,
    solution: &mut Chosen,
) -> Result<Vec<&'s Arc<Weakness>>, IndexError> {
    let healthy = healthy(world, matcher, sick.package)?;
    let mut narrowed = limits.clone();
    narrowed.narrow(sick.package, world.count(sick.package), |version| healthy.contains(&version));
    if let Some(found) = world.solve(&narrowed) {
        (*limits, *solution) = (narrowed, found);
        return Ok(Vec::new());
    }
    let mut weaknesses: Vec<&Arc<Weakness>> = sick.weaknesses.iter().collect();
    weaknesses.sort_by_key(|w| Reverse(w.entries.iter().filter_map(|entry| entry.advisory.severity).max()));
    let mut left = Vec::new();
    // A version that has fewer of them is better than the locked one, though it be not healthy.
    let known = |version: u32| {
        let text = world.version(sick.package, version);
        sick.weaknesses.iter().filter(|w| has(w, &text)).count()
    };
    let all = matcher.weaknesses(Ecosystem::RubyGems, &world.name(sick.package))?;
    let brings_none = |version: u32| {
        let text = world.version(sick.package, version);
        all.iter().filter(|w| has(w, &text)).count() <= known(version)
    };
    limits.widen(sick.package, &brings_none, world.count(sick.package));
    for weakness in weaknesses {
        let mut narrowed = limits.clone();
        narrowed.narrow(sick.package, world.count(sick.package), |version| {
            !has(weakness, &world.version(sick.package, version))
        });
        match world.solve(&narrowed) {
            Some(found) => (*limits, *solution) = (narrowed, found),
            None => left.push(weakness),
        }
    }
    Ok(left)
}

fn block(world: &World<'_>, sick: &Sick, left: Vec<&Arc<Weakness>>) -> Blocked {
    let name = world.name(sick.package);
    let version = world.locked(sick.package).map(|v| world.version(sick.package, v)).unwrap_or_default();
    let mends = |v: u32| !left.iter().any(|weakness| has(weakness, &world.version(sick.package, v)));
    let above = world.locked(sick.package).map_or(0, |v| v + 1);
    let target =
        (above..world.count(sick.package)).find(|v| mends(*v) && world.is_candidate(sick.package, *v));
    let published = target.is_some() || (0..world.count(sick.package)).any(mends);
    let reason = match target {
        Some(target) => {
            let why = world.in_the_way(sick.package, target).unwrap_or_else(|| {
                "what it asks for does not go together with the rest of the lockfile".to_owned()
            });
            format!("{} would mend it, but {why}.", world.version(sick.package, target))
        }
        None => match left.iter().find_map(|w| w.mended_after(Ecosystem::RubyGems, &version)) {
            Some(mended) => {
                format!("{mended} mends it, but the registry's list does not hold that or a later one.")
            }
            None if published => "Only older versions are without it.".to_owned(),
            None => "No version is known to mend it.".to_owned(),
        },
    };
    Blocked {
        name,
        version,
        weaknesses: left.into_iter().map(|weakness| weakness.id.clone()).collect(),
        reason,
    }
}

/// Takes back every change that the rest can do without, the biggest steps first.
fn minimise(world: &World<'_>, limits: &mut Limits, solution: &mut Chosen) {
    let mut changed: Vec<(Reverse<crate::version::Step>, u32)> = Vec::new();
    for (package, version) in solution.iter() {
        if let Some(locked) = world.locked(*package)
            && locked != *version
            && limits.allows(*package, locked)
        {
            let step = step(&world.version(*package, locked), &world.version(*package, *version));
            changed.push((Reverse(step), *package));
        }
    }
    changed.sort_unstable();
    for (_, package) in changed {
        let locked = world.locked(package);
        if solution.get(&package).copied() == locked {
            continue;
        }
        let mut narrowed = limits.clone();
        narrowed.narrow(package, world.count(package), |version| Some(version) == locked);
        if let Some(found) = world.solve(&narrowed) {
            (*limits, *solution) = (narrowed, found);
        }
    }
}
