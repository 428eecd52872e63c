//! The application's own methods: which one a call reaches, and what its summary means here.

use std::rc::Rc;

use wardroom_rails::{Habitat, MethodId};
use wardroom_ruby::ir::*;

use crate::engine::{Binding, Unit};
use crate::env::Env;
use crate::eval::Eval;
use crate::knowledge::{Mark, Marks};
use crate::path::What;
use crate::value::{Doubt, Origin, Shape, Value, join_taints, joined, map_taints};

/// Methods of one name that a call on something unknown may mean; where there are more, none is taken.
const MAX_GUESSES: usize = 3;

impl<'a> Eval<'_, 'a> {
    /// The method of the application that a call reaches.
    pub(crate) fn resolve(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
    ) -> Option<MethodId> {
        let app = self.engine.app;
        let name = match call.name.as_str() {
            "send" | "public_send" | "__send__" | "try" | "try!" => Name::from(args.first()?.as_text()?),
            _ => call.name,
        };
        let own = match (&call.recv, recv) {
            (None | Some(Node { kind: Kind::SelfRef, .. }), _) => true,
            (Some(Node { kind: Kind::Call(inner), .. }), _) => {
                // `helpers.x`, `view_context.x`, `self.class.x`
                inner.recv.is_none()
                    && matches!(
                        inner.name.as_str(),
                        "helpers" | "view_context" | "helper" | "h" | "controller"
                    )
            }
            _ => false,
        };
        if own {
            return self.resolve_own(name);
        }
        match &recv?.shape {
            Shape::Class(class) => {
                app.index.find_singleton(*class, name).or_else(|| self.resolve_later(*class, name))
            }
            Shape::Object(class, _) => app.index.find(*class, name),
            Shape::Relation(class) => app.index.find_singleton(*class, name),
            _ => None,
        }
    }

    /// `SomeJob.perform_later(x)`, `SomeMailer.welcome(x)`: a call on the class that runs a method of
    /// an object.
    pub(crate) fn resolve_later(&self, class: Name, name: Name) -> Option<MethodId> {
        let app = self.engine.app;
        let file = app.index.class(class)?.places.first()?.0;
        match name.as_str() {
            "perform_later" | "perform_async" | "perform_now" | "perform_in" | "perform_at"
            | "perform_inline" | "perform_bulk" | "enqueue" => app.index.find(class, Name::from("perform")),
            _ if app.habitat(class, file) == Habitat::Mailer => app.index.find(class, name),
            _ => None,
        }
    }

    pub fn resolve_own(&self, name: Name) -> Option<MethodId> {
        let app = self.engine.app;
        let found = if self.singleton {
            app.index.find_singleton(self.class, name)
        } else {
            app.index.find(self.class, name)
        };
        if found.is_some() {
            return found;
        }
        if matches!(self.unit, Unit::Body(_)) && !self.class.is_empty() {
            // A block in a class body mostly runs on an object (Grape's and Sinatra's routes).
            let found = app.index.find(self.class, name);
            if found.is_some() {
                return found;
            }
        }
        if matches!(self.habitat, Habitat::View | Habitat::Helper | Habitat::Mailer)
            && let Some(id) = app.view_methods.get(&name)
        {
            return Some(*id);
        }
        for includer in app.includers(self.class).iter().take(4) {
            let found = if self.singleton {
                app.index.find_singleton(*includer, name)
            } else {
                app.index.find(*includer, name)
            };
            if found.is_some() {
                return found;
            }
        }
        app.index.class(Name::from(""))?.methods.get(&name).copied()
    }

    /// A method that `attr_reader`, `attr_accessor` or `delegate` made.
    pub(crate) fn plain_attribute(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Option<Value> {
        let app = self.engine.app;
        let own = matches!(call.recv, None | Some(Node { kind: Kind::SelfRef, .. }));
        if own && !self.singleton && !self.class.is_empty() {
            let name = call.name.as_str();
            if let (Some(base), Some(value)) = (name.strip_suffix('='), args.last()) {
                if app.index.has_attribute(self.class, Name::from(base)) {
                    Env::set(&mut self.env.ivars, Name::from(&format!("@{base}")), value.clone());
                    return Some(value.clone());
                }
                return None;
            }
            if args.is_empty() && app.index.has_attribute(self.class, call.name) {
                return Some(self.ivar(Name::from(&format!("@{name}"))));
            }
            let to = app.index.delegate(self.class, call.name)?;
            let target = match app.index.find(self.class, to) {
                _ if to.starts_with('@') => self.ivar(to),
                Some(id) => {
                    let summary = self.enter(Unit::Method(id), &[]);
                    let ivars = self.env.ivars.clone();
                    let step = self.step(span, What::Passed(to, Name::from("")));
                    Binding { app, args: &[], ivars: &ivars, own: true, step }.value(&summary.result, None)
                }
                None if app.index.has_attribute(self.class, to) => self.ivar(Name::from(&format!("@{to}"))),
                None => {
                    let class = self.model_of_self()?;
                    let association = app.models.get(&class)?.associations.get(&to)?;
                    Value::object(association.class)
                }
            };
            return self.record_call(&target, call, span, args);
        }
        match &recv?.shape {
            Shape::Object(class, Some(ivars))
                if args.is_empty() && app.index.has_attribute(*class, call.name) =>
            {
                let name = Name::from(&format!("@{}", call.name));
                Some(ivars.iter().find(|(n, _)| *n == name).map_or_else(Value::default, |(_, v)| v.clone()))
            }
            _ => None,
        }
    }

    /// The callee's parameters in its own order.
    pub(crate) fn bind(&self, id: MethodId, args: &[Value]) -> Vec<Value> {
        let params = self.engine.app.index.method(id).params;
        let takes_keywords =
            params.iter().any(|p| matches!(p.form, ParamForm::Keyword | ParamForm::KeywordRest));
        let (positional, keywords): (&[Value], Option<&Value>) = match args.split_last() {
            Some((last, rest)) if takes_keywords && matches!(last.shape, Shape::Hash(_)) => {
                (rest, Some(last))
            }
            _ => (args, None),
        };
        let after_rest = params
            .iter()
            .skip_while(|p| p.form != ParamForm::Rest)
            .filter(|p| p.form == ParamForm::Required)
            .count();
        let mut out = Vec::with_capacity(params.len());
        let mut next = 0;
        for param in params {
            let value = match param.form {
                ParamForm::Required | ParamForm::Optional => {
                    next += 1;
                    positional.get(next - 1).cloned().unwrap_or_else(|| absent(param))
                }
                ParamForm::Rest | ParamForm::Forward => {
                    let end = positional.len().saturating_sub(after_rest).max(next.min(positional.len()));
                    let items = positional[next.min(positional.len())..end].to_vec();
                    next = end;
                    Value::shaped(Shape::Array(Rc::new(items)))
                }
                ParamForm::Keyword => match keywords {
                    Some(hash) => match hash.key(&param.name) {
                        Some(value) => value.clone(),
                        None => match &hash.shape {
                            // `**options` may hold it.
                            Shape::Hash(pairs) => pairs
                                .iter()
                                .find(|(k, _)| k.is_none())
                                .map_or_else(|| absent(param), |(_, v)| read(v, &param.name)),
                            _ => absent(param),
                        },
                    },
                    None => absent(param),
                },
                ParamForm::KeywordRest => match keywords {
                    Some(Value { shape: Shape::Hash(pairs), taints }) => {
                        let rest = pairs.iter().filter(|(k, _)| {
                            !params.iter().any(|p| Some(p.name) == *k && p.form == ParamForm::Keyword)
                        });
                        Value { shape: Shape::Hash(Rc::new(rest.cloned().collect())), taints: taints.clone() }
                    }
                    _ => Value::shaped(Shape::Hash(Rc::default())),
                },
                ParamForm::Block => Value::default(),
            };
            out.push(value);
        }
        out
    }

    /// Notes a call and fetches the callee's summary.
    pub(crate) fn enter(&mut self, unit: Unit, args: &[Value]) -> Rc<crate::summary::Summary> {
        self.engine.callers.entry(unit).or_default().insert(self.unit);
        for (i, arg) in args.iter().enumerate() {
            let seen = self.engine.seen.entry((unit, i as u16)).or_default();
            seen.calls += 1;
            seen.open +=
                u32::from(!arg.is_fixed() && arg.each_taint().iter().all(|t| t.cleared != Marks::ALL));
        }
        self.engine.summary(unit)
    }

    pub(crate) fn instantiate(&mut self, hits: &[crate::summary::Hit], binding: &Binding<'_>) {
        let mut taints = Vec::new();
        for hit in hits {
            if matches!(hit.site.mark, Mark::Render | Mark::Redirect)
                && let Origin::Param(index, None) = hit.taint.origin
                && binding.args.get(usize::from(index)).is_some_and(|arg| self.finds_its_own_place(arg))
            {
                continue;
            }
            // Only a hash of parameters sets attributes that nobody named.
            if hit.site.mark == Mark::MassAssign
                && let Origin::Param(index, _) = hit.taint.origin
                && binding.args.get(usize::from(index)).is_none_or(|arg| !assigns(arg))
            {
                continue;
            }
            taints.clear();
            binding.taints(&hit.taint, &mut taints);
            for taint in taints.drain(..) {
                let hit = crate::summary::Hit { site: hit.site, taint };
                self.engine.record(self.unit, hit, &mut self.hits, false);
            }
        }
    }

    pub(crate) fn apply(
        &mut self,
        id: MethodId,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Value {
        let method = self.engine.app.index.method(id);
        // `send(:name, a)` hands on what follows the name.
        let dynamic = matches!(call.name.as_str(), "send" | "public_send" | "__send__" | "try" | "try!")
            && call.name != method.name;
        let delayed = matches!(call.name.as_str(), "perform_in" | "perform_at");
        let args = if dynamic || delayed { args.get(1..).unwrap_or_default() } else { args };
        let args = self.bind(id, args);
        let unit = Unit::Method(id);
        let summary = self.enter(unit, &args);
        let own = matches!(call.recv, None | Some(Node { kind: Kind::SelfRef, .. }));
        self.engine.held_to(unit, if own { &self.env.cleared } else { &[] });
        let known: Vec<(Name, Value)> = match recv.map(|r| &r.shape) {
            _ if own => self.env.ivars.clone(),
            Some(Shape::Object(_, Some(ivars))) => ivars.to_vec(),
            _ => Vec::new(),
        };
        let step = self.step(span, What::Passed(method.name, Name::from("")));
        let binding = Binding { app: self.engine.app, args: &args, ivars: &known, own, step };
        self.instantiate(&summary.hits, &binding);
        let returned = self.step(span, What::Returned(method.name));
        let mut value = binding.value(&summary.result, Some(returned));
        if own && !self.singleton {
            for (name, written) in &summary.ivars {
                let written = binding.value(written, None);
                let merged = match self.env.ivars.iter().find(|(n, _)| n == name) {
                    Some((_, old)) if written.taints.is_none() => old.join(&written),
                    Some((_, old)) => {
                        Value { shape: written.shape.clone(), taints: joined(&written.taints, &old.taints) }
                    }
                    None => written,
                };
                Env::set(&mut self.env.ivars, *name, merged);
            }
        }
        let yields: Vec<Value> = summary.yields.iter().map(|v| binding.value(v, None)).collect();
        let block_value = self.run_block(call, recv, Some(&yields));
        // A method on a relation or model whose value is not known is mostly a scope.
        if matches!(value.shape, Shape::Unknown | Shape::Harmless) && method.singleton {
            match recv.map(|r| &r.shape) {
                Some(Shape::Relation(class)) if value.taints.is_none() => {
                    value.shape = Shape::Relation(*class)
                }
                _ => {}
            }
        }
        if let Some(block_value) = block_value
            && value.taints.is_none()
            && matches!(value.shape, Shape::Unknown)
            && summary.calls_block
        {
            join_taints(&mut value.taints, &block_value.taints);
        }
        value
    }

    pub fn super_call(&mut self, call: &'a Call, node: &'a Node) -> Value {
        let Unit::Method(current) = self.unit else { return Value::default() };
        let all = matches!(call.args.as_slice(), [Node { kind: Kind::Splat(inner), .. }] if matches!(inner.kind, Kind::Nil));
        let args: Vec<Value> =
            if all { self.param_values.clone() } else { call.args.iter().map(|a| self.eval(a)).collect() };
        let method = self.engine.app.index.method(current);
        let (owner, name, singleton) = (method.owner, method.name, method.singleton);
        let found = if singleton { None } else { self.engine.app.index.find_super(self.class, owner, name) };
        match found {
            Some(id) if id != current => self.apply(id, call, None, &args, node.span),
            _ => {
                self.run_block(call, None, None);
                let mut value = Value::default();
                for arg in &args {
                    join_taints(&mut value.taints, &arg.taints);
                }
                if matches!(self.habitat, Habitat::Helper) {
                    value = value.cleared(Marks::of(Mark::Html));
                }
                value
            }
        }
    }

    /// An unresolved call on something unknown, with data in it: the method of that name, where the
    /// application has one, or the few of classes that stand in for each other.
    pub(crate) fn guess(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Option<Value> {
        let app = self.engine.app;
        let unknown = match recv {
            Some(recv) => matches!(recv.shape, Shape::Unknown) && call.recv.is_some(),
            None => false,
        };
        let tainted = args.iter().any(|a| a.deep_taints().is_some());
        if !unknown
            || !tainted
            || call.name.len() < 5
            || self.engine.knowledge.carries.contains_key(&call.name)
        {
            return None;
        }
        let fits = |id: &MethodId| {
            let method = app.index.method(*id);
            !method.singleton && !method.params.is_empty() && method.params.len() >= args.len()
        };
        let all = app.index.by_name.get(&call.name)?.as_slice();
        if all.len() > MAX_GUESSES || !all.iter().all(fits) {
            return None;
        }
        let doubt = Doubt { guessed: true, ..Doubt::default() };
        let args: Vec<Value> = args.iter().map(|a| a.clone().doubted(doubt)).collect();
        let values = all.iter().map(|id| self.apply(*id, call, recv, &args, span));
        values.collect::<Vec<_>>().into_iter().reduce(|a, b| a.join(&b))
    }
}

/// Whether an argument is a hash of the request's parameters, or the caller's own parameter as it came.
fn assigns(arg: &Value) -> bool {
    match &arg.shape {
        Shape::Params(_) => true,
        Shape::Unknown => {
            arg.each_taint().iter().all(|t| matches!(t.origin, Origin::Param(_, None)) && t.path.is_empty())
        }
        _ => false,
    }
}

/// One key of what may hold others too.
fn read(value: &Value, key: &str) -> Value {
    if !matches!(value.shape, Shape::Unknown) {
        return value.clone();
    }
    let taints = map_taints(&value.taints, |t| t.origin = t.origin.read(key));
    Value { shape: Shape::Unknown, taints }
}

/// What a parameter holds that the caller leaves out.
fn absent(param: &Param) -> Value {
    match &param.default {
        Some(_) => Value::harmless(),
        None => Value::default(),
    }
}
