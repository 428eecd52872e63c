//! Reading SPDX 2, as JSON and as tags with values.

use std::sync::Arc;

use super::read_cyclonedx::{Links, Said, add, checksum};
use crate::lockfile::Inventory;
use crate::lockfile::reading::{Reading, span};

/// A link between two elements, turned so that the first needs the second; none for one of another kind.
fn need(from: &str, kind: &str, to: &str) -> Option<(String, String)> {
    match kind {
        "DEPENDS_ON" | "CONTAINS" => Some((from.to_owned(), to.to_owned())),
        "DEPENDENCY_OF"
        | "DEV_DEPENDENCY_OF"
        | "BUILD_DEPENDENCY_OF"
        | "RUNTIME_DEPENDENCY_OF"
        | "TEST_DEPENDENCY_OF"
        | "OPTIONAL_DEPENDENCY_OF"
        | "PROVIDED_DEPENDENCY_OF"
        | "CONTAINED_BY" => Some((to.to_owned(), from.to_owned())),
        _ => None,
    }
}

fn licence(declared: &str, concluded: &str) -> String {
    let told = |words: &str| !matches!(words, "" | "NOASSERTION" | "NONE");
    [declared, concluded].into_iter().find(|w| told(w)).unwrap_or("").to_owned()
}

/// Reads a JSON document.
pub fn json(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::json(file, bytes, |reading, root| {
        let mut links = Links::default();
        links.roots.extend(root.items_of("documentDescribes").iter().map(|n| n.text().to_owned()));
        for node in root.items_of("packages") {
            let purl = node.items_of("externalRefs").iter().find(|r| r.text_of("referenceType") == "purl");
            let sum = node.items_of("checksums").first();
            let said = Said {
                purl: purl.map_or("", |r| r.text_of("referenceLocator")),
                reference: node.text_of("SPDXID"),
                checksum: sum
                    .map_or(String::new(), |s| checksum(s.text_of("algorithm"), s.text_of("checksumValue"))),
                licence: licence(node.text_of("licenseDeclared"), node.text_of("licenseConcluded")),
                optional: false,
            };
            let at = purl.and_then(|r| r.get("referenceLocator")).map_or(node.span, |n| n.span);
            add(reading, &mut links, &said, at);
        }
        for node in root.items_of("relationships") {
            let (from, to) = (node.text_of("spdxElementId"), node.text_of("relatedSpdxElement"));
            let kind = node.text_of("relationshipType");
            if kind == "DESCRIBES" {
                links.roots.insert(to.to_owned());
            }
            links.needs.extend(need(from, kind, to));
        }
        links.finish(reading);
    })
}

/// Reads a document of tags.
pub fn tags(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let mut links = Links::default();
        let mut said = Said::default();
        let mut at = (0, 0);
        let (mut declared, mut concluded) = ("", "");
        let mut within_text = false;
        let mut begun = false;
        let mut told = false;
        for (start, line) in reading.lines() {
            // Long words may go over lines, and hold anything.
            if within_text {
                within_text = !line.contains("</text>");
                continue;
            }
            let line = line.trim_start_matches('\u{feff}').trim();
            let Some((tag, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else {
                if !line.is_empty() && !line.starts_with('#') && !told {
                    told = true;
                    reading.problem(start, "A line must hold a tag and a value.");
                }
                continue;
            };
            let value = value.trim();
            within_text = value.contains("<text>") && !value.contains("</text>");
            match tag {
                "SPDXVersion" => begun = true,
                "PackageName" | "FileName" | "SnippetSPDXID" => {
                    said.licence = licence(declared, concluded);
                    add(reading, &mut links, &std::mem::take(&mut said), at);
                    (declared, concluded) = ("", "");
                }
                "SPDXID" => said.reference = value,
                "PackageLicenseDeclared" => declared = value,
                "PackageLicenseConcluded" => concluded = value,
                "PackageChecksum" => {
                    let (algorithm, digits) = value.split_once(':').unwrap_or((value, ""));
                    said.checksum = checksum(algorithm, digits.trim());
                }
                "ExternalRef" => {
                    let mut words = value.split_whitespace();
                    if let (Some(_), Some("purl"), Some(purl)) = (words.next(), words.next(), words.next()) {
                        said.purl = purl;
                        at = span(start, start + line.len());
                    }
                }
                "Relationship" => {
                    let mut words = value.split_whitespace();
                    if let (Some(from), Some(kind), Some(to)) = (words.next(), words.next(), words.next()) {
                        if kind == "DESCRIBES" {
                            links.roots.insert(to.to_owned());
                        }
                        links.needs.extend(need(from, kind, to));
                    }
                }
                _ => {}
            }
        }
        said.licence = licence(declared, concluded);
        add(reading, &mut links, &said, at);
        if !begun {
            reading.problem(0, "This is no bill of materials: there is no `SPDXVersion`.");
        }
        links.finish(reading);
    })
}
