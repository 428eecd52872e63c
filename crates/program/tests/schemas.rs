//! The published schemas are what the shapes say, and the built-in files keep to them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wardroom_program::{SCHEMAS, built_in, schema};

#[test]
fn schemas_are_as_committed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/program");
    let write = std::env::var_os("WARDROOM_WRITE_DOCS").is_some();
    for (name, _) in SCHEMAS {
        let text = serde_json::to_string_pretty(&schema(name).expect("a schema")).expect("JSON") + "\n";
        let path = folder.join(format!("{name}.schema.json"));
        if write {
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(&path, text).expect("a schema");
        } else {
            let found = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(found, text, "docs/program/{name}.schema.json is old: run `cargo xtask docs`");
        }
    }
    assert_eq!(schema("other"), None);
}

#[test]
fn the_built_in_files_keep_to_them() {
    for file in built_in() {
        let name = match file.path.as_str() {
            "wardroom.toml" => "wardroom",
            "policies/roles.yaml" => "roles",
            "policies/identity.yaml" => "identity",
            "policies/values.yaml" => "values",
            _ => "kind",
        };
        let value: Value = if file.path.ends_with(".toml") {
            toml::from_str(&file.text).expect("TOML")
        } else {
            serde_saphyr::from_str(&file.text).expect("YAML")
        };
        let schema = schema(name).expect("a schema");
        let wrong = check(&schema, &schema, &value, "");
        assert!(wrong.is_empty(), "{}: {wrong:?}", file.path);
    }
}

/// What the page on the format shows is of the format. Its pieces are not whole files.
#[test]
fn the_page_keeps_to_them() {
    let page = include_str!("../../../docs/program.md");
    let mut pieces = 0;
    for block in page.split("\n```yaml\n").skip(1) {
        let text = block.split("\n```").next().unwrap_or_default();
        let name = match text.split_once(':') {
            Some((name @ ("roles" | "values"), _)) => name,
            _ => "kind",
        };
        let schema = schema(name).expect("a schema");
        let value: Value = serde_saphyr::from_str(text).expect("YAML");
        let wrong = check(&schema, &schema, &value, "");
        let wrong: Vec<&String> = wrong.iter().filter(|w| !w.starts_with(": ")).collect();
        assert!(wrong.is_empty(), "{text}\n{wrong:?}");
        pieces += 1;
    }
    assert!(pieces >= 9, "{pieces}");
}

#[test]
fn what_does_not_keep_to_them_is_found() {
    let schema = schema("kind").expect("a schema");
    let value = json!({
        "kind": "a", "prefix": 1, "summary": "A", "colour": "red",
        "fields": {"title": {"type": "txt"}}, "states": {"new": {"open": "yes"}},
        "transitions": {"go": {"from": ["new"], "to": "new"}},
    });
    let found = check(&schema, &schema, &value, "");
    assert_eq!(found.len(), 5, "{found:?}");
}

/// As much of JSON schema as the shapes use: `$ref`, `anyOf`, `type`, `enum`, `required`, `properties`,
/// `additionalProperties`, `items`.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect("what a reference names");
        return check(root, target, value, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let all: Vec<Vec<String>> = any.iter().map(|s| check(root, s, value, at)).collect();
        return if all.iter().any(Vec::is_empty) {
            Vec::new()
        } else {
            all.into_iter().next().unwrap_or_default()
        };
    }
    let mut wrong = Vec::new();
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.is_empty() && !types.contains(&is) {
        wrong.push(format!("{at}: {is}, not {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|e| !e.contains(value)) {
        wrong.push(format!("{at}: {value} is none of the values"));
    }
    if let Some(items) = value.as_array().filter(|_| schema["items"].is_object()) {
        wrong.extend(items.iter().flat_map(|v| check(root, &schema["items"], v, at)));
    }
    if let Some(map) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        wrong.extend(required.filter(|r| !map.contains_key(*r)).map(|r| format!("{at}: {r} is missing")));
        for (name, value) in map {
            let at = format!("{at}/{name}");
            match (&schema["properties"][name], &schema["additionalProperties"]) {
                (Value::Null, Value::Bool(false)) => wrong.push(format!("{at}: unknown")),
                (Value::Null, Value::Null | Value::Bool(true)) => {}
                (Value::Null, more) => wrong.extend(check(root, more, value, &at)),
                (property, _) => wrong.extend(check(root, property, value, &at)),
            }
        }
    }
    wrong
}
