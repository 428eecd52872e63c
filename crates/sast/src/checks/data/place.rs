//! Where a finding about a setting stands when no line of the code is to blame, and reading what
//! calls are given.

use wardroom_model::Confidence;
use wardroom_rails::FileId;
use wardroom_rails::config::{Effective, Setting};
use wardroom_ruby::ir::{Call, Form, Kind, Node, Span};
use wardroom_ruby::walk;

use crate::context::Context;

/// A file by its path.
pub fn file(context: &Context<'_, '_>, path: &str) -> Option<FileId> {
    context.app.files.iter().position(|f| f.path.as_ref() == path).map(|i| FileId(i as u32))
}

/// The first line of code of a file.
pub fn first_line(context: &Context<'_, '_>, id: FileId) -> Span {
    let file = context.file(id);
    let start = file.parsed.body.span.start.min(file.text.len() as u32);
    let rest = &file.text[start as usize..];
    let line = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()) as u32;
    Span { start, end: start + line.max(1) }
}

/// Where what an application does not set in production belongs: `config/environments/production.rb`,
/// else `config/application.rb` or `config/environment.rb`. `None` for what is no Rails application.
pub fn production(context: &Context<'_, '_>) -> Option<(FileId, Span)> {
    at(context, &["config/environments/production.rb", "config/application.rb", "config/environment.rb"])
}

/// Where what an application does not set at all belongs.
pub fn application(context: &Context<'_, '_>) -> Option<(FileId, Span)> {
    at(context, &["config/application.rb", "config/environment.rb", "config/environments/production.rb"])
}

fn at(context: &Context<'_, '_>, paths: &[&str]) -> Option<(FileId, Span)> {
    let id = paths.iter().find_map(|p| file(context, p))?;
    Some((id, first_line(context, id)))
}

/// Where a setting is made.
pub fn of(setting: &Setting) -> (FileId, Span) {
    (FileId(setting.file), setting.span)
}

/// Where a setting's value comes from: its own place, else `otherwise`.
pub fn of_effective(effective: &Effective<'_>, otherwise: (FileId, Span)) -> (FileId, Span) {
    effective.setting.map_or(otherwise, of)
}

/// Whether the application renders pages of its own: a layout is among its files.
pub fn has_pages(context: &Context<'_, '_>) -> bool {
    context.app.files.iter().any(|f| {
        f.is_template() && f.path.contains("views/layouts/") && f.path.contains(".html")
            || f.path.contains("views/layouts/") && f.path.ends_with("haml")
    })
}

/// Visits every call of the files whose text fits a hint, with the file.
pub fn calls<'a>(
    context: &Context<'_, 'a>,
    hint: &regex::bytes::Regex,
    visit: &mut impl FnMut(FileId, &'a Node, &'a Call),
) {
    for (id, file) in context.code_files() {
        if hint.is_match(&file.text) {
            walk::each(&file.parsed.body, &mut |node| {
                if let Kind::Call(call) = &node.kind {
                    visit(id, node, call);
                }
                true
            });
        }
    }
}

/// `A::B` of a constant, without a leading `::`.
pub fn constant(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Const(path) => Some(wardroom_rails::path_name(path).to_string()),
        _ => None,
    }
}

/// The value of a keyword or of a key in a last hash.
pub fn keyword<'a>(call: &'a Call, name: &str) -> Option<&'a Node> {
    let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() else { return None };
    pairs.iter().find(|p| wardroom_rails::literal_name(&p.key).is_some_and(|k| k == name)).map(|p| &p.value)
}

/// The text of a string literal.
pub fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Str(text) => Some(text),
        _ => None,
    }
}

/// The source and the flags of a pattern that stands in the code, with constants and variables put
/// in. What the code makes at run time is left out, as if it were empty; the last value says whether
/// anything was.
pub fn pattern_source<'a>(
    context: &Context<'_, 'a>,
    file: FileId,
    node: &'a Node,
    depth: u32,
) -> Option<(String, String, bool)> {
    if depth > 4 {
        return None;
    }
    let (file, node) = context.behind(file, node);
    match &node.kind {
        Kind::Interp(interp) if matches!(interp.form, Form::Regex | Form::Str) => {
            let mut text = String::new();
            let mut open = false;
            for part in &interp.parts {
                match &part.kind {
                    Kind::Str(part) => text.push_str(part),
                    _ => match pattern_source(context, file, part, depth + 1) {
                        Some((inner, _, inner_open)) if !inner_open => {
                            text.push_str("(?:");
                            text.push_str(&inner);
                            text.push(')');
                        }
                        _ => open = true,
                    },
                }
            }
            Some((text, interp.flags.to_string(), open))
        }
        Kind::Str(text) => Some((text.to_string(), String::new(), false)),
        Kind::Call(call) => match (call.name.as_str(), &call.recv) {
            ("new" | "compile", Some(recv)) if matches!(&recv.kind, Kind::Const(p) if p.last().is_some_and(|n| n == "Regexp")) =>
            {
                let (text, _, open) = pattern_source(context, file, call.args.first()?, depth + 1)?;
                Some((text, String::new(), open))
            }
            ("source", Some(recv)) => pattern_source(context, file, recv, depth + 1),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a node is a pattern written in the code.
pub fn is_pattern(node: &Node) -> bool {
    match &node.kind {
        Kind::Interp(interp) => interp.form == Form::Regex,
        Kind::Call(call) => {
            call.name == "new"
                && matches!(&call.recv, Some(Node { kind: Kind::Const(p), .. }) if p.last().is_some_and(|n| n == "Regexp"))
        }
        _ => false,
    }
}

/// `params[:x].to_i`, `(params[:x] || 20).to_i`, `params.fetch(:x, 20).to_i`
pub fn number_of_params(node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    let Call { recv, name, .. } = call.as_ref();
    matches!(name.as_str(), "to_i" | "to_f" | "to_s" | "presence")
        && recv.as_ref().is_some_and(|r| of_params(r, 0))
}

fn of_params(node: &Node, depth: u32) -> bool {
    if depth > 6 {
        return false;
    }
    match &node.kind {
        Kind::Call(call) => match call.name.as_str() {
            "[]" | "fetch" | "dig" => call
                .recv
                .as_ref()
                .is_some_and(|r| matches!(&r.kind, Kind::Call(p) if p.name == "params" && p.recv.is_none())),
            "presence" | "to_i" | "to_f" | "to_s" => {
                call.recv.as_ref().is_some_and(|r| of_params(r, depth + 1))
            }
            _ => false,
        },
        Kind::Or(sides) => of_params(&sides.0, depth + 1),
        Kind::Seq(nodes) if nodes.len() == 1 => of_params(&nodes[0], depth + 1),
        _ => false,
    }
}

/// How sure a finding is that may stand in the branch of an environment: not reported at all where
/// only tests or developers run it, less sure where production goes another way.
pub fn in_production(
    context: &Context<'_, '_>,
    id: FileId,
    span: Span,
    confidence: Confidence,
) -> Option<Confidence> {
    let mut out = confidence;
    let mut at = &context.file(id).parsed.body;
    for _ in 0..200 {
        if let Kind::If(branch) = &at.kind {
            let holds = |n: &Node| n.span.start <= span.start && span.end <= n.span.end;
            let cond = context.source(id, branch.cond.span);
            let negative = matches!(branch.cond.kind, Kind::Not(_));
            if ["env.test?", "env.development?", "env.local?"].iter().any(|e| cond.contains(e))
                && holds(if negative { &branch.otherwise } else { &branch.then })
            {
                return None;
            }
            if cond.contains("env.production?")
                && holds(if negative { &branch.then } else { &branch.otherwise })
            {
                out = out.lower();
            }
        }
        let mut next = None;
        walk::children(at, &mut |child| {
            if next.is_none() && child.span.start <= span.start && span.end <= child.span.end {
                next = Some(child);
            }
        });
        match next {
            Some(child) => at = child,
            None => break,
        }
    }
    Some(out)
}

/// A pattern over a file's bytes, made once.
macro_rules! hint {
    ($pattern:literal) => {{
        static HINT: std::sync::LazyLock<regex::bytes::Regex> = std::sync::LazyLock::new(|| {
            regex::bytes::Regex::new($pattern).expect("the pattern is a constant")
        });
        &*HINT
    }};
}
pub(super) use hint;

/// Whether an expression begins with `params`.
pub fn any_params(node: &Node) -> bool {
    let mut node = node;
    while let Kind::Call(call) = &node.kind {
        match &call.recv {
            Some(recv) => node = recv,
            None => return call.name == "params",
        }
    }
    false
}
