//! Requests for any host name.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::config::{Change, SettingValue};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// Production answers requests for any host name: `config.hosts` is cleared, holds a pattern for
    /// everything, or is not set.
    ///
    /// ## Why it is bad
    ///
    /// Links in mails and redirects that are built from the Host header lead where the attacker wants,
    /// and DNS rebinding reaches the application from other sites.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// config.hosts.clear
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// config.hosts = ["app.example.com", /.*\.app\.example\.com/]
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-350: Reliance on Reverse DNS Resolution for a Security-Critical Action
    /// - CWE-644: Improper Neutralization of HTTP Headers for Scripting Syntax
    rule: "host-authorization-off", "Any host name is answered", Configuration, 644, Low,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N"
}

/// Looks at `config.hosts`.
pub fn run(context: &Context<'_, '_>) {
    let Some(home) = place::production(context) else { return };
    if context.app.rails() < (6, 0) {
        return;
    }
    let Some(hosts) = context.app.config.hosts() else {
        context
            .finding(
                rule(),
                home.0,
                home.1,
                "`config.hosts` is not set in production: any host name is answered",
            )
            .confidence(Confidence::Low)
            .severity(Severity::Info)
            .reason("a proxy in front may answer only for the right names")
            .remedy("Set `config.hosts` to the names under which the application is reached.")
            .report();
        return;
    };
    let Some(setting) = hosts.setting else { return };
    let any = match &hosts.value {
        SettingValue::Nil => true,
        SettingValue::List(items) => {
            items.is_empty() && setting.change == Change::Clear
                || items.iter().any(|i| matches!(i, SettingValue::Expr(span) if matches!(context.source(wardroom_rails::FileId(setting.file), *span).as_str(), "/.*/" | "/.+/" | "//")))
        }
        _ => false,
    };
    if any && !setting.conditional {
        let (file, span) = place::of(setting);
        context
            .finding(rule(), file, span, "`config.hosts` lets any host name through in production")
            .confidence(Confidence::Medium)
            .severity(Severity::Low)
            .remedy("Name the hosts under which the application is reached.")
            .report();
    }
}
