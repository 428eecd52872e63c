//! pnpm: `pnpm-lock.yaml` of every version. What names a package changed thrice: `/name/1.0.0` to
//! version 5, `/name@1.0.0` in 6, `name@1.0.0` in 9, each with the peers that it was built for behind it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::document::Node;
use super::npm::{address, specifier};
use super::reading::{Reading, spread};
use super::{Format, file_name};
use crate::{Dependency, Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[Format {
    name: "pnpm-lock.yaml",
    ecosystem: Ecosystem::Npm,
    locks: true,
    matches: |path| matches!(file_name(path), "pnpm-lock.yaml" | "shrinkwrap.yaml"),
    read: |file, bytes| Reading::yaml(file, bytes, document),
}];

const LISTS: [(&str, &str); 3] =
    [("dependencies", ""), ("devDependencies", "dev"), ("optionalDependencies", "optional")];

fn document(reading: &mut Reading<'_>, root: &Node<'_>) {
    let mut index: FxHashMap<(String, String), usize> = FxHashMap::default();
    let mut keys: FxHashMap<&str, usize> = FxHashMap::default();
    for (key, node) in root.entries_of("packages") {
        let (mut name, mut version) = split_key(&key.text);
        if !node.text_of("name").is_empty() {
            name = node.text_of("name");
        }
        if !node.text_of("version").is_empty() {
            version = node.text_of("version");
        }
        let same = (name.to_owned(), version.to_owned());
        // The same package for other peers.
        if let Some(known) = index.get(&same) {
            keys.insert(&key.text, *known);
            continue;
        }
        let mut package = Package::new(Ecosystem::Npm, name, version, key.span);
        let resolution = node.get("resolution");
        let said = |field: &str| resolution.map_or("", |r| r.text_of(field));
        // A runtime has one archive for each system.
        let variant =
            resolution.and_then(|r| r.items_of("variants").first()).and_then(|v| v.get("resolution"));
        package.checksum = match said("integrity") {
            "" => variant.map_or("", |v| v.text_of("integrity")).to_owned(),
            integrity => integrity.to_owned(),
        };
        package.install_script = node.flag("requiresBuild");
        if said("type") == "git" {
            package.origin = Origin::Git {
                url: said("repo").to_owned(),
                revision: said("commit").to_owned(),
                reference: String::new(),
            };
        } else if said("type") == "directory" {
            continue;
        } else if said("tarball").starts_with("file:") {
            package.origin = Origin::Path(said("tarball")["file:".len()..].to_owned());
        } else if !said("tarball").is_empty() {
            package.origin = match said("tarball").contains("/-/") {
                true => super::npm::resolved(said("tarball")),
                false => address(said("tarball")).unwrap_or(package.origin),
            };
        }
        if !package.version.starts_with(|c: char| c.is_ascii_digit()) {
            package.version = String::new();
        }
        if let Some(at) = reading.package(package) {
            index.insert(same, at);
            keys.insert(&key.text, at);
        }
    }
    // From version 9 on, what a package needs stands apart from what it is.
    let needing = if root.get("snapshots").is_some() { "snapshots" } else { "packages" };
    let lookup = |name: &str, version: &str| -> Option<usize> {
        let plain = version.split('(').next().unwrap_or(version);
        let tries = [
            version.to_owned(),
            format!("/{name}/{version}"),
            format!("/{name}@{version}"),
            format!("{name}@{plain}"),
            plain.to_owned(),
            format!("/{name}@{plain}"),
        ];
        tries.iter().find_map(|t| keys.get(t.as_str())).copied().or_else(|| {
            let (real, version) = split_key(version);
            index.get(&(real.to_owned(), version.to_owned())).copied()
        })
    };
    let mut edges = vec![Vec::new(); reading.found.packages.len()];
    let mut linked = FxHashSet::default();
    for (key, node) in root.entries_of(needing) {
        let at = keys.get(&*key.text).copied().or_else(|| {
            let plain = key.text.split('(').next().unwrap_or(&key.text);
            keys.get(plain).copied()
        });
        let Some(at) = at else { continue };
        for list in ["dependencies", "optionalDependencies"] {
            for (name, version) in node.entries_of(list) {
                let Some(to) = lookup(&name.text, version.text()) else { continue };
                if linked.insert((at, to)) {
                    edges[at].push(to);
                    let target = &reading.found.packages[to];
                    let requirement = Requirement::new(target.name.clone(), target.version.clone());
                    reading.found.packages[at].requires.push(requirement);
                }
            }
        }
    }
    let mut roots = Vec::new();
    let importers: Vec<&Node<'_>> = match root.get("importers") {
        Some(importers) => importers.entries().iter().map(|(_, n)| n).collect(),
        None => vec![root],
    };
    for importer in importers {
        let specifiers: FxHashMap<&str, &str> =
            importer.entries_of("specifiers").iter().map(|(n, s)| (&*n.text, s.text())).collect();
        for (list, group) in LISTS {
            for (name, node) in importer.entries_of(list) {
                let (range, version) = match node.is_map() {
                    true => (node.text_of("specifier"), node.text_of("version")),
                    false => (specifiers.get(&*name.text).copied().unwrap_or(""), node.text()),
                };
                let (real, range, origin) = specifier(&name.text, range);
                let mut ask = Dependency::new(real, range, name.span).in_group(group);
                ask.origin = match version.strip_prefix("link:") {
                    Some(folder) => Origin::Path(folder.to_owned()),
                    None => origin,
                };
                reading.ask(ask);
                roots.extend(lookup(&name.text, version).map(|i| (i, group.to_owned())));
            }
        }
    }
    spread(&mut reading.found.packages, &edges, &roots);
    reading.found.needs = edges;
}

/// The name and version in a key: without a leading slash or a registry's host, and without the peers.
fn split_key(key: &str) -> (&str, &str) {
    let key = key.strip_prefix('/').unwrap_or(key);
    let key = key.split('(').next().unwrap_or(key);
    // `@` behind the name tells the later form; a scope's own stands in front.
    if let Some(at) = key.get(1..).and_then(|rest| rest.find('@')).map(|i| i + 1)
        && key[..at].matches('/').count() <= usize::from(key.starts_with('@'))
    {
        return (&key[..at], &key[at + 1..]);
    }
    let (path, version) = key.rsplit_once('/').unwrap_or((key, ""));
    let scope = path.rfind("/@").map(|i| i + 1);
    let name = match scope {
        Some(at) => &path[at..],
        None if path.starts_with('@') => path,
        None => path.rsplit('/').next().unwrap_or(path),
    };
    (name, version.split('_').next().unwrap_or(version))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Inventory;
    use super::*;

    fn read(text: &str) -> Inventory {
        let path: Arc<str> = "pnpm-lock.yaml".into();
        (FORMATS[0].read)(&path, text.as_bytes())
    }

    #[test]
    fn keys_of_all_ages() {
        assert_eq!(split_key("/a/1.0.0"), ("a", "1.0.0"));
        assert_eq!(split_key("/@s/a/1.0.0_b@2.0.0"), ("@s/a", "1.0.0"));
        assert_eq!(split_key("/a/1.0.0_@s+b@2.0.0"), ("a", "1.0.0"));
        assert_eq!(split_key("/@s/a@1.0.0(b@2.0.0)(c@1)"), ("@s/a", "1.0.0"));
        assert_eq!(split_key("a@1.0.0-rc.1"), ("a", "1.0.0-rc.1"));
        assert_eq!(split_key("registry.x.test/@s/a/1.0.0"), ("@s/a", "1.0.0"));
        assert_eq!(split_key("a_b@1.0.0"), ("a_b", "1.0.0"));
    }

    #[test]
    fn version_9() {
        let text = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.2.0(c@3.0.0)\n    devDependencies:\n      d:\n        specifier: ^4\n        version: 4.0.0\n      e:\n        specifier: workspace:*\n        version: link:../e\n\npackages:\n\n  a@1.2.0:\n    resolution: {integrity: sha512-aa==}\n    peerDependencies:\n      c: '*'\n\n  b@2.0.0:\n    resolution: {integrity: sha512-bb==}\n\n  c@3.0.0:\n    resolution: {integrity: sha512-cc==}\n\n  d@4.0.0:\n    resolution: {integrity: sha512-dd==}\n\n  g@https://codeload.github.com/o/g/tar.gz/0123456789abcdef0123456789abcdef01234567:\n    resolution: {tarball: https://codeload.github.com/o/g/tar.gz/0123456789abcdef0123456789abcdef01234567}\n    version: 0.0.1\n\nsnapshots:\n\n  a@1.2.0(c@3.0.0):\n    dependencies:\n      b: 2.0.0\n      c: 3.0.0\n\n  b@2.0.0: {}\n\n  c@3.0.0: {}\n\n  d@4.0.0:\n    dependencies:\n      b: 2.0.0\n      g: https://codeload.github.com/o/g/tar.gz/0123456789abcdef0123456789abcdef01234567\n";
        let found = read(text);
        assert_eq!(found.problems, []);
        let of = |name: &str| found.packages.iter().find(|p| p.name == name).unwrap();
        assert_eq!(found.packages.len(), 5);
        assert!(of("a").direct && of("d").direct && !of("b").direct);
        assert_eq!(of("a").requires, [Requirement::new("b", "2.0.0"), Requirement::new("c", "3.0.0")]);
        assert_eq!((&of("b").groups[..], &of("d").groups[..]), (&[][..], &["dev".to_owned()][..]));
        assert_eq!((of("g").version.as_str(), &of("g").groups[..]), ("0.0.1", &["dev".to_owned()][..]));
        assert!(matches!(&of("g").origin, Origin::Git { url, .. } if url == "https://github.com/o/g"));
        assert_eq!(found.asks.len(), 3);
        assert_eq!(found.asks[2].origin, Origin::Path("../e".into()));
    }

    #[test]
    fn version_5_and_6() {
        let five = "lockfileVersion: 5.4\nspecifiers:\n  a: ^1.0.0\ndependencies:\n  a: 1.2.0_c@3.0.0\npackages:\n  /a/1.2.0_c@3.0.0:\n    resolution: {integrity: sha512-aa==}\n    requiresBuild: true\n    dependencies:\n      '@s/b': 2.0.0\n    dev: false\n  /@s/b/2.0.0:\n    resolution: {integrity: sha512-bb==}\n    dev: false\n";
        let six = five
            .replace("/a/1.2.0_c@3.0.0", "/a@1.2.0(c@3.0.0)")
            .replace("/@s/b/2.0.0", "/@s/b@2.0.0")
            .replace("a: 1.2.0_c@3.0.0", "a:\n    specifier: ^1.0.0\n    version: 1.2.0(c@3.0.0)")
            .replace("specifiers:\n  a: ^1.0.0\n", "");
        for text in [five, &six] {
            let found = read(text);
            assert_eq!(found.problems, []);
            let names: Vec<_> =
                found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str(), p.direct)).collect();
            assert_eq!(names, [("a", "1.2.0", true), ("@s/b", "2.0.0", false)], "{text}");
            assert!(found.packages[0].install_script);
            assert_eq!(found.asks[0].requirement, Requirement::new("a", "^1.0.0"));
            assert_eq!(found.packages[0].requires, [Requirement::new("@s/b", "2.0.0")]);
        }
    }
}
