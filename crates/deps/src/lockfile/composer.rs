//! Composer: `composer.json` and `composer.lock`.

use std::sync::Arc;

use super::document::{Node, Value};
use super::reading::Reading;
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[
    Format {
        name: "composer.lock",
        ecosystem: Ecosystem::Composer,
        locks: true,
        matches: |path| file_name(path) == "composer.lock",
        read: read_lock,
    },
    Format {
        name: "composer.json",
        ecosystem: Ecosystem::Composer,
        locks: false,
        matches: |path| file_name(path) == "composer.json",
        read: read_manifest,
    },
];

/// PHP itself, its extensions and libraries are asked for like packages, and are none.
fn is_platform(name: &str) -> bool {
    !name.contains('/')
}

fn read_manifest(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::json(file, bytes, |reading, root| {
        for (list, group) in [("require", ""), ("require-dev", "dev")] {
            for (name, range) in root.entries_of(list) {
                if is_platform(&name.text) {
                    if name.text == "php" {
                        reading.runtime("php", range.text());
                    }
                    continue;
                }
                reading
                    .ask(Dependency::new(name.text.to_lowercase(), range.text(), name.span).in_group(group));
            }
        }
        let repositories = root.get("repositories");
        let listed = repositories.map_or(&[][..], Node::items).iter();
        let named = repositories.map_or(&[][..], Node::entries).iter().map(|(_, n)| n);
        for repository in listed.chain(named) {
            if let Some(url) = repository.get("url")
                && repository.text_of("type") != "path"
            {
                reading.source(url.text(), url.span);
            }
        }
    })
}

fn read_lock(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::json(file, bytes, |reading, root| {
        for (list, group) in [("packages", ""), ("packages-dev", "dev")] {
            for node in root.items_of(list) {
                let at = node.get("name").map_or(node.span, |n| n.span);
                let version = node.text_of("version");
                let plain = version.strip_prefix('v').filter(|v| v.starts_with(|c: char| c.is_ascii_digit()));
                let name = node.text_of("name").to_lowercase();
                let mut package = Package::new(Ecosystem::Composer, name, plain.unwrap_or(version), at);
                package.origin = origin(node);
                let sum = node.at(&["dist", "shasum"]).map_or("", Node::text);
                if !sum.is_empty() {
                    package.checksum = format!("sha1:{sum}");
                }
                if !group.is_empty() {
                    package.groups.push(group.to_owned());
                }
                for (name, range) in node.entries_of("require") {
                    if !is_platform(&name.text) {
                        package.requires.push(Requirement::new(name.text.to_lowercase(), range.text()));
                    }
                }
                let index = reading.package(package);
                let licence = match node.get("license").map(|l| &l.value) {
                    Some(Value::List(items)) => items.iter().map(Node::text).collect::<Vec<_>>().join(" OR "),
                    Some(Value::Text(words)) => words.to_string(),
                    _ => String::new(),
                };
                reading.licence(index, &licence);
            }
        }
        reading.runtime("php", root.at(&["platform", "php"]).map_or("", Node::text));
    })
}

fn origin(node: &Node<'_>) -> Origin {
    let part = |name: &str, field: &str| node.at(&[name, field]).map_or("", Node::text);
    if part("dist", "type") == "path" {
        return Origin::Path(part("dist", "url").to_owned());
    }
    // What the registry itself hands out says whom to notify of a download.
    match node.text_of("notification-url") {
        "https://packagist.org/downloads/" => Origin::Registry(String::new()),
        "" if part("source", "type") == "git" => Origin::Git {
            url: part("source", "url").to_owned(),
            revision: part("source", "reference").to_owned(),
            reference: String::new(),
        },
        "" if !part("dist", "url").is_empty() => Origin::Url(part("dist", "url").to_owned()),
        other => Origin::Registry(other.trim_end_matches("/downloads/").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockfile_and_its_manifest() {
        let text = r#"{"packages": [{"name": "Foo/Bar", "version": "v1.2.3", "source": {"type": "git", "url": "https://x.test/b.git", "reference": "abc"},
            "dist": {"type": "zip", "url": "https://x.test/z", "shasum": "aa"}, "require": {"php": ">=8", "ext-json": "*", "a/b": "^2"},
            "license": ["MIT", "GPL-2.0-only"], "notification-url": "https://packagist.org/downloads/"}],
            "packages-dev": [{"name": "a/b", "version": "dev-main", "source": {"type": "git", "url": "https://x.test/b.git", "reference": "abc"}}],
            "platform": {"php": "^8.1"}}"#;
        let path: Arc<str> = "composer.lock".into();
        let found = read_lock(&path, text.as_bytes());
        let [bar, b] = &found.packages[..] else { panic!() };
        assert_eq!(
            (bar.name.as_str(), bar.version.as_str(), bar.checksum.as_str()),
            ("foo/bar", "1.2.3", "sha1:aa")
        );
        assert_eq!(bar.requires, [Requirement::new("a/b", "^2")]);
        assert_eq!((b.version.as_str(), &b.groups[..]), ("dev-main", &["dev".to_owned()][..]));
        assert!(matches!(&b.origin, Origin::Git { .. }));
        assert_eq!(found.licences, [(0, "MIT OR GPL-2.0-only".to_owned())]);
        let text = r#"{"require": {"php": "^8.1", "a/b": "^2"}, "require-dev": {"c/d": "*"}, "repositories": [{"type": "composer", "url": "http://x.test"}]}"#;
        let found = read_manifest(&path, text.as_bytes());
        assert_eq!((found.asks.len(), found.runtimes.len(), found.sources.len()), (2, 1, 1));
    }
}
