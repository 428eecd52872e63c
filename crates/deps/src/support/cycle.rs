//! Products with their release cycles.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// When the support of a cycle ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// On this day.
    On(Date),
    /// It has ended, on a day that nobody says.
    Past,
    /// Nobody says, so it has not.
    Open,
}

impl End {
    /// Whether it has ended on a day.
    pub fn over(self, today: Date) -> bool {
        match self {
            End::On(day) => day < today,
            End::Past => true,
            End::Open => false,
        }
    }
}

/// One series of releases that is supported together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// `3.4`, `22`, `12`.
    pub name: String,
    /// The name that a system's release also has: `bookworm`; empty for none.
    pub codename: String,
    /// When its first release came out.
    pub released: Option<Date>,
    /// When its maintainers stop to mend it.
    pub ends: End,
    /// When others, or they for pay, stop too; [`End::Past`] where nobody goes on.
    pub extended: End,
}

/// A language, a system or a framework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// As a person calls it.
    pub title: String,
    /// Its cycles, the newest first.
    pub cycles: Vec<Cycle>,
}

impl Product {
    /// The cycle of a version: the one whose name the version begins with, part by part. A version that
    /// does not go as deep as the cycles do, `3` where they are `3.3` and `3.4`, is in none.
    pub fn cycle(&self, version: &str) -> Option<&Cycle> {
        let parts = numbers(version);
        let begins = |cycle: &&Cycle| {
            let name = numbers(&cycle.name);
            !name.is_empty() && parts.len() >= name.len() && parts[..name.len()] == name[..]
        };
        self.cycles.iter().filter(begins).max_by_key(|cycle| numbers(&cycle.name).len())
    }

    /// Whether a version is older than every cycle that is known.
    pub fn older_than_all(&self, version: &str) -> bool {
        let parts = numbers(version);
        let oldest = self.cycles.iter().map(|c| numbers(&c.name)).filter(|n| !n.is_empty()).min();
        match oldest {
            // As many parts are compared as both have: `2` is not older than `2.3`.
            Some(oldest) if !parts.is_empty() => {
                let depth = parts.len().min(oldest.len());
                parts[..depth] < oldest[..depth]
            }
            _ => false,
        }
    }

    /// The cycle of a release's other name.
    pub fn codenamed(&self, name: &str) -> Option<&Cycle> {
        self.cycles.iter().find(|c| !c.codename.is_empty() && c.codename == name)
    }
}

/// The numbers that a version begins with: `3.2.1-slim` is 3, 2 and 1.
pub fn numbers(version: &str) -> Vec<u32> {
    let mut out = Vec::new();
    for part in version.trim_start_matches('v').split('.') {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let Ok(number) = part[..end].parse() else { break };
        out.push(number);
        if end < part.len() {
            break;
        }
    }
    out
}

/// All products, by the names that this crate gives to runtimes and by those of endoflife.date.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// By id: `ruby`, `nodejs`, `rails`.
    pub products: BTreeMap<String, Product>,
}

impl Table {
    /// What is known without any feed: the products that web applications are most often made of. The days
    /// are those that the products' own pages announce, as endoflife.date had gathered them on 2026-08-22.
    pub fn built_in() -> &'static Table {
        static TABLE: LazyLock<Table> = LazyLock::new(|| built_in(include_str!("cycles.txt")));
        &TABLE
    }

    /// Takes a newer word on a product in. Cycles that only the older one knows stay.
    pub fn take(&mut self, id: &str, product: Product) {
        let Some(known) = self.products.get_mut(canonical(id)) else {
            self.products.insert(canonical(id).to_owned(), product);
            return;
        };
        let older = std::mem::replace(known, product);
        let missing: Vec<Cycle> =
            older.cycles.into_iter().filter(|c| !known.cycles.iter().any(|n| n.name == c.name)).collect();
        known.cycles.extend(missing);
    }

    /// The same with newer words on products: of each product that both know, cycles that only this table
    /// knows stay.
    #[must_use]
    pub fn with(&self, newer: &Table) -> Table {
        let mut table = self.clone();
        for (id, product) in &newer.products {
            table.take(id, product.clone());
        }
        table
    }

    /// A product.
    pub fn product(&self, id: &str) -> Option<&Product> {
        self.products.get(canonical(id))
    }
}

/// endoflife.date's names where this crate has others.
pub(super) fn canonical(id: &str) -> &str {
    match id {
        "alpine-linux" => "alpine",
        "eclipse-temurin" => "java",
        "ruby-on-rails" => "rails",
        "node" => "nodejs",
        "golang" => "go",
        "postgres" => "postgresql",
        "mongo" => "mongodb",
        other => other,
    }
}

/// Reads the built-in table: a line at the margin begins a product, an indented one is a cycle of it with
/// its first day, its last day, the last day of extended support and a codename; `-` is for none.
fn built_in(text: &str) -> Table {
    let mut table = Table::default();
    let mut product = String::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if !line.starts_with(' ') {
            product = words.next().unwrap_or("").to_owned();
            let title = words.collect::<Vec<_>>().join(" ");
            table.products.insert(product.clone(), Product { title, cycles: Vec::new() });
            continue;
        }
        let name = words.next().unwrap_or("").to_owned();
        let mut day = || words.next().unwrap_or("-");
        let (released, ends, extended) = (day().parse().ok(), end(day(), End::Open), end(day(), End::Past));
        let codename = words.next().unwrap_or("").to_owned();
        if let Some(product) = table.products.get_mut(&product) {
            product.cycles.push(Cycle { name, codename, released, ends, extended });
        }
    }
    table
}

fn end(word: &str, none: End) -> End {
    match word {
        "-" => none,
        word => word.parse().map_or(End::Past, End::On),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_whole() {
        let table = Table::built_in();
        assert!(table.products.len() >= 24);
        for (id, product) in &table.products {
            assert!(product.cycles.len() >= 3, "{id}");
            assert!(!product.title.is_empty(), "{id}");
            for cycle in &product.cycles {
                assert!(cycle.released.is_some(), "{id} {}", cycle.name);
                assert!(!numbers(&cycle.name).is_empty(), "{id} {}", cycle.name);
                if let (Some(first), End::On(last)) = (cycle.released, cycle.ends) {
                    assert!(first < last, "{id} {}", cycle.name);
                }
            }
        }
    }

    #[test]
    fn versions_find_their_cycles() {
        let table = Table::built_in();
        let name = |id: &str, version: &str| table.product(id)?.cycle(version).map(|c| c.name.as_str());
        assert_eq!(name("ruby", "3.2.1"), Some("3.2"));
        assert_eq!(name("ruby", "3.2.1p20-slim"), Some("3.2"));
        assert_eq!(name("ruby", "3"), None);
        assert_eq!(name("nodejs", "v20.1.0"), Some("20"));
        assert_eq!(name("python", "3.10"), Some("3.10"));
        assert_eq!(name("python", "3"), None);
        assert_eq!(name("node", "20-alpine"), Some("20"));
        let ruby = table.product("ruby").unwrap();
        assert!(
            ruby.older_than_all("1.8.7") && !ruby.older_than_all("2") && !ruby.older_than_all("jruby-9.4")
        );
        assert_eq!(table.product("debian").unwrap().codenamed("bookworm").unwrap().name, "12");
    }

    #[test]
    fn a_newer_word_counts() {
        let mut table = Table::built_in().clone();
        let cycle = Cycle {
            name: "4.1".to_owned(),
            codename: String::new(),
            released: None,
            ends: End::Open,
            extended: End::Past,
        };
        table.take("ruby", Product { title: "Ruby".to_owned(), cycles: vec![cycle] });
        let ruby = table.product("ruby").unwrap();
        assert_eq!(ruby.cycle("4.1.2").unwrap().ends, End::Open);
        assert_eq!(ruby.cycle("3.4.1").unwrap().name, "3.4");
    }
}
