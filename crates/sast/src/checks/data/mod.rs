//! Data and cryptography, configuration, denial of service, versions.

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[];
