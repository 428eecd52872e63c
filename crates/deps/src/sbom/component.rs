//! What a bill of materials holds, before it is written in one form or another.

use std::collections::{BTreeMap, BTreeSet};

use crate::lockfile::Inventory;
use crate::{Ecosystem, Package, Purl};

/// One component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its package URL: what tells it from all others.
    pub purl: String,
    /// Whose rules its name follows.
    pub ecosystem: Ecosystem,
    /// Scope, group or vendor; empty where it has none.
    pub namespace: String,
    /// Its name without that.
    pub name: String,
    /// Its version; empty where none is known.
    pub version: String,
    /// Hashes of what is fetched: algorithm as CycloneDX writes it and lower-case hexadecimal digits.
    pub hashes: Vec<(&'static str, String)>,
    /// Licences as the files tell them, sorted.
    pub licences: BTreeSet<String>,
    /// The project itself asks for it.
    pub direct: bool,
    /// Only these groups need it; empty where it is needed everywhere.
    pub groups: BTreeSet<String>,
    /// Where it is fetched from; empty where that is the ecosystem's own registry.
    pub source: String,
    /// The files that name it, sorted.
    pub files: BTreeSet<String>,
    /// The package URLs of what it needs, sorted.
    pub needs: BTreeSet<String>,
}

/// All components of a project, by package URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Sorted by package URL.
    pub components: Vec<Component>,
}

impl Bill {
    /// Puts the inventories of a project's files together: a package that several files name is one
    /// component. Packages of the project's own folders are left out.
    pub fn new<'a>(inventories: impl IntoIterator<Item = (&'a str, &'a Inventory)>) -> Bill {
        let mut components: BTreeMap<String, Component> = BTreeMap::new();
        for (file, inventory) in inventories {
            let purls: Vec<Purl> = inventory.packages.iter().map(Purl::of).collect();
            let written: Vec<String> = purls.iter().map(Purl::to_string).collect();
            let edges = inventory.edges();
            for (index, package) in inventory.packages.iter().enumerate() {
                if matches!(package.origin, crate::Origin::Path(_)) {
                    continue;
                }
                let entry = components
                    .entry(written[index].clone())
                    .and_modify(|known| known.meet(package))
                    .or_insert_with(|| Component::of(package, &purls[index], &written[index]));
                entry.files.insert(file.to_owned());
                let own =
                    |target: &&usize| matches!(inventory.packages[**target].origin, crate::Origin::Path(_));
                let needed = edges[index].iter().filter(|t| !own(t) && written[**t] != written[index]);
                entry.needs.extend(needed.map(|t| written[*t].clone()));
            }
            for (index, licence) in &inventory.licences {
                if let Some(component) = written.get(*index).and_then(|p| components.get_mut(p)) {
                    component.licences.insert(licence.clone());
                }
            }
        }
        Bill { components: components.into_values().collect() }
    }
}

impl Component {
    fn of(package: &Package, purl: &Purl, written: &str) -> Component {
        let source =
            ["vcs_url", "download_url", "repository_url"].iter().find_map(|k| purl.qualifiers.get(*k));
        Component {
            purl: written.to_owned(),
            ecosystem: package.ecosystem,
            namespace: purl.namespace.clone(),
            name: purl.name.clone(),
            version: purl.version.clone(),
            hashes: hashes(package),
            licences: BTreeSet::new(),
            direct: package.direct,
            groups: package.groups.iter().cloned().collect(),
            source: source.cloned().unwrap_or_default(),
            files: BTreeSet::new(),
            needs: BTreeSet::new(),
        }
    }

    /// The same package in another file: needed everywhere as soon as one of them says so.
    fn meet(&mut self, package: &Package) {
        self.direct |= package.direct;
        if self.groups.is_empty() || package.groups.is_empty() {
            self.groups.clear();
        } else {
            self.groups.extend(package.groups.iter().cloned());
        }
        if self.hashes.is_empty() {
            self.hashes = hashes(package);
        }
    }
}

/// A checksum of what is fetched, whatever way the file writes it. Checksums that are taken over
/// something else, as Go's and Yarn's are, give none.
fn hashes(package: &Package) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    for word in package.checksum.split_whitespace() {
        let (algorithm, digits) = match word.split_once([':', '-']) {
            Some((algorithm, digits)) => (algorithm.to_ascii_lowercase(), digits),
            None => continue,
        };
        let (name, length) = match algorithm.as_str() {
            "md5" => ("MD5", 16),
            "sha1" => ("SHA-1", 20),
            "sha256" => ("SHA-256", 32),
            "sha384" => ("SHA-384", 48),
            "sha512" => ("SHA-512", 64),
            _ => continue,
        };
        let hex = digits.len() == length * 2 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let written = match hex {
            true => Some(digits.to_ascii_lowercase()),
            false => base64(digits)
                .filter(|bytes| bytes.len() == length)
                .map(|bytes| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()),
        };
        out.extend(written.map(|digits| (name, digits)));
    }
    out
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        Some(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    };
    let (mut out, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        held = held << 6 | u32::from(digit(byte)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_all_kinds() {
        let read = |checksum: &str| {
            let mut package = Package::new(Ecosystem::Npm, "a", "1", (0, 0));
            package.checksum = checksum.to_owned();
            hashes(&package)
        };
        let hex = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        assert_eq!(read(&format!("sha1:{hex}")), [("SHA-1", hex.to_owned())]);
        assert_eq!(read("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="), [("SHA-1", hex.to_owned())]);
        assert_eq!(read("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha512-xx").len(), 1);
        for none in ["h1:abc=", "10c0/abc", "sha1:abc", "", "sha256-!!"] {
            assert_eq!(read(none), [], "{none}");
        }
    }

    #[test]
    fn the_same_package_in_two_files() {
        let mut first = Inventory::default();
        let mut package = Package::new(Ecosystem::Npm, "@a/b", "1", (0, 0));
        package.groups = vec!["dev".to_owned()];
        first.packages.push(package.clone());
        let mut second = first.clone();
        second.packages[0].groups.clear();
        second.packages[0].direct = true;
        let bill = Bill::new([("x/package-lock.json", &first), ("y/package-lock.json", &second)]);
        let [component] = &bill.components[..] else { panic!() };
        assert!(component.direct && component.groups.is_empty());
        assert_eq!(component.files.len(), 2);
        assert_eq!((component.namespace.as_str(), component.name.as_str()), ("@a", "b"));
    }
}
