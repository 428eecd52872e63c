//! bun: the lockfile in text, `bun.lock`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::document::{Node, Value};
use super::npm::{LISTS, address, asks, split_descriptor};
use super::reading::{Reading, spread};
use super::{Format, Inventory, file_name};
use crate::{Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[Format {
    name: "bun.lock",
    ecosystem: Ecosystem::Npm,
    locks: true,
    matches: |path| file_name(path) == "bun.lock",
    read,
}];

fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::json(file, bytes, |reading, root| {
        let mut keys: FxHashMap<&str, usize> = FxHashMap::default();
        let mut needs: Vec<(&str, Vec<&str>)> = Vec::new();
        for (key, node) in root.entries_of("packages") {
            let parts = node.items();
            let Some(first) = parts.first() else { continue };
            let (name, version) = split_descriptor(first.text());
            if version.starts_with("workspace:")
                || version.starts_with("link:")
                || version.starts_with("root:")
            {
                continue;
            }
            let mut package = Package::new(Ecosystem::Npm, name, version, key.span);
            if !version.starts_with(|c: char| c.is_ascii_digit()) {
                package.version = String::new();
                package.origin = match address(version) {
                    Some(origin) => origin,
                    None => Origin::Path(version.trim_start_matches("file:").to_owned()),
                };
            } else if let Some(registry) = parts.get(1).map(Node::text)
                && !registry.is_empty()
            {
                package.origin = super::npm::resolved(registry);
            }
            if let Some(last) = parts.last().map(Node::text)
                && last.contains('-')
                && last.starts_with("sha")
            {
                package.checksum = last.to_owned();
            }
            let mut wanted = Vec::new();
            if let Some(info) = parts.iter().find(|p| matches!(p.value, Value::Map(_))) {
                for list in ["dependencies", "optionalDependencies"] {
                    for (name, range) in info.entries_of(list) {
                        package.requires.push(Requirement::new(&*name.text, range.text()));
                        wanted.push(&*name.text);
                    }
                }
            }
            if let Some(index) = reading.package(package) {
                keys.insert(&key.text, index);
                needs.push((&key.text, wanted));
            }
        }
        let edges: Vec<Vec<usize>> = needs
            .iter()
            .map(|(key, wanted)| wanted.iter().filter_map(|name| found_from(&keys, key, name)).collect())
            .collect();
        let mut roots = Vec::new();
        for (_, workspace) in root.entries_of("workspaces") {
            asks(reading, workspace);
            let own = workspace.text_of("name");
            for (list, group) in LISTS {
                for (name, _) in workspace.entries_of(list) {
                    roots.extend(found_from(&keys, own, &name.text).map(|i| (i, group.to_owned())));
                }
            }
        }
        spread(&mut reading.found.packages, &edges, &roots);
        reading.found.needs = edges;
    })
}

/// As bun lays packages out: beside the one that asks, then beside those above it.
fn found_from(keys: &FxHashMap<&str, usize>, from: &str, name: &str) -> Option<usize> {
    let mut from = from;
    if from.len() > 4096 {
        return None;
    }
    while !from.is_empty() {
        if let Some(index) = keys.get(format!("{from}/{name}").as_str()) {
            return Some(*index);
        }
        from = from.rsplit_once('/').map_or("", |(above, _)| above);
    }
    keys.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockfile() {
        let text = r#"{
          "lockfileVersion": 1,
          "workspaces": {
            "": {"name": "shop", "dependencies": {"a": "^1"}, "devDependencies": {"d": "4"},},
          },
          "packages": {
            "a": ["a@1.2.0", "", {"dependencies": {"b": "^2"}}, "sha512-aa=="],
            "b": ["b@1.0.0", "", {}, "sha512-b1=="],
            "a/b": ["b@2.0.0", "", {}, "sha512-b2=="],
            "d": ["d@4.0.0", "https://npm.x.test/d/-/d-4.0.0.tgz", {"dependencies": {"b": "1"}}, "sha512-dd=="],
            "g": ["g@github:o/g#0123456", {"dependencies": {}}, "o-g-0123456"],
            "ui": ["ui@workspace:packages/ui"],
          }
        }"#;
        let path: Arc<str> = "bun.lock".into();
        let found = read(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> = found
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.direct, p.groups.join(",")))
            .collect();
        let dev = || "dev".to_owned();
        let all = String::new;
        assert_eq!(
            told,
            [
                ("a", "1.2.0", true, all()),
                ("b", "1.0.0", false, dev()),
                ("b", "2.0.0", false, all()),
                ("d", "4.0.0", true, dev()),
                ("g", "", false, all())
            ]
        );
        assert_eq!(found.packages[3].origin, Origin::Registry("https://npm.x.test".into()));
        assert_eq!(found.packages[2].checksum, "sha512-b2==");
    }
}
