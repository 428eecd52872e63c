//! How long work took beside how old what is left has become: percentiles, by severity.

use askama::Template;

use super::{Cell, Fill, Px, Table, TableRow, WIDTH, ticks};

/// Percentiles of lengths of time, in days.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ages {
    /// Of how many.
    pub count: u64,
    pub p50: f64,
    pub p75: f64,
    pub p90: f64,
    pub p95: f64,
    pub mean: f64,
}

/// One severity.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// What stands before it.
    pub label: String,
    /// Its fill.
    pub fill: Fill,
    /// From opened to closed.
    pub closed: Ages,
    /// The records that closed.
    pub closed_href: String,
    /// The age of what is open.
    pub open: Ages,
    /// Those records.
    pub open_href: String,
    /// When its clock runs out, in days.
    pub goal: Option<f64>,
}

/// The chart.
#[derive(Clone, Debug, Template)]
#[template(path = "chart/spread.html")]
pub struct Spread {
    name: String,
    height: Px,
    foot: Px,
    ticks: Vec<(Px, String)>,
    rows: Vec<Row>,
    table: Table,
    empty: bool,
}

#[derive(Clone, Debug)]
struct Row {
    label: String,
    base: Px,
    closed: Option<Range>,
    open: Option<Range>,
    goal: Option<Goal>,
}

/// Where percentiles lie.
#[derive(Clone, Debug)]
struct Range {
    href: String,
    says: String,
    text: String,
    text_x: Px,
    text_y: Px,
    fill: &'static str,
    left: Px,
    y: Px,
    mid: Px,
    foot: Px,
    half: Px,
    half_x: Px,
    three: Px,
    nine: Px,
    nine_x: Px,
    end: Px,
}

#[derive(Clone, Debug)]
struct Goal {
    x: Px,
    top: Px,
    foot: Px,
}

/// Templates escape what they put out.
impl askama::filters::HtmlSafe for Spread {}

const LEFT: f64 = 84.0;
/// Room for words behind the longest mark.
const RIGHT: f64 = WIDTH - 72.0;
/// From severity to severity.
const STEP: f64 = 58.0;

impl Spread {
    /// A chart of severities, worst first.
    pub fn new(name: &str, all: &[Times]) -> Spread {
        let rows: Vec<&Times> = all.iter().filter(|t| t.closed.count > 0 || t.open.count > 0).collect();
        let most = rows.iter().flat_map(|t| [t.closed.p95, t.open.p90, t.goal.unwrap_or_default()]);
        let most = most.filter(|n| n.is_finite()).fold(0.0, f64::max);
        let ticks = ticks(most, 5.0);
        let top = ticks.last().copied().unwrap_or(1.0).max(most).max(1.0);
        let length = |days: f64| (days.max(0.0) / top).min(1.0) * (RIGHT - LEFT);
        let mut y = 24.0;
        let mut drawn = Vec::new();
        for times in &rows {
            let range = |ages: Ages, href: &str, y: f64, height: f64, says: String, text: String| {
                let end = LEFT + length(ages.p95.max(ages.p90));
                Range {
                    href: href.to_owned(),
                    says,
                    text,
                    text_x: Px(end + 9.0),
                    text_y: Px(y + height / 2.0 + 4.0),
                    fill: times.fill.class(),
                    left: Px(LEFT),
                    y: Px(y),
                    mid: Px(y + height / 2.0),
                    foot: Px(y + height),
                    half: Px(length(ages.p50).max(1.5)),
                    half_x: Px(LEFT + length(ages.p50)),
                    three: Px(LEFT + length(ages.p75)),
                    nine: Px(length(ages.p90).max(1.5)),
                    nine_x: Px(LEFT + length(ages.p90)),
                    end: Px(end),
                }
            };
            let closed = (times.closed.count > 0).then(|| {
                let says = format!(
                    "{}: {} closed, half within {}, three quarters within {}, nine in ten within {}, nineteen in \
                     twenty within {}",
                    times.label,
                    times.closed.count,
                    days(times.closed.p50),
                    days(times.closed.p75),
                    days(times.closed.p90),
                    days(times.closed.p95)
                );
                range(times.closed, &times.closed_href, y, 18.0, says, days(times.closed.p50))
            });
            let open = (times.open.count > 0).then(|| {
                let says = format!(
                    "{}: {} open, half are older than {}, one in ten older than {}",
                    times.label,
                    times.open.count,
                    days(times.open.p50),
                    days(times.open.p90)
                );
                let text = format!("open {}", days(times.open.p50));
                let ages = Ages { p95: times.open.p90, ..times.open };
                range(ages, &times.open_href, y + 20.0, 18.0, says, text)
            });
            let goal = times.goal.map(|g| Goal { x: Px(LEFT + length(g)), top: Px(y - 3.0), foot: Px(y + 40.0) });
            drawn.push(Row { label: times.label.clone(), base: Px(y + 14.0), closed, open, goal });
            y += STEP;
        }
        Spread {
            name: name.to_owned(),
            height: Px(y - 8.0),
            foot: Px(y - 12.0),
            ticks: ticks.iter().map(|t| (Px(LEFT + length(*t)), days(*t))).collect(),
            empty: drawn.is_empty(),
            rows: drawn,
            table: table(name, &rows),
        }
    }

    /// The numbers.
    pub fn table(&self) -> &Table {
        &self.table
    }
}

/// Days as they are shown: `4 d`, `0.4 d`.
pub fn days(n: f64) -> String {
    match n {
        n if !n.is_finite() => "–".to_owned(),
        n if n >= 9.95 => format!("{n:.0} d"),
        n => format!("{} d", Px(n)),
    }
}

fn table(name: &str, rows: &[&Times]) -> Table {
    let head = [
        "Severity", "Closed", "p50", "p75", "p90", "p95", "Mean", "Open", "Open p50", "Open p75", "Open p90", "Open p95",
        "Clock",
    ];
    let row = |times: &&Times| {
        let mut cells = vec![Cell::count(times.closed.count, &times.closed_href)];
        let part = |ages: Ages, mean: bool| {
            let mut list = vec![ages.p50, ages.p75, ages.p90, ages.p95];
            list.extend(mean.then_some(ages.mean));
            list.into_iter().map(move |n| Cell::text(if ages.count == 0 { "–".to_owned() } else { days(n) }))
        };
        cells.extend(part(times.closed, true));
        cells.push(Cell::count(times.open.count, &times.open_href));
        cells.extend(part(times.open, false));
        cells.push(Cell::text(times.goal.map_or_else(|| "none".to_owned(), days)));
        TableRow { head: times.label.clone(), cells }
    };
    Table {
        caption: name.to_owned(),
        head: head.map(str::to_owned).to_vec(),
        rows: rows.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ages(n: f64) -> Ages {
        Ages { count: 4, p50: n, p75: 2.0 * n, p90: 3.0 * n, p95: 4.0 * n, mean: n }
    }

    fn times(label: &str, n: f64) -> Times {
        Times {
            label: label.to_owned(),
            fill: Fill::of("high"),
            closed: ages(n),
            closed_href: "/queue?q=closed".to_owned(),
            open: ages(n),
            open_href: "/queue?q=open".to_owned(),
            goal: Some(30.0),
        }
    }

    #[test]
    fn what_closed_stands_beside_what_is_open() {
        let html = Spread::new("Days to close", &[times("High", 9.0)]).render().unwrap();
        assert!(
            html.contains("aria-label=\"High: 4 closed, half within 9 d, three quarters within 18 d, nine in ten within 27 d, nineteen in twenty within 36 d\""),
            "{html}"
        );
        assert!(html.contains("aria-label=\"High: 4 open, half are older than 9 d, one in ten older than 27 d\""), "{html}");
        assert!(html.contains("<th scope=\"col\" class=\"num\">Mean</th>"), "{html}");
    }

    #[test]
    fn nothing_one_and_huge_lengths_are_drawn_within_the_box() {
        assert!(Spread::new("a", &[]).render().unwrap().contains("Nothing"));
        assert!(Spread::new("a", &[Times::default()]).render().unwrap().contains("Nothing"));
        for n in [0.0, 0.004, 1e9, f64::NAN, f64::INFINITY] {
            let chart = Spread::new("a", &[times("x", n)]);
            for range in [&chart.rows[0].closed, &chart.rows[0].open].into_iter().flatten() {
                assert!(range.end.0 <= RIGHT + 0.1 || range.end.0.is_nan(), "{n}: {range:?}");
            }
            let html = chart.render().unwrap();
            assert!(!html.contains("NaN") && !html.contains("inf"), "{n}: {html}");
        }
    }

    #[test]
    fn hostile_labels_are_text() {
        let html = Spread::new("<b>", &[times("</text><script>", 1.0)]).render().unwrap();
        assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
    }
}
