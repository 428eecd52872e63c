//! From a byte offset to a line and column, and back to the line's text.

use std::sync::Arc;

use wardroom_model::{Location, Position};

/// Most lines that a location's snippet holds.
const SNIPPET_LINES: u32 = 6;
/// Longest line, in characters, that a snippet holds whole.
const SNIPPET_WIDTH: usize = 400;

/// Where the lines of a text begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Indexes a text.
    pub fn new(text: &[u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text).map(|i| i as u32 + 1));
        LineIndex { starts }
    }

    /// The number of lines; a final newline starts none.
    pub fn count(&self, text: &[u8]) -> u32 {
        let lines = self.starts.len() as u32;
        if text.is_empty() || text.ends_with(b"\n") { lines - 1 } else { lines }
    }

    /// The line (from 1) that holds an offset.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|s| *s <= offset) as u32
    }

    /// The bytes of a line (from 1), without its newline; empty past the end.
    pub fn text<'t>(&self, text: &'t [u8], line: u32) -> &'t [u8] {
        let Some(start) = self.starts.get(line.saturating_sub(1) as usize) else { return b"" };
        let end = self.starts.get(line as usize).map_or(text.len(), |e| *e as usize - 1);
        let line = text.get(*start as usize..end.max(*start as usize)).unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Line and column of an offset; an offset past the end is the end.
    pub fn position(&self, text: &[u8], offset: u32) -> Position {
        let offset = offset.min(text.len() as u32);
        let line = self.line(offset);
        let start = self.starts[line as usize - 1] as usize;
        let before = &text[start..offset as usize];
        Position { line, column: String::from_utf8_lossy(before).chars().count() as u32 + 1 }
    }

    /// A location, with its snippet.
    pub fn location(&self, file: &Arc<str>, text: &[u8], start: u32, end: u32) -> Location {
        let start = self.position(text, start);
        let end = self.position(text, end.max(1)).max(start);
        let last = end.line.min(start.line + SNIPPET_LINES - 1);
        let mut snippet = String::new();
        for line in start.line..=last {
            if line > start.line {
                snippet.push('\n');
            }
            let line = String::from_utf8_lossy(self.text(text, line));
            // Counting characters is slow, and few lines need it.
            match line.len() <= SNIPPET_WIDTH {
                true => snippet.push_str(&line),
                false => snippet.extend(line.chars().take(SNIPPET_WIDTH)),
            }
        }
        Location { file: Arc::clone(file), start, end, snippet }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_code_points() {
        let text = "äb\r\ncd\n".as_bytes();
        let lines = LineIndex::new(text);
        assert_eq!(lines.position(text, 2), Position { line: 1, column: 2 });
        assert_eq!(lines.position(text, 6), Position { line: 2, column: 2 });
        assert_eq!(lines.position(text, 999), Position { line: 3, column: 1 });
        assert_eq!(lines.text(text, 1), "äb".as_bytes());
        assert_eq!(lines.count(text), 2);
        assert_eq!(LineIndex::new(b"").count(b""), 0);
    }
}
