//! What gets no more fixes, and what is old: release cycles of languages, systems and frameworks with the
//! days on which their support ends, and the age of libraries.

mod age;
mod cycle;
mod feed;
mod out_of_support;
mod outdated_library;

use wardroom_model::Rule;

pub use age::{Age, Releases, ages};
pub use cycle::{Cycle, End, Product, Table};
pub use feed::{api, front_matter};
pub use out_of_support::{looked_for, out_of_support};
pub use outdated_library::outdated_libraries;

/// Every rule of this module, by id.
pub fn rules() -> Vec<&'static Rule> {
    vec![out_of_support::rule(), outdated_library::rule()]
}
