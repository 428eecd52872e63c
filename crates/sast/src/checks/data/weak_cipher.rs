//! Ciphers and modes that are broken, and initialisation vectors that never change.

use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::Kind;

use super::{naming, place};
use crate::context::Context;

wardroom_model::rule! {
    /// Data is encrypted with a broken cipher (DES, RC4, RC2, Blowfish), in ECB mode, or with an
    /// initialisation vector that is the same each time.
    ///
    /// ## Why it is bad
    ///
    /// DES and RC4 can be broken by computation. ECB encrypts equal blocks to equal blocks, so the
    /// pattern of the data stays visible. A constant vector shows where two texts begin alike, and in
    /// counter modes gives both away.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// cipher = OpenSSL::Cipher.new("aes-256-ecb")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// cipher = OpenSSL::Cipher.new("aes-256-gcm").encrypt
    /// iv = cipher.random_iv
    /// ActiveSupport::MessageEncryptor.new(key)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-327: Use of a Broken or Risky Cryptographic Algorithm
    /// - CWE-329: Generation of Predictable IV with CBC Mode
    rule: "weak-cipher", "A broken cipher, mode or constant vector", DataAndCryptography, 327, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N"
}

/// Looks at the names of ciphers, and at `iv=`.
pub fn run(context: &Context<'_, '_>) {
    let hint = place::hint!("Cipher|RC4|Crypt|attr_encrypted");
    place::calls(context, hint, &mut |id, node, call| {
        let class = call.recv.as_ref().and_then(place::constant).unwrap_or_default();
        let aside = naming::is_aside(&context.file(id).path);
        if call.name == "new" && class.contains("Cipher") {
            let name = match call.args.as_slice() {
                [first, rest @ ..] => {
                    let mut name = String::new();
                    for part in std::iter::once(first).chain(rest) {
                        match &part.kind {
                            Kind::Str(text) => name.push_str(text),
                            Kind::Sym(text) => name.push_str(text),
                            Kind::Int(number) => name.push_str(&number.to_string()),
                            // The name stands elsewhere: in a constant, a variable, a method.
                            _ => name.extend(context.literal(id, part).map(|l| l.text)),
                        }
                        name.push('-');
                    }
                    format!("{}-{name}", class.rsplit("::").next().unwrap_or_default())
                }
                [] => class.rsplit("::").next().unwrap_or_default().to_owned(),
            };
            if let Some(why) = weakness(&name) {
                context
                    .finding(rule(), id, node.span, format!("`{}` {why}", context.source(id, node.span)))
                    .confidence(if aside { Confidence::Low } else { Confidence::High })
                    .remedy(
                        "Use AES-256 in GCM mode with a random vector, or `ActiveSupport::MessageEncryptor`.",
                    )
                    .report();
            }
        } else if call.name == "iv=" && call.recv.is_some() {
            if let Some(value) = call.args.last()
                && context.literal(id, value).is_some()
            {
                context
                    .finding(rule(), id, node.span, "The initialisation vector is the same each time")
                    .confidence(if aside { Confidence::Low } else { Confidence::High })
                    .remedy(
                        "Call `random_iv` for each message and keep the vector beside the encrypted text.",
                    )
                    .report();
            }
        } else if call.name == "attr_encrypted" {
            let mode = place::keyword(call, "mode").and_then(wardroom_rails::literal_name);
            if mode.is_some_and(|m| m == "single_iv_and_salt")
                || matches!(place::keyword(call, "insecure_mode").map(|n| &n.kind), Some(Kind::True))
            {
                context
                    .finding(
                        rule(),
                        id,
                        node.span,
                        "`attr_encrypted` is told to use one vector for all values",
                    )
                    .confidence(Confidence::Medium)
                    .severity(Severity::Low)
                    .remedy("Leave `mode` and `insecure_mode` out, and encrypt the stored values anew.")
                    .report();
            }
        }
    });
}

fn weakness(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let parts: Vec<&str> = upper.split(['-', '_', ':']).filter(|p| !p.is_empty()).collect();
    if parts.contains(&"ECB") {
        return Some("encrypts equal blocks to equal blocks (ECB)");
    }
    if parts
        .iter()
        .any(|p| matches!(*p, "DES" | "RC4" | "RC2" | "BF" | "CAST5" | "IDEA" | "BLOWFISH" | "DES3" | "SEED"))
        && !parts.contains(&"AES")
    {
        return Some("uses a cipher that is too weak today");
    }
    None
}
