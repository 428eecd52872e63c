//! Bars of shares, each as long as the others: what was done in time, how often a rule was right.

use askama::Template;

use super::{Cell, Part, Px, Table, TableRow, float, label, short, wide};

/// One bar.
#[derive(Clone, Debug, Default)]
pub struct Bar {
    /// What stands before it.
    pub label: String,
    /// Its parts, in the order of all other bars. The share is that of the first.
    pub parts: Vec<Part>,
}

/// The chart.
#[derive(Clone, Debug, Template)]
#[template(path = "chart/bars.html")]
pub struct Bars {
    name: String,
    height: Px,
    left: Px,
    label_x: Px,
    long: Px,
    says_x: Px,
    count_x: Px,
    rows: Vec<Row>,
    table: Table,
    empty: bool,
}

#[derive(Clone, Debug)]
struct Row {
    label: String,
    full: String,
    y: Px,
    base: Px,
    marks: Vec<Mark>,
    percent: String,
    count: String,
}

#[derive(Clone, Debug)]
struct Mark {
    href: String,
    says: String,
    fill: &'static str,
    words: &'static str,
    x: Px,
    width: Px,
    text: Option<(Px, String)>,
}

/// Templates escape what they put out.
impl askama::filters::HtmlSafe for Bars {}

/// The end of the bars.
const RIGHT: f64 = 396.0;
/// From bar to bar.
const STEP: f64 = 34.0;
/// The smallest part that can be seen, and pressed.
const LEAST: f64 = 5.0;

impl Bars {
    /// A chart of bars. `first` is the head of the column of labels.
    pub fn new(name: &str, first: &str, bars: &[Bar]) -> Bars {
        let longest = bars.iter().map(|b| b.label.chars().count()).max().unwrap_or_default();
        // Labels of rules want more room than those of severities.
        let (left, most) = if longest > 12 { (174.0, 25) } else { (84.0, 12) };
        let long = RIGHT - left;
        let mut y = 6.0;
        let mut rows = Vec::new();
        for bar in bars {
            let (part, whole) = sums(bar);
            rows.push(Row {
                label: label(&bar.label, most),
                full: bar.label.clone(),
                y: Px(y),
                base: Px(y + 17.0),
                marks: marks(bar, left, long),
                percent: percent(part, whole),
                count: format!("{} of {}", short(part), short(whole)),
            });
            y += STEP;
        }
        Bars {
            name: name.to_owned(),
            height: Px(y),
            left: Px(left),
            label_x: Px(left - 10.0),
            long: Px(long),
            says_x: Px(RIGHT + 10.0),
            count_x: Px(RIGHT + 54.0),
            table: table(name, first, bars),
            empty: bars.iter().all(|b| sums(b).1 == 0),
            rows,
        }
    }

    /// The numbers.
    pub fn table(&self) -> &Table {
        &self.table
    }
}

/// The first part, and all of them.
fn sums(bar: &Bar) -> (u64, u64) {
    let whole = bar.parts.iter().fold(0_u64, |sum, p| sum.saturating_add(p.value));
    (bar.parts.first().map_or(0, |p| p.value), whole)
}

fn marks(bar: &Bar, left: f64, long: f64) -> Vec<Mark> {
    let whole: f64 = bar.parts.iter().map(|p| float(p.value)).sum();
    let widths = bar.parts.iter().map(|p| if p.value == 0 { 0.0 } else { (float(p.value) / whole * long).max(LEAST) });
    // Small parts are drawn wider than they are; the rest gives way.
    let sum: f64 = widths.clone().sum();
    let mut x = left;
    let mut marks = Vec::new();
    for (part, width) in bar.parts.iter().zip(widths).filter(|(p, _)| p.value > 0) {
        let width = width * long / sum;
        let text = short(part.value);
        marks.push(Mark {
            href: part.href.clone(),
            says: format!("{}: {} {}", bar.label, part.value, part.name),
            fill: part.fill.class(),
            words: part.fill.words(),
            x: Px(x),
            // A line of the ground between two parts.
            width: Px((width - 1.0).max(1.0)),
            text: (width > wide(&text) + 8.0).then(|| (Px(x + width / 2.0), text)),
        });
        x += width;
    }
    marks
}

/// A share as it is shown: all only where it is all, and none only where it is none.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let share = u128::from(part) * 100 / u128::from(whole);
    if share == 0 && part > 0 { "< 1 %".to_owned() } else { format!("{share} %") }
}

fn table(name: &str, first: &str, bars: &[Bar]) -> Table {
    let names = bars.first().map(|b| b.parts.iter().map(|p| crate::view::title(&p.name))).into_iter().flatten();
    let row = |bar: &Bar| {
        let (part, whole) = sums(bar);
        let cells = bar.parts.iter().map(|p| Cell::count(p.value, &p.href));
        TableRow {
            head: bar.label.clone(),
            cells: cells.chain([Cell::text(whole.to_string()), Cell::text(percent(part, whole))]).collect(),
        }
    };
    let ends = ["All".to_owned(), "Share".to_owned()];
    Table {
        caption: name.to_owned(),
        head: std::iter::once(first.to_owned()).chain(names).chain(ends).collect(),
        rows: bars.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Fill;

    fn bar(label: &str, met: u64, missed: u64) -> Bar {
        let part = |name: &str, fill, value| Part {
            name: name.to_owned(),
            fill,
            value,
            href: format!("/queue?q={name}"),
        };
        Bar { label: label.to_owned(), parts: vec![part("met", Fill::Good, met), part("missed", Fill::High, missed)] }
    }

    #[test]
    fn shares_do_not_round_to_all_or_nothing() {
        for (part, whole, text) in
            [(0, 0, "–"), (0, 5, "0 %"), (1, 1000, "< 1 %"), (999, 1000, "99 %"), (5, 5, "100 %")]
        {
            assert_eq!(percent(part, whole), text);
        }
        assert_eq!(percent(u64::MAX, u64::MAX), "100 %");
    }

    #[test]
    fn parts_are_links_and_end_within_the_box() {
        for (met, missed) in [(9, 3), (u64::MAX, u64::MAX), (1, 100_000), (0, 1), (1, 0)] {
            let chart = Bars::new("In time", "Severity", &[bar("High", met, missed)]);
            let end = chart.rows[0].marks.last().map_or(0.0, |m| m.x.0 + m.width.0);
            assert!(end <= RIGHT + 0.1, "{met}, {missed}: {end}");
        }
        let html = Bars::new("In time", "Severity", &[bar("High", 9, 3)]).render().unwrap();
        assert!(html.contains("<a href=\"/queue?q=missed\" aria-label=\"High: 3 missed\">"), "{html}");
        assert!(html.contains("75 %") && html.contains("9 of 12"), "{html}");
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        for bars in [vec![], vec![bar("High", 0, 0)]] {
            assert!(Bars::new("a", "b", &bars).render().unwrap().contains("Nothing"));
        }
    }

    #[test]
    fn hostile_labels_are_cut_and_escaped() {
        let html = Bars::new("a", "b", &[bar(&"<script>\"'&".repeat(20), 1, 2)]).render().unwrap();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"), "{html}");
    }
}
