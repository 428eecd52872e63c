//! Changes in a package-lock.json that need no other change: an entry takes a mended version that all who use
//! it take, and whose own needs the tree already meets. Nothing is moved, added or taken out.

mod entry;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use wardroom_model::Replacement;

use super::{Blocked, Change, Plan, Registry, Release};
use crate::Ecosystem;
use crate::index::IndexError;
use crate::lockfile::document::{self, Node};
use crate::matching::{Matcher, Weakness};
use crate::version::{Version, step, takes};

/// A package-lock.json could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum NpmError {
    /// The index of advisories fails.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// It is no lockfile that can be written.
    #[error("{0}")]
    Form(&'static str),
}

/// One folder of `node_modules`, or of the project.
struct Entry<'t> {
    path: &'t str,
    name: String,
    version: String,
    needs: Vec<Need>,
    link: bool,
    /// It lies within its parent's archive and cannot be changed apart from that.
    bundled: bool,
    node: &'t Node<'t>,
    change: Option<Release>,
}

/// What an entry asks for.
struct Need {
    name: String,
    range: String,
    /// It may be missing.
    optional: bool,
}

/// Plans and writes the changes of one package-lock.json of lockfileVersion 2 or 3. `text` is the file's.
pub fn plan_npm_lock(
    file: &Arc<str>,
    text: &str,
    matcher: &Matcher<'_>,
    registry: &dyn Registry,
) -> Result<(Plan, Vec<Replacement>), NpmError> {
    let (root, broken) = document::json(text);
    if broken.is_some() {
        return Err(NpmError::Form("the lockfile is broken; it is not written"));
    }
    let Some(packages) = root.get("packages") else {
        return Err(NpmError::Form("the lockfile is of an npm before 7; it is not written"));
    };
    let mut tree = Tree::new(packages);
    let mut plan = Plan { resolved: true, ..Plan::default() };
    for number in 0..tree.entries.len() {
        tree.mend(number, matcher, registry, &mut plan)?;
    }
    plan.sort();
    let mut edits = Vec::new();
    for entry in &tree.entries {
        if let Some(release) = &entry.change {
            entry::edit(file, text, &root, entry.path, entry.node, release, &mut edits)?;
        }
    }
    edits.sort_by_key(|edit| (edit.start, edit.end));
    Ok((plan, edits))
}

struct Tree<'t> {
    entries: Vec<Entry<'t>>,
    by_path: HashMap<&'t str, usize>,
}

impl<'t> Tree<'t> {
    fn new(packages: &'t Node<'t>) -> Self {
        let mut tree = Tree { entries: Vec::new(), by_path: HashMap::new() };
        for (key, node) in packages.entries() {
            let path: &str = &key.text;
            let folder = path.rsplit_once("node_modules/").map_or("", |(_, name)| name);
            let name = if node.text_of("name").is_empty() || folder.is_empty() {
                folder
            } else {
                node.text_of("name")
            };
            let mut needs = Vec::new();
            // What the project's own folders need for their development is there, too.
            let own = !path.contains("node_modules/");
            let lists =
                [("dependencies", false), ("optionalDependencies", true), ("peerDependencies", false)];
            for (list, optional) in lists.into_iter().chain(own.then_some(("devDependencies", false))) {
                for (need, range) in node.entries_of(list) {
                    let optional = optional
                        || node.at(&["optionalDependencies", &need.text]).is_some()
                        || node
                            .at(&["peerDependenciesMeta", &need.text])
                            .is_some_and(|meta| meta.flag("optional"));
                    needs.push(Need {
                        name: need.text.to_string(),
                        range: plain_range(range.text()),
                        optional,
                    });
                }
            }
            tree.by_path.insert(path, tree.entries.len());
            tree.entries.push(Entry {
                path,
                name: name.to_owned(),
                version: node.text_of("version").to_owned(),
                needs,
                link: node.flag("link"),
                bundled: node.flag("inBundle"),
                node,
                change: None,
            });
        }
        tree
    }

    /// The entry that a name means from a folder: the nearest `node_modules` upwards that has it.
    fn found_from(&self, folder: &str, name: &str) -> Option<usize> {
        let mut folder = folder;
        loop {
            let key = if folder.is_empty() {
                format!("node_modules/{name}")
            } else {
                format!("{folder}/node_modules/{name}")
            };
            if let Some(number) = self.by_path.get(key.as_str()) {
                return Some(*number);
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder.rfind('/').map_or("", |at| &folder[..at]);
        }
    }

    fn mend(
        &mut self,
        number: usize,
        matcher: &Matcher<'_>,
        registry: &dyn Registry,
        plan: &mut Plan,
    ) -> Result<(), NpmError> {
        let entry = &self.entries[number];
        if entry.name.is_empty() || entry.link || entry.version.is_empty() {
            return Ok(());
        }
        let sick: Vec<Arc<Weakness>> = matcher
            .of(Ecosystem::Npm, &entry.name, &entry.version)?
            .iter()
            .map(|(weakness, _)| weakness.clone())
            .collect();
        let Some(current) = Version::parse(Ecosystem::Npm, &entry.version) else { return Ok(()) };
        if sick.is_empty() {
            return Ok(());
        }
        let mut best: Option<(usize, Release)> = None;
        let mut why = None;
        let releases = registry.releases(Ecosystem::Npm, &entry.name);
        for (version, release) in above(&current, releases.as_deref().unwrap_or_default()) {
            let left = matcher.of(Ecosystem::Npm, &entry.name, &release.version)?.len();
            if left >= sick.len() || best.as_ref().is_some_and(|(least, _)| *least <= left) {
                continue;
            }
            match self.in_the_way(number, &version, release) {
                Some(reason) => {
                    _ = why.get_or_insert(format!("{} would mend it, but {reason}.", release.version))
                }
                None => best = Some((left, release.clone())),
            }
            if best.as_ref().is_some_and(|(left, _)| *left == 0) {
                break;
            }
        }
        let (name, from) = (entry.name.clone(), entry.version.clone());
        let stays: Vec<String> = match &best {
            Some((0, _)) => Vec::new(),
            Some((_, release)) => {
                let after = matcher.of(Ecosystem::Npm, &name, &release.version)?;
                after.iter().map(|(weakness, _)| weakness.id.clone()).collect()
            }
            None => sick.iter().map(|weakness| weakness.id.clone()).collect(),
        };
        if !stays.is_empty() {
            let nothing = match releases {
                None => "nothing is known about its releases",
                Some(_) => "no release of it is known that mends it",
            };
            let reason = why.unwrap_or_else(|| format!("{}{}.", nothing[..1].to_uppercase(), &nothing[1..]));
            plan.blocked.push(Blocked {
                name: name.clone(),
                version: from.clone(),
                weaknesses: stays.clone(),
                reason,
            });
        }
        if let Some((_, release)) = best {
            let clears =
                sick.iter().map(|weakness| weakness.id.clone()).filter(|id| !stays.contains(id)).collect();
            let change = Change {
                step: step(&from, &release.version),
                name,
                from,
                to: release.version.clone(),
                clears,
            };
            if !plan.changes.contains(&change) {
                plan.changes.push(change);
            }
            let entry = &mut self.entries[number];
            entry.version.clone_from(&release.version);
            entry.needs = needs_of(&release);
            entry.change = Some(release);
        }
        Ok(())
    }

    /// What keeps a release out of an entry's place.
    fn in_the_way(&self, number: usize, version: &Version, release: &Release) -> Option<String> {
        let entry = &self.entries[number];
        if entry.bundled {
            return Some("it is part of its parent's archive".to_owned());
        }
        for parent in &self.entries {
            let asks = parent.needs.iter().filter(|need| need.name == folder_name(entry.path));
            for need in asks {
                if self.found_from(parent.path, &need.name) == Some(number)
                    && takes(Ecosystem::Npm, &need.range, version) != Some(true)
                {
                    let who = if parent.name.is_empty() {
                        "the project".to_owned()
                    } else {
                        format!("`{}` {}", parent.name, parent.version)
                    };
                    return Some(format!("{who} asks for `{}` ({})", need.name, need.range));
                }
            }
        }
        let needs = needs_of(release);
        for need in &needs {
            let found = self.found_from(entry.path, &need.name).map(|found| &self.entries[found]);
            let met = match found {
                Some(found) if found.link => true,
                Some(found) => Version::parse(Ecosystem::Npm, &found.version)
                    .is_some_and(|version| takes(Ecosystem::Npm, &need.range, &version) == Some(true)),
                None => need.optional,
            };
            if !met {
                let there = found
                    .map_or("which is not there".to_owned(), |found| format!("where {} is", found.version));
                return Some(format!("it asks for `{}` ({}), {there}", need.name, need.range));
            }
        }
        // What it no longer needs would be left over, unless somebody else needs it.
        let dropped = entry.needs.iter().filter(|old| !needs.iter().any(|new| new.name == old.name));
        for old in dropped {
            let Some(found) = self.found_from(entry.path, &old.name) else { continue };
            let other = self.entries.iter().enumerate().any(|(other, parent)| {
                other != number
                    && parent.needs.iter().any(|need| need.name == old.name)
                    && self.found_from(parent.path, &old.name) == Some(found)
            });
            if !other {
                return Some(format!("it no longer needs `{}`, which would be left over", old.name));
            }
        }
        None
    }
}

/// The name of the folder that an entry is in: under it others find the package, whatever it is called itself.
fn folder_name(path: &str) -> &str {
    path.rsplit_once("node_modules/").map_or("", |(_, name)| name)
}

/// An alias' range without the package that it names.
fn plain_range(text: &str) -> String {
    match text.strip_prefix("npm:") {
        Some(alias) => alias
            .get(1..)
            .and_then(|rest| rest.split_once('@'))
            .map_or(String::new(), |(_, range)| range.to_owned()),
        None => text.to_owned(),
    }
}

fn needs_of(release: &Release) -> Vec<Need> {
    let list = |key: &str| release.more.get(key).and_then(serde_json::Value::as_object);
    let optional = |name: &str| {
        let meta =
            list("peerDependenciesMeta").and_then(|meta| meta.get(name)).and_then(|m| m.get("optional"));
        list("optionalDependencies").is_some_and(|o| o.contains_key(name))
            || meta.and_then(|m| m.as_bool()) == Some(true)
    };
    ["dependencies", "optionalDependencies", "peerDependencies"]
        .into_iter()
        .filter_map(list)
        .flatten()
        .map(|(name, range)| Need {
            name: name.clone(),
            range: plain_range(range.as_str().unwrap_or_default()),
            optional: optional(name),
        })
        .collect()
}

/// The releases above a version, smallest first: no early ones unless the current one is, none that was taken back.
fn above<'r>(current: &Version, releases: &'r [Release]) -> Vec<(Version, &'r Release)> {
    let mut found: Vec<(Version, &Release)> = releases
        .iter()
        .filter(|release| !release.yanked)
        .filter_map(|release| Some((Version::parse(Ecosystem::Npm, &release.version)?, release)))
        .filter(|(version, _)| version.order(current).is_some_and(|o| o.is_gt()))
        .filter(|(version, _)| current.is_prerelease() || !version.is_prerelease())
        .collect();
    found.sort_by(|(a, _), (b, _)| a.order(b).unwrap_or(std::cmp::Ordering::Equal));
    found
}
