//! The values of one field: each distinct value once, the code of each record's value, and the
//! records of each value.

use std::borrow::Cow;
use std::cell::OnceCell;

use hashbrown::HashTable;
use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;

use super::plain::Codes;
use super::posting::{Posting, union};
use super::schema::Shape;

/// Texts, each kept once, in one piece of memory. A value that no record has any more stays until
/// the index is built again; that is at the next start.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    text: String,
    ends: Vec<u32>,
    lookup: HashTable<u32>,
}

fn hash(text: &str) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    text.hash(&mut hasher);
    hasher.finish()
}

fn slice<'a>(text: &'a str, ends: &[u32], code: u32) -> &'a str {
    let at = code as usize;
    let from = if at == 0 { 0 } else { ends[at - 1] as usize };
    &text[from..ends[at] as usize]
}

impl Dictionary {
    /// How many texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// A text by its code, from 0.
    pub fn name(&self, code: u32) -> &str {
        slice(&self.text, &self.ends, code)
    }

    /// The code of a text.
    pub fn code(&self, name: &str) -> Option<u32> {
        self.lookup.find(hash(name), |c| self.name(*c) == name).copied()
    }

    /// The code of a text, which is kept where it is new.
    pub fn keep(&mut self, name: &str) -> u32 {
        let Dictionary { text, ends, lookup } = self;
        let wanted = hash(name);
        if let Some(code) = lookup.find(wanted, |c| slice(text, ends, *c) == name) {
            return *code;
        }
        let code = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        text.push_str(name);
        // 4 GiB of distinct values do not fit beside the records in memory anyway.
        ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        lookup.insert_unique(wanted, code, |c| hash(slice(text, ends, *c)));
        code
    }

    /// How much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * 4 + self.lookup.capacity() * 5
    }
}

/// Sets of values, each kept once: many records have the same labels.
#[derive(Clone, Debug, Default)]
struct Sets {
    list: Vec<Box<[u32]>>,
    lookup: FxHashMap<Box<[u32]>, u32>,
}

impl Sets {
    fn code(&mut self, values: &[u32]) -> u32 {
        if let Some(code) = self.lookup.get(values) {
            return *code;
        }
        let code = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(values.into());
        self.lookup.insert(values.into(), code);
        code
    }
}

/// Records in which values are counted. They are listed once for all columns.
pub struct Among<'a> {
    of: &'a RoaringBitmap,
    all: &'a RoaringBitmap,
    list: OnceCell<Vec<u32>>,
}

impl<'a> Among<'a> {
    /// Some of all records.
    pub fn new(of: &'a RoaringBitmap, all: &'a RoaringBitmap) -> Self {
        Among { of, all, list: OnceCell::new() }
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.of.len()
    }

    /// Themselves.
    pub fn bits(&self) -> &RoaringBitmap {
        self.of
    }

    /// Whether the others are listed: of most records, what the others have is less to count.
    fn turned(&self) -> bool {
        self.of.len() > self.all.len() / 2
    }

    fn list(&self) -> &[u32] {
        self.list.get_or_init(|| {
            if self.turned() { (self.all - self.of).iter().collect() } else { self.of.iter().collect() }
        })
    }
}

/// The values of one field.
#[derive(Clone, Debug)]
pub struct Column {
    /// `severity`: what searches call it.
    pub name: String,
    /// What values it has.
    pub shape: Shape,
    /// The distinct values.
    pub names: Dictionary,
    /// Their order, where the shape has one.
    ranks: Vec<f64>,
    /// The records of each value.
    postings: Vec<Posting>,
    /// By number: the value's code and 1, or the set's code and 1.
    codes: Codes,
    sets: Option<Sets>,
    filled: RoaringBitmap,
}

impl Column {
    /// An empty column; `many` where a record can have several values.
    pub fn new(name: &str, shape: Shape, many: bool) -> Column {
        Column {
            name: name.to_owned(),
            shape,
            names: Dictionary::default(),
            ranks: Vec::new(),
            postings: Vec::new(),
            codes: Codes::default(),
            sets: many.then(Sets::default),
            filled: RoaringBitmap::new(),
        }
    }

    /// Whether a record can have several values.
    pub fn many(&self) -> bool {
        self.sets.is_some()
    }

    /// Gives a record these values in place of what it had. `fresh` is called for each value that
    /// the column has not held before.
    pub fn put<'a>(
        &mut self,
        no: u32,
        values: impl Iterator<Item = Cow<'a, str>>,
        slots: u32,
        mut fresh: impl FnMut(u32, &str),
    ) {
        let old = self.codes.get(no);
        let mut one = None;
        let mut codes: Vec<u32> = Vec::new();
        for value in values {
            let code = self.names.keep(&value);
            if code as usize == self.postings.len() {
                self.postings.push(Posting::default());
                if self.shape.ordered() {
                    self.ranks.push(self.shape.rank(&value).unwrap_or(f64::NAN));
                }
                fresh(code, &value);
            }
            match self.sets {
                None => one = one.or(Some(code)),
                Some(_) => codes.push(code),
            }
        }
        let new = match &mut self.sets {
            None => one.map_or(0, |code| code + 1),
            Some(_) if codes.is_empty() => 0,
            Some(sets) => {
                codes.sort_unstable();
                codes.dedup();
                sets.code(&codes) + 1
            }
        };
        if old == new {
            return;
        }
        self.members(old, |posting| posting.remove(no));
        self.members(new, |posting| posting.insert(no));
        self.codes.set(no, new, slots);
        if new == 0 {
            self.filled.remove(no);
        } else {
            self.filled.insert(no);
        }
    }

    /// Changes the lists of the values behind what [`Column::raw`] gives.
    fn members(&mut self, code: u32, mut change: impl FnMut(&mut Posting)) {
        match (code.checked_sub(1), &self.sets) {
            (None, _) => {}
            (Some(code), None) => change(&mut self.postings[code as usize]),
            (Some(code), Some(sets)) => {
                for value in &sets.list[code as usize] {
                    change(&mut self.postings[*value as usize]);
                }
            }
        }
    }

    /// The value of a record; the first where it has several.
    pub fn value(&self, no: u32) -> Option<&str> {
        let code = self.codes.get(no).checked_sub(1)?;
        let code = self.sets.as_ref().map_or(Some(code), |s| s.list[code as usize].first().copied())?;
        Some(self.names.name(code))
    }

    /// The code of a record's value and 1; 0 for none. Only where a record has one value.
    #[inline]
    pub fn raw(&self, no: u32) -> u32 {
        self.codes.get(no)
    }

    /// How many codes [`Column::raw`] can give.
    pub fn width(&self) -> usize {
        1 + self.sets.as_ref().map_or(self.names.len(), |s| s.list.len())
    }

    /// The order of a value, where the shape has one.
    pub fn rank(&self, code: u32) -> Option<f64> {
        self.ranks.get(code as usize).copied().filter(|r| !r.is_nan())
    }

    /// Records that have a value.
    pub fn filled(&self) -> &RoaringBitmap {
        &self.filled
    }

    /// The records of a value.
    pub fn posting(&self, code: u32) -> &Posting {
        &self.postings[code as usize]
    }

    /// The codes of all values.
    pub fn all(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.names.len()).unwrap_or(u32::MAX)
    }

    /// The codes of values whose rank is one of these.
    pub fn ranked(&self, holds: impl Fn(f64) -> bool) -> Vec<u32> {
        self.all().filter(|c| self.rank(*c).is_some_and(&holds)).collect()
    }

    /// The records that have one of these values: from the lists of the values, or by one pass over
    /// the column, whichever touches less.
    pub fn any(&self, codes: &[u32], slots: u32) -> Cow<'_, RoaringBitmap> {
        if let [code] = codes
            && let Some(bits) = self.posting(*code).bits()
        {
            return Cow::Borrowed(bits);
        }
        // A list that is not in the cache costs about as much as 60 steps of a pass, and each of its numbers
        // about one.
        let listed: u64 = codes.iter().map(|c| 60 + self.posting(*c).len()).sum();
        if listed > 4096 + u64::from(slots) {
            Cow::Owned(self.codes.marked(&self.table(codes)))
        } else {
            Cow::Owned(union(codes.iter().map(|c| self.posting(*c)), slots))
        }
    }

    /// For each code that [`Column::raw`] gives, whether one of these values is behind it.
    pub fn table(&self, codes: &[u32]) -> Vec<bool> {
        let mut values = vec![false; self.names.len()];
        for code in codes {
            values[*code as usize] = true;
        }
        let mut table = vec![false; self.width()];
        match &self.sets {
            None => table[1..].copy_from_slice(&values),
            Some(sets) => {
                for (at, set) in sets.list.iter().enumerate() {
                    table[at + 1] = set.iter().any(|c| values[*c as usize]);
                }
            }
        }
        table
    }

    /// How often each value occurs among some of all records.
    pub fn counts(&self, among: &Among<'_>) -> Vec<u32> {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        // A pass over the column costs about one step a record; an intersection one step for 64
        // records of a large value, one for each record of a small one.
        let words = among.of.max().map_or(0, |m| u64::from(m) / 64 + 1);
        let rest = among.all.len() - among.of.len().min(among.all.len());
        let pass = among.of.len().min(rest);
        let mut cost = 0_u64;
        for posting in &self.postings {
            cost += 4 + if posting.bits().is_some() { words.min(posting.len()) } else { posting.len() };
            if cost > pass {
                break;
            }
        }
        if cost <= pass {
            return self.postings.iter().map(|p| small(p.among(among.of))).collect();
        }
        let counted = self.pass(among.list());
        if !among.turned() {
            return counted;
        }
        self.postings.iter().zip(counted).map(|(p, others)| small(p.len()).saturating_sub(others)).collect()
    }

    /// The same by one pass over the column.
    fn pass(&self, of: &[u32]) -> Vec<u32> {
        let mut raw = vec![0_u32; self.width()];
        self.codes.tally(of, &mut raw);
        match &self.sets {
            None => {
                raw.remove(0);
                raw
            }
            Some(sets) => {
                let mut counts = vec![0; self.names.len()];
                for (set, count) in sets.list.iter().zip(&raw[1..]) {
                    for code in set {
                        counts[*code as usize] += count;
                    }
                }
                counts
            }
        }
    }

    /// Calls for each value of a record.
    #[inline]
    pub fn each(&self, no: u32, mut call: impl FnMut(u32)) {
        match (self.codes.get(no), &self.sets) {
            (0, _) => {}
            (code, None) => call(code - 1),
            (code, Some(sets)) => sets.list[code as usize - 1].iter().for_each(|c| call(*c)),
        }
    }

    /// About how much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        let sets = self.sets.as_ref().map_or(0, |s| s.list.iter().map(|l| 60 + l.len() * 8).sum());
        let postings: usize = self.postings.iter().map(Posting::memory).sum();
        self.names.memory()
            + self.ranks.capacity() * 8
            + self.postings.capacity() * size_of::<Posting>()
            + postings
            + self.codes.memory()
            + sets
            + self.filled.serialized_size()
    }
}
