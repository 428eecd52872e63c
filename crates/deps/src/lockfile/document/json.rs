//! JSON with the bytes of every value; comments and a comma at the end are let pass, as bun writes them.

use std::borrow::Cow;

use super::{Broken, DEEPEST, MOST_NODES, Name, Node, Value, span};

/// Reads a JSON text: what could be read, and where it broke.
pub fn json(text: &str) -> (Node<'_>, Option<Broken>) {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut reader = Reader { text, bytes: text.as_bytes(), at: start, depth: 0, nodes: 0, broken: None };
    let node = reader.value();
    if reader.broken.is_none() {
        reader.blank();
        if reader.at < text.len() {
            reader.fail("something follows the value");
        }
    }
    (node, reader.broken)
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth: usize,
    nodes: usize,
    broken: Option<Broken>,
}

impl<'t> Reader<'t> {
    fn fail(&mut self, message: &str) {
        if self.broken.is_none() {
            let message = if self.at >= self.bytes.len() { "the file ends in the middle" } else { message };
            self.broken = Some(Broken::new(self.at, message));
        }
    }

    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn blank(&mut self) {
        loop {
            match self.peek() {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'/' if self.bytes.get(self.at + 1) == Some(&b'/') => {
                    let rest = &self.bytes[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                b'/' if self.bytes.get(self.at + 1) == Some(&b'*') => {
                    let rest = &self.bytes[self.at + 2..];
                    self.at += memchr::memmem::find(rest, b"*/").map_or(rest.len() + 2, |i| i + 4);
                }
                _ => return,
            }
        }
    }

    fn value(&mut self) -> Node<'t> {
        self.blank();
        let start = self.at;
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            self.fail("the file holds more values than are read");
            return Node::default();
        }
        let value = match self.peek() {
            b'{' | b'[' if self.depth >= DEEPEST => {
                self.fail("this is nested too deeply");
                Value::Null
            }
            b'{' => self.map(),
            b'[' => self.list(),
            b'"' => self.string().map_or(Value::Null, Value::Text),
            _ => self.word(),
        };
        Node { value, span: span(start, self.at) }
    }

    fn word(&mut self) -> Value<'t> {
        let start = self.at;
        while matches!(self.peek(), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.') {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "true" => Value::Flag(true),
            "false" => Value::Flag(false),
            "null" => Value::Null,
            number if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Value::Text(Cow::Borrowed(number))
            }
            _ => {
                // A word that the end of the file cuts off is not the mistake; that it ends is.
                if self.at < self.bytes.len() {
                    self.at = start;
                }
                self.fail("this is no value of JSON");
                Value::Null
            }
        }
    }

    fn list(&mut self) -> Value<'t> {
        self.at += 1;
        self.depth += 1;
        let mut items = Vec::new();
        loop {
            self.blank();
            if self.peek() == b']' {
                self.at += 1;
                break;
            }
            items.push(self.value());
            if self.broken.is_some() || !self.more(b']') {
                break;
            }
        }
        self.depth -= 1;
        Value::List(items)
    }

    fn map(&mut self) -> Value<'t> {
        self.at += 1;
        self.depth += 1;
        let mut entries = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                b'}' => {
                    self.at += 1;
                    break;
                }
                b'"' => {}
                _ => {
                    self.fail("a name in quotes must stand here");
                    break;
                }
            }
            let start = self.at;
            let Some(text) = self.string() else { break };
            let name = Name { text, span: span(start + 1, self.at - 1) };
            self.blank();
            if self.peek() != b':' {
                self.fail("a colon must stand here");
                break;
            }
            self.at += 1;
            let value = self.value();
            entries.push((name, value));
            if self.broken.is_some() || !self.more(b'}') {
                break;
            }
        }
        self.depth -= 1;
        Value::Map(entries)
    }

    /// Past a comma; `false` where the list is closed or broken.
    fn more(&mut self, close: u8) -> bool {
        self.blank();
        match self.peek() {
            b',' => {
                self.at += 1;
                true
            }
            byte if byte == close => true,
            _ => {
                self.fail("a comma or the end of the list must stand here");
                false
            }
        }
    }

    fn string(&mut self) -> Option<Cow<'t, str>> {
        let start = self.at + 1;
        self.at = start;
        let mut escaped: Option<String> = None;
        let mut from = start;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(step) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
                self.at = self.bytes.len();
                self.fail("the file ends in the middle");
                return None;
            };
            self.at += step;
            match self.bytes[self.at] {
                b'"' => {
                    let tail = &self.text[from..self.at];
                    self.at += 1;
                    return Some(match escaped {
                        None => Cow::Borrowed(tail),
                        Some(mut words) => {
                            words.push_str(tail);
                            Cow::Owned(words)
                        }
                    });
                }
                b'\n' => {
                    self.fail("a text must end on its line");
                    return None;
                }
                _ => {
                    let words = escaped.get_or_insert_with(String::new);
                    words.push_str(&self.text[from..self.at]);
                    let (c, length) = escape(&self.bytes[self.at..]);
                    let Some(c) = c else {
                        self.fail("this is no escape of JSON");
                        return None;
                    };
                    words.push(c);
                    self.at += length;
                    from = self.at;
                }
            }
        }
    }
}

/// The character of an escape that begins with a backslash, and how many bytes it takes.
fn escape(bytes: &[u8]) -> (Option<char>, usize) {
    let unit = |from: usize| {
        let digits = bytes.get(from..from + 4)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let c = match bytes.get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let Some(first) = unit(2) else { return (None, 2) };
            if (0xd800..0xdc00).contains(&first)
                && bytes.get(6..8) == Some(b"\\u")
                && let Some(second) = unit(8).filter(|u| (0xdc00..0xe000).contains(u))
            {
                return (char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)), 12);
            }
            return (Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)), 6);
        }
        _ => return (None, 2),
    };
    (Some(c), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_bytes() {
        let text = "{ // note\n \"a\": [1.10, \"x\\u00e4\\n\", true, null,], \"b\": {\"c\": \"d\"} }";
        let (node, broken) = json(text);
        assert_eq!(broken, None);
        assert_eq!(node.items_of("a")[0].text(), "1.10");
        assert_eq!(node.items_of("a")[1].text(), "xä\n");
        let (name, value) = &node.entries()[1];
        assert_eq!(&text[name.span.0 as usize..name.span.1 as usize], "b");
        assert_eq!(&text[value.span.0 as usize..value.span.1 as usize], "{\"c\": \"d\"}");
    }

    #[test]
    fn what_stands_before_the_break_is_kept() {
        let (node, broken) = json("{\"a\": \"1\", \"b\": {\"c\": \"2\", \"d\"");
        assert_eq!(node.text_of("a"), "1");
        assert_eq!(node.at(&["b", "c"]).unwrap().text(), "2");
        assert_eq!(broken.unwrap().message, "the file ends in the middle");
        assert!(json("{\"a\": 1 \"b\": 2}").1.is_some());
        assert!(json(&"[".repeat(100_000)).1.unwrap().message.contains("deeply"));
        assert_eq!(json("\"\\ud83d\\ude00\"").0.text(), "😀");
        assert!(json("").1.is_some());
        assert!(json("{} {}").1.is_some());
    }
}
