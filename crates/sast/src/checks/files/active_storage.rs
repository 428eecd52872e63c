//! Uploads that Active Storage hands out by a user's key, or opens in the browser.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Node, Span};
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A blob is found by a key or number from the request instead of a signed id, or types that run script are
    /// allowed to open in the browser.
    ///
    /// ## Why it is bad
    ///
    /// A signed id shows that the application itself handed the file out; a plain key or number lets anyone fetch or
    /// attach anyone's upload. An uploaded SVG or HTML page that opens in place runs its script with the
    /// visitor's session.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// ActiveStorage::Blob.find(params[:blob_id])
    /// Rails.application.config.active_storage.content_types_to_serve_as_binary.delete("image/svg+xml")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// ActiveStorage::Blob.find_signed!(params[:signed_id])
    /// current_user.documents.find(params[:id]).file.blob
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-639: Authorization Bypass Through User-Controlled Key
    /// - Rails guide "Active Storage Overview"
    rule: "active-storage-exposure", "Uploads are handed out by a plain key or open in the browser", FilesAndNetwork, 639, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"
}

/// Looks at lookups of blobs and at the lists of types.
pub fn run(context: &Context<'_, '_>) {
    let mut found: Vec<(FileId, Span, String, Confidence, &str)> = Vec::new();
    for (file, tree) in context.files_with(&["ActiveStorage::", "active_storage"]) {
        if place::is_tooling(&tree.path) {
            continue;
        }
        walk::each(&tree.parsed.body, &mut |node| {
            if let Kind::Call(call) = &node.kind {
                if let Some(message) = by_key(call) {
                    found.push((file, node.span, message, Confidence::Medium, "Find it by its signed id (`find_signed!`), or through a record that the user may see."));
                } else if let Some(message) = inline(call) {
                    found.push((
                        file,
                        node.span,
                        message,
                        Confidence::Medium,
                        "Leave the type among those that are downloaded.",
                    ));
                }
            }
            true
        });
    }
    for (file, span, message, confidence, remedy) in found {
        context
            .finding(rule(), file, span, message)
            .confidence(confidence)
            .severity(Severity::Medium)
            .remedy(remedy)
            .report();
    }
}

fn by_key(call: &Call) -> Option<String> {
    let recv = call.recv.as_ref().and_then(place::constant)?;
    if !matches!(recv.as_str(), "ActiveStorage::Blob" | "ActiveStorage::Attachment") {
        return None;
    }
    let by = matches!(
        call.name.as_str(),
        "find" | "find_by" | "find_by!" | "find_by_key" | "find_by_id" | "where"
    );
    let from_request = |n: &Node| matches!(&n.kind, Kind::Call(c) if c.name == "params" && c.recv.is_none());
    (by && call.args.iter().any(|a| place::any(a, from_request)))
        .then(|| format!("`{recv}.{}` takes a key from the request as it is", call.name))
}

/// `content_types_to_serve_as_binary.delete("image/svg+xml")`, `content_types_allowed_inline << "text/html"`
fn inline(call: &Call) -> Option<String> {
    const ACTIVE: &[&str] = &[
        "text/html",
        "image/svg+xml",
        "image/svg",
        "application/xhtml+xml",
        "text/xml",
        "application/xml",
        "text/javascript",
        "application/postscript",
    ];
    let Some(Kind::Call(list)) = call.recv.as_ref().map(|r| &r.kind) else {
        return None;
    };
    let taken = matches!(
        (list.name.as_str(), call.name.as_str()),
        ("content_types_to_serve_as_binary", "delete" | "-" | "without" | "delete_if" | "reject!")
            | ("content_types_allowed_inline", "<<" | "push" | "+" | "concat" | "append")
    );
    if !taken {
        return None;
    }
    let mut kind = None;
    for arg in &call.args {
        walk::each(arg, &mut |n| {
            if let Kind::Str(text) = &n.kind
                && ACTIVE.contains(&&**text)
            {
                kind.get_or_insert(text);
            }
            true
        });
    }
    kind.map(|k| format!("An uploaded file of type `{k}` opens in the browser and may run script"))
}
