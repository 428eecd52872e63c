//! Methods called by a name that a user chooses.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The name of the method that `send`, `public_send`, `try` or `method` calls comes from a user.
    ///
    /// ## Why it is bad
    ///
    /// The user calls any method of the object: `destroy`, `delete_all`, with `send` private ones and `eval`,
    /// `system` and `exit` too, and with arguments from the request whatever those do.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// @host.send(params[:power_action])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// ACTIONS = %w[start stop].freeze
    /// @host.public_send(params[:power_action]) if ACTIONS.include?(params[:power_action])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-470: Use of Externally-Controlled Input to Select Classes or Code
    rule: "dynamic-send", "Method chosen by a user", Injection, 470, High,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at every flow into the name of a method.
pub fn run(context: &Context<'_, '_>) {
    for flow in place::flows(context, Mark::Method) {
        if place::is_column_names(&flow.words) {
            continue;
        }
        let call = place::call_at(context, flow.file, flow.span);
        let finding = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` names the method that `{}` calls", flow.words, flow.method),
            )
            .remedy("Hold the allowed names in a list and call only what is in it.");
        let finding = match flow.method.as_str() {
            "method" | "instance_method" | "public_method" | "respond_to?" => {
                finding.at_most(Confidence::Medium)
            }
            // The attributes of one object, set by names of the user's choice.
            _ if place::is_setter(call) => finding.at_most(Confidence::Medium),
            _ => finding,
        };
        if place::has_fixed_tail(context, &flow.steps, call) || flow.source == SourceKind::Stored {
            finding.at_most(Confidence::Low).report()
        } else {
            finding.report()
        }
    }
}
