//! Libraries: which ones an application brings along, in which versions, what is published about
//! them, and the change that removes what is wrong.
//!
//! Pure: bytes of lockfiles, manifests and advisories go in, packages, findings and changed texts come
//! out. It never opens a file or a connection and never knows the time: today's date is a parameter. A
//! file that cannot be understood is a [`Problem`](wardroom_model::Problem) with its place, never a panic.

pub mod advisory;
pub mod index;
pub mod lockfile;
pub mod matching;
mod package;
pub mod purl;
pub mod sbom;
pub mod supply;
pub mod support;
pub mod upgrade;
pub mod version;

pub use package::{Dependency, Ecosystem, Origin, Package, Requirement, normalised};
pub use purl::{Purl, PurlError, purl};
