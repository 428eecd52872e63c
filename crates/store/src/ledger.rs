//! The Merkle tree over the events (RFC 6962), and the checkpoints that are signed over its root.
//!
//! A leaf is the hash of an event exactly as it is stored. Of the tree a store keeps the right edge
//! ([`Frontier`]), which is all that growing needs, and a hash for every 256 leaves, every 65,536 and
//! so on (tiles), so that the proof for any event reads a handful of short rows and not the log.

use std::collections::HashMap;

use ct_merkle::{InclusionProof, RootHash, indices_for_consistency_proof, indices_for_inclusion_proof};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use wardroom_desk::Millis;

use crate::{Checkpoint, Hash, Store, StoreError};

/// How many hashes of one level a tile stands for. It is a power of two so that a tile is a subtree,
/// and 256 so that one read of that many hashes (8 KiB) gives a whole step of eight levels.
pub const TILE: u64 = 256;

/// The first line of what is signed: no other text that the key may ever sign begins so.
pub const ORIGIN: &str = "wardroom log v1";

/// The hash of an event's stored bytes in the tree.
pub fn leaf_hash(body: &[u8]) -> Hash {
    // The prefixes of leaf and node are RFC 6962's: without them a node could be passed off as an event.
    Sha256::new_with_prefix([0]).chain_update(body).finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// SHA-256 in hex: what files are kept under.
pub fn digest(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hex.
pub fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes from hex; none where it is not hex of just so many bytes.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

/// Checkpoints older than this many blocks of [`BLOCK`] events are thinned to the last of each block.
///
/// Every append signs one, and a log of five million events would keep as many. Which tail was
/// rewritten is found from the newest one alone, as it covers all events; older ones only tell how far
/// back the log was still whole, and for that one in each thousand events is enough. Thinning goes by
/// events and not by time, so that it never depends on a clock.
const KEPT_BLOCKS: i64 = 4;
const BLOCK: i64 = 1024;

/// The checkpoints of which only the last of each block is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thin {
    /// Those with a size above this one …
    pub after: i64,
    /// … up to this one.
    pub to: i64,
    /// Events of a block: sizes 1 to this are the first.
    pub block: i64,
}

/// What is to be thinned out where a checkpoint of `size` follows one of `before` events.
pub fn thinned(before: i64, size: i64) -> Option<Thin> {
    let (from, to) = ((before - 1) / BLOCK - KEPT_BLOCKS, (size - 1) / BLOCK - KEPT_BLOCKS);
    (from < to).then_some(Thin { after: from * BLOCK, to: to * BLOCK, block: BLOCK })
}

/// The right edge of the tree: the roots of the complete subtrees it is made of, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge of a tree of this size from its peaks, as [`Frontier::to_bytes`] gave them; none
    /// where they do not fit the size.
    pub fn from_bytes(size: u64, peaks: &[u8]) -> Option<Frontier> {
        if peaks.len() != size.count_ones() as usize * size_of::<Hash>() {
            return None;
        }
        let peaks = peaks.chunks_exact(size_of::<Hash>()).map(|p| p.try_into()).collect::<Result<_, _>>();
        Some(Frontier { size, peaks: peaks.ok()? })
    }

    /// The peaks one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf. A tile that it completes is handed out: level, index, hash.
    pub fn push(&mut self, leaf: Hash, tile: impl FnMut(u8, u64, Hash)) {
        self.push_subtree(0, leaf, tile);
    }

    /// Adds a complete subtree of 2^height leaves. The size must be a multiple of that.
    pub(crate) fn push_subtree(&mut self, height: u32, hash: Hash, mut tile: impl FnMut(u8, u64, Hash)) {
        debug_assert!(self.size.is_multiple_of(1 << height), "subtrees stand at multiples of their size");
        let mut hash = hash;
        let mut at = height;
        // Every one bit of the size from this height on is a peak that now has its right sibling.
        while (self.size >> at) & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
            at += 1;
            if at.is_multiple_of(TILE.ilog2()) {
                let level = u8::try_from(at / TILE.ilog2()).unwrap_or(u8::MAX);
                tile(level, self.size >> at, hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1 << height;
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Sha256::digest([]).into() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The key that checkpoints are signed with.
pub struct Signer(SigningKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the secret half.
        write!(f, "Signer({})", to_hex(&self.public_key()))
    }
}

/// The public half of the key that checkpoints are signed with: Ed25519.
pub type PublicKey = [u8; 32];

impl Signer {
    /// From 32 random bytes.
    pub fn new(secret: &[u8; 32]) -> Signer {
        Signer(SigningKey::from_bytes(secret))
    }

    /// What its signatures are checked with.
    pub fn public_key(&self) -> PublicKey {
        self.0.verifying_key().to_bytes()
    }

    /// Signs what the log holds at this moment.
    pub fn sign(&self, frontier: &Frontier, at: Millis) -> Checkpoint {
        let mut checkpoint = Checkpoint {
            size: frontier.size(),
            root: to_hex(&frontier.root()),
            at,
            signature: String::new(),
        };
        checkpoint.signature = to_hex(&self.0.sign(note(&checkpoint).as_bytes()).to_bytes());
        checkpoint
    }
}

/// The text that is signed: four lines, so that it can be rebuilt and checked with any tool.
pub fn note(checkpoint: &Checkpoint) -> String {
    format!("{ORIGIN}\n{}\n{}\n{}\n", checkpoint.size, checkpoint.root, checkpoint.at)
}

/// Whether a checkpoint was signed with this key.
pub fn signed_by(checkpoint: &Checkpoint, key: &PublicKey) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(key) else { return false };
    let Some(signature) = from_hex(&checkpoint.signature) else { return false };
    // Strict: a key of small order, under which anything can be signed, is refused.
    key.verify_strict(note(checkpoint).as_bytes(), &Signature::from_bytes(&signature)).is_ok()
}

/// The root of a checkpoint as `ct-merkle` has it; none where it is no hash.
pub fn root_hash(checkpoint: &Checkpoint) -> Option<RootHash<Sha256>> {
    Some(RootHash::new(from_hex::<32>(&checkpoint.root)?.into(), checkpoint.size))
}

/// Whether the proof shows that `body` is event `seq` of the log that the root stands for.
pub fn included(root: &RootHash<Sha256>, seq: u64, body: &[u8], proof: &[Hash]) -> bool {
    let Some(index) = seq.checked_sub(1) else { return false };
    let digests: Vec<_> = proof.iter().map(|hash| (*hash).into()).collect();
    root.verify_inclusion(&body, index, &InclusionProof::from_digests(&digests)).is_ok()
}

/// Reads nodes of a store's tree as it was at one size, and keeps the tiles it has read.
pub struct Nodes<'a> {
    store: &'a dyn Store,
    size: u64,
    pages: HashMap<(u8, u64), Vec<Hash>>,
}

/// Tiles kept in memory: 512 of 8 KiB.
const PAGES: usize = 512;

impl<'a> Nodes<'a> {
    /// The tree over the first `size` events.
    pub fn new(store: &'a dyn Store, size: u64) -> Nodes<'a> {
        Nodes { store, size, pages: HashMap::new() }
    }

    /// The proof that event `seq` is among the first `size`: the hashes of RFC 6962's audit path.
    pub async fn prove(&mut self, seq: u64) -> Result<Vec<Hash>, StoreError> {
        if seq == 0 || seq > self.size {
            return Err(StoreError::Other(format!("the log has no event {seq}: it holds {}", self.size)));
        }
        self.read(&indices_for_inclusion_proof(self.size, seq - 1)).await
    }

    /// The proof that the log of `size` events goes on from the one of `old` events.
    pub async fn prove_consistency(&mut self, old: u64) -> Result<Vec<Hash>, StoreError> {
        if old == 0 || old > self.size {
            return Err(StoreError::Other(format!(
                "no log of {old} events came before one of {}",
                self.size
            )));
        }
        self.read(&indices_for_consistency_proof(old, self.size - old)).await
    }

    /// Nodes by their index in `ct-merkle`'s array: the level is the number of ones at its end, what
    /// is above them counts the nodes of that level.
    async fn read(&mut self, indices: &[u64]) -> Result<Vec<Hash>, StoreError> {
        let mut hashes = Vec::with_capacity(indices.len());
        for index in indices {
            let level = index.trailing_ones();
            let start = (index >> (level + 1)) << level;
            hashes.push(self.range(start, (start + (1 << level)).min(self.size)).await?);
        }
        Ok(hashes)
    }

    /// The hash over leaves from `start` up to `end`, which is what is left of a complete subtree
    /// where the log ends within it.
    async fn range(&mut self, start: u64, end: u64) -> Result<Hash, StoreError> {
        let mut frontier = Frontier::default();
        let mut at = start;
        while at < end {
            let height = (end - at).ilog2();
            let hash = self.subtree(height, at >> height).await?;
            frontier.push_subtree(height, hash, |_, _, _| {});
            at += 1 << height;
        }
        Ok(frontier.root())
    }

    /// The hash of the complete subtree of 2^height leaves with this index among its like.
    async fn subtree(&mut self, height: u32, index: u64) -> Result<Hash, StoreError> {
        let step = TILE.ilog2();
        let level = u8::try_from(height / step).map_err(|_| missing(height, index))?;
        let first = index << (height % step);
        let page = self.page(level, first / TILE).await?;
        let from = usize::try_from(first % TILE).map_err(|_| missing(height, index))?;
        let hashes = page.get(from..from + (1 << (height % step))).ok_or_else(|| missing(height, index))?;
        let mut frontier = Frontier::default();
        for hash in hashes {
            frontier.push(*hash, |_, _, _| {});
        }
        Ok(frontier.root())
    }

    /// The hashes of one level that one tile of the next stands for, or as many of them as there are.
    async fn page(&mut self, level: u8, no: u64) -> Result<&[Hash], StoreError> {
        if !self.pages.contains_key(&(level, no)) {
            if self.pages.len() >= PAGES {
                self.pages.clear();
            }
            let read = self.store.tiles(level, no * TILE, TILE as u32).await?;
            let gapless = read.iter().zip(no * TILE..).take_while(|((index, _), want)| index == want);
            self.pages.insert((level, no), gapless.map(|((_, hash), _)| *hash).collect());
        }
        Ok(self.pages.get(&(level, no)).map_or(&[], Vec::as_slice))
    }
}

fn missing(height: u32, index: u64) -> StoreError {
    StoreError::Damaged(format!("hash {index} of the tree's level {height} is not there: run the audit"))
}

/// The proof for one event against the newest checkpoint.
pub async fn prove(store: &dyn Store, seq: u64) -> Result<(Checkpoint, Vec<Hash>), StoreError> {
    let checkpoint = newest(store).await?;
    let proof = Nodes::new(store, checkpoint.size).prove(seq).await?;
    Ok((checkpoint, proof))
}

/// The newest checkpoint.
pub async fn newest(store: &dyn Store) -> Result<Checkpoint, StoreError> {
    let last = store.newest_checkpoint().await?;
    last.ok_or_else(|| StoreError::Other("the log is empty: there is no checkpoint".to_owned()))
}
