//! ERB: the Ruby that comes out has the very length of the template, byte for byte.
//!
//! Markup becomes spaces (newlines stay), `<%=` becomes `_o=`, which is as long, and the `%` of every
//! `%>` becomes a newline, which ends the statement and a comment in it alike. Offsets in the Ruby are
//! therefore offsets in the template. `<%# … %>` stays a Ruby comment, so that what is said in
//! comments (`locals: (a:)`, an ignore) can be read there.

mod branches;
#[cfg(test)]
mod tests;

use super::html::Tracker;
use super::{Compiled, Copied, MARKER, Options, OutMark};
use crate::ir::{Escape, HtmlContext};
use branches::Event;

/// Deeper branches do not keep their markup's state.
const MAX_DEPTH: usize = 256;

/// What markup is replaced by, a piece at a time.
const SPACES: &str = "                                                                ";

/// Compiles a page, or any other text if `options.html` is false.
pub fn compile(source: &str, options: &Options) -> Compiled {
    Writer::new(Tracker::default(), options.html, options.escape).run(source)
}

/// Compiles a script (`.js.erb`): Rails escapes there as in HTML, whatever the format.
pub fn compile_script(source: &str, options: &Options) -> Compiled {
    // Some are markup all the same (`<script type="text/template">…`): no script starts with a tag.
    let start = source.trim_start().as_bytes();
    let markup = start.first() == Some(&b'<') && start.get(1).is_some_and(u8::is_ascii_alphabetic);
    let tracker = if markup { Tracker::default() } else { Tracker::for_script() };
    Writer::new(tracker, true, options.escape).run(source)
}

struct Writer {
    tracker: Tracker,
    /// The branches that are open, outermost first; never more than [`MAX_DEPTH`].
    branches: Vec<Branch>,
    /// How many more are open.
    deeper: usize,
    html: bool,
    escape: bool,
    compiled: Compiled,
}

/// A block or a conditional that is open.
struct Branch {
    /// The markup's state where it began; `None` is plain text.
    start: Option<Tracker>,
    /// Its content is of another kind than what surrounds it (`javascript_tag do`).
    apart: bool,
}

/// The parts of one tag, as lengths in bytes: `<%=`, code, `-%>`.
struct Tag<'a> {
    kind: TagKind,
    open: usize,
    code: &'a str,
    /// Without the `-`, if there is one.
    close: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TagKind {
    Code,
    Output,
    RawOutput,
    Comment,
    /// `<%% … %>`
    Literal,
}

impl Writer {
    fn new(tracker: Tracker, html: bool, escape: bool) -> Writer {
        Writer { tracker, branches: Vec::new(), deeper: 0, html, escape, compiled: Compiled::default() }
    }

    fn run(mut self, source: &str) -> Compiled {
        self.compiled.ruby.reserve(source.len());
        let mut rest = source;
        while let Some(found) = memchr::memmem::find(rest.as_bytes(), b"<%") {
            self.text(&rest[..found]);
            rest = &rest[found..];
            let Some(tag) = read_tag(rest) else {
                // Erubi takes it as text; nothing behind it can be a tag, for none ends.
                let at = self.offset();
                self.compiled.problems.push((at, "This tag is never closed: no %> follows.".to_owned()));
                break;
            };
            rest = &rest[tag.open + tag.code.len() + tag.close..];
            self.tag(&tag);
        }
        self.text(rest);
        debug_assert_eq!(self.compiled.ruby.len(), source.len());
        if !source.is_empty() {
            self.compiled.map.push(Copied { ruby: 0, template: 0, len: source.len() as u32 });
        }
        self.compiled
    }

    fn offset(&self) -> u32 {
        self.compiled.ruby.len() as u32
    }

    fn text(&mut self, markup: &str) {
        if self.html {
            self.tracker.text(markup);
        }
        self.blank(markup);
    }

    fn blank(&mut self, text: &str) {
        let mut done = 0;
        for newline in memchr::memchr_iter(b'\n', text.as_bytes()) {
            self.spaces(newline - done);
            self.compiled.ruby.push('\n');
            done = newline + 1;
        }
        self.spaces(text.len() - done);
    }

    fn spaces(&mut self, mut count: usize) {
        while count > 0 {
            let some = count.min(SPACES.len());
            self.compiled.ruby.push_str(&SPACES[..some]);
            count -= some;
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        match tag.kind {
            TagKind::Literal => {
                if self.html {
                    self.tracker.text("<%");
                    self.tracker.text(tag.code);
                    self.tracker.text("%>");
                }
                self.spaces(tag.open);
                self.blank(tag.code);
                self.spaces(tag.close);
                return;
            }
            TagKind::Comment => {
                let first_line = tag.code.find(['\n', '\r']).unwrap_or(tag.code.len());
                self.spaces(tag.open - 1);
                self.compiled.ruby.push('#');
                self.compiled.ruby.push_str(&tag.code[..first_line]);
                self.blank(&tag.code[first_line..]);
            }
            TagKind::Output | TagKind::RawOutput if !is_empty(tag.code) => {
                let at = self.offset();
                let context = if self.html { self.tracker.context() } else { HtmlContext::NotHtml };
                let escape = match tag.kind {
                    _ if !self.html => Escape::NotHtml,
                    TagKind::Output if self.escape => Escape::UnlessSafe,
                    _ => Escape::Raw,
                };
                self.compiled.outs.push(OutMark { ruby: at, template: at, escape, context });
                self.compiled.ruby.push_str(MARKER);
                self.compiled.ruby.push('=');
                self.spaces(tag.open - MARKER.len() - 1);
                match leading_not(tag.code) {
                    // The right side of an assignment takes no bare `not`.
                    Some((before, after)) => {
                        self.code(before);
                        self.compiled.ruby.push_str("!  ");
                        self.code(after);
                    }
                    None => self.code(tag.code),
                }
                if self.html {
                    self.tracker.output();
                    self.branch(tag.code);
                }
            }
            TagKind::Code | TagKind::Output | TagKind::RawOutput => {
                self.spaces(tag.open);
                self.code(tag.code);
                if self.html {
                    self.branch(tag.code);
                }
            }
        }
        self.spaces(tag.close - 2);
        // `form:` and `1..` at the end of a line would take the next line as their value.
        let open_ended = tag.kind != TagKind::Comment && tag.code.trim_end().ends_with([':', '.']);
        self.compiled.ruby.push_str(if open_ended { ";\n" } else { "\n " });
    }

    fn code(&mut self, code: &str) {
        for (index, piece) in code.split("%%>").enumerate() {
            if index > 0 {
                self.compiled.ruby.push_str(" %>");
            }
            self.compiled.ruby.push_str(piece);
        }
    }

    /// Keeps the markup's state where branches begin, and goes back to it where another begins.
    fn branch(&mut self, code: &str) {
        let mut opened = false;
        for event in branches::events(code) {
            match event {
                Event::Open if self.branches.len() == MAX_DEPTH => self.deeper += 1,
                Event::Open => {
                    let start = (!self.tracker.between_tags()).then(|| self.tracker.clone());
                    self.branches.push(Branch { start, apart: false });
                    opened = true;
                }
                Event::Next if self.deeper == 0 => {
                    if let Some(branch) = self.branches.last() {
                        self.tracker = branch.start.clone().unwrap_or_default();
                    }
                }
                Event::Next => {}
                Event::Close if self.deeper > 0 => self.deeper -= 1,
                Event::Close => {
                    opened = false;
                    if let Some(branch) = self.branches.pop()
                        && branch.apart
                    {
                        self.tracker = branch.start.unwrap_or_default();
                    }
                }
            }
        }
        if opened
            && self.deeper == 0
            && writes_script(code)
            && let Some(branch) = self.branches.last_mut()
        {
            branch.apart = true;
            self.tracker = Tracker::for_script();
        }
    }
}

/// The block that this code opens is the text of a `<script>`.
fn writes_script(code: &str) -> bool {
    let code = code.trim_start();
    let code = code.strip_prefix("concat").map_or(code, |rest| rest.trim_start_matches([' ', '(']));
    if code.starts_with("javascript_tag") || code.starts_with("tag.script") {
        return true;
    }
    let argument =
        code.strip_prefix("content_tag").map(|rest| rest.trim_start_matches([' ', '(', ':', '"', '\'']));
    argument.and_then(|rest| rest.strip_prefix("script")).is_some_and(|rest| {
        rest.starts_with(|c: char| !c.is_alphanumeric()) && !rest.contains("text/template")
    })
}

/// `not a`: what stands before and behind the `not`.
fn leading_not(code: &str) -> Option<(&str, &str)> {
    let at = code.len() - code.trim_start().len();
    let after = code[at..].strip_prefix("not")?;
    after.starts_with([' ', '(']).then_some((&code[..at], after))
}

/// Nothing but space and comments.
fn is_empty(code: &str) -> bool {
    code.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#'))
}

/// Reads the tag that `source` starts with; `None` if it never ends.
fn read_tag(source: &str) -> Option<Tag<'_>> {
    let inside = &source[2..];
    let (kind, mark) = match inside.as_bytes() {
        [b'%', b'>', ..] => (TagKind::Code, 0),
        [b'%', ..] => (TagKind::Literal, 1),
        [b'|', b'=', b'=', ..] => (TagKind::RawOutput, 3),
        [b'|', b'=', ..] => (TagKind::Output, 2),
        [b'=', b'=', ..] => (TagKind::RawOutput, 2),
        [b'=', ..] => (TagKind::Output, 1),
        [b'#', ..] => (TagKind::Comment, 1),
        [b'-', b'%', b'>', ..] => (TagKind::Code, 0),
        [b'-' | b'|', ..] => (TagKind::Code, 1),
        _ => (TagKind::Code, 0),
    };
    let body = &inside[mark..];
    let mut end = memchr::memmem::find(body.as_bytes(), b"%>")?;
    if matches!(kind, TagKind::Code | TagKind::Output | TagKind::RawOutput) {
        // `%%>` is a `%>` in the code, if the tag still ends further on.
        while end > 0
            && body.as_bytes()[end - 1] == b'%'
            && let Some(more) = memchr::memmem::find(&body.as_bytes()[end + 2..], b"%>")
        {
            end += 2 + more;
        }
    }
    let code = &body[..end];
    let trimmed = if kind == TagKind::Literal { code } else { code.strip_suffix(['-', '=']).unwrap_or(code) };
    Some(Tag { kind, open: 2 + mark, code: trimmed, close: 2 + code.len() - trimmed.len() })
}
