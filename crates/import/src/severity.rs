//! Words and numbers for how bad, as tools write them.

use wardroom_model::{Confidence, Severity};

/// A word: `CRITICAL`, `Moderate`, `warning`, `informational`; none for one that says nothing (`unknown`).
pub(crate) fn of_word(word: &str) -> Option<Severity> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "critical" | "blocker" | "urgent" | "severe" => Severity::Critical,
        "high" | "error" | "important" | "major" => Severity::High,
        "medium" | "moderate" | "warning" | "warn" => Severity::Medium,
        "low" | "minor" | "note" | "negligible" | "style" => Severity::Low,
        "info" | "information" | "informational" | "none" | "log" => Severity::Info,
        _ => return None,
    })
}

/// A CVSS score.
pub(crate) fn of_score(score: f32) -> Severity {
    Severity::of_score(f64::from(score))
}

/// The base score of a vector of v2, v3.x or v4.0.
pub(crate) fn score_of(vector: &str) -> Option<f32> {
    use std::str::FromStr as _;
    let parsed = cvss::Cvss::from_str(vector.trim_matches(['(', ')', ' '])).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "a score has one decimal")]
    let score = parsed.score() as f32;
    Some(score)
}

/// A word for how sure: `High`, `firm`, `Certain`, `tentative`.
pub(crate) fn confidence_of_word(word: &str) -> Option<Confidence> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "high" | "certain" | "confirmed" | "very high" => Confidence::High,
        "medium" | "firm" | "moderate" => Confidence::Medium,
        "low" | "tentative" | "weak" => Confidence::Low,
        _ => return None,
    })
}

/// A vector as CVSS writes it: version 3 with its prefix, which some tools leave out, and version 2 without brackets.
pub(crate) fn vector(text: &str) -> String {
    let text = text.trim().trim_matches(['(', ')']).trim().trim_start_matches('/');
    let text = text.strip_prefix("CVSS2#").or_else(|| text.strip_prefix("CVSS:2.0/")).unwrap_or(text);
    if !text.contains(':') || text.starts_with("CVSS:") {
        return text.to_owned();
    }
    match text.split('/').any(|part| part.starts_with("PR:")) {
        true => format!("CVSS:3.0/{text}"),
        false => text.to_owned(),
    }
}
