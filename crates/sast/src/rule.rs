//! How a check declares itself.

use wardroom_model::Rule;

use crate::context::Context;

/// A rule and the function that looks for it.
#[derive(Clone, Copy)]
pub struct Check {
    /// What it says about itself.
    pub rule: fn() -> &'static Rule,
    /// Looks, and drafts findings through the context.
    pub run: fn(&Context<'_, '_>),
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
        pub fn $name() -> &'static wardroom_model::Rule {
            static RULE: std::sync::LazyLock<wardroom_model::Rule> = std::sync::LazyLock::new(|| wardroom_model::Rule {
                id: $id,
                title: $title,
                category: wardroom_model::Category::$category,
                cwe: wardroom_model::Cwe($cwe),
                severity: wardroom_model::Severity::$severity,
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
