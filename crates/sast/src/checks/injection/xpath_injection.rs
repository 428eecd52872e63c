//! XPath expressions built from what a user sends.

use wardroom_flow::Mark;
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// Text that a user controls becomes part of an XPath expression.
    ///
    /// ## Why it is bad
    ///
    /// A quote in the value ends the string that it was meant to stay in: the expression then selects other
    /// nodes, so that a check against an XML file passes or its content leaks.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// doc.at_xpath("//user[@name='#{params[:name]}']")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// doc.at_xpath("//user[@name=$name]", nil, name: params[:name])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-643: Improper Neutralization of Data within XPath Expressions
    rule: "xpath-injection", "XPath built from what a user sends", Injection, 643, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N"
}

/// Looks at every flow into an expression.
pub fn run(context: &Context<'_, '_>) {
    for flow in place::flows(context, Mark::XPath) {
        let finding = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` becomes part of the XPath given to `{}`", flow.words, flow.method),
            )
            .remedy("Name the value as a variable (`[@name=$name]`) and give it beside the expression.");
        if place::is_built(&flow.steps) {
            finding.report()
        } else {
            finding.at_most(Confidence::Medium).report()
        }
    }
}
