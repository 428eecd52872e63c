//! The suite that every store must pass, on a file.
#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::path::PathBuf;

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};
use wardroom_store::Store;
use wardroom_store::conformance::{Bench, run};
use wardroom_store::ledger::PublicKey;
use wardroom_store_sqlite::{Options, SqliteStore};

struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
    store: SqliteStore,
}

impl File {
    async fn raw(&self) -> SqliteConnection {
        let url = format!("sqlite://{}", self.path.display());
        let mut raw = SqliteConnection::connect(&url).await.unwrap();
        let drop = "DROP TRIGGER IF EXISTS events_never_change; DROP TRIGGER IF EXISTS events_never_go";
        sqlx::raw_sql(drop).execute(&mut raw).await.unwrap();
        raw
    }
}

#[async_trait]
impl Bench for File {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    async fn second(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(&self.path, &Options::default()).await.unwrap())
    }

    fn public_key(&self) -> PublicKey {
        self.store.public_key()
    }

    async fn tamper(&self, seq: u64, body: &[u8]) {
        let sql = sqlx::query("UPDATE events SET body = ? WHERE seq = ?").bind(body.to_vec());
        let done = sql.bind(i64::try_from(seq).unwrap()).execute(&mut self.raw().await).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn remove(&self, seq: u64) {
        let sql = sqlx::query("DELETE FROM events WHERE seq = ?").bind(i64::try_from(seq).unwrap());
        assert_eq!(sql.execute(&mut self.raw().await).await.unwrap().rows_affected(), 1);
    }
}

#[tokio::test]
async fn the_file_store_is_a_store() {
    run(async || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        let store = SqliteStore::create(&path, &Options::default()).await.unwrap();
        File { _folder: folder, path, store }
    })
    .await;
}
