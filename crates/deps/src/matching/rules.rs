//! The rules about published weaknesses, with their pages.

use wardroom_model::Rule;

wardroom_model::rule! {
    /// The lockfile holds a version of a library that has a published weakness.
    ///
    /// ## Why it is bad
    ///
    /// What is published is known to everybody, and often comes with a ready-made attack: scanners of others
    /// try it on every address they find. Whether the weakness can be reached depends on how the application
    /// uses the library; that the library has it does not.
    ///
    /// ## Example
    ///
    /// ```text
    /// GEM
    ///   specs:
    ///     rack (2.2.3)
    /// ```
    ///
    /// ## Use instead
    ///
    /// The smallest version that mends it, and nothing else changed:
    ///
    /// ```text
    /// bundle update --conservative rack
    /// ```
    ///
    /// Where a parent's requirement is in the way, the finding says which one; update the parent first.
    ///
    /// ## References
    ///
    /// - CWE-1395: Dependency on Vulnerable Third-Party Component
    /// - OWASP Top 10, "Vulnerable and Outdated Components"
    vulnerable_library: "vulnerable-library", "A library with a published weakness", Libraries, 1395, High
}

wardroom_model::rule! {
    /// The project asks for a version of its language's interpreter that has a published weakness.
    ///
    /// ## Why it is bad
    ///
    /// The interpreter parses what strangers send before any code of the application sees it: addresses,
    /// dates, regular expressions, certificates. A weakness there is one in every application that runs on it.
    ///
    /// ## Example
    ///
    /// ```text
    /// RUBY VERSION
    ///    ruby 2.7.1p83
    /// ```
    ///
    /// ## Use instead
    ///
    /// The newest release of a series that is still supported, in the Gemfile, the lockfile, `.ruby-version`
    /// and the image that runs it.
    ///
    /// ## References
    ///
    /// - CWE-1395: Dependency on Vulnerable Third-Party Component
    vulnerable_runtime: "vulnerable-runtime", "An interpreter with a published weakness", Libraries, 1395, High
}

/// The rules of this part.
pub fn rules() -> [&'static Rule; 2] {
    [vulnerable_library(), vulnerable_runtime()]
}
