//! From what a check saw to a finding with its place and its name.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use wardroom_model::{Confidence, Finding, Fingerprint, Location, Rule, Severity};
use wardroom_source::LineIndex;

use super::File;
use crate::{Package, Purl};

/// Most further places that one finding tells.
const MOST_PLACES: usize = 50;

/// A stretch of a file.
pub type Place<'s, 'a> = (&'s File<'a>, (u32, u32));
/// Where each thing is used, by its name and its version.
pub type Uses<'s, 'a> = BTreeMap<(&'s str, &'s str), Vec<Place<'s, 'a>>>;

/// Takes findings in.
#[derive(Default)]
pub struct Reporter {
    found: Vec<Finding>,
    ordinals: FxHashMap<(String, String), u32>,
    /// The lines of the files, by the address of their path: a file is asked for many times.
    lines: FxHashMap<String, LineIndex>,
}

/// What a check says of one place.
pub struct Sighting<'a, 's> {
    /// The rule.
    pub rule: &'static Rule,
    /// The file.
    pub file: &'s File<'a>,
    /// The bytes.
    pub span: (u32, u32),
    /// What is wrong, in one sentence without a full stop at its end.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
    /// How sure.
    pub confidence: Confidence,
    /// How bad, where it is not what the rule says.
    pub severity: Option<Severity>,
    /// Which package, where it is about one.
    pub package: Option<&'s Package>,
    /// What tells this finding from others of the rule when lines move: a name.
    pub key: String,
    /// Where else the same stands.
    pub places: Vec<Place<'s, 'a>>,
}

impl Reporter {
    /// Takes one in.
    pub fn report(&mut self, sighting: Sighting<'_, '_>) {
        let scope = sighting.file.name().to_owned();
        let slot = self.ordinals.entry((sighting.rule.id.to_owned(), format!("{scope}\0{}", sighting.key)));
        let ordinal = *slot.and_modify(|n| *n += 1).or_insert(0);
        let location = self.location(sighting.file, sighting.span);
        let places = sighting.places.iter().take(MOST_PLACES).map(|(f, s)| self.location(f, *s)).collect();
        self.found.push(Finding {
            rule: sighting.rule.id.to_owned(),
            message: sighting.message,
            reason: String::new(),
            remedy: sighting.remedy,
            severity: sighting.severity.unwrap_or(sighting.rule.severity),
            confidence: sighting.confidence,
            cwe: sighting.rule.cwe,
            location,
            fingerprint: Fingerprint::new(sighting.rule.id, &scope, &sighting.key, ordinal),
            scope: String::new(),
            path: Vec::new(),
            places,
            package: sighting.package.map(|package| wardroom_model::Package {
                name: package.name.clone(),
                version: package.version.clone(),
                purl: Purl::of(package).to_string(),
            }),
            advisory: None,
            endpoints: Vec::new(),
            fix: None,
            suppression: None,
        });
    }

    fn location(&mut self, file: &File<'_>, span: (u32, u32)) -> Location {
        let lines = self.lines.entry(file.path.to_string()).or_insert_with(|| LineIndex::new(file.text));
        lines.location(file.path, file.text, span.0, span.1)
    }

    /// All that was taken in.
    pub fn findings(self) -> Vec<Finding> {
        self.found
    }
}

/// Names for a message: three of them, and how many more there are.
pub fn named<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let count = names.len();
    let shown: Vec<String> = names.take(3).map(|n| format!("`{n}`")).collect();
    match count {
        0..=3 => shown.join(", "),
        _ => format!("{} and {} more", shown.join(", "), count - 3),
    }
}
