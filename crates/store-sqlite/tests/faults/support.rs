//! A store in a folder of its own, and what all these tests ask of it.

use std::path::{Path, PathBuf};

use sqlx::{Connection, SqliteConnection};
use wardroom_store::audit::{Report, Trust, verify};
use wardroom_store::conformance::Sample;
use wardroom_store::{Store, StoreError};
use wardroom_store_sqlite::{Options, SqliteStore, key_path};

pub struct Place {
    pub folder: tempfile::TempDir,
    pub path: PathBuf,
}

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        Place { folder, path }
    }

    pub async fn create(&self) -> SqliteStore {
        SqliteStore::create(&self.path, &Options::default()).await.unwrap()
    }

    pub async fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&self.path, &Options::default()).await
    }

    /// A copy of the files in a place of its own.
    pub fn copy(&self) -> Place {
        let copy = Place::new();
        std::fs::copy(&self.path, &copy.path).unwrap();
        std::fs::copy(key_path(&self.path), key_path(&copy.path)).unwrap();
        copy
    }

    /// A connection past the store, with nothing that forbids anything.
    pub async fn raw(&self) -> SqliteConnection {
        let mut raw = SqliteConnection::connect(&format!("sqlite://{}", self.path.display())).await.unwrap();
        let drop = "DROP TRIGGER events_never_change; DROP TRIGGER events_never_go;
                    DROP TRIGGER checkpoints_never_change";
        sqlx::raw_sql(drop).execute(&mut raw).await.unwrap();
        raw
    }
}

/// A store of 1,500 events in appends of many sizes, closed again.
pub async fn filled() -> Place {
    let place = Place::new();
    let store = place.create().await;
    let mut sample = Sample::new(42, 300);
    for _ in 0..10 {
        store.append(&sample.open(25)).await.unwrap();
        store.append(&sample.work(70)).await.unwrap();
        for _ in 0..30 {
            store.append(&sample.work(1)).await.unwrap();
        }
    }
    assert_eq!(sample.seq(), 1500);
    store.close().await.unwrap();
    place
}

pub async fn audit(store: &SqliteStore) -> Result<Report, StoreError> {
    verify(store, &Trust::key(store.public_key()), true, &mut |_| {}).await
}

pub async fn assert_clean(store: &SqliteStore) {
    let report = audit(store).await.unwrap();
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The desk as a store has it, to go on from.
pub async fn resumed(store: &dyn Store, seed: u64) -> Sample {
    let head = store.head().await.unwrap();
    let at = store.event(head.seq).await.unwrap().map_or(0, |event| event.at);
    Sample::new(seed, 200).resume(head.seq, at, store.records_after(0, u32::MAX).await.unwrap())
}

pub fn size(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}
