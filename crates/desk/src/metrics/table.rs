//! A table with a row for each repository, team or owner.

use super::{Count, SEVERITIES, Scope, Spread, Window, slot, term};
use crate::Millis;
use crate::index::{NEVER, at};
use crate::query::exactly;

/// How the work of one repository, team or owner stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which; empty for records without one.
    pub value: String,
    /// Open.
    pub open: Count,
    /// Open, by severity: worst first, then those without one.
    pub by_severity: Vec<Count>,
    /// Open, and a clock has run out.
    pub late: Count,
    /// Opened within the window.
    pub opened: Count,
    /// Closed within the window.
    pub closed: Count,
    /// Of those, the time from opened to closed.
    pub time: Spread,
    /// Opened again at least once.
    pub reopened: Count,
}

#[derive(Clone, Default)]
struct Sums {
    any: u64,
    open: [u64; 6],
    late: u64,
    opened: u64,
    reopened: u64,
    lengths: Vec<Millis>,
}

/// A row for each value of a field (`repository`, `team`, `owner`), most open first, at most `top`.
/// A record with several values is in several rows. None where the field has no column.
pub fn rows(scope: Scope<'_>, field: &str, window: Window, top: usize) -> Option<Vec<Row>> {
    let index = scope.index;
    let column = &index.columns[index.schema().column(field)?];
    let severity = &index.columns[at::SEVERITY];
    let reopened = index.columns[at::REOPENED].filled();
    let ranks = index.severities();
    let (from, to) = window.moments(index);
    let mut sums = vec![Sums::default(); column.names.len() + 1];
    for no in scope.matches.bits() {
        let opened = index.opened.get(no);
        let closed = index.closed.get(no);
        let due = index.due.get(no);
        let rank = usize::from(ranks[severity.raw(no) as usize]);
        let mut add = |code: u32| {
            let sums = &mut sums[code as usize];
            sums.any += 1;
            sums.open[rank] += u64::from(closed == NEVER);
            sums.late += u64::from(closed == NEVER && due != NEVER && due < scope.now);
            sums.opened += u64::from(from <= opened && opened < to);
            if closed != NEVER && from <= closed && closed < to {
                sums.lengths.push(closed - opened);
            }
        };
        let mut valued = false;
        column.each(no, |code| {
            valued = true;
            add(code + 1);
        });
        if !valued {
            add(0);
        }
    }
    for no in &(reopened & scope.matches.bits()) {
        let mut valued = false;
        column.each(no, |code| {
            valued = true;
            sums[code as usize + 1].reopened += 1;
        });
        sums[0].reopened += u64::from(!valued);
    }
    let mut found: Vec<(u32, Sums)> = (0..).zip(sums).filter(|(_, s)| s.any > 0).collect();
    let name = |code: u32| code.checked_sub(1).map_or("", |c| column.names.name(c));
    found.sort_by(|a, b| {
        let open = |s: &Sums| s.open.iter().sum::<u64>();
        open(&b.1).cmp(&open(&a.1)).then_with(|| name(a.0).cmp(name(b.0)))
    });
    found.truncate(top);
    let rows = found.into_iter().map(|(code, mut sums)| {
        let value = name(code).to_owned();
        let own = if code == 0 {
            format!("no:{}", column.name)
        } else {
            exactly(column.shape, &column.name, &value)
        };
        let count =
            |count: u64, terms: &str| Count { count, search: scope.search(&format!("{own} {terms}")) };
        Row {
            open: count(sums.open.iter().sum(), "is:open"),
            by_severity: SEVERITIES
                .into_iter()
                .map(|s| count(sums.open[slot(s)], &format!("is:open {}", term(s))))
                .collect(),
            late: count(sums.late, "is:open is:late"),
            opened: count(sums.opened, &window.term("opened")),
            closed: count(sums.lengths.len() as u64, &window.term("closed")),
            time: Spread::of(&mut sums.lengths),
            reopened: count(sums.reopened, "is:reopened"),
            value,
        }
    });
    Some(rows.collect())
}

/// How many of those that closed came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Closed now, or opened again since they were.
    pub closed: u64,
    /// Opened again at least once.
    pub reopened: Count,
}

impl Rate {
    /// The share, 0 to 1; none where nothing has closed.
    #[expect(clippy::cast_precision_loss, reason = "counts of records are small")]
    pub fn share(&self) -> Option<f64> {
        (self.closed > 0).then(|| self.reopened.count as f64 / self.closed as f64)
    }
}

/// How often what had been closed was opened again.
pub fn reopened(scope: Scope<'_>) -> Rate {
    let index = scope.index;
    let matches = scope.matches.bits();
    let reopened = index.columns[at::REOPENED].filled() & matches;
    let closed = matches - &index.open;
    Rate {
        closed: closed.union_len(&reopened),
        reopened: Count { count: reopened.len(), search: scope.search("is:reopened") },
    }
}
