//! Poetry's `poetry.lock`, of version 1 and 2.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::document::{Node, Value};
use super::python::{normal, registry};
use super::reading::Reading;
use super::{Format, Inventory, file_name};
use crate::{Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[Format {
    name: "poetry.lock",
    ecosystem: Ecosystem::PyPi,
    locks: true,
    matches: |path| file_name(path) == "poetry.lock",
    read,
}];

fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::toml(file, bytes, |reading, root| {
        let table = |name: &str| -> FxHashMap<&str, &[Node<'_>]> {
            let entries = root.at(&["metadata", name]).map_or(&[][..], Node::entries);
            entries.iter().map(|(name, node)| (&*name.text, node.items())).collect()
        };
        let (files, hashes) = (table("files"), table("hashes"));
        for node in root.items_of("package") {
            let name = node.text_of("name");
            let at = node.get("name").map_or(node.span, |n| n.span);
            let mut package = Package::new(Ecosystem::PyPi, normal(name), node.text_of("version"), at);
            let listed = match node.items_of("files") {
                [] => files.get(name).copied().unwrap_or_default(),
                own => own,
            };
            package.checksum = listed
                .iter()
                .map(|f| f.text_of("hash").to_owned())
                .chain(
                    hashes
                        .get(name)
                        .copied()
                        .unwrap_or_default()
                        .iter()
                        .map(|h| format!("sha256:{}", h.text())),
                )
                .find(|hash| !hash.is_empty())
                .unwrap_or_default();
            package.groups = groups(node);
            if let Some(source) = node.get("source") {
                package.origin = origin(source);
            }
            for (name, range) in node.entries_of("dependencies") {
                let range = match &range.value {
                    Value::Map(_) => range.text_of("version"),
                    Value::List(items) => items.first().map_or("", |i| i.text_of("version")),
                    _ => range.text(),
                };
                package.requires.push(Requirement::new(normal(&name.text), range));
            }
            reading.package(package);
        }
        reading.runtime("python", root.at(&["metadata", "python-versions"]).map_or("", Node::text));
    })
}

fn groups(node: &Node<'_>) -> Vec<String> {
    let mut groups: Vec<String> = node.items_of("groups").iter().map(|g| g.text().to_owned()).collect();
    if groups.is_empty() && !matches!(node.text_of("category"), "" | "main") {
        groups.push(node.text_of("category").to_owned());
    }
    if groups.iter().any(|g| g == "main") {
        groups.clear();
    }
    if groups.is_empty() && node.flag("optional") {
        groups.push("optional".to_owned());
    }
    groups
}

fn origin(source: &Node<'_>) -> Origin {
    let url = source.text_of("url");
    match source.text_of("type") {
        "git" => Origin::Git {
            url: url.to_owned(),
            revision: source.text_of("resolved_reference").to_owned(),
            reference: source.text_of("reference").to_owned(),
        },
        "directory" | "file" => Origin::Path(url.to_owned()),
        "url" => Origin::Url(url.to_owned()),
        _ => registry(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ages() {
        let text = "[[package]]\nname = \"Foo_Bar\"\nversion = \"1.0\"\noptional = false\ngroups = [\"main\", \"dev\"]\nfiles = [\n    {file = \"a.whl\", hash = \"sha256:aa\"},\n]\n\n[package.dependencies]\nbaz = {version = \">=2\", optional = true}\nqux = \"*\"\n\n[[package]]\nname = \"baz\"\nversion = \"2.0\"\ncategory = \"dev\"\noptional = false\n\n[package.source]\ntype = \"git\"\nurl = \"https://x.test/baz.git\"\nreference = \"HEAD\"\nresolved_reference = \"abc\"\n\n[metadata]\npython-versions = \"^3.9\"\n\n[metadata.files]\nbaz = [{file = \"b.whl\", hash = \"sha256:bb\"}]\n";
        let path: Arc<str> = "poetry.lock".into();
        let found = read(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let [foo, baz] = &found.packages[..] else { panic!() };
        assert_eq!((foo.name.as_str(), foo.checksum.as_str(), foo.groups.len()), ("foo-bar", "sha256:aa", 0));
        assert_eq!(foo.requires, [Requirement::new("baz", ">=2"), Requirement::new("qux", "*")]);
        assert_eq!((baz.checksum.as_str(), &baz.groups[..]), ("sha256:bb", &["dev".to_owned()][..]));
        assert!(matches!(&baz.origin, Origin::Git { revision, .. } if revision == "abc"));
        assert_eq!(found.runtimes, [("python".to_owned(), "^3.9".to_owned())]);
    }
}
