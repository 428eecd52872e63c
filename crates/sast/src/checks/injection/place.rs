//! The code around a sink: what a flow alone does not say.

use wardroom_flow::{Flow, FlowStep, Mark};
use wardroom_rails::FileId;
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use crate::context::Context;

/// How deep a tree is looked into.
const MAX_DEPTH: u32 = 400;

/// The outermost node that fits at a place.
pub fn node_at<'a>(
    context: &Context<'_, 'a>,
    file: FileId,
    span: Span,
    fits: &dyn Fn(&Node) -> bool,
) -> Option<&'a Node> {
    fn down<'a>(node: &'a Node, span: Span, fits: &dyn Fn(&Node) -> bool, depth: u32) -> Option<&'a Node> {
        if node.span == span && fits(node) {
            return Some(node);
        }
        if depth > MAX_DEPTH {
            return None;
        }
        let mut found = None;
        walk::children(node, &mut |child| {
            if found.is_none() && child.span.start <= span.start && span.end <= child.span.end {
                found = down(child, span, fits, depth + 1);
            }
        });
        found
    }
    down(&context.file(file).parsed.body, span, fits, 0)
}

/// The call at a place.
pub fn call_at<'a>(context: &Context<'_, 'a>, file: FileId, span: Span) -> Option<&'a Call> {
    match &node_at(context, file, span, &|n| matches!(n.kind, Kind::Call(_)))?.kind {
        Kind::Call(call) => Some(call),
        _ => None,
    }
}

/// The flows into one kind of sink that a declaration of the parameter does not make harmless.
pub fn flows<'c>(context: &Context<'c, '_>, mark: Mark) -> Vec<&'c Flow> {
    let mut flows = context.flows_to(mark);
    flows.retain(|flow| !is_declared(context, flow));
    flows
}

/// Grape: `optional :order_by, values: %w[asc desc]` or `requires :id, type: Integer` in the same file.
fn is_declared(context: &Context<'_, '_>, flow: &Flow) -> bool {
    const FIXED: &[&str] = &[
        "Integer",
        "Float",
        "BigDecimal",
        "Numeric",
        "Date",
        "Time",
        "DateTime",
        "Boolean",
        "Virtus::Attribute::Boolean",
        "Grape::API::Boolean",
    ];
    let Some(key) = flow.words.strip_prefix("params[:").and_then(|w| w.strip_suffix(']')) else {
        return false;
    };
    let Some(first) = flow.steps.first() else { return false };
    let path = &context.file(first.file).path;
    if !path.contains("api") {
        return false;
    }
    let mut declared = false;
    walk::each(&context.file(first.file).parsed.body, &mut |node| {
        if let Kind::Call(call) = &node.kind
            && matches!(call.name.as_str(), "optional" | "requires")
            && call.args.first().and_then(wardroom_rails::literal_name).is_some_and(|n| n == key)
            && let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last()
        {
            declared |= pairs.iter().any(|p| match wardroom_rails::literal_name(&p.key) {
                Some(k) if k == "values" => true,
                Some(k) if k == "type" || k == "coerce" => matches!(&p.value.kind, Kind::Const(path) if FIXED.contains(&wardroom_rails::path_name(path).as_str())),
                _ => false,
            });
        }
        !declared
    });
    declared
}

/// Whether the data became a part of a string on its way.
pub fn is_built(steps: &[FlowStep]) -> bool {
    steps.iter().any(|s| s.note == "built into a string")
}

/// Whether the data was put in front of text that the code fixes: `"#{x}_path"`.
pub fn has_fixed_tail(context: &Context<'_, '_>, steps: &[FlowStep], call: Option<&Call>) -> bool {
    let built = steps.iter().filter(|s| s.note == "built into a string");
    let mut nodes = built.filter_map(|s| {
        node_at(context, s.file, s.span, &|n| matches!(n.kind, Kind::Interp(_) | Kind::Call(_)))
    });
    nodes.any(ends_fixed) || call.is_some_and(|c| c.recv.iter().chain(c.args.first()).any(ends_fixed))
}

/// Whether the data was put behind text that the code fixes: `"Report::#{x}"`.
pub fn has_fixed_head(context: &Context<'_, '_>, steps: &[FlowStep], call: Option<&Call>) -> bool {
    let built = steps.iter().filter(|s| s.note == "built into a string");
    let mut nodes = built.filter_map(|s| {
        node_at(context, s.file, s.span, &|n| matches!(n.kind, Kind::Interp(_) | Kind::Call(_)))
    });
    nodes.any(begins_fixed) || call.is_some_and(|c| c.recv.iter().chain(c.args.first()).any(begins_fixed))
}

fn begins_fixed(node: &Node) -> bool {
    match &node.kind {
        Kind::Interp(interp) => {
            matches!(interp.parts.first(), Some(Node { kind: Kind::Str(text), .. }) if text.chars().any(char::is_alphabetic))
                || interp.parts.iter().any(|p| matches!(&p.kind, Kind::Str(text) if text.contains("::")))
        }
        Kind::Call(call) if call.name == "+" => {
            matches!(&call.recv, Some(Node { kind: Kind::Str(text), .. }) if !text.is_empty())
        }
        Kind::Call(call) if call.args.is_empty() => call.recv.as_ref().is_some_and(begins_fixed),
        _ => false,
    }
}

fn ends_fixed(node: &Node) -> bool {
    match &node.kind {
        Kind::Interp(interp) => {
            matches!(interp.parts.last(), Some(Node { kind: Kind::Str(text), .. }) if text.chars().any(char::is_alphabetic))
        }
        Kind::Call(call) if call.name == "+" => {
            matches!(call.args.first(), Some(Node { kind: Kind::Str(text), .. }) if !text.is_empty())
        }
        Kind::Call(call) if call.args.is_empty() => call.recv.as_ref().is_some_and(ends_fixed),
        _ => false,
    }
}

/// Whether the data names a setter: `send("#{key}=", value)`.
pub fn is_setter(call: Option<&Call>) -> bool {
    let Some(Node { kind: Kind::Interp(interp), .. }) = call.and_then(|c| c.args.first()) else {
        return false;
    };
    matches!(interp.parts.last(), Some(Node { kind: Kind::Str(text), .. }) if &**text == "=")
}

/// Whether the data is names rather than values: those of a record's columns.
pub fn is_column_names(words: &str) -> bool {
    ["#attributes", "#as_json", "#serializable_hash"].iter().any(|w| words.ends_with(w))
}

/// Code that a developer runs by hand, or that runs once: nobody outside reaches it.
pub fn is_hand_run(path: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "db/",
        "lib/tasks/",
        "script/",
        "scripts/",
        "bin/",
        "config/",
        "tools/",
        "extra/",
        "extras/",
        "contrib/",
    ];
    path.ends_with(".rake")
        || path.ends_with("Rakefile")
        || FOLDERS
            .iter()
            .any(|f| path.starts_with(f) || path.contains(&format!("/{f}")) && !path.contains("/app/"))
}
