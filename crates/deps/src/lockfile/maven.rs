//! Maven's `pom.xml`. Maven locks nothing: a version that is written, or that a property of the same
//! file holds, is the one that is taken.

use std::sync::Arc;

use roxmltree::Node;
use rustc_hash::FxHashMap;

use super::reading::Reading;
use super::{Format, Inventory, file_name, xml};
use crate::{Dependency, Ecosystem, Package};

pub const FORMATS: &[Format] = &[Format {
    name: "pom.xml",
    ecosystem: Ecosystem::Maven,
    locks: true,
    matches: |path| file_name(path) == "pom.xml" || path.ends_with(".pom"),
    read,
}];

/// How deep a property may name another.
const DEEPEST: usize = 8;
/// Longest version that properties may make, in bytes.
const LONGEST: usize = 256;

fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    xml::read(file, bytes, |reading, project| {
        let mut properties: FxHashMap<String, &str> = FxHashMap::default();
        let parent = xml::child(project, "parent");
        let own = |name: &str| match xml::text(project, name) {
            "" => parent.map_or("", |p| xml::text(p, name)),
            words => words,
        };
        for (name, value) in [
            ("version", own("version")),
            ("groupId", own("groupId")),
            ("artifactId", xml::text(project, "artifactId")),
        ] {
            for prefix in ["project.", "pom.", ""] {
                properties.insert(format!("{prefix}{name}"), value);
            }
            if let Some(parent) = parent {
                properties.insert(format!("project.parent.{name}"), xml::text(parent, name));
            }
        }
        for property in
            xml::child(project, "properties").into_iter().flat_map(|p| p.children()).filter(Node::is_element)
        {
            properties.insert(property.tag_name().name().to_owned(), property.text().map_or("", str::trim));
        }
        let mut managed: FxHashMap<String, String> = FxHashMap::default();
        for dependency in listed(xml::child(project, "dependencyManagement")) {
            if let Some((name, version)) = coordinates(dependency, &properties) {
                managed.insert(name, version);
            }
        }
        if let Some(parent) = parent
            && let Some((name, version)) = coordinates(parent, &properties)
        {
            add(reading, parent, name, &version, "");
        }
        take(reading, project, &properties, &managed);
        for profile in xml::child(project, "profiles").into_iter().flat_map(|p| p.children()) {
            take(reading, profile, &properties, &managed);
        }
        for repository in
            project.descendants().filter(|n| matches!(n.tag_name().name(), "repository" | "pluginRepository"))
        {
            if let Some(url) = xml::child(repository, "url") {
                reading.source(url.text().map_or("", str::trim), xml::bytes(url));
            }
        }
        let release = ["maven.compiler.release", "java.version", "maven.compiler.target"];
        if let Some(version) = release.iter().find_map(|name| properties.get(*name)) {
            let version = resolve(version, &properties, 0);
            // It is the oldest Java that will do, not the one that runs; `1.8` is what is now called 8.
            if !version.contains("${") && !version.is_empty() {
                reading.runtime("java", &format!(">={}", version.strip_prefix("1.").unwrap_or(&version)));
            }
        }
    })
}

fn listed<'a, 'i>(node: Option<Node<'a, 'i>>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.and_then(|n| xml::child(n, "dependencies"))
        .into_iter()
        .flat_map(|d| d.children())
        .filter(|n| n.tag_name().name() == "dependency")
}

fn take(
    reading: &mut Reading<'_>,
    node: Node<'_, '_>,
    properties: &FxHashMap<String, &str>,
    managed: &FxHashMap<String, String>,
) {
    for dependency in listed(Some(node)) {
        let Some((name, mut version)) = coordinates(dependency, properties) else {
            reading.problem(dependency.range().start, "A dependency must name a group and an artifact.");
            continue;
        };
        if version.is_empty() {
            version = managed.get(&name).cloned().unwrap_or_default();
        }
        let scope = match xml::text(dependency, "scope") {
            "compile" | "runtime" => "",
            "" if xml::text(dependency, "optional") == "true" => "optional",
            "system" => continue,
            scope => scope,
        };
        add(reading, dependency, name, &version, scope);
    }
}

fn add(reading: &mut Reading<'_>, node: Node<'_, '_>, name: String, version: &str, group: &str) {
    let at = xml::child(node, "artifactId").map_or_else(|| xml::bytes(node), xml::bytes);
    let ask = Dependency::new(name.clone(), version, at).in_group(group);
    // A range, or a property of a file that is not here, is no version.
    if !version.is_empty() && !version.contains(['[', '(', ',', '$']) {
        let mut package = Package::new(Ecosystem::Maven, name, version, at);
        package.direct = true;
        package.groups = ask.groups.clone();
        reading.package(package);
    }
    reading.ask(ask);
}

fn coordinates(node: Node<'_, '_>, properties: &FxHashMap<String, &str>) -> Option<(String, String)> {
    let words = |name| resolve(xml::text(node, name), properties, 0);
    let (group, artifact) = (words("groupId"), words("artifactId"));
    (!group.is_empty() && !artifact.is_empty()).then(|| (format!("{group}:{artifact}"), words("version")))
}

/// Puts properties in; one that is not known stays as it is written.
fn resolve(words: &str, properties: &FxHashMap<String, &str>, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = words;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        let name = &rest[start + 2..start + length];
        match properties.get(name) {
            Some(value) if depth < DEEPEST && !value.is_empty() && out.len() < LONGEST => {
                out.push_str(&resolve(value, properties, depth + 1));
            }
            _ => out.push_str(&rest[start..=start + length]),
        }
        if out.len() > LONGEST {
            return words.to_owned();
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_kinds() {
        let text = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><parent><groupId>p</groupId><artifactId>boot</artifactId><version>3.1.0</version></parent><artifactId>app</artifactId><properties><java.version>17</java.version><a.version>${b.version}.1</a.version><b.version>2.0</b.version><loop>${loop}</loop></properties><dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>managed</artifactId><version>5</version></dependency></dependencies></dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${a.version}</version></dependency><dependency><groupId>g</groupId><artifactId>managed</artifactId><scope>test</scope></dependency><dependency><groupId>${project.groupId}</groupId><artifactId>own</artifactId><version>${project.version}</version></dependency><dependency><groupId>g</groupId><artifactId>elsewhere</artifactId></dependency><dependency><groupId>g</groupId><artifactId>looped</artifactId><version>${loop}</version></dependency><dependency><groupId>g</groupId><artifactId>range</artifactId><version>[1,2)</version></dependency></dependencies></project>";
        let path: Arc<str> = "pom.xml".into();
        let found = read(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> = found
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.groups.join(",")))
            .collect();
        assert_eq!(
            told,
            [
                ("p:boot", "3.1.0", String::new()),
                ("g:a", "2.0.1", String::new()),
                ("g:managed", "5", "test".into()),
                ("p:own", "3.1.0", String::new())
            ]
        );
        assert_eq!(found.asks.len(), 7);
        assert_eq!(found.runtimes, [("java".to_owned(), ">=17".to_owned())]);
    }

    #[test]
    fn properties_do_not_explode() {
        let mut text = "<project><properties><a0>xxxxxxxxxx</a0>".to_owned();
        for level in 1..60 {
            let inner = format!("${{a{}}}", level - 1).repeat(10);
            text.push_str(&format!("<a{level}>{inner}</a{level}>"));
        }
        text.push_str("</properties><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${a59}</version></dependency></dependencies></project>");
        let path: Arc<str> = "pom.xml".into();
        let started = std::time::Instant::now();
        assert_eq!(read(&path, text.as_bytes()).packages.len(), 0);
        assert!(started.elapsed().as_secs() < 5);
    }
}
