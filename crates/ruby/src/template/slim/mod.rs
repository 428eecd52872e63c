//! Slim (3 to 5) compiled to Ruby.
//!
//! Slim nests by indentation, so the compiler reads line by line and keeps one [`Level`] for each
//! indentation that is open. A line of code stays without its line break until the next line tells
//! whether a block hangs below it: Slim adds the `do` that the author left out, and every `end`.
//!
//! Tags and attributes are in [`tag`], text with interpolation and embedded engines in [`text`].

mod tag;
#[cfg(test)]
mod tests;
mod text;

use super::html::Tracker;
use super::{Compiled, Options};
use crate::ir::{Escape, HtmlContext};

/// Compiles a Slim template.
pub fn compile(source: &str, options: &Options) -> Compiled {
    let mut compiler = Compiler::new(source, options);
    while compiler.next_line() {
        compiler.line();
    }
    compiler.finish();
    compiler.out
}

/// One indentation that is open.
#[derive(Debug, Default)]
struct Level {
    /// Its column.
    indent: usize,
    /// The last line here opened a Ruby block whose `end` is still to be written.
    open: bool,
    /// That block is a `case` which has not met its first `when`.
    case: bool,
    /// The lines here are inside `<script>` or `<style>`: the tracker starts anew when they end.
    raw: bool,
}

/// A line of code that has been written without its line break.
#[derive(Debug, Clone, Copy)]
struct Pending {
    /// How many levels were open: with more of them the next line is its block.
    depth: usize,
    /// Slim writes a `do` after it if a block follows.
    wants_do: bool,
}

/// The state of one compilation.
struct Compiler<'s> {
    source: &'s str,
    options: Options,
    out: Compiled,
    /// Where the next unread line starts.
    unread: usize,
    /// The rest of the line at hand: from `pos` to `end`, without its line break.
    pos: usize,
    end: usize,
    levels: Vec<Level>,
    pending: Option<Pending>,
    /// A `script` or `style` tag has just been opened and may have lines below it.
    raw_opened: bool,
    /// How many of `levels` are `raw`.
    raw_levels: usize,
    /// The last line may have lines below it.
    accepts: bool,
    tracker: Tracker,
}

impl<'s> Compiler<'s> {
    fn new(source: &'s str, options: &Options) -> Self {
        Compiler {
            source,
            options: *options,
            out: Compiled::default(),
            unread: if source.starts_with('\u{feff}') { 3 } else { 0 },
            pos: 0,
            end: 0,
            levels: Vec::new(),
            pending: None,
            raw_opened: false,
            raw_levels: 0,
            accepts: true,
            tracker: Tracker::default(),
        }
    }

    // ---- the source ----

    /// The line that starts at `start`: its end without the line break, and the start of the next.
    fn bounds(&self, start: usize) -> (usize, usize) {
        let bytes = self.source.as_bytes();
        match memchr::memchr(b'\n', &bytes[start..]) {
            Some(at) => {
                let end = start + at;
                (if at > 0 && bytes[end - 1] == b'\r' { end - 1 } else { end }, end + 1)
            }
            None => (bytes.len(), bytes.len()),
        }
    }

    /// Takes the next line; false at the end of the template.
    fn next_line(&mut self) -> bool {
        if self.unread >= self.source.len() {
            return false;
        }
        self.pos = self.unread;
        (self.end, self.unread) = self.bounds(self.unread);
        true
    }

    /// The bytes left on this line.
    fn rest(&self) -> &'s [u8] {
        &self.source.as_bytes()[self.pos..self.end]
    }

    /// The next byte on this line, or a line break.
    fn peek(&self) -> u8 {
        self.at(0)
    }

    /// The byte `ahead` of the next one on this line, or a line break.
    fn at(&self, ahead: usize) -> u8 {
        if self.pos + ahead < self.end { self.source.as_bytes()[self.pos + ahead] } else { b'\n' }
    }

    fn skip_space(&mut self) {
        while self.pos < self.end && is_space(self.source.as_bytes()[self.pos]) {
            self.pos += 1;
        }
    }

    /// The column of the first byte that is not white space in a line, and that byte's place.
    fn indent(&self, start: usize, end: usize) -> (usize, usize) {
        let mut column = 0;
        for (i, byte) in self.source.as_bytes()[start..end].iter().enumerate() {
            match byte {
                b' ' => column += 1,
                b'\t' => column += TAB - column % TAB,
                _ => return (column, start + i),
            }
        }
        (column, end)
    }

    fn is_blank(&self, start: usize, end: usize) -> bool {
        self.source.as_bytes()[start..end].iter().all(|b| is_space(*b))
    }

    /// The next line that is not blank is indented deeper than the current level.
    fn has_block(&self) -> bool {
        let mut start = self.unread;
        while start < self.source.len() {
            let (end, next) = self.bounds(start);
            if !self.is_blank(start, end) {
                return self.indent(start, end).0 > self.level_indent();
            }
            start = next;
        }
        false
    }

    fn level_indent(&self) -> usize {
        self.levels.last().map_or(0, |level| level.indent)
    }

    fn problem(&mut self, at: usize, sentence: &str) {
        if self.out.problems.len() < PROBLEMS {
            self.out.problems.push((at as u32, sentence.to_owned()));
        }
    }

    // ---- the Ruby ----

    fn escape(&self, raw: bool) -> Escape {
        if !self.options.html {
            Escape::NotHtml
        } else if raw || !self.options.escape {
            Escape::Raw
        } else {
            Escape::UnlessSafe
        }
    }

    /// Writes the marker of an output.
    fn mark(&mut self, at: usize, raw: bool, context: HtmlContext) {
        let context = if self.options.html { context } else { HtmlContext::NotHtml };
        let escape = self.escape(raw);
        self.out.out(at as u32, escape, context);
    }

    /// Writes the marker of an output at the tracker's place.
    fn mark_here(&mut self, at: usize, raw: bool) {
        let context = self.tracker.context();
        self.mark(at, raw, context);
        self.tracker.output();
    }

    /// Copies code, without the white space at its lines' ends (after a `\` Ruby minds it).
    fn code(&mut self, start: usize, end: usize) {
        let source = self.source;
        let mut from = start;
        for at in memchr::memchr_iter(b'\n', &source.as_bytes()[start..end]) {
            let line = source[from..start + at].trim_ascii_end();
            self.out.copy(line, from as u32);
            self.out.synthesise("\n");
            from = start + at + 1;
            if source[from..end].starts_with("__END__") {
                self.out.synthesise(" ");
            }
        }
        self.out.copy(source[from..end].trim_ascii_end(), from as u32);
    }

    /// Copies an expression that stands alone and ends the line.
    fn expression(&mut self, start: usize, end: usize) {
        if needs_parentheses(&self.source[start..end]) {
            self.out.synthesise("(");
            self.code(start, end);
            // On a line of its own: the code may end in a comment.
            self.out.synthesise("\n)\n");
        } else {
            self.code(start, end);
            self.out.synthesise("\n");
        }
    }

    /// Ends the pending line of code, now that it is known whether a block follows.
    fn settle(&mut self, block: bool) {
        let Some(pending) = self.pending.take() else { return };
        if block && self.levels.len() > pending.depth && pending.wants_do {
            self.out.synthesise(" do");
            self.levels[pending.depth - 1].open = true;
        }
        self.out.synthesise("\n");
    }

    /// Writes the `end` of the block that the last line of the current level opened.
    fn close(&mut self) {
        if let Some(level) = self.levels.last_mut()
            && level.open
        {
            level.open = false;
            level.case = false;
            self.out.synthesise("end\n");
        }
    }

    fn pop(&mut self) {
        // A line still pending here has at most comments below it.
        self.settle(false);
        self.close();
        if self.levels.pop().is_some_and(|level| level.raw) {
            self.raw_levels -= 1;
            self.tracker = Tracker::default();
        }
    }

    fn finish(&mut self) {
        while !self.levels.is_empty() {
            self.pop();
        }
    }

    // ---- lines ----

    /// Reads one line and what belongs to it.
    fn line(&mut self) {
        let (start, end) = (self.pos, self.end);
        if self.is_blank(start, end) {
            return;
        }
        let (indent, first) = self.indent(start, end);
        self.pos = first;
        self.skip_space();
        self.enter(indent);
        if self.peek() == b'/' && self.at(1) != b'!' && !self.is_conditional() {
            // A comment neither opens a pending line's block nor ends the block before it.
            self.skip_block();
            return;
        }
        self.settle(true);
        let middle = self.peek() == b'-' && {
            let code = self.source[self.pos + 1..self.end].trim_ascii();
            MIDDLE.iter().any(|word| starts_with_word(code, word))
        };
        if middle
            && self.parent_is_case()
            && let [.., parent, level] = &mut self.levels[..]
            && !level.open
        {
            // `when` below its `case`: Slim writes the `end` after the last `when`.
            parent.open = false;
            parent.case = false;
            level.open = true;
        }
        if !middle {
            self.close();
        }
        self.accepts = true;
        self.indicator(middle);
    }

    /// A `case` hangs over the current level and has no `when` at its own.
    fn parent_is_case(&self) -> bool {
        let parent = self.levels.len().checked_sub(2).map(|i| &self.levels[i]);
        parent.is_some_and(|parent| parent.open && parent.case)
    }

    /// Opens and closes levels to arrive at this indentation.
    fn enter(&mut self, indent: usize) {
        let Some(last) = self.levels.last().map(|level| level.indent) else {
            self.levels.push(Level { indent, ..Level::default() });
            return;
        };
        if indent > last {
            if !self.accepts {
                self.problem(self.pos, "Unexpected indentation");
            }
            self.push(indent);
            return;
        }
        self.leave_raw_tag();
        while self.levels.len() > 1 && indent < self.level_indent() {
            self.pop();
        }
        if indent > self.level_indent() {
            self.problem(self.pos, "Malformed indentation");
            self.push(indent);
        } else if indent < self.level_indent() {
            self.problem(self.pos, "Malformed indentation");
            if let Some(level) = self.levels.last_mut() {
                level.indent = indent;
            }
        }
    }

    fn push(&mut self, indent: usize) {
        let raw = std::mem::take(&mut self.raw_opened);
        self.raw_levels += usize::from(raw);
        self.levels.push(Level { indent, raw, ..Level::default() });
    }

    /// A `script` or `style` tag ends without lines below it.
    fn leave_raw_tag(&mut self) {
        if std::mem::take(&mut self.raw_opened) {
            self.tracker = Tracker::default();
        }
    }

    /// `/[if IE]`
    fn is_conditional(&self) -> bool {
        self.at(1) == b'[' && self.rest().trim_ascii_end().ends_with(b"]")
    }

    fn indicator(&mut self, middle: bool) {
        let start = self.pos;
        match self.peek() {
            b'/' if self.at(1) == b'!' => {
                self.pos += 2;
                let outside = std::mem::take(&mut self.tracker);
                self.tracker.text("<!--");
                self.text_block();
                self.tracker = outside;
            }
            b'/' => {} // a conditional comment: its lines are ordinary ones
            b'|' | b'\'' => {
                self.pos += 1;
                while matches!(self.peek(), b'<' | b'>') && self.pos < start + 3 {
                    self.pos += 1;
                }
                // `|<b>` is a tag, not a white space mark.
                if self.pos > start + 1 && !is_space(self.peek()) {
                    self.pos = start + 1;
                }
                if self.peek() == b' ' {
                    self.pos += 1;
                }
                self.text_block();
            }
            b'<' => {
                self.interpolate_text(start, self.end);
                self.tracker.text("\n");
            }
            b'-' => {
                self.pos += 1;
                self.control(middle);
            }
            b'=' => self.output(start),
            _ => self.tag_or_engine(),
        }
    }

    /// Takes a line of code with the lines that it runs on to after `,` and `\`.
    fn broken_line(&mut self) -> (usize, usize) {
        self.skip_space();
        let start = self.pos;
        let mut end = start + self.rest().trim_ascii_end().len();
        while end > start && matches!(self.source.as_bytes()[end - 1], b',' | b'\\') {
            if !self.next_line() {
                self.problem(end, "Unexpected end of file");
                break;
            }
            self.skip_space();
            let length = self.rest().trim_ascii_end().len();
            if length == 0 {
                break;
            }
            end = self.pos + length;
        }
        self.pos = self.end;
        (start, end)
    }

    /// `- code`
    fn control(&mut self, middle: bool) {
        let (start, end) = self.broken_line();
        let code = &self.source[start..end];
        if code.is_empty() || code.starts_with('#') {
            return;
        }
        if starts_with_word(code, "end") {
            self.problem(start, "Explicit end statements are forbidden");
            return;
        }
        let depth = self.levels.len();
        let Some(level) = self.levels.last_mut() else { return };
        if middle && !level.open {
            self.problem(start, "No block is open here");
            return;
        }
        level.case = starts_with_word(code, "case");
        level.open = middle || opens_block(code);
        // A space: at the start of a line `=begin` and `__END__` have another meaning.
        self.out.synthesise(" ");
        self.code(start, end);
        self.pending = Some(Pending { depth, wants_do: !has_opener(code) });
    }

    /// `= code` and `== code`, on its own or after a tag; the marker of white space is taken too.
    fn output(&mut self, start: usize) {
        self.pos += 1;
        let raw = self.peek() == b'=';
        self.pos += usize::from(raw);
        while matches!(self.peek(), b'<' | b'>') || (self.peek() == b'\'' && is_space(self.at(1))) {
            self.pos += 1;
        }
        let (from, to) = self.broken_line();
        let code = &self.source[from..to];
        self.mark_here(start, raw);
        if code.is_empty() || code.starts_with('#') {
            self.out.synthesise("nil\n");
            return;
        }
        let block = self.has_block();
        if !block && !opens_block(code) {
            self.expression(from, to);
            return;
        }
        let depth = self.levels.len();
        let Some(level) = self.levels.last_mut() else { return };
        level.case = starts_with_word(code, "case");
        level.open = opens_block(code);
        self.code(from, to);
        self.pending = Some(Pending { depth, wants_do: !has_opener(code) });
    }

    /// Skips the lines that are indented deeper than this level.
    fn skip_block(&mut self) {
        while self.unread < self.source.len() {
            let (end, next) = self.bounds(self.unread);
            if !self.is_blank(self.unread, end) && self.indent(self.unread, end).0 <= self.level_indent() {
                break;
            }
            self.unread = next;
        }
    }
}

/// Slim's default width of a tab.
const TAB: usize = 4;
/// More problems than these tell nothing new.
const PROBLEMS: usize = 100;
/// Words that go on with the block before them.
const MIDDLE: [&str; 6] = ["else", "elsif", "when", "in", "rescue", "ensure"];

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// A letter, digit or underscore; every letter beyond ASCII counts.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn starts_with_word(code: &str, word: &str) -> bool {
    code.strip_prefix(word).is_some_and(|rest| {
        // `in:` and `when?` would be names; `else` may stand alone.
        rest.bytes().next().is_none_or(|b| !is_word(b) && !matches!(b, b'?' | b'!'))
    })
}

/// The code ends in `do` or `do |a, b|`.
fn ends_in_do(code: &str) -> bool {
    let mut code = code.trim_ascii_end();
    if let Some(inner) = code.strip_suffix('|') {
        let Some(bar) = inner.rfind('|') else { return false };
        code = inner[..bar].trim_ascii_end();
    }
    code.strip_suffix("do").is_some_and(|before| before.bytes().next_back().is_none_or(|b| !is_word(b)))
}

/// The code needs an `end`.
fn opens_block(code: &str) -> bool {
    ["if", "unless", "begin", "case"].iter().any(|word| starts_with_word(code, word)) || ends_in_do(code)
}

/// The code needs no `do` before the block below it.
fn has_opener(code: &str) -> bool {
    MIDDLE.iter().any(|word| starts_with_word(code, word)) || opens_block(code)
}

/// An assignment binds tighter than these: `_o= a or b` would lose `b`.
fn needs_parentheses(code: &str) -> bool {
    code.contains(" or ") || code.contains(" and ") || code.contains(';') || code.starts_with("not ")
}
