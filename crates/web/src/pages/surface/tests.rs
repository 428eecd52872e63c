use std::collections::HashMap;

use axum::extract::{Query as Parameters, State};
use serde_json::{Value, json};
use wardroom_desk::Record;

use super::*;
use crate::pages::fixture::{NOW, app, endpoints, finding, index, show, somebody};

const REPOSITORY: &str = "shop/storefront";

fn on(no: u32, severity: &str, handler: Option<&str>) -> Record {
    let mut fields: Vec<(&str, Value)> =
        vec![("repository", json!(REPOSITORY)), ("severity", json!(severity)), ("rule", json!("x"))];
    fields.extend(handler.map(|h| ("handler", json!(h))));
    finding(no, 3, "new", &fields)
}

fn records() -> Vec<Record> {
    let mut closed = on(7, "critical", Some("bookings#index"));
    closed.open = false;
    closed.state = "resolved".to_owned();
    let mut hidden = on(8, "critical", Some("bookings#index"));
    hidden.confidential = true;
    let mut elsewhere = on(9, "critical", Some("bookings#index"));
    elsewhere.fields.insert("repository".to_owned(), json!("shop/storefront-2"));
    vec![
        on(1, "high", Some("bookings#update")),
        on(2, "high", Some("bookings#update")),
        on(3, "low", Some("bookings#index")),
        on(4, "medium", None),
        on(5, "medium", Some("gone#index")),
        // Names that only begin alike are others.
        on(6, "high", Some("bookings#update_all")),
        closed,
        hidden,
        elsewhere,
    ]
}

fn asked(pairs: &[(&str, &str)]) -> Asked {
    Asked::of(&pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
}

fn map(surface: &Value, pairs: &[(&str, &str)]) -> Map {
    Map::new(&index(&records()), &somebody(), REPOSITORY, surface, &asked(pairs), NOW)
}

fn paths(map: &Map) -> Vec<String> {
    let ways = map.controllers.iter().flat_map(|c| &c.all);
    ways.map(|w| format!("{} {}", w.verb, w.path)).collect()
}

#[test]
fn findings_are_joined_by_handler_and_every_count_leads_to_as_many() {
    let map = map(&endpoints(), &[]);
    let index = index(&records());
    assert_eq!((map.total, map.with_open, map.public, map.public_writes), (5, 3, 2, 1));
    assert_eq!((map.findings, map.elsewhere, map.stale), (6, 1, 2));
    let bookings = &map.controllers[0];
    assert_eq!(bookings.name, "bookings");
    // Two ways lead to one handler: its findings count once.
    let counts: Vec<_> = bookings.open.iter().map(|o| (o.severity.as_str(), o.count)).collect();
    assert_eq!(counts, [("high", 2), ("low", 1)]);
    for open in map.controllers.iter().flat_map(|c| &c.all).flat_map(|w| &w.open) {
        let search = form_urlencoded::parse(open.href.split_once('?').unwrap().1.as_bytes()).next().unwrap().1.into_owned();
        let (query, _) = Query::parse(&search);
        assert_eq!(index.find(&query, &somebody(), NOW).len(), open.count, "{search}");
    }
}

#[test]
fn endpoints_are_filtered() {
    let all = endpoints();
    assert_eq!(paths(&map(&all, &[("open", "1")])).len(), 3);
    assert_eq!(paths(&map(&all, &[("public", "1")])), ["POST /hooks", "GET /berths/<script>"]);
    assert_eq!(paths(&map(&all, &[("public", "1"), ("writes", "1")])), ["POST /hooks"]);
    assert_eq!(paths(&map(&all, &[("unchecked", "1"), ("q", "REQUIRE_login bookings")])), ["GET /bookings"]);
    assert_eq!(paths(&map(&all, &[("q", "nothing has this")])).len(), 0);
}

#[test]
fn a_filter_under_a_condition_is_said_to_be_one() {
    let map = map(&endpoints(), &[("q", "patch")]);
    let guards = &map.controllers[0].all[0].guards;
    let said: Vec<_> = guards.iter().map(|g| (g.name.as_str(), g.word, g.sometimes)).collect();
    assert_eq!(said, [("require_login", "sign-in", false), ("require_admin", "rights", true)]);
}

#[test]
fn what_is_no_surface_is_none() {
    for surface in [Value::Null, json!({}), json!("x")] {
        assert!(!map(&surface, &[]).scanned);
    }
    let odd = json!([null, 3, {}, {"path": 7}, {"path": "/x", "filters": "no", "parameters": [1, null, "id"]}]);
    let map = map(&odd, &[]);
    assert_eq!((map.total, map.controllers[0].all[0].parameters.len()), (1, 1));
}

#[test]
fn a_large_surface_shows_one_controller_at_a_time() {
    let way = |n: u32| {
        json!({"method": "GET", "path": format!("/c{}/{n}", n % 100), "handler": format!("c{}#a{n}", n % 100),
               "filters": [], "parameters": [], "authenticated": true, "authorized": true})
    };
    let surface: Value = (0..3_000).map(way).collect();
    let started = std::time::Instant::now();
    let folded = map(&surface, &[]);
    assert_eq!(folded.controllers.len(), 100);
    assert!(folded.controllers.iter().all(|c| !c.shown));
    let one = map(&surface, &[("controller", "c7"), ("open", "0")]);
    assert_eq!(one.controllers.iter().filter(|c| c.shown && c.unfolded).map(|c| c.name.as_str()).collect::<Vec<_>>(), ["c7"]);
    let html = render(vec![one], "c7");
    assert!(html.len() < 200_000, "{} bytes", html.len());
    assert!(started.elapsed().as_millis() < 2_000, "{:?}", started.elapsed());
}

fn render(maps: Vec<Map>, controller: &str) -> String {
    let asked = asked(&[("repository", REPOSITORY), ("controller", controller)]);
    let index = index(&records());
    let lines = lines(&index, &somebody(), NOW);
    SurfacePage {
        frame: crate::pages::fixture::frame("Surface", "/surface"),
        summary: summary(&lines, &maps),
        chips: asked.chips(),
        csv: asked.address("/surface.csv"),
        bare: asked.bare().address("/surface"),
        all: "/surface".to_owned(),
        lines,
        maps,
        asked,
    }
    .render()
    .unwrap()
}

#[test]
fn hostile_names_are_text() {
    let surface = json!([{"method": "<b>", "path": "/<script>alert(1)</script>", "handler": "\"><img src=x>#a",
        "parameters": [], "filters": [{"name": "\"><i>", "role": "authentication", "conditional": false}],
        "authenticated": false, "authorized": false}]);
    let html = render(vec![map(&surface, &[])], "");
    assert!(!html.contains("<script>alert") && !html.contains("<img") && !html.contains("<i>"), "{html}");
    show("surface", &render(vec![map(&endpoints(), &[])], ""));
}

#[test]
fn repositories_are_listed_for_those_who_see_something_of_them() {
    let mut all = records();
    let mut hidden = on(20, "high", None);
    hidden.fields.insert("repository".to_owned(), json!("secret/repository"));
    hidden.confidential = true;
    all.push(hidden);
    let index = index(&all);
    let names = |eyes: &Eyes| lines(&index, eyes, NOW).into_iter().map(|l| l.name).collect::<Vec<_>>();
    assert_eq!(names(&somebody()), ["shop/storefront-2", REPOSITORY]);
    assert_eq!(names(&Eyes { sees_confidential: true, ..somebody() }).len(), 3);
}

#[tokio::test]
async fn the_page_of_a_repository_that_is_not_there_is_nothing() {
    let (app, _, viewer, _folder) = app().await;
    let ask = |repository: &str| Parameters(HashMap::from([("repository".to_owned(), repository.to_owned())]));
    for repository in ["nobody/knows", "../../etc", "<script>", "shop/storefront\" is:open"] {
        assert!(page(State(app.clone()), viewer.clone(), ask(repository)).await.is_err(), "{repository}");
    }
    let html = page(State(app.clone()), viewer.clone(), ask(REPOSITORY)).await.unwrap().0;
    assert!(html.contains("/berths/&#60;script&#62;") && html.contains("1 high"), "{html}");
    let sheet = sheet(State(app), viewer, ask(REPOSITORY)).await.unwrap();
    assert_eq!(sheet.headers()["content-disposition"], "attachment; filename=\"surface.csv\"");
}
