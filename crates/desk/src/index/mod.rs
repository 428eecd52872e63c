//! All records in memory, by column: what lists, filters, counts, search and metrics are answered
//! from.
//!
//! A record's number is its slot. Each field that searches can name is a column: its distinct
//! values once, a code for each record, and for each value the records that have it. Moments are
//! plain arrays. Words lead to records by an inverted index. Nothing is read from a store here, and
//! no clock is asked: `now` is a parameter.

mod cell;
mod column;
mod facet;
mod find;
mod page;
mod plain;
mod posting;
mod schema;
mod words;

use std::borrow::Cow;

use roaring::RoaringBitmap;
use wardroom_program::{Calendar, Program};

use crate::{Record, RecordId, Running};

pub use facet::{Branch, Facet, FacetValue, Group};
pub use page::{NoSort, Page, Sort, SortBy};
pub use schema::{Moment, Name, Place, Schema, Shape};

pub(crate) use column::{Among, Column};
pub(crate) use find::{lower, same};
pub(crate) use plain::{NEVER, Times};
pub(crate) use schema::{HAS, IS, SORTS, column as at, days};

/// Who looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Their login; none for a token.
    pub login: Option<String>,
    /// Their team.
    pub team: Option<String>,
    /// They may see confidential records. For others there are none: not in lists, not in counts,
    /// not among the values that are offered.
    pub sees_confidential: bool,
}

/// Records that a search found, by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches(RoaringBitmap);

impl Matches {
    /// How many.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a record is among them.
    pub fn contains(&self, no: u32) -> bool {
        self.0.contains(no)
    }

    /// Their numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter()
    }

    /// The bitmap itself.
    pub fn bits(&self) -> &RoaringBitmap {
        &self.0
    }
}

impl From<RoaringBitmap> for Matches {
    fn from(bits: RoaringBitmap) -> Self {
        Matches(bits)
    }
}

/// One of the program's clocks, over all records.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClockColumn {
    pub name: String,
    pub due: Times,
    /// When it stopped.
    pub ended: Times,
    pub stopped: RoaringBitmap,
    pub running: RoaringBitmap,
    pub paused: RoaringBitmap,
}

/// All records, by column.
#[derive(Clone, Debug)]
pub struct Index {
    schema: Schema,
    calendar: Calendar,
    /// The highest number.
    slots: u32,
    pub(crate) all: RoaringBitmap,
    pub(crate) open: RoaringBitmap,
    pub(crate) confidential: RoaringBitmap,
    pub(crate) present: RoaringBitmap,
    pub(crate) seen: RoaringBitmap,
    commented: RoaringBitmap,
    attached: RoaringBitmap,
    evidence: RoaringBitmap,
    pub(crate) columns: Vec<Column>,
    pub(crate) opened: Times,
    pub(crate) updated: Times,
    pub(crate) entered: Times,
    pub(crate) closed: Times,
    pub(crate) due: Times,
    pub(crate) clocks: Vec<ClockColumn>,
    words: words::Words,
}

impl Index {
    /// An index without records, for the fields that a program declares. When the program changes,
    /// a new one is built.
    pub fn new(program: &Program) -> Index {
        let schema = Schema::new(program);
        let columns =
            schema.columns.iter().map(|(name, shape, many)| Column::new(name, *shape, *many)).collect();
        Index {
            schema,
            calendar: program.calendar.clone(),
            slots: 0,
            all: RoaringBitmap::new(),
            open: RoaringBitmap::new(),
            confidential: RoaringBitmap::new(),
            present: RoaringBitmap::new(),
            seen: RoaringBitmap::new(),
            commented: RoaringBitmap::new(),
            attached: RoaringBitmap::new(),
            evidence: RoaringBitmap::new(),
            columns,
            opened: Times::default(),
            updated: Times::default(),
            entered: Times::default(),
            closed: Times::default(),
            due: Times::default(),
            clocks: Vec::new(),
            words: words::Words::default(),
        }
    }

    /// Takes a record in, in place of what was there under its number.
    pub fn put(&mut self, record: &Record) {
        let no = record.id.no;
        self.slots = self.slots.max(no);
        let slots = self.slots;
        for (bits, is) in [
            (&mut self.all, true),
            (&mut self.open, record.open),
            (&mut self.confidential, record.confidential),
            (&mut self.present, record.seen.values().any(|s| s.present)),
            (&mut self.seen, !record.seen.is_empty()),
            (&mut self.commented, record.comments > 0),
            (&mut self.attached, record.files > 0),
            (&mut self.evidence, record.evidence.is_some()),
        ] {
            if is {
                bits.insert(no);
            } else {
                bits.remove(no);
            }
        }
        self.opened.set(no, Some(record.opened), slots);
        self.updated.set(no, Some(record.updated), slots);
        self.entered.set(no, Some(record.entered), slots);
        self.closed.set(no, record.closed, slots);
        self.due.set(no, record.due().map(|(_, due)| due), slots);
        self.put_clocks(record);
        self.put_values(record);
    }

    fn put_clocks(&mut self, record: &Record) {
        let no = record.id.no;
        for name in record.clocks.keys() {
            if !self.clocks.iter().any(|c| c.name == *name) {
                self.clocks.push(ClockColumn { name: name.clone(), ..ClockColumn::default() });
            }
        }
        for column in &mut self.clocks {
            let clock = record.clocks.get(&column.name);
            column.due.set(no, clock.map(|c| c.due), self.slots);
            let running = clock.map(|c| c.running);
            for (bits, is) in [
                (&mut column.running, matches!(running, Some(Running::Running))),
                (&mut column.paused, matches!(running, Some(Running::Paused { .. }))),
                (&mut column.stopped, matches!(running, Some(Running::Stopped { .. }))),
            ] {
                if is {
                    bits.insert(no);
                } else {
                    bits.remove(no);
                }
            }
            let ended = match running {
                Some(Running::Stopped { at }) => Some(at),
                _ => None,
            };
            column.ended.set(no, ended, self.slots);
        }
    }

    fn put_values(&mut self, record: &Record) {
        let Index { columns, words, schema, slots, .. } = self;
        let (no, slots) = (record.id.no, *slots);
        let fields = schema.fields.get(&record.kind);
        for (place, column) in columns.iter_mut().enumerate() {
            let worded = column.shape == Shape::Word;
            let fresh = |code: u32, text: &str| {
                if worded {
                    words.value(short(place), code, text);
                }
            };
            match place {
                at::KIND => column.put(no, one(&record.kind), slots, fresh),
                at::STATE => column.put(no, one(&record.state), slots, fresh),
                at::LABEL => column.put(no, record.labels.iter().map(|l| l.as_str().into()), slots, fresh),
                at::MENTIONS => {
                    column.put(no, record.mentioned.iter().map(|l| l.as_str().into()), slots, fresh)
                }
                at::LINK => {
                    let names = record.links.iter().map(|l| l.relation.as_str().into());
                    column.put(no, names, slots, fresh);
                }
                at::BRANCH => {
                    let present = record.seen.iter().filter(|(_, s)| s.present);
                    column.put(no, present.map(|(b, _)| b.as_str().into()), slots, fresh);
                }
                at::REOPENED => {
                    let times = (record.reopened > 0).then(|| record.reopened.to_string().into());
                    column.put(no, times.into_iter(), slots, fresh);
                }
                _ => {
                    // A field of that name in a kind that does not offer it to searches stays out.
                    let offered = place <= at::PRIORITY || fields.is_some_and(|f| f.contains(&column.name));
                    let value = record.fields.get(&column.name).filter(|_| offered);
                    column.put(no, value.and_then(cell::text).into_iter(), slots, fresh);
                }
            }
        }
        let texts = schema.texts.iter().enumerate();
        let offered = texts.filter(|(_, name)| fields.is_some_and(|f| f.contains(*name)) || *name == "title");
        let first = columns.len();
        words.record(no, offered.map(|(at, name)| (short(first + at), record.text(name))));
    }

    /// What searches can name.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How many records there are.
    pub fn len(&self) -> u64 {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The name of a record.
    pub fn id(&self, no: u32) -> Option<RecordId> {
        let kind = self.columns[at::KIND].value(no)?;
        self.schema.kinds.get(kind).map(|prefix| RecordId::new(prefix, no))
    }

    /// Every record that somebody may see.
    pub fn visible(&self, viewer: &Viewer) -> Matches {
        Matches(if viewer.sees_confidential { self.all.clone() } else { &self.all - &self.confidential })
    }

    /// A record's value of a field that has a column; the first of several.
    pub fn value(&self, no: u32, field: &str) -> Option<&str> {
        self.columns[self.schema.column(field)?].value(no)
    }

    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    pub(crate) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    pub(crate) fn time(&self, moment: Moment) -> &Times {
        match moment {
            Moment::Opened => &self.opened,
            Moment::Updated => &self.updated,
            Moment::Entered => &self.entered,
            Moment::Closed => &self.closed,
            Moment::Due => &self.due,
        }
    }

    /// About how much memory each part takes: name and bytes.
    pub fn memory(&self) -> Vec<(String, usize)> {
        let mut parts: Vec<(String, usize)> =
            self.columns.iter().map(|c| (format!("column {}", c.name), c.memory())).collect();
        let times = [&self.opened, &self.updated, &self.entered, &self.closed, &self.due];
        parts.push(("moments".to_owned(), times.iter().map(|t| t.memory()).sum()));
        let clocks = self.clocks.iter().map(|c| c.due.memory() + c.ended.memory()).sum();
        parts.push(("clocks".to_owned(), clocks));
        parts.push(("words".to_owned(), self.words.memory()));
        parts
    }
}

fn one(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    std::iter::once(Cow::Borrowed(text))
}

/// Places are few: columns and texts of a program.
fn short(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}
