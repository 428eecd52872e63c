//! Packs, read in the order of their deltas: each object is unpacked once, from the one before it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use gix::odb::pack;
use gix::{ObjectId, hashtable};
use rayon::prelude::*;

use crate::history::HistoryError;

/// Largest object that is unpacked, in bytes.
const LARGEST: u64 = 32 << 20;
/// Most bytes that one chain of deltas holds at a time.
const HELD: usize = 512 << 20;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Commit,
    Tree,
    Blob,
    Other,
}

/// One object, unpacked.
pub(crate) struct Unpacked<'a> {
    pub id: ObjectId,
    pub kind: Kind,
    pub bytes: &'a [u8],
    /// The stretches that are not taken from the object before; everything for the first of a chain.
    pub changed: &'a [Range<usize>],
}

struct Node {
    offset: u64,
    id: ObjectId,
    first_child: u32,
    next_sibling: u32,
}

const NONE: u32 = u32::MAX;

struct Pack {
    data: pack::data::File,
    nodes: Vec<Node>,
    /// Objects that stand alone, with their kinds; the others hang below them.
    roots: Vec<(u32, Kind)>,
}

/// The objects of a repository.
pub(crate) struct Objects {
    packs: Vec<Pack>,
    loose: Vec<gix::odb::loose::Store>,
    /// Objects that were too large, or broken.
    pub left_out: std::sync::atomic::AtomicU32,
}

impl Objects {
    /// Opens every pack of the folders.
    pub(crate) fn open(folders: &[PathBuf]) -> Result<Objects, HistoryError> {
        let mut objects = Objects { packs: Vec::new(), loose: Vec::new(), left_out: 0.into() };
        let mut seen = hashtable::HashSet::default();
        for folder in folders {
            objects.loose.push(gix::odb::loose::Store::at(folder.clone(), gix::hash::Kind::Sha1));
            let Ok(entries) = std::fs::read_dir(folder.join("pack")) else { continue };
            let mut files: Vec<PathBuf> = entries
                .flatten()
                .map(|e| e.path())
                .filter(|p| p.extension().is_some_and(|e| e == "idx"))
                .collect();
            files.sort();
            for file in files {
                objects.packs.push(Pack::open(&file, &mut seen)?);
            }
        }
        Ok(objects)
    }

    /// Unpacks every object of the wanted kinds, from several threads. What `visit` makes of an object is handed to it
    /// again for those that are made from that one.
    pub(crate) fn each<T: Send + Sync>(
        &self,
        wanted: &(dyn Fn(Kind) -> bool + Sync),
        visit: &(dyn Fn(&Unpacked<'_>, &[T]) -> Vec<T> + Sync),
    ) {
        for pack in &self.packs {
            pack.roots.par_iter().with_max_len(64).filter(|(_, kind)| wanted(*kind)).for_each_init(
                Unpacker::default,
                |unpacker, (root, kind)| {
                    let left_out = unpacker.chain(pack, *root, *kind, visit);
                    self.left_out.fetch_add(left_out, std::sync::atomic::Ordering::Relaxed);
                },
            );
        }
        let mut buffer = Vec::new();
        for store in &self.loose {
            for id in store.iter().flatten() {
                let Ok(Some(object)) = store.try_find(&id, &mut buffer) else {
                    self.left_out.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    continue;
                };
                let kind = match object.kind {
                    gix::objs::Kind::Commit => Kind::Commit,
                    gix::objs::Kind::Tree => Kind::Tree,
                    gix::objs::Kind::Blob => Kind::Blob,
                    gix::objs::Kind::Tag => Kind::Other,
                };
                if wanted(kind) {
                    let whole = 0..object.data.len();
                    visit(
                        &Unpacked { id, kind, bytes: object.data, changed: std::slice::from_ref(&whole) },
                        &[],
                    );
                }
            }
        }
    }
}

impl Pack {
    /// Reads the index and the head of each object. An object that an earlier pack has too is unpacked twice, but
    /// visited under the same id.
    fn open(index_path: &Path, seen: &mut hashtable::HashSet<ObjectId>) -> Result<Pack, HistoryError> {
        let broken = |error: gix::Error| HistoryError::Pack {
            path: index_path.to_owned(),
            message: error.to_string(),
        };
        let index = pack::index::File::at(index_path, gix::hash::Kind::Sha1).map_err(&broken)?;
        let data = pack::data::File::at(index_path.with_extension("pack"), gix::hash::Kind::Sha1)
            .map_err(&broken)?;
        let mut nodes: Vec<Node> = index
            .iter()
            .map(|e| Node { offset: e.pack_offset, id: e.oid, first_child: NONE, next_sibling: NONE })
            .collect();
        nodes.sort_by_key(|n| n.offset);
        for node in &nodes {
            seen.insert(node.id);
        }
        let mut roots = Vec::new();
        for number in 0..nodes.len() {
            let offset = nodes[number].offset;
            let Ok(entry) = data.entry(offset) else { continue };
            let base = match entry.header {
                pack::data::entry::Header::Commit => Err(Kind::Commit),
                pack::data::entry::Header::Tree => Err(Kind::Tree),
                pack::data::entry::Header::Blob => Err(Kind::Blob),
                pack::data::entry::Header::Tag => Err(Kind::Other),
                pack::data::entry::Header::OfsDelta { base_distance } => {
                    Ok(offset.checked_sub(base_distance))
                }
                pack::data::entry::Header::RefDelta { base_id } => {
                    Ok(index.lookup(base_id).map(|n| index.pack_offset_at_index(n)))
                }
            };
            match base {
                Err(kind) => roots.push((number as u32, kind)),
                Ok(base) => {
                    let parent = base.and_then(|o| nodes.binary_search_by_key(&o, |n| n.offset).ok());
                    // A base behind or in front is fine; one that is itself would be a loop.
                    if let Some(parent) = parent.filter(|p| *p != number) {
                        nodes[number].next_sibling = nodes[parent].first_child;
                        nodes[parent].first_child = number as u32;
                    }
                }
            }
        }
        Ok(Pack { data, nodes, roots })
    }
}

/// What one thread needs for a chain.
#[derive(Default)]
struct Unpacker {
    inflate: gix::zlib::Inflate,
    delta: Vec<u8>,
    /// The objects from the first of the chain to this one.
    held: Vec<Vec<u8>>,
    changed: Vec<Range<usize>>,
}

impl Unpacker {
    /// Goes through everything that is made from one object; how many could not be unpacked.
    fn chain<T>(
        &mut self,
        pack: &Pack,
        root: u32,
        kind: Kind,
        visit: &(dyn Fn(&Unpacked<'_>, &[T]) -> Vec<T> + Sync),
    ) -> u32 {
        let mut left_out = 0;
        let mut made: Vec<Vec<T>> = Vec::new();
        let mut todo = vec![(root, 0usize)];
        let mut held = 0usize;
        while let Some((number, depth)) = todo.pop() {
            for gone in self.held.iter_mut().skip(depth) {
                held -= gone.len().min(held);
                gone.clear();
            }
            made.truncate(depth);
            let node = &pack.nodes[number as usize];
            if self.held.len() <= depth {
                self.held.push(Vec::new());
            }
            if held > HELD || self.unpack(pack, node.offset, depth).is_none() {
                left_out += 1;
                continue;
            }
            let bytes = &self.held[depth];
            held += bytes.len();
            let unpacked = Unpacked { id: node.id, kind, bytes, changed: &self.changed };
            let before = made.last().map_or(&[][..], Vec::as_slice);
            let result = visit(&unpacked, before);
            made.push(result);
            let mut child = node.first_child;
            while child != NONE {
                todo.push((child, depth + 1));
                child = pack.nodes[child as usize].next_sibling;
            }
        }
        // One large chain must not keep its memory for the life of the thread.
        if held > (8 << 20) {
            self.held.clear();
        }
        left_out
    }

    fn unpack(&mut self, pack: &Pack, offset: u64, depth: usize) -> Option<()> {
        let entry = pack.data.entry(offset).ok()?;
        if entry.decompressed_size > LARGEST {
            return None;
        }
        let size = entry.decompressed_size as usize;
        self.changed.clear();
        if depth == 0 {
            let out = &mut self.held[0];
            out.resize(size, 0);
            pack.data.decompress_entry(&entry, &mut self.inflate, out).ok()?;
            self.changed.push(0..size);
            return Some(());
        }
        self.delta.resize(size, 0);
        pack.data.decompress_entry(&entry, &mut self.inflate, &mut self.delta).ok()?;
        let (before, after) = self.held.split_at_mut(depth);
        apply(before.last()?, &self.delta, &mut after[0], &mut self.changed)
    }
}

/// Makes an object from the one before and a delta, as gitformat-pack(5) has it.
fn apply(base: &[u8], delta: &[u8], out: &mut Vec<u8>, changed: &mut Vec<Range<usize>>) -> Option<()> {
    let mut rest = delta;
    let base_size = size(&mut rest)?;
    let result_size = size(&mut rest)?;
    if base_size != base.len() as u64 || result_size > LARGEST {
        return None;
    }
    out.clear();
    out.reserve(result_size as usize);
    while let Some((&command, after)) = rest.split_first() {
        rest = after;
        if command & 0x80 != 0 {
            let mut number = |bits: Range<u8>| {
                let mut value = 0usize;
                for (place, bit) in bits.enumerate() {
                    if command & (1 << bit) != 0 {
                        let (&byte, after) = rest.split_first()?;
                        rest = after;
                        value |= usize::from(byte) << (8 * place);
                    }
                }
                Some(value)
            };
            let from = number(0..4)?;
            let length = match number(4..7)? {
                0 => 0x10000,
                length => length,
            };
            out.extend_from_slice(base.get(from..from.checked_add(length)?)?);
        } else if command > 0 {
            let (new, after) = rest.split_at_checked(usize::from(command))?;
            rest = after;
            match changed.last_mut() {
                Some(last) if last.end == out.len() => last.end += new.len(),
                _ => changed.push(out.len()..out.len() + new.len()),
            }
            out.extend_from_slice(new);
        } else {
            return None;
        }
        if out.len() as u64 > result_size {
            return None;
        }
    }
    (out.len() as u64 == result_size).then_some(())
}

fn size(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_is_applied_and_what_is_new_is_told() {
        // base of 5, result of 7: copy 3 from 1, insert "xyzt"
        let delta = [5, 7, 0x91, 1, 3, 4, b'x', b'y', b'z', b't'];
        let (mut out, mut changed) = (Vec::new(), Vec::new());
        apply(b"abcde", &delta, &mut out, &mut changed).unwrap();
        assert_eq!(out, b"bcdxyzt");
        assert_eq!(changed, std::slice::from_ref(&(3..7)));
    }

    #[test]
    fn a_broken_delta_is_no_panic() {
        let whole = [5, 7, 0x91, 1, 3, 4, b'x', b'y', b'z', b't'];
        let (mut out, mut changed) = (Vec::new(), Vec::new());
        for cut in 0..whole.len() {
            assert!(apply(b"abcde", &whole[..cut], &mut out, &mut changed).is_none());
        }
        for broken in
            [&[4, 7][..], &[5, 1, 0x91, 1, 3], &[5, 7, 0], &[5, 3, 0x9f, 255, 255, 255, 255, 3], &[0xff; 12]]
        {
            assert!(apply(b"abcde", broken, &mut out, &mut changed).is_none());
        }
    }
}
