//! What stands at a place in the code: the call behind a flow, its arguments, its options.

use wardroom_flow::Flow;
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Node, Span};
use wardroom_ruby::walk;

use crate::context::Context;

/// The call that a span covers.
pub fn call_at<'a>(context: &Context<'_, 'a>, file: FileId, span: Span) -> Option<&'a Call> {
    let mut found = None;
    walk::each(&context.file(file).parsed.body, &mut |node| {
        if found.is_some() || node.span.end < span.start || span.end < node.span.start {
            return false;
        }
        if node.span == span
            && let Kind::Call(call) = &node.kind
        {
            found = Some(&**call);
        }
        found.is_none()
    });
    found
}

/// Whether a place lies in the block of a call of a method.
pub fn inside_block_of(context: &Context<'_, '_>, file: FileId, span: Span, method: &str) -> bool {
    let mut found = false;
    walk::each(&context.file(file).parsed.body, &mut |node| {
        if found || node.span.end < span.end || span.start < node.span.start {
            return false;
        }
        if let Kind::Call(call) = &node.kind
            && call.name == method
            && let Some(block) = &call.block
        {
            found = block.span.start <= span.start && span.end <= block.span.end;
        }
        !found
    });
    found
}

/// The node that a flow's argument is: by position, by keyword or the receiver.
pub fn argument<'a>(call: &'a Call, flow: &Flow) -> Option<&'a Node> {
    match flow.argument.as_str() {
        "receiver" => call.recv.as_ref(),
        word => match word.parse::<usize>() {
            Ok(position) => call.args.get(position),
            Err(_) => option(call, word),
        },
    }
}

/// What a call's keyword holds: `verify: false` gives `false`.
pub fn option<'a>(call: &'a Call, key: &str) -> Option<&'a Node> {
    call.args.iter().rev().find_map(|a| in_hash(a, key))
}

/// What a hash literal holds under a key.
pub fn in_hash<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Kind::Hash(pairs) = &node.kind else { return None };
    pairs.iter().find(|p| key_name(&p.key) == Some(key)).map(|p| &p.value)
}

/// The name of a hash's key: `key:`, `:key =>`, `"key" =>`.
pub fn key_name(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Sym(name) => Some(name.as_str()),
        Kind::Str(text) => Some(text),
        _ => None,
    }
}

/// The last part of a constant's path: `VERIFY_NONE` of `OpenSSL::SSL::VERIFY_NONE`.
pub fn last_name(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Const(path) => path.last().map(|n| n.as_str()),
        _ => None,
    }
}

/// A constant written out: `Net::HTTP`; a leading `::` is dropped.
pub fn constant(node: &Node) -> Option<String> {
    let Kind::Const(path) = &node.kind else { return None };
    let parts: Vec<&str> = path.iter().map(|n| n.as_str()).filter(|n| !n.is_empty()).collect();
    Some(parts.join("::"))
}

/// The text that a string is known to begin with.
pub fn known_start(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Str(text) => Some(text),
        Kind::Interp(interp) => interp.parts.first().and_then(known_start),
        _ => None,
    }
}

/// Whether anything at or below a node fulfils a condition.
pub fn any<'a>(node: &'a Node, wanted: impl Fn(&'a Node) -> bool) -> bool {
    let mut found = false;
    walk::each(node, &mut |n| {
        found = found || wanted(n);
        !found
    });
    found
}

/// Code that no visitor of the site runs: tasks, scripts, seeds, tests kept beside the code.
pub fn is_tooling(path: &str) -> bool {
    path.ends_with(".rake")
        || path.ends_with(".thor")
        || [
            "lib/tasks/",
            "script/",
            "scripts/",
            "db/",
            "bin/",
            "extras/",
            "tools/",
            "contrib/",
            "dev/",
            "doc/",
            "docs/",
            "examples/",
        ]
        .iter()
        .any(|folder| path.starts_with(folder))
        || path.contains("/tasks/")
        || is_test(path)
}

/// Settings and code for tests and development only.
pub fn is_test(path: &str) -> bool {
    path.contains("/testing/")
        || path.contains("/test_helpers/")
        || path.contains("/spec_helpers/")
        || path.ends_with("environments/test.rb")
        || path.ends_with("environments/development.rb")
        || path.ends_with("environments/cucumber.rb")
        || path.contains("/test/")
        || path.contains("/spec/")
        || path.starts_with("test/")
        || path.starts_with("spec/")
}

/// Names of methods along a flow that look as if they check or clean the value, or that do so by
/// their body: `handed back by safe_referer`.
pub fn passed_through_check(flow: &Flow, words: &[&str]) -> Option<String> {
    flow.steps.iter().find_map(|step| {
        let name = step.note.strip_prefix("handed back by `")?.strip_suffix('`')?;
        words.iter().any(|w| name.contains(w)).then(|| name.to_owned())
    })
}
