//! `open` with a name that a user chooses.

use wardroom_flow::Mark;
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// `Kernel#open`, `URI.open` or `IO.read` and its kin get a name that a user controls.
    ///
    /// ## Why it is bad
    ///
    /// A name that begins with `|` is a command, and it is run. With open-uri a name that is a URL is fetched
    /// from wherever it points.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// open(params[:file])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// File.open(Rails.root.join("public", File.basename(params[:file])))
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-78: Improper Neutralization of Special Elements used in an OS Command
    /// - Ruby documentation of `Kernel#open`
    rule: "kernel-open", "open with a name that a user chooses", Injection, 78, Critical,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at every flow into such a call.
pub fn run(context: &Context<'_, '_>) {
    // From Ruby 4.0 on a `|` is a character like any other.
    if context.app.gems.ruby_version().is_some_and(|v| v.0 >= 4) {
        return;
    }
    let images = context.app.gems.at_least("mini_magick", "4.9.4");
    for flow in place::flows(context, Mark::Open) {
        // From 4.9.4 on it opens files and URLs alone.
        if images && context.source(flow.file, flow.span).contains("MiniMagick::") {
            continue;
        }
        let finding = context
            .flow_finding(rule(), flow, format!("`{}` is what `{}` opens: a leading `|` makes it a command", flow.words, flow.method))
            .remedy("Call `File.open` for files, and `URI.parse(url).open` for URLs of which scheme and host were checked.");
        if place::is_hand_run(&context.file(flow.file).path) {
            finding.at_most(Confidence::Low).report()
        } else {
            finding.report()
        }
    }
}
