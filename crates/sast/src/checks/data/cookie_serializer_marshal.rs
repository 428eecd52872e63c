//! Cookies that hold Ruby objects.

use wardroom_model::{Confidence, Severity};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// Signed and encrypted cookies are read with `Marshal`: `cookies_serializer` is `:marshal` or
    /// `:hybrid`, or is left at the old default.
    ///
    /// ## Why it is bad
    ///
    /// `Marshal` makes any object. Whoever learns `secret_key_base` can then run code on the server by
    /// a cookie, not only forge a session.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Rails.application.config.action_dispatch.cookies_serializer = :marshal
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// Rails.application.config.action_dispatch.cookies_serializer = :json
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-502: Deserialization of Untrusted Data
    rule: "cookie-serializer-marshal", "Cookies are read with Marshal", Configuration, 502, Low,
        "CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at the setting.
pub fn run(context: &Context<'_, '_>) {
    let Some(home) = place::application(context) else { return };
    if context.app.rails() < (4, 1) {
        return;
    }
    let Some(serializer) = context.app.config.effective("action_dispatch.cookies_serializer") else { return };
    let text = serializer.value.as_text().unwrap_or_default();
    let (file, span) = place::of_effective(&serializer, home);
    let (message, confidence, severity) = match (text, serializer.setting.is_some()) {
        ("marshal", true) => {
            ("Cookies are read and written with `Marshal`", Confidence::Medium, Severity::Medium)
        }
        ("hybrid", _) => {
            ("Cookies that old releases wrote are still read with `Marshal`", Confidence::Low, Severity::Low)
        }
        ("marshal", false) => {
            ("`cookies_serializer` is left at its old default, `Marshal`", Confidence::Low, Severity::Low)
        }
        _ => return,
    };
    context
        .finding(rule(), file, span, message)
        .confidence(confidence)
        .severity(severity)
        .reason("an attacker needs `secret_key_base` first")
        .remedy("Set it to `:hybrid` for one release, then to `:json`.")
        .report();
}
