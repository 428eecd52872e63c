//! The form of a report, before anybody asks which tool wrote it.

mod json;
mod table;
mod text;
mod xml;

use serde_json::Value;
use wardroom_model::Problem;

pub use json::Json;
pub use table::Table;
pub use xml::Element;

use crate::ImportError;

/// A report, parsed as far as its syntax goes.
#[derive(Debug)]
pub enum Shape {
    /// One JSON value.
    Json(Value),
    /// JSON values, one a line.
    Lines(Vec<Value>),
    /// The root element.
    Xml(Element),
    /// Rows under a header, separated by commas, semicolons or tabs.
    Table(Table),
    /// None of these.
    Text(String),
}

impl Shape {
    /// Parses bytes by what they look like. A document that ends too early is read as far as it goes, and `problems`
    /// says so.
    ///
    /// # Errors
    ///
    /// The bytes are no text, or no syntax that they begin with can be read.
    pub fn of(file: &str, bytes: &[u8], problems: &mut Vec<Problem>) -> Result<Shape, ImportError> {
        let text = text::decode(bytes).map_err(|message| ImportError::Unreadable {
            file: file.to_owned(),
            line: 1,
            message,
        })?;
        let unreadable = |(line, message): (usize, String)| ImportError::Unreadable {
            file: file.to_owned(),
            line,
            message,
        };
        let mut cut = |line: usize, message: String| {
            problems.push(Problem {
                file: file.into(),
                line: u32::try_from(line).ok(),
                message,
                unread: false,
            });
        };
        let start = text.trim_start();
        match start.as_bytes().first() {
            None => Err(unreadable((1, "the file is empty".to_owned()))),
            Some(b'<') => xml::parse(start, &mut cut).map(Shape::Xml).map_err(unreadable),
            Some(b'{' | b'[') => json::parse(start, &mut cut).map_err(unreadable),
            _ => {
                Ok(Table::parse(start, &mut cut).map_or_else(|| Shape::Text(text.to_string()), Shape::Table))
            }
        }
    }

    /// The JSON value, where it is one.
    pub fn json(&self) -> Option<&Value> {
        if let Shape::Json(value) = self { Some(value) } else { None }
    }

    /// The JSON values: the lines, the items of a list, or the one value.
    pub fn values(&self) -> &[Value] {
        match self {
            Shape::Json(Value::Array(list)) | Shape::Lines(list) => list,
            Shape::Json(value) => std::slice::from_ref(value),
            _ => &[],
        }
    }

    /// The root element, where it is XML and the root has that name.
    pub fn xml(&self, root: &str) -> Option<&Element> {
        if let Shape::Xml(element) = self { Some(element).filter(|e| e.name == root) } else { None }
    }

    /// The table, where it is one.
    pub fn table(&self) -> Option<&Table> {
        if let Shape::Table(table) = self { Some(table) } else { None }
    }

    /// What a person would say that it is, for an error.
    pub fn describe(&self) -> String {
        let keys = |value: &Value| match value {
            Value::Object(object) => {
                format!(
                    "with {}",
                    object.keys().take(6).map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")
                )
            }
            Value::Array(list) => format!("with a list of {}", list.len()),
            _ => "with a bare value".to_owned(),
        };
        match self {
            Shape::Json(value) => format!("JSON {}", keys(value)),
            Shape::Lines(lines) => format!("lines of JSON {}", lines.first().map(keys).unwrap_or_default()),
            Shape::Xml(element) => format!("XML with the root `{}`", element.name),
            Shape::Table(table) => {
                format!(
                    "a table with the columns {}",
                    table.columns().take(8).map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")
                )
            }
            Shape::Text(_) => "plain text".to_owned(),
        }
    }
}
