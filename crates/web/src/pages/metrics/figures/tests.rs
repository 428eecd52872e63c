use serde_json::{Value, json};
use wardroom_desk::Record;

use super::stats::middle_age;
use super::*;
use crate::pages::fixture::{NOW, finding, index, somebody};
use crate::view::number;

/// Findings of all ages, states and severities.
fn records() -> Vec<Record> {
    let severities = ["critical", "high", "high", "medium", "medium", "medium", "low", "low", "info"];
    let states = [
        "new",
        "resolved",
        "confirmed",
        "dismissed",
        "in_progress",
        "resolved",
        "accepted",
        "unseen",
        "new",
        "resolved",
    ];
    let rules = ["sql-injection", "cross-site-scripting", "open-redirect", "unscoped-find"];
    let pick = |list: &[&'static str], n: u32| list[n as usize % list.len()];
    (1..=400_u32)
        .map(|n| {
            // Mixed, but the same each time.
            let mixed = n.wrapping_mul(2_654_435_761) >> 7;
            let state = pick(&states, mixed);
            let repository = if n % 3 == 0 { "shop/storefront" } else { "shop/admin \"x\"" };
            let mut fields: Vec<(&str, Value)> = vec![
                ("rule", json!(pick(&rules, mixed / 5))),
                ("severity", json!(pick(&severities, mixed / 3))),
                ("repository", json!(repository)),
                ("team", json!(if n % 2 == 0 { "payments" } else { "web" })),
            ];
            if state == "dismissed" {
                let why = pick(&["false_positive", "wont_fix", "false_positive"], mixed / 11);
                fields.push(("dismissal", json!(why)));
            }
            let mut record = finding(n, i64::from(mixed % 250), state, &fields);
            record.reopened = u32::from(n % 17 == 0);
            record.confidential = n % 29 == 0;
            record
        })
        .collect()
}

fn asked(q: &str) -> Asked {
    Asked { q: q.to_owned(), window: 90, repository: String::new(), team: String::new() }
}

fn figures(index: &Index, asked: &Asked) -> Figures {
    Figures::new(index, &Program::built_in(), &somebody(), asked, NOW)
}

#[test]
fn every_number_leads_to_as_many_records() {
    let index = index(&records());
    let mut looked_at = 0;
    for asked in [
        asked(ALL),
        asked("kind:finding severity:high"),
        Asked {
            repository: "shop/admin \"x\"".to_owned(),
            team: "web".to_owned(),
            window: 365,
            ..asked(ALL)
        },
    ] {
        let figures = figures(&index, &asked);
        for table in figures.tables() {
            for row in &table.rows {
                for cell in row.cells.iter().filter(|c| !c.href.is_empty()) {
                    let search = search_of(&cell.href);
                    let (query, problems) = Query::parse(&search);
                    assert!(problems.is_empty() && query.check(index.schema()).is_empty(), "{search}");
                    let found = index.find(&query, &somebody(), NOW).len();
                    assert_eq!(found.to_string(), cell.text, "{}, {}: {search}", table.caption, row.head);
                    looked_at += 1;
                }
            }
        }
        for stat in figures.stats.iter().filter(|s| s.href.starts_with("/queue")) {
            let (query, _) = Query::parse(&search_of(&stat.href));
            let found = index.find(&query, &somebody(), NOW).len();
            assert_eq!(number(found), stat.value, "{}", stat.name);
        }
    }
    assert!(looked_at > 200, "{looked_at}");
}

#[test]
fn without_records_there_is_nothing_to_divide_by() {
    let figures = figures(&index(&[]), &asked(ALL));
    assert!(figures.stats.iter().all(|s| !s.value.is_empty()));
    assert_eq!(figures.stats[2].value, "–");
    assert!(figures.clocks.is_empty() && figures.parts.iter().all(|t| t.rows.is_empty()));
}

#[test]
fn a_search_with_a_mistake_counts_nothing() {
    let figures = figures(&index(&records()), &asked("kind:finding nonsense:yes"));
    assert_eq!(figures.stats[0].value, "0");
}

#[test]
fn what_somebody_may_not_see_is_in_no_figure() {
    let mut hidden = records();
    hidden.iter_mut().for_each(|r| r.confidential = true);
    let figures = figures(&index(&hidden), &asked(ALL));
    assert_eq!((figures.stats[0].value.as_str(), figures.stats[1].value.as_str()), ("0", "0"));
    assert!(figures.parts.iter().all(|t| t.rows.is_empty()));
    assert!(values(&index(&hidden), &somebody(), "repository", NOW).is_empty());
}

#[test]
fn half_of_what_is_open_has_the_age_that_is_told() {
    let records: Vec<Record> =
        [1, 2, 3, 50, 60].into_iter().zip(1..).map(|(d, n)| finding(n, d, "new", &[])).collect();
    let index = index(&records);
    let (query, _) = Query::parse("kind:finding");
    let matches = index.find(&query, &somebody(), NOW);
    assert_eq!(middle_age(&Scope::new(&index, &query, &matches, NOW), None), Some(3));
    let none = index.find(&Query::parse("kind:asset").0, &somebody(), NOW);
    assert_eq!(middle_age(&Scope::new(&index, &query, &none, NOW), None), None);
}

#[test]
fn parameters_that_make_no_sense_are_left_out() {
    let parameters = [("window", "-1"), ("q", "  "), ("repository", " a ")];
    let asked = Asked::of(&parameters.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
    assert_eq!(
        asked,
        Asked { q: ALL.to_owned(), window: 90, repository: "a".to_owned(), team: String::new() }
    );
}

/// For who wants to look at it.
#[test]
fn the_page_is_whole() {
    use askama::Template;
    let index = index(&records());
    let html = crate::pages::metrics::MetricsPage {
        frame: crate::pages::fixture::frame("Metrics", "/metrics"),
        asked: asked(ALL),
        spans: Vec::new(),
        repositories: Vec::new(),
        teams: Vec::new(),
        complaints: Vec::new(),
        csv: "/metrics.csv".to_owned(),
        now: String::new(),
        now_title: String::new(),
        today: "27 Nov".to_owned(),
        figures: figures(&index, &asked(ALL)),
    }
    .render()
    .unwrap();
    crate::pages::fixture::show("metrics", &html);
    assert!(
        html.contains("<h2 id=\"burn\">") && !html.contains("NaN") && !html.contains(" style="),
        "{html}"
    );
}
