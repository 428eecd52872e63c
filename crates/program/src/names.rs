//! The words that the format itself knows.

use crate::FieldType;

/// The types of fields.
pub const TYPES: &[&str] = &[
    "text",
    "markdown",
    "word",
    "choice",
    "severity",
    "confidence",
    "number",
    "date",
    "person",
    "team",
    "cvss",
    "url",
    "flag",
    "record",
];

/// The role of scans and policies; no person has it.
pub const ENGINE: &str = "engine";

/// What conditions may ask beside fields.
pub const FACTS: &[&str] =
    &["kind", "state", "open", "labels", "today", "age", "present", "opened", "entered"];

/// What can be made of numbers that are gathered.
pub const GATHERS: &[&str] = &["count", "sum", "highest", "lowest", "mean"];

/// What conditions of transitions may ask beside that: the login of who takes it.
pub const CALLER: &str = "caller";

/// The levels of severity, and of confidence.
pub const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];
/// The levels of confidence.
pub const CONFIDENCES: &[&str] = &["low", "medium", "high"];

/// The transitions of a finding that scans take, with the state that each must lead to where the
/// engine relies on one.
pub const ENGINE_TRANSITIONS: &[&str] = &["vanish", "return", "resolve", "adopt", "withdraw"];

/// The days of the week.
pub const DAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Whether a text can name something: it stands in addresses, searches and conditions.
pub fn fits(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// What pages call something that is named so: `in_progress`, `In progress`.
pub fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The values that a field takes, where they are few.
pub fn values(kind: &FieldType) -> Option<Vec<&str>> {
    match kind {
        FieldType::Choice(choices) if !choices.is_empty() => {
            Some(choices.iter().map(String::as_str).collect())
        }
        FieldType::Severity => Some(SEVERITIES.to_vec()),
        FieldType::Confidence => Some(CONFIDENCES.to_vec()),
        FieldType::Flag => Some(vec!["true", "false"]),
        _ => None,
    }
}
