use std::collections::HashMap;

use axum::extract::{Path, Query as Parameters, State};
use serde_json::{Value, json};
use wardroom_desk::Record;

use super::*;
use crate::pages::fixture::{NOW, QUIET, RULE, app, finding, index, somebody};

fn of(rule: &str, no: u32, state: &str, dismissal: &str) -> Record {
    let mut fields: Vec<(&str, Value)> = vec![("rule", json!(rule)), ("severity", json!("high"))];
    if !dismissal.is_empty() {
        fields.push(("dismissal", json!(dismissal)));
    }
    finding(no, 10, state, &fields)
}

/// One in every state, and one dismissed for each reason.
fn one_of_each() -> Vec<Record> {
    let states = ["new", "proposed", "confirmed", "in_progress", "exception_asked", "unseen", "accepted", "resolved"];
    let mut all: Vec<Record> =
        (1..).zip(states).map(|(no, state)| of("sql-injection", no, state, "")).collect();
    let reasons = ["false_positive", "used_in_tests", "not_exploitable", "wont_fix"];
    all.extend((20..).zip(reasons).map(|(no, why)| of("sql-injection", no, "dismissed", why)));
    all.push(of("sql-injection", 30, "duplicate", ""));
    // Dismissed once, taken up since: the field still stands there.
    all.push(of("sql-injection", 31, "confirmed", "false_positive"));
    all
}

#[test]
fn what_was_taken_up_was_right_and_false_positives_were_wrong() {
    let found = of_rule(&index(&one_of_each()), &somebody(), "sql-injection", NOW).unwrap();
    // Confirmed twice, in progress, exception asked, accepted, resolved.
    assert_eq!((found.right.count, found.wrong.count, found.all.count), (6, 1, 14));
    assert_eq!(found.verdict, Verdict::Good);
    assert!(of_rule(&index(&one_of_each()), &somebody(), "sql", NOW).is_none());
}

#[test]
fn the_searches_behind_the_counts_find_as_many() {
    let index = index(&one_of_each());
    let found = of_rule(&index, &somebody(), "sql-injection", NOW).unwrap();
    for count in [&found.all, &found.right, &found.wrong] {
        let (query, problems) = Query::parse(&count.search);
        assert!(problems.is_empty() && query.check(index.schema()).is_empty(), "{}", count.search);
        assert_eq!(index.find(&query, &somebody(), NOW).len(), count.count, "{}", count.search);
    }
}

#[test]
fn from_five_judged_on_there_is_a_verdict() {
    let verdict = |right: u32, wrong: u32| {
        let mut all: Vec<Record> = (1..=right).map(|no| of("x", no, "confirmed", "")).collect();
        all.extend((1..=wrong).map(|no| of("x", 100 + no, "dismissed", "false_positive")));
        of_rule(&index(&all), &somebody(), "x", NOW).unwrap().verdict
    };
    assert_eq!(verdict(0, 4), Verdict::TooFew);
    assert_eq!(verdict(2, 3), Verdict::MostlyDismissed);
    assert_eq!(verdict(3, 3), Verdict::Good);
}

#[test]
fn confidential_findings_count_for_those_alone_who_may_see_them() {
    let mut hidden = of("secret-rule", 1, "confirmed", "");
    hidden.confidential = true;
    let index = index(&[hidden]);
    assert!(of_rule(&index, &somebody(), "secret-rule", NOW).is_none());
    assert!(list::lines(&[], &index, &somebody(), NOW).is_empty());
    let sees = Eyes { sees_confidential: true, ..somebody() };
    assert_eq!(of_rule(&index, &sees, "secret-rule", NOW).unwrap().right.count, 1);
}

fn asked(pairs: &[(&str, &str)]) -> Asked {
    Asked::of(&pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
}

#[test]
fn rules_are_chosen_and_sorted() {
    let index = index(&[
        of("sql-injection", 1, "new", ""),
        of("other/tool <b>", 2, "new", ""),
        of("other/tool <b>", 3, "dismissed", "false_positive"),
        of("open-redirect", 4, "resolved", ""),
    ]);
    let all = list::lines(&[&RULE, &QUIET], &index, &somebody(), NOW);
    let ids = |pairs: &[(&str, &str)]| {
        let chosen = list::chosen(all.clone(), &asked(pairs));
        chosen.into_iter().map(|l| l.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), ["other/tool <b>", "sql-injection", "open-redirect"]);
    assert_eq!(ids(&[("sort", "rule")]), ["open-redirect", "other/tool <b>", "sql-injection"]);
    assert_eq!(ids(&[("sort", "-severity")]), ["other/tool <b>", "open-redirect", "sql-injection"]);
    // What needs work first, what was never judged last.
    assert_eq!(ids(&[("sort", "precision")]), ["other/tool <b>", "open-redirect", "sql-injection"]);
    assert_eq!(ids(&[("sort", "-precision")]), ["open-redirect", "other/tool <b>", "sql-injection"]);
    assert_eq!(ids(&[("q", "CWE-89 SQL")]), ["sql-injection"]);
    assert_eq!(ids(&[("category", "files-and-network")]), ["open-redirect"]);
    assert_eq!(ids(&[("category", "nonsense"), ("sort", "nonsense")]).len(), 3);
    let foreign = all.iter().find(|l| l.id.starts_with("other")).unwrap();
    assert_eq!(foreign.href, "/rules/other%2Ftool%20%3Cb%3E");
}

#[test]
fn heads_sort_and_turn_round() {
    let heads = asked(&[("q", "a&b"), ("sort", "rule")]).heads();
    assert_eq!(heads[0].href, "/rules?q=a%26b&sort=-rule");
    assert_eq!((heads[0].sorted, heads[3].sorted), ("ascending", ""));
    assert_eq!(asked(&[]).heads()[3].sorted, "descending");
}

#[test]
fn sections_of_a_rules_page_stand_under_its_own_heading_and_code_is_left_alone() {
    let html = markdown::render(&raised(RULE.doc), &|_| false).to_string();
    assert!(html.contains("<h3>Why it is bad</h3>"), "{html}");
    assert!(html.contains("## not a heading") && !html.contains("<h4"), "{html}");
}

#[tokio::test]
async fn rules_nobody_knows_are_nothing() {
    let (app, engineer, _, _folder) = app().await;
    for id in ["nonsense", "", "../../etc/passwd", "<script>", "sql-injection\"", "SQL-INJECTION", "\0"] {
        let page = page(State(app.clone()), Path(id.to_owned()), engineer.clone()).await;
        assert!(page.is_err(), "{id:?}");
    }
    for id in ["sql-injection", "open-redirect", "foreign/rule"] {
        assert!(page(State(app.clone()), Path(id.to_owned()), engineer.clone()).await.is_ok(), "{id}");
    }
}

#[tokio::test]
async fn the_pages_show_what_was_found() {
    let (app, engineer, _, _folder) = app().await;
    let html = page(State(app.clone()), Path("sql-injection".to_owned()), engineer.clone()).await.unwrap().0;
    assert!(html.contains("part of a statement") && html.contains("Nobody has judged"), "{html}");
    crate::pages::fixture::show("rule", &html);
    let asked = || Parameters(HashMap::new());
    let html = index_of(&app, &engineer).await;
    assert!(html.contains("href=\"/rules/foreign%2Frule\""), "{html}");
    crate::pages::fixture::show("rules", &html);
    let sheet = sheet(State(app), engineer, asked()).await.unwrap();
    assert_eq!(sheet.headers()["content-type"], "text/csv; charset=utf-8");
}

async fn index_of(app: &App, viewer: &crate::session::Viewer) -> String {
    super::index(State(app.clone()), viewer.clone(), Parameters(HashMap::new())).await.unwrap().0
}
