//! Somebody with the file changes history, with more and more care. Each case says what the audit says.

use sqlx::SqliteConnection;
use wardroom_store::Checkpoint;
use wardroom_store::Store;
use wardroom_store::audit::{Trust, verify};
use wardroom_store::ledger::{Frontier, leaf_hash};

use crate::support::{Place, filled};

async fn sql(raw: &mut SqliteConnection, text: &'static str) {
    sqlx::raw_sql(text).execute(raw).await.unwrap();
}

/// Writes another text into an event, and the hash that belongs to it.
async fn rewrite(raw: &mut SqliteConnection, seq: i64) {
    let body: Vec<u8> = sqlx::query_scalar("SELECT body FROM events WHERE seq = ?")
        .bind(seq)
        .fetch_one(&mut *raw)
        .await
        .unwrap();
    let text = String::from_utf8(body).unwrap().replacen(r#""actor":"scan""#, r#""actor":"policy""#, 1);
    let leaf = leaf_hash(text.as_bytes()).to_vec();
    let update = sqlx::query("UPDATE events SET body = ?, leaf = ? WHERE seq = ?");
    update.bind(text.into_bytes()).bind(leaf).bind(seq).execute(raw).await.unwrap();
}

/// Makes the tiles of a block fit what is stored.
async fn retile(raw: &mut SqliteConnection, block: i64) {
    let leaves: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT leaf FROM events WHERE seq > ?1 * 256 AND seq <= ?1 * 256 + 256 ORDER BY seq",
    )
    .bind(block)
    .fetch_all(&mut *raw)
    .await
    .unwrap();
    let mut frontier = Frontier::default();
    leaves.into_iter().for_each(|leaf| frontier.push(leaf.try_into().unwrap(), |_, _, _| {}));
    let update = sqlx::query("UPDATE tiles SET hash = ? WHERE level = 1 AND no = ?");
    update.bind(frontier.root().to_vec()).bind(block).execute(raw).await.unwrap();
}

struct Cases {
    base: Place,
    known: Vec<Checkpoint>,
    projections: bool,
}

impl Cases {
    async fn new() -> Cases {
        Cases { base: filled().await, known: Vec::new(), projections: true }
    }

    /// Changes a copy of the store and compares what the audit says: each expected text must begin one
    /// of its sentences, and there may be no more sentences than texts.
    async fn case(&self, what: &str, change: impl AsyncFnOnce(&mut SqliteConnection), expected: &[&str]) {
        let place = self.base.copy();
        let mut raw = place.raw().await;
        change(&mut raw).await;
        drop(raw);
        let store = place.open().await.unwrap();
        let trust = Trust { keys: vec![store.public_key()], known: self.known.clone() };
        let report = verify(&store, &trust, self.projections, &mut |_| {}).await.unwrap();
        let said: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        let all = expected.iter().all(|text| said.iter().any(|said| said.starts_with(text)));
        assert!(all && said.len() == expected.len(), "{what}:\nexpected {expected:#?}\nsaid {said:#?}");
    }
}

#[tokio::test]
async fn events_are_forbidden_to_change() {
    let place = filled().await;
    let url = format!("sqlite://{}", place.path.display());
    let mut raw = <SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    for (text, why) in [
        ("UPDATE events SET body = x'' WHERE seq = 3", "never changed"),
        ("DELETE FROM events WHERE seq = 3", "never removed"),
        ("UPDATE checkpoints SET size = 3", "never changed"),
    ] {
        let error = sqlx::raw_sql(text).execute(&mut raw).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn changed_events_are_named() {
    let cases = Cases::new().await;
    cases.case("nothing", async |_| {}, &[]).await;
    let change = "UPDATE events SET body = CAST(replace(body, '\"scan\"', '\"policy\"') AS BLOB) WHERE seq IN (1, 700, 1500)";
    let named = [
        "event 1 (F-1, opened, 2023-11-14T22:13:20Z) was changed: what it holds does not give its hash",
        "event 700 (F-",
        "event 1500 (F-",
    ];
    cases.case("bodies", async |raw| sql(raw, change).await, &named).await;
    let run = "UPDATE events SET body = CAST(replace(body, '\"scan\"', '\"policy\"') AS BLOB) WHERE seq BETWEEN 250 AND 260";
    cases
        .case("bodies in a row", async |raw| sql(raw, run).await, &["events 250 to 260 (the first: F-"])
        .await;
    let whole =
        &["event 700 (F-119, labelled, 2023-11-14T22:17:26Z) is whole, but the hash kept for it was changed"];
    let hash = "UPDATE events SET leaf = zeroblob(32) WHERE seq = 700";
    cases.case("a hash", async |raw| sql(raw, hash).await, whole).await;
    let last = "UPDATE events SET leaf = zeroblob(32) WHERE seq = 1500";
    cases
        .case(
            "the last hash",
            async |raw| sql(raw, last).await,
            &["event 1500 (F-118, read, 2023-11-14T22:23:35Z) is whole"],
        )
        .await;
    // With the hash: the single appends around it are signed, and pin it down to one.
    cases
        .case("body and hash", async |raw| rewrite(raw, 145).await, &["event 145 was changed: rewritten"])
        .await;
    let within = &["one or more of events 51 to 120 were changed: rewritten together"];
    cases.case("within one append", async |raw| rewrite(raw, 90).await, within).await;
    let two =
        ["one or more of events 51 to 120 were changed", "one or more of events 651 to 720 were changed"];
    let both = async |raw: &mut SqliteConnection| {
        rewrite(raw, 90).await;
        rewrite(raw, 700).await;
    };
    cases.case("two of them", both, &two).await;
    let retiled = async |raw: &mut SqliteConnection| {
        rewrite(raw, 90).await;
        retile(raw, 0).await;
    };
    cases.case("body, hash and tile", retiled, within).await;
    cases
        .case("the last body and hash", async |raw| rewrite(raw, 1500).await, &["event 1500 was changed"])
        .await;
}

#[tokio::test]
async fn removed_inserted_and_moved_events_are_named() {
    let mut cases = Cases::new().await;
    let removed = "DELETE FROM events WHERE seq = 700";
    let gap =
        ["event 700 was removed: no event has that place", "event 821 (F-119", "record F-119 is not what"];
    cases.case("removed", async |raw| sql(raw, removed).await, &gap).await;
    let numbered = "DELETE FROM events WHERE seq = 700; UPDATE events SET seq = -seq + 1 WHERE seq > 700;
                    UPDATE events SET seq = -seq WHERE seq < 0";
    let named = [
        "event 700 was removed: all events after it were numbered anew",
        "events 700 to 1499 (the first: F-",
        "event 1500 was removed: the checkpoint of",
        "record F-119 is not what",
    ];
    cases.case("removed and numbered anew", async |raw| sql(raw, numbered).await, &named).await;
    let swapped = "UPDATE events SET seq = -1 WHERE seq = 300; UPDATE events SET seq = 300 WHERE seq = 310;
                   UPDATE events SET seq = 310 WHERE seq = -1";
    let named =
        ["event 300 (F-55", "event 310 (F-11", "F-55 has events but was never opened", "record F-55 is not"];
    cases.case("swapped", async |raw| sql(raw, swapped).await, &named).await;
    let behind = "INSERT INTO events SELECT 1501, record, batch, leaf, body FROM events WHERE seq = 1500";
    let named = ["event 1501 (F-", "event 1501 was inserted: no checkpoint covers that"];
    cases.case("put behind the end", async |raw| sql(raw, behind).await, &named).await;
    let shifted =
        "UPDATE events SET seq = -seq - 1 WHERE seq >= 700; UPDATE events SET seq = -seq WHERE seq < 0;
                   INSERT INTO events SELECT 700, record, batch, leaf, body FROM events WHERE seq = 100";
    let named =
        ["event 700 was inserted: all events after it", "events 700 to 1501", "event 1501 was inserted"];
    cases.case("put in and numbered anew", async |raw| sql(raw, shifted).await, &named).await;
    // What is left no longer gives the records; that is told too, and left out here.
    cases.projections = false;
    let cut = "DELETE FROM events WHERE seq > 1400";
    let named = ["events 1401 to 1500 were removed: the checkpoint of"];
    cases.case("the end cut off", async |raw| sql(raw, cut).await, &named).await;
    let checkpoints = "DELETE FROM events WHERE seq > 1200; DELETE FROM checkpoints WHERE size > 1200";
    let named = ["events 1201 to 1280 were removed: the tree has hashes over them"];
    cases.case("the end and its checkpoints", async |raw| sql(raw, checkpoints).await, &named).await;

    // All of it cut off to an earlier end that was signed: within the store nothing is wrong. Who kept a
    // later checkpoint elsewhere sees it.
    let clean =
        "DELETE FROM events WHERE seq > 120; DELETE FROM checkpoints WHERE size > 120; DELETE FROM tiles;
                 DELETE FROM records; DELETE FROM keys";
    let rolled_back = async |raw: &mut SqliteConnection| {
        sql(raw, clean).await;
        let leaves: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT leaf FROM events ORDER BY seq").fetch_all(&mut *raw).await.unwrap();
        let mut frontier = Frontier::default();
        leaves.into_iter().for_each(|leaf| frontier.push(leaf.try_into().unwrap(), |_, _, _| {}));
        let update = sqlx::query("UPDATE tree SET size = 120, peaks = ?").bind(frontier.to_bytes());
        update.execute(raw).await.unwrap();
    };
    cases.case("rolled back", rolled_back, &[]).await;
    let store = cases.base.open().await.unwrap();
    cases.known = store.checkpoints().await.unwrap().split_off(9);
    store.close().await.unwrap();
    let with = ["events 121 to 1500 were removed: the checkpoint of"];
    cases.case("rolled back, with a checkpoint kept elsewhere", rolled_back, &with).await;
}

#[tokio::test]
async fn what_is_beside_the_events_is_compared() {
    let cases = Cases::new().await;
    let filed = "UPDATE events SET record = 3 WHERE seq = 700";
    let named = ["event 700 (F-119, ", "F-119 has", "F-3 has", "record F-3 is not", "record F-119 is not"];
    cases.case("the index", async |raw| sql(raw, filed).await, &named).await;
    let tile = "UPDATE tiles SET hash = zeroblob(32) WHERE no = 2";
    cases
        .case(
            "a tile",
            async |raw| sql(raw, tile).await,
            &["the tree's hash over events 513 to 768 was changed"],
        )
        .await;
    let gone = "DELETE FROM tiles WHERE no = 2";
    cases
        .case(
            "no tile",
            async |raw| sql(raw, gone).await,
            &["the tree's hash over events 513 to 768 is gone"],
        )
        .await;
    let signed = "UPDATE checkpoints SET at = at + 1 WHERE size = 145";
    let named = &["the checkpoint stored over 145 events of"];
    cases.case("a checkpoint", async |raw| sql(raw, signed).await, named).await;
    let record = "UPDATE records SET body = CAST(replace(body, '\"new\"', '\"old\"') AS BLOB) WHERE no = 7";
    cases
        .case(
            "a record",
            async |raw| sql(raw, record).await,
            &["record F-7 is not what its events add up to"],
        )
        .await;
    let record = "DELETE FROM records WHERE no = 7";
    cases.case("no record", async |raw| sql(raw, record).await, &["record F-7 is not stored"]).await;
    let key = "DELETE FROM keys WHERE no = 7";
    // It has two: one of the repository, one of the branch.
    let named = &["record 7 is not found by its key"; 2];
    cases.case("no key", async |raw| sql(raw, key).await, named).await;
}
