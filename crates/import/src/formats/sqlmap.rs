//! sqlmap 1.x: what its API answers (JSON), its log (text), and its results of several targets (CSV).

use serde_json::Value;
use wardroom_model::{Confidence, Severity};

use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Address, Report, Reported, Shape};

/// The format.
#[derive(Debug)]
pub(super) struct Sqlmap;

/// How the log begins what it found.
const FOUND: [&str; 2] =
    ["identified the following injection point", "resumed the following injection point"];

impl Format for Sqlmap {
    fn name(&self) -> &'static str {
        "sqlmap"
    }

    fn title(&self) -> &'static str {
        "sqlmap"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let sure = match shape {
            Shape::Table(table) => table.has(&["Target URL", "Place", "Parameter", "Technique(s)"]),
            Shape::Text(text) => FOUND.iter().any(|f| text.contains(f)),
            Shape::Json(json) => {
                json.has("success") && json.list("data").iter().any(|d| injections(d).is_some())
            }
            _ => false,
        };
        if sure { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        match shape {
            Shape::Table(table) => {
                for row in 0..table.len() {
                    let cell = |column: &str| table.cell(row, column).to_owned();
                    if cell("Parameter").is_empty() {
                        continue;
                    }
                    report.found(
                        Point {
                            url: cell("Target URL"),
                            parameter: cell("Parameter"),
                            place: cell("Place"),
                            ways: vec![(techniques(&cell("Technique(s)")), String::new())],
                            database: cell("Note(s)"),
                        }
                        .reported(),
                    );
                }
            }
            Shape::Json(json) => {
                let target = json.list("data").iter().find_map(|d| d.at("value.url")).and_then(Value::as_str);
                for one in json.list("data").iter().filter_map(injections).flatten() {
                    let ways = one.at("data").and_then(Value::as_object).into_iter().flatten();
                    report.found(
                        Point {
                            url: target.unwrap_or_default().to_owned(),
                            parameter: one.text("parameter"),
                            place: one.text("place"),
                            ways: ways.map(|(_, w)| (w.text("title"), w.text("payload"))).collect(),
                            database: first([one.text("dbms"), one.texts("dbms").join(", ")]),
                        }
                        .reported(),
                    );
                }
            }
            Shape::Text(text) => log(text, report),
            _ => {}
        }
    }
}

/// The injections of one message of the API.
fn injections(message: &Value) -> Option<&Vec<Value>> {
    message
        .at("value")
        .and_then(Value::as_array)
        .filter(|l| l.iter().any(|i| i.has("parameter") && i.has("place")))
}

/// The letters that stand for techniques.
fn techniques(letters: &str) -> String {
    let names = letters.chars().filter_map(|letter| {
        Some(match letter {
            'B' => "boolean-based blind",
            'E' => "error-based",
            'U' => "UNION query",
            'S' => "stacked queries",
            'T' => "time-based blind",
            'Q' => "inline query",
            _ => return None,
        })
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The log: `Parameter: id (GET)`, then ways with `Type`, `Title` and `Payload`, between lines of `---`.
fn log(text: &str, report: &mut Report<'_>) {
    let mut url = String::new();
    let mut point: Option<Point> = None;
    let mut tell = |point: Option<Point>| point.into_iter().for_each(|p| report.found(p.reported()));
    for line in text.lines() {
        let line = line.trim();
        let after = |label: &str| line.strip_prefix(label).map(|rest| rest.trim().to_owned());
        if let Some(at) = line.find("testing URL '").or_else(|| line.find("target URL: ")) {
            let rest = line[at..].trim_start_matches("testing URL '").trim_start_matches("target URL: ");
            url = rest.trim_end_matches(['\'', '"']).to_owned();
        } else if let Some(rest) = after("Parameter:") {
            tell(point.take());
            let (parameter, place) = rest.rsplit_once('(').unwrap_or((&rest, ""));
            point = Some(Point {
                url: url.clone(),
                parameter: parameter.trim().to_owned(),
                place: place.trim_end_matches(')').to_owned(),
                ..Point::default()
            });
        } else if let (Some(title), Some(point)) = (after("Title:"), point.as_mut()) {
            point.ways.push((title, String::new()));
        } else if let (Some(payload), Some(way)) =
            (after("Payload:"), point.as_mut().and_then(|p| p.ways.last_mut()))
        {
            way.1 = payload;
        } else if let (Some(database), Some(point)) = (after("back-end DBMS:"), point.as_mut()) {
            point.database = database;
        }
    }
    tell(point);
}

/// A parameter that can be injected into.
#[derive(Default)]
struct Point {
    url: String,
    parameter: String,
    place: String,
    /// Titles and payloads.
    ways: Vec<(String, String)>,
    database: String,
}

impl Point {
    fn reported(self) -> Reported {
        let list: Vec<String> = self
            .ways
            .iter()
            .filter(|(title, payload)| !title.is_empty() || !payload.is_empty())
            .map(|(title, payload)| match payload.is_empty() {
                true => format!("- {title}"),
                false => format!("- {title}: `{payload}`"),
            })
            .collect();
        let method = match self.place.to_ascii_uppercase().as_str() {
            place @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE") => place.to_owned(),
            _ => String::new(),
        };
        let attack = self.ways.iter().map(|(_, payload)| payload.clone()).find(|p| !p.is_empty());
        Reported {
            rule: "sql-injection".to_owned(),
            title: format!("SQL injection in `{}` ({})", self.parameter, self.place),
            description: paragraphs([
                format!("What is sent in `{}` becomes part of an SQL query.", self.parameter),
                list.join("\n"),
                labelled("Database", &self.database),
            ]),
            remedy: "Pass values to the database as parameters of the query, never as part of its text."
                .to_owned(),
            severity: Some(Severity::Critical),
            confidence: Some(Confidence::High),
            cwes: vec![89],
            addresses: vec![Address {
                url: self.url,
                method,
                parameter: self.parameter,
                attack: attack.unwrap_or_default(),
                ..Address::default()
            }],
            ..Reported::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::read;

    const LOG: &[u8] = b"[12:00:00] [INFO] testing URL 'http://t.example/a?id=1'
sqlmap identified the following injection point(s) with a total of 46 HTTP(s) requests:
---
Parameter: id (GET)
    Type: boolean-based blind
    Title: AND boolean-based blind - WHERE or HAVING clause
    Payload: id=1 AND 1=1
    Type: time-based blind
    Title: MySQL >= 5.0.12 AND time-based blind
    Payload: id=1 AND SLEEP(5)

Parameter: Cookie (Cookie)
    Type: error-based
    Title: error-based
    Payload: x'
---
back-end DBMS: MySQL >= 5.0
";

    #[test]
    fn the_log() {
        let imported = read("log", LOG, None).unwrap();
        assert_eq!((imported.format, imported.findings.len()), ("sqlmap", 2));
        let address = &imported.findings[0].addresses[0];
        assert_eq!((address.url.as_str(), address.method.as_str()), ("http://t.example/a?id=1", "GET"));
        assert_eq!((address.parameter.as_str(), address.attack.as_str()), ("id", "id=1 AND 1=1"));
        assert!(imported.findings[0].description.contains("SLEEP(5)"));
    }

    #[test]
    fn the_api_and_the_table() {
        let json =
            br#"{"success": true, "error": [], "data": [{"type": 0, "value": {"url": "http://t.example/a"}},
            {"type": 1, "value": [{"place": "GET", "parameter": "id", "dbms": "MySQL",
            "data": {"1": {"title": "AND boolean-based blind", "payload": "id=1 AND 1=1"}}}]}]}"#;
        let csv = b"Target URL,Place,Parameter,Technique(s),Note(s)\nhttp://t.example/a,GET,id,BT,\nhttp://t.example/b,,,,\n";
        for report in [json.as_slice(), csv] {
            let imported = read("r", report, None).unwrap();
            assert_eq!((imported.format, imported.findings.len()), ("sqlmap", 1));
            assert_eq!(imported.findings[0].addresses[0].url, "http://t.example/a");
            assert!(imported.findings[0].description.contains("boolean-based blind"));
        }
    }
}
