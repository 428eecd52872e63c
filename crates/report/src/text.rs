//! The report for a person at a terminal: worst first, each finding a story that can be acted on,
//! and at the end the numbers.
//!
//! Severity and confidence are told by word and shape; colour only repeats them.

use std::collections::BTreeSet;
use std::io::{self, Write};

use annotate_snippets::renderer::{AnsiColor, DecorStyle, Effects, Style as Paint};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use wardroom_model::{Confidence, Finding, Location, Report, Severity};

use crate::Style;
use crate::escape::{code, line, shorten};
use crate::snippet::marked;
use crate::summary::{
    CONFIDENCES, Counts, Guards, SEVERITIES, advisory_url, count, dots, duration, elsewhere,
    endpoints_open_first, feeds, libraries, milliseconds, number, published, shape,
};

/// How many endpoints are named; the rest is counted.
const ENDPOINTS: usize = 3;
/// Longer messages come from generated code, and nobody reads on.
const MESSAGE: usize = 1500;
/// The column at which the text beside a label begins.
const INDENT: usize = 9;

pub(crate) const PLAIN: Paint = Paint::new();
pub(crate) const BOLD: Paint = Paint::new().effects(Effects::BOLD);
const DIM: Paint = Paint::new().effects(Effects::DIMMED);
pub(crate) const CODE: Paint = AnsiColor::Cyan.on_default();
const OPEN: Paint = AnsiColor::Red.on_default();
const GUARDED: Paint = AnsiColor::Green.on_default();

/// Writes all findings that count, the problems and the summary.
pub(crate) fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let pen = Pen::new(style);
    let mut explained = BTreeSet::new();
    for finding in report.active() {
        if style.short {
            pen.one_line(finding, out)?;
        } else {
            pen.finding(finding, explained.insert(finding.rule.as_str()), out)?;
        }
    }
    if style.short && report.active().next().is_some() {
        writeln!(out)?;
    }
    pen.problems(report, out)?;
    pen.summary(report, out)
}

/// Writes words and shapes in the style asked for.
pub(crate) struct Pen {
    color: bool,
    unicode: bool,
    width: usize,
}

impl Pen {
    pub(crate) fn new(style: &Style) -> Pen {
        Pen { color: style.color, unicode: style.unicode, width: style.width.clamp(40, 160) }
    }

    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        if self.color && paint != PLAIN { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }

    pub(crate) fn severity_paint(&self, severity: Severity) -> Paint {
        match severity {
            Severity::Critical => AnsiColor::BrightRed.on_default().effects(Effects::BOLD),
            Severity::High => AnsiColor::Red.on_default().effects(Effects::BOLD),
            Severity::Medium => AnsiColor::Yellow.on_default().effects(Effects::BOLD),
            Severity::Low => AnsiColor::Blue.on_default().effects(Effects::BOLD),
            Severity::Info => BOLD,
        }
    }

    fn shape(&self, severity: Severity) -> &'static str {
        match severity {
            _ if self.unicode => shape(severity),
            Severity::Critical => "!!!",
            Severity::High => "!! ",
            Severity::Medium => "!  ",
            Severity::Low => "-  ",
            Severity::Info => ".  ",
        }
    }

    /// `◆ critical`
    pub(crate) fn level(&self, severity: Severity) -> String {
        format!("{} {severity}", self.shape(severity))
    }

    fn dots(&self, confidence: Confidence) -> &'static str {
        match confidence {
            _ if self.unicode => dots(confidence),
            Confidence::High => "[###]",
            Confidence::Medium => "[## ]",
            Confidence::Low => "[#  ]",
        }
    }

    fn one_line(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let place = place(&finding.location);
        let rule = line(&finding.rule);
        let shape = self.shape(finding.severity);
        let dots = self.dots(finding.confidence);
        let head = format!("{shape} {:<8} {dots} {place}  {rule}  ", finding.severity);
        let room = self.width.saturating_sub(head.width()).max(20);
        let message = fit(&line(&finding.message), room, self.ellipsis());
        writeln!(
            out,
            "{} {} {place}  {}  {}",
            self.paint(self.severity_paint(finding.severity), &format!("{shape} {:<8}", finding.severity)),
            self.paint(DIM, dots),
            self.paint(BOLD, &rule),
            self.prose(&message, PLAIN, &mut false),
        )
    }

    fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    fn finding(&self, finding: &Finding, first_of_rule: bool, out: &mut dyn Write) -> io::Result<()> {
        self.heading(finding, out)?;
        let message = line(&finding.message);
        self.wrapped(&shorten(&message, MESSAGE), 0, BOLD, out)?;
        writeln!(out)?;
        let place = self.paint(DIM, &place(&finding.location));
        match self.snippet(finding) {
            // The frame's first line ends in an arrow, which wants something to point at.
            Some(snippet) if self.unicode => {
                let (frame, code) = snippet.split_once('\n').unwrap_or((&snippet, ""));
                writeln!(out, "{frame}{place}\n{code}")?;
            }
            Some(snippet) => writeln!(out, "  {place}\n{snippet}")?,
            None => writeln!(out, "  {place}")?,
        }
        writeln!(out)?;
        let digits = finding.path.len().to_string().len();
        for (index, step) in finding.path.iter().enumerate() {
            let number = format!("{:>digits$} ", index + 1);
            let indent = INDENT + number.len();
            write!(out, "{}", self.label(if index == 0 { "path" } else { "" }))?;
            write!(out, "{}", self.paint(BOLD, &number))?;
            self.wrapped(&shorten(&line(&step.note), MESSAGE), indent, PLAIN, out)?;
            self.step_code(&step.location, indent, out)?;
        }
        if !finding.path.is_empty() {
            writeln!(out)?;
        }
        if let Some(places) = elsewhere(finding) {
            self.labelled("also", &places, out)?;
        }
        if let Some(names) = published(finding) {
            self.labelled("known as", &names, out)?;
        }
        if let Some(url) = advisory_url(finding) {
            self.labelled("read", url, out)?;
        }
        self.labelled("why", &finding.reason, out)?;
        self.endpoints(finding, out)?;
        self.labelled("fix", &finding.remedy, out)?;
        if let Some(fix) = &finding.fix {
            self.labelled(
                "change",
                &format!("{} (`--fix` shows it)", line(&fix.title).trim_end_matches('.')),
                out,
            )?;
        }
        if first_of_rule {
            self.labelled("more", &format!("`wardroom scan --explain {}`", line(&finding.rule)), out)?;
        }
        writeln!(out)
    }

    /// `◆ critical  sql-injection ─────────── ●●● high confidence · CWE-89`
    fn heading(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let rule = line(&finding.rule);
        let level = self.level(finding.severity);
        let (dash, dot) = if self.unicode { ("─", "·") } else { ("-", "-") };
        let right = format!(
            "{} {} confidence {dot} {}",
            self.dots(finding.confidence),
            finding.confidence,
            finding.cwe
        );
        let used = level.width() + 2 + rule.width() + 2 + right.width();
        let fill = self.width.saturating_sub(used).max(2);
        writeln!(
            out,
            "{}  {} {} {}",
            self.paint(self.severity_paint(finding.severity), &level),
            self.paint(BOLD, &rule),
            self.paint(DIM, &dash.repeat(fill)),
            self.paint(DIM, &right),
        )
    }

    fn snippet(&self, finding: &Finding) -> Option<String> {
        let location = &finding.location;
        if location.snippet.trim().is_empty() {
            return None;
        }
        let (source, span) = marked(location);
        let level = match finding.severity {
            Severity::Critical | Severity::High => Level::ERROR,
            Severity::Medium => Level::WARNING,
            Severity::Low => Level::INFO,
            Severity::Info => Level::NOTE,
        };
        let renderer = if self.color { Renderer::styled() } else { Renderer::plain() };
        let decor = if self.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
        let renderer = renderer.decor_style(decor).term_width(self.width).hyperlink(false);
        let snippet = Snippet::source(source)
            .line_start(location.start.line.max(1) as usize)
            .fold(false)
            .annotation(AnnotationKind::Primary.span(span));
        Some(renderer.render(&[Group::with_level(level).element(snippet)]))
    }

    fn step_code(&self, location: &Location, indent: usize, out: &mut dyn Write) -> io::Result<()> {
        let place = place(location);
        let snippet = code(&location.snippet);
        let first = line(snippet.lines().next().unwrap_or_default().trim()).into_owned();
        let pad = " ".repeat(indent);
        let room = self.width.saturating_sub(indent + place.width() + 3);
        if first.is_empty() {
            writeln!(out, "{pad}{}", self.paint(DIM, &place))
        } else if room >= first.width() || room >= 40 {
            let bar = if self.unicode { "│" } else { "|" };
            let shown = fit(&first, room, self.ellipsis());
            writeln!(out, "{pad}{} {}", self.paint(DIM, &format!("{place} {bar}")), self.paint(CODE, &shown))
        } else {
            writeln!(out, "{pad}{}", self.paint(DIM, &place))?;
            let shown = fit(&first, self.width.saturating_sub(indent + 2), self.ellipsis());
            writeln!(out, "{pad}  {}", self.paint(CODE, &shown))
        }
    }

    fn endpoints(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let endpoints = endpoints_open_first(finding);
        for (index, endpoint) in endpoints.iter().take(ENDPOINTS).enumerate() {
            write!(out, "{}", self.label(if index == 0 { "from" } else { "" }))?;
            let arrow = if self.unicode { "→" } else { "->" };
            let (path, handler) = (line(&endpoint.path), line(&endpoint.handler));
            let name = format!("{} {path} {arrow} {handler}", endpoint.verb.as_str());
            self.wrapped(&shorten(&name, MESSAGE), INDENT + 2, PLAIN, out)?;
            let guards = Guards::of(endpoint);
            for (place, word) in guards.words.iter().enumerate() {
                let paint = match (place, guards.authenticated) {
                    (0, false) => OPEN,
                    (0, true) => GUARDED,
                    _ => PLAIN,
                };
                write!(out, "{}", " ".repeat(INDENT + 2))?;
                self.wrapped(&shorten(&line(word), 400), INDENT + 4, paint, out)?;
            }
        }
        let more = endpoints.len().saturating_sub(ENDPOINTS);
        if more > 0 {
            let open = endpoints[ENDPOINTS..].iter().filter(|e| !Guards::of(e).authenticated).count();
            let open = match open {
                0 => "all behind authentication".to_owned(),
                n => format!("{} without an authentication filter that always runs", number(n as u64)),
            };
            writeln!(
                out,
                "{}and {}, {open}",
                self.label(""),
                count(more, "other endpoint", "other endpoints")
            )?;
        }
        Ok(())
    }

    fn label(&self, word: &str) -> String {
        self.paint(DIM, &format!("  {word:<width$}", width = INDENT - 2))
    }

    fn labelled(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let text = line(text);
        if text.trim().is_empty() {
            return Ok(());
        }
        write!(out, "{}", self.label(label))?;
        self.wrapped(&shorten(&text, MESSAGE), INDENT, PLAIN, out)
    }

    /// Words on lines no wider than the terminal; the first line begins where the cursor is, at
    /// `indent`.
    pub(crate) fn wrapped(
        &self,
        text: &str,
        indent: usize,
        paint: Paint,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let room = self.width.saturating_sub(indent).max(20);
        let mut in_code = false;
        let paired = text.matches('`').count().is_multiple_of(2);
        for (index, words) in wrap(text, room).into_iter().enumerate() {
            if index > 0 {
                write!(out, "{}", " ".repeat(indent))?;
            }
            let shown =
                if paired { self.prose(&words, paint, &mut in_code) } else { self.paint(paint, &words) };
            writeln!(out, "{shown}")?;
        }
        Ok(())
    }

    /// Prose in one paint and what stands between backticks in another; the backticks stay.
    fn prose(&self, text: &str, paint: Paint, in_code: &mut bool) -> String {
        if !self.color {
            return text.to_owned();
        }
        let mut shown = String::new();
        for (index, part) in text.split('`').enumerate() {
            if index > 0 {
                *in_code = !*in_code;
                shown.push_str(&self.paint(DIM, "`"));
            }
            if !part.is_empty() {
                shown.push_str(&self.paint(if *in_code { CODE } else { paint }, part));
            }
        }
        shown
    }

    fn problems(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        if report.problems.is_empty() {
            return Ok(());
        }
        let heading = count(report.problems.len(), "problem while reading", "problems while reading");
        writeln!(out, "{}", self.paint(BOLD, &heading))?;
        for problem in &report.problems {
            let place = problem.line.map_or(String::new(), |n| format!(":{n}"));
            let part = if problem.unread { "not read" } else { "read in part" };
            let text = format!("{}{place} ({part}): {}", line(&problem.file), line(&problem.message));
            write!(out, "  ")?;
            self.wrapped(&shorten(&text, MESSAGE), 4, PLAIN, out)?;
        }
        writeln!(out)
    }

    fn summary(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let counts = Counts::of(report);
        if counts.active == 0 {
            writeln!(out, "{}", self.paint(BOLD, "No findings"))?;
        } else {
            let title = format!(
                "{} in {}",
                count(counts.active, "finding", "findings"),
                count(counts.files, "file", "files")
            );
            writeln!(out, "{}", self.paint(BOLD, &title))?;
            self.table(&counts, out)?;
        }
        writeln!(out)?;
        let stats = &report.stats;
        let read = format!(
            "{}, {}, {}; {}",
            count(stats.ruby_files as usize, "Ruby file", "Ruby files"),
            count(stats.templates as usize, "template", "templates"),
            count(stats.lines as usize, "line", "lines"),
            count(stats.endpoints as usize, "endpoint", "endpoints"),
        );
        self.total("read", &read, out)?;
        if let Some(libraries) = libraries(report) {
            self.total("libraries", &libraries, out)?;
        }
        if let Some(feeds) = feeds(report) {
            self.total("advisories", &feeds, out)?;
        }
        if stats.skipped_files > 0 {
            let skipped = count(stats.skipped_files as usize, "file", "files");
            self.total("skipped", &format!("{skipped} of tests and vendored code"), out)?;
        }
        let files = |unread: bool| {
            let files = report.problems.iter().filter(|p| p.unread == unread).map(|p| &*p.file);
            files.collect::<BTreeSet<_>>()
        };
        let unread = files(true);
        let in_part = files(false).difference(&unread).count();
        if !unread.is_empty() || in_part > 0 {
            let part = |n: usize, how: &str| (n > 0).then(|| format!("{} {how}", count(n, "file", "files")));
            let parts: Vec<String> =
                [part(unread.len(), "wholly"), part(in_part, "in part")].into_iter().flatten().collect();
            self.total("unread", &parts.join(", "), out)?;
        }
        if counts.suppressed_total() > 0 {
            let kinds: Vec<String> = counts
                .suppressed
                .iter()
                .map(|(kind, n)| format!("{} {}", number(*n as u64), line(kind)))
                .collect();
            let total = number(counts.suppressed_total() as u64);
            self.total("suppressed", &format!("{total} ({})", kinds.join(", ")), out)?;
        }
        if !stats.phases.is_empty() {
            let phases: Vec<String> =
                stats.phases.iter().map(|(name, ms)| format!("{} {}", line(name), duration(*ms))).collect();
            let total = duration(milliseconds(report));
            self.total("time", &format!("{total} ({})", phases.join(", ")), out)?;
        }
        Ok(())
    }

    fn total(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{}", self.paint(DIM, &format!("  {label:<11}")))?;
        self.wrapped(text, 13, PLAIN, out)
    }

    /// Severities down, confidences across.
    fn table(&self, counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
        let none = if self.unicode { "·" } else { "-" };
        let mark = self.shape(Severity::Critical).width();
        let mut head = format!("  {:<width$}", "", width = mark + 10);
        for confidence in CONFIDENCES {
            head.push_str(&format!("{:>9}", confidence.as_str()));
        }
        writeln!(out, "{}", self.paint(DIM, &format!("{head}  confidence")))?;
        for severity in SEVERITIES.into_iter().filter(|&s| counts.severity(s) > 0) {
            let level = format!("{} {:<9}", self.shape(severity), severity);
            write!(out, "  {}", self.paint(self.severity_paint(severity), &level))?;
            for confidence in CONFIDENCES {
                match counts.cell(severity, confidence) {
                    0 => write!(out, "{}", self.paint(DIM, &format!("{none:>9}")))?,
                    n => write!(out, "{:>9}", number(n as u64))?,
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// `app/models/user.rb:14:5`, which terminals and editors open.
fn place(location: &Location) -> String {
    format!("{}:{}:{}", line(&location.file), location.start.line, location.start.column)
}

/// At most `room` columns, with an ellipsis where something was cut.
fn fit(text: &str, room: usize, ellipsis: &str) -> String {
    // Width is looked at only as far as it can matter: a hostile line may be megabytes long.
    let mut width = 0;
    let mut cut = 0;
    for (byte, c) in text.char_indices() {
        width += c.width().unwrap_or(0);
        if width > room {
            return format!("{}{ellipsis}", &text[..cut]);
        }
        if width + ellipsis.width() <= room {
            cut = byte + c.len_utf8();
        }
    }
    text.to_owned()
}

fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut current, mut width) = (String::new(), 0);
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let wide = word.width();
        if width > 0 && width + 1 + wide > room {
            lines.push(std::mem::take(&mut current));
            width = 0;
        }
        if width > 0 {
            current.push(' ');
            width += 1;
        }
        current.push_str(word);
        width += wide;
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_its_room() {
        assert_eq!(fit("abcdef", 6, "…"), "abcdef");
        assert_eq!(fit("abcdefg", 6, "…"), "abcde…");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
    }
}
