//! Log lines that a user writes.

use wardroom_flow::Mark;
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A value that a user controls is written to the log as it is.
    ///
    /// ## Why it is bad
    ///
    /// A line's end in the value begins a line of the attacker's own: a forged entry hides what was done or puts
    /// it on someone else, and tools that read the log line by line take it for true.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// logger.info("login of #{params[:login]}")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// logger.info("login of #{params[:login].inspect}")
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-117: Improper Output Neutralization for Logs
    rule: "log-injection", "Log line written by a user", Injection, 117, Low,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N"
}

/// Looks at every flow into a log: shown on request only.
pub fn run(context: &Context<'_, '_>) {
    for flow in place::flows(context, Mark::Log) {
        context
            .flow_finding(rule(), flow, format!("`{}` is written to the log with its line ends", flow.words))
            .remedy("Write `value.inspect`, or log structured fields.")
            .confidence(Confidence::Low)
            .report();
    }
}
