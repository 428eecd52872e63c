//! The ignore file: findings that somebody has judged, with the reason and perhaps a last day.

use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use wardroom_model::{Finding, Location};
use wardroom_source::LineIndex;

use crate::clock::Date;
use crate::failure::usage;
use crate::input::SCANS_IGNORES;

/// The file at the root of an application.
pub const AT_ROOT: &str = ".wardroom-ignore.toml";

/// One entry.
#[derive(Clone, Debug)]
pub struct FileIgnore {
    /// The entry in its file.
    pub location: Location,
    /// What it covers.
    pub what: Covered,
    /// Empty where none is given.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Option<Date>,
}

/// What an entry covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covered {
    /// One finding, wherever it moves.
    Fingerprint(String),
    /// A rule's findings in a file, perhaps on one line.
    Place {
        /// Rule id, or `all`.
        rule: String,
        /// Relative to the root.
        file: String,
        /// From 1.
        line: Option<u32>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entries {
    #[serde(default)]
    ignore: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: Option<String>,
    rule: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    #[serde(default)]
    reason: String,
    expires: Option<Day>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Day {
    Text(String),
    Date(toml::value::Datetime),
}

impl FileIgnore {
    /// Whether it covers a finding, whatever the day.
    pub fn covers(&self, finding: &Finding) -> bool {
        match &self.what {
            Covered::Fingerprint(fingerprint) => *fingerprint == finding.fingerprint.0,
            Covered::Place { rule, file, line } => {
                (rule == "all" || *rule == finding.rule)
                    && **file == *finding.location.file
                    && line.is_none_or(|l| {
                        (finding.location.start.line..=finding.location.end.line).contains(&l)
                    })
            }
        }
    }

    /// In words, for messages.
    pub fn subject(&self) -> String {
        match &self.what {
            Covered::Fingerprint(fingerprint) => format!("the finding {fingerprint}"),
            Covered::Place { rule, file, line: Some(line) } => format!("`{rule}` in {file}:{line}"),
            Covered::Place { rule, file, line: None } => format!("`{rule}` in {file}"),
        }
    }
}

/// Reads the ignore files of an application.
pub fn read(root: &Path) -> anyhow::Result<Vec<FileIgnore>> {
    let mut out = Vec::new();
    for name in [AT_ROOT, SCANS_IGNORES] {
        match fs::read_to_string(root.join(name)) {
            Ok(text) => out.extend(parse(name, &text).map_err(usage)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
            Err(error) => return Err(usage(format!("{name} could not be read: {error}"))),
        }
    }
    Ok(out)
}

/// Reads one ignore file's text.
pub fn parse(name: &str, text: &str) -> Result<Vec<FileIgnore>, String> {
    let entries: Entries = toml::from_str(text).map_err(|e| format!("{name}: {e}"))?;
    let lines = LineIndex::new(text.as_bytes());
    let file: Arc<str> = name.into();
    let mut out = Vec::new();
    for entry in entries.ignore {
        let span = entry.span();
        // The span begins at the table's header and may go on to the next one.
        let text_of = text.get(span.clone()).unwrap_or_default();
        let end = span.start + text_of.trim_end().len();
        let location = lines.location(&file, text.as_bytes(), span.start as u32, end as u32);
        let line = location.start.line;
        let entry = entry.into_inner();
        let what = match (entry.fingerprint, entry.rule, entry.file) {
            (Some(fingerprint), _, _) => Covered::Fingerprint(fingerprint),
            (None, Some(rule), Some(file)) => Covered::Place { rule, file, line: entry.line },
            _ => {
                return Err(format!(
                    "{name}:{line}: an ignore needs a `fingerprint`, or a `rule` and a `file`"
                ));
            }
        };
        let expires = match entry.expires {
            None => None,
            Some(Day::Text(text)) => Some(text),
            Some(Day::Date(date)) => Some(date.to_string()),
        };
        let expires = expires
            .map(|e| Date::from_str(&e))
            .transpose()
            .map_err(|e| format!("{name}:{line}: expires: {e}"))?;
        out.push(FileIgnore { location, what, reason: entry.reason.trim().to_owned(), expires });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_with_their_places() {
        let text = "# ours\n[[ignore]]\nfingerprint = 'ab'\nreason = 'r'\n\n[[ignore]]\nrule = 'x'\nfile = 'a.rb'\nline = 3\nexpires = 2027-01-31\n";
        let entries = parse("f.toml", text).unwrap();
        assert_eq!(entries[0].what, Covered::Fingerprint("ab".to_owned()));
        assert_eq!((entries[0].location.start.line, entries[0].reason.as_str()), (2, "r"));
        assert_eq!(entries[1].subject(), "`x` in a.rb:3");
        assert_eq!(entries[1].location.start.line, 6);
        assert_eq!(entries[1].expires, "2027-01-31".parse().ok());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, said) in [
            ("[[ignore]]\nrule = 'x'\n", "f.toml:1: an ignore needs"),
            ("[[ignore]]\nfingerprint='a'\nexpires='soon'\n", "f.toml:1: expires: `soon` is no date"),
            ("[[ignore]]\nfingerprint='a'\nwhy='x'\n", "unknown field `why`"),
            ("[[ignore", "f.toml: TOML parse error at line 1"),
        ] {
            let error = parse("f.toml", text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
