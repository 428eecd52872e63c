//! Whether a search that a queue keeps names what exists.

use crate::Kind;
use crate::names;
use crate::problem::{At, Problems, crop, instead};

/// What searches can name of every record.
const KEYS: &[&str] = &[
    "is", "has", "no", "kind", "state", "label", "due", "opened", "updated", "closed", "age", "mentions",
    "sort",
];

/// What `is:` knows.
const IS: &[&str] = &["open", "closed", "late", "confidential", "seen", "unseen"];

/// Says what is wrong in a queue's search.
pub fn check(kind: &Kind, kinds: &[&str], search: &At<String>, problems: &mut Problems) {
    for term in terms(search.text()) {
        let term = term.trim_start_matches('-');
        // A term without a name, or one in quotes, is text to be found.
        let Some((key, value)) = term.split_once(':').filter(|(k, _)| names::fits(k)) else { continue };
        let value = value.trim_start_matches(['<', '>', '=']).trim_matches('"');
        let values: Vec<&str> = value.split(',').map(str::trim).filter(|v| !v.is_empty()).collect();
        if values.is_empty() {
            problems.about(search, format!("`{key}:` has no value"), None);
        }
        let allowed: Option<Vec<&str>> = match key {
            "is" => Some(IS.to_vec()),
            "state" => Some(kind.states.iter().map(|s| s.name.as_str()).collect()),
            "kind" => Some(kinds.to_vec()),
            "has" | "no" => {
                let fields = kind.fields.iter().map(|f| f.name.as_str());
                let links = kind.links.iter().map(|l| l.name.as_str());
                Some(fields.chain(links).chain(["label", "comment", "file", "clock"]).collect())
            }
            "label" if !kind.open_labels => Some(kind.labels.iter().map(|l| l.name.as_str()).collect()),
            _ if KEYS.contains(&key) => None,
            _ => match kind.field(key) {
                Some(field) if field.search => {
                    names::values(&field.kind).map(|v| v.into_iter().chain(["none"]).collect())
                }
                Some(_) => {
                    let help = format!("give the field `{key}` `search: true`");
                    problems.about(search, format!("searches cannot name the field `{key}`"), Some(help));
                    None
                }
                None => {
                    let fields = kind.fields.iter().filter(|f| f.search).map(|f| f.name.as_str());
                    let help = instead(key, KEYS.iter().copied().chain(fields));
                    problems.about(
                        search,
                        format!("the search names `{}`, which does not exist", crop(key)),
                        help,
                    );
                    None
                }
            },
        };
        for value in values {
            if let Some(allowed) = &allowed
                && !allowed.contains(&value)
            {
                let help = instead(value, allowed.iter().copied());
                problems.about(search, format!("`{key}` is never `{}`", crop(value)), help);
            }
        }
    }
}

/// Words apart by spaces; quotes keep spaces in a word.
fn terms(search: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut quoted = false;
    for c in search.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                terms.last_mut().into_iter().for_each(|t| t.push('"'));
            }
            c if c.is_whitespace() && !quoted => terms.push(String::new()),
            c => terms.last_mut().into_iter().for_each(|t| t.push(c)),
        }
    }
    terms.retain(|t| !t.is_empty());
    terms
}
