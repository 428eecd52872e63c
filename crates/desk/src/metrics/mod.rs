//! Figures on how the work goes, from the same columns as the lists.
//!
//! Every function looks at what a search found ([`Matches`]), so that a figure is of one team, one
//! repository or one kind where the search is. Every figure carries the search that opens the
//! records behind it: two charts, or a chart and a list, cannot disagree.

mod age;
mod backlog;
mod precision;
mod promise;
mod spread;
mod table;

use std::borrow::Cow;
use std::cell::OnceCell;

use jiff::civil::Date;
use wardroom_model::Severity;

pub use age::{AgeCell, BANDS, Band, TimeRow, ages, closed_times, open_ages, times};
pub use backlog::{Week, backlog};
pub use precision::{Precision, RulePrecision, Verdict, precision, precision_of};
pub use promise::{Promise, promises};
pub use spread::Spread;
pub use table::{Late, Rate, Row, late, reopened, tables};

use crate::index::{Index, Matches};
use crate::{Millis, Query};

/// What figures are taken of. What several figures go through is listed once.
#[derive(Debug)]
pub struct Scope<'a> {
    index: &'a Index,
    query: &'a Query,
    matches: &'a Matches,
    now: Millis,
    numbers: OnceCell<Vec<u32>>,
    open: OnceCell<Vec<u32>>,
    closed: OnceCell<(Window, Vec<u32>)>,
}

impl<'a> Scope<'a> {
    /// All records, the search that the figures are limited to, what it found for whoever looks, and the present.
    pub fn new(index: &'a Index, query: &'a Query, matches: &'a Matches, now: Millis) -> Scope<'a> {
        let (numbers, open, closed) = Default::default();
        Scope { index, query, matches, now, numbers, open, closed }
    }

    /// All, by number.
    fn numbers(&self) -> &[u32] {
        self.numbers.get_or_init(|| self.matches.iter().collect())
    }

    /// What is open.
    fn open(&self) -> &[u32] {
        self.open.get_or_init(|| (&self.index.open & self.matches.bits()).iter().collect())
    }

    /// What was closed within a window. One window is kept: a page asks for one.
    fn closed(&self, window: Window) -> Cow<'_, [u32]> {
        let list = || {
            let (from, to) = window.moments(self.index);
            (&*self.index.closed.within(from, to) & self.matches.bits()).iter().collect()
        };
        match self.closed.get_or_init(|| (window, list())) {
            (kept, numbers) if *kept == window => Cow::Borrowed(numbers),
            _ => Cow::Owned(list()),
        }
    }

    /// The search that leads to a part of what the figures are of.
    fn search(&self, terms: &str) -> String {
        self.query.without_key("sort").without_key("group").with(terms).to_string()
    }
}

/// A number, and the search that opens the records behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many records.
    pub count: u64,
    /// Finds them.
    pub search: String,
}

/// Days, both ends among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub from: Date,
    /// The last.
    pub to: Date,
}

impl Window {
    /// From the first moment of the first day to the first after the last.
    fn moments(self, index: &Index) -> (Millis, Millis) {
        let calendar = index.calendar();
        (calendar.start_of(self.from), calendar.start_of(self.to.tomorrow().unwrap_or(self.to)))
    }

    /// The window as a search writes it.
    fn term(self, name: &str) -> String {
        format!("{name}:{}..{}", self.from, self.to)
    }
}

/// Severities as columns of a table, worst first; none for records without one.
const SEVERITIES: [Option<Severity>; 6] = [
    Some(Severity::Critical),
    Some(Severity::High),
    Some(Severity::Medium),
    Some(Severity::Low),
    Some(Severity::Info),
    None,
];

/// The term for a severity.
fn term(severity: Option<Severity>) -> String {
    severity.map_or_else(|| "no:severity".to_owned(), |s| format!("severity:{s}"))
}

/// The place in a table of six for a severity's rank and 1.
fn slot(severity: Option<Severity>) -> usize {
    severity.map_or(0, |s| s as usize + 1)
}
