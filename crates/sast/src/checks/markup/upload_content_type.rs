//! Uploads that keep whatever type they claim to have.

use wardroom_model::Confidence;
use wardroom_rails::{MethodId, literal_name};
use wardroom_ruby::ir::*;

use crate::context::Context;

wardroom_model::rule! {
    /// An uploader takes files of any type: a CarrierWave uploader without a list of types or
    /// extensions, or a Paperclip attachment whose type is not checked.
    ///
    /// ## Why it is bad
    ///
    /// An HTML or SVG file that is served from the site's own host runs its scripts there: an upload
    /// becomes a page of the site.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// class ResourceUploader < CarrierWave::Uploader::Base
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// class ResourceUploader < CarrierWave::Uploader::Base
    ///   def content_type_allowlist = [%r{image/(png|jpeg|gif)}, "application/pdf"]
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-434: Unrestricted Upload of File with Dangerous Type
    /// - CVE-2021-25975 (Publify)
    rule: "upload-without-type-list", "An uploader takes files of any type", CrossSiteScripting, 434, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at uploader classes and attachments.
pub fn run(context: &Context<'_, '_>) {
    let index = &context.app.index;
    for class in index.classes.values() {
        if class.module || !index.inherits(class.name, "CarrierWave::Uploader::Base") {
            continue;
        }
        let lists = [
            "extension_allowlist",
            "content_type_allowlist",
            "extension_whitelist",
            "extension_white_list",
            "content_type_whitelist",
            "content_type_white_list",
        ];
        let has: Vec<MethodId> = lists.iter().filter_map(|l| index.find(class.name, Name::from(l))).collect();
        let declared = index
            .macros(class.name)
            .iter()
            .any(|m| m.call.name.contains("allowlist") || m.call.name.contains("white"));
        if !has.is_empty() || declared {
            continue;
        }
        // A base class whose children name their types.
        if index.classes.values().any(|c| c.superclass == Some(class.name)) {
            continue;
        }
        let Some((file, _, name)) = class.places.first().copied() else { continue };
        if context.file(file).path.contains("spec/") || context.file(file).path.contains("test/") {
            continue;
        }
        context
            .finding(rule(), file, name, format!("`{}` takes files of any type", class.name))
            .confidence(Confidence::Medium)
            .reason("neither a list of types nor one of extensions is given")
            .remedy("Define `content_type_allowlist` and `extension_allowlist` with the types that are needed; leave out HTML, SVG and XML.")
            .report();
    }
    for class in index.classes.values() {
        let macros = &class.macros;
        for declared in macros {
            if declared.call.name == "do_not_validate_attachment_file_type" {
                context
                    .finding(
                        rule(),
                        declared.file,
                        declared.span,
                        "the type of the attachment is not checked",
                    )
                    .confidence(Confidence::Medium)
                    .reason("`do_not_validate_attachment_file_type` turns the check off")
                    .remedy("Name the types with `validates_attachment_content_type`.")
                    .report();
            } else if declared.call.name == "has_attached_file"
                && let Some(attachment) = declared.call.args.first().and_then(literal_name)
            {
                let checked = macros.iter().any(|m| {
                    let name = m.call.name.as_str();
                    name.starts_with("validates_attachment")
                        || name == "do_not_validate_attachment_file_type"
                        || name.starts_with("validates")
                            && m.call
                                .args
                                .first()
                                .and_then(literal_name)
                                .is_some_and(|n| n == attachment || n.contains("content_type"))
                });
                if !checked {
                    context
                        .finding(
                            rule(),
                            declared.file,
                            declared.span,
                            format!("the type of `{attachment}` is not checked"),
                        )
                        .confidence(Confidence::Medium)
                        .reason("no validation names the types that it takes")
                        .remedy("Name the types with `validates_attachment_content_type`.")
                        .report();
                }
            }
        }
    }
}
