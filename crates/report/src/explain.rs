//! A rule's page for a person at a terminal: the same Markdown that the HTML page and the
//! documentation show.

use std::io::{self, Write};

use annotate_snippets::renderer::Style as Paint;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use wardroom_model::Rule;

use crate::Style;
use crate::escape::{code, line};
use crate::summary::{cwe_url, score};
use crate::text::{BOLD, CODE, PLAIN, Pen};

/// Lists in lists go no deeper on the page.
const DEEPEST: usize = 6;

/// Writes the page.
pub(crate) fn write(rule: &Rule, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let pen = Pen::new(style);
    let dot = if style.unicode { "·" } else { "-" };
    let severity = pen.paint(pen.severity_paint(rule.severity), &pen.level(rule.severity));
    writeln!(
        out,
        "{}  {severity} {dot} {} {dot} {}",
        pen.paint(BOLD, rule.id),
        rule.category.title(),
        rule.cwe
    )?;
    pen.wrapped(&line(rule.title), 0, BOLD, out)?;
    writeln!(out)?;
    Page::new(&pen, if style.unicode { "•" } else { "-" }).write(rule.doc, out)?;
    if let Some(vector) = rule.cvss {
        writeln!(out, "CVSS {:.1}  {}", score(rule), line(vector))?;
    }
    writeln!(out, "{}  {}", rule.cwe, cwe_url(rule.cwe))
}

/// What has been read of the page so far.
struct Page<'a> {
    pen: &'a Pen,
    bullet: &'static str,
    /// Inline text of the block that is open.
    text: String,
    /// How the open block begins: spaces, or a bullet.
    lead: String,
    /// The number of the next item of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// The text of an open code block.
    block: Option<String>,
    link: Option<String>,
}

impl<'a> Page<'a> {
    fn new(pen: &'a Pen, bullet: &'static str) -> Page<'a> {
        Page {
            pen,
            bullet,
            text: String::new(),
            lead: String::new(),
            lists: Vec::new(),
            block: None,
            link: None,
        }
    }

    fn write(mut self, doc: &str, out: &mut dyn Write) -> io::Result<()> {
        // The title stands above it already.
        let doc = doc.trim_start();
        let doc = match doc.strip_prefix("# ") {
            Some(after) => after.split_once('\n').map_or("", |(_, body)| body),
            None => doc,
        };
        for event in Parser::new_ext(doc, Options::empty()) {
            self.event(event, out)?;
        }
        self.flush(PLAIN, out)
    }

    fn event(&mut self, event: Event<'_>, out: &mut dyn Write) -> io::Result<()> {
        match event {
            Event::End(TagEnd::Heading(_)) => self.flush(BOLD, out)?,
            Event::Start(Tag::CodeBlock(_)) => {
                self.flush(PLAIN, out)?;
                self.block = Some(String::new());
            }
            Event::End(TagEnd::CodeBlock) => {
                let pad = self.indent() + 4;
                for source in code(&self.block.take().unwrap_or_default()).lines() {
                    writeln!(out, "{:pad$}{}", "", self.pen.paint(CODE, source))?;
                }
                writeln!(out)?;
            }
            Event::Start(Tag::List(first)) => {
                self.flush(PLAIN, out)?;
                self.lists.push(first);
            }
            Event::End(TagEnd::List(_)) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    writeln!(out)?;
                }
            }
            Event::Start(Tag::Item) => {
                let before = " ".repeat(2 * self.lists.len().clamp(1, DEEPEST) - 2);
                self.lead = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{before}{}. ", *number - 1)
                    }
                    _ => format!("{before}{} ", self.bullet),
                };
            }
            Event::End(TagEnd::Item | TagEnd::Paragraph) => self.flush(PLAIN, out)?,
            Event::Start(Tag::Link { dest_url, .. }) => self.link = Some(dest_url.to_string()),
            Event::End(TagEnd::Link) => {
                if let Some(target) = self.link.take().filter(|t| !self.text.ends_with(t.as_str())) {
                    self.text.push_str(&format!(" ({target})"));
                }
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => match &mut self.block {
                Some(block) => block.push_str(&text),
                None => self.text.push_str(&text),
            },
            Event::Code(text) => self.text.push_str(&format!("`{text}`")),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            _ => {}
        }
        Ok(())
    }

    fn indent(&self) -> usize {
        2 * self.lists.len().min(DEEPEST)
    }

    /// Ends the open block: a paragraph of its own, or a line of a list.
    fn flush(&mut self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return Ok(());
        }
        let indent = self.indent();
        let lead = std::mem::take(&mut self.lead);
        write!(out, "{lead:<indent$}")?;
        self.pen.wrapped(&line(&text), indent.max(lead.chars().count()), paint, out)?;
        if self.lists.is_empty() { writeln!(out) } else { Ok(()) }
    }
}
