//! The queue: what a search finds, as a table to work through.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Query as Parameters, State};
use axum::response::Html;
use axum::routing::get;
use wardroom_desk::index::{Facet, Sort, SortBy};
use wardroom_desk::query::Query;

use crate::App;
use crate::error::{Failed, url_encode};
use crate::pages::list::{self, Complaint, Row, address};
use crate::session::Viewer;
use crate::view::{Frame, number, title};

/// What is shown where nothing is asked for.
pub const OPEN: &str = "kind:finding is:open";
/// Rows of one page.
const ROWS: usize = 50;
/// Values that a filter offers.
const VALUES: usize = 12;
/// Groups of one page.
const GROUPS: usize = 100;

pub fn router() -> Router<App> {
    Router::new().route("/queue", get(page))
}

/// A term of the search, with the search without it.
#[derive(Clone, Debug, Default)]
struct Chip {
    text: String,
    without: String,
}

/// A filter with its values.
#[derive(Clone, Debug, Default)]
struct Filter {
    title: String,
    key: String,
    values: Vec<Choice>,
    others: usize,
}

#[derive(Clone, Debug, Default)]
struct Choice {
    shown: String,
    value: String,
    count: String,
    href: String,
    on: bool,
}

/// Records that can be treated as one.
#[derive(Clone, Debug, Default)]
struct GroupRow {
    value: String,
    count: String,
    worst: String,
    href: String,
}

/// A column's heading.
#[derive(Clone, Debug, Default)]
struct Column {
    href: String,
    sorted: &'static str,
}

/// A transition that can be taken on all that is selected.
#[derive(Clone, Debug, Default)]
pub struct BulkMove {
    pub name: String,
    pub title: String,
    pub needs_reason: bool,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    frame: Frame,
    heading: String,
    search: String,
    total: String,
    late: u64,
    late_href: String,
    chips: Vec<Chip>,
    filters: Vec<Filter>,
    complaints: Vec<Complaint>,
    rows: Vec<Row>,
    groups: Option<Vec<GroupRow>>,
    group_by: String,
    groupings: Vec<(String, String, bool)>,
    severity: Column,
    id: Column,
    age: Column,
    due: Column,
    first: String,
    last: String,
    next: Option<String>,
    previous: Option<String>,
    board: String,
    export: String,
    everything: u64,
    nothing_at_all: bool,
    moves: Vec<BulkMove>,
    people: Vec<(String, String)>,
    may_edit: bool,
    show_rule: bool,
}

async fn page(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(asked): Parameters<HashMap<String, String>>,
) -> Result<Html<String>, Failed> {
    let text = asked.get("q").map_or(OPEN, String::as_str);
    let (query, complaints) = list::read(&app, text, "/queue");
    let sort = asked.get("sort").and_then(|s| s.parse().ok()).or_else(|| query.sort()).unwrap_or_default();
    let cursor = asked.get("page").map(String::as_str);
    let search = query.to_string();
    let kept = if asked.contains_key("sort") { format!("&sort={sort}") } else { String::new() };
    let here = format!("/queue?q={}{kept}", url_encode(&search));
    let now = app.desk.now();
    let (filters, groups, late, nothing_at_all, found) = {
        let shared = app.desk.read();
        let eyes = viewer.eyes();
        let matches = shared.index.find(&query, &eyes, now);
        let filters = filters(&shared.index, &query, &matches, &eyes, now);
        let groups = query.group().and_then(|field| {
            let groups = shared.index.groups(&matches, field, GROUPS)?;
            Some(
                groups
                    .into_iter()
                    .map(|g| GroupRow {
                        href: address("/queue", &query.without_key("group").with(&g.term)),
                        value: if g.value.is_empty() { "none".to_owned() } else { g.value },
                        count: number(g.count),
                        worst: g.worst.map_or(String::new(), |s| s.to_string()),
                    })
                    .collect::<Vec<_>>(),
            )
        });
        let late = shared.index.find(&query.with("is:late"), &eyes, now).len();
        let found = shared.index.page(&matches, sort, cursor, ROWS);
        (filters, groups, late, shared.index.visible(&eyes).is_empty(), found)
    };
    let kinds = kinds_of(&app, &query);
    let heading = match kinds.as_slice() {
        [one] => one.1.clone(),
        _ => "Records".to_owned(),
    };
    let (records, mut frame) =
        tokio::join!(app.desk.store().records(&found.numbers), Frame::of(&app, &viewer, &heading, &here));
    let rows = list::rows(&app, &records?);
    let chips = query
        .terms
        .iter()
        .filter(|t| !matches!(t.key.as_str(), "sort" | "group"))
        .map(|t| {
            let text = t.to_string();
            Chip { without: address_or_all(&query.without(&text)), text }
        })
        .collect();
    let column = |by: SortBy| {
        let current = sort.by == by;
        let next = Sort { by, reversed: current && !sort.reversed };
        Column {
            href: format!("/queue?q={}&sort={next}", url_encode(&search)),
            sorted: match (current, sort.reversed) {
                (false, _) => "",
                (true, false) => "descending",
                (true, true) => "ascending",
            },
        }
    };
    let leaf = |cursor: &Option<String>| cursor.as_ref().map(|c| format!("{here}&page={}", url_encode(c)));
    let group_by = query.group().unwrap_or_default().to_owned();
    let groupings = [
        ("scope", "Function"),
        ("file", "File"),
        ("handler", "Route"),
        ("rule", "Rule"),
        ("owner", "Owner"),
        ("team", "Team"),
    ]
    .map(|(field, label)| {
        (address("/queue", &query.with(&format!("group:{field}"))), label.to_owned(), group_by == field)
    })
    .to_vec();
    frame.search.clone_from(&search);
    let page = QueuePage {
        frame,
        heading,
        total: number(found.total),
        late,
        late_href: address("/queue", &query.with("is:late")),
        chips,
        filters,
        complaints,
        groups,
        group_by,
        groupings,
        severity: column(SortBy::Severity),
        id: column(SortBy::Id),
        age: column(SortBy::Age),
        due: column(SortBy::Due),
        first: number(if rows.is_empty() { 0 } else { found.before + 1 }),
        last: number(found.before + rows.len() as u64),
        next: leaf(&found.next),
        previous: leaf(&found.previous),
        board: address("/board", &query),
        export: url_encode(&search),
        everything: found.total,
        nothing_at_all,
        moves: moves(&app, &viewer, &query),
        people: people(&app),
        may_edit: viewer.caller.role.edit,
        show_rule: rows.iter().any(|r| !r.rule.is_empty() || !r.place.is_empty()),
        rows,
        search,
    };
    Ok(Html(page.render()?))
}

/// A search without terms means everything, and has to say so: an empty one is the open findings.
fn address_or_all(query: &Query) -> String {
    format!("/queue?q={}", url_encode(&query.to_string()))
}

/// The kinds that a search is limited to: name and plural.
pub fn kinds_of(app: &App, query: &Query) -> Vec<(String, String)> {
    let shared = app.desk.read();
    shared
        .program
        .kinds
        .values()
        .filter(|k| query.has(&format!("kind:{}", k.name)))
        .map(|k| (k.name.clone(), k.plural.clone()))
        .collect()
}

/// Everybody who can be given something.
pub fn people(app: &App) -> Vec<(String, String)> {
    let shared = app.desk.read();
    shared.people.all().filter(|p| p.active).map(|p| (p.login.clone(), p.name.clone())).collect()
}

/// The transitions that can be taken on many records of the kinds that a search is limited to.
fn moves(app: &App, viewer: &Viewer, query: &Query) -> Vec<BulkMove> {
    let shared = app.desk.read();
    let kinds = shared.program.kinds.values().filter(|k| query.has(&format!("kind:{}", k.name)));
    let mut moves: Vec<BulkMove> = Vec::new();
    for kind in kinds {
        for transition in &kind.transitions {
            let barred = wardroom_desk::barred(transition, &viewer.caller).is_some();
            if barred || !transition.then.is_empty() || moves.iter().any(|m| m.name == transition.name) {
                continue;
            }
            moves.push(BulkMove {
                name: transition.name.clone(),
                title: transition.title.clone(),
                needs_reason: transition.needs_reason,
            });
        }
    }
    moves
}

/// The fields that can be filtered by.
const FILTERS: [&str; 8] = ["severity", "state", "owner", "rule", "team", "repository", "label", "exposure"];

fn filters(
    index: &wardroom_desk::Index,
    query: &Query,
    matches: &wardroom_desk::Matches,
    eyes: &wardroom_desk::Viewer,
    now: i64,
) -> Vec<Filter> {
    // Those that the search does not name are counted together, among what it finds.
    let named = |key: &&str| query.terms.iter().any(|t| t.key == **key);
    let others: Vec<&str> = FILTERS.into_iter().filter(|key| !named(key)).collect();
    let mut facets = index.facets(matches, &others, VALUES);
    for key in FILTERS.iter().filter(|key| named(key)) {
        // A filter offers what there would be without it, so that another value can be chosen.
        let matches = index.find(&query.without_key(key), eyes, now);
        facets.extend(index.facets(&matches, &[key], VALUES));
    }
    let mut filters = Vec::new();
    for key in FILTERS {
        let Some(at) = facets.iter().position(|f| f.field == key && !f.values.is_empty()) else { continue };
        let Facet { values, others, none, .. } = facets.swap_remove(at);
        let without = query.without_key(key);
        let mut choices: Vec<Choice> = values
            .into_iter()
            .map(|v| Choice {
                shown: if matches!(key, "severity" | "state" | "exposure") {
                    title(&v.value)
                } else {
                    v.value.clone()
                },
                on: query.has(&v.term),
                href: address("/queue", &without.with(&v.term)),
                value: v.value,
                count: number(v.count),
            })
            .collect();
        if key == "severity" {
            let order = ["critical", "high", "medium", "low", "info"];
            choices.sort_by_key(|c| order.iter().position(|o| *o == c.value));
        }
        if none > 0 && matches!(key, "owner" | "team" | "label") {
            let term = format!("no:{key}");
            choices.push(Choice {
                shown: "none".to_owned(),
                value: String::new(),
                on: query.has(&term),
                href: address("/queue", &without.with(&term)),
                count: number(none),
            });
        }
        filters.push(Filter { title: title(key), key: key.to_owned(), values: choices, others });
    }
    filters
}
