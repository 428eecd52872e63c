//! Charts as pure functions from numbers to SVG in the page.
//!
//! Each mark is a link to the records behind it and says what it is; under each chart the same
//! numbers stand in a table. Geometry goes into attributes and colour into classes, as the policy of
//! the pages wants it. Nothing here asks the index or a clock.

mod bars;
mod flow;
mod spread;
mod stacked;

use std::fmt;

pub use bars::{Bar, Bars, percent};
pub use flow::{Flow, Week};
pub use spread::{Ages, Spread, Times, days};
pub use stacked::{Part, Stack, Stacked};

/// Width of every chart's box of coordinates.
const WIDTH: f64 = 520.0;

/// A length in a chart, as an attribute takes it: with one decimal, and never anything but a number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Px(pub f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.0.is_finite() { (self.0 * 10.0).round() / 10.0 } else { 0.0 };
        write!(f, "{value}")
    }
}

/// Digits, a point and a minus sign need no escaping.
impl askama::filters::HtmlSafe for Px {}

/// What a mark is filled with: classes of the style sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    Critical,
    High,
    Medium,
    Low,
    Info,
    Good,
    /// For what has no class of its own.
    #[default]
    Soft,
}

impl Fill {
    /// The fill of a severity, by its word.
    pub fn of(severity: &str) -> Fill {
        match severity {
            "critical" => Fill::Critical,
            "high" => Fill::High,
            "medium" => Fill::Medium,
            "low" => Fill::Low,
            "info" => Fill::Info,
            _ => Fill::Soft,
        }
    }

    /// The class.
    pub fn class(self) -> &'static str {
        match self {
            Fill::Critical => "f-critical",
            Fill::High => "f-high",
            Fill::Medium => "f-medium",
            Fill::Low => "f-low",
            Fill::Info => "f-info",
            Fill::Good => "f-good",
            Fill::Soft => "f-soft",
        }
    }

    /// The class of words upon it.
    fn words(self) -> &'static str {
        match self {
            Fill::Critical => "t-on t-on-critical",
            Fill::Soft => "t-mid",
            _ => "t-on",
        }
    }
}

/// The numbers of a chart as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What it holds, for those who listen.
    pub caption: String,
    /// Heads of its columns; the first is over the heads of its rows.
    pub head: Vec<String>,
    /// Rows.
    pub rows: Vec<TableRow>,
}

/// A row of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRow {
    /// Its head.
    pub head: String,
    /// One for each further column.
    pub cells: Vec<Cell>,
}

/// A number of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// As it is shown.
    pub text: String,
    /// The records behind it; empty where there is no search for them.
    pub href: String,
}

impl Cell {
    /// A number and the records behind it.
    pub fn count(value: u64, href: &str) -> Cell {
        // Nothing stands behind a nought.
        Cell { text: value.to_string(), href: if value > 0 { href.to_owned() } else { String::new() } }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), href: String::new() }
    }
}

/// A number in the room of a mark: `9`, `1 250`, `48 k`, `3.1 M`.
pub fn short(n: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with two or three digits")]
    let scaled = |by: f64, unit: &str| {
        let value = n as f64 / by;
        let text = if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        format!("{}\u{202f}{unit}", text.trim_end_matches(".0"))
    };
    match n {
        0..10_000 => crate::view::number(n),
        10_000..1_000_000 => scaled(1e3, "k"),
        1_000_000..1_000_000_000 => scaled(1e6, "M"),
        1_000_000_000..1_000_000_000_000 => scaled(1e9, "G"),
        1_000_000_000_000..1_000_000_000_000_000 => scaled(1e12, "T"),
        _ => "> 999\u{202f}T".to_owned(),
    }
}

/// A text that fits beside a mark, cut in its middle no more than needed.
fn label(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// About how wide a text of figures is.
fn wide(text: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few letters")]
    let letters = text.chars().count() as f64;
    letters * 7.0
}

/// Round numbers from nought to at least `most`, about so many steps.
fn ticks(most: f64, steps: f64) -> Vec<f64> {
    let most = if most.is_finite() && most > 0.0 { most.min(1e15) } else { 1.0 };
    let rough = (most / steps).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(rough);
    // Counts and days are whole.
    let step = step.max(1.0);
    let mut all = vec![0.0];
    let mut at = 0.0;
    while at < most && all.len() < 50 {
        at += step;
        all.push(at);
    }
    all
}

#[expect(clippy::cast_precision_loss, reason = "positions on a screen")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_their_room() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (9_999, "9\u{202f}999"),
            (48_200, "48\u{202f}k"),
            (3_100_000, "3.1\u{202f}M"),
            (u64::MAX, "> 999\u{202f}T"),
        ] {
            assert_eq!(short(n), text);
        }
    }

    #[test]
    fn lengths_are_numbers_whatever_comes() {
        for (value, text) in [(1.0, "1"), (1.26, "1.3"), (f64::NAN, "0"), (f64::INFINITY, "0"), (-0.04, "-0")] {
            assert_eq!(Px(value).to_string(), text);
        }
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(143.0, 4.0), [0.0, 50.0, 100.0, 150.0]);
        assert_eq!(ticks(0.0, 4.0), [0.0, 1.0]);
        assert_eq!(ticks(3.0, 4.0), [0.0, 1.0, 2.0, 3.0]);
        for wild in [f64::NAN, f64::INFINITY, -3.0, 1e300, 1e15] {
            let all = ticks(wild, 4.0);
            assert!(all.len() <= 8 && all.iter().all(|t| t.is_finite()), "{wild}: {all:?}");
        }
    }
}
