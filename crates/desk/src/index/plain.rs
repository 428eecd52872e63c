//! Plain columns: one code or one moment for each record, by its number.
//!
//! Numbers are given across kinds, so that a field of a rare kind has values on few of them: such a
//! column is a map, and becomes a plain array where it is filled enough.

use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;

use crate::Millis;

/// A column becomes an array where more than one in this many numbers has a value: an entry of the
/// map costs about 20 bytes, one of the array 1 to 8.
const SPARSE: usize = 8;

/// Codes by number; 0 is none.
#[derive(Clone, Debug)]
pub enum Codes {
    /// Few numbers have one.
    Sparse(FxHashMap<u32, u32>),
    /// All below 256.
    Narrow(Vec<u8>),
    /// All below 65,536.
    Middle(Vec<u16>),
    /// Any.
    Wide(Vec<u32>),
}

impl Default for Codes {
    fn default() -> Self {
        Codes::Sparse(FxHashMap::default())
    }
}

/// Makes an array long enough, growing by an eighth: doubling would waste up to half.
fn reach<T: Clone>(array: &mut Vec<T>, no: u32, none: T) {
    let len = no as usize + 1;
    if array.len() < len {
        if array.capacity() < len {
            array.reserve_exact(len - array.len() + len / 8);
        }
        array.resize(len, none);
    }
}

/// The numbers for whose entry of an array something holds.
fn mask<T: Copy>(array: &[T], holds: impl Fn(T) -> bool) -> RoaringBitmap {
    let byte =
        |part: &[T]| (0..).zip(part).fold(0_u8, |bits, (at, entry)| bits | u8::from(holds(*entry)) << at);
    // Of eight at a time, known to be eight, the compiler makes one step.
    let (whole, rest) = array.as_chunks::<8>();
    let mut field: Vec<u8> = whole.iter().map(|part| byte(part)).collect();
    field.push(byte(rest));
    RoaringBitmap::from_lsb0_bytes(0, &field)
}

impl Codes {
    /// The code of a number.
    #[inline]
    pub fn get(&self, no: u32) -> u32 {
        match self {
            Codes::Sparse(map) => map.get(&no).copied().unwrap_or(0),
            Codes::Narrow(array) => array.get(no as usize).map_or(0, |c| u32::from(*c)),
            Codes::Middle(array) => array.get(no as usize).map_or(0, |c| u32::from(*c)),
            Codes::Wide(array) => array.get(no as usize).copied().unwrap_or(0),
        }
    }

    /// Gives a number a code. `slots` is the highest number there is.
    #[expect(clippy::cast_possible_truncation, reason = "the width is chosen by the code just before")]
    pub fn set(&mut self, no: u32, code: u32, slots: u32) {
        match self {
            Codes::Sparse(map) => {
                if code == 0 {
                    map.remove(&no);
                    return;
                }
                map.insert(no, code);
                if map.len() > 64 && map.len() * SPARSE > slots as usize {
                    self.fill();
                }
            }
            Codes::Narrow(array) if code <= u32::from(u8::MAX) => {
                reach(array, no, 0);
                array[no as usize] = code as u8;
            }
            Codes::Middle(array) if code <= u32::from(u16::MAX) => {
                reach(array, no, 0);
                array[no as usize] = code as u16;
            }
            Codes::Wide(array) => {
                reach(array, no, 0);
                array[no as usize] = code;
            }
            Codes::Narrow(array) => {
                let wider = array.iter().map(|c| u16::from(*c)).collect();
                *self = Codes::Middle(wider);
                self.set(no, code, slots);
            }
            Codes::Middle(array) => {
                let wider = array.iter().map(|c| u32::from(*c)).collect();
                *self = Codes::Wide(wider);
                self.set(no, code, slots);
            }
        }
    }

    fn fill(&mut self) {
        let Codes::Sparse(map) = self else { return };
        let map = std::mem::take(map);
        *self = Codes::Narrow(Vec::new());
        for (no, code) in map {
            self.set(no, code, 0);
        }
    }

    /// The numbers whose code is marked in a table.
    pub fn marked(&self, table: &[bool]) -> RoaringBitmap {
        let marked = |code: usize| table.get(code).copied().unwrap_or(false);
        match self {
            Codes::Sparse(map) => {
                let mut list: Vec<u32> =
                    map.iter().filter(|(_, c)| marked(**c as usize)).map(|(no, _)| *no).collect();
                list.sort_unstable();
                list.into_iter().collect()
            }
            Codes::Narrow(array) => mask(array, |code| marked(usize::from(code))),
            Codes::Middle(array) => mask(array, |code| marked(usize::from(code))),
            Codes::Wide(array) => mask(array, |code| marked(code as usize)),
        }
    }

    /// Counts the codes of some numbers into a table as wide as there are codes.
    pub fn tally(&self, of: &[u32], counts: &mut [u32]) {
        fn add(counts: &mut [u32], code: usize) {
            if let Some(count) = counts.get_mut(code) {
                *count += 1;
            }
        }
        match self {
            Codes::Sparse(_) => of.iter().for_each(|no| add(counts, self.get(*no) as usize)),
            Codes::Narrow(array) => {
                of.iter().for_each(|no| add(counts, array.get(*no as usize).map_or(0, |c| usize::from(*c))));
            }
            Codes::Middle(array) => {
                of.iter().for_each(|no| add(counts, array.get(*no as usize).map_or(0, |c| usize::from(*c))));
            }
            Codes::Wide(array) => {
                of.iter().for_each(|no| add(counts, array.get(*no as usize).map_or(0, |c| *c as usize)));
            }
        }
    }

    /// How much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        match self {
            Codes::Sparse(map) => map.capacity() * 9,
            Codes::Narrow(array) => array.capacity(),
            Codes::Middle(array) => array.capacity() * 2,
            Codes::Wide(array) => array.capacity() * 4,
        }
    }
}

/// No moment.
pub const NEVER: Millis = Millis::MIN;

/// Moments by number.
#[derive(Clone, Debug)]
pub enum Times {
    /// Few numbers have one.
    Sparse(FxHashMap<u32, Millis>),
    /// [`NEVER`] where there is none.
    Dense(Vec<Millis>),
}

impl Default for Times {
    fn default() -> Self {
        Times::Sparse(FxHashMap::default())
    }
}

impl Times {
    /// The moment of a number, or [`NEVER`].
    #[inline]
    pub fn get(&self, no: u32) -> Millis {
        match self {
            Times::Sparse(map) => map.get(&no).copied().unwrap_or(NEVER),
            Times::Dense(array) => array.get(no as usize).copied().unwrap_or(NEVER),
        }
    }

    /// Gives a number a moment. `slots` is the highest number there is.
    pub fn set(&mut self, no: u32, at: Option<Millis>, slots: u32) {
        match self {
            Times::Sparse(map) => {
                match at {
                    Some(at) => map.insert(no, at),
                    None => map.remove(&no),
                };
                if map.len() > 64 && map.len() * SPARSE / 2 > slots as usize {
                    let mut array = Vec::new();
                    for (no, at) in std::mem::take(map) {
                        reach(&mut array, no, NEVER);
                        array[no as usize] = at;
                    }
                    *self = Times::Dense(array);
                }
            }
            Times::Dense(array) => {
                reach(array, no, NEVER);
                array[no as usize] = at.unwrap_or(NEVER);
            }
        }
    }

    /// The numbers whose moment is within `from..to`.
    pub fn within(&self, from: Millis, to: Millis) -> RoaringBitmap {
        let from = from.max(NEVER + 1);
        match self {
            Times::Sparse(map) => {
                let mut list: Vec<u32> =
                    map.iter().filter(|(_, t)| (from..to).contains(*t)).map(|(no, _)| *no).collect();
                list.sort_unstable();
                list.into_iter().collect()
            }
            Times::Dense(array) => mask(array, |at| (from <= at) & (at < to)),
        }
    }

    /// How much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        match self {
            Times::Sparse(map) => map.capacity() * 17,
            Times::Dense(array) => array.capacity() * 8,
        }
    }
}
