//! Other tools' reports, read into one form.
//!
//! A report is bytes with a name. [`read`] parses it once into a [`Shape`] (JSON, lines of JSON, XML, a table, text),
//! asks every [`Format`] whether it knows it, and lets the surest one read it. What cannot be understood is a
//! [`Problem`], never the end: a report of a thousand findings with a broken one gives 999.
//!
//! This crate never touches the file system, a connection or the clock, and runs nothing that a report says. It never
//! expands an entity that a document declares.

mod delivered;
mod formats;
mod grouping;
mod identifier;
mod mapping;
mod markup;
mod package;
mod reported;
mod severity;
mod shape;
mod tables;
mod wording;

use wardroom_model::Problem;

pub use formats::{Format, Likeness, formats};
pub use mapping::{Field, Mapping, read_table};
pub use reported::{Address, Place, Reported, Standing};
pub use shape::{Element, Shape, Table};

/// Most bytes of one report: the largest that tools are known to write are a tenth of it.
pub const LARGEST: usize = 512 * 1024 * 1024;
/// Most findings of one report; the desk takes no more at once either.
pub const MOST: usize = 200_000;

/// The format of a report that is an empty list, as many tools write it when they find nothing.
pub const NOTHING: &str = "nothing";

/// Most bytes of the texts of one report's findings: a check may say the same long text of every finding.
const ROOM: usize = 256 * 1024 * 1024;
/// What of each text is kept when there is no more room, in bytes.
const SHORT: usize = 512;
/// Most problems that are told of one report.
const MOST_PROBLEMS: usize = 1000;

/// What one report said.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Imported {
    /// The format it was read as: `sarif`, `zap`.
    pub format: &'static str,
    /// The tool that wrote it, as it calls itself; the format's own title where it does not say.
    pub tool: String,
    /// Its version; empty where it does not say.
    pub tool_version: String,
    /// What it found, in its order.
    pub findings: Vec<Reported>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Why nothing at all could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file is too large.
    #[error("{file}: {size} bytes are too many: at most {LARGEST} are read")]
    TooLarge {
        /// The report.
        file: String,
        /// Its size in bytes.
        size: usize,
    },
    /// It is neither JSON nor XML nor a table nor text.
    #[error("{file}:{line}: {message}")]
    Unreadable {
        /// The report.
        file: String,
        /// The line where reading ended.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// No format knows it.
    #[error(
        "{file}: no known format: {what}. Name the format if it is one of those that `wardroom import --list` shows"
    )]
    Unknown {
        /// The report.
        file: String,
        /// What was seen of it.
        what: String,
    },
    /// A mapping of columns was given for what is no table.
    #[error("{file}: a mapping needs a table, and this is {what}")]
    NoTable {
        /// The report.
        file: String,
        /// What was seen of it.
        what: String,
    },
    /// A mapping names a column that is not there.
    #[error("{file}: there is no column `{wanted}`; it has {columns}")]
    NoSuchColumn {
        /// The report.
        file: String,
        /// As the mapping names it.
        wanted: String,
        /// Those that there are.
        columns: String,
    },
    /// There is no format of that name.
    #[error("there is no format `{wanted}`{}", nearest.as_ref().map(|n| format!(": did you mean `{n}`?")).unwrap_or_default())]
    NoSuchFormat {
        /// As it was asked for.
        wanted: String,
        /// The nearest one that there is.
        nearest: Option<&'static str>,
    },
}

/// Reads a report; `wanted` names the format where the content does not tell, or tells wrongly.
pub fn read(file: &str, bytes: &[u8], wanted: Option<&str>) -> Result<Imported, ImportError> {
    if bytes.len() > LARGEST {
        return Err(ImportError::TooLarge { file: file.to_owned(), size: bytes.len() });
    }
    let mut problems = Vec::new();
    // Tools that write a line for each finding write an empty file where there is none: it is read where the format is
    // named, as the content cannot name it.
    let empty = wanted.is_some() && bytes.iter().all(u8::is_ascii_whitespace);
    let shape = if empty { Shape::Lines(Vec::new()) } else { Shape::of(file, bytes, &mut problems)? };
    if wanted.is_none() && shape.is_empty_list() {
        problems.push(Problem {
            file: file.into(),
            line: None,
            message:
                "the report is an empty list: it holds no findings, and nothing tells which tool wrote it"
                    .to_owned(),
            unread: false,
        });
        return Ok(Imported {
            format: NOTHING,
            tool: String::new(),
            tool_version: String::new(),
            findings: Vec::new(),
            problems,
        });
    }
    let format = match wanted {
        Some(name) => formats::named(name)?,
        None => formats::that_knows(&shape)
            .ok_or_else(|| ImportError::Unknown { file: file.to_owned(), what: shape.describe() })?,
    };
    let mut imported = Imported {
        format: format.name(),
        tool: format.title().to_owned(),
        tool_version: String::new(),
        findings: Vec::new(),
        problems,
    };
    let mut report = Report::new(file, &mut imported);
    format.read(&shape, &mut report);
    report.end();
    Ok(imported)
}

/// Where a format puts what it reads.
#[derive(Debug)]
pub struct Report<'a> {
    file: &'a str,
    imported: &'a mut Imported,
    /// Findings that were left out since there are too many.
    rest: usize,
    /// Bytes that are left for texts.
    room: usize,
    /// Problems so far.
    told: usize,
}

impl<'a> Report<'a> {
    fn new(file: &'a str, imported: &'a mut Imported) -> Report<'a> {
        Report { file, imported, rest: 0, room: ROOM, told: 0 }
    }

    /// The tool and its version, as the report tells them; empty texts change nothing.
    pub fn tool(&mut self, name: &str, version: &str) {
        if !name.trim().is_empty() {
            self.imported.tool = name.trim().to_owned();
        }
        if !version.trim().is_empty() {
            self.imported.tool_version = version.trim().to_owned();
        }
    }

    /// A finding.
    pub fn found(&mut self, mut reported: Reported) {
        if self.imported.findings.len() >= MOST {
            self.rest += 1;
            return;
        }
        reported.settle();
        let size = reported.size();
        if size > self.room {
            if self.room > 0 {
                self.tell(format!(
                    "texts from finding {} on were cut: they are more than {ROOM} bytes together",
                    self.imported.findings.len() + 1
                ));
                self.room = 0;
            }
            reported.shorten(SHORT);
        } else {
            self.room -= size;
        }
        self.imported.findings.push(reported);
    }

    /// Findings that a format itself left out since there are too many.
    pub(crate) fn leave_out(&mut self, count: usize) {
        self.rest += count;
    }

    /// Something that could not be read; `at` says where: `runs[0].results[3]`.
    pub fn problem(&mut self, at: &str, message: &str) {
        self.told += 1;
        if self.told <= MOST_PROBLEMS {
            self.tell(if at.is_empty() { message.to_owned() } else { format!("{at}: {message}") });
        }
    }

    fn tell(&mut self, mut message: String) {
        reported::bound(&mut message, SHORT);
        self.imported.problems.push(Problem { file: self.file.into(), line: None, message, unread: false });
    }

    /// Tells what was left out.
    fn end(mut self) {
        if self.rest > 0 {
            let rest = self.rest;
            self.tell(format!("{rest} findings more than the {MOST} that are taken at once were left out"));
        }
        if self.told > MOST_PROBLEMS {
            let rest = self.told - MOST_PROBLEMS;
            self.tell(format!("{rest} more problems were left out"));
        }
    }
}
