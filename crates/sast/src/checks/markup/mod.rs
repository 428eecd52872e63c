//! Cross-site scripting: data that becomes markup or script.

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[];
