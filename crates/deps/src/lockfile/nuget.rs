//! NuGet: `packages.lock.json`, the references of a project, `packages.config` and central versions.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::reading::{Reading, edges_by_name, spread};
use super::{Format, Inventory, file_name, xml};
use crate::{Dependency, Ecosystem, Package, Requirement};

pub const FORMATS: &[Format] = &[
    Format {
        name: "packages.lock.json",
        ecosystem: Ecosystem::NuGet,
        locks: true,
        matches: |path| file_name(path) == "packages.lock.json",
        read: read_lock,
    },
    Format {
        name: "packages.config",
        ecosystem: Ecosystem::NuGet,
        locks: true,
        matches: |path| file_name(path) == "packages.config",
        read: read_config,
    },
    Format {
        name: "*.csproj",
        ecosystem: Ecosystem::NuGet,
        locks: true,
        matches: |path| {
            [".csproj", ".fsproj", ".vbproj"].iter().any(|e| path.ends_with(e))
                || matches!(file_name(path), "Directory.Packages.props" | "Directory.Build.props")
        },
        read: read_project,
    },
];

fn read_lock(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::json(file, bytes, |reading, root| {
        let mut known: FxHashMap<(String, String), usize> = FxHashMap::default();
        for (_, framework) in root.entries_of("dependencies") {
            for (name, node) in framework.entries() {
                let (kind, version) = (node.text_of("type"), node.text_of("resolved"));
                if kind.eq_ignore_ascii_case("project") {
                    continue;
                }
                let direct = kind.eq_ignore_ascii_case("direct");
                // The same package may be locked once for each framework.
                if let Some(index) = known.get(&(name.text.to_lowercase(), version.to_owned())) {
                    reading.found.packages[*index].direct |= direct;
                    continue;
                }
                let mut package = Package::new(Ecosystem::NuGet, &*name.text, version, name.span);
                package.direct = direct;
                let hash = node.text_of("contentHash");
                if !hash.is_empty() {
                    package.checksum = format!("sha512-{hash}");
                }
                for (name, range) in node.entries_of("dependencies") {
                    package.requires.push(Requirement::new(&*name.text, range.text()));
                }
                if direct {
                    reading.ask(Dependency::new(&*name.text, node.text_of("requested"), name.span));
                }
                if let Some(index) = reading.package(package) {
                    known.insert((name.text.to_lowercase(), version.to_owned()), index);
                }
            }
        }
        let edges = edges_by_name(&reading.found.packages);
        let roots: Vec<_> = (0..reading.found.packages.len())
            .filter(|i| reading.found.packages[*i].direct)
            .map(|i| (i, String::new()))
            .collect();
        spread(&mut reading.found.packages, &edges, &roots);
    })
}

fn read_config(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    xml::read(file, bytes, |reading, root| {
        for node in root.children().filter(|n| n.tag_name().name() == "package") {
            let (name, version) = (xml::attribute(node, "id"), xml::attribute(node, "version"));
            let group = if xml::attribute(node, "developmentDependency") == "true" { "dev" } else { "" };
            add(reading, name, version, xml::bytes(node), group);
        }
    })
}

fn add(reading: &mut Reading<'_>, name: &str, version: &str, at: (u32, u32), group: &str) {
    let ask = Dependency::new(name, version, at).in_group(group);
    let exact = version.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(version);
    if !exact.is_empty() && !exact.contains(['[', '(', ',', '*', '$', ')', ']']) {
        let mut package = Package::new(Ecosystem::NuGet, name, exact, at);
        package.direct = true;
        package.groups = ask.groups.clone();
        reading.package(package);
    }
    reading.ask(ask);
}

fn read_project(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    xml::read(file, bytes, |reading, root| {
        let mut properties: FxHashMap<&str, &str> = FxHashMap::default();
        for group in root.children().filter(|n| n.tag_name().name() == "PropertyGroup") {
            for property in group.children().filter(roxmltree::Node::is_element) {
                properties.insert(property.tag_name().name(), property.text().map_or("", str::trim));
            }
        }
        for node in root.descendants() {
            let kind = node.tag_name().name();
            if !matches!(kind, "PackageReference" | "PackageVersion" | "GlobalPackageReference") {
                continue;
            }
            let name = match xml::attribute(node, "Include") {
                "" => xml::attribute(node, "Update"),
                name => name,
            };
            let version = ["VersionOverride", "Version"]
                .iter()
                .map(|k| match xml::attribute(node, k) {
                    "" => xml::text(node, k),
                    version => version,
                })
                .find(|v| !v.is_empty())
                .unwrap_or("");
            let version = match version.strip_prefix("$(").and_then(|v| v.strip_suffix(')')) {
                Some(property) => properties.get(property).copied().unwrap_or(version),
                None => version,
            };
            let private = [xml::attribute(node, "PrivateAssets"), xml::text(node, "PrivateAssets")];
            let group = if private.iter().any(|p| p.eq_ignore_ascii_case("all")) { "dev" } else { "" };
            if name.is_empty() || name.contains(['$', '@', ';']) {
                continue;
            }
            add(reading, name, version, xml::bytes(node), group);
        }
        for name in ["TargetFramework", "TargetFrameworks", "TargetFrameworkVersion"] {
            for framework in properties.get(name).map_or("", |v| v).split(';') {
                reading.runtime("dotnet", framework);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_files() {
        let text = r#"{"version": 1, "dependencies": {"net6.0": {
            "A": {"type": "Direct", "requested": "[1.0.0, )", "resolved": "1.0.0", "contentHash": "aa==", "dependencies": {"B": "2.0.0"}},
            "B": {"type": "Transitive", "resolved": "2.0.0", "contentHash": "bb=="},
            "own": {"type": "Project"}},
            "net8.0": {"A": {"type": "Direct", "resolved": "1.0.0"}}}}"#;
        let path: Arc<str> = "packages.lock.json".into();
        let found = read_lock(&path, text.as_bytes());
        let told: Vec<_> =
            found.packages.iter().map(|p| (p.name.as_str(), p.checksum.as_str(), p.direct)).collect();
        assert_eq!(told, [("A", "sha512-aa==", true), ("B", "sha512-bb==", false)]);
        let text = "<Project Sdk=\"x\"><PropertyGroup><TargetFramework>net8.0</TargetFramework><V>3.1</V></PropertyGroup><ItemGroup><PackageReference Include=\"A\" Version=\"1.0\" /><PackageReference Include=\"B\"><Version>$(V)</Version><PrivateAssets>all</PrivateAssets></PackageReference><PackageReference Include=\"C\" /><PackageReference Include=\"D\" Version=\"[1,2)\" /></ItemGroup></Project>";
        let path: Arc<str> = "app.csproj".into();
        let found = read_project(&path, text.as_bytes());
        let told: Vec<_> =
            found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str(), p.groups.len())).collect();
        assert_eq!(told, [("A", "1.0", 0), ("B", "3.1", 1)]);
        assert_eq!((found.asks.len(), found.runtimes.len()), (4, 1));
        let text = "<?xml version=\"1.0\"?><packages><package id=\"A\" version=\"1.0\" targetFramework=\"net48\" /></packages>";
        let path: Arc<str> = "packages.config".into();
        assert_eq!(read_config(&path, text.as_bytes()).packages.len(), 1);
    }
}
