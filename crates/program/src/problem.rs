//! What is wrong in a program, and where.

use std::fmt;

use serde::Serialize;

/// What is wrong in a program, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Relative to the program's folder.
    pub file: String,
    /// From 1; 0 where the file as a whole is meant.
    pub line: u32,
    /// From 1, in characters; 0 where the line as a whole is meant.
    pub column: u32,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to write instead, where it can be guessed.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        write!(f, ": {}", self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

/// Where something stands in a file. Line and column count from 1, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// The file as a whole.
    pub const FILE: Place = Place { line: 0, column: 0 };

    /// Of a byte of a text.
    pub fn of_byte(text: &str, byte: usize) -> Place {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { line: number(line), column: number(column) }
    }
}

/// Gathers the problems of one file.
#[derive(Debug)]
pub struct Problems<'a> {
    /// The file.
    pub file: &'a str,
    /// What was found.
    pub list: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// None yet.
    pub fn of(file: &'a str) -> Problems<'a> {
        Problems { file, list: Vec::new() }
    }

    /// One more.
    pub fn add(&mut self, place: Place, message: impl Into<String>, help: Option<String>) {
        self.list.push(Problem {
            file: self.file.to_owned(),
            line: place.line,
            column: place.column,
            message: message.into(),
            help,
        });
    }

    /// One about a word that was read. A word without a place is missing, which was said already.
    pub fn about<T>(&mut self, at: &At<T>, message: impl Into<String>, help: Option<String>) {
        if at.place != Place::FILE {
            self.add(at.place, message, help);
        }
    }
}

/// A value and where it stands; without a place where it is missing or was refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: Place,
}

impl At<String> {
    /// The text.
    pub fn text(&self) -> &str {
        &self.value
    }
}

/// What to write instead of a word that is none of those that may stand there.
pub fn instead<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut names: Vec<&str> = names.into_iter().collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|n| seen.insert(*n));
    let near = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((_, name)) => Some(format!("perhaps `{name}` is meant")),
        None if names.is_empty() => None,
        None if names.len() > 16 => {
            Some(format!("there are {} and {} more", names[..16].join(", "), names.len() - 16))
        }
        None if names.len() == 1 => Some(format!("there is {}", names[0])),
        None => Some(format!("there are {}", names.join(", "))),
    }
}

/// A word from outside, short enough for a message.
pub fn crop(word: &str) -> String {
    const LONG: usize = 60;
    let mut out: String = word.chars().take(LONG).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if word.chars().count() > LONG {
        out.push('…');
    }
    out
}
