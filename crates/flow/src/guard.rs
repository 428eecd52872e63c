//! What a condition that holds (or does not) says about a variable: allow-lists, casts, anchored
//! patterns, comparisons.

use wardroom_ruby::ir::*;

use crate::env::Env;
use crate::eval::Eval;
use crate::knowledge::{Mark, Marks, SourceKind};
use crate::pattern::is_strict;
use crate::prefix::cleared_by_prefix;
use crate::value::{Doubt, Origin, Shape, Value};

/// Sinks at which a path without `..` does no harm: it stays below the folder in front of it.
const BELOW: Marks = Marks::of_all(&[Mark::Path, Mark::PathWrite, Mark::SendFile, Mark::Render]);

/// Sinks at which the host is what matters.
const HOST: Marks = Marks::of_all(&[Mark::Redirect, Mark::Request, Mark::Url]);

impl<'a> Eval<'_, 'a> {
    /// Takes into the environment what follows from `cond` being true or false.
    pub fn refine(&mut self, cond: &'a Node, truth: bool) {
        match &cond.kind {
            Kind::Not(inner) => self.refine(inner, !truth),
            Kind::And(sides) if truth => {
                self.refine(&sides.0, true);
                self.refine(&sides.1, true);
                self.refine_own_path(cond);
            }
            Kind::Or(sides) if !truth => {
                self.refine(&sides.0, false);
                self.refine(&sides.1, false);
            }
            Kind::Or(sides) => self.refine_either(&sides.0, &sides.1),
            Kind::Seq(nodes) => {
                if let Some(last) = nodes.last() {
                    self.refine(last, truth);
                }
            }
            Kind::Assign(assign) => self.refine(&assign.value, truth),
            Kind::Call(call) => self.refine_call(call, truth),
            Kind::Local(name) => {
                // Once: the check's own variables are not looked up again.
                if let Some(at) = self.checks.iter().position(|(n, _)| n == name) {
                    let (name, check) = self.checks.remove(at);
                    self.refine(check, truth);
                    self.checks.push((name, check));
                }
            }
            _ => {}
        }
    }

    /// `x.start_with?("/") && !x.start_with?("//")`: a path of this site.
    fn refine_own_path(&mut self, cond: &'a Node) {
        fn sides<'n>(node: &'n Node, truth: bool, out: &mut Vec<(&'n Call, bool)>) {
            match &node.kind {
                Kind::And(both) if truth => {
                    sides(&both.0, true, out);
                    sides(&both.1, true, out);
                }
                Kind::Not(inner) => sides(inner, !truth, out),
                Kind::Seq(nodes) => nodes.iter().for_each(|n| sides(n, truth, out)),
                Kind::Call(call) if matches!(call.name.as_str(), "start_with?" | "starts_with?") => {
                    out.push((call, truth));
                }
                _ => {}
            }
        }
        let mut all = Vec::new();
        sides(cond, true, &mut all);
        let with = |call: &Call, text: &str| {
            call.args.iter().any(|a| matches!(&a.kind, Kind::Str(t) if &**t == text))
        };
        for (call, _) in all.iter().filter(|(c, truth)| *truth && with(c, "/")) {
            let Some(subject) = &call.recv else { continue };
            let key = self.expression_key(subject);
            let second = all.iter().any(|(c, truth)| {
                !truth && with(c, "//") && c.recv.as_ref().is_some_and(|r| self.expression_key(r) == key)
            });
            if key.is_some() && second {
                self.clear(subject, HOST, Doubt::default());
            }
        }
    }

    /// `a || b`: each side must clear the same expression for it to hold; only the common form
    /// `x == 'a' || x == 'b'` is looked for.
    fn refine_either(&mut self, left: &'a Node, right: &'a Node) {
        let start = self.env.clone();
        self.refine(left, true);
        let first = std::mem::replace(&mut self.env, start);
        self.refine(right, true);
        let same = self.env.cleared == first.cleared
            && self.env.locals.iter().zip(&first.locals).all(|(a, b)| harmless(&a.1) == harmless(&b.1));
        if !same {
            self.env.cleared.clear();
            self.env.locals =
                first.locals.iter().zip(&self.env.locals).map(|(a, b)| (a.0, a.1.join(&b.1))).collect();
        }
    }

    fn refine_call(&mut self, call: &'a Call, truth: bool) {
        let arg = call.args.first();
        match (call.name.as_str(), &call.recv, arg) {
            // `(x =~ PATTERN).nil?`, `LIST.include?(x) == false`: the same predicate, the other way round.
            ("nil?" | "blank?" | "!", Some(recv), None) if is_test(recv) => self.refine(recv, !truth),
            ("present?", Some(recv), None) if is_test(recv) => self.refine(recv, truth),
            ("==" | "===" | "eql?" | "!=", Some(recv), Some(Node { kind: Kind::Nil | Kind::False, .. }))
                if is_test(recv) =>
            {
                self.refine(recv, (call.name == "!=") == truth);
            }
            ("==" | "===" | "eql?" | "!=", Some(recv), Some(Node { kind: Kind::True, .. }))
                if is_test(recv) =>
            {
                self.refine(recv, (call.name != "!=") == truth);
            }
            // `path.include?("..")`, `path.split("/").include?("..")`: without it the path stays below its folder.
            ("include?", Some(recv), Some(Node { kind: Kind::Str(text), .. }))
                if !truth && matches!(&**text, ".." | "../") =>
            {
                let subject = match &recv.kind {
                    Kind::Call(inner)
                        if matches!(inner.name.as_str(), "split" | "unescape" | "to_s" | "decode") =>
                    {
                        match &inner.recv {
                            Some(Node { kind: Kind::Const(_), .. }) | None => {
                                inner.args.first().unwrap_or(recv)
                            }
                            Some(subject) => subject,
                        }
                    }
                    _ => recv,
                };
                self.clear(subject, BELOW, Doubt::default());
            }
            // `url.start_with?(root_url)`, `path.start_with?("/app/")`
            // `//host` begins with a slash as well: alone it says nothing of the host.
            ("start_with?" | "starts_with?", Some(_), Some(Node { kind: Kind::Str(text), .. }))
                if truth && call.args.len() == 1 && &**text == "/" => {}
            ("start_with?" | "starts_with?", Some(recv), Some(Node { kind: Kind::Str(text), .. }))
                if !truth && &**text == "//" =>
            {
                self.clear(recv, Marks::NONE, Doubt { guarded: true, ..Doubt::default() });
            }
            ("start_with?" | "starts_with?", Some(recv), Some(_)) if truth => {
                let fixed = call.args.iter().all(|arg| match &arg.kind {
                    Kind::Call(helper) => {
                        helper.recv.is_none()
                            && (helper.name.ends_with("_url")
                                || helper.name.ends_with("_path") && helper.name != "root_path")
                    }
                    Kind::Str(text) => cleared_by_prefix(text).has(Mark::Redirect),
                    Kind::Interp(_) => self.peek_interp(arg),
                    _ => false,
                });
                let doubt = Doubt { guarded: !fixed, ..Doubt::default() };
                self.clear(recv, if fixed { HOST } else { Marks::NONE }, doubt);
            }
            ("!=" | "!~", Some(recv), Some(arg)) if !truth => {
                self.refine_comparison(if call.name == "!=" { "==" } else { "=~" }, recv, arg);
            }
            ("==" | "===" | "eql?" | "=~" | "match?" | "match" | "in?", Some(recv), Some(arg)) if truth => {
                self.refine_comparison(&call.name, recv, arg);
            }
            (
                "include?" | "member?" | "key?" | "has_key?" | "exclude?" | "has_value?" | "cover?" | "any?",
                Some(recv),
                Some(arg),
            ) => {
                let wanted = (call.name == "exclude?") != truth;
                let list = self.list_value(recv);
                if wanted && list {
                    self.clear(arg, Marks::ALL, Doubt::default());
                }
            }
            (
                "is_a?" | "kind_of?" | "instance_of?",
                Some(recv),
                Some(Node { kind: Kind::Const(path), .. }),
            ) if truth => {
                let name = path.last().map_or("", |n| n.as_str());
                if matches!(
                    name,
                    "Integer"
                        | "Fixnum"
                        | "Numeric"
                        | "Float"
                        | "TrueClass"
                        | "FalseClass"
                        | "Date"
                        | "Time"
                        | "Symbol"
                ) {
                    self.clear(recv, Marks::ALL, Doubt::default());
                }
            }
            (_, None | Some(Node { kind: Kind::SelfRef, .. }), Some(_))
                if truth && self.clear_checked(call) => {}
            (name, recv, _) if name.ends_with('?') && truth => {
                // `safe_url?(x)`, `valid_column?(x)`: something is checked; how well is not known.
                const WORDS: &[&str] = &[
                    "valid",
                    "safe",
                    "allow",
                    "permit",
                    "whitelist",
                    "trusted",
                    "known",
                    "local",
                    "internal",
                    "legal",
                    "accept",
                    "support",
                ];
                if WORDS.iter().any(|w| name.contains(w)) {
                    let doubt = Doubt { guarded: true, ..Doubt::default() };
                    for arg in &call.args {
                        self.clear(arg, Marks::NONE, doubt);
                    }
                    if let (true, Some(recv)) = (call.args.is_empty(), recv) {
                        self.clear(recv, Marks::NONE, doubt);
                    }
                }
            }
            _ => {}
        }
    }

    /// `valid_column(params[:sort])`, where that method of the application looks the value up in a
    /// list: what it is given is one of the list's if it says yes.
    fn clear_checked(&mut self, call: &'a Call) -> bool {
        let Some(id) = self.resolve_own(call.name) else { return false };
        let method = self.engine.app.index.method(id);
        let last = match &method.body.kind {
            Kind::Seq(nodes) => nodes.last(),
            _ => Some(method.body),
        };
        let Some(last) = last else { return false };
        let mut found = false;
        for (param, arg) in method.params.iter().zip(&call.args) {
            if looks_up(last, param.name, 0) {
                self.clear(arg, Marks::ALL, Doubt::default());
                found = true;
            }
        }
        found
    }

    fn refine_comparison(&mut self, operator: &str, recv: &'a Node, arg: &'a Node) {
        match operator {
            "in?" if self.list_value(arg) => {
                self.clear(recv, Marks::ALL, Doubt::default());
            }
            "=~" | "match?" | "match" | "===" if regex(recv).is_some() || regex(arg).is_some() => {
                let (pattern, subject) =
                    if regex(recv).is_some() { (regex(recv), arg) } else { (regex(arg), recv) };
                match pattern {
                    Some(pattern) if is_strict(&pattern) => self.clear(subject, Marks::ALL, Doubt::default()),
                    Some(pattern) if is_own_path(&pattern) => {
                        self.clear(subject, HOST, Doubt { guarded: true, ..Doubt::default() });
                    }
                    Some(_) => self.clear(subject, Marks::NONE, Doubt { guarded: true, ..Doubt::default() }),
                    None => {}
                }
            }
            "==" | "===" | "eql?" => {
                // `uri.host == request.host` holds to this site.
                if is_own_host(arg) {
                    self.clear(recv, Marks::ALL, Doubt::default());
                } else if is_own_host(recv) {
                    self.clear(arg, Marks::ALL, Doubt::default());
                } else if self.peek(arg).is_fixed() {
                    self.clear(recv, Marks::ALL, Doubt::default());
                } else if self.peek(recv).is_fixed() {
                    self.clear(arg, Marks::ALL, Doubt::default());
                }
            }
            _ => {}
        }
    }

    /// In an arm of a `case` on `subject`.
    pub fn refine_case(&mut self, subject: &'a Node, tests: &'a [Node]) {
        let fixed = tests.iter().all(|t| match &t.kind {
            Kind::Interp(i) if i.form == Form::Regex => regex(t).is_some_and(|p| is_strict(&p)),
            Kind::Const(path) => matches!(
                path.last().map_or("", |n| n.as_str()),
                "Integer"
                    | "Fixnum"
                    | "Float"
                    | "Numeric"
                    | "NilClass"
                    | "Symbol"
                    | "Date"
                    | "Time"
                    | "TrueClass"
                    | "FalseClass"
            ),
            Kind::Splat(inner) => self.list_value(inner),
            _ => self.peek(t).is_fixed(),
        });
        if fixed && !tests.is_empty() {
            self.clear(subject, Marks::ALL, Doubt::default());
        }
    }

    /// Whether an expression is a list that the application fixed: literals, constants, names of
    /// columns and the like.
    pub fn list_value(&mut self, node: &'a Node) -> bool {
        let value = self.peek(node);
        if value.taints.is_some() {
            // What a caller or the object itself holds, and calls by the name of a list.
            let handed = value.each_taint().iter().all(|t| !matches!(t.origin, Origin::Source(..)));
            let name = match &node.kind {
                Kind::Local(name) | Kind::Ivar(name) => name.as_str(),
                Kind::Call(call) => call.name.as_str(),
                _ => "",
            };
            const LISTS: &[&str] =
                &["allowed", "valid", "permitted", "whitelist", "available", "known", "supported", "list"];
            return handed
                && (matches!(name, "keys" | "values" | "map")
                    || name.len() > 3 && name.ends_with('s')
                    || LISTS.iter().any(|w| name.contains(w)));
        }
        match &value.shape {
            Shape::Array(items) => items.iter().all(|i| i.taints.is_none()),
            Shape::Hash(_) | Shape::Harmless | Shape::Class(_) => true,
            // A string contains many things.
            Shape::Text(_) | Shape::Params(_) | Shape::Object(..) => false,
            Shape::AnyOf(shapes) => shapes.iter().all(|s| matches!(s, Shape::Class(_))),
            // A list made by a method of the application's own.
            _ => !matches!(node.kind, Kind::Local(_)) || !self.env.locals.is_empty(),
        }
    }

    /// Evaluates without leaving a trace: no sinks, no changed variables.
    pub fn peek(&mut self, node: &'a Node) -> Value {
        match &node.kind {
            Kind::Str(_)
            | Kind::Sym(_)
            | Kind::Int(_)
            | Kind::Nil
            | Kind::True
            | Kind::False
            | Kind::Array(_)
            | Kind::Local(_)
            | Kind::Ivar(_)
            | Kind::Const(_)
            | Kind::Call(_)
            | Kind::Range(_)
            | Kind::Hash(_) => {
                let env = self.env.clone();
                let hits = self.hits.len();
                let value = self.eval(node);
                self.hits.truncate(hits);
                self.env = env;
                value
            }
            _ => Value::default(),
        }
    }

    /// `"#{root_url}/…"`, `"https://example.com/#{x}"`: text whose host the code fixes.
    fn peek_interp(&mut self, node: &'a Node) -> bool {
        let Kind::Interp(interp) = &node.kind else { return false };
        match interp.parts.as_slice() {
            [Node { kind: Kind::Str(text), .. }, ..] => cleared_by_prefix(text).has(Mark::Redirect),
            [first, Node { kind: Kind::Str(text), .. }, ..] => {
                text.starts_with('/') && self.peek(first).taints.is_none()
            }
            _ => false,
        }
    }

    /// Makes what an expression names harmless (or doubtful) from here on.
    fn clear(&mut self, node: &'a Node, marks: Marks, doubt: Doubt) {
        let change = |value: &Value| value.clone().cleared(marks).doubted(doubt);
        match &node.kind {
            Kind::Local(name) => {
                if marks == Marks::ALL {
                    // What the variable took from the request is harmless wherever it is read again.
                    let words = self.env.local(*name).into_iter().flat_map(|v| v.each_taint());
                    let keys: Vec<Name> = words
                        .filter_map(|t| match &t.origin {
                            Origin::Source(SourceKind::Params, words) => {
                                Some(Name::from(&words.replace("[:", "[")))
                            }
                            _ => None,
                        })
                        .collect();
                    if let [key] = keys.as_slice() {
                        self.env.cleared.push((*key, marks));
                    }
                }
                if let Some(value) = self.env.local(*name).map(change) {
                    // `@type = type` in front of the check: the same data.
                    if marks != Marks::NONE
                        && let Some((_, kept)) = self
                            .env
                            .ivars
                            .iter_mut()
                            .find(|(n, _)| n.strip_prefix('@') == Some(name.as_str()))
                        && kept
                            .each_taint()
                            .iter()
                            .map(|t| &t.origin)
                            .eq(value.each_taint().iter().map(|t| &t.origin))
                    {
                        *kept = change(kept);
                    }
                    Env::set(&mut self.env.locals, *name, value);
                }
            }
            Kind::Ivar(name) => {
                let value = change(&self.ivar(*name));
                Env::set(&mut self.env.ivars, *name, value);
            }
            Kind::Call(call) => {
                if let Some(key) = self.expression_key(node) {
                    let marks =
                        if doubt.guarded && marks != Marks::ALL { marks | Marks::GUARDED } else { marks };
                    if marks != Marks::NONE {
                        self.env.cleared.push((key, marks));
                    }
                    // `HOSTS.include?(uri.host)` says where the whole URL leads.
                    if marks == Marks::ALL
                        && matches!(
                            call.name.as_str(),
                            "host" | "hostname" | "domain" | "authority" | "origin" | "normalized_host"
                        )
                        && let Some(uri) = &call.recv
                        && !matches!(&uri.kind, Kind::Call(c) if c.name == "request" && c.recv.is_none())
                    {
                        self.clear(uri, HOST, doubt);
                    }
                }
                if let Some(recv) = &call.recv
                    && matches!(
                        call.name.as_str(),
                        "to_s"
                            | "to_sym"
                            | "downcase"
                            | "upcase"
                            | "strip"
                            | "to_i"
                            | "constantize"
                            | "camelize"
                            | "underscore"
                            | "presence"
                            | "chomp"
                    )
                {
                    self.clear(recv, marks, doubt);
                }
            }
            Kind::Assign(assign) => self.clear(&assign.target, marks, doubt),
            _ => {}
        }
    }

    /// The words of an expression that gives the same value each time: `params[:a][:b]`, `x.y`.
    pub fn expression_key(&self, node: &Node) -> Option<Name> {
        fn words(node: &Node, out: &mut String) -> Option<()> {
            match &node.kind {
                Kind::Local(name) | Kind::Ivar(name) => out.push_str(name),
                Kind::Call(call)
                    if matches!(call.name.as_str(), "[]" | "fetch" | "expect" | "require")
                        && call.args.len() == 1 =>
                {
                    words(call.recv.as_ref()?, out)?;
                    out.push('[');
                    match &call.args.first()?.kind {
                        Kind::Sym(name) => out.push_str(name),
                        Kind::Str(text) => out.push_str(text),
                        _ => return None,
                    }
                    out.push(']');
                }
                Kind::Call(call) if call.args.is_empty() && call.block.is_none() => {
                    if let Some(recv) = &call.recv {
                        words(recv, out)?;
                        out.push('.');
                    }
                    out.push_str(&call.name);
                }
                _ => return None,
            }
            Some(())
        }
        let mut out = String::new();
        words(node, &mut out)?;
        Some(Name::from(out.as_str()))
    }
}

/// Whether an expression is itself a test, so that asking whether it gives nothing asks for its opposite.
fn is_test(node: &Node) -> bool {
    match &node.kind {
        Kind::Call(call) => {
            matches!(call.name.as_str(), "=~" | "match" | "match?" | "!~" | "in?" | "presence_in")
                || call.name.ends_with('?') && !call.args.is_empty()
        }
        Kind::Not(inner) => is_test(inner),
        Kind::And(sides) | Kind::Or(sides) => is_test(&sides.0) && is_test(&sides.1),
        Kind::Seq(nodes) => matches!(nodes.as_slice(), [only] if is_test(only)),
        _ => false,
    }
}

/// Whether an expression can hold only where a list has the parameter in it.
fn looks_up(node: &Node, param: Name, depth: u32) -> bool {
    fn is_param(node: &Node, param: Name) -> bool {
        match &node.kind {
            Kind::Local(name) => *name == param,
            Kind::Call(call) if call.args.is_empty() => {
                call.recv.as_ref().is_some_and(|r| is_param(r, param))
            }
            _ => false,
        }
    }
    if depth > 8 {
        return false;
    }
    match &node.kind {
        Kind::And(sides) => looks_up(&sides.0, param, depth + 1) || looks_up(&sides.1, param, depth + 1),
        Kind::Call(call) => match (call.name.as_str(), &call.recv, call.args.first()) {
            ("include?" | "member?" | "key?" | "has_key?", Some(list), Some(arg)) => {
                is_param(arg, param) && !matches!(list.kind, Kind::Str(_) | Kind::Interp(_))
            }
            ("in?", Some(recv), Some(_)) => is_param(recv, param),
            _ => false,
        },
        _ => false,
    }
}

/// `request.host` and its kin: what the visitor's browser says of this site.
fn is_own_host(node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    matches!(
        call.name.as_str(),
        "host" | "host_with_port" | "domain" | "base_url" | "server_name" | "raw_host_with_port"
    ) && matches!(&call.recv, Some(Node { kind: Kind::Call(request), .. }) if request.name == "request" && request.recv.is_none())
}

fn harmless(value: &Value) -> bool {
    value.each_taint().iter().all(|t| t.cleared == Marks::ALL)
}

/// The source of a regexp literal without interpolation.
pub fn regex(node: &Node) -> Option<String> {
    let Kind::Interp(interp) = &node.kind else { return None };
    if interp.form != Form::Regex {
        return None;
    }
    match interp.parts.as_slice() {
        [Node { kind: Kind::Str(text), .. }] => Some(text.to_string()),
        [] => Some(String::new()),
        _ => None,
    }
}

/// Whether a pattern lets only a path of this site through: one slash, and no second one after it.
pub fn is_own_path(pattern: &str) -> bool {
    let Some(rest) = pattern.strip_prefix("\\A").map(|p| p.trim_start_matches('(').trim_start_matches("?:"))
    else {
        return false;
    };
    let Some(rest) = rest.strip_prefix('/').or_else(|| rest.strip_prefix("\\/")) else { return false };
    [
        "[^/", "[^\\/", "([^/", "([^\\/", "(?!/", "(?!\\/", "(?![/", "(?![\\/", "\\w", "[a-z", "[A-Z",
        "[\\w", "(?:[^/", "(\\w", "$", "\\z", "?\\z",
    ]
    .iter()
    .any(|p| rest.starts_with(p))
        || rest.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// For each group of a pattern, whether what it captures can do no harm: `(\w+)`, `([a-z0-9-]*)`.
pub fn harmless_groups(pattern: &str) -> Vec<bool> {
    let bytes = pattern.as_bytes();
    let mut groups = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'(' if bytes.get(at + 1) != Some(&b'?') || bytes.get(at + 2) == Some(&b'<') => {
                let name =
                    if bytes.get(at + 1) == Some(&b'?') { pattern[at..].find('>').unwrap_or(0) } else { 0 };
                let start = at + 1 + name;
                let end = pattern[start.min(pattern.len())..].find(')').map_or(pattern.len(), |e| start + e);
                let inner = pattern.get(start..end).unwrap_or("(");
                // A group within the group is judged with it: a parenthesis is no harmless character.
                groups
                    .push(!inner.is_empty() && !inner.contains('(') && is_strict(&format!("\\A{inner}\\z")));
            }
            _ => {}
        }
        at += 1;
    }
    groups
}

/// The names of a pattern's groups, in order: `(?<year>\d+)`.
pub fn named_groups(pattern: &str) -> Vec<Name> {
    let rest = |part: &str| {
        let (name, _) = part.split_once('>')?;
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        plain.then(|| Name::from(name))
    };
    pattern.split("(?<").skip(1).filter_map(rest).collect()
}
