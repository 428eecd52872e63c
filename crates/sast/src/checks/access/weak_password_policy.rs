//! Passwords that may be shorter than eight characters.

use wardroom_model::Confidence;
use wardroom_rails::literal_name;
use wardroom_ruby::ir::{Kind, Node};

use super::practice::keyword;
use crate::context::Context;

/// NIST SP 800-63B, section 5.1.1.2: at least eight characters.
const SHORTEST: i64 = 8;

wardroom_model::rule! {
    /// The rules for passwords take one of fewer than eight characters.
    ///
    /// ## Why it is bad
    ///
    /// Short passwords are guessed, and from a leaked table of hashes they are read back within hours.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// config.password_length = 6..128
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// config.password_length = 12..128
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-521: Weak Password Requirements
    /// - NIST SP 800-63B, section 5.1.1.2
    rule: "weak-password-policy", "Passwords shorter than eight characters", Access, 521, Low
}

/// Looks at Devise's setting and at validations.
pub fn run(context: &Context<'_, '_>) {
    context.calls_named(
        &["password_length=", "devise", "validates_length_of", "validates_size_of", "validates"],
        |file, _, call| {
            let (value, at) = match call.name.as_str() {
                "password_length=" => (call.args.first(), call.args.first()),
                "devise" if call.recv.is_none() => {
                    (keyword(call, "password_length"), keyword(call, "password_length"))
                }
                "validates_length_of" | "validates_size_of" | "validates" => {
                    if !call
                        .args
                        .iter()
                        .filter_map(literal_name)
                        .any(|n| matches!(n.as_str(), "password" | "new_password" | "plain_password"))
                    {
                        return;
                    }
                    let options = if call.name == "validates" {
                        keyword(call, "length").or_else(|| keyword(call, "size"))
                    } else {
                        call.args.last()
                    };
                    let Some(Node { kind: Kind::Hash(pairs), .. }) = options else { return };
                    let found = pairs.iter().find(|p| {
                        literal_name(&p.key)
                            .is_some_and(|k| matches!(k.as_str(), "minimum" | "within" | "in" | "is"))
                    });
                    (found.map(|p| &p.value), found.map(|p| &p.value))
                }
                _ => return,
            };
            let (Some(value), Some(at)) = (value, at) else { return };
            let least = match &value.kind {
                Kind::Int(least) => *least,
                Kind::Range(ends) => match ends.0.kind {
                    Kind::Int(least) => least,
                    Kind::Nil => 0,
                    _ => return,
                },
                _ => return,
            };
            if least < SHORTEST {
                context
                    .finding(rule(), file, at.span, format!("a password of {least} characters is taken"))
                    .confidence(if least < 6 { Confidence::High } else { Confidence::Medium })
                    .remedy("Ask for eight characters at least; twelve is better.")
                    .report();
            }
        },
    );
}
