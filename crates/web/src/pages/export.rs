//! What a search finds, as a file: CSV, JSON, SARIF.

use std::collections::HashMap;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query as Parameters, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio_stream::wrappers::ReceiverStream;
use wardroom_desk::Record;
use wardroom_desk::query::Query;

use crate::App;
use crate::api::show::Sight;
use crate::csv;
use crate::error::Failed;
use crate::session::Viewer;
use crate::view::datetime;

/// Records read at once.
const SLICE: usize = 500;
/// Columns of a CSV file that every record has, before those of its fields.
const COLUMNS: [&str; 9] = ["id", "kind", "state", "open", "opened", "updated", "closed", "due", "labels"];

pub fn router() -> Router<App> {
    Router::new()
        .route("/export.csv", get(export))
        .route("/export.json", get(export))
        .route("/export.sarif", get(export))
}

async fn export(
    State(app): State<App>,
    uri: Uri,
    viewer: Viewer,
    Parameters(asked): Parameters<HashMap<String, String>>,
) -> Result<Response, Failed> {
    let (media, format, ending) = match uri.path() {
        "/export.csv" => ("text/csv; charset=utf-8", Format::Csv, "csv"),
        "/export.sarif" => ("application/sarif+json", Format::Sarif, "sarif"),
        _ => ("application/json", Format::Json, "json"),
    };
    let (query, _) = Query::parse(asked.get("q").map_or("", String::as_str));
    let (numbers, fields) = {
        let shared = app.desk.read();
        let found = shared.index.find(&query, &viewer.eyes(), app.desk.now());
        let mut fields: Vec<String> = Vec::new();
        for field in shared.program.kinds.values().flat_map(|k| &k.fields) {
            if !fields.contains(&field.name) && !field.name.ends_with("_found") {
                fields.push(field.name.clone());
            }
        }
        (shared.index.ordered(&found, query.sort().unwrap_or_default()), fields)
    };
    // A million records are never in memory at once: they go out as they are read.
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(4);
    let sight = Sight::with(&app, &viewer.eyes());
    let rules: Vec<Value> =
        app.rules.iter().map(|r| json!({"id": r.id, "shortDescription": {"text": r.title}})).collect();
    tokio::spawn(async move {
        let mut out = format.begin(&fields, &rules);
        let mut any = false;
        for slice in numbers.chunks(SLICE) {
            let records = match app.desk.store().records(slice).await {
                Ok(records) => records,
                Err(error) => {
                    tracing::error!(%error, "an export broke off");
                    let _ = sender.send(Err(std::io::Error::other("the store could not be read"))).await;
                    return;
                }
            };
            for record in records {
                format.one(&sight.record(record), &fields, &mut any, &mut out);
            }
            if sender.send(Ok(Bytes::from(std::mem::take(&mut out)))).await.is_err() {
                return;
            }
        }
        out.push_str(format.end());
        let _ = sender.send(Ok(Bytes::from(out))).await;
    });
    let disposition = format!("attachment; filename=\"wardroom.{ending}\"");
    let headers = [(header::CONTENT_TYPE, media.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(ReceiverStream::new(receiver))).into_response())
}

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Json,
    Sarif,
}

impl Format {
    fn begin(self, fields: &[String], rules: &[Value]) -> String {
        match self {
            Format::Csv => {
                let names: Vec<&str> = COLUMNS.into_iter().chain(fields.iter().map(String::as_str)).collect();
                names.join(",") + "\r\n"
            }
            Format::Json => "[".to_owned(),
            Format::Sarif => format!(
                "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{{\"name\":\"Wardroom\",\"version\":\"{}\",\"rules\":{}}}}},\"columnKind\":\"unicodeCodePoints\",\"results\":[",
                env!("CARGO_PKG_VERSION"),
                Value::Array(rules.to_vec())
            ),
        }
    }

    /// `any` says whether something stands there already.
    fn one(self, record: &Record, fields: &[String], any: &mut bool, out: &mut String) {
        match self {
            Format::Csv => row(record, fields, out),
            Format::Json => {
                out.push_str(if std::mem::replace(any, true) { ",\n" } else { "\n" });
                out.push_str(&flat(record).to_string());
            }
            Format::Sarif => {
                if let Some(result) = sarif(record) {
                    if std::mem::replace(any, true) {
                        out.push(',');
                    }
                    out.push_str(&result.to_string());
                }
            }
        }
    }

    fn end(self) -> &'static str {
        match self {
            Format::Csv => "",
            Format::Json => "\n]\n",
            Format::Sarif => "]}]}\n",
        }
    }
}

/// A record as one flat object.
fn flat(record: &Record) -> Value {
    let mut out = serde_json::to_value(&record.fields).unwrap_or(Value::Null);
    if let Some(map) = out.as_object_mut() {
        map.retain(|name, _| !name.ends_with("_found"));
        map.insert("id".to_owned(), json!(record.id));
        map.insert("kind".to_owned(), json!(record.kind));
        map.insert("state".to_owned(), json!(record.state));
        map.insert("open".to_owned(), json!(record.open));
        map.insert("opened".to_owned(), json!(datetime(record.opened)));
        map.insert("updated".to_owned(), json!(datetime(record.updated)));
        map.insert("closed".to_owned(), json!(record.closed.map(datetime)));
        map.insert("due".to_owned(), json!(record.due().map(|(_, at)| datetime(at))));
        map.insert("labels".to_owned(), json!(record.labels));
        map.insert("links".to_owned(), json!(record.links));
    }
    out
}

fn row(record: &Record, fields: &[String], out: &mut String) {
    let flat = flat(record);
    let names = COLUMNS.into_iter().chain(fields.iter().map(String::as_str));
    for (at, name) in names.enumerate() {
        if at > 0 {
            out.push(',');
        }
        let text = match flat.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            Some(other) => other.to_string(),
        };
        csv::cell(&text, out);
    }
    out.push_str("\r\n");
}

/// A finding as a result; none for a record that has no place in code.
fn sarif(record: &Record) -> Option<Value> {
    let file = record.fields.get("file")?.as_str()?;
    let level = match record.text("severity") {
        "critical" | "high" => "error",
        "medium" => "warning",
        _ => "note",
    };
    let line = record.fields.get("line").and_then(Value::as_u64).unwrap_or(1).max(1);
    let fingerprint = record.seen.values().next().map(|s| s.fingerprint.clone()).unwrap_or_default();
    let mut result = json!({
        "ruleId": record.text("rule"),
        "level": level,
        "message": {"text": record.title()},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": crate::error::url_encode(file)}, "region": {"startLine": line}}}],
        "partialFingerprints": {"wardroom/v1": fingerprint},
        "properties": {"id": record.id, "state": record.state},
    });
    if !record.open {
        let justification = record.text("dismissal");
        result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": format!("{} {justification}", record.state)}]);
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(title: &str) -> Record {
        serde_json::from_value(json!({
            "id": "F-1", "kind": "finding", "version": 1, "state": "new", "open": true,
            "fields": {"title": title, "file": "a b.rb", "line": 3, "rule": "r"},
            "opened": 0, "updated": 0, "entered": 0, "passed": [],
        }))
        .unwrap()
    }

    #[test]
    fn cells_cannot_run() {
        let mut out = String::new();
        row(&record("=HYPERLINK(\"http://evil\")"), &["title".to_owned()], &mut out);
        assert!(out.contains("\"'=HYPERLINK(\"\"http://evil\"\")\""), "{out}");
    }

    #[test]
    fn results_are_separated() {
        let mut out = Format::Sarif.begin(&[], &[]);
        let mut any = false;
        for title in ["a", "b"] {
            Format::Sarif.one(&record(title), &[], &mut any, &mut out);
        }
        out.push_str(Format::Sarif.end());
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["runs"][0]["results"].as_array().unwrap().len(), 2);
    }
}
