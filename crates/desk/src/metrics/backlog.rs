//! What came in, what was closed and what was left, week by week.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::{Count, Scope, Window};
use crate::Millis;
use crate::index::NEVER;

/// Most weeks: ten years.
const MOST: u32 = 520;

/// One week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its Monday.
    pub monday: Date,
    /// Opened in it.
    pub opened: Count,
    /// Closed in it, of what is closed now: a record that was opened again counts when it closes
    /// for the last time.
    pub closed: Count,
    /// Open when it was over, by the same measure; for the present week, open now.
    pub open: Count,
}

/// The last so many weeks, oldest first, the present one last.
pub fn backlog(scope: &Scope<'_>, weeks: u32) -> Vec<Week> {
    let index = scope.index;
    let weeks = weeks.clamp(1, MOST);
    let today = index.calendar().date(scope.now);
    let since = i32::from(today.weekday().since(Weekday::Monday));
    let monday = |back: u32| {
        let days = since + 7 * i32::try_from(back).unwrap_or(0);
        today.checked_sub(days.days()).unwrap_or(today)
    };
    let mondays: Vec<Date> = (0..weeks).rev().map(monday).collect();
    let next = mondays[mondays.len() - 1].checked_add(7.days()).unwrap_or(today);
    // The beginnings of the weeks, and the end of the last.
    let edges: Vec<Millis> =
        mondays.iter().chain([&next]).map(|day| index.calendar().start_of(*day)).collect();
    let buckets = Buckets::new(&edges);
    // The first is for what came before, the last for what comes after.
    let mut opened = vec![0_u64; edges.len() + 1];
    let mut closed = vec![0_u64; edges.len() + 1];
    for no in scope.numbers().iter().copied() {
        opened[buckets.of(index.opened.get(no))] += 1;
        let at = index.closed.get(no);
        if at != NEVER {
            closed[buckets.of(at)] += 1;
        }
    }
    let mut open = opened[0].saturating_sub(closed[0]);
    let mut all = Vec::new();
    for (at, monday) in mondays.into_iter().enumerate() {
        let (came, went) = (opened[at + 1], closed[at + 1]);
        open = (open + came).saturating_sub(went);
        let sunday = monday.checked_add(6.days()).unwrap_or(monday);
        let within = Window { from: monday, to: sunday };
        all.push(Week {
            monday,
            opened: Count { count: came, search: scope.search(&within.term("opened")) },
            closed: Count { count: went, search: scope.search(&within.term("closed")) },
            open: Count {
                count: open,
                search: scope.search(&format!("opened:<={sunday} -closed:<={sunday}")),
            },
        });
    }
    all
}

/// Finds the week of a moment without a search: weeks are all but equally long.
struct Buckets<'a> {
    edges: &'a [Millis],
}

const WEEK: Millis = 7 * 86_400_000;

impl<'a> Buckets<'a> {
    fn new(edges: &'a [Millis]) -> Self {
        Buckets { edges }
    }

    /// How many edges are not after a moment.
    #[inline]
    fn of(&self, moment: Millis) -> usize {
        let edges = self.edges;
        if moment < edges[0] {
            return 0;
        }
        let guess = usize::try_from((moment - edges[0]) / WEEK).unwrap_or(usize::MAX);
        let mut at = guess.min(edges.len() - 1);
        // A change of the clock moves an edge by an hour.
        if edges[at] > moment {
            at -= 1;
        } else if at + 1 < edges.len() && edges[at + 1] <= moment {
            at += 1;
        }
        at + 1
    }
}
