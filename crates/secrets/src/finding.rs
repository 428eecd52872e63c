//! From hits to findings: one for each secret, with its places, and nothing of the secret itself.

use std::collections::HashMap;

use wardroom_model::{Finding, Fingerprint, Suppression};

use crate::hit::Hit;

/// How often the hash is taken, so that guessing a weak password from a fingerprint costs some time.
const ROUNDS: u32 = 2048;

/// The name of a secret: the same for the same secret and salt, and of no use to find it out without
/// the salt. The format stays out of it, so that a secret keeps its name when a format is told better.
pub fn fingerprint(secret: &[u8], salt: &[u8]) -> Fingerprint {
    let key = blake3::derive_key("wardroom secrets fingerprint 1", salt);
    let mut hash = blake3::keyed_hash(&key, secret);
    for _ in 0..ROUNDS {
        hash = blake3::keyed_hash(&key, hash.as_bytes());
    }
    Fingerprint(hash.to_hex()[..32].to_owned())
}

/// The findings of a scan, worst first, then by place. The same secret in many places is one finding: at the place that is
/// told with most confidence, the others in `places`. It is suppressed where all its places are.
pub fn findings(hits: Vec<Hit>, salt: &[u8]) -> Vec<Finding> {
    let mut by_secret: HashMap<Vec<u8>, Vec<Hit>> = HashMap::new();
    for hit in hits {
        by_secret.entry(hit.secret.expose().to_vec()).or_default().push(hit);
    }
    let mut out: Vec<Finding> = by_secret
        .into_iter()
        .map(|(secret, mut group)| {
            group.sort_by(|a, b| {
                (a.allowed.is_some(), std::cmp::Reverse((a.confidence, a.severity)))
                    .cmp(&(b.allowed.is_some(), std::cmp::Reverse((b.confidence, b.severity))))
                    .then_with(|| a.location.cmp(&b.location))
            });
            finding(group, fingerprint(&secret, salt))
        })
        .collect();
    out.sort_by(|a, b| {
        (b.severity, b.confidence)
            .cmp(&(a.severity, a.confidence))
            .then_with(|| (&a.location, &a.rule, &a.fingerprint).cmp(&(&b.location, &b.rule, &b.fingerprint)))
    });
    out
}

fn finding(group: Vec<Hit>, fingerprint: Fingerprint) -> Finding {
    let mut hits = group.into_iter();
    let first = hits.next().expect("a group is made of a hit");
    let suppression = first
        .allowed
        .as_ref()
        .map(|reason| Suppression { kind: "inline".to_owned(), reason: reason.clone() });
    let rest: Vec<Hit> = hits.collect();
    let mut places: Vec<_> = rest
        .iter()
        .filter(|h| suppression.is_some() || h.allowed.is_none())
        .map(|h| h.location.clone())
        .collect();
    places.sort();
    places.dedup();
    let token = first.token;
    let what = if first.name.is_empty() { String::new() } else { format!(" in `{}`", first.name) };
    let article = if token.name.starts_with(['A', 'E', 'I', 'O']) { "An" } else { "A" };
    Finding {
        rule: token.rule.id.to_owned(),
        message: format!(
            "{article} {} ({}) stands{what} in the clear: {}",
            lower_first(&token.name),
            token.id,
            first.redacted
        ),
        reason: first.reason,
        remedy: token.rotate.clone(),
        severity: first.severity,
        confidence: first.confidence,
        cwe: token.rule.cwe,
        location: first.location,
        scope: String::new(),
        path: Vec::new(),
        places,
        package: None,
        advisory: None,
        reach: None,
        endpoints: Vec::new(),
        fix: None,
        fingerprint,
        suppression,
    }
}

/// A name of words begins small in a sentence; one of a provider does not.
fn lower_first(name: &str) -> String {
    let common = ["Password", "Private", "Key", "Address", "Credentials", "Hash", "Secret"];
    if common.iter().any(|c| name.split([' ', ',']).next() == Some(c)) {
        let mut chars = name.chars();
        return chars.next().map(|c| c.to_lowercase().collect::<String>()).unwrap_or_default()
            + chars.as_str();
    }
    name.to_owned()
}
