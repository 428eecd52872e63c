//! Calls in a routes file: draw blocks, methods of the file, loops over lists, and what is left for
//! the language of routes.

use std::collections::HashMap;
use std::mem;
use std::rc::Rc;

use wardroom_ruby::ir::{Block, Call, Kind, Name, Node, ParamForm, Span};

use super::reader::{Reader, elements};
use super::scope::Scope;
use super::value::{Keywords, Mapper, Value, constant_text, node_text, split_arguments};

impl<'a> Reader<'a> {
    /// The arguments of a call: keywords last, a block passed with `&` is the caller's to see.
    pub fn arguments(&mut self, call: &'a Call) -> Vec<Value<'a>> {
        let mut out = Vec::with_capacity(call.args.len());
        for argument in &call.args {
            match &argument.kind {
                Kind::Splat(inner) => match self.eval(inner) {
                    Value::List(items) => out.extend(items),
                    Value::Nil => {}
                    other => out.push(other),
                },
                _ => out.push(self.eval(argument)),
            }
        }
        out
    }

    pub(super) fn call(&mut self, node: &'a Node, call: &'a Call) -> Value<'a> {
        let name = call.name.as_str();
        let block = call.block.as_ref();
        let Some(recv) = &call.recv else {
            return self.plain_call(node, call);
        };
        if let Some(value) = self.draw_call(recv, call) {
            return value;
        }
        if let (Kind::Const(path), true, None) = (&recv.kind, call.args.is_empty(), block)
            && let Some(value) = self.elsewhere(&format!("{}.{name}", constant_text(path)))
            && !matches!(value, Value::Unknown(_))
        {
            return value;
        }
        let receiver = self.eval(recv);
        if let Value::Mapper(mapper) = receiver {
            return self.mapper_call(node, *mapper, call);
        }
        if matches!(
            name,
            "each"
                | "map"
                | "flat_map"
                | "each_with_index"
                | "each_pair"
                | "each_key"
                | "times"
                | "tap"
                | "then"
                | "each_with_object"
                | "filter_map"
                | "collect"
                | "each_value"
                | "select"
                | "reject"
        ) && let Some(block) = block
        {
            return self.iterate(name, receiver, block);
        }
        let arguments = self.arguments(call);
        if let Some(value) = super::ruby::method(&receiver, name, &arguments, call.block_arg.as_ref()) {
            return value;
        }
        if self.inside && arguments.iter().any(|a| matches!(a, Value::Mapper(_))) {
            let text = node_text(recv, 4);
            self.problem(node.span, format!("what `{text}.{name}` declares is missing"));
        }
        if name == "new" || block.is_none() {
            if matches!(name, "to_proc" | "method") {
                return Value::Lambda(None);
            }
            return match name {
                "new" | "app" | "instance" | "freeze" | "build" => Value::Object(node_text(node, 4)),
                _ => Value::Unknown(node_text(node, 4)),
            };
        }
        // Settings of a library (`Sidekiq::Web.class_eval { use … }`) are no routes.
        if matches!(name, "class_eval" | "module_eval" | "configure" | "setup" | "config") {
            return Value::Nil;
        }
        // A block given to something unknown: it is run once, so that what it declares is seen.
        if let Some(block) = block {
            let arguments = block.params.iter().map(|p| Value::Unknown(p.name.to_string())).collect();
            self.run(block, arguments);
        }
        Value::Unknown(node_text(node, 4))
    }

    pub(super) fn plain_call(&mut self, node: &'a Node, call: &'a Call) -> Value<'a> {
        let name = call.name.as_str();
        let block = call.block.as_ref();
        if call.bare
            && let Some(value) = self.variable(call.name)
        {
            return value.clone();
        }
        match name {
            "lambda" | "proc" => return Value::Lambda(block),
            "redirect" => return Value::Redirect,
            "require" | "require_dependency" | "require_relative" | "load" | "puts" | "p" | "raise"
            | "private" | "logger" | "binding" | "attr_reader" | "attr_accessor" | "warn" | "exit"
            | "sleep" | "extend" | "include" => {
                return Value::Nil;
            }
            _ => {}
        }
        let mut arguments = self.arguments(call);
        // `&block` passes on a block that a method here got; its routes are read where it stands.
        if let Some(passed) = &call.block_arg
            && let Value::Lambda(Some(body)) = self.eval(passed)
        {
            return self.user_or_declare(node.span, call.name, mem::take(&mut arguments), Some(body));
        }
        self.user_or_declare(node.span, call.name, arguments, block)
    }

    pub(super) fn user_or_declare(
        &mut self,
        span: Span,
        name: Name,
        arguments: Vec<Value<'a>>,
        block: Option<&'a Block>,
    ) -> Value<'a> {
        if let Some(&(file, def)) = self.methods.get(&name)
            && name.as_str() != "draw"
            && !self.running.contains(&name)
        {
            let was = mem::replace(&mut self.file, file);
            self.running.push(name);
            self.variables.push(HashMap::new());
            self.bind(&def.params, arguments);
            if let Some(param) = def.params.iter().find(|p| p.form == ParamForm::Block) {
                self.set(param.name, Value::Lambda(block));
            }
            let value = self.eval(&def.body);
            self.variables.pop();
            self.running.pop();
            self.file = was;
            return value;
        }
        self.declare(span, name, arguments, block)
    }

    /// A call on the mapper itself: a word of the language of routes, if a draw block is open.
    pub(super) fn declare(
        &mut self,
        span: Span,
        name: Name,
        arguments: Vec<Value<'a>>,
        block: Option<&'a Block>,
    ) -> Value<'a> {
        if !self.inside {
            if let Some(block) = block {
                self.run(block, Vec::new());
            }
            return Value::Unknown(name.to_string());
        }
        let outer = mem::replace(&mut self.span, span);
        let value = self.modern(name.as_str(), arguments, block);
        self.span = outer;
        value
    }

    pub(super) fn mapper_call(&mut self, node: &'a Node, mapper: Mapper<'a>, call: &'a Call) -> Value<'a> {
        let arguments = self.arguments(call);
        let outer = mem::replace(&mut self.span, node.span);
        let block = call.block.as_ref();
        let value = if mapper.classic {
            self.classic(call.name.as_str(), &mapper.with, arguments, block)
        } else {
            let (mut words, keywords) = split_arguments(arguments);
            let keywords = keywords.over(&mapper.with);
            if !keywords.0.is_empty() {
                words.push(Value::Map(keywords.0));
            }
            self.user_or_declare(node.span, call.name, words, block)
        };
        self.span = outer;
        value
    }

    /// `Rails.application.routes.draw do`, and its kin; `None` where the call is something else.
    pub(super) fn draw_call(&mut self, recv: &'a Node, call: &'a Call) -> Option<Value<'a>> {
        let block = call.block.as_ref()?;
        let engine = draws(recv, call)?;
        // An engine that isolates its namespace has all its controllers in that module.
        let isolated = self.settings.isolated.iter().find(|(class, _)| Some(class) == engine.as_ref());
        let module = isolated.map(|(_, module)| module.clone());
        let scope = Scope { engine: engine.map(Rc::from), module, ..Scope::default() };
        let outer = mem::replace(&mut self.scope, scope);
        let inside = mem::replace(&mut self.inside, true);
        self.drawn[self.file] = true;
        let arguments = if block.params.is_empty() {
            Vec::new()
        } else {
            vec![Value::Mapper(Box::new(Mapper { classic: true, with: Keywords::default() }))]
        };
        self.run(block, arguments);
        self.inside = inside;
        self.scope = outer;
        Some(Value::Nil)
    }

    pub(super) fn iterate(&mut self, name: &str, receiver: Value<'a>, block: &'a Block) -> Value<'a> {
        let unknown = !matches!(receiver, Value::List(_) | Value::Map(_) | Value::Int(_));
        if matches!(name, "tap" | "then") {
            let value = self.run(block, vec![receiver.clone()]);
            return if name == "tap" { receiver } else { value };
        }
        let before = self.routes.len();
        let mut results = Vec::new();
        for (at, item) in elements(&receiver).into_iter().enumerate() {
            let arguments = match (name, item) {
                ("each_with_index" | "each_with_object", item) => vec![item, Value::Int(at as i64)],
                ("each_key", Value::List(pair)) => pair.into_iter().take(1).collect(),
                ("each_value", Value::List(pair)) => pair.into_iter().skip(1).collect(),
                // A name for what is not known: the block's own.
                (_, Value::Unknown(_)) => {
                    block.params.iter().map(|p| Value::Unknown(p.name.to_string())).collect()
                }
                (_, item) => vec![item],
            };
            let item = arguments.first().cloned().unwrap_or(Value::Nil);
            let result = self.run(block, arguments);
            match name {
                "select" if result.truthy() == Some(false) => {}
                "reject" if result.truthy() == Some(true) => {}
                "select" | "reject" => results.push(item),
                "filter_map" if matches!(result, Value::Nil) => {}
                _ => results.push(result),
            }
        }
        if unknown && self.routes.len() > before {
            let text = receiver.text();
            self.problem(block.span, format!("routes over a list that is not known here: {text}"));
        }
        match name {
            "map" | "collect" | "flat_map" | "filter_map" | "select" | "reject" if !unknown => {
                Value::List(results)
            }
            _ => receiver,
        }
    }
}

/// Whether a call opens a draw block: `Some(None)` for the application's routes, `Some(Some(engine))`
/// for those of an engine.
pub(super) fn draws(recv: &Node, call: &Call) -> Option<Option<String>> {
    let set = match (call.name.as_str(), &recv.kind) {
        ("draw" | "append" | "prepend", Kind::Call(routes)) if routes.name == "routes" => {
            match &routes.recv {
                Some(owner) => owner,
                None => return Some(None),
            }
        }
        ("draw", Kind::Const(path)) if path.last().is_some_and(|n| n == "Routes") => return Some(None),
        ("draw", Kind::Call(set)) if set.name == "new" => return Some(None),
        ("add_routes" | "append_routes" | "prepend_routes", Kind::Const(_)) => recv,
        _ => return None,
    };
    Some(match &set.kind {
        Kind::Const(path) if path.last().is_some_and(|n| n == "Application") => None,
        Kind::Const(path) => Some(constant_text(path)),
        _ => None,
    })
}
