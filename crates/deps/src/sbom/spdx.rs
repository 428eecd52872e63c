//! SPDX 2.3 as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::component::{Bill, Component};
use super::{Head, timestamp};
use crate::Ecosystem;

/// The licences by which nearly all libraries are published, by their SPDX identifiers, sorted. What is
/// not among them is given by its words.
pub const LICENCES: [&str; 48] = [
    "0BSD",
    "AFL-2.1",
    "AFL-3.0",
    "AGPL-3.0",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-1.1",
    "Apache-2.0",
    "Artistic-1.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD-4-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC0-1.0",
    "CDDL-1.0",
    "EPL-1.0",
    "EPL-2.0",
    "EUPL-1.2",
    "GPL-2.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "ISC",
    "LGPL-2.1",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "MIT",
    "MIT-0",
    "MPL-1.1",
    "MPL-2.0",
    "MS-PL",
    "OFL-1.1",
    "PSF-2.0",
    "Python-2.0",
    "Ruby",
    "Unicode-3.0",
    "Unlicense",
    "WTFPL",
    "Zlib",
];

const ROOT: &str = "SPDXRef-project";

/// Writes a document.
pub fn write(head: &Head, bill: &Bill) -> String {
    let ids: BTreeMap<&str, String> =
        bill.components.iter().enumerate().map(|(i, c)| (c.purl.as_str(), id(c, i))).collect();
    let mut relations = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", ROOT)];
    for component in &bill.components {
        let own = &ids[component.purl.as_str()];
        if component.direct {
            let development = component.groups.iter().any(|g| g.starts_with("dev") || g == "test");
            relations.push(match development {
                true => relation(own, "DEV_DEPENDENCY_OF", ROOT),
                false => relation(ROOT, "DEPENDS_ON", own),
            });
        }
        for need in component.needs.iter().filter_map(|n| ids.get(n.as_str())) {
            relations.push(relation(own, "DEPENDS_ON", need));
        }
    }
    let mut root = json!({
        "SPDXID": ROOT,
        "name": head.name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "primaryPackagePurpose": "APPLICATION",
    });
    if !head.version.is_empty() {
        root["versionInfo"] = json!(head.version);
    }
    let packages =
        std::iter::once(root).chain(bill.components.iter().map(|c| package(c, &ids[c.purl.as_str()])));
    let document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": head.name,
        "documentNamespace": format!("https://spdx.org/spdxdocs/{}-{}", plain(&head.name), head.serial),
        "creationInfo": {
            "created": timestamp(head.created),
            "creators": [format!("Tool: wardroom-{}", head.tool_version)],
        },
        "packages": packages.collect::<Vec<_>>(),
        "relationships": relations,
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to})
}

/// Letters, digits, dots and dashes are all that an identifier may have.
fn plain(words: &str) -> String {
    words.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '-' }).collect()
}

/// Its name and version make an identifier readable, its number makes it the only one.
fn id(component: &Component, number: usize) -> String {
    format!(
        "SPDXRef-{}-{}-{}-{number}",
        component.ecosystem.purl_type(),
        plain(&component.name),
        plain(&component.version)
    )
}

fn package(component: &Component, id: &str) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("SPDXID", json!(id));
    let separator = if component.ecosystem == Ecosystem::Maven { ":" } else { "/" };
    put(
        "name",
        match component.namespace.as_str() {
            "" => json!(component.name),
            namespace => json!(format!("{namespace}{separator}{}", component.name)),
        },
    );
    if !component.version.is_empty() {
        put("versionInfo", json!(component.version));
    }
    let address = component.source.contains("://") && !component.source.contains(char::is_whitespace);
    let location = match component.source.as_str() {
        source if address && (source.starts_with("git") || source.starts_with("http")) => source,
        _ => "NOASSERTION",
    };
    put("downloadLocation", json!(location));
    put("filesAnalyzed", json!(false));
    put("copyrightText", json!("NOASSERTION"));
    put("licenseConcluded", json!("NOASSERTION"));
    let known = |words: &&String| {
        words
            .split([' ', '(', ')'])
            .filter(|w| !matches!(*w, "" | "OR" | "AND"))
            .all(|w| LICENCES.binary_search(&w).is_ok())
    };
    // Several licences that files tell are all told; words that are no expression are left out.
    let told: Vec<String> = component.licences.iter().filter(known).cloned().collect();
    let declared = match &told[..] {
        [] => "NOASSERTION".to_owned(),
        [one] => one.clone(),
        several => several.iter().map(|l| format!("({l})")).collect::<Vec<_>>().join(" AND "),
    };
    put("licenseDeclared", json!(declared));
    if !component.hashes.is_empty() {
        let sums = component.hashes.iter().map(
            |(algorithm, digits)| json!({"algorithm": algorithm.replace('-', ""), "checksumValue": digits}),
        );
        put("checksums", sums.collect());
    }
    put(
        "externalRefs",
        json!([{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": component.purl,
        }]),
    );
    let purpose = match component.ecosystem {
        Ecosystem::Container => "CONTAINER",
        Ecosystem::Runtime => "APPLICATION",
        _ => "LIBRARY",
    };
    put("primaryPackagePurpose", json!(purpose));
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn licences_are_sorted() {
        assert!(super::LICENCES.is_sorted());
    }
}
