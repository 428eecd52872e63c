//! Access: who may do what, and how the application knows who asks.

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[];
