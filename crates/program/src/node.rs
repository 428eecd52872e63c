//! A text as a tree with the place of every part. YAML and TOML both become it, so that all that
//! reads a program reads one thing and can say where each word stands.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, MergeKeyPolicy, Spanned};

use crate::problem::{Place, Problems};

/// One value and where it begins.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where.
    pub place: Place,
    /// What.
    pub value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing was written.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number.
    Number(f64),
    /// Anything else that is one word or text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Names with values, in the order of the file; a name may stand there twice.
    Map(Vec<(String, Place, Node)>),
}

impl Value {
    /// What it is, in words.
    pub fn words(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Flag(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Longest file that is read, in bytes. The longest of the built-in ones has a tenth of it.
const LONGEST: usize = 256 * 1024;

/// Reads a YAML text; none where it is none, which is a problem.
pub fn yaml(text: &str, problems: &mut Problems) -> Option<Node> {
    if !fits(text, problems) {
        return None;
    }
    // Every limit is far above what a program needs and far below what a machine feels. Anchors are
    // refused as a whole: what is written once is read once, and no text grows when it is read.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(LONGEST),
            max_events: 60_000,
            max_nodes: 40_000,
            max_depth: 16,
            flow_nesting_limit: 16,
            max_documents: 1,
            max_anchors: 0,
            max_aliases: 0,
            max_merge_keys: 0,
            max_total_scalar_bytes: LONGEST,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        with_snippet: false,
        reject_unsupported_tags: true,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Plain>>(text, options) {
        Ok(plain) => Some(node(plain)),
        Err(error) => {
            let place = error.location().map_or(Place::FILE, place);
            let (message, help) = yaml_words(&error);
            problems.add(place, message, help);
            None
        }
    }
}

fn yaml_words(error: &serde_saphyr::Error) -> (String, Option<String>) {
    use serde_saphyr::Error;
    use serde_saphyr::budget::BudgetBreach;
    match error.without_snippet() {
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. } | BudgetBreach::MergeKeys { .. } => {
                ("anchors and aliases are not read here".to_owned(), Some("write the value out".to_owned()))
            }
            BudgetBreach::Depth { .. } => ("this is nested too deeply".to_owned(), None),
            BudgetBreach::Documents { .. } => ("a file holds one document".to_owned(), None),
            _ => ("the file holds more than a program needs".to_owned(), None),
        },
        Error::Eof { .. } => ("the file is empty".to_owned(), None),
        Error::MultipleDocuments { .. } => {
            ("a file holds one document".to_owned(), Some("take `---` away".to_owned()))
        }
        Error::UnknownAnchor { .. } => {
            ("anchors and aliases are not read here".to_owned(), Some("write the value out".to_owned()))
        }
        other => {
            let message = other.to_string();
            // The library adds the place to its words; the problem has it already.
            let end = message.find(" at line ").or_else(|| message.find('\n')).unwrap_or(message.len());
            let message = message[..end].trim_end_matches([',', ':', ' ']);
            if message.contains("recursion limit") {
                return ("this is nested too deeply".to_owned(), None);
            }
            let help = message.contains("tab").then(|| "indent with spaces".to_owned());
            (format!("this is no YAML: {message}"), help)
        }
    }
}

/// Reads a TOML text. What could be understood beside problems is returned.
pub fn toml(text: &str, problems: &mut Problems) -> Option<Node> {
    if !fits(text, problems) {
        return None;
    }
    let (table, errors) = toml::de::DeTable::parse_recoverable(text);
    for error in &errors {
        let place = error.span().map_or(Place::FILE, |s| Place::of_byte(text, s.start));
        problems.add(
            place,
            format!("this is no TOML: {}", error.message().lines().next().unwrap_or_default()),
            None,
        );
    }
    Some(toml_table(text, table.span().start, table.into_inner()))
}

fn toml_table(text: &str, start: usize, table: toml::de::DeTable<'_>) -> Node {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let entries = entries.into_iter().map(|(key, value)| {
        let place = Place::of_byte(text, key.span().start);
        (key.into_inner().into_owned(), place, toml_value(text, value))
    });
    Node { place: Place::of_byte(text, start), value: Value::Map(entries.collect()) }
}

fn toml_value(text: &str, value: toml::Spanned<toml::de::DeValue<'_>>) -> Node {
    use toml::de::DeValue;
    let start = value.span().start;
    let number =
        |words: &str| words.replace('_', "").parse().map_or(Value::Text(words.to_owned()), Value::Number);
    let value = match value.into_inner() {
        DeValue::Table(table) => return toml_table(text, start, table),
        DeValue::Array(items) => Value::List(items.into_iter().map(|v| toml_value(text, v)).collect()),
        DeValue::String(words) => Value::Text(words.into_owned()),
        DeValue::Integer(n) => number(n.as_str()),
        DeValue::Float(n) => number(n.as_str()),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(date) => Value::Text(date.to_string()),
    };
    Node { place: Place::of_byte(text, start), value }
}

fn fits(text: &str, problems: &mut Problems) -> bool {
    if text.len() > LONGEST {
        let message = format!("the file has {} bytes; at most {LONGEST} are read", text.len());
        problems.add(Place::FILE, message, None);
        return false;
    }
    // A file that holds these was not written by a person; no message should carry them on.
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if let Some(byte) = text.find(control) {
        problems.add(Place::of_byte(text, byte), "a control character stands here".to_owned(), None);
        return false;
    }
    true
}

/// What YAML says before places are put to it.
#[derive(Debug)]
enum Plain {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Spanned<Plain>>),
    Map(Vec<(Spanned<String>, Spanned<Plain>)>),
}

fn node(plain: Spanned<Plain>) -> Node {
    let value = match plain.value {
        Plain::Null => Value::Null,
        Plain::Flag(flag) => Value::Flag(flag),
        Plain::Number(number) => Value::Number(number),
        Plain::Text(text) => Value::Text(text),
        Plain::List(items) => Value::List(items.into_iter().map(node).collect()),
        Plain::Map(entries) => Value::Map(
            entries.into_iter().map(|(key, v)| (key.value, place(key.referenced), node(v))).collect(),
        ),
    };
    Node { place: place(plain.referenced), value }
}

fn place(location: Location) -> Place {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: number(location.line()), column: number(location.column()) }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        Ok(Plain::Null)
    }

    fn visit_none<E>(self) -> Result<Plain, E> {
        Ok(Plain::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Plain, D::Error> {
        Plain::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Plain, E> {
        Ok(Plain::Flag(flag))
    }

    #[expect(clippy::cast_precision_loss, reason = "no number of a program is that long")]
    fn visit_i64<E>(self, number: i64) -> Result<Plain, E> {
        Ok(Plain::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no number of a program is that long")]
    fn visit_u64<E>(self, number: u64) -> Result<Plain, E> {
        Ok(Plain::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Plain, E> {
        Ok(Plain::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
        Ok(Plain::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Plain, E> {
        Ok(Plain::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Plain, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Plain::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Plain, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Plain::Map(entries))
    }
}
