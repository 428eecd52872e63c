//! Bars of a part in a whole: what was done in time, how often a rule was right.

use askama::Template;

use super::{Cell, Fill, Px, Table, TableRow, float, label};

/// One bar.
#[derive(Clone, Debug, Default)]
pub struct Bar {
    /// What stands before it.
    pub label: String,
    /// So many …
    pub part: u64,
    /// … of so many.
    pub whole: u64,
    /// The fill of the part.
    pub fill: Fill,
    /// All of them; empty where there is no search for them.
    pub href: String,
    /// The part alone; empty where there is no search for it.
    pub part_href: String,
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
    goal: Option<Goal>,
    table: Table,
    empty: bool,
}

#[derive(Clone, Debug)]
struct Row {
    label: String,
    full: String,
    y: Px,
    base: Px,
    fill: &'static str,
    width: Px,
    percent: String,
    count: String,
    says: String,
    href: String,
}

#[derive(Clone, Debug)]
struct Goal {
    x: Px,
    foot: Px,
    words: Px,
    percent: u64,
}

/// Templates escape what they put out.
impl askama::filters::HtmlSafe for Bars {}

/// The end of the longest bar.
const RIGHT: f64 = 400.0;
/// From bar to bar.
const STEP: f64 = 34.0;

/// What the chart says beside its numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words<'a> {
    /// The chart's name.
    pub name: &'a str,
    /// What the column of labels holds.
    pub first: &'a str,
    /// What the part is: `in time`.
    pub part: &'a str,
    /// What the whole is: `All`.
    pub whole: &'a str,
}

impl Bars {
    /// A chart of bars, with a line at a goal in percent.
    pub fn new(words: Words<'_>, goal: Option<u64>, bars: &[Bar]) -> Bars {
        let longest = bars.iter().map(|b| b.label.chars().count()).max().unwrap_or_default();
        // Labels of rules want more room than those of severities.
        let (left, most) = if longest > 12 { (174.0, 25) } else { (84.0, 12) };
        let long = RIGHT - left;
        let mut y = 6.0;
        let mut rows = Vec::new();
        for bar in bars {
            let part = bar.part.min(bar.whole);
            let share = if bar.whole == 0 { 0.0 } else { float(part) / float(bar.whole) };
            rows.push(Row {
                label: label(&bar.label, most),
                full: bar.label.clone(),
                y: Px(y),
                base: Px(y + 17.0),
                fill: bar.fill.class(),
                width: Px(share * long),
                percent: percent(part, bar.whole),
                count: format!("{} of {}", super::short(part), super::short(bar.whole)),
                says: format!("{}: {part} of {} {}", bar.label, bar.whole, words.part),
                href: bar.href.clone(),
            });
            y += STEP;
        }
        let goal = goal.filter(|_| !bars.is_empty()).map(|percent| Goal {
            x: Px(left + long * float(percent.min(100)) / 100.0),
            foot: Px(y),
            words: Px(y + 14.0),
            percent,
        });
        let height = Px(if goal.is_some() { y + 20.0 } else { y });
        Bars {
            name: words.name.to_owned(),
            height,
            left: Px(left),
            label_x: Px(left - 10.0),
            long: Px(long),
            says_x: Px(RIGHT + 8.0),
            count_x: Px(RIGHT + 50.0),
            goal,
            table: table(words, bars),
            empty: bars.iter().all(|b| b.whole == 0),
            rows,
        }
    }

    /// The numbers.
    pub fn table(&self) -> &Table {
        &self.table
    }
}

/// A share as it is shown: all only where it is all, and none only where it is none.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let share = u128::from(part) * 100 / u128::from(whole);
    if share == 0 && part > 0 { "< 1 %".to_owned() } else { format!("{share} %") }
}

fn table(words: Words<'_>, bars: &[Bar]) -> Table {
    let head = [words.first, &crate::view::title(words.part), words.whole, "Share"];
    let row = |bar: &Bar| {
        let part = if bar.part_href.is_empty() {
            Cell::text(bar.part.to_string())
        } else {
            Cell::count(bar.part, &bar.part_href)
        };
        TableRow {
            head: bar.label.clone(),
            cells: vec![part, Cell::count(bar.whole, &bar.href), Cell::text(percent(bar.part, bar.whole))],
        }
    };
    Table {
        caption: words.name.to_owned(),
        head: head.map(str::to_owned).to_vec(),
        rows: bars.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words<'static> {
        Words { name: "In time", first: "Severity", part: "in time", whole: "All" }
    }

    fn bar(label: &str, part: u64, whole: u64) -> Bar {
        Bar { label: label.to_owned(), part, whole, fill: Fill::High, href: "/queue".into(), ..Bar::default() }
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
    fn bars_end_within_the_box_whatever_comes() {
        let bars = [bar("a", 9, 3), bar("b", u64::MAX, u64::MAX), bar("c", 0, 0)];
        let chart = Bars::new(words(), Some(95), &bars);
        assert!(chart.rows.iter().all(|r| r.width.0 <= chart.long.0), "{chart:?}");
        let html = chart.render().unwrap();
        assert!(html.contains("goal 95") && html.contains("aria-label=\"a: 3 of 3 in time\""), "{html}");
        assert!(Bars::new(words(), Some(95), &[]).render().unwrap().contains("Nothing"));
    }

    #[test]
    fn hostile_labels_are_cut_and_escaped() {
        let html = Bars::new(words(), None, &[bar(&"<script>\"'&".repeat(20), 1, 2)]).render().unwrap();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"), "{html}");
    }
}
