//! All advisories in one file that is read with almost no work: a table of names for each ecosystem, sorted,
//! and for each package a block that is decoded only when somebody asks for that package.
//!
//! ```text
//! "WRDINDEX"  version u32  length of the header u32  checksum of the header
//! header      feeds, release cycles, and where each ecosystem's table stands
//! blocks      one for each package
//! tables      one for each ecosystem: records of fixed size, then the names
//! ```
//!
//! Numbers are little-endian. The header, each table and each block have checksums of their own, so that what
//! is read is checked and what is not read costs nothing. Whoever writes the bytes to a disk does so under
//! another name first and renames them.

mod build;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use serde::{Deserialize, Serialize};

use crate::Ecosystem;
use crate::advisory::Advisory;
use crate::support::Table;

pub use build::Builder;

const MAGIC: &[u8; 8] = b"WRDINDEX";
/// The version of the form; another one is refused.
const VERSION: u32 = 2;
/// Bytes before the header: magic, version, length, checksum.
const FRONT: usize = 8 + 4 + 4 + 16;
/// Bytes of one record of a table: place and length of the name, place, length and checksum of the block.
const RECORD: usize = 4 + 4 + 8 + 4 + 8;
/// A longer header is none.
const LONGEST_HEADER: usize = 1 << 20;
/// A longer block is none.
const LONGEST_BLOCK: usize = 64 << 20;

/// The index cannot be used. `wardroom feeds sync` makes a new one.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The bytes could not be read.
    #[error("the index of advisories cannot be read: {0}")]
    Read(#[from] io::Error),
    /// They are not an index.
    #[error("this is not an index of advisories")]
    Foreign,
    /// They are of another version of the form.
    #[error("the index of advisories has form {0}; this program reads form {VERSION}")]
    Version(u32),
    /// A checksum does not fit, or a place leads out of the file.
    #[error("the index of advisories is damaged: {0}")]
    Damaged(&'static str),
}

/// Where an index's bytes are: memory, or a file of which only some are read.
pub trait Storage: Send + Sync {
    /// How many bytes there are.
    fn length(&self) -> io::Result<u64>;
    /// Fills `buffer` from the bytes that start at `at`; an error where there are not enough.
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl Storage for Vec<u8> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(at).map_err(io::Error::other)?;
        let end = start.checked_add(buffer.len());
        let bytes = end.and_then(|end| self.get(start..end)).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// Where advisories came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// `ruby-advisory-db`, `osv:npm`.
    pub name: String,
    /// The day that its content is of: `2026-08-22`; empty where unknown.
    pub date: String,
    /// How many advisories of it are in the index.
    pub count: u32,
    /// What tells whether its source has changed: an ETag, a commit; empty where there is none.
    pub revision: String,
}

/// An advisory in the index, with what lists about it say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The feed, by its place in [`Index::feeds`].
    pub feed: u16,
    /// The advisory.
    pub advisory: Advisory,
    /// The day since when attackers are known to use it, and whether ransomware does.
    pub exploited: Option<(String, bool)>,
    /// How likely it is that it is used within 30 days: 0 to 1.
    pub likelihood: Option<f32>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    feeds: Vec<Feed>,
    sections: Vec<Section>,
    /// The day of the catalogue of exploited weaknesses, of the likelihoods and of the release cycles; empty
    /// where there is none.
    lists: [String; 3],
    /// Only the products that are looked for: it is read with the header, at every scan.
    cycles: Table,
    length: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Section {
    ecosystem: Ecosystem,
    packages: u32,
    at: u64,
    length: u32,
    checksum: [u8; 16],
}

/// An index that was opened. Tables and blocks are read when they are needed first, and kept.
pub struct Index {
    storage: Box<dyn Storage>,
    header: Header,
    tables: Vec<OnceLock<Vec<u8>>>,
    #[expect(clippy::type_complexity, reason = "a name for it would say less than it does")]
    blocks: Mutex<HashMap<(Ecosystem, String), Arc<[Entry]>>>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Index {
    /// Opens an index: only its header is read.
    pub fn open(storage: impl Storage + 'static) -> Result<Index, IndexError> {
        let length = storage.length()?;
        let mut front = [0; FRONT];
        if length < FRONT as u64 {
            return Err(IndexError::Foreign);
        }
        storage.read_at(0, &mut front)?;
        if front[..8] != MAGIC[..] {
            return Err(IndexError::Foreign);
        }
        let version = u32_at(&front, 8);
        if version != VERSION {
            return Err(IndexError::Version(version));
        }
        let header_length = u32_at(&front, 12) as usize;
        if header_length > LONGEST_HEADER || (FRONT + header_length) as u64 > length {
            return Err(IndexError::Damaged("its header is cut off"));
        }
        let mut bytes = vec![0; header_length];
        storage.read_at(FRONT as u64, &mut bytes)?;
        if checksum(&bytes) != front[16..32] {
            return Err(IndexError::Damaged("its header has changed"));
        }
        let header: Header =
            postcard::from_bytes(&bytes).map_err(|_| IndexError::Damaged("its header is not understood"))?;
        if header.length != length {
            return Err(IndexError::Damaged("it is not as long as it was written"));
        }
        let tables = header.sections.iter().map(|_| OnceLock::new()).collect();
        Ok(Index { storage: Box::new(storage), header, tables, blocks: Mutex::default() })
    }

    /// The feeds that are in it.
    pub fn feeds(&self) -> &[Feed] {
        &self.header.feeds
    }

    /// The day of the catalogue of exploited weaknesses; empty where none was taken in.
    pub fn exploited_date(&self) -> &str {
        &self.header.lists[0]
    }

    /// The day of the list of likelihoods; empty where none was taken in.
    pub fn likelihood_date(&self) -> &str {
        &self.header.lists[1]
    }

    /// The day of the release cycles; empty where none were taken in.
    pub fn cycles_date(&self) -> &str {
        &self.header.lists[2]
    }

    /// The release cycles that were taken in; without products where none were.
    pub fn cycles(&self) -> &Table {
        &self.header.cycles
    }

    /// How many packages have advisories.
    pub fn packages(&self) -> usize {
        self.header.sections.iter().map(|section| section.packages as usize).sum()
    }

    /// What is published about a package, in the order of the feeds; its name is normalised as in lockfiles.
    pub fn lookup(&self, ecosystem: Ecosystem, name: &str) -> Result<Arc<[Entry]>, IndexError> {
        let Some(number) = self.header.sections.iter().position(|section| section.ecosystem == ecosystem)
        else {
            return Ok(Arc::default());
        };
        let table = self.table(number)?;
        let Some(record) = find(table, self.header.sections[number].packages as usize, name)? else {
            return Ok(Arc::default());
        };
        let key = (ecosystem, name.to_owned());
        if let Ok(blocks) = self.blocks.lock()
            && let Some(entries) = blocks.get(&key)
        {
            return Ok(entries.clone());
        }
        let entries: Arc<[Entry]> = self.block(record)?.into();
        if let Ok(mut blocks) = self.blocks.lock() {
            blocks.insert(key, entries.clone());
        }
        Ok(entries)
    }

    /// Goes through all packages of all ecosystems, in no order that counts.
    pub fn each(&self, mut visit: impl FnMut(Ecosystem, &str, Vec<Entry>)) -> Result<(), IndexError> {
        for (number, section) in self.header.sections.iter().enumerate() {
            let table = self.table(number)?;
            let count = section.packages as usize;
            for index in 0..count {
                let name = name_at(table, count, index)?;
                visit(section.ecosystem, name, self.block(&table[index * RECORD..])?);
            }
        }
        Ok(())
    }

    fn table(&self, number: usize) -> Result<&[u8], IndexError> {
        if let Some(table) = self.tables[number].get() {
            return Ok(table);
        }
        let section = &self.header.sections[number];
        if section.at.checked_add(u64::from(section.length)).is_none_or(|end| end > self.header.length)
            || (section.packages as usize)
                .checked_mul(RECORD)
                .is_none_or(|records| records > section.length as usize)
        {
            return Err(IndexError::Damaged("a table leads out of the file"));
        }
        let mut bytes = vec![0; section.length as usize];
        self.storage.read_at(section.at, &mut bytes)?;
        if checksum(&bytes) != section.checksum {
            return Err(IndexError::Damaged("a table of names has changed"));
        }
        Ok(self.tables[number].get_or_init(|| bytes))
    }

    fn block(&self, record: &[u8]) -> Result<Vec<Entry>, IndexError> {
        let (at, length) = (u64_at(record, 8), u32_at(record, 16) as usize);
        if length > LONGEST_BLOCK || at.checked_add(length as u64).is_none_or(|end| end > self.header.length)
        {
            return Err(IndexError::Damaged("a block leads out of the file"));
        }
        let mut bytes = vec![0; length];
        self.storage.read_at(at, &mut bytes)?;
        if checksum(&bytes)[..8] != record[20..28] {
            return Err(IndexError::Damaged("a package's advisories have changed"));
        }
        postcard::from_bytes(&bytes)
            .map_err(|_| IndexError::Damaged("a package's advisories are not understood"))
    }
}

/// The record of a name, by halving.
fn find<'t>(table: &'t [u8], count: usize, name: &str) -> Result<Option<&'t [u8]>, IndexError> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        match name_at(table, count, middle)?.cmp(name) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Ok(Some(&table[middle * RECORD..][..RECORD])),
        }
    }
    Ok(None)
}

fn name_at(table: &[u8], count: usize, index: usize) -> Result<&str, IndexError> {
    let record = &table[index * RECORD..];
    let names = &table[count * RECORD..];
    let (at, length) = (u32_at(record, 0) as usize, u32_at(record, 4) as usize);
    let bytes = at.checked_add(length).and_then(|end| names.get(at..end));
    bytes
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .ok_or(IndexError::Damaged("a name leads out of its table"))
}

fn checksum(bytes: &[u8]) -> [u8; 16] {
    let mut sum = [0; 16];
    sum.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    sum
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut buffer = [0; 4];
    buffer.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(buffer)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut buffer = [0; 8];
    buffer.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(buffer)
}
