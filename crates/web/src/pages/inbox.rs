//! The inbox: what waits for somebody, and why it is theirs.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Query as Parameters, State};
use axum::response::Html;
use axum::routing::get;
use wardroom_desk::index::{Page, Sort, SortBy};
use wardroom_desk::query::Query;

use crate::App;
use crate::error::{Failed, url_encode};
use crate::pages::list::{self, Row};
use crate::session::Viewer;
use crate::view::{Frame, number};

/// What the menu counts: open records that somebody owns.
pub const WAITING: &str = "is:open owner:@me";
/// Rows of a part where all are shown, and where one is.
const SOME: usize = 8;
const MANY: usize = 100;

pub fn router() -> Router<App> {
    Router::new().route("/inbox", get(page))
}

/// The parts: key, title, search, whether it is one's own.
const PARTS: [(&str, &str, &str); 4] = [
    ("late", "Late", "is:open is:late owner:@me"),
    ("mine", "Mine", "is:open -is:late owner:@me"),
    ("team", "My team's", "is:open team:@team no:owner"),
    ("mentioned", "Mentioned", "mentions:@me is:open"),
];

#[derive(Clone, Debug, Default)]
struct Part {
    key: &'static str,
    title: &'static str,
    count: u64,
    shown: String,
    href: String,
    all: String,
    rows: Vec<(Row, String)>,
    take: bool,
    current: bool,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    frame: Frame,
    today: String,
    total: u64,
    parts: Vec<Part>,
    which: String,
    untriaged: u64,
    untriaged_href: String,
}

async fn page(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(asked): Parameters<HashMap<String, String>>,
) -> Result<Html<String>, Failed> {
    let which = asked.get("part").cloned().unwrap_or_default();
    let now = app.desk.now();
    let found: Vec<Page> = {
        let shared = app.desk.read();
        let page = |(key, _, search): &(&str, &str, &str)| {
            if *key == "team" && viewer.person.team.is_none() {
                return Page::default();
            }
            let by = if *key == "mentioned" { SortBy::Updated } else { SortBy::Due };
            let limit = if which == *key { MANY } else { SOME };
            let matches = shared.index.find(&Query::parse(search).0, &viewer.eyes(), now);
            shared.index.page(&matches, Sort { by, reversed: false }, None, limit)
        };
        PARTS.iter().map(page).collect()
    };
    let (rows, frame) =
        tokio::join!(list::rows_of(&app, &found), Frame::of(&app, &viewer, "Inbox", "/inbox"));
    let mut parts = Vec::new();
    for ((&(key, title, search), found), rows) in PARTS.iter().zip(&found).zip(rows?) {
        let hide = !which.is_empty() && which != key;
        parts.push(Part {
            key,
            title,
            count: found.total,
            shown: number(found.total),
            href: format!("/inbox?part={key}"),
            all: format!("/queue?q={}", url_encode(search)),
            rows: if hide {
                Vec::new()
            } else {
                rows.into_iter()
                    .map(|r| {
                        let why = why(key, &r);
                        (r, why)
                    })
                    .collect()
            },
            take: key == "team" && viewer.caller.role.edit,
            current: which == key,
        });
    }
    let calendar = app.desk.program().calendar.clone();
    let untriaged = "kind:finding state:new no:owner";
    let page = InboxPage {
        frame,
        today: calendar.zoned(now).strftime("%A, %-d %B").to_string(),
        total: parts.iter().map(|p| p.count).sum(),
        parts,
        which,
        untriaged: super::count(&app, &viewer, untriaged),
        untriaged_href: format!("/queue?q={}", url_encode(untriaged)),
    };
    Ok(Html(page.render()?))
}

/// Why a row is there, in one sentence.
fn why(part: &str, row: &Row) -> String {
    let because = if row.priority_because.is_empty() {
        String::new()
    } else {
        format!(" Priority {}, because: {}.", row.priority, row.priority_because)
    };
    match (part, &row.due) {
        ("late", Some(due)) => {
            format!("It was due on {}. You own it.", due.moment.split(' ').next().unwrap_or_default())
        }
        ("mine", _) => format!("You own it.{because}"),
        ("team", _) => format!("Nobody owns it.{because}"),
        _ => "Somebody mentioned you.".to_owned(),
    }
}
