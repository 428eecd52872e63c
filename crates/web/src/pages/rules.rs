//! The rules: what each flags, what it has found here, and how often it was right.
//!
//! What was judged. A finding that a person took up or a fix closed was right: confirmed, being
//! worked on, waiting for an exception or under one, resolved. A finding dismissed as
//! `false_positive` was wrong. The other reasons for a dismissal (`used_in_tests`,
//! `not_exploitable`, `wont_fix`) are about the place and not about what the rule said: they count
//! neither way, nor do duplicates. Every count is of what the viewer may see.

mod list;

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query as Parameters, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use wardroom_desk::index::{Shape, Sort, SortBy};
use wardroom_desk::metrics::{self, Scope, Verdict};
use wardroom_desk::query::{Query, exactly};
use wardroom_desk::{Change, Index, Millis, RecordId, Viewer as Eyes};

use crate::App;
use crate::chart::percent;
use crate::csv;
use crate::error::{Failed, url_encode};
use crate::markdown::{self, Safe};
use crate::pages::list::{Row, address, fetch};
use crate::session::Viewer;
use crate::view::{Frame, title};

use list::{Asked, Line};

/// Findings listed on a rule's page.
const SHOWN: usize = 8;
/// Events of a dismissed finding that are looked through for the reason.
const EVENTS: u32 = 500;

pub fn router() -> Router<App> {
    Router::new().route("/rules", get(index)).route("/rules.csv", get(sheet)).route("/rules/{id}", get(page))
}

/// What counts as right and as wrong.
pub fn judged() -> metrics::Precision {
    let right = ["confirmed", "in_progress", "exception_asked", "accepted", "resolved"];
    metrics::Precision { right: right.map(str::to_owned).to_vec(), ..metrics::Precision::default() }
}

/// How right a rule has been here; none where nobody has judged a finding of it yet.
pub fn precision_of(app: &App, viewer: &Viewer, rule: &str) -> Option<super::record::Precision> {
    let shared = app.desk.read();
    let found = of_rule(&shared.index, &viewer.eyes(), rule, app.desk.now())?;
    let judged = found.right.count + found.wrong.count;
    (judged > 0).then(|| super::record::Precision {
        right: found.right.count,
        judged,
        percent: found.right.count * 100 / judged,
        mostly_dismissed: found.verdict == Verdict::MostlyDismissed,
    })
}

/// A length beside counts.
fn wide(n: usize) -> u64 {
    n as u64
}

/// The term that holds for exactly one rule.
fn term(rule: &str) -> String {
    exactly(Shape::Word, "rule", rule)
}

/// The findings of one rule, and how they were judged; none where there are none to see.
fn of_rule(index: &Index, eyes: &Eyes, rule: &str, now: Millis) -> Option<metrics::RulePrecision> {
    let (query, _) = Query::parse("kind:finding");
    let query = query.with(&term(rule));
    let matches = index.find(&query, eyes, now);
    let scope = &Scope::new(index, &query, &matches, now);
    metrics::precision_of(scope, &judged(), rule)
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    frame: Frame,
    asked: Asked,
    lines: Vec<Line>,
    known: usize,
    found: usize,
    heads: Vec<list::Head>,
    categories: Vec<list::Choice>,
    found_href: String,
    all_href: String,
    csv: String,
}

async fn index(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(parameters): Parameters<HashMap<String, String>>,
) -> Result<Html<String>, Failed> {
    let asked = Asked::of(&parameters);
    let all = {
        let shared = app.desk.read();
        list::lines(&app.rules, &shared.index, &viewer.eyes(), app.desk.now())
    };
    let found = all.iter().filter(|l| l.all > 0).count();
    let known = all.len();
    let page = RulesPage {
        frame: Frame::of(&app, &viewer, "Rules", &asked.address("/rules")).await,
        heads: asked.heads(),
        categories: asked.categories(),
        found_href: Asked { found: !asked.found, ..asked.clone() }.address("/rules"),
        all_href: Asked { q: String::new(), found: false, category: String::new(), ..asked.clone() }
            .address("/rules"),
        csv: asked.address("/rules.csv"),
        lines: list::chosen(all, &asked),
        known,
        found,
        asked,
    };
    Ok(Html(page.render()?))
}

async fn sheet(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(parameters): Parameters<HashMap<String, String>>,
) -> Result<Response, Failed> {
    let asked = Asked::of(&parameters);
    let lines = {
        let shared = app.desk.read();
        list::lines(&app.rules, &shared.index, &viewer.eyes(), app.desk.now())
    };
    let mut out = csv::line(["rule", "title", "category", "severity", "open", "found", "right", "wrong"]);
    for line in list::chosen(lines, &asked) {
        let counts = [line.open, line.all, line.right, line.wrong].map(|n| n.to_string());
        let texts = [line.id.as_str(), line.title, line.category, line.severity];
        out.push_str(&csv::line(texts.into_iter().chain(counts.iter().map(String::as_str))));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"rules.csv\""),
    ];
    Ok((headers, out).into_response())
}

/// So many findings, and where they are.
#[derive(Clone, Debug, Default)]
struct Tally {
    label: String,
    count: u64,
    href: String,
}

/// A finding that was dismissed, with what was said.
#[derive(Clone, Debug, Default)]
struct Dismissed {
    id: String,
    why: String,
}

#[derive(Template)]
#[template(path = "rule.html")]
struct RulePage {
    frame: Frame,
    id: String,
    heading: String,
    known: bool,
    severity: &'static str,
    category: &'static str,
    cwe: String,
    cwe_href: String,
    cvss: &'static str,
    doc: Safe,
    open: Tally,
    all: Tally,
    rows: Vec<Row>,
    judged: u64,
    percent: u64,
    share: String,
    mostly_dismissed: bool,
    right: Tally,
    wrong: Tally,
    states: Vec<Tally>,
    reasons: Vec<Tally>,
    dismissed: Vec<Dismissed>,
}

async fn page(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
) -> Result<Html<String>, Failed> {
    let rule = app.rule(&id);
    let now = app.desk.now();
    let (open, states, reasons, found) = {
        let shared = app.desk.read();
        let (index, eyes) = (&shared.index, viewer.eyes());
        let found = of_rule(index, &eyes, &id, now);
        // An id that nobody knows, and that no visible finding has, is told from nothing.
        if rule.is_none() && found.is_none() {
            return Err(Failed::nothing());
        }
        let (all, _) = Query::parse("kind:finding");
        let all = all.with(&term(&id));
        let open = all.with("is:open");
        let tallies = |query: &Query, field: &str| tallies(index, &eyes, query, field, now);
        let count = index.find(&open, &eyes, now).len();
        let open = (open.clone(), count);
        (open, tallies(&all, "state"), tallies(&all.with("state:dismissed"), "dismissal"), found)
    };
    let sort = Sort { by: SortBy::Severity, reversed: false };
    let (_, rows) = fetch(&app, &viewer, &open.0, sort, None, SHOWN).await?;
    let dismissed = dismissed(&app, &viewer, &id).await?;
    let tally = |label: &str, count: &metrics::Count| Tally {
        label: label.to_owned(),
        count: count.count,
        href: address("/queue", &Query::parse(&count.search).0),
    };
    let (all, right, wrong, verdict) = match &found {
        Some(p) => {
            (tally("found", &p.all), tally("right", &p.right), tally("wrong", &p.wrong), Some(p.verdict))
        }
        None => Default::default(),
    };
    let judged = right.count + wrong.count;
    let heading = rule.map_or_else(|| id.clone(), |r| r.title.to_owned());
    let is_person = |login: &str| app.desk.read().people.get(login).is_some();
    let page = RulePage {
        frame: Frame::of(&app, &viewer, &heading, &format!("/rules/{}", url_encode(&id))).await,
        known: rule.is_some(),
        severity: rule.map_or("", |r| r.severity.as_str()),
        category: rule.map_or("", |r| r.category.title()),
        cwe: rule.map_or(String::new(), |r| r.cwe.to_string()),
        cwe_href: rule
            .map_or(String::new(), |r| format!("https://cwe.mitre.org/data/definitions/{}.html", r.cwe.0)),
        cvss: rule.and_then(|r| r.cvss).unwrap_or_default(),
        doc: rule.map_or_else(Safe::default, |r| markdown::render(&raised(r.doc), &is_person)),
        open: Tally { label: "open".to_owned(), count: open.1, href: address("/queue", &open.0) },
        percent: (right.count * 100).checked_div(judged).unwrap_or_default(),
        share: percent(right.count, judged),
        mostly_dismissed: verdict == Some(Verdict::MostlyDismissed),
        all,
        rows,
        judged,
        right,
        wrong,
        states,
        reasons,
        dismissed,
        heading,
        id,
    };
    Ok(Html(page.render()?))
}

/// How often each value of a field occurs, with the search that leads there.
fn tallies(index: &Index, eyes: &Eyes, query: &Query, field: &str, now: Millis) -> Vec<Tally> {
    let found = index.find(query, eyes, now);
    let facets = index.facets(&found, &[field], 20);
    let values = facets.into_iter().flat_map(|f| f.values);
    values
        .map(|v| Tally {
            label: title(&v.value),
            count: v.count,
            href: address("/queue", &query.with(&v.term)),
        })
        .collect()
}

/// What was said when the last few findings were dismissed. Confidential ones are left out: reading
/// their timeline would be a reading of each.
async fn dismissed(app: &App, viewer: &Viewer, rule: &str) -> Result<Vec<Dismissed>, Failed> {
    let ids: Vec<RecordId> = {
        let shared = app.desk.read();
        let (query, _) = Query::parse("kind:finding state:dismissed -is:confidential");
        let found = shared.index.find(&query.with(&term(rule)), &viewer.eyes(), app.desk.now());
        let sort = Sort { by: SortBy::Updated, reversed: false };
        let page = shared.index.page(&found, sort, None, 5);
        page.numbers.iter().filter_map(|no| shared.index.id(*no)).collect()
    };
    let mut all = Vec::new();
    for id in ids {
        let events = app.desk.timeline(&viewer.caller, &id, 0, EVENTS).await?;
        let why = events.into_iter().rev().find_map(|e| match e.change {
            Change::Moved { to, because, .. } if to == "dismissed" => Some(because),
            _ => None,
        });
        let why = why.unwrap_or_default();
        all.push(Dismissed { id: id.to_string(), why: why.chars().take(200).collect() });
    }
    Ok(all)
}

/// A rule's page begins its sections at the second level, and stands here under a heading of the
/// second level: its sections become first ones, which `render` puts at the third.
fn raised(doc: &str) -> String {
    let mut fenced = false;
    let mut out = String::with_capacity(doc.len());
    for line in doc.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        out.push_str(if !fenced && line.starts_with("##") { &line[1..] } else { line });
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests;
