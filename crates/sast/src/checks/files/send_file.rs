//! Files sent to the browser by a path that a user chooses.

use wardroom_flow::Mark;

use super::path_traversal::cap;
use crate::context::Context;

wardroom_model::rule! {
    /// `send_file` gets a path that holds what a user sent.
    ///
    /// ## Why it is bad
    ///
    /// `../` leads out of the folder that was meant, and the file goes straight to the browser: keys,
    /// configuration, the source, other people's uploads.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// send_file Rails.root.join("public", params[:name])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// document = current_user.documents.find(params[:id])
    /// send_file document.path
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-22: Improper Limitation of a Pathname to a Restricted Directory
    /// - Rails guide "Securing Rails Applications", section on file downloads
    rule: "send-file", "A file that a user chooses is sent", FilesAndNetwork, 22, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
}

/// Looks at every flow into the path of a file that is sent.
pub fn run(context: &Context<'_, '_>) {
    for flow in context.flows_to(Mark::SendFile) {
        let builder = context
            .flow_finding(rule(), flow, format!("`{}` chooses the file that `{}` sends", flow.words, flow.method))
            .remedy("Find the file through a record that the user may see, or take the name alone (`File.basename`).");
        cap(builder, flow, context).report();
    }
}
