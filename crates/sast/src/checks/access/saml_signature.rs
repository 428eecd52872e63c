//! SAML answers that are taken without a sound signature.

use wardroom_model::Confidence;
use wardroom_rails::literal_name;
use wardroom_ruby::ir::{Call, Kind, Node};

use crate::context::Context;

wardroom_model::rule! {
    /// The settings of single sign-on by SAML do not ask for a signature, skip a check of the answer,
    /// or know the identity provider only by a fingerprint of its certificate.
    ///
    /// ## Why it is bad
    ///
    /// The answer says who signs in. Unsigned, or signed by a certificate that merely has the same
    /// SHA-1, it is whatever the sender wrote.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// settings.security[:want_assertions_signed] = false
    /// settings.idp_cert_fingerprint = "9E:65:2E:…"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// settings.idp_cert = certificate
    /// settings.security[:want_assertions_signed] = true
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-347: Improper Verification of Cryptographic Signature
    rule: "saml-signature", "Single sign-on without a sound signature", Access, 347, High,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N"
}

/// Looks at settings and options by their names.
pub fn run(context: &Context<'_, '_>) {
    let gems = &context.app.gems;
    if !gems.declared.is_empty() && !gems.declared.keys().any(|gem| gem.contains("saml")) {
        return;
    }
    context.calls_where(
        |_| true,
        |file, node, call| {
            let name = call.name.as_str();
            // `settings.security[:want_assertions_signed] = false`
            if name == "[]="
                && call.args.first().and_then(literal_name).is_some_and(|k| wants(&k))
                && matches!(call.args.get(1).map(|a| &a.kind), Some(Kind::False))
            {
                report(
                    context,
                    file,
                    node,
                    call.args
                        .first()
                        .and_then(literal_name)
                        .map_or_else(String::new, |k| format!("`{k}` is off")),
                    Confidence::Medium,
                );
            }
            if name == "idp_cert_fingerprint="
                && call.args.first().is_some_and(|a| !matches!(a.kind, Kind::Nil))
            {
                report(
                    context,
                    file,
                    node,
                    "the identity provider is known only by a fingerprint of its certificate".to_owned(),
                    Confidence::Medium,
                );
            }
            options(context, file, call);
        },
    );
}

fn wants(key: &str) -> bool {
    matches!(key, "want_assertions_signed" | "want_messages_signed")
}

fn options(context: &Context<'_, '_>, file: wardroom_rails::FileId, call: &Call) {
    let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() else { return };
    for pair in pairs {
        let Some(key) = literal_name(&pair.key) else { continue };
        match key.as_str() {
            "skip_conditions"
            | "skip_subject_confirmation"
            | "skip_signature"
            | "skip_audience"
            | "skip_destination"
            | "skip_recipient_check"
                if matches!(pair.value.kind, Kind::True) =>
            {
                report(
                    context,
                    file,
                    &pair.key,
                    format!("`{key}` takes a check of the answer away"),
                    Confidence::Medium,
                );
            }
            "want_assertions_signed" if matches!(pair.value.kind, Kind::False) => {
                report(context, file, &pair.key, format!("`{key}` is off"), Confidence::Medium)
            }
            "idp_cert_fingerprint" if !matches!(pair.value.kind, Kind::Nil) => {
                report(
                    context,
                    file,
                    &pair.key,
                    "the identity provider is known only by a fingerprint of its certificate".to_owned(),
                    Confidence::Medium,
                );
            }
            _ => {}
        }
    }
}

fn report(
    context: &Context<'_, '_>,
    file: wardroom_rails::FileId,
    node: &Node,
    message: String,
    confidence: Confidence,
) {
    context
        .finding(rule(), file, node.span, message)
        .confidence(confidence)
        .reason("whether the answer is signed otherwise is for the identity provider's settings")
        .remedy("Give the whole certificate (`idp_cert`) and ask for signed assertions.")
        .report();
}
