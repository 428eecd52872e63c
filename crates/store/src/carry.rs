//! Reading all that a store holds, to put it into another one.

use wardroom_desk::Record;

use crate::fold::read;
use crate::ledger::{Frontier, Signer, leaf_hash, signed_by, to_hex};
use crate::{Checkpoint, Document, Hash, Head, Store, StoreError, StoredEvent};

/// Events read at a time.
const EVENTS: u32 = 1_024;
/// Records and documents read at a time.
const RECORDS: u32 = 512;

/// Some events on their way, with the hashes of the tree that they complete.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// The events as they are stored, each with the batch it belongs to.
    pub events: Vec<(StoredEvent, u64)>,
    /// Level, index and hash of each tile that became whole.
    pub tiles: Vec<(u8, u64, Hash)>,
}

/// Reads a store from its first event to where it ended when this was made. The tree is built anew from the
/// bytes that are read: what does not give the root that was signed is not carried.
pub struct Carrier<'a> {
    store: &'a dyn Store,
    head: Head,
    frontier: Frontier,
    record: u32,
    document: (String, String),
    file: String,
    checkpoints: Vec<Checkpoint>,
}

impl<'a> Carrier<'a> {
    /// Over a store in which nothing is written meanwhile.
    pub async fn new(store: &'a dyn Store) -> Result<Carrier<'a>, StoreError> {
        let (head, checkpoints) = (store.head().await?, store.checkpoints().await?);
        let document = (String::new(), String::new());
        let (frontier, file) = (Frontier::default(), String::new());
        Ok(Carrier { store, head, frontier, record: 0, document, file, checkpoints })
    }

    /// The next events; none where all have come.
    pub async fn events(&mut self) -> Result<Option<Carried>, StoreError> {
        let mut carried = Carried::default();
        for stored in self.store.stored(self.frontier.size(), EVENTS).await? {
            if stored.seq > self.head.seq {
                break;
            }
            let leaf = leaf_hash(&stored.body);
            if stored.seq != self.frontier.size() + 1 || leaf != stored.leaf {
                let seq = self.frontier.size() + 1;
                return Err(StoreError::Damaged(format!("event {seq} is not what it was: run the audit")));
            }
            let batch = read(&stored)?.batch;
            self.frontier.push(leaf, |level, no, hash| carried.tiles.push((level, no, hash)));
            carried.events.push((stored, batch));
        }
        Ok((!carried.events.is_empty()).then_some(carried))
    }

    /// The next records; none where all have come.
    pub async fn records(&mut self) -> Result<Option<Vec<Record>>, StoreError> {
        let records = self.store.records_after(self.record, RECORDS).await?;
        self.record = records.last().map_or(self.record, |record| record.id.no);
        Ok((!records.is_empty()).then_some(records))
    }

    /// The next documents; none where all have come.
    pub async fn documents(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        let (collection, key) = &self.document;
        let documents = self.store.documents(collection, key, RECORDS).await?;
        let Some(last) = documents.last() else { return Ok(None) };
        self.document = (last.collection.clone(), last.key.clone());
        Ok(Some(documents))
    }

    /// The next file with its digest; none where all have come.
    pub async fn file(&mut self) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let Some(digest) = self.store.digests(&self.file, 1).await?.pop() else { return Ok(None) };
        let bytes = self.store.file(&digest).await?;
        let bytes = bytes.ok_or_else(|| StoreError::Damaged(format!("file {digest} is not there")))?;
        self.file.clone_from(&digest);
        Ok(Some((digest, bytes)))
    }

    /// After everything else: the edge of the tree, and the checkpoints to keep. Where the newest was signed
    /// with another key than `signer`'s, one of its own is added, so that it vouches for what came.
    pub async fn end(self, signer: Option<&Signer>) -> Result<(Frontier, Vec<Checkpoint>), StoreError> {
        let mut checkpoints = self.checkpoints;
        if self.store.head().await? != self.head {
            return Err(StoreError::Other(
                "the store has grown while it was read: stop the servers that write to it, and begin again"
                    .to_owned(),
            ));
        }
        match checkpoints.last() {
            None if self.head.seq == 0 => {}
            Some(last) if last.size == self.frontier.size() && last.root == to_hex(&self.frontier.root()) => {
                if let Some(signer) = signer.filter(|signer| !signed_by(last, &signer.public_key())) {
                    let own = signer.sign(&self.frontier, last.at);
                    checkpoints.push(own);
                }
            }
            _ => {
                return Err(StoreError::Damaged(
                    "its events do not give the root that was signed last: run the audit".to_owned(),
                ));
            }
        }
        Ok((self.frontier, checkpoints))
    }
}
