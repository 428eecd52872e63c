//! What Maven's and NuGet's files share: XML whose size is bounded and in which no entity is declared.

use std::sync::Arc;

use roxmltree::{Document, Node, ParsingOptions};

use super::Inventory;
use super::reading::{Reading, span};

/// Longest XML that is read, in bytes: these files are written by people.
const LONGEST: usize = 16 << 20;

/// Reads a file that is XML.
pub fn read(file: &Arc<str>, bytes: &[u8], take: impl FnOnce(&mut Reading<'_>, Node<'_, '_>)) -> Inventory {
    Reading::of(file, bytes, |reading| {
        if reading.text.len() > LONGEST {
            let length = reading.text.len();
            reading.problem(0, format!("The file has {length} bytes; of XML at most {LONGEST} are read."));
            return;
        }
        if too_deep(reading.text) {
            reading.problem(0, "This cannot be read as XML: it is nested too deeply.");
            return;
        }
        let options =
            ParsingOptions { allow_dtd: false, nodes_limit: 1_000_000, ..ParsingOptions::default() };
        match Document::parse_with_options(reading.text, options) {
            Ok(document) => take(reading, document.root_element()),
            Err(error) => {
                let row = error.pos().row.saturating_sub(1) as usize;
                let at = reading.lines().nth(row).map_or(0, |(at, _)| at);
                let words = error.to_string();
                let words = words.split(" at ").next().unwrap_or(&words).to_owned();
                reading.problem(at, format!("This cannot be read as XML: {}.", words.trim_end_matches('.')));
            }
        }
    })
}

/// The parser calls itself for every element within another; nobody's file is that deep.
fn too_deep(text: &str) -> bool {
    let mut depth = 0_i32;
    let bytes = text.as_bytes();
    for at in memchr::memchr_iter(b'<', bytes) {
        match bytes.get(at + 1) {
            Some(b'/') => depth -= 1,
            Some(b'!' | b'?') => {}
            _ => {
                let rest = &bytes[at..];
                let end = memchr::memchr(b'>', &rest[..rest.len().min(4096)]);
                if end.is_none_or(|e| rest[e - 1] != b'/') {
                    depth += 1;
                }
            }
        }
        if depth > 500 {
            return true;
        }
    }
    false
}

/// The first child element of a name, whatever its namespace.
pub fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|c| c.tag_name().name() == name)
}

/// The words of a child; empty where there is none.
pub fn text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    child(node, name).and_then(|c| c.text()).map_or("", str::trim)
}

/// An attribute, in whatever case.
pub fn attribute<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.attributes().find(|a| a.name().eq_ignore_ascii_case(name)).map_or("", |a| a.value().trim())
}

/// The bytes of an element.
pub fn bytes(node: Node<'_, '_>) -> (u32, u32) {
    let range = node.range();
    span(range.start, range.end)
}
