//! Dart: `pubspec.yaml` and `pubspec.lock`.

use super::document::Node;
use super::reading::Reading;
use super::{Format, file_name};
use crate::{Dependency, Ecosystem, Origin, Package};

pub const FORMATS: &[Format] = &[
    Format {
        name: "pubspec.lock",
        ecosystem: Ecosystem::Pub,
        locks: true,
        matches: |path| file_name(path) == "pubspec.lock",
        read: |file, bytes| Reading::yaml(file, bytes, lock),
    },
    Format {
        name: "pubspec.yaml",
        ecosystem: Ecosystem::Pub,
        locks: false,
        matches: |path| matches!(file_name(path), "pubspec.yaml" | "pubspec.yml"),
        read: |file, bytes| Reading::yaml(file, bytes, manifest),
    },
];

fn lock(reading: &mut Reading<'_>, root: &Node<'_>) {
    for (name, node) in root.entries_of("packages") {
        let mut package = Package::new(Ecosystem::Pub, &*name.text, node.text_of("version"), name.span);
        let said = |field: &str| node.at(&["description", field]).map_or("", Node::text);
        package.origin = match node.text_of("source") {
            "sdk" => continue,
            "git" => Origin::Git {
                url: said("url").to_owned(),
                revision: said("resolved-ref").to_owned(),
                reference: said("ref").to_owned(),
            },
            "path" => Origin::Path(said("path").to_owned()),
            _ => hosted(said("url")),
        };
        if !said("sha256").is_empty() {
            package.checksum = format!("sha256:{}", said("sha256"));
        }
        let kind = node.text_of("dependency");
        package.direct = kind.starts_with("direct");
        if kind == "direct dev" {
            package.groups.push("dev".to_owned());
        }
        reading.package(package);
    }
    for (name, range) in root.entries_of("sdks") {
        reading.runtime(&name.text, range.text());
    }
}

fn hosted(url: &str) -> Origin {
    match url.trim_end_matches('/') {
        "https://pub.dev" | "https://pub.dartlang.org" => Origin::Registry(String::new()),
        other => Origin::Registry(other.to_owned()),
    }
}

fn manifest(reading: &mut Reading<'_>, root: &Node<'_>) {
    for (list, group) in [("dependencies", ""), ("dev_dependencies", "dev")] {
        for (name, node) in root.entries_of(list) {
            if node.get("sdk").is_some() {
                continue;
            }
            let range = if node.is_map() { node.text_of("version") } else { node.text() };
            let mut ask = Dependency::new(&*name.text, range, name.span).in_group(group);
            if let Some(git) = node.get("git") {
                let url = if git.is_map() { git.text_of("url") } else { git.text() };
                ask.origin = Origin::Git {
                    url: url.to_owned(),
                    revision: String::new(),
                    reference: git.text_of("ref").to_owned(),
                };
            } else if let Some(path) = node.get("path") {
                ask.origin = Origin::Path(path.text().to_owned());
            } else if let Some(host) = node.get("hosted") {
                ask.origin = hosted(if host.is_map() { host.text_of("url") } else { host.text() });
            }
            reading.ask(ask);
        }
    }
    for (name, range) in root.entries_of("environment") {
        let name = if name.text == "sdk" { "dart" } else { &name.text };
        reading.runtime(name, range.text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockfile_and_its_manifest() {
        let text = "packages:\n  args:\n    dependency: \"direct main\"\n    description:\n      name: args\n      sha256: aa\n      url: \"https://pub.dev\"\n    source: hosted\n    version: \"2.4.0\"\n  lints:\n    dependency: \"direct dev\"\n    description:\n      url: \"https://x.test\"\n    source: hosted\n    version: \"1.0.0\"\n  flutter:\n    dependency: \"direct main\"\n    description: flutter\n    source: sdk\n    version: \"0.0.0\"\nsdks:\n  dart: \">=3.0.0 <4.0.0\"\n";
        let path = "pubspec.lock".into();
        let found = (FORMATS[0].read)(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> = found
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.checksum.as_str(), p.direct, p.groups.len()))
            .collect();
        assert_eq!(told, [("args", "sha256:aa", true, 0), ("lints", "", true, 1)]);
        let text = "name: a\nenvironment:\n  sdk: ^3.0.0\ndependencies:\n  args: ^2.0.0\n  own:\n    git:\n      url: https://x.test/o\n      ref: main\n  flutter:\n    sdk: flutter\ndev_dependencies:\n  lints: any\n";
        let found = (FORMATS[1].read)(&path, text.as_bytes());
        assert_eq!((found.asks.len(), found.runtimes.len()), (3, 1));
        assert_eq!(found.asks[2].groups, ["dev"]);
    }
}
