//! Text with `#{interpolation}`, its blocks of lines, and embedded engines.

use super::super::erb;
use super::super::html::Tracker;
use super::super::{Copied, OutMark};
use super::{Compiler, is_space};

/// A piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands.
    Literal(usize, usize),
    /// `#{code}` or `#{{code}}`: where it starts, the code, and whether it is the raw form.
    Code(usize, usize, usize, bool),
}

/// What an embedded engine does with its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Embedded {
    /// Text in a tag of this name, with interpolation.
    Tag(&'static str),
    /// Text with interpolation.
    Text,
    /// Compiled by another language, without interpolation.
    Opaque,
    /// Ruby.
    Ruby,
    /// ERB.
    Erb,
}

/// The engines that Slim 1 to 5 know.
const ENGINES: [(&str, Embedded); 22] = [
    ("javascript", Embedded::Tag("script")),
    ("css", Embedded::Tag("style")),
    ("ruby", Embedded::Ruby),
    ("builder", Embedded::Ruby),
    ("nokogiri", Embedded::Ruby),
    ("erb", Embedded::Erb),
    ("markdown", Embedded::Text),
    ("textile", Embedded::Text),
    ("rdoc", Embedded::Text),
    ("asciidoc", Embedded::Text),
    ("creole", Embedded::Text),
    ("wiki", Embedded::Text),
    ("mediawiki", Embedded::Text),
    ("org", Embedded::Text),
    ("coffee", Embedded::Opaque),
    ("opal", Embedded::Opaque),
    ("less", Embedded::Opaque),
    ("sass", Embedded::Opaque),
    ("scss", Embedded::Opaque),
    ("styl", Embedded::Opaque),
    ("stylus", Embedded::Opaque),
    ("typescript", Embedded::Opaque),
];

impl Compiler<'_> {
    /// The embedded engine that the line at hand names; `pos` is then after its colon.
    pub(super) fn engine(&mut self) -> Option<Embedded> {
        let rest = self.rest();
        let length = rest.iter().position(|b| !b.is_ascii_lowercase()).unwrap_or(rest.len());
        let (_, engine) = ENGINES.iter().find(|(name, _)| name.as_bytes() == &rest[..length])?;
        match rest.get(length)? {
            b':' => self.pos += length + 1,
            // `javascript type="module":` (Slim 4): no code may stand in these attributes but ours
            // is to find the colon that ends them.
            byte if is_space(*byte) || matches!(byte, b'(' | b'[' | b'{') => {
                let colon = memchr::memrchr(b':', rest)?;
                if !rest[colon + 1..].iter().all(|b| is_space(*b)) || !rest[length..].contains(&b'=') {
                    return None;
                }
                self.pos += colon + 1;
            }
            _ => return None,
        }
        self.skip_space();
        Some(*engine)
    }

    /// Reads an embedded engine's lines.
    pub(super) fn embedded(&mut self, engine: Embedded) {
        self.accepts = false;
        match engine {
            Embedded::Tag(tag) => {
                let outside = std::mem::take(&mut self.tracker);
                self.tracker.text(if tag == "script" { "<script>" } else { "<style>" });
                self.text_block();
                self.tracker = outside;
            }
            Embedded::Text => {
                let outside = std::mem::take(&mut self.tracker);
                self.text_block();
                self.tracker = outside;
            }
            Embedded::Opaque => self.skip_block(),
            Embedded::Ruby => self.ruby_block(),
            Embedded::Erb => {
                let start = self.pos;
                self.skip_block();
                let compiled = erb::compile(&self.source[start..self.unread], &self.options);
                let (ruby, template) = (self.out.ruby.len() as u32, start as u32);
                self.out.ruby.push_str(&compiled.ruby);
                self.out.ruby.push('\n');
                self.out.map.extend(compiled.map.iter().map(|c| Copied {
                    ruby: c.ruby + ruby,
                    template: c.template + template,
                    len: c.len,
                }));
                self.out.outs.extend(compiled.outs.iter().map(|o| OutMark {
                    ruby: o.ruby + ruby,
                    template: o.template + template,
                    ..*o
                }));
                for (at, sentence) in compiled.problems {
                    self.problem(start + at as usize, &sentence);
                }
            }
        }
    }

    /// Copies the lines of `ruby:` without the indentation that they share, which a heredoc minds.
    fn ruby_block(&mut self) {
        if self.pos < self.end {
            self.out.synthesise(" ");
            self.code(self.pos, self.end);
            self.out.synthesise("\n");
        }
        let mut base = None;
        while self.unread < self.source.len() {
            let (end, next) = self.bounds(self.unread);
            if !self.is_blank(self.unread, end) {
                let (indent, first) = self.indent(self.unread, end);
                if indent <= self.level_indent() {
                    break;
                }
                let start = first.min(self.unread + *base.get_or_insert(first - self.unread));
                if self.source[start..end].starts_with("__END__") {
                    self.out.synthesise(" ");
                }
                self.out.copy(&self.source[start..end], start as u32);
            }
            self.out.synthesise("\n");
            self.unread = next;
        }
    }

    /// The rest of the line and the lines below it that are indented deeper are text.
    pub(super) fn text_block(&mut self) {
        self.accepts = false;
        if self.pos < self.end {
            self.interpolate_text(self.pos, self.end);
            self.tracker.text("\n");
        }
        while self.unread < self.source.len() {
            let (end, next) = self.bounds(self.unread);
            if !self.is_blank(self.unread, end) {
                let (indent, first) = self.indent(self.unread, end);
                if indent <= self.level_indent() {
                    break;
                }
                self.interpolate_text(first, end);
                self.tracker.text("\n");
            }
            self.unread = next;
        }
        self.pos = self.end;
    }

    /// Writes the outputs in a line of text.
    pub(super) fn interpolate_text(&mut self, start: usize, end: usize) {
        let source = self.source;
        for piece in pieces(source, start, end) {
            match piece {
                Piece::Literal(from, to) => self.tracker.text(&source[from..to]),
                Piece::Code(at, from, to, raw) => {
                    if source[from..to].trim_ascii().is_empty() {
                        continue;
                    }
                    self.mark_here(at, raw);
                    let from =
                        from + source.as_bytes()[from..to].iter().take_while(|b| is_space(**b)).count();
                    self.expression(from, to);
                }
            }
        }
    }

    /// Enters a `<script>` or `<style>` with this opening tag.
    pub(super) fn enter_raw(&mut self, opening: &str) {
        self.tracker = Tracker::default();
        self.tracker.text(opening);
        self.raw_opened = true;
    }
}

/// Splits text at its interpolations, as Slim does: braces balance, strings are not looked at.
pub(super) fn pieces(source: &str, start: usize, end: usize) -> Vec<Piece> {
    let bytes = source.as_bytes();
    let text = &bytes[start..end];
    if memchr::memmem::find(text, b"#{").is_none() {
        return if start < end { vec![Piece::Literal(start, end)] } else { Vec::new() };
    }
    // Every brace's partner first, so that `#{#{#{…` is not read over and over.
    let mut braces: Vec<(usize, usize)> = Vec::new();
    let mut open = Vec::new();
    for at in memchr::memchr2_iter(b'{', b'}', text).map(|at| start + at) {
        if bytes[at] == b'{' {
            open.push(braces.len());
            braces.push((at, 0));
        } else if let Some(brace) = open.pop() {
            braces[brace].1 = at;
        }
    }
    let mut pieces = Vec::new();
    let mut braces = braces.into_iter().peekable();
    let (mut literal, mut at) = (start, start);
    while let Some(hash) = memchr::memchr(b'#', &bytes[at..end]).map(|offset| at + offset) {
        at = hash + 1;
        if at >= end || bytes[at] != b'{' {
            continue;
        }
        if hash > literal && bytes[hash - 1] == b'\\' {
            // `\#{` is `#{`
            pieces.push(Piece::Literal(literal, hash - 1));
            literal = hash;
            at += 1;
            continue;
        }
        while braces.next_if(|brace| brace.0 < at).is_some() {}
        let Some((_, close)) = braces.next().filter(|brace| brace.1 != 0) else { continue };
        if literal < hash {
            pieces.push(Piece::Literal(literal, hash));
        }
        let raw = bytes[at + 1] == b'{' && close > at + 2 && bytes[close - 1] == b'}';
        let inset = usize::from(raw);
        pieces.push(Piece::Code(hash, at + 1 + inset, close - inset, raw));
        at = close + 1;
        literal = at;
    }
    if literal < end {
        pieces.push(Piece::Literal(literal, end));
    }
    pieces
}
