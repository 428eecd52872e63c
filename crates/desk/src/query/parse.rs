//! Reading a search.

use std::ops::Range;

use super::{LONGEST, MOST, Order, Problem, Query, Term, Test};

/// Reads a text.
pub fn query(text: &str) -> (Query, Vec<Problem>) {
    let mut query = Query::default();
    let mut problems = Vec::new();
    let mut text = text;
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        problems.push(error(end..text.len(), format!("a search has at most {LONGEST} characters")));
        query.broken = true;
        text = &text[..end];
    }
    let mut reader = Reader { text, at: 0, problems };
    while let Some(term) = reader.term() {
        if query.terms.len() == MOST {
            reader
                .problems
                .push(error(term.span.start..text.len(), format!("a search has at most {MOST} terms")));
            query.broken = true;
            break;
        }
        query.terms.push(term);
    }
    (query, reader.problems)
}

/// Whether a value can be written without quotes, and is then read as it is.
pub fn bare(value: &str) -> bool {
    let (query, _) = query(&format!("x:{value}"));
    matches!(query.terms.as_slice(), [Term { tests, negated: false, .. }]
        if matches!(tests.as_slice(), [Test::Is(read)] if read == value))
}

fn error(span: Range<usize>, message: String) -> Problem {
    Problem { span, message, instead: None, warning: false }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn term(&mut self) -> Option<Term> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        if self.rest().is_empty() {
            return None;
        }
        let start = self.at;
        // A dash by itself is a word; before something it turns that round.
        let more = self.rest().chars().nth(1).is_some_and(|c| !c.is_whitespace());
        let negated = more && self.eat('-');
        let key = self.key();
        let mut tests = Vec::new();
        if key.is_empty() {
            tests.push(self.word());
        } else {
            loop {
                if let Some(test) = self.value() {
                    tests.push(test);
                }
                if !self.eat(',') {
                    break;
                }
            }
            if tests.is_empty() {
                let message = format!("nothing stands after `{key}:`");
                self.problems.push(error(start..self.at, message));
            }
        }
        Some(Term { negated, key, tests, span: start..self.at })
    }

    /// The name before a colon. `User::Admin` and `https://host` are words.
    fn key(&mut self) -> String {
        let rest = self.rest();
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        let after = &rest[end..];
        let named = rest.starts_with(|c: char| c.is_ascii_alphabetic())
            && after.starts_with(':')
            && !after.starts_with("::")
            && !after.starts_with("://");
        if !named {
            return String::new();
        }
        self.at += end + 1;
        rest[..end].to_ascii_lowercase()
    }

    /// A word, or words in quotes.
    fn word(&mut self) -> Test {
        if self.rest().starts_with('"') {
            return Test::Exact(self.quoted());
        }
        let rest = self.rest();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.at += end;
        Test::Is(rest[..end].to_owned())
    }

    /// What stands between quotes; `\"` is a quote and `\\` a backslash.
    fn quoted(&mut self) -> String {
        let start = self.at;
        let mut value = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + at + 1;
                    return value;
                }
                '\\' => value.push(chars.next().map_or('\\', |(_, c)| c)),
                _ => value.push(c),
            }
        }
        self.at = self.text.len();
        self.problems.push(Problem {
            span: start..self.at,
            message: "the quotes are not closed".to_owned(),
            instead: None,
            warning: true,
        });
        value
    }

    /// One value of a name; none where nothing stands there.
    fn value(&mut self) -> Option<Test> {
        if self.rest().starts_with("=\"") {
            self.at += 1;
        }
        if self.rest().starts_with('"') {
            return Some(Test::Exact(self.quoted()));
        }
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(rest.len());
        self.at += end;
        let value = &rest[..end];
        for (sign, order) in
            [("<=", Order::AtMost), (">=", Order::AtLeast), ("<", Order::Below), (">", Order::Above)]
        {
            if let Some(value) = value.strip_prefix(sign) {
                return Some(Test::Compare(order, value.to_owned()));
            }
        }
        if let Some(exact) = value.strip_prefix('=') {
            return (!exact.is_empty()).then(|| Test::Exact(exact.to_owned()));
        }
        if let Some(prefix) = value.strip_suffix('*') {
            return Some(Test::Prefix(prefix.to_owned()));
        }
        // Only what can be the end of a range: `../x` is a path.
        let end_of_range = |s: &str| s.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        if let Some((from, to)) = value.split_once("..")
            && (!from.is_empty() || !to.is_empty())
            && end_of_range(from)
            && end_of_range(to)
        {
            return Some(Test::Between(from.to_owned(), to.to_owned()));
        }
        // Right behind the name these would be read as a word: `User::Admin`, `https://host`.
        if value.starts_with(':') || value.starts_with("//") {
            return Some(Test::Exact(value.to_owned()));
        }
        (!value.is_empty()).then(|| Test::Is(value.to_owned()))
    }
}
