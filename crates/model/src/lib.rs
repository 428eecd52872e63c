//! The words that every part of Wardroom shares: findings, severities, locations, endpoints.
//!
//! Plain data with its reading, ordering and printing. This crate never reads a file, opens a
//! connection, knows the time or rolls a die, and depends on nothing else of Wardroom.

mod endpoint;
mod finding;
mod fingerprint;
mod location;
mod problem;
mod report;
mod rule;
mod severity;

pub use endpoint::{Endpoint, Filter, FilterRole, Verb};
pub use finding::{Advisory, Finding, Fix, Package, Reach, Replacement, Step, Suppression};
pub use fingerprint::{Fingerprint, normalise};
pub use location::{Location, Position};
pub use problem::Problem;
pub use report::{Feed, Report, Stats};
pub use rule::{Category, Cwe, Rule, dedent};
pub use severity::{Confidence, ParseLevelError, Severity};
