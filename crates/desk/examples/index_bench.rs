//! What the index costs: memory a record, time a question.
//!
//! ```sh
//! cargo run --release -p wardroom-desk --example index_bench -- 1000000
//! ```

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use std::time::{Duration, Instant};

use wardroom_desk::index::Sort;
use wardroom_desk::{Index, Query, Viewer};

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

use synthetic::{LARGE, NOW, program, record};

/// Resident memory in bytes, where the system tells.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|p| p.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

/// Processor time of this thread, where the system tells; else the time on the wall.
fn spent(start: Instant) -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// The mean of some runs, in processor time: other work on the machine is none of ours. The system
/// counts in steps of milliseconds, so there are as many runs as fill a tenth of a second.
fn time<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let start = Instant::now();
    run();
    let before = spent(start);
    let mut runs = 0;
    loop {
        let last = run();
        runs += 1;
        let taken = spent(start).saturating_sub(before);
        if taken > Duration::from_millis(100) || runs == 10_000 {
            return (taken / runs, last);
        }
    }
}

fn main() {
    let count: u32 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let program = program();
    let before = resident();
    let mut index = Index::new(&program);
    let mut taken = Duration::ZERO;
    let start = Instant::now();
    let mut records = Vec::new();
    for no in 1..=count {
        records.push(record(no, 1, LARGE));
        if records.len() == 1_000 || no == count {
            let before = spent(start);
            records.iter().for_each(|r| index.put(r));
            taken += spent(start).saturating_sub(before);
            records.clear();
        }
    }
    let held = resident() - before;
    println!("{count} records: {} MB, {} bytes a record", held >> 20, held / count as usize);
    println!("put: {:.2} µs a record", taken.as_secs_f64() * 1e6 / f64::from(count));
    let again: Vec<_> = (1..=count.min(20_000)).map(|no| record(no, 2, LARGE)).collect();
    let before = spent(start);
    again.iter().for_each(|r| index.put(r));
    let replaced = spent(start).saturating_sub(before);
    println!("replace: {:.2} µs a record", replaced.as_secs_f64() * 1e6 / again.len() as f64);
    drop(again);
    for (name, bytes) in index.memory() {
        println!("  {name}: {:.1} bytes a record", bytes as f64 / f64::from(count));
    }
    let viewer = Viewer {
        login: Some("person3".to_owned()),
        team: Some("team1".to_owned()),
        sees_confidential: false,
    };
    let facets = ["severity", "state", "rule", "repository", "team", "owner", "label", "file"];
    println!(
        "{:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  search",
        "found", "find", "page", "facets", "groups", "rollup"
    );
    for text in [
        "",
        "is:open",
        "is:open severity:>=high",
        "is:open severity:>=high owner:@me",
        "rule:sql",
        "rule:sql*",
        "file:app/controllers/*",
        "controller",
        "us",
        "params redirect_to",
        "redirect in:title -label:wontfix",
        "age:>30d is:open",
        "due:<7d",
        "is:late sort:due",
        "updated:>2026-06-01 sort:updated",
        "closed:2026-01..2026-03",
        "no:owner is:open sort:severity",
        "score:>7.5",
        "line:1..100",
        "state:new,confirmed kind:finding has:comments",
        "sort:opened",
        "sort:age",
    ] {
        let (query, problems) = Query::parse(text);
        assert!(problems.is_empty() && query.check(index.schema()).is_empty(), "{text}");
        let sort = query.sort().unwrap_or_default();
        let (find, found) = time(|| index.find(&query, &viewer, NOW));
        let (page, _) = time(|| index.page(&found, sort, None, 50));
        let (facet, _) = time(|| index.facets(&found, &facets, 10));
        let (group, _) = time(|| index.groups(&found, "file", 50));
        let (rollup, _) = time(|| index.rollup(&found, &["repository", "handler"], 50));
        let ms = |d: Duration| format!("{:.2} ms", d.as_secs_f64() * 1e3);
        println!(
            "{:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  {text}",
            found.len(),
            ms(find),
            ms(page),
            ms(facet),
            ms(group),
            ms(rollup)
        );
    }
    figures(&index, &viewer);
    let (query, _) = Query::parse("is:open");
    let found = index.find(&query, &viewer, NOW);
    for field in facets {
        let (taken, _) = time(|| index.facets(&found, &[field], 10));
        println!("facet {field}: {:.2} ms", taken.as_secs_f64() * 1e3);
    }
    let sort: Sort = "priority".parse().expect("it is an order");
    let (deep, _) = time(|| {
        let mut cursor = None;
        for _ in 0..20 {
            cursor = index.page(&found, sort, cursor.as_deref(), 50).next;
        }
    });
    println!("a page further on: {:.2} ms", deep.as_secs_f64() * 1e3 / 20.0);
    for text in ["sev", "rule:", "rule:sql", "file:part_1", "owner:pe"] {
        let (taken, offered) = time(|| wardroom_desk::query::complete(text, text.len(), &index, &viewer));
        println!("complete {text}: {:.2} ms, {}", taken.as_secs_f64() * 1e3, offered.len());
    }
}

/// What each figure costs.
fn figures(index: &Index, viewer: &Viewer) {
    use wardroom_desk::metrics::{self, Precision, Scope, Window};
    for text in ["", "team:team1"] {
        let (query, _) = Query::parse(text);
        let matches = index.find(&query, viewer, NOW);
        let scope = &Scope::new(index, &query, &matches, NOW);
        let window = Window {
            from: jiff::civil::Date::constant(2026, 5, 1),
            to: jiff::civil::Date::constant(2026, 11, 27),
        };
        let ms = |d: Duration| format!("{:.2} ms", d.as_secs_f64() * 1e3);
        println!("figures of `{text}`:");
        println!("  ages {}", ms(time(|| metrics::ages(scope)).0));
        println!("  times {}", ms(time(|| metrics::times(scope, window, None)).0));
        println!("  promises {}", ms(time(|| metrics::promises(scope, Some(window))).0));
        println!("  backlog {}", ms(time(|| metrics::backlog(scope, 52)).0));
        println!("  precision {}", ms(time(|| metrics::precision(scope, &Precision::default())).0));
        println!("  reopened {}", ms(time(|| metrics::reopened(scope)).0));
        for field in ["repository", "team", "owner"] {
            println!("  rows by {field} {}", ms(time(|| metrics::tables(scope, &[field], window, 50)).0));
        }
    }
}
