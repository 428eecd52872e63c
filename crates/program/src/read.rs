//! Reads shapes out of a tree and goes on after every problem, so that one never hides the next.

use std::borrow::Cow;
use std::collections::HashSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::node::{Node, Value};
use crate::problem::{At, Place, Problems, crop, instead};

/// What can be read out of a tree. What cannot is said once and then counts as missing.
pub trait Read: Default {
    /// Reads it.
    fn read(node: &Node, problems: &mut Problems) -> Self;

    /// It was not written; `what` should hold it and begins at `place`.
    fn absent(name: &str, what: Place, problems: &mut Problems) -> Self {
        problems.add(what, format!("`{name}` is missing"), None);
        Self::default()
    }
}

/// Declares what a mapping holds: the type, how it is read, and its schema.
macro_rules! shape {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$note:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name { $($(#[$note])* pub $field: $type,)* }

        impl $crate::read::Read for $name {
            fn read(node: &$crate::node::Node, problems: &mut $crate::problem::Problems) -> Self {
                const NAMES: &[&str] = &[$($crate::read::word(stringify!($field)),)*];
                let Some(mut parts) = $crate::read::Parts::of(node, NAMES, problems) else {
                    return Self::default();
                };
                Self { $($field: parts.take($crate::read::word(stringify!($field)), problems),)* }
            }
        }
    };
}
pub(crate) use shape;

/// The name in files of a field that Rust may have to write as `r#type`.
pub const fn word(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// A mapping's parts, taken one by one.
pub struct Parts<'a> {
    place: Place,
    entries: Vec<&'a (String, Place, Node)>,
}

impl<'a> Parts<'a> {
    /// The parts of a mapping, its unknown and double names said.
    pub fn of(node: &'a Node, names: &[&str], problems: &mut Problems) -> Option<Parts<'a>> {
        let entries: &[_] = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            // A name with nothing after its colon.
            Value::Null => &[],
            _ => {
                let message = format!("a mapping is needed, not {}", node.value.words());
                problems.add(node.place, message, Some(format!("it holds {}", names.join(", "))));
                return None;
            }
        };
        let mut seen = HashSet::new();
        let mut kept = Vec::new();
        for entry in entries {
            let (name, place, value) = entry;
            if !names.contains(&name.as_str()) {
                // In `{help: Fixed, or gone}` the second half is a name without a value.
                let help = if name.contains(' ') && matches!(value.value, Value::Null) {
                    Some("a text with a comma in it stands in quotes".to_owned())
                } else {
                    instead(name, names.iter().copied())
                };
                problems.add(*place, format!("`{}` is unknown here", crop(name)), help);
            } else if seen.insert(name.as_str()) {
                kept.push(entry);
            } else {
                problems.add(*place, format!("`{name}` stands here twice"), None);
            }
        }
        Some(Parts { place: node.place, entries: kept })
    }

    /// The part of this name.
    pub fn take<T: Read>(&mut self, name: &str, problems: &mut Problems) -> T {
        match self.entries.iter().find(|(n, _, _)| n == name) {
            Some((_, place, node)) if matches!(node.value, Value::Null) => T::absent(name, *place, problems),
            Some((_, _, node)) => T::read(node, problems),
            None => T::absent(name, self.place, problems),
        }
    }
}

impl<T: Read> Read for Option<T> {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        Some(T::read(node, problems))
    }

    fn absent(_: &str, _: Place, _: &mut Problems) -> Self {
        None
    }
}

impl Read for At<String> {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        match &node.value {
            // An escape (`"\0"`) can bring in what the file itself may not hold.
            Value::Text(text) if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) => {
                problems.add(node.place, "the text holds a control character", None);
                At::default()
            }
            Value::Text(text) => At { value: text.clone(), place: node.place },
            other => {
                let help =
                    matches!(other, Value::Number(_) | Value::Flag(_)).then(|| "put it in quotes".to_owned());
                problems.add(node.place, format!("a text is needed, not {}", other.words()), help);
                At::default()
            }
        }
    }
}

impl Read for At<bool> {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        match &node.value {
            Value::Flag(flag) => At { value: *flag, place: node.place },
            other => {
                problems.add(node.place, format!("true or false is needed, not {}", other.words()), None);
                At::default()
            }
        }
    }
}

impl Read for At<f64> {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        match &node.value {
            Value::Number(number) => At { value: *number, place: node.place },
            other => {
                problems.add(node.place, format!("a number is needed, not {}", other.words()), None);
                At::default()
            }
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        match &node.value {
            Value::List(items) => items.iter().map(|n| T::read(n, problems)).collect(),
            other => {
                problems.add(node.place, format!("a list is needed, not {}", other.words()), None);
                Vec::new()
            }
        }
    }
}

/// One word, or a list of them.
#[derive(Clone, Debug, Default)]
pub struct Words(pub Vec<At<String>>);

impl Read for Words {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        let words = match &node.value {
            Value::List(_) => Vec::read(node, problems),
            _ => vec![At::read(node, problems)],
        };
        Words(words.into_iter().filter(|w| w.place != Place::FILE).collect())
    }
}

/// Names with what each means, in the order of the file, and where they begin; no place where they are
/// missing. No name stands there twice.
#[derive(Clone, Debug)]
pub struct Entries<T>(pub Vec<(At<String>, T)>, pub Place);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Entries(Vec::new(), Place::FILE)
    }
}

impl<T> Entries<T> {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.value.as_str())
    }
}

impl<T: Read> Read for Entries<T> {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        let Value::Map(entries) = &node.value else {
            let message = format!("names with values are needed, not {}", node.value.words());
            problems.add(node.place, message, None);
            return Self::default();
        };
        let mut seen = HashSet::new();
        let mut read = Vec::new();
        for (name, place, value) in entries {
            if seen.insert(name.as_str()) {
                let value = if matches!(value.value, Value::Null) {
                    T::read(&Node { place: *place, value: Value::Null }, problems)
                } else {
                    T::read(value, problems)
                };
                read.push((At { value: name.clone(), place: *place }, value));
            } else {
                problems.add(*place, format!("`{}` stands here twice", crop(name)), None);
            }
        }
        Entries(read, node.place)
    }
}

/// Any value that is no list and no mapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scalar(pub At<serde_json::Value>);

impl Read for Scalar {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        let value = match &node.value {
            Value::Flag(flag) => json!(flag),
            // A whole number stays one, as it does on the way through a record.
            #[expect(clippy::cast_possible_truncation, reason = "it was looked at before")]
            Value::Number(n) if n.fract() == 0.0 && n.abs() < 1e15 => json!(*n as i64),
            Value::Number(n) => json!(n),
            Value::Text(text) => json!(text),
            Value::Null => serde_json::Value::Null,
            other => {
                problems.add(node.place, format!("one value is needed, not {}", other.words()), None);
                return Scalar::default();
            }
        };
        Scalar(At { value, place: node.place })
    }

    fn absent(_: &str, _: Place, _: &mut Problems) -> Self {
        Scalar::default()
    }
}

macro_rules! looks_like {
    ($type:ty, $name:literal, $schema:expr $(, $bound:ident)?) => {
        impl$(<$bound: JsonSchema>)? JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                $schema(generator)
            }
        }
    };
}

looks_like!(At<T>, "At", |g: &mut SchemaGenerator| T::json_schema(g), T);
looks_like!(Scalar, "Scalar", |_: &mut SchemaGenerator| json_schema!({
    "type": ["string", "number", "boolean", "null"]
}));
looks_like!(Words, "Words", |_: &mut SchemaGenerator| json_schema!({
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}));
looks_like!(
    Entries<T>,
    "Entries",
    |g: &mut SchemaGenerator| {
        let of = g.subschema_for::<T>();
        json_schema!({"type": "object", "additionalProperties": of})
    },
    T
);
