//! Injection: data that becomes code of some language.

mod sql_injection;

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[Check { rule: sql_injection::rule, run: sql_injection::run }];
