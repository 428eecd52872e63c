//! A table with a row for each repository, team or owner.

use super::{Count, SEVERITIES, Scope, Spread, Window, slot, term};
use roaring::RoaringBitmap;

use crate::Millis;
use crate::index::{Among, NEVER, at};
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

/// A row for each value of a field (`repository`, `team`, `owner`), most open first, at most `top`.
/// A record with several values is in several rows. None where the field has no column.
pub fn rows(scope: Scope<'_>, field: &str, window: Window, top: usize) -> Option<Vec<Row>> {
    let index = scope.index;
    let column = &index.columns[index.schema().column(field)?];
    let matches = scope.matches.bits();
    let (from, to) = window.moments(index);
    // By value; what has none is first.
    let counts = |of: &RoaringBitmap| -> Vec<u64> {
        let none = of.len() - of.intersection_len(column.filled());
        let counts = column.counts(&Among::new(of, &index.all));
        std::iter::once(none).chain(counts.into_iter().map(u64::from)).collect()
    };
    let closed_bits = &*index.closed.within(from, to) & matches;
    let any = counts(matches);
    // What is open is gone through once for all that is asked of it: by severity, and what is late.
    let ranks = index.severities();
    let severity = &index.columns[at::SEVERITY];
    let mut severities = vec![[0_u64; 6]; any.len()];
    let mut late = vec![0_u64; any.len()];
    (&index.open & matches).iter().for_each(|no| {
        let rank = usize::from(ranks[severity.raw(no) as usize]);
        let due = index.due.get(no);
        let is_late = u64::from(due != NEVER && due < scope.now);
        let mut add = |code: usize| {
            severities[code][rank] += 1;
            late[code] += is_late;
        };
        let mut valued = false;
        column.each(no, |code| {
            valued = true;
            add(code as usize + 1);
        });
        if !valued {
            add(0);
        }
    });
    let open: Vec<u64> = severities.iter().map(|s| s.iter().sum()).collect();
    let opened = counts(&(&*index.opened.within(from, to) & matches));
    let reopened = counts(&(index.columns[at::REOPENED].filled() & matches));
    let mut lengths: Vec<Vec<Millis>> = vec![Vec::new(); any.len()];
    closed_bits.iter().for_each(|no| {
        let length = index.closed.get(no) - index.opened.get(no);
        let mut valued = false;
        column.each(no, |code| {
            valued = true;
            lengths[code as usize + 1].push(length);
        });
        if !valued {
            lengths[0].push(length);
        }
    });
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
