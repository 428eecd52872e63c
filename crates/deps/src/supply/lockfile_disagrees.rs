//! Lockfiles that do not fit the manifest beside them.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};
use wardroom_model::Confidence;

use super::File;
use super::report::{Reporter, Sighting, named};
use crate::{Dependency, Ecosystem, Origin};

wardroom_model::rule! {
    /// The manifest asks for packages that the lockfile beside it does not hold, or for other versions than
    /// those that the lockfile was made for.
    ///
    /// ## Why it is bad
    ///
    /// The next install resolves anew: what is built is not what was reviewed and scanned. A lockfile that
    /// was changed by hand, without the manifest, is also a way to slip a package in.
    ///
    /// ## Example
    ///
    /// ```json
    /// {"dependencies": {"shop-ui": "^2.0.0"}}
    /// ```
    ///
    /// with a `package-lock.json` that was made for `"shop-ui": "^1.0.0"`.
    ///
    /// ## Use instead
    ///
    /// ```text
    /// npm install --package-lock-only
    /// npm ci
    /// ```
    ///
    /// and let the build use `npm ci`, `bundle install --frozen`, `cargo build --locked` or the like, which
    /// refuse such a lockfile.
    ///
    /// ## References
    ///
    /// - CWE-1357: Reliance on Insufficiently Trustworthy Component
    rule: "lockfile-disagrees", "Lockfile that does not fit its manifest", Libraries, 1357, Low
}

/// Pairs of a lockfile and the manifest that it is made from.
const PAIRS: [(&str, &str); 12] = [
    ("Gemfile.lock", "Gemfile"),
    ("gems.locked", "gems.rb"),
    ("package-lock.json", "package.json"),
    ("npm-shrinkwrap.json", "package.json"),
    ("yarn.lock", "package.json"),
    ("pnpm-lock.yaml", "package.json"),
    ("bun.lock", "package.json"),
    ("Cargo.lock", "Cargo.toml"),
    ("poetry.lock", "pyproject.toml"),
    ("Pipfile.lock", "Pipfile"),
    ("composer.lock", "composer.json"),
    ("pubspec.lock", "pubspec.yaml"),
];

/// Whether a line of a Gemfile stands at the margin and has no condition behind it.
fn unconditional(text: &[u8], at: usize) -> bool {
    let at = at.min(text.len());
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |i| i + 1);
    let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |i| at + i);
    let line = &text[start..end];
    let holds = |word: &[u8]| memchr::memmem::find(line, word).is_some();
    line.starts_with(b"gem") && !holds(b" if ") && !holds(b" unless ") && !holds(b"install_if")
}

/// What a lockfile repeats of the manifests, by name.
fn ranges(asks: &[Dependency]) -> FxHashMap<&str, Vec<&Dependency>> {
    let mut ranges: FxHashMap<&str, Vec<&Dependency>> = FxHashMap::default();
    for ask in asks {
        ranges.entry(&ask.requirement.name).or_default().push(ask);
    }
    ranges
}

/// The names that a `package.json` may give itself: every text under `"name"`.
fn names(text: &[u8]) -> impl Iterator<Item = &str> {
    let text = std::str::from_utf8(text).unwrap_or("");
    text.split("\"name\"").skip(1).filter_map(|rest| {
        let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        rest.split('"').next()
    })
}

/// One finding for each lockfile.
pub fn run(files: &[File<'_>], reporter: &mut Reporter) {
    let manifests = files.iter().filter(|f| f.format.name == "package.json");
    let members: FxHashSet<&str> = manifests.flat_map(|f| names(f.text)).collect();
    for lock in files {
        let Some((_, manifest)) = PAIRS.iter().find(|(name, _)| *name == lock.name()) else { continue };
        let beside = files.iter().find(|f| f.name() == *manifest && f.folder() == lock.folder());
        // What could only be read in part may hold what seems to be missing.
        let Some(manifest) =
            beside.filter(|m| m.inventory.problems.is_empty() && lock.inventory.problems.is_empty())
        else {
            continue;
        };
        // Members of a workspace are asked for like packages, and are folders: the lockfile repeats that they
        // are asked for, or a manifest among the files is theirs.
        let packages = lock.inventory.packages.iter().map(|p| &p.name);
        let repeated = lock.inventory.asks.iter().map(|a| &a.requirement.name);
        let held: BTreeSet<String> = packages.chain(repeated).map(|n| n.to_lowercase()).collect();
        let ranges = ranges(&lock.inventory.asks);
        let mut missing = Vec::new();
        let mut changed = Vec::new();
        for ask in &manifest.inventory.asks {
            // What may be left out, or is a folder, need not be locked.
            let optional = ask.groups.iter().any(|g| matches!(g.as_str(), "peer" | "optional" | "build"));
            let local =
                matches!(ask.origin, Origin::Path(_)) || ask.requirement.range.starts_with("catalog:");
            let name = &ask.requirement.name;
            if local || optional && lock.format.ecosystem != Ecosystem::Cargo {
                continue;
            }
            // A Gemfile is a program: what stands in a block or behind a condition may be passed over.
            if lock.format.ecosystem == Ecosystem::RubyGems
                && !unconditional(manifest.text, ask.span.0 as usize)
            {
                continue;
            }
            // Cargo's own packages stand in the lockfile without a source, and are not among the packages.
            if lock.format.ecosystem == Ecosystem::Cargo && ask.requirement.range.is_empty() {
                continue;
            }
            if !held.contains(&name.to_lowercase()) {
                if lock.format.ecosystem != Ecosystem::Npm || !members.contains(name.as_str()) {
                    missing.push(ask);
                }
            } else if lock.format.ecosystem == Ecosystem::Npm {
                // npm's lockfiles repeat what they were made for.
                let repeated = ranges.get(name.as_str());
                let same = |asked: &[&Dependency]| {
                    let fits = |a: &&&Dependency| {
                        a.requirement.range == ask.requirement.range || matches!(a.origin, Origin::Path(_))
                    };
                    asked.iter().take(100).find(fits).is_some()
                };
                if repeated.is_some_and(|asked| !same(asked)) {
                    changed.push(ask);
                }
            }
        }
        let (what, found) = match (&missing[..], &changed[..]) {
            ([], []) => continue,
            ([], changed) => ("was made for other versions of", changed),
            (missing, _) => ("does not hold", missing),
        };
        let names: Vec<&str> = found.iter().map(|a| a.requirement.name.as_str()).collect();
        reporter.report(Sighting {
            rule: rule(),
            file: manifest,
            span: found[0].span,
            key: names.join(" "),
            message: format!("`{}` {what} {}", lock.name(), named(names.into_iter())),
            remedy: "Make the lockfile anew, and let the build refuse one that does not fit.".to_owned(),
            confidence: Confidence::Medium,
            severity: None,
            package: None,
            places: found[1..].iter().map(|a| (manifest, a.span)).collect(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_gemfile() {
        let text = "gem \"a\"\nif x\n  gem \"b\"\nend\ngem \"c\" if ENV[\"C\"]\n";
        let told: Vec<bool> = ["\"a\"", "\"b\"", "\"c\""]
            .iter()
            .map(|w| unconditional(text.as_bytes(), text.find(w).unwrap()))
            .collect();
        assert_eq!(told, [true, false, false]);
    }
}
