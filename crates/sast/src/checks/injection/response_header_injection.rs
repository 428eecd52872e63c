//! Response headers that a user writes.

use wardroom_flow::Mark;
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A value that a user controls becomes a response header, on versions that let a line's end through, or as
    /// the header's name.
    ///
    /// ## Why it is bad
    ///
    /// A line's end in the value begins a header of the attacker's own, or the body: cookies are set, scripts are
    /// shown. Rails from 2.3.13 and 3.0.10 on and current servers refuse such values; older ones pass them on.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// response.headers["X-Next"] = params[:next]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// response.headers["X-Next"] = params[:next].to_s.delete("\r\n")
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-113: Improper Neutralization of CRLF Sequences in HTTP Headers
    /// - CVE-2011-3186 (Rails), CVE-2020-5247 (Puma)
    rule: "response-header-injection", "Response header written by a user", Injection, 113, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at every flow into a header.
pub fn run(context: &Context<'_, '_>) {
    let gems = &context.app.gems;
    let old_rails = gems.rails_version().is_some_and(|v| v < wardroom_rails::gems::Version(3, 0, 10));
    let old_puma = gems.older_than("puma", "3.12.3")
        || gems.version("puma").is_some_and(|v| v.0 == 4) && gems.older_than("puma", "4.3.2");
    for flow in place::flows(context, Mark::Header) {
        let code = context.source(flow.file, flow.span);
        // Headers of a message are another matter.
        if context.file(flow.file).path.contains("mailer") {
            continue;
        }
        if code.starts_with("request.")
            || code.contains("request.headers") && !code.contains("response") && flow.argument == "0"
        {
            continue;
        }
        let name = flow.argument == "0";
        let message = match name {
            true => format!("`{}` names a response header", flow.words),
            false => format!("`{}` becomes the value of a response header", flow.words),
        };
        let bound = match (name, old_rails || old_puma) {
            (_, true) => Confidence::High,
            (true, _) => Confidence::Medium,
            _ => Confidence::Low,
        };
        context
            .flow_finding(rule(), flow, message)
            .remedy("Take line ends out of the value, or choose it from values that the code holds; upgrade the server that passes them on.")
            .at_most(bound)
            .report();
    }
}
