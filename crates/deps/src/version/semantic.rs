//! The rules of Cargo, Go, Hex and Pub, whose versions are semantic ones.

use std::cmp::Ordering;

use semver::{Comparator, Op, Prerelease, Version, VersionReq};

/// Reads a Go module's version: `v1.2.3`, `v0.0.0-20200101000000-abcdef123456`, `v2.0.0+incompatible`, and
/// those of Go itself: `1.21`, `1.21rc2`.
pub fn parse_go(text: &str) -> Option<Version> {
    let text = text.trim();
    let text = text.strip_prefix("go").unwrap_or(text);
    let text = text.strip_prefix('v').unwrap_or(text);
    if let Ok(version) = Version::parse(text) {
        return Some(version);
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut parts = numbers.split('.').map(|part| part.parse::<u64>().ok());
    let major = parts.next()??;
    let minor = parts.next().unwrap_or(Some(0))?;
    let patch = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() {
        return None;
    }
    let rest = rest.split('+').next().unwrap_or_default().trim_start_matches('-');
    // `1.21rc2` counts its candidates: `rc.2` compares them as numbers.
    let dotted = match rest.find(|c: char| c.is_ascii_digit()) {
        Some(at) if at > 0 && rest[..at].bytes().all(|b| b.is_ascii_alphabetic()) => {
            format!("{}.{}", &rest[..at], &rest[at..])
        }
        _ => rest.to_owned(),
    };
    let pre = Prerelease::new(&dotted).ok()?;
    Some(Version { pre, ..Version::new(major, minor, patch) })
}

/// Go takes the least version that all ask for; anything from there on in the same major version is taken.
pub fn go_takes(range: &str, version: &Version) -> Option<bool> {
    let range = range.trim();
    if range.is_empty() {
        return Some(true);
    }
    Some(parse_go(range.trim_start_matches(">=").trim())?.cmp_precedence(version) != Ordering::Greater)
}

/// Hex: comparisons joined by `and` and `or`; `~>` takes what changes the last written number.
pub fn hex_takes(range: &str, version: &Version) -> Option<bool> {
    let mut any = false;
    for alternative in range.split(" or ") {
        let mut all = true;
        for comparison in alternative.split(" and ") {
            all &= hex_comparison(comparison.trim(), version)?;
        }
        any |= all;
    }
    Some(any)
}

fn hex_comparison(text: &str, version: &Version) -> Option<bool> {
    if text.is_empty() {
        return Some(true);
    }
    let (sign, rest) = signed(text, &["~>", ">=", "<=", "==", "!=", ">", "<"]);
    let rest = rest.trim();
    if sign == "~>" {
        let (numbers, _) = rest.split_once('-').unwrap_or((rest, ""));
        let count = numbers.split('.').count();
        let base = hex_version(rest)?;
        let within = version.major == base.major && (count < 3 || version.minor == base.minor);
        return (count >= 2).then_some(within && version.cmp_precedence(&base).is_ge());
    }
    let order = version.cmp_precedence(&Version::parse(rest).ok()?);
    Some(match sign {
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        "!=" => order.is_ne(),
        ">" => order.is_gt(),
        "<" => order.is_lt(),
        _ => order.is_eq(),
    })
}

fn hex_version(text: &str) -> Option<Version> {
    let (numbers, pre) = text.split_once('-').map_or((text, None), |(n, p)| (n, Some(p)));
    let filled = match numbers.split('.').count() {
        2 => format!("{numbers}.0"),
        _ => numbers.to_owned(),
    };
    Version::parse(&pre.map_or(filled.clone(), |pre| format!("{filled}-{pre}"))).ok()
}

/// Cargo's own ranges. A version before a release is taken only where the range names one, as Cargo does.
pub fn cargo_takes(range: &str, version: &Version) -> Option<bool> {
    let range = range.trim();
    if range.is_empty() {
        return Some(true);
    }
    Some(VersionReq::parse(range).ok()?.matches(version))
}

/// Pub: `^1.2.3`, `>=1.0.0 <2.0.0`, `any`. An upper end keeps out what comes before its release, too.
pub fn pub_takes(range: &str, version: &Version) -> Option<bool> {
    let range = range.trim();
    if range.is_empty() || range == "any" {
        return Some(true);
    }
    if let Some(rest) = range.strip_prefix('^') {
        let base = Version::parse(rest.trim()).ok()?;
        let caret = Comparator {
            op: Op::Caret,
            major: base.major,
            minor: Some(base.minor),
            patch: Some(base.patch),
            pre: base.pre.clone(),
        };
        let release = Version { pre: Prerelease::EMPTY, ..version.clone() };
        let within = VersionReq { comparators: vec![Comparator { pre: Prerelease::EMPTY, ..caret }] };
        return Some(*version >= base && within.matches(&release));
    }
    let mut all = true;
    let mut words = range.split_whitespace();
    while let Some(word) = words.next() {
        let (sign, rest) = signed(word, &[">=", "<=", ">", "<"]);
        let rest = if rest.is_empty() { words.next()? } else { rest };
        let end = Version::parse(rest).ok()?;
        all &= match sign {
            ">=" => *version >= end,
            "<=" => *version <= end,
            ">" => *version > end,
            "<" => {
                let same = (version.major, version.minor, version.patch) == (end.major, end.minor, end.patch);
                *version < end && !(same && end.pre.is_empty() && !version.pre.is_empty())
            }
            _ => *version == end,
        };
    }
    Some(all)
}

/// A text's sign, and what comes behind it.
pub fn signed<'t>(text: &'t str, signs: &[&'static str]) -> (&'static str, &'t str) {
    signs.iter().find_map(|sign| Some((*sign, text.strip_prefix(sign)?))).unwrap_or(("", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn go() {
        let ascending = [
            "v0.0.0-20200101000000-aaaaaaaaaaaa",
            "v0.1.0",
            "1.21rc2",
            "1.21rc10",
            "go1.21",
            "1.21.1",
            "v2.0.0+incompatible",
        ];
        for pair in ascending.windows(2) {
            assert!(
                parse_go(pair[0]).unwrap().cmp_precedence(&parse_go(pair[1]).unwrap()).is_lt(),
                "{pair:?}"
            );
        }
        assert_eq!(go_takes("v1.2.0", &parse_go("v1.3.0").unwrap()), Some(true));
        assert_eq!(go_takes("v1.4.0", &parse_go("v1.3.0").unwrap()), Some(false));
        assert!(parse_go("master").is_none());
        assert!(parse_go("v1.2.3.4").is_none());
    }

    #[test]
    fn hex() {
        for (range, yes, no) in [
            ("~> 2.0", "2.9.0", "3.0.0"),
            ("~> 2.0.1", "2.0.9", "2.1.0"),
            ("~> 2.0.1", "2.0.1", "2.1.0-dev"),
            (">= 1.0.0 and < 1.2.0 or == 2.0.0", "2.0.0", "1.2.0"),
            ("!= 1.0.0", "1.0.1", "1.0.0"),
        ] {
            assert_eq!(hex_takes(range, &v(yes)), Some(true), "{range} {yes}");
            assert_eq!(hex_takes(range, &v(no)), Some(false), "{range} {no}");
        }
        assert_eq!(hex_takes("~> 2", &v("2.0.0")), None);
        assert_eq!(hex_takes("what", &v("2.0.0")), None);
    }

    #[test]
    fn cargo_and_pub() {
        assert_eq!(cargo_takes("1.2", &v("1.9.0")), Some(true));
        assert_eq!(cargo_takes("1.2", &v("2.0.0")), Some(false));
        assert_eq!(cargo_takes("=1.2.3, <2", &v("1.2.3")), Some(true));
        assert_eq!(cargo_takes("git", &v("1.2.3")), None);
        assert_eq!(pub_takes("^1.2.3", &v("1.9.0")), Some(true));
        assert_eq!(pub_takes("^1.2.3", &v("2.0.0-dev")), Some(false));
        assert_eq!(pub_takes("^0.2.3", &v("0.3.0")), Some(false));
        assert_eq!(pub_takes(">=1.0.0 <2.0.0", &v("2.0.0-dev")), Some(false));
        assert_eq!(pub_takes(">= 1.0.0 < 2.0.0", &v("1.5.0")), Some(true));
        assert_eq!(pub_takes("any", &v("1.5.0")), Some(true));
    }
}
