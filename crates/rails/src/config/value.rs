//! Reading literal values out of the tree: what a setting is set to, as far as it is written down.

use std::collections::BTreeMap;

use serde::Serialize;
use wardroom_ruby::ir::{Call, Form, Kind, Name, Node, Span};

/// How deep a literal may nest before it is taken as an expression.
const DEPTH: u32 = 24;

/// What a setting is set to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum SettingValue {
    /// `nil`
    Nil,
    /// `true`, `false`, and a question about `Rails.env` that the place answers.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Str(String),
    /// A symbol, without its colon.
    Sym(String),
    /// A constant: `ActionDispatch::Cookies`.
    Const(String),
    /// A list; a splat's unknown items are one `Expr`.
    List(Vec<SettingValue>),
    /// A hash with names for keys; pairs with other keys are left out.
    Hash(Vec<(String, SettingValue)>),
    /// `ENV["NAME"]` or `ENV.fetch("NAME", default)`.
    Env {
        /// The variable.
        name: String,
        /// What stands in for it.
        default: Option<Box<SettingValue>>,
    },
    /// Anything else: where it stands.
    Expr(Span),
}

impl SettingValue {
    /// The value of a node that stands alone.
    pub fn of(node: &Node) -> SettingValue {
        Literals::default().of(node)
    }

    /// `true` or `false`, also through `ENV.fetch(…, true)`'s default; `nil` is false.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            SettingValue::Bool(value) => Some(*value),
            SettingValue::Nil => Some(false),
            _ => None,
        }
    }

    /// A string's, symbol's or constant's text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            SettingValue::Str(text) | SettingValue::Sym(text) | SettingValue::Const(text) => Some(text),
            _ => None,
        }
    }

    /// The value under a name of a hash.
    pub fn get(&self, key: &str) -> Option<&SettingValue> {
        match self {
            SettingValue::Hash(pairs) => pairs.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// A list's items; any other value is a list of itself, `nil` an empty one.
    pub fn items(&self) -> &[SettingValue] {
        match self {
            SettingValue::List(items) => items,
            SettingValue::Nil => &[],
            other => std::slice::from_ref(other),
        }
    }

    /// How large the value is, in rough units of one literal each.
    pub(super) fn weight(&self) -> usize {
        match self {
            SettingValue::Str(text) => 1 + text.len() / 16,
            SettingValue::List(items) => 1 + items.iter().map(SettingValue::weight).sum::<usize>(),
            SettingValue::Hash(pairs) => 1 + pairs.iter().map(|(_, v)| 1 + v.weight()).sum::<usize>(),
            SettingValue::Env { default: Some(default), .. } => 1 + default.weight(),
            _ => 1,
        }
    }

    /// Whether the value is written down in full: nothing in it is an expression or `ENV`.
    pub fn is_literal(&self) -> bool {
        match self {
            SettingValue::Env { .. } | SettingValue::Expr(_) => false,
            SettingValue::List(items) => items.iter().all(SettingValue::is_literal),
            SettingValue::Hash(pairs) => pairs.iter().all(|(_, v)| v.is_literal()),
            _ => true,
        }
    }
}

/// Reads values where a file's local variables and constants are known and questions about the
/// environment have an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Literals {
    /// Local variables and constants, by name.
    pub names: BTreeMap<Name, SettingValue>,
    /// The environment that `Rails.env.x?` is answered for; production where none is set.
    pub environment: Option<String>,
}

impl Literals {
    /// The value of a node.
    pub(super) fn of(&self, node: &Node) -> SettingValue {
        self.at(node, 0)
    }

    fn at(&self, node: &Node, depth: u32) -> SettingValue {
        let expression = SettingValue::Expr(node.span);
        if depth > DEPTH {
            return expression;
        }
        match &node.kind {
            Kind::Nil => SettingValue::Nil,
            Kind::True => SettingValue::Bool(true),
            Kind::False => SettingValue::Bool(false),
            Kind::Int(number) => SettingValue::Int(*number),
            Kind::Float(number) => SettingValue::Float(*number),
            Kind::Str(text) => SettingValue::Str(text.to_string()),
            Kind::Sym(name) => SettingValue::Sym(name.to_string()),
            Kind::Local(name) => self.names.get(name).cloned().unwrap_or(expression),
            Kind::Const(path) => match path.as_ref() {
                [name] if self.names.contains_key(name) => self.names[name].clone(),
                _ => SettingValue::Const(join_path(path)),
            },
            Kind::Interp(interp) if interp.form == Form::Str => {
                let mut text = String::new();
                for part in &interp.parts {
                    match self.at(part, depth + 1) {
                        SettingValue::Str(part) | SettingValue::Sym(part) => text.push_str(&part),
                        SettingValue::Int(number) => text.push_str(&number.to_string()),
                        _ => return expression,
                    }
                }
                SettingValue::Str(text)
            }
            Kind::Seq(nodes) if nodes.len() == 1 => self.at(&nodes[0], depth + 1),
            Kind::Array(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    match &item.kind {
                        Kind::Splat(inner) => match self.at(inner, depth + 1) {
                            SettingValue::List(inner) => out.extend(inner),
                            other => out.push(other),
                        },
                        _ => out.push(self.at(item, depth + 1)),
                    }
                }
                SettingValue::List(out)
            }
            Kind::Hash(pairs) => {
                let mut out = Vec::with_capacity(pairs.len());
                for pair in pairs {
                    match &pair.key.kind {
                        Kind::DoubleSplat(inner) => {
                            if let SettingValue::Hash(inner) = self.at(inner, depth + 1) {
                                out.extend(inner);
                            }
                        }
                        _ => {
                            if let Some(key) = text(&pair.key) {
                                out.push((key.to_owned(), self.at(&pair.value, depth + 1)));
                            }
                        }
                    }
                }
                SettingValue::Hash(out)
            }
            Kind::If(branch) => match self.truth(&branch.cond, self.environment()) {
                Some(true) => self.at(&branch.then, depth + 1),
                Some(false) => self.at(&branch.otherwise, depth + 1),
                None => expression,
            },
            Kind::Not(_) | Kind::And(_) => {
                self.truth(node, self.environment()).map_or(expression, SettingValue::Bool)
            }
            Kind::Or(sides) => match (self.truth(node, self.environment()), self.at(&sides.0, depth + 1)) {
                (Some(known), _) => SettingValue::Bool(known),
                (None, SettingValue::Env { name, default: None }) => {
                    SettingValue::Env { name, default: Some(Box::new(self.at(&sides.1, depth + 1))) }
                }
                _ => expression,
            },
            Kind::Call(call) => self.call(node, call, depth),
            _ => expression,
        }
    }

    fn call(&self, node: &Node, call: &Call, depth: u32) -> SettingValue {
        let expression = SettingValue::Expr(node.span);
        let Some(recv) = &call.recv else { return expression };
        if let Kind::Const(path) = &recv.kind
            && path.last().is_some_and(|n| n == "ENV")
            && matches!(call.name.as_str(), "[]" | "fetch")
            && let Some(name) = call.args.first().and_then(text)
        {
            let default = match call.args.get(1) {
                Some(default) => Some(self.at(default, depth + 1)),
                None => call.block.as_ref().map(|block| self.at(&block.body, depth + 1)),
            };
            return SettingValue::Env { name: name.to_owned(), default: default.map(Box::new) };
        }
        if let Some(known) = self.truth(node, self.environment()) {
            return SettingValue::Bool(known);
        }
        match call.name.as_str() {
            "freeze" | "dup" | "to_s" | "to_sym" | "html_safe" | "strip" | "squish" | "compact"
            | "flatten" | "uniq" | "to_a"
                if call.args.is_empty() =>
            {
                match self.at(recv, depth + 1) {
                    SettingValue::Expr(_) => expression,
                    known => known,
                }
            }
            // `%w(a b) + [c]`, `{…}.merge(…)`: what is known of both sides.
            "+" | "|" | "merge" | "concat" if call.args.len() == 1 => {
                match (self.at(recv, depth + 1), self.at(&call.args[0], depth + 1)) {
                    (SettingValue::List(mut a), SettingValue::List(b)) => {
                        a.extend(b);
                        SettingValue::List(a)
                    }
                    (SettingValue::List(mut a), other @ SettingValue::Expr(_)) => {
                        a.push(other);
                        SettingValue::List(a)
                    }
                    (SettingValue::Hash(mut a), SettingValue::Hash(b)) => {
                        a.extend(b);
                        SettingValue::Hash(a)
                    }
                    (SettingValue::Str(a), SettingValue::Str(b)) => SettingValue::Str(a + &b),
                    _ => expression,
                }
            }
            // Durations: `30.minutes` in seconds.
            unit if call.args.is_empty() => match (self.at(recv, depth + 1), seconds(unit)) {
                (SettingValue::Int(number), Some(unit)) => SettingValue::Int(number.saturating_mul(unit)),
                _ => expression,
            },
            _ => expression,
        }
    }

    fn environment(&self) -> &str {
        self.environment.as_deref().unwrap_or("production")
    }

    /// Whether a condition holds in an environment; `None` where it asks about anything else.
    pub(super) fn truth(&self, cond: &Node, environment: &str) -> Option<bool> {
        truth(cond, environment, 0)
    }
}

fn truth(cond: &Node, environment: &str, depth: u32) -> Option<bool> {
    if depth > DEPTH {
        return None;
    }
    match &cond.kind {
        Kind::True => Some(true),
        Kind::False | Kind::Nil => Some(false),
        Kind::Not(inner) => truth(inner, environment, depth + 1).map(|known| !known),
        Kind::Seq(nodes) if nodes.len() == 1 => truth(&nodes[0], environment, depth + 1),
        Kind::And(sides) => {
            match (truth(&sides.0, environment, depth + 1), truth(&sides.1, environment, depth + 1)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }
        }
        Kind::Or(sides) => {
            match (truth(&sides.0, environment, depth + 1), truth(&sides.1, environment, depth + 1)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            }
        }
        Kind::Call(call) => {
            let recv = call.recv.as_ref()?;
            let name = call.name.as_str();
            if let Some(asked) = name.strip_suffix('?')
                && call.args.is_empty()
                && is_environment(recv)
            {
                return match asked {
                    "local" => Some(matches!(environment, "development" | "test")),
                    "nil" | "blank" | "empty" => Some(false),
                    "present" => Some(true),
                    _ => Some(asked == environment),
                };
            }
            let other = call.args.first()?;
            match name {
                "==" | "eql?" if is_environment(recv) => Some(text(other)? == environment),
                "==" if is_environment(other) => Some(text(recv)? == environment),
                "!=" if is_environment(recv) => Some(text(other)? != environment),
                "include?" if is_environment(other) => Some(listed(std::slice::from_ref(recv), environment)?),
                "in?" | "one_of?" if is_environment(recv) => Some(listed(&call.args, environment)?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a literal list of names holds the environment.
fn listed(nodes: &[Node], environment: &str) -> Option<bool> {
    let mut found = false;
    for node in nodes {
        let items = match &node.kind {
            Kind::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for item in items {
            found |= text(item)? == environment;
        }
    }
    Some(found)
}

/// `Rails.env`, `RAILS_ENV`, `ENV["RAILS_ENV"]`, and these as a symbol or string.
pub(super) fn is_environment(node: &Node) -> bool {
    match &node.kind {
        Kind::Const(path) => path.last().is_some_and(|n| n == "RAILS_ENV"),
        Kind::Call(call) => {
            let Some(recv) = &call.recv else { return false };
            match call.name.as_str() {
                "env" => const_path(recv).is_some_and(|p| p == "Rails"),
                "to_sym" | "to_s" => is_environment(recv),
                "[]" | "fetch" => {
                    const_path(recv).is_some_and(|p| p == "ENV")
                        && matches!(call.args.first().and_then(text), Some("RAILS_ENV" | "RACK_ENV"))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

fn seconds(unit: &str) -> Option<i64> {
    Some(match unit {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        "week" | "weeks" => 604_800,
        "fortnight" | "fortnights" => 1_209_600,
        "month" | "months" => 2_629_746,
        "year" | "years" => 31_556_952,
        "byte" | "bytes" => 1,
        "kilobyte" | "kilobytes" => 1 << 10,
        "megabyte" | "megabytes" => 1 << 20,
        "gigabyte" | "gigabytes" => 1 << 30,
        "to_i" => 1,
        _ => return None,
    })
}

/// A string's or symbol's text.
pub(crate) fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Str(text) => Some(text),
        Kind::Sym(name) => Some(name.as_str()),
        Kind::Call(call) if call.name == "freeze" => call.recv.as_ref().and_then(text),
        _ => None,
    }
}

/// The value under a key of a hash node.
pub(crate) fn option<'a>(hash: &'a Node, key: &str) -> Option<&'a Node> {
    match &hash.kind {
        Kind::Hash(pairs) => pairs.iter().find(|p| text(&p.key) == Some(key)).map(|p| &p.value),
        _ => None,
    }
}

/// `A::B` without a leading `::`.
pub(crate) fn const_path(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Const(path) => Some(join_path(path)),
        _ => None,
    }
}

/// A constant's names as they are written, without a leading `::`.
pub(crate) fn join_path(path: &[Name]) -> String {
    path.iter().filter(|n| !n.is_empty()).map(|n| n.as_str()).collect::<Vec<_>>().join("::")
}

/// Whether the node is a bare name: a local variable or a call without receiver and arguments.
pub(crate) fn is_name(node: &Node, name: &str) -> bool {
    match &node.kind {
        Kind::Local(local) => local == name,
        Kind::Call(call) => call.recv.is_none() && call.name == name && call.args.is_empty(),
        _ => false,
    }
}

/// Calls `f` for every call below the node.
pub(crate) fn each_call<'a>(root: &'a Node, f: &mut impl FnMut(Span, &'a Call)) {
    each(root, &mut |node| {
        if let Kind::Call(call) = &node.kind {
            f(node.span, call);
        }
    });
}

/// Calls `f` for the node and everything below it.
pub(crate) fn each<'a>(root: &'a Node, f: &mut impl FnMut(&'a Node)) {
    wardroom_ruby::walk::each(root, &mut |node| {
        f(node);
        true
    });
}
