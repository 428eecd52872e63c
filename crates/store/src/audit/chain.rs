//! The tree over what is stored, against its tiles and checkpoints.
//!
//! Two trees grow side by side. One is over the events' hashes as they are stored; the other takes, for
//! each block of 256, the tile that was kept for it. While nothing was touched they are the same. Where
//! they part, the next checkpoint says which one is right: the tiles', and events of that block were
//! rewritten together with their hashes; the events', and the tile was. Either way the wrong one is set
//! right and the audit goes on as sharp as before. Where a checkpoint agrees with neither, both were
//! rewritten, and the last checkpoint that agreed and the first that does not are the bounds.

use super::block::Block;
use super::body;
use super::problem::{Fault, Problems, moment};
use crate::ledger::{Frontier, TILE, from_hex};
use crate::{Checkpoint, Hash, Store, StoreError};

/// The height of a tile's subtree.
const HEIGHT: u32 = TILE.ilog2();

/// A block whose events and tile disagree.
struct Doubt {
    start: u64,
    /// What checkpoints within the block leave open.
    from: u64,
    to: u64,
}

pub(super) struct Chain {
    checkpoints: std::collections::VecDeque<Checkpoint>,
    /// Over the stored hashes; none after a place is missing, until a checkpoint sets it right.
    events: Option<Frontier>,
    /// Over the tiles; none where neither a tile nor all events of a block are there.
    tiles: Option<Frontier>,
    size: u64,
    /// The largest checkpoint that agreed.
    good: u64,
    /// The first after it that did not.
    bad: Option<Checkpoint>,
    doubts: Vec<Doubt>,
    /// Tiles above the first level, by either tree.
    upper: Vec<(u8, u64, Hash)>,
    /// Events that cannot be vouched for because others of their block are not where they belong.
    pub unproven: Problems,
}

impl Chain {
    pub fn new(checkpoints: Vec<Checkpoint>) -> Chain {
        let empty = Some(Frontier::default());
        let (events, tiles) = (empty.clone(), empty);
        let checkpoints = checkpoints.into();
        Chain {
            checkpoints,
            events,
            tiles,
            size: 0,
            good: 0,
            bad: None,
            doubts: Vec::new(),
            upper: Vec::new(),
            unproven: Problems::default(),
        }
    }

    /// How many places were read.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over the stored hashes, or over the tiles where places are missing.
    pub fn root(&self) -> Hash {
        self.events
            .as_ref()
            .or(self.tiles.as_ref())
            .map_or_else(|| Frontier::default().root(), Frontier::root)
    }

    /// Takes the next block in.
    pub fn take(&mut self, block: Block, problems: &mut Problems) {
        let due: Vec<Checkpoint> =
            std::iter::from_fn(|| self.checkpoints.pop_front_if(|c| c.size <= block.end())).collect();
        let leaves = self.leaves(&block, &due, problems);
        let whole: Option<Vec<Hash>> = leaves.iter().copied().collect();
        let tile = block.tile.filter(|_| block.is_full());
        let own = whole.as_ref().map(|leaves| grown(&Frontier::default(), leaves).root());
        let mut doubt = None;
        match (tile, own) {
            (Some(tile), Some(own)) if tile != own => {
                doubt = Some(Doubt { start: block.start, from: block.start + 1, to: block.end() });
            }
            (None, _) if block.is_full() => {
                let detail =
                    format!("the tree's hash over events {} to {} is gone", block.start + 1, block.end());
                problems.add(Fault::Tile, block.start + 1, String::new(), detail);
            }
            _ => {}
        }
        if whole.is_none() {
            self.unprove(block.start + 1, block.end());
        }

        let (at_start, tiles_at_start) = (self.events.clone(), self.tiles.clone());
        self.size = block.end();
        self.events = at_start.as_ref().zip(whole.as_ref()).map(|(edge, leaves)| self.grow(edge, leaves));
        self.tiles = match (tiles_at_start.as_ref(), tile, whole.as_ref()) {
            (Some(edge), Some(tile), _) => {
                let mut edge = edge.clone();
                edge.push_subtree(HEIGHT, tile, |level, no, hash| self.upper.push((level, no, hash)));
                Some(edge)
            }
            (Some(edge), None, Some(leaves)) => Some(grown(edge, leaves)),
            _ => None,
        };

        let mut doubted = false;
        for checkpoint in due {
            let full = checkpoint.size == block.end();
            let within = usize::try_from(checkpoint.size - block.start).unwrap_or(usize::MAX);
            let part: Option<Vec<Hash>> =
                leaves.get(..within).and_then(|part| part.iter().copied().collect());
            let root = from_hex::<32>(&checkpoint.root);
            let by_events = |edge: &Option<Frontier>| {
                edge.as_ref().zip(part.as_ref()).map(|(edge, part)| grown(edge, part))
            };
            let events = by_events(&at_start).filter(|edge| Some(edge.root()) == root);
            let mixed = by_events(&tiles_at_start).filter(|edge| Some(edge.root()) == root);
            let tiles = self.tiles.clone().filter(|edge| full && Some(edge.root()) == root);
            if full && let Some(doubt) = doubt.take() {
                self.doubts.push(doubt);
                doubted = true;
            }
            if events.is_none() && mixed.is_none() && tiles.is_none() {
                if let Some(doubt) = doubt.as_mut().or_else(|| self.doubts.last_mut().filter(|_| doubted)) {
                    doubt.to = doubt.to.min(checkpoint.size);
                }
                self.bad.get_or_insert(checkpoint);
                continue;
            }
            // The tiles of earlier blocks were right where the events of earlier blocks do not agree.
            let by_tiles = events.is_none();
            let last_by_tiles = by_tiles && (!full || mixed.is_none());
            self.settle(by_tiles, last_by_tiles.then_some(block.start), block.start, problems);
            self.good = checkpoint.size;
            self.bad = None;
            if let Some(doubt) = &mut doubt {
                doubt.from = doubt.from.max(checkpoint.size + 1);
            }
            if full {
                let right = events.or(mixed).or(tiles);
                (self.events, self.tiles) = (right.clone(), right);
            } else if by_tiles {
                self.events =
                    tiles_at_start.as_ref().zip(whole.as_ref()).map(|(edge, leaves)| grown(edge, leaves));
            }
        }
        self.doubts.extend(doubt);
    }

    /// The hash of each place that the tree is built over. An event whose body does not give the hash
    /// that was kept is named; which of the two was changed is said by what is above them.
    fn leaves(&self, block: &Block, due: &[Checkpoint], problems: &mut Problems) -> Vec<Option<Hash>> {
        let kept: Vec<_> = block.places.iter().map(|p| p.as_ref().map(|(event, _)| event.leaf)).collect();
        let made: Vec<_> = block.places.iter().map(|p| p.as_ref().map(|(_, hash)| *hash)).collect();
        if kept == made {
            return kept;
        }
        let vouched = |leaves: &[Option<Hash>]| {
            let Some(whole) = leaves.iter().copied().collect::<Option<Vec<Hash>>>() else { return false };
            let tile = block.tile.filter(|_| block.is_full());
            if tile.is_some_and(|tile| grown(&Frontier::default(), &whole).root() == tile) {
                return true;
            }
            let last = due.last().filter(|c| c.size == block.end()).and_then(|c| from_hex::<32>(&c.root));
            let edges = [&self.events, &self.tiles];
            edges.into_iter().flatten().any(|edge| Some(grown(edge, &whole).root()) == last)
        };
        let (by_kept, by_made) = (vouched(&kept), vouched(&made));
        let only_hash = by_made && !by_kept;
        for (seq, place) in block.slots() {
            let Some((event, hash)) = place.filter(|(event, hash)| event.leaf != *hash) else { continue };
            let _ = hash;
            let detail = match (only_hash, by_kept) {
                (true, _) => String::new(),
                (false, true) => {
                    "what it holds does not give its hash, and the tree vouches for the hash".to_owned()
                }
                (false, false) => "what it holds does not give the hash that was kept for it".to_owned(),
            };
            let fault = if only_hash { Fault::Leaf } else { Fault::Changed };
            problems.add(fault, seq, body::label(&event.body), detail);
        }
        if only_hash { made } else { kept }
    }

    fn grow(&mut self, edge: &Frontier, leaves: &[Hash]) -> Frontier {
        let mut edge = edge.clone();
        for leaf in leaves {
            edge.push(*leaf, |level, no, hash| {
                if level > 1 {
                    self.upper.push((level, no, hash));
                }
            });
        }
        edge
    }

    /// A checkpoint agreed: says what was wrong in the blocks since the last one that did.
    fn settle(&mut self, by_tiles: bool, newest: Option<u64>, start: u64, problems: &mut Problems) {
        for doubt in std::mem::take(&mut self.doubts) {
            // The newest block's own tile is judged by itself: `newest` names the block where it was right.
            let by_tiles = if doubt.start == start { newest == Some(start) } else { by_tiles };
            let (from, to) = (doubt.from.min(doubt.to), doubt.to);
            if !by_tiles {
                let detail = format!(
                    "the tree's hash over events {} to {} was changed; the events are whole",
                    doubt.start + 1,
                    doubt.start + TILE
                );
                problems.add(Fault::Tile, doubt.start + 1, String::new(), detail);
            } else if problems.displaces(doubt.start + 1, doubt.start + TILE) {
                self.unprove(doubt.from.min(doubt.to), doubt.to);
            } else {
                let detail =
                    "rewritten together with the hashes kept for them; the hash over the block of 256 \
                              that was signed is another"
                        .to_owned();
                problems.add_within(Fault::Changed, from, to, detail);
            }
        }
        if let Some(bad) = self.bad.take() {
            // One checkpoint disagrees between two that agree: it is the checkpoint that lies, unless an
            // event that it would have told of is named.
            let from = self.good + 1;
            if !problems.displaces(from, bad.size) && !problems.changes(from, bad.size) {
                let detail = format!(
                    "the checkpoint over {} events of {} has another root than those around it",
                    bad.size,
                    moment(bad.at)
                );
                problems.add(Fault::Checkpoint, bad.size, String::new(), detail);
            }
        }
    }

    fn unprove(&mut self, from: u64, to: u64) {
        let detail = "another is not at its place there, and the hash over them is of all together";
        self.unproven.add_within(Fault::Unproven, from, to, detail.to_owned());
    }

    /// All was read: what no checkpoint settled.
    pub fn end(&mut self, problems: &mut Problems) {
        let from = self.good + 1;
        let bad = self.bad.take();
        let explained = bad.as_ref().is_none_or(|bad| problems.displaces(from, bad.size));
        if explained {
            for doubt in std::mem::take(&mut self.doubts) {
                if problems.displaces(doubt.start + 1, doubt.start + TILE) {
                    continue;
                }
                let detail = "the events and the tree's hash over them disagree, and no checkpoint says which of \
                              them was changed";
                problems.add_within(Fault::Changed, doubt.from, doubt.to, detail.to_owned());
            }
        }
        let Some(bad) = bad else { return };
        if explained {
            self.unprove(from, bad.size);
            return;
        }
        let agreed = match self.good {
            0 => "no earlier one agrees".to_owned(),
            good => format!("the one over {good} agrees"),
        };
        let detail = format!(
            "rewritten together with the hashes kept for them; the checkpoint over {} events of {} has another \
             root, {agreed}. Checkpoints after it can tell nothing more",
            bad.size,
            moment(bad.at)
        );
        problems.add_within(Fault::Changed, from, bad.size, detail);
    }

    /// Compares the tiles of the second level and up.
    pub async fn check_upper_tiles(
        &mut self,
        store: &dyn Store,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        let mut level = 2;
        while self.size >> (u32::from(level) * HEIGHT) > 0 {
            let wanted = self.size >> (u32::from(level) * HEIGHT);
            let stored = store.tiles(level, 0, u32::MAX).await?;
            let stored: std::collections::HashMap<u64, Hash> = stored.into_iter().collect();
            for no in 0..wanted {
                let right = |hash: &Hash| self.upper.contains(&(level, no, *hash));
                if !stored.get(&no).is_some_and(right) {
                    let leaves = TILE.pow(u32::from(level));
                    let (from, to) = (no * leaves + 1, (no + 1) * leaves);
                    let detail =
                        format!("the tree's hash over events {from} to {to} is not what is below it");
                    problems.add(Fault::Tile, from, String::new(), detail);
                }
            }
            level += 1;
        }
        Ok(())
    }
}

/// The edge after some more leaves.
fn grown(edge: &Frontier, leaves: &[Hash]) -> Frontier {
    let mut edge = edge.clone();
    for leaf in leaves {
        edge.push(*leaf, |_, _, _| {});
    }
    edge
}
