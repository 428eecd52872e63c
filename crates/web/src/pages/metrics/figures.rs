//! The figures of the page: what the index counts, put into charts.

mod stats;

use std::collections::HashMap;

use wardroom_desk::index::Shape;
use wardroom_desk::metrics::{self, Count, Promise, Scope, Spread as Lengths, Window};
use wardroom_desk::query::{Query, exactly};
use wardroom_desk::{Index, Millis, Viewer};
use wardroom_model::Severity;
use wardroom_program::{Due, Kind, Period, Program};

use crate::chart::{
    Ages, Bar, Bars, Cell, Fill, Flow, Part, Spread, Stack, Stacked, Table, TableRow, Times, Week, days,
};
use crate::pages::list;
use crate::pages::rules;
use crate::view::{day, title};

use stats::{Stat, stats};

/// What the figures are of where nothing is asked: findings that have arrived.
pub const ALL: &str = "kind:finding -state:proposed";

/// Spans of time: days, and their name.
pub const WINDOWS: [(u32, &str); 3] = [(30, "30 d"), (90, "90 d"), (365, "1 y")];

/// Most rows of a table, and bars of a chart.
const MOST: usize = 15;

/// What a page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// A search.
    pub q: String,
    /// Days.
    pub window: u32,
    /// A repository; empty for all.
    pub repository: String,
    /// A team; empty for all.
    pub team: String,
}

impl Asked {
    /// From the parameters of an address.
    pub fn of(parameters: &HashMap<String, String>) -> Asked {
        let text = |name: &str| parameters.get(name).map(|t| t.trim()).unwrap_or_default();
        let window = text("window").parse().unwrap_or(90);
        Asked {
            q: if text("q").is_empty() { ALL.to_owned() } else { text("q").to_owned() },
            window: if WINDOWS.iter().any(|(d, _)| *d == window) { window } else { 90 },
            repository: text("repository").to_owned(),
            team: text("team").to_owned(),
        }
    }

    /// As one search.
    pub fn query(&self, index: &Index) -> Query {
        let (mut query, _) = Query::parse(&self.q);
        for (field, value) in [("repository", &self.repository), ("team", &self.team)] {
            if !value.is_empty() {
                query = query.with(&term(index, field, value));
            }
        }
        query
    }
}

/// The term that holds for exactly one value of a field.
fn term(index: &Index, field: &str, value: &str) -> String {
    exactly(index.schema().get(field).map_or(Shape::Word, |n| n.shape), field, value)
}

/// Values of a field on findings that somebody may see.
pub fn values(index: &Index, eyes: &Viewer, field: &str, now: Millis) -> Vec<String> {
    let (query, _) = Query::parse("kind:finding");
    let found = index.find(&query, eyes, now);
    let facets = index.facets(&found, &[field], 500);
    facets.into_iter().flat_map(|f| f.values).map(|v| v.value).collect()
}

/// How one clock is kept.
#[derive(Clone, Debug)]
pub struct Clock {
    /// `Remediate`.
    pub title: String,
    pub chart: Bars,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Figures {
    pub stats: Vec<Stat>,
    pub ages: Stacked,
    pub has_info: bool,
    pub times: Spread,
    pub times_of: String,
    pub clocks: Vec<Clock>,
    pub flow: Flow,
    pub precision: Bars,
    /// By repository and by team.
    pub parts: Vec<Table>,
}

impl Figures {
    /// Counts everything that the page shows.
    pub fn new(index: &Index, program: &Program, eyes: &Viewer, asked: &Asked, now: Millis) -> Figures {
        let query = asked.query(index);
        let matches = index.find(&query, eyes, now);
        let scope = &Scope::new(index, &query, &matches, now);
        let today = program.calendar.date(now);
        let first = program.calendar.date(now - Millis::from(asked.window - 1) * 86_400_000);
        let window = Window { from: first, to: today };
        let kind = kind_of(program, &query);
        let clock = kind.and_then(main_clock);
        // What a scan saw on a branch only and then no more was never work: it has no clock, and would
        // make the time to close look short.
        let timed = clock.map(|(name, _)| name);
        let times = metrics::times(scope, window, timed);
        let promises = promises(scope, window);
        let weeks = metrics::backlog(
            scope,
            match asked.window {
                30 => 6,
                90 => 14,
                _ => 53,
            },
        );
        let ages = metrics::ages(scope);
        let stats = stats(scope, &query, window, &weeks, &promises, timed);
        Figures {
            stats,
            has_info: ages.iter().any(|a| a.severity == Some(Severity::Info) && a.count.count > 0),
            ages: age_chart(&query, &ages),
            times: Spread::new(
                "Days from opened to closed, beside the age of what is open",
                &time_rows(&times, clock),
            ),
            times_of: clock.map_or(String::new(), |(name, _)| title(name)),
            clocks: clock_charts(&promises, kind),
            flow: Flow::new("Opened, closed and open, by week", &week_rows(&weeks, now)),
            precision: precision_chart(scope),
            parts: parts(scope, window),
        }
    }

    /// The numbers behind every chart.
    pub fn tables(&self) -> Vec<&Table> {
        let mut all = vec![self.ages.table(), self.times.table()];
        all.extend(self.clocks.iter().map(|c| c.chart.table()));
        all.extend([self.flow.table(), self.precision.table()]);
        all.extend(&self.parts);
        all
    }
}

/// The search in the address of a list.
pub fn search_of(href: &str) -> String {
    let query = href.split_once("?q=").map_or("", |(_, q)| q);
    form_urlencoded::parse(format!("q={query}").as_bytes())
        .next()
        .map_or(String::new(), |(_, v)| v.into_owned())
}

fn href(search: &str) -> String {
    let (query, _) = Query::parse(search);
    list::address("/queue", &query)
}

fn word(severity: Option<Severity>) -> &'static str {
    severity.map_or("no severity", Severity::as_str)
}

/// The kind that a search is of.
fn kind_of<'a>(program: &'a Program, query: &Query) -> Option<&'a Kind> {
    program.kinds.values().find(|k| query.has(&format!("kind:{}", k.name)))
}

/// The clock that ends when the work is done: the last that depends on the severity.
fn main_clock(kind: &Kind) -> Option<(&str, &[(String, Period)])> {
    kind.clocks.iter().rev().find_map(|c| match &c.due {
        Due::ByField(field, due) if field == "severity" => Some((c.name.as_str(), due.as_slice())),
        _ => None,
    })
}

/// The ages as bars, worst first; the severities that a program has anyhow, and others where there are
/// any.
fn age_chart(query: &Query, ages: &[metrics::AgeCell]) -> Stacked {
    let used = |s: Option<Severity>| {
        matches!(s, Some(s) if s > Severity::Info)
            || ages.iter().any(|a| a.severity == s && a.count.count > 0)
    };
    let stacks = metrics::BANDS.into_iter().map(|band| {
        let cells = ages.iter().filter(|a| a.band == band && used(a.severity));
        let (label, term) = match (band.from, band.to) {
            (0, Some(to)) => (format!("up to {to} d"), format!("age:<={to}d")),
            (from, Some(to)) => (format!("{from} to {to} d"), format!("age:{from}d..{to}d")),
            (from, None) => (format!("over {} d", from.saturating_sub(1)), format!("age:>={from}d")),
        };
        Stack {
            label,
            parts: cells.map(|a| part(word(a.severity), Fill::of(word(a.severity)), &a.count)).collect(),
            href: list::address("/queue", &query.with("is:open").with(&term)),
        }
    });
    Stacked::new("Open by age and severity", "Age", &stacks.collect::<Vec<_>>())
}

fn part(name: &str, fill: Fill, count: &Count) -> Part {
    Part { name: name.to_owned(), fill, value: count.count, href: href(&count.search) }
}

fn in_days(lengths: Lengths) -> Ages {
    #[expect(clippy::cast_precision_loss, reason = "shown in days")]
    let day = |millis: Millis| millis as f64 / 86_400_000.0;
    Ages {
        count: lengths.count,
        p50: day(lengths.p50),
        p75: day(lengths.p75),
        p90: day(lengths.p90),
        p95: day(lengths.p95),
        mean: day(lengths.mean),
    }
}

fn time_rows(times: &[metrics::TimeRow], clock: Option<(&str, &[(String, Period)])>) -> Vec<Times> {
    let goal = |severity: Option<Severity>| {
        let (_, due) = clock?;
        due.iter().find(|(s, _)| s == word(severity)).map(|(_, period)| match period {
            Period::Hours(n) => f64::from(*n) / 24.0,
            // A week has five business days.
            Period::BusinessDays(n) => f64::from(*n) * 1.4,
            Period::Days(n) => f64::from(*n),
        })
    };
    let row = |t: &metrics::TimeRow| Times {
        label: title(word(t.severity)),
        fill: Fill::of(word(t.severity)),
        closed: in_days(t.closed),
        closed_href: href(&t.closed_search),
        open: in_days(t.open),
        open_href: href(&t.open_search),
        goal: goal(t.severity),
    };
    times.iter().map(row).collect()
}

/// How each clock stands on what was closed within the window and on what is open now, worst first; where something
/// was due.
fn promises(scope: &Scope<'_>, window: Window) -> Vec<Promise> {
    let mut all = metrics::promises(scope, Some(window));
    all.retain(|p| p.met.count + p.missed.count + p.late.count > 0);
    all
}

fn clock_charts(promises: &[Promise], kind: Option<&Kind>) -> Vec<Clock> {
    let mut names: Vec<&str> = promises.iter().map(|p| p.clock.as_str()).collect();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            let declared = kind.and_then(|k| k.clocks.iter().find(|c| c.name.eq_ignore_ascii_case(name)));
            let title = declared.map_or_else(|| title(name), |c| c.title.clone());
            let bars: Vec<Bar> = promises
                .iter()
                .filter(|p| p.clock == name)
                .map(|p| Bar {
                    label: crate::view::title(word(p.severity)),
                    parts: vec![
                        part("in time", Fill::Good, &p.met),
                        part("closed late", Fill::Medium, &p.missed),
                        part("open and late", Fill::Critical, &p.late),
                    ],
                })
                .collect();
            Clock { chart: Bars::new(&format!("{title} in time"), "Severity", &bars), title }
        })
        .collect()
}

fn week_rows(weeks: &[metrics::Week], now: Millis) -> Vec<Week> {
    let row = |w: &metrics::Week| {
        let at =
            w.monday.to_zoned_datetime(jiff::tz::TimeZone::UTC).map_or(0, |z| z.timestamp().as_millisecond());
        Week {
            label: day(at, now),
            name: format!("week of {}", w.monday),
            open: w.open.count,
            opened: w.opened.count,
            closed: w.closed.count,
            open_href: href(&w.open.search),
            opened_href: href(&w.opened.search),
            closed_href: href(&w.closed.search),
        }
    };
    weeks.iter().map(row).collect()
}

fn precision_chart(scope: &Scope<'_>) -> Bars {
    let mut all = metrics::precision(scope, &rules::judged()).unwrap_or_default();
    all.retain(|p| p.right.count + p.wrong.count > 0);
    all.truncate(MOST);
    let bars: Vec<Bar> = all
        .iter()
        .map(|p| {
            let fill = if p.verdict == metrics::Verdict::MostlyDismissed { Fill::Medium } else { Fill::Good };
            Bar {
                label: p.rule.clone(),
                parts: vec![part("right", fill, &p.right), part("wrong", Fill::Soft, &p.wrong)],
            }
        })
        .collect();
    Bars::new("How often each rule was right", "Rule", &bars)
}

/// The tables by repository and by team.
fn parts(scope: &Scope<'_>, window: Window) -> Vec<Table> {
    let tables = metrics::tables(scope, &["repository", "team"], window, MOST);
    [("repository", "By repository"), ("team", "By team")]
        .into_iter()
        .zip(tables)
        .map(|((field, name), rows)| part_table(field, name, &rows.unwrap_or_default()))
        .collect()
}

fn part_table(field: &str, name: &str, all: &[metrics::Row]) -> Table {
    let head = [
        title(field).as_str(),
        "Open",
        "Critical",
        "High",
        "Late",
        "Opened",
        "Closed",
        "p50",
        "p90",
        "Came back",
    ]
    .map(str::to_owned);
    let cell = |count: &Count| Cell::count(count.count, &href(&count.search));
    let row = |r: &metrics::Row| {
        let time = in_days(r.time);
        let length = |n: f64| Cell::text(if time.count == 0 { "–".to_owned() } else { days(n) });
        TableRow {
            head: if r.value.is_empty() { "none".to_owned() } else { r.value.clone() },
            cells: vec![
                cell(&r.open),
                r.by_severity.first().map(&cell).unwrap_or_default(),
                r.by_severity.get(1).map(&cell).unwrap_or_default(),
                cell(&r.late),
                cell(&r.opened),
                cell(&r.closed),
                length(time.p50),
                length(time.p90),
                cell(&r.reopened),
            ],
        }
    };
    Table { caption: name.to_owned(), head: head.to_vec(), rows: all.iter().map(row).collect() }
}

#[cfg(test)]
mod tests;
