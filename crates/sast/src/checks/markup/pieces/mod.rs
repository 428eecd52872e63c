//! What a piece of markup is put together from: the parts of an expression that nobody has escaped.
//!
//! The engine follows an outsider's data; this looks at one expression and asks of each part whether
//! the code shows that it is markup already, escaped, or written by the application. What is left are
//! the parts that a person has to look at: a helper's parameter, a record's text, a request's value.

mod converter;
mod names;
mod safe;
mod scope;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use wardroom_rails::{ColumnType, Habitat, MethodId};
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use super::place::cleaned_when_stored;
use crate::context::Context;
use names::{is_any_record, is_code, is_helper_call, is_option, is_translation, is_written};
pub use names::{is_fixed_name, is_rendered, is_text_name};
use scope::From;
pub use scope::Scope;

/// How far calls of the application's own helpers are followed.
const DEPTH: u8 = 4;

/// What an unescaped part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Nothing is known of it.
    Unknown,
    /// A parameter of the method: its position.
    Param(usize),
    /// Text that a record or an exception holds.
    Text,
    /// What the request says.
    Request,
}

/// One part that is not escaped.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where it stands.
    pub span: Span,
    /// The code's words for it.
    pub words: String,
    /// What it is.
    pub source: Source,
    /// The key that is read from a parameter (`options[:text]`).
    pub key: Option<Name>,
    /// A converter makes markup of it and lets tags through that the text holds.
    pub converted: bool,
}

/// Looks at expressions; keeps what it has learnt of the application's helpers.
pub struct Pieces<'c, 'x, 'a> {
    context: &'c Context<'x, 'a>,
    returns: RefCell<HashMap<MethodId, Rc<Vec<Piece>>>>,
    scopes: RefCell<HashMap<MethodId, Rc<Scope<'a>>>>,
    /// Names under which the models know each other: `seller`, `items`.
    associated: HashSet<Name>,
}

struct Look {
    depth: u8,
    /// Uses of variables that are being looked at.
    locals: HashSet<(Name, u32)>,
    /// How many more of them are looked at.
    steps: u32,
    methods: Vec<MethodId>,
}

impl<'c, 'x, 'a> Pieces<'c, 'x, 'a> {
    /// Begins to look.
    pub fn new(context: &'c Context<'x, 'a>) -> Self {
        let models = context.app.models.values();
        let associated = models
            .clone()
            .flat_map(|m| m.associations.keys().copied())
            .chain(models.map(|m| {
                Name::from(
                    wardroom_rails::underscore(m.class.rsplit("::").next().unwrap_or(&m.class)).as_str(),
                )
            }))
            .collect();
        Pieces { context, returns: RefCell::default(), scopes: RefCell::default(), associated }
    }

    /// The scope of a method, made once.
    pub fn scope(&self, id: MethodId) -> Rc<Scope<'a>> {
        if let Some(scope) = self.scopes.borrow().get(&id) {
            return Rc::clone(scope);
        }
        let scope = Rc::new(Scope::of(self.context, self.context.app.index.method(id)));
        self.scopes.borrow_mut().insert(id, Rc::clone(&scope));
        scope
    }

    /// The parts of an expression that are not escaped.
    pub fn open(&self, node: &'a Node, scope: &Scope<'a>) -> Vec<Piece> {
        let mut out = Vec::new();
        let mut look = Look { depth: 0, locals: HashSet::new(), steps: 400, methods: Vec::new() };
        self.parts(node, scope, &mut look, &mut out);
        out.sort_by(|a, b| b.source.cmp(&a.source).then(a.span.cmp(&b.span)));
        out.dedup_by(|a, b| a.words == b.words);
        out
    }

    fn piece(&self, node: &Node, scope: &Scope<'a>, source: Source, key: Option<Name>, out: &mut Vec<Piece>) {
        if out.len() < 12 {
            let words = self.context.source(scope.file, node.span);
            let words = words
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .trim_start_matches([':', ' '])
                .to_owned();
            let words = if words.chars().count() > 60 {
                format!("{}…", words.chars().take(59).collect::<String>())
            } else {
                words
            };
            out.push(Piece { span: node.span, words, source, key, converted: false });
        }
    }

    fn parts(&self, node: &'a Node, scope: &Scope<'a>, look: &mut Look, out: &mut Vec<Piece>) {
        match &node.kind {
            Kind::Interp(interp) => interp.parts.iter().for_each(|p| self.parts(p, scope, look, out)),
            Kind::Array(items) => items.iter().for_each(|p| self.parts(p, scope, look, out)),
            Kind::Seq(nodes) => {
                if let Some(last) = nodes.last() {
                    self.parts(last, scope, look, out);
                }
            }
            Kind::If(branches) => {
                // `x.html_safe? ? x : h(x)`
                if self.asks_for_safety(&branches.cond) {
                    return;
                }
                self.parts(&branches.then, scope, look, out);
                self.parts(&branches.otherwise, scope, look, out);
            }
            Kind::Or(sides) => {
                self.parts(&sides.0, scope, look, out);
                self.parts(&sides.1, scope, look, out);
            }
            Kind::And(sides) => self.parts(&sides.1, scope, look, out),
            Kind::Case(case) | Kind::Match(case) => {
                for arm in &case.arms {
                    self.parts(&arm.body, scope, look, out);
                }
                if let Some(otherwise) = &case.otherwise {
                    self.parts(otherwise, scope, look, out);
                }
            }
            Kind::Begin(begin) => self.parts(&begin.body, scope, look, out),
            Kind::Splat(inner) => self.parts(inner, scope, look, out),
            Kind::Assign(assign) => self.parts(&assign.value, scope, look, out),
            Kind::Return(Some(value)) => self.parts(value, scope, look, out),
            Kind::Local(name) => self.local(*name, node, scope, look, out),
            Kind::Ivar(_) | Kind::Cvar(_) | Kind::Gvar(_) => {
                self.piece(node, scope, Source::Unknown, None, out)
            }
            Kind::Call(call) => self.call(call, node, scope, look, out),
            Kind::Super(_) | Kind::Yield(_) => {}
            _ => {}
        }
    }

    fn local(&self, name: Name, node: &'a Node, scope: &Scope<'a>, look: &mut Look, out: &mut Vec<Piece>) {
        if look.steps == 0 || !look.locals.insert((name, node.span.start)) {
            return;
        }
        look.steps -= 1;
        let (from, given) = scope.reaching(name, node.span);
        if given && let Some(position) = scope.params.iter().position(|p| p.name == name) {
            let param = &scope.params[position];
            if param.form != ParamForm::Block {
                self.piece(node, scope, Source::Param(position), None, out);
            }
        }
        let buffer = from.iter().any(|f| matches!(f, From::Value(_)))
            && from.iter().all(|f| match f {
                From::Value(value) => self.is_markup(value, scope, 0),
                From::Added(_) => true,
                _ => false,
            });
        for from in &from {
            match from {
                // A safe buffer escapes what is put behind it.
                _ if buffer => {}
                From::Value(value) | From::Added(value) => self.parts(value, scope, look, out),
                From::Member(collection) => {
                    let before = out.len();
                    self.parts(collection, scope, look, out);
                    let found: Vec<Piece> = out.drain(before..).collect();
                    if let Some(first) = found.into_iter().max_by_key(|p| p.source) {
                        // A member of a list of records is a record: its own text is asked for by name.
                        let source = if first.source == Source::Request {
                            Source::Request
                        } else {
                            first.source.min(Source::Param(usize::MAX))
                        };
                        self.piece(node, scope, source, None, out);
                    }
                }
                From::Of | From::Unknown => self.piece(node, scope, Source::Unknown, None, out),
                From::Both => {}
            }
        }
        look.locals.remove(&(name, node.span.start));
    }

    fn call(&self, call: &'a Call, node: &'a Node, scope: &Scope<'a>, look: &mut Look, out: &mut Vec<Piece>) {
        let name = call.name.as_str();
        if let Some(text) = self.converted(call, scope) {
            let before = out.len();
            self.parts(text, scope, look, out);
            for piece in &mut out[before..] {
                piece.converted = true;
                if piece.source == Source::Unknown
                    && !starts_with_constant(text)
                    && !is_helper_call(&piece.words)
                {
                    piece.source = Source::Text;
                }
            }
            return;
        }
        if is_fixed_name(name) || self.is_builder(call, scope) {
            return;
        }
        if call.recv.is_none() && name == "params" || root_is_params(call) {
            if !matches!(last_key(call), Some("controller" | "action")) {
                self.piece(node, scope, Source::Request, None, out);
            }
            return;
        }
        if is_translation(call) {
            let html = call
                .args
                .first()
                .and_then(wardroom_rails::literal_name)
                .is_some_and(|k| k.ends_with("_html") || k.ends_with(".html"));
            if !html {
                for arg in &call.args {
                    if let Kind::Hash(pairs) = &arg.kind {
                        pairs
                            .iter()
                            .filter(|p| !is_option(&p.key))
                            .for_each(|p| self.parts(&p.value, scope, look, out));
                    }
                }
            }
            return;
        }
        let Some(recv) = &call.recv else { return self.own(call, node, scope, look, out) };
        match name {
            "+" | "<<" | "concat" | "prepend" | "append" => {
                if self.is_markup(recv, scope, 0) {
                    return;
                }
                self.parts(recv, scope, look, out);
                call.args.iter().for_each(|a| self.parts(a, scope, look, out));
            }
            "%" => {
                if self.is_markup(recv, scope, 0) {
                    return;
                }
                self.parts(recv, scope, look, out);
                for arg in &call.args {
                    match &arg.kind {
                        Kind::Hash(pairs) => {
                            pairs.iter().for_each(|p| self.parts(&p.value, scope, look, out))
                        }
                        _ => self.parts(arg, scope, look, out),
                    }
                }
            }
            "map" | "collect" | "flat_map" | "filter_map" | "each_with_index" | "each_slice" | "inject"
            | "then" | "tap" | "with_index" | "map_with_index"
                if call.block.is_some() =>
            {
                if let Some(block) = &call.block {
                    self.parts(&block.body, scope, look, out);
                }
            }
            "map" | "collect" | "flat_map" | "filter_map" => {
                if let Some(Node { kind: Kind::Sym(method), .. }) = &call.block_arg
                    && !is_fixed_name(method)
                {
                    let source = if is_text_name(method) { Source::Text } else { Source::Unknown };
                    self.piece(node, scope, source, None, out);
                } else {
                    self.parts(recv, scope, look, out);
                }
            }
            "detect" | "find"
                if call.args.is_empty() && (call.block.is_some() || call.block_arg.is_some()) =>
            {
                self.parts(recv, scope, look, out);
            }
            "to_s" | "to_str" | "strip" | "lstrip" | "rstrip" | "chomp" | "squish" | "join" | "compact"
            | "uniq" | "flatten" | "reverse" | "sort" | "presence" | "first" | "last" | "select"
            | "reject" | "capitalize" | "titleize" | "humanize" | "upcase" | "downcase" | "truncate"
            | "to_sentence" | "sub" | "gsub" | "sub!" | "gsub!" | "freeze" | "dup" | "to_a" | "sort_by"
            | "compact_blank" | "html_safe?" | "slice" | "inspect" | "force_encoding" | "delete_prefix"
            | "delete_suffix" | "center" | "ljust" | "rjust" | "indent" | "to_yaml" | "full_messages"
            | "full_messages_for" | "values" | "each" | "zip" | "tr" => {
                self.parts(recv, scope, look, out);
                if matches!(name, "sub" | "gsub" | "sub!" | "gsub!")
                    && let Some(with) = call.args.get(1)
                {
                    self.parts(with, scope, look, out);
                }
                if name == "join"
                    && let Some(with) = call.args.first()
                {
                    self.parts(with, scope, look, out);
                }
            }
            "[]" | "fetch" | "delete" | "dig" => {
                let key = call.args.first().and_then(wardroom_rails::literal_name);
                if let Kind::Local(local) = recv.kind
                    && let Some(position) = scope.params.iter().position(|p| p.name == local)
                {
                    if !key
                        .is_some_and(|k| is_fixed_name(&k) || matches!(k.as_str(), "class" | "id" | "style"))
                    {
                        self.piece(node, scope, Source::Param(position), key, out);
                    }
                    return;
                }
                if matches!(recv.kind, Kind::Const(_)) {
                    return;
                }
                self.parts(recv, scope, look, out);
            }
            "try" | "send" | "public_send" | "try!" => {
                let method = call.args.first().and_then(wardroom_rails::literal_name);
                if !method.is_some_and(|m| is_fixed_name(&m)) {
                    // `object.send(attribute)`: any of a record's attributes.
                    let any = method.is_none() && name != "try" && is_any_record(recv);
                    let source = if any || method.is_some_and(|m| is_text_name(&m)) {
                        Source::Text
                    } else {
                        Source::Unknown
                    };
                    self.piece(node, scope, source, None, out);
                }
            }
            _ => self.attribute(call, recv, node, scope, look, out),
        }
    }

    /// `thing.name`
    fn attribute(
        &self,
        call: &'a Call,
        recv: &'a Node,
        node: &'a Node,
        scope: &Scope<'a>,
        look: &mut Look,
        out: &mut Vec<Piece>,
    ) {
        let app = self.context.app;
        if matches!(recv.kind, Kind::Const(_)) {
            // A class's method: what it makes of its arguments is not known.
            if !call.args.is_empty() {
                self.piece(node, scope, Source::Unknown, None, out);
            }
            return;
        }
        // Settings, names of classes, and markup that the application keeps.
        if !call.args.is_empty()
            || call.block.is_some()
            || starts_with_constant(recv)
            || is_rendered(&call.name)
        {
            self.piece(node, scope, Source::Unknown, None, out);
            return;
        }
        if matches!(&recv.kind, Kind::Call(inner) if matches!(inner.name.as_str(), "class" | "model_name" | "arel_table"))
        {
            return;
        }
        let variable = match &recv.kind {
            Kind::Local(name) | Kind::Ivar(name) => Some(*name),
            Kind::Call(inner) => Some(inner.name),
            _ => None,
        };
        // `latest_version` is a version as well.
        let by_last_word = |v: Name| {
            let last = v.trim_start_matches('@').rsplit('_').next()?;
            app.by_name.get(&Name::from(last)).filter(|(class, _)| {
                app.models.get(class).is_some_and(|m| {
                    m.columns.contains_key(&call.name) || app.index.find(m.class, call.name).is_some()
                })
            })
        };
        if let Some((model, false)) = variable.and_then(|v| app.by_name.get(&v).or_else(|| by_last_word(v)))
            && let Some(model) = app.models.get(&model)
        {
            match model.columns.get(&call.name) {
                Some(ColumnType::String | ColumnType::Text | ColumnType::Json | ColumnType::Other)
                    if !model.enums.contains(&call.name) =>
                {
                    let kept_clean =
                        cleaned_when_stored(self.context, &format!("{}#{}", model.class, call.name))
                            .is_some();
                    let source = if kept_clean { Source::Unknown } else { Source::Text };
                    self.piece(node, scope, source, None, out);
                    return;
                }
                Some(_) => return,
                None => {}
            }
            // A method of the model that puts its own texts together.
            if look.depth < DEPTH
                && let Some(id) = app.index.find(model.class, call.name)
                && !look.methods.contains(&id)
                && self.returned(id, look).iter().any(|p| p.source == Source::Text)
            {
                self.piece(node, scope, Source::Text, None, out);
                return;
            }
        }
        let exception = call.name == "message"
            && variable.is_some_and(|v| matches!(v.as_str(), "e" | "ex" | "error" | "exception" | "err"));
        let text = is_text_name(&call.name)
            && variable.is_none_or(|v| self.may_be_record(v) || is_written(&call.name) && !is_code(v));
        let source = if exception || text { Source::Text } else { Source::Unknown };
        self.piece(node, scope, source, None, out);
    }

    /// Whether a variable's name is that of a model or of an association, or says nothing: settings,
    /// types and other objects of the code have titles as well, which no user has written.
    fn may_be_record(&self, variable: Name) -> bool {
        let app = self.context.app;
        if app.models.is_empty() || app.by_name.get(&variable).is_some() {
            return true;
        }
        let bare = variable.trim_start_matches('@');
        let bare = bare.strip_prefix("current_").or_else(|| bare.strip_prefix("new_")).unwrap_or(bare);
        let last = bare.rsplit('_').next().unwrap_or(bare);
        const ANY: &[&str] = &[
            "obj", "object", "record", "resource", "model", "entry", "item", "node", "row", "element", "it",
        ];
        bare.len() <= 2
            || ANY.contains(&last)
            || [bare.to_owned(), format!("{bare}s"), format!("{bare}es")]
                .iter()
                .any(|n| self.associated.contains(&Name::from(n.as_str())))
            // `cache` for an `open_graph_cache`
            || !bare.contains('_')
                && variable.trim_start_matches('@') == bare
                && self.associated.iter().any(|a| a.strip_suffix(bare).is_some_and(|r| r.ends_with('_')))
    }

    /// A call on `self`: one of the application's own helpers, or a word of which nothing is known.
    fn own(&self, call: &'a Call, node: &'a Node, scope: &Scope<'a>, look: &mut Look, out: &mut Vec<Piece>) {
        let app = self.context.app;
        let read = call.args.is_empty() && call.block.is_none();
        // `delegate :value, to: :ingredient`
        let handed = read && is_text_name(&call.name) && app.index.find(scope.class, call.name).is_none();
        if handed && app.index.delegate(scope.class, call.name).is_some_and(|to| self.may_be_record(to)) {
            self.piece(node, scope, Source::Text, None, out);
            return;
        }
        let Some(id) = self.resolve(call, scope) else {
            if call.bare || call.args.is_empty() {
                if call.block.is_none() {
                    // A model's own attribute.
                    let text = read
                        && !is_rendered(&call.name)
                        && app.models.get(&scope.class).is_some_and(|model| {
                            let worded = match model.columns.get(&call.name) {
                                Some(ColumnType::Text) => true,
                                Some(ColumnType::String) => is_text_name(&call.name),
                                _ => false,
                            };
                            worded
                                && !model.enums.contains(&call.name)
                                && cleaned_when_stored(
                                    self.context,
                                    &format!("{}#{}", model.class, call.name),
                                )
                                .is_none()
                        });
                    let source = if text { Source::Text } else { Source::Unknown };
                    self.piece(node, scope, source, None, out);
                }
            } else {
                call.args
                    .iter()
                    .filter(|a| !matches!(a.kind, Kind::Hash(_)))
                    .for_each(|a| self.parts(a, scope, look, out));
            }
            return;
        };
        if look.depth >= DEPTH || look.methods.contains(&id) {
            return;
        }
        for piece in self.returned(id, look).iter() {
            match piece.source {
                Source::Param(position) => {
                    if let Some(arg) =
                        argument(call, self.context.app.index.method(id).params, position, piece.key)
                    {
                        self.parts(arg, scope, look, out);
                    }
                }
                source => {
                    let source = if source == Source::Request { source } else { Source::Unknown };
                    self.piece(node, scope, source, None, out);
                }
            }
        }
    }

    /// The parts of what a method hands back that are not escaped.
    fn returned(&self, id: MethodId, look: &mut Look) -> Rc<Vec<Piece>> {
        if let Some(known) = self.returns.borrow().get(&id) {
            return Rc::clone(known);
        }
        let method = self.context.app.index.method(id);
        let scope = self.scope(id);
        let mut out = Vec::new();
        look.depth += 1;
        look.methods.push(id);
        let mut inner =
            Look { depth: look.depth, locals: HashSet::new(), steps: 400, methods: look.methods.clone() };
        self.parts(method.body, &scope, &mut inner, &mut out);
        walk::each(method.body, &mut |node| {
            if let Kind::Return(Some(value)) = &node.kind {
                self.parts(value, &scope, &mut inner, &mut out);
            }
            true
        });
        look.methods.pop();
        look.depth -= 1;
        let out = Rc::new(out);
        self.returns.borrow_mut().insert(id, Rc::clone(&out));
        out
    }

    /// The application's method that a call on `self` reaches.
    pub fn resolve(&self, call: &Call, scope: &Scope<'a>) -> Option<MethodId> {
        let app = self.context.app;
        if !scope.class.is_empty()
            && let Some(id) = app.index.find(scope.class, call.name)
        {
            return Some(id);
        }
        matches!(scope.habitat, Habitat::View | Habitat::Helper | Habitat::Mailer)
            .then(|| app.view_methods.get(&call.name).copied())
            .flatten()
    }
}

/// The argument that a parameter gets.
pub fn argument<'a>(
    call: &'a Call,
    params: &[Param],
    position: usize,
    key: Option<Name>,
) -> Option<&'a Node> {
    let param = params.get(position)?;
    let pick = |arg: &'a Node, wanted: Name| match &arg.kind {
        Kind::Hash(pairs) => {
            pairs.iter().find(|p| wardroom_rails::literal_name(&p.key) == Some(wanted)).map(|p| &p.value)
        }
        _ => None,
    };
    match param.form {
        ParamForm::Keyword => call.args.last().and_then(|a| pick(a, param.name)),
        ParamForm::Required | ParamForm::Optional => {
            let arg = call.args.get(position)?;
            match key {
                Some(key) => pick(arg, key),
                None => Some(arg),
            }
        }
        ParamForm::Rest => call.args.get(position),
        ParamForm::KeywordRest => call.args.last().and_then(|a| pick(a, key?)),
        _ => None,
    }
}

fn starts_with_constant(node: &Node) -> bool {
    let mut at = node;
    loop {
        match &at.kind {
            Kind::Const(_) => return true,
            Kind::Call(call) => match &call.recv {
                Some(recv) if call.args.is_empty() || call.name == "[]" => at = recv,
                _ => return false,
            },
            _ => return false,
        }
    }
}

fn root_is_params(call: &Call) -> bool {
    let mut at = call;
    loop {
        match &at.recv {
            Some(Node { kind: Kind::Call(inner), .. })
                if matches!(at.name.as_str(), "[]" | "fetch" | "dig" | "require" | "to_s" | "strip") =>
            {
                if inner.name == "params" && inner.recv.is_none() {
                    return true;
                }
                at = inner;
            }
            _ => return false,
        }
    }
}

fn last_key(call: &Call) -> Option<&str> {
    match &call.args.first()?.kind {
        Kind::Sym(name) => Some(name.as_str()),
        Kind::Str(text) => Some(text),
        _ => None,
    }
}
