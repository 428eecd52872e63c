//! What people write: its bounds, and whom it mentions.

use crate::Refused;

/// Longest comment, in characters.
const LONGEST: usize = 64 * 1024;

/// A comment in its proper form.
pub fn checked(text: &str) -> Result<String, Refused> {
    let text = text.trim_end().replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err(Refused::invalid("text", "the comment is empty"));
    }
    if text.chars().count() > LONGEST {
        return Err(Refused::invalid("text", format!("at most {LONGEST} characters fit")));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(Refused::invalid("text", "control characters are not allowed"));
    }
    Ok(text)
}

/// The logins after `@` in a text, outside of code; each once.
pub fn mentions(text: &str) -> impl Iterator<Item = &str> {
    let mut found: Vec<&str> = Vec::new();
    // Between back quotes, every second piece is code.
    for prose in text.split('`').step_by(2) {
        for (at, _) in prose.match_indices('@') {
            let before = prose[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || "._-/".contains(c)) {
                continue;
            }
            let rest = &prose[at + 1..];
            let end =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(rest.len());
            let login = rest[..end].trim_end_matches(['.', '-', '_']);
            if !login.is_empty() && !found.contains(&login) {
                found.push(login);
            }
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_found_in_prose_alone() {
        let text = "@ana, see mail@example.com and `@code`; also (@ben.k). @ana";
        assert_eq!(mentions(text).collect::<Vec<_>>(), ["ana", "ben.k"]);
    }
}
