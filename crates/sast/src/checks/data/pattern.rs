//! Reading regular expressions as Ruby writes them, and finding those whose matching can take time
//! that grows faster than the text.
//!
//! A pattern becomes an automaton with one state for each character class (Glushkov's construction),
//! where an edge keeps how many ways lead along it. Two different ways round one loop over the same
//! text mean exponential time; two loops in a row over the same character mean polynomial time.
//! Look-arounds, atomic groups and counted repeats are taken as less than they are, so that what is
//! reported is there.

use std::collections::HashSet;

/// Characters: ASCII one by one, all others as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Set {
    ascii: u128,
    other: bool,
}

impl Set {
    const ALL: Set = Set { ascii: u128::MAX, other: true };

    fn one(c: char) -> Set {
        if c.is_ascii() {
            Set { ascii: 1 << (c as u32), other: false }
        } else {
            Set { ascii: 0, other: true }
        }
    }

    fn range(a: char, b: char) -> Set {
        let mut set = Set::default();
        if a.is_ascii() {
            for code in a as u32..=(b as u32).min(127) {
                set.ascii |= 1 << code;
            }
        }
        set.other = !b.is_ascii();
        set
    }

    fn or(self, o: Set) -> Set {
        Set { ascii: self.ascii | o.ascii, other: self.other | o.other }
    }

    fn and(self, o: Set) -> Set {
        Set { ascii: self.ascii & o.ascii, other: self.other & o.other }
    }

    fn not(self) -> Set {
        Set { ascii: !self.ascii, other: true }
    }

    fn is_empty(self) -> bool {
        self.ascii == 0 && !self.other
    }

    fn digits() -> Set {
        Set::range('0', '9')
    }

    fn letters() -> Set {
        Set::range('a', 'z').or(Set::range('A', 'Z'))
    }

    fn word() -> Set {
        Set::digits().or(Set::letters()).or(Set::one('_')).or(Set { ascii: 0, other: true })
    }

    fn space() -> Set {
        [' ', '\t', '\n', '\r', '\u{b}', '\u{c}'].into_iter().fold(Set::default(), |s, c| s.or(Set::one(c)))
    }

    fn hex() -> Set {
        Set::digits().or(Set::range('a', 'f')).or(Set::range('A', 'F'))
    }

    fn fold_case(self) -> Set {
        let mut out = self;
        for code in 0..26u32 {
            let both = (1u128 << (u32::from(b'a') + code)) | (1u128 << (u32::from(b'A') + code));
            if self.ascii & both != 0 {
                out.ascii |= both;
            }
        }
        out
    }
}

/// A piece of a pattern.
#[derive(Clone, Debug)]
enum Ast {
    Empty,
    Set(Set),
    Cat(Vec<Ast>),
    Alt(Vec<Ast>),
    Repeat(Box<Ast>, u32, Option<u32>),
    Atomic(Box<Ast>),
    /// `$`, `\z`, `\Z`: what went before can still fail here.
    End,
}

/// What a pattern looks like from outside.
#[derive(Clone, Debug)]
pub struct Pattern {
    root: Ast,
    /// It starts with `^`.
    pub line_start: bool,
    /// It starts with `\A`.
    pub text_start: bool,
    /// It ends with `$`.
    pub line_end: bool,
    /// It ends with `\z` or `\Z`.
    pub text_end: bool,
    /// It holds look-arounds, back-references or atomic groups: Ruby's memoization does not help.
    pub irregular: bool,
}

/// How the time for a failing match grows with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Growth {
    /// With the length, as far as can be told.
    Linear,
    /// With the square, as the search starts anew at every character.
    Search,
    /// With this power of the length.
    Polynomial(u32),
    /// It doubles with every few characters.
    Exponential,
}

struct Parser<'t> {
    chars: std::iter::Peekable<std::str::Chars<'t>>,
    extended: bool,
    fold: bool,
    dot_all: bool,
    irregular: bool,
    nodes: u32,
}

impl Pattern {
    /// Reads a pattern; `None` where it is not understood.
    pub fn parse(source: &str, flags: &str) -> Option<Pattern> {
        let mut parser = Parser {
            chars: source.chars().peekable(),
            extended: flags.contains('x'),
            fold: flags.contains('i'),
            dot_all: flags.contains('m'),
            irregular: false,
            nodes: 0,
        };
        let root = parser.alternatives(0)?;
        if parser.chars.next().is_some() {
            return None;
        }
        let trimmed = source.trim();
        let ends = |mark: &str| trimmed.ends_with(mark) || trimmed.ends_with(&format!("{mark})"));
        Some(Pattern {
            root,
            line_start: trimmed.trim_start_matches(['(', '?', ':']).starts_with('^'),
            text_start: trimmed.trim_start_matches(['(', '?', ':']).starts_with("\\A"),
            line_end: ends("$") && !ends("\\$"),
            text_end: ends("\\z") || ends("\\Z"),
            irregular: parser.irregular,
        })
    }

    /// How slow a failing match can be.
    pub fn growth(&self) -> Growth {
        let mut machine = Machine::default();
        let Some(whole) = machine.add(&self.root) else { return Growth::Linear };
        machine.last = whole.last;
        machine.first = whole.first;
        machine.growth(!self.text_start && !self.line_start)
    }
}

impl Parser<'_> {
    fn alternatives(&mut self, depth: u32) -> Option<Ast> {
        if depth > 40 {
            return None;
        }
        let mut branches = vec![self.sequence(depth)?];
        while self.chars.peek() == Some(&'|') {
            self.chars.next();
            branches.push(self.sequence(depth)?);
        }
        Some(if branches.len() == 1 { branches.swap_remove(0) } else { Ast::Alt(branches) })
    }

    fn sequence(&mut self, depth: u32) -> Option<Ast> {
        let mut items: Vec<Ast> = Vec::new();
        loop {
            self.nodes += 1;
            if self.nodes > 3000 {
                return None;
            }
            match self.chars.peek() {
                None | Some('|' | ')') => break,
                _ => {}
            }
            let Some(c) = self.chars.next() else { break };
            let item = match c {
                '#' if self.extended => {
                    while self.chars.next_if(|c| *c != '\n').is_some() {}
                    continue;
                }
                c if self.extended && c.is_whitespace() => continue,
                '(' => match self.group(depth)? {
                    Some(group) => group,
                    None => continue,
                },
                '[' => Ast::Set(self.class(0)?),
                '.' => Ast::Set(if self.dot_all { Set::ALL } else { Set::one('\n').not() }),
                '^' => Ast::Empty,
                '$' => Ast::End,
                '\\' => self.escape()?,
                '*' | '+' | '?' => {
                    let last = items.pop()?;
                    let (min, max) = match c {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    let repeat = Ast::Repeat(Box::new(last), min, max);
                    match self.chars.peek() {
                        Some('?') => {
                            self.chars.next();
                            repeat
                        }
                        Some('+') => {
                            self.chars.next();
                            self.irregular = true;
                            Ast::Atomic(Box::new(repeat))
                        }
                        _ => repeat,
                    }
                }
                '{' => match self.counts() {
                    Some((min, max)) => {
                        let last = items.pop()?;
                        self.chars.next_if_eq(&'?');
                        Ast::Repeat(Box::new(last), min, max)
                    }
                    None => Ast::Set(self.literal('{')),
                },
                c => Ast::Set(self.literal(c)),
            };
            items.push(item);
        }
        Some(if items.len() == 1 { items.swap_remove(0) } else { Ast::Cat(items) })
    }

    fn literal(&self, c: char) -> Set {
        if self.fold { Set::one(c).fold_case() } else { Set::one(c) }
    }

    /// `{2,3}` after its brace; nothing is taken where it is no count.
    fn counts(&mut self) -> Option<(u32, Option<u32>)> {
        let rest: String = self.chars.clone().take(12).collect();
        let inner = &rest[..rest.find('}')?];
        let number = |text: &str| text.parse::<u32>().ok();
        let counts = match inner.split_once(',') {
            Some(("", max)) => (0, Some(number(max)?)),
            Some((min, "")) => (number(min)?, None),
            Some((min, max)) => (number(min)?, Some(number(max)?)),
            None => (number(inner)?, Some(number(inner)?)),
        };
        for _ in 0..=inner.chars().count() {
            self.chars.next();
        }
        Some(counts)
    }

    /// What follows `(`; `None` inside for a comment or a change of flags.
    fn group(&mut self, depth: u32) -> Option<Option<Ast>> {
        let flags = (self.extended, self.fold, self.dot_all);
        let mut form = ' ';
        if self.chars.next_if_eq(&'?').is_some() {
            match self.chars.next()? {
                ':' => {}
                '#' => {
                    while self.chars.next()? != ')' {}
                    return Some(None);
                }
                '>' => form = '>',
                '=' | '!' | '~' => form = '=',
                '<' => match self.chars.peek()? {
                    '=' | '!' => form = '=',
                    _ => while self.chars.next()? != '>' {},
                },
                '\'' => while self.chars.next()? != '\'' {},
                mut c => {
                    let mut on = true;
                    loop {
                        match c {
                            '-' => on = false,
                            'i' => self.fold = on,
                            'm' => self.dot_all = on,
                            'x' => self.extended = on,
                            'a' | 'd' | 'u' => {}
                            ':' => break,
                            // `(?i)` holds for the rest of the enclosing group.
                            ')' => return Some(None),
                            _ => return None,
                        }
                        c = self.chars.next()?;
                    }
                }
            }
            if form == '=' && matches!(self.chars.peek(), Some('=' | '!')) {
                self.chars.next();
            }
        }
        let inner = self.alternatives(depth + 1)?;
        if self.chars.next() != Some(')') {
            return None;
        }
        (self.extended, self.fold, self.dot_all) = flags;
        Some(Some(match form {
            '=' => {
                self.irregular = true;
                Ast::Empty
            }
            '>' => {
                self.irregular = true;
                Ast::Atomic(Box::new(inner))
            }
            _ => inner,
        }))
    }

    fn escape(&mut self) -> Option<Ast> {
        let c = self.chars.next()?;
        Some(match c {
            'A' | 'b' | 'B' | 'G' | 'K' => Ast::Empty,
            'z' | 'Z' => Ast::End,
            '1'..='9' => {
                self.irregular = true;
                while self.chars.next_if(char::is_ascii_digit).is_some() {}
                Ast::Empty
            }
            'k' => {
                self.irregular = true;
                while self.chars.next()? != '>' {}
                Ast::Empty
            }
            'g' => return None,
            _ => Ast::Set(self.escaped_set(c)?),
        })
    }

    fn escaped_set(&mut self, c: char) -> Option<Set> {
        Some(match c {
            'd' => Set::digits(),
            'D' => Set::digits().not(),
            'w' => Set::word(),
            'W' => Set { ascii: !Set::word().ascii, other: false },
            's' => Set::space(),
            'S' => Set::space().not(),
            'h' => Set::hex(),
            'H' => Set::hex().not(),
            'R' => Set::one('\n').or(Set::one('\r')),
            'X' => Set::ALL,
            'n' => Set::one('\n'),
            't' => Set::one('\t'),
            'r' => Set::one('\r'),
            'f' => Set::one('\u{c}'),
            'v' => Set::one('\u{b}'),
            'a' => Set::one('\u{7}'),
            'e' => Set::one('\u{1b}'),
            '0' => {
                while self.chars.next_if(char::is_ascii_digit).is_some() {}
                Set::one('\0')
            }
            'x' => {
                let mut code = 0;
                let mut seen = 0;
                while seen < 2 {
                    let Some(digit) = self.chars.peek().and_then(|c| c.to_digit(16)) else { break };
                    self.chars.next();
                    code = code * 16 + digit;
                    seen += 1;
                }
                Set::one(char::from_u32(code)?)
            }
            'u' => {
                if self.chars.next_if_eq(&'{').is_some() {
                    while self.chars.next()? != '}' {}
                } else {
                    for _ in 0..4 {
                        self.chars.next()?;
                    }
                }
                Set { ascii: 0, other: true }
            }
            'p' | 'P' => {
                if self.chars.next() != Some('{') {
                    return None;
                }
                let mut name = String::new();
                loop {
                    match self.chars.next()? {
                        '}' => break,
                        c => name.push(c.to_ascii_lowercase()),
                    }
                }
                let negated = (c == 'P') ^ name.starts_with('^');
                let other = Set { ascii: 0, other: true };
                let set = match name.trim_start_matches('^') {
                    "alpha" | "l" | "letter" => Set::letters().or(other),
                    "lower" | "ll" => Set::range('a', 'z').or(other),
                    "upper" | "lu" => Set::range('A', 'Z').or(other),
                    "digit" | "n" | "nd" => Set::digits(),
                    "alnum" => Set::letters().or(Set::digits()).or(other),
                    "word" => Set::word(),
                    "space" | "blank" | "z" | "zs" => Set::space(),
                    "punct" | "p" | "s" => posix("punct"),
                    _ => other,
                };
                if negated { Set { ascii: !set.ascii, other: true } } else { set }
            }
            c => self.literal(c),
        })
    }

    /// A class after its `[`.
    fn class(&mut self, depth: u32) -> Option<Set> {
        if depth > 8 {
            return None;
        }
        let negated = self.chars.next_if_eq(&'^').is_some();
        let mut set = Set::default();
        let mut whole: Option<Set> = None;
        let mut first = true;
        loop {
            let c = self.chars.next()?;
            let (single, low) = match c {
                ']' if !first => break,
                '[' => {
                    let rest: String = self.chars.clone().take(12).collect();
                    if let Some(inner) =
                        rest.strip_prefix(':').and_then(|r| r.split_once(":]")).map(|r| r.0.to_owned())
                    {
                        for _ in 0..inner.chars().count() + 3 {
                            self.chars.next();
                        }
                        let named = posix(inner.trim_start_matches('^'));
                        (if inner.starts_with('^') { named.not() } else { named }, None)
                    } else {
                        (self.class(depth + 1)?, None)
                    }
                }
                '&' if self.chars.peek() == Some(&'&') => {
                    self.chars.next();
                    whole = Some(whole.map_or(set, |w| w.and(set)));
                    set = Set::default();
                    first = false;
                    continue;
                }
                '\\' => {
                    let c = self.chars.next()?;
                    if c == 'b' {
                        (Set::one('\u{8}'), None)
                    } else {
                        let literal = !c.is_ascii_alphanumeric();
                        (self.escaped_set(c)?, literal.then_some(c))
                    }
                }
                c => (self.literal(c), Some(c)),
            };
            first = false;
            if let Some(low) = low
                && self.chars.peek() == Some(&'-')
            {
                let mut ahead = self.chars.clone();
                ahead.next();
                match ahead.peek() {
                    Some(']') | None => {}
                    Some('\\') => {}
                    Some(&high) if high >= low => {
                        self.chars.next();
                        self.chars.next();
                        let range = Set::range(low, high);
                        set = set.or(if self.fold { range.fold_case() } else { range });
                        continue;
                    }
                    Some(_) => return None,
                }
            }
            set = set.or(single);
        }
        if let Some(whole) = whole {
            set = whole.and(set);
        }
        Some(if negated { set.not() } else { set })
    }
}

fn posix(name: &str) -> Set {
    let other = Set { ascii: 0, other: true };
    match name {
        "alpha" => Set::letters().or(other),
        "digit" => Set::digits(),
        "alnum" => Set::letters().or(Set::digits()).or(other),
        "upper" => Set::range('A', 'Z'),
        "lower" => Set::range('a', 'z'),
        "space" | "blank" => Set::space(),
        "xdigit" => Set::hex(),
        "word" => Set::word(),
        "punct" => {
            Set::range('!', '/').or(Set::range(':', '@')).or(Set::range('[', '`')).or(Set::range('{', '~'))
        }
        "cntrl" => Set::range('\0', '\u{1f}'),
        _ => Set::ALL,
    }
}

/// The automaton: a state for each class, and how many ways lead from one to the next.
#[derive(Default)]
struct Machine {
    sets: Vec<Set>,
    follow: Vec<Vec<(usize, u8)>>,
    first: Vec<usize>,
    last: Vec<usize>,
}

struct Fragment {
    first: Vec<usize>,
    last: Vec<usize>,
    nullable: bool,
}

/// More classes than this make a pattern too large to judge in bounded time.
const STATES: usize = 120;

impl Machine {
    fn state(&mut self, set: Set) -> Option<Fragment> {
        if self.sets.len() >= STATES {
            return None;
        }
        self.sets.push(set);
        self.follow.push(Vec::new());
        let at = self.sets.len() - 1;
        Some(Fragment { first: vec![at], last: vec![at], nullable: false })
    }

    fn link(&mut self, from: &[usize], to: &[usize]) {
        for &a in from {
            for &b in to {
                match self.follow[a].iter_mut().find(|(t, _)| *t == b) {
                    Some((_, ways)) => *ways = ways.saturating_add(1),
                    None => self.follow[a].push((b, 1)),
                }
            }
        }
    }

    fn add(&mut self, ast: &Ast) -> Option<Fragment> {
        Some(match ast {
            Ast::Empty => Fragment { first: Vec::new(), last: Vec::new(), nullable: true },
            Ast::End => self.state(Set::default())?,
            Ast::Set(set) => self.state(*set)?,
            Ast::Atomic(inner) => {
                // What is inside is matched once and for all.
                let mut probe = Machine::default();
                let inner = probe.add(inner)?;
                let set = inner.first.iter().fold(Set::default(), |s, &i| s.or(probe.sets[i]));
                let mut fragment = self.state(set)?;
                fragment.nullable = inner.nullable;
                fragment
            }
            Ast::Cat(items) => {
                let mut whole = Fragment { first: Vec::new(), last: Vec::new(), nullable: true };
                for item in items {
                    let next = self.add(item)?;
                    self.link(&whole.last, &next.first);
                    if whole.nullable {
                        whole.first.extend(&next.first);
                    }
                    if next.nullable {
                        whole.last.extend(&next.last);
                    } else {
                        whole.last = next.last;
                    }
                    whole.nullable &= next.nullable;
                }
                whole
            }
            Ast::Alt(branches) => {
                let mut whole = Fragment { first: Vec::new(), last: Vec::new(), nullable: false };
                for branch in branches {
                    let branch = self.add(branch)?;
                    whole.first.extend(branch.first);
                    whole.last.extend(branch.last);
                    whole.nullable |= branch.nullable;
                }
                whole
            }
            Ast::Repeat(inner, min, max) => {
                let mut inner = self.add(inner)?;
                // A bound this high is none in practice; a small one is taken as one occurrence.
                if max.is_none_or(|m| m >= 1000) {
                    let (last, first) = (inner.last.clone(), inner.first.clone());
                    self.link(&last, &first);
                }
                inner.nullable |= *min == 0;
                inner
            }
        })
    }

    fn growth(&self, searches: bool) -> Growth {
        let fails: Vec<bool> = (0..self.sets.len()).map(|i| !self.last.contains(&i)).collect();
        let mut budget = 400_000u32;
        for (q, can_fail) in fails.iter().enumerate() {
            if *can_fail && !self.follow[q].is_empty() && self.ambiguous(q, &mut budget) {
                return Growth::Exponential;
            }
        }
        let degree = self.degree(&fails).max(self.separated(&fails));
        if degree >= 2 {
            return Growth::Polynomial(degree);
        }
        let slow_start = self.first.iter().any(|&f| fails[f] && self.follow[f].iter().any(|t| t.0 == f));
        if searches && slow_start { Growth::Search } else { Growth::Linear }
    }

    /// Whether two different ways lead from a state back to it over the same text.
    fn ambiguous(&self, q: usize, budget: &mut u32) -> bool {
        let mut seen: HashSet<(usize, usize, bool)> = HashSet::new();
        let mut open = vec![(q, q, false)];
        while let Some((a, b, apart)) = open.pop() {
            for &(x, ways) in &self.follow[a] {
                for &(y, _) in &self.follow[b] {
                    *budget = budget.saturating_sub(1);
                    if *budget == 0 {
                        return false;
                    }
                    if self.sets[x].and(self.sets[y]).is_empty() {
                        continue;
                    }
                    let apart = apart || x != y || (a == b && ways > 1);
                    if apart && x == q && y == q {
                        return true;
                    }
                    if seen.insert((x, y, apart)) {
                        open.push((x, y, apart));
                    }
                }
            }
        }
        false
    }

    /// How many loops over one and the same character stand in a row.
    fn degree(&self, fails: &[bool]) -> u32 {
        let loops: Vec<usize> =
            (0..self.sets.len()).filter(|&i| self.follow[i].iter().any(|t| t.0 == i)).collect();
        if loops.len() < 2 {
            return loops.len() as u32;
        }
        let mut best = 0;
        let mut done: HashSet<Vec<bool>> = HashSet::new();
        for code in 0..=128u32 {
            let holds: Vec<bool> = self
                .sets
                .iter()
                .map(|s| if code == 128 { s.other } else { s.ascii & (1 << code) != 0 })
                .collect();
            if loops.iter().filter(|&&l| holds[l]).count() < 2 || !done.insert(holds.clone()) {
                continue;
            }
            for &start in loops.iter().filter(|&&l| holds[l]) {
                best = best.max(self.chain(start, &holds, &loops, fails, 1));
            }
        }
        best
    }

    /// Two loops with a separator between them of which each letter fits into both loops: `.*TO.*`
    /// finds a new way at every `TO`.
    fn separated(&self, fails: &[bool]) -> u32 {
        let loops: Vec<usize> =
            (0..self.sets.len()).filter(|&i| self.follow[i].iter().any(|t| t.0 == i)).collect();
        for (n, &from) in loops.iter().enumerate() {
            for &to in loops[n + 1..].iter().filter(|&&to| fails[to]) {
                let both = self.sets[from].and(self.sets[to]);
                let mut seen = vec![false; self.sets.len()];
                let mut open = vec![from];
                while let Some(at) = open.pop() {
                    for &(next, _) in &self.follow[at] {
                        if next == to {
                            return 2;
                        }
                        if next > from && !seen[next] && !self.sets[next].and(both).is_empty() {
                            seen[next] = true;
                            open.push(next);
                        }
                    }
                }
            }
        }
        0
    }

    fn chain(&self, from: usize, holds: &[bool], loops: &[usize], fails: &[bool], length: u32) -> u32 {
        let mut best = if fails[from] { length } else { length - 1 };
        if length >= 5 {
            return best;
        }
        let mut seen = vec![false; self.sets.len()];
        seen[from] = true;
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            for &(next, _) in &self.follow[at] {
                // Only forward: going round an enclosing loop is the other test's matter.
                if seen[next] || !holds[next] || next < from {
                    continue;
                }
                seen[next] = true;
                if loops.contains(&next) {
                    best = best.max(self.chain(next, holds, loops, fails, length + 1));
                } else {
                    open.push(next);
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(source: &str) -> Growth {
        Pattern::parse(source, "").expect("the pattern reads").growth()
    }

    #[test]
    fn exponential_patterns() {
        for pattern in [
            r"^(a+)+$",
            r"\A(a*)*b",
            r"^(a|a)*$",
            r"^(\w+\s?)*$",
            r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@)",
            r"\A(\d+|\w)+\z",
            r"(a*b*)*c",
            r"^(([a-z])+.)+[A-Z]([a-z])+$",
        ] {
            assert_eq!(growth(pattern), Growth::Exponential, "{pattern}");
        }
    }

    #[test]
    fn linear_patterns() {
        for pattern in [
            r"\A[a-z]+\z",
            r"\A(?:[a-z]+\.)+[a-z]{2,}\z",
            r"\A[^@\s]+@([^@\s]+\.)+[^@\s]+\z".replace("[^@\\s]+\\.", "[^@\\s.]+\\.").as_str(),
            r"(a|b)*",
            r"\A\d{4}-\d{2}-\d{2}\z",
            r"\A(?>a+)+b",
            r"\A[a-z]*-TO-[a-z]*\z",
            r"\A[a-z]*, [A-Z]*\z",
            r"^\s*#.*",
            r"(?i:foo|bar)+\d",
        ] {
            assert!(growth(pattern) <= Growth::Search, "{pattern}: {:?}", growth(pattern));
        }
    }

    #[test]
    fn polynomial_patterns() {
        for pattern in
            [r"\A[^\]]*TO[^\]]*\z", r"\A\s*(.*?)\s*\z", r"^\d+\d+x", r"\A.*,.*,\z".replace(',', "a").as_str()]
        {
            assert!(matches!(growth(pattern), Growth::Polynomial(_)), "{pattern}: {:?}", growth(pattern));
        }
        assert_eq!(growth(r"\s+$"), Growth::Search);
    }

    #[test]
    fn hostile_patterns_end() {
        assert!(Pattern::parse(&"(".repeat(5000), "").is_none());
        assert!(Pattern::parse("[", "").is_none());
        assert!(Pattern::parse("a{", "").is_some());
        let long = "(a|b)*".repeat(100);
        let _ = Pattern::parse(&long, "").map(|p| p.growth());
        let nested = format!("{}a{}b", "(".repeat(30), "+)".repeat(30));
        assert_eq!(growth(&nested), Growth::Exponential);
    }
}
