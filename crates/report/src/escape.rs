//! Making strings of scanned code harmless in each format.
//!
//! The model's columns count code points, so the replacements in [`line`] and [`code`] keep one
//! code point for one.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What is shown for a character that would move the cursor, ring, hide or reorder text; `None`
/// for one that may stay.
fn picture(c: char) -> Option<char> {
    Some(match c {
        '\u{7f}' => '\u{2421}',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        // C1 controls (a terminal may take U+009B for ESC [), marks that reorder what a reader
        // sees, line separators, tags and the byte order mark.
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fffe}'
        | '\u{ffff}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        _ => return None,
    })
}

/// One line of plain text: newlines and tabs become spaces, other control characters visible.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| picture(c).is_none()) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { picture(c).unwrap_or(c) })
        .collect()
}

/// Source lines: newlines and tabs stay, a carriage return before a newline goes, other control
/// characters become visible.
pub(crate) fn code(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| matches!(c, '\n' | '\t') || picture(c).is_none()) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    let text = text.strip_suffix('\r').unwrap_or(&text);
    text.chars().map(|c| if matches!(c, '\n' | '\t') { c } else { picture(c).unwrap_or(c) }).collect()
}

/// A stretch of a message: prose, or code that stood between backticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Prose(&'a str),
    Code(&'a str),
}

/// Splits a message at its paired backticks; a lone backtick is prose.
pub(crate) fn pieces(message: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = message;
    while let Some(open) = rest.find('`') {
        let Some(length) = rest[open + 1..].find('`') else { break };
        if open > 0 {
            pieces.push(Piece::Prose(&rest[..open]));
        }
        if length > 0 {
            pieces.push(Piece::Code(&rest[open + 1..open + 1 + length]));
        } else {
            pieces.push(Piece::Prose("``"));
        }
        rest = &rest[open + length + 2..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Prose(rest));
    }
    pieces
}

/// At most `limit` characters, the last of them an ellipsis where something was cut.
pub(crate) fn shorten(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit || text.chars().nth(limit).is_none() {
        return Cow::Borrowed(text);
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    Cow::Owned(short)
}

/// Text or a quoted attribute of HTML.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c => out.push(picture(c).unwrap_or(c)),
        }
    }
    out
}

/// A message for HTML: prose escaped, code in `<code>`.
pub(crate) fn html_message(message: &str) -> String {
    let mut out = String::with_capacity(message.len() + 32);
    for piece in pieces(&line(message)) {
        match piece {
            Piece::Prose(text) => out.push_str(&html(text)),
            Piece::Code(text) => {
                let _ = write!(out, "<code>{}</code>", html(text));
            }
        }
    }
    out
}

/// Prose for Markdown, on one line; safe in a table's cell.
fn markdown_prose(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' | '*' | '_' | '[' | ']' | '#' | '~' | '|' | '`' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A word joiner keeps a forge from notifying whoever bears that name.
            '@' => out.push_str("@\u{2060}"),
            c => out.push(c),
        }
    }
}

/// A message for Markdown: prose escaped, code as code spans.
pub(crate) fn markdown(message: &str) -> String {
    let mut out = String::with_capacity(message.len() + 16);
    for piece in pieces(&line(message)) {
        match piece {
            Piece::Prose(text) => markdown_prose(text, &mut out),
            Piece::Code(text) => out.push_str(&markdown_code(text)),
        }
    }
    out
}

/// A code span for Markdown, with a fence longer than any run of backticks in it. A pipe is
/// escaped, since it would end a table's cell even here.
pub(crate) fn markdown_code(text: &str) -> String {
    let text = line(text).replace('|', "\\|");
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(text, '`') + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A fenced block for Markdown, with a fence longer than any run of backticks in it.
pub(crate) fn markdown_fence(text: &str, language: &str) -> String {
    let text = code(text);
    let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

fn longest_run(text: &str, wanted: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// One cell of a CSV table: quoted where RFC 4180 asks for it, and never a formula.
pub(crate) fn csv_cell(text: &str) -> String {
    let text = line(text);
    // A spreadsheet takes a cell that begins so for a formula. It skips blanks first.
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let text = if formula { format!("'{text}") } else { text.into_owned() };
    if text.contains([',', '"', ' ', ';', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// The message of a GitHub workflow command. The runner reads lines, so newlines are encoded.
pub(crate) fn workflow_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a GitHub workflow command.
pub(crate) fn workflow_property(text: &str) -> String {
    workflow_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A relative path as a URI reference.
pub(crate) fn uri_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible_one_for_one() {
        let hostile = "a\u{1b}[31mb\u{9b}c\u{202e}d\u{7f}\n\te";
        assert_eq!(line(hostile), "a␛[31mb�c�d␡  e");
        assert_eq!(code(hostile), "a␛[31mb�c�d␡\n\te");
        assert_eq!(line(hostile).chars().count(), hostile.chars().count());
        assert_eq!(code("one\r\ntwo\r"), "one\ntwo");
    }

    #[test]
    fn backticks_mark_code_only_in_pairs() {
        use Piece::{Code, Prose};
        assert_eq!(pieces("`a` into `b` x"), [Code("a"), Prose(" into "), Code("b"), Prose(" x")]);
        assert_eq!(pieces("a ` b"), [Prose("a ` b")]);
        assert_eq!(pieces("``x"), [Prose("``"), Prose("x")]);
    }

    #[test]
    fn markdown_cannot_be_broken_out_of() {
        assert_eq!(markdown("[x](y) <b> @team | *"), "\\[x\\](y) &lt;b&gt; @\u{2060}team \\| \\*");
        assert_eq!(markdown_code("a``b|c"), "```a``b\\|c```");
        assert_eq!(markdown_code("`a`"), "`` `a` ``");
        assert!(markdown_fence("````\nx", "ruby").starts_with("`````ruby\n"));
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(csv_cell("=1+1"), "\"'=1+1\"");
        assert_eq!(csv_cell(" \t@SUM(A1)"), "\"'  @SUM(A1)\"");
        assert_eq!(csv_cell("a\"b"), "\"a\"\"b\"");
        assert_eq!(csv_cell("plain"), "plain");
    }

    #[test]
    fn workflow_commands_stay_on_one_line() {
        assert_eq!(workflow_data("50% a\r\n::error::b"), "50%25 a%0D%0A::error::b");
        assert_eq!(workflow_property("a:b,c"), "a%3Ab%2Cc");
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri_path("app/a b#é.rb"), "app/a%20b%23%C3%A9.rb");
    }
}
