//! Pages of what was found: the first so many in an order, without sorting the rest.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use roaring::RoaringBitmap;

use super::{Index, Matches, NEVER, at};

/// How records are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// The other way round.
    pub reversed: bool,
}

/// By what records are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// Most urgent first; of those, what is due first; then the newest.
    #[default]
    Priority,
    /// What is due first; what has no running clock comes last.
    Due,
    /// Worst first; of those, what is due first.
    Severity,
    /// Oldest first.
    Age,
    /// Changed last first.
    Updated,
    /// Newest first.
    Opened,
    /// By number.
    Id,
}

impl SortBy {
    fn as_str(self) -> &'static str {
        match self {
            SortBy::Priority => "priority",
            SortBy::Due => "due",
            SortBy::Severity => "severity",
            SortBy::Age => "age",
            SortBy::Updated => "updated",
            SortBy::Opened => "opened",
            SortBy::Id => "id",
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.reversed { "-" } else { "" }, self.by.as_str())
    }
}

/// A word is no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no order: priority, due, severity, age, updated, opened or id")]
pub struct NoSort(String);

impl FromStr for Sort {
    type Err = NoSort;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (reversed, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let by = match name {
            "priority" => SortBy::Priority,
            "due" => SortBy::Due,
            "severity" => SortBy::Severity,
            "age" => SortBy::Age,
            "updated" => SortBy::Updated,
            "opened" => SortBy::Opened,
            "id" => SortBy::Id,
            _ => return Err(NoSort(text.chars().take(40).collect())),
        };
        Ok(Sort { by, reversed })
    }
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records' numbers, in order.
    pub numbers: Vec<u32>,
    /// How many come before the first of them.
    pub before: u64,
    /// How many there are in all.
    pub total: u64,
    /// Leads to the next page, where there is one.
    pub next: Option<String>,
    /// Leads to the one before, where there is one.
    pub previous: Option<String>,
}

/// Where a record stands in an order; ascending.
type Key = (i64, i64, i64);

/// A place in an order, and whether what comes before it is wanted, or what comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    back: bool,
    key: Key,
}

impl Cursor {
    /// Stable under changes: the page goes on from the key, whether or not its record is still there.
    fn write(self, sort: Sort) -> String {
        let side = if self.back { 'b' } else { 'a' };
        let (a, b, c) = self.key;
        format!("{side}.{sort}.{a:x}.{b:x}.{c:x}")
    }

    fn read(text: &str, wanted: Sort) -> Option<Cursor> {
        let mut parts = text.split('.');
        let back = match parts.next()? {
            "a" => false,
            "b" => true,
            _ => return None,
        };
        if parts.next()?.parse::<Sort>().ok()? != wanted {
            return None;
        }
        let mut number = || u64::from_str_radix(parts.next()?, 16).ok().map(u64::cast_signed);
        let key = (number()?, number()?, number()?);
        parts.next().is_none().then_some(Cursor { back, key })
    }
}

/// The smallest keys of many, kept in twice the room that is needed so that each costs a comparison
/// and now and then a share of a selection, in whatever order they come.
struct Smallest<K> {
    kept: Vec<K>,
    wanted: usize,
    bound: Option<K>,
}

impl<K: Ord + Copy> Smallest<K> {
    fn new(wanted: usize) -> Self {
        Smallest { kept: Vec::new(), wanted: wanted.max(1), bound: None }
    }

    #[inline]
    fn push(&mut self, key: K) {
        if self.bound.is_some_and(|bound| key >= bound) {
            return;
        }
        self.kept.push(key);
        if self.kept.len() >= 4 * self.wanted + 512 {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.wanted {
            self.kept.select_nth_unstable(self.wanted - 1);
            self.kept.truncate(self.wanted);
            self.bound = self.kept.last().copied();
        }
    }

    fn full(&self) -> bool {
        self.kept.len() >= self.wanted
    }

    fn done(mut self) -> Vec<K> {
        self.cut();
        self.kept.sort_unstable();
        self.kept
    }
}

impl Index {
    /// A page of what was found. A cursor of another order, or one that is none, leads to the first.
    pub fn page(&self, matches: &Matches, sort: Sort, cursor: Option<&str>, limit: usize) -> Page {
        let limit = limit.clamp(1, 10_000);
        let cursor = cursor.and_then(|c| Cursor::read(c, sort));
        let total = matches.len();
        let mut page = match cursor {
            Some(Cursor { back: true, key }) => {
                let (mut keys, others) =
                    self.smallest(&matches.0, sort, limit + 1, Reverse, Some(Reverse(key)));
                let more = keys.len() > limit;
                keys.truncate(limit);
                let keys: Vec<Key> = keys.into_iter().rev().map(|k| k.0).collect();
                let before = total - others - keys.len() as u64;
                let mut page = turn(&keys, sort, more, others > 0);
                page.before = before;
                page
            }
            forward => {
                let from = forward.map(|c| c.key);
                let (mut keys, before) = self.smallest(&matches.0, sort, limit + 1, |k| k, from);
                let more = keys.len() > limit;
                keys.truncate(limit);
                let mut page = turn(&keys, sort, before > 0, more);
                page.before = before;
                page
            }
        };
        page.total = total;
        page
    }

    /// Every record that was found, in order, for what is exported: this sorts all of them.
    pub fn ordered(&self, matches: &Matches, sort: Sort) -> Vec<u32> {
        let mut keys: Vec<Key> = matches.iter().map(|no| self.key(sort, no)).collect();
        keys.sort_unstable();
        keys.into_iter().map(number).collect()
    }

    /// The first keys behind a place, and how many records are not behind it.
    fn smallest<K: Ord + Copy>(
        &self,
        matches: &RoaringBitmap,
        sort: Sort,
        wanted: usize,
        turned: impl Fn(Key) -> K,
        from: Option<K>,
    ) -> (Vec<K>, u64) {
        let mut smallest = Smallest::new(wanted);
        let mut skipped = 0;
        let backward = turned((0, 0, 0)) > turned((1, 0, 0));
        for (lead, bucket) in self.buckets(matches, sort, backward) {
            if smallest.full() {
                break;
            }
            let mut take = |no: u32| {
                let key = turned(self.key_in(sort, no, lead));
                if from.is_some_and(|from| key <= from) {
                    skipped += 1;
                } else {
                    smallest.push(key);
                }
            };
            // Numbers rise with time, and what was opened first is mostly due first: from the end that
            // the order begins with, few keys are kept.
            let newest = matches!(sort.by, SortBy::Updated | SortBy::Opened) != (sort.reversed != backward);
            if newest { bucket.iter().rev().for_each(&mut take) } else { bucket.iter().for_each(&mut take) }
        }
        (smallest.done(), skipped)
    }

    /// What was found in parts, each before the next in the order: where the order begins with a
    /// value of few, most records need not be looked at.
    fn buckets<'a>(
        &'a self,
        matches: &'a RoaringBitmap,
        sort: Sort,
        backward: bool,
    ) -> Box<dyn Iterator<Item = (Option<i64>, Cow<'a, RoaringBitmap>)> + 'a> {
        let column = match sort.by {
            SortBy::Priority => &self.columns[at::PRIORITY],
            SortBy::Severity => &self.columns[at::SEVERITY],
            _ => return Box::new(std::iter::once((None, Cow::Borrowed(matches)))),
        };
        if column.names.len() > 32 || matches.len() < 4096 {
            return Box::new(std::iter::once((None, Cow::Borrowed(matches))));
        }
        let mut groups: Vec<(i64, Vec<u32>)> = Vec::new();
        for code in column.all() {
            let lead = self.lead(sort, column.rank(code));
            match groups.iter_mut().find(|(l, _)| *l == lead) {
                Some((_, codes)) => codes.push(code),
                None => groups.push((lead, vec![code])),
            }
        }
        let none = self.lead(sort, None);
        if !groups.iter().any(|(l, _)| *l == none) {
            groups.push((none, Vec::new()));
        }
        groups.sort_unstable();
        if backward {
            groups.reverse();
        }
        Box::new(groups.into_iter().map(move |(lead, codes)| {
            let mut bits = column.any(&codes, self.slots()).as_ref() & matches;
            if lead == none {
                bits |= matches - column.filled();
            }
            (Some(lead), Cow::Owned(bits))
        }))
    }

    /// The first part of a key that begins with a value's rank.
    #[expect(clippy::cast_possible_truncation, reason = "ranks of priority and severity are small")]
    fn lead(&self, sort: Sort, rank: Option<f64>) -> i64 {
        let lead = match sort.by {
            SortBy::Severity => rank.map_or(i64::MAX, |r| -(r as i64)),
            _ => rank.map_or(i64::MAX, |r| r as i64),
        };
        if sort.reversed { -lead } else { lead }
    }

    /// Where a record stands in an order.
    fn key(&self, sort: Sort, no: u32) -> Key {
        self.key_in(sort, no, None)
    }

    /// The same, where the first part is known.
    #[inline]
    fn key_in(&self, sort: Sort, no: u32, lead: Option<i64>) -> Key {
        let due = || Some(self.due.get(no)).filter(|d| *d != NEVER).unwrap_or(i64::MAX);
        let rank = |place: usize| {
            let column = &self.columns[place];
            let rank = || column.raw(no).checked_sub(1).and_then(|c| column.rank(c));
            lead.unwrap_or_else(|| self.lead(sort, rank()))
        };
        let turn = |n: i64| if sort.reversed { n.saturating_neg() } else { n };
        let id = i64::from(no);
        match sort.by {
            SortBy::Priority => (rank(at::PRIORITY), turn(due()), turn(-id)),
            SortBy::Severity => (rank(at::SEVERITY), turn(due()), turn(-id)),
            SortBy::Due => (turn(due()), 0, turn(-id)),
            SortBy::Age => (turn(self.opened.get(no)), 0, turn(id)),
            SortBy::Updated => (turn(self.updated.get(no).saturating_neg()), 0, turn(-id)),
            SortBy::Opened => (turn(self.opened.get(no).saturating_neg()), 0, turn(-id)),
            SortBy::Id => (0, 0, turn(id)),
        }
    }
}

/// The number of the record that a key is of.
fn number(key: Key) -> u32 {
    u32::try_from(key.2.unsigned_abs()).unwrap_or(0)
}

fn turn(keys: &[Key], sort: Sort, previous: bool, next: bool) -> Page {
    let cursor = |key: Option<&Key>, back| key.map(|key| Cursor { back, key: *key }.write(sort));
    Page {
        numbers: keys.iter().map(|k| number(*k)).collect(),
        next: if next { cursor(keys.last(), false) } else { None },
        previous: if previous { cursor(keys.first(), true) } else { None },
        ..Page::default()
    }
}
