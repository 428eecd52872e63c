//! Bars of parts: how many of each severity, by age.

use askama::Template;

use super::{Cell, Fill, Px, Table, TableRow, float, label, short, wide};

/// One bar.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// What stands before it.
    pub label: String,
    /// Its parts, in the order of all other bars.
    pub parts: Vec<Part>,
    /// All records of it.
    pub href: String,
}

/// One part of a bar.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// `medium`.
    pub name: String,
    /// Its fill.
    pub fill: Fill,
    /// How many.
    pub value: u64,
    /// The records.
    pub href: String,
}

/// The chart.
#[derive(Clone, Debug, Template)]
#[template(path = "chart/stacked.html")]
pub struct Stacked {
    name: String,
    height: Px,
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
    total: String,
    total_x: Px,
    total_href: String,
    total_says: String,
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
impl askama::filters::HtmlSafe for Stacked {}

/// Where bars begin.
const LEFT: f64 = 100.0;
/// How long the longest is.
const LONG: f64 = 350.0;
/// From bar to bar.
const STEP: f64 = 34.0;
/// The smallest part that can be seen, and pressed.
const LEAST: f64 = 5.0;

impl Stacked {
    /// A chart of bars. `first` is the head of the column of labels.
    pub fn new(name: &str, first: &str, stacks: &[Stack]) -> Stacked {
        let sum = |s: &Stack| s.parts.iter().fold(0_u64, |sum, p| sum.saturating_add(p.value));
        // Sums of numbers as large as they can be do not fit a whole number.
        let length = |s: &Stack| s.parts.iter().map(|p| float(p.value)).sum::<f64>();
        let most = stacks.iter().map(length).fold(0.0, f64::max);
        let mut y = 8.0;
        let mut rows = Vec::new();
        for stack in stacks {
            let mut x = LEFT;
            let mut marks = Vec::new();
            for part in stack.parts.iter().filter(|p| p.value > 0) {
                let width = (float(part.value) / most * LONG).max(LEAST);
                let text = short(part.value);
                marks.push(Mark {
                    href: part.href.clone(),
                    says: format!("{} {}, {}", part.value, part.name, stack.label),
                    fill: part.fill.class(),
                    words: part.fill.words(),
                    x: Px(x),
                    width: Px(width),
                    text: (width > wide(&text) + 8.0).then(|| (Px(x + width / 2.0), text)),
                });
                x += width + 1.5;
            }
            let total = sum(stack);
            rows.push(Row {
                label: label(&stack.label, 14),
                full: stack.label.clone(),
                y: Px(y),
                base: Px(y + 17.0),
                marks,
                total: short(total),
                total_x: Px(x + 7.0),
                total_href: if total > 0 { stack.href.clone() } else { String::new() },
                total_says: format!("{total} in all, {}", stack.label),
            });
            y += STEP;
        }
        Stacked { name: name.to_owned(), height: Px(y), rows, table: table(name, first, stacks), empty: most <= 0.0 }
    }

    /// The numbers.
    pub fn table(&self) -> &Table {
        &self.table
    }
}

fn table(name: &str, first: &str, stacks: &[Stack]) -> Table {
    let names = stacks.first().map(|s| s.parts.iter().map(|p| crate::view::title(&p.name))).into_iter().flatten();
    let head = std::iter::once(first.to_owned()).chain(names).chain(["All".to_owned()]).collect();
    let row = |stack: &Stack| {
        let total = stack.parts.iter().fold(0_u64, |sum, p| sum.saturating_add(p.value));
        let cells = stack.parts.iter().map(|p| Cell::count(p.value, &p.href));
        TableRow { head: stack.label.clone(), cells: cells.chain([Cell::count(total, &stack.href)]).collect() }
    };
    Table { caption: name.to_owned(), head, rows: stacks.iter().map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::WIDTH;

    fn stack(label: &str, values: [u64; 3]) -> Stack {
        let names = ["critical", "high", "low"];
        let parts = names.into_iter().zip(values).map(|(name, value)| Part {
            name: name.to_owned(),
            fill: Fill::of(name),
            value,
            href: format!("/queue?q=severity%3A{name}"),
        });
        Stack { label: label.to_owned(), parts: parts.collect(), href: "/queue?q=all".to_owned() }
    }

    #[test]
    fn each_part_is_a_link_with_a_name_and_stands_in_the_table() {
        let chart = Stacked::new("Open by age", "Age", &[stack("under 7 d", [1, 0, 12])]);
        let html = chart.render().unwrap();
        assert!(html.contains(r#"<a href="/queue?q=severity%3Alow" aria-label="12 low, under 7 d">"#), "{html}");
        // A part of nought has no mark, and its number no link.
        assert!(!html.contains("severity%3Ahigh"), "{html}");
        assert!(html.contains("<caption class=\"unseen\">Open by age</caption>"), "{html}");
        assert_eq!(chart.table().rows[0].cells[3], Cell::count(13, "/queue?q=all"));
        assert!(!html.contains("style="), "{html}");
    }

    #[test]
    fn hostile_names_are_text() {
        let mut hostile = stack("<img src=x onerror=alert(1)>\"'&", [1, 1, 1]);
        hostile.parts[0].href = "/queue?q=\"><script>alert(1)</script>".to_owned();
        let html = Stacked::new("</svg><script>", "\"><b>", &[hostile]).render().unwrap();
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"), "{html}");
        assert!(!html.contains("\"><b"), "{html}");
    }

    #[test]
    fn nothing_one_and_very_much_are_drawn_within_the_box() {
        assert!(Stacked::new("a", "b", &[]).render().unwrap().contains("Nothing"));
        assert!(Stacked::new("a", "b", &[stack("x", [0, 0, 0])]).render().unwrap().contains("Nothing"));
        for values in [[1, 0, 0], [u64::MAX, 1, u64::MAX], [1, 1, 1_000_000]] {
            let chart = Stacked::new("a", "b", &[stack("x", values)]);
            let row = &chart.rows[0];
            let end = row.total_x.0 + wide(&row.total);
            assert!(end.is_finite() && end <= WIDTH, "{values:?} end at {end}");
            assert!(row.marks.iter().all(|m| m.width.0 >= LEAST), "{values:?}");
        }
    }
}
