//! Follows static markup and tells in which context the next output lands.
//!
//! A scanner of HTML that never fails: it is fed the literal pieces of a template in order and keeps
//! just enough state to answer [`Tracker::context`]. Branches of a template are read one after the
//! other, as they stand; an engine that knows where branches begin may [`Clone`] the tracker there
//! and go back to it. Where browsers would stay lost in a broken tag to the end of the page, the
//! tracker recovers at the next line that starts with a tag: what looks broken here often is only
//! two branches in a row.

mod script;
#[cfg(test)]
mod tests;

use crate::ir::HtmlContext;
use script::Script;

/// Longer names are cut: no name of interest is this long.
const MAX_NAME: usize = 64;

/// How much of an attribute's value is kept: enough for a scheme or a script's type.
const MAX_PREFIX: usize = 64;

/// The state between two pieces of markup.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    state: State,
    /// The tag's name, in lower case; an output in it is a `*`.
    tag: String,
    /// The attribute's name, in lower case; an output in it is a `*`.
    attribute: String,
    value: Value,
    /// The value of `type` in the present `<script>`.
    script_type: String,
    script: Script,
    /// The whole input is a script: no tag ends it.
    bare_script: bool,
    /// Only spaces stand between the last newline and here.
    line_start: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Text,
    /// Behind `<`.
    TagOpen,
    /// Behind `</`, to the `>`.
    EndTag,
    TagName,
    BetweenAttributes,
    AttributeName,
    /// Behind a name and spaces, where `=` may still come.
    AfterName,
    /// Behind `=`.
    BeforeValue,
    Quoted(u8),
    Unquoted,
    Script,
    Style,
    /// `<textarea>`, `<title>`: no tag but their own end.
    PlainText,
    Comment,
    Cdata,
    /// `<!doctype …>`, `<?xml … ?>`
    Declaration,
}

/// What is known of the attribute's value so far.
#[derive(Debug, Clone, Default)]
struct Value {
    /// Its first bytes without leading space, in lower case; ends at the first output.
    prefix: String,
    /// Something other than space was written.
    written: bool,
    /// An output was written.
    dynamic: bool,
    /// `<` without their `>`.
    open_angles: u32,
    /// A `>` without its `<` was met: perhaps the tag's own, behind a quote that is missing.
    stray_angle: bool,
}

impl Tracker {
    /// A tracker for a file that is a script as a whole (`.js.erb`).
    pub fn for_script() -> Tracker {
        Tracker { state: State::Script, bare_script: true, ..Tracker::default() }
    }

    /// Reads literal markup.
    pub fn text(&mut self, markup: &str) {
        let bytes = markup.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let next = match self.state {
                State::Text => match memchr::memchr(b'<', &bytes[at..]) {
                    Some(found) => self.open(bytes, at + found),
                    None => break,
                },
                State::Script => self.script(bytes, at),
                State::Style => self.raw(bytes, at, b"style"),
                State::PlainText => {
                    let name: &[u8] = if self.tag == "title" { b"title" } else { b"textarea" };
                    self.raw(bytes, at, name)
                }
                State::Comment => self.until(bytes, at, b"-->"),
                State::Cdata => self.until(bytes, at, b"]]>"),
                State::Declaration => self.until(bytes, at, b">"),
                _ => self.in_tag(bytes, at),
            };
            at = next;
        }
    }

    /// An output stood here: what follows is no longer at the start of an attribute's value.
    pub fn output(&mut self) {
        self.line_start = false;
        match self.state {
            State::TagOpen => {
                self.tag.clear();
                self.tag.push('*');
                self.state = State::TagName;
            }
            State::TagName => push_name(&mut self.tag, b'*'),
            State::BetweenAttributes | State::AfterName => {
                self.attribute.clear();
                self.attribute.push('*');
                self.state = State::AttributeName;
            }
            State::AttributeName => push_name(&mut self.attribute, b'*'),
            State::BeforeValue => {
                self.state = State::Unquoted;
                self.value.output();
            }
            State::Quoted(_) | State::Unquoted => self.value.output(),
            State::Script => self.script.output(),
            _ => {}
        }
    }

    /// Where an output would land now.
    pub fn context(&self) -> HtmlContext {
        match self.state {
            State::Text | State::PlainText | State::Cdata | State::Declaration => HtmlContext::Text,
            State::TagOpen
            | State::EndTag
            | State::TagName
            | State::BetweenAttributes
            | State::AttributeName
            | State::AfterName
            | State::BeforeValue
            | State::Unquoted => HtmlContext::Unquoted,
            State::Quoted(_) => {
                let context = attribute_context(&self.tag, &self.attribute, !self.value.written);
                let is_url = matches!(context, HtmlContext::UrlStart | HtmlContext::UrlRest);
                if is_url && is_code_url(&self.value.prefix) { HtmlContext::EventHandler } else { context }
            }
            State::Script if self.script.in_string() => HtmlContext::ScriptString,
            State::Script => HtmlContext::Script,
            State::Style => HtmlContext::Style,
            State::Comment => HtmlContext::Comment,
        }
    }

    /// Whether the next markup stands between tags (and not within one, a script or a comment).
    pub fn between_tags(&self) -> bool {
        matches!(self.state, State::Text)
    }

    /// Reads a `<` that may open something.
    fn open(&mut self, bytes: &[u8], at: usize) -> usize {
        let rest = &bytes[at..];
        if rest.starts_with(b"<!--") {
            self.state = State::Comment;
            // `<!-->` and `<!--->` are whole comments: let the dashes count for the end too.
            return at + 2;
        }
        if rest.starts_with(b"<![CDATA[") {
            self.state = State::Cdata;
            return at + 9;
        }
        match rest.get(1) {
            None => {
                self.state = State::TagOpen;
                at + 1
            }
            Some(b'!' | b'?') => {
                self.state = State::Declaration;
                at + 2
            }
            Some(b'/') if rest.get(2).is_none_or(u8::is_ascii_alphabetic) => {
                self.state = State::EndTag;
                at + 2
            }
            Some(byte) if byte.is_ascii_alphabetic() => {
                self.state = State::TagName;
                self.tag.clear();
                self.script_type.clear();
                at + 1
            }
            Some(_) => {
                self.state = State::Text;
                at + 1
            }
        }
    }

    /// Reads within a tag.
    fn in_tag(&mut self, bytes: &[u8], at: usize) -> usize {
        let byte = bytes[at];
        if let State::Quoted(quote) = self.state {
            return self.quoted(bytes, at, quote);
        }
        if self.state == State::TagOpen {
            // The piece before ended with `<`: it opened something only if this goes on with a name.
            self.state = State::Text;
            if byte.is_ascii_alphabetic() {
                self.tag.clear();
                self.script_type.clear();
                self.state = State::TagName;
            } else if byte == b'/' {
                self.state = State::EndTag;
            }
            return if self.state == State::TagName { at } else { at + usize::from(byte != b'<') };
        }
        if byte == b'>' {
            self.close(bytes, at);
            return at + 1;
        }
        if byte == b'<'
            && bytes.get(at + 1).is_none_or(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!'))
        {
            // No tag stands within a tag: the last one was never closed, or this is another branch.
            return self.open(bytes, at);
        }
        let space = byte.is_ascii_whitespace();
        match self.state {
            State::TagName if space || byte == b'/' => self.state = State::BetweenAttributes,
            State::TagName => push_name(&mut self.tag, byte),
            State::BetweenAttributes if space || byte == b'/' => {}
            State::BetweenAttributes => self.start_attribute(byte),
            State::AttributeName if space => self.state = State::AfterName,
            State::AttributeName | State::AfterName if byte == b'=' => {
                self.state = State::BeforeValue;
                self.value = Value::default();
            }
            State::AttributeName if byte == b'/' => self.state = State::BetweenAttributes,
            State::AttributeName => push_name(&mut self.attribute, byte),
            State::AfterName if space => {}
            State::AfterName => self.start_attribute(byte),
            State::BeforeValue if space => {}
            State::BeforeValue if byte == b'"' || byte == b'\'' => {
                self.state = State::Quoted(byte);
                self.line_start = false;
            }
            State::BeforeValue => {
                self.state = State::Unquoted;
                self.value.byte(byte);
            }
            State::Unquoted if space => self.end_value(),
            State::Unquoted => self.value.byte(byte),
            _ => {}
        }
        at + 1
    }

    fn start_attribute(&mut self, byte: u8) {
        self.attribute.clear();
        push_name(&mut self.attribute, byte);
        self.state = State::AttributeName;
    }

    fn quoted(&mut self, bytes: &[u8], at: usize, quote: u8) -> usize {
        let byte = bytes[at];
        if byte == quote {
            self.end_value();
            return at + 1;
        }
        let names_tag = |b: &u8| b.is_ascii_alphabetic() || *b == b'/';
        if byte == b'<'
            && self.line_start
            && self.value.stray_angle
            && bytes.get(at + 1).is_some_and(names_tag)
        {
            // The quote is missing: the tag ended at the stray `>`, and here starts another.
            return self.open(bytes, at);
        }
        self.line_start = byte == b'\n' || (self.line_start && byte.is_ascii_whitespace());
        self.value.byte(byte);
        at + 1
    }

    fn end_value(&mut self) {
        if self.attribute == "type" && self.tag == "script" {
            self.script_type = std::mem::take(&mut self.value.prefix);
        }
        self.state = State::BetweenAttributes;
    }

    /// The tag ends with the `>` at `at`.
    fn close(&mut self, bytes: &[u8], at: usize) {
        let self_closed = at > 0 && bytes[at - 1] == b'/' && self.state != State::Unquoted;
        if self.state == State::Unquoted {
            self.end_value();
        }
        self.state = match self.tag.as_str() {
            _ if self.state == State::EndTag => State::Text,
            // A template for the browser's own engine is markup, and `</script>` closes it like any tag.
            "script" if is_markup(&self.script_type) => State::Text,
            "script" => {
                self.script = Script::default();
                State::Script
            }
            "style" if !self_closed => State::Style,
            "textarea" | "title" if !self_closed => State::PlainText,
            _ => State::Text,
        };
    }

    fn script(&mut self, bytes: &[u8], at: usize) -> usize {
        if bytes[at] == b'<' && !self.bare_script && ends_element(&bytes[at..], b"script") {
            self.state = State::EndTag;
            return at + 2;
        }
        self.script.step(bytes, at)
    }

    fn raw(&mut self, bytes: &[u8], at: usize, name: &[u8]) -> usize {
        let found = memchr::memchr_iter(b'<', &bytes[at..]).find(|i| ends_element(&bytes[at + i..], name));
        match found {
            Some(found) => {
                self.state = State::EndTag;
                at + found + 2
            }
            None => bytes.len(),
        }
    }

    fn until(&mut self, bytes: &[u8], at: usize, end: &[u8]) -> usize {
        match memchr::memmem::find(&bytes[at..], end) {
            Some(found) => {
                self.state = State::Text;
                at + found + end.len()
            }
            None => bytes.len(),
        }
    }
}

impl Value {
    fn output(&mut self) {
        self.written = true;
        self.dynamic = true;
    }

    fn byte(&mut self, byte: u8) {
        match byte {
            b'<' => self.open_angles += 1,
            b'>' if self.open_angles > 0 => self.open_angles -= 1,
            b'>' => self.stray_angle = true,
            _ => {}
        }
        if byte.is_ascii_whitespace() && !self.written {
            return;
        }
        self.written = true;
        if !self.dynamic && self.prefix.len() < MAX_PREFIX && byte.is_ascii() {
            self.prefix.push(char::from(byte.to_ascii_lowercase()));
        }
    }
}

fn push_name(name: &mut String, byte: u8) {
    if name.len() < MAX_NAME && byte.is_ascii() {
        name.push(char::from(byte.to_ascii_lowercase()));
    }
}

/// `bytes` starts with the end tag of `name`.
fn ends_element(bytes: &[u8], name: &[u8]) -> bool {
    bytes.starts_with(b"</")
        && bytes.len() >= 2 + name.len()
        && bytes[2..2 + name.len()].eq_ignore_ascii_case(name)
        && !bytes.get(2 + name.len()).is_some_and(u8::is_ascii_alphanumeric)
}

/// A `<script>` of this type holds markup for a template engine in the browser.
fn is_markup(script_type: &str) -> bool {
    ["html", "template", "tmpl", "handlebars", "mustache", "text/plain", "text/xml", "text/x-dot"]
        .iter()
        .any(|word| script_type.contains(word))
}

/// What follows this start of a URL is run or rendered as a document of our origin.
fn is_code_url(prefix: &str) -> bool {
    ["javascript:", "vbscript:", "data:text/html"].iter().any(|scheme| prefix.starts_with(scheme))
}

/// Where an output lands that is (`start`) or is within the value of this attribute of this tag:
/// for engines that parse attributes themselves. The value is taken to be quoted.
///
/// Attributes that front-end libraries evaluate (`x-data`, `@click`, `v-on:`, `hx-on`) count as event
/// handlers, and so does `srcdoc`: in each of them escaping is undone before the value is run.
pub fn attribute_context(tag: &str, attribute: &str, start: bool) -> HtmlContext {
    let attribute = attribute.to_ascii_lowercase();
    let url = match attribute.as_str() {
        "style" => return HtmlContext::Style,
        "srcdoc" => return HtmlContext::EventHandler,
        "href" | "src" | "action" | "formaction" | "poster" | "cite" | "background" | "xlink:href"
        | "srcset" | "imagesrcset" | "manifest" | "ping" | "longdesc" | "codebase" | "lowsrc" | "dynsrc"
        | "classid" | "profile" | "ng-href" | "ng-src" => true,
        "data" => tag.eq_ignore_ascii_case("object"),
        _ => false,
    };
    if url {
        return if start { HtmlContext::UrlStart } else { HtmlContext::UrlRest };
    }
    if is_code(&attribute) { HtmlContext::EventHandler } else { HtmlContext::Quoted }
}

/// The attribute's value is run as a script.
fn is_code(attribute: &str) -> bool {
    let handler = attribute
        .strip_prefix("on")
        .is_some_and(|event| event.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'*'));
    handler
        || ["@", "x-on:", "x-data", "x-init", "x-bind:", "v-on:", "v-bind:", "hx-on"]
            .iter()
            .any(|prefix| attribute.starts_with(prefix))
        || matches!(
            attribute,
            "ng-init" | "ng-click" | "ng-bind-html" | "x-html" | "v-html" | "x-show" | "x-if"
        )
}
