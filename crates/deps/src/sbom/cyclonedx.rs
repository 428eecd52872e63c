//! CycloneDX as JSON.

use serde_json::{Map, Value, json};

use super::component::{Bill, Component};
use super::{Head, timestamp};
use crate::Ecosystem;

/// The reference of the project itself.
const ROOT: &str = "project";

/// Writes a document of a version: `1.4`, `1.5` or `1.6`.
pub fn write(version: &str, head: &Head, bill: &Bill) -> String {
    let mut root = json!({"type": "application", "bom-ref": ROOT, "name": head.name});
    if !head.version.is_empty() {
        root["version"] = json!(head.version);
    }
    // From version 1.5 on a tool is a component like others.
    let tools = match version {
        "1.4" => json!([{"vendor": "Wardroom", "name": "wardroom", "version": head.tool_version}]),
        _ => {
            json!({"components": [{"type": "application", "name": "wardroom", "version": head.tool_version}]})
        }
    };
    let direct: Vec<&str> = bill.components.iter().filter(|c| c.direct).map(|c| c.purl.as_str()).collect();
    let mut dependencies = vec![json!({"ref": ROOT, "dependsOn": direct})];
    for component in &bill.components {
        dependencies.push(json!({"ref": component.purl, "dependsOn": component.needs}));
    }
    let document = json!({
        "$schema": format!("http://cyclonedx.org/schema/bom-{version}.schema.json"),
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": format!("urn:uuid:{}", head.serial),
        "version": 1,
        "metadata": {"timestamp": timestamp(head.created), "tools": tools, "component": root},
        "components": bill.components.iter().map(component).collect::<Vec<_>>(),
        "dependencies": dependencies,
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn component(component: &Component) -> Value {
    let kind = match component.ecosystem {
        Ecosystem::Container => "container",
        Ecosystem::Runtime => "application",
        _ => "library",
    };
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("type", json!(kind));
    put("bom-ref", json!(component.purl));
    if !component.namespace.is_empty() {
        put("group", json!(component.namespace));
    }
    put("name", json!(component.name));
    // A component without a version has an empty one: the schema of 1.3 asked for it, and readers still do.
    if !component.version.is_empty() {
        put("version", json!(component.version));
    }
    put("purl", json!(component.purl));
    let scope = if component.groups.is_empty() { "required" } else { "optional" };
    put("scope", json!(scope));
    if !component.hashes.is_empty() {
        let hashes =
            component.hashes.iter().map(|(algorithm, digits)| json!({"alg": algorithm, "content": digits}));
        put("hashes", hashes.collect());
    }
    if !component.licences.is_empty() {
        put("licenses", licences(component));
    }
    // Only what is an address: a registry may be known by its host or its name alone.
    if component.source.contains("://")
        && !component.source.contains([' ', '<', '>', '{', '}', '\\', '^', '`', '|', '"'])
    {
        let kind = if component.source.starts_with("git") { "vcs" } else { "distribution" };
        put("externalReferences", json!([{"type": kind, "url": component.source}]));
    }
    let groups = component.groups.iter().map(|g| json!({"name": "wardroom:group", "value": g}));
    let files = component.files.iter().map(|f| json!({"name": "wardroom:file", "value": f}));
    put("properties", groups.chain(files).collect());
    Value::Object(out)
}

/// Known identifiers as such; one expression of them as an expression; all else by its words.
fn licences(component: &Component) -> Value {
    let known = |id: &str| super::spdx::LICENCES.binary_search(&id).is_ok();
    let expression = |words: &str| {
        words.split([' ', '(', ')']).filter(|w| !matches!(*w, "" | "OR" | "AND")).all(known)
            && (words.contains(" OR ") || words.contains(" AND "))
    };
    if let [one] = &component.licences.iter().collect::<Vec<_>>()[..]
        && expression(one)
    {
        return json!([{"expression": one}]);
    }
    component
        .licences
        .iter()
        .map(|words| match known(words) {
            true => json!({"license": {"id": words}}),
            false => json!({"license": {"name": words}}),
        })
        .collect()
}
