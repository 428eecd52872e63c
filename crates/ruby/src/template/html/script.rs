//! Follows JavaScript just far enough to tell code from strings, comments and regexps.

/// Nested `${ … }` beyond this depth are read as plain code.
const MAX_DEPTH: usize = 64;

/// What the scanner is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    #[default]
    Code,
    /// `'…'` or `"…"`: the quote.
    Quote(u8),
    /// Between backticks.
    Template,
    LineComment,
    BlockComment,
    /// `/…/`; true inside `[…]`.
    Regex(bool),
}

/// The state of a script between two pieces of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    mode: Mode,
    /// One entry for each `${` that is open: the braces opened within it.
    interpolations: Vec<u32>,
    /// The last byte of code that is neither space nor comment; 0 at the start.
    last: u8,
    /// Whether the last word is one that an expression follows (`return`), so that `/` is a regexp.
    expects_value: bool,
}

impl Script {
    /// Whether an output would land inside quotes or backticks.
    pub(super) fn in_string(&self) -> bool {
        matches!(self.mode, Mode::Quote(_) | Mode::Template)
    }

    /// An output stood here; in code it counts as a value.
    pub(super) fn output(&mut self) {
        if self.mode == Mode::Code {
            self.last = b'a';
            self.expects_value = false;
        }
    }

    /// Reads the bytes at `at` that belong together and returns the offset behind them.
    pub(super) fn step(&mut self, bytes: &[u8], at: usize) -> usize {
        let byte = bytes[at];
        let next = bytes.get(at + 1).copied();
        match self.mode {
            Mode::Code => return self.code(bytes, at),
            Mode::Quote(quote) => match byte {
                b'\\' => return at + 2,
                // A string does not span lines: whatever opened it was none, or is broken.
                b'\n' => self.mode = Mode::Code,
                _ if byte == quote => self.mode = Mode::Code,
                _ => {}
            },
            Mode::Template => match byte {
                b'\\' => return at + 2,
                b'`' => self.mode = Mode::Code,
                b'$' if next == Some(b'{') && self.interpolations.len() < MAX_DEPTH => {
                    self.interpolations.push(0);
                    self.mode = Mode::Code;
                    self.last = b'{';
                    self.expects_value = false;
                    return at + 2;
                }
                _ => {}
            },
            Mode::LineComment if byte == b'\n' => self.mode = Mode::Code,
            Mode::BlockComment if byte == b'*' && next == Some(b'/') => {
                self.mode = Mode::Code;
                return at + 2;
            }
            Mode::LineComment | Mode::BlockComment => {}
            Mode::Regex(class) => match byte {
                b'\\' => return at + 2,
                b'\n' => self.mode = Mode::Code,
                b'[' => self.mode = Mode::Regex(true),
                b']' => self.mode = Mode::Regex(false),
                b'/' if !class => self.mode = Mode::Code,
                _ => {}
            },
        }
        at + 1
    }

    fn code(&mut self, bytes: &[u8], at: usize) -> usize {
        let byte = bytes[at];
        if byte.is_ascii_whitespace() {
            return at + 1;
        }
        if is_word(byte) {
            let length = bytes[at..].iter().take_while(|b| is_word(**b)).count();
            let word = &bytes[at..at + length];
            self.expects_value = self.last != b'.'
                && matches!(word, b"return" | b"typeof" | b"case" | b"in" | b"of" | b"void" | b"delete");
            self.last = b'a';
            return at + length;
        }
        let rest = &bytes[at..];
        let mut length = 1;
        match byte {
            b'\'' | b'"' => self.mode = Mode::Quote(byte),
            b'`' => self.mode = Mode::Template,
            b'/' if rest.starts_with(b"//") => {
                self.mode = Mode::LineComment;
                return at + 2;
            }
            b'/' if rest.starts_with(b"/*") => {
                self.mode = Mode::BlockComment;
                return at + 2;
            }
            b'<' if rest.starts_with(b"<!--") => {
                self.mode = Mode::LineComment;
                return at + 4;
            }
            b'/' if self.expects_value || self.last == 0 || b"(,=:[!&|?{};+-*%^~<>".contains(&self.last) => {
                self.mode = Mode::Regex(false);
            }
            b'{' => {
                if let Some(braces) = self.interpolations.last_mut() {
                    *braces += 1;
                }
            }
            b'}' => match self.interpolations.last_mut() {
                Some(0) => {
                    self.interpolations.pop();
                    self.mode = Mode::Template;
                }
                Some(braces) => *braces -= 1,
                None => {}
            },
            // `a++ / b` divides.
            b'+' | b'-' if rest.get(1) == Some(&byte) => length = 2,
            _ => {}
        }
        // Behind a string or a regexp stands an operator, so both count as a value.
        self.last = match self.mode {
            Mode::Code if length == 2 => b'a',
            Mode::Code => byte,
            _ => b'a',
        };
        self.expects_value = false;
        at + length
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}
