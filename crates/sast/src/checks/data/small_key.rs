//! Keys that are too short.

use wardroom_model::Confidence;
use wardroom_ruby::ir::Kind;

use super::{naming, place};
use crate::context::Context;

wardroom_model::rule! {
    /// An RSA, DSA or Diffie-Hellman key of less than 2048 bits is made, or a curve of less than 224.
    ///
    /// ## Why it is bad
    ///
    /// Keys of 1024 bits are within reach of well-equipped attackers: what was encrypted can be read
    /// and signatures forged.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// OpenSSL::PKey::RSA.new(1024)
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// OpenSSL::PKey::RSA.new(3072)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-326: Inadequate Encryption Strength
    /// - NIST SP 800-57 Part 1, table 2
    rule: "small-key", "A key that is too short", DataAndCryptography, 326, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N"
}

/// Looks at the sizes with which keys are made.
pub fn run(context: &Context<'_, '_>) {
    let hint = place::hint!("PKey|SSHKey");
    place::calls(context, hint, &mut |id, node, call| {
        let class = call.recv.as_ref().and_then(place::constant).unwrap_or_default();
        if !matches!(call.name.as_str(), "new" | "generate") {
            return;
        }
        let kind = class.rsplit("::").next().unwrap_or_default();
        let size = match call.args.first().map(|a| &context.behind(id, a).1.kind) {
            Some(Kind::Int(size)) => Some(*size),
            Some(Kind::Hash(_)) if class == "SSHKey" => match place::keyword(call, "bits").map(|n| &n.kind) {
                Some(Kind::Int(size)) => Some(*size),
                _ => None,
            },
            _ => None,
        };
        let small_curve = kind == "EC"
            && call
                .args
                .first()
                .and_then(place::text)
                .is_some_and(|t| ["112", "128", "160", "192"].iter().any(|s| t.contains(s)));
        let small = class.contains("PKey") && matches!(kind, "RSA" | "DSA" | "DH") || class == "SSHKey";
        if (small && size.is_some_and(|s| (1..2048).contains(&s))) || small_curve {
            context
                .finding(rule(), id, node.span, format!("`{}` makes a key that is too short", context.source(id, node.span)))
                .confidence(if naming::is_aside(&context.file(id).path) { Confidence::Low } else { Confidence::High })
                .remedy("Make RSA keys of 3072 bits (2048 at least), or elliptic-curve keys on `prime256v1` or Ed25519.")
                .report();
        }
    });
}
