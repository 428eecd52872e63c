//! The list of rules: what is asked for, counted, chosen and sorted.

use std::collections::HashMap;

use wardroom_desk::Millis;
use wardroom_desk::index::{Index, Viewer};
use wardroom_desk::metrics::{self, Scope, Verdict};
use wardroom_desk::query::Query;
use wardroom_model::{Category, Rule, Severity};

use crate::error::url_encode;
use crate::pages::list::address;

/// Columns that can be sorted by: name in the address, and head.
const SORTS: [(&str, &str); 5] = [
    ("rule", "Rule"),
    ("category", "Family"),
    ("severity", "Severity"),
    ("open", "Open"),
    ("precision", "Right here"),
];

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Words, all of which must be in the id, the title, the family or the weakness class.
    pub q: String,
    /// A family; empty for all.
    pub category: String,
    /// Only what has found something here.
    pub found: bool,
    /// By what it is sorted.
    pub sort: &'static str,
    /// The other way round.
    pub reversed: bool,
}

/// The head of a column.
#[derive(Clone, Debug)]
pub struct Head {
    pub href: String,
    pub label: &'static str,
    pub num: bool,
    /// `ascending`, `descending`, or nothing.
    pub sorted: &'static str,
}

/// A family to choose.
#[derive(Clone, Debug)]
pub struct Choice {
    pub href: String,
    pub label: &'static str,
    pub on: bool,
}

/// A family as addresses write it.
fn slug(category: Category) -> String {
    category.title().to_lowercase().replace(' ', "-")
}

impl Asked {
    /// From the parameters of an address.
    pub fn of(parameters: &HashMap<String, String>) -> Asked {
        let text = |name: &str| parameters.get(name).map(|t| t.trim()).unwrap_or_default();
        let sort = text("sort");
        let (reversed, sort) = sort.strip_prefix('-').map_or((false, sort), |rest| (true, rest));
        let known = SORTS.iter().find(|(name, _)| *name == sort);
        let category = Category::ALL.into_iter().map(slug).find(|s| s == text("category"));
        Asked {
            q: text("q").chars().take(200).collect(),
            category: category.unwrap_or_default(),
            found: text("found") == "1",
            sort: known.map_or("open", |(name, _)| name),
            reversed: reversed && known.is_some(),
        }
    }

    /// The address of the list, or of the sheet.
    pub fn address(&self, path: &str) -> String {
        let mut parts = Vec::new();
        if !self.q.is_empty() {
            parts.push(format!("q={}", url_encode(&self.q)));
        }
        if !self.category.is_empty() {
            parts.push(format!("category={}", self.category));
        }
        if self.found {
            parts.push("found=1".to_owned());
        }
        if self.sort != "open" || self.reversed {
            parts.push(format!("sort={}{}", if self.reversed { "-" } else { "" }, self.sort));
        }
        if parts.is_empty() { path.to_owned() } else { format!("{path}?{}", parts.join("&")) }
    }

    /// The heads of the columns, each a link that sorts by it, or the other way round.
    pub fn heads(&self) -> Vec<Head> {
        let head = |(name, label): &(&'static str, &'static str)| {
            let on = self.sort == *name;
            // Words begin with A, harm and counts with the most; precision with what needs work.
            let falls = matches!(*name, "severity" | "open");
            Head {
                href: Asked { sort: name, reversed: on && !self.reversed, ..self.clone() }.address("/rules"),
                label,
                num: *name == "open",
                sorted: match (on, falls != self.reversed) {
                    (false, _) => "",
                    (true, true) => "descending",
                    (true, false) => "ascending",
                },
            }
        };
        SORTS.iter().map(head).collect()
    }

    /// The families to choose from.
    pub fn categories(&self) -> Vec<Choice> {
        let choice = |category: Category| {
            let on = self.category == slug(category);
            let category_asked = if on { String::new() } else { slug(category) };
            Choice {
                href: Asked { category: category_asked, ..self.clone() }.address("/rules"),
                label: category.title(),
                on,
            }
        };
        Category::ALL.into_iter().map(choice).collect()
    }
}

/// A rule in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub id: String,
    pub href: String,
    pub title: &'static str,
    pub category: &'static str,
    pub severity: &'static str,
    pub cwe: String,
    pub open: u64,
    pub open_href: String,
    pub all: u64,
    pub right: u64,
    pub wrong: u64,
    pub mostly_dismissed: bool,
}

impl Line {
    /// How many were judged.
    pub fn judged(&self) -> u64 {
        self.right + self.wrong
    }
}

/// Every rule that the program knows, and every other that a visible finding names.
pub fn lines(rules: &[&'static Rule], index: &Index, eyes: &Viewer, now: Millis) -> Vec<Line> {
    let (query, _) = Query::parse("kind:finding");
    let matches = index.find(&query, eyes, now);
    let scope = &Scope::new(index, &query, &matches, now);
    let found: HashMap<String, metrics::RulePrecision> = metrics::precision(scope, &super::judged())
        .unwrap_or_default()
        .into_iter()
        .map(|p| (p.rule.clone(), p))
        .collect();
    let open = query.with("is:open");
    let matches = index.find(&open, eyes, now);
    let facets = index.facets(&matches, &["rule"], usize::MAX);
    let counts: HashMap<String, u64> =
        facets.into_iter().flat_map(|f| f.values).map(|v| (v.value, v.count)).collect();
    let mut all: Vec<Line> = rules
        .iter()
        .map(|rule| Line {
            id: rule.id.to_owned(),
            title: rule.title,
            category: rule.category.title(),
            severity: rule.severity.as_str(),
            cwe: rule.cwe.to_string(),
            ..Line::default()
        })
        .collect();
    let foreign = |id: &&String| !rules.iter().any(|r| r.id == id.as_str());
    let mut others: Vec<&String> = found.keys().filter(foreign).collect();
    others.sort();
    all.extend(others.into_iter().map(|id| Line {
        id: id.clone(),
        title: "Of another tool",
        ..Line::default()
    }));
    for line in &mut all {
        line.href = format!("/rules/{}", url_encode(&line.id).replace('/', "%2F"));
        line.open = counts.get(&line.id).copied().unwrap_or_default();
        line.open_href = address("/queue", &open.with(&super::term(&line.id)));
        if let Some(p) = found.get(&line.id) {
            (line.all, line.right, line.wrong) = (p.all.count, p.right.count, p.wrong.count);
            line.mostly_dismissed = p.verdict == Verdict::MostlyDismissed;
        }
    }
    all
}

/// Those that are asked for, sorted.
pub fn chosen(mut lines: Vec<Line>, asked: &Asked) -> Vec<Line> {
    let words: Vec<String> = asked.q.to_lowercase().split_whitespace().map(str::to_owned).collect();
    lines.retain(|l| {
        let text = format!("{} {} {} {}", l.id, l.title, l.category, l.cwe).to_lowercase();
        let category = l.category.to_lowercase().replace(' ', "-");
        (!asked.found || l.all > 0)
            && (asked.category.is_empty() || category == asked.category)
            && words.iter().all(|w| text.contains(w.as_str()))
    });
    let severity = |l: &Line| l.severity.parse::<Severity>().ok();
    // Never judged comes last, whichever way.
    #[expect(clippy::cast_precision_loss, reason = "counts of records are small")]
    let share = |l: &Line| if l.judged() == 0 { 2.0 } else { l.right as f64 / l.judged() as f64 };
    lines.sort_by(|a, b| {
        let order = match asked.sort {
            "rule" => a.id.cmp(&b.id),
            "category" => a.category.cmp(b.category),
            "severity" => severity(b).cmp(&severity(a)),
            "precision" => share(a).total_cmp(&share(b)),
            _ => b.open.cmp(&a.open),
        };
        let order = if asked.reversed { order.reverse() } else { order };
        order.then_with(|| a.id.cmp(&b.id))
    });
    if asked.sort == "precision" {
        lines.sort_by_key(|l| l.judged() == 0);
    }
    lines
}
