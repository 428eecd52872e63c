//! What the description promises is what is answered.

use std::path::Path;

use axum::body::Body;
use axum::http::header;
use serde_json::{Map, Value};

use super::{Place, asking};
use crate::api::openapi;

fn described() -> Value {
    serde_json::from_str(&openapi::text().unwrap()).unwrap()
}

/// Whether a value has the form of a schema; what is wrong, and where.
fn fits(api: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let found = api.pointer(reference.trim_start_matches('#'));
        return fits(api, found.ok_or(format!("{at}: no {reference}"))?, value, at);
    }
    for (word, least) in [("oneOf", 1), ("anyOf", 1)] {
        if let Some(list) = schema[word].as_array() {
            let fitting = list.iter().filter(|s| fits(api, s, value, at).is_ok()).count();
            if fitting < least {
                return Err(format!("{at}: {value} is none of {word}"));
            }
        }
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fits(api, part, value, at)?;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |t: &str| match t {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{at}: {other} is no type"),
    };
    if !types.is_empty() && !types.iter().any(|t| is(t)) {
        return Err(format!("{at}: {value} is no {types:?}"));
    }
    if let Some(list) = schema["enum"].as_array()
        && !list.contains(value)
    {
        return Err(format!("{at}: {value} is none of {list:?}"));
    }
    if let Some(object) = value.as_object().filter(|_| schema["type"] != "string") {
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                return Err(format!("{at}: {name} is missing"));
            }
        }
        for (name, value) in object {
            let at = format!("{at}.{name}");
            match (properties.get(name), &schema["additionalProperties"]) {
                (Some(schema), _) => fits(api, schema, value, &at)?,
                (None, Value::Object(schema)) => fits(api, &Value::Object(schema.clone()), value, &at)?,
                // What is told of by name must be told of whole.
                (None, _) if !properties.is_empty() => return Err(format!("{at} is not promised")),
                (None, _) => {}
            }
        }
    }
    if let (Some(list), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (n, value) in list.iter().enumerate() {
            fits(api, schema, value, &format!("{at}[{n}]"))?;
        }
    }
    Ok(())
}

/// The bodies that an operation shows, by name; none where it takes none.
fn bodies(operation: &Value) -> Vec<(String, Option<Value>)> {
    let examples = &operation["requestBody"]["content"]["application/json"]["examples"];
    match examples.as_object() {
        Some(examples) => examples.iter().map(|(name, e)| (name.clone(), Some(e["value"].clone()))).collect(),
        None => vec![("no body".to_owned(), None)],
    }
}

/// An address with the examples of its parameters.
fn address(path: &str, operation: &Value) -> String {
    let mut path = path.to_owned();
    let mut query = form_urlencoded::Serializer::new(String::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let example = match &parameter["example"] {
            Value::Null => &parameter["schema"]["example"],
            example => example,
        };
        let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        match parameter["in"].as_str().unwrap() {
            "path" => {
                assert!(!example.is_null(), "{path}: {name} has no example");
                path = path.replace(&format!("{{{name}}}"), &text);
            }
            "query" if !example.is_null() => {
                query.append_pair(name, &text);
            }
            _ => {}
        }
    }
    let query = query.finish();
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// Brings a desk to where an example makes sense.
async fn prepared(operation: &str, example: &str) -> (Place, String) {
    let place = Place::filled().await;
    let token = place.token("lead", &["read", "write", "deliver"]).await;
    let owner = crate::tokens::token_caller(&place.app, &token).await.unwrap().unwrap();
    match (operation, example) {
        ("getJob" | "cancelJob", _) => {
            let name = owner.caller.actor.to_string();
            place.app.desk.jobs.start(&name, "Change 501 records", 0);
        }
        ("undo", _) => {
            let done = place
                .post("/records/F-3/commands", &token, &serde_json::json!({"do": "label", "add": ["x"]}))
                .await;
            assert!(done.body["batch"].as_u64().is_some(), "{}", done.text);
        }
        _ => {}
    }
    (place, token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_is_answered_as_promised() {
    let api = described();
    let mut ran = 0;
    for (path, operations) in api["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{name} has no summary");
            let bodies = bodies(operation);
            assert!(operation["requestBody"].is_null() || bodies[0].1.is_some(), "{name} has no example");
            for (example, body) in bodies {
                let (place, token) = prepared(name, &example).await;
                let mut address = address(path, operation);
                if name == "undo" {
                    let events = place.app.desk.store().events(0, 1_000).await.unwrap();
                    address = format!("/undo/{}", events.last().unwrap().batch);
                }
                let mut request = asking(&method.to_uppercase(), &address, &token);
                if let Some(body) = &body {
                    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                    fits(&api, schema, body, "body").unwrap_or_else(|e| panic!("{name}, {example}: {e}"));
                    request = request.header(header::CONTENT_TYPE, "application/json");
                }
                let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
                let said = place.send(request.body(body).unwrap()).await;
                assert!(said.status.is_success(), "{name}, {example}: {} {}", said.status, said.text);
                let promised = &operation["responses"][said.status.as_str()];
                assert!(promised.is_object(), "{name}, {example}: {} is not promised", said.status);
                let schema = &promised["content"]["application/json"]["schema"];
                assert!(schema.is_object(), "{name}: {} has no schema", said.status);
                fits(&api, schema, &said.body, "answer").unwrap_or_else(|e| panic!("{name}, {example}: {e}"));
                for header in promised["headers"].as_object().into_iter().flat_map(Map::keys) {
                    assert!(
                        header == "Link" || said.headers.contains_key(header.as_str()),
                        "{name}: {header}"
                    );
                }
                ran += 1;
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                if status.starts_with(['4', '5']) {
                    let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(schema, "#/components/schemas/Problem", "{name} {status}");
                }
            }
        }
    }
    assert!(ran >= 28, "{ran} examples");
}

#[test]
fn the_description_in_the_docs_is_this_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let text = openapi::text().unwrap();
    if std::env::var_os("WARDROOM_WRITE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "docs/openapi.json is not what the program says: run `cargo xtask docs`");
}

#[test]
fn the_check_of_forms_can_fail() {
    let api = described();
    let schema = serde_json::json!({"$ref": "#/components/schemas/Delivered"});
    let good = serde_json::json!({"unchanged": true, "counts": {"seen": 1}, "events": 0, "asset": "A-1"});
    fits(&api, &schema, &good, "").unwrap();
    for (name, value) in
        [("unchanged", Value::from(1)), ("counts", serde_json::json!({"seen": "1"})), ("more", Value::Null)]
    {
        let mut wrong = good.clone();
        wrong[name] = value;
        assert!(fits(&api, &schema, &wrong, "").is_err(), "{name}");
    }
    let mut wrong = good;
    wrong.as_object_mut().unwrap().remove("asset");
    assert!(fits(&api, &schema, &wrong, "").is_err());
}

/// The guide names what there is.
#[test]
fn the_guide_names_every_operation_and_problem() {
    let guide = include_str!("../../../../../docs/api.md");
    for (path, operations) in described()["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let named = format!("`{} {path}`", method.to_uppercase());
            assert!(guide.contains(&named), "docs/api.md does not name {named}");
        }
    }
    for kind in crate::api::problem::ALL {
        assert!(guide.contains(&format!("`{}`", kind.name)), "docs/api.md does not name {}", kind.name);
    }
}
