//! One-time passwords that can be used twice.

use wardroom_model::Confidence;
use wardroom_rails::Role;
use wardroom_ruby::ir::{Kind, Node};
use wardroom_ruby::walk;

use super::practice::{any, constant, keyword};
use crate::context::Context;

wardroom_model::rule! {
    /// A one-time password (ROTP) is checked without `after:`, the time of the last one that was used.
    ///
    /// ## Why it is bad
    ///
    /// The same six digits work again until their time is over: who looks over a shoulder or stands in
    /// between has half a minute and longer to use them.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// totp.verify(params[:code])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// if (at = totp.verify(params[:code], after: user.last_otp_at))
    ///   user.update!(last_otp_at: at)
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-294: Authentication Bypass by Capture-replay
    /// - RFC 6238, section 5.2
    rule: "otp-reuse", "One-time password that works twice", Access, 294, Low,
        "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:L/A:N"
}

/// Looks at the files that use ROTP.
pub fn run(context: &Context<'_, '_>) {
    if !context.app.gems.has("rotp") && !context.app.gems.declared.is_empty() {
        return;
    }
    for (file, at) in context.files_with(&["ROTP"]) {
        if !matches!(at.role, Role::Ruby) {
            continue;
        }
        let mut rotp = false;
        let mut found: Vec<&Node> = Vec::new();
        walk::each(&at.parsed.body, &mut |node| {
            rotp |= matches!(&node.kind, Kind::Const(path) if path.first().is_some_and(|f| f == "ROTP"));
            if let Kind::Call(call) = &node.kind
                && matches!(call.name.as_str(), "verify" | "verify_with_drift")
                && !call.args.is_empty()
                && keyword(call, "after").is_none()
                && call.recv.as_ref().is_some_and(|r| {
                    any(r, &mut |n| {
                        constant(n).is_some_and(|c| c == "TOTP") || matches!(&n.kind, Kind::Local(l) | Kind::Ivar(l) if l.contains("totp") || l.contains("otp")) || matches!(&n.kind, Kind::Call(c) if c.recv.is_none() && c.name.contains("otp"))
                    })
                })
            {
                found.push(node);
            }
            true
        });
        for node in found.into_iter().filter(|_| rotp) {
            context
                .finding(
                    rule(),
                    file,
                    node.span,
                    "the same one-time password is taken again until its time is over",
                )
                .confidence(Confidence::Medium)
                .reason("the code may keep used ones in another way")
                .remedy("Keep the time that `verify` gives back and pass it as `after:` the next time.")
                .report();
        }
    }
}
