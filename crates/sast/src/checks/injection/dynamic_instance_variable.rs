//! Instance variables and methods named by a user.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The name of an instance variable that is set, or of a method that is defined, comes from a user.
    ///
    /// ## Why it is bad
    ///
    /// The user replaces what the object keeps for itself (`@current_user`, `@_response_body`) or defines methods
    /// over those that it has.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// params[:settings].each { |key, value| instance_variable_set("@#{key}", value) }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// SETTINGS = %w[size colour].freeze
    /// SETTINGS.each { |key| instance_variable_set("@#{key}", params[:settings][key]) }
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-915: Improperly Controlled Modification of Dynamically-Determined Object Attributes
    rule: "dynamic-instance-variable", "Instance variable named by a user", Injection, 915, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N"
}

/// Looks at every flow into the name of a variable.
pub fn run(context: &Context<'_, '_>) {
    for flow in place::flows(context, Mark::Variable) {
        if place::is_column_names(&flow.words) {
            continue;
        }
        let call = place::call_at(context, flow.file, flow.span);
        let reads = flow.method.ends_with("_get");
        let finding = context
            .flow_finding(
                rule(),
                flow,
                format!(
                    "`{}` names what `{}` {}",
                    flow.words,
                    flow.method,
                    if reads { "reads" } else { "sets" }
                ),
            )
            .remedy("Go through a list of names that the code holds.");
        let bound = if reads
            || flow.source == SourceKind::Stored
            || place::has_fixed_tail(context, &flow.steps, call)
        {
            Confidence::Low
        } else {
            Confidence::High
        };
        finding.at_most(bound).report();
    }
}
