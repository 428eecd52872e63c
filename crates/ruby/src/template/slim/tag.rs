//! Tags: shortcuts, attributes, and what follows them on their line.

use super::super::html::{Tracker, attribute_context};
use super::text::{Piece, pieces};
use super::{Compiler, is_space, is_word};
use crate::ir::HtmlContext;

/// Longer attribute names are none: it bounds how often a line is read ahead.
const MAX_NAME: usize = 256;

impl<'s> Compiler<'s> {
    /// A line that is none of the marked ones: an embedded engine, `doctype` or a tag.
    pub(super) fn tag_or_engine(&mut self) {
        if let Some(engine) = self.engine() {
            self.embedded(engine);
            return;
        }
        let rest = self.rest();
        if rest.starts_with(b"doctype") && !rest.get(7).is_some_and(|b| is_word(*b)) {
            self.accepts = false;
            return;
        }
        // Each turn reads one tag of a chain like `li: a: span`.
        while self.tag() {
            if let Some(engine) = self.engine() {
                self.embedded(engine);
                return;
            }
        }
    }

    /// Reads a tag; true if another follows on the same line after a colon.
    fn tag(&mut self) -> bool {
        let Some(name) = self.tag_name() else {
            self.problem(self.pos, "Unknown line indicator");
            self.accepts = false;
            return false;
        };
        // Markup that text left open ends where a tag of ours starts.
        self.leave_raw_tag();
        if self.raw_levels == 0 && self.tracker.context() != HtmlContext::Text {
            self.tracker = Tracker::default();
        }
        while self.shortcut() {}
        while matches!(self.peek(), b'<' | b'>') || (self.peek() == b'\'' && is_space(self.at(1))) {
            self.pos += 1;
        }
        let script_type = self.attributes(name);
        match name {
            "script" => {
                let opening = script_type.map_or_else(
                    || "<script>".to_owned(),
                    |kind| format!("<script type=\"{}\">", kind.replace('"', "")),
                );
                self.enter_raw(&opening);
            }
            "style" => self.enter_raw("<style>"),
            _ => {}
        }
        let content = self.pos;
        self.skip_space();
        match self.peek() {
            b':' => {
                self.pos += 1;
                self.skip_space();
                if self.pos == self.end {
                    self.problem(content, "Expected tag");
                    return false;
                }
                return true;
            }
            b'=' => self.output(self.pos),
            b'/' => {
                self.accepts = false;
                if !self.is_blank(self.pos + 1, self.end) {
                    self.problem(self.pos, "Unexpected text after closed tag");
                }
            }
            _ if self.pos == self.end => {}
            _ => {
                self.text_block();
                self.leave_raw_tag();
            }
        }
        false
    }

    /// Takes the name of a tag; `div` for a shortcut, empty for `*{tag: …}`.
    fn tag_name(&mut self) -> Option<&'s str> {
        match self.peek() {
            b'.' | b'#' => return Some("div"),
            b'*' if self.pos + 1 < self.end && !is_space(self.at(1)) => return Some(""),
            _ => {}
        }
        let rest = self.rest();
        let mut length =
            rest.iter().position(|b| !is_word(*b) && !matches!(b, b'-' | b':')).unwrap_or(rest.len());
        while length > 0 && !is_word(rest[length - 1]) {
            length -= 1;
        }
        if length == 0 || !is_word(rest[0]) {
            return None;
        }
        let start = self.pos;
        self.pos += length;
        Some(&self.source[start..self.pos])
    }

    /// Takes `.class` or `#id`; names may hold `w-1/2` and `md:flex` (Slim 5).
    fn shortcut(&mut self) -> bool {
        if !matches!(self.peek(), b'.' | b'#') {
            return false;
        }
        while matches!(self.peek(), b'.' | b'#') {
            self.pos += 1;
        }
        loop {
            let (byte, next) = (self.peek(), self.at(1));
            let goes_on = is_word(byte)
                || byte == b'-'
                || (byte == b'/' && next.is_ascii_digit())
                || (byte == b':' && (is_word(next) || next == b'-'));
            if !goes_on {
                return true;
            }
            self.pos += 1;
        }
    }

    /// Reads the attributes; gives the value of a plain `type`, for scripts.
    fn attributes(&mut self, tag: &str) -> Option<&'s str> {
        let mut kind = None;
        let start = self.pos;
        self.skip_space();
        let closing = match closing(self.peek()) {
            Some(closing) => {
                self.pos += 1;
                Some(closing)
            }
            None => {
                self.pos = start;
                None
            }
        };
        loop {
            let before = self.pos;
            self.skip_space();
            if self.peek() == b'*' && self.pos + 1 < self.end && !is_space(self.at(1)) {
                let at = self.pos;
                self.pos += 1;
                if let Some((from, to)) = self.attribute_code(closing) {
                    self.mark(at, false, HtmlContext::Quoted);
                    self.code(from, to);
                    self.out.synthesise("\n");
                }
                continue;
            }
            let name_at = self.pos;
            let name = self.attribute_name();
            let after_name = self.pos;
            self.skip_space();
            if !name.is_empty() && self.peek() == b'=' {
                self.pos += 1;
                let raw = self.peek() == b'=';
                self.pos += usize::from(raw);
                self.skip_space();
                let quote = self.peek();
                if matches!(quote, b'"' | b'\'') {
                    let (from, to) = self.quoted(quote);
                    if tag == "script" && name.eq_ignore_ascii_case("type") {
                        kind = Some(&self.source[from..to]);
                    }
                    self.quoted_attribute(tag, name, name_at, from, to);
                } else if let Some((from, to)) = self.attribute_code(closing) {
                    if !matches!(&self.source[from..to], "true" | "false" | "nil") {
                        let context = attribute_context(tag, name, true);
                        self.mark(name_at, raw, context);
                        self.expression(from, to);
                    }
                } else {
                    self.problem(name_at, "Invalid empty attribute");
                }
                continue;
            }
            let Some(closing) = closing else {
                self.pos = before;
                return kind;
            };
            self.pos = after_name;
            let next = self.peek();
            if !name.is_empty() && (is_space(next) || next == closing) {
                continue; // a boolean attribute
            }
            self.pos = name_at;
            if self.peek() == closing && self.pos < self.end {
                self.pos += 1;
                return kind;
            }
            if self.pos < self.end {
                self.problem(self.pos, "Expected attribute");
                return kind;
            }
            if !self.next_line() {
                self.problem(self.pos, "Expected closing delimiter");
                self.pos = self.end;
                return kind;
            }
        }
    }

    /// Takes an attribute's name, which may be empty.
    fn attribute_name(&mut self) -> &'s str {
        let rest = self.rest();
        let limit = rest.len().min(MAX_NAME + 1);
        let length = rest[..limit]
            .iter()
            .position(|b| is_space(*b) || *b == 0 || b"\"'></=()[]{}".contains(b))
            .unwrap_or(limit);
        if length > MAX_NAME {
            return "";
        }
        let start = self.pos;
        self.pos += length;
        &self.source[start..self.pos]
    }

    /// Takes the Ruby code of an attribute's value: to a space or the wrapper's end that stands
    /// outside brackets. `None` if there is none.
    fn attribute_code(&mut self, outer: Option<u8>) -> Option<(usize, usize)> {
        let start = self.pos;
        let mut last = start;
        let mut inner: Option<(u8, u8)> = None;
        let mut depth = 0_usize;
        loop {
            if self.pos >= self.end {
                let runs_on = last > start && matches!(self.source.as_bytes()[last - 1], b',' | b'\\');
                if !runs_on || !self.next_line() {
                    break;
                }
                self.skip_space();
                self.end = self.pos + self.rest().trim_ascii_end().len();
                if self.pos == self.end {
                    break;
                }
                continue;
            }
            let byte = self.peek();
            if depth == 0 && (is_space(byte) || Some(byte) == outer) {
                let runs_on = last > start && matches!(self.source.as_bytes()[last - 1], b',' | b'\\');
                if runs_on && is_space(byte) && self.is_blank(self.pos, self.end) {
                    self.pos = self.end;
                    continue;
                }
                break;
            }
            match inner {
                Some((open, _)) if depth > 0 && byte == open => depth += 1,
                Some((_, close)) if depth > 0 && byte == close => depth -= 1,
                _ if depth == 0 => {
                    if let Some(close) = closing(byte) {
                        inner = Some((byte, close));
                        depth = 1;
                    }
                }
                _ => {}
            }
            self.pos += 1;
            if !is_space(byte) {
                last = self.pos;
            }
        }
        if depth > 0 {
            self.problem(start, "Expected closing delimiter");
        }
        (last > start).then_some((start, last))
    }

    /// Takes a quoted value, which may run over several lines; gives what is between the quotes.
    fn quoted(&mut self, quote: u8) -> (usize, usize) {
        self.pos += 1;
        let start = self.pos;
        let mut braces = 0_isize;
        loop {
            if self.pos >= self.end {
                let end = self.end;
                if !self.next_line() {
                    self.problem(start, "Expected closing quote");
                    self.pos = self.end;
                    return (start, end);
                }
                continue;
            }
            let byte = self.peek();
            if byte == quote && braces == 0 {
                self.pos += 1;
                return (start, self.pos - 1);
            }
            match byte {
                b'{' => braces += 1,
                b'}' => braces -= 1,
                _ => {}
            }
            self.pos += 1;
        }
    }

    /// Writes a quoted attribute's value as one output, if it holds code.
    fn quoted_attribute(&mut self, tag: &str, name: &str, at: usize, from: usize, to: usize) {
        let source = self.source;
        let pieces = pieces(source, from, to);
        let is_code = |piece: &Piece| matches!(piece, Piece::Code(_, from, to, _) if from < to);
        let Some(first) = pieces.iter().position(is_code) else { return };
        // `==` only keeps the text as it is: the code's own form tells whether it is escaped.
        let raw = pieces.iter().any(|piece| matches!(piece, Piece::Code(.., true)));
        let context = if first == 0 {
            attribute_context(tag, name, true)
        } else {
            let mut tracker = Tracker::default();
            let tag = if tag.is_empty() { "div" } else { tag };
            tracker.text("<");
            tracker.text(tag);
            tracker.text(" ");
            tracker.text(name);
            tracker.text("=\"");
            for piece in &pieces[..first] {
                if let Piece::Literal(from, to) = piece {
                    source[*from..*to].split('"').for_each(|part| tracker.text(part));
                }
            }
            tracker.context()
        };
        self.mark(at, raw, context);
        if let [Piece::Code(_, from, to, _)] = pieces[..] {
            self.expression(from, to);
            return;
        }
        self.out.synthesise("\"");
        for piece in pieces {
            match piece {
                Piece::Literal(from, to) => self.literal(from, to),
                Piece::Code(_, from, to, _) => {
                    self.out.synthesise("#{");
                    self.code(from, to);
                    self.out.synthesise("}");
                }
            }
        }
        self.out.synthesise("\"\n");
    }

    /// Copies text into a double-quoted string.
    fn literal(&mut self, start: usize, end: usize) {
        let source = self.source;
        let mut from = start;
        for at in memchr::memchr3_iter(b'"', b'\\', b'#', &source.as_bytes()[start..end]) {
            self.out.copy(&source[from..start + at], from as u32);
            self.out.synthesise("\\");
            from = start + at;
        }
        self.out.copy(&source[from..end], from as u32);
    }
}

/// The bracket that closes this one.
fn closing(open: u8) -> Option<u8> {
    match open {
        b'(' => Some(b')'),
        b'[' => Some(b']'),
        b'{' => Some(b'}'),
        _ => None,
    }
}
