//! Templates that a user names.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::{Call, Kind, Node};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// `render` gets the name of a template or file from the request.
    ///
    /// ## Why it is bad
    ///
    /// A user renders templates that were not meant for them: an admin's page, a partial without the check
    /// that its action makes. With `render file:` it is any file that the process can read. Rails before
    /// 4.2.5.2 also let `render params[:x]` leave the folder of the views, and run code given as a hash
    /// (`?x[inline]=…`).
    ///
    /// ## Example
    ///
    /// ```ruby
    /// render params[:page]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// PAGES = %w[about terms privacy].freeze
    /// render PAGES.find { |page| page == params[:page] } || "not_found"
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-22: Improper Limitation of a Pathname to a Restricted Directory
    /// - CVE-2016-0752, CVE-2016-2097, CVE-2016-2098: `render` with what a user sends
    rule: "render-path", "A user names the template to render", FilesAndNetwork, 22, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"
}

/// Looks at every flow into the name of a template.
pub fn run(context: &Context<'_, '_>) {
    for flow in context.flows_to(Mark::Render) {
        let Some(call) = place::call_at(context, flow.file, flow.span) else { continue };
        let Some(named) = place::argument(call, flow) else { continue };
        if !is_name(named)
            || matches!(
                flow.source,
                SourceKind::Stored | SourceKind::Job | SourceKind::Remote | SourceKind::Local
            )
        {
            continue;
        }
        let whole = place::known_start(named).is_none();
        // From Rails 5 on the name is looked for in the folders of the views alone, `file:` apart.
        let leaves_views = flow.argument == "file"
            || context.app.rails() < (5, 0) && context.app.gems.older_than("rails", "4.2.5.2");
        let (severity, most) = match (leaves_views, whole) {
            (true, true) => (Severity::High, Confidence::High),
            (true, false) => (Severity::High, Confidence::High),
            (false, true) => (Severity::Medium, Confidence::Medium),
            // It stays among the templates of that folder.
            (false, false) => (Severity::Low, Confidence::Low),
        };
        let most = if flow.unknown_call { Confidence::Low } else { most };
        let what = if flow.argument == "file" { "file" } else { "template" };
        context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` names the {what} that `{}` renders", flow.words, flow.method),
            )
            .at_most(most)
            .severity(severity)
            .remedy("Choose the template from a list that the code holds.")
            .report();
    }
}

/// Whether an argument of `render` can be a template's name at all: not an object to render, not
/// a component, not a hash of options.
fn is_name(node: &Node) -> bool {
    match &node.kind {
        Kind::Hash(_) | Kind::Array(_) => false,
        Kind::Call(call) => !is_component(call),
        Kind::Or(sides) => is_name(&sides.0) || is_name(&sides.1),
        _ => true,
    }
}

fn is_component(call: &Call) -> bool {
    matches!(
        call.name.as_str(),
        "new" | "build" | "with_collection" | "with_content" | "merge" | "reverse_merge" | "slice" | "except"
    ) || call.recv.as_ref().is_some_and(|recv| matches!(&recv.kind, Kind::Call(inner) if is_component(inner)))
}
