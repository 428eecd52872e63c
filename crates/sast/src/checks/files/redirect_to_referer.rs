//! Redirects to the page that the visitor came from, on whatever host it is.

use wardroom_flow::Mark;
use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::Kind;

use super::open_redirect::{is_referer, raises};
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A redirect goes back to the page that the browser names in `Referer`, also when that page is on
    /// another host.
    ///
    /// ## Why it is bad
    ///
    /// Whoever sends the visitor here from their own page decides where the visitor ends: after a login or a
    /// change that looks like this site's, the visitor stands on a copy of it.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// redirect_back(fallback_location: root_path)
    /// redirect_to request.referer
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// redirect_back(fallback_location: root_path, allow_other_host: false)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-601: URL Redirection to Untrusted Site
    rule: "redirect-to-referer", "A redirect follows the Referer to any host", FilesAndNetwork, 601, Low,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:N/I:L/A:N"
}

/// Looks at `redirect_back`, `redirect_to :back` and redirects to the header itself.
pub fn run(context: &Context<'_, '_>) {
    if raises(context) {
        return;
    }
    for flow in context.flows_to(Mark::Redirect).into_iter().filter(|f| is_referer(f)) {
        context
            .flow_finding(rule(), flow, format!("`{}` decides where `{}` leads", flow.words, flow.method))
            .at_most(Confidence::Medium)
            .remedy("Use `redirect_back` with `allow_other_host: false`, or compare the host first.")
            .report();
    }
    // `redirect_back` knows `allow_other_host` from Rails 5.1 on.
    let (remedy, old) = if context.app.rails() < (5, 1) {
        ("Compare the referer's host with the request's first.", true)
    } else {
        ("Add `allow_other_host: false`.", false)
    };
    let mut found = Vec::new();
    for (file, tree) in context.files_with(&["redirect_back", ":back"]) {
        wardroom_ruby::walk::each(&tree.parsed.body, &mut |node| {
            let Kind::Call(call) = &node.kind else { return true };
            let back = match call.name.as_str() {
                "redirect_back" | "redirect_back_or_to" if call.recv.is_none() => {
                    let own = context.app.index.by_name.contains_key(&call.name);
                    !own && place::option(call, "allow_other_host")
                        .is_none_or(|n| matches!(n.kind, Kind::True))
                        && (call.name != "redirect_back"
                            || place::option(call, "fallback_location").is_some())
                }
                "redirect_to" if call.recv.is_none() => {
                    matches!(call.args.first().map(|a| &a.kind), Some(Kind::Sym(name)) if *name == "back")
                }
                _ => false,
            };
            if back {
                found.push((file, node.span, call.name));
            }
            true
        });
    }
    for (file, span, name) in found {
        let message = if name == "redirect_to" {
            "`redirect_to :back` follows the referer to any host"
        } else {
            "It follows the referer to any host"
        };
        // Mended once, a method that many controllers share is mended for all; a single use weighs less.
        let method = context.method_at(file, span).map(|id| context.app.index.method(id));
        let users = method.map_or(0, |m| {
            context
                .app
                .controllers
                .keys()
                .filter(|c| **c != m.owner && context.app.index.ancestors(**c).contains(&m.owner))
                .count()
        });
        let central = !old && users > 2;
        context
            .finding(rule(), file, span, message)
            .confidence(if central { Confidence::Medium } else { Confidence::Low })
            .severity(Severity::Low)
            .reason(if central {
                "many controllers share this method"
            } else {
                "the visitor comes from the attacker's page already"
            })
            .remedy(remedy)
            .report();
    }
}
