//! The embedded store: one SQLite file.
//!
//! One connection writes, a few read; nothing waits for a writer but another writer. Every append is one
//! transaction that is on the disk when it returns. Other processes may open the same file: a second
//! writer is told that the log has grown and decides anew, it can never overwrite.
//!
//! This crate decides nothing and knows no kind; it must never hand out an event in other bytes than
//! those that were hashed.

mod backup;
mod failure;
mod open;
mod rows;
mod schema;
mod store;
mod write;

use std::path::PathBuf;

use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::Mutex;
use wardroom_store::ledger::{PublicKey, Signer};

pub use backup::{Copied, restore, verify_copy};
pub use open::Options;
pub use wardroom_store::key::key_path;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    options: Options,
    public_key: PublicKey,
    signer: Option<Signer>,
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
}

impl SqliteStore {
    /// What this store's checkpoints are checked with. It lies beside the events: who can change the
    /// file can change it too, so an auditor keeps it elsewhere.
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }
}
