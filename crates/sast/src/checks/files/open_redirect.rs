//! Redirects to where a user says.

use wardroom_flow::{Flow, Mark, SourceKind};
use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::{Call, Kind};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The target of a redirect comes from a user, host included.
    ///
    /// ## Why it is bad
    ///
    /// A link that begins with the site's own address leads to the attacker's: a copy of the login page after
    /// a real login, or a token that is handed over in the URL.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// redirect_to params[:return_to] || root_path
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// redirect_to url_from(params[:return_to]) || root_path # Rails 7
    /// ```
    ///
    /// Before Rails 7, take the path alone, and only if it is one:
    ///
    /// ```ruby
    /// target = params[:return_to].to_s
    /// redirect_to target.match?(%r{\A/(?![/\\])}) ? target : root_path
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-601: URL Redirection to Untrusted Site
    /// - `config.action_controller.raise_on_open_redirects`, on with `load_defaults 7.0`
    rule: "open-redirect", "A redirect goes to where a user says", FilesAndNetwork, 601, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Names of methods that check or clean a URL.
const CHECKS: &[&str] = &[
    "safe", "valid", "sanit", "clean", "local", "internal", "relative", "allowed", "trusted", "same", "path",
    "secure", "verif", "normali",
];

/// Looks at every flow into the target of a redirect.
pub fn run(context: &Context<'_, '_>) {
    let guarded_by_rails = raises(context);
    for flow in context.flows_to(Mark::Redirect) {
        let Some(call) = place::call_at(context, flow.file, flow.span) else { continue };
        if is_referer(flow) {
            continue;
        }
        let other_host = place::option(call, "allow_other_host");
        if other_host.is_some_and(|n| matches!(n.kind, Kind::False)) {
            continue;
        }
        let allowed = other_host.is_some_and(|n| matches!(n.kind, Kind::True));
        let mut builder = context
            .flow_finding(rule(), flow, format!("`{}` decides where `{}` leads", flow.words, flow.method))
            .remedy(remedy(context, call));
        if matches!(flow.source, SourceKind::Stored) {
            // A stored link is mostly there to be followed.
            builder = builder.severity(Severity::Low).at_most(Confidence::Low);
        } else if matches!(flow.source, SourceKind::Remote | SourceKind::Job | SourceKind::Local) {
            builder = builder.at_most(Confidence::Low);
        }
        if flow.unknown_call {
            // Mostly a record was looked up on the way.
            builder = builder.at_most(Confidence::Low);
        }
        if looked_up(context, flow) {
            builder =
                builder.at_most(Confidence::Medium).reason("elsewhere in the file it is looked up in a list");
        }
        if let Some(name) = place::passed_through_check(flow, CHECKS) {
            builder = builder.at_most(Confidence::Low).reason(format!("`{name}` may check it"));
        }
        if guarded_by_rails && !allowed && flow.method != "redirect" {
            // Nothing leads out; one switch would turn it back on.
            builder = builder
                .at_most(Confidence::Low)
                .severity(Severity::Low)
                .reason("Rails raises on a redirect to another host here");
        } else if refused_as_unpermitted(context, flow) {
            builder = builder
                .at_most(Confidence::Low)
                .reason("Rails refuses parameters that are not permitted as the target");
        }
        builder.report();
    }
}

/// Whether the framework itself refuses a redirect to another host.
pub(super) fn raises(context: &Context<'_, '_>) -> bool {
    context.app.rails() >= (7, 0)
        && context.app.config.flag("action_controller.raise_on_open_redirects") == Some(true)
}

/// The page that the visitor came from: another check's matter.
pub(super) fn is_referer(flow: &Flow) -> bool {
    let words = flow.words.to_lowercase();
    words.contains("referer") && !words.starts_with("params")
        || words.contains("referrer") && !words.starts_with("params")
}

/// `uris.include?(params[:redirect_uri])` in another method of the file.
fn looked_up(context: &Context<'_, '_>, flow: &Flow) -> bool {
    let text = String::from_utf8_lossy(&context.file(flow.file).text);
    flow.words.contains('[') && text.contains(&format!("include?({})", flow.words))
}

/// `redirect_to params.merge(…)`: from Rails 5 on, whole parameters make a URL only once permitted.
fn refused_as_unpermitted(context: &Context<'_, '_>, flow: &Flow) -> bool {
    if flow.words != "params" || context.app.rails() < (5, 0) {
        return false;
    }
    flow.steps.iter().all(|step| {
        let text = context.source(step.file, step.span);
        ![
            "to_unsafe",
            "permit!",
            "query_parameters",
            "request.parameters",
            "request_parameters",
            "request.GET",
        ]
        .iter()
        .any(|w| text.contains(w))
    })
}

fn remedy(context: &Context<'_, '_>, call: &Call) -> &'static str {
    if matches!(call.args.first().map(|a| &a.kind), Some(Kind::Call(inner)) if inner.name == "url_for")
        || call.name == "url_for"
    {
        return "Add `only_path: true`, or name the parameters that may come along (`permit`).";
    }
    if context.app.rails() >= (7, 0) {
        "Pass it through `url_from`, which lets only URLs of this host through."
    } else {
        "Take only a path of this site: it begins with one slash, and neither a slash nor a backslash follows."
    }
}
