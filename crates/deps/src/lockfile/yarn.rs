//! Yarn: the lockfile of version 1, which has a language of its own, and of the later ones, which is YAML.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::document::Node;
use super::npm::{address, resolved, specifier, split_descriptor};
use super::reading::{Reading, shown, span, spread};
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[Format {
    name: "yarn.lock",
    ecosystem: Ecosystem::Npm,
    locks: true,
    matches: |path| file_name(path) == "yarn.lock",
    read,
}];

fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    let later = bytes.starts_with(b"__metadata:") || memchr::memmem::find(bytes, b"\n__metadata:").is_some();
    match later {
        true => Reading::yaml(file, bytes, read_later),
        false => Reading::of(file, bytes, read_first),
    }
}

/// Version 1: a line that names descriptors, then indented lines with what they were resolved to.
fn read_first(reading: &mut Reading<'_>) {
    let mut package: Option<Package> = None;
    let mut header = "";
    let mut descriptors: FxHashMap<String, usize> = FxHashMap::default();
    let mut within = false;
    let mut told = false;
    for (at, line) in reading.lines() {
        if reading.full {
            break;
        }
        let words = line.trim_start();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        let indent = line.len() - words.len();
        if indent == 0 {
            finish(reading, package.take(), header, &mut descriptors);
            within = false;
            let Some(named) = words.strip_suffix(':') else {
                if !told {
                    reading.problem(at, "A line at the margin must name packages and end with a colon.");
                }
                told = true;
                continue;
            };
            header = named;
            let first = header.split(',').next().unwrap_or(header).trim().trim_matches('"');
            let (name, range) = split_descriptor(first);
            let (name, _, origin) = specifier(name, range);
            let mut next = Package::new(Ecosystem::Npm, name, "", span(at, at + header.len()));
            next.origin = origin;
            package = Some(next);
            continue;
        }
        let Some(package) = &mut package else { continue };
        let (key, value) = pair(words);
        match (indent, key) {
            (2, "version") => {
                within = false;
                package.version = value.to_owned();
            }
            (2, "resolved") => {
                within = false;
                if let Some(path) = value.strip_prefix("file:") {
                    package.origin = Origin::Path(path.to_owned());
                } else if value.contains("/-/") {
                    package.origin = resolved(value.split('#').next().unwrap_or(value));
                    if let Some((_, hash)) = value.split_once('#')
                        && package.checksum.is_empty()
                    {
                        package.checksum = format!("sha1:{hash}");
                    }
                } else if let Some(origin) = address(value) {
                    package.origin = origin;
                }
            }
            (2, "integrity") => {
                within = false;
                package.checksum = value.to_owned();
            }
            (2, _) => within = matches!(key, "dependencies:" | "optionalDependencies:"),
            (_, name) if within => package.requires.push(Requirement::new(name, value)),
            _ => {}
        }
    }
    finish(reading, package, header, &mut descriptors);
    // What a package asks for is the very text by which the lockfile names another.
    let lookup = |r: &Requirement| descriptors.get(&format!("{}@{}", r.name, r.range)).copied();
    let packages = &reading.found.packages;
    reading.found.needs = packages.iter().map(|p| p.requires.iter().filter_map(lookup).collect()).collect();
}

fn finish(
    reading: &mut Reading<'_>,
    package: Option<Package>,
    header: &str,
    descriptors: &mut FxHashMap<String, usize>,
) {
    let Some(package) = package else { return };
    if matches!(package.origin, Origin::Path(_)) {
        return;
    }
    if package.version.is_empty() {
        let message = format!("`{}` has no version.", shown(&package.name));
        reading.problem(package.span.0 as usize, message);
        return;
    }
    if let Some(index) = reading.package(package) {
        let named = header.split(',').map(|d| d.trim().trim_matches('"').to_owned());
        descriptors.extend(named.map(|d| (d, index)));
    }
}

/// A line's name and value, either of them perhaps in quotes.
fn pair(words: &str) -> (&str, &str) {
    let (key, value) = match words.strip_prefix('"') {
        Some(rest) => rest.split_once('"').unwrap_or((rest, "")),
        None => words.split_once(' ').unwrap_or((words, "")),
    };
    (key, value.trim().trim_matches('"'))
}

/// Version 2 and later: a mapping from descriptors to what they were resolved to.
fn read_later(reading: &mut Reading<'_>, root: &Node<'_>) {
    // The lockfile names packages by what asks for them; those are its edges.
    let mut descriptors: FxHashMap<&str, usize> = FxHashMap::default();
    let mut needs: Vec<Vec<String>> = Vec::new();
    let mut asked: Vec<String> = Vec::new();
    for (key, node) in root.entries() {
        if key.text == "__metadata" || !node.is_map() {
            continue;
        }
        let (name, reference) = split_descriptor(node.text_of("resolution"));
        let wanted =
            node.entries_of("dependencies").iter().map(|(name, range)| descriptor(&name.text, range.text()));
        if reference.starts_with("workspace:") {
            for (name, range) in node.entries_of("dependencies") {
                if !range.text().starts_with("workspace:") {
                    let (real, range, origin) =
                        specifier(&name.text, range.text().trim_start_matches("npm:"));
                    let mut ask = Dependency::new(real, range, name.span);
                    ask.origin = origin;
                    reading.ask(ask);
                }
            }
            asked.extend(wanted);
            continue;
        }
        if reference.starts_with("link:") || reference.starts_with("portal:") {
            continue;
        }
        let mut package = Package::new(Ecosystem::Npm, name, node.text_of("version"), key.span);
        if !reference.starts_with("npm:") && !reference.starts_with("patch:") {
            package.origin = address(reference).unwrap_or(package.origin);
        }
        // It is taken over the archive that Yarn makes, not over the one that the registry has.
        package.checksum = node.text_of("checksum").to_owned();
        for (name, range) in node.entries_of("dependencies") {
            package.requires.push(Requirement::new(&*name.text, range.text().trim_start_matches("npm:")));
        }
        let wanted = wanted.collect();
        if let Some(index) = reading.package(package) {
            needs.push(wanted);
            for part in key.text.split(", ") {
                descriptors.insert(part, index);
            }
        }
    }
    // By what they replace: `name@patch:name@npm%3A1.0.0` and then where the patch is.
    let patches: FxHashMap<&str, usize> = descriptors
        .iter()
        .filter(|(key, _)| key.contains("@patch:"))
        .map(|(key, index)| (key.split('#').next().unwrap_or(key), *index))
        .collect();
    let lookup = |words: &String| {
        descriptors.get(words.as_str()).copied().or_else(|| {
            // A patched package is asked for by the descriptor that it replaces.
            let (name, range) = split_descriptor(words);
            let patched = format!("{name}@patch:{name}@{}", range.replace(':', "%3A"));
            patches.get(patched.as_str()).copied()
        })
    };
    let edges: Vec<Vec<usize>> = needs.iter().map(|n| n.iter().filter_map(lookup).collect()).collect();
    let roots: Vec<_> = asked.iter().filter_map(lookup).map(|i| (i, String::new())).collect();
    spread(&mut reading.found.packages, &edges, &roots);
    reading.found.needs = edges;
}

/// Older lockfiles leave `npm:` away among the dependencies, though never in the keys.
fn descriptor(name: &str, range: &str) -> String {
    match range.contains(':') {
        true => format!("{name}@{range}"),
        false => format!("{name}@npm:{range}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Inventory {
        let path: Arc<str> = "yarn.lock".into();
        read(&path, text.as_bytes())
    }

    #[test]
    fn version_1() {
        let text = "# yarn lockfile v1\n\n\n\"@a/b@^1.0.0\", \"@a/b@^1.1.0\":\n  version \"1.2.0\"\n  resolved \"https://registry.yarnpkg.com/@a/b/-/b-1.2.0.tgz#aabb\"\n  integrity sha512-zz==\n  dependencies:\n    c \"^2\"\n    \"@d/e\" \"*\"\n\nc@^2:\n  version \"2.0.0\"\n  resolved \"git+https://x.test/c.git#0123456789abcdef0123456789abcdef01234567\"\n\nf@npm:g@^1:\n  version \"1.0.0\"\n  resolved \"http://npm.x.test/g/-/g-1.0.0.tgz#cc\"\n";
        let found = read_text(text);
        assert_eq!(found.problems, []);
        assert_eq!(found.packages.len(), 3);
        let [b, c, g] = &found.packages[..] else { panic!() };
        assert_eq!(
            (b.name.as_str(), b.version.as_str(), b.checksum.as_str()),
            ("@a/b", "1.2.0", "sha512-zz==")
        );
        assert_eq!(found.needs, [vec![1], vec![], vec![]]);
        assert_eq!(b.requires, [Requirement::new("c", "^2"), Requirement::new("@d/e", "*")]);
        assert_eq!(b.origin, Origin::Registry(String::new()));
        assert!(matches!(&c.origin, Origin::Git { revision, .. } if revision.starts_with("0123")));
        assert_eq!((g.name.as_str(), g.checksum.as_str()), ("g", "sha1:cc"));
        assert_eq!(g.origin, Origin::Registry("http://npm.x.test".into()));
        assert_eq!(&text[b.span.0 as usize..b.span.1 as usize], "\"@a/b@^1.0.0\", \"@a/b@^1.1.0\"");
    }

    #[test]
    fn later_versions() {
        let text = "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"a@npm:^1.0.0, a@npm:^1.1.0\":\n  version: 1.2.0\n  resolution: \"a@npm:1.2.0\"\n  dependencies:\n    b: \"npm:^2\"\n  checksum: 10c0/abcd\n  languageName: node\n  linkType: hard\n\n\"b@npm:^2\":\n  version: 2.0.0\n  resolution: \"b@npm:2.0.0\"\n\n\"c@patch:c@npm%3A3.0.0#~/.yarn/patches/c.patch\":\n  version: 3.0.0\n  resolution: \"c@patch:c@npm%3A3.0.0#~/.yarn/patches/c.patch::version=3.0.0&hash=1\"\n\n\"shop@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"shop@workspace:.\"\n  dependencies:\n    a: \"npm:^1.0.0\"\n    c: \"npm:3.0.0\"\n";
        let found = read_text(text);
        assert_eq!(found.problems, []);
        let names: Vec<_> =
            found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str(), p.direct)).collect();
        assert_eq!(names, [("a", "1.2.0", true), ("b", "2.0.0", false), ("c", "3.0.0", true)]);
        assert_eq!(found.packages[0].checksum, "10c0/abcd");
        assert_eq!(found.needs, [vec![1], vec![], vec![]]);
        assert_eq!(found.asks.len(), 2);
    }
}
