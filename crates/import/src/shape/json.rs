//! JSON: one value or one a line, whole or cut off.

use serde_json::Value;

use super::Shape;

/// Most values: each takes 32 bytes and more, however few it takes in the file.
const MOST: usize = 20_000_000;
/// Most lines that are left out; a file with more of them is no report.
const MOST_BROKEN: usize = 1000;
/// Longest text that is taken out of a value, in bytes: what a check says of itself may stand once and be told a
/// hundred thousand times.
pub(crate) const LONGEST_TEXT: usize = 64 * 1024;

/// Parses text that begins with `{` or `[`.
pub(super) fn parse(text: &str, cut: &mut impl FnMut(usize, String)) -> Result<Shape, (usize, String)> {
    if text.bytes().filter(|b| matches!(b, b',' | b'[' | b'{')).count() > MOST {
        return Err((1, format!("JSON with more than {MOST} values is not read")));
    }
    let error = match serde_json::from_str::<Value>(text) {
        Ok(value) => return Ok(Shape::Json(value)),
        Err(error) => error,
    };
    let (line, column) = (error.line(), error.column());
    if error.is_eof() {
        let whole = closed(text).and_then(|text| serde_json::from_str(&text).ok());
        return match whole {
            Some(value) => {
                cut(line, "the JSON ends in the middle; what stands before was read".to_owned());
                Ok(Shape::Json(value))
            }
            None => Err((line, "the JSON ends in the middle".to_owned())),
        };
    }
    lines(text, cut).ok_or_else(|| (line, format!("no valid JSON at column {column}: {error}")))
}

/// Values one after the other, most often one a line; none where the first cannot be read.
fn lines(text: &str, cut: &mut impl FnMut(usize, String)) -> Option<Shape> {
    let mut values = Vec::new();
    let mut from = 0;
    let (mut line, mut counted, mut broken) = (1, 0, 0);
    loop {
        let rest = &text[from..];
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let wrong = loop {
            match stream.next() {
                Some(Ok(value)) => values.push(value),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let Some(wrong) = wrong else { break };
        if values.is_empty() {
            return None;
        }
        let at = from + stream.byte_offset();
        line += text[counted..at].matches('\n').count();
        counted = at;
        broken += 1;
        if broken > MOST_BROKEN {
            cut(line, format!("more than {MOST_BROKEN} lines are no JSON; what follows was not read"));
            break;
        }
        cut(line, format!("a line of JSON was left out: {wrong}"));
        // On with the next line that begins a value.
        let next = text[at..]
            .match_indices('\n')
            .map(|(i, _)| at + i + 1)
            .find(|i| text[*i..].starts_with(['{', '[']));
        match next {
            Some(next) => from = next,
            None => break,
        }
    }
    Some(Shape::Lines(values))
}

/// The text up to its last whole item, with all that is open closed.
fn closed(text: &str) -> Option<String> {
    let mut open: Vec<u8> = Vec::new();
    let (mut in_text, mut escaped) = (false, false);
    // Where the last item of a list or an object ended, and what was open then.
    let mut safe: Option<(usize, Vec<u8>)> = None;
    for (at, byte) in text.bytes().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => open.push(if byte == b'{' { b'}' } else { b']' }),
            b'}' | b']' => {
                open.pop()?;
                safe = Some((at + 1, open.clone()));
            }
            b',' => safe = Some((at, open.clone())),
            _ => {}
        }
        if open.len() > 128 {
            return None;
        }
    }
    let (end, open) = safe?;
    let mut whole = text[..end].to_owned();
    whole.extend(open.iter().rev().map(|b| char::from(*b)));
    Some(whole)
}

/// Reading values that may not be what they should be.
pub trait Json {
    /// The value at a path: `extra.metadata.cwe`. Keys that hold dots need `get`.
    fn at(&self, path: &str) -> Option<&Value>;
    /// The text at a path; numbers and truth values as text; empty where there is none.
    fn text(&self, path: &str) -> String;
    /// The list at a path; empty where there is none.
    fn list(&self, path: &str) -> &[Value];
    /// The whole number at a path, written as a number or as text.
    fn whole(&self, path: &str) -> Option<u64>;
    /// The number at a path, written as a number or as text.
    fn number(&self, path: &str) -> Option<f32>;
    /// The texts of the list at a path; one text is a list of one.
    fn texts(&self, path: &str) -> Vec<String>;
    /// Whether there is something at the path that is not null.
    fn has(&self, path: &str) -> bool;
}

impl Json for Value {
    fn at(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(self, |value, key| match value {
            Value::Array(list) => list.get(key.parse::<usize>().ok()?),
            other => other.get(key),
        })
    }

    fn text(&self, path: &str) -> String {
        self.at(path).map(of_value).unwrap_or_default()
    }

    fn list(&self, path: &str) -> &[Value] {
        match self.at(path) {
            Some(Value::Array(list)) => list,
            _ => &[],
        }
    }

    fn whole(&self, path: &str) -> Option<u64> {
        match self.at(path)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn number(&self, path: &str) -> Option<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "scores have one decimal")]
        match self.at(path)? {
            Value::Number(number) => number.as_f64().map(|n| n as f32),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn texts(&self, path: &str) -> Vec<String> {
        match self.at(path) {
            Some(Value::Array(list)) => list.iter().map(of_value).filter(|t| !t.is_empty()).collect(),
            Some(other) => Some(of_value(other)).filter(|t| !t.is_empty()).into_iter().collect(),
            None => Vec::new(),
        }
    }

    fn has(&self, path: &str) -> bool {
        self.at(path).is_some_and(|v| !v.is_null())
    }
}

fn of_value(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => {
            let mut end = LONGEST_TEXT;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            format!("{}…", &text[..end])
        }
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => String::new(),
    }
}
