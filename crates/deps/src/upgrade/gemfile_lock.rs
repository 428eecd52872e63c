//! Writes changes into a Gemfile.lock as Bundler itself would, and leaves every other byte as it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use wardroom_model::Replacement;

use super::{Change, Registry, Release};
use crate::lockfile::Inventory;
use crate::{Ecosystem, Origin, Requirement};

/// A lockfile could not be changed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The registry's list does not hold the version, so that what it asks for is not known.
    #[error(
        "nothing is known about `{name}` {version}: without its list of releases the lockfile cannot be written"
    )]
    Unknown {
        /// The package.
        name: String,
        /// The version.
        version: String,
    },
    /// The version is not published for a platform that is locked.
    #[error("`{name}` {version} is not published for {platform}")]
    Platform {
        /// The package.
        name: String,
        /// The version.
        version: String,
        /// The platform.
        platform: String,
    },
    /// The package is not in the lockfile in the version that the change starts from.
    #[error("`{name}` {version} is not in the lockfile")]
    Absent {
        /// The package.
        name: String,
        /// The version.
        version: String,
    },
    /// The lockfile has no section that a new package could go to.
    #[error("`{0}` comes in new, and the lockfile has no list of gems from a registry to put it in")]
    NoSection(String),
}

/// One gem of a list, with all lines that belong to it.
struct Gem {
    /// `name-version-platform`: what Bundler sorts by.
    full: String,
    lines: String,
}

/// The replacements that put changes into a Gemfile.lock. `inventory` is what was read from `text`, of which
/// `file` is the path.
pub fn edit_gemfile_lock(
    file: &Arc<str>,
    text: &str,
    inventory: &Inventory,
    changes: &[Change],
    registry: &dyn Registry,
) -> Result<Vec<Replacement>, EditError> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut editor =
        Editor { file, text, inventory, registry, newline, replacements: Vec::new(), sums: BTreeMap::new() };
    for change in changes {
        if change.from.is_empty() {
            editor.add(change, changes)?;
        } else {
            editor.change(change)?;
        }
    }
    editor.checksums();
    editor.replacements.sort_by_key(|replacement| (replacement.start, replacement.end));
    Ok(editor.replacements)
}

struct Editor<'e> {
    file: &'e Arc<str>,
    text: &'e str,
    inventory: &'e Inventory,
    registry: &'e dyn Registry,
    newline: &'static str,
    replacements: Vec<Replacement>,
    /// By what stands in the list of checksums, `name (version)`: what to put there instead.
    sums: BTreeMap<String, Vec<(String, String)>>,
}

impl Editor<'_> {
    fn replace(&mut self, start: usize, end: usize, text: String) {
        self.replacements.push(Replacement {
            file: self.file.clone(),
            start: start as u32,
            end: end as u32,
            text,
        });
    }

    fn release(&self, name: &str, version: &str, platform: &str) -> Result<Release, EditError> {
        let unknown = || EditError::Unknown { name: name.to_owned(), version: version.to_owned() };
        let releases = self.registry.releases(Ecosystem::RubyGems, name).ok_or_else(unknown)?;
        let mut of_version = releases.iter().filter(|release| release.version == version).peekable();
        of_version.peek().ok_or_else(unknown)?;
        let found: Vec<&Release> = of_version.collect();
        let of = |platform: &str| found.iter().find(|release| release.platform == platform);
        of(platform).or_else(|| of("")).map(|release| (*release).clone()).ok_or_else(|| EditError::Platform {
            name: name.to_owned(),
            version: version.to_owned(),
            platform: if platform.is_empty() { "ruby".to_owned() } else { platform.to_owned() },
        })
    }

    /// Puts a package's builds into the new version, or takes them out where there is none.
    fn change(&mut self, change: &Change) -> Result<(), EditError> {
        let builds: Vec<_> = self
            .inventory
            .packages
            .iter()
            .filter(|p| {
                p.name == change.name && p.version == change.from && matches!(p.origin, Origin::Registry(_))
            })
            .collect();
        if builds.is_empty() {
            return Err(EditError::Absent { name: change.name.clone(), version: change.from.clone() });
        }
        let mut written = BTreeSet::new();
        for build in builds {
            let (start, end) = self.stretch(build.span.0 as usize);
            let old = full_version(&build.version, &build.platform);
            if change.to.is_empty() {
                self.sums.entry(format!("{} ({old})", change.name)).or_default();
                self.replace(start, end, String::new());
                continue;
            }
            let release = self.release(&change.name, &change.to, &build.platform)?;
            let new = full_version(&release.version, &release.platform);
            // Two platforms for which only one build is left are one entry.
            let text = if written.insert(new.clone()) {
                self.lines(&change.name, &release).lines
            } else {
                String::new()
            };
            self.replace(start, end, text);
            let sums = self.sums.entry(format!("{} ({old})", change.name)).or_default();
            sums.push((format!("{} ({new})", change.name), release.checksum.clone()));
        }
        Ok(())
    }

    /// Puts a new package into the list of the first registry's section, where Bundler's order has it.
    fn add(&mut self, change: &Change, changes: &[Change]) -> Result<(), EditError> {
        let release = self.release(&change.name, &change.to, "")?;
        let gem = self.lines(&change.name, &release);
        // The section that holds one of those that ask for it, else the one with the most gems.
        let renamed: HashMap<&str, &str> =
            changes.iter().map(|other| (other.name.as_str(), other.to.as_str())).collect();
        let asks_for_it = |name: &str, version: &str| {
            let to = renamed.get(name).copied().unwrap_or(version);
            self.release(name, to, "").is_ok_and(|r| r.requires.iter().any(|need| need.name == change.name))
        };
        let listed = self.inventory.packages.iter().filter(|p| matches!(p.origin, Origin::Registry(_)));
        let home =
            listed.clone().find(|p| asks_for_it(&p.name, &p.version)).or_else(|| listed.clone().next());
        let Some(home) = home else { return Err(EditError::NoSection(change.name.clone())) };
        let section: Vec<_> = listed.filter(|p| p.origin == home.origin).collect();
        let before = section.iter().rfind(|p| format!("{}-{}", p.name, p.version) < gem.full);
        let at = match before {
            Some(package) => self.stretch(package.span.0 as usize).1,
            None => self.stretch(section[0].span.0 as usize).0,
        };
        self.replace(at, at, gem.lines);
        let key = format!("{} ({})", change.name, full_version(&release.version, &release.platform));
        self.sums.entry(String::new()).or_default().push((key, release.checksum));
        Ok(())
    }

    /// A gem's line and the lines of what it asks for: whole lines, by the place of its name.
    fn stretch(&self, at: usize) -> (usize, usize) {
        let start = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let mut end = self.line_end(at);
        while self.text[end..].starts_with("      ") && end < self.text.len() {
            end = self.line_end(end);
        }
        (start, end)
    }

    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |n| at + n + 1)
    }

    fn lines(&self, name: &str, release: &Release) -> Gem {
        let version = full_version(&release.version, &release.platform);
        let mut lines = format!("    {name} ({version}){}", self.newline);
        let mut requires: Vec<String> = release.requires.iter().map(as_locked).collect();
        requires.sort();
        requires.dedup();
        for required in requires {
            lines += &format!("      {required}{}", self.newline);
        }
        Gem { full: format!("{name}-{version}"), lines }
    }

    /// Changes the list of checksums, where the file has one.
    fn checksums(&mut self) {
        let Some(at) = self.text.find("\nCHECKSUMS") else { return };
        let mut line = self.line_end(at + 1);
        let start = line;
        let mut entries: Vec<(String, String)> = Vec::new();
        while self.text[line..].starts_with("  ") {
            let end = self.line_end(line);
            let whole = &self.text[line..end];
            let key = whole.trim().split_inclusive(')').next().unwrap_or_default().to_owned();
            match self.sums.remove(&key) {
                None => entries.push((key, whole.to_owned())),
                Some(new) => {
                    entries.extend(new.into_iter().map(|(key, sum)| (key.clone(), self.sum_line(&key, &sum))))
                }
            }
            line = end;
        }
        let added = self.sums.remove("").unwrap_or_default();
        for (key, sum) in added {
            let text = self.sum_line(&key, &sum);
            let place = entries.iter().position(|(other, _)| *other > key).unwrap_or(entries.len());
            entries.insert(place, (key, text));
        }
        entries.dedup_by(|(a, _), (b, _)| a == b);
        let text: String = entries.into_iter().map(|(_, line)| line).collect();
        if text != self.text[start..line] {
            self.replace(start, line, text);
        }
    }

    fn sum_line(&self, key: &str, sum: &str) -> String {
        match sum {
            "" => format!("  {key}{}", self.newline),
            sum => format!("  {key} {}{}", sum.replacen(':', "=", 1), self.newline),
        }
    }
}

fn full_version(version: &str, platform: &str) -> String {
    match platform {
        "" => version.to_owned(),
        platform => format!("{version}-{platform}"),
    }
}

/// `name (~> 2.0, >= 2.0.1)` in Bundler's order: the comparisons sorted as texts, last first.
fn as_locked(required: &Requirement) -> String {
    let mut parts: Vec<String> =
        required.range.split(',').map(|part| part.trim().to_owned()).filter(|p| !p.is_empty()).collect();
    // `>= 0` asks for nothing.
    let takes_all = parts.len() == 1
        && parts[0].strip_prefix(">=").is_some_and(|v| {
            crate::version::compare(Ecosystem::RubyGems, v.trim(), "0").is_some_and(std::cmp::Ordering::is_eq)
        });
    if parts.is_empty() || takes_all {
        return required.name.clone();
    }
    parts.sort();
    parts.reverse();
    format!("{} ({})", required.name, parts.join(", "))
}
