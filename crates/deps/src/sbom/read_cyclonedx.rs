//! Reading CycloneDX, as JSON and as XML.

use std::sync::Arc;

use roxmltree::Node as Element;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::lockfile::Inventory;
use crate::lockfile::document::Node;
use crate::lockfile::reading::{Reading, shown, spread};
use crate::lockfile::xml;
use crate::{Ecosystem, Origin, Package, Purl};

/// How components are linked: by their references in the document.
#[derive(Default)]
pub struct Links {
    /// The package of each reference.
    pub packages: FxHashMap<String, usize>,
    /// What needs what.
    pub needs: Vec<(String, String)>,
    /// What stands for the project.
    pub roots: FxHashSet<String>,
}

impl Links {
    /// Fills in what the document links.
    pub fn finish(self, reading: &mut Reading<'_>) {
        let mut edges = vec![Vec::new(); reading.found.packages.len()];
        let mut roots = Vec::new();
        for (from, to) in &self.needs {
            let Some(to) = self.packages.get(to) else { continue };
            if let Some(from) = self.packages.get(from) {
                edges[*from].push(*to);
            } else if self.roots.contains(from) {
                roots.push((*to, String::new()));
            }
        }
        for (index, targets) in edges.iter().enumerate() {
            let named = targets.iter().map(|t| &reading.found.packages[*t]);
            let requires =
                named.map(|p| crate::Requirement::new(p.name.clone(), p.version.clone())).collect();
            reading.found.packages[index].requires = requires;
        }
        // What a document calls optional keeps its group: only the direct ones are told here.
        let groups: Vec<Vec<String>> = reading.found.packages.iter().map(|p| p.groups.clone()).collect();
        spread(&mut reading.found.packages, &edges, &roots);
        for (package, groups) in reading.found.packages.iter_mut().zip(groups) {
            package.groups = groups;
        }
        reading.found.needs = edges;
    }
}

/// What both forms say of one component.
#[derive(Default)]
pub struct Said<'t> {
    /// Its package URL, as it is written.
    pub purl: &'t str,
    /// Its reference in the document.
    pub reference: &'t str,
    /// `algorithm:digits`.
    pub checksum: String,
    /// Its licences, one text.
    pub licence: String,
    /// The document calls it optional or excluded.
    pub optional: bool,
}

/// Adds a component. One without a package URL, or of a type that is not ours, is no package.
pub fn add(reading: &mut Reading<'_>, links: &mut Links, said: &Said<'_>, at: (u32, u32)) {
    if said.purl.is_empty() {
        return;
    }
    let purl = match said.purl.parse::<Purl>() {
        Ok(purl) => purl,
        Err(error) => {
            reading.problem(at.0 as usize, format!("`{}`: {error}.", shown(said.purl)));
            return;
        }
    };
    let Some((ecosystem, name)) = purl.ecosystem() else { return };
    let version = match ecosystem {
        Ecosystem::Go => purl.version.trim_start_matches('v'),
        Ecosystem::Container if purl.version.starts_with("sha256:") => "",
        _ => &purl.version,
    };
    let mut package = Package::new(ecosystem, name, version, at);
    package.checksum.clone_from(&said.checksum);
    if ecosystem == Ecosystem::Container && version.is_empty() {
        package.checksum.clone_from(&purl.version);
    }
    package.platform = purl.qualifiers.get("platform").cloned().unwrap_or_default();
    if let Some(url) = purl.qualifiers.get("vcs_url") {
        let url = url.trim_start_matches("git+");
        let (url, revision) = match url.rfind('@') {
            Some(at) if !url[at..].contains('/') => (&url[..at], &url[at + 1..]),
            _ => (url, ""),
        };
        package.origin =
            Origin::Git { url: url.to_owned(), revision: revision.to_owned(), reference: String::new() };
    } else if let Some(url) = purl.qualifiers.get("download_url") {
        package.origin = Origin::Url(url.clone());
    } else if let Some(url) = purl.qualifiers.get("repository_url") {
        package.origin = Origin::Registry(url.clone());
    }
    if said.optional {
        package.groups.push("optional".to_owned());
    }
    if let Some(index) = reading.package(package) {
        reading.licence(Some(index), &said.licence);
        links.packages.insert(said.purl.to_owned(), index);
        if !said.reference.is_empty() {
            links.packages.insert(said.reference.to_owned(), index);
        }
    }
}

/// Reads a JSON document.
pub fn json(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::json(file, bytes, |reading, root| {
        if root.is_map() && root.text_of("bomFormat") != "CycloneDX" {
            reading.problem(0, "This is no bill of materials of CycloneDX or SPDX.");
            return;
        }
        let mut links = Links::default();
        if let Some(own) = root.at(&["metadata", "component"]) {
            links.roots.insert(own.text_of("bom-ref").to_owned());
            components(reading, own, &mut links);
        }
        components(reading, root, &mut links);
        for dependency in root.items_of("dependencies") {
            for to in dependency.items_of("dependsOn") {
                links.needs.push((dependency.text_of("ref").to_owned(), to.text().to_owned()));
            }
        }
        links.finish(reading);
    })
}

fn components(reading: &mut Reading<'_>, parent: &Node<'_>, links: &mut Links) {
    for node in parent.items_of("components") {
        let hash = node.items_of("hashes").first();
        let licences = node.items_of("licenses").iter().map(|l| {
            let inner = l.get("license");
            let words = inner
                .map_or("", |i| if i.text_of("id").is_empty() { i.text_of("name") } else { i.text_of("id") });
            if words.is_empty() { l.text_of("expression") } else { words }
        });
        let said = Said {
            purl: node.text_of("purl"),
            reference: node.text_of("bom-ref"),
            checksum: hash.map_or(String::new(), |h| checksum(h.text_of("alg"), h.text_of("content"))),
            licence: licences.filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" OR "),
            optional: matches!(node.text_of("scope"), "optional" | "excluded"),
        };
        let at = node.get("purl").map_or(node.span, |n| n.span);
        add(reading, links, &said, at);
        components(reading, node, links);
    }
}

/// An algorithm and its digits as a [`Package`] has them.
pub fn checksum(algorithm: &str, digits: &str) -> String {
    match digits {
        "" => String::new(),
        _ => format!("{}:{digits}", algorithm.replace('-', "").to_ascii_lowercase()),
    }
}

/// Reads an XML document.
pub fn xml(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    xml::read(file, bytes, |reading, root| {
        if root.tag_name().name() != "bom" {
            reading.problem(0, "This is no bill of materials of CycloneDX.");
            return;
        }
        let mut links = Links::default();
        let own = xml::child(root, "metadata").and_then(|m| xml::child(m, "component"));
        if let Some(own) = own {
            links.roots.insert(xml::attribute(own, "bom-ref").to_owned());
            elements(reading, own, &mut links);
        }
        elements(reading, root, &mut links);
        for dependency in children(root, "dependencies", "dependency") {
            for to in dependency.children().filter(|c| c.tag_name().name() == "dependency") {
                links.needs.push((
                    xml::attribute(dependency, "ref").to_owned(),
                    xml::attribute(to, "ref").to_owned(),
                ));
            }
        }
        links.finish(reading);
    })
}

fn children<'a, 'i>(
    node: Element<'a, 'i>,
    list: &str,
    name: &'static str,
) -> impl Iterator<Item = Element<'a, 'i>> {
    xml::child(node, list).into_iter().flat_map(|l| l.children()).filter(move |c| c.tag_name().name() == name)
}

fn elements(reading: &mut Reading<'_>, parent: Element<'_, '_>, links: &mut Links) {
    for node in children(parent, "components", "component") {
        let hash = children(node, "hashes", "hash").next();
        let licences = xml::child(node, "licenses").into_iter().flat_map(|l| l.children()).map(|l| {
            let named = ["id", "name"].iter().map(|k| xml::text(l, k)).find(|w| !w.is_empty());
            named.unwrap_or_else(|| l.text().map_or("", str::trim))
        });
        let said = Said {
            purl: xml::text(node, "purl"),
            reference: xml::attribute(node, "bom-ref"),
            checksum: hash
                .map_or(String::new(), |h| checksum(xml::attribute(h, "alg"), h.text().unwrap_or("").trim())),
            licence: licences.filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" OR "),
            optional: matches!(xml::text(node, "scope"), "optional" | "excluded"),
        };
        let at = xml::child(node, "purl").map_or_else(|| xml::bytes(node), xml::bytes);
        add(reading, links, &said, at);
        elements(reading, node, links);
    }
}
