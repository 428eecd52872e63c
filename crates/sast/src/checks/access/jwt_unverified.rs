//! Tokens whose signature nobody checks, or that anyone can sign.

use wardroom_model::Confidence;
use wardroom_rails::{Role, literal_name};
use wardroom_ruby::ir::{Kind, Node};
use wardroom_ruby::walk;

use super::practice::{any, constant, keyword};
use crate::context::Context;

wardroom_model::rule! {
    /// A JSON Web Token is decoded without checking its signature, with the algorithm `none`, or is
    /// signed with a secret that stands in the code.
    ///
    /// ## Why it is bad
    ///
    /// The token says who the caller is. Without a signature, or with one that anyone can make, the
    /// caller writes that name himself.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// JWT.decode(token, nil, false)
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// JWT.decode(token, Rails.application.secret_key_base, true, algorithm: "HS256")
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-347: Improper Verification of Cryptographic Signature
    rule: "jwt-unverified", "Token without a checked signature", Access, 347, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N"
}

/// Looks at every call of the JWT libraries.
pub fn run(context: &Context<'_, '_>) {
    context.calls_named(&["decode", "encode", "decode_compact_serialized"], |file, node, call| {
        if !matches!(context.file(file).role, Role::Ruby) {
            return;
        }
        if call.recv.as_ref().and_then(constant).is_none_or(|c| c != "JWT") {
            return;
        }
        let none = |n: &Node| any(n, &mut |n| literal_name(n).is_some_and(|l| l.eq_ignore_ascii_case("none")));
        let options = call.args.get(1..).unwrap_or_default();
        if options.iter().any(none) {
            context
                .finding(rule(), file, node.span, "the algorithm `none` signs nothing: anyone can write such a token")
                .confidence(Confidence::High)
                .remedy("Use HS256 with a secret key, or RS256, and name it in `decode`.")
                .report();
            return;
        }
        let skipped = call.name != "encode"
            && (matches!(call.args.get(2).map(|a| &a.kind), Some(Kind::False)) || call.args.get(1).is_some_and(|a| literal_name(a).is_some_and(|l| l == "skip_verification")) || keyword(call, "verify").is_some_and(|v| matches!(v.kind, Kind::False)));
        if skipped {
            // To read which key to check with, and to check after that, is common.
            let checked_after = checks_too(context, file);
            context
                .finding(rule(), file, node.span, "the token is read without checking its signature")
                .confidence(if checked_after { Confidence::Low } else { Confidence::High })
                .reason(if checked_after { "the same file checks a token as well: this may only look for the key" } else { "" })
                .remedy("Pass the key and `true`, and name the algorithm: `JWT.decode(token, key, true, algorithm: \"HS256\")`.")
                .report();
            return;
        }
        if let Some(Node { kind: Kind::Str(secret), span }) = call.args.get(1)
            && !secret.contains("BEGIN PUBLIC")
        {
            context
                .finding(rule(), file, *span, format!("the secret of the token stands in the code ({} characters)", secret.len()))
                .confidence(Confidence::High)
                .remedy("Take the key from the credentials, and make a new one: this one is known.")
                .report();
        }
    });
}

fn checks_too(context: &Context<'_, '_>, file: wardroom_rails::FileId) -> bool {
    let mut checked = false;
    walk::each(&context.file(file).parsed.body, &mut |node| {
        if let Kind::Call(call) = &node.kind
            && call.name == "decode"
            && call.recv.as_ref().and_then(constant).is_some_and(|c| c == "JWT")
        {
            let skipped = matches!(call.args.get(2).map(|a| &a.kind), Some(Kind::False))
                || call
                    .args
                    .get(1)
                    .is_some_and(|a| literal_name(a).is_some_and(|l| l == "skip_verification"));
            checked |= !skipped;
        }
        true
    });
    checked
}
