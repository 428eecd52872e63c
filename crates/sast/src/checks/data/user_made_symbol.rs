//! Symbols that a user makes, on Rubies that keep them for ever.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::Confidence;
use wardroom_rails::gems::Version;

use crate::context::Context;

wardroom_model::rule! {
    /// Text that a user sends becomes a symbol, on a Ruby older than 2.2.
    ///
    /// ## Why it is bad
    ///
    /// Before Ruby 2.2 symbols are never freed: requests with ever new texts fill the memory.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// params[:view].to_sym
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// %w[list grid].include?(params[:view]) ? params[:view].to_sym : :list
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-400: Uncontrolled Resource Consumption
    rule: "user-made-symbol", "A symbol made from what a user sends", DenialOfService, 400, Low,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"
}

/// Looks at flows into symbols where the Ruby is known to be old, or the Rails too old for a new one.
pub fn run(context: &Context<'_, '_>) {
    let old = match context.app.gems.ruby_version() {
        Some(version) => version < Version(2, 2, 0),
        // Rails 3.2 and older do not run on 2.2 without care.
        None => context.app.gems.rails_version().is_some_and(|v| v < Version(4, 0, 0)),
    };
    if !old {
        return;
    }
    for flow in context.flows_to(Mark::Symbol) {
        if flow.source == SourceKind::Stored {
            continue;
        }
        context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` becomes a symbol, which this Ruby never frees", flow.words),
            )
            .at_most(Confidence::Medium)
            .remedy("Compare strings, or allow only values from a list.")
            .report();
    }
}
