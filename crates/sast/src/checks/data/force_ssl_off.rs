//! Plain HTTP in production.

use wardroom_model::{Confidence, Severity};

use super::place;
use crate::context::Context;
use crate::mend;

wardroom_model::rule! {
    /// `config.force_ssl` is off in production.
    ///
    /// ## Why it is bad
    ///
    /// The application answers plain HTTP: passwords, sessions and pages can be read and changed on
    /// the way. Cookies are not marked `secure` and browsers are not told to come back by TLS only.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// # config/environments/production.rb
    /// # config.force_ssl = true
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// config.force_ssl = true
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-319: Cleartext Transmission of Sensitive Information
    rule: "force-ssl-off", "TLS is not forced in production", Configuration, 319, Medium,
        "CVSS:3.1/AV:A/AC:H/PR:N/UI:N/S:U/C:H/I:L/A:N"
}

/// Looks at the setting and what stands in for it.
pub fn run(context: &Context<'_, '_>) {
    let Some(home) = place::production(context) else { return };
    if context.app.rails() < (3, 1) {
        return;
    }
    let ssl = context.app.config.force_ssl();
    if ssl.as_ref().is_some_and(|f| !f.certain || f.value.as_bool() == Some(true)) {
        return;
    }
    let explicit = ssl.as_ref().and_then(|f| f.setting);
    let (file, span) = explicit.map_or(home, place::of);
    // `force_ssl` in ApplicationController did the same until Rails 6.1.
    let by_controller = context.app.controllers.values().any(|c| {
        context.app.index.class(c.class).is_some_and(|k| {
            k.macros.iter().any(|m| m.call.name == "force_ssl" || m.call.name == "ssl_required")
        })
    });
    context
        .finding(rule(), file, span, if explicit.is_some() { "`config.force_ssl` is switched off in production" } else { "`config.force_ssl` is not set in production" })
        .confidence(if by_controller { Confidence::Low } else { Confidence::Medium })
        .severity(if explicit.is_some() { Severity::Medium } else { Severity::Low })
        .reason("a proxy in front may redirect to TLS, but cookies still lack their flag")
        .remedy("Set `config.force_ssl = true` in `config/environments/production.rb` (with `config.assume_ssl = true` behind a proxy that ends TLS).")
        .mend(
            mend::value_in_setting(context, file, span, "false")
                .filter(|_| explicit.is_some() && context.file(file).path.ends_with("environments/production.rb"))
                .map(|at| mend::replace("Forces TLS", file, at, "true")),
        )
        .report();
}
