//! Versions of gems, and what a Gemfile may ask for, as RubyGems itself orders and reads them.
//!
//! Written here rather than taken from the crate `gem_version`: that one reads a part above 32 bits
//! (`1.0.20110131120940`) as a word, which puts it below `1.0`, and has no ranges.

use std::cmp::Ordering;

/// A version of a gem, ready to be compared.
#[derive(Clone, Debug)]
pub struct Version {
    /// As written, a dash read as `.pre.`.
    parts: Vec<Part>,
    /// The first word, or the end: the numbers stand before it.
    first_word: usize,
    /// Where the zeros at the end of the numbers begin, and those at the end of the whole: they do not count.
    ends: [usize; 2],
}

/// A number or a word between dots.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Number(u64),
    /// A number above 64 bits: its digits without leading zeros.
    Long(Box<str>),
    Word(Box<str>),
}

impl Part {
    fn is_word(&self) -> bool {
        matches!(self, Part::Word(_))
    }

    fn of_digits(digits: &str) -> Part {
        match digits.parse() {
            Ok(number) => Part::Number(number),
            Err(_) => Part::Long(digits.trim_start_matches('0').into()),
        }
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Part::Number(a), Part::Number(b)) => a.cmp(b),
            (Part::Word(a), Part::Word(b)) => a.cmp(b),
            (Part::Long(a), Part::Long(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            (Part::Word(_), _) | (Part::Number(_), Part::Long(_)) => Ordering::Less,
            (_, Part::Word(_)) | (Part::Long(_), Part::Number(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Version {
    /// Reads a version; `None` where RubyGems would call it malformed. Nothing at all is version 0.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if text.is_empty() {
            return Some(Version::of_parts(vec![Part::Number(0)]));
        }
        if !well_formed(text) {
            return None;
        }
        let mut parts = Vec::with_capacity(4);
        for (index, side) in text.split('-').enumerate() {
            if index > 0 {
                parts.push(Part::Word("pre".into()));
            }
            for piece in side.split('.') {
                push_runs(piece, &mut parts);
            }
        }
        Some(Version::of_parts(parts))
    }

    fn of_parts(parts: Vec<Part>) -> Version {
        let first_word = parts.iter().position(Part::is_word).unwrap_or(parts.len());
        let ends = [without_zeros(&parts[..first_word]), first_word + without_zeros(&parts[first_word..])];
        Version { parts, first_word, ends }
    }

    /// What is compared.
    fn canonical(&self) -> impl Iterator<Item = &Part> {
        self.parts[..self.ends[0]].iter().chain(&self.parts[self.first_word..self.ends[1]])
    }

    /// A letter anywhere makes a version one before a release.
    pub fn is_prerelease(&self) -> bool {
        self.parts.iter().any(Part::is_word)
    }

    /// The numbers before the first word.
    pub fn numbers(&self) -> Vec<u64> {
        let numbers = self.parts.iter().map_while(|part| match part {
            Part::Number(number) => Some(*number),
            Part::Long(_) => Some(u64::MAX),
            Part::Word(_) => None,
        });
        numbers.collect()
    }

    /// The release that a version before it leads to.
    fn release(&self) -> Version {
        Version::of_parts(self.parts[..self.first_word].to_vec())
    }

    /// The first version that `~>` no longer takes: the last number but one, and one more.
    fn bump(&self) -> Version {
        let mut parts = self.parts[..self.first_word].to_vec();
        if parts.len() > 1 {
            parts.pop();
        }
        if let Some(last) = parts.last_mut() {
            *last = match &*last {
                Part::Number(number) if *number < u64::MAX => Part::Number(*number + 1),
                other => Part::Long(increment(other).into()),
            };
        }
        Version::of_parts(parts)
    }
}

/// One more than a number that does not fit, in digits.
fn increment(part: &Part) -> String {
    let digits = match part {
        Part::Number(number) => number.to_string(),
        Part::Long(digits) | Part::Word(digits) => digits.to_string(),
    };
    let mut bytes = digits.into_bytes();
    for byte in bytes.iter_mut().rev() {
        if *byte != b'9' {
            *byte += 1;
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        *byte = b'0';
    }
    format!("1{}", String::from_utf8_lossy(&bytes))
}

/// How many parts are left without the zeros at the end.
fn without_zeros(parts: &[Part]) -> usize {
    parts.iter().rposition(|part| *part != Part::Number(0)).map_or(0, |last| last + 1)
}

/// Digits and letters that stand together are parts of their own.
fn push_runs(piece: &str, parts: &mut Vec<Part>) {
    let mut rest = piece;
    while let Some(first) = rest.bytes().next() {
        let digit = first.is_ascii_digit();
        let end = rest.bytes().position(|b| b.is_ascii_digit() != digit).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        parts.push(if digit { Part::of_digits(run) } else { Part::Word(run.into()) });
        rest = after;
    }
}

/// Digits first, then pieces of letters and digits between dots; after the first dash, dashes too.
fn well_formed(text: &str) -> bool {
    let (front, back) = match text.split_once('-') {
        Some((front, back)) => (front, Some(back)),
        None => (text, None),
    };
    let word = |piece: &str| !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_alphanumeric());
    let dashed =
        |piece: &str| !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let mut pieces = front.split('.');
    pieces.next().is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
        && pieces.all(word)
        && back.is_none_or(|back| back.split('.').all(dashed))
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        // What is missing counts as zero: `1.0.a` comes before `1.0`, and `1.0.1` after it.
        let missing = Part::Number(0);
        let (mut left, mut right) = (self.canonical(), other.canonical());
        loop {
            let order = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (a, b) => a.unwrap_or(&missing).cmp(b.unwrap_or(&missing)),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// What is asked for: all of its comparisons must hold.
#[derive(Clone, Debug)]
pub struct Requirement {
    comparisons: Vec<Comparison>,
}

/// One comparison of a [`Requirement`].
#[derive(Clone, Debug)]
pub struct Comparison {
    /// How.
    pub operator: Operator,
    /// With what.
    pub version: Version,
    /// The end of `~>`.
    ceiling: Option<Version>,
}

/// How a version must stand to the one that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`, and no operator at all.
    Equal,
    /// `!=`
    Unequal,
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `~>`
    Pessimistic,
}

impl Requirement {
    /// Reads `~> 2.0.9, >= 2.0.9.1`; `None` where a part of it is malformed. Nothing at all takes every version.
    pub fn parse(text: &str) -> Option<Requirement> {
        if text.trim().is_empty() {
            return Some(Requirement { comparisons: Vec::new() });
        }
        let comparisons = text.split(',').map(Comparison::parse).collect::<Option<Vec<_>>>()?;
        Some(Requirement { comparisons })
    }

    /// Whether a version is one of those.
    pub fn takes(&self, version: &Version) -> bool {
        self.comparisons.iter().all(|comparison| comparison.holds(version))
    }

    /// Its comparisons, in the order written.
    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }
}

impl Comparison {
    fn parse(text: &str) -> Option<Comparison> {
        const OPERATORS: [(&str, Operator); 7] = [
            ("~>", Operator::Pessimistic),
            (">=", Operator::AtLeast),
            ("<=", Operator::AtMost),
            ("!=", Operator::Unequal),
            ("=", Operator::Equal),
            (">", Operator::Greater),
            ("<", Operator::Less),
        ];
        let text = text.trim();
        let (operator, rest) = OPERATORS
            .into_iter()
            .find_map(|(sign, operator)| Some((operator, text.strip_prefix(sign)?)))
            .unwrap_or((Operator::Equal, text));
        if rest.trim().is_empty() {
            return None;
        }
        let version = Version::parse(rest)?;
        let ceiling = (operator == Operator::Pessimistic).then(|| version.bump());
        Some(Comparison { operator, version, ceiling })
    }

    fn holds(&self, version: &Version) -> bool {
        let order = version.cmp(&self.version);
        match self.operator {
            Operator::Equal => order.is_eq(),
            Operator::Unequal => order.is_ne(),
            Operator::Greater => order.is_gt(),
            Operator::Less => order.is_lt(),
            Operator::AtLeast => order.is_ge(),
            Operator::AtMost => order.is_le(),
            Operator::Pessimistic => {
                order.is_ge() && self.ceiling.as_ref().is_some_and(|end| version.release() < *end)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        Version::parse(a).unwrap().cmp(&Version::parse(b).unwrap())
    }

    fn takes(range: &str, version: &str) -> bool {
        Requirement::parse(range).unwrap().takes(&Version::parse(version).unwrap())
    }

    #[test]
    fn order_of_versions() {
        let ascending = [
            "0",
            "0.9",
            "1.0.a9",
            "1.0.a10",
            "1.0.b",
            "1.0-rc1",
            "1.0",
            "1.0.1",
            "1.0.10",
            "1.1",
            "1.1.20110131120940",
            "1.1.20110131120941",
            "1.1.184467440737095516159",
            "1.2",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        for (a, b) in [
            ("1", "1.0.0"),
            ("", "0"),
            (" 1.2\n", "1.2"),
            ("1.0.pre", "1.pre"),
            ("1.0-a", "1.0.pre.a"),
            ("01.02", "1.2"),
        ] {
            assert_eq!(order(a, b), Ordering::Equal, "{a} {b}");
        }
        assert_eq!(order("1.a", "1.a.0.b"), Ordering::Greater);
        assert_eq!(order("1.a", "1.a.b"), Ordering::Greater);
    }

    #[test]
    fn malformed() {
        for text in ["junk", "1..2", "1.", ".1", "1 2", "1.0\n2.0", "1_0", "1-", "1.0-é", "v1"] {
            assert!(Version::parse(text).is_none(), "{text:?}");
        }
        for text in ["~>", ">= ", "=> 1", ">= 1,", ">= 1, x", "~> 1 2"] {
            assert!(Requirement::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn ranges() {
        assert!(takes("~> 2.0.9, >= 2.0.9.1", "2.0.9.1"));
        assert!(!takes("~> 2.0.9, >= 2.0.9.1", "2.0.9"));
        assert!(!takes("~> 2.0.9, >= 2.0.9.1", "2.1.0"));
        assert!(takes("~> 2", "2.9"));
        assert!(!takes("~> 2", "3"));
        assert!(!takes("~> 2.1", "3.0.0.rc1"));
        assert!(takes("~> 2.1.rc1", "2.1.rc2"));
        assert!(takes("~> 2.1.rc1", "2.9"));
        assert!(takes("1.0", "1.0.0"));
        assert!(!takes("!= 1.0", "1"));
        assert!(takes("", "1"));
        assert!(takes("~> 18446744073709551615.1", "18446744073709551615.2"));
        assert!(!takes("~> 18446744073709551615.1", "18446744073709551616"));
    }
}
