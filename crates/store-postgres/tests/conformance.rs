//! The suite that every store must pass, on a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use async_trait::async_trait;
use wardroom_store::Store;
use wardroom_store::conformance::{Bench, run};
use wardroom_store::ledger::{PublicKey, to_hex};
use wardroom_store_postgres::cluster::Cluster;
use wardroom_store_postgres::{Address, Options, PostgresStore};

struct Database<'a> {
    cluster: &'a Cluster,
    name: String,
    address: Address,
    store: PostgresStore,
    _folder: tempfile::TempDir,
}

impl Database<'_> {
    /// As the administrator who takes the triggers away.
    fn past_all_locks(&self, sql: &str) {
        let (off, on) = ("ALTER TABLE events DISABLE TRIGGER USER", "ALTER TABLE events ENABLE TRIGGER USER");
        self.cluster.sql(&self.name, &format!("{off}; {sql}; {on}"));
    }
}

#[async_trait]
impl Bench for Database<'_> {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    async fn second(&self) -> Box<dyn Store> {
        Box::new(PostgresStore::open(&self.address, &Options::default()).await.unwrap())
    }

    fn public_key(&self) -> PublicKey {
        self.store.public_key()
    }

    async fn tamper(&self, seq: u64, body: &[u8]) {
        let body = to_hex(body);
        self.past_all_locks(&format!("UPDATE events SET body = decode('{body}', 'hex') WHERE seq = {seq}"));
    }

    async fn remove(&self, seq: u64) {
        self.past_all_locks(&format!("DELETE FROM events WHERE seq = {seq}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_a_store() {
    let cluster = Cluster::start();
    run(async || {
        let folder = tempfile::tempdir().unwrap();
        let name = cluster.database();
        let address = cluster.parsed(&name, &folder.path().join("desk.key"));
        let options = Options { connections: 4, ..Options::default() };
        let store = PostgresStore::open(&address, &options).await.unwrap();
        Database { cluster: &cluster, name, address, store, _folder: folder }
    })
    .await;
}
