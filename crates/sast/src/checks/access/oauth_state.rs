//! Sign-ins with another service that do not check who began them.

use wardroom_model::Confidence;
use wardroom_rails::{FileId, literal_name};
use wardroom_ruby::ir::{Call, Kind, Node, Span};

use super::practice::{any, constant, keyword};
use crate::context::Context;

wardroom_model::rule! {
    /// A sign-in through another service (OmniAuth) can be begun by a plain link, or its answer is taken
    /// without comparing the `state` that ties it to the browser that began it.
    ///
    /// ## Why it is bad
    ///
    /// Another site begins the sign-in in the victim's browser and ties an account of the attacker's to
    /// the victim's, or signs the victim in as someone else (CVE-2015-9284).
    ///
    /// ## Example
    ///
    /// ```ruby
    /// OmniAuth.config.allowed_request_methods = [:get, :post]
    /// provider :example, KEY, SECRET, provider_ignores_state: true
    /// ```
    ///
    /// ## Use instead
    ///
    /// OmniAuth 2 with the gem `omniauth-rails_csrf_protection`, and its own defaults: POST only, with
    /// `state`.
    ///
    /// ## References
    ///
    /// - CWE-352: Cross-Site Request Forgery
    /// - CVE-2015-9284
    rule: "oauth-state", "Sign-in through another service that anyone can begin", Access, 352, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N"
}

/// Looks at OmniAuth's version and settings.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    let old = app.gems.older_than("omniauth", "2.0.0") && !app.gems.has("omniauth-rails_csrf_protection");
    let mut first: Option<(FileId, Span)> = None;
    let mut by_post = false;
    context.calls_named(&["provider", "omniauth", "allowed_request_methods="], |file, node, call| match call
        .name
        .as_str()
    {
        "provider"
            if call.recv.is_none()
                && context.file(file).path.contains("config/")
                && call.args.first().and_then(literal_name).is_some() =>
        {
            first = first.or(Some((file, node.span)));
            ignored_state(context, file, call);
        }
        "omniauth"
            if call.recv.as_ref().is_some_and(|r| matches!(&r.kind, Kind::Local(n) if n == "config")) =>
        {
            first = first.or(Some((file, node.span)));
            ignored_state(context, file, call);
        }
        "allowed_request_methods=" => {
            let get = call
                .args
                .iter()
                .any(|a| any(a, &mut |n| literal_name(n).is_some_and(|l| l.eq_ignore_ascii_case("get"))));
            by_post |= !get;
            if get && call.recv.as_ref().is_some_and(of_omniauth) {
                context
                    .finding(rule(), file, node.span, "a plain link begins the sign-in: OmniAuth takes GET")
                    .confidence(Confidence::High)
                    .remedy("Leave OmniAuth 2's own `[:post]`, and begin the sign-in with `button_to`.")
                    .report();
            }
        }
        _ => {}
    });
    if let Some((file, span)) = first.filter(|_| old && !by_post) {
        let version = app.gems.version_text("omniauth").unwrap_or_default();
        context
            .finding(rule(), file, span, format!("a plain link begins the sign-in: OmniAuth {version} takes GET and asks for no authenticity token"))
            .confidence(Confidence::Medium)
            .reason("it is CVE-2015-9284: worst where a signed-in user can connect further accounts")
            .remedy("Go to OmniAuth 2 with `omniauth-rails_csrf_protection`, and begin the sign-in with `button_to`.")
            .report();
    }
}

fn of_omniauth(node: &Node) -> bool {
    any(node, &mut |n| {
        constant(n).is_some_and(|c| c == "OmniAuth") || matches!(&n.kind, Kind::Local(l) if l == "config")
    })
}

fn ignored_state(context: &Context<'_, '_>, file: FileId, call: &Call) {
    if let Some(value) = keyword(call, "provider_ignores_state").filter(|v| matches!(v.kind, Kind::True)) {
        context
            .finding(rule(), file, value.span, "the answer of the service is taken whoever began the sign-in: `provider_ignores_state` is on")
            .confidence(Confidence::High)
            .remedy("Take the option out: the `state` ties the answer to the browser that asked.")
            .report();
    }
}
