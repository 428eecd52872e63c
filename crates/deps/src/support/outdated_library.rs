//! Libraries that are years behind.

use wardroom_model::{Confidence, Finding, Severity};

use super::age::{Releases, ages};
use crate::supply::File;
use crate::supply::report::{Reporter, Sighting};

wardroom_model::rule! {
    /// A library that the project itself asks for is used in a release that is years older than the newest.
    ///
    /// ## Why it is bad
    ///
    /// Fixes come out for new releases. Whoever is years behind cannot take one in a hurry, when a weakness
    /// becomes known and the way to the fixed release leads over several breaking ones.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// gem "shop-payments", "~> 1.2"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// gem "shop-payments", "~> 4.0"
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1104: Use of Unmaintained Third Party Components
    /// - <https://libyear.com>
    rule: "outdated-library", "Library that is years behind", Libraries, 1104, Info
}

/// From how many years on a library is told.
const FROM: f64 = 2.0;
/// From how many years on it is more than a note.
const LOW_FROM: f64 = 4.0;

/// Looks at what the project itself asks for.
pub fn outdated_libraries(files: &[File<'_>], releases: &dyn Releases) -> Vec<Finding> {
    let mut reporter = Reporter::default();
    for file in files.iter().filter(|f| f.format.locks) {
        for age in ages(file.inventory, releases) {
            let package = &file.inventory.packages[age.package];
            if !package.direct || age.years < FROM {
                continue;
            }
            reporter.report(Sighting {
                rule: rule(),
                file,
                span: package.span,
                message: format!(
                    "`{}` {} is {:.1} years older than {}",
                    package.name, package.version, age.years, age.newest
                ),
                remedy: "Move to the newest release, one major version at a time.".to_owned(),
                confidence: Confidence::High,
                severity: (age.years >= LOW_FROM).then_some(Severity::Low),
                package: Some(package),
                key: package.name.clone(),
                places: Vec::new(),
            });
        }
    }
    reporter.findings()
}
