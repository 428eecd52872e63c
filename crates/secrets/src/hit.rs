//! What was found: the secret with its place, and how it is told without being told.

use std::fmt;
use std::sync::Arc;

use wardroom_model::{Confidence, Location, Position, Severity};

use crate::rules::Token;

/// Longest line of a snippet, in characters.
const LINE: usize = 200;

/// A secret. It does not print itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Takes it over.
    pub fn new(bytes: &[u8]) -> Self {
        Secret(bytes.into())
    }

    /// The bytes themselves: for a check whether it is alive, and for a salted hash. Never for a report.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// One secret in one place.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Its format.
    pub token: &'static Token,
    /// The secret.
    pub secret: Secret,
    /// What may be told of it: its public beginning and how long it is.
    pub redacted: String,
    /// Where; no secret stands in the snippet.
    pub location: Location,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Why no surer, or what makes it sure.
    pub reason: String,
    /// What it is assigned to; empty where it stands alone.
    pub name: String,
    /// Set where an allow-list or a comment covers it: which.
    pub allowed: Option<String>,
}

/// What may be told of a secret: the part that all of its format share, and its length.
pub(crate) fn redact(token: &Token, secret: &[u8]) -> String {
    let known = token.starts.iter().find(|s| secret.starts_with(s.as_bytes()) && s.len() * 3 <= secret.len());
    let length = secret.len();
    match known {
        Some(prefix) => format!("{prefix}… ({length} characters)"),
        // How long a password is makes it easier to guess.
        None if length < 20 => "…".to_owned(),
        None => format!("… ({length} characters)"),
    }
}

/// Where lines begin, and how lines look with their secrets taken out.
pub(crate) struct Lines<'t> {
    text: &'t [u8],
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text).map(|n| n + 1));
        Lines { text, starts }
    }

    /// The line (from 1) that holds an offset.
    pub(crate) fn number(&self, offset: usize) -> usize {
        self.starts.partition_point(|s| *s <= offset)
    }

    /// A line's bytes, without its end.
    pub(crate) fn line(&self, number: usize) -> &'t [u8] {
        let Some(start) = number.checked_sub(1).and_then(|n| self.starts.get(n)) else { return b"" };
        let end = self.starts.get(number).map_or(self.text.len(), |e| e - 1);
        let line = &self.text[*start..end.max(*start)];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.number(offset);
        let start = self.starts[line - 1];
        let column = String::from_utf8_lossy(&self.text[start..offset]).chars().count() as u32 + 1;
        Position { line: line as u32, column }
    }

    /// The place of a secret, its snippet with every secret of the line replaced. `all`: stretches of
    /// secrets with what is shown in their place, by beginning, none within another.
    pub(crate) fn location(
        &self,
        file: &Arc<str>,
        start: usize,
        end: usize,
        all: &[(usize, usize, String)],
    ) -> Location {
        let first = self.number(start);
        let line_start = self.starts[first - 1];
        let line_end = line_start + self.line(first).len();
        // A long line is shown around the secret.
        let from = if line_end - line_start <= LINE {
            line_start
        } else {
            start.saturating_sub(LINE / 3).max(line_start)
        };
        let mut shown: Vec<u8> = Vec::new();
        let mut at = from;
        for (s, e, instead) in all.iter().filter(|(s, e, _)| *e > from && *s < line_end) {
            if *s >= at {
                shown.extend_from_slice(&self.text[at..*s]);
            }
            shown.extend_from_slice(instead.as_bytes());
            at = (*e).max(at);
            if shown.len() > 4 * LINE || at >= line_end {
                break;
            }
        }
        if at < line_end {
            shown.extend_from_slice(&self.text[at..line_end.min(at + LINE)]);
        }
        let mut snippet = String::from_utf8_lossy(&shown).into_owned();
        // The same secret may stand on the line once more, in a comment or an example.
        for (s, e, instead) in all.iter().filter(|(s, e, _)| *e > line_start && *s < line_end) {
            let secret = String::from_utf8_lossy(&self.text[*s..*e]);
            if secret.len() >= 4 && snippet.contains(&*secret) {
                snippet = snippet.replace(&*secret, instead);
            }
        }
        if snippet.chars().count() > LINE * 2 {
            snippet = snippet.chars().take(LINE * 2).collect();
        }
        let start_position = self.position(start);
        let end = end.max(start + 1).min(self.text.len().max(start));
        Location {
            file: Arc::clone(file),
            start: start_position,
            end: self.position(end).max(start_position),
            snippet,
        }
    }
}
