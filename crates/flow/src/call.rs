//! Method calls: the framework's own words, sources, sinks, sanitizers, the application's methods,
//! and what is left when nothing is known.

mod carry;
mod framework;
mod library;
mod render;
mod resolve;

use std::rc::Rc;

use wardroom_ruby::ir::*;

use crate::engine::Unit;
use crate::env::Env;
use crate::eval::Eval;
use crate::knowledge::Marks;
use crate::value::{Doubt, Origin, Shape, Value, map_taints};

impl<'a> Eval<'_, 'a> {
    pub fn call(&mut self, call: &'a Call, node: &'a Node) -> Value {
        let span = node.span;
        let name = call.name.as_str();
        // Inside of what is never run, or that runs no code of its own.
        if call.recv.is_none() {
            match name {
                "raise" | "fail" | "abort" | "exit" | "throw" | "head!" | "exit!" => {
                    for arg in &call.args {
                        self.eval(arg);
                    }
                    self.env.dead = true;
                    return Value::default();
                }
                "lambda" | "proc" => {
                    if let Some(block) = &call.block {
                        return self.lambda(block);
                    }
                }
                "binding" | "block_given?" | "__method__" | "caller" => return Value::harmless(),
                _ => {}
            }
        }
        let recv = call.recv.as_ref().map(|r| self.eval(r));
        let mut args: Vec<Value> = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            let value = self.eval(arg);
            if matches!(arg.kind, Kind::Splat(_))
                && let Shape::Array(items) = &value.shape
            {
                args.extend(items.iter().cloned());
                // What was appended to the list later stands behind what it began with.
                if value.taints.is_some() {
                    args.push(Value { shape: Shape::Unknown, taints: value.taints.clone() });
                }
            } else if matches!(&arg.kind, Kind::Splat(inner) if matches!(inner.kind, Kind::Nil))
                && value.taints.is_some()
            {
                // `new(...)`: what came in goes on, wherever it stood.
                args.extend([value.clone(), value.clone(), value.clone()]);
                args.push(Value::shaped(Shape::Hash(Rc::new(vec![(None, value)]))));
            } else if let Some(members) = self.rest_members(arg, &value) {
                args.extend(members);
            } else {
                args.push(value);
            }
        }
        if let Some(arg) = &call.block_arg
            && !matches!(arg.kind, Kind::Sym(_))
        {
            self.eval(arg);
        }
        if self.env.dead {
            return Value::default();
        }
        let mut value = self.dispatch_each(call, recv.as_ref(), &args, span);
        if call.recv.is_none()
            && matches!(
                name,
                "render"
                    | "redirect_to"
                    | "head"
                    | "redirect_back"
                    | "render_404"
                    | "not_found"
                    | "render_403"
                    | "render_error"
                    | "deny_access"
                    | "access_denied"
                    | "forbidden"
                    | "redirect_back_or_to"
                    | "invalid_request"
            )
        {
            self.env.answered = true;
        }
        if matches!(name, "=~" | "match" | "match?" | "===" | "scan" | "slice" | "[]") {
            value = self.captured(call, recv.as_ref(), &args, value);
        }
        if matches!(value.shape, Shape::Unknown)
            && let Some(made) = self.engine.knowledge.makes.get(&call.name)
            && let Some((_, class)) = made.iter().find(|(on, _)| self.matches(on, call, recv.as_ref()))
        {
            value.shape = Shape::Object(*class, None);
        }
        if value.taints.is_some()
            && let Some(block) = &call.block
            && matches!(
                name,
                "select" | "filter" | "find" | "detect" | "find_all" | "keep_if" | "select!" | "filter!"
            )
            && self.keeps_listed(block, &value)
        {
            value = value.cleared(Marks::ALL);
        }
        if !self.env.cleared.is_empty() && value.taints.is_some() {
            // A check on this very expression made it harmless.
            if let Some(key) = self.expression_key(node) {
                let marks =
                    self.env.cleared.iter().filter(|(k, _)| *k == key).fold(Marks::NONE, |m, (_, c)| m | *c);
                if marks != Marks::ALL && marks.covers(Marks::GUARDED) {
                    return value
                        .cleared(marks.without(Marks::GUARDED))
                        .doubted(Doubt { guarded: true, ..Doubt::default() });
                }
                return value.cleared(marks);
            }
        }
        value
    }

    /// `select { |name| LIST.include?(name) }`: what is kept is in the list.
    pub(crate) fn keeps_listed(&mut self, block: &'a Block, item: &Value) -> bool {
        let [param] = block.params.as_slice() else { return false };
        if !param.inner.is_empty() {
            return false;
        }
        let before = self.env.clone();
        Env::set(
            &mut self.env.locals,
            param.name,
            Value { shape: Shape::Unknown, taints: item.taints.clone() },
        );
        self.refine(&block.body, true);
        let listed = self
            .env
            .local(param.name)
            .is_some_and(|v| v.each_taint().iter().all(|t| t.cleared == Marks::ALL));
        self.env = before;
        listed
    }

    /// `new(*args)`: each member of the method's own rest by its place, and keywords behind them.
    fn rest_members(&self, arg: &Node, value: &Value) -> Option<Vec<Value>> {
        let Kind::Splat(inner) = &arg.kind else { return None };
        let (Kind::Local(name), Unit::Method(id)) = (&inner.kind, self.unit) else { return None };
        let ([taint], Shape::Unknown) = (value.each_taint(), &value.shape) else { return None };
        let Origin::Param(index, None) = taint.origin else { return None };
        let param = self.engine.app.index.method(id).params.get(usize::from(index))?;
        if param.form != ParamForm::Rest || param.name != *name {
            return None;
        }
        let read = |key: &str| Value {
            shape: Shape::Unknown,
            taints: map_taints(&value.taints, |t| t.origin = t.origin.read(key)),
        };
        let mut members: Vec<Value> = ["0", "1", "2"].into_iter().map(read).collect();
        members.push(Value::shaped(Shape::Hash(Rc::new(vec![(None, value.clone())]))));
        Some(members)
    }

    /// A call on what may be one of several objects goes to each.
    fn dispatch_each(&mut self, call: &'a Call, recv: Option<&Value>, args: &[Value], span: Span) -> Value {
        let Some(Value { shape: Shape::AnyOf(shapes), taints }) = recv else {
            return self.dispatch(call, recv, args, span);
        };
        // Within each other, as blocks are, they would multiply.
        let most = match (self.spread, &call.block) {
            (0, None) => shapes.len(),
            (0 | 1, _) => shapes.len().min(2),
            _ => 1,
        };
        self.spread += 1;
        let mut out: Option<Value> = None;
        for shape in &shapes[..most] {
            let one = Value { shape: shape.clone(), taints: taints.clone() };
            let value = self.dispatch(call, Some(&one), args, span);
            out = Some(out.map_or_else(|| value.clone(), |so_far| so_far.join(&value)));
        }
        self.spread -= 1;
        out.unwrap_or_default()
    }

    pub(crate) fn dispatch(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Value {
        if let Some(value) = self.framework(call, recv, args, span) {
            return value;
        }
        if let Some(value) = self.told_by_user(call, recv, args, span) {
            return value;
        }
        if let Some(unit) = self.resolve(call, recv, args) {
            self.sinks(call, recv, args, span, true);
            return self.apply(unit, call, recv, args, span);
        }
        if let Some(value) = self.plain_attribute(call, recv, args, span) {
            return value;
        }
        self.sinks(call, recv, args, span, false);
        if let Some(value) = self.sanitized(call, recv, args, span) {
            self.run_block(call, recv, None);
            return value;
        }
        if let Some(value) = self.sourced(call, recv, args, span) {
            self.run_block(call, recv, None);
            return value;
        }
        let record = match recv {
            Some(recv) if call.recv.as_ref().is_none_or(|r| !matches!(r.kind, Kind::SelfRef)) => {
                self.record_call(recv, call, span, args)
            }
            _ => self.own_attribute(call, span, args),
        };
        if let Some(mut value) = record {
            self.run_block(call, Some(&value.clone()), None);
            if call.name == "new" || call.name == "build" {
                value.taints = None;
            }
            return value;
        }
        if let Some(value) = self.guess(call, recv, args, span) {
            return value;
        }
        self.unknown(call, recv, args, span)
    }

    /// A match against a pattern of the code: what it captured stands in `$1` from here on, and what
    /// harmless groups capture is harmless.
    pub(crate) fn captured(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        value: Value,
    ) -> Value {
        let (pattern, subject) = match (recv.map(|r| &r.shape), args.first().map(|a| &a.shape)) {
            (Some(Shape::Pattern(pattern)), _) => (Rc::clone(pattern), args.first()),
            (_, Some(Shape::Pattern(pattern))) => (Rc::clone(pattern), recv),
            _ => return value,
        };
        let groups = crate::guard::harmless_groups(&pattern);
        let chosen = match call.args.get(1).map(|a| &a.kind) {
            Some(Kind::Int(group)) => groups.get((*group as usize).wrapping_sub(1)).copied().unwrap_or(false),
            _ => !groups.is_empty() && groups.iter().all(|h| *h),
        };
        // `/(?<year>\d+)/ =~ text` sets the variable `year`.
        if call.name == "=~"
            && matches!(recv.map(|r| &r.shape), Some(Shape::Pattern(_)))
            && let Some(subject) = subject
        {
            let names = crate::guard::named_groups(&pattern);
            for (i, name) in names.iter().enumerate() {
                let value = Value { shape: Shape::Unknown, taints: subject.deep_taints() };
                let safe = names.len() == groups.len() && groups[i];
                Env::set(&mut self.env.locals, *name, if safe { value.cleared(Marks::ALL) } else { value });
            }
        }
        if call.name != "match?" && call.name != "[]" {
            self.env.last_match =
                subject.map(|s| (Value { shape: Shape::Unknown, taints: s.deep_taints() }, groups.into()));
        }
        if chosen { value.cleared(Marks::ALL) } else { value }
    }
}
