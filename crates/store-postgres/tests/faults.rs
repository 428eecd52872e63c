//! What goes wrong with a database, and what happens then. `docs/faults.md` has a row for each.
#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use wardroom_store::audit::{Trust, verify};
use wardroom_store::conformance::Sample;
use wardroom_store::{Store, StoreError};
use wardroom_store_postgres::cluster::{Cluster, PASSWORD};
use wardroom_store_postgres::{Address, Options, PostgresStore};

struct Place {
    cluster: Cluster,
    name: String,
    address: Address,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let (cluster, folder) = (Cluster::start(), tempfile::tempdir().unwrap());
        let name = cluster.database();
        let address = cluster.parsed(&name, &folder.path().join("desk.key"));
        Place { cluster, name, address, _folder: folder }
    }

    async fn open(&self) -> Result<PostgresStore, StoreError> {
        PostgresStore::open(&self.address, &Options { connections: 4, ..Options::default() }).await
    }

    async fn is_sound(&self) -> u64 {
        let store = self.open().await.unwrap();
        let report = verify(&store, &Trust::key(store.public_key()), true, &mut |_| {}).await.unwrap();
        assert_eq!(report.problems, vec![]);
        report.events
    }
}

/// Appends until told to stop, deciding anew where another was first; what was acknowledged.
async fn appending(
    store: Arc<PostgresStore>,
    seed: u64,
    stop: Arc<AtomicBool>,
    kept: Arc<AtomicU64>,
) -> Vec<u64> {
    let (mut acknowledged, mut sample) = (Vec::new(), Sample::new(seed, 30));
    while !stop.load(Ordering::SeqCst) {
        let (Ok(head), Ok(records)) = (store.head().await, store.records_after(0, 100_000).await) else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Later than all that is there, as the desk would have it.
        let at = 1_700_000_000_000 + i64::try_from(head.seq).unwrap() * 1_000;
        sample = sample.resume(head.seq, at, records);
        match store.append(&sample.open(1)).await {
            Ok(after) => {
                assert_eq!(after.seq, head.seq + 2, "it is what was appended and nothing else");
                acknowledged.push(after.seq);
                kept.fetch_add(1, Ordering::SeqCst);
            }
            Err(StoreError::Behind(_) | StoreError::Unavailable(_) | StoreError::Other(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    acknowledged
}

async fn until(kept: &AtomicU64, many: u64) {
    let wanted = kept.load(Ordering::SeqCst) + many;
    let reached = async {
        while kept.load(Ordering::SeqCst) < wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reached).await.expect("appends go on");
}

/// Two servers append while `harm` is done again and again; all that was acknowledged is there.
async fn survives(place: &Place, rounds: u32, harm: impl Fn(&Place)) {
    let (stop, kept) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut servers = Vec::new();
    for seed in 1..=2 {
        let store = Arc::new(place.open().await.unwrap());
        servers.push(tokio::spawn(appending(store, seed, Arc::clone(&stop), Arc::clone(&kept))));
    }
    for _ in 0..rounds {
        until(&kept, 10).await;
        tokio::task::block_in_place(|| harm(place));
    }
    until(&kept, 10).await;
    stop.store(true, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    for server in servers {
        acknowledged.extend(server.await.unwrap());
    }
    acknowledged.sort_unstable();
    assert!(acknowledged.windows(2).all(|w| w[0] < w[1]), "no place was given twice");
    let store = place.open().await.unwrap();
    let end = place.is_sound().await;
    assert!(acknowledged.last().is_some_and(|last| *last <= end), "nothing that was kept is lost");
    // Every append ends at an even place: those that were not acknowledged are whole too.
    assert_eq!(end, u64::from(store.head().await.unwrap().no) * 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_loses_power_keeps_what_it_acknowledged() {
    survives(&Place::new(), 4, |place| {
        place.cluster.down("immediate");
        std::thread::sleep(Duration::from_millis(300));
        place.cluster.up();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_are_cut_lose_nothing() {
    survives(&Place::new(), 12, |place| place.cluster.cut()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_for_others_hears_of_them_after_a_cut() {
    let place = Place::new();
    let (one, other) = (Arc::new(place.open().await.unwrap()), place.open().await.unwrap());
    let mut sample = Sample::new(3, 10);
    other.append(&sample.open(1)).await.unwrap();
    for _ in 0..3 {
        let (waiting, known) = (Arc::clone(&one), sample.seq());
        let waits = tokio::spawn(async move {
            loop {
                // As the desk: after an error it asks again.
                if let Ok(seq) = waiting.grown(known).await {
                    return seq;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        place.cluster.cut();
        let next = sample.open(1);
        let mut kept = other.append(&next).await;
        while matches!(kept, Err(StoreError::Unavailable(_))) {
            kept = other.append(&next).await;
        }
        let told = tokio::time::timeout(Duration::from_secs(10), waits).await.expect("it is told in time");
        assert_eq!(told.unwrap(), kept.unwrap().seq);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_is_away_is_said_to_be_and_comes_back() {
    let place = Place::new();
    let options = Options { patience: Duration::from_millis(500), ..Options::default() };
    let store = PostgresStore::open(&place.address, &options).await.unwrap();
    let mut sample = Sample::new(4, 10);
    store.append(&sample.open(2)).await.unwrap();
    place.cluster.down("fast");
    let read = store.record(1).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    let next = sample.work(2);
    let written = store.append(&next).await;
    assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
    let opened = PostgresStore::open(&place.address, &options).await.unwrap_err();
    assert!(matches!(opened, StoreError::Unavailable(_)), "{opened:?}");
    place.cluster.up();
    store.append(&next).await.unwrap();
    assert_eq!(place.is_sound().await, sample.seq());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_server_that_holds_the_log_is_not_waited_for_for_ever() {
    let place = Place::new();
    let options = Options { turn: Duration::from_millis(300), ..Options::default() };
    let store = PostgresStore::open(&place.address, &options).await.unwrap();
    let (cluster, name) = (&place.cluster, &place.name);
    let mut sample = Sample::new(5, 10);
    let next = sample.open(1);
    let (held, refused) = std::thread::scope(|scope| {
        let holds =
            scope.spawn(|| cluster.sql(name, "BEGIN; SELECT size FROM tree FOR UPDATE; SELECT pg_sleep(3)"));
        std::thread::sleep(Duration::from_secs(1));
        let refused = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async { store.append(&next).await })
        });
        (holds.join().unwrap(), refused)
    });
    assert!(held.starts_with('0'));
    assert!(
        matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("another server")),
        "{refused:?}"
    );
    store.append(&next).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_are_never_changed_by_the_program_or_its_administrator() {
    let place = Place::new();
    let store = place.open().await.unwrap();
    store.append(&Sample::new(6, 10).open(3)).await.unwrap();
    for sql in [
        "UPDATE events SET body = ''",
        "DELETE FROM events",
        "TRUNCATE events",
        "UPDATE checkpoints SET size = 7",
        "TRUNCATE checkpoints",
    ] {
        for role in ["", "SET ROLE wardroom; "] {
            let told = place.cluster.refused(&place.name, &format!("{role}{sql}"));
            assert!(told.contains("never changed") || told.contains("permission denied"), "{sql}: {told}");
        }
    }
    assert_eq!(place.is_sound().await, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_or_a_database_that_is_not_ours_is_refused() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    // Two servers that start together on an empty database with one key.
    let (one, two) = tokio::join!(place.open(), place.open());
    assert_eq!(one.unwrap().public_key(), two.unwrap().public_key());
    let without = place.cluster.parsed(&place.name, &folder.path().join("none.key"));
    let refused = PostgresStore::open(&without, &Options::default()).await.unwrap_err().to_string();
    assert!(refused.contains("none.key") && refused.contains("copy"), "{refused}");
    assert!(!folder.path().join("none.key").exists(), "no key is made for a store that has one");
    let other = folder.path().join("other.key");
    wardroom_store::key::make(&other).unwrap();
    let wrong = place.cluster.parsed(&place.name, &other);
    let refused = PostgresStore::open(&wrong, &Options::default()).await.unwrap_err().to_string();
    assert!(refused.contains("is not the key"), "{refused}");
    let reading = Options { read_only: true, ..Options::default() };
    let reader = PostgresStore::open(&without, &reading).await.unwrap();
    let refused = reader.append(&Sample::new(7, 10).open(1)).await;
    assert!(matches!(refused, Err(StoreError::Unwritable(_))), "{refused:?}");
    assert!(reader.remove("a", "b").await.is_err(), "a reader changes nothing, documents neither");
    // Another program's database, a newer schema, a wrong password.
    let foreign = place.cluster.database();
    place.cluster.sql(&foreign, "SET ROLE wardroom; CREATE TABLE theirs (a int)");
    let theirs = place.cluster.parsed(&foreign, &other);
    let refused = PostgresStore::open(&theirs, &Options::default()).await.unwrap_err().to_string();
    assert!(refused.contains("not Wardroom's"), "{refused}");
    assert_eq!(
        place.cluster.sql(&foreign, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"),
        "1"
    );
    place.cluster.sql(&place.name, "INSERT INTO wardroom_schema VALUES (99)");
    for options in [Options::default(), reading] {
        let refused = PostgresStore::open(&place.address, &options).await.unwrap_err();
        assert!(matches!(refused, StoreError::TooNew { found: 99, .. }), "{refused:?}");
    }
    let address = place.cluster.address(&place.name, &other);
    let stranger: Address = address.replace(PASSWORD, "wr0ng-s3cret").parse().unwrap();
    let refused = PostgresStore::open(&stranger, &Options::default()).await.unwrap_err();
    let told = format!("{refused} {refused:?}");
    assert!(told.contains("let this program in") && !told.contains("wr0ng-s3cret"), "{told}");
}
