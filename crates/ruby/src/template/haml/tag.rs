//! Tags and their attributes.

use super::super::html::attribute_context;
use super::lines::Line;
use super::scan::{self, Element, Unclosed};
use super::{Haml, Markup};
use crate::ir::{Escape, HtmlContext};

/// A tag's name: where it stands, or nothing for the `div` that is left out.
type Name = Option<(usize, usize)>;

/// Where a literal stands in the template.
type Span = (usize, usize);

/// An attribute's name.
enum Key {
    /// It is written here.
    Static(usize, usize),
    /// It is the value of this code.
    Dynamic(usize, usize),
}

impl Haml<'_> {
    /// A line that is a tag.
    pub(super) fn tag(&mut self, line: &Line) {
        let bytes = self.bytes();
        let mut at = line.start;
        let mut name: Name = None;
        if bytes[at] == b'%' {
            let from = at + 1;
            at = self.skip(from, line.end, |b| is_name(b) || b == b':' || b == b'-');
            if at == from {
                self.problem(line.start, "`%` without the name of a tag.");
                return self.plain(line.start, line.end, self.escape());
            }
            name = Some((from, at));
        }
        // The classes and the id; `#{` is the start of the text.
        while at < line.end
            && (is_name(bytes[at]) || b"-:.@#".contains(&bytes[at]))
            && !(bytes[at] == b'#' && bytes.get(at + 1) == Some(&b'{'))
        {
            at += 1;
        }
        let mut end = line.end;
        let mut kind: Option<Span> = None;
        let (mut braces, mut parentheses, mut object) = (false, false, false);
        while at < end {
            let inside = at + 1;
            let limit = self.search_limit(end);
            let past = match bytes[at] {
                b'{' if !braces => {
                    braces = true;
                    scan::close(bytes, inside, limit, b'}').map(|close| {
                        self.hash(name, inside, close, &mut kind);
                        close + 1
                    })
                }
                b'(' if !parentheses => {
                    parentheses = true;
                    self.html_attributes(name, inside, limit, &mut kind)
                }
                b'[' if !object => {
                    object = true;
                    scan::close(bytes, inside, end, b']').map(|close| {
                        self.code(at, close + 1);
                        self.out.synthesise("\n");
                        close + 1
                    })
                }
                _ => break,
            };
            let Some(past) = past else {
                self.long_searches += 1;
                self.problem(at, "These attributes do not end or cannot be read.");
                at = end;
                break;
            };
            at = past;
            // The attributes may have taken further lines with them.
            while let Some(next) = self.page.lines.get(self.at)
                && next.start < at
            {
                end = next.end;
                self.at += 1;
            }
        }
        self.start_tag(name, kind);
        self.content(line, name, at, end.max(at));
    }

    /// What follows the attributes, from `at` to `end`.
    fn content(&mut self, line: &Line, name: Name, mut at: usize, end: usize) {
        let bytes = self.bytes();
        at = self.skip(at, end, |b| matches!(b, b'<' | b'>'));
        let rest = &bytes[at..end];
        let sign = at;
        let mut block = Unclosed::default();
        match rest {
            [b'/', ..] => return,
            [b'=', b'=', ..] => self.plain(at + 2, end, self.escape()),
            [b'=' | b'~', ..] => block = self.script(line, sign, at + 1, end, self.escape()),
            [mark @ (b'!' | b'&'), rest @ ..] => {
                let escape = if *mark == b'!' { Escape::Raw } else { self.escape_forced() };
                match rest {
                    [b'=', b'=', ..] => self.plain(at + 3, end, escape),
                    [b'=' | b'~', ..] => block = self.script(line, sign, at + 2, end, escape),
                    _ => self.plain(at + 1, end, escape),
                }
            }
            _ => self.plain(at, end, self.escape()),
        }
        let markup = match name {
            None => Markup::Div,
            Some((from, to)) if is_void(&self.src[from..to]) => Markup::None,
            Some((from, to)) => Markup::Element(from, to),
        };
        self.open(line.indent, block, markup);
    }

    /// Feeds the tag to the tracker. Of the attributes only a script's type changes what follows.
    fn start_tag(&mut self, name: Name, kind: Option<Span>) {
        let mut markup = std::mem::take(&mut self.scratch);
        markup.clear();
        markup.push('<');
        markup.push_str(self.tag_name(name));
        if let Some((from, to)) = kind
            && !self.src[from..to].contains(['"', '<', '>'])
        {
            markup.push_str(" type=\"");
            markup.push_str(&self.src[from..to]);
            markup.push('"');
        }
        markup.push('>');
        self.feed(&markup);
        self.scratch = markup;
    }

    fn tag_name(&self, name: Name) -> &str {
        name.map_or("div", |(from, to)| &self.src[from..to])
    }

    fn skip(&self, from: usize, to: usize, wanted: impl Fn(u8) -> bool) -> usize {
        let mut at = from;
        while at < to && wanted(self.bytes()[at]) {
            at += 1;
        }
        at
    }

    /// What happens to an attribute's value. Haml 4 still trusts safe strings.
    fn attribute_escape(&self) -> Escape {
        if self.options.haml_major < 5 && self.options.escape { Escape::UnlessSafe } else { Escape::Always }
    }

    /// The pairs of a Ruby hash.
    fn hash(&mut self, name: Name, from: usize, to: usize, kind: &mut Option<Span>) {
        for element in scan::elements(self.bytes(), from, to) {
            self.pair(name, element, kind);
        }
    }

    fn pair(&mut self, name: Name, element: Element, kind: &mut Option<Span>) {
        let bytes = self.bytes();
        let (mut from, to) = self.trim(element.from, element.to);
        while from < to && bytes[from] == b'#' {
            let line = memchr::memchr(b'\n', &bytes[from..to]).map_or(to, |n| from + n);
            (from, _) = self.trim(line, to);
        }
        if from >= to {
            return;
        }
        let Some((key, value)) = self.key(from, to, element.arrow) else {
            // A splat, or a call that returns the attributes: nothing is known of their names.
            let stars = self.skip(from, to, |b| b == b'*');
            let (stars, to) = self.trim(stars, to);
            if stars < to {
                self.attribute(from, stars, to, HtmlContext::Quoted);
            }
            return;
        };
        let (value, to) = self.trim(value, to);
        let context = match key {
            Key::Dynamic(key, end) => {
                // Only Haml 5 checks names.
                let escape = if self.options.haml_major == 5 { Escape::Always } else { Escape::Raw };
                self.out_in(key, escape, HtmlContext::Unquoted);
                self.code(key, end);
                self.out.synthesise("\n");
                HtmlContext::Quoted
            }
            Key::Static(key, end) if value >= to => {
                // `{ id: }` stands for `{ id: id }`.
                let context = attribute_context(self.tag_name(name), &self.src[key..end], true);
                self.attribute(from, key, end, context);
                return;
            }
            Key::Static(..) if bytes[value] == b'{' && bytes[to - 1] == b'}' => HtmlContext::Quoted,
            Key::Static(key, end) => {
                let key = &self.src[key..end];
                if key == "type" && matches!(bytes[value], b'"' | b'\'') && is_literal(&bytes[value..to]) {
                    *kind = Some((value + 1, to - 1));
                }
                attribute_context(self.tag_name(name), key, true)
            }
        };
        if value < to && !is_literal(&bytes[value..to]) {
            self.attribute(from, value, to, context);
        }
    }

    fn attribute(&mut self, at: usize, from: usize, to: usize, context: HtmlContext) {
        self.out_in(at, self.attribute_escape(), context);
        self.code(from, to);
        self.out.synthesise("\n");
    }

    /// The key of a pair and where its value starts.
    fn key(&self, from: usize, to: usize, arrow: Option<usize>) -> Option<(Key, usize)> {
        let bytes = self.bytes();
        let quote = bytes[from];
        if matches!(quote, b'"' | b'\'')
            && let Some(end) = scan::string_end(bytes, from, to)
        {
            let dynamic = quote == b'"' && memchr::memmem::find(&bytes[from..end], b"#{").is_some();
            let key = if dynamic { Key::Dynamic(from, end) } else { Key::Static(from + 1, end - 1) };
            if end < to && bytes[end] == b':' && bytes.get(end + 1) != Some(&b':') {
                return Some((key, end + 1));
            }
            if let Some(arrow) = arrow
                && self.trim(end, arrow) == (arrow, arrow)
            {
                return Some((key, arrow + 2));
            }
        }
        let word = self.skip(from, to, |b| is_name(b) || b >= 0x80);
        if word > from && word < to && bytes[word] == b':' && bytes.get(word + 1) != Some(&b':') {
            return Some((Key::Static(from, word), word + 1));
        }
        let arrow = arrow?;
        let (from, end) = self.trim(from, arrow);
        if from >= end {
            return None;
        }
        let key = match &bytes[from..end] {
            [b':', q @ (b'"' | b'\''), inside @ .., last]
                if q == last && memchr::memmem::find(inside, b"#{").is_none() =>
            {
                Key::Static(from + 2, end - 1)
            }
            [b':', symbol @ ..] if !symbol.is_empty() && symbol.iter().all(|b| is_name(*b)) => {
                Key::Static(from + 1, end)
            }
            _ => Key::Dynamic(from, end),
        };
        Some((key, arrow + 2))
    }

    /// Attributes as in HTML, from behind their parenthesis; returns where they end.
    fn html_attributes(
        &mut self,
        name: Name,
        mut at: usize,
        limit: usize,
        kind: &mut Option<Span>,
    ) -> Option<usize> {
        let bytes = self.bytes();
        loop {
            at = self.skip(at, limit, |b| b.is_ascii_whitespace());
            if *bytes[..limit].get(at)? == b')' {
                return Some(at + 1);
            }
            let key = at;
            at = self.skip(at, limit, |b| is_name(b) || b >= 0x80 || b"-:@#.".contains(&b));
            if at == key {
                return None;
            }
            let attribute = &self.src[key..at];
            let sign = self.skip(at, limit, |b| b.is_ascii_whitespace());
            if bytes[..limit].get(sign) != Some(&b'=') {
                continue;
            }
            let value = self.skip(sign + 1, limit, |b| b.is_ascii_whitespace());
            let context = attribute_context(self.tag_name(name), attribute, true);
            match *bytes[..limit].get(value)? {
                quote @ (b'"' | b'\'') => {
                    let (end, dynamic) = quoted_end(bytes, value + 1, limit, quote)?;
                    at = end + 1;
                    if dynamic {
                        self.quoted(key, value, end, context);
                    } else if attribute == "type" {
                        *kind = Some((value + 1, end));
                    }
                }
                _ => {
                    at = variable_end(bytes, value, limit);
                    if at == value {
                        return None;
                    }
                    if !is_literal(&bytes[value..at]) {
                        self.attribute(key, value, at, context);
                    }
                }
            }
        }
    }

    /// A quoted value with interpolation: whatever its quotes, Ruby reads it as between `"`.
    fn quoted(&mut self, at: usize, from: usize, to: usize, context: HtmlContext) {
        self.out_in(at, self.attribute_escape(), context);
        let bytes = self.bytes();
        if bytes[from] == b'"' {
            self.code(from, to + 1);
        } else {
            self.out.synthesise("\"");
            let mut at = from + 1;
            let mut piece = at;
            while at < to {
                if bytes[at] == b'#'
                    && bytes[at + 1] == b'{'
                    && let Some(close) = scan::close(bytes, at + 2, to, b'}')
                {
                    at = close + 1;
                } else if bytes[at] == b'\\' {
                    at += 2;
                } else {
                    if bytes[at] == b'"' {
                        self.code(piece, at);
                        self.out.synthesise("\\");
                        piece = at;
                    }
                    at += 1;
                }
            }
            self.code(piece, to);
            self.out.synthesise("\"");
        }
        self.out.synthesise("\n");
    }
}

/// Where a quoted value ends, and whether it has an interpolation.
fn quoted_end(bytes: &[u8], from: usize, limit: usize, quote: u8) -> Option<(usize, bool)> {
    let mut at = from;
    let mut dynamic = false;
    while at < limit {
        match bytes[at] {
            b'\\' => at += 2,
            b'#' if bytes[..limit].get(at + 1) == Some(&b'{') => {
                dynamic = true;
                at = scan::close(bytes, at + 2, limit, b'}')? + 1;
            }
            byte if byte == quote => return Some((at, dynamic)),
            _ => at += 1,
        }
    }
    None
}

/// Where a value without quotes ends. Haml takes a variable only; a call with arguments is read too.
fn variable_end(bytes: &[u8], from: usize, limit: usize) -> usize {
    let mut at = from;
    while at < limit {
        match bytes[at] {
            open @ (b'(' | b'[') => {
                let close = if open == b'(' { b')' } else { b']' };
                match scan::close(bytes, at + 1, limit, close) {
                    Some(end) => at = end + 1,
                    None => return at,
                }
            }
            byte if is_name(byte) || byte >= 0x80 || b"@$.:?!".contains(&byte) => at += 1,
            _ => break,
        }
    }
    at
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether the code is a literal that no input can reach.
fn is_literal(code: &[u8]) -> bool {
    match code {
        b"true" | b"false" | b"nil" => true,
        [b':', symbol @ ..] => !symbol.is_empty() && symbol.iter().all(|b| is_name(*b)),
        [b'0'..=b'9', rest @ ..] => rest.iter().all(|b| is_name(*b) || *b == b'.'),
        [q @ (b'"' | b'\''), inside @ .., last] if q == last => {
            !inside.contains(q)
                && !inside.contains(&b'\\')
                && (*q == b'\''
                    || !inside.windows(2).any(|w| w[0] == b'#' && matches!(w[1], b'{' | b'@' | b'$')))
        }
        _ => false,
    }
}

/// Elements that have no end tag.
fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "br"
            | "col"
            | "command"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "isindex"
            | "keygen"
            | "link"
            | "menuitem"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}
