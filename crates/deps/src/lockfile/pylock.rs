//! The lockfile that all of Python's tools may share: `pylock.toml` of PEP 751.

use std::sync::Arc;

use super::document::Node;
use super::python::{normal, registry};
use super::reading::Reading;
use super::{Format, Inventory, file_name};
use crate::{Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[Format {
    name: "pylock.toml",
    ecosystem: Ecosystem::PyPi,
    locks: true,
    matches: |path| {
        let name = file_name(path);
        name == "pylock.toml" || name.starts_with("pylock.") && name.ends_with(".toml")
    },
    read,
}];

fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::toml(file, bytes, |reading, root| {
        reading.runtime("python", root.text_of("requires-python"));
        for node in root.items_of("packages") {
            if node.get("directory").is_some() {
                continue;
            }
            let at = node.get("name").map_or(node.span, |n| n.span);
            let mut package =
                Package::new(Ecosystem::PyPi, normal(node.text_of("name")), node.text_of("version"), at);
            package.origin = origin(node);
            package.checksum = ["sdist", "archive"]
                .iter()
                .filter_map(|k| node.get(k))
                .chain(node.items_of("wheels"))
                .flat_map(|part| part.entries_of("hashes"))
                .map(|(algorithm, hash)| format!("{}:{}", algorithm.text, hash.text()))
                .next()
                .unwrap_or_default();
            for need in node.items_of("dependencies") {
                package
                    .requires
                    .push(Requirement::new(normal(need.text_of("name")), need.text_of("version")));
            }
            reading.package(package);
        }
    })
}

fn origin(node: &Node<'_>) -> Origin {
    if let Some(vcs) = node.get("vcs") {
        let place = if vcs.text_of("url").is_empty() { "path" } else { "url" };
        return Origin::Git {
            url: vcs.text_of(place).to_owned(),
            revision: vcs.text_of("commit-id").to_owned(),
            reference: vcs.text_of("requested-revision").to_owned(),
        };
    }
    if let Some(archive) = node.get("archive") {
        return match archive.text_of("url") {
            "" => Origin::Path(archive.text_of("path").to_owned()),
            url => Origin::Url(url.to_owned()),
        };
    }
    registry(node.text_of("index"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockfile() {
        let text = "lock-version = '1.0'\nrequires-python = '>=3.12'\n[[packages]]\nname = 'Foo'\nversion = '1.0'\nindex = 'https://pypi.org/simple/'\ndependencies = [{name = 'bar'}]\nwheels = [{name = 'a.whl', url = 'u', hashes = {sha256 = 'aa'}}]\n[[packages]]\nname = 'bar'\n[packages.vcs]\ntype = 'git'\nurl = 'https://x.test/bar'\nrequested-revision = 'main'\ncommit-id = 'abc'\n[[packages]]\nname = 'own'\ndirectory = {path = '.'}\n";
        let path: Arc<str> = "pylock.toml".into();
        let found = read(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        assert_eq!(found.packages.len(), 2);
        assert_eq!(found.packages[0].checksum, "sha256:aa");
        assert_eq!(found.packages[0].origin, Origin::Registry(String::new()));
        assert!(matches!(&found.packages[1].origin, Origin::Git { revision, .. } if revision == "abc"));
    }
}
