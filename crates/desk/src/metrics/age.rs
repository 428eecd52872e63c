//! How old what is open is, and how long what was closed had been open: side by side, as the time of
//! closed records alone gets better when the hard ones are left lying.

use std::sync::LazyLock;

use wardroom_model::Severity;

use super::{Count, SEVERITIES, Scope, Spread, Window, slot, term};
use crate::Millis;
use crate::index::{NEVER, Times, at};

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
pub fn ages(scope: &Scope<'_>) -> Vec<AgeCell> {
    let index = scope.index;
    let severity = &index.columns[at::SEVERITY];
    let ranks = index.severities();
    // Older than `limits[b]` is beyond band `b`.
    let limits = BANDS.map(|b| b.to.map_or(Millis::MIN, |to| scope.now - (Millis::from(to) + 1) * DAY));
    let mut counts = [[0_u64; BANDS.len()]; 6];
    for no in scope.open().iter().copied() {
        let opened = index.opened.get(no);
        let band = limits[..BANDS.len() - 1].iter().map(|limit| usize::from(opened <= *limit)).sum::<usize>();
        counts[usize::from(ranks[severity.raw(no) as usize])][band] += 1;
    }
    let mut cells = Vec::new();
    for severity in SEVERITIES {
        for (band, count) in BANDS.into_iter().zip(counts[slot(severity)]) {
            let search = scope.search(&format!("is:open {} {}", term(severity), band.term()));
            cells.push(AgeCell { severity, band, count: Count { count, search } });
        }
    }
    cells
}

/// The ages of what is open; of what has a clock of some name where one is named.
pub fn open_ages(scope: &Scope<'_>, clock: Option<&str>) -> Spread {
    let due = timed(scope, clock);
    let open = scope.open().iter().filter(|no| due.is_none_or(|due| due.get(**no) != NEVER));
    Spread::of(&mut open.map(|no| scope.now - scope.index.opened.get(*no)).collect::<Vec<_>>())
}

/// From opened to closed, of what was closed within a window; of what has a clock of some name where one is named.
pub fn closed_times(scope: &Scope<'_>, window: Window, clock: Option<&str>) -> Spread {
    let (index, due) = (scope.index, timed(scope, clock));
    let closed = scope.closed(window);
    let closed = closed.iter().filter(|no| due.is_none_or(|due| due.get(**no) != NEVER));
    Spread::of(&mut closed.map(|no| index.closed.get(*no) - index.opened.get(*no)).collect::<Vec<_>>())
}

/// The moments at which a clock runs out: records without one have no such clock. Nothing has a clock that no
/// record ever had.
fn timed<'a>(scope: &Scope<'a>, clock: Option<&str>) -> Option<&'a Times> {
    static NONE: LazyLock<Times> = LazyLock::new(Times::default);
    let clock = clock?;
    Some(scope.index.clocks.iter().find(|c| c.name.eq_ignore_ascii_case(clock)).map_or(&*NONE, |c| &c.due))
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

/// The time to close and the age of what is open, by severity, worst first; of what has a clock of some name where
/// one is named.
pub fn times(scope: &Scope<'_>, window: Window, clock: Option<&str>) -> Vec<TimeRow> {
    let (index, due) = (scope.index, timed(scope, clock));
    let severity = &index.columns[at::SEVERITY];
    let ranks = index.severities();
    let mut closed: [Vec<Millis>; 6] = Default::default();
    let mut open: [Vec<Millis>; 6] = Default::default();
    let rank = |no| usize::from(ranks[severity.raw(no) as usize]);
    let has = |no| due.is_none_or(|due| due.get(no) != NEVER);
    for no in scope.open().iter().copied().filter(|no| has(*no)) {
        open[rank(no)].push(scope.now - index.opened.get(no));
    }
    for no in scope.closed(window).iter().copied().filter(|no| has(*no)) {
        closed[rank(no)].push(index.closed.get(no) - index.opened.get(no));
    }
    let of = clock.map(|name| format!("clock:{name} ")).unwrap_or_default();
    let row = |severity: Option<Severity>| TimeRow {
        severity,
        closed: Spread::of(&mut closed[slot(severity)]),
        closed_search: scope.search(&format!("{of}{} {}", term(severity), window.term("closed"))),
        open: Spread::of(&mut open[slot(severity)]),
        open_search: scope.search(&format!("{of}is:open {}", term(severity))),
    };
    SEVERITIES.into_iter().map(row).collect()
}
