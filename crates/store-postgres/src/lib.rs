//! The store that several servers share: one PostgreSQL database.
//!
//! Appends take turns on one row of the database, whichever server they come from, so that the tree has
//! one right edge and no second one. Each is one transaction that is on the disk when it returns. Every
//! server that appends signs with the same key, which lies in a file and never in the database.
//!
//! This crate decides nothing and knows no kind; it must never hand out an event in other bytes than
//! those that were hashed, and never show a password.

mod address;
#[cfg(feature = "cluster")]
pub mod cluster;
mod failure;
mod grown;
mod open;
mod rows;
mod schema;
mod store;
mod write;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Mutex;
use wardroom_store::ledger::{PublicKey, Signer};

pub use address::{Address, BadAddress};
pub use open::Options;

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    pool: PgPool,
    public_key: PublicKey,
    signer: Option<Signer>,
    /// Held while something is appended: of one server one connection waits for its turn, and not all.
    writing: Mutex<()>,
    /// The connection that hears of what others append, once somebody has asked.
    listener: Mutex<Option<PgListener>>,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The pool would tell how it connects.
        f.debug_struct("PostgresStore").field("signer", &self.signer).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// What this store's checkpoints are checked with. It stands beside the events: who can change the
    /// database can change it too, so an auditor keeps it elsewhere.
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// Ends the connections. What was appended is safe without it too.
    pub async fn close(self) {
        self.pool.close().await;
    }
}
