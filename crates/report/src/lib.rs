//! Writers of reports: one [`Report`] in, text in one of eight formats out.
//!
//! Every writer is a pure function of the report and the [`Style`]: no clock, no file, no terminal
//! is asked for anything. Strings of a report come from scanned code and are hostile until proven
//! otherwise, so each writer escapes for its own format, and none passes a control character on to
//! a terminal or a page. A report that cannot be written comes out as an [`Error`], never a panic.

mod csv;
mod escape;
mod explain;
mod github;
mod gitlab_sast;
mod html;
mod html_style;
mod json;
mod markdown;
mod sarif;
mod snippet;
mod stream;
mod summary;
mod text;

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::str::FromStr;

use wardroom_model::{Report, Rule};

/// What a report can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For a person at a terminal.
    Text,
    /// Wardroom's own schema, `schema/scan-1.json`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// GitLab's SAST report, schema 15.
    GitlabSast,
    /// One page that needs nothing else.
    Html,
    /// A table, RFC 4180.
    Csv,
    /// A comment on a merge request.
    Markdown,
    /// GitHub Actions workflow commands: annotations on the changed lines.
    Github,
}

impl Format {
    /// Every format, in the order of the command's help.
    pub const ALL: [Format; 8] = [
        Format::Text,
        Format::Json,
        Format::Sarif,
        Format::GitlabSast,
        Format::Html,
        Format::Csv,
        Format::Markdown,
        Format::Github,
    ];

    /// The word used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::GitlabSast => "gitlab-sast",
            Format::Html => "html",
            Format::Csv => "csv",
            Format::Markdown => "markdown",
            Format::Github => "github",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word given for a format is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of text, json, sarif, gitlab-sast, html, csv, markdown, github")]
pub struct ParseFormatError {
    word: String,
}

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|f| f.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| ParseFormatError { word: word.to_owned() })
    }
}

/// How the text format looks; the other formats ask nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colour by ANSI escape codes. Nothing is told by colour alone.
    pub color: bool,
    /// Box-drawing characters and shapes; plain ASCII where the terminal has no more.
    pub unicode: bool,
    /// Columns to write within; narrower than 40 counts as 40.
    pub width: usize,
    /// One line a finding instead of the whole story.
    pub short: bool,
}

impl Default for Style {
    fn default() -> Self {
        Style { color: false, unicode: true, width: 100, short: false }
    }
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output did not take it: a closed pipe, a full disk.
    #[error("the report could not be written: {0}")]
    Io(#[from] io::Error),
    /// A value that JSON has no form for.
    #[error("the report has a value that cannot be written as JSON: {0}")]
    Json(serde_json::Error),
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        // A closed pipe under the JSON writer is a closed pipe, and the caller looks at its kind.
        if error.is_io() { Error::Io(error.into()) } else { Error::Json(error) }
    }
}

/// Writes the whole report in one format, and flushes.
///
/// # Errors
/// [`Error::Io`] where `out` does not take it; its kind is kept, so that a closed pipe is
/// [`io::ErrorKind::BrokenPipe`].
pub fn write(format: Format, report: &Report, style: &Style, out: &mut dyn Write) -> Result<(), Error> {
    let out = &mut BufWriter::new(out);
    match format {
        Format::Text => text::write(report, style, out)?,
        Format::Json => json::write(report, out)?,
        Format::Sarif => sarif::write(report, out)?,
        Format::GitlabSast => gitlab_sast::write(report, out)?,
        Format::Html => html::write(report, out)?,
        Format::Csv => csv::write(report, out)?,
        Format::Markdown => markdown::write(report, out)?,
        Format::Github => github::write(report, out)?,
    }
    out.flush()?;
    Ok(())
}

/// Writes a rule's page for a terminal, as `--explain` shows it, and flushes.
///
/// # Errors
/// [`Error::Io`] where `out` does not take it, as for [`write`].
pub fn explain(rule: &Rule, style: &Style, out: &mut dyn Write) -> Result<(), Error> {
    let out = &mut BufWriter::new(out);
    explain::write(rule, style, out)?;
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_reads_its_own_word() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
        }
        let error = "pdf".parse::<Format>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`pdf` is none of text, json, sarif, gitlab-sast, html, csv, markdown, github"
        );
    }
}
