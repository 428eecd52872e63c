//! Templates whose source a user writes.

use wardroom_flow::Mark;
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// Text that a user controls becomes the source of a template: `render inline:`, `ERB.new`, Haml, Slim, Tilt.
    ///
    /// ## Why it is bad
    ///
    /// A template is code: `<%= … %>` in the text runs with the rights of the application.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// render inline: "<h1>Hello #{params[:name]}</h1>"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// render inline: "<h1>Hello <%= name %></h1>", locals: { name: params[:name] }
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1336: Improper Neutralization of Special Elements Used in a Template Engine
    rule: "template-injection", "Template whose source a user writes", Injection, 1336, Critical,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at every flow into a template's source.
pub fn run(context: &Context<'_, '_>) {
    let remedy = "Keep the template in the code and hand the value over as a variable; for templates that users write take a language without code, such as Liquid.";
    for flow in place::flows(context, Mark::Template) {
        // Liquid and Mustache templates are made for other people to write.
        if context.source(flow.file, flow.span).contains("Liquid::") {
            continue;
        }
        let finding = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` becomes part of the template given to `{}`", flow.words, flow.method),
            )
            .remedy(remedy);
        if place::is_hand_run(&context.file(flow.file).path) {
            finding.at_most(Confidence::Low).report()
        } else {
            finding.report()
        }
    }
    for open in context.unresolved_to(Mark::Template) {
        if context.source(open.file, open.span).contains("Liquid::") {
            continue;
        }
        context
            .unresolved_finding(
                rule(),
                open,
                format!("`{}` becomes part of the template given to `{}`", open.parameter, open.method),
            )
            .remedy(remedy)
            .report();
    }
}
