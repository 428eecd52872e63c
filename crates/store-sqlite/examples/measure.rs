//! Measures a store: `cargo run --profile quick -p wardroom-store-sqlite --example measure -- EVENTS [FOLDER]`.
//!
//! Appends 10,000 events with their records in one go, then single events, then fills up to EVENTS, and
//! times what a page and an audit do. The figures are in docs/store.md.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, which stops at an error"
)]

use std::time::Instant;

use wardroom_store::audit::{Trust, verify};
use wardroom_store::conformance::Sample;
use wardroom_store::{Store, export_proof, ledger, rebuild};
use wardroom_store_sqlite::{Options, SqliteStore};

/// Says how long something took, for each of `many`.
fn say(what: &str, many: u64, start: Instant) {
    let all = start.elapsed();
    println!("{what:44} {:9.3} s  {:9.1} µs each", all.as_secs_f64(), all.as_secs_f64() * 1e6 / many as f64);
}

/// Most memory that was ever in use, in MB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1024
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let target: u64 = words.next().map_or(100_000, |word| word.parse().unwrap());
    let folder = words.next().map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    let path = folder.path().join("desk.db");
    let store = SqliteStore::create(&path, &Options::default()).await.unwrap();
    let mut sample = Sample::new(1, 1700);

    let append = sample.open(5_000);
    let bytes: usize = append.events.iter().map(|event| serde_json::to_vec(event).unwrap().len()).sum();
    let start = Instant::now();
    store.append(&append).await.unwrap();
    say("10,000 events, 5,000 records, first scan", 10_000, start);
    println!("{:44} {} bytes an event", "", bytes / 10_000);
    let append = sample.every();
    let start = Instant::now();
    store.append(&append).await.unwrap();
    say("5,000 events on as many records, next scan", 5_000, start);
    let start = Instant::now();
    for _ in 0..500 {
        store.append(&sample.work(1)).await.unwrap();
    }
    say("500 single appends, each on the disk", 500, start);

    // To fill up, only events are wanted: their records are few and stay small.
    let start = Instant::now();
    let begun = sample.seq();
    while sample.seq() < target {
        store.append(&sample.open(5_000)).await.unwrap();
        // What the desk remembers is not the store's memory.
        sample.forget(5_000);
    }
    say("filled up", (sample.seq() - begun).max(1), start);
    let head = store.head().await.unwrap();
    println!(
        "{:44} {} events, {} records, {} MB",
        "",
        head.seq,
        head.no,
        std::fs::metadata(&path).unwrap().len() >> 20
    );

    let places: Vec<u64> =
        (0..1000).map(|_| 1 + sample.below(usize::try_from(head.seq).unwrap()) as u64).collect();
    let nos: Vec<u32> =
        places.iter().map(|place| 1 + u32::try_from(place % u64::from(head.no)).unwrap()).collect();
    let start = Instant::now();
    for no in &nos {
        store.record(*no).await.unwrap().unwrap();
    }
    say("a record", 1000, start);
    let start = Instant::now();
    for no in &nos {
        store.timeline(*no, 0, 50).await.unwrap();
    }
    say("a timeline", 1000, start);
    let start = Instant::now();
    for page in nos.chunks(50) {
        store.records(page).await.unwrap();
    }
    say("50 records of a list", 20, start);
    let start = Instant::now();
    let scope = store.scopes("group/").await.unwrap().remove(0);
    let all = store.scope(&scope).await.unwrap();
    say("every key of a scope", all.len() as u64, start);
    let keys: Vec<String> = all.iter().take(10_000).map(|(key, _)| key.clone()).collect();
    let start = Instant::now();
    assert_eq!(store.find(&scope, &keys).await.unwrap().len(), keys.len());
    say("found by key, 10,000 at most", keys.len() as u64, start);
    let start = Instant::now();
    for place in &places[..100] {
        ledger::prove(&store, *place).await.unwrap();
    }
    say("the proof for an event", 100, start);
    let start = Instant::now();
    export_proof(&store, nos[0], &store.public_key()).await.unwrap();
    say("the proof file of a record", 1, start);

    println!("{:44} {} MB at most so far", "memory", memory());
    let start = Instant::now();
    let report = verify(&store, &Trust::key(store.public_key()), false, &mut |_| {}).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.problems.first());
    say("audit of the events", head.seq, start);
    println!("{:44} {} checkpoints", "", report.checkpoints);
    let start = Instant::now();
    let report = verify(&store, &Trust::key(store.public_key()), true, &mut |_| {}).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.problems.first());
    say("audit of events and records", head.seq, start);
    let start = Instant::now();
    rebuild(&store, &mut |_| {}).await.unwrap();
    say("all records built again", head.seq, start);
    let start = Instant::now();
    store.backup(&folder.path().join("copy.db")).await.unwrap();
    say("a backup, checked", head.seq, start);
    println!("{:44} {} MB at most", "memory", memory());
}
