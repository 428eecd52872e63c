//! Format strings that a user writes.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::Confidence;
use wardroom_ruby::ir::{Kind, Node};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A format string for `format`, `sprintf`, `printf` or `%` comes from a user.
    ///
    /// ## Why it is bad
    ///
    /// A width such as `%999999999d` makes a string of that size and fills the memory, and a directive without
    /// a value raises. With `%p` and named references the values are shown as they are.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// format(params[:pattern], total)
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// format("%s: %d", params[:label], total)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-134: Use of Externally-Controlled Format String
    rule: "format-string", "Format string written by a user", Injection, 134, Low,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"
}

/// Looks at every flow into a format.
pub fn run(context: &Context<'_, '_>) {
    for flow in place::flows(context, Mark::Format) {
        let Some(call) = place::call_at(context, flow.file, flow.span) else { continue };
        // `a % b` is arithmetic unless a list, a hash or a string stands behind it.
        let arithmetic = call.name == "%"
            && !matches!(
                call.args.first(),
                Some(Node { kind: Kind::Array(_) | Kind::Hash(_) | Kind::Str(_) | Kind::Interp(_), .. })
            );
        if arithmetic || flow.source != SourceKind::Params || call.name != "%" && call.args.len() < 2 {
            continue;
        }
        context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` is part of the format given to `{}`", flow.words, flow.method),
            )
            .remedy("Write the format in the code and give the value as one of its arguments.")
            .at_most(Confidence::Medium)
            .report();
    }
}
