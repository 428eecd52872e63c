//! TOML through the `toml` crate, which tells the bytes of every value and goes on after a mistake.

use std::borrow::Cow;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use super::{Broken, Name, Node, Value, span};

/// Longest TOML that is read, in bytes: the tree is heavier than JSON's.
const LONGEST: usize = 8 << 20;
/// Most signs that begin a value, a table or a part of a table's name. A table weighs a thousand bytes.
const MOST_PARTS: usize = 400_000;

/// Reads a TOML text: what could be read, and where it first broke.
pub fn toml(text: &str) -> (Node<'_>, Option<Broken>) {
    if text.len() > LONGEST {
        let message = format!("the file has {} bytes; of TOML at most {LONGEST} are read", text.len());
        return (Node::default(), Some(Broken::new(0, message)));
    }
    if parts(text) > MOST_PARTS {
        return (Node::default(), Some(Broken::new(0, "the file holds more values than are read")));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let broken = errors.first().map(|error| {
        let at = error.span().map_or(0, |s| s.start);
        Broken::new(at, error.message().lines().next().unwrap_or("this is no TOML"))
    });
    let range = table.span();
    (Node { value: map(table.into_inner()), span: span(range.start, range.end) }, broken)
}

/// About how many values and tables a text makes, before it is read.
fn parts(text: &str) -> usize {
    let bytes = text.as_bytes();
    let signs = memchr::memchr3_iter(b'=', b',', b'[', bytes).count();
    // Dots part names only outside of quotes; elsewhere they are in versions and addresses.
    let bare = bytes.split(|b| *b == b'\n').filter(|line| memchr::memchr2(b'"', b'\'', line).is_none());
    signs + bare.map(|line| memchr::memchr_iter(b'.', line).count()).sum::<usize>()
}

fn map(table: DeTable<'_>) -> Value<'_> {
    let mut entries: Vec<_> = table
        .into_iter()
        .map(|(key, value)| {
            let range = key.span();
            (Name { text: key.into_inner(), span: span(range.start, range.end) }, node(value))
        })
        .collect();
    entries.sort_by_key(|(name, _)| name.span.0);
    Value::Map(entries)
}

fn node(value: Spanned<DeValue<'_>>) -> Node<'_> {
    let range = value.span();
    let value = match value.into_inner() {
        DeValue::Table(table) => map(table),
        DeValue::Array(items) => Value::List(items.into_iter().map(node).collect()),
        DeValue::String(words) => Value::Text(words),
        DeValue::Integer(number) => Value::Text(Cow::Owned(number.as_str().to_owned())),
        DeValue::Float(number) => Value::Text(Cow::Owned(number.as_str().to_owned())),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(date) => Value::Text(Cow::Owned(date.to_string())),
    };
    Node { value, span: span(range.start, range.end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_bytes() {
        let text = "[[package]]\nname = \"a\"\nversion = 1.10\n\n[[package]]\nname = \"b\"\n";
        let (node, broken) = toml(text);
        assert_eq!(broken, None);
        let packages = node.items_of("package");
        assert_eq!(packages.len(), 2);
        assert_eq!(packages[0].text_of("version"), "1.10");
        let at = packages[1].get("name").unwrap().span;
        assert_eq!(&text[at.0 as usize..at.1 as usize], "\"b\"");
    }

    #[test]
    fn a_broken_line_leaves_the_rest() {
        let (node, broken) = toml("a = \"1\"\nb = \nc = \"3\"\n");
        assert_eq!(node.text_of("a"), "1");
        assert!(broken.is_some());
        assert!(toml(&format!("a = {}", "[".repeat(50_000))).1.is_some());
        assert!(toml(&format!("a = {}", "{a=".repeat(50_000))).1.is_some());
    }
}
