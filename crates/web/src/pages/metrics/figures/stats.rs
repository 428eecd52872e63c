//! The row of figures at the top of the page.

use wardroom_desk::metrics::{self, Scope, Window};
use wardroom_desk::query::Query;

use super::{Kept, href, in_days};
use crate::chart::{days, percent};
use crate::pages::list;
use crate::view::number;

/// One of the figures at the top.
#[derive(Clone, Debug, Default)]
pub struct Stat {
    pub name: &'static str,
    pub value: String,
    pub note: String,
    pub href: String,
    pub bad: bool,
}

/// The row of figures at the top.
pub fn stats(
    scope: Scope<'_>,
    open: Scope<'_>,
    timed: Scope<'_>,
    window: Window,
    weeks: &[metrics::Week],
    kept: &[Kept],
    clock: Option<&str>,
) -> Vec<Stat> {
    let count = |terms: &str| {
        let (query, _) = Query::parse(terms);
        scope.index.among(&query, open.matches, scope.now).len()
    };
    let now_open = open.matches.len();
    let before = weeks.len().checked_sub(2).map(|at| weeks[at].open.count);
    let note = match before {
        Some(before) if before > now_open => {
            format!("{} fewer than at the week's beginning", number(before - now_open))
        }
        Some(before) if before < now_open => {
            format!("{} more than at the week's beginning", number(now_open - before))
        }
        Some(_) => "as many as at the week's beginning".to_owned(),
        None => String::new(),
    };
    let late = count("is:late");
    let (bad, high) = (count("is:late severity:critical"), count("is:late severity:high"));
    let all = kept.iter().filter(|k| clock.is_none_or(|name| k.clock.eq_ignore_ascii_case(name)));
    let (met, due) = all
        .fold((0, 0), |(met, due), k| (met + k.met.count, due + k.met.count + k.missed.count + k.late.count));
    let time = in_days(metrics::closed_times(timed, window));
    let open_age = middle_age(timed);
    let came_back = metrics::reopened(scope);
    vec![
        Stat {
            name: "Open",
            value: number(now_open),
            note,
            href: list::address("/queue", open.query),
            bad: false,
        },
        Stat {
            name: "Late",
            value: number(late),
            note: format!("{} critical, {} high", number(bad), number(high)),
            href: list::address("/queue", &open.query.with("is:late")),
            bad: late > 0,
        },
        Stat {
            name: "In time",
            value: percent(met, due),
            note: format!("{} of {} that were due", number(met), number(due)),
            href: "#clocks".to_owned(),
            bad: false,
        },
        Stat {
            name: "Half are closed within",
            value: if time.count == 0 { "–".to_owned() } else { days(time.p50) },
            note: open_age
                .map_or("nothing is open".to_owned(), |d| format!("half of the open are older than {d} d")),
            href: "#times".to_owned(),
            bad: false,
        },
        Stat {
            name: "Came back",
            value: number(came_back.reopened.count),
            note: format!("{} of what was ever closed", percent(came_back.reopened.count, came_back.closed)),
            href: href(&came_back.reopened.search),
            bad: false,
        },
    ]
}

/// The age in whole days that half of what is open has reached.
pub fn middle_age(scope: Scope<'_>) -> Option<i64> {
    let ages = metrics::open_ages(scope);
    (ages.count > 0).then_some(ages.p50 / 86_400_000)
}
