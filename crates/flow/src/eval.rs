//! Evaluating one unit: statements, variables, branches.

mod block;
mod case;
mod text;

use std::rc::Rc;

use wardroom_rails::{FileId, Habitat, Visibility};
use wardroom_ruby::ir::*;

use crate::engine::{Engine, Unit, source};
use crate::env::Env;
use crate::knowledge::{Mark, Marks, SourceKind};
use crate::path::{Path, Step, What};
use crate::summary::{Hit, Site, Summary};
use crate::value::{Doubt, Origin, Shape, Taint, Taints, Value, join_taints, map_taints};

/// The evaluation of one unit.
pub struct Eval<'e, 'a> {
    pub engine: &'e mut Engine<'a>,
    pub unit: Unit,
    pub file: FileId,
    /// The class of `self`, or the module in which the method stands.
    pub class: Name,
    /// `self` is the class.
    pub singleton: bool,
    pub habitat: Habitat,
    pub env: Env,
    pub params: Vec<Name>,
    pub hits: Vec<Hit>,
    pub yields: Vec<Value>,
    pub calls_block: bool,
    pub result: Option<Value>,
    /// Result of the block being evaluated, fed by `next`.
    pub block_result: Option<Value>,
    /// Variables that hold the outcome of a check: `known = LIST.include?(x)`.
    pub checks: Vec<(Name, &'a Node)>,
    /// What is harmless on every way out so far that has not answered the request.
    pub checked: Option<Vec<(Name, Marks)>>,
    /// How many lambdas are being called within each other.
    pub lambda_depth: u32,
    /// How many calls on one of several objects are being followed within each other.
    pub spread: u32,
    /// The whole of what `super` without arguments hands on.
    pub param_values: Vec<Value>,
}

impl<'e, 'a> Eval<'e, 'a> {
    pub fn new(engine: &'e mut Engine<'a>, unit: Unit, file: FileId, class: Name, singleton: bool) -> Self {
        let habitat = engine.app.habitat(class, file);
        Eval {
            engine,
            unit,
            file,
            class,
            singleton,
            habitat,
            env: Env::default(),
            params: Vec::new(),
            hits: Vec::new(),
            yields: Vec::new(),
            calls_block: false,
            result: None,
            block_result: None,
            checked: None,
            checks: Vec::new(),
            lambda_depth: 0,
            spread: 0,
            param_values: Vec::new(),
        }
    }

    /// Makes a placeholder of every parameter.
    pub fn bind_params(&mut self, params: &'a [Param]) {
        for (i, param) in params.iter().enumerate() {
            let mut value = self.placeholder(Origin::Param(i as u16, None), param.name);
            if self.is_validated_value(i) {
                let words = Name::from("the value to validate");
                value =
                    Value::tainted(Shape::Unknown, source(SourceKind::Stored, words, self.file, param.span));
            }
            if self.comes_from_outside(param) {
                let words = Name::from(&format!("argument {}", param.name));
                value =
                    Value::tainted(Shape::Unknown, source(SourceKind::Params, words, self.file, param.span));
            }
            if let Some(default) = &param.default {
                let default = self.eval(default);
                if !matches!(default.shape, Shape::Unknown | Shape::Harmless | Shape::Text(_))
                    && matches!(value.shape, Shape::Unknown)
                {
                    value.shape = match default.shape {
                        Shape::Hash(_) | Shape::Array(_) => Shape::Unknown,
                        shape => shape,
                    };
                }
                join_taints(&mut value.taints, &default.taints);
            }
            if param.form == ParamForm::Block {
                value = Value::default();
            }
            self.param_values.push(value.clone());
            self.params.push(param.name);
            for target in &param.inner {
                self.assign(target, value.element());
            }
            self.env.locals.push((param.name, value));
        }
    }

    /// The third parameter of a validator's `validate_each`.
    fn is_validated_value(&self, position: usize) -> bool {
        let Unit::Method(id) = self.unit else { return false };
        position == 2 && self.engine.app.index.method(id).name == "validate_each"
    }

    /// Whether the framework fills a parameter with what a client sent.
    fn comes_from_outside(&self, param: &Param) -> bool {
        let Unit::Method(id) = self.unit else { return false };
        let method = self.engine.app.index.method(id);
        if method.singleton || method.visibility == Visibility::Hidden {
            return false;
        }
        match self.habitat {
            // A field's or mutation's arguments.
            Habitat::Graphql => {
                matches!(param.form, ParamForm::Keyword | ParamForm::KeywordRest)
                    && !method.name.ends_with('?')
            }
            // The data of a channel's action.
            Habitat::Channel => {
                param.form == ParamForm::Required && !matches!(method.name.as_str(), "initialize")
            }
            _ => false,
        }
    }

    pub fn placeholder(&mut self, origin: Origin, name: Name) -> Value {
        let path = Path::default();
        let taint = Taint { origin, cleared: Marks::NONE, doubt: Doubt::default(), path };
        Value::tainted(self.shape_by_name(name), taint)
    }

    /// What a variable's name says about what is in it.
    pub fn shape_by_name(&self, name: Name) -> Shape {
        match self.engine.app.by_name.get(&name) {
            Some((model, false)) => Shape::Object(model, None),
            Some((model, true)) => Shape::Relation(model),
            None => Shape::Unknown,
        }
    }

    pub fn run(mut self, body: &'a Node) -> (Summary, Vec<Name>) {
        let last = self.eval(body);
        let result = match (self.env.dead, self.result.take()) {
            (true, Some(result)) => result,
            (true, None) => Value::default(),
            (false, Some(result)) => result.join(&last),
            (false, None) => last,
        };
        let ivars = std::mem::take(&mut self.env.ivars);
        if !self.env.dead {
            self.leave();
        }
        let checked = self.checked.take().unwrap_or_default();
        let Eval { hits, yields, calls_block, params, .. } = self;
        (Summary { result, ivars, hits, yields, calls_block, checked }, params)
    }

    /// Notes a way out that has not answered: what is harmless on all of them is harmless behind it.
    fn leave(&mut self) {
        if self.env.answered {
            return;
        }
        let here = self.env.let_through();
        self.checked = Some(match self.checked.take() {
            Some(before) => before.into_iter().filter(|c| here.contains(c)).collect(),
            None => here,
        });
    }

    pub fn constant_value(&mut self, node: &'a Node) -> Value {
        self.eval(node)
    }

    pub fn step(&self, span: Span, what: What) -> Step {
        Step { file: self.file, span, what }
    }

    /// Notes every taint of a value at a sink.
    pub fn sink(&mut self, site: &Site, taints: &Taints) {
        for taint in taints.iter().flat_map(|t| t.iter()) {
            let hit = Hit { site: *site, taint: taint.clone() };
            self.engine.record(self.unit, hit, &mut self.hits, true);
        }
    }

    pub fn site(&self, mark: Mark, method: Name, span: Span) -> Site {
        Site { mark, method, context: None, argument: Name::from("0"), file: self.file, span, prefix: None }
    }

    pub fn eval(&mut self, node: &'a Node) -> Value {
        if self.env.dead {
            return Value::default();
        }
        match &node.kind {
            Kind::Nil | Kind::True | Kind::False | Kind::Float(_) | Kind::Jump | Kind::Alias(..) => {
                Value::harmless()
            }
            Kind::Int(number) => Value::text(&number.to_string()),
            Kind::Str(text) => Value::text(text),
            Kind::Sym(name) => Value::text(name),
            Kind::SelfRef => {
                let shape =
                    if self.singleton { Shape::Class(self.class) } else { Shape::Object(self.class, None) };
                Value::shaped(shape)
            }
            Kind::Interp(interp) => self.interp(interp, node.span),
            Kind::Array(items) => {
                let mut values = Vec::with_capacity(items.len().min(64));
                for item in items {
                    let value = self.eval(item);
                    let value = if matches!(item.kind, Kind::Splat(_)) { value.element() } else { value };
                    if values.len() < 64 {
                        values.push(value);
                    }
                }
                Value::shaped(Shape::Array(Rc::new(values)))
            }
            Kind::Hash(pairs) => self.hash(pairs),
            Kind::Range(ends) => {
                let left = self.eval(&ends.0);
                let right = self.eval(&ends.1);
                left.join(&right)
            }
            Kind::Local(name) => self.env.local(*name).cloned().unwrap_or_default(),
            Kind::Ivar(name) => self.ivar(*name),
            Kind::Cvar(_) => Value::default(),
            Kind::Gvar(name) => self.matched(*name),
            Kind::Const(path) => self.constant(path),
            Kind::Call(call) => self.call(call, node),
            Kind::Super(call) => self.super_call(call, node),
            Kind::Yield(args) => {
                self.calls_block = true;
                for (i, arg) in args.iter().enumerate() {
                    let value = self.eval(arg);
                    match self.yields.get_mut(i) {
                        Some(seen) => *seen = seen.join(&value),
                        None => self.yields.push(value),
                    }
                }
                Value::default()
            }
            Kind::Assign(assign) => self.assignment(assign),
            Kind::MultiAssign(assign) => {
                let value = self.eval(&assign.value);
                self.destructure(&assign.targets, &value);
                value
            }
            Kind::And(sides) => {
                let left = self.eval(&sides.0);
                let before = self.env.clone();
                self.refine(&sides.0, true);
                let right = self.eval(&sides.1);
                if matches!(sides.1.kind, Kind::Return(_)) {
                    // `redirect_to x and return`: the left side is always true.
                    return right;
                }
                let after = std::mem::take(&mut self.env);
                self.env = before.merge(after);
                if matches!(left.shape, Shape::Harmless) { right } else { right.join(&left) }
            }
            Kind::Or(sides) => {
                let left = self.eval(&sides.0);
                let before = self.env.clone();
                self.refine(&sides.0, false);
                let right = self.eval(&sides.1);
                let after = std::mem::take(&mut self.env);
                self.env = if after.dead {
                    // `x or return`: below, x holds.
                    let mut env = before;
                    std::mem::swap(&mut self.env, &mut env);
                    self.refine(&sides.0, true);
                    std::mem::take(&mut self.env)
                } else {
                    before.merge(after)
                };
                // `@client || Client.new`: what it held before is what such a line put there.
                if let (Kind::Ivar(_), [Taint { origin: Origin::Ivar(_, None), .. }]) =
                    (&sides.0.kind, left.each_taint())
                    && matches!(left.shape, Shape::Unknown)
                    && matches!(right.shape, Shape::Object(..) | Shape::AnyOf(_) | Shape::Class(_))
                {
                    return right;
                }
                left.join(&right)
            }
            Kind::Not(inner) => {
                self.eval(inner);
                Value::harmless()
            }
            Kind::Defined(_) => Value::harmless(),
            Kind::If(branches) => {
                self.eval(&branches.cond);
                let before = self.env.clone();
                self.refine(&branches.cond, true);
                let then = self.eval(&branches.then);
                let after_then = std::mem::replace(&mut self.env, before);
                self.refine(&branches.cond, false);
                let otherwise = self.eval(&branches.otherwise);
                let after_else = std::mem::take(&mut self.env);
                let value = match (after_then.dead, after_else.dead) {
                    (true, _) => otherwise,
                    (_, true) => then,
                    _ => then.join(&otherwise),
                };
                let both = after_then.dead && after_else.dead;
                self.env = after_then.merge(after_else);
                self.env.dead = both;
                value
            }
            Kind::Case(case) => self.case(case, false),
            Kind::Match(case) => self.case(case, true),
            Kind::Loop(repeat) => {
                let before = self.env.clone();
                if let Some((target, collection)) = &repeat.each {
                    let collection = self.eval(collection);
                    self.assign(target, collection.element());
                }
                if let Some(cond) = &repeat.cond {
                    self.eval(cond);
                    self.refine(cond, true);
                }
                self.eval(&repeat.body);
                let after = std::mem::take(&mut self.env);
                self.env = before.merge(after);
                Value::default()
            }
            Kind::Begin(begin) => self.begin(begin),
            Kind::Return(value) => {
                let value = value.as_ref().map_or_else(Value::harmless, |v| self.eval(v));
                self.result = Some(match self.result.take() {
                    Some(result) => result.join(&value),
                    None => value,
                });
                self.leave();
                self.env.dead = true;
                Value::default()
            }
            Kind::Next(value) | Kind::Break(value) => {
                let value = value.as_ref().map_or_else(Value::harmless, |v| self.eval(v));
                self.block_result = Some(match self.block_result.take() {
                    Some(result) => result.join(&value),
                    None => value,
                });
                self.env.dead = true;
                Value::default()
            }
            Kind::Seq(nodes) => {
                let mut last = Value::harmless();
                for node in nodes {
                    last = self.eval(node);
                    if self.env.dead {
                        break;
                    }
                }
                last
            }
            Kind::Lambda(block) => self.lambda(block),
            Kind::Def(_) => Value::harmless(),
            Kind::Module(module) => {
                self.module(module);
                Value::harmless()
            }
            Kind::Splat(inner) if matches!(inner.kind, Kind::Nil) => {
                self.env.local(Name::from("*")).cloned().unwrap_or_default()
            }
            Kind::DoubleSplat(inner) if matches!(inner.kind, Kind::Nil) => {
                self.env.local(Name::from("**")).cloned().unwrap_or_default()
            }
            Kind::Splat(inner) | Kind::DoubleSplat(inner) | Kind::BlockPass(inner) => self.eval(inner),
            Kind::Out(out) => {
                self.out(out, node.span);
                Value::harmless()
            }
            Kind::Other(nodes) => {
                let mut value = Value::default();
                for node in nodes {
                    let part = self.eval(node);
                    join_taints(&mut value.taints, &part.taints);
                }
                value
            }
        }
    }

    /// A class body: evaluated where a file's own code is, with the class as `self`.
    fn module(&mut self, module: &'a Module) {
        if !matches!(self.unit, Unit::Body(_)) {
            return;
        }
        let class = match module.form {
            ModuleForm::Singleton => self.class,
            _ => wardroom_rails::join(self.class, &wardroom_rails::path_name(&module.path)),
        };
        let outer = std::mem::replace(&mut self.class, class);
        let habitat = std::mem::replace(&mut self.habitat, self.engine.app.habitat(class, self.file));
        let env = std::mem::take(&mut self.env);
        self.eval(&module.body);
        self.class = outer;
        self.habitat = habitat;
        self.env = env;
    }

    /// What `$1`, `$~` and their kin hold after the last match.
    pub(crate) fn matched(&self, name: Name) -> Value {
        let Some((value, harmless)) = &self.env.last_match else { return Value::default() };
        let safe = match name.strip_prefix('$').and_then(|n| n.parse::<usize>().ok()) {
            Some(group) => harmless.get(group.wrapping_sub(1)).copied().unwrap_or(false),
            None if name == "$~" => !harmless.is_empty() && harmless.iter().all(|h| *h),
            None => return Value::default(),
        };
        let value = Value { shape: Shape::Unknown, taints: value.taints.clone() };
        if safe { value.cleared(Marks::ALL) } else { value }
    }

    pub fn hash(&mut self, pairs: &'a [Pair]) -> Value {
        let mut out: Vec<(Option<Name>, Value)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            if let Kind::DoubleSplat(_) = &pair.key.kind {
                let value = self.eval(&pair.key);
                match &value.shape {
                    Shape::Hash(inner) => out.extend(inner.iter().cloned()),
                    _ => out.push((None, value)),
                }
                continue;
            }
            let key = self.eval(&pair.key);
            let mut value = self.eval(&pair.value);
            let name = key.as_text().map(Name::from);
            if name.is_none() {
                join_taints(&mut value.taints, &key.taints);
            }
            out.push((name, value));
        }
        Value::shaped(Shape::Hash(Rc::new(out)))
    }

    pub fn ivar(&mut self, name: Name) -> Value {
        if let Some((_, value)) = self.env.ivars.iter().find(|(n, _)| *n == name) {
            return value.clone();
        }
        if self.singleton {
            return Value::shaped(self.shape_by_name(name));
        }
        self.placeholder(Origin::Ivar(name, None), name)
    }

    fn constant(&mut self, path: &'a [Name]) -> Value {
        let nesting = self.nesting();
        let app = self.engine.app;
        let written = wardroom_rails::path_name(path);
        let class = app.index.resolve(written, &nesting);
        if app.index.class(class).is_some() {
            return Value::shaped(Shape::Class(class));
        }
        if let Some((node, file)) = app.index.constant(path, &nesting) {
            return self.engine.constant(node, file, nesting.first().copied().unwrap_or_default());
        }
        Value::shaped(Shape::Class(class))
    }

    /// The lexical nesting, innermost first.
    pub fn nesting(&self) -> Vec<Name> {
        match self.engine.app.index.class(self.class) {
            Some(class) if !class.nesting.is_empty() => class.nesting.clone(),
            _ if self.class.is_empty() => Vec::new(),
            _ => vec![self.class],
        }
    }

    fn assignment(&mut self, assign: &'a Assign) -> Value {
        let mut value = self.eval(&assign.value);
        match assign.op {
            None => {}
            Some(Op::Or | Op::And) => {
                let old = match &assign.target.kind {
                    // `@x ||= …`: what it held before is what this very line put there.
                    Kind::Ivar(name) if !self.env.ivars.iter().any(|(n, _)| n == name) => Value::default(),
                    _ => self.eval(&assign.target),
                };
                value = if old.taints.is_none() && matches!(old.shape, Shape::Unknown) {
                    value
                } else {
                    old.join(&value)
                };
            }
            Some(Op::Call(operator)) => {
                let old = self.eval(&assign.target);
                value = match operator.as_str() {
                    "+" | "<<" | "|" => self.concatenate(&old, value, assign.value.span),
                    _ => Value { shape: Shape::Unknown, taints: old.taints },
                };
            }
        }
        self.assign(&assign.target, value.clone());
        if let Kind::Local(name) = &assign.target.kind {
            self.checks.retain(|(n, _)| n != name);
            if assign.op.is_none()
                && matches!(
                    assign.value.kind,
                    Kind::Call(_) | Kind::Or(_) | Kind::And(_) | Kind::Not(_) | Kind::Seq(_)
                )
                && self.checks.len() < 32
            {
                self.checks.push((*name, &assign.value));
            }
        }
        value
    }

    /// Puts a value into a variable, an attribute or a list of them.
    pub fn assign(&mut self, target: &'a Node, value: Value) {
        match &target.kind {
            Kind::Local(name) => {
                let value = self.named(value, *name, target.span);
                Env::set(&mut self.env.locals, *name, value);
            }
            Kind::Ivar(name) => {
                let value = self.named(value, *name, target.span);
                Env::set(&mut self.env.ivars, *name, value);
            }
            Kind::Array(targets) => self.destructure(targets, &value),
            Kind::Splat(inner) => self.assign(inner, value),
            Kind::Call(call) => self.attribute_write(call, value, target.span),
            _ => {}
        }
    }

    fn named(&self, mut value: Value, name: Name, span: Span) -> Value {
        if value.taints.is_some() {
            let step = self.step(span, What::Assigned(name));
            value.taints = map_taints(&value.taints, |t| t.path = t.path.then(step));
        }
        if matches!(value.shape, Shape::Unknown) {
            value.shape = self.shape_by_name(name);
        }
        value
    }

    pub fn destructure(&mut self, targets: &'a [Node], value: &Value) {
        for (i, target) in targets.iter().enumerate() {
            let part = match &value.shape {
                Shape::Array(items) => match &target.kind {
                    Kind::Splat(_) => value.clone(),
                    _ => items.get(i).cloned().unwrap_or_else(|| value.element()),
                },
                _ => value.element(),
            };
            self.assign(target, part);
        }
    }

    fn begin(&mut self, begin: &'a Begin) -> Value {
        let before = self.env.clone();
        let mut value = self.eval(&begin.body);
        if let Some(otherwise) = &begin.otherwise {
            value = self.eval(otherwise);
        }
        let mut merged = std::mem::take(&mut self.env);
        for rescue in &begin.rescues {
            // The body may have failed anywhere: what it had assigned may hold or not.
            self.env = before.clone().merge(Env { dead: false, ..merged.clone() });
            if let Some(binding) = &rescue.binding {
                // The words of an error often repeat what it did not like.
                let words = Name::from("an error's message");
                let taint = source(SourceKind::Stored, words, self.file, binding.span);
                self.assign(binding, Value::tainted(Shape::Unknown, taint));
            }
            let rescued = self.eval(&rescue.body);
            let after = std::mem::take(&mut self.env);
            if !after.dead {
                value = if merged.dead { rescued } else { value.join(&rescued) };
            }
            let both = merged.dead && after.dead;
            merged = merged.merge(after);
            merged.dead = both;
        }
        self.env = merged;
        if let Some(ensure) = &begin.ensure {
            let dead = std::mem::replace(&mut self.env.dead, false);
            self.eval(ensure);
            self.env.dead |= dead;
        }
        value
    }
}
