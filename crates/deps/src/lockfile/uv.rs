//! uv's `uv.lock`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::document::Node;
use super::python::{normal, registry};
use super::reading::{Reading, spread};
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[Format {
    name: "uv.lock",
    ecosystem: Ecosystem::PyPi,
    locks: true,
    matches: |path| file_name(path) == "uv.lock",
    read,
}];

fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::toml(file, bytes, |reading, root| {
        reading.runtime("python", root.text_of("requires-python"));
        let mut index: FxHashMap<String, Vec<(String, usize)>> = FxHashMap::default();
        let mut nodes: Vec<&Node<'_>> = Vec::new();
        let mut own: Vec<&Node<'_>> = Vec::new();
        for node in root.items_of("package") {
            let source = node.get("source");
            let said = |kind: &str| source.map_or("", |s| s.text_of(kind));
            if ["editable", "virtual", "directory"].iter().any(|k| !said(k).is_empty()) {
                own.push(node);
                continue;
            }
            let at = node.get("name").map_or(node.span, |n| n.span);
            let name = normal(node.text_of("name"));
            let mut package = Package::new(Ecosystem::PyPi, name.clone(), node.text_of("version"), at);
            package.origin = match (said("git"), said("url"), said("path")) {
                ("", "", "") => registry(said("registry")),
                ("", "", path) => Origin::Path(path.to_owned()),
                ("", url, _) => Origin::Url(url.to_owned()),
                (git, ..) => repository(git),
            };
            package.checksum = std::iter::once(node.at(&["sdist", "hash"]))
                .chain(node.items_of("wheels").iter().map(|w| w.get("hash")))
                .flatten()
                .map(Node::text)
                .find(|h| !h.is_empty())
                .unwrap_or("")
                .to_owned();
            for need in node.items_of("dependencies") {
                package
                    .requires
                    .push(Requirement::new(normal(need.text_of("name")), need.text_of("version")));
            }
            let version = package.version.clone();
            if let Some(at) = reading.package(package) {
                index.entry(name).or_default().push((version, at));
                nodes.push(node);
            }
        }
        let targets = |list: &[Node<'_>]| -> Vec<usize> {
            let mut out = Vec::new();
            for need in list {
                let Some(candidates) = index.get(&normal(need.text_of("name"))) else { continue };
                let version = need.text_of("version");
                // A fork for another platform has the version written beside the name.
                let meant = candidates.iter().filter(|(v, _)| version.is_empty() || v == version);
                out.extend(meant.map(|(_, i)| *i).take(64));
            }
            out
        };
        let edges: Vec<Vec<usize>> = nodes
            .iter()
            .map(|node| {
                let mut all = targets(node.items_of("dependencies"));
                for (_, extra) in node.entries_of("optional-dependencies") {
                    all.extend(targets(extra.items()));
                }
                all
            })
            .collect();
        let mut roots = Vec::new();
        for node in own {
            let mut add = |list: &[Node<'_>], group: &str| {
                roots.extend(targets(list).into_iter().map(|i| (i, group.to_owned())));
            };
            add(node.items_of("dependencies"), "");
            for table in ["optional-dependencies", "dev-dependencies"] {
                for (group, list) in node.entries_of(table) {
                    add(list.items(), &group.text);
                }
            }
            let ask = |reading: &mut Reading<'_>, list: &[Node<'_>], group: &str| {
                for need in list {
                    let (name, range) = (normal(need.text_of("name")), need.text_of("specifier"));
                    if need.get("editable").is_none() && need.get("virtual").is_none() {
                        reading.ask(Dependency::new(name, range, need.span).in_group(group));
                    }
                }
            };
            if let Some(metadata) = node.get("metadata") {
                ask(reading, metadata.items_of("requires-dist"), "");
                for (group, list) in metadata.entries_of("requires-dev") {
                    ask(reading, list.items(), &group.text);
                }
            }
        }
        spread(&mut reading.found.packages, &edges, &roots);
        reading.found.needs = edges;
    })
}

fn repository(words: &str) -> Origin {
    let (base, revision) = words.split_once('#').unwrap_or((words, ""));
    let (url, query) = base.split_once('?').unwrap_or((base, ""));
    let reference = query.split('&').filter_map(|q| q.split_once('=')).find(|(k, _)| *k != "subdirectory");
    Origin::Git {
        url: url.to_owned(),
        revision: revision.to_owned(),
        reference: reference.map_or("", |(_, v)| v).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockfile() {
        let text = "version = 1\nrequires-python = \">=3.12\"\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\ndependencies = [{ name = \"foo\" }]\n\n[package.dev-dependencies]\ndev = [{ name = \"bar\" }]\n\n[package.metadata]\nrequires-dist = [{ name = \"foo\", specifier = \">=1\" }]\n\n[package.metadata.requires-dev]\ndev = [{ name = \"bar\", specifier = \"~=2.0\" }]\n\n[[package]]\nname = \"foo\"\nversion = \"1.0\"\nsource = { registry = \"https://pypi.org/simple\" }\ndependencies = [{ name = \"baz\", marker = \"sys_platform == 'win32'\" }]\nsdist = { url = \"https://x\", hash = \"sha256:aa\" }\n\n[[package]]\nname = \"bar\"\nversion = \"2.0\"\nsource = { git = \"https://x.test/bar?rev=v2#0123\" }\ndependencies = [{ name = \"baz\" }, { name = \"qux\" }]\n\n[[package]]\nname = \"baz\"\nversion = \"3.0\"\nsource = { registry = \"https://pypi.x.test/simple\" }\nwheels = [{ url = \"u\", hash = \"sha256:cc\" }]\n\n[[package]]\nname = \"qux\"\nversion = \"4.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n";
        let path: Arc<str> = "uv.lock".into();
        let found = read(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> = found
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.direct, p.groups.join(","), p.checksum.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("foo", true, String::new(), "sha256:aa"),
                ("bar", true, "dev".into(), ""),
                ("baz", false, String::new(), "sha256:cc"),
                ("qux", false, "dev".into(), "")
            ]
        );
        assert_eq!(
            found.packages[1].origin,
            Origin::Git { url: "https://x.test/bar".into(), revision: "0123".into(), reference: "v2".into() }
        );
        assert_eq!(found.packages[2].origin, Origin::Registry("https://pypi.x.test/simple".into()));
        assert_eq!(found.asks.len(), 2);
    }
}
