//! Pages that other sites may frame.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::config::{Change, SettingValue};
use wardroom_ruby::ir::{Call, Kind};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The X-Frame-Options header that Rails sends is taken away or allows every site.
    ///
    /// ## Why it is bad
    ///
    /// Another site can put the page into an invisible frame and make the victim click in it
    /// (clickjacking).
    ///
    /// ## Example
    ///
    /// ```ruby
    /// config.action_dispatch.default_headers = { "X-Frame-Options" => "ALLOWALL" }
    /// response.headers.delete("X-Frame-Options")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// content_security_policy do |policy|
    ///   policy.frame_ancestors "https://partner.example"
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1021: Improper Restriction of Rendered UI Layers or Frames
    rule: "frame-options-off", "Pages that every site may frame", Configuration, 1021, Low,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:L/A:N"
}

/// Looks at the default headers and at actions that take the header away.
pub fn run(context: &Context<'_, '_>) {
    let config = &context.app.config;
    let framed = config
        .csp()
        .is_some_and(|p| p.directive("frame-ancestors").is_some_and(|s| !s.iter().any(|s| s == "*")));
    let setting = config
        .all("action_dispatch.default_headers")
        .chain(config.below("action_dispatch.default_headers."))
        .filter(|s| s.applies_to("production"))
        .last();
    if let Some(setting) = setting.filter(|_| !framed && context.app.rails() >= (4, 0)) {
        let headers = config.response_headers();
        let known = config
            .effective("action_dispatch.default_headers")
            .is_none_or(|e| e.value.is_literal() || matches!(e.value, SettingValue::Hash(_)));
        let off = match headers.get("x-frame-options") {
            Some(value) => value.as_text().is_some_and(|t| t.to_ascii_uppercase().starts_with("ALLOW")),
            None => known && matches!(setting.change, Change::Set | Change::Clear | Change::Remove),
        };
        if off {
            let (file, span) = place::of(setting);
            context
                .finding(rule(), file, span, "No page carries X-Frame-Options: every site may frame it")
                .confidence(Confidence::Medium)
                .severity(Severity::Medium)
                .remedy("Keep `\"X-Frame-Options\" => \"SAMEORIGIN\"`, or name the sites in the policy's `frame_ancestors`.")
                .report();
        }
    }
    let hint = place::hint!("(?i)x-frame-options");
    place::calls(context, hint, &mut |id, node, call| {
        if context.file(id).path.starts_with("config/") {
            return;
        }
        let names = |call: &Call| {
            call.args.first().and_then(place::text).is_some_and(|t| t.eq_ignore_ascii_case("X-Frame-Options"))
        };
        let off = match call.name.as_str() {
            "delete" => {
                names(call)
                    && call
                        .recv
                        .as_ref()
                        .is_some_and(|r| matches!(&r.kind, Kind::Call(c) if c.name.contains("headers")))
            }
            "[]=" => {
                names(call)
                    && call.args.last().is_some_and(|v| {
                        matches!(&v.kind, Kind::Nil)
                            || place::text(v).is_some_and(|t| t.to_ascii_uppercase().starts_with("ALLOWALL"))
                    })
            }
            _ => false,
        };
        if off {
            context
                .finding(
                    rule(),
                    id,
                    node.span,
                    "The page may be framed by every site: its X-Frame-Options is taken away",
                )
                .confidence(Confidence::Low)
                .severity(Severity::Low)
                .reason("a page made for embedding needs this")
                .remedy("Name the sites that may frame the page in the policy's `frame_ancestors`.")
                .report();
        }
    });
}
