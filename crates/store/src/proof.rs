//! Proof of one record's events for somebody who has no store: one file that stands for itself.

use serde::{Deserialize, Serialize};
use wardroom_desk::{Event, Millis, RecordId};

use crate::fold::read;
use crate::ledger::{Nodes, PublicKey, from_hex, included, newest, root_hash, signed_by, to_hex};
use crate::{Checkpoint, Hash, Store, StoreError};

/// The form of the file. Another form gets another number.
const FORMAT: &str = "wardroom proof 1";

/// Events read at a time.
const EVENTS: u32 = 256;

#[derive(Serialize, Deserialize)]
struct ProofFile {
    format: String,
    record: RecordId,
    public_key: String,
    checkpoint: Checkpoint,
    events: Vec<ProvenEvent>,
}

#[derive(Serialize, Deserialize)]
struct ProvenEvent {
    seq: u64,
    /// The event's JSON as a text, because its bytes are what is proved.
    body: String,
    /// RFC 6962's audit path, each hash in hex.
    path: Vec<String>,
}

/// What a proof proves.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// The record.
    pub record: RecordId,
    /// Its events from the first on, without gaps. Later ones may exist.
    pub events: Vec<Event>,
    /// How many events the log held when it was signed.
    pub size: u64,
    /// When that was.
    pub at: Millis,
}

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum NoProof {
    /// It cannot be read.
    #[error("this is no proof of Wardroom's: {0}")]
    Unreadable(String),
    /// It was signed by somebody else.
    #[error("it is signed with the key {found}, not with the trusted one")]
    OtherKey {
        /// The key it names, in hex.
        found: String,
    },
    /// The checkpoint was changed.
    #[error("the checkpoint's signature is wrong: it was changed after it was signed")]
    Signature,
    /// An event is not in the log that was signed.
    #[error("event {0} is not in the log that was signed, or was changed")]
    NotIncluded(u64),
    /// An event does not belong here, or one is missing between others.
    #[error("event {seq}: {what}")]
    OutOfPlace {
        /// Which.
        seq: u64,
        /// What is wrong.
        what: String,
    },
}

/// Writes the proof for one record as JSON: its events, where they stand in the tree, the newest
/// checkpoint and the public key.
pub async fn export_proof(store: &dyn Store, no: u32, key: &PublicKey) -> Result<String, StoreError> {
    let checkpoint = newest(store).await?;
    let mut nodes = Nodes::new(store, checkpoint.size);
    let mut record = None;
    let mut events = Vec::new();
    let mut after = (no, 0);
    'pages: loop {
        let some = store.by_record(after, EVENTS).await?;
        let Some(last) = some.last() else { break };
        after = (last.record, last.seq);
        for stored in some {
            // What was appended since the checkpoint is for the next proof.
            if stored.record != no || stored.seq > checkpoint.size {
                break 'pages;
            }
            if record.is_none() {
                record = Some(read(&stored)?.record);
            }
            let path = nodes.prove(stored.seq).await?.iter().map(|hash| to_hex(hash)).collect();
            let body = String::from_utf8(stored.body);
            let body = body.map_err(|_| StoreError::Damaged(format!("event {} is no text", stored.seq)))?;
            events.push(ProvenEvent { seq: stored.seq, body, path });
        }
    }
    let record = record.ok_or_else(|| StoreError::Other(format!("there is no record {no}")))?;
    let file = ProofFile { format: FORMAT.to_owned(), record, public_key: to_hex(key), checkpoint, events };
    serde_json::to_string_pretty(&file).map_err(|e| StoreError::Other(e.to_string()))
}

/// Checks a proof without a store. `trusted` is the public key as it is known from elsewhere: the one in
/// the file proves nothing by itself.
pub fn check_proof(json: &str, trusted: &PublicKey) -> Result<Proven, NoProof> {
    let file: ProofFile = serde_json::from_str(json).map_err(|e| NoProof::Unreadable(e.to_string()))?;
    if file.format != FORMAT {
        return Err(NoProof::Unreadable(format!("its form is `{}`, not `{FORMAT}`", file.format)));
    }
    if from_hex(&file.public_key).as_ref() != Some(trusted) {
        return Err(NoProof::OtherKey { found: file.public_key });
    }
    if !signed_by(&file.checkpoint, trusted) {
        return Err(NoProof::Signature);
    }
    let root = root_hash(&file.checkpoint);
    let root = root.ok_or_else(|| NoProof::Unreadable("the root is no hash".to_owned()))?;
    let mut events: Vec<Event> = Vec::with_capacity(file.events.len());
    for proven in &file.events {
        let path: Option<Vec<Hash>> = proven.path.iter().map(|hash| from_hex(hash)).collect();
        let path = path.ok_or(NoProof::NotIncluded(proven.seq))?;
        if !included(&root, proven.seq, proven.body.as_bytes(), &path) {
            return Err(NoProof::NotIncluded(proven.seq));
        }
        let event: Event =
            serde_json::from_str(&proven.body).map_err(|e| NoProof::Unreadable(e.to_string()))?;
        let out_of_place = |what: String| NoProof::OutOfPlace { seq: proven.seq, what };
        if event.seq != proven.seq || event.record != file.record {
            return Err(out_of_place(format!("it is event {} of {}", event.seq, event.record)));
        }
        let expected = events.last().map_or(1, |before| before.version + 1);
        if event.version != expected {
            return Err(out_of_place(format!(
                "it makes version {}, but {expected} is next: one is missing",
                event.version
            )));
        }
        events.push(event);
    }
    if events.is_empty() {
        return Err(NoProof::Unreadable("it holds no event".to_owned()));
    }
    Ok(Proven { record: file.record, events, size: file.checkpoint.size, at: file.checkpoint.at })
}
