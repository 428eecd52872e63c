//! Versions of Composer's packages and what a `composer.json` may ask for.

use std::cmp::Ordering;

/// Most alternatives, and most comparisons in each, that are looked at.
const MOST: usize = 256;

/// A version, ready to be compared. Branches (`dev-main`) have no place among versions and are none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    numbers: [u64; 4],
    stability: Stability,
    /// The number behind the word: `beta2`.
    counter: Vec<u64>,
    /// `-dev` behind a word comes before that word without it.
    released: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stability {
    Dev,
    Alpha,
    Beta,
    Candidate,
    Stable,
    Patch,
}

/// The number that `x` stands for in a branch like `1.x-dev`.
const BRANCH: u64 = 9_999_999;

impl Version {
    /// Reads `v1.2.3`, `1.0.0-beta2`, `1.x-dev`, `2024.01.02`; `None` for branches and what is no version.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.split(['+', '@', '#', ' ']).next().unwrap_or_default();
        let text = text.strip_prefix('v').unwrap_or(text);
        if let Some(branch) = text.strip_suffix("-dev").filter(|branch| branch.contains(['x', '*'])) {
            return Version::of_branch(branch);
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (front, mut back) = text.split_at(end);
        let mut numbers = [0; 4];
        let front = front.trim_end_matches('.');
        for (index, part) in front.split('.').enumerate() {
            *numbers.get_mut(index)? = part.parse().ok()?;
        }
        let mut version =
            Version { numbers, stability: Stability::Stable, counter: Vec::new(), released: true };
        if let Some(rest) = back.strip_suffix("-dev") {
            version.released = false;
            back = rest;
        }
        back = back.trim_start_matches(['-', '_', '.']);
        if back.is_empty() {
            if !version.released {
                version.stability = Stability::Dev;
                version.released = true;
            }
            return Some(version);
        }
        let end = back.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(back.len());
        let (word, counter) = back.split_at(end);
        version.stability = match word {
            "dev" => Stability::Dev,
            "alpha" | "a" => Stability::Alpha,
            "beta" | "b" => Stability::Beta,
            "rc" => Stability::Candidate,
            "stable" => Stability::Stable,
            "patch" | "pl" | "p" => Stability::Patch,
            _ => return None,
        };
        for part in counter.split(['.', '-']).filter(|part| !part.is_empty()) {
            version.counter.push(part.parse().ok()?);
        }
        Some(version)
    }

    fn of_branch(text: &str) -> Option<Version> {
        let mut numbers = [BRANCH; 4];
        for (index, part) in text.split('.').enumerate() {
            let slot = numbers.get_mut(index)?;
            if !matches!(part, "x" | "*") {
                *slot = part.parse().ok()?;
            }
        }
        Some(Version { numbers, stability: Stability::Dev, counter: Vec::new(), released: true })
    }

    fn at(numbers: [u64; 4], stability: Stability) -> Version {
        Version { numbers, stability, counter: Vec::new(), released: true }
    }

    /// Whether it comes before a release.
    pub fn is_prerelease(&self) -> bool {
        self.stability < Stability::Stable || !self.released
    }
}

/// Whether a range takes a version: `^1.2`, `~1.2`, `1.*`, `>=1 <2`, `1.0 - 2.0`, joined by spaces, commas and `||`.
pub fn takes(range: &str, version: &Version) -> Option<bool> {
    let mut any = false;
    for alternative in range.split('|').filter(|part| !part.trim().is_empty()).take(MOST) {
        any |= alternative_takes(alternative, version)?;
    }
    Some(any || range.trim().is_empty())
}

fn alternative_takes(text: &str, version: &Version) -> Option<bool> {
    if let Some((low, high)) = text.split_once(" - ") {
        let high = high.trim();
        let count = high.split('.').count();
        let end = Version::parse(high)?;
        let below = if count < 3 { *version < past(end.numbers, count) } else { *version <= end };
        return Some(*version >= lowest(Version::parse(low.trim())?) && below);
    }
    let text = text.replace(',', " ");
    let mut all = true;
    let mut sign = "";
    for word in text.split_whitespace().take(MOST) {
        let (own, rest) =
            super::semantic::signed(word, &[">=", "<=", "!=", "<>", "==", ">", "<", "=", "^", "~"]);
        let own = if own.is_empty() { sign } else { own };
        if rest.is_empty() {
            sign = own;
            continue;
        }
        sign = "";
        all &= comparison(own, rest, version)?;
    }
    sign.is_empty().then_some(all)
}

fn comparison(sign: &str, text: &str, version: &Version) -> Option<bool> {
    let text = text.split('@').next().unwrap_or_default();
    if matches!(text, "*" | "x" | "") {
        return Some(true);
    }
    let trimmed = text.trim_start_matches(['v', 'V']);
    if let Some(start) = trimmed.strip_suffix(".*").or_else(|| trimmed.strip_suffix(".x")) {
        let start = start.trim_end_matches(".*").trim_end_matches(".x");
        let (low, count) = (Version::parse(start)?, start.split('.').count());
        let inside = *version >= lowest(low.clone()) && *version < past(low.numbers, count);
        return Some(if sign == "!=" { !inside } else { inside });
    }
    let end = Version::parse(trimmed)?;
    let count = trimmed.split(['-', '_']).next().unwrap_or_default().split('.').count();
    let order = version.cmp(&end);
    Some(match sign {
        ">=" => *version >= lowest(end),
        "<=" => order.is_le(),
        "!=" | "<>" => order.is_ne(),
        ">" => order.is_gt(),
        "<" => *version < lowest(end),
        "^" => {
            let fixed = end
                .numbers
                .iter()
                .position(|n| *n != 0)
                .map_or(count.max(1), |at| (at + 1).min(count.max(1)));
            *version >= lowest(end.clone()) && *version < past(end.numbers, fixed)
        }
        "~" => {
            *version >= lowest(end.clone()) && *version < past(end.numbers, count.saturating_sub(1).max(1))
        }
        _ => order == Ordering::Equal,
    })
}

/// An end without a word takes what comes before its release with it, as Composer has it.
fn lowest(version: Version) -> Version {
    match version.stability {
        Stability::Stable if version.counter.is_empty() => Version::at(version.numbers, Stability::Dev),
        _ => version,
    }
}

/// Just past all versions that share the first `fixed` numbers.
fn past(numbers: [u64; 4], fixed: usize) -> Version {
    let mut end = [0; 4];
    for (index, slot) in end.iter_mut().enumerate().take(fixed.min(4)) {
        *slot = numbers[index];
        if index + 1 == fixed.min(4) {
            *slot = slot.saturating_add(1);
        }
    }
    Version::at(end, Stability::Dev)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn order() {
        let ascending = [
            "1.0-dev",
            "1.0-alpha1",
            "1.0.0-a2",
            "1.0-beta2-dev",
            "1.0b2",
            "1.0-RC1",
            "1.0",
            "1.0-p1",
            "1.0.0.1",
            "1.x-dev",
            "2.0",
            "v2.0.1",
        ];
        for pair in ascending.windows(2) {
            assert!(v(pair[0]) < v(pair[1]), "{pair:?}");
        }
        assert_eq!(v("v1.2"), v("1.2.0.0"));
        for bad in ["dev-main", "", "master", "1.2.3.4.5", "1.0-what", "é"] {
            assert!(Version::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn ranges() {
        for (range, yes, no) in [
            ("^1.2.3", "1.9", "2.0"),
            ("^0.3", "0.3.9", "0.4.0"),
            ("^0", "0.9", "1.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("~1.2", "1.9", "2.0"),
            ("~1.2.3", "1.2.9", "1.3"),
            ("1.2.*", "1.2.9", "1.3"),
            (">=1.0 <1.1 || >=1.2", "1.2", "1.1"),
            (">= 1.0, < 2", "1.5", "2.0"),
            ("1.0 - 2.0", "2.0.9", "2.1"),
            ("1.0.0 - 2.1.0", "2.1.0", "2.1.1"),
            ("!=1.0", "1.1", "1.0"),
            ("<2.0", "1.9", "2.0-beta1"),
            ("^1.2@dev", "1.3", "2.0"),
        ] {
            assert_eq!(takes(range, &v(yes)), Some(true), "{range} {yes}");
            assert_eq!(takes(range, &v(no)), Some(false), "{range} {no}");
        }
        for bad in ["dev-main", ">=", "^x y"] {
            assert_eq!(takes(bad, &v("1.0")), None, "{bad}");
        }
        assert_eq!(takes("*", &v("1.0")), Some(true));
    }
}
