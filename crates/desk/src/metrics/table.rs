//! A table with a row for each repository, team or owner.

use wardroom_model::Severity;

use super::{Count, SEVERITIES, Scope, Spread, Window, slot, term};
use crate::Millis;
use crate::index::{Among, Column, NEVER, at};
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

/// A table for each field (`repository`, `team`, `owner`): a row for each of its values, most open first,
/// at most `top`. A record with several values is in several rows. None for a field without a column.
pub fn tables(scope: &Scope<'_>, fields: &[&str], window: Window, top: usize) -> Vec<Option<Vec<Row>>> {
    let index = scope.index;
    let matches = scope.matches.bits();
    let (from, to) = window.moments(index);
    let opened = &*index.opened.within(from, to) & matches;
    let reopened = index.columns[at::REOPENED].filled() & matches;
    // What is the same for every field is gone through once.
    let ranks = index.severities();
    let severity = &index.columns[at::SEVERITY];
    let open = scope.open().iter().map(|no| (*no, ranks[severity.raw(*no) as usize], is_late(scope, *no)));
    let closed = scope.closed(window);
    let closed = closed.iter().map(|no| (*no, index.closed.get(*no) - index.opened.get(*no)));
    let parts = Parts {
        any: Among::new(matches, &index.all),
        opened: Among::new(&opened, &index.all),
        reopened: Among::new(&reopened, &index.all),
        open: open.collect(),
        closed: closed.collect(),
    };
    let table = |field: &&str| {
        let column = &index.columns[index.schema().column(field)?];
        Some(rows(scope, column, &parts, window, top))
    };
    fields.iter().map(table).collect()
}

/// What tables count.
struct Parts<'a> {
    any: Among<'a>,
    opened: Among<'a>,
    reopened: Among<'a>,
    /// Number, rank of the severity and 1, and whether it is late.
    open: Vec<(u32, u8, bool)>,
    /// Number, and how long it had been open.
    closed: Vec<(u32, Millis)>,
}

/// Calls for each value of a record, counted from 1, or for 0 where it has none.
#[inline]
fn each(column: &Column, no: u32, mut call: impl FnMut(usize)) {
    let mut valued = false;
    column.each(no, |code| {
        valued = true;
        call(code as usize + 1);
    });
    if !valued {
        call(0);
    }
}

fn rows(scope: &Scope<'_>, column: &Column, parts: &Parts<'_>, window: Window, top: usize) -> Vec<Row> {
    // By value; what has none is first.
    let counts = |among: &Among<'_>| -> Vec<u64> {
        let none = among.len() - among.bits().intersection_len(column.filled());
        std::iter::once(none).chain(column.counts(among).into_iter().map(u64::from)).collect()
    };
    let (any, opened, reopened) = (counts(&parts.any), counts(&parts.opened), counts(&parts.reopened));
    let mut severities = vec![[0_u64; 6]; any.len()];
    let mut late = vec![0_u64; any.len()];
    for (no, rank, is_late) in &parts.open {
        each(column, *no, |code| {
            severities[code][usize::from(*rank)] += 1;
            late[code] += u64::from(*is_late);
        });
    }
    let mut lengths: Vec<Vec<Millis>> = vec![Vec::new(); any.len()];
    for (no, length) in &parts.closed {
        each(column, *no, |code| lengths[code].push(*length));
    }
    let open: Vec<u64> = severities.iter().map(|s| s.iter().sum()).collect();
    let name = |code: usize| match code.checked_sub(1).map(u32::try_from) {
        Some(Ok(code)) => column.names.name(code),
        _ => "",
    };
    let mut found: Vec<usize> = (0..any.len()).filter(|code| any[*code] > 0).collect();
    found.sort_by(|a, b| open[*b].cmp(&open[*a]).then_with(|| name(*a).cmp(name(*b))));
    found.truncate(top);
    let rows = found.into_iter().map(|code| {
        let value = name(code).to_owned();
        let own = if code == 0 {
            format!("no:{}", column.name)
        } else {
            exactly(column.shape, &column.name, &value)
        };
        let count =
            |count: u64, terms: &str| Count { count, search: scope.search(&format!("{own} {terms}")) };
        Row {
            open: count(open[code], "is:open"),
            by_severity: SEVERITIES
                .into_iter()
                .map(|s| count(severities[code][slot(s)], &format!("is:open {}", term(s))))
                .collect(),
            late: count(late[code], "is:open is:late"),
            opened: count(opened[code], &window.term("opened")),
            closed: count(lengths[code].len() as u64, &window.term("closed")),
            time: Spread::of(&mut lengths[code]),
            reopened: count(reopened[code], "is:reopened"),
            value,
        }
    });
    rows.collect()
}

/// Whether a record's next clock has run out; that of a closed one has not.
#[inline]
fn is_late(scope: &Scope<'_>, no: u32) -> bool {
    let due = scope.index.due.get(no);
    due != NEVER && due < scope.now
}

/// How much is late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Late {
    /// All.
    pub all: u64,
    /// Of critical severity.
    pub critical: u64,
    /// Of high severity.
    pub high: u64,
}

/// How much of what is open is late.
pub fn late(scope: &Scope<'_>) -> Late {
    let ranks = scope.index.severities();
    let severity = &scope.index.columns[at::SEVERITY];
    let mut counts = [0_u64; 6];
    for no in scope.open().iter().copied() {
        counts[usize::from(ranks[severity.raw(no) as usize])] += u64::from(is_late(scope, no));
    }
    let of = |severity| counts[slot(Some(severity))];
    Late { all: counts.iter().sum(), critical: of(Severity::Critical), high: of(Severity::High) }
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
pub fn reopened(scope: &Scope<'_>) -> Rate {
    let index = scope.index;
    let matches = scope.matches.bits();
    let reopened = index.columns[at::REOPENED].filled() & matches;
    let closed = matches - &index.open;
    Rate {
        closed: closed.union_len(&reopened),
        reopened: Count { count: reopened.len(), search: scope.search("is:reopened") },
    }
}
