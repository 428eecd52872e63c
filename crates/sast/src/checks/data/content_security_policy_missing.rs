//! No content security policy.

use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::Kind;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The application renders pages and sends no Content-Security-Policy, or one that is only
    /// reported.
    ///
    /// ## Why it is bad
    ///
    /// The policy is the second wall against cross-site scripting: with it a script that slips into a
    /// page does not run.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// # config/initializers/content_security_policy.rb is all comments
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// Rails.application.config.content_security_policy do |policy|
    ///   policy.default_src :self
    ///   policy.script_src  :self
    ///   policy.object_src  :none
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1021: Improper Restriction of Rendered UI Layers or Frames
    /// - CWE-693: Protection Mechanism Failure
    rule: "content-security-policy-missing", "No content security policy", Configuration, 693, Low,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks for a policy in the settings, the `secure_headers` gem and headers set by hand.
pub fn run(context: &Context<'_, '_>) {
    let Some(home) = place::application(context) else { return };
    let config = &context.app.config;
    if !place::has_pages(context) || config.flag("api_only") == Some(true) {
        return;
    }
    if let Some(policy) = config.csp() {
        let only = policy.report_only || config.flag("content_security_policy_report_only") == Some(true);
        if only {
            context
                .finding(
                    rule(),
                    wardroom_rails::FileId(policy.file),
                    policy.span,
                    "The content security policy is only reported, not enforced",
                )
                .confidence(Confidence::Low)
                .severity(Severity::Info)
                .remedy("Once the reports are quiet, take `content_security_policy_report_only` out.")
                .report();
        }
        return;
    }
    let by_header = config.response_headers().keys().any(|h| h.starts_with("content-security-policy"));
    let mut by_hand = by_header
        || config.below("secure_headers").next().is_some()
        || context.app.gems.has_in_production("secure_headers");
    if !by_hand {
        let hint = place::hint!("(?i)content.security.policy");
        for (_, file) in context.code_files() {
            if !by_hand && hint.is_match(&file.text) {
                wardroom_ruby::walk::each(&file.parsed.body, &mut |node| {
                    by_hand |= match &node.kind {
                        Kind::Str(text) => text.to_ascii_lowercase().starts_with("content-security-policy"),
                        Kind::Call(call) => matches!(
                            call.name.as_str(),
                            "content_security_policy" | "content_security_policy="
                        ),
                        _ => false,
                    };
                    !by_hand
                });
            }
        }
    }
    if !by_hand {
        context
            .finding(rule(), home.0, home.1, "No content security policy is sent")
            .confidence(Confidence::Medium)
            .severity(Severity::Low)
            .remedy("Declare one in `config/initializers/content_security_policy.rb` (Rails 5.2 and later) or with the `secure_headers` gem; begin with `report_only`.")
            .report();
    }
}
