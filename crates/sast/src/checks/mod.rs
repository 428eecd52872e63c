//! Every check, by family. A new check is a file in its family's folder and a line in its list.

pub mod access;
pub mod data;
pub mod files;
pub mod injection;
pub mod markup;

use crate::rule::Check;

/// All checks.
pub fn all() -> Vec<Check> {
    [access::CHECKS, data::CHECKS, files::CHECKS, injection::CHECKS, markup::CHECKS].concat()
}
