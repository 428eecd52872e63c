//! Pipenv: `Pipfile` and `Pipfile.lock`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::document::Node;
use super::python::{normal, pinned};
use super::reading::Reading;
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin, Package};

pub const FORMATS: &[Format] = &[
    Format {
        name: "Pipfile.lock",
        ecosystem: Ecosystem::PyPi,
        locks: true,
        matches: |path| file_name(path) == "Pipfile.lock",
        read: read_lock,
    },
    Format {
        name: "Pipfile",
        ecosystem: Ecosystem::PyPi,
        locks: false,
        matches: |path| file_name(path) == "Pipfile",
        read: read_manifest,
    },
];

fn read_lock(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::json(file, bytes, |reading, root| {
        let everywhere: FxHashMap<&str, &str> = root
            .entries_of("default")
            .iter()
            .map(|(name, node)| (&*name.text, node.text_of("version")))
            .collect();
        for (section, entries) in root.entries() {
            let group = match &*section.text {
                "_meta" => {
                    meta(reading, entries);
                    continue;
                }
                "default" => "",
                "develop" => "dev",
                other => other,
            };
            for (name, node) in entries.entries() {
                let name_normal = normal(&name.text);
                // What is in both is needed everywhere.
                if !group.is_empty() && everywhere.get(&*name.text) == Some(&node.text_of("version")) {
                    continue;
                }
                // The first lockfiles have the version alone.
                let written = if node.is_map() { node.text_of("version") } else { node.text() };
                let version = pinned(written).unwrap_or_default();
                let mut package = Package::new(Ecosystem::PyPi, name_normal, version, name.span);
                package.checksum = node.items_of("hashes").first().map_or("", Node::text).to_owned();
                package.origin = origin(node);
                if !group.is_empty() {
                    package.groups.push(group.to_owned());
                }
                if matches!(package.origin, Origin::Path(_)) {
                    continue;
                }
                // Pipenv names the index of what the project itself asks for.
                package.direct = node.get("index").is_some() || matches!(package.origin, Origin::Git { .. });
                reading.package(package);
            }
        }
    })
}

fn meta(reading: &mut Reading<'_>, meta: &Node<'_>) {
    for source in meta.items_of("sources") {
        if let Some(url) = source.get("url") {
            reading.source(url.text(), url.span);
        }
    }
    if let Some(requires) = meta.get("requires") {
        runtime(reading, requires);
    }
}

fn runtime(reading: &mut Reading<'_>, requires: &Node<'_>) {
    match requires.text_of("python_full_version") {
        "" => reading.runtime("python", requires.text_of("python_version")),
        full => reading.runtime("python", full),
    }
}

fn origin(node: &Node<'_>) -> Origin {
    if let Some(git) = node.get("git") {
        let reference = node.text_of("ref").to_owned();
        let commit = reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
        let (revision, reference) =
            if commit { (reference, String::new()) } else { (String::new(), reference) };
        return Origin::Git { url: git.text().to_owned(), revision, reference };
    }
    match (node.text_of("path"), node.text_of("file")) {
        ("", "") => Origin::Registry(String::new()),
        ("", file) => Origin::Url(file.to_owned()),
        (path, _) => Origin::Path(path.to_owned()),
    }
}

fn read_manifest(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::toml(file, bytes, |reading, root| {
        for source in root.items_of("source") {
            if let Some(url) = source.get("url") {
                reading.source(url.text(), url.span);
            }
        }
        for (section, group) in [("packages", ""), ("dev-packages", "dev")] {
            for (name, node) in root.entries_of(section) {
                let range = if node.is_map() { node.text_of("version") } else { node.text() };
                let mut ask = Dependency::new(normal(&name.text), range, name.span).in_group(group);
                ask.origin = origin(node);
                reading.ask(ask);
            }
        }
        if let Some(requires) = root.get("requires") {
            runtime(reading, requires);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockfile_and_its_manifest() {
        let text = r#"{"_meta": {"requires": {"python_version": "3.8"}, "sources": [{"url": "http://pypi.x.test/simple"}]},
            "default": {"foo": {"version": "==1.0", "hashes": ["sha256:aa", "sha256:bb"], "index": "pypi"},
                        "git_dep": {"git": "https://x.test/g.git", "ref": "0123456789abcdef0123456789abcdef01234567"}},
            "develop": {"foo": {"version": "==1.0"}, "bar": {"version": "==2.0"}}}"#;
        let path: Arc<str> = "Pipfile.lock".into();
        let found = read_lock(&path, text.as_bytes());
        let told: Vec<_> = found
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.direct, p.groups.len()))
            .collect();
        assert_eq!(told, [("foo", "1.0", true, 0), ("git-dep", "", true, 0), ("bar", "2.0", false, 1)]);
        assert_eq!(found.runtimes, [("python".to_owned(), "3.8".to_owned())]);
        assert_eq!(found.sources.len(), 1);
        let text = "[packages]\nfoo = \"*\"\nbar = {version = \">1\", extras = [\"x\"]}\n[dev-packages]\nbaz = {git = \"https://x.test/b\", ref = \"main\"}\n";
        let found = read_manifest(&path, text.as_bytes());
        assert_eq!(found.asks.len(), 3);
        assert_eq!(found.asks[1].requirement.range, ">1");
        assert_eq!(found.asks[2].groups, ["dev"]);
    }
}
