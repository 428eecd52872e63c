//! Request data written into a page as it is becomes escaped.

use wardroom_flow::{Flow, SourceKind};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Escape, HtmlContext, Kind, Node, Out, Span};
use wardroom_ruby::walk;

use super::{Mend, is_plain, of_params, replace};
use crate::context::Context;

/// Takes `raw`, `html_safe` or the raw output tag away: only where the value is what a request says by
/// itself, between tags or in a quoted attribute, and nothing that the application has built.
pub fn escaped(context: &Context<'_, '_>, flow: &Flow) -> Option<Mend> {
    if !context.file(flow.file).is_template() {
        return None;
    }
    let asked = matches!(flow.source, SourceKind::Params | SourceKind::Cookie | SourceKind::Request);
    let built = flow.steps.iter().any(|s| s.note == "built into a string");
    if !asked || built || flow.unknown_call {
        return None;
    }
    let out = out_at(context, flow.file, flow.span)?;
    if !matches!(out.context, HtmlContext::Text | HtmlContext::Quoted) {
        return None;
    }
    let value = &out.value;
    let title = "Lets the template escape it";
    let bare = |node: &Node| {
        is_plain(context, flow.file, node)
            && (of_params(node) || matches!(node.kind, Kind::Ivar(_)))
            && !super::calls(node, &|n| ["html", "raw", "sanit"].iter().any(|w| n.contains(w)))
    };
    let source = context.source(flow.file, value.span);
    if let Kind::Call(call) = &value.kind {
        if call.name == "raw"
            && call.recv.is_none()
            && let [inner] = call.args.as_slice()
            && source.starts_with("raw")
            && bare(inner)
        {
            return Some(replace(title, flow.file, value.span, context.source(flow.file, inner.span)));
        }
        if call.name == "html_safe"
            && let Some(inner) = &call.recv
            && bare(inner)
            && source == format!("{}.html_safe", context.source(flow.file, inner.span))
        {
            return Some(replace(title, flow.file, value.span, context.source(flow.file, inner.span)));
        }
    }
    if out.escape == Escape::Raw && bare(value) {
        return tag(context, flow.file, value).map(|span| replace(title, flow.file, span, ""));
    }
    None
}

/// The sign too many in `<%==`, `!=` and `==`.
fn tag(context: &Context<'_, '_>, file: FileId, value: &Node) -> Option<Span> {
    let text = context.file(file).text.get(..value.span.start as usize)?;
    let end = text.trim_ascii_end().len() as u32;
    let before = text.trim_ascii_end();
    if before.ends_with(b"<%==") || before.ends_with(b"==") {
        return Some(Span { start: end - 1, end });
    }
    before.ends_with(b"!=").then_some(Span { start: end - 2, end: end - 1 })
}

fn out_at<'a>(context: &Context<'_, 'a>, file: FileId, span: Span) -> Option<&'a Out> {
    let mut found = None;
    walk::each(&context.file(file).parsed.body, &mut |node| {
        if let Kind::Out(out) = &node.kind
            && (node.span == span || out.value.span == span)
        {
            found = Some(&**out);
        }
        found.is_none()
    });
    found
}
