//! Flash messages that a layout writes without escaping.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::{FileId, literal_name};
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use super::pieces::{Pieces, Source};
use super::script_context::scope_at;
use crate::context::Context;

wardroom_model::rule! {
    /// A layout or helper writes flash messages without escaping, and somewhere a message is put
    /// together with text that a user controls.
    ///
    /// ## Why it is bad
    ///
    /// The message is written in one place and shown in another; nobody who adds a name to a message
    /// expects it to be markup. A mail address with tags in it is run on the next page.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// flash[:notice] = "Welcome, #{user.name}"
    /// ```
    ///
    /// ```erb
    /// <%= raw flash[:notice] %>
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```erb
    /// <%= flash[:notice] %>
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - CVE-2015-8477 (Redmine)
    rule: "flash-rendered-raw", "A flash message with user data is shown without escaping", CrossSiteScripting, 79, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks for the place that shows messages raw, then for the messages.
pub fn run(context: &Context<'_, '_>) {
    let Some((shown_in, shown, key)) = raw_display(context) else { return };
    let pieces = Pieces::new(context);
    let mut messages = Vec::new();
    context.calls_named(
        &["[]=", "redirect_to", "redirect_back", "redirect_back_or_to"],
        |file, node, call| {
            let message = match call.name.as_str() {
                "[]=" if call.recv.as_ref().is_some_and(is_flash) => {
                    call.args.last().filter(|_| is_key(key, call.args.first().and_then(literal_name)))
                }
                "redirect_to" | "redirect_back" | "redirect_back_or_to" if call.recv.is_none() => {
                    call.args.iter().rev().find_map(|a| match &a.kind {
                        Kind::Hash(pairs) => pairs
                            .iter()
                            .find(|p| {
                                literal_name(&p.key).is_some_and(|k| {
                                    matches!(k.as_str(), "notice" | "alert") && is_key(key, Some(k))
                                })
                            })
                            .map(|p| &p.value),
                        _ => None,
                    })
                }
                _ => return,
            };
            let Some(message) = message else { return };
            if context.file(file).is_template() {
                return;
            }
            let scope = scope_at(context, file, node.span);
            let open = pieces.open(message, &scope);
            let Some(first) = open.first().filter(|p| matches!(p.source, Source::Text | Source::Request))
            else {
                return;
            };
            messages.push((file, node.span, first.clone()));
        },
    );
    // Many messages have one cause: then the place that shows them is the one to look at.
    let many = messages.len() > 12;
    if many {
        let mut builder = context
            .finding(
                rule(),
                shown_in,
                shown,
                format!(
                    "flash messages are shown without escaping, and {} of them hold text of others",
                    messages.len()
                ),
            )
            .confidence(Confidence::Medium)
            .severity(Severity::Medium)
            .reason("messages are read as markup here")
            .remedy("Leave `html_safe` and `raw` away, so that messages are escaped.");
        for (file, _, piece) in messages.iter().take(8) {
            builder = builder.step(*file, piece.span, format!("`{}` goes into a message", piece.words));
        }
        builder.report();
    }
    for (file, span, piece) in messages {
        context
            .finding(
                rule(),
                file,
                span,
                format!("`{}` goes into a flash message that is shown without escaping", piece.words),
            )
            .confidence(if many { Confidence::Low } else { Confidence::Medium })
            .severity(Severity::Medium)
            .step(file, piece.span, format!("`{}` goes into the message", piece.words))
            .step(shown_in, shown, "the message is shown without escaping")
            .reason("the message is read as markup where it is shown")
            .remedy("Escape the value with `ERB::Util.h`, or better let the layout escape messages.")
            .report();
    }
}

/// Whether a message of one key is shown where another one is: only one, or all, are shown raw.
fn is_key(shown: Option<Name>, written: Option<Name>) -> bool {
    shown.is_none_or(|shown| written.is_none_or(|written| written == shown))
}

/// `flash`, `flash.now`
fn is_flash(node: &Node) -> bool {
    match &node.kind {
        Kind::Call(call) => {
            call.name == "flash" && call.recv.is_none()
                || call.name == "now" && call.recv.as_ref().is_some_and(is_flash)
        }
        _ => false,
    }
}

/// Where a flash message is written as markup.
fn raw_display(context: &Context<'_, '_>) -> Option<(FileId, Span, Option<Name>)> {
    for (file, code) in context.files_with(&["flash", "notice", "alert"]) {
        let path = &code.path;
        if !(code.is_template() || path.contains("helpers/") || path.contains("components/")) {
            continue;
        }
        // Variables that stand for messages: `flash.each do |kind, message|`.
        let mut names: Vec<Name> = Vec::new();
        let mut found: Option<(Span, Option<Name>)> = None;
        walk::each(&code.parsed.body, &mut |node| {
            if found.is_some() {
                return false;
            }
            match &node.kind {
                Kind::Call(call) => {
                    if let (Some(block), Some(recv)) = (&call.block, &call.recv)
                        && is_flash_list(recv)
                    {
                        names.extend(block.params.last().map(|p| p.name));
                        names.extend(
                            block
                                .params
                                .last()
                                .into_iter()
                                .flat_map(|p| p.inner.iter())
                                .filter_map(|n| if let Kind::Local(n) = n.kind { Some(n) } else { None }),
                        );
                    }
                    let value = match call.name.as_str() {
                        "html_safe" => call.recv.as_ref(),
                        "raw" if call.recv.is_none() => call.args.first(),
                        _ => None,
                    };
                    if let Some(value) = value.filter(|v| is_message(v, &names)) {
                        found = Some((node.span, message_key(value)));
                    }
                }
                Kind::Assign(assign) => {
                    if let Kind::Local(name) = assign.target.kind
                        && is_message(&assign.value, &[])
                    {
                        names.push(name);
                    }
                }
                Kind::Out(out) if out.escape == Escape::Raw && is_message(&out.value, &names) => {
                    found = Some((out.value.span, message_key(&out.value)))
                }
                _ => {}
            }
            true
        });
        if let Some((span, key)) = found
            && !is_orphan(context, file)
        {
            return Some((file, span, key));
        }
    }
    None
}

/// The key of `flash[:alert]`, `alert`.
fn message_key(node: &Node) -> Option<Name> {
    match &node.kind {
        Kind::Call(call) => match call.name.as_str() {
            "[]" => call.args.first().and_then(literal_name),
            "notice" | "alert" => Some(call.name),
            _ => call.recv.as_ref().and_then(message_key),
        },
        _ => None,
    }
}

/// Whether a partial is rendered by nobody: no template or method names it, and no name of a partial
/// is put together that could be it.
fn is_orphan(context: &Context<'_, '_>, file: FileId) -> bool {
    let path = &context.file(file).path;
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let Some(name) = name.strip_prefix('_').and_then(|n| n.split('.').next()) else { return false };
    let folder = folder.rsplit('/').next().unwrap_or(folder);
    let mut rendered = false;
    let methods = ["render", "render_to_string", "partial", "render_partial", "partial!"];
    context.calls_named(&methods, |_, _, call| {
        for arg in &call.args {
            walk::each(arg, &mut |node| {
                rendered |= match &node.kind {
                    Kind::Str(text) => text.rsplit('/').next() == Some(name),
                    Kind::Sym(text) => *text == name,
                    // `"shared/#{name}"`
                    Kind::Interp(interp) => interp.parts.iter().any(|p| match &p.kind {
                        Kind::Str(text) => text.contains(folder),
                        _ => false,
                    }),
                    _ => false,
                };
                !rendered
            });
        }
    });
    !rendered
}

fn is_flash_list(node: &Node) -> bool {
    match &node.kind {
        Kind::Call(call) => {
            is_flash(node)
                || matches!(
                    call.name.as_str(),
                    "to_hash"
                        | "to_h"
                        | "select"
                        | "reject"
                        | "slice"
                        | "except"
                        | "each"
                        | "compact"
                        | "sort"
                ) && call.recv.as_ref().is_some_and(is_flash_list)
        }
        _ => false,
    }
}

/// `flash[:notice]`, `notice`, a message variable.
fn is_message(node: &Node, names: &[Name]) -> bool {
    match &node.kind {
        Kind::Local(name) => names.contains(name),
        Kind::Call(call) => match call.name.as_str() {
            "[]" => call.recv.as_ref().is_some_and(is_flash),
            "to_s" | "strip" | "join" => call.recv.as_ref().is_some_and(|r| is_message(r, names)),
            "notice" | "alert" => call.recv.is_none() && call.args.is_empty() && call.bare,
            _ => false,
        },
        Kind::Or(sides) => is_message(&sides.0, names) || is_message(&sides.1, names),
        _ => false,
    }
}
