//! One entry of a package-lock.json in a new version, as npm writes it.

use std::sync::Arc;

use serde_json::{Map, Value};
use wardroom_model::Replacement;

use super::NpmError;
use crate::lockfile::document::Node;
use crate::upgrade::Release;

/// What an entry says about its place in the tree, not about its version.
const KEPT: [&str; 5] = ["dev", "devOptional", "extraneous", "optional", "peer"];
/// What the registry says and npm repeats: words first, then lists and maps, each in npm's order.
const WORDS: [&str; 3] = ["hasInstallScript", "license", "deprecated"];
const MAPS: [&str; 10] = [
    "dependencies",
    "bin",
    "cpu",
    "engines",
    "funding",
    "libc",
    "optionalDependencies",
    "os",
    "peerDependencies",
    "peerDependenciesMeta",
];

/// The replacements that put a release into an entry, and into its double in the tree of lockfileVersion 2.
pub fn edit(
    file: &Arc<str>,
    text: &str,
    root: &Node<'_>,
    path: &str,
    node: &Node<'_>,
    release: &Release,
    edits: &mut Vec<Replacement>,
) -> Result<(), NpmError> {
    if !release.checksum.contains('-') {
        return Err(NpmError::Form(
            "the registry tells no integrity of the release; the lockfile is not written",
        ));
    }
    // Lockfiles may be set to leave the addresses out.
    let resolved = match node.text_of("resolved") {
        "" => None,
        old if release.url.is_empty() => {
            let stem = old.strip_suffix(&format!("-{}.tgz", node.text_of("version")));
            let stem = stem.ok_or(NpmError::Form("the address of the release is not known"))?;
            Some(format!("{stem}-{}.tgz", release.version))
        }
        old => Some(moved(old, &release.url)),
    };
    let replace =
        |span: (u32, u32), text: String| Replacement { file: file.clone(), start: span.0, end: span.1, text };

    let mut fields: Vec<(&str, Value)> =
        vec![("version", release.version.clone().into()), ("integrity", release.checksum.clone().into())];
    if let Some(resolved) = &resolved {
        fields.insert(1, ("resolved", resolved.as_str().into()));
    }
    let mut words: Vec<(&str, Value)> = Vec::new();
    for key in KEPT {
        if node.flag(key) {
            words.push((key, true.into()));
        }
    }
    for key in WORDS {
        if let Some(value) =
            release.more.get(key).filter(|value| value.is_string() || value.as_bool() == Some(true))
        {
            words.push((key, value.clone()));
        }
    }
    if !node.text_of("name").is_empty() {
        fields.insert(0, ("name", node.text_of("name").into()));
    }
    words.sort_by_key(|(key, _)| *key);
    fields.extend(words);
    for key in MAPS {
        let value = match release.more.get(key) {
            // An optional one is repeated among the others by the registry, not by npm.
            Some(Value::Object(map)) if key == "dependencies" => {
                Value::Object(without_optional(map, &release.more))
            }
            Some(value @ (Value::Object(_) | Value::Array(_))) => value.clone(),
            _ => continue,
        };
        let empty =
            value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            fields.push((key, value));
        }
    }
    let layout = Layout::of(text, node.span.0 as usize);
    let body: Vec<String> = fields
        .iter()
        .map(|(key, value)| format!("{}{}: {}", layout.inner(1), Value::from(*key), layout.value(value, 1)))
        .collect();
    let newline = layout.newline;
    edits.push(replace(
        node.span,
        format!("{{{newline}{}{newline}{}}}", body.join(&format!(",{newline}")), layout.outer),
    ));

    // The tree that npm 6 reads.
    let mut old = root.get("dependencies");
    let names: Vec<&str> =
        path.split("node_modules/").skip(1).map(|name| name.trim_end_matches('/')).collect();
    for (depth, name) in names.iter().enumerate() {
        old = old.and_then(|level| level.get(name));
        if depth + 1 < names.len() {
            old = old.and_then(|level| level.get("dependencies"));
        }
    }
    let Some(old) = old else { return Ok(()) };
    let resolved = resolved.unwrap_or_default();
    for (key, value) in
        [("version", &release.version), ("resolved", &resolved), ("integrity", &release.checksum)]
    {
        if let Some(place) = old.get(key).filter(|_| !value.is_empty()) {
            edits.push(replace(place.span, Value::from(value.as_str()).to_string()));
        }
    }
    let requires: Map<String, Value> =
        release.requires.iter().map(|need| (need.name.clone(), need.range.clone().into())).collect();
    match old.get("requires") {
        Some(place) if requires.is_empty() => {
            edits.push(replace(place.span, "{}".to_owned()));
        }
        Some(place) => {
            let layout = Layout::of(text, place.span.0 as usize);
            edits.push(replace(place.span, layout.value(&Value::Object(requires), 0)));
        }
        None if requires.is_empty() => {}
        None => {
            let Some(last) = old.get("integrity") else {
                return Err(NpmError::Form("an entry of the tree for old versions of npm has no integrity"));
            };
            let layout = Layout::of(text, last.span.0 as usize);
            let added = format!(
                ",{}{}\"requires\": {}",
                layout.newline,
                layout.outer,
                layout.value(&Value::Object(requires), 0)
            );
            edits.push(replace((last.span.1, last.span.1), added));
        }
    }
    Ok(())
}

fn without_optional(map: &Map<String, Value>, facts: &Value) -> Map<String, Value> {
    let optional = facts.get("optionalDependencies").and_then(Value::as_object);
    let mut map = map.clone();
    map.retain(|name, _| !optional.is_some_and(|o| o.contains_key(name)));
    map
}

/// The registry's address of a release, on the mirror that the lockfile names.
fn moved(old: &str, new: &str) -> String {
    const PUBLIC: &str = "https://registry.npmjs.org/";
    let (Some(path), false) = (new.strip_prefix(PUBLIC), old.starts_with(PUBLIC)) else {
        return new.to_owned();
    };
    let package = path.split("/-/").next().unwrap_or_default();
    match old.find(&format!("/{package}/-/")) {
        Some(at) if !package.is_empty() => format!("{}/{path}", &old[..at]),
        _ => new.to_owned(),
    }
}

/// How the file is indented around a place.
struct Layout<'t> {
    /// The white space before the line that the place is on.
    outer: &'t str,
    unit: &'t str,
    newline: &'static str,
}

impl<'t> Layout<'t> {
    fn of(text: &'t str, at: usize) -> Self {
        let space = |line: &'t str| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
        // The second line of a lockfile is indented once.
        let unit = text.lines().nth(1).map_or("  ", space);
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Layout { outer: space(&text[start..]), unit, newline }
    }

    fn inner(&self, depth: usize) -> String {
        format!("{}{}", self.outer, self.unit.repeat(depth))
    }

    fn value(&self, value: &Value, depth: usize) -> String {
        let items: Vec<String> = match value {
            Value::Object(map) => map
                .iter()
                .map(|(k, v)| format!("{}: {}", Value::from(k.as_str()), self.value(v, depth + 1)))
                .collect(),
            Value::Array(list) => list.iter().map(|v| self.value(v, depth + 1)).collect(),
            other => return other.to_string(),
        };
        let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
        if items.is_empty() {
            return format!("{open}{close}");
        }
        let inner = self.inner(depth + 1);
        let lines: Vec<String> = items.into_iter().map(|item| format!("{inner}{item}")).collect();
        let newline = self.newline;
        format!("{open}{newline}{}{newline}{}{close}", lines.join(&format!(",{newline}")), self.inner(depth))
    }
}
