//! What a `package.json` may ask for: caret, tilde, hyphen, wildcards and alternatives.
//!
//! Written here on top of the crate `semver`: the crate `node-semver` brings a second `thiserror` and a
//! reporter of errors along.

use semver::{Prerelease, Version};

/// Most alternatives, and most comparisons in each, that are looked at.
const MOST: usize = 256;

/// Reads a version as npm does: a `v` or `=` in front does not count.
pub fn parse(text: &str) -> Option<Version> {
    let text = text.trim().trim_start_matches(['v', '=', ' ']);
    Version::parse(text).ok()
}

/// A range: a version must pass all comparisons of one alternative.
#[derive(Clone, Debug)]
pub struct Range {
    alternatives: Vec<Vec<Comparison>>,
}

#[derive(Clone, Debug)]
struct Comparison {
    sign: Sign,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
}

/// A version with parts left out: `1`, `1.2`, `1.x`, `*`.
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: Prerelease,
}

impl Range {
    /// Reads a range; `None` for what is none: a tag, an address, a file.
    pub fn parse(text: &str) -> Option<Range> {
        let alternatives = text.split("||").take(MOST).map(alternative).collect::<Option<Vec<_>>>()?;
        Some(Range { alternatives })
    }

    /// Whether a version is in it. A version before a release is only where a comparison of the same
    /// alternative names one of the same three numbers.
    pub fn takes(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|comparisons| {
            let numbers = (version.major, version.minor, version.patch);
            comparisons.iter().all(|c| c.holds(version))
                && (version.pre.is_empty()
                    || comparisons.iter().any(|c| {
                        !c.version.pre.is_empty()
                            && (c.version.major, c.version.minor, c.version.patch) == numbers
                    }))
        })
    }
}

impl Comparison {
    fn holds(&self, version: &Version) -> bool {
        let order = version.cmp_precedence(&self.version);
        match self.sign {
            Sign::Less => order.is_lt(),
            Sign::AtMost => order.is_le(),
            Sign::Greater => order.is_gt(),
            Sign::AtLeast => order.is_ge(),
            Sign::Equal => order.is_eq(),
        }
    }
}

fn alternative(text: &str) -> Option<Vec<Comparison>> {
    let text = text.trim();
    let mut out = Vec::new();
    if let Some((from, to)) = hyphen(text) {
        from_partial(&mut out, ">=", &Partial::parse(from)?);
        let to = Partial::parse(to)?;
        upper_end(&mut out, &to);
        return Some(out);
    }
    // A sign may stand apart from its version.
    let mut sign = "";
    for word in text.split_whitespace().take(MOST) {
        let end = word.find(|c: char| !"<>=~^".contains(c)).unwrap_or(word.len());
        let (own, rest) = word.split_at(end);
        let own = if own.is_empty() { sign } else { own };
        if rest.is_empty() {
            sign = own;
            continue;
        }
        from_partial(&mut out, own, &Partial::parse(rest)?);
        if !known(own) {
            return None;
        }
        sign = "";
    }
    sign.is_empty().then_some(out)
}

fn known(sign: &str) -> bool {
    matches!(sign, "" | "=" | "<" | ">" | "<=" | ">=" | "~" | "~>" | "^")
}

fn hyphen(text: &str) -> Option<(&str, &str)> {
    let at = text.find(" - ")?;
    let (from, to) = (text[..at].trim(), text[at + 3..].trim());
    (!from.is_empty() && !to.is_empty() && !from.contains(' ') && !to.contains(' ')).then_some((from, to))
}

fn upper_end(out: &mut Vec<Comparison>, to: &Partial) {
    match (to.major, to.minor, to.patch) {
        (None, ..) => {}
        (Some(major), None, _) => push(out, Sign::Less, floor(major.saturating_add(1), 0, 0)),
        (Some(major), Some(minor), None) => push(out, Sign::Less, floor(major, minor.saturating_add(1), 0)),
        (Some(major), Some(minor), Some(patch)) => {
            push(out, Sign::AtMost, Version { pre: to.pre.clone(), ..Version::new(major, minor, patch) });
        }
    }
}

/// The very first version of three numbers, before all that come before its release.
fn floor(major: u64, minor: u64, patch: u64) -> Version {
    Version { pre: first(), ..Version::new(major, minor, patch) }
}

fn first() -> Prerelease {
    Prerelease::new("0").unwrap_or(Prerelease::EMPTY)
}

fn push(out: &mut Vec<Comparison>, sign: Sign, version: Version) {
    // npm takes `>=0.0.0` for no comparison at all, which lets through what comes before 0.0.0, too.
    if sign == Sign::AtLeast && version == Version::new(0, 0, 0) {
        return;
    }
    out.push(Comparison { sign, version });
}

impl Partial {
    fn parse(text: &str) -> Option<Partial> {
        let text = text.trim_start_matches(['v', '=']);
        let text = text.split('+').next().unwrap_or_default();
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Prerelease::new(pre).ok()?),
            None => (text, Prerelease::EMPTY),
        };
        let mut parts = numbers.split('.');
        let mut next = || -> Option<Option<u64>> {
            match parts.next() {
                None | Some("x" | "X" | "*") => Some(None),
                Some(digits) => {
                    Some(Some(digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?))
                }
            }
        };
        let (major, mut minor, mut patch) =
            if numbers.is_empty() { (None, None, None) } else { (next()?, next()?, next()?) };
        if parts.next().is_some() {
            return None;
        }
        minor = major.and(minor);
        patch = minor.and(patch);
        Some(Partial { major, minor, patch, pre: if patch.is_some() { pre } else { Prerelease::EMPTY } })
    }

    fn version(&self) -> Version {
        let (major, minor, patch) =
            (self.major.unwrap_or(0), self.minor.unwrap_or(0), self.patch.unwrap_or(0));
        Version { pre: self.pre.clone(), ..Version::new(major, minor, patch) }
    }
}

fn from_partial(out: &mut Vec<Comparison>, sign: &str, partial: &Partial) {
    let Some(major) = partial.major else {
        // `<*` and `>*` take nothing; any other sign with a wildcard takes everything.
        match sign {
            "<" | ">" => push(out, Sign::Less, floor(0, 0, 0)),
            _ => push(out, Sign::AtLeast, Version::new(0, 0, 0)),
        }
        return;
    };
    let low = partial.version();
    let up = |n: u64| n.saturating_add(1);
    let whole = partial.patch.is_some();
    // Just past all that the written parts cover.
    let past = match (partial.minor, partial.patch) {
        (None, _) => floor(up(major), 0, 0),
        (Some(minor), _) => floor(major, up(minor), 0),
    };
    match sign {
        "^" => {
            let end = match (major, partial.minor, partial.patch) {
                (0, None, _) => floor(1, 0, 0),
                (0, Some(0), Some(patch)) => floor(0, 0, up(patch)),
                (0, Some(minor), _) => floor(0, up(minor), 0),
                _ => floor(up(major), 0, 0),
            };
            push(out, Sign::AtLeast, low);
            push(out, Sign::Less, end);
        }
        "~" | "~>" => {
            push(out, Sign::AtLeast, low);
            push(out, Sign::Less, past);
        }
        ">" if !whole => {
            // `>1.2` starts at 1.3.0.
            push(out, Sign::AtLeast, Version { pre: Prerelease::EMPTY, ..past });
        }
        ">" => push(out, Sign::Greater, low),
        ">=" => push(out, Sign::AtLeast, low),
        "<" if !whole => push(out, Sign::Less, Version { pre: first(), ..low }),
        "<" => push(out, Sign::Less, low),
        "<=" => upper_end(out, partial),
        _ if whole => push(out, Sign::Equal, low),
        _ => {
            push(out, Sign::AtLeast, low);
            push(out, Sign::Less, past);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(range: &str, version: &str) -> bool {
        Range::parse(range).unwrap_or_else(|| panic!("{range}")).takes(&parse(version).unwrap())
    }

    #[test]
    fn ranges() {
        for (range, yes, no) in [
            ("^1.2.3", "1.9.0", "2.0.0"),
            ("^0.2.3", "0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("^0.0", "0.0.9", "0.1.0"),
            ("^0", "0.9.0", "1.0.0"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("~1", "1.9.9", "2.0.0"),
            ("1.2.x", "1.2.9", "1.3.0"),
            ("1.2 - 2", "2.9.9", "3.0.0"),
            ("1.2.3 - 2.3.4", "2.3.4", "2.3.5"),
            (">= 1.2.3 <2 || 3", "3.4.5", "2.1.0"),
            (">1.2", "1.3.0", "1.2.9"),
            ("<=1.2", "1.2.9", "1.3.0"),
            ("<1.2", "1.1.9", "1.2.0"),
            ("^1.2.3-beta.2", "1.2.3-beta.4", "1.2.4-beta.4"),
            ("^1.2.3-beta.2", "1.2.4", "1.2.3-beta.1"),
            ("*", "1.0.0", "1.0.0-a"),
            ("", "1.0.0", "1.0.0-a"),
            ("=v1.0.0", "1.0.0+build", "1.0.1"),
        ] {
            assert!(takes(range, yes), "{range} takes {yes}");
            assert!(!takes(range, no), "{range} does not take {no}");
        }
    }

    #[test]
    fn no_ranges() {
        for text in
            ["latest", "git+https://x/y", "file:../a", "1.2.3.4", ">=", "=>1", "^", "1.é", "workspace:*"]
        {
            assert!(Range::parse(text).is_none(), "{text}");
        }
    }
}
