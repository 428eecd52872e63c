//! The functions that an advisory's text names, where a feed has no field for them.

use std::collections::BTreeSet;

/// Most functions that are taken from one advisory.
const MOST: usize = 16;
/// Longest text that is looked through, in bytes.
const LONGEST: usize = 64 << 10;

/// Names like `Rack::Utils#parse` anywhere, and `Rack::Utils.parse`, or a bare name beside the word
/// "method", "helper" or "function", where the text marks them as code.
pub fn named_in(text: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let text = &text[..end];
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || "_:#?!".contains(c))) {
        if word.contains('#')
            && let Some(name) = qualified(word)
        {
            found.insert(name);
        }
    }
    // Every second piece stands between back quotes.
    let pieces: Vec<&str> = text.split('`').collect();
    for (index, piece) in pieces.iter().enumerate().skip(1).step_by(2) {
        let name = piece.split('(').next().unwrap_or_default().trim();
        if let Some(name) = qualified(name) {
            found.insert(name);
        } else if is_method(name) && name.len() > 2 {
            let before = pieces[index - 1].split_whitespace().next_back().unwrap_or_default();
            let after = pieces.get(index + 1).and_then(|p| p.split_whitespace().next()).unwrap_or_default();
            // A sentence that ends between the two words parts them.
            let before = before.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
            let after = after.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
            if says_function(before) || says_function(after) {
                found.insert(name.to_owned());
            }
        }
    }
    found.into_iter().take(MOST).collect()
}

fn says_function(word: &str) -> bool {
    let words = ["method", "methods", "helper", "helpers", "function", "functions"];
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// `Module::Class#method` or `Module::Class.method`.
fn qualified(word: &str) -> Option<String> {
    let (class, method) = word.split_once('#').or_else(|| word.rsplit_once('.'))?;
    let is_class = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    // `Node.js` and its like are names of projects, not calls.
    (class.split("::").all(is_class) && is_method(method) && method != "js").then(|| word.to_owned())
}

fn is_method(word: &str) -> bool {
    let stem = word.strip_suffix(['?', '!']).unwrap_or(word);
    stem.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && stem.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let text = "Calls of Rack::Utils#parse_query, `Rack::Utils.escape(x)` or the `sanitize` helper; `params` and \
                    `Node.js` and example.com, PR#12 and Foo#Bar are none, nor `config.x = 1`.";
        assert_eq!(named_in(text), ["Rack::Utils#parse_query", "Rack::Utils.escape", "sanitize"]);
        assert!(named_in(&"é#`".repeat(100_000)).is_empty());
    }
}
