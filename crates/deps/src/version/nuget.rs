//! Versions of NuGet's packages: up to four numbers, words after a dash, case of no meaning.

use std::cmp::Ordering;

/// A version, ready to be compared.
#[derive(Clone, Debug)]
pub struct Version {
    numbers: [u64; 4],
    pre: Vec<String>,
}

impl Version {
    /// Reads `1.2`, `1.2.3.4`, `1.2.3-beta.1+build`; what comes behind `+` does not count.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim();
        let text = text.split('+').next().unwrap_or_default();
        let (front, back) = text.split_once('-').map_or((text, None), |(f, b)| (f, Some(b)));
        let mut numbers = [0; 4];
        for (index, part) in front.split('.').enumerate() {
            let slot = numbers.get_mut(index)?;
            *slot = part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())??;
        }
        let pre = match back {
            None => Vec::new(),
            Some(back) => {
                let fine = |word: &str| {
                    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                };
                let words: Vec<String> = back.split('.').map(str::to_ascii_lowercase).collect();
                if !words.iter().all(|word| fine(word)) {
                    return None;
                }
                words
            }
        };
        Some(Version { numbers, pre })
    }

    /// Whether it comes before a release.
    pub fn is_prerelease(&self) -> bool {
        !self.pre.is_empty()
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_words(&self.pre, &other.pre),
        })
    }
}

fn compare_words(left: &[String], right: &[String]) -> Ordering {
    for (a, b) in left.iter().zip(right) {
        let digits = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
        let order = match (digits(a), digits(b)) {
            (true, true) => {
                let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
                a.len().cmp(&b.len()).then_with(|| a.cmp(b))
            }
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len())
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

/// Whether `1.0` (that or newer), `[1.0]`, `[1.0,2.0)`, `(,1.0]`, `1.*` or `*` takes a version.
pub fn takes(range: &str, version: &Version) -> Option<bool> {
    let range = range.trim();
    if range.is_empty() || range == "*" {
        return Some(true);
    }
    if let Some(start) = range.strip_suffix('*') {
        let start = start.trim_end_matches('.');
        let low = Version::parse(start)?;
        let fixed = start.split('.').count();
        return Some(version.numbers.iter().zip(&low.numbers).take(fixed).all(|(a, b)| a == b));
    }
    match range.chars().next() {
        Some('[' | '(') => bracketed(range, Version::parse, version),
        _ => Some(*version >= Version::parse(range)?),
    }
}

/// One range in brackets, as NuGet and Maven write it: round keeps the end out, square takes it in.
pub fn bracketed<V: Ord>(range: &str, parse: impl Fn(&str) -> Option<V>, version: &V) -> Option<bool> {
    let (open, rest) = (range.chars().next()?, range.get(1..)?);
    let close = rest.chars().next_back().filter(|c| matches!(c, ']' | ')'))?;
    let inner = rest.get(..rest.len() - 1)?;
    let Some((low, high)) = inner.split_once(',') else {
        return (open == '[' && close == ']').then(|| Some(*version == parse(inner.trim())?))?;
    };
    let above = match low.trim() {
        "" => true,
        low => {
            let low = parse(low)?;
            if open == '[' { *version >= low } else { *version > low }
        }
    };
    let below = match high.trim() {
        "" => true,
        high => {
            let high = parse(high)?;
            if close == ']' { *version <= high } else { *version < high }
        }
    };
    Some(above && below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn order() {
        let ascending = [
            "1.0-alpha",
            "1.0-alpha.1",
            "1.0-alpha.beta",
            "1.0-beta.2",
            "1.0-beta.11",
            "1.0-rc",
            "1.0",
            "1.0.0.1",
            "1.0.1",
        ];
        for pair in ascending.windows(2) {
            assert!(v(pair[0]) < v(pair[1]), "{pair:?}");
        }
        assert_eq!(v("1.0.0-ALPHA"), v("1-alpha+x"));
        for bad in ["", "1.2.3.4.5", "1.x", "1-", "1-a..b", "é", "1.-1", "99999999999999999999"] {
            assert!(Version::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn ranges() {
        for (range, yes, no) in [
            ("1.0", "2.0", "0.9"),
            ("[1.0]", "1.0.0", "1.0.1"),
            ("(1.0,)", "1.0.1", "1.0"),
            ("[1.0,2.0)", "1.9", "2.0"),
            ("(,1.0]", "1.0", "1.1"),
            ("1.2.*", "1.2.9", "1.3.0"),
        ] {
            assert_eq!(takes(range, &v(yes)), Some(true), "{range} {yes}");
            assert_eq!(takes(range, &v(no)), Some(false), "{range} {no}");
        }
        for bad in ["(1.0)", "[1.0", "[", "what", "[é"] {
            assert_eq!(takes(bad, &v("1.0")), None, "{bad}");
        }
    }
}
