//! The row of figures at the top of the page.

use wardroom_desk::metrics::{self, Promise, Scope, Window};
use wardroom_desk::query::Query;

use super::{href, in_days};
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
    scope: &Scope<'_>,
    query: &Query,
    window: Window,
    weeks: &[metrics::Week],
    promises: &[Promise],
    clock: Option<&str>,
) -> Vec<Stat> {
    let now_open = weeks.last().map_or(0, |w| w.open.count);
    let open = query.with("is:open");
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
    let late = metrics::late(scope);
    let all = promises.iter().filter(|p| clock.is_none_or(|name| p.clock.eq_ignore_ascii_case(name)));
    let (met, due) = all
        .fold((0, 0), |(met, due), p| (met + p.met.count, due + p.met.count + p.missed.count + p.late.count));
    let time = in_days(metrics::closed_times(scope, window, clock));
    let open_age = middle_age(scope, clock);
    let came_back = metrics::reopened(scope);
    vec![
        Stat {
            name: "Open",
            value: number(now_open),
            note,
            href: list::address("/queue", &open),
            bad: false,
        },
        Stat {
            name: "Late",
            value: number(late.all),
            note: format!("{} critical, {} high", number(late.critical), number(late.high)),
            href: list::address("/queue", &open.with("is:late")),
            bad: late.all > 0,
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

/// The age in whole days that half of what is open has reached; of what has a clock where one is named.
pub fn middle_age(scope: &Scope<'_>, clock: Option<&str>) -> Option<i64> {
    let ages = metrics::open_ages(scope, clock);
    (ages.count > 0).then_some(ages.p50 / 86_400_000)
}
