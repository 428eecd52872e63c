//! One weakness in one place, with the path that proves it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Confidence, Cwe, Endpoint, Fingerprint, Location, Severity};

/// One weakness in one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// What is wrong here, in one sentence that names the code's own words.
    pub message: String,
    /// Why the engine is as sure as it says, in a few words; empty where there is nothing to add.
    pub reason: String,
    /// How to mend it here, in one or two sentences.
    pub remedy: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// The weakness class.
    pub cwe: Cwe,
    /// Where the weakness is: the dangerous call, or the line that lacks something.
    pub location: Location,
    /// The definition around it: `BookingsController#new`, or a template's logical name; empty at the
    /// top of a file.
    pub scope: String,
    /// From where the data comes in to where it does harm; empty for a weakness that is a pattern.
    pub path: Vec<Step>,
    /// Where else the same thing stands: a key that is written in many files is one finding.
    pub places: Vec<Location>,
    /// The library that it is about.
    pub package: Option<Package>,
    /// What was published about that library.
    pub advisory: Option<Advisory>,
    /// Whether the application gets to the library's weak code; none where nobody has looked.
    pub reach: Option<Reach>,
    /// From where outside it can be reached.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// A safe mechanical change, where there is one.
    pub fix: Option<Fix>,
    /// Stays the same when lines move, code is reformatted or the file is renamed.
    pub fingerprint: Fingerprint,
    /// Set where an ignore covers the finding.
    pub suppression: Option<Suppression>,
}

/// A library as the lockfile names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Package {
    /// As its ecosystem writes it: `rails`, `@babel/core`, `org.apache.logging.log4j:log4j-core`.
    pub name: String,
    /// The locked version; empty where only a range is known.
    pub version: String,
    /// The package URL: `pkg:gem/rails@7.0.4`.
    pub purl: String,
}

/// How near an application comes to the weak code of a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// The library is not loaded where the application serves.
    NotLoaded,
    /// It is loaded; no call of the weak functions was seen, or none is named.
    Loaded,
    /// A function that the advisory names is called.
    Reached,
}

/// A published weakness of a library.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Advisory {
    /// The name that most people know it by: the CVE where there is one.
    pub id: String,
    /// Its other names, sorted.
    pub aliases: Vec<String>,
    /// Where to read it; empty where nobody says.
    pub url: String,
}

/// One step on the path from source to sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Where.
    pub location: Location,
    /// What happens there: `params[:q] is read`, `assigned to @q`, `passed to search`.
    pub note: String,
}

/// A minimal change that removes the weakness and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// What the change does, in one sentence.
    pub title: String,
    /// The replacements; they do not overlap.
    pub replacements: Vec<Replacement>,
}

/// One stretch of one file and what to put there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replacement {
    /// Relative to the scanned root.
    pub file: Arc<str>,
    /// First byte.
    pub start: u32,
    /// Just past the last byte.
    pub end: u32,
    /// The new text.
    pub text: String,
}

/// Why a finding is not counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// `inline`, `file` or `baseline`.
    pub kind: String,
    /// The reason that the author of the ignore gave.
    pub reason: String,
}
