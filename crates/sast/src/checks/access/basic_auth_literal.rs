//! Passwords of HTTP basic authentication that stand in the code.

use wardroom_model::Confidence;
use wardroom_rails::Role;
use wardroom_ruby::ir::{Kind, Node};
use wardroom_ruby::walk;

use super::practice::keyword;
use crate::context::Context;

wardroom_model::rule! {
    /// The password that HTTP basic authentication asks for stands in the code.
    ///
    /// ## Why it is bad
    ///
    /// Whoever reads the code, a backup or a fork knows it, and it cannot be changed without a release.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// http_basic_authenticate_with name: "admin", password: "sesame"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// http_basic_authenticate_with name: "admin", password: Rails.application.credentials.admin_password
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-798: Use of Hard-coded Credentials
    rule: "basic-auth-literal", "Password of basic authentication in the code", Access, 798, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:N"
}

const NAMES: &[&str] = &[
    "http_basic_authenticate_with",
    "authenticate_or_request_with_http_basic",
    "authenticate_with_http_basic",
    "http_basic_auth",
    "http_basic",
    "use",
];

/// Looks at what asks for basic authentication.
pub fn run(context: &Context<'_, '_>) {
    context.calls_named(NAMES, |file, _, call| {
        if !matches!(context.file(file).role, Role::Ruby) {
            return;
        }
        match call.name.as_str() {
            "http_basic_authenticate_with" => {
                if let Some(value) = keyword(call, "password").filter(|v| context.literal(file, v).is_some_and(|l| !l.text.is_empty())) {
                    report(context, file, value, "the password that basic authentication asks for stands in the code");
                }
            }
            "authenticate_or_request_with_http_basic" | "authenticate_with_http_basic" | "http_basic_auth" | "http_basic" => {
                let Some(block) = &call.block else { return };
                walk::each(&block.body, &mut |inner| {
                    if let Kind::Call(compare) = &inner.kind
                        && matches!(compare.name.as_str(), "==" | "secure_compare")
                    {
                        let sides: Vec<&Node> = compare.recv.iter().chain(&compare.args).collect();
                        let named = sides.iter().any(|s| matches!(&s.kind, Kind::Local(n) if n.contains("pass") || n == "p" || n == "pw" || n == "secret"));
                        if let Some(value) = sides.iter().find(|s| matches!(&s.kind, Kind::Str(text) if !text.is_empty())).filter(|_| named) {
                            report(context, file, value, "the password that basic authentication asks for stands in the code");
                        }
                    }
                    true
                });
            }
            "use" if call.args.first().and_then(super::practice::constant).is_some_and(|c| c == "Basic") => {
                if let Some(block) = &call.block {
                    walk::each(&block.body, &mut |inner| {
                        if let Kind::Call(compare) = &inner.kind
                            && compare.name == "=="
                            && let Some(value) = compare.recv.iter().chain(&compare.args).find(|s| matches!(&s.kind, Kind::Str(text) if !text.is_empty()))
                            && compare.recv.iter().chain(&compare.args).any(|s| matches!(&s.kind, Kind::Local(n) if n.contains("pass")))
                        {
                            report(context, file, value, "the password in front of this middleware stands in the code");
                        }
                        true
                    });
                }
            }
            _ => {}
        }
    });
}

fn report(context: &Context<'_, '_>, file: wardroom_rails::FileId, value: &Node, message: &str) {
    context
        .finding(rule(), file, value.span, message)
        .confidence(Confidence::High)
        .remedy("Take it from the credentials or the environment, and change it: this one is known.")
        .report();
}
