//! What lists of records share: reading a search, fetching a page of it, showing rows.

use std::collections::HashMap;

use serde_json::Value;
use wardroom_desk::index::{Page, Sort};
use wardroom_desk::query::Query;
use wardroom_desk::{Record, Running};

use crate::App;
use crate::error::{Failed, url_encode};
use crate::session::Viewer;
use crate::view::{Face, datetime, length, moment, title};

/// A row of a list, and a card of a board.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub id: String,
    pub title: String,
    pub severity: String,
    pub state: String,
    pub state_class: &'static str,
    pub kind: String,
    pub rule: String,
    pub place: String,
    pub owner: Option<Face>,
    pub age: String,
    pub opened: String,
    pub due: Option<Due>,
    pub priority: String,
    pub priority_because: String,
    pub labels: Vec<String>,
    pub comments: u32,
    pub version: u32,
    pub confidential: bool,
}

/// When something is due, in words.
#[derive(Clone, Debug, Default)]
pub struct Due {
    pub says: String,
    pub class: &'static str,
    pub datetime: String,
    pub moment: String,
}

impl Due {
    /// Of the clock that runs out first, or of one that stands still.
    pub fn of(record: &Record, now: i64) -> Option<Due> {
        if let Some((_, at)) = record.due() {
            let left = at - now;
            let clock = record.clocks.values().find(|c| c.due() == Some(at));
            let whole = clock.map_or(1, |c| (c.due - c.started).max(1));
            let (says, class) = if left < 0 {
                (format!("late {}", length(-left)), "clock-late")
            } else if left * 4 < whole {
                (length(left), "clock-soon")
            } else {
                (length(left), "")
            };
            return Some(Due { says, class, datetime: datetime(at), moment: moment(at) });
        }
        let paused = record.clocks.values().find(|c| matches!(c.running, Running::Paused { .. }))?;
        Some(Due {
            says: "paused".to_owned(),
            class: "clock-stopped",
            datetime: datetime(paused.due),
            moment: moment(paused.due),
        })
    }
}

/// Rows of records, in their order.
pub fn rows(app: &App, records: &[Record]) -> Vec<Row> {
    let now = app.desk.now();
    let shared = app.desk.read();
    records
        .iter()
        .map(|record| {
            let kind = shared.program.kind(&record.kind);
            let state = kind.and_then(|k| k.state(&record.state));
            let line = record.fields.get("line").and_then(Value::as_u64);
            let file = record.text("file");
            let owner = record.text("owner");
            Row {
                id: record.id.to_string(),
                title: record.title().to_owned(),
                severity: record.text("severity").to_owned(),
                state: state.map_or_else(|| title(&record.state), |s| s.title.clone()),
                state_class: super::record::state_class(&record.state, record.open),
                kind: kind.map_or_else(|| record.kind.clone(), |k| k.title.clone()),
                rule: record.text("rule").to_owned(),
                place: line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")),
                owner: (!owner.is_empty()).then(|| Face::of(owner, shared.people.get(owner))),
                age: length(now - record.opened),
                opened: moment(record.opened),
                due: Due::of(record, now),
                priority: record.fields.get("priority").map_or(String::new(), ToString::to_string),
                priority_because: record.text("priority_because").to_owned(),
                labels: record.labels.iter().take(4).cloned().collect(),
                comments: record.comments,
                version: record.version,
                confidential: record.confidential,
            }
        })
        .collect()
}

/// A page of what a search finds.
pub async fn fetch(
    app: &App,
    viewer: &Viewer,
    query: &Query,
    sort: Sort,
    cursor: Option<&str>,
    limit: usize,
) -> Result<(Page, Vec<Row>), Failed> {
    let page = {
        let shared = app.desk.read();
        let matches = shared.index.find(query, &viewer.eyes(), app.desk.now());
        shared.index.page(&matches, sort, cursor, limit)
    };
    let records = app.desk.store().records(&page.numbers).await?;
    Ok((page, rows(app, &records)))
}

/// The rows of several pages, read at once.
pub async fn rows_of(app: &App, found: &[Page]) -> Result<Vec<Vec<Row>>, Failed> {
    let mut numbers: Vec<u32> = found.iter().flat_map(|f| &f.numbers).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let records = app.desk.store().records(&numbers).await?;
    let rows: HashMap<u32, Row> = records.iter().map(|r| r.id.no).zip(rows(app, &records)).collect();
    Ok(found.iter().map(|f| f.numbers.iter().filter_map(|no| rows.get(no).cloned()).collect()).collect())
}

/// The address of a search on a page.
pub fn address(path: &str, query: &Query) -> String {
    let text = query.to_string();
    if text.is_empty() { path.to_owned() } else { format!("{path}?q={}", url_encode(&text)) }
}

/// What is wrong with a search, for the page.
#[derive(Clone, Debug, Default)]
pub struct Complaint {
    pub message: String,
    /// The search with what was perhaps meant in its place.
    pub instead: Option<(String, String)>,
}

/// Reads a search, and says what is wrong with it.
pub fn read(app: &App, text: &str, path: &str) -> (Query, Vec<Complaint>) {
    let (query, mut problems) = Query::parse(text);
    problems.extend(query.check(app.desk.read().index.schema()));
    problems.sort_by_key(|p| p.span.start);
    let complaints = problems
        .into_iter()
        .map(|p| {
            let instead = p.instead.and_then(|instead| {
                let mut mended = text.to_owned();
                let fits = text.is_char_boundary(p.span.start) && text.is_char_boundary(p.span.end);
                (fits && p.span.end <= text.len()).then(|| {
                    mended.replace_range(p.span.clone(), &instead);
                    (instead, format!("{path}?q={}", url_encode(&mended)))
                })
            });
            Complaint { message: p.message, instead }
        })
        .collect();
    (query, complaints)
}
