//! How old what is open is, and how long what was closed had been open: side by side, as the time of
//! closed records alone gets better when the hard ones are left lying.

use wardroom_model::Severity;

use super::{Count, SEVERITIES, Scope, Window, slot, term};
use crate::Millis;
use crate::index::at;

const DAY: Millis = 86_400_000;

/// A span of age in whole days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// From this age on.
    pub from: u32,
    /// Up to this age, itself among it; none for the last.
    pub to: Option<u32>,
}

/// A week, a month, a quarter, half a year, and older.
pub const BANDS: [Band; 5] = [
    Band { from: 0, to: Some(7) },
    Band { from: 8, to: Some(30) },
    Band { from: 31, to: Some(90) },
    Band { from: 91, to: Some(180) },
    Band { from: 181, to: None },
];

impl Band {
    fn term(self) -> String {
        match self {
            Band { from: 0, to: Some(to) } => format!("age:<={to}d"),
            Band { from, to: Some(to) } => format!("age:{from}d..{to}d"),
            Band { from, to: None } => format!("age:>={from}d"),
        }
    }
}

/// How many open records of a severity are of an age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeCell {
    /// The severity; none where a record has none.
    pub severity: Option<Severity>,
    /// The age.
    pub band: Band,
    /// How many.
    pub count: Count,
}

/// Open records by severity, worst first, and age, youngest first: a cell for each pair.
pub fn ages(scope: Scope<'_>) -> Vec<AgeCell> {
    let index = scope.index;
    let severity = &index.columns[at::SEVERITY];
    let ranks = index.severities();
    // Older than `limits[b]` is beyond band `b`.
    let limits = BANDS.map(|b| b.to.map_or(Millis::MIN, |to| scope.now - (Millis::from(to) + 1) * DAY));
    let mut counts = [[0_u64; BANDS.len()]; 6];
    (scope.matches.bits() & &index.open).iter().for_each(|no| {
        let opened = index.opened.get(no);
        let band = limits[..BANDS.len() - 1].iter().map(|limit| usize::from(opened <= *limit)).sum::<usize>();
        counts[usize::from(ranks[severity.raw(no) as usize])][band] += 1;
    });
    let mut cells = Vec::new();
    for severity in SEVERITIES {
        for (band, count) in BANDS.into_iter().zip(counts[slot(severity)]) {
            let search = scope.search(&format!("is:open {} {}", term(severity), band.term()));
            cells.push(AgeCell { severity, band, count: Count { count, search } });
        }
    }
    cells
}

/// How a number of lengths of time are spread, in milliseconds. Of no length all are 0. A
/// percentile is the smallest length that so many are not above (nearest rank). The mean stands only
/// beside the others: by itself it says little of lengths of which few are very long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// The middle.
    pub p50: Millis,
    /// Three quarters are not above it.
    pub p75: Millis,
    /// Nine tenths are not above it.
    pub p90: Millis,
    /// Nineteen in twenty are not above it.
    pub p95: Millis,
    /// The mean.
    pub mean: Millis,
}

impl Spread {
    /// Of some lengths, which are reordered.
    pub fn of(lengths: &mut [Millis]) -> Spread {
        let Some(last) = lengths.len().checked_sub(1) else { return Spread::default() };
        let sum: i128 = lengths.iter().map(|l| i128::from(*l)).sum();
        let mut spread = Spread {
            count: lengths.len() as u64,
            mean: Millis::try_from(sum / lengths.len() as i128).unwrap_or(Millis::MAX),
            ..Spread::default()
        };
        // The highest first: what is below it is what the next is looked for in.
        let mut end = last + 1;
        let len = lengths.len();
        let mut place = |percent: usize| {
            let rank = (len * percent).div_ceil(100).max(1) - 1;
            if rank < end {
                lengths[..end].select_nth_unstable(rank);
                end = rank;
            }
            lengths[rank]
        };
        spread.p95 = place(95);
        spread.p90 = place(90);
        spread.p75 = place(75);
        spread.p50 = place(50);
        spread
    }
}

/// The ages of what is open.
pub fn open_ages(scope: Scope<'_>) -> Spread {
    let open = scope.matches.bits() & &scope.index.open;
    let mut ages: Vec<Millis> = open.iter().map(|no| scope.now - scope.index.opened.get(no)).collect();
    Spread::of(&mut ages)
}

/// From opened to closed, of what was closed within a window.
pub fn closed_times(scope: Scope<'_>, window: Window) -> Spread {
    let index = scope.index;
    let (from, to) = window.moments(index);
    let closed = &*index.closed.within(from, to) & scope.matches.bits();
    let mut times: Vec<Millis> =
        closed.iter().map(|no| index.closed.get(no) - index.opened.get(no)).collect();
    Spread::of(&mut times)
}

/// Lengths of one severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRow {
    /// The severity; none where a record has none.
    pub severity: Option<Severity>,
    /// From opened to closed, of what was closed within the window.
    pub closed: Spread,
    /// Finds those.
    pub closed_search: String,
    /// The age of what is open now.
    pub open: Spread,
    /// Finds those.
    pub open_search: String,
}

/// The time to close and the age of what is open, by severity, worst first.
pub fn times(scope: Scope<'_>, window: Window) -> Vec<TimeRow> {
    let index = scope.index;
    let severity = &index.columns[at::SEVERITY];
    let ranks = index.severities();
    let (from, to) = window.moments(index);
    let mut closed: [Vec<Millis>; 6] = Default::default();
    let mut open: [Vec<Millis>; 6] = Default::default();
    let rank = |no| usize::from(ranks[severity.raw(no) as usize]);
    (&index.open & scope.matches.bits()).iter().for_each(|no| {
        open[rank(no)].push(scope.now - index.opened.get(no));
    });
    (&*index.closed.within(from, to) & scope.matches.bits()).iter().for_each(|no| {
        closed[rank(no)].push(index.closed.get(no) - index.opened.get(no));
    });
    let row = |severity: Option<Severity>| TimeRow {
        severity,
        closed: Spread::of(&mut closed[slot(severity)]),
        closed_search: scope.search(&format!("{} {}", term(severity), window.term("closed"))),
        open: Spread::of(&mut open[slot(severity)]),
        open_search: scope.search(&format!("is:open {}", term(severity))),
    };
    SEVERITIES.into_iter().map(row).collect()
}
