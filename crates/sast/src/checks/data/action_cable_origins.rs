//! Web sockets from other sites.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_rails::config::SettingValue;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// ActionCable accepts web sockets from pages of any site: the check of the origin is off or its
    /// list matches too much.
    ///
    /// ## Why it is bad
    ///
    /// Web sockets are not bound by the same-origin policy, and the browser sends cookies along: a
    /// foreign page can open the socket as the signed-in user.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// config.action_cable.disable_request_forgery_protection = true
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// config.action_cable.allowed_request_origins = ["https://app.example.com"]
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1385: Missing Origin Validation in WebSockets
    rule: "action-cable-origins", "Web sockets from any site", Configuration, 1385, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N"
}

/// Looks at the two settings.
pub fn run(context: &Context<'_, '_>) {
    let config = &context.app.config;
    let used = context
        .app
        .files
        .iter()
        .any(|f| f.path.contains("app/channels/") && !f.path.contains("application_cable"));
    if let Some(off) = config.effective("action_cable.disable_request_forgery_protection")
        && off.value.as_bool() == Some(true)
        && let Some(setting) = off.setting
    {
        let (file, span) = place::of(setting);
        context
            .finding(rule(), file, span, "ActionCable does not check where a web socket comes from")
            .confidence(if used && off.certain { Confidence::High } else { Confidence::Medium })
            .remedy("Take the line out and name the sites in `config.action_cable.allowed_request_origins`.")
            .report();
        return;
    }
    let Some(origins) = config.cable_origins() else { return };
    let Some(setting) = origins.setting else { return };
    let file = FileId(setting.file);
    for origin in origins.value.items() {
        let wide = match origin {
            SettingValue::Expr(span) => {
                let source = context.source(file, *span);
                let pattern = source
                    .trim_start_matches("%r{")
                    .trim_start_matches('/')
                    .trim_end_matches(['/', '}', 'i', 'x']);
                source.starts_with(['/', '%'])
                    && (matches!(
                        pattern,
                        ".*" | ".+"
                            | ""
                            | "https?:\\/\\/.*"
                            | "http://*"
                            | "https://*"
                            | "http:\\/\\/*"
                            | "https:\\/\\/*"
                    ))
            }
            other => other.as_text() == Some("*"),
        };
        if wide {
            let (file, span) = place::of(setting);
            context
                .finding(rule(), file, span, "ActionCable accepts web sockets from every site")
                .confidence(if used { Confidence::High } else { Confidence::Medium })
                .severity(Severity::Medium)
                .remedy("Name the sites in full: `[\"https://app.example.com\"]`, or a pattern from `\\A` to `\\z`.")
                .report();
            return;
        }
    }
}
