//! What a piece of markup is put together from: the parts of an expression that nobody has escaped.
//!
//! The engine follows an outsider's data; this looks at one expression and asks of each part whether
//! the code shows that it is markup already, escaped, or written by the application. What is left are
//! the parts that a person has to look at: a helper's parameter, a record's text, a request's value.
//!
//! Longer than other files, because the one classification of expressions stands together.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use wardroom_rails::{ColumnType, FileId, Habitat, Method, MethodId};
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use crate::context::Context;

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

/// A method or template: its variables and where they come from.
pub struct Scope<'a> {
    /// Its file.
    pub file: FileId,
    /// The class around it.
    pub class: Name,
    /// Its parameters.
    pub params: &'a [Param],
    habitat: Habitat,
    locals: HashMap<Name, Vec<Entry<'a>>>,
}

#[derive(Clone, Copy)]
enum From<'a> {
    /// `name = value`
    Value(&'a Node),
    /// `name << value`, `name += value`
    Added(&'a Node),
    /// A block's parameter: a member of what the block's call is made on.
    Member(&'a Node),
    /// A parameter of a block that no value was called with.
    Of,
    /// Something else.
    Unknown,
    /// Nothing of its own: both branches of a condition have given it a value.
    Both,
}

/// One thing that gives a variable its value.
#[derive(Clone, Copy)]
struct Entry<'a> {
    from: From<'a>,
    span: Span,
    /// The branch, loop or block in which it stands: whatever runs there later comes after it.
    region: Span,
    /// The outermost loop or block around it: what stands behind may have run before.
    repeated: Option<Span>,
    /// It takes the place of what the variable held.
    replaces: bool,
}

/// How deep a body is looked through for assignments.
const NESTED: u32 = 200;

fn within(inner: Span, outer: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

impl<'a> Scope<'a> {
    /// The scope of a body.
    pub fn new(
        context: &Context<'_, 'a>,
        file: FileId,
        class: Name,
        params: &'a [Param],
        body: &'a Node,
    ) -> Self {
        let habitat = context.app.habitat(class, file);
        let mut scope = Scope { file, class, params, habitat, locals: HashMap::new() };
        scope.collect(body, Span { start: 0, end: u32::MAX }, None, 0);
        scope
    }

    /// The scope of a method.
    pub fn of(context: &Context<'_, 'a>, method: &Method<'a>) -> Self {
        Scope::new(context, method.file, method.owner, method.params, method.body)
    }

    fn collect(&mut self, node: &'a Node, region: Span, repeated: Option<Span>, depth: u32) {
        if depth > NESTED {
            return;
        }
        self.note(node, region, repeated);
        let inner = |scope: &mut Self, child: &'a Node, region: Span, repeated: Option<Span>| {
            scope.collect(child, region, repeated, depth + 1);
        };
        match &node.kind {
            Kind::Def(_) | Kind::Module(_) => {}
            Kind::If(branches) => {
                inner(self, &branches.cond, region, repeated);
                if matches!(branches.otherwise.kind, Kind::Nil) || matches!(branches.then.kind, Kind::Nil) {
                    inner(self, &branches.then, branches.then.span, repeated);
                    inner(self, &branches.otherwise, branches.otherwise.span, repeated);
                    return;
                }
                let before = self.sizes();
                inner(self, &branches.then, branches.then.span, repeated);
                let middle = self.sizes();
                inner(self, &branches.otherwise, branches.otherwise.span, repeated);
                self.both(&before, &middle, branches, node.span, region, repeated);
            }
            Kind::And(sides) | Kind::Or(sides) => {
                inner(self, &sides.0, region, repeated);
                inner(self, &sides.1, sides.1.span, repeated);
            }
            Kind::Case(case) | Kind::Match(case) => {
                case.subject.iter().for_each(|n| inner(self, n, region, repeated));
                for arm in &case.arms {
                    inner(self, &arm.body, arm.body.span, repeated);
                }
                case.otherwise.iter().for_each(|n| inner(self, n, n.span, repeated));
            }
            Kind::Loop(_) => {
                let around = repeated.or(Some(node.span));
                walk::children(node, &mut |n| inner(self, n, node.span, around));
            }
            Kind::Begin(begin) => {
                inner(self, &begin.body, region, repeated);
                for rescue in &begin.rescues {
                    inner(self, &rescue.body, rescue.body.span, repeated);
                }
                begin.otherwise.iter().for_each(|n| inner(self, n, n.span, repeated));
                begin.ensure.iter().for_each(|n| inner(self, n, n.span, repeated));
            }
            Kind::Lambda(block) => inner(self, &block.body, block.span, repeated.or(Some(block.span))),
            Kind::Call(call) if call.block.is_some() => {
                call.recv.iter().for_each(|n| inner(self, n, region, repeated));
                call.args.iter().for_each(|n| inner(self, n, region, repeated));
                if let Some(block) = &call.block {
                    inner(self, &block.body, block.span, repeated.or(Some(block.span)));
                }
            }
            _ => walk::children(node, &mut |n| inner(self, n, region, repeated)),
        }
    }

    fn sizes(&self) -> HashMap<Name, usize> {
        self.locals.iter().map(|(name, from)| (*name, from.len())).collect()
    }

    /// Variables that both branches of a condition give a value.
    fn both(
        &mut self,
        before: &HashMap<Name, usize>,
        middle: &HashMap<Name, usize>,
        branches: &If,
        span: Span,
        region: Span,
        repeated: Option<Span>,
    ) {
        for (name, entries) in &mut self.locals {
            let first = before.get(name).copied().unwrap_or(0);
            let second = middle.get(name).copied().unwrap_or(0);
            let sure = |e: &[Entry<'a>], region: Span| e.iter().any(|e| e.replaces && e.region == region);
            if second > first
                && entries.len() > second
                && sure(&entries[first..second], branches.then.span)
                && sure(&entries[second..], branches.otherwise.span)
            {
                entries.push(Entry { from: From::Both, span, region, repeated, replaces: true });
            }
        }
    }

    /// What a block is called with whose parameter this is.
    pub fn member_of(&self, name: Name, at: Span) -> Option<&'a Node> {
        self.reaching(name, at).0.into_iter().find_map(|from| match from {
            From::Member(collection) => Some(collection),
            _ => None,
        })
    }

    /// What a variable may hold at a place, and whether it may still be the parameter of that name.
    fn reaching(&self, name: Name, at: Span) -> (Vec<From<'a>>, bool) {
        let Some(entries) = self.locals.get(&name) else { return (Vec::new(), true) };
        let block = |e: &Entry<'a>| matches!(e.from, From::Member(_) | From::Of);
        let before = |e: &Entry<'a>| !block(e) && e.span.end <= at.start;
        let inside = |e: &Entry<'a>| block(e) && within(at, e.span);
        let last = entries
            .iter()
            .filter(|e| inside(e) || e.replaces && before(e) && within(at, e.region))
            .max_by_key(|e| (e.span.start, std::cmp::Reverse(e.span.end)));
        let from = entries
            .iter()
            .filter(|e| {
                last.is_none_or(|l| e.span.start >= l.span.start)
                    && (before(e) || inside(e) || !block(e) && e.repeated.is_some_and(|r| within(at, r)))
            })
            .map(|e| e.from)
            .filter(|f| !matches!(f, From::Both))
            .collect();
        (from, last.is_none())
    }

    fn note(&mut self, node: &'a Node, region: Span, repeated: Option<Span>) {
        let mut push = |name: Name, from: From<'a>, replaces: bool| {
            self.locals.entry(name).or_default().push(Entry {
                from,
                span: node.span,
                region,
                repeated,
                replaces,
            });
        };
        match &node.kind {
            Kind::Assign(assign) => {
                if let Kind::Local(name) = assign.target.kind {
                    match assign.op {
                        Some(Op::Call(_)) => push(name, From::Added(&assign.value), false),
                        None => push(name, From::Value(&assign.value), true),
                        _ => push(name, From::Value(&assign.value), false),
                    }
                }
            }
            Kind::MultiAssign(assign) => {
                for target in &assign.targets {
                    if let Kind::Local(name) = target.kind {
                        push(name, From::Unknown, true);
                    }
                }
            }
            Kind::Call(call) => {
                if let (Some(Node { kind: Kind::Local(name), .. }), "<<" | "concat" | "safe_concat") =
                    (&call.recv, call.name.as_str())
                    && let Some(arg) = call.args.first()
                {
                    push(*name, From::Added(arg), false);
                }
                if let Some(block) = &call.block {
                    let counted = matches!(call.name.as_str(), "times" | "upto" | "step" | "downto");
                    for (i, param) in block.params.iter().enumerate() {
                        let from = match &call.recv {
                            _ if counted => continue,
                            Some(_) if i == 1 && call.name.ends_with("with_index") => continue,
                            Some(recv) => From::Member(recv),
                            None => From::Of,
                        };
                        self.locals.entry(param.name).or_default().push(Entry {
                            from,
                            span: block.span,
                            region: block.span,
                            repeated: None,
                            replaces: false,
                        });
                    }
                }
            }
            _ => {}
        }
    }
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

    fn asks_for_safety(&self, cond: &Node) -> bool {
        let mut asked = false;
        walk::each(cond, &mut |node| {
            if let Kind::Call(call) = &node.kind {
                asked |= call.name == "html_safe?";
            }
            !asked
        });
        asked
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

    /// The text of which a call makes markup without taking out the tags in it: what Markdown,
    /// Textile and RDoc do unless they are told otherwise.
    fn converted(&self, call: &'a Call, scope: &Scope<'a>) -> Option<&'a Node> {
        let name = call.name.as_str();
        if !matches!(
            name,
            "convert"
                | "to_html"
                | "render"
                | "render_html"
                | "auto_link"
                | "to_s"
                | "to_xhtml"
                | "auto_link_urls"
        ) {
            return None;
        }
        if name == "auto_link" && call.recv.is_none() {
            let kept = self.context.app.rails() < (3, 1)
                || call.args.iter().any(|a| match &a.kind {
                    Kind::Hash(pairs) => pairs.iter().any(|p| {
                        wardroom_rails::literal_name(&p.key).is_some_and(|k| k == "sanitize")
                            && matches!(p.value.kind, Kind::False)
                    }),
                    _ => false,
                });
            return if kept { call.args.first() } else { None };
        }
        let recv = call.recv.as_ref()?;
        // `renderer = Redcarpet::Markdown.new(…)`
        let made = match &recv.kind {
            Kind::Local(variable) => {
                let mut from = scope.reaching(*variable, recv.span).0.into_iter();
                match (from.next(), from.next()) {
                    (Some(From::Value(value)), None) => value,
                    _ => return None,
                }
            }
            _ => recv,
        };
        let (path, new) = match &made.kind {
            Kind::Const(path) => (path, None),
            Kind::Call(new) => match &new.recv {
                Some(Node { kind: Kind::Const(path), .. }) => (path, Some(new)),
                _ => return None,
            },
            _ => return None,
        };
        let class = wardroom_rails::path_name(path);
        let first = |call: &'a Call| call.args.first();
        let text = match (class.trim_start_matches("::"), name, new) {
            ("RDoc::Markup" | "RDoc::Markup::ToHtml" | "SM::SimpleMarkup", "convert", _) => first(call),
            (
                "RedCloth" | "BlueCloth" | "RDiscount" | "Maruku" | "Kramdown::Document" | "Markdown"
                | "Textile" | "Discount" | "WikiCloth::Parser" | "Orgmode::Parser" | "RDoc::Markdown",
                "to_html" | "to_s" | "to_xhtml",
                Some(new),
            ) if name != "to_s" || class.as_str() == "Markdown" => first(new),
            ("Redcarpet::Markdown", "render", Some(_)) => first(call),
            ("Redcarpet", "to_html", Some(new)) => first(new),
            ("Rinku", "auto_link", None) => first(call),
            ("Asciidoctor", "convert" | "render", None) => first(call),
            ("CommonMarker", "render_html", None) | ("Commonmarker", "to_html", None) => {
                first(call).filter(|_| {
                    call.args[1..].iter().any(|a| {
                        let words = self.context.source(scope.file, a.span);
                        words.contains("UNSAFE") || words.contains("unsafe: true")
                    })
                })
            }
            _ => None,
        }?;
        // What is told to filter does so; the words may stand with a renderer of the application's own.
        let text_of_file = &self.context.file(scope.file).text;
        let filters = ["filter_html", "escape_html", "safe_mode", "sanitize_html", "restrictions"];
        let filtered = filters.iter().any(|w| text_of_file.windows(w.len()).any(|at| at == w.as_bytes()));
        (!filtered).then_some(text)
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
                    let kept_clean = super::place::cleaned_when_stored(
                        self.context,
                        &format!("{}#{}", model.class, call.name),
                    )
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
                                && super::place::cleaned_when_stored(
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

    /// Whether an expression is a safe buffer: what is put behind it is escaped.
    pub fn is_markup(&self, node: &'a Node, scope: &Scope<'a>, depth: u8) -> bool {
        if depth > 6 {
            return false;
        }
        match &node.kind {
            Kind::Call(call) => match call.name.as_str() {
                "html_safe" | "raw" | "safe_join" | "safe_concat" => true,
                "+" | "<<" | "concat" | "%" | "presence" | "freeze" | "dup" => {
                    call.recv.as_ref().is_some_and(|r| self.is_markup(r, scope, depth + 1))
                }
                "new" => {
                    matches!(&call.recv, Some(Node { kind: Kind::Const(path), .. }) if path.last().is_some_and(|n| n == "SafeBuffer"))
                }
                _ if call.recv.is_none() && is_markup_builder(call.name.as_str()) => true,
                _ if call.recv.is_none() => match self.resolve(call, scope) {
                    Some(id) => {
                        let method = self.context.app.index.method(id);
                        self.is_markup(method.body, &self.scope(id), depth + 1)
                    }
                    None => false,
                },
                _ => false,
            },
            Kind::Local(name) => {
                let (from, given) = scope.reaching(*name, node.span);
                let mut values = from
                    .iter()
                    .filter_map(|f| if let From::Value(value) = f { Some(*value) } else { None })
                    .peekable();
                values.peek().is_some()
                    && !(given && scope.params.iter().any(|p| p.name == *name))
                    && values.all(|v| !contains_local(v, *name) && self.is_markup(v, scope, depth + 1))
            }
            Kind::Seq(nodes) => nodes.last().is_some_and(|n| self.is_markup(n, scope, depth + 1)),
            Kind::If(branches) => {
                (matches!(branches.then.kind, Kind::Nil) || self.is_markup(&branches.then, scope, depth + 1))
                    && (matches!(branches.otherwise.kind, Kind::Nil)
                        || self.is_markup(&branches.otherwise, scope, depth + 1))
            }
            Kind::Return(Some(value)) => self.is_markup(value, scope, depth + 1),
            Kind::Yield(_) => true,
            _ => false,
        }
    }

    /// Whether a call escapes what it is given, or builds markup that does.
    fn is_builder(&self, call: &Call, scope: &Scope<'a>) -> bool {
        let name = call.name.as_str();
        let Some(recv) = &call.recv else {
            return is_markup_builder(name)
                && !(scope.habitat == Habitat::Helper
                    && self.context.app.index.find(scope.class, call.name).is_some());
        };
        match name {
            "html_safe" | "call" | "render" | "render_in" | "h" | "html_escape" | "escapeHTML"
            | "escape_html" | "sanitize" | "escape_once" | "to_json" | "strip_tags" | "content_tag"
            | "link_to" | "image_tag" | "capture" | "safe_join" | "simple_format" | "raw" | "icon"
            | "yield" | "tag" | "clean" | "fragment" | "to_html_safe" | "as_svg" | "as_html" | "as_png"
            | "to_svg" => true,
            _ => match &recv.kind {
                // A form builder, the template itself, `tag.div`.
                Kind::Local(n) | Kind::Ivar(n) => {
                    matches!(
                        n.trim_start_matches('@'),
                        "f" | "form"
                            | "builder"
                            | "ff"
                            | "fields"
                            | "form_builder"
                            | "xml"
                            | "html"
                            | "doc"
                            | "template"
                            | "view"
                            | "flow"
                    ) && !call.args.is_empty()
                }
                Kind::Call(inner) => {
                    inner.recv.is_none()
                        && inner.args.is_empty()
                        && matches!(
                            inner.name.as_str(),
                            "tag" | "helpers" | "view_context" | "template" | "view" | "form" | "f"
                        )
                        && self.context.app.by_name.get(&inner.name).is_none()
                }
                _ => false,
            },
        }
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

/// Names for a record of whatever model.
fn is_any_record(node: &Node) -> bool {
    let name = match &node.kind {
        Kind::Local(name) | Kind::Ivar(name) => name,
        Kind::Call(call) if call.recv.is_none() && call.args.is_empty() => &call.name,
        _ => return false,
    };
    matches!(
        name.trim_start_matches('@'),
        "object" | "record" | "resource" | "obj" | "item" | "entity" | "instance"
    )
}

/// `expand_links(text)`: what a method of the application's own makes is judged there.
fn is_helper_call(words: &str) -> bool {
    words.split_once('(').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
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

fn contains_local(node: &Node, name: Name) -> bool {
    let mut found = false;
    walk::each(node, &mut |n| {
        found |= matches!(&n.kind, Kind::Local(other) if *other == name);
        !found
    });
    found
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

fn is_translation(call: &Call) -> bool {
    let own = call.recv.is_none()
        || matches!(&call.recv, Some(Node { kind: Kind::Const(path), .. }) if path.last().is_some_and(|n| n == "I18n"));
    own && matches!(
        call.name.as_str(),
        "t" | "l"
            | "translate"
            | "localize"
            | "_"
            | "s_"
            | "n_"
            | "ts"
            | "N_"
            | "l_or_humanize"
            | "gettext"
            | "ngettext"
            | "l_hours"
            | "t!"
    )
}

/// Options of a translation that are not put into it.
fn is_option(key: &Node) -> bool {
    wardroom_rails::literal_name(key)
        .is_some_and(|k| matches!(k.as_str(), "scope" | "default" | "locale" | "count" | "format" | "raise"))
}

/// Helpers of Rails (and words of templates) whose result is markup, or text without any.
pub fn is_markup_builder(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "content_tag",
        "tag",
        "link_to",
        "link_to_if",
        "link_to_unless",
        "link_to_unless_current",
        "link_to_remote",
        "link_to_function",
        "button_to",
        "image_tag",
        "mail_to",
        "form_tag",
        "form_for",
        "form_with",
        "fields_for",
        "label_tag",
        "label",
        "text_field_tag",
        "text_field",
        "hidden_field_tag",
        "hidden_field",
        "select_tag",
        "select",
        "options_for_select",
        "options_from_collection_for_select",
        "grouped_options_for_select",
        "check_box_tag",
        "check_box",
        "radio_button_tag",
        "radio_button",
        "submit_tag",
        "button_tag",
        "text_area_tag",
        "text_area",
        "password_field_tag",
        "file_field_tag",
        "time_tag",
        "video_tag",
        "audio_tag",
        "stylesheet_link_tag",
        "javascript_include_tag",
        "javascript_tag",
        "field_set_tag",
        "render",
        "capture",
        "content_for",
        "yield",
        "safe_join",
        "sanitize",
        "strip_tags",
        "strip_links",
        "simple_format",
        "h",
        "html_escape",
        "escape_once",
        "html_escape_once",
        "escape_javascript",
        "j",
        "json_escape",
        "number_to_currency",
        "number_with_delimiter",
        "number_with_precision",
        "number_to_human",
        "number_to_human_size",
        "number_to_percentage",
        "number_to_phone",
        "time_ago_in_words",
        "distance_of_time_in_words",
        "distance_of_time_in_words_to_now",
        "pluralize",
        "cycle",
        "raw",
        "image_submit_tag",
        "url_for",
        "asset_path",
        "image_path",
        "dom_id",
        "dom_class",
        "turbo_frame_tag",
        "form_authenticity_token",
        "csrf_meta_tags",
        "hidden_field_tags",
        "will_paginate",
        "paginate",
        "error_messages_for",
        "inline_svg",
        "inline_svg_tag",
        "react_component",
        "content_security_policy_nonce",
        "javascript_pack_tag",
        "stylesheet_pack_tag",
        "auto_link",
        "markdown",
        "icon",
        "fa_icon",
        "highlight",
        "excerpt",
        "tag_options",
        "hash_for",
        "block_given?",
        "collection_select",
        "date_select",
        "datetime_select",
        "best_in_place",
        "format_date",
        "format_time",
        "url_encode",
        "u",
        "truncate_html",
        "textilizable",
        "request",
        "controller_name",
        "action_name",
        "current_page?",
    ];
    NAMES.contains(&name)
        || ["inline_svg", "vite_", "svg_", "webpack_", "shakapacker_"].iter().any(|p| name.starts_with(p))
        || name.ends_with("_icon")
        || name.ends_with("_svg")
}

/// Names of what holds numbers, dates, keys of the code's own, paths.
pub fn is_fixed_name(name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "_id",
        "_ids",
        "_at",
        "_on",
        "_count",
        "_path",
        "_number",
        "_date",
        "_time",
        "_class",
        "_type",
        "_index",
        "_size",
        "_width",
        "_height",
        "_color",
        "_icon",
        "_uuid",
        "_digest",
        "_total",
        "_percent",
        "_percentage",
        "_cents",
        "_tag",
        "_link",
        "_url",
        "_classes",
        "_state",
        "_status",
        "_sum",
        "_css",
        "_attributes",
        "_options",
        "_token",
    ];
    const NAMES: &[&str] = &[
        "id",
        "to_i",
        "to_f",
        "to_d",
        "count",
        "size",
        "length",
        "class",
        "position",
        "index",
        "year",
        "month",
        "day",
        "hour",
        "min",
        "round",
        "floor",
        "ceil",
        "abs",
        "strftime",
        "iso8601",
        "to_date",
        "to_time",
        "to_param",
        "parameterize",
        "created_at",
        "updated_at",
        "uuid",
        "object_id",
        "hash",
        "hexdigest",
        "total_entries",
        "total_count",
        "level",
        "depth",
        "locale",
        "version",
        "sum",
        "total",
        "width",
        "height",
        "percent",
        "number",
        "page",
        "lft",
        "rgt",
        "css_classes",
        "dom_id",
        "controller_name",
        "to_formatted_s",
        "to_fs",
        "from_now",
        "ago",
        "succ",
        "next",
        "underscore",
        "model_name",
        "table_name",
        "utc",
        "-",
        "*",
        "/",
        "**",
        "==",
        "!",
        "!=",
        ">",
        "<",
        "&",
        "lineno",
        "ord",
        "color",
        "status",
        "state",
        "kind",
        "type",
        "request",
        "controller",
        "flash",
        "now",
        "today",
        "hidden",
        "escape",
        "escapeHTML",
        "url_encode",
        "to_json",
        "env",
        "base_url",
        "root_url",
        "host",
        "protocol",
        "new_line",
        "nl",
        "format_currency",
        "format",
        "to_currency",
        "delimited",
        "i18n_key",
        "symbol",
        "currency",
        "identifier",
        "digest",
        "action",
        "css",
        "icon",
    ];
    name.ends_with('?') || NAMES.contains(&name) || ENDINGS.iter().any(|e| name.ends_with(e))
}

/// Names of what holds a person's own words.
pub fn is_text_name(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "name",
        "title",
        "label",
        "description",
        "body",
        "content",
        "subject",
        "comment",
        "comments",
        "notes",
        "note",
        "summary",
        "text",
        "login",
        "username",
        "first_name",
        "last_name",
        "full_name",
        "bio",
        "message",
        "address",
        "display_name",
        "to_label",
        "caption",
        "nickname",
        "email",
        "mail",
        "filename",
        "to_sentence",
        "full_messages",
        "details",
        "reason",
        "excerpt",
        "question",
        "answer",
        "headline",
        "about",
        "memo",
        "abstract",
        "byline",
        "author",
        "value",
        "firstname",
        "lastname",
        "company",
        "city",
        "street",
        "keywords",
        "quote",
        "signature",
        "tagline",
        "intro",
        "instructions",
        "feedback",
        "preferred_name",
        "original_filename",
        "image",
        "url",
        "website",
    ];
    NAMES.contains(&name)
        || name.ends_with("_name")
        || name.ends_with("_title")
        || name.ends_with("_description")
        || name.ends_with("_text")
        || name.ends_with("_label")
        || name.ends_with("_message")
        || name.ends_with("_comment")
        || name.ends_with("_note")
        || name.strip_prefix("the_").is_some_and(is_text_name)
        || is_written(name)
}

/// Names of what people write at length: more than the names of things.
fn is_written(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "body",
        "content",
        "description",
        "comment",
        "comments",
        "notes",
        "note",
        "summary",
        "bio",
        "caption",
        "details",
        "excerpt",
        "memo",
        "signature",
        "feedback",
    ];
    let name = name.strip_prefix("the_").unwrap_or(name);
    NAMES.contains(&name)
        || ["_body", "_content", "_summary", "_details", "_caption", "_bio", "_comment", "_description"]
            .iter()
            .any(|e| name.ends_with(e))
        || ["body_", "content_", "description_", "comment_", "html_body"].iter().any(|p| name.starts_with(p))
}

/// Names of things of the code's own: what they say was written with it.
fn is_code(variable: Name) -> bool {
    const WORDS: &[&str] = &[
        "setting",
        "settings",
        "config",
        "configuration",
        "type",
        "option",
        "options",
        "field",
        "form",
        "plugin",
        "policy",
        "permission",
        "rule",
        "column",
        "provider",
        "builder",
        "renderer",
        "helper",
        "component",
        "template",
        "schema",
        "definition",
        "param",
        "argument",
        "self",
        "class",
        "klass",
        "response",
        "page",
        "view",
        "flash",
        "tag",
        "partial",
        "slot",
        "presenter",
        "doc",
        "document",
        "node",
        "element",
        "css",
    ];
    let bare = variable.trim_start_matches('@');
    let last = bare.rsplit('_').next().unwrap_or(bare);
    WORDS.contains(&last)
}

/// Names of columns in which the application keeps markup that it has made itself.
pub fn is_rendered(name: &str) -> bool {
    let name = name.rsplit(['#', '.']).next().unwrap_or(name);
    name.ends_with("_html")
        || name.starts_with("html_") && !name.starts_with("html_body")
        || name == "html"
        || [
            "marked",
            "markdown",
            "rendered",
            "cached",
            "sanitized",
            "formatted",
            "clean",
            "safe",
            "linkified",
            "processed",
            "cooked",
        ]
        .iter()
        .any(|p| name.starts_with(p))
        || name.ends_with("_rendered")
        || name.ends_with("_cache")
}
