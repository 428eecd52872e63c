//! JSON, TOML and YAML as one tree, in which every name and value knows the bytes it stands at.
//!
//! A tree is made of what could be read: where a file ends in the middle or breaks, what stands before
//! that is kept and the place is told. Size, depth and unfolding of aliases are bounded.

mod json;
mod toml;
mod yaml;

use std::borrow::Cow;

pub use json::json;
pub use toml::toml;
pub use yaml::yaml;

/// Deepest nesting that is read. Lockfiles nest by the depth of `node_modules`, manifests hardly.
const DEEPEST: usize = 128;
/// Most values in one file: many times what the largest lockfiles hold, and 100 MB of memory.
const MOST_NODES: usize = 1_000_000;

/// A value and where it stands.
#[derive(Clone, Debug, Default)]
pub struct Node<'t> {
    /// What it is.
    pub value: Value<'t>,
    /// Its bytes.
    pub span: (u32, u32),
}

/// What a value is.
#[derive(Clone, Debug, Default)]
pub enum Value<'t> {
    /// Nothing was written.
    #[default]
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// Words, or a number as it was written: `3.10` is not 3.1.
    Text(Cow<'t, str>),
    /// Values in order.
    List(Vec<Node<'t>>),
    /// Names with values in the order of the file; a name may stand there twice.
    Map(Vec<(Name<'t>, Node<'t>)>),
}

/// A name in a mapping.
#[derive(Clone, Debug)]
pub struct Name<'t> {
    /// The name.
    pub text: Cow<'t, str>,
    /// Its bytes.
    pub span: (u32, u32),
}

/// Where and why reading ended before the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The byte.
    pub at: usize,
    /// What is wrong there, without a full stop.
    pub message: String,
}

impl Broken {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Broken { at, message: message.into() }
    }
}

impl<'t> Node<'t> {
    /// The value of a name: the last one, as most readers have it; through YAML's `<<` too.
    pub fn get(&self, name: &str) -> Option<&Node<'t>> {
        let entries = self.entries();
        if let Some((_, node)) = entries.iter().rev().find(|(n, _)| n.text == name) {
            return Some(node);
        }
        entries.iter().filter(|(n, _)| n.text == "<<").find_map(|(_, merged)| match &merged.value {
            Value::List(items) => items.iter().find_map(|m| m.get(name)),
            _ => merged.get(name),
        })
    }

    /// The value at the end of a path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Node<'t>> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The words; empty where it is no text.
    pub fn text(&self) -> &str {
        match &self.value {
            Value::Text(text) => text,
            _ => "",
        }
    }

    /// The words of a name's value; empty where there are none.
    pub fn text_of(&self, name: &str) -> &str {
        self.get(name).map_or("", Node::text)
    }

    /// The values of a list; none where it is no list.
    pub fn items(&self) -> &[Node<'t>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The values of the list under a name.
    pub fn items_of(&self, name: &str) -> &[Node<'t>] {
        self.get(name).map_or(&[], Node::items)
    }

    /// The entries of a mapping; none where it is no mapping.
    pub fn entries(&self) -> &[(Name<'t>, Node<'t>)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entries of the mapping under a name.
    pub fn entries_of(&self, name: &str) -> &[(Name<'t>, Node<'t>)] {
        self.get(name).map_or(&[], Node::entries)
    }

    /// Whether the value of a name is `true`.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name).map(|n| &n.value), Some(Value::Flag(true)))
    }

    /// Whether it is a mapping.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// How many values it holds, itself included.
    fn size(&self) -> usize {
        1 + match &self.value {
            Value::List(items) => items.iter().map(Node::size).sum(),
            Value::Map(entries) => entries.iter().map(|(_, n)| n.size()).sum(),
            _ => 0,
        }
    }
}

fn span(start: usize, end: usize) -> (u32, u32) {
    (u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX))
}
