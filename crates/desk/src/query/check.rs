//! Whether the names and values of a search mean something, and what was perhaps meant.

use std::ops::Range;

use jiff::civil::Date;

use super::{Problem, Query, Term, Test, when};
use crate::index::{HAS, IS, Name, Place, SORTS, Schema, Shape};
use crate::{RecordId, nearest};

impl Query {
    /// What is wrong with its names and values, by what the program declares. What records hold is
    /// not looked at, so that a message cannot tell of a record that is not for the reader's eyes.
    pub fn check(&self, schema: &Schema) -> Vec<Problem> {
        let kinds: Vec<String> = self
            .terms
            .iter()
            .filter(|t| t.key == "kind" && !t.negated)
            .flat_map(|t| &t.tests)
            .filter_map(|t| match t {
                Test::Is(kind) | Test::Exact(kind) => Some(kind.to_lowercase()),
                _ => None,
            })
            .filter(|k| schema.kinds.contains_key(k))
            .collect();
        let check = Check { schema, kinds: &kinds };
        self.terms.iter().filter_map(|term| check.term(term)).collect()
    }
}

struct Check<'a> {
    schema: &'a Schema,
    /// The kinds that the search is limited to; empty for all.
    kinds: &'a [String],
}

fn problem(span: &Range<usize>, message: String, instead: Option<String>) -> Problem {
    Problem { span: span.clone(), message, instead, warning: false }
}

impl Check<'_> {
    fn term(&self, term: &Term) -> Option<Problem> {
        if term.key.is_empty() {
            let nothing = term.tests.iter().all(|t| match t {
                Test::Is(text) | Test::Exact(text) => !text.chars().any(char::is_alphanumeric),
                _ => false,
            });
            let message = || format!("`{term}` holds no word to look for");
            return nothing.then(|| Problem { warning: true, ..problem(&term.span, message(), None) });
        }
        let of = match self.kinds {
            [] => "record".to_owned(),
            kinds => kinds.join(" or a "),
        };
        let Some(name) = self.schema.get(&term.key) else {
            let names = self.schema.names.values().filter(|n| self.has(n)).map(|n| n.name.as_str());
            let near = nearest(&term.key, names).map(str::to_owned);
            let key = term.span.start + usize::from(term.negated)
                ..term.span.start + usize::from(term.negated) + term.key.len();
            return Some(problem(&key, format!("`{}` is no field of a {of}", term.key), near));
        };
        if !self.has(name) {
            let kinds: Vec<&str> = name.kinds.iter().map(String::as_str).collect();
            let message = format!("`{}` is no field of a {of}: a {} has it", name.name, kinds.join(" or a "));
            return Some(problem(&term.span, message, None));
        }
        if term.tests.is_empty() {
            // The reader has said so.
            return None;
        }
        term.tests.iter().find_map(|test| self.test(term, name, test))
    }

    fn has(&self, name: &Name) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|k| self.schema.is_of(name, k))
    }

    fn test(&self, term: &Term, name: &Name, test: &Test) -> Option<Problem> {
        let wrong = |message: String| Some(problem(&term.span, message, None));
        let key = &name.name;
        match name.place {
            Place::Time(_) if *key == "age" && !lengths(test) => {
                wrong(format!("`{test}` is no length of time: write `age:>30d`, in h, d or w"))
            }
            Place::Time(_) => when::moments(test, true, &utc(), 0).is_none().then(|| {
                let message = format!(
                    "`{test}` is no time: write `{key}:>2026-01-31`, `{key}:2026-01..2026-03` or `{key}:<7d`"
                );
                problem(&term.span, message, None)
            }),
            Place::Column(_) if name.shape == Shape::Date => {
                when::dates(test, Date::constant(2000, 1, 1)).is_none().then(|| {
                    problem(
                        &term.span,
                        format!("`{test}` is no date: write `{key}:>2026-01-31` or `{key}:<7d`"),
                        None,
                    )
                })
            }
            Place::Column(_) if name.shape == Shape::Number => {
                let yes = key == "reopened" && *test == Test::Is("yes".to_owned());
                if yes || when::ranks(test, name.shape).is_some() {
                    return None;
                }
                wrong(format!("`{test}` is no number: write `{key}:3`, `{key}:>3` or `{key}:1..3`"))
            }
            Place::Column(_) if name.shape.ordered() => {
                if when::ranks(test, name.shape).is_some() {
                    return None;
                }
                self.choice(term, name, test, name.shape.levels())
            }
            Place::Column(_) => self.listed(term, name, test),
            Place::Clock => {
                let choices: Vec<&str> = name.choices.iter().map(String::as_str).collect();
                self.choice(term, name, test, &choices)
            }
            Place::Is => self.choice(term, name, test, &IS),
            Place::Late => self.choice(term, name, test, &["yes", "no"]),
            Place::Sort => {
                let (Test::Is(v) | Test::Exact(v)) = test else {
                    return self.choice(term, name, test, &SORTS);
                };
                let plain = Test::Is(v.strip_prefix('-').unwrap_or(v).to_owned());
                self.choice(term, name, &plain, &SORTS)
            }
            Place::Has | Place::No => {
                let columns = self.names(|p| matches!(p, Place::Column(_) | Place::Time(_)));
                let all: Vec<&str> = HAS.iter().copied().chain(columns).collect();
                self.choice(term, name, test, &all)
            }
            Place::Group => self.choice(term, name, test, &self.names(|p| matches!(p, Place::Column(_)))),
            Place::In => {
                let texts = self.schema.names.values().filter(|n| {
                    matches!(n.place, Place::Text(_))
                        || (n.shape == Shape::Word && matches!(n.place, Place::Column(_)))
                });
                let texts: Vec<&str> = texts.map(|n| n.name.as_str()).collect();
                self.choice(term, name, test, &texts)
            }
            Place::Id => match test {
                Test::Is(v) | Test::Exact(v) => {
                    v.parse::<RecordId>().err().and_then(|e| wrong(e.to_string()))
                }
                _ => wrong(format!("`{test}` is no record's name: write `id:F-12`")),
            },
            Place::Text(_) => match test {
                Test::Compare(..) | Test::Between(..) => wrong(format!("`{key}` has no order")),
                _ => None,
            },
        }
    }

    fn names(&self, wanted: impl Fn(Place) -> bool) -> Vec<&str> {
        self.schema.names.values().filter(|n| wanted(n.place)).map(|n| n.name.as_str()).collect()
    }

    /// A value of a column whose values have no order.
    fn listed(&self, term: &Term, name: &Name, test: &Test) -> Option<Problem> {
        match test {
            Test::Compare(..) | Test::Between(..) => {
                Some(problem(&term.span, format!("`{}` has no order: name its values", name.name), None))
            }
            Test::Prefix(_) => None,
            Test::Is(value) if value.starts_with('@') && name.shape == Shape::Person && value == "@team" => {
                Some(problem(&term.span, "`@team` is a team: write `team:@team`".to_owned(), None))
            }
            Test::Is(_) | Test::Exact(_) if name.shape == Shape::Flag => {
                self.choice(term, name, test, &["yes", "no", "true", "false"])
            }
            Test::Is(value) | Test::Exact(value) if name.shape == Shape::Record => {
                let wrong = value.parse::<RecordId>().err()?;
                Some(problem(&term.span, wrong.to_string(), None))
            }
            _ if name.choices.is_empty() => None,
            _ => {
                let choices: Vec<&str> = name.choices.iter().map(String::as_str).collect();
                self.choice(term, name, test, &choices)
            }
        }
    }

    /// A value that must be one of a few.
    fn choice(&self, term: &Term, name: &Name, test: &Test, choices: &[&str]) -> Option<Problem> {
        let value = match test {
            Test::Is(value) | Test::Exact(value) => value.to_lowercase(),
            Test::Compare(_, value) => value.to_lowercase(),
            Test::Between(from, to) => [from, to]
                .into_iter()
                .find(|v| !v.is_empty() && !choices.contains(&v.as_str()))
                .unwrap_or(from)
                .to_lowercase(),
            Test::Prefix(value) => value.to_lowercase(),
        };
        let plain = matches!(test, Test::Is(_) | Test::Exact(_));
        if plain && choices.iter().any(|c| c.to_lowercase() == value) {
            return None;
        }
        let near = nearest(&value, choices.iter().copied()).filter(|n| *n != value);
        let few = if choices.len() <= 12 { format!(": {}", choices.join(", ")) } else { String::new() };
        let message = if plain || !choices.contains(&value.as_str()) {
            format!("`{value}` is none of what `{}:` takes{few}", name.name)
        } else {
            format!("`{}` has no order", name.name)
        };
        let instead = near.map(|near| {
            let was = if value.is_empty() { String::new() } else { test.to_string() };
            let lower = was.to_lowercase();
            let text = term.to_string();
            text.replacen(&was, &lower.replacen(&value, near, 1), 1)
        });
        Some(problem(&term.span, message, instead))
    }
}

fn lengths(test: &Test) -> bool {
    match test {
        Test::Is(v) | Test::Exact(v) | Test::Compare(_, v) => when::is_length(v),
        Test::Between(from, to) => [from, to].iter().all(|v| v.is_empty() || when::is_length(v)),
        Test::Prefix(_) => false,
    }
}

/// Any calendar does for asking whether a text is a time at all.
fn utc() -> wardroom_program::Calendar {
    wardroom_program::Calendar {
        zone: jiff::tz::TimeZone::UTC,
        holidays: std::collections::BTreeSet::new(),
        working: Vec::new(),
    }
}
