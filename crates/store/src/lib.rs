//! What a store of events must do, and the Merkle tree over them.
//!
//! A store keeps events for ever and in order, beside them the records they add up to (a projection
//! that can be built again), the index of what engines find records by, files by their digest, and
//! small documents that are no history (sessions, credentials, saved views). It decides nothing.

mod appending;
pub mod audit;
mod carry;
#[cfg(feature = "conformance")]
pub mod conformance;
mod fold;
pub mod key;
pub mod ledger;
mod proof;

pub use appending::{Added, Prepared, bodies, record_number, signed, unsigned};
pub use carry::{Carried, Carrier};
pub use fold::{Folding, fold_one, rebuild};
pub use proof::{NoProof, Proven, check_proof, export_proof};

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use wardroom_desk::{Event, Millis, Record};

/// A store of events.
#[async_trait]
pub trait Store: Send + Sync {
    /// Appends events, which must follow the last one without a gap, and replaces the records they
    /// belong to; all of it or nothing. The tree grows and a checkpoint is signed in the same go.
    async fn append(&self, append: &Append) -> Result<Head, StoreError>;

    /// How far the log goes.
    async fn head(&self) -> Result<Head, StoreError>;
    /// Events after a place, in order, at most `limit`.
    async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, StoreError>;
    /// One event.
    async fn event(&self, seq: u64) -> Result<Option<Event>, StoreError>;
    /// The events of a record after a place, in order, at most `limit`.
    async fn timeline(&self, record: u32, after: u64, limit: u32) -> Result<Vec<Event>, StoreError>;
    /// The events of one batch, in order.
    async fn batch(&self, batch: u64) -> Result<Vec<Event>, StoreError>;

    /// One record, by its number.
    async fn record(&self, no: u32) -> Result<Option<Record>, StoreError>;
    /// Several, in the order asked for; those that are not there are left out.
    async fn records(&self, nos: &[u32]) -> Result<Vec<Record>, StoreError>;
    /// Records with a number above `after`, in order, at most `limit`.
    async fn records_after(&self, after: u32, limit: u32) -> Result<Vec<Record>, StoreError>;
    /// The records with these keys in a scope: key and number. See [`Record::keys`].
    async fn find(&self, scope: &str, keys: &[String]) -> Result<Vec<(String, u32)>, StoreError>;
    /// Every key in a scope, with the record's number.
    async fn scope(&self, scope: &str) -> Result<Vec<(String, u32)>, StoreError>;
    /// Scopes that begin with a text.
    async fn scopes(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
    /// Throws the projections away and puts others in their place, all or nothing, and only where the
    /// log still ends at `head`: nothing is appended while the new ones are read from `source`.
    async fn replace_records(&self, head: u64, source: &mut dyn RecordSource) -> Result<(), StoreError>;
    /// Events as they are stored, ordered by the index columns record and place, after a pair of these,
    /// at most `limit`: what folds all records in one pass without holding them.
    async fn by_record(&self, after: (u32, u64), limit: u32) -> Result<Vec<StoredEvent>, StoreError>;

    /// Keeps a file under its SHA-256 in hex. Keeping the same again changes nothing.
    async fn put_file(&self, digest: &str, bytes: &[u8]) -> Result<(), StoreError>;
    /// A file.
    async fn file(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps a document until `expires`, in the place of an earlier one with its key.
    async fn put(&self, document: &Document) -> Result<(), StoreError>;
    /// Keeps a document only where there is none with its key, or one that has expired at `now`; whether it
    /// did.
    async fn put_new(&self, document: &Document, now: Millis) -> Result<bool, StoreError>;
    /// A document that has not expired at `now`.
    async fn get(&self, collection: &str, key: &str, now: Millis) -> Result<Option<Document>, StoreError>;
    /// Every document of a collection whose owner this is (or all), that has not expired, by key.
    async fn list(
        &self,
        collection: &str,
        owner: Option<&str>,
        now: Millis,
    ) -> Result<Vec<Document>, StoreError>;
    /// Removes a document; whether there was one.
    async fn remove(&self, collection: &str, key: &str) -> Result<bool, StoreError>;
    /// Removes what has expired at `now`; how many.
    async fn sweep(&self, now: Millis) -> Result<u64, StoreError>;

    /// What an auditor needs: the events as they are stored, with their leaf hashes.
    async fn stored(&self, after: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError>;
    /// Hashes of the tree's tiles: level (1 for 256 leaves, 2 for 65,536 …), from an index on. Level 0
    /// is the leaves themselves, event 1 at index 0.
    async fn tiles(&self, level: u8, from: u64, limit: u32) -> Result<Vec<(u64, Hash)>, StoreError>;
    /// Signed checkpoints, oldest first.
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError>;
    /// The newest of them.
    async fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError>;

    /// Waits until the log ends behind a place, whoever appended, and says where it ends then. What is lost
    /// on the way (a connection, a notice) makes it late or an error, never silent for ever. One at a time
    /// waits.
    async fn grown(&self, after: u64) -> Result<u64, StoreError>;

    /// Documents of all collections after a collection and key, by these, at most `limit`; also those that
    /// have expired.
    async fn documents(&self, collection: &str, key: &str, limit: u32) -> Result<Vec<Document>, StoreError>;
    /// Digests of files after one, in order, at most `limit`.
    async fn digests(&self, after: &str, limit: u32) -> Result<Vec<String>, StoreError>;
    /// Fills a store without events with all that another holds, all or nothing: events in the bytes they
    /// have, checkpoints as they were signed, records, documents and files. Where this store signs with
    /// another key, it adds a checkpoint of its own. Nothing may be appended to the other one meanwhile.
    async fn take_over(&self, source: &dyn Store) -> Result<Head, StoreError>;

    /// Writes a whole, consistent copy while the store is in use.
    async fn backup(&self, to: &std::path::Path) -> Result<(), StoreError>;
    /// Brings what lies beside the store's main file into it, as at the end of a program that is done with
    /// it. What was appended is safe without it.
    async fn tidy(&self) -> Result<(), StoreError>;
    /// Size on disk in bytes, and other figures for the administration page: name and value.
    async fn figures(&self) -> Result<Vec<(String, String)>, StoreError>;
}

/// Gives records in batches.
#[async_trait]
pub trait RecordSource: Send {
    /// The next batch; none where all have been given. An error leaves everything as it was.
    async fn next(&mut self) -> Result<Option<Vec<Record>>, StoreError>;
}

/// How far a long job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is done, in events.
    pub done: u64,
    /// Of how many.
    pub of: u64,
}

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// What is appended in one go.
#[derive(Clone, Debug, Default)]
pub struct Append {
    /// Events, numbered on from the head.
    pub events: Vec<Event>,
    /// The records as they are after the events: each record that has an event among them.
    pub records: Vec<Record>,
    /// Documents that belong to it, so that they are kept or lost together.
    pub documents: Vec<Document>,
    /// When, for the checkpoint.
    pub at: Millis,
}

impl Append {
    /// Every record that an event is on must come along as it is after the event: else the projection
    /// would fall behind the log without a trace. Every store asks this before it writes.
    pub fn check(&self) -> Result<(), StoreError> {
        let last: BTreeMap<u32, u32> = self.events.iter().map(|e| (e.record.no, e.version)).collect();
        let records: BTreeMap<u32, u32> = self.records.iter().map(|r| (r.id.no, r.version)).collect();
        for (no, version) in &last {
            match records.get(no) {
                Some(given) if given == version => {}
                Some(given) => {
                    return Err(StoreError::Other(format!(
                        "record {no} is given at version {given}, but its last event makes version {version}"
                    )));
                }
                None => return Err(StoreError::Other(format!("record {no} has an event but is not given"))),
            }
        }
        match records.keys().find(|no| !last.contains_key(no)) {
            Some(no) => Err(StoreError::Other(format!("record {no} is given but has no event"))),
            None => Ok(()),
        }
    }
}

/// How far the log goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Number of the last event; 0 for an empty log.
    pub seq: u64,
    /// Highest number of a record.
    pub no: u32,
}

/// A small thing that is no history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// `session`, `token`, `view` …
    pub collection: String,
    /// Unique within it.
    pub key: String,
    /// Whose it is, where it is somebody's.
    pub owner: Option<String>,
    /// JSON.
    pub body: serde_json::Value,
    /// When it is as good as gone.
    pub expires: Option<Millis>,
}

/// An event as it is stored: what an auditor hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place.
    pub seq: u64,
    /// The record's number in the index column.
    pub record: u32,
    /// The bytes that were hashed: the event as JSON.
    pub body: Vec<u8>,
    /// The hash that was kept.
    pub leaf: Hash,
}

/// A signed statement of what the log held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// How many events.
    pub size: u64,
    /// Root of the tree over them, in hex.
    pub root: String,
    /// When.
    pub at: Millis,
    /// Ed25519 over origin, size, root and time, in hex.
    pub signature: String,
}

/// Why a store could not.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else appended first: look again and decide anew.
    #[error("the log has grown in the meantime: it ends at {0}")]
    Behind(u64),
    /// The disk is full, the file cannot be written.
    #[error("the store cannot be written: {0}")]
    Unwritable(String),
    /// The database does not answer, or another server holds it for too long: try again later.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// What is stored cannot be read as what it should be.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The store was made by a newer version.
    #[error("the store has schema version {found}; this program knows up to {known}: use a newer one")]
    TooNew {
        /// The store's.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}
