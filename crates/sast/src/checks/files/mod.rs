//! Files and network: paths, archives, outgoing requests, redirects, deserialisation.

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[];
