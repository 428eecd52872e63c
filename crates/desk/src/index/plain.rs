//! Plain columns: one code or one moment for each record, by its number.
//!
//! Numbers are given across kinds, so that a field of a rare kind has values on few of them: such a
//! column is a map, and becomes a plain array where it is filled enough.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
#[derive(Clone, Debug, Default)]
pub struct Times {
    held: Held,
    spans: Spans,
}

#[derive(Clone, Debug)]
enum Held {
    /// Few numbers have one.
    Sparse(FxHashMap<u32, Millis>),
    /// [`NEVER`] where there is none.
    Dense(Vec<Millis>),
}

impl Default for Held {
    fn default() -> Self {
        Held::Sparse(FxHashMap::default())
    }
}

/// Most spans that are kept.
const SPANS: usize = 12;

/// Spans between whole minutes that were asked for, last asked for last. Everybody who looks at figures
/// of the last quarter asks for the same one until midnight; each follows every change.
#[derive(Debug, Default)]
struct Spans(Mutex<Vec<Span>>);

#[derive(Clone, Debug)]
struct Span {
    from: Millis,
    to: Millis,
    numbers: Arc<RoaringBitmap>,
}

impl Clone for Spans {
    fn clone(&self) -> Self {
        Spans(Mutex::new(self.kept().clone()))
    }
}

impl Spans {
    fn kept(&self) -> MutexGuard<'_, Vec<Span>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, from: Millis, to: Millis) -> Option<Arc<RoaringBitmap>> {
        let mut kept = self.kept();
        let at = kept.iter().position(|s| s.from == from && s.to == to)?;
        let span = kept.remove(at);
        let numbers = Arc::clone(&span.numbers);
        kept.push(span);
        Some(numbers)
    }

    fn keep(&self, from: Millis, to: Millis, numbers: &Arc<RoaringBitmap>) {
        let mut kept = self.kept();
        if kept.len() >= SPANS {
            kept.remove(0);
        }
        kept.push(Span { from, to, numbers: Arc::clone(numbers) });
    }

    fn follow(&mut self, no: u32, at: Millis) {
        for span in self.0.get_mut().unwrap_or_else(PoisonError::into_inner) {
            let within = span.from <= at && at < span.to;
            if within != span.numbers.contains(no) {
                let numbers = Arc::make_mut(&mut span.numbers);
                if within {
                    numbers.insert(no)
                } else {
                    numbers.remove(no)
                };
            }
        }
    }
}

impl Times {
    /// The moment of a number, or [`NEVER`].
    #[inline]
    pub fn get(&self, no: u32) -> Millis {
        match &self.held {
            Held::Sparse(map) => map.get(&no).copied().unwrap_or(NEVER),
            Held::Dense(array) => array.get(no as usize).copied().unwrap_or(NEVER),
        }
    }

    /// Gives a number a moment. `slots` is the highest number there is.
    pub fn set(&mut self, no: u32, at: Option<Millis>, slots: u32) {
        self.spans.follow(no, at.unwrap_or(NEVER));
        match &mut self.held {
            Held::Sparse(map) => {
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
                    self.held = Held::Dense(array);
                }
            }
            Held::Dense(array) => {
                reach(array, no, NEVER);
                array[no as usize] = at.unwrap_or(NEVER);
            }
        }
    }

    /// The numbers whose moment is within `from..to`.
    pub fn within(&self, from: Millis, to: Millis) -> Arc<RoaringBitmap> {
        let from = from.max(NEVER + 1);
        let array = match &self.held {
            Held::Sparse(map) => {
                let mut list: Vec<u32> =
                    map.iter().filter(|(_, t)| (from..to).contains(*t)).map(|(no, _)| *no).collect();
                list.sort_unstable();
                return Arc::new(list.into_iter().collect());
            }
            Held::Dense(array) => array,
        };
        let whole = from % 60_000 == 0 && to % 60_000 == 0;
        if let Some(numbers) = whole.then(|| self.spans.find(from, to)).flatten() {
            return numbers;
        }
        let numbers = Arc::new(mask(array, |at| (from <= at) & (at < to)));
        if whole {
            self.spans.keep(from, to, &numbers);
        }
        numbers
    }

    /// How much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        let spans: usize = self.spans.kept().iter().map(|s| s.numbers.serialized_size()).sum();
        spans
            + match &self.held {
                Held::Sparse(map) => map.capacity() * 17,
                Held::Dense(array) => array.capacity() * 8,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_that_is_kept_follows_every_change() {
        const DAY: Millis = 86_400_000;
        let mut times = Times::default();
        for no in 1..=500 {
            times.set(no, Some(i64::from(no) * 3_600_000), no);
        }
        let asked = |times: &Times| times.within(2 * DAY, 5 * DAY).iter().collect::<Vec<_>>();
        let counted = |times: &Times| -> Vec<u32> {
            (0..=700).filter(|no| (2 * DAY..5 * DAY).contains(&times.get(*no))).collect()
        };
        assert_eq!(asked(&times).len(), 72);
        times.set(50, None, 500);
        times.set(51, Some(0), 500);
        times.set(400, Some(3 * DAY), 500);
        times.set(650, Some(5 * DAY - 1), 650);
        times.set(651, Some(5 * DAY), 651);
        assert_eq!(asked(&times), counted(&times));
        let copy = times.clone();
        times.set(400, None, 651);
        assert_eq!(asked(&times), counted(&times));
        assert_eq!(asked(&copy), counted(&copy));
        // Many other spans push it out, and it is counted anew.
        for day in 10..40 {
            times.within(day * DAY, (day + 1) * DAY);
        }
        assert!(times.spans.kept().len() <= SPANS);
        assert_eq!(asked(&times), counted(&times));
    }
}
