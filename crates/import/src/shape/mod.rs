//! The form of a report, before anybody asks which tool wrote it.

mod archive;
mod json;
mod table;
mod text;
mod xml;

use serde_json::Value;
use wardroom_model::Problem;

pub use json::Json;
pub(crate) use json::LONGEST_TEXT;
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
    /// The files of a ZIP archive by their names. An archive in it is not opened.
    Archive(Vec<(String, Shape)>),
}

impl Shape {
    /// Parses bytes by what they look like. A document that ends too early is read as far as it goes, and `problems`
    /// says so.
    ///
    /// # Errors
    ///
    /// The bytes are no text, or no syntax that they begin with can be read.
    pub fn of(file: &str, bytes: &[u8], problems: &mut Vec<Problem>) -> Result<Shape, ImportError> {
        if bytes.starts_with(ZIP) || bytes.starts_with(EMPTY_ZIP) {
            return Self::of_archive(file, bytes, problems);
        }
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
            Some(b'<') if html(start) => Ok(Shape::Text(text.to_string())),
            Some(b'<') => xml::parse(start, &mut cut).map(Shape::Xml).map_err(unreadable),
            Some(b'[') if stamped(start) => Ok(Shape::Text(text.to_string())),
            Some(b'{' | b'[') => json::parse(start, &mut cut).map_err(unreadable),
            _ => {
                Ok(Table::parse(start, &mut cut).map_or_else(|| Shape::Text(text.to_string()), Shape::Table))
            }
        }
    }

    /// Parses what is in a ZIP archive; a file of it that cannot be read is left out and told.
    fn of_archive(file: &str, bytes: &[u8], problems: &mut Vec<Problem>) -> Result<Shape, ImportError> {
        let (members, trouble) = archive::members(bytes).map_err(|message| ImportError::Unreadable {
            file: file.to_owned(),
            line: 1,
            message,
        })?;
        let mut told = |message: String| {
            problems.push(Problem { file: file.into(), line: None, message, unread: false });
        };
        if let Some(trouble) = trouble {
            told(trouble);
        }
        let mut shapes = Vec::new();
        for (name, content) in members {
            if content.starts_with(ZIP) {
                told(format!("{name}: an archive in an archive is not opened"));
                continue;
            }
            let mut inside = Vec::new();
            let shape = Shape::of(&format!("{file}:{name}"), &content, &mut inside);
            inside.into_iter().for_each(|p| told(format!("{name}: {}", p.message)));
            match shape {
                Ok(shape) => shapes.push((name, shape)),
                Err(error) => told(error.to_string()),
            }
        }
        Ok(Shape::Archive(shapes))
    }

    /// Whether it is `[]`.
    pub fn is_empty_list(&self) -> bool {
        matches!(self, Shape::Json(Value::Array(list)) if list.is_empty())
    }

    /// The text, where it is neither of the others.
    pub fn plain(&self) -> Option<&str> {
        if let Shape::Text(text) = self { Some(text) } else { None }
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
            Shape::Archive(members) => {
                let names: Vec<String> = members.iter().take(6).map(|(n, _)| format!("`{n}`")).collect();
                format!(
                    "a ZIP file with {}",
                    if names.is_empty() { "no report".to_owned() } else { names.join(", ") }
                )
            }
        }
    }
}

/// How a ZIP archive begins, and an empty one.
const ZIP: &[u8] = b"PK\x03\x04";
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";

/// A log whose lines begin with the time in brackets is no list: `[12:00:00] [INFO] …`.
fn stamped(start: &str) -> bool {
    let mut inside = start.get(1..9).unwrap_or_default().bytes().enumerate();
    let time = |(at, byte): (usize, u8)| if at % 3 == 2 { byte == b':' } else { byte.is_ascii_digit() };
    start.as_bytes().get(9) == Some(&b']') && inside.all(time)
}

/// HTML is no XML: its elements need not end.
fn html(start: &str) -> bool {
    let begins = |with: &str| start.get(..with.len()).is_some_and(|s| s.eq_ignore_ascii_case(with));
    begins("<!doctype html") || begins("<html")
}
