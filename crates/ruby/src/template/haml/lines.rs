//! A template as lines with their indentation. Lines that end in ` |` are joined here.

use std::borrow::Cow;

/// A line that is not blank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Bytes of white space before the text.
    pub(super) indent: usize,
    /// Where the text starts.
    pub(super) start: usize,
    /// Where the text ends, without trailing white space.
    pub(super) end: usize,
}

impl Line {
    /// Where the line starts, white space included.
    pub(super) fn begin(&self) -> usize {
        self.start - self.indent
    }
}

/// The lines of a template.
#[derive(Debug)]
pub(super) struct Page<'a> {
    /// The template. Where lines are joined, `|`, the newline and the indentation are spaces, so that
    /// offsets stay those of the source.
    pub(super) text: Cow<'a, str>,
    /// The lines that are not blank; a run of joined lines is one.
    pub(super) lines: Vec<Line>,
    /// The stretches that were turned into spaces.
    pub(super) joins: Vec<(usize, usize)>,
}

impl<'a> Page<'a> {
    /// Reads the lines.
    pub(super) fn read(source: &'a str) -> Page<'a> {
        let single = split(source);
        let mut lines = Vec::with_capacity(single.len());
        let mut joins = Vec::new();
        // The indentation of the filter or comment in which we are: its lines are not Haml.
        let mut flat: Option<usize> = None;
        let mut at = 0;
        while let Some(&line) = single.get(at) {
            at += 1;
            let text = &source[line.start..line.end];
            if flat.is_some_and(|indent| line.indent > indent) {
                lines.push(line);
                continue;
            }
            flat = (is_filter(text) || text.starts_with("-#")).then_some(line.indent);
            if flat.is_some() || !is_joined(text) {
                lines.push(line);
                continue;
            }
            let mut end = line.end - 1;
            while let Some(&next) = single.get(at)
                && is_joined(&source[next.start..next.end])
            {
                joins.push((end, next.start));
                end = next.end - 1;
                at += 1;
            }
            joins.push((end, end + 1));
            end = line.start + source[line.start..end].trim_ascii_end().len();
            lines.push(Line { end, ..line });
        }
        Page { text: blank(source, &joins), lines, joins }
    }
}

/// The lines that are not blank.
fn split(source: &str) -> Vec<Line> {
    let bytes = source.as_bytes();
    let mut lines = Vec::with_capacity(bytes.len() / 32 + 1);
    let mut begin = if source.starts_with('\u{feff}') { 3 } else { 0 };
    while begin < bytes.len() {
        let stop = memchr::memchr(b'\n', &bytes[begin..]).map_or(bytes.len(), |n| begin + n);
        let indent = bytes[begin..stop].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let start = begin + indent;
        let end = start + bytes[start..stop].trim_ascii_end().len();
        if end > start {
            lines.push(Line { indent, start, end });
        }
        begin = stop + 1;
    }
    lines
}

/// Whether the text is the head of a filter.
pub(super) fn is_filter(text: &str) -> bool {
    text.strip_prefix(':')
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// Whether the text goes on in the next line: it ends in ` |` that is not the end of `do | a |`.
fn is_joined(text: &str) -> bool {
    let Some(before) = text.strip_suffix(" |") else { return false };
    !before.is_empty() && before.rfind('|').is_none_or(|bar| !before[..bar].trim_ascii_end().ends_with("do"))
}

/// The source with the given stretches (all of them ASCII) turned into spaces.
fn blank<'a>(source: &'a str, joins: &[(usize, usize)]) -> Cow<'a, str> {
    if joins.is_empty() {
        return Cow::Borrowed(source);
    }
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for &(from, to) in joins {
        text.push_str(&source[at..from]);
        text.extend(std::iter::repeat_n(' ', to - from));
        at = to;
    }
    text.push_str(&source[at..]);
    Cow::Owned(text)
}
