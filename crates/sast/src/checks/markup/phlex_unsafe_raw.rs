//! Raw output in Phlex views.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::Habitat;
use wardroom_ruby::ir::*;

use super::pieces::{Pieces, Source};
use super::script_context::scope_at;
use crate::context::Context;

wardroom_model::rule! {
    /// A Phlex view writes a value without escaping: `unsafe_raw`, `raw(safe(value))`, or
    /// `safe(value)` in an attribute.
    ///
    /// ## Why it is bad
    ///
    /// Phlex escapes everything else; here markup in the value is run in the visitor's browser.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// def view_template
    ///   unsafe_raw @post.body
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// def view_template
    ///   plain @post.body
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - Phlex documentation, "Raw output"
    rule: "phlex-unsafe-raw", "A Phlex view writes a value without escaping", CrossSiteScripting, 79, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at raw output in Phlex views.
pub fn run(context: &Context<'_, '_>) {
    if !context.app.index.classes.values().any(|c| is_phlex(context, c.name)) {
        return;
    }
    let pieces = Pieces::new(context);
    for method in &context.app.index.methods {
        let mut calls = Vec::new();
        wardroom_ruby::walk::each(method.body, &mut |node| {
            if let Kind::Call(call) = &node.kind
                && call.recv.is_none()
                && call.args.len() == 1
                && matches!(call.name.as_str(), "unsafe_raw" | "safe")
            {
                calls.push((node, call));
                return false;
            }
            true
        });
        if calls.is_empty()
            || !(is_phlex(context, method.owner)
                || context.app.habitat(method.owner, method.file) == Habitat::View)
        {
            continue;
        }
        let scope = scope_at(context, method.file, method.span);
        for (node, call) in calls {
            let open = pieces.open(&call.args[0], &scope);
            let Some(first) = open.first() else { continue };
            context
                .finding(
                    rule(),
                    method.file,
                    node.span,
                    format!("`{}` is written without escaping by `{}`", first.words, call.name),
                )
                .confidence(match first.source {
                    Source::Text | Source::Request => Confidence::Medium,
                    _ => Confidence::Low,
                })
                .severity(Severity::Medium)
                .reason("Phlex escapes everything but this")
                .remedy("Write it with `plain`, or clean it first with a sanitizer.")
                .report();
        }
    }
}

fn is_phlex(context: &Context<'_, '_>, class: Name) -> bool {
    ["Phlex::HTML", "Phlex::SVG", "Phlex::View", "Phlex::Component"]
        .iter()
        .any(|p| context.app.index.inherits(class, p))
}
