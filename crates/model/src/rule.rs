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
    /// Code of others that the application brings along.
    Libraries,
    /// Keys and passwords that stand where anybody can read them.
    Secrets,
}

impl Category {
    /// Every family, in the order of the documentation.
    pub const ALL: [Category; 10] = [
        Category::Injection,
        Category::CrossSiteScripting,
        Category::FilesAndNetwork,
        Category::Access,
        Category::DataAndCryptography,
        Category::Configuration,
        Category::DenialOfService,
        Category::Versions,
        Category::Libraries,
        Category::Secrets,
    ];

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
            Category::Libraries => "Libraries",
            Category::Secrets => "Secrets",
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

/// Declares a rule: its doc comment is its page, its `--explain` and its training card.
///
/// ```text
/// rule! {
///     /// One paragraph: what the check flags.
///     ///
///     /// ## Why it is bad
///     /// …
///     /// ## Example
///     /// ```ruby
///     /// …
///     /// ```
///     /// ## Use instead
///     /// ```ruby
///     /// …
///     /// ```
///     /// ## References
///     /// - CWE-89 …
///     sql_injection: "sql-injection", "SQL built from what a user sends", Injection, 89, High,
///         "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
/// }
/// ```
#[macro_export]
macro_rules! rule {
    ($(#[doc = $doc:literal])+ $name:ident: $id:literal, $title:literal, $category:ident, $cwe:literal, $severity:ident $(, $cvss:literal)? $(,)?) => {
        $(#[doc = $doc])+
        pub fn $name() -> &'static $crate::Rule {
            static RULE: std::sync::LazyLock<$crate::Rule> = std::sync::LazyLock::new(|| $crate::Rule {
                id: $id,
                title: $title,
                category: $crate::Category::$category,
                cwe: $crate::Cwe($cwe),
                severity: $crate::Severity::$severity,
                cvss: [$(Some($cvss),)? None][0],
                doc: $crate::dedent(concat!($($doc, "\n"),+)),
            });
            &RULE
        }
    };
}

/// A doc comment's text: the space that stands behind each `///` is taken off. The text is made once
/// for each rule and kept for the life of the process.
pub fn dedent(text: &str) -> &'static str {
    let lines: Vec<&str> = text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    Box::leak(lines.join("\n").into_boxed_str())
}
