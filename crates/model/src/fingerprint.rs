//! The name of a weakness that stays when the code around it moves.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names one weakness across moved lines, reformatting and renamed files.
///
/// It is taken over the rule, the enclosing definition (class and method, or the template's logical
/// name), the code of the dangerous expression with white space folded, and an ordinal that tells
/// equal ones in one definition apart. Line numbers and folders stay out of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// `scope` names the enclosing definition; `code` is the expression's source; `ordinal` counts
    /// from 0 the findings of one rule in one scope with the same code, in source order.
    pub fn new(rule: &str, scope: &str, code: &str, ordinal: u32) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in [rule, scope, &normalise(code)] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        hasher.update(&ordinal.to_le_bytes());
        Fingerprint(hasher.finalize().to_hex()[..32].to_owned())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Code with its white space folded, so that reformatting does not count as a change: a space
/// stays only between two characters that would otherwise run together into one word.
pub fn normalise(code: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(code.len());
    let mut gap = false;
    for c in code.chars() {
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        if gap && word(c) && out.chars().next_back().is_some_and(word) {
            out.push(' ');
        }
        gap = false;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reformatting_keeps_the_name() {
        let a = Fingerprint::new("r", "User#find", "where( \"a\",\n   b )", 0);
        let b = Fingerprint::new("r", "User#find", "where(\"a\", b)", 0);
        assert_eq!(a, b);
        assert_ne!(a, Fingerprint::new("r", "User#find", "where(\"a\", c)", 0));
        assert_ne!(a, Fingerprint::new("r", "User#find", "where(\"a\", b)", 1));
        assert_ne!(normalise("return x"), normalise("returnx"));
    }
}
