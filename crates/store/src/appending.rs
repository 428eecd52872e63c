//! What every database does with an append before it writes rows.

use wardroom_desk::Record;

use crate::ledger::{Frontier, leaf_hash};
use crate::{Append, Hash, Head, StoreError};

/// The events of an append as they are stored, hashed: half of the work, done before anybody waits for the log.
#[derive(Debug)]
pub struct Prepared<'a> {
    append: &'a Append,
    bodies: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
}

/// What an append adds to a log that ends where it begins.
#[derive(Debug)]
pub struct Added {
    /// Events: place, record, batch, leaf, body.
    pub events: Vec<(u64, u32, u64, Hash, Vec<u8>)>,
    /// Tiles of the tree that are full now: level, place and hash.
    pub tiles: Vec<(u8, u64, Hash)>,
    /// How far the log goes afterwards.
    pub head: Head,
}

impl<'a> Prepared<'a> {
    /// Checks an append, and makes the bodies and hashes of its events.
    pub fn of(append: &'a Append) -> Result<Prepared<'a>, StoreError> {
        append.check()?;
        let bodies = append.events.iter().map(body).collect::<Result<Vec<_>, _>>()?;
        let leaves = bodies.iter().map(|body| leaf_hash(body)).collect();
        Ok(Prepared { append, bodies, leaves })
    }

    /// The hash of the last event.
    pub fn last_leaf(&self) -> Option<Hash> {
        self.leaves.last().copied()
    }

    /// Lets the tree grow by it. [`StoreError::Behind`] where it does not follow the last event.
    pub fn add(self, before: Head, frontier: &mut Frontier) -> Result<Added, StoreError> {
        let Append { events, records, .. } = self.append;
        if events.iter().zip(before.seq + 1..).any(|(event, seq)| event.seq != seq) {
            return Err(StoreError::Behind(before.seq));
        }
        let mut tiles = Vec::new();
        for leaf in &self.leaves {
            frontier.push(*leaf, |level, no, hash| tiles.push((level, no, hash)));
        }
        let rows = events.iter().zip(self.bodies).zip(self.leaves);
        let no = records.iter().map(|record| record.id.no).max().unwrap_or_default();
        Ok(Added {
            events: rows.map(|((e, body), leaf)| (e.seq, e.record.no, e.batch, leaf, body)).collect(),
            tiles,
            head: Head { seq: frontier.size(), no: before.no.max(no) },
        })
    }
}

impl Frontier {
    /// Refuses to go on where the tree is not as long as the log.
    pub fn check(&self, head: Head) -> Result<(), StoreError> {
        let size = self.size();
        if size == head.seq {
            return Ok(());
        }
        Err(StoreError::Damaged(format!("the log ends at {}, its tree at {size}: run the audit", head.seq)))
    }
}

/// Records as they are stored, by number.
pub fn bodies(records: &[Record]) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
    records.iter().map(|record| Ok((record.id.no, body(record)?))).collect()
}

fn body(value: &impl serde::Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|e| StoreError::Other(format!("cannot be written as JSON: {e}")))
}

/// A number as databases have it. Places in the log stay far below 2^63.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A database's number as a place in the log; none is written negative.
pub fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number)
        .map_err(|_| StoreError::Damaged(format!("{number} stands where a place in the log must")))
}

/// A database's number as that of a record.
pub fn record_number(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Damaged(format!("{number} stands where a record must")))
}
