//! Text with interpolation, and filters.

use super::super::{Options, erb};
use super::lines::Line;
use super::{Haml, scan};
use crate::ir::Escape;

/// Where an interpolation's code stands and where the text goes on.
struct Interpolation {
    from: usize,
    to: usize,
    next: usize,
}

impl Haml<'_> {
    /// Text in which `#{}` is written with the given escape. Backslashes take its meaning away.
    pub(super) fn text(&mut self, from: usize, to: usize, escape: Escape) {
        let src = self.src;
        let bytes = src.as_bytes();
        let mut literal = from;
        let mut at = from;
        while at < to {
            let Some(found) = memchr::memchr(b'#', &bytes[at..to]) else { break };
            let hash = at + found;
            at = hash + 1;
            if at >= to || !matches!(bytes[at], b'{' | b'@' | b'$') {
                continue;
            }
            let slashes = bytes[literal..hash].iter().rev().take_while(|b| **b == b'\\').count();
            if slashes % 2 == 1 {
                continue;
            }
            let Some(found) = self.interpolation(hash, to) else {
                if bytes[at] == b'{' {
                    self.problem(hash, "This interpolation does not end.");
                    break;
                }
                continue;
            };
            self.feed(&src[literal..hash]);
            let (code, end) = self.trim(found.from, found.to);
            if code < end {
                self.out_here(hash, escape);
                self.code(code, end);
                self.out.synthesise("\n");
            }
            literal = found.next;
            at = found.next;
        }
        if literal < to {
            self.feed(&src[literal..to]);
        }
    }

    /// The interpolation that starts at `hash`.
    fn interpolation(&self, hash: usize, to: usize) -> Option<Interpolation> {
        let bytes = self.bytes();
        let from = hash + 2;
        if bytes[hash + 1] != b'{' {
            // `#@name` and `#$name`
            let mut end = from;
            if bytes[hash + 1] == b'@' && end < to && bytes[end] == b'@' {
                end += 1;
            }
            let name = end;
            while end < to && (bytes[end].is_ascii_alphanumeric() || bytes[end] == b'_') {
                end += 1;
            }
            let named = end > name && !bytes[name].is_ascii_digit();
            return named.then_some(Interpolation { from: hash + 1, to: end, next: end });
        }
        // In a filter the text has many lines, but code that ends on its own line ends there.
        // Looked for nearby only: one endless line of many interpolations stays linear.
        let near = to.min(from + 16_384);
        let line = memchr::memchr(b'\n', &bytes[from..near]).map_or(near, |n| from + n);
        let end = scan::close(bytes, from, line, b'}')
            .or_else(|| scan::close_by_count(bytes, from, line))
            .or_else(|| if line < to { scan::close(bytes, from, to, b'}') } else { None })?;
        Some(Interpolation { from, to: end, next: end + 1 })
    }

    /// A filter and the lines under it.
    pub(super) fn filter(&mut self, line: &Line) {
        let name = &self.src[line.start + 1..line.end];
        let first = self.at;
        let Some((from, to)) = self.take_deeper(line.indent) else { return };
        let raw_since_6 = match self.options.haml_major {
            5 => self.escape(),
            _ => Escape::Raw,
        };
        match name {
            "ruby" => self.ruby_filter(first),
            "erb" => self.erb_filter(from, to),
            "javascript" | "coffee" | "coffeescript" | "opal" | "es6" | "babel" => {
                self.wrapped("<script>\n", from, to, raw_since_6, "\n</script>\n");
            }
            "css" | "sass" | "scss" | "less" => {
                self.wrapped("<style>\n", from, to, raw_since_6, "\n</style>\n");
            }
            "escaped" => self.wrapped("", from, to, Escape::Always, "\n"),
            "cdata" => self.wrapped("<![CDATA[\n", from, to, raw_since_6, "\n]]>\n"),
            _ => self.wrapped("", from, to, raw_since_6, "\n"),
        }
    }

    fn wrapped(&mut self, before: &str, from: usize, to: usize, escape: Escape, after: &str) {
        self.feed(before);
        self.text(from, to, escape);
        self.feed(after);
    }

    /// Lines of Ruby, from line `first` up to the line that is read next.
    fn ruby_filter(&mut self, first: usize) {
        let lines = self.page.lines.get(first..self.at).unwrap_or_default();
        let margin = lines.first().map_or(0, |l| l.indent);
        for line in lines {
            self.code(line.begin() + margin.min(line.indent), line.end);
            self.out.synthesise("\n");
        }
    }

    /// ERB within Haml. Since Haml 6 it is plain ERB, which escapes nothing; before it was Rails' own.
    fn erb_filter(&mut self, from: usize, to: usize) {
        let options = Options { escape: self.options.escape && self.options.haml_major < 6, ..*self.options };
        let inner = erb::compile(&self.src[from..to], &options);
        let ruby = self.out.ruby.len() as u32;
        let template = from as u32;
        for mut copied in inner.map {
            copied.ruby += ruby;
            copied.template += template;
            self.out.map.push(copied);
        }
        for mut out in inner.outs {
            out.ruby += ruby;
            out.template += template;
            self.out.outs.push(out);
        }
        for (at, problem) in inner.problems {
            self.out.problems.push((at + template, problem));
        }
        self.out.ruby.push_str(&inner.ruby);
        self.out.synthesise("\n");
    }
}
