//! Just enough of Ruby's words to read a Gemfile: texts, symbols, labels, words, brackets, line ends.

/// A word of the text. A text's `text` and place are without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    /// What it is.
    pub kind: Kind,
    /// Its letters.
    pub text: &'t str,
    /// First byte.
    pub start: u32,
    /// Just past the last byte.
    pub end: u32,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A literal text without anything computed in it.
    Text,
    /// A text with something computed in it.
    Computed,
    /// `:name`
    Symbol,
    /// `name:`
    Label,
    /// A name or keyword.
    Word,
    /// An opening bracket.
    Open,
    /// A closing bracket.
    Close,
    /// Anything else.
    Sign,
    /// The end of a line, or `;`.
    End,
}

/// Takes a text apart. Every byte is looked at a bounded number of times, whatever stands there.
pub fn read(text: &str) -> Vec<Token<'_>> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, out: Vec::new() };
    while reader.at < reader.bytes.len() {
        if !reader.step() {
            break;
        }
    }
    reader.out
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    out: Vec<Token<'t>>,
}

impl<'t> Reader<'t> {
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let text = self.text.get(start..end).unwrap_or_default();
        self.out.push(Token { kind, text, start: start as u32, end: end as u32 });
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn line_end(&self) -> usize {
        self.bytes[self.at..].iter().position(|b| *b == b'\n').map_or(self.bytes.len(), |n| self.at + n)
    }

    fn line_starts_with(&self, word: &str) -> bool {
        (self.at == 0 || self.bytes[self.at - 1] == b'\n')
            && self.bytes[self.at..].starts_with(word.as_bytes())
    }

    /// Takes one token; `false` at `__END__`.
    fn step(&mut self) -> bool {
        if self.line_starts_with("__END__") {
            return false;
        }
        if self.line_starts_with("=begin") {
            let rest = &self.text[self.at..];
            self.at = rest.find("\n=end").map_or(self.bytes.len(), |n| self.at + n + 1);
            self.at = self.line_end();
            return true;
        }
        let start = self.at;
        let first = self.bytes[start];
        match first {
            b'\n' | b';' => {
                self.push(Kind::End, start, start + 1);
                self.at += 1;
            }
            b'\\' if matches!(self.peek(1), b'\n' | b'\r') => self.at = self.line_end() + 1,
            byte if byte.is_ascii_whitespace() => self.at += 1,
            b'#' => self.at = self.line_end(),
            quote @ (b'"' | b'\'') => self.quoted(start + 1, quote, quote, quote == b'"', Kind::Text),
            b'%' if self.percent() => {}
            b':' if self.peek(1) == b':' => {
                self.push(Kind::Sign, start, start + 2);
                self.at += 2;
            }
            b':' if matches!(self.peek(1), b'"' | b'\'') => {
                let quote = self.peek(1);
                self.quoted(start + 2, quote, quote, quote == b'"', Kind::Symbol);
            }
            b':' if word_start(self.peek(1)) => {
                self.at += 1;
                let end = self.word_end();
                self.push(Kind::Symbol, start + 1, end);
                self.at = end;
            }
            byte if word_start(byte) => {
                let end = self.word_end();
                self.at = end;
                if self.peek(0) == b':' && self.peek(1) != b':' {
                    self.push(Kind::Label, start, end);
                    self.at += 1;
                } else {
                    self.push(Kind::Word, start, end);
                }
            }
            b'(' | b'[' | b'{' => {
                self.push(Kind::Open, start, start + 1);
                self.at += 1;
            }
            b')' | b']' | b'}' => {
                self.push(Kind::Close, start, start + 1);
                self.at += 1;
            }
            byte => {
                let pair = matches!((byte, self.peek(1)), (b'=', b'>' | b'=') | (b'&', b'&') | (b'|', b'|'));
                let length =
                    if pair { 2 } else { self.text[start..].chars().next().map_or(1, char::len_utf8) };
                self.push(Kind::Sign, start, start + length);
                self.at += length;
            }
        }
        true
    }

    fn word_end(&self) -> usize {
        let mut end = self.at;
        while self.bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            end += 1;
        }
        if self.bytes.get(end).is_some_and(|b| matches!(b, b'?' | b'!'))
            && self.bytes.get(end + 1) != Some(&b'=')
        {
            end += 1;
        }
        end
    }

    /// A text up to its closing sign; one that its line does not close is no text.
    fn quoted(&mut self, start: usize, open: u8, close: u8, computes: bool, kind: Kind) {
        let (mut at, mut depth, mut plain) = (start, 0usize, true);
        while let Some(byte) = self.bytes.get(at) {
            match *byte {
                b'\n' => break,
                b'\\' => {
                    plain = false;
                    at += 1;
                }
                b'#' if computes && self.bytes.get(at + 1) == Some(&b'{') => plain = false,
                byte if byte == close && depth == 0 => {
                    let label = kind == Kind::Text
                        && self.bytes.get(at + 1) == Some(&b':')
                        && self.bytes.get(at + 2) == Some(&b' ');
                    let kind = match (plain, label) {
                        (_, true) => Kind::Label,
                        (true, _) => kind,
                        (false, _) => Kind::Computed,
                    };
                    self.push(kind, start, at);
                    self.at = at + 1 + usize::from(label);
                    return;
                }
                byte if byte == close => depth -= 1,
                byte if byte == open => depth += 1,
                _ => {}
            }
            at += 1;
        }
        self.push(Kind::Sign, start - 1, start);
        self.at = start;
    }

    /// `%w[a b]`, `%i[a b]`, `%q<a>`; `false` where a percent sign is only that.
    fn percent(&mut self) -> bool {
        let letter = self.peek(1);
        let open = self.peek(2);
        let close = match open {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            b'|' | b'!' | b'/' => open,
            _ => return false,
        };
        let start = self.at + 3;
        match letter {
            b'q' | b'Q' => {
                self.quoted(start, open, close, letter == b'Q', Kind::Text);
                true
            }
            b'w' | b'W' | b'i' | b'I' => {
                let Some(length) = self.bytes[start..].iter().position(|b| *b == close) else { return false };
                self.push(Kind::Open, self.at, start);
                let inside = &self.text[start..start + length];
                let mut at = start;
                for word in inside.split(|c: char| c.is_ascii_whitespace()) {
                    if !word.is_empty() {
                        self.push(Kind::Text, at, at + word.len());
                    }
                    at += word.len() + 1;
                }
                self.push(Kind::Close, start + length, start + length + 1);
                self.at = start + length + 1;
                true
            }
            _ => false,
        }
    }
}

fn word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}
