//! What is offered while somebody types: places to go, search terms, scores.

use std::collections::HashMap;

use axum::extract::{Query as Parameters, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use wardroom_desk::query::{Completion, Query, complete};
use wardroom_desk::{Cvss, RecordId};

use crate::App;
use crate::error::{Failed, url_encode};
use crate::session::Viewer;

/// Most offers of one kind.
const MOST: usize = 8;

pub fn router() -> Router<App> {
    Router::new()
        .route("/palette", get(palette))
        .route("/complete", get(completions))
        .route("/cvss", get(score))
}

/// Pages, and what they are also called.
const PAGES: [(&str, &str, &str); 9] = [
    ("Inbox", "/inbox", "mine, mentions, late"),
    ("Queue", "/queue", "findings, list, triage"),
    ("Board", "/board", "by state"),
    ("Surface", "/surface", "endpoints, controllers, routes"),
    ("Metrics", "/metrics", "charts, age, sla, precision"),
    ("Program", "/program", "kinds, policies, clocks"),
    ("Rules", "/rules", "checks, precision"),
    ("Your account", "/account", "password, sessions, theme"),
    ("Jobs", "/jobs", "long work"),
];

async fn palette(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(asked): Parameters<HashMap<String, String>>,
) -> Result<Json<Value>, Failed> {
    let text: String = asked.get("q").map(|q| q.trim().chars().take(200).collect()).unwrap_or_default();
    let lower = text.to_lowercase();
    let mut offers = Vec::new();
    let mut offer = |title: &str, hint: &str, href: String, group: &str| {
        offers.push(json!({"title": title, "hint": hint, "href": href, "group": group}));
    };
    if let Ok(id) = text.parse::<RecordId>()
        && let Ok(record) = app.desk.record(&viewer.caller, &id).await
    {
        offer(record.title(), &id.to_string(), format!("/records/{id}"), "Records");
    }
    for (title, href, also) in PAGES {
        if lower.is_empty() || title.to_lowercase().contains(&lower) || also.contains(&lower) {
            offer(title, also, href.to_owned(), "Pages");
        }
    }
    if viewer.caller.role.admin && "administration people tokens audit".contains(&lower) {
        offer("Administration", "people, tokens, audit", "/admin".to_owned(), "Pages");
    }
    if !lower.is_empty() {
        let program = app.desk.program();
        for kind in program.kinds.values() {
            for queue in &kind.queues {
                if queue.title.to_lowercase().contains(&lower) {
                    let search = format!("kind:{} {}", kind.name, queue.search);
                    let title = format!("{}: {}", kind.plural, queue.title);
                    offer(&title, &search, format!("/queue?q={}", url_encode(&search)), "Queues");
                }
            }
        }
        for rule in app.rules.iter().filter(|r| r.id.contains(&lower)).take(MOST) {
            offer(rule.id, rule.title, format!("/rules/{}", rule.id), "Rules");
        }
        let numbers = {
            let shared = app.desk.read();
            let (query, _) = Query::parse(&text);
            let found = shared.index.find(&query, &viewer.eyes(), app.desk.now());
            shared.index.page(&found, query.sort().unwrap_or_default(), None, MOST).numbers
        };
        for record in app.desk.store().records(&numbers).await? {
            offer(record.title(), &record.id.to_string(), format!("/records/{}", record.id), "Records");
        }
        offer(&format!("Search for {text}"), "", format!("/queue?q={}", url_encode(&text)), "Search");
    }
    Ok(Json(Value::Array(offers)))
}

async fn completions(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(asked): Parameters<HashMap<String, String>>,
) -> Result<Json<Value>, Failed> {
    let text: String = asked.get("q").map(|q| q.chars().take(2_000).collect()).unwrap_or_default();
    let at = asked.get("at").and_then(|a| a.parse::<usize>().ok()).unwrap_or(text.len());
    // Browsers count in UTF-16.
    let mut units = 0;
    let at = text.char_indices().find(|(_, c)| {
        let here = units >= at;
        units += c.len_utf16();
        here
    });
    let at = at.map_or(text.len(), |(at, _)| at);
    let shared = app.desk.read();
    let offers = complete(&text, at, &shared.index, &viewer.eyes());
    // The page puts an offer in the place of the whole word at the cursor.
    let word = |from: usize| {
        text[..from]
            .rfind(char::is_whitespace)
            .map_or(0, |at| text[at..].chars().next().map_or(at, |c| at + c.len_utf8()))
    };
    let whole = |c: &Completion| {
        let from = c.replace.start.min(text.len());
        format!("{}{}", text.get(word(from)..from).unwrap_or_default(), c.text)
    };
    let offers = offers.iter().map(|c| json!({"text": whole(c), "hint": c.hint})).collect();
    Ok(Json(Value::Array(offers)))
}

async fn score(_: Viewer, Parameters(asked): Parameters<HashMap<String, String>>) -> Json<Value> {
    let text = asked.get("vector").map_or("", String::as_str);
    match text.parse::<Cvss>() {
        Ok(cvss) => Json(json!({
            "score": cvss.score(),
            "severity": cvss.severity().as_str(),
            "vector": cvss.vector(),
            "error": null,
        })),
        Err(error) => Json(json!({"error": error.to_string()})),
    }
}
