//! Constants looked up by a name that a user chooses.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

rule! {
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
        let finding = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` names the constant that `{}` looks up", flow.words, flow.method),
            )
            .remedy("Take the class from a hash that the code holds: `TYPES.fetch(name)`.");
        // A fixed ending leaves few classes to choose from; what is stored was mostly written there by
        // the code.
        if place::has_fixed_tail(context, &flow.steps, call) || flow.source == SourceKind::Stored {
            finding.at_most(Confidence::Low).report()
        } else {
            finding.report()
        }
    }
}
