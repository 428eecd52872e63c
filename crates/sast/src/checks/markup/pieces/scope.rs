//! A method or template: its variables and where what they hold comes from.

use std::collections::HashMap;

use wardroom_rails::{FileId, Habitat, Method};
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use crate::context::Context;

/// A method or template: its variables and where they come from.
pub struct Scope<'a> {
    /// Its file.
    pub file: FileId,
    /// The class around it.
    pub class: Name,
    /// Its parameters.
    pub params: &'a [Param],
    pub(super) habitat: Habitat,
    locals: HashMap<Name, Vec<Entry<'a>>>,
}

#[derive(Clone, Copy)]
pub(super) enum From<'a> {
    /// `name = value`
    Value(&'a Node),
    /// `name << value`, `name += value`
    Added(&'a Node),
    /// A block's parameter: a member of what the block's call is made on.
    Member(&'a Node),
    /// A parameter of a block that no value was called with.
    Of,
    /// Something else.
    Unknown,
    /// Nothing of its own: both branches of a condition have given it a value.
    Both,
}

/// One thing that gives a variable its value.
#[derive(Clone, Copy)]
struct Entry<'a> {
    from: From<'a>,
    span: Span,
    /// The branch, loop or block in which it stands: whatever runs there later comes after it.
    region: Span,
    /// The outermost loop or block around it: what stands behind may have run before.
    repeated: Option<Span>,
    /// It takes the place of what the variable held.
    replaces: bool,
}

/// How deep a body is looked through for assignments.
const NESTED: u32 = 200;

fn within(inner: Span, outer: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

impl<'a> Scope<'a> {
    /// The scope of a body.
    pub fn new(
        context: &Context<'_, 'a>,
        file: FileId,
        class: Name,
        params: &'a [Param],
        body: &'a Node,
    ) -> Self {
        let habitat = context.app.habitat(class, file);
        let mut scope = Scope { file, class, params, habitat, locals: HashMap::new() };
        scope.collect(body, Span { start: 0, end: u32::MAX }, None, 0);
        scope
    }

    /// The scope of a method.
    pub fn of(context: &Context<'_, 'a>, method: &Method<'a>) -> Self {
        Scope::new(context, method.file, method.owner, method.params, method.body)
    }

    fn collect(&mut self, node: &'a Node, region: Span, repeated: Option<Span>, depth: u32) {
        if depth > NESTED {
            return;
        }
        self.note(node, region, repeated);
        let inner = |scope: &mut Self, child: &'a Node, region: Span, repeated: Option<Span>| {
            scope.collect(child, region, repeated, depth + 1);
        };
        match &node.kind {
            Kind::Def(_) | Kind::Module(_) => {}
            Kind::If(branches) => {
                inner(self, &branches.cond, region, repeated);
                if matches!(branches.otherwise.kind, Kind::Nil) || matches!(branches.then.kind, Kind::Nil) {
                    inner(self, &branches.then, branches.then.span, repeated);
                    inner(self, &branches.otherwise, branches.otherwise.span, repeated);
                    return;
                }
                let before = self.sizes();
                inner(self, &branches.then, branches.then.span, repeated);
                let middle = self.sizes();
                inner(self, &branches.otherwise, branches.otherwise.span, repeated);
                self.both(&before, &middle, branches, node.span, region, repeated);
            }
            Kind::And(sides) | Kind::Or(sides) => {
                inner(self, &sides.0, region, repeated);
                inner(self, &sides.1, sides.1.span, repeated);
            }
            Kind::Case(case) | Kind::Match(case) => {
                case.subject.iter().for_each(|n| inner(self, n, region, repeated));
                for arm in &case.arms {
                    inner(self, &arm.body, arm.body.span, repeated);
                }
                case.otherwise.iter().for_each(|n| inner(self, n, n.span, repeated));
            }
            Kind::Loop(_) => {
                let around = repeated.or(Some(node.span));
                walk::children(node, &mut |n| inner(self, n, node.span, around));
            }
            Kind::Begin(begin) => {
                inner(self, &begin.body, region, repeated);
                for rescue in &begin.rescues {
                    inner(self, &rescue.body, rescue.body.span, repeated);
                }
                begin.otherwise.iter().for_each(|n| inner(self, n, n.span, repeated));
                begin.ensure.iter().for_each(|n| inner(self, n, n.span, repeated));
            }
            Kind::Lambda(block) => inner(self, &block.body, block.span, repeated.or(Some(block.span))),
            Kind::Call(call) if call.block.is_some() => {
                call.recv.iter().for_each(|n| inner(self, n, region, repeated));
                call.args.iter().for_each(|n| inner(self, n, region, repeated));
                if let Some(block) = &call.block {
                    inner(self, &block.body, block.span, repeated.or(Some(block.span)));
                }
            }
            _ => walk::children(node, &mut |n| inner(self, n, region, repeated)),
        }
    }

    fn sizes(&self) -> HashMap<Name, usize> {
        self.locals.iter().map(|(name, from)| (*name, from.len())).collect()
    }

    /// Variables that both branches of a condition give a value.
    fn both(
        &mut self,
        before: &HashMap<Name, usize>,
        middle: &HashMap<Name, usize>,
        branches: &If,
        span: Span,
        region: Span,
        repeated: Option<Span>,
    ) {
        for (name, entries) in &mut self.locals {
            let first = before.get(name).copied().unwrap_or(0);
            let second = middle.get(name).copied().unwrap_or(0);
            let sure = |e: &[Entry<'a>], region: Span| e.iter().any(|e| e.replaces && e.region == region);
            if second > first
                && entries.len() > second
                && sure(&entries[first..second], branches.then.span)
                && sure(&entries[second..], branches.otherwise.span)
            {
                entries.push(Entry { from: From::Both, span, region, repeated, replaces: true });
            }
        }
    }

    /// What a block is called with whose parameter this is.
    pub fn member_of(&self, name: Name, at: Span) -> Option<&'a Node> {
        self.reaching(name, at).0.into_iter().find_map(|from| match from {
            From::Member(collection) => Some(collection),
            _ => None,
        })
    }

    /// What a variable may hold at a place, and whether it may still be the parameter of that name.
    pub(super) fn reaching(&self, name: Name, at: Span) -> (Vec<From<'a>>, bool) {
        let Some(entries) = self.locals.get(&name) else { return (Vec::new(), true) };
        let block = |e: &Entry<'a>| matches!(e.from, From::Member(_) | From::Of);
        let before = |e: &Entry<'a>| !block(e) && e.span.end <= at.start;
        let inside = |e: &Entry<'a>| block(e) && within(at, e.span);
        let last = entries
            .iter()
            .filter(|e| inside(e) || e.replaces && before(e) && within(at, e.region))
            .max_by_key(|e| (e.span.start, std::cmp::Reverse(e.span.end)));
        let from = entries
            .iter()
            .filter(|e| {
                last.is_none_or(|l| e.span.start >= l.span.start)
                    && (before(e) || inside(e) || !block(e) && e.repeated.is_some_and(|r| within(at, r)))
            })
            .map(|e| e.from)
            .filter(|f| !matches!(f, From::Both))
            .collect();
        (from, last.is_none())
    }

    fn note(&mut self, node: &'a Node, region: Span, repeated: Option<Span>) {
        let mut push = |name: Name, from: From<'a>, replaces: bool| {
            self.locals.entry(name).or_default().push(Entry {
                from,
                span: node.span,
                region,
                repeated,
                replaces,
            });
        };
        match &node.kind {
            Kind::Assign(assign) => {
                if let Kind::Local(name) = assign.target.kind {
                    match assign.op {
                        Some(Op::Call(_)) => push(name, From::Added(&assign.value), false),
                        None => push(name, From::Value(&assign.value), true),
                        _ => push(name, From::Value(&assign.value), false),
                    }
                }
            }
            Kind::MultiAssign(assign) => {
                for target in &assign.targets {
                    if let Kind::Local(name) = target.kind {
                        push(name, From::Unknown, true);
                    }
                }
            }
            Kind::Call(call) => {
                if let (Some(Node { kind: Kind::Local(name), .. }), "<<" | "concat" | "safe_concat") =
                    (&call.recv, call.name.as_str())
                    && let Some(arg) = call.args.first()
                {
                    push(*name, From::Added(arg), false);
                }
                if let Some(block) = &call.block {
                    let counted = matches!(call.name.as_str(), "times" | "upto" | "step" | "downto");
                    for (i, param) in block.params.iter().enumerate() {
                        let from = match &call.recv {
                            _ if counted => continue,
                            Some(_) if i == 1 && call.name.ends_with("with_index") => continue,
                            Some(recv) => From::Member(recv),
                            None => From::Of,
                        };
                        self.locals.entry(param.name).or_default().push(Entry {
                            from,
                            span: block.span,
                            region: block.span,
                            repeated: None,
                            replaces: false,
                        });
                    }
                }
            }
            _ => {}
        }
    }
}
