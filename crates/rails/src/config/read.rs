//! Walking one settings file: which calls and assignments are settings, under which key, and under
//! which condition.

use std::collections::BTreeMap;

use wardroom_ruby::ir::{Assign, Block, Call, Kind, Name, Node, Op, Param, Span};

use super::value::{self, Literals, SettingValue};
use super::{Change, Config, Middleware, Setting, Stage, cors, csp};
use crate::inflect::underscore;

/// How deep statements may nest.
const DEPTH: u32 = 48;

/// The largest value that a variable is remembered with: `b = [a, a]; c = [b, b] …` must stay small.
const REMEMBERED: usize = 512;

/// The environments that a question about `Rails.env` is tried with, production first.
const ENVIRONMENTS: [&str; 4] = ["production", "development", "test", "staging"];

/// Under which conditions a statement runs.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    /// The only environment in which it runs.
    pub environment: Option<String>,
    /// Whether an undecided condition stands over it.
    pub conditional: bool,
    /// When it runs.
    pub stage: Stage,
}

/// Reads one file into the settings.
pub(super) fn read_file(
    config: &mut Config,
    file: u32,
    stage: Stage,
    environment: Option<&str>,
    root: &Node,
) {
    let environment = environment.map(str::to_owned);
    let literals = Literals { names: BTreeMap::new(), environment: environment.clone() };
    let mut reader = Reader { config, file, literals, bound: Vec::new(), own: None };
    reader.statement(root, &Conditions { environment, conditional: false, stage }, 0);
}

struct Reader<'a> {
    config: &'a mut Config,
    file: u32,
    literals: Literals,
    /// Local variables that stand for a stretch of the settings: name → dotted path.
    bound: Vec<(Name, String)>,
    /// What `self` and bare calls set, inside `Foo.configure do … end` and `on_load`.
    own: Option<String>,
}

impl Reader<'_> {
    fn statement(&mut self, node: &Node, at: &Conditions, depth: u32) {
        if depth > DEPTH {
            return;
        }
        match &node.kind {
            Kind::Seq(nodes) => nodes.iter().for_each(|n| self.statement(n, at, depth + 1)),
            Kind::Module(module) => self.statement(&module.body, at, depth + 1),
            Kind::If(branch) => {
                let (then, otherwise) = branches(&self.literals, &branch.cond, at);
                if let Some(then) = then {
                    self.statement(&branch.then, &then, depth + 1);
                }
                if let Some(otherwise) = otherwise {
                    self.statement(&branch.otherwise, &otherwise, depth + 1);
                }
            }
            Kind::Case(case) => {
                let by_environment = case.subject.as_ref().is_some_and(value::is_environment);
                for arm in &case.arms {
                    let named = match arm.tests.as_slice() {
                        [test] if by_environment => value::text(test),
                        _ => None,
                    };
                    let inner = match (named, &at.environment) {
                        (Some(name), Some(fixed)) if name != fixed => continue,
                        (Some(name), _) => Conditions { environment: Some(name.to_owned()), ..at.clone() },
                        (None, _) => Conditions { conditional: true, ..at.clone() },
                    };
                    self.statement(&arm.body, &inner, depth + 1);
                }
                if let Some(otherwise) = &case.otherwise {
                    let inner = Conditions { conditional: true, ..at.clone() };
                    self.statement(otherwise, &inner, depth + 1);
                }
            }
            Kind::Begin(begin) => {
                self.statement(&begin.body, at, depth + 1);
                let rescued = Conditions { conditional: true, ..at.clone() };
                begin.rescues.iter().for_each(|r| self.statement(&r.body, &rescued, depth + 1));
                for rest in [&begin.otherwise, &begin.ensure].into_iter().flatten() {
                    self.statement(rest, at, depth + 1);
                }
            }
            Kind::Loop(repeat) => {
                let inner = Conditions { conditional: true, ..at.clone() };
                self.statement(&repeat.body, &inner, depth + 1);
            }
            Kind::And(sides) => {
                if let (Some(then), _) = branches(&self.literals, &sides.0, at) {
                    self.statement(&sides.1, &then, depth + 1);
                }
            }
            Kind::Or(sides) => {
                if let (_, Some(otherwise)) = branches(&self.literals, &sides.0, at) {
                    self.statement(&sides.1, &otherwise, depth + 1);
                }
            }
            Kind::Assign(assign) => self.assign(node.span, assign, at),
            Kind::Call(call) => self.call(node.span, call, at, depth),
            _ => {}
        }
    }

    fn assign(&mut self, span: Span, assign: &Assign, at: &Conditions) {
        match (&assign.target.kind, assign.op) {
            (Kind::Local(name), None) => {
                if let Some(key) = self.key_of(&assign.value).filter(|_| is_chain(&assign.value)) {
                    self.bound.push((*name, key));
                    return;
                }
                let value = self.literals.of(&assign.value);
                self.remember(*name, value, at);
            }
            (Kind::Local(name), Some(Op::Or)) => {
                let value = self.literals.of(&assign.value);
                if !self.literals.names.contains_key(name) {
                    self.remember(*name, value, at);
                }
            }
            (Kind::Local(name), Some(_)) => {
                self.literals.names.remove(name);
            }
            (Kind::Const(path), op) => {
                let value = self.literals.of(&assign.value);
                if let ([name], None) = (path.as_ref(), op) {
                    self.remember(*name, value.clone(), at);
                }
                self.record(value::join_path(path), value, change_of(op), at, span);
            }
            (Kind::Call(target), op) => {
                if let Some(key) = self.key_of_call(target) {
                    let value = self.literals.of(&assign.value);
                    self.record(key, value, change_of(op), at, span);
                }
            }
            _ => {}
        }
    }

    /// Keeps a variable's value; under an undecided condition it is no longer known.
    fn remember(&mut self, name: Name, value: SettingValue, at: &Conditions) {
        let value = match value.weight() {
            0..=REMEMBERED => value,
            _ => SettingValue::Expr(Span::default()),
        };
        let other_place =
            at.conditional || at.environment.as_deref().is_some_and(|e| e != self.environment());
        let settled = matches!(self.literals.names.get(&name), None | Some(SettingValue::Expr(_)));
        if other_place && !settled {
            if at.conditional {
                self.literals.names.remove(&name);
            }
        } else {
            self.literals.names.insert(name, value);
        }
    }

    fn environment(&self) -> &str {
        self.literals.environment.as_deref().unwrap_or("production")
    }

    fn call(&mut self, span: Span, call: &Call, at: &Conditions, depth: u32) {
        let name = call.name.as_str();
        let Some(recv) = &call.recv else {
            self.bare_call(span, call, at, depth);
            return;
        };
        // `list << x` on a variable of the file.
        if let (Kind::Local(local), "<<" | "push" | "concat") = (&recv.kind, name) {
            let added: Vec<_> = call.args.iter().map(|a| self.literals.of(a)).collect();
            if let Some(SettingValue::List(items)) = self.literals.names.get_mut(local) {
                let weight = |values: &[SettingValue]| values.iter().map(SettingValue::weight).sum::<usize>();
                if weight(items) + weight(&added) <= REMEMBERED {
                    added.iter().for_each(|a| items.extend(a.items().iter().cloned()));
                }
                return;
            }
        }
        let Some(key) = self.key_of(recv) else {
            // Not a setting itself, but a block may hold some: `[…].each do |x| config.y << x end`.
            if let Some(block) = &call.block {
                self.block(block, at, depth);
            }
            return;
        };
        let from_constant = matches!(recv.kind, Kind::Const(_));
        if key == "middleware" || key == "app_middleware" {
            self.middleware(span, call, at);
            return;
        }
        if from_constant && self.configure_block(&key, recv, call, at, depth) {
            return;
        }
        if name == "content_security_policy" && call.block.is_some() {
            let policy = csp::from_block(call, self.file, span, &self.literals, at);
            self.config.policies.extend(policy);
            return;
        }
        if matches!(name, "after_initialize" | "to_prepare") {
            if let Some(block) = &call.block {
                self.block(block, &Conditions { stage: Stage::Late, ..at.clone() }, depth);
            }
            return;
        }
        if let Some(target) = name.strip_suffix('=').filter(|t| !t.is_empty() && is_word(t)) {
            if let Some(value) = call.args.last().map(|v| self.literals.of(v)) {
                self.record(join(&key, target), value, Change::Set, at, span);
            }
            return;
        }
        let change = match name {
            "[]=" => {
                if let [index, .., value] = call.args.as_slice()
                    && let Some(index) = value::text(index)
                {
                    let value = self.literals.of(value);
                    self.record(join(&key, index), value, Change::Set, at, span);
                }
                return;
            }
            "<<" | "push" | "append" | "unshift" | "prepend" | "concat" | "merge!" | "update"
            | "deep_merge!" | "reverse_merge!" | "insert"
                if !call.args.is_empty() =>
            {
                Change::Add
            }
            "delete" | "except!" | "delete_if" | "reject!" | "without" => Change::Remove,
            "clear" if call.args.is_empty() => Change::Clear,
            _ => Change::Set,
        };
        if change != Change::Set {
            // Registers of code (`Foo.instance.delete(x)`) are not settings: only paths are.
            if !key.is_empty() && !from_constant {
                let value = match call.args.as_slice() {
                    [] => SettingValue::Nil,
                    [one] => self.literals.of(one),
                    several => SettingValue::List(several.iter().map(|a| self.literals.of(a)).collect()),
                };
                self.record(key, value, change, at, span);
            }
            return;
        }
        if let (Some(block), true) = (&call.block, call.args.is_empty()) {
            if let Some(param) = first_param(block) {
                // `config.generators do |g| … end`
                let depth_before = self.bound.len();
                self.bound.push((param, join(&key, name)));
                self.statement(&block.body, at, depth + 1);
                self.bound.truncate(depth_before);
                return;
            }
            // `Rails.application.configure do` sets nothing itself.
            if !(key.is_empty() && name == "configure") {
                self.record(join(&key, name), SettingValue::Expr(block.span), Change::Set, at, span);
            }
            self.block(block, at, depth);
            return;
        }
        if !call.args.is_empty() && is_word(name) {
            let value = self.command_value(call);
            self.record(join(&key, name), value, Change::Set, at, span);
        }
        if let Some(block) = &call.block {
            self.block(block, at, depth);
        }
    }

    /// A call without receiver: `initializer "x" do |app|`, and the words of `Foo.configure do`.
    fn bare_call(&mut self, span: Span, call: &Call, at: &Conditions, depth: u32) {
        if let Some(own) = self.own.clone() {
            if !call.args.is_empty() || call.block.is_none() {
                let value = if call.args.is_empty() && call.block.is_none() {
                    SettingValue::Bool(true)
                } else {
                    self.command_value(call)
                };
                self.record(join(&own, &call.name), value, Change::Set, at, span);
            } else if let Some(block) = &call.block {
                self.record(join(&own, &call.name), SettingValue::Expr(block.span), Change::Set, at, span);
            }
            return;
        }
        if let Some(block) = &call.block {
            let late = matches!(call.name.as_str(), "after_initialize" | "to_prepare");
            let stage = if late { Stage::Late } else { at.stage };
            self.block(block, &Conditions { stage, ..at.clone() }, depth);
        }
    }

    /// `Devise.setup do |config|`, `Doorkeeper.configure do`, `ActiveSupport.on_load(:x) do`,
    /// `Rails::Initializer.run do |config|`. Returns whether the call was one of them.
    fn configure_block(&mut self, key: &str, recv: &Node, call: &Call, at: &Conditions, depth: u32) -> bool {
        let Some(block) = &call.block else { return false };
        let class = value::const_path(recv).unwrap_or_default();
        if class == "ActiveSupport" && call.name == "on_load" {
            let target = call.args.first().and_then(value::text).unwrap_or_default();
            let target = target.trim_end_matches("_base").trim_end_matches("_api");
            let before = self.own.replace(target.to_owned());
            self.statement(&block.body, at, depth + 1);
            self.own = before;
            return true;
        }
        let to_rails = key.is_empty();
        if to_rails || !call.args.is_empty() {
            return to_rails && {
                self.block(block, at, depth);
                true
            };
        }
        let bound_before = self.bound.len();
        let own_before = self.own.take();
        match first_param(block) {
            Some(param) => self.bound.push((param, key.to_owned())),
            None => self.own = Some(key.to_owned()),
        }
        self.statement(&block.body, at, depth + 1);
        self.bound.truncate(bound_before);
        self.own = own_before;
        true
    }

    fn block(&mut self, block: &Block, at: &Conditions, depth: u32) {
        let own = self.own.take();
        let before = self.bound.len();
        // `Foo::Application.configure do |config|`, `Rails::Initializer.run do |config|`.
        if let Some(param) = first_param(block).filter(|p| p == "config") {
            self.bound.push((param, String::new()));
        }
        self.statement(&block.body, at, depth + 1);
        self.bound.truncate(before);
        self.own = own;
    }

    fn middleware(&mut self, span: Span, call: &Call, at: &Conditions) {
        let arguments: Vec<_> = call.args.iter().map(|a| self.literals.of(a)).collect();
        let cors_here = arguments.iter().filter_map(SettingValue::as_text).any(|t| t.ends_with("Rack::Cors"));
        if let (true, Some(block)) = (cors_here, &call.block) {
            cors::from_block(&mut self.config.cors, block, self.file, &self.literals, at);
        }
        self.config.middleware.push(Middleware {
            operation: call.name.to_string(),
            arguments,
            environment: at.environment.clone(),
            conditional: at.conditional,
            file: self.file,
            span,
        });
    }

    fn command_value(&self, call: &Call) -> SettingValue {
        match call.args.as_slice() {
            [one] => match self.literals.of(one) {
                SettingValue::List(items) if matches!(one.kind, Kind::Splat(_)) => SettingValue::List(items),
                other => other,
            },
            several => SettingValue::List(several.iter().map(|a| self.literals.of(a)).collect()),
        }
    }

    fn record(&mut self, key: String, value: SettingValue, change: Change, at: &Conditions, span: Span) {
        // Rails 2 had it on the controller.
        let key = match key.as_str() {
            "action_controller.consider_all_requests_local" => "consider_all_requests_local".to_owned(),
            _ => key,
        };
        self.config.settings.push(Setting {
            key,
            value,
            change,
            environment: at.environment.clone(),
            conditional: at.conditional,
            stage: at.stage,
            file: self.file,
            span,
        });
    }

    /// The dotted path that a receiver stands for; empty for the application's settings themselves.
    fn key_of(&self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Local(name) => {
                let bound = self.bound.iter().rev().find(|(n, _)| n == name).map(|(_, key)| key.clone());
                bound.or_else(|| (name == "config").then(String::new))
            }
            Kind::SelfRef => self.own.clone(),
            Kind::Const(path) => Some(class_key(&value::join_path(path))),
            Kind::Call(call) => self.key_of_call(call),
            _ => None,
        }
    }

    fn key_of_call(&self, call: &Call) -> Option<String> {
        let name = call.name.as_str();
        let Some(recv) = &call.recv else {
            return (matches!(name, "config" | "configuration") && call.args.is_empty()).then(String::new);
        };
        match name {
            "config" | "configuration" if call.args.is_empty() => match &recv.kind {
                // `app.config` in `initializer "x" do |app|`.
                Kind::Local(_) | Kind::SelfRef => Some(String::new()),
                Kind::Call(inner) if inner.recv.is_none() && inner.name != "config" => Some(String::new()),
                Kind::Const(path) => {
                    let class = value::join_path(path);
                    let key = class_key(&class);
                    Some(if class == "Rails" || key.is_empty() { String::new() } else { key })
                }
                _ => self.key_of(recv),
            },
            // `Rails.application`, `Foo::Application.instance`, `ActionCable.server`
            "application" | "instance" | "server" if matches!(recv.kind, Kind::Const(_)) => {
                let class = value::const_path(recv)?;
                Some(if class == "Rails" { String::new() } else { class_key(&class) })
            }
            "[]" => {
                let index = value::text(call.args.first()?)?;
                Some(join(&self.key_of(recv)?, index))
            }
            _ if call.args.is_empty() && call.block.is_none() && is_word(name) => {
                Some(join(&self.key_of(recv)?, name))
            }
            _ => None,
        }
    }
}

/// The conditions under which the two branches of a condition run; `None` for a branch that never
/// does.
pub(super) fn branches(
    literals: &Literals,
    cond: &Node,
    at: &Conditions,
) -> (Option<Conditions>, Option<Conditions>) {
    let undecided = || Some(Conditions { conditional: true, ..at.clone() });
    if let Some(fixed) = &at.environment {
        return match literals.truth(cond, fixed) {
            Some(true) => (Some(at.clone()), None),
            Some(false) => (None, Some(at.clone())),
            None => (undecided(), undecided()),
        };
    }
    let known: Vec<_> = ENVIRONMENTS.iter().map(|e| (*e, literals.truth(cond, e))).collect();
    let branch = |wanted: bool| {
        let possible: Vec<_> = known.iter().filter(|(_, truth)| *truth != Some(!wanted)).collect();
        let conditional = at.conditional || possible.iter().any(|(_, truth)| truth.is_none());
        let environment = match possible.as_slice() {
            [] => return None,
            // It holds in production and at least one other: no one environment's own.
            [("production", _), _, ..] => None,
            [(only, _), ..] => Some((*only).to_owned()),
        };
        Some(Conditions { environment, conditional, stage: at.stage })
    };
    match (branch(true), branch(false)) {
        // A question about an environment of another name (`Rails.env.demo?`).
        (None, Some(otherwise)) if !matches!(cond.kind, Kind::False | Kind::Nil) => {
            (Some(Conditions { environment: Some("other".to_owned()), ..at.clone() }), Some(otherwise))
        }
        both => both,
    }
}

fn change_of(op: Option<Op>) -> Change {
    match op {
        None => Change::Set,
        Some(Op::Or) => Change::SetIfUnset,
        Some(Op::And) => Change::Set,
        Some(Op::Call(name)) if name == "-" => Change::Remove,
        Some(Op::Call(_)) => Change::Add,
    }
}

/// `ActionController::Base` → `action_controller`; a framework's base class and the framework
/// itself share their settings' key. Applications are the root.
fn class_key(class: &str) -> String {
    if class == "Rails"
        || class == "Rails::Initializer"
        || class.ends_with("Application") && !class.contains("Record")
    {
        return String::new();
    }
    let base = class.strip_suffix("::Base").unwrap_or(class);
    let base = match base {
        "ActiveSupport::JSON" | "ActiveSupport::JSON::Encoding" => "ActiveSupport",
        "ActionDispatch::Cookies" | "ActionDispatch::Http::Parameters" => "ActionDispatch",
        "ActionController::RequestForgeryProtection" | "ActionController::Parameters" => "ActionController",
        "SecureHeaders::Configuration" => "SecureHeaders",
        other => other,
    };
    underscore(base)
}

fn join(key: &str, name: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }
}

/// A method's name that is no operator.
fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Whether a node is a chain of readers from the settings: `config.action_mailer`.
fn is_chain(node: &Node) -> bool {
    match &node.kind {
        Kind::Call(call) => {
            call.args.is_empty()
                && call.block.is_none()
                && match &call.recv {
                    Some(recv) => is_chain(recv) || value::const_path(recv).is_some_and(|p| p == "Rails"),
                    None => matches!(call.name.as_str(), "config" | "configuration"),
                }
        }
        Kind::Local(name) => name == "config",
        _ => false,
    }
}

fn first_param(block: &Block) -> Option<Name> {
    match block.params.as_slice() {
        [Param { name, .. }, ..] if !name.is_empty() => Some(*name),
        _ => None,
    }
}
