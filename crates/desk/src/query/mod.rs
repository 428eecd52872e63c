//! The search language: `is:open severity:>=high owner:@me "open redirect" -label:wontfix`.
//!
//! A search is terms, all of which must hold. A term is a word, or a name with values of which one
//! must hold; `-` before it turns it round. Quotes mean exactly what is between them. Reading a
//! text knows no program: [`Query::check`] says what its names and values mean, and a term that
//! means nothing finds nothing, so that a search with a mistake never shows more than was asked for.

mod check;
mod complete;
mod parse;
pub(crate) mod when;

use std::fmt;
use std::ops::Range;

pub use complete::{Completion, complete};

use crate::index::{Shape, Sort};

/// Longest search, in characters.
pub const LONGEST: usize = 2_000;
/// Most terms of one.
pub const MOST: usize = 60;

/// A search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// All of these must hold.
    pub terms: Vec<Term>,
    /// It was too long to be read as a whole, and finds nothing.
    pub broken: bool,
}

/// One term of a search.
#[derive(Clone, Debug)]
pub struct Term {
    /// It must not hold.
    pub negated: bool,
    /// The name before the colon, in lower case; empty for words.
    pub key: String,
    /// One of these must hold; none where nothing was written after the colon.
    pub tests: Vec<Test>,
    /// Where it stands in the text that was read, in bytes.
    pub span: Range<usize>,
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.negated == other.negated && self.key == other.key && self.tests == other.tests
    }
}

impl Eq for Term {}

/// What a value must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// `sql`: this value, or for words one that has it as a part. Never empty, without spaces.
    Is(String),
    /// `"sql"`, `=sql`: this and nothing else.
    Exact(String),
    /// `sql*`: what begins like this.
    Prefix(String),
    /// `>=high`.
    Compare(Order, String),
    /// `2026-01..2026-03`, both ends among it; an empty end is open.
    Between(String, String),
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Order {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Order::Below => "<",
            Order::AtMost => "<=",
            Order::Above => ">",
            Order::AtLeast => ">=",
        }
    }
}

/// What is wrong in a search, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What, in one sentence.
    pub message: String,
    /// What was perhaps meant: the text to put in the place of the span.
    pub instead: Option<String>,
    /// It can be answered nevertheless.
    pub warning: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.instead.as_ref().map_or(Ok(()), |instead| write!(f, ": `{instead}`?"))
    }
}

/// Names that say how to show what was found; a search has each at most once.
const SETTINGS: [&str; 3] = ["sort", "group", "in"];

impl Query {
    /// Reads a text; what could not be read is among the problems. Never fails and never panics.
    pub fn parse(text: &str) -> (Query, Vec<Problem>) {
        parse::query(text)
    }

    /// The search with the terms of a text as well, as a page's chip adds them. One that is there
    /// already is not added again; how to sort, group and where to look replaces what was said.
    #[must_use]
    pub fn with(&self, text: &str) -> Query {
        let mut query = self.clone();
        let (added, _) = Query::parse(text);
        for term in added.terms {
            if SETTINGS.contains(&term.key.as_str()) {
                query.terms.retain(|t| t.key != term.key);
            }
            if !query.terms.contains(&term) {
                query.terms.push(term);
            }
        }
        query.broken |= added.broken || query.terms.len() > MOST;
        query
    }

    /// The search without the terms of a text.
    #[must_use]
    pub fn without(&self, text: &str) -> Query {
        let mut query = self.clone();
        let (removed, _) = Query::parse(text);
        query.terms.retain(|t| !removed.terms.contains(t));
        query
    }

    /// The search without any term of a name; for what a facet offers instead of its own filter.
    #[must_use]
    pub fn without_key(&self, key: &str) -> Query {
        let mut query = self.clone();
        query.terms.retain(|t| t.key != key);
        query
    }

    /// Whether every term of a text is in it.
    pub fn has(&self, text: &str) -> bool {
        let (asked, _) = Query::parse(text);
        !asked.terms.is_empty() && asked.terms.iter().all(|t| self.terms.contains(t))
    }

    /// Whether it has no term.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && !self.broken
    }

    fn setting(&self, key: &str) -> Option<&str> {
        let term = self.terms.iter().rev().find(|t| t.key == key && !t.negated)?;
        match term.tests.first()? {
            Test::Is(value) | Test::Exact(value) => Some(value),
            _ => None,
        }
    }

    /// How it wants to be sorted: `sort:due`, or `sort:-due` the other way round.
    pub fn sort(&self) -> Option<Sort> {
        self.setting("sort")?.parse().ok()
    }

    /// By what it wants to be grouped: `group:file`.
    pub fn group(&self) -> Option<&str> {
        self.setting("group")
    }
}

/// A term that holds for exactly one value of a name, as it has to be written: for chips, facets
/// and links. `severity:high`, `rule:"sql"`, `label:"two words"`.
pub fn exactly(shape: Shape, key: &str, value: &str) -> String {
    // A word by itself would also be found as a part of others, and `me` is whoever looks.
    let part = shape == Shape::Word && value.chars().all(char::is_alphanumeric);
    let plain = !part && value != "me" && !value.starts_with('@') && parse::bare(value);
    let test = if plain { Test::Is(value.to_owned()) } else { Test::Exact(value.to_owned()) };
    Term { negated: false, key: key.to_owned(), tests: vec![test], span: 0..0 }.to_string()
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}:", self.key)?;
        }
        for (at, test) in self.tests.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write!(f, "{test}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Is(value) => f.write_str(value),
            Test::Exact(value) => {
                write!(f, "\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Test::Prefix(value) => write!(f, "{value}*"),
            Test::Compare(order, value) => write!(f, "{}{value}", order.as_str()),
            Test::Between(from, to) => write!(f, "{from}..{to}"),
        }
    }
}
