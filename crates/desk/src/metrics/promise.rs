//! Whether what has to be done by a time is done by then: each clock, by severity.

use wardroom_model::Severity;

use super::{Count, SEVERITIES, Scope, Window, slot, term};
use crate::Millis;
use crate::index::{NEVER, at};

/// How one clock stands on the records of one severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The clock's name.
    pub clock: String,
    /// The severity; none where a record has none.
    pub severity: Option<Severity>,
    /// Done in time.
    pub met: Count,
    /// Done late.
    pub missed: Count,
    /// Not done; there is time.
    pub running: Count,
    /// Not done, and late.
    pub late: Count,
    /// Standing still.
    pub paused: Count,
}

impl Promise {
    /// The share done in time of what was done or should have been, 0 to 1; none where that is none.
    /// What is late counts as missed: otherwise the share would rise by leaving late work undone.
    #[expect(clippy::cast_precision_loss, reason = "counts of records are small")]
    pub fn share(&self) -> Option<f64> {
        let due = self.met.count + self.missed.count + self.late.count;
        (due > 0).then(|| self.met.count as f64 / due as f64)
    }
}

/// Each clock by severity, worst first; what has no record is left out. With a window, of what is done only what was
/// closed within it, and of the rest only what is open.
pub fn promises(scope: &Scope<'_>, window: Option<Window>) -> Vec<Promise> {
    let index = scope.index;
    let severity = &index.columns[at::SEVERITY];
    let ranks = index.severities();
    let mut all = Vec::new();
    let matches = scope.matches.bits();
    for clock in &index.clocks {
        // A clock of another kind is not looked for record by record.
        if [&clock.running, &clock.stopped, &clock.paused].into_iter().all(|of| of.is_disjoint(matches)) {
            continue;
        }
        let mut counts = [[0_u64; 5]; 6];
        // How a clock that a record has stands: 0 and 1 are done.
        let standing = |no: u32, due: Millis| match clock.ended.get(no) {
            NEVER if !clock.paused.is_empty() && clock.paused.contains(no) => 4,
            NEVER if due < scope.now => 3,
            NEVER => 2,
            ended => usize::from(due < ended),
        };
        let mut count = |numbers: &[u32], counted: fn(usize) -> bool| {
            for no in numbers.iter().copied() {
                let due = clock.due.get(no);
                if due != NEVER {
                    let standing = standing(no, due);
                    counts[usize::from(ranks[severity.raw(no) as usize])][standing] +=
                        u64::from(counted(standing));
                }
            }
        };
        match window {
            None => count(scope.numbers(), |_| true),
            Some(window) => {
                count(&scope.closed(window), |standing| standing < 2);
                count(scope.open(), |standing| standing >= 2);
            }
        }
        let (done, rest) = match window {
            None => (String::new(), ""),
            Some(window) => (window.term("closed"), "is:open"),
        };
        for severity in SEVERITIES {
            let counts = counts[slot(severity)];
            if counts == [0; 5] {
                continue;
            }
            let count = |at: usize, state: &str| {
                let part = if at < 2 { &done } else { rest };
                let search = format!("{part} clock:{}/{state} {}", clock.name, term(severity));
                Count { count: counts[at], search: scope.search(search.trim_start()) }
            };
            all.push(Promise {
                clock: clock.name.clone(),
                severity,
                met: count(0, "met"),
                missed: count(1, "missed"),
                running: count(2, "running"),
                late: count(3, "late"),
                paused: count(4, "paused"),
            });
        }
    }
    all.sort_by(|a, b| a.clock.cmp(&b.clock));
    all
}
