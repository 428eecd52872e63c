//! Files written or removed by a path that a user chooses.

use wardroom_flow::Mark;

use super::path_traversal::{cap, is_path, is_write};
use crate::context::Context;

wardroom_model::rule! {
    /// A path that holds what a user sent is written, moved, created or removed.
    ///
    /// ## Why it is bad
    ///
    /// `../` leads out of the folder that was meant: the attacker overwrites code, configuration or a
    /// template of the application, which mostly means that their own code runs, or removes files.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// File.binwrite(Rails.root.join("uploads", params[:file].original_filename), data)
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// name = "#{SecureRandom.uuid}#{File.extname(params[:file].original_filename)}"
    /// File.binwrite(Rails.root.join("uploads", name), data)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-22: Improper Limitation of a Pathname to a Restricted Directory
    /// - CWE-73: External Control of File Name or Path
    rule: "path-traversal-write", "A file is written or removed by a path that a user chooses", FilesAndNetwork, 22, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H"
}

/// Looks at every flow into a path that is written.
pub fn run(context: &Context<'_, '_>) {
    let opened = context.flows_to(Mark::Path).into_iter().filter(|f| is_write(context, f));
    let written = context.flows_to(Mark::PathWrite).into_iter().filter(|f| is_path(context, f));
    for flow in opened.chain(written) {
        let builder = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` becomes part of the path that `{}` changes", flow.words, flow.method),
            )
            .remedy("Choose the file's name in the code, or take the name alone (`File.basename`).");
        cap(builder, flow, context).report();
    }
}
