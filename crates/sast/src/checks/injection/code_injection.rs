//! Ruby code built from what a user sends.

use wardroom_flow::Mark;
use wardroom_model::Confidence;
use wardroom_rails::Habitat;
use wardroom_ruby::ir::{Kind, Node};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// Text that a user controls becomes Ruby code: `eval`, `instance_eval`, `class_eval`, `module_eval`,
    /// `Binding#eval` with a string.
    ///
    /// ## Why it is bad
    ///
    /// Whoever writes the text writes a part of the application: it reads every secret and runs every
    /// command that the application can.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// eval("new_#{params[:type]}_path")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// public_send(TYPE_PATHS.fetch(params[:type]))
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-95: Improper Neutralization of Directives in Dynamically Evaluated Code
    rule: "code-injection", "Ruby code built from what a user sends", Injection, 95, Critical,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at every flow into code.
pub fn run(context: &Context<'_, '_>) {
    let remedy =
        "Call what is meant by its name: a hash from allowed words to methods or classes, then `fetch`.";
    for flow in place::flows(context, Mark::Code) {
        let finding = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` becomes part of the code given to `{}`", flow.words, flow.method),
            )
            .remedy(remedy);
        if place::is_hand_run(&context.file(flow.file).path) {
            finding.at_most(Confidence::Low).report()
        } else {
            finding.report()
        }
    }
    for open in context.unresolved_to(Mark::Code) {
        context
            .unresolved_finding(
                rule(),
                open,
                format!("`{}` becomes part of the code given to `{}`", open.parameter, open.method),
            )
            .remedy(remedy)
            .report();
    }
    // Code put together from the name of the controller or from other words of the request: the
    // words are the framework's, but code is never the way to use them.
    context.calls_named(&["eval"], |file, node, call| {
        if !matches!(call.recv, None | Some(Node { kind: Kind::SelfRef, .. })) {
            return;
        }
        let Some(Node { kind: Kind::Interp(interp), .. }) = call.args.first() else { return };
        let path = &context.file(file).path;
        let habitat = context.app.habitat(wardroom_ruby::ir::Name::from(""), file);
        if place::is_hand_run(path) {
            return;
        }
        // `eval("\"#{sender.display_name}\"")`: a text, read as Ruby to take its escapes away.
        let quoted = interp.parts.windows(2).find(|pair| {
            matches!(&pair[0].kind, Kind::Str(text) if text.ends_with(['"', '\'']))
                && matches!(&pair[1].kind, Kind::Call(_) | Kind::Ivar(_) | Kind::Local(_))
        });
        if let Some(pair) = quoted {
            context
                .finding(
                    rule(),
                    file,
                    node.span,
                    format!(
                        "`{}` is put between quotes and given to `eval`",
                        context.source(file, pair[1].span)
                    ),
                )
                .confidence(Confidence::Medium)
                .reason("a quote in the value ends the text, and what follows runs as code")
                .remedy(remedy)
                .report();
            return;
        }
        if !matches!(habitat, Habitat::Controller | Habitat::View | Habitat::Helper | Habitat::Model) {
            return;
        }
        let variable =
            interp.parts.iter().any(|p| !matches!(p.kind, Kind::Str(_) | Kind::Const(_) | Kind::SelfRef));
        if variable {
            // Not an action, and made of its parameters: what its callers hand over has been followed,
            // and no request's word came.
            let own = context.app.index.methods.iter().any(|m| {
                m.file == file
                    && !m.params.is_empty()
                    && !says_request(m.body)
                    && m.span.start <= node.span.start
                    && node.span.end <= m.span.end
                    && m.visibility != wardroom_rails::Visibility::Public
            });
            context
                .finding(
                    rule(),
                    file,
                    node.span,
                    "code is put together from a string at run time and given to `eval`",
                )
                .confidence(if habitat == Habitat::Controller && !own {
                    Confidence::Medium
                } else {
                    Confidence::Low
                })
                .reason(
                    "where the parts come from is not known; a name that a request chooses would run as code",
                )
                .remedy(remedy)
                .report();
        }
    });
}

/// Whether a method reads the request itself: its parameters, or the names that its path gives.
fn says_request(body: &Node) -> bool {
    let mut found = false;
    wardroom_ruby::walk::each(body, &mut |node| {
        if let Kind::Call(call) = &node.kind {
            found |= call.recv.is_none()
                && matches!(
                    call.name.as_str(),
                    "params"
                        | "request"
                        | "controller_name"
                        | "controller_path"
                        | "action_name"
                        | "cookies"
                        | "session"
                );
        }
        !found
    });
    found
}
