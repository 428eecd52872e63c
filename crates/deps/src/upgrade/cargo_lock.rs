//! Changes in a Cargo.lock that need no other change: a crate takes a mended version that all who ask for it
//! take, and that asks for nothing that is not locked. A Cargo.lock does not hold what is asked for, so the
//! registry must know that of every crate that is in question, and the manifests that of the project.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use wardroom_model::Replacement;

use super::{Blocked, Change, Plan, Registry, Release};
use crate::Ecosystem;
use crate::index::IndexError;
use crate::lockfile::document::{self, Node};
use crate::matching::{Matcher, Weakness};
use crate::version::{Version, step, takes};

/// A Cargo.lock could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    /// The index of advisories fails.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// It is no lockfile that can be written.
    #[error("{0}")]
    Form(&'static str),
}

/// A locked crate.
struct Locked<'t> {
    name: &'t str,
    version: String,
    public: bool,
    /// Which crates it is locked to, by their places in the file's list.
    needs: Vec<usize>,
    node: &'t Node<'t>,
    change: Option<Release>,
}

/// What the project's manifests ask for: a crate's own name and a range.
type Asks = Vec<(String, String)>;

/// Plans and writes the changes of one Cargo.lock. `text` is the file's, `manifests` are the texts of all
/// Cargo.toml of the project.
pub fn plan_cargo_lock(
    file: &Arc<str>,
    text: &str,
    manifests: &[&str],
    matcher: &Matcher<'_>,
    registry: &dyn Registry,
) -> Result<(Plan, Vec<Replacement>), CargoError> {
    let (root, broken) = document::toml(text);
    if broken.is_some() {
        return Err(CargoError::Form("the lockfile is broken; it is not written"));
    }
    let asks = asks(manifests)?;
    let mut crates = Crates { list: locked(&root), asks, registry };
    let mut plan = Plan { resolved: true, ..Plan::default() };
    for number in 0..crates.list.len() {
        crates.mend(number, matcher, &mut plan)?;
    }
    plan.sort();
    let mut edits = Vec::new();
    for (number, entry) in crates.list.iter().enumerate() {
        if let Some(release) = &entry.change {
            edit(file, text, &crates.list, number, release, &mut edits)?;
        }
    }
    edits.sort_by_key(|edit| (edit.start, edit.end));
    edits.dedup();
    Ok((plan, edits))
}

fn locked<'t>(root: &'t Node<'t>) -> Vec<Locked<'t>> {
    let nodes = root.items_of("package");
    let mut list: Vec<Locked<'t>> = nodes
        .iter()
        .map(|node| Locked {
            name: node.text_of("name"),
            version: node.text_of("version").to_owned(),
            public: node.text_of("source").starts_with("registry+")
                || node.text_of("source").starts_with("sparse+"),
            needs: Vec::new(),
            node,
            change: None,
        })
        .collect();
    for (number, node) in nodes.iter().enumerate() {
        let needs = node.items_of("dependencies").iter().filter_map(|item| {
            let (name, version) = name_and_version(item.text());
            list.iter().position(|other| {
                other.name == name && version.is_none_or(|version| version == other.version)
            })
        });
        list[number].needs = needs.collect();
    }
    list
}

/// `name`, `name 1.0.0` or `name 1.0.0 (source)`.
fn name_and_version(text: &str) -> (&str, Option<&str>) {
    let mut words = text.split(' ');
    (words.next().unwrap_or_default(), words.next())
}

/// Everything that any manifest asks for, the workspace's own table included.
fn asks(manifests: &[&str]) -> Result<Asks, CargoError> {
    let mut asks = Asks::new();
    for text in manifests {
        let (root, broken) = document::toml(text);
        if broken.is_some() {
            return Err(CargoError::Form("a Cargo.toml is broken; the lockfile is not written"));
        }
        let targets = root.entries_of("target").iter().map(|(_, node)| node);
        for holder in [Some(&root), root.get("workspace")].into_iter().flatten().chain(targets) {
            let tables = [
                "dependencies",
                "dev-dependencies",
                "dev_dependencies",
                "build-dependencies",
                "build_dependencies",
            ];
            for (name, node) in tables.iter().flat_map(|table| holder.entries_of(table)) {
                let real =
                    Some(node.text_of("package")).filter(|real| !real.is_empty()).unwrap_or(&name.text);
                let range = if node.is_map() { node.text_of("version") } else { node.text() };
                if !range.is_empty() {
                    asks.push((real.to_owned(), range.to_owned()));
                }
            }
        }
    }
    Ok(asks)
}

struct Crates<'t, 'r> {
    list: Vec<Locked<'t>>,
    asks: Asks,
    registry: &'r dyn Registry,
}

impl Crates<'_, '_> {
    fn release(&self, name: &str, version: &str) -> Option<Release> {
        let releases = self.registry.releases(Ecosystem::Cargo, name)?;
        releases.iter().find(|release| release.version == version).cloned()
    }

    fn mend(&mut self, number: usize, matcher: &Matcher<'_>, plan: &mut Plan) -> Result<(), CargoError> {
        let entry = &self.list[number];
        let (name, from) = (entry.name, entry.version.clone());
        let Some(current) = Version::parse(Ecosystem::Cargo, &from).filter(|_| entry.public) else {
            return Ok(());
        };
        let sick: Vec<Arc<Weakness>> =
            matcher.of(Ecosystem::Cargo, name, &from)?.iter().map(|(weakness, _)| weakness.clone()).collect();
        if sick.is_empty() {
            return Ok(());
        }
        let releases = self.registry.releases(Ecosystem::Cargo, name);
        let mut above: Vec<(Version, &Release)> = releases
            .iter()
            .flat_map(|list| list.iter())
            .filter(|release| !release.yanked)
            .filter_map(|release| Some((Version::parse(Ecosystem::Cargo, &release.version)?, release)))
            .filter(|(version, _)| version.order(&current).is_some_and(|o| o.is_gt()))
            .filter(|(version, _)| current.is_prerelease() || !version.is_prerelease())
            .collect();
        above.sort_by(|(a, _), (b, _)| a.order(b).unwrap_or(std::cmp::Ordering::Equal));
        let (mut best, mut why): (Option<(usize, Release)>, _) = (None, None);
        for (version, release) in above {
            let left = matcher.of(Ecosystem::Cargo, name, &release.version)?.len();
            if left >= best.as_ref().map_or(sick.len(), |(least, _)| *least) {
                continue;
            }
            match self.in_the_way(number, &current, &version, release) {
                Some(reason) => {
                    _ = why.get_or_insert(format!("{} would mend it, but {reason}.", release.version))
                }
                None => best = Some((left, release.clone())),
            }
        }
        let stays: Vec<String> = match &best {
            Some((_, release)) => {
                let after = matcher.of(Ecosystem::Cargo, name, &release.version)?;
                after.iter().map(|(weakness, _)| weakness.id.clone()).collect()
            }
            None => sick.iter().map(|weakness| weakness.id.clone()).collect(),
        };
        if !stays.is_empty() {
            let nothing = match releases {
                None => "Nothing is known about its releases.",
                Some(_) => "No release of it is known that mends it.",
            };
            let reason = why.unwrap_or_else(|| nothing.to_owned());
            plan.blocked.push(Blocked {
                name: name.to_owned(),
                version: from.clone(),
                weaknesses: stays.clone(),
                reason,
            });
        }
        if let Some((_, release)) = best {
            let clears =
                sick.iter().map(|weakness| weakness.id.clone()).filter(|id| !stays.contains(id)).collect();
            let to = release.version.clone();
            plan.changes.push(Change {
                name: name.to_owned(),
                step: step(&from, &to),
                from,
                to: to.clone(),
                clears,
            });
            self.list[number].version = to;
            self.list[number].change = Some(release);
        }
        Ok(())
    }

    /// What keeps a release out of a crate's place.
    fn in_the_way(
        &self,
        number: usize,
        current: &Version,
        version: &Version,
        release: &Release,
    ) -> Option<String> {
        let entry = &self.list[number];
        let name = entry.name;
        if self
            .list
            .iter()
            .enumerate()
            .any(|(other, l)| other != number && l.name == name && l.version == release.version)
        {
            return Some("that version is locked beside it already".to_owned());
        }
        for parent in self.list.iter().filter(|parent| parent.needs.contains(&number)) {
            let ranges: Vec<String> = if parent.public {
                match self.release(parent.name, &parent.version) {
                    Some(known) => known
                        .requires
                        .into_iter()
                        .filter(|need| need.name == name)
                        .map(|need| need.range)
                        .collect(),
                    None => {
                        return Some(format!(
                            "nothing is known about what `{}` {} asks for",
                            parent.name, parent.version
                        ));
                    }
                }
            } else {
                self.asks.iter().filter(|(asked, _)| asked == name).map(|(_, range)| range.clone()).collect()
            };
            // Of several ranges for one name, those are meant that take what is locked.
            let mut meant = ranges
                .iter()
                .filter(|range| takes(Ecosystem::Cargo, range, current) == Some(true))
                .peekable();
            if meant.peek().is_none() {
                return Some(format!("it is not known what `{}` asks for", parent.name));
            }
            if let Some(range) = meant.find(|range| takes(Ecosystem::Cargo, range, version) != Some(true)) {
                return Some(format!("`{}` {} asks for `{name}` ({range})", parent.name, parent.version));
            }
        }
        let Some(old) = self.release(name, &entry.version) else {
            return Some(format!("nothing is known about what {} asks for", entry.version));
        };
        for need in entry.needs.iter().map(|need| &self.list[*need]) {
            let locked = Version::parse(Ecosystem::Cargo, &need.version)?;
            let mut ranges = release.requires.iter().filter(|wanted| wanted.name == need.name).peekable();
            if ranges.peek().is_none() {
                return Some(format!("it no longer asks for `{}`", need.name));
            }
            if !ranges.any(|wanted| takes(Ecosystem::Cargo, &wanted.range, &locked) == Some(true)) {
                return Some(format!("it does not take `{}` {}, which is locked", need.name, need.version));
            }
        }
        // What the old version asked for and is not locked is optional, and not in use.
        let mut more = release
            .requires
            .iter()
            .filter(|wanted| !old.requires.iter().any(|known| known.name == wanted.name));
        more.next().map(|wanted| format!("it asks for `{}`, which the locked version does not", wanted.name))
    }
}

fn edit(
    file: &Arc<str>,
    text: &str,
    list: &[Locked<'_>],
    number: usize,
    release: &Release,
    edits: &mut Vec<Replacement>,
) -> Result<(), CargoError> {
    let entry = &list[number];
    let old = entry.node.text_of("version");
    let mut replace = |node: &Node<'_>, old: &str, new: &str| -> Result<(), CargoError> {
        let (start, end) = node.span;
        let written = text.get(start as usize..end as usize).filter(|written| written.contains(old));
        let written =
            written.ok_or(CargoError::Form("an entry of the lockfile is not written as Cargo writes it"))?;
        edits.push(Replacement { file: file.clone(), start, end, text: written.replacen(old, new, 1) });
        Ok(())
    };
    let (Some(version), Some(checksum)) = (entry.node.get("version"), entry.node.get("checksum")) else {
        return Err(CargoError::Form("the lockfile is of a Cargo before 1.38; it is not written"));
    };
    replace(version, old, &release.version)?;
    replace(checksum, checksum.text(), &release.checksum)?;
    // Where several versions of a crate are locked, those who ask for one name its version.
    for parent in list.iter().filter(|parent| parent.needs.contains(&number)) {
        for item in parent.node.items_of("dependencies") {
            let (name, named) = name_and_version(item.text());
            if name == entry.name && named == Some(old) {
                replace(item, &format!(" {old}"), &format!(" {}", release.version))?;
            }
        }
    }
    Ok(())
}
