//! E-mail headers that a user writes.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A value that a user controls becomes a header of a message, on a version of the mail gem that lets a line's
    /// end through.
    ///
    /// ## Why it is bad
    ///
    /// A line's end in the value begins a header or an SMTP command of the attacker's own: the application sends
    /// messages to whom the attacker wants. The mail gem refuses it from 2.5.5 and 2.6.6 on.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// mail(to: params[:email], from: params[:from])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// mail(to: params[:email].to_s.delete("\r\n"), from: "us@example.com", reply_to: user.email)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-93: Improper Neutralization of CRLF Sequences
    /// - CVE-2015-9097 (mail)
    rule: "email-header-injection", "E-mail header written by a user", Injection, 93, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N"
}

/// Looks at every flow into a header of a message.
pub fn run(context: &Context<'_, '_>) {
    let gems = &context.app.gems;
    let old = gems.older_than("mail", "2.5.5")
        || gems.at_least("mail", "2.6.0") && gems.older_than("mail", "2.6.6");
    for flow in place::flows(context, Mark::MailHeader) {
        context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` becomes the `{}` of a message", flow.words, flow.argument),
            )
            .remedy("Upgrade the mail gem, and take line ends out of the value.")
            .at_most(if old && flow.argument != "subject" && flow.source != SourceKind::Stored {
                Confidence::Medium
            } else {
                Confidence::Low
            })
            .report();
    }
}
