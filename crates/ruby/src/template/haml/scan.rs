//! Just enough of Ruby's lexing to find where a bracket closes, where a hash's pairs part and whether
//! code opens a block. It keeps its own stack, so that no input can make it recurse, and reads every
//! byte once.

/// A token that its readers care for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword; `leads` when it stands where an expression starts (`if x`, not `y if x`).
    Keyword { from: usize, to: usize, leads: bool },
    /// `,`
    Comma(usize),
    /// `=>`
    Arrow(usize),
    /// A closing bracket that nothing here opened.
    Close(u8, usize),
    /// Anything else.
    Other,
}

/// What is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// A bracket, by the byte that closes it.
    Bracket(u8),
    /// `#{` in a text.
    Interpolation,
    /// A string, symbol, regexp or `%w[]`.
    Text { close: u8, open: u8, depth: u32, interpolates: bool },
}

/// What stands before the place where we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// An operator or nothing: an expression follows.
    Operator,
    /// A whole value: an operator follows.
    Value,
    /// A name: either an operator or, without parentheses, an argument follows.
    Name,
    /// `.`: a method's name follows.
    Dot,
}

/// Reads Ruby from `at` to `end`.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    stack: Vec<Frame>,
    /// How many `)`, `]`, `}` the stack waits for.
    waits: [usize; 3],
    before: Before,
    spaced: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner of the bytes from `at` to `end`.
    pub(super) fn new(bytes: &'a [u8], at: usize, end: usize) -> Self {
        let end = end.min(bytes.len());
        Scanner { bytes, at, end, stack: Vec::new(), waits: [0; 3], before: Before::Operator, spaced: false }
    }

    /// How many brackets and texts are open.
    pub(super) fn depth(&self) -> usize {
        self.stack.len()
    }

    fn peek(&self, ahead: usize) -> u8 {
        let at = self.at + ahead;
        if at < self.end { self.bytes[at] } else { 0 }
    }

    fn push(&mut self, frame: Frame) {
        if let Some(i) = waits_for(frame) {
            self.waits[i] += 1;
        }
        self.stack.push(frame);
        self.before = Before::Operator;
    }

    fn push_text(&mut self, delimiter: u8, interpolates: bool) {
        let (close, open) = match delimiter {
            b'(' => (b')', b'('),
            b'[' => (b']', b'['),
            b'{' => (b'}', b'{'),
            b'<' => (b'>', b'<'),
            other => (other, 0),
        };
        self.push(Frame::Text { close, open, depth: 0, interpolates });
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.stack.pop()?;
        if let Some(i) = waits_for(frame) {
            self.waits[i] -= 1;
        }
        Some(frame)
    }

    /// A closing bracket: drops what it closes, and what was left open within.
    fn close(&mut self, byte: u8) -> bool {
        let Some(i) = closer(byte) else { return false };
        if self.waits[i] == 0 {
            return false;
        }
        while let Some(frame) = self.pop() {
            if waits_for(frame) == Some(i) {
                break;
            }
        }
        self.before = Before::Value;
        true
    }

    /// Reads within a text up to its end or an interpolation.
    fn text(&mut self, close: u8, open: u8, mut depth: u32, interpolates: bool) {
        while self.at < self.end {
            let byte = self.bytes[self.at];
            self.at += 1;
            if byte == b'\\' {
                self.at += 1;
            } else if byte == close {
                if depth == 0 {
                    self.pop();
                    self.before = Before::Value;
                    return;
                }
                depth -= 1;
            } else if byte == open && open != 0 {
                depth += 1;
            } else if byte == b'#' && interpolates && self.peek(0) == b'{' {
                self.at += 1;
                self.stack.pop();
                self.stack.push(Frame::Text { close, open, depth, interpolates });
                self.push(Frame::Interpolation);
                return;
            }
        }
    }

    fn skip_word(&mut self) {
        while is_word(self.peek(0)) {
            self.at += 1;
        }
    }

    fn word(&mut self) -> Token {
        let from = self.at;
        let (before, leads) = (self.before, self.before == Before::Operator);
        self.skip_word();
        let to = self.at;
        self.before = Before::Name;
        if matches!(self.peek(0), b'?' | b'!') && self.peek(1) != b'=' {
            self.at += 1;
            return Token::Other;
        }
        if self.peek(0) == b':' && self.peek(1) != b':' {
            self.at += 1;
            self.before = Before::Operator;
            return Token::Other;
        }
        if before == Before::Dot {
            return Token::Other;
        }
        match &self.bytes[from..to] {
            b"if" | b"unless" | b"while" | b"until" | b"for" | b"do" | b"case" | b"begin" | b"when"
            | b"else" | b"elsif" | b"then" | b"in" | b"and" | b"or" | b"not" | b"rescue" | b"ensure" => {
                self.before = Before::Operator;
                Token::Keyword { from, to, leads }
            }
            b"end" | b"def" | b"class" | b"module" => Token::Keyword { from, to, leads },
            _ => Token::Other,
        }
    }

    /// Whether a text may start here, at a byte that can also be an operator.
    fn starts_argument(&self, next: u8) -> bool {
        match self.before {
            Before::Operator => true,
            Before::Name => self.spaced && !next.is_ascii_whitespace() && next != b'=',
            _ => false,
        }
    }

    fn percent(&mut self) {
        let (kind, delimiter, len) = match self.peek(1) {
            k @ (b'w' | b'W' | b'i' | b'I' | b'q' | b'Q' | b'r' | b's' | b'x') => (k, self.peek(2), 3),
            d => (b'Q', d, 2),
        };
        let delimits = delimiter.is_ascii_punctuation() && (len == 3 || b"([{<|!/^".contains(&delimiter));
        if delimits && self.starts_argument(self.peek(1)) {
            self.at += len;
            self.push_text(delimiter, !matches!(kind, b'w' | b'i' | b'q' | b's'));
        } else {
            self.at += 1;
            self.before = Before::Operator;
        }
    }

    fn colon(&mut self) {
        match self.peek(1) {
            b':' => {
                self.at += 2;
                self.before = Before::Operator;
            }
            b'"' | b'\'' => self.at += 1,
            next if is_word(next) && !next.is_ascii_digit() => {
                self.at += 1;
                self.skip_word();
                if matches!(self.peek(0), b'?' | b'!') {
                    self.at += 1;
                }
                self.before = Before::Value;
            }
            b'/' | b'%' | b'`' | b'+' | b'-' | b'*' | b'<' | b'!' if self.before == Before::Operator => {
                self.at += 2;
                self.before = Before::Value;
            }
            _ => {
                self.at += 1;
                self.before = Before::Operator;
            }
        }
    }

    /// The next token outside texts.
    pub(super) fn token(&mut self) -> Option<Token> {
        while self.at < self.end {
            if let Some(&Frame::Text { close, open, depth, interpolates }) = self.stack.last() {
                self.text(close, open, depth, interpolates);
                continue;
            }
            let at = self.at;
            let byte = self.bytes[at];
            if byte.is_ascii_whitespace() {
                self.at += 1;
                self.spaced = true;
                if byte == b'\n' && self.before != Before::Dot {
                    self.before = Before::Operator;
                }
                continue;
            }
            let token = match byte {
                b'#' => {
                    self.at = memchr::memchr(b'\n', &self.bytes[at..self.end]).map_or(self.end, |n| at + n);
                    continue;
                }
                b'"' | b'`' | b'\'' => {
                    self.at += 1;
                    self.push_text(byte, byte != b'\'');
                    Token::Other
                }
                b'(' | b'[' | b'{' => {
                    self.at += 1;
                    self.push(Frame::Bracket(if byte == b'(' { b')' } else { byte + 2 }));
                    Token::Other
                }
                b')' | b']' | b'}' => {
                    self.at += 1;
                    if self.close(byte) { Token::Other } else { Token::Close(byte, at) }
                }
                b',' => self.operator(1, Token::Comma(at)),
                b'=' if self.peek(1) == b'>' => self.operator(2, Token::Arrow(at)),
                b'-' if self.peek(1) == b'>' => self.operator(2, Token::Other),
                b'/' if self.starts_argument(self.peek(1)) => {
                    self.at += 1;
                    self.push_text(b'/', true);
                    Token::Other
                }
                b'%' => {
                    self.percent();
                    Token::Other
                }
                b':' => {
                    self.colon();
                    Token::Other
                }
                b'?' if self.before == Before::Operator && self.peek(1) == b'\\' => self.value(3),
                b'?' if self.before == Before::Operator
                    && self.peek(1).is_ascii_graphic()
                    && !is_word(self.peek(2)) =>
                {
                    self.value(2)
                }
                b'$' => {
                    self.value(if is_word(self.peek(1)) { 1 } else { 2 });
                    self.skip_word();
                    Token::Other
                }
                b'@' => {
                    self.value(1);
                    self.skip_word();
                    Token::Other
                }
                b'.' => {
                    self.at += 1;
                    self.before = if self.peek(0) == b'.' { Before::Operator } else { Before::Dot };
                    Token::Other
                }
                b'0'..=b'9' => {
                    self.value(1);
                    self.skip_word();
                    Token::Other
                }
                _ if is_word(byte) => self.word(),
                _ => self.operator(1, Token::Other),
            };
            self.spaced = false;
            return Some(token);
        }
        None
    }

    fn operator(&mut self, len: usize, token: Token) -> Token {
        self.at += len;
        self.before = Before::Operator;
        token
    }

    fn value(&mut self, len: usize) -> Token {
        self.at += len;
        self.before = Before::Value;
        Token::Other
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn closer(byte: u8) -> Option<usize> {
    match byte {
        b')' => Some(0),
        b']' => Some(1),
        b'}' => Some(2),
        _ => None,
    }
}

fn waits_for(frame: Frame) -> Option<usize> {
    match frame {
        Frame::Bracket(close) => closer(close),
        Frame::Interpolation => Some(2),
        Frame::Text { .. } => None,
    }
}

/// Where the bracket closes whose inside starts at `from`.
pub(super) fn close(bytes: &[u8], from: usize, end: usize, byte: u8) -> Option<usize> {
    let mut scanner = Scanner::new(bytes, from, end);
    while let Some(token) = scanner.token() {
        if let Token::Close(found, at) = token
            && found == byte
        {
            return Some(at);
        }
    }
    None
}

/// Where a brace closes when nothing but braces is looked at, as Haml itself reads interpolations.
pub(super) fn close_by_count(bytes: &[u8], from: usize, end: usize) -> Option<usize> {
    let mut depth = 0usize;
    for at in memchr::memchr2_iter(b'{', b'}', &bytes[from..end]) {
        match (bytes[from + at], depth) {
            (b'{', _) => depth += 1,
            (_, 0) => return Some(from + at),
            _ => depth -= 1,
        }
    }
    None
}

/// Where the string that starts at `from` ends (past its quote).
pub(super) fn string_end(bytes: &[u8], from: usize, end: usize) -> Option<usize> {
    let mut scanner = Scanner::new(bytes, from, end);
    scanner.token()?;
    while let Some(&Frame::Text { close, open, depth, interpolates }) = scanner.stack.first() {
        if scanner.at >= end {
            return None;
        }
        if scanner.stack.len() == 1 {
            scanner.text(close, open, depth, interpolates);
        } else {
            scanner.token()?;
        }
    }
    Some(scanner.at)
}

/// One of the parts between the commas of a hash or an argument list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element {
    /// Where it starts.
    pub(super) from: usize,
    /// Where it ends.
    pub(super) to: usize,
    /// Where its `=>` stands.
    pub(super) arrow: Option<usize>,
}

/// The parts between the commas from `from` to `to`.
pub(super) fn elements(bytes: &[u8], from: usize, to: usize) -> Vec<Element> {
    let mut scanner = Scanner::new(bytes, from, to);
    let mut elements = Vec::new();
    let mut element = Element { from, to, arrow: None };
    while let Some(token) = scanner.token() {
        match token {
            _ if scanner.depth() > 0 => {}
            Token::Comma(at) => {
                elements.push(Element { to: at, ..element });
                element = Element { from: at + 1, to, arrow: None };
            }
            Token::Arrow(at) if element.arrow.is_none() => element.arrow = Some(at),
            _ => {}
        }
    }
    elements.push(element);
    elements
}

/// What the code leaves open and must be closed after the lines nested under it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unclosed {
    /// `{`
    pub(super) brace: bool,
    /// How many `end`s are due.
    pub(super) ends: u32,
}

impl Unclosed {
    /// Whether there is any.
    pub(super) fn any(self) -> bool {
        self.brace || self.ends > 0
    }
}

/// What the code from `from` to `to` leaves open.
pub(super) fn unclosed(bytes: &[u8], from: usize, to: usize) -> Unclosed {
    let mut scanner = Scanner::new(bytes, from, to);
    let (mut ends, mut loops) = (0u32, 0u32);
    while let Some(token) = scanner.token() {
        let Token::Keyword { from, to, leads } = token else { continue };
        if scanner.depth() > 0 {
            continue;
        }
        match &bytes[from..to] {
            b"do" if loops > 0 => loops -= 1,
            b"do" | b"case" | b"begin" | b"def" | b"class" | b"module" => ends += 1,
            b"if" | b"unless" if leads => ends += 1,
            b"while" | b"until" | b"for" if leads => {
                ends += 1;
                loops += 1;
            }
            b"end" => ends = ends.saturating_sub(1),
            _ => {}
        }
    }
    let brace = matches!(scanner.stack[..], [.., Frame::Bracket(b'}')]);
    Unclosed { brace, ends }
}
