//! Whether what has to be done by a time is done by then: each clock, by severity.

use wardroom_model::Severity;

use super::{Count, SEVERITIES, Scope, slot, term};
use crate::index::at;

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

/// Each clock by severity, worst first; what has no record is left out.
pub fn promises(scope: Scope<'_>) -> Vec<Promise> {
    let index = scope.index;
    let severity = &index.columns[at::SEVERITY];
    let ranks = index.severities();
    let matches = scope.matches.bits();
    let mut all = Vec::new();
    for clock in &index.clocks {
        let mut counts = [[0_u64; 5]; 6];
        let rank = |no| usize::from(ranks[severity.raw(no) as usize]);
        (&clock.running & matches).iter().for_each(|no| {
            counts[rank(no)][if clock.due.get(no) < scope.now { 3 } else { 2 }] += 1;
        });
        (&clock.stopped & matches).iter().for_each(|no| {
            counts[rank(no)][usize::from(clock.due.get(no) < clock.ended.get(no))] += 1;
        });
        (&clock.paused & matches).iter().for_each(|no| counts[rank(no)][4] += 1);
        for severity in SEVERITIES {
            let counts = counts[slot(severity)];
            if counts == [0; 5] {
                continue;
            }
            let count = |at: usize, state: &str| Count {
                count: counts[at],
                search: scope.search(&format!("clock:{}/{state} {}", clock.name, term(severity))),
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
