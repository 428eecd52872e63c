//! Runs a routes file as far as it can be run on paper: variables, loops over known lists, methods
//! defined in the file, blocks. What declares routes is handed to [`super::mapper`] and its siblings.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::rc::Rc;

use wardroom_ruby::ir::{Assign, Block, Def, If, Interp, Kind, Name, Node, Op, Pair, Param, ParamForm, Span};

use super::scope::Scope;
use super::value::{Keywords, Mapper, Value, constant_text, node_text, split_arguments};
use super::{Lookup, Route, RouteFile, Settings};

/// Nested blocks and calls deeper than this are left out.
const DEPTH: u32 = 90;
/// Expressions evaluated at most, over all files.
const FUEL: u32 = 1_000_000;
/// Routes made at most.
const ROUTES: usize = 50_000;

/// A concern: the file and the block, or a class.
#[derive(Clone)]
pub(super) enum Concern<'a> {
    Block(usize, &'a Block),
    Object(String),
}

pub(super) struct Reader<'a> {
    pub files: &'a [RouteFile<'a>],
    pub settings: &'a Settings<'a>,
    pub(super) lookup: Option<Lookup<'a>>,
    pub routes: Vec<Route>,
    pub problems: Vec<(u32, Span, String)>,
    /// Index into `files` of the code being run.
    pub file: usize,
    /// The call being run.
    pub span: Span,
    pub scope: Scope<'a>,
    pub concerns: HashMap<String, Concern<'a>>,
    /// Names given so far, with the engine they belong to.
    pub names: HashSet<(Option<Rc<str>>, String)>,
    /// Files that `draw` or a draw block has read.
    pub drawn: Vec<bool>,
    pub(super) variables: Vec<HashMap<Name, Value<'a>>>,
    pub(super) constants: HashMap<String, Value<'a>>,
    pub(super) methods: HashMap<Name, (usize, &'a Def)>,
    /// Methods of the file being run, innermost last, for `super`.
    pub(super) running: Vec<Name>,
    /// Whether a draw block is open.
    pub(super) inside: bool,
    pub(super) depth: u32,
    pub(super) fuel: u32,
}

impl<'a> Reader<'a> {
    pub fn new(files: &'a [RouteFile<'a>], settings: &'a Settings<'a>, lookup: Option<Lookup<'a>>) -> Self {
        Reader {
            files,
            settings,
            lookup,
            routes: Vec::new(),
            problems: Vec::new(),
            file: 0,
            span: Span::default(),
            scope: Scope::default(),
            concerns: HashMap::new(),
            names: HashSet::new(),
            drawn: vec![false; files.len()],
            variables: vec![HashMap::new()],
            constants: HashMap::new(),
            methods: HashMap::new(),
            running: Vec::new(),
            inside: false,
            depth: 0,
            fuel: FUEL,
        }
    }

    pub fn problem(&mut self, span: Span, message: impl Into<String>) {
        if self.problems.len() < 1000 {
            self.problems.push((self.files[self.file].index, span, message.into()));
        }
    }

    pub fn push(&mut self, route: Route) {
        if self.routes.len() < ROUTES {
            self.routes.push(route);
            if self.routes.len() == ROUTES {
                self.problem(self.span, "too many routes: the rest is left out");
            }
        }
    }

    /// Runs `body` in a changed scope and puts the old one back.
    pub fn within(&mut self, change: impl FnOnce(&mut Scope<'a>), body: impl FnOnce(&mut Self)) {
        let mut inner = self.scope.clone();
        change(&mut inner);
        let outer = mem::replace(&mut self.scope, inner);
        body(self);
        self.scope = outer;
    }

    /// Runs the whole of a file: outside a draw block, or (for parts) as if inside one.
    pub fn run_file(&mut self, at: usize, inside: bool) {
        self.drawn[at] = true;
        let file = mem::replace(&mut self.file, at);
        let was = mem::replace(&mut self.inside, inside);
        let span = self.span;
        self.variables.push(HashMap::new());
        let body = self.files[at].body;
        self.eval(body);
        self.variables.pop();
        self.span = span;
        self.inside = was;
        self.file = file;
    }

    /// Runs a block with its parameters bound.
    pub fn run(&mut self, block: &'a Block, arguments: Vec<Value<'a>>) -> Value<'a> {
        self.variables.push(HashMap::new());
        self.bind(&block.params, arguments);
        let value = self.eval(&block.body);
        self.variables.pop();
        value
    }

    pub(super) fn bind(&mut self, params: &'a [Param], arguments: Vec<Value<'a>>) {
        let keywords = params.iter().any(|p| matches!(p.form, ParamForm::Keyword | ParamForm::KeywordRest));
        let (positional, given) =
            if keywords { split_arguments(arguments) } else { (arguments, Keywords::default()) };
        // A list given to a block with several parameters is spread over them.
        let plain =
            params.iter().filter(|p| matches!(p.form, ParamForm::Required | ParamForm::Optional)).count();
        let positional = match <[Value<'a>; 1]>::try_from(positional) {
            Ok([Value::List(items)]) if plain > 1 => items,
            Ok([one]) => vec![one],
            Err(many) => many,
        };
        let mut positional = positional.into_iter();
        for param in params {
            let value = match param.form {
                ParamForm::Required | ParamForm::Optional => positional.next(),
                ParamForm::Rest => Some(Value::List(positional.by_ref().collect())),
                ParamForm::Keyword => given.get(&param.name).cloned(),
                ParamForm::KeywordRest => Some(Value::Map(given.0.clone())),
                ParamForm::Block | ParamForm::Forward => None,
            };
            let value = match (value, &param.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.eval(default),
                (None, None) => Value::Unknown(param.name.to_string()),
            };
            if let (Value::List(items), false) = (&value, param.inner.is_empty()) {
                for (target, item) in param.inner.iter().zip(items.clone()) {
                    self.assign(target, item);
                }
            }
            self.set(param.name, value);
        }
    }

    pub(super) fn set(&mut self, name: Name, value: Value<'a>) {
        let frame = self.variables.iter_mut().rev().find(|f| f.contains_key(&name));
        if let Some(frame) = frame {
            frame.insert(name, value);
        } else if let Some(frame) = self.variables.last_mut() {
            frame.insert(name, value);
        }
    }

    pub(super) fn variable(&self, name: Name) -> Option<&Value<'a>> {
        self.variables.iter().rev().find_map(|f| f.get(&name))
    }

    /// What a node comes to; declares routes on the way.
    pub fn eval(&mut self, node: &'a Node) -> Value<'a> {
        if self.fuel == 0 || self.depth >= DEPTH {
            if self.fuel > 0 {
                self.problem(node.span, "nested too deeply: left out");
            }
            return Value::Unknown("…".to_owned());
        }
        self.spend(node, 1);
        self.depth += 1;
        let value = self.eval_kind(node);
        self.depth -= 1;
        // A value that is put together from copies of itself doubles with every line.
        self.spend(node, value.size() / 4);
        value
    }

    fn spend(&mut self, node: &Node, fuel: usize) {
        if self.fuel > 0 {
            self.fuel = self.fuel.saturating_sub(u32::try_from(fuel).unwrap_or(u32::MAX));
            if self.fuel == 0 {
                self.problem(node.span, "too much to evaluate: the rest is left out");
            }
        }
    }

    fn eval_kind(&mut self, node: &'a Node) -> Value<'a> {
        match &node.kind {
            Kind::Nil => Value::Nil,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::SelfRef => self.own_mapper(),
            Kind::Int(n) => Value::Int(*n),
            Kind::Str(s) => Value::str(&**s),
            Kind::Sym(s) => Value::sym(s.as_str()),
            Kind::Interp(interp) => self.interpolate(interp),
            Kind::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    match &item.kind {
                        Kind::Splat(inner) => match self.eval(inner) {
                            Value::List(more) => list.extend(more),
                            other => list.push(other),
                        },
                        _ => list.push(self.eval(item)),
                    }
                }
                Value::List(list)
            }
            Kind::Hash(pairs) => self.hash(pairs),
            Kind::Range(range) => match (self.eval(&range.0), self.eval(&range.1)) {
                (Value::Int(a), Value::Int(b)) if b.saturating_sub(a) <= 100 => {
                    Value::List((a..=b).map(Value::Int).collect())
                }
                _ => Value::Unknown(node_text(node, 3)),
            },
            Kind::Local(name) | Kind::Ivar(name) | Kind::Cvar(name) | Kind::Gvar(name) => {
                self.variable(*name).cloned().unwrap_or_else(|| Value::Unknown(name.to_string()))
            }
            Kind::Const(path) => self.constant(&constant_text(path)),
            Kind::Call(call) => self.call(node, call),
            Kind::Super(call) => {
                let arguments = self.arguments(call);
                match self.running.last().copied() {
                    Some(name) => self.declare(node.span, name, arguments, call.block.as_ref()),
                    None => Value::Nil,
                }
            }
            Kind::Assign(assign) => self.assignment(assign),
            Kind::MultiAssign(multi) => {
                let value = self.eval(&multi.value);
                if let Value::List(items) = &value {
                    for (target, item) in multi.targets.iter().zip(items.clone()) {
                        self.assign(target, item);
                    }
                }
                value
            }
            Kind::And(pair) => {
                let left = self.eval(&pair.0);
                if left.truthy() == Some(false) { left } else { self.eval(&pair.1) }
            }
            Kind::Or(pair) => match self.eval(&pair.0) {
                // An unknown setting with a known fallback: the fallback is the better guess.
                left if left.truthy() == Some(true) => left,
                left => match self.eval(&pair.1) {
                    Value::Unknown(_) | Value::Nil => left,
                    right => right,
                },
            },
            Kind::Not(inner) => match self.eval(inner).truthy() {
                Some(known) => Value::Bool(!known),
                None => Value::Unknown(node_text(node, 3)),
            },
            Kind::If(branch) => self.branch(branch),
            Kind::Case(case) | Kind::Match(case) => {
                if let Some(subject) = &case.subject {
                    self.eval(subject);
                }
                let mut value = Value::Nil;
                for arm in &case.arms {
                    value = self.eval(&arm.body);
                }
                if let Some(body) = &case.otherwise {
                    self.eval(body);
                }
                value
            }
            Kind::Loop(lap) => {
                match &lap.each {
                    Some((target, list)) => {
                        let list = self.eval(list);
                        for item in elements(&list) {
                            self.assign(target, item);
                            self.eval(&lap.body);
                        }
                    }
                    None => drop(self.eval(&lap.body)),
                }
                Value::Nil
            }
            Kind::Begin(begin) => {
                let value = self.eval(&begin.body);
                for part in [&begin.otherwise, &begin.ensure].into_iter().flatten() {
                    self.eval(part);
                }
                value
            }
            Kind::Seq(nodes) => {
                let mut value = Value::Nil;
                for node in nodes {
                    value = self.eval(node);
                }
                value
            }
            Kind::Return(Some(inner)) | Kind::Next(Some(inner)) | Kind::Break(Some(inner)) => {
                self.eval(inner)
            }
            Kind::Lambda(block) => Value::Lambda(Some(block)),
            Kind::Def(def) => {
                self.methods.insert(def.name, (self.file, def));
                Value::sym(def.name.as_str())
            }
            Kind::Module(module) => {
                self.eval(&module.body);
                Value::Nil
            }
            Kind::Splat(inner) => self.eval(inner),
            _ => Value::Unknown(node_text(node, 3)),
        }
    }

    /// `self` as a value, with what `with_options` added.
    pub fn own_mapper(&self) -> Value<'a> {
        Value::Mapper(Box::new(Mapper { classic: false, with: self.scope.with.clone() }))
    }

    fn constant(&mut self, name: &str) -> Value<'a> {
        let last = name.rsplit("::").next().unwrap_or(name);
        if let Some(value) = self.constants.get(name).or_else(|| self.constants.get(last)) {
            return value.clone();
        }
        match self.elsewhere(name) {
            Some(value) if !matches!(value, Value::Unknown(_)) => value,
            _ => Value::Constant(name.to_owned()),
        }
    }

    /// The value of a constant or class method that another file defines.
    pub(super) fn elsewhere(&mut self, name: &str) -> Option<Value<'a>> {
        let node = self.lookup.and_then(|lookup| lookup(name))?;
        let inside = mem::replace(&mut self.inside, false);
        let value = self.eval(node);
        self.inside = inside;
        Some(value)
    }

    fn interpolate(&mut self, interp: &'a Interp) -> Value<'a> {
        use wardroom_ruby::ir::Form;
        if interp.form == Form::Regex {
            return Value::Pattern;
        }
        let mut text = String::new();
        for part in &interp.parts {
            let value = self.eval(part);
            match value.word() {
                Some(word) => text.push_str(&word),
                None => {
                    if !matches!(value, Value::Nil) {
                        text.push_str(&format!("{{{}}}", value.text()));
                    }
                }
            }
        }
        match interp.form {
            Form::Str => Value::Str(text),
            Form::Sym => Value::Sym(text),
            _ => Value::Unknown(text),
        }
    }

    fn hash(&mut self, pairs: &'a [Pair]) -> Value<'a> {
        let mut map = Vec::with_capacity(pairs.len());
        for pair in pairs {
            if let Kind::DoubleSplat(inner) = &pair.key.kind {
                if let Value::Map(more) = self.eval(inner) {
                    map.extend(more);
                }
                continue;
            }
            let key = self.eval(&pair.key);
            let value = self.eval(&pair.value);
            map.push((key, value));
        }
        Value::Map(map)
    }

    fn assignment(&mut self, assign: &'a Assign) -> Value<'a> {
        let value = self.eval(&assign.value);
        match assign.op {
            None | Some(Op::Or) => {}
            Some(Op::Call(op)) if matches!(op.as_str(), "+" | "<<") => {
                let old = self.eval(&assign.target);
                let value = match (old, value) {
                    (Value::List(mut items), Value::List(more)) => {
                        items.extend(more);
                        Value::List(items)
                    }
                    (Value::List(mut items), one) => {
                        items.push(one);
                        Value::List(items)
                    }
                    (Value::Str(a), Value::Str(b)) => Value::Str(a + &b),
                    (_, other) => other,
                };
                self.assign(&assign.target, value.clone());
                return value;
            }
            Some(_) => return value,
        }
        self.assign(&assign.target, value.clone());
        value
    }

    pub(super) fn assign(&mut self, target: &'a Node, value: Value<'a>) {
        match &target.kind {
            Kind::Local(name) | Kind::Ivar(name) | Kind::Cvar(name) | Kind::Gvar(name) => {
                self.set(*name, value)
            }
            Kind::Const(path) => {
                self.constants.insert(constant_text(path), value);
            }
            Kind::Array(targets) => {
                if let Value::List(items) = value {
                    for (target, item) in targets.iter().zip(items) {
                        self.assign(target, item);
                    }
                }
            }
            _ => {}
        }
    }

    fn branch(&mut self, branch: &'a If) -> Value<'a> {
        let environment = environment(&branch.cond, 8);
        let known = self.eval(&branch.cond).truthy();
        // Methods and settings differ from place to place: both branches count, unless the file
        // itself says which (a variable, a method's parameter).
        if let (Some(known), None) = (known, environment) {
            return self.eval(if known { &branch.then } else { &branch.otherwise });
        }
        let before = self.scope.development;
        self.scope.development = before || environment == Some(true);
        let then = self.eval(&branch.then);
        self.scope.development = before || environment == Some(false);
        let otherwise = self.eval(&branch.otherwise);
        self.scope.development = before;
        if matches!(then, Value::Nil | Value::Unknown(_)) { otherwise } else { then }
    }
}

/// The elements that a loop goes over; for an unknown list one unknown element.
pub(super) fn elements<'a>(list: &Value<'a>) -> Vec<Value<'a>> {
    match list {
        Value::List(items) => items.clone(),
        Value::Map(pairs) => pairs.iter().map(|(k, v)| Value::List(vec![k.clone(), v.clone()])).collect(),
        Value::Int(n) => (0..(*n).clamp(0, 100)).map(Value::Int).collect(),
        other => vec![Value::Unknown(other.text())],
    }
}

/// Whether a condition asks for the environment: `Some(true)` where it holds only outside
/// production, `Some(false)` where it holds only in production.
fn environment(cond: &Node, depth: u32) -> Option<bool> {
    if depth == 0 {
        return None;
    }
    let is_env = |node: &Node| match &node.kind {
        Kind::Call(c) => {
            c.name == "env"
                && c.recv.as_ref().is_some_and(
                    |r| matches!(&r.kind, Kind::Const(p) if p.last().is_some_and(|n| n == "Rails")),
                )
        }
        Kind::Const(p) => p.last().is_some_and(|n| n == "RAILS_ENV"),
        _ => false,
    };
    match &cond.kind {
        Kind::Call(call) => {
            let recv = call.recv.as_ref()?;
            match call.name.as_str() {
                "development?" | "test?" | "local?" if is_env(recv) => Some(true),
                "production?" if is_env(recv) => Some(false),
                "==" | "!=" if is_env(recv) => {
                    let Kind::Str(word) = &call.args.first()?.kind else { return None };
                    Some((&**word != "production") == (call.name == "=="))
                }
                "include?" if call.args.first().is_some_and(is_env) => match &recv.kind {
                    Kind::Array(items) => {
                        Some(!items.iter().any(|i| matches!(&i.kind, Kind::Str(s) if &**s == "production")))
                    }
                    _ => None,
                },
                "in?" if is_env(recv) => Some(true),
                _ => None,
            }
        }
        Kind::Not(inner) => environment(inner, depth - 1).map(|e| !e),
        Kind::And(pair) => environment(&pair.0, depth - 1).or_else(|| environment(&pair.1, depth - 1)),
        Kind::Or(pair) => match (environment(&pair.0, depth - 1), environment(&pair.1, depth - 1)) {
            (Some(a), Some(b)) if a == b => Some(a),
            _ => None,
        },
        _ => None,
    }
}
