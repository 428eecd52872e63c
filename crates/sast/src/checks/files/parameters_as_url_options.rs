//! Links whose options are the request's own parameters.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::literal_name;
use wardroom_ruby::ir::{Call, Kind, Node};

use crate::context::Context;

wardroom_model::rule! {
    /// A URL is made from the parameters of the request as they came: beside the page's own keys they may hold
    /// `host`, `protocol` or `only_path`.
    ///
    /// ## Why it is bad
    ///
    /// `search_url(params.merge(page: 2))` with `?host=evil.example` in the request leads to another site, from a
    /// link of this one. Others write such links and send them round. Helpers that end in `_path` leave the host
    /// out from Rails 4.2 on; before, `only_path=false` in the request brought it back.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// link_to "Next", search_url(params.to_unsafe_h.merge(page: 2))
    /// url_for(request.query_parameters.merge(sort: "name"))
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// link_to "Next", search_path(params.permit(:query, :sort).merge(page: 2))
    /// url_for(request.query_parameters.merge(sort: "name", only_path: true, host: nil))
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-601: URL Redirection to Untrusted Site
    rule: "parameters-as-url-options", "A link made from all parameters", FilesAndNetwork, 601, Low,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:L/A:N"
}

/// Helpers that take the options of a URL, and at which position.
const HELPERS: &[(&str, usize)] = &[
    ("url_for", 0),
    ("link_to", 1),
    ("link_to_if", 2),
    ("link_to_unless", 2),
    ("button_to", 1),
    ("form_tag", 0),
];

/// Looks at what is handed to `url_for`, its kin and the helpers of routes.
pub fn run(context: &Context<'_, '_>) {
    // From Rails 5 on, parameters that nobody has permitted raise an error.
    let raw = context.app.rails() < (5, 0);
    let paths = context.app.rails() < (4, 2);
    let helper = |name: &str| HELPERS.iter().find(|(n, _)| *n == name);
    let wanted = |name: &str| helper(name).is_some() || is_route_helper(name, paths);
    context.calls_where(wanted, |file, node, call| {
        if call.recv.as_ref().is_some_and(|r| !matches!(r.kind, Kind::SelfRef)) {
            return;
        }
        let given = match helper(&call.name) {
            Some((_, at)) => {
                // With a block, `link_to` takes the URL first.
                call.args.get(if call.block.is_some() { at.saturating_sub(1) } else { *at })
            }
            None => call.args.last(),
        };
        let Some(words) = given.filter(|g| is_whole(g, raw)) else { return };
        context
            .finding(
                rule(),
                file,
                node.span,
                format!(
                    "`{}` becomes the options of the URL, `host` among them",
                    context.source(file, words.span)
                ),
            )
            .confidence(Confidence::Medium)
            .severity(Severity::Low)
            .reason("the request decides which keys there are")
            .remedy("Name the parameters that go on (`params.permit(…)`), or add `only_path: true`.")
            .report();
    });
}

/// `search_url`: a helper that a route made; those of files and uploads are no such.
fn is_route_helper(name: &str, paths: bool) -> bool {
    (name.ends_with("_url") || paths && name.ends_with("_path"))
        && !["file_", "asset_", "image_", "root_dir", "full_", "storage_"].iter().any(|p| name.starts_with(p))
}

/// Whether an expression is all that the request holds, with or without a few keys more or less.
fn is_whole(node: &Node, raw: bool) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    match call.name.as_str() {
        "params" if call.recv.is_none() => raw && call.args.is_empty(),
        "query_parameters" | "GET" | "params" | "parameters" | "request_parameters" if is_request(call) => {
            true
        }
        "to_unsafe_h" | "to_unsafe_hash" | "permit!" => call.recv.as_ref().is_some_and(|r| is_whole(r, true)),
        "except" | "without" | "reject" => {
            !takes_host_away(call) && call.recv.as_ref().is_some_and(|r| is_whole(r, raw))
        }
        "merge"
        | "reverse_merge"
        | "to_h"
        | "symbolize_keys"
        | "dup"
        | "deep_dup"
        | "with_indifferent_access"
        | "deep_symbolize_keys" => !sets_place(call) && call.recv.as_ref().is_some_and(|r| is_whole(r, raw)),
        _ => false,
    }
}

fn is_request(call: &Call) -> bool {
    matches!(&call.recv, Some(Node { kind: Kind::Call(inner), .. }) if inner.name == "request")
}

/// `merge(only_path: true)`, `merge(host: nil)`
fn sets_place(call: &Call) -> bool {
    call.name == "merge"
        && call.args.iter().any(|a| match &a.kind {
            Kind::Hash(pairs) => {
                pairs.iter().any(|p| literal_name(&p.key).is_some_and(|k| k == "only_path" || k == "host"))
            }
            _ => false,
        })
}

/// `except(:host)`
fn takes_host_away(call: &Call) -> bool {
    call.args.iter().any(|a| literal_name(a).is_some_and(|n| n == "host"))
}
