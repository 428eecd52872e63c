//! Bills of material: CycloneDX and SPDX, out of what the lockfiles say and back into it.
//!
//! A document is a function of its input: the time and the serial number are given, and the order is
//! fixed, so that the same lockfiles make the same bytes.

mod component;
mod cyclonedx;
mod read_cyclonedx;
mod read_spdx;
mod spdx;

use std::sync::Arc;

use crate::lockfile::Inventory;

pub use component::{Bill, Component};

/// The forms in which a bill of materials is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// CycloneDX 1.4 as JSON.
    CycloneDx14,
    /// CycloneDX 1.5 as JSON.
    CycloneDx15,
    /// CycloneDX 1.6 as JSON.
    CycloneDx16,
    /// SPDX 2.3 as JSON.
    Spdx23,
}

impl Form {
    /// Every one.
    pub const ALL: [Form; 4] = [Form::CycloneDx14, Form::CycloneDx15, Form::CycloneDx16, Form::Spdx23];

    /// As a person asks for it on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Form::CycloneDx14 => "cyclonedx-1.4",
            Form::CycloneDx15 => "cyclonedx-1.5",
            Form::CycloneDx16 => "cyclonedx",
            Form::Spdx23 => "spdx",
        }
    }
}

/// What stands at the head of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What the document describes: the project's name.
    pub name: String,
    /// Its version; empty where there is none.
    pub version: String,
    /// Wardroom's own version.
    pub tool_version: String,
    /// When the document is made, in seconds since 1970.
    pub created: i64,
    /// A random UUID in its usual form, `8-4-4-4-12` hexadecimal digits.
    pub serial: String,
}

/// Writes a bill of materials as JSON text that ends with a newline.
pub fn write(form: Form, head: &Head, bill: &Bill) -> String {
    match form {
        Form::CycloneDx14 => cyclonedx::write("1.4", head, bill),
        Form::CycloneDx15 => cyclonedx::write("1.5", head, bill),
        Form::CycloneDx16 => cyclonedx::write("1.6", head, bill),
        Form::Spdx23 => spdx::write(head, bill),
    }
}

/// Whether a path is called as bills of material are.
pub fn matches(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    matches!(name.as_str(), "bom.json" | "bom.xml" | "sbom.json" | "sbom.xml" | "sbom.spdx")
        || [".cdx.json", ".cdx.xml", ".bom.json", ".spdx.json", ".spdx"].iter().any(|e| name.ends_with(e))
}

/// Reads a bill of materials, whichever it is: its packages, those that it calls the project's own as
/// direct, with licences and with what needs what. What could not be understood is a problem of the
/// inventory, as with a lockfile.
pub fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace() && !matches!(b, 0xef | 0xbb | 0xbf));
    match first {
        Some(b'<') => read_cyclonedx::xml(file, bytes),
        Some(b'{') if memchr::memmem::find(bytes, b"\"spdxVersion\"").is_some() => {
            read_spdx::json(file, bytes)
        }
        Some(b'{') => read_cyclonedx::json(file, bytes),
        _ => read_spdx::tags(file, bytes),
    }
}

/// Seconds since 1970 as `2026-11-27T00:00:00Z`; the beginning of 1970 where no such time can be written.
fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
