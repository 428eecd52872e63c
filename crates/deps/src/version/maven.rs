//! Versions of Maven's artifacts, in the order that Maven's own `ComparableVersion` gives.

use std::cmp::Ordering;

/// A version, ready to be compared.
#[derive(Clone, Debug)]
pub struct Version {
    items: Vec<Item>,
}

/// A dash, and a change between digits and letters, opens a list inside the list.
#[derive(Clone, Debug)]
enum Item {
    /// Digits without leading zeros; empty for zero.
    Number(String),
    Word(Word),
    List(Vec<Item>),
}

/// A word that Maven knows has a place; others come after all of these, by their letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Known(u8),
    Other(String),
}

/// The place of no word at all: a release.
const RELEASE: Word = Word::Known(5);
/// A longer version is none: lists inside lists would grow with it.
const LONGEST: usize = 256;

impl Word {
    fn of(text: &str, before_digit: bool) -> Word {
        Word::Known(match text {
            "a" if before_digit => 0,
            "b" if before_digit => 1,
            "m" if before_digit => 2,
            "alpha" => 0,
            "beta" => 1,
            "milestone" => 2,
            "rc" | "cr" => 3,
            "snapshot" => 4,
            "" | "ga" | "final" | "release" => 5,
            "sp" => 6,
            _ => return Word::Other(text.to_owned()),
        })
    }
}

impl Item {
    fn number(digits: &str) -> Item {
        Item::Number(digits.trim_start_matches('0').to_owned())
    }

    fn is_null(&self) -> bool {
        match self {
            Item::Number(digits) => digits.is_empty(),
            Item::Word(word) => *word == RELEASE,
            Item::List(items) => items.is_empty(),
        }
    }

    /// How it stands to nothing at all.
    fn against_nothing(&self) -> Ordering {
        match self {
            Item::Number(digits) => {
                if digits.is_empty() {
                    Ordering::Equal
                } else {
                    Ordering::Greater
                }
            }
            Item::Word(word) => word.cmp(&RELEASE),
            Item::List(items) => {
                items.iter().map(Item::against_nothing).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
            }
        }
    }
}

fn compare(left: &Item, right: &Item) -> Ordering {
    match (left, right) {
        (Item::Number(a), Item::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (Item::Word(a), Item::Word(b)) => a.cmp(b),
        (Item::List(a), Item::List(b)) => compare_lists(a, b),
        (Item::Number(_), _) => Ordering::Greater,
        (_, Item::Number(_)) => Ordering::Less,
        (Item::List(_), Item::Word(_)) => Ordering::Greater,
        (Item::Word(_), Item::List(_)) => Ordering::Less,
    }
}

fn compare_lists(left: &[Item], right: &[Item]) -> Ordering {
    for index in 0..left.len().max(right.len()) {
        let order = match (left.get(index), right.get(index)) {
            (Some(a), Some(b)) => compare(a, b),
            (Some(a), None) => a.against_nothing(),
            (None, Some(b)) => b.against_nothing().reverse(),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// The lists that are open, the innermost last.
struct Builder {
    open: Vec<Vec<Item>>,
}

impl Builder {
    fn push(&mut self, item: Item) {
        if let Some(list) = self.open.last_mut() {
            list.push(item);
        }
    }

    fn is_empty(&self) -> bool {
        self.open.last().is_none_or(Vec::is_empty)
    }

    fn nest(&mut self) {
        self.open.push(Vec::new());
    }

    fn finish(mut self) -> Vec<Item> {
        loop {
            let mut list = self.open.pop().unwrap_or_default();
            normalise(&mut list);
            match self.open.last_mut() {
                Some(outer) => outer.push(Item::List(list)),
                None => return list,
            }
        }
    }
}

/// Takes off what means nothing: zeros and release words at the end, and before a word.
fn normalise(items: &mut Vec<Item>) {
    for index in (0..items.len()).rev() {
        let word_follows = match items.get(index + 1) {
            None => true,
            Some(Item::Word(_)) => true,
            Some(Item::List(inner)) => matches!(inner.first(), Some(Item::Word(_))),
            Some(Item::Number(_)) => false,
        };
        if items[index].is_null() {
            if word_follows {
                items.remove(index);
            }
        } else if !matches!(items[index], Item::List(_)) {
            break;
        }
    }
}

impl Version {
    /// Reads a version. Maven takes any text; `None` only for one that is empty or longer than 256 bytes.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        let mut builder = Builder { open: vec![Vec::new()] };
        let bytes = text.as_bytes();
        let (mut start, mut digits) = (0, false);
        for index in 0..bytes.len() {
            match bytes[index] {
                b'.' => {
                    builder.push(item(&text[start..index], digits));
                    start = index + 1;
                }
                b'-' => {
                    builder.push(item(&text[start..index], digits));
                    start = index + 1;
                    builder.nest();
                }
                byte if byte.is_ascii_digit() => {
                    if !digits && index > start {
                        // `1.rc1` is read as `1-rc1`.
                        if !builder.is_empty() {
                            builder.nest();
                        }
                        builder.push(Item::Word(Word::of(&text[start..index], true)));
                        start = index;
                        builder.nest();
                    }
                    digits = true;
                }
                _ => {
                    if digits && index > start {
                        builder.push(Item::number(&text[start..index]));
                        start = index;
                        builder.nest();
                    }
                    digits = false;
                }
            }
        }
        if start < text.len() {
            if !digits && !builder.is_empty() {
                builder.nest();
            }
            builder.push(item(&text[start..], digits));
        }
        Some(Version { items: builder.finish() })
    }

    /// Whether it comes before a release.
    pub fn is_prerelease(&self) -> bool {
        has_early_word(&self.items)
    }
}

fn has_early_word(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Number(_) => false,
        Item::Word(word) => *word < RELEASE,
        Item::List(items) => has_early_word(items),
    })
}

fn item(text: &str, digits: bool) -> Item {
    match text {
        "" => Item::Number(String::new()),
        _ if digits => Item::number(text),
        _ => Item::Word(Word::of(text, false)),
    }
}

/// Whether `[1.0,2.0)`, `(,1.0],[1.2,)` or `[1.0]` takes a version. A bare version is a wish that every other fulfils.
pub fn takes(range: &str, version: &Version) -> Option<bool> {
    let mut rest = range.trim();
    if !rest.starts_with(['[', '(']) {
        return Some(true);
    }
    let mut any = false;
    while !rest.is_empty() {
        let end = rest.find([']', ')'])? + 1;
        any |= super::nuget::bracketed(&rest[..end], Version::parse, version)?;
        rest = rest[end..].trim_start().trim_start_matches(',').trim_start();
    }
    Some(any)
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_lists(&self.items, &other.items)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn order() {
        let ascending = [
            "1-alpha-1",
            "1-a2",
            "1.0-beta",
            "1-m1",
            "1-rc-1",
            "1-rc2",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-foo",
            "1-foo2",
            "1-1",
            "1.1",
            "1.1.1",
            "1.9",
            "1.10",
            "2.0.0.20110131120940000000000",
            "3",
        ];
        for pair in ascending.windows(2) {
            assert!(v(pair[0]) < v(pair[1]), "{pair:?}");
        }
        for (a, b) in [
            ("1", "1.0.0"),
            ("1", "1-ga"),
            ("1.0-final", "1.RELEASE"),
            ("1a1", "1-alpha-1"),
            ("1.0.0.RC1", "1.0.0-rc1"),
            ("1.x", "1-X"),
        ] {
            assert_eq!(v(a), v(b), "{a} {b}");
        }
        assert!(v("1.0.0.RC1") < v("1.0.0-RC2"));
        assert!(Version::parse(&"1-".repeat(1000)).is_none());
    }

    #[test]
    fn ranges() {
        for (range, yes, no) in
            [("[1.0,2.0)", "1.5", "2.0"), ("(,1.0],[1.2,)", "1.2", "1.1"), ("[1.0]", "1", "1.0.1")]
        {
            assert_eq!(takes(range, &v(yes)), Some(true), "{range} {yes}");
            assert_eq!(takes(range, &v(no)), Some(false), "{range} {no}");
        }
        assert_eq!(takes("1.0", &v("9")), Some(true));
        for bad in ["[1.0", "[", "(1)", "[1.0],x"] {
            assert_eq!(takes(bad, &v("1")), None, "{bad}");
        }
    }
}
