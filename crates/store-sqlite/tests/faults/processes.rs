//! Processes that are killed, and processes that write at the same time. The processes are this test
//! program, started again for one test with a role in its environment.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wardroom_store::{Store, StoreError};
use wardroom_store_sqlite::{Options, SqliteStore};

use crate::support::{Place, assert_clean, resumed};

const ROLE: &str = "WARDROOM_TEST_STORE";
const SEED: &str = "WARDROOM_TEST_SEED";

fn again(test: &str, path: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ROLE, path)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn role() -> Option<(std::path::PathBuf, u64)> {
    let path = std::env::var_os(ROLE)?;
    Some((path.into(), std::env::var(SEED).unwrap().parse().unwrap()))
}

/// Appends for ever, and says after each append where the log ends.
async fn append_for_ever(path: &Path, seed: u64) {
    let store = SqliteStore::open(path, &Options::default()).await.unwrap();
    let mut sample = resumed(&store, seed).await;
    loop {
        let append = match sample.below(4) {
            0 => sample.open(1 + (seed % 90) as u32),
            1 => sample.open(1),
            _ if sample.records.is_empty() => sample.open(2),
            _ => {
                let many = 1 + sample.below(120) as u32;
                sample.work(many)
            }
        };
        let head = store.append(&append).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "kept {}", head.seq).unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_was_told_is_kept() {
    if let Some((path, seed)) = role() {
        return append_for_ever(&path, seed).await;
    }
    let place = Place::new();
    place.create().await.close().await.unwrap();
    let mut kept = 0;
    for round in 0..25_u64 {
        let mut child = again(
            "processes::a_killed_process_loses_nothing_it_was_told_is_kept",
            &place.path,
            round * 77 + 5,
        );
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let told = |line: String| line.strip_prefix("kept ").and_then(|seq| seq.parse::<u64>().ok());
        // Time runs from the first append on, so that each round is killed in the middle of its work.
        let first = lines.by_ref().find_map(told).unwrap();
        std::thread::sleep(Duration::from_micros(round * round * 137 % 40_000));
        child.kill().unwrap();
        child.wait().unwrap();
        kept = lines.filter_map(told).last().unwrap_or(first).max(kept);

        let store = place.open().await.unwrap();
        let head = store.head().await.unwrap();
        assert!(head.seq >= kept, "round {round}: event {kept} was kept, the log ends at {}", head.seq);
        assert!(head.seq <= kept + 182, "one append at most was under way");
        assert_clean(&store).await;
        kept = head.seq;
    }
    assert!(kept > 100);
}

#[tokio::test]
async fn two_processes_append_in_turn() {
    if let Some((path, seed)) = role() {
        let store = SqliteStore::open(&path, &Options::default()).await.unwrap();
        let (mut done, mut behind) = (0, 0);
        while done < 60 {
            let mut sample = resumed(&store, seed + done).await;
            let append = if done % 3 == 0 { sample.open(2) } else { sample.work(3) };
            match store.append(&append).await {
                Ok(_) => done += 1,
                Err(StoreError::Behind(_)) => behind += 1,
                Err(error) => panic!("{error}"),
            }
        }
        println!("behind {behind}");
        return;
    }
    let place = Place::new();
    let store = place.create().await;
    store.append(&resumed(&store, 1).await.open(5)).await.unwrap();
    let children: Vec<_> = (1..=3)
        .map(|seed| again("processes::two_processes_append_in_turn", &place.path, seed * 1000))
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(store.head().await.unwrap().seq, 10 + 3 * (20 * 4 + 40 * 3));
    assert_clean(&store).await;
}

#[tokio::test]
async fn a_writer_that_holds_the_file_is_named() {
    let place = Place::new();
    place.create().await.close().await.unwrap();
    let options = Options { patience: Duration::from_millis(100), ..Options::default() };
    let store = SqliteStore::open(&place.path, &options).await.unwrap();
    let mut sample = resumed(&store, 1).await;
    let mut raw = place.raw().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut raw).await.unwrap();
    let append = sample.open(1);
    let held = store.append(&append).await.unwrap_err();
    assert!(matches!(held, StoreError::Unwritable(_)), "{held}");
    assert!(held.to_string().contains("another process"), "{held}");
    assert_eq!(store.head().await.unwrap().seq, 0, "readers do not wait");
    sqlx::raw_sql("ROLLBACK").execute(&mut raw).await.unwrap();
    store.append(&append).await.unwrap();
}
