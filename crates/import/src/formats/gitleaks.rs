//! Gitleaks' JSON: 8 and 7. The secret itself is never taken over.

use serde_json::Value;
use wardroom_model::Severity;

use super::{Format, Likeness};
use crate::shape::{Json as _, LONGEST_TEXT};
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape};

/// The format.
#[derive(Debug)]
pub(super) struct Gitleaks;

impl Format for Gitleaks {
    fn name(&self) -> &'static str {
        "gitleaks"
    }

    fn title(&self) -> &'static str {
        "Gitleaks"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = |v: &Value| {
            (v.has("RuleID") && v.has("File") && v.at("Secret").is_some())
                || (v.has("offender") && v.has("rule") && v.has("file"))
        };
        if shape.values().iter().take(20).any(ours) { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, leak) in shape.values().iter().enumerate() {
            if leak.is_object() {
                report.found(one(leak));
            } else {
                report.problem(&format!("[{at}]"), "a leak is an object");
            }
        }
    }
}

/// Gitleaks rates nothing; whoever reads the repository has the secret.
const SEVERITY: Severity = Severity::High;

fn one(leak: &Value) -> Reported {
    let either = |new: &str, old: &str| first([leak.text(new), leak.text(old)]);
    let file = either("File", "file");
    let about = either("Description", "rule");
    let secret = either("Secret", "offender");
    let small = |key: &str| leak.whole(key).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    Reported {
        rule: either("RuleID", "rule"),
        title: format!("{about} in {file}"),
        description: paragraphs([
            about,
            labelled("Commit", &either("Commit", "commit")),
            labelled("Author", &either("Author", "author")),
            labelled("Message", &without(&either("Message", "commitMessage"), &secret)),
        ]),
        remedy:
            "Revoke the secret, make a new one and keep it out of the repository; its history still holds it."
                .to_owned(),
        severity: Some(SEVERITY),
        cwes: vec![798],
        tool_id: leak.text("Fingerprint"),
        place: Some(Place {
            column: small("StartColumn"),
            end_line: small("EndLine"),
            snippet: without(&either("Match", "line"), &secret),
            ..Place::new(file, leak.whole("StartLine").or_else(|| leak.whole("lineNumber")))
        }),
        references: vec![either("Link", "leakURL")],
        found: either("Date", "date"),
        tags: [leak.texts("Tags"), leak.text("tags").split(',').map(|t| t.trim().to_owned()).collect()]
            .concat(),
        ..Reported::default()
    }
}

/// A text with stars in the place of the secret. A match that cannot be told from its secret is left out whole.
pub(super) fn without(text: &str, secret: &str) -> String {
    let secret = secret.trim();
    // A text that was cut may end in the middle of the secret.
    let cut = text.len() >= LONGEST_TEXT || secret.len() >= LONGEST_TEXT;
    if cut || secret.len() < 4 { String::new() } else { text.replace(secret, "****") }
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn both_versions_are_read_without_the_secret() {
        for (text, line) in [
            (
                r#"[{"Description": "AWS", "StartLine": 20, "EndLine": 20, "Match": "key=s3cr3t0", "Secret": "s3cr3t0",
                  "File": "a.env", "Commit": "c", "RuleID": "aws", "Fingerprint": "c:a.env:aws:20", "Tags": ["x"]}]"#,
                20,
            ),
            (
                r#"[{"line": "key=s3cr3t0", "lineNumber": 7, "offender": "s3cr3t0", "rule": "AWS", "file": "a.env", "tags": "a, b"}]"#,
                7,
            ),
        ] {
            let read = read("a.json", text.as_bytes(), None).unwrap();
            let place = read.findings[0].place.as_ref().unwrap();
            assert_eq!(
                (read.format, place.line, place.snippet.as_str()),
                ("gitleaks", Some(line), "key=****")
            );
            assert!(!format!("{read:?}").contains("s3cr3t0"));
        }
    }
}
