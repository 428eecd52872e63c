//! What came in, what was closed and what was left, week by week: a line above, bars below.

use askama::Template;

use super::{Cell, Px, Table, TableRow, WIDTH, float, short, ticks};

/// One week.
#[derive(Clone, Debug, Default)]
pub struct Week {
    /// What stands under it: `23 Nov`.
    pub label: String,
    /// What it is called: `week of 2026-11-23`.
    pub name: String,
    /// Open when it was over.
    pub open: u64,
    /// Opened in it.
    pub opened: u64,
    /// Closed in it.
    pub closed: u64,
    /// The records that were open.
    pub open_href: String,
    /// Those that were opened.
    pub opened_href: String,
    /// Those that were closed.
    pub closed_href: String,
}

/// The chart.
#[derive(Clone, Debug, Template)]
#[template(path = "chart/flow.html")]
pub struct Flow {
    name: String,
    height: Px,
    left: Px,
    right: Px,
    ticks: Vec<(Px, Px, String)>,
    area: String,
    line: String,
    dots: Vec<Dot>,
    bars: Vec<Bar>,
    middle: Px,
    names: Vec<(Px, String)>,
    foot: Px,
    last: Option<(Px, String)>,
    table: Table,
    empty: bool,
}

#[derive(Clone, Debug)]
struct Dot {
    href: String,
    says: String,
    x: Px,
    y: Px,
    hit: Px,
    hit_width: Px,
}

#[derive(Clone, Debug)]
struct Bar {
    href: String,
    says: String,
    fill: &'static str,
    x: Px,
    y: Px,
    width: Px,
    height: Px,
    hit_y: Px,
}

/// Templates escape what they put out.
impl askama::filters::HtmlSafe for Flow {}

const LEFT: f64 = 48.0;
const RIGHT: f64 = WIDTH - 56.0;
/// The line's part: from top to bottom.
const TOP: f64 = 14.0;
const GROUND: f64 = 154.0;
/// Where bars of what came stand and those of what went hang.
const MIDDLE: f64 = 206.0;
/// How high the highest bar is.
const HIGH: f64 = 34.0;

impl Flow {
    /// A chart of some weeks, oldest first.
    pub fn new(name: &str, weeks: &[Week]) -> Flow {
        let most = weeks.iter().map(|w| w.open).max().unwrap_or_default();
        let ticks = ticks(float(most), 4.0);
        let top = ticks.last().copied().unwrap_or(1.0).max(float(most)).max(1.0);
        let y_of = |n: f64| GROUND - n / top * (GROUND - TOP);
        let room = RIGHT - LEFT;
        let step = room / float((weeks.len() as u64).max(1));
        let x_of = |at: usize| LEFT + step * (float(at as u64) + 0.5);
        let busiest = weeks.iter().map(|w| w.opened.max(w.closed)).max().unwrap_or_default().max(1);

        let points: Vec<(Px, Px)> =
            weeks.iter().enumerate().map(|(at, w)| (Px(x_of(at)), Px(y_of(float(w.open))))).collect();
        let line = points.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ");
        let area = match (points.first(), points.last()) {
            (Some((first, _)), Some((last, _))) => format!("{first},{GROUND} {line} {last},{GROUND}"),
            _ => String::new(),
        };
        let dots = weeks.iter().zip(&points).map(|(w, (x, y))| Dot {
            href: w.open_href.clone(),
            says: format!("{} open, {}", w.open, w.name),
            x: *x,
            y: *y,
            hit: Px(x.0 - step / 2.0),
            hit_width: Px(step),
        });
        let width = (step * 0.66).min(24.0);
        let bar = |at: usize, n: u64, up: bool, w: &Week| {
            let height = (float(n) / float(busiest) * HIGH).max(2.0);
            Bar {
                href: if up { w.opened_href.clone() } else { w.closed_href.clone() },
                says: format!("{n} {}, {}", if up { "opened" } else { "closed" }, w.name),
                fill: if up { "f-accent" } else { "f-good" },
                x: Px(x_of(at) - width / 2.0),
                y: Px(if up { MIDDLE - 1.0 - height } else { MIDDLE + 1.0 }),
                width: Px(width),
                height: Px(height),
                hit_y: Px(if up { MIDDLE - 1.0 - HIGH } else { MIDDLE + 1.0 }),
            }
        };
        let bars = weeks.iter().enumerate().flat_map(|(at, w)| {
            [(w.opened, true), (w.closed, false)]
                .into_iter()
                .filter(|(n, _)| *n > 0)
                .map(move |(n, up)| bar(at, n, up, w))
        });
        // A name is about 44 wide.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        let each = ((50.0 / step).ceil() as usize).max(1);
        // Counted from the end, so that the present week has its name.
        let named = |at: &usize| (weeks.len() - 1 - at).is_multiple_of(each);
        let names =
            (0..weeks.len()).filter(named).map(|at| (Px(x_of(at)), weeks[at].label.clone())).collect();
        let last = weeks.last().zip(points.last()).map(|(w, (_, y))| (Px(y.0 + 4.0), short(w.open)));
        Flow {
            name: name.to_owned(),
            height: Px(MIDDLE + HIGH + 24.0),
            left: Px(LEFT),
            right: Px(RIGHT),
            ticks: ticks.iter().map(|t| (Px(y_of(*t)), Px(y_of(*t) + 4.0), whole(*t))).collect(),
            area,
            line,
            dots: dots.collect(),
            bars: bars.collect(),
            middle: Px(MIDDLE),
            names,
            foot: Px(MIDDLE + HIGH + 18.0),
            last,
            empty: weeks.iter().all(|w| w.open == 0 && w.opened == 0 && w.closed == 0),
            table: table(name, weeks),
        }
    }

    /// The numbers.
    pub fn table(&self) -> &Table {
        &self.table
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "round and not below nought")]
fn whole(n: f64) -> String {
    short(n as u64)
}

fn table(name: &str, weeks: &[Week]) -> Table {
    let row = |w: &Week| TableRow {
        head: w.name.clone(),
        cells: vec![
            Cell::count(w.opened, &w.opened_href),
            Cell::count(w.closed, &w.closed_href),
            Cell::count(w.open, &w.open_href),
        ],
    };
    Table {
        caption: name.to_owned(),
        head: ["Week", "Opened", "Closed", "Open at its end"].map(str::to_owned).to_vec(),
        rows: weeks.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(open: u64, opened: u64, closed: u64) -> Week {
        Week {
            label: "23 Nov".to_owned(),
            name: "week of 2026-11-23".to_owned(),
            open,
            opened,
            closed,
            open_href: "/queue?q=open".to_owned(),
            opened_href: "/queue?q=opened".to_owned(),
            closed_href: "/queue?q=closed".to_owned(),
        }
    }

    #[test]
    fn every_mark_is_a_link_with_a_name() {
        let html = Flow::new("Burn-down", &[week(10, 3, 0), week(8, 1, 3)]).render().unwrap();
        assert!(html.contains(r#"<a href="/queue?q=opened" aria-label="3 opened, week of 2026-11-23">"#), "{html}");
        assert!(html.contains("aria-label=\"8 open, week of 2026-11-23\""), "{html}");
        assert_eq!(html.matches("0 closed").count(), 0, "{html}");
        assert!(!html.contains("style=") && !html.contains("NaN"), "{html}");
    }

    #[test]
    fn none_one_many_and_huge_weeks_stay_within_the_box() {
        assert!(Flow::new("a", &[]).render().unwrap().contains("Nothing"));
        assert!(Flow::new("a", &[week(0, 0, 0)]).render().unwrap().contains("Nothing"));
        for weeks in [vec![week(1, 0, 0)], vec![week(7, 2, 2); 520], vec![week(u64::MAX, u64::MAX, 1), week(0, 0, 1)]] {
            let chart = Flow::new("a", &weeks);
            assert!(chart.dots.iter().all(|d| (TOP - 0.1..=GROUND).contains(&d.y.0)), "{:?}", chart.dots);
            assert!(chart.dots.iter().all(|d| (LEFT..=RIGHT).contains(&d.x.0)));
            assert!(chart.bars.iter().all(|b| b.height.0 <= HIGH));
            assert!(chart.names.len() <= 10);
        }
    }

    #[test]
    fn hostile_names_are_text() {
        let mut hostile = week(1, 1, 1);
        hostile.label = "</text><script>".to_owned();
        hostile.name = "\" onfocus=alert(1) x=\"".to_owned();
        let html = Flow::new("\"><i>", &[hostile]).render().unwrap();
        assert!(!html.contains("<script>") && !html.contains("<i>") && !html.contains("\" onfocus"), "{html}");
    }
}
