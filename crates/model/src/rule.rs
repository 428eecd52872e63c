//! What a check says about itself, once, for the report, the rule's page and its training card.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Severity;

/// A weakness class by its number in the Common Weakness Enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cwe(pub u16);

impl fmt::Display for Cwe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CWE-{}", self.0)
    }
}

/// The family a check belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Data that becomes code: SQL, shell, Ruby, headers …
    Injection,
    /// Data that becomes markup or script.
    CrossSiteScripting,
    /// Paths, archives, outgoing requests, redirects, deserialisation.
    FilesAndNetwork,
    /// Who may do what.
    Access,
    /// Keys, hashes, randomness, leaks.
    DataAndCryptography,
    /// Settings of the application and its framework.
    Configuration,
    /// Work without bound.
    DenialOfService,
    /// Weaknesses of a locked version that need a code pattern to matter.
    Versions,
}

impl Category {
    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Category::Injection => "Injection",
            Category::CrossSiteScripting => "Cross-site scripting",
            Category::FilesAndNetwork => "Files and network",
            Category::Access => "Access",
            Category::DataAndCryptography => "Data and cryptography",
            Category::Configuration => "Configuration",
            Category::DenialOfService => "Denial of service",
            Category::Versions => "Versions",
        }
    }
}

/// One rule, as its check declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// `sql-injection`: kebab case, stable for ever.
    pub id: &'static str,
    /// `SQL built from what a user sends`: a short sentence without a full stop.
    pub title: &'static str,
    /// The family.
    pub category: Category,
    /// The weakness class.
    pub cwe: Cwe,
    /// The severity where nothing in the place says otherwise.
    pub severity: Severity,
    /// A CVSS v3.1 vector, where the class fixes one.
    pub cvss: Option<&'static str>,
    /// The rule's page in Markdown: what, why bad, example, use instead, references.
    pub doc: &'static str,
}

impl Rule {
    /// The first paragraph of the page, on one line.
    pub fn summary(&self) -> String {
        let paragraph = self.doc.trim_start().split("\n\n").find(|p| !p.trim_start().starts_with('#'));
        paragraph.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
