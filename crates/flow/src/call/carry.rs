//! Calls of which nothing special is known: what of their data they hand on, and their blocks.

use std::rc::Rc;

use wardroom_ruby::ir::*;

use crate::engine::{Binding, Unit, source};
use crate::env::Env;
use crate::eval::Eval;
use crate::knowledge::{Carries, Mark, Marks};
use crate::path::What;
use crate::prefix::cleared_by_prefix;
use crate::value::{Doubt, KEYS, Origin, Shape, Taint, Taints, Value, join_taints, joined, map_taints};

/// Words that hand on what a text holds, and are the names of attributes as well.
const ATTRIBUTES: &[&str] =
    &["name", "body", "message", "content", "value", "text", "path", "host", "query", "string", "headers"];

impl<'a> Eval<'_, 'a> {
    /// What is left for a value of no special shape: sinks, sanitizers, then the default.
    pub(crate) fn rest(&mut self, call: &'a Call, recv: &Value, args: &[Value], span: Span) -> Value {
        self.sinks(call, Some(recv), args, span, false);
        if let Some(value) = self.sanitized(call, Some(recv), args, span) {
            return value;
        }
        self.carried(call, Some(recv), args, span)
    }

    pub(crate) fn unknown(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Value {
        // A bare word in a template: a variable that whoever renders it sets.
        let word =
            matches!(self.engine.knowledge.carries.get(&call.name), Some(Carries::Nothing | Carries::First));
        if recv.is_none()
            && matches!(self.unit, Unit::Template(_))
            && args.is_empty()
            && call.block.is_none()
            && !word
        {
            return self.template_variable(call.name);
        }
        self.carried(call, recv, args, span)
    }

    pub(crate) fn template_variable(&mut self, name: Name) -> Value {
        let index = match self.params.iter().position(|p| *p == name) {
            Some(index) => index,
            None => {
                self.params.push(name);
                self.params.len() - 1
            }
        };
        self.placeholder(Origin::Param(index as u16, None), name)
    }

    /// How a call that is not the application's own hands data on.
    pub(crate) fn carried(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Value {
        let name = call.name.as_str();
        if let Some(recv) = recv {
            match name {
                "+" | "concat" | "<<" | "append" | "prepend" | "push" | "unshift" | "insert"
                | "safe_concat"
                    if !args.is_empty() =>
                {
                    let list = matches!(name, "push" | "unshift");
                    let value = args.iter().fold(recv.clone(), |left, right| match list {
                        true => Value {
                            shape: left.shape.clone(),
                            taints: joined(&left.deep_taints(), &right.deep_taints()),
                        },
                        false => self.concatenate(&left, right.clone(), span),
                    });
                    if name != "+" {
                        self.write_back(call, value.clone());
                    }
                    return value;
                }
                "*" if matches!(recv.shape, Shape::Text(_)) => return Value::harmless(),
                // What is in both lists: if one of them is the code's own, so is that.
                "&" => {
                    let other = args.first().map(Value::deep_taints);
                    let mine = recv.deep_taints();
                    let open =
                        mine.iter().flat_map(|t| t.iter()).any(|t| matches!(t.origin, Origin::Source(..)));
                    let taints = if open { other.flatten() } else { mine };
                    return Value { shape: Shape::Unknown, taints };
                }
                // A path that goes on behind a directory begins with the directory.
                "join"
                    if !args.is_empty()
                        && !matches!(recv.shape, Shape::Array(_) | Shape::Params(_) | Shape::Permitted) =>
                {
                    let class = matches!(recv.shape, Shape::Class(_));
                    let mut taints = if class { None } else { recv.deep_taints() };
                    for (i, arg) in args.iter().enumerate() {
                        let behind = !class || i > 0;
                        let marks = if behind {
                            Marks::of(Mark::Open) | Marks::of(Mark::Argument)
                        } else {
                            Marks::NONE
                        };
                        join_taints(&mut taints, &map_taints(&arg.deep_taints(), |t| t.cleared |= marks));
                    }
                    let fixed = recv.is_fixed() && args.iter().all(Value::is_fixed);
                    return Value { shape: if fixed { Shape::Harmless } else { Shape::Unknown }, taints };
                }
                "%" | "format" => {
                    let mut value = recv.clone();
                    let marks = recv
                        .as_text()
                        .map_or(Marks::NONE, |t| cleared_by_prefix(t.split('%').next().unwrap_or_default()));
                    let fixed = recv.as_text().is_some_and(|t| t.contains("%d") && !t.contains("%s"));
                    for arg in args {
                        let more = map_taints(&arg.deep_taints(), |t| {
                            t.cleared |= if fixed { Marks::ALL } else { marks }
                        });
                        join_taints(&mut value.taints, &more);
                    }
                    value.shape = Shape::Unknown;
                    return value;
                }
                "[]=" | "store" => {
                    self.store(call, recv, args);
                    return args.last().cloned().unwrap_or_default();
                }
                _ => {}
            }
            if name.ends_with('=') && !matches!(name, "==" | "!=" | "===" | "<=" | ">=") {
                return args.last().cloned().unwrap_or_default();
            }
        }
        let known = self.engine.knowledge.carries.get(&call.name).copied();
        let placeholder_key = recv.and_then(|r| self.keyed(r, call, args));
        if let Some(value) = placeholder_key {
            return value;
        }
        let receiver_taints = recv.and_then(|r| r.deep_taints());
        let block_value = match (name, &call.block) {
            // What the block puts into its second parameter is the result.
            ("each_with_object", Some(block)) => {
                let item = recv.map(Value::element).unwrap_or_default();
                let list = args.first().cloned().unwrap_or_default();
                self.block_keeping(block, &[item, list], Some(1)).1
            }
            _ => self.run_block(call, recv, None),
        };
        match known {
            Some(Carries::Nothing) => Value::harmless(),
            Some(Carries::Same) => recv.cloned().unwrap_or_default(),
            Some(Carries::First) => args.first().cloned().unwrap_or_default(),
            Some(Carries::Element) => {
                let mut value = recv.map(Value::element).unwrap_or_default();
                if let (
                    Some(block),
                    "map" | "collect" | "flat_map" | "filter_map" | "inject" | "reduce" | "then"
                    | "yield_self" | "sum" | "each_with_object" | "with_index" | "tap" | "each_slice" | "zip",
                ) = (&block_value, name)
                {
                    value = match name {
                        "tap" => recv.cloned().unwrap_or_default(),
                        "then" | "yield_self" | "inject" | "reduce" | "sum" | "each_with_object" => {
                            let mut out = block.clone();
                            for arg in args {
                                join_taints(&mut out.taints, &arg.deep_taints());
                            }
                            out
                        }
                        _ => Value::shaped(Shape::Array(Rc::new(vec![block.clone()]))),
                    };
                } else if let (
                    None,
                    Some(Node { kind: Kind::Sym(method), .. }),
                    "map" | "collect" | "flat_map" | "filter_map",
                ) = (&block_value, &call.block_arg, name)
                {
                    value = self.symbol_block(&value, *method, span);
                } else if !matches!(
                    name,
                    "detect"
                        | "find"
                        | "first"
                        | "last"
                        | "sample"
                        | "min_by"
                        | "max_by"
                        | "max"
                        | "min"
                        | "fetch"
                        | "[]"
                        | "dig"
                        | "at"
                        | "pop"
                        | "shift"
                ) {
                    value = recv.cloned().unwrap_or_default();
                }
                value
            }
            Some(Carries::Receiver) => {
                let mut fixed = recv.is_none_or(Value::is_fixed);
                let mut taints = match recv {
                    Some(recv) if ATTRIBUTES.contains(&name) => self.attribute_read(recv, call),
                    _ => receiver_taints,
                };
                // `CGI.unescape(x)`: a library's function works on what it is given.
                let library = name != "read"
                    && matches!(recv, Some(Value { shape: Shape::Class(class), .. })
                        if self.engine.app.index.class(*class).is_none());
                let replaces = matches!(name, "sub" | "gsub" | "sub!" | "gsub!");
                for arg in args.iter().skip(usize::from(replaces)).filter(|_| library || replaces) {
                    fixed &= arg.is_fixed();
                    join_taints(&mut taints, &arg.deep_taints());
                }
                if let Some(block) = block_value.filter(|_| replaces) {
                    fixed &= block.is_fixed();
                    join_taints(&mut taints, &block.deep_taints());
                }
                // A class that is looked up by its name is known by nothing else.
                let fixed = fixed && !matches!(name, "constantize" | "safe_constantize");
                Value { shape: if fixed { Shape::Harmless } else { Shape::Unknown }, taints }
            }
            // Options of the code's own over others: what is known by name stays apart.
            Some(Carries::Both)
                if name.contains("merge")
                    && matches!(recv, Some(Value { shape: Shape::Unknown, .. }))
                    && matches!(args, [Value { shape: Shape::Hash(_), .. }]) =>
            {
                let mut pairs = vec![(None, recv.cloned().unwrap_or_default())];
                if let Some(Value { shape: Shape::Hash(more), .. }) = args.first() {
                    pairs.extend(more.iter().cloned());
                }
                let value = Value::shaped(Shape::Hash(Rc::new(pairs)));
                if name.ends_with('!') {
                    self.write_back(call, value.clone());
                }
                value
            }
            Some(Carries::Arguments | Carries::Both) => {
                let mut taints = if known == Some(Carries::Both) { receiver_taints } else { None };
                let mut fixed = known != Some(Carries::Both) || recv.is_none_or(Value::is_fixed);
                for arg in args {
                    fixed &= arg.is_fixed();
                    join_taints(&mut taints, &arg.deep_taints());
                }
                if let Some(block) = &block_value {
                    join_taints(&mut taints, &block.taints);
                }
                // An object of a class that is not known: which of its words hold what, is not known either.
                if name == "new" && matches!(recv, Some(Value { shape: Shape::Unknown, taints: None })) {
                    let doubt = Doubt { guessed: true, ..Doubt::default() };
                    taints = map_taints(&taints, |t| t.doubt = t.doubt.or(doubt));
                }
                Value {
                    shape: if fixed && taints.is_none() { Shape::Harmless } else { Shape::Unknown },
                    taints,
                }
            }
            None => {
                if name.ends_with('?')
                    || matches!(
                        name,
                        "==" | "!="
                            | "<"
                            | ">"
                            | "<="
                            | ">="
                            | "=~"
                            | "!~"
                            | "==="
                            | "<=>"
                            | "-"
                            | "/"
                            | "**"
                            | "!"
                    )
                {
                    return Value::harmless();
                }
                // Nothing is known: the receiver's data may well be in the result, the arguments'
                // less surely; a class of the application's own hands on nothing by itself.
                let doubt = Doubt { unknown_call: true, ..Doubt::default() };
                let mut taints = match recv {
                    Some(Value { shape: Shape::Class(_), .. }) | None => None,
                    Some(recv) => self.attribute_read(recv, call),
                };
                // `Blob.find_by_key(params[:key])`: what is looked for is not what is found.
                let found = matches!(recv.map(|r| &r.shape), Some(Shape::Class(_) | Shape::Unknown))
                    && (name.starts_with("find_") || matches!(name, "where" | "friendly" | "locate"));
                let modelish = found
                    || matches!(recv.map(|r| &r.shape), Some(Shape::Object(class, _) | Shape::Class(class) | Shape::Relation(class)) if self.engine.app.index.class(*class).is_some());
                if !modelish {
                    for arg in args {
                        let more = map_taints(&arg.deep_taints(), |t| t.doubt = t.doubt.or(doubt));
                        join_taints(&mut taints, &more);
                    }
                }
                Value { shape: Shape::Unknown, taints }
            }
        }
    }

    /// `options[:key]` of a parameter: only that key's data comes along.
    pub(crate) fn keyed(&mut self, recv: &Value, call: &Call, args: &[Value]) -> Option<Value> {
        if !matches!(call.name.as_str(), "[]" | "fetch" | "delete" | "dig")
            || !matches!(recv.shape, Shape::Unknown)
        {
            return None;
        }
        let key = args.first()?.as_text()?;
        let [Taint { origin: Origin::Param(_, None) | Origin::Ivar(_, None), .. }] = recv.each_taint() else {
            return None;
        };
        let mut taints: Taints = map_taints(&recv.taints, |t| t.origin = t.origin.read(key));
        if call.name == "fetch"
            && let Some(default) = args.get(1)
        {
            join_taints(&mut taints, &default.taints);
        }
        Some(Value { shape: Shape::Unknown, taints })
    }

    /// `thing.url` of a placeholder: if a record is handed over, it is that attribute of it.
    fn attribute_read(&self, recv: &Value, call: &Call) -> Taints {
        let placeholder = recv.each_taint().iter().any(|t| !matches!(t.origin, Origin::Source(..)));
        if !placeholder || !matches!(recv.shape, Shape::Unknown) {
            return recv.deep_taints();
        }
        let plain = call.args.is_empty() && call.block.is_none() && call.block_arg.is_none();
        let read = format!(".{}{}", call.name, if plain { "" } else { "()" });
        map_taints(&recv.taints, |t| t.origin = t.origin.read(&read))
    }

    /// `map(&:name)`
    pub(crate) fn symbol_block(&mut self, item: &Value, method: Name, span: Span) -> Value {
        let inner = match &item.shape {
            Shape::Object(class, _) => match self.engine.app.index.find(*class, method) {
                Some(id) => {
                    let summary = self.enter(Unit::Method(id), &[]);
                    let step = self.step(span, What::Passed(method, Name::from("")));
                    let binding = Binding { app: self.engine.app, args: &[], ivars: &[], own: false, step };
                    binding.value(&summary.result, None)
                }
                None => self.stored(*class, method, span).unwrap_or_else(|| {
                    match self.engine.app.models.get(class).and_then(|m| m.associations.get(&method)) {
                        Some(association) => Value::object(association.class),
                        None => Value::default(),
                    }
                }),
            },
            _ => match self.engine.knowledge.carries.get(&method) {
                Some(Carries::Nothing) => Value::harmless(),
                _ if self
                    .engine
                    .knowledge
                    .sanitizers
                    .get(&method)
                    .is_some_and(|s| s.iter().any(|s| s.clears == Marks::ALL)) =>
                {
                    Value::harmless()
                }
                _ => item.clone(),
            },
        };
        Value::shaped(Shape::Array(Rc::new(vec![inner])))
    }

    /// Puts what a mutating call made back into the variable that it was called on.
    pub(crate) fn write_back(&mut self, call: &'a Call, value: Value) {
        match call.recv.as_ref().map(|r| &r.kind) {
            Some(Kind::Local(name)) => Env::set(&mut self.env.locals, *name, value),
            Some(Kind::Ivar(name)) => Env::set(&mut self.env.ivars, *name, value),
            // `a << b << c`
            Some(Kind::Call(inner)) if matches!(inner.name.as_str(), "<<" | "concat" | "push") => {
                self.write_back(inner, value)
            }
            _ => {}
        }
    }

    /// `hash[key] = value`
    pub(crate) fn store(&mut self, call: &'a Call, recv: &Value, args: &[Value]) {
        let [key, .., value] = args else { return };
        let mut stored = recv.clone();
        match &recv.shape {
            Shape::Hash(pairs) => {
                let mut pairs = pairs.to_vec();
                let key = key.as_text().map(Name::from);
                match pairs.iter_mut().find(|(k, _)| *k == key && key.is_some()) {
                    Some((_, old)) => *old = value.clone(),
                    None => pairs.push((key, value.clone())),
                }
                stored.shape = Shape::Hash(Rc::new(pairs));
            }
            Shape::Params(_) => {
                // `params[:sort] = "id"`: from here on the code's own.
                if let (Some(target), Some(key), true) = (&call.recv, key.as_text(), value.is_fixed())
                    && let Some(words) = self.expression_key(target)
                {
                    self.env.cleared.push((Name::from(&format!("{words}[{key}]")), Marks::ALL));
                }
                return;
            }
            // Of what was there before, this key alone is known now.
            Shape::Unknown
                if key
                    .as_text()
                    .is_some_and(|k| !k.starts_with(|c: char| c.is_ascii_digit() || c == '-')) =>
            {
                let name = key.as_text().map(Name::from);
                stored =
                    Value::shaped(Shape::Hash(Rc::new(vec![(None, recv.clone()), (name, value.clone())])));
            }
            _ => join_taints(&mut stored.taints, &value.deep_taints()),
        }
        self.write_back(call, stored);
    }

    /// `x.name = value`, `x[key] = value` as the target of a list or an op-assignment.
    pub fn attribute_write(&mut self, call: &'a Call, value: Value, _span: Span) {
        if call.name == "[]" {
            let Some(recv) = &call.recv else { return };
            let recv = self.eval(recv);
            let key = call.args.first().map(|a| self.eval(a)).unwrap_or_default();
            self.store(call, &recv, &[key, value]);
        }
    }

    /// Evaluates a call's block with what the callee hands it.
    pub(crate) fn run_block(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        yields: Option<&[Value]>,
    ) -> Option<Value> {
        let block = call.block.as_ref()?;
        let knowledge = self.engine.knowledge;
        if let Some(given) = knowledge.blocks.get(&call.name)
            && self.matches(&given.on, call, recv)
        {
            let values: Vec<Value> = block
                .params
                .iter()
                .map(|p| Value::tainted(Shape::Unknown, source(given.kind, given.words, self.file, p.span)))
                .collect();
            return Some(self.block(block, &values));
        }
        if let Some(yields) = yields.filter(|y| !y.is_empty()) {
            return Some(self.block(block, yields));
        }
        let Some(recv) = recv else { return Some(self.block(block, &[])) };
        let item = match call.name.as_str() {
            "then" | "yield_self" | "tap" | "instance_eval" | "with_options" => recv.clone(),
            // The block of `File.open` gets a file, not the class.
            "open" => {
                if matches!(recv.shape, Shape::Class(_)) {
                    Value::default()
                } else {
                    recv.clone()
                }
            }
            _ => recv.element(),
        };
        match (&recv.shape, call.name.as_str()) {
            (Shape::Hash(pairs), _) => {
                let keys =
                    if pairs.iter().all(|(k, _)| k.is_some()) { Value::harmless() } else { item.clone() };
                let values = [keys, item];
                let values = if call.name.starts_with("each_value")
                    || block.params.len() == 1 && call.name == "transform_values"
                {
                    &values[1..]
                } else {
                    &values[..]
                };
                Some(self.block(block, values))
            }
            (_, "inject" | "reduce") => Some(self.block(block, &[item.clone(), item])),
            // The code has named the keys.
            (
                Shape::Permitted,
                "each" | "each_pair" | "map" | "collect" | "select" | "reject" | "filter_map" | "flat_map"
                | "to_h" | "any?" | "all?" | "delete_if" | "find" | "detect",
            ) if block.params.len() == 2 => Some(self.block(block, &[Value::harmless(), item])),
            // A parameter: the keys are those of the hash that a caller hands over.
            (
                Shape::Unknown,
                "each" | "each_pair" | "map" | "collect" | "select" | "reject" | "filter_map" | "flat_map"
                | "to_h" | "any?" | "all?" | "delete_if" | "find" | "detect",
            ) if block.params.len() == 2 && block.params.iter().all(|p| p.inner.is_empty()) => {
                let mut keys = item.clone();
                keys.taints = map_taints(&keys.taints, |t| {
                    if let Origin::Param(index, None) = &t.origin {
                        t.origin = Origin::Param(*index, Some(Name::from(KEYS)));
                    }
                });
                Some(self.block(block, &[keys, item]))
            }
            (_, "each_with_index" | "each_with_object" | "map_with_index") => {
                Some(self.block(block, &[item, Value::harmless()]))
            }
            _ => Some(self.block(block, std::slice::from_ref(&item))),
        }
    }

    pub(crate) fn run_block_with(&mut self, call: &'a Call, values: &[Value]) -> Option<Value> {
        let block = call.block.as_ref()?;
        let values = if block.params.len() < values.len() { &values[..block.params.len()] } else { values };
        Some(self.block(block, values))
    }
}
