//! Reading the log in blocks of 256 events, each with the tile that stands for it.

use crate::ledger::{TILE, leaf_hash};
use crate::{Hash, Store, StoreError, StoredEvent};

/// Blocks read at a time.
const BLOCKS: u64 = 4;
/// Tiles read at a time.
const TILES: u64 = 1024;

/// What is stored at the places of one block.
pub(super) struct Block {
    /// The place before the first.
    pub start: u64,
    /// An event for each place up to the log's end, where there is one, with the hash of its body.
    pub places: Vec<Option<(StoredEvent, Hash)>>,
    /// The hash kept for the whole block.
    pub tile: Option<Hash>,
}

impl Block {
    /// Places with what stands there.
    pub fn slots(&self) -> impl Iterator<Item = (u64, Option<&(StoredEvent, Hash)>)> {
        (self.start + 1..).zip(self.places.iter().map(Option::as_ref))
    }

    /// The block is as long as a tile.
    pub fn is_full(&self) -> bool {
        self.places.len() as u64 == TILE
    }

    /// The last place.
    pub fn end(&self) -> u64 {
        self.start + self.places.len() as u64
    }
}

/// Gives the blocks of a log one after the other.
pub(super) struct Reader<'a> {
    store: &'a dyn Store,
    end: u64,
    start: u64,
    read: u64,
    events: u64,
    ahead: std::collections::VecDeque<StoredEvent>,
    tiles: std::collections::HashMap<u64, Hash>,
}

impl<'a> Reader<'a> {
    pub fn new(store: &'a dyn Store, end: u64) -> Self {
        let (ahead, tiles) = Default::default();
        Reader { store, end, start: 0, read: 0, events: 0, ahead, tiles }
    }

    /// How many events were there.
    pub fn events(&self) -> u64 {
        self.events
    }

    pub async fn next(&mut self) -> Result<Option<Block>, StoreError> {
        if self.start >= self.end {
            return Ok(None);
        }
        let end = (self.start + TILE).min(self.end);
        self.fill(end).await?;
        let number = self.start / TILE;
        if number.is_multiple_of(TILES) {
            self.tiles = self.store.tiles(1, number, TILES as u32).await?.into_iter().collect();
        }
        let mut places: Vec<_> = (self.start..end).map(|_| None).collect();
        while let Some(event) = self.ahead.pop_front_if(|event| event.seq <= end) {
            let Some(place) = event.seq.checked_sub(self.start + 1) else { continue };
            let hash = leaf_hash(&event.body);
            if let Some(slot) = usize::try_from(place).ok().and_then(|place| places.get_mut(place)) {
                *slot = Some((event, hash));
                self.events += 1;
            }
        }
        let block = Block { start: self.start, places, tile: self.tiles.get(&number).copied() };
        self.start = end;
        Ok(Some(block))
    }

    /// Reads on until what is ahead reaches beyond `end`, or the log does not.
    async fn fill(&mut self, end: u64) -> Result<(), StoreError> {
        while self.read < end {
            let events = self.store.stored(self.read, (TILE * BLOCKS) as u32).await?;
            self.read = events.last().map_or(u64::MAX, |event| event.seq);
            self.ahead.extend(events);
        }
        Ok(())
    }
}
