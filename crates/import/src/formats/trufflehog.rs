//! TruffleHog's JSON lines: 3 and 2. The secret itself is never taken over.

use serde_json::Value;
use wardroom_model::{Confidence, Severity};

use super::gitleaks::without;
use super::{Format, Likeness};
use crate::shape::Json as _;
use crate::wording::{first, labelled, paragraphs};
use crate::{Place, Report, Reported, Shape};

/// The format.
#[derive(Debug)]
pub(super) struct Trufflehog;

impl Format for Trufflehog {
    fn name(&self) -> &'static str {
        "trufflehog"
    }

    fn title(&self) -> &'static str {
        "TruffleHog"
    }

    fn knows(&self, shape: &Shape) -> Likeness {
        let ours = |v: &Value| {
            (v.has("DetectorName") && v.at("SourceMetadata").is_some())
                || (v.has("stringsFound") && v.has("reason") && v.has("path"))
        };
        if shape.values().iter().take(20).any(ours) { Likeness::Sure } else { Likeness::No }
    }

    fn read(&self, shape: &Shape, report: &mut Report<'_>) {
        for (at, leak) in shape.values().iter().enumerate() {
            if leak.has("DetectorName") {
                report.found(newer(leak));
            } else if leak.has("reason") {
                report.found(older(leak));
            } else if !leak.is_object() {
                report.problem(&format!("line {}", at + 1), "a leak is an object");
            }
        }
    }
}

const REMEDY: &str =
    "Revoke the secret, make a new one and keep it out of the repository; its history still holds it.";

/// Version 3. Where the leak stands depends on what was scanned: `SourceMetadata.Data` has one key, the source's name.
fn newer(leak: &Value) -> Reported {
    let nothing = Value::Null;
    let data = leak.at("SourceMetadata.Data").and_then(Value::as_object);
    let (source, at) =
        data.and_then(|d| d.iter().next()).map_or(("", &nothing), |(name, v)| (name.as_str(), v));
    let detector = leak.text("DetectorName");
    let verified = leak.text("Verified") == "true";
    let file = first([
        at.text("file"),
        at.text("path"),
        at.text("key"),
        at.text("link"),
        at.text("image"),
        at.text("repository"),
    ]);
    let redacted = leak.text("Redacted");
    Reported {
        rule: detector.clone(),
        title: format!("{detector} secret in {}", first([file.clone(), source.to_owned()])),
        description: paragraphs([
            match verified {
                true => format!("TruffleHog logged in with it: this secret of {detector} works."),
                false => format!("This looks like a secret of {detector}; nobody tried whether it works."),
            },
            labelled("Repository", &at.text("repository")),
            labelled("Commit", &at.text("commit")),
            labelled("Author", &first([at.text("email"), at.text("username")])),
            labelled("Layer", &at.text("layer")),
        ]),
        remedy: REMEDY.to_owned(),
        severity: Some(if verified { Severity::Critical } else { Severity::Medium }),
        confidence: Some(if verified { Confidence::High } else { Confidence::Low }),
        cwes: vec![798],
        place: (!file.is_empty()).then(|| Place {
            // Some detectors have no part of a secret that may be shown, and repeat it whole.
            snippet: without(&redacted, &leak.text("Raw")),
            ..Place::new(file, at.whole("line"))
        }),
        references: vec![at.text("link"), leak.text("ExtraData.rotation_guide")],
        found: at.text("timestamp"),
        tags: vec![source.to_owned(), leak.text("DecoderName")],
        ..Reported::default()
    }
}

/// Version 2, which knows patterns and entropy.
fn older(leak: &Value) -> Reported {
    let (reason, path) = (leak.text("reason"), leak.text("path"));
    let guessed = reason.eq_ignore_ascii_case("high entropy");
    Reported {
        rule: reason.clone(),
        title: format!("{reason} in {path}"),
        description: paragraphs([
            labelled("Commit", &leak.text("commitHash")),
            labelled("Branch", &leak.text("branch")),
            labelled("Message", &headline_of_commit(leak)),
        ]),
        remedy: REMEDY.to_owned(),
        severity: Some(if guessed { Severity::Info } else { Severity::High }),
        confidence: Some(if guessed { Confidence::Low } else { Confidence::Medium }),
        cwes: vec![798],
        place: Some(Place::new(path, None)),
        found: leak.text("date"),
        ..Reported::default()
    }
}

/// The message of the commit, unless a secret stands in it.
fn headline_of_commit(leak: &Value) -> String {
    let message = crate::wording::headline(&leak.text("commit"));
    let told = leak.texts("stringsFound").iter().any(|s| message.contains(s.as_str()));
    if told { String::new() } else { message }
}

#[cfg(test)]
mod tests {
    use wardroom_model::Severity;

    use crate::read;

    #[test]
    fn both_versions_are_read_without_the_secret() {
        let text = r#"{"SourceMetadata": {"Data": {"Git": {"commit": "c", "file": "a.env", "line": 4, "repository": "r"}}},
             "DetectorName": "AWS", "Verified": true, "Raw": "s3cr3t0", "Redacted": "s3cr3t0"}
            {"branch": "b", "commit": "m", "commitHash": "h", "date": "d", "diff": "s3cr3t0", "path": "b.env",
             "reason": "High Entropy", "stringsFound": ["s3cr3t0"]}"#;
        let read = read("a.json", text.as_bytes(), None).unwrap();
        assert_eq!((read.format, read.findings.len()), ("trufflehog", 2));
        assert_eq!(read.findings[0].severity, Some(Severity::Critical));
        assert_eq!(read.findings[0].place.as_ref().unwrap().line, Some(4));
        assert!(!format!("{read:?}").contains("s3cr3t0"));
    }
}
