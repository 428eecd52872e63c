//! Files read by a path that a user chooses.

use wardroom_flow::{Flow, Mark, SourceKind};
use wardroom_model::Confidence;
use wardroom_ruby::ir::{Kind, Node};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A path that holds what a user sent is opened, read or listed.
    ///
    /// ## Why it is bad
    ///
    /// `../` leads out of the folder that was meant, and `File.join` and `Rails.root.join` do not stop it:
    /// the attacker reads `config/master.key`, `database.yml` or any file that the process may read.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// File.read(Rails.root.join("reports", params[:name]))
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// File.read(Rails.root.join("reports", File.basename(params[:name])))
    /// ```
    ///
    /// Or look the file up in a list that the code holds:
    ///
    /// ```ruby
    /// name = REPORTS.fetch(params[:name])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-22: Improper Limitation of a Pathname to a Restricted Directory
    /// - Rails guide "Securing Rails Applications", section on file downloads
    rule: "path-traversal", "A file is read by a path that a user chooses", FilesAndNetwork, 22, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
}

/// Calls that say only whether a file is there, or how large and old it is.
const QUESTIONS: &[&str] = &["exist?", "exists?", "stat", "lstat", "size", "mtime", "ctime", "readlink"];

/// Looks at every flow into a path that is read.
pub fn run(context: &Context<'_, '_>) {
    for flow in context.flows_to(Mark::Path) {
        if is_write(context, flow) || !is_path(context, flow) {
            continue;
        }
        let builder = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` becomes part of the path given to `{}`", flow.words, flow.method),
            )
            .remedy(
                "Take the file's name alone (`File.basename`), or look it up in a list that the code holds.",
            );
        let builder = if QUESTIONS.contains(&flow.method.as_str()) {
            builder.at_most(Confidence::Low)
        } else {
            builder
        };
        cap(builder, flow, context).report();
    }
}

/// Paths from stored or foreign data are mostly made by the application itself.
pub(super) fn cap<'b, 'c, 'a>(
    builder: crate::context::Builder<'b, 'c, 'a>,
    flow: &Flow,
    context: &Context<'_, '_>,
) -> crate::context::Builder<'b, 'c, 'a> {
    let tooling = place::is_tooling(&context.file(flow.file).path);
    let foreign =
        matches!(flow.source, SourceKind::Stored | SourceKind::Job | SourceKind::Remote | SourceKind::Local);
    let checked =
        place::passed_through_check(flow, &["safe", "sanit", "clean", "valid", "basename", "slug", "secure"])
            .is_some();
    // Through a call that nothing is known of, into a path: mostly a record was looked up on the way.
    let lost = flow.unknown_call;
    if tooling || foreign || checked || lost { builder.at_most(Confidence::Low) } else { builder }
}

/// `File.open(path, "w")` writes; so do `CSV.open(path, "wb")` and `File.new(path, "a")`.
pub(super) fn is_write(context: &Context<'_, '_>, flow: &Flow) -> bool {
    if !matches!(flow.method.as_str(), "open" | "new") {
        return false;
    }
    place::call_at(context, flow.file, flow.span).is_some_and(|call| {
        let mode = call
            .args
            .get(1)
            .filter(|a| !matches!(a.kind, Kind::Hash(_)))
            .or_else(|| place::option(call, "mode"));
        mode.is_some_and(writes)
    })
}

fn writes(mode: &Node) -> bool {
    match &mode.kind {
        Kind::Str(text) => text.starts_with(['w', 'a']) || text.contains('+'),
        _ => place::any(mode, |n| matches!(place::last_name(n), Some("WRONLY" | "RDWR" | "CREAT"))),
    }
}

/// Where the receiver is the path (`path.read`), it must be written as one: a `read` of anything
/// else says nothing of files.
pub(super) fn is_path(context: &Context<'_, '_>, flow: &Flow) -> bool {
    if flow.argument != "receiver" {
        return true;
    }
    let Some(recv) = place::call_at(context, flow.file, flow.span).and_then(|c| c.recv.as_ref()) else {
        return false;
    };
    place::any(recv, |n| match &n.kind {
        Kind::Const(path) => path.last().is_some_and(|n| *n == "Pathname"),
        Kind::Call(call) => {
            call.name == "Pathname"
                || call.name == "root" && call.recv.as_ref().and_then(place::last_name) == Some("Rails")
        }
        _ => false,
    })
}
