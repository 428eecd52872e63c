//! Content security policies that let scripts through.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;

use crate::context::Context;

wardroom_model::rule! {
    /// The content security policy allows inline scripts, `eval`, or scripts from any site.
    ///
    /// ## Why it is bad
    ///
    /// With `'unsafe-inline'` without a nonce, `*`, `https:` or `data:` for scripts the policy stops no
    /// cross-site scripting.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// policy.script_src :self, :unsafe_inline, "*"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// policy.script_src :self
    /// config.content_security_policy_nonce_generator = ->(request) { request.session.id.to_s }
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-693: Protection Mechanism Failure
    rule: "content-security-policy-unsafe", "A content security policy that stops no script", Configuration, 693, Low,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at the sources of scripts in the policy of production.
pub fn run(context: &Context<'_, '_>) {
    let Some(policy) = context.app.config.csp() else { return };
    let Some(sources) = policy.sources("script-src") else {
        if !policy.directives.is_empty() {
            context
                .finding(rule(), FileId(policy.file), policy.span, "The content security policy says nothing of scripts: neither `script-src` nor `default-src`")
                .confidence(Confidence::Medium)
                .remedy("Set `policy.default_src :self` and `policy.script_src :self`.")
                .report();
        }
        return;
    };
    let nonce = policy.nonce
        || sources
            .iter()
            .any(|s| s.starts_with("'nonce-") || s.starts_with("'sha") || s == "'strict-dynamic'");
    let mut bad: Vec<&str> = Vec::new();
    for source in sources {
        match source.as_str() {
            "'unsafe-inline'" if !nonce => bad.push("'unsafe-inline'"),
            "*" | "https:" | "http:" | "data:" | "https://*" if !nonce => bad.push(source),
            _ => {}
        }
    }
    // `eval` needs a hole of its own before it does harm.
    let eval = sources.iter().any(|s| s == "'unsafe-eval'");
    if bad.is_empty() && !eval {
        return;
    }
    let (confidence, severity) = match bad.as_slice() {
        [] => (Confidence::Low, Severity::Info),
        // `https:` is what the generated policy has.
        ["https:"] => (Confidence::Low, Severity::Low),
        _ => (Confidence::Medium, Severity::Low),
    };
    if eval {
        bad.push("'unsafe-eval'");
    }
    context
        .finding(
            rule(),
            FileId(policy.file),
            policy.place("script-src"),
            format!("The content security policy allows scripts from {}", bad.join(", ")),
        )
        .confidence(confidence)
        .severity(severity)
        .remedy("Keep `script_src` to `:self` and named hosts, and give inline scripts a nonce.")
        .report();
}
