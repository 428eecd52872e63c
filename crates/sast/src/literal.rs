//! What stands behind an expression: the literal that a constant, a variable assigned once, a method
//! of the same class or a piece of a text leads to.

use wardroom_rails::{FileId, Index, path_name};
use wardroom_ruby::ir::{Call, Form, Interp, Kind, Name, Node, Op, ParamForm, Span};
use wardroom_ruby::walk;

use crate::context::Context;

/// How many steps are followed.
const DEPTH: u32 = 8;

/// A text that the code fixes.
#[derive(Clone, Debug)]
pub struct Literal {
    /// What it holds; where a call turns it into other bytes, what it was made from.
    pub text: String,
    /// The file in which the literal itself stands.
    pub file: FileId,
    /// Where.
    pub span: Span,
}

impl<'a> Context<'_, 'a> {
    /// The expression that gives this one its value: what the constant is set to, the variable
    /// assigned, the method's body. The expression itself where it stands for no other.
    pub fn behind(&self, file: FileId, node: &'a Node) -> (FileId, &'a Node) {
        let mut at = (file, node);
        for _ in 0..DEPTH {
            match step(&self.app.index, self, at.0, at.1) {
                Some(next) if !std::ptr::eq(next.1, at.1) => at = next,
                _ => break,
            }
        }
        at
    }

    /// The text that the code fixes for an expression; `None` where anything in it comes from
    /// elsewhere, also where only a fallback is fixed (`ENV["KEY"] || "…"`).
    pub fn literal(&self, file: FileId, node: &'a Node) -> Option<Literal> {
        text(self, file, node, 0)
    }

    /// The class that holds a place; the empty name outside of any.
    fn class_at(&self, file: FileId, span: Span) -> Name {
        if let Some(method) = self.method_at(file, span) {
            return self.app.index.method(method).owner;
        }
        let mut best: Option<(u32, Name)> = None;
        for class in self.app.index.classes.values() {
            for (_, place, _) in
                class.places.iter().filter(|p| p.0 == file && p.1.start <= span.start && span.end <= p.1.end)
            {
                let size = place.end - place.start;
                if best.is_none_or(|(b, _)| size < b) {
                    best = Some((size, class.name));
                }
            }
        }
        best.map_or_else(|| Name::from(""), |b| b.1)
    }
}

/// What one step behind an expression is.
fn step<'a>(
    index: &Index<'a>,
    context: &Context<'_, 'a>,
    file: FileId,
    node: &'a Node,
) -> Option<(FileId, &'a Node)> {
    match &node.kind {
        Kind::Seq(nodes) if nodes.len() == 1 => Some((file, &nodes[0])),
        // Classes are no values: constants of text are written in capitals.
        Kind::Const(path) if path.last().is_some_and(|n| !n.bytes().any(|b| b.is_ascii_lowercase())) => {
            constant(context, file, node.span, path)
        }
        Kind::Local(name) => assigned_once(context, file, node.span, *name).map(|n| (file, n)),
        Kind::Call(call) if call.args.is_empty() && call.block.is_none() && call.block_arg.is_none() => {
            let own = match &call.recv {
                None => true,
                Some(recv) => match call.name.as_str() {
                    "freeze" | "dup" | "clone" | "itself" | "to_s" | "to_str" | "-@" | "+@" => {
                        return Some((file, recv));
                    }
                    _ => matches!(recv.kind, Kind::SelfRef | Kind::Const(_)),
                },
            };
            if !own {
                return None;
            }
            let here = context.class_at(file, node.span);
            let method = match &call.recv {
                Some(Node { kind: Kind::Const(path), .. }) => {
                    let nesting = nesting(index, here);
                    index.find_singleton(index.resolve(path_name(path), &nesting), call.name)
                }
                _ => {
                    let on_class =
                        context.method_at(file, node.span).is_none_or(|m| index.method(m).singleton);
                    let (first, second) =
                        (index.find_singleton(here, call.name), index.find(here, call.name));
                    // `extend self` and class bodies make the two kinds hard to tell apart.
                    if on_class { first.or(second) } else { second.or(first) }
                }
            }?;
            let method = index.method(method);
            let takes = method.params.iter().any(|p| {
                matches!(p.form, ParamForm::Required) || p.form == ParamForm::Keyword && p.default.is_none()
            });
            if takes
                || method.span.start <= node.span.start
                    && node.span.end <= method.span.end
                    && method.file == file
            {
                return None;
            }
            given_back(method.body).map(|n| (method.file, n))
        }
        _ => None,
    }
}

fn nesting(index: &Index<'_>, class: Name) -> Vec<Name> {
    match index.class(class) {
        Some(class) if !class.nesting.is_empty() => class.nesting.clone(),
        _ if class.is_empty() => Vec::new(),
        _ => vec![class],
    }
}

/// What a constant is set to: as seen from where it is written, else where only one of that name is
/// set in the whole application.
fn constant<'a>(
    context: &Context<'_, 'a>,
    file: FileId,
    span: Span,
    path: &[Name],
) -> Option<(FileId, &'a Node)> {
    let index = &context.app.index;
    let near = index.constant(path, &[]).or_else(|| {
        let class = context.class_at(file, span);
        index.constant(path, &nesting(index, class))
    });
    let last = path.last()?;
    near.or_else(|| {
        let mut found = index.classes.values().filter_map(|c| c.constants.get(last).copied());
        match (found.next(), found.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        }
    })
    .map(|(node, file)| (file, node))
}

/// The one value that a method gives back; refusals (`raise … unless`) may stand before it.
fn given_back(body: &Node) -> Option<&Node> {
    let (last, before) = match &body.kind {
        Kind::Seq(nodes) => nodes.split_last()?,
        _ => (body, &[][..]),
    };
    let mut other = false;
    for node in before {
        walk::each(node, &mut |n| {
            other |= matches!(n.kind, Kind::Return(_));
            !other
        });
    }
    if other {
        return None;
    }
    match &last.kind {
        Kind::Return(Some(value)) => Some(value),
        // `@key ||= "…"`
        Kind::Assign(assign) if matches!(assign.op, None | Some(Op::Or)) => Some(&assign.value),
        Kind::Nil | Kind::If(_) | Kind::Case(_) | Kind::Begin(_) => None,
        _ => Some(last),
    }
}

/// What a local variable is set to, where its method sets it once, before, and never changes it.
fn assigned_once<'a>(context: &Context<'_, 'a>, file: FileId, span: Span, name: Name) -> Option<&'a Node> {
    let index = &context.app.index;
    let root = match context.method_at(file, span) {
        Some(id) => {
            let method = index.method(id);
            if method.params.iter().any(|p| p.name == name) {
                return None;
            }
            method.body
        }
        None => &context.file(file).parsed.body,
    };
    let mut value: Option<&'a Node> = None;
    let mut open = false;
    walk::each(root, &mut |node| {
        if open || matches!(node.kind, Kind::Def(_)) && !std::ptr::eq(node, root) {
            return false;
        }
        let is = |n: &Node| matches!(n.kind, Kind::Local(l) if l == name);
        match &node.kind {
            Kind::Assign(assign) if is(&assign.target) => {
                open |= assign.op.is_some() || value.is_some() || span.start < node.span.start;
                value = Some(&assign.value);
            }
            Kind::MultiAssign(many) => open |= many.targets.iter().any(|t| binds(t, name)),
            Kind::Match(case) => open |= case.arms.iter().flat_map(|a| &a.tests).any(|t| binds(t, name)),
            Kind::Loop(repeat) => open |= repeat.each.as_ref().is_some_and(|(t, _)| binds(t, name)),
            Kind::Begin(begin) => {
                open |= begin.rescues.iter().filter_map(|r| r.binding.as_ref()).any(|b| binds(b, name));
            }
            Kind::Lambda(block) => open |= block.params.iter().any(|p| p.name == name),
            Kind::Call(call) => {
                let changed = call.recv.as_ref().is_some_and(is)
                    && (matches!(
                        call.name.as_str(),
                        "<<" | "concat"
                            | "replace"
                            | "insert"
                            | "prepend"
                            | "append"
                            | "push"
                            | "[]="
                            | "setbyte"
                            | "clear"
                    ) || call.name.ends_with('!'));
                // `/(?<name>…)/ =~ text` sets `name`.
                let captured = call.name == "=~"
                    && matches!(call.recv.as_ref().map(|r| &r.kind), Some(Kind::Interp(i)) if i.form == Form::Regex && names_group(i, name));
                open |= changed
                    || captured
                    || call.block.as_ref().is_some_and(|b| b.params.iter().any(|p| p.name == name));
            }
            _ => {}
        }
        !open
    });
    if open { None } else { value }
}

fn names_group(pattern: &Interp, name: Name) -> bool {
    let group = format!("(?<{name}>");
    pattern.parts.iter().any(|p| matches!(&p.kind, Kind::Str(text) if text.contains(&group)))
}

fn binds(target: &Node, name: Name) -> bool {
    let mut found = false;
    walk::each(target, &mut |n| {
        found |= matches!(n.kind, Kind::Local(l) if l == name);
        !found
    });
    found
}

fn text<'a>(context: &Context<'_, 'a>, file: FileId, node: &'a Node, depth: u32) -> Option<Literal> {
    if depth > DEPTH {
        return None;
    }
    let (file, node) = context.behind(file, node);
    let here = |text: String| Some(Literal { text, file, span: node.span });
    match &node.kind {
        Kind::Str(text) => here(text.to_string()),
        Kind::Interp(interp) if interp.form == Form::Str => {
            let mut out = String::new();
            for part in &interp.parts {
                out.push_str(&text(context, file, part, depth + 1)?.text);
            }
            here(out)
        }
        Kind::Call(call) => made(context, file, node, call, depth),
        _ => None,
    }
}

/// A text that a call makes of literals alone.
fn made<'a>(
    context: &Context<'_, 'a>,
    file: FileId,
    node: &'a Node,
    call: &'a Call,
    depth: u32,
) -> Option<Literal> {
    let recv = call.recv.as_ref()?;
    let inner = |n: &'a Node| text(context, file, n, depth + 1);
    let number = |n: &'a Node| match &context.behind(file, n).1.kind {
        Kind::Int(number) => Some(*number),
        _ => None,
    };
    match call.name.as_str() {
        "+" => {
            let (left, right) = (inner(recv)?, inner(call.args.first()?)?);
            Some(Literal { text: left.text + &right.text, file, span: node.span })
        }
        "*" => {
            let (left, times) = (inner(recv)?, number(call.args.first()?)?);
            let times = usize::try_from(times).ok().filter(|t| t * left.text.len() < 4096)?;
            Some(Literal { text: left.text.repeat(times), ..left })
        }
        "[]" | "slice" | "byteslice" | "first" | "last" => {
            let whole = inner(recv)?;
            let fixed = call.args.iter().all(|a| match &a.kind {
                Kind::Range(ends) => {
                    [&ends.0, &ends.1].iter().all(|e| matches!(e.kind, Kind::Nil) || number(e).is_some())
                }
                _ => number(a).is_some(),
            });
            fixed.then(|| Literal { text: cut(&whole.text, call), ..whole })
        }
        "ljust" | "rjust" | "b" | "force_encoding" | "encode" | "unpack" | "unpack1" | "hex" | "strip"
        | "chomp" | "downcase" | "upcase" | "reverse" | "bytes" | "unicode_normalize" | "delete" => {
            inner(recv)
        }
        "pack" => match &recv.kind {
            Kind::Array(items) => {
                let mut all = items.iter();
                let first = all.next()?;
                let fixed = |n: &'a Node| number(n).is_some() || inner(n).is_some();
                if !fixed(first) || !all.all(fixed) {
                    return None;
                }
                Some(inner(first).unwrap_or_else(|| Literal {
                    text: context.source(file, recv.span),
                    file,
                    span: recv.span,
                }))
            }
            _ => inner(recv),
        },
        // Where the digest of a literal is the key, the literal is.
        "digest" | "hexdigest" | "base64digest" | "decode64" | "strict_decode64" | "urlsafe_decode64"
        | "encode64" | "strict_encode64" => {
            let path = match &recv.kind {
                Kind::Const(path) => path,
                _ => return None,
            };
            match (path.first()?.as_str(), path.last()?.as_str(), call.args.as_slice()) {
                (_, "HMAC", _) => None,
                ("Digest" | "OpenSSL" | "Base64" | "ActiveSupport", _, [only]) => inner(only),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A piece of a text; the whole where the bounds are not plain.
fn cut(whole: &str, call: &Call) -> String {
    let plain = |n: &Node| match n.kind {
        Kind::Int(i) => usize::try_from(i).ok(),
        _ => None,
    };
    let bounds = match (call.name.as_str(), call.args.as_slice()) {
        ("first", [count]) => plain(count).map(|c| (0, c)),
        (_, [Node { kind: Kind::Range(ends), .. }]) => match (plain(&ends.0), plain(&ends.1)) {
            (Some(from), Some(to)) => Some((from, (to + 1).saturating_sub(from))),
            _ => None,
        },
        (_, [from, count]) => plain(from).zip(plain(count)),
        _ => None,
    };
    match bounds {
        Some((from, count)) => whole.chars().skip(from).take(count).collect(),
        None => whole.to_owned(),
    }
}
