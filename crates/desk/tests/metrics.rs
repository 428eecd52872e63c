//! Figures are what counting records gives, and the search of each finds as many.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wardroom_desk::metrics::{self, Count, Precision, Scope, Spread, Verdict, Window};
use wardroom_desk::{Index, Query, Record, Running, Viewer};

mod synthetic;

use synthetic::{DAY, NOW, SMALL, program, record};

fn built(count: u32, seed: u64) -> (Index, Vec<Record>) {
    let mut index = Index::new(&program());
    let records: Vec<Record> = (1..=count).map(|no| record(no, seed, SMALL)).collect();
    records.iter().for_each(|r| index.put(r));
    (index, records)
}

fn window() -> Window {
    Window { from: "2026-06-01".parse().unwrap(), to: "2026-11-15".parse().unwrap() }
}

/// A moment's day in Berlin, as text, which sorts as days do.
fn day(at: i64) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    jiff::Timestamp::from_millisecond(at).unwrap().to_zoned_datetime(zone).date().to_string()
}

fn within(at: i64) -> bool {
    let day = day(at);
    *"2026-06-01" <= *day && *day <= *"2026-11-15"
}

/// By the definition: the smallest that so many are not above.
fn percentile(lengths: &[i64], percent: usize) -> i64 {
    let enough = |l: &i64| lengths.iter().filter(|o| *o <= l).count() * 100 >= percent * lengths.len();
    lengths.iter().filter(|l| enough(l)).min().copied().unwrap_or(0)
}

fn spread(lengths: &[i64], spread: Spread) {
    assert_eq!(spread.count, lengths.len() as u64);
    assert_eq!(spread.p50, percentile(lengths, 50));
    assert_eq!(spread.p75, percentile(lengths, 75));
    assert_eq!(spread.p90, percentile(lengths, 90));
    assert_eq!(spread.p95, percentile(lengths, 95));
    assert_eq!(spread.mean, lengths.iter().sum::<i64>() / lengths.len().max(1) as i64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_counts_of_records(
        seed in 0_u64..1_000, count in 0_u32..200, all in any::<bool>(),
        text in proptest::sample::select(&["", "kind:finding", "repository:repo-1", "severity:>=medium team:team1 sort:due"][..]),
    ) {
        let (index, records) = built(count, seed);
        let (query, _) = Query::parse(text);
        let viewer = Viewer { sees_confidential: all, ..Viewer::default() };
        let matches = index.find(&query, &viewer, NOW);
        let scope = &Scope::new(&index, &query, &matches, NOW);
        let shown: Vec<&Record> = records.iter().filter(|r| matches.contains(r.id.no)).collect();
        let severity = |r: &Record| r.text("severity").parse::<wardroom_model::Severity>().ok();
        let finds = |count: &Count| {
            let (query, problems) = Query::parse(&count.search);
            assert_eq!(problems, [], "{}", count.search);
            assert_eq!(query.check(index.schema()), [], "{}", count.search);
            assert_eq!(index.find(&query, &viewer, NOW).len(), count.count, "{}", count.search);
        };

        for cell in metrics::ages(scope) {
            let of = shown.iter().filter(|r| r.open && severity(r) == cell.severity);
            let of = of.filter(|r| {
                let days = u32::try_from((NOW - r.opened) / DAY).unwrap();
                days >= cell.band.from && cell.band.to.is_none_or(|to| days <= to)
            });
            prop_assert_eq!(of.count() as u64, cell.count.count);
            finds(&cell.count);
        }

        for row in metrics::times(scope, window(), None) {
            let of: Vec<&&Record> = shown.iter().filter(|r| severity(r) == row.severity).collect();
            let closed: Vec<i64> = of.iter().filter_map(|r| r.closed.filter(|c| within(*c)).map(|c| c - r.opened)).collect();
            let open: Vec<i64> = of.iter().filter(|r| r.open).map(|r| NOW - r.opened).collect();
            spread(&closed, row.closed);
            spread(&open, row.open);
            finds(&Count { count: row.closed.count, search: row.closed_search });
            finds(&Count { count: row.open.count, search: row.open_search });
        }

        let mut promised = 0;
        for promise in metrics::promises(scope, None) {
            let of = |holds: &dyn Fn(i64, Running) -> bool| {
                let clocks = shown.iter().filter(|r| severity(r) == promise.severity).filter_map(|r| r.clocks.get(&promise.clock));
                clocks.filter(|c| holds(c.due, c.running)).count() as u64
            };
            prop_assert_eq!(promise.met.count, of(&|due, r| matches!(r, Running::Stopped { at } if at <= due)));
            prop_assert_eq!(promise.missed.count, of(&|due, r| matches!(r, Running::Stopped { at } if at > due)));
            prop_assert_eq!(promise.running.count, of(&|due, r| r == Running::Running && due >= NOW));
            prop_assert_eq!(promise.late.count, of(&|due, r| r == Running::Running && due < NOW));
            prop_assert_eq!(promise.paused.count, of(&|_, r| matches!(r, Running::Paused { .. })));
            for count in [&promise.met, &promise.missed, &promise.running, &promise.late, &promise.paused] {
                promised += count.count;
                finds(count);
            }
        }
        prop_assert_eq!(promised, shown.iter().map(|r| r.clocks.len() as u64).sum::<u64>());

        // Of a window: what was closed in it, and what is still open.
        for promise in metrics::promises(scope, Some(window())) {
            for (count, state) in [
                (&promise.met, "met"), (&promise.missed, "missed"), (&promise.running, "running"),
                (&promise.late, "late"), (&promise.paused, "paused"),
            ] {
                let of = shown.iter().filter(|r| severity(r) == promise.severity);
                let of = of.filter(|r| r.clocks.get(&promise.clock).is_some_and(|c| match (c.running, state) {
                    (Running::Stopped { at }, "met") => at <= c.due && r.closed.is_some_and(within),
                    (Running::Stopped { at }, "missed") => at > c.due && r.closed.is_some_and(within),
                    (Running::Running, "running") => c.due >= NOW && r.open,
                    (Running::Running, "late") => c.due < NOW && r.open,
                    (Running::Paused { .. }, "paused") => r.open,
                    _ => false,
                }));
                prop_assert_eq!(count.count, of.count() as u64, "{} {}", promise.clock, state);
                finds(count);
            }
        }

        let clocks: BTreeSet<&str> = shown.iter().flat_map(|r| r.clocks.keys()).map(String::as_str).collect();
        for clock in clocks.into_iter().chain(["nothing"]) {
            let timed: Vec<&&Record> = shown.iter().filter(|r| r.clocks.contains_key(clock)).collect();
            let open: Vec<i64> = timed.iter().filter(|r| r.open).map(|r| NOW - r.opened).collect();
            let closed: Vec<i64> = timed.iter().filter_map(|r| r.closed.filter(|c| within(*c)).map(|c| c - r.opened)).collect();
            spread(&open, metrics::open_ages(scope, Some(clock)));
            spread(&closed, metrics::closed_times(scope, window(), Some(clock)));
        }
        let late = metrics::late(scope);
        let is_late = |r: &&&Record| r.open && r.due().is_some_and(|(_, due)| due < NOW);
        prop_assert_eq!(late.all, shown.iter().filter(is_late).count() as u64);
        let high = shown.iter().filter(is_late).filter(|r| severity(r) == Some(wardroom_model::Severity::High));
        prop_assert_eq!(late.high, high.count() as u64);

        let weeks = metrics::backlog(scope, 60);
        prop_assert_eq!(weeks.len(), 60);
        for (at, week) in weeks.iter().enumerate() {
            prop_assert_eq!(week.monday.weekday(), jiff::civil::Weekday::Monday);
            let (from, to) = (week.monday.to_string(), (week.monday + jiff::ToSpan::days(6)).to_string());
            let inside = |at: i64| from <= day(at) && day(at) <= to;
            prop_assert_eq!(week.opened.count, shown.iter().filter(|r| inside(r.opened)).count() as u64);
            prop_assert_eq!(week.closed.count, shown.iter().filter(|r| r.closed.is_some_and(inside)).count() as u64);
            let open = shown.iter().filter(|r| day(r.opened) <= to && r.closed.is_none_or(|c| day(c) > to));
            prop_assert_eq!(week.open.count, open.count() as u64);
            if at % 9 == 5 {
                [&week.opened, &week.closed, &week.open].into_iter().for_each(finds);
            }
        }
        prop_assert_eq!(weeks[59].open.count, shown.iter().filter(|r| r.open).count() as u64);
        prop_assert!(*weeks[59].monday.to_string() <= *"2026-11-27");

        let how = Precision::default();
        let mut reported = 0;
        for rule in metrics::precision(scope, &how).unwrap() {
            let of: Vec<&&Record> = shown.iter().filter(|r| r.text("rule") == rule.rule).collect();
            let right = |r: &&&Record| r.state == "confirmed" || r.state == "resolved";
            let wrong = |r: &&&Record| !right(r) && r.text("dismissal") == "false_positive";
            let (right, wrong) = (of.iter().filter(|r| right(r)).count() as u64, of.iter().filter(|r| wrong(r)).count() as u64);
            prop_assert_eq!(rule.all.count, of.len() as u64);
            prop_assert_eq!((rule.right.count, rule.wrong.count), (right, wrong));
            let verdict = if right + wrong < 5 { Verdict::TooFew } else if right < wrong { Verdict::MostlyDismissed } else { Verdict::Good };
            prop_assert_eq!(rule.verdict, verdict);
            reported += rule.all.count;
            [&rule.all, &rule.right, &rule.wrong].into_iter().for_each(finds);
        }
        prop_assert_eq!(reported, shown.iter().filter(|r| !r.text("rule").is_empty()).count() as u64);

        for field in ["repository", "team", "owner", "label"] {
            let rows = metrics::tables(scope, &[field], window(), 100).remove(0).unwrap();
            let mut seen: BTreeMap<String, ()> = BTreeMap::new();
            for row in rows {
                let of: Vec<&&Record> = shown
                    .iter()
                    .filter(|r| match field {
                        "label" if row.value.is_empty() => r.labels.is_empty(),
                        "label" => r.labels.contains(&row.value),
                        _ => r.text(field) == row.value,
                    })
                    .collect();
                prop_assert!(!of.is_empty());
                prop_assert_eq!(row.open.count, of.iter().filter(|r| r.open).count() as u64);
                let late = of.iter().filter(|r| r.open && r.due().is_some_and(|(_, due)| due < NOW));
                prop_assert_eq!(row.late.count, late.count() as u64);
                prop_assert_eq!(row.reopened.count, of.iter().filter(|r| r.reopened > 0).count() as u64);
                prop_assert_eq!(row.opened.count, of.iter().filter(|r| within(r.opened)).count() as u64);
                let closed: Vec<i64> = of.iter().filter_map(|r| r.closed.filter(|c| within(*c)).map(|c| c - r.opened)).collect();
                spread(&closed, row.time);
                prop_assert_eq!(row.by_severity.iter().map(|c| c.count).sum::<u64>(), row.open.count);
                for count in row.by_severity.iter().chain([&row.open, &row.late, &row.reopened, &row.opened, &row.closed]) {
                    finds(count);
                }
                prop_assert!(seen.insert(row.value.clone(), ()).is_none());
            }
        }

        let rate = metrics::reopened(scope);
        prop_assert_eq!(rate.closed, shown.iter().filter(|r| !r.open || r.reopened > 0).count() as u64);
        finds(&rate.reopened);
    }
}

#[test]
fn percentiles_of_few_and_of_one() {
    spread(&[], Spread::of(&mut []));
    spread(&[7], Spread::of(&mut [7]));
    spread(&[3, 1, 2], Spread::of(&mut [3, 1, 2]));
    let mut hundred: Vec<i64> = (1..=100).rev().collect();
    assert_eq!(Spread::of(&mut hundred), Spread { count: 100, p50: 50, p75: 75, p90: 90, p95: 95, mean: 50 });
}
