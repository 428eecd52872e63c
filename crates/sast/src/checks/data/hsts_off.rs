//! Strict transport security taken away.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::config::SettingValue;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// TLS is forced, but the header that makes browsers insist on it is switched off or expires at
    /// once.
    ///
    /// ## Why it is bad
    ///
    /// Without Strict-Transport-Security the first request of each visit can go out over plain HTTP,
    /// where an attacker on the network keeps the victim.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// config.ssl_options = { hsts: false }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// config.ssl_options = { hsts: { expires: 1.year, subdomains: true } }
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-319: Cleartext Transmission of Sensitive Information
    /// - RFC 6797: HTTP Strict Transport Security
    rule: "hsts-off", "Strict transport security is switched off", Configuration, 319, Low,
        "CVSS:3.1/AV:A/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N"
}

/// Looks at `ssl_options`.
pub fn run(context: &Context<'_, '_>) {
    let Some(options) = context.app.config.effective("ssl_options") else { return };
    let Some(setting) = options.setting.filter(|_| options.certain) else { return };
    let off = match options.value.get("hsts") {
        Some(SettingValue::Bool(false)) => true,
        Some(hash @ SettingValue::Hash(_)) => {
            matches!(hash.get("expires"), Some(SettingValue::Int(0) | SettingValue::Bool(false)))
        }
        _ => false,
    };
    if off {
        let (file, span) = place::of(setting);
        context
            .finding(rule(), file, span, "Strict-Transport-Security is switched off")
            .confidence(Confidence::Medium)
            .severity(Severity::Low)
            .reason("a proxy in front may add the header")
            .remedy("Take `hsts: false` out of `config.ssl_options`.")
            .report();
    }
}
