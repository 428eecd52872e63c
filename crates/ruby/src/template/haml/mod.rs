//! Haml 4 to 7, compiled to Ruby.
//!
//! A line is read at a time; what is open (elements, comments, blocks of Ruby) stands on a stack with
//! the indentation at which it opened and is closed by the first line that is not deeper. Static
//! markup is fed to the HTML tracker as Haml would write it. Templates that Haml itself refuses are
//! read as far as they make sense, with a problem noted.

mod lines;
mod scan;
mod tag;
#[cfg(test)]
mod tests;
mod text;

use super::html::Tracker;
use super::{Compiled, Options};
use crate::ir::{Escape, HtmlContext};
use lines::{Line, Page};
use scan::Unclosed;

/// How many brackets may stay open to the end of the template before the search for an end is kept
/// to one line: otherwise each of many open brackets would read the rest of the template.
const MAX_LONG_SEARCHES: u32 = 8;

/// Compiles a Haml template.
pub fn compile(source: &str, options: &Options) -> Compiled {
    let page = Page::read(source);
    let mut haml = Haml {
        src: &page.text,
        page: &page,
        options,
        out: Compiled::default(),
        tracker: Tracker::default(),
        open: Vec::new(),
        blocks: 0,
        at: 0,
        long_searches: 0,
        scratch: String::new(),
    };
    haml.out.ruby.reserve(source.len() + source.len() / 4);
    while let Some(&line) = page.lines.get(haml.at) {
        haml.at += 1;
        haml.line(line);
    }
    haml.close(0, false);
    haml.out
}

/// The state of one compilation.
struct Haml<'p> {
    /// The template, with joined lines.
    src: &'p str,
    page: &'p Page<'p>,
    options: &'p Options,
    out: Compiled,
    tracker: Tracker,
    open: Vec<Open>,
    /// How many entries of `open` are blocks of Ruby.
    blocks: usize,
    /// The next line to read.
    at: usize,
    long_searches: u32,
    /// Room to put markup together for the tracker.
    scratch: String,
}

/// Something that lasts as long as lines are deeper than `indent`.
#[derive(Debug)]
struct Open {
    indent: usize,
    block: Unclosed,
    markup: Markup,
}

/// What is written when an [`Open`] ends.
#[derive(Debug, Clone, Copy)]
enum Markup {
    None,
    /// The end tag of the element with the name that stands here in the template.
    Element(usize, usize),
    /// The end tag of a `div` that is not named.
    Div,
    /// The end of a comment.
    Comment,
}

impl<'p> Haml<'p> {
    fn bytes(&self) -> &'p [u8] {
        self.src.as_bytes()
    }

    /// `from..to` without white space at either end.
    fn trim(&self, from: usize, to: usize) -> (usize, usize) {
        let bytes = &self.bytes()[from..to.max(from)];
        let start = from + (bytes.len() - bytes.trim_ascii_start().len());
        (start, start + bytes.trim_ascii().len())
    }

    fn problem(&mut self, at: usize, sentence: &str) {
        self.out.problems.push((at as u32, sentence.to_owned()));
    }

    /// Appends code of the template; what joins two lines is not in the map.
    fn code(&mut self, from: usize, to: usize) {
        let joins = &self.page.joins;
        let mut at = from;
        let first = if joins.is_empty() { 0 } else { joins.partition_point(|j| j.1 <= from) };
        for &(start, end) in joins.get(first..).unwrap_or_default() {
            if start >= to {
                break;
            }
            if start > at {
                self.out.copy(&self.src[at..start], at as u32);
            }
            self.out.synthesise(" ");
            at = end.min(to);
        }
        if at < to {
            self.out.copy(&self.src[at..to], at as u32);
        }
    }

    /// Starts an output in the given context.
    fn out_in(&mut self, at: usize, escape: Escape, context: HtmlContext) {
        if self.options.html {
            self.out.out(at as u32, escape, context);
        } else {
            self.out.out(at as u32, Escape::NotHtml, HtmlContext::NotHtml);
        }
    }

    /// Starts an output where the markup stands.
    fn out_here(&mut self, at: usize, escape: Escape) {
        let context = self.tracker.context();
        self.out_in(at, escape, context);
        self.tracker.output();
    }

    /// Feeds markup to the tracker.
    fn feed(&mut self, markup: &str) {
        if self.options.html {
            self.tracker.text(markup);
        }
    }

    /// What `=` does.
    fn escape(&self) -> Escape {
        if self.options.escape { Escape::UnlessSafe } else { Escape::Raw }
    }

    /// What `&=` does: without Rails' safe strings it escapes everything.
    fn escape_forced(&self) -> Escape {
        if self.options.escape { Escape::UnlessSafe } else { Escape::Always }
    }

    /// How far a bracket that opens on this line may be searched for its end.
    fn search_limit(&self, line_end: usize) -> usize {
        if self.long_searches < MAX_LONG_SEARCHES { self.src.len() } else { line_end }
    }

    /// Closes what is open at this indentation or deeper; `continues` keeps a block of Ruby at this
    /// very indentation open.
    fn close(&mut self, indent: usize, continues: bool) {
        while let Some(top) = self.open.last() {
            if top.indent < indent || (continues && top.indent == indent && top.block.any()) {
                break;
            }
            let Some(open) = self.open.pop() else { break };
            if open.block.any() {
                self.blocks -= 1;
                self.close_block(open.block);
            }
            match open.markup {
                Markup::None => {}
                Markup::Comment => self.feed(" -->\n"),
                Markup::Div => self.feed("</div>\n"),
                Markup::Element(from, to) => self.end_tag(from, to),
            }
        }
    }

    fn close_block(&mut self, block: Unclosed) {
        if block.brace {
            self.out.synthesise("}\n");
        }
        for _ in 0..block.ends {
            self.out.synthesise("end\n");
        }
    }

    fn end_tag(&mut self, from: usize, to: usize) {
        let mut markup = std::mem::take(&mut self.scratch);
        markup.clear();
        markup.push_str("</");
        markup.push_str(&self.src[from..to]);
        markup.push_str(">\n");
        self.feed(&markup);
        self.scratch = markup;
    }

    /// Opens something that lasts as long as lines are deeper.
    fn open(&mut self, indent: usize, block: Unclosed, markup: Markup) {
        if block.any() {
            self.blocks += 1;
        }
        self.open.push(Open { indent, block, markup });
    }

    /// Whether the next line is deeper.
    fn nests(&self, line: &Line) -> bool {
        self.page.lines.get(self.at).is_some_and(|next| next.indent > line.indent)
    }

    /// Passes over the lines that are deeper; returns from where to where they reach.
    fn take_deeper(&mut self, indent: usize) -> Option<(usize, usize)> {
        let first = self.at;
        while self.page.lines.get(self.at).is_some_and(|next| next.indent > indent) {
            self.at += 1;
        }
        let lines = self.page.lines.get(first..self.at)?;
        Some((lines.first()?.begin(), lines.last()?.end))
    }

    fn line(&mut self, line: Line) {
        let text = &self.src[line.start..line.end];
        let bytes = text.as_bytes();
        if text.starts_with("-#") {
            // Nothing is closed: such a comment may stand between a branch and its `else`.
            self.take_deeper(line.indent);
            return;
        }
        let middle = middle_keyword(text);
        let continues = middle.is_some() || self.borrows_end(&line);
        self.close(line.indent, continues);
        let start = line.start;
        let next = bytes.get(1).copied().unwrap_or(b' ');
        match bytes[0] {
            b'%' | b'.' => self.tag(&line),
            b'#' if !matches!(next, b'{' | b'@' | b'$') => self.tag(&line),
            b'/' => self.comment(&line),
            b'-' => self.silent(&line, middle),
            b'=' if next == b'=' => self.plain(start + 2, line.end, self.escape()),
            b'=' => self.script_line(&line, start + 1, self.escape()),
            b'~' => self.script_line(&line, start + 1, self.escape()),
            b'!' if text.starts_with("!!!") => {}
            b'!' | b'&' => self.marked(&line),
            b':' if lines::is_filter(text) => self.filter(&line),
            b'\\' => self.plain(start + 1, line.end, self.escape()),
            _ => self.plain(start, line.end, self.escape()),
        }
    }

    /// Whether the line nests lines without opening a block, directly after one that opens a block and
    /// nests none. Haml writes an `end` after nested lines in any case, hence this runs:
    /// `- all.each do |x|`, then `- next if x.old?` with lines under it.
    fn borrows_end(&self, line: &Line) -> bool {
        let above = self.at.checked_sub(2).and_then(|i| self.page.lines.get(i));
        self.bytes()[line.start] == b'-'
            && self.nests(line)
            && above.is_some_and(|above| above.indent == line.indent && self.bytes()[above.start] == b'-')
            && self.open.last().is_some_and(|top| top.indent == line.indent && top.block.any())
            && !scan::unclosed(self.bytes(), line.start + 1, line.end).any()
    }

    /// A line that starts with `!` or `&`: output or text that is not escaped, or always.
    fn marked(&mut self, line: &Line) {
        let text = &self.src.as_bytes()[line.start..line.end];
        let escape = if text[0] == b'!' { Escape::Raw } else { self.escape_forced() };
        match text.get(1..).unwrap_or_default() {
            [b'=', b'=', ..] => self.plain(line.start + 3, line.end, escape),
            [b'=' | b'~', ..] => self.script_line(line, line.start + 2, escape),
            [b' ', ..] | [b'#', b'{', ..] => self.plain(line.start + 1, line.end, escape),
            _ => self.plain(line.start, line.end, self.escape()),
        }
    }

    /// A line of text.
    fn plain(&mut self, from: usize, to: usize, escape: Escape) {
        let (from, to) = self.trim(from, to);
        self.text(from, to, escape);
        self.feed("\n");
    }

    /// Where the code that starts on this line ends: a line that ends in a comma goes on in the next.
    fn code_end(&mut self, from: usize, mut end: usize) -> usize {
        while ends_in_comma(&self.bytes()[from..end.max(from)]) {
            let Some(next) = self.page.lines.get(self.at) else { break };
            end = next.end;
            self.at += 1;
        }
        end
    }

    /// A line whose value is written, from `from` on.
    fn script_line(&mut self, line: &Line, from: usize, escape: Escape) {
        let block = self.script(line, line.start, from, line.end, escape);
        self.open(line.indent, block, Markup::None);
    }

    /// Writes the value of the code that starts at `from`, in a line that ends at `to`.
    fn script(&mut self, line: &Line, sign: usize, from: usize, to: usize, escape: Escape) -> Unclosed {
        let to = self.code_end(from, to);
        let (from, to) = self.trim(from, to);
        if from == to {
            self.problem(sign, "There is no Ruby code here to evaluate.");
            return Unclosed::default();
        }
        if self.bytes()[from] == b'#' {
            return Unclosed::default();
        }
        self.out_here(sign, escape);
        self.code(from, to);
        self.out.synthesise("\n");
        self.block_of(line, from, to)
    }

    /// The block that code opens for the lines nested under it.
    fn block_of(&mut self, line: &Line, from: usize, to: usize) -> Unclosed {
        let block = scan::unclosed(self.bytes(), from, to);
        let borrows = self.open.last().is_some_and(|top| top.indent == line.indent && top.block.any());
        if !block.any() && !borrows && self.nests(line) {
            self.problem(from, "Lines are nested under code that opens no block.");
        }
        block
    }

    /// A line of code whose value is not written.
    fn silent(&mut self, line: &Line, middle: Option<&str>) {
        let end = self.code_end(line.start + 1, line.end);
        let (from, to) = self.trim(line.start + 1, end);
        if from == to || self.bytes()[from] == b'#' {
            return;
        }
        if let Some(keyword) = middle {
            if keyword == "end" {
                self.problem(from, "`- end` is not written in Haml: the indentation ends a block.");
                return;
            }
            if self.blocks == 0 {
                self.problem(from, "This branch belongs to no block.");
                return;
            }
            if self.open.last().is_none_or(|top| top.indent != line.indent) {
                self.open(line.indent, Unclosed::default(), Markup::None);
            }
            self.code(from, to);
            self.out.synthesise("\n");
            return;
        }
        self.code(from, to);
        self.out.synthesise("\n");
        let block = self.block_of(line, from, to);
        self.open(line.indent, block, Markup::None);
    }

    /// An HTML comment, perhaps a conditional one.
    fn comment(&mut self, line: &Line) {
        let (mut from, to) = self.trim(line.start + 1, line.end);
        let revealed = self.src[from..to].starts_with("![");
        from += usize::from(revealed);
        if self.bytes()[from..to].first() == Some(&b'[')
            && let Some(close) = scan::close(self.bytes(), from + 1, to, b']')
        {
            from = close + 1;
        }
        if !revealed {
            self.feed("<!-- ");
        }
        self.plain(from, to, self.escape());
        self.open(line.indent, Unclosed::default(), if revealed { Markup::None } else { Markup::Comment });
    }
}

/// The keyword of a line that goes on with the block of a line before.
fn middle_keyword(text: &str) -> Option<&str> {
    let code = text.strip_prefix('-')?.trim_ascii_start();
    let len = code.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let word = &code[..len];
    let goes_on = matches!(word, "else" | "elsif" | "when" | "in" | "rescue" | "ensure" | "end");
    (goes_on && !code[len..].starts_with(['?', '!', '.'])).then_some(word)
}

/// Whether the text ends in a comma that is not the character literal `?,`.
fn ends_in_comma(text: &[u8]) -> bool {
    match text {
        [.., before, b'?', b','] => before.is_ascii_alphanumeric() || *before == b'_',
        [.., b'?', b'\\', b','] => false,
        [.., b','] => text.len() > 1,
        _ => false,
    }
}
