//! Constants looked up by a name that a user chooses.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::Confidence;
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Kind, Node, Span};
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The name of a class or constant comes from a user: `constantize`, `safe_constantize`, `const_get`.
    ///
    /// ## Why it is bad
    ///
    /// The user picks any class that is loaded. What is then called on it (`new`, `find`, `create`, `destroy_all`)
    /// reaches records and code that the action was never meant to touch; looking a name up can load code, too.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// klass = params[:type].constantize
    /// klass.find(params[:id])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// TYPES = { "post" => Post, "photo" => Photo }.freeze
    /// TYPES.fetch(params[:type]).find(params[:id])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-470: Use of Externally-Controlled Input to Select Classes or Code
    rule: "unsafe-reflection", "Class chosen by a user", Injection, 470, High,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:L/A:L"
}

/// Looks at every flow into the name of a constant.
pub fn run(context: &Context<'_, '_>) {
    for flow in place::flows(context, Mark::Constant) {
        if place::is_column_names(&flow.words) {
            continue;
        }
        let call = place::call_at(context, flow.file, flow.span);
        let checked = is_checked(context, flow.file, flow.span);
        let finding = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` names the constant that `{}` looks up", flow.words, flow.method),
            )
            .remedy("Take the class from a hash that the code holds: `TYPES.fetch(name)`.");
        // `"Report::#{name}"`: a name within a module is looked for outside of it too.
        let bound = if place::has_fixed_head(context, &flow.steps, call) {
            Confidence::Medium
        } else {
            Confidence::High
        };
        let finding = finding.at_most(bound);
        // A fixed ending leaves few classes to choose from; what is stored was mostly written there by
        // the code.
        if checked {
            finding.at_most(Confidence::Low).reason("the class is tested before it is used").report()
        } else if place::has_fixed_tail(context, &flow.steps, call) || flow.source == SourceKind::Stored {
            finding.at_most(Confidence::Low).report()
        } else {
            finding.report()
        }
    }
}

/// Whether the method around the look-up tests the class that it got: `klass < Base`,
/// `Base.descendants.include?(klass)`, `klass.is_a?(Class) && …`.
fn is_checked(context: &Context<'_, '_>, file: FileId, span: Span) -> bool {
    let root = &context.file(file).parsed.body;
    let Some(body) = enclosing_def(root, span, 0) else { return false };
    let mut found = false;
    walk::each(body, &mut |node| {
        if let Kind::Call(call) = &node.kind {
            let receiver = call.recv.as_ref().map(|r| &r.kind);
            found |= match (call.name.as_str(), receiver) {
                ("<" | "<=", Some(_)) => {
                    matches!(call.args.first().map(|a| &a.kind), Some(Kind::Const(_) | Kind::SelfRef))
                }
                ("include?" | "member?" | "exclude?", Some(Kind::Call(list))) => matches!(
                    list.name.as_str(),
                    "descendants" | "subclasses" | "ancestors" | "included_modules" | "constants"
                ),
                ("is_a?" | "kind_of?", Some(_)) => {
                    matches!(call.args.first().map(|a| &a.kind), Some(Kind::Const(path)) if path.last().is_some_and(|n| *n != "String" && *n != "Class"))
                }
                ("superclass" | "included_in_classes", Some(_)) => true,
                _ => false,
            };
        }
        !found
    });
    found
}

/// The innermost method definition around a place.
fn enclosing_def(node: &Node, span: Span, depth: u32) -> Option<&Node> {
    if depth > 400 {
        return None;
    }
    let mut inner = None;
    walk::children(node, &mut |child| {
        if child.span.start <= span.start && span.end <= child.span.end {
            inner = enclosing_def(child, span, depth + 1).or(inner);
        }
    });
    inner.or_else(|| matches!(node.kind, Kind::Def(_)).then_some(node))
}
