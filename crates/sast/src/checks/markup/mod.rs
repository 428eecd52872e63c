//! Cross-site scripting: data that becomes markup or script.

mod cross_site_scripting;
mod pieces;
mod place;
mod unescaped_helper_markup;

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[
    Check { rule: cross_site_scripting::rule, run: cross_site_scripting::run },
    Check { rule: unescaped_helper_markup::rule, run: unescaped_helper_markup::run },
];
