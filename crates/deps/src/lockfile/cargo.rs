//! Cargo: `Cargo.toml` and `Cargo.lock` of every version.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::document::{Node, Value};
use super::reading::{Reading, spread};
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[
    Format {
        name: "Cargo.lock",
        ecosystem: Ecosystem::Cargo,
        locks: true,
        matches: |path| file_name(path) == "Cargo.lock",
        read: read_lock,
    },
    Format {
        name: "Cargo.toml",
        ecosystem: Ecosystem::Cargo,
        locks: false,
        matches: |path| file_name(path) == "Cargo.toml",
        read: read_manifest,
    },
];

fn read_manifest(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::toml(file, bytes, |reading, root| {
        tables(reading, root);
        for (_, target) in root.entries_of("target") {
            tables(reading, target);
        }
        // The workspace's table of dependencies is a list to choose from: nobody asks by it.
        if let Some(workspace) = root.get("workspace") {
            reading.runtime("rust", workspace.at(&["package", "rust-version"]).map_or("", Node::text));
        }
        reading.runtime("rust", root.at(&["package", "rust-version"]).map_or("", Node::text));
    })
}

fn tables(reading: &mut Reading<'_>, node: &Node<'_>) {
    for (table, group) in [
        ("dependencies", ""),
        ("dev-dependencies", "dev"),
        ("dev_dependencies", "dev"),
        ("build-dependencies", "build"),
        ("build_dependencies", "build"),
    ] {
        for (name, node) in node.entries_of(table) {
            // The workspace's own table says what it is.
            if node.flag("workspace") {
                let ask = Dependency::new(&*name.text, "", name.span).in_group(group);
                reading.ask(ask);
                continue;
            }
            let real = match node.text_of("package") {
                "" => &*name.text,
                real => real,
            };
            let range = if node.is_map() { node.text_of("version") } else { node.text() };
            let mut ask = Dependency::new(real, range, name.span).in_group(group);
            let git = node.text_of("git");
            if !git.is_empty() {
                let reference =
                    ["branch", "tag"].iter().map(|k| node.text_of(k)).find(|v| !v.is_empty()).unwrap_or("");
                ask.origin = Origin::Git {
                    url: git.to_owned(),
                    revision: node.text_of("rev").to_owned(),
                    reference: reference.to_owned(),
                };
            } else if !node.text_of("path").is_empty() {
                ask.origin = Origin::Path(node.text_of("path").to_owned());
            } else if !node.text_of("registry").is_empty() {
                ask.origin = Origin::Registry(node.text_of("registry").to_owned());
            }
            if node.flag("optional") {
                ask = ask.in_group("optional");
            }
            reading.ask(ask);
        }
    }
}

fn read_lock(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::toml(file, bytes, |reading, root| {
        // The oldest lockfiles keep all checksums in one table, and the project apart.
        let metadata: FxHashMap<&str, &str> =
            root.entries_of("metadata").iter().map(|(k, n)| (&*k.text, n.text())).collect();
        let mut names: FxHashMap<(&str, &str), usize> = FxHashMap::default();
        let mut needs: Vec<&Node<'_>> = Vec::new();
        let mut own: Vec<&Node<'_>> = root.get("root").into_iter().collect();
        for node in root.items_of("package") {
            let (name, version, source) =
                (node.text_of("name"), node.text_of("version"), node.text_of("source"));
            if source.is_empty() {
                own.push(node);
                continue;
            }
            let at = node.get("name").map_or(node.span, |n| n.span);
            let mut package = Package::new(Ecosystem::Cargo, name, version, at);
            package.origin = origin(source);
            package.checksum = match node.text_of("checksum") {
                "" => metadata
                    .get(format!("checksum {name} {version} ({source})").as_str())
                    .filter(|c| **c != "<none>")
                    .map(|c| format!("sha256:{c}"))
                    .unwrap_or_default(),
                checksum => format!("sha256:{checksum}"),
            };
            if let Some(index) = reading.package(package) {
                names.insert((name, version), index);
                // A name alone stands for the only version that is locked.
                names.entry((name, "")).or_insert(index);
                needs.push(node);
            }
        }
        let targets = |node: &Node<'_>| -> Vec<usize> {
            let words = node.items_of("dependencies").iter();
            words
                .filter_map(|item| {
                    let mut parts = item.text().split(' ');
                    let name = parts.next()?;
                    names.get(&(name, parts.next().unwrap_or("")))
                })
                .copied()
                .collect()
        };
        let edges: Vec<Vec<usize>> = needs.iter().map(|node| targets(node)).collect();
        let roots: Vec<_> = own.iter().flat_map(|node| targets(node)).map(|i| (i, String::new())).collect();
        for (index, targets) in edges.iter().enumerate() {
            reading.found.packages[index].requires = targets
                .iter()
                .map(|t| &reading.found.packages[*t])
                .map(|p| Requirement::new(p.name.clone(), p.version.clone()))
                .collect();
        }
        spread(&mut reading.found.packages, &edges, &roots);
        reading.found.needs = edges;
        // A lockfile alone does not tell what is only for tests: see `settle`.
        if root.is_map() && !matches!(root.get("package").map(|n| &n.value), None | Some(Value::List(_))) {
            reading.problem(0, "`package` is no list of tables.");
        }
    })
}

fn origin(source: &str) -> Origin {
    let (kind, url) = source.split_once('+').unwrap_or(("", source));
    match kind {
        "git" => {
            let (base, revision) = url.split_once('#').unwrap_or((url, ""));
            let (base, query) = base.split_once('?').unwrap_or((base, ""));
            let reference = query.split('&').next().and_then(|q| q.split_once('=')).map_or("", |(_, v)| v);
            Origin::Git {
                url: base.to_owned(),
                revision: revision.to_owned(),
                reference: reference.to_owned(),
            }
        }
        "path" => Origin::Path(url.to_owned()),
        _ if url == "https://github.com/rust-lang/crates.io-index" || url == "https://index.crates.io/" => {
            Origin::Registry(String::new())
        }
        _ => Origin::Registry(url.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockfile() {
        let text = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"a\",\n \"b 1.0.0\",\n]\n\n[[package]]\nname = \"a\"\nversion = \"1.2.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"aabb\"\ndependencies = [\"b 2.0.0\"]\n\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\nsource = \"git+https://x.test/b?branch=next#0123456789abcdef0123456789abcdef01234567\"\n\n[metadata]\n\"checksum b 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)\" = \"cc\"\n";
        let path: Arc<str> = "Cargo.lock".into();
        let found = read_lock(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> = found
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.checksum.as_str(), p.direct))
            .collect();
        assert_eq!(
            told,
            [
                ("a", "1.2.0", "sha256:aabb", true),
                ("b", "1.0.0", "sha256:cc", true),
                ("b", "2.0.0", "", false)
            ]
        );
        assert_eq!(found.packages[0].requires, [Requirement::new("b", "2.0.0")]);
        assert_eq!(
            found.packages[2].origin,
            Origin::Git {
                url: "https://x.test/b".into(),
                revision: "0123456789abcdef0123456789abcdef01234567".into(),
                reference: "next".into()
            }
        );
        let (start, end) = found.packages[0].span;
        assert_eq!(&text[start as usize..end as usize], "\"a\"");
    }

    #[test]
    fn a_manifest() {
        let text = "[package]\nname = \"app\"\nrust-version = \"1.80\"\n\n[dependencies]\na = \"1\"\nb = { package = \"real\", version = \"2\", optional = true }\nc = { git = \"https://x.test/c\", rev = \"abc\" }\n\n[dev-dependencies.d]\npath = \"../d\"\n\n[target.'cfg(unix)'.build-dependencies]\ne = \"3\"\n";
        let path: Arc<str> = "Cargo.toml".into();
        let found = read_manifest(&path, text.as_bytes());
        let told: Vec<_> = found
            .asks
            .iter()
            .map(|a| (a.requirement.name.as_str(), a.requirement.range.as_str(), a.groups.join(",")))
            .collect();
        assert_eq!(
            told,
            [
                ("a", "1", String::new()),
                ("real", "2", "optional".into()),
                ("c", "", String::new()),
                ("d", "", "dev".into()),
                ("e", "3", "build".into())
            ]
        );
        assert_eq!(found.runtimes, [("rust".to_owned(), "1.80".to_owned())]);
        assert!(matches!(&found.asks[2].origin, Origin::Git { revision, .. } if revision == "abc"));
    }
}
