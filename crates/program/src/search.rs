//! Whether a search that a queue keeps names what exists.

use crate::names;
use crate::problem::{At, Problems, crop, instead};
use crate::{FieldType, Kind};

/// What searches can name of every record, whatever its fields. The language itself is the desk's, which
/// says at use what this does not know.
const KEYS: &[&str] = &[
    "is", "has", "no", "in", "kind", "state", "label", "link", "branch", "mentions", "id", "late", "opened",
    "age", "updated", "entered", "closed", "due", "reopened", "sort", "group",
];

/// Fields that are found by their name without `search: true`.
const ALWAYS: &[&str] = &["owner", "team", "severity", "confidence", "priority"];

/// What `is:` knows.
const IS: &[&str] = &["open", "closed", "late", "confidential", "reopened", "present", "gone"];

/// What `has:` and `no:` know beside fields.
const HAS: &[&str] = &["comments", "due", "evidence", "files", "links"];

/// What `sort:` knows.
const SORTS: &[&str] = &["priority", "due", "severity", "age", "updated", "opened", "id"];

/// Whether searches know something else by a name, so that a field of that name is never found.
pub fn taken(name: &str) -> bool {
    KEYS.contains(&name)
}

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
                Some(kind.fields.iter().map(|f| f.name.as_str()).chain(HAS.iter().copied()).collect())
            }
            "link" => Some(kind.links.iter().map(|l| l.name.as_str()).collect()),
            "sort" => Some(SORTS.to_vec()),
            "late" => Some(vec!["yes", "no"]),
            "label" if !kind.open_labels => Some(kind.labels.iter().map(|l| l.name.as_str()).collect()),
            _ if KEYS.contains(&key) => None,
            _ => match kind.field(key) {
                Some(field) if field.search || ALWAYS.contains(&key) || field.kind == FieldType::Markdown => {
                    names::values(&field.kind).filter(|_| field.kind != FieldType::Flag)
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
            // A beginning, or two ends.
            if value.ends_with('*') || value.contains("..") {
                continue;
            }
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
