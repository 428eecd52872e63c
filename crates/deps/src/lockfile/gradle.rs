//! Gradle: `gradle.lockfile`, and the catalogue of versions, `libs.versions.toml`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::document::Node;
use super::reading::{Reading, shown, span};
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Package};

pub const FORMATS: &[Format] = &[
    Format {
        name: "gradle.lockfile",
        ecosystem: Ecosystem::Maven,
        locks: true,
        matches: |path| {
            matches!(
                file_name(path),
                "gradle.lockfile" | "buildscript-gradle.lockfile" | "settings-gradle.lockfile"
            ) || path.ends_with(".lockfile") && path.contains("gradle/dependency-locks/")
        },
        read: read_lock,
    },
    Format {
        name: "libs.versions.toml",
        ecosystem: Ecosystem::Maven,
        locks: true,
        matches: |path| path.ends_with(".versions.toml"),
        read: read_catalogue,
    },
];

fn read_lock(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let build = file_name(file).starts_with("buildscript");
        let mut told = false;
        for (at, line) in reading.lines() {
            if reading.full {
                break;
            }
            let words = line.trim();
            if words.is_empty() || words.starts_with('#') || words.starts_with("empty=") {
                continue;
            }
            let (coordinates, configurations) = words.split_once('=').unwrap_or((words, ""));
            let mut parts = coordinates.split(':');
            let (Some(group), Some(artifact), Some(version), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                if !told {
                    reading.problem(at, "A line must hold a group, an artifact and a version.");
                }
                told = true;
                continue;
            };
            let name = format!("{group}:{artifact}");
            let mut package = Package::new(Ecosystem::Maven, name, version, span(at, at + coordinates.len()));
            package.groups = groups(configurations, build);
            reading.package(package);
        }
    })
}

/// What only tests or the build itself use has all its configurations called so.
fn groups(configurations: &str, build: bool) -> Vec<String> {
    let all = |test: fn(&str) -> bool| !configurations.is_empty() && configurations.split(',').all(test);
    let group = match () {
        () if build => "build",
        () if all(|c| c.to_lowercase().contains("test")) => "test",
        () if all(|c| {
            let c = c.to_lowercase();
            c.contains("test")
                || c.contains("annotationprocessor")
                || c.contains("kapt")
                || c.contains("compileonly")
        }) =>
        {
            "build"
        }
        () => return Vec::new(),
    };
    vec![group.to_owned()]
}

fn read_catalogue(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::toml(file, bytes, |reading, root| {
        let versions: FxHashMap<&str, String> =
            root.entries_of("versions").iter().map(|(name, node)| (&*name.text, rich(node))).collect();
        for (table, plugin) in [("libraries", false), ("plugins", true)] {
            for (alias, node) in root.entries_of(table) {
                let (name, version) = library(&versions, node, plugin);
                if name.is_empty() {
                    reading
                        .problem(alias.span.0 as usize, format!("`{}` names no module.", shown(&alias.text)));
                    continue;
                }
                let ask = Dependency::new(name.clone(), version.clone(), alias.span);
                let ask = if plugin { ask.in_group("build") } else { ask };
                if !version.is_empty() && !version.contains(['[', '(', ',', '+']) {
                    let mut package = Package::new(Ecosystem::Maven, name, version, alias.span);
                    package.direct = true;
                    package.groups = ask.groups.clone();
                    reading.package(package);
                }
                reading.ask(ask);
            }
        }
    })
}

fn library(versions: &FxHashMap<&str, String>, node: &Node<'_>, plugin: bool) -> (String, String) {
    // A plugin is published as a module whose name its id gives.
    let module = |id: &str| if plugin { format!("{id}:{id}.gradle.plugin") } else { id.to_owned() };
    if !node.is_map() {
        let words = node.text();
        let (name, version) = words.rsplit_once(':').unwrap_or((words, ""));
        return (module(name), version.to_owned());
    }
    let name = match (node.text_of("module"), node.text_of("id"), node.text_of("group")) {
        ("", "", "") => String::new(),
        ("", "", group) => format!("{group}:{}", node.text_of("name")),
        ("", id, _) => module(id),
        (name, ..) => name.to_owned(),
    };
    let version = node.get("version");
    let referred = version.and_then(|v| v.get("ref")).map(Node::text).filter(|r| !r.is_empty());
    let version = match referred {
        Some(key) => versions.get(key).cloned().unwrap_or_default(),
        None => version.map_or(String::new(), rich),
    };
    (name, version)
}

/// A version, or the strictest part of a rich one.
fn rich(node: &Node<'_>) -> String {
    if !node.is_map() {
        return node.text().to_owned();
    }
    ["strictly", "require", "prefer"]
        .iter()
        .map(|k| node.text_of(k))
        .find(|v| !v.is_empty())
        .unwrap_or("")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockfile() {
        let text = "# generated\ncom.a:b:1.0=compileClasspath,runtimeClasspath\norg.c:d:2.0=testCompileClasspath,testRuntimeClasspath\nempty=annotationProcessor\njunk\n";
        let path: Arc<str> = "gradle.lockfile".into();
        let found = read_lock(&path, text.as_bytes());
        assert_eq!(found.packages.len(), 2);
        assert_eq!((found.packages[0].name.as_str(), found.packages[0].groups.len()), ("com.a:b", 0));
        assert_eq!(found.packages[1].groups, ["test"]);
        assert_eq!(found.problems[0].line, Some(5));
    }

    #[test]
    fn a_catalogue() {
        let text = "[versions]\nkt = \"1.9.0\"\nrich = { strictly = \"[1, 2[\", prefer = \"1.5\" }\n[libraries]\na = { module = \"g:a\", version.ref = \"kt\" }\nb = \"g:b:2.0\"\nc = { group = \"g\", name = \"c\", version = \"3.0\" }\nd = { module = \"g:d\" }\ne = { module = \"g:e\", version.ref = \"rich\" }\n[plugins]\np = { id = \"org.p\", version.ref = \"kt\" }\n";
        let path: Arc<str> = "gradle/libs.versions.toml".into();
        let found = read_catalogue(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> = found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(
            told,
            [("g:a", "1.9.0"), ("g:b", "2.0"), ("g:c", "3.0"), ("org.p:org.p.gradle.plugin", "1.9.0")]
        );
        assert_eq!(found.asks.len(), 6);
    }
}
