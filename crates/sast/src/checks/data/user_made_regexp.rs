//! Patterns that a user writes.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::{Confidence, Severity};

use crate::context::Context;

wardroom_model::rule! {
    /// Text that a user sends becomes a regular expression or a part of one.
    ///
    /// ## Why it is bad
    ///
    /// The user can write a pattern that takes hours (`(a+)+$`), and can make a comparison true that
    /// should not be (`.*`).
    ///
    /// ## Example
    ///
    /// ```ruby
    /// names.select { |name| name.match(/#{params[:term]}/i) }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// names.select { |name| name.downcase.include?(params[:term].downcase) }
    /// names.grep(/#{Regexp.escape(params[:term])}/i)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1333: Inefficient Regular Expression Complexity
    /// - CWE-625: Permissive Regular Expression
    rule: "user-made-regexp", "A pattern made from what a user sends", DenialOfService, 1333, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H"
}

const REMEDY: &str = "Put it through `Regexp.escape`, or compare with `include?` and `start_with?`.";

/// Looks at flows into patterns.
pub fn run(context: &Context<'_, '_>) {
    for flow in context.flows_to(Mark::Regex) {
        // `Regexp.new(text, timeout: 0.1)` ends by itself.
        if context.source(flow.file, flow.span).contains("timeout:") {
            continue;
        }
        // A stored pattern is mostly an administrator's, and meant as one.
        let meant = [
            "pattern",
            "regex",
            "filter",
            "rule",
            "match",
            "expression",
            "config",
            "setting",
            "mask",
            "search",
        ]
        .iter()
        .any(|w| flow.words.to_lowercase().contains(w));
        // `Regexp.new(text)`: the whole of it is a pattern, as its writer means it to be.
        let whole = !context.source(flow.file, flow.span).contains("#{");
        // A validation that runs beside this one has held nothing yet.
        let validating = context.method_at(flow.file, flow.span).is_some_and(|id| {
            let method = context.app.index.method(id);
            context.app.index.macros(method.owner).iter().any(|declared| {
                declared.call.name == "validate"
                    && declared
                        .call
                        .args
                        .iter()
                        .any(|a| wardroom_rails::literal_name(a).is_some_and(|n| n == method.name))
            })
        });
        let held =
            !validating && crate::checks::markup::place::cleaned_when_stored(context, &flow.words).is_some();
        let most = match flow.source {
            SourceKind::Stored if meant || whole || held => Confidence::Low,
            SourceKind::Stored => Confidence::Medium,
            _ => Confidence::High,
        };
        context
            .flow_finding(rule(), flow, format!("`{}` becomes part of a pattern", flow.words))
            .at_most(most)
            .severity(Severity::Medium)
            .remedy(REMEDY)
            .report();
    }
    for open in context.unresolved_to(Mark::Regex) {
        context
            .unresolved_finding(rule(), open, format!("`{}` becomes part of a pattern", open.parameter))
            .severity(Severity::Low)
            .remedy(REMEDY)
            .report();
    }
}
