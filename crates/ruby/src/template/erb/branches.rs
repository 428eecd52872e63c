//! Finds where the branches of a template's Ruby begin and end, from the keywords of one tag.
//!
//! Each tag is read alone (`if x` opens, `else` changes branch, `end` closes), so a rough scanner of
//! words has to do: a misread word costs no more than one context of the markup.

/// What a keyword or a brace does to the branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// `if`, `case`, `do`, `{` …
    Open,
    /// `else`, `when`, `rescue` …: the next branch starts where the first one did.
    Next,
    /// `end`, `}`
    Close,
}

/// The events of the code in one tag, in order.
pub(super) fn events(code: &str) -> Vec<Event> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // An expression may start here, so that `if` is no modifier.
    let mut start = true;
    // The next `do` belongs to a loop that has been opened already.
    let mut in_loop_head = false;
    while let Some(&byte) = bytes.get(at) {
        let length = word_length(&bytes[at..]);
        if length == 0 {
            match byte {
                b'#' => at = line_end(bytes, at),
                b'"' | b'\'' | b'`' => {
                    at = quote_end(bytes, at);
                    start = false;
                    continue;
                }
                // The name behind is a method, a variable or a symbol, whatever it is called.
                b'.' | b'@' | b'$' => {
                    at += 1 + word_length(&bytes[at + 1..]);
                    start = false;
                    continue;
                }
                b':' if bytes.get(at + 1) == Some(&b':') => at += 1,
                b':' if word_length(&bytes[at + 1..]) > 0 => {
                    at += 1 + word_length(&bytes[at + 1..]);
                    start = false;
                    continue;
                }
                b'{' => found.push(Event::Open),
                b'}' => found.push(Event::Close),
                _ => {}
            }
            match byte {
                b'\n' | b';' => {
                    start = true;
                    in_loop_head = false;
                }
                b' ' | b'\t' | b'\r' | b'#' => {}
                _ => start = b"{(=,[|!&:?".contains(&byte),
            }
            at += 1;
            continue;
        }
        let word = &bytes[at..at + length];
        at += length;
        if bytes.get(at) == Some(&b':') && bytes.get(at + 1) != Some(&b':') {
            // A label, or the middle of `a ? b : c`.
            at += 1;
            start = true;
            continue;
        }
        let mut next_start = false;
        match word {
            b"if" | b"unless" | b"case" | b"begin" | b"def" | b"class" | b"module" if start => {
                found.push(Event::Open);
                next_start = true;
            }
            b"for" | b"while" | b"until" if start => {
                found.push(Event::Open);
                in_loop_head = true;
            }
            b"do" => {
                if !std::mem::take(&mut in_loop_head) {
                    found.push(Event::Open);
                }
                next_start = true;
            }
            b"end" => found.push(Event::Close),
            b"else" | b"elsif" | b"when" => {
                found.push(Event::Next);
                next_start = true;
            }
            b"in" | b"rescue" | b"ensure" if start => found.push(Event::Next),
            b"then" | b"and" | b"or" | b"not" | b"return" => next_start = true,
            _ => {}
        }
        start = next_start;
    }
    found
}

fn word_length(bytes: &[u8]) -> usize {
    let length = bytes.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_' || **b >= 0x80).count();
    let mark =
        length > 0 && matches!(bytes.get(length), Some(b'?' | b'!')) && bytes.get(length + 1) != Some(&b'=');
    length + usize::from(mark)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    // The newline itself is left to be read: it starts a statement.
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found - 1)
}

fn quote_end(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        if byte == quote {
            return end + 1;
        }
        end += if byte == b'\\' { 2 } else { 1 };
    }
    end.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::Event::{Close, Next, Open};
    use super::events;

    #[test]
    fn keywords() {
        let table: &[(&str, &[super::Event])] = &[
            ("if a", &[Open]),
            ("foo if a # do end", &[]),
            ("foo # do\nif a", &[Open]),
            ("#\nif a", &[Open]),
            ("elsif a", &[Next]),
            ("end.join", &[Close]),
            ("if a then b else c end", &[Open, Next, Close]),
            ("x = if a", &[Open]),
            ("f a, if: b, :end => 1 do |c|", &[Open]),
            ("f('do end') { |c|", &[Open]),
            ("}", &[Close]),
            ("f(a: {b: 1})", &[Open, Close]),
            ("while a do", &[Open]),
            ("for a in b do", &[Open]),
            ("a.each do |b| unless b", &[Open, Open]),
            ("range.end; @if; done; end_of(x)", &[]),
            ("case a when 1", &[Open, Next]),
            ("a ? b : c", &[]),
            ("begin; rescue; ensure; end", &[Open, Next, Next, Close]),
        ];
        for (code, expected) in table {
            assert_eq!(events(code), *expected, "{code}");
        }
    }
}
