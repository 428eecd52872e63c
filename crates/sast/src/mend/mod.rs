//! Safe mechanical changes: what a check attaches to a finding so that `--fix` can show or make it.
//!
//! Each function looks at the very source of a place and gives nothing where it is not sure that the
//! changed code does the same for honest input. A last look in [`parses`] drops what breaks a file.

mod command;
mod compare;
mod markup;
mod options;
mod pattern;
mod sql;

use std::sync::Arc;

use wardroom_rails::{App, File, FileId, Role};
use wardroom_ruby::ir::{Call, Kind, Node, Span};
use wardroom_ruby::walk;
use wardroom_source::Source;

use crate::context::Context;

pub use command::arguments;
pub use compare::{Side, secure_compare};
pub use markup::escaped;
pub use options::{
    add_options, keyword_span, last_argument, value_in_setting, with_options, without_key, without_pair,
};
pub use pattern::anchors;
pub use sql::placeholders;

/// What a change does, and its replacements.
pub type Mend = (String, Vec<(FileId, Span, String)>);

/// Puts text in the place of a span.
pub fn replace(title: &str, file: FileId, span: Span, text: impl Into<String>) -> Mend {
    (title.to_owned(), vec![(file, span, text.into())])
}

/// Whether every changed file still parses as well as before.
pub(crate) fn parses(app: &App<'_>, replacements: &[(FileId, Span, String)]) -> bool {
    let mut files: Vec<FileId> = replacements.iter().map(|r| r.0).collect();
    files.sort_unstable();
    files.dedup();
    files.into_iter().all(|id| {
        let file = app.file(id);
        let mut edits: Vec<_> = replacements.iter().filter(|r| r.0 == id).collect();
        edits.sort_by_key(|r| r.1);
        let mut text = Vec::with_capacity(file.text.len() + 64);
        let mut at = 0;
        for (_, span, new) in edits {
            let Some(before) = file.text.get(at..span.start as usize) else { return false };
            text.extend_from_slice(before);
            text.extend_from_slice(new.as_bytes());
            at = span.end as usize;
        }
        let Some(rest) = file.text.get(at..) else { return false };
        text.extend_from_slice(rest);
        errors(file, text.into()) <= errors_before(file)
    })
}

fn errors_before(file: &File) -> usize {
    match file.role {
        Role::Ruby | Role::Migration => file.parsed.errors.len(),
        _ => errors(file, Arc::clone(&file.text)),
    }
}

fn errors(file: &File, text: Arc<[u8]>) -> usize {
    match file.role {
        Role::Ruby | Role::Migration => wardroom_ruby::parse(&text).errors.len(),
        _ => wardroom_rails::load(vec![Source { path: Arc::clone(&file.path), text }]).problems.len(),
    }
}

/// The innermost call that a span covers exactly, and every node around it.
fn call_at<'a>(context: &Context<'_, 'a>, file: FileId, span: Span) -> Option<&'a Call> {
    let mut found = None;
    walk::each(&context.file(file).parsed.body, &mut |node| {
        if node.span.end < span.start || span.end < node.span.start {
            return false;
        }
        if node.span == span
            && let Kind::Call(call) = &node.kind
        {
            found = Some(&**call);
            return false;
        }
        true
    });
    found
}

/// A value that can stand as an argument by itself, whatever stands around it: a variable, a constant,
/// a reader, an index, a call in parentheses.
fn is_plain(context: &Context<'_, '_>, file: FileId, node: &Node) -> bool {
    fn plain(node: &Node, depth: u32) -> bool {
        if depth > 12 {
            return false;
        }
        match &node.kind {
            Kind::Local(_) | Kind::Ivar(_) | Kind::Cvar(_) | Kind::Const(_) | Kind::SelfRef => true,
            Kind::Call(call) => {
                let name = call.name.as_str();
                (name == "[]"
                    || name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                        && !name.ends_with('='))
                    && call.block.is_none()
                    && call.block_arg.is_none()
                    && call.recv.as_ref().is_none_or(|r| plain(r, depth + 1))
                    && call.args.iter().all(|a| literal(a) || plain(a, depth + 1))
            }
            _ => false,
        }
    }
    let source = context.source(file, node.span);
    plain(node, 0)
        && !source.contains('\n')
        && match &node.kind {
            Kind::Call(call) if !call.args.is_empty() => source.ends_with([')', ']']),
            _ => true,
        }
}

fn literal(node: &Node) -> bool {
    matches!(node.kind, Kind::Str(_) | Kind::Sym(_) | Kind::Int(_) | Kind::Nil | Kind::True | Kind::False)
}

/// The value at the root of a chain of readers: `params` of `params[:a][:b].to_s`.
fn root(node: &Node) -> &Node {
    let mut node = node;
    while let Kind::Call(call) = &node.kind
        && let Some(recv) = &call.recv
    {
        node = recv;
    }
    node
}

/// Whether a value is read straight from the request's parameters.
fn of_params(node: &Node) -> bool {
    matches!(&root(node).kind, Kind::Call(call) if call.name == "params" && call.args.is_empty())
}

/// Whether a chain of calls holds one whose name fits.
fn calls(node: &Node, fits: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    walk::each(node, &mut |n| {
        if let Kind::Call(call) = &n.kind {
            found |= fits(&call.name);
        }
        !found
    });
    found
}

/// A piece of a string as it is written.
enum Piece<'a> {
    /// Fixed text, still escaped as in a double-quoted string.
    Text(String),
    /// Code that is put in, and its source.
    Code(&'a Node, String),
}

/// The pieces of a double-quoted string or of a sum of strings and values; `None` for other ways to
/// write a string, and for what is not plain.
fn pieces<'a>(context: &Context<'_, '_>, file: FileId, node: &'a Node) -> Option<Vec<Piece<'a>>> {
    let mut out = Vec::new();
    gather(context, file, node, &mut out, 0)?;
    Some(out)
}

fn gather<'a>(
    context: &Context<'_, '_>,
    file: FileId,
    node: &'a Node,
    out: &mut Vec<Piece<'a>>,
    depth: u32,
) -> Option<()> {
    if depth > 30 {
        return None;
    }
    let source = context.source(file, node.span);
    match &node.kind {
        Kind::Str(_) => {
            let double = source.strip_prefix('"').and_then(|s| s.strip_suffix('"'));
            let single = source.strip_prefix('\'').and_then(|s| s.strip_suffix('\''));
            let text = match (double, single) {
                (Some(text), _) if closed(text, '"') => text,
                (_, Some(text)) if !text.contains(['\\', '"', '#', '\'']) => text,
                _ => return None,
            };
            out.push(Piece::Text(text.to_owned()));
            Some(())
        }
        Kind::Interp(interp) => {
            if interp.form != wardroom_ruby::ir::Form::Str
                || !source.starts_with('"')
                || !source.ends_with('"')
                || source.len() < 2
            {
                return None;
            }
            let base = node.span.start as usize;
            let text = context.file(file).text.get(base..node.span.end as usize)?;
            let text = std::str::from_utf8(text).ok()?;
            let mut at = 1;
            for part in interp.parts.iter().filter(|p| !matches!(p.kind, Kind::Str(_))) {
                let start = (part.span.start as usize).checked_sub(base)?;
                let end = (part.span.end as usize).checked_sub(base)?;
                let before = text.get(at..start)?.trim_end().strip_suffix("#{")?;
                let after = text.get(end..)?;
                let closing = after.find('}')?;
                if !after[..closing].trim().is_empty() || !is_plain(context, file, part) {
                    return None;
                }
                if !closed(before, '"') {
                    return None;
                }
                out.push(Piece::Text(before.to_owned()));
                out.push(Piece::Code(part, text.get(start..end)?.to_owned()));
                at = end + closing + 1;
            }
            let rest = text.get(at..text.len() - 1)?;
            if !closed(rest, '"') || rest.contains("#{") {
                return None;
            }
            out.push(Piece::Text(rest.to_owned()));
            Some(())
        }
        Kind::Call(call) if call.name == "+" && call.args.len() == 1 => {
            gather(context, file, call.recv.as_ref()?, out, depth + 1)?;
            gather(context, file, call.args.first()?, out, depth + 1)
        }
        _ if is_plain(context, file, node) => {
            out.push(Piece::Code(node, source));
            Some(())
        }
        _ => None,
    }
}

/// Whether no quote in a stretch of a literal ends it.
fn closed(text: &str, quote: char) -> bool {
    let mut escaped = false;
    for c in text.chars() {
        if c == quote && !escaped {
            return false;
        }
        escaped = c == '\\' && !escaped;
    }
    !escaped
}
