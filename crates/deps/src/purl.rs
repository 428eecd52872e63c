//! Package URLs: one name for a package, whichever tool says it.

use std::fmt::Write;

use crate::Ecosystem;

/// The package URL of a package: `pkg:gem/rails@7.0.4`, `pkg:npm/%40babel/core@7.0.0`. Without a version where
/// that is empty.
pub fn purl(ecosystem: Ecosystem, name: &str, version: &str) -> String {
    let mut out = format!("pkg:{}/", ecosystem.purl_type());
    let name = match ecosystem {
        Ecosystem::Maven => name.replacen(':', "/", 1),
        _ => crate::normalised(ecosystem, name),
    };
    for (index, part) in name.split('/').filter(|part| !part.is_empty()).enumerate() {
        if index > 0 {
            out.push('/');
        }
        escape(part, &mut out);
    }
    if !version.is_empty() {
        out.push('@');
        escape(version, &mut out);
    }
    out
}

/// Letters, digits, `.`, `-`, `_`, `~` and `:` stand for themselves; all other bytes are escaped.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (ecosystem, name, version, expected) in [
            (Ecosystem::RubyGems, "rails", "7.0.4", "pkg:gem/rails@7.0.4"),
            (Ecosystem::Npm, "@babel/core", "7.0.0", "pkg:npm/%40babel/core@7.0.0"),
            (Ecosystem::Maven, "org.x:core", "1", "pkg:maven/org.x/core@1"),
            (Ecosystem::PyPi, "Py_Tool", "1!2", "pkg:pypi/py-tool@1%212"),
            (
                Ecosystem::Go,
                "github.com/a/b",
                "v1.0.0+incompatible",
                "pkg:golang/github.com/a/b@v1.0.0%2Bincompatible",
            ),
            (Ecosystem::RubyGems, "é", "", "pkg:gem/%C3%A9"),
        ] {
            assert_eq!(purl(ecosystem, name, version), expected);
        }
    }
}
