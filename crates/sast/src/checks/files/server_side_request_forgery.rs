//! Requests that the server makes to where a user says.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::{Confidence, Severity};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The host of an outgoing request comes from a user.
    ///
    /// ## Why it is bad
    ///
    /// The request is made from inside the network: the attacker reaches the cloud's metadata service
    /// (`http://169.254.169.254/`) and its credentials, databases and admin pages that trust the network, or
    /// scans ports.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Net::HTTP.get(URI(params[:url]))
    /// ```
    ///
    /// ## Use instead
    ///
    /// Fix the host in the code and take only the rest from the user, or check the address after it was
    /// resolved (the `ssrf_filter` and `private_address_check` gems do):
    ///
    /// ```ruby
    /// SsrfFilter.get(params[:url])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-918: Server-Side Request Forgery
    rule: "server-side-request-forgery", "The server sends a request to where a user says", FilesAndNetwork, 918, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N"
}

/// Looks at every flow into the host of a request.
pub fn run(context: &Context<'_, '_>) {
    for flow in context.flows_to(Mark::Request) {
        let checked =
            place::passed_through_check(flow, &["safe", "sanit", "valid", "allowed", "public", "filter"])
                .is_some();
        // The gem refuses inner addresses for every connection that the block makes.
        if place::inside_block_of(context, flow.file, flow.span, "only_public_connections") {
            continue;
        }
        let tooling = place::is_tooling(&context.file(flow.file).path);
        let builder = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` decides where `{}` sends its request", flow.words, flow.method),
            )
            .remedy("Fix the host in the code, or let only addresses through that are public once resolved.");
        let builder = match flow.source {
            // A server's name in the settings of an administrator.
            SourceKind::Stored
                if ["host", "hostname", "server", "account", "name"]
                    .iter()
                    .any(|w| flow.words.ends_with(w)) =>
            {
                builder.at_most(Confidence::Low)
            }
            SourceKind::Stored => builder.severity(Severity::Medium),
            // Whoever was asked says where to ask next.
            SourceKind::Remote if flow.words.starts_with("the answer to") => {
                builder.severity(Severity::Medium)
            }
            SourceKind::Remote | SourceKind::Local | SourceKind::Job => builder.at_most(Confidence::Low),
            _ => builder,
        };
        if checked || tooling { builder.at_most(Confidence::Low).report() } else { builder.report() }
    }
}
