//! Shell commands built from what a user sends or has stored.

use wardroom_flow::Mark;
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;
use crate::mend;

wardroom_model::rule! {
    /// Text that a user controls, or has stored earlier, becomes part of a command line that a shell reads:
    /// backticks, `%x`, `system`, `exec`, `spawn`, `IO.popen`, `Open3` with one string, and the gems around them.
    ///
    /// ## Why it is bad
    ///
    /// The shell runs what stands behind a `;`, a `|`, `$(…)` or a line's end in the value, with the rights of the
    /// application.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// `convert #{params[:file]} out.png`
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// system("convert", "--", params[:file], "out.png")
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-78: Improper Neutralization of Special Elements used in an OS Command
    /// - Ruby documentation of `Kernel#spawn`: a command line and a list of arguments
    rule: "command-injection", "Shell command built from what a user sends", Injection, 78, Critical,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at every flow into a command line.
pub fn run(context: &Context<'_, '_>) {
    let remedy = "Give the program and its arguments one by one (`system(\"convert\", \"--\", path)`), so that no shell reads them; where a shell is needed, put each value through `Shellwords.escape`.";
    for flow in place::flows(context, Mark::Command) {
        let what = if flow.method == "`" {
            "the command in backticks".to_owned()
        } else {
            format!("the command given to `{}`", flow.method)
        };
        let finding = context
            .flow_finding(rule(), flow, format!("`{}` becomes part of {what}", flow.words))
            .remedy(remedy)
            .mend(mend::arguments(context, flow.file, flow.span));
        if place::is_hand_run(&context.file(flow.file).path) {
            finding.at_most(Confidence::Low).report()
        } else {
            finding.report()
        }
    }
    for open in context.unresolved_to(Mark::Command) {
        let what = if open.method == "`" {
            "the command in backticks".to_owned()
        } else {
            format!("the command given to `{}`", open.method)
        };
        context
            .unresolved_finding(rule(), open, format!("`{}` becomes part of {what}", open.parameter))
            .remedy(remedy)
            .mend(mend::arguments(context, open.file, open.span))
            .report();
    }
}
