//! Prism's tree, lowered to ours.
//!
//! Prism's nodes point into C memory, so a file is parsed, lowered and its arena dropped in one
//! call. A file with syntax errors still gives a tree: Prism recovers, and the errors come along.

use ruby_prism::{self as prism, Location, Node as P, NodeList};
use serde::Serialize;

use rustc_hash::FxHashMap;

use crate::ir::*;
use crate::template::{Compiled, OutMark};

/// Unwraps a node of a variant just matched on.
macro_rules! get {
    ($node:expr, $method:ident) => {
        match $node.$method() {
            Some(inner) => inner,
            None => return Kind::Other(Vec::new()),
        }
    };
}

/// The three op-assignment forms of one kind of variable.
macro_rules! op_assign {
    ($self:ident, $node:ident, $span:ident, $method:ident, $target:expr, $op:expr) => {{
        let n = get!($node, $method);
        let target = Node { span: $self.span(&n.name_loc()), kind: $target($self.name(&n.name())) };
        $self.assign(target, Some($op(&n)), &n.value())
    }};
}

mod kind;

/// Nesting beyond this is cut off (and told as a problem): no person writes it, and every analysis
/// may then recurse over the tree.
const MAX_DEPTH: u32 = 400;

/// One file, read.
#[derive(Debug, Clone, Serialize)]
pub struct Parsed {
    /// The whole file.
    pub body: Node,
    /// Comments in order, with their places.
    pub comments: Vec<Comment>,
    /// What the parser could not understand.
    pub errors: Vec<SyntaxError>,
}

/// A comment, from its `#` to the end of the line (or `=begin` to `=end`).
#[derive(Debug, Clone, Serialize)]
pub struct Comment {
    /// Where.
    pub span: Span,
    /// Its text, with the `#`.
    pub text: Box<str>,
}

/// One thing the parser could not understand.
#[derive(Debug, Clone, Serialize)]
pub struct SyntaxError {
    /// Where, in bytes.
    pub offset: u32,
    /// What, in the parser's words.
    pub message: Box<str>,
}

/// Parses Ruby.
pub fn parse(source: &[u8]) -> Parsed {
    run(source, None)
}

/// Parses the Ruby of a compiled template; spans are the template's.
pub fn parse_template(compiled: &Compiled) -> Parsed {
    let mut parsed = run(compiled.ruby.as_bytes(), Some(compiled));
    for (offset, message) in &compiled.problems {
        parsed.errors.push(SyntaxError { offset: *offset, message: message.as_str().into() });
    }
    parsed
}

fn run(source: &[u8], template: Option<&Compiled>) -> Parsed {
    let result = prism::parse(source);
    let mut lower = Lower {
        template,
        length: source.len() as u32,
        depth: 0,
        too_deep: None,
        names: FxHashMap::default(),
    };
    let body = lower.node(&result.node());
    let comments = result
        .comments()
        .map(|c| Comment { span: lower.span(&c.location()), text: lossy(c.text()) })
        .collect();
    let mut errors: Vec<SyntaxError> = result
        .errors()
        .map(|e| SyntaxError {
            offset: lower.span(&e.location()).start,
            message: String::from_utf8_lossy(e.message()).into(),
        })
        .collect();
    if let Some(offset) = lower.too_deep {
        errors.push(SyntaxError {
            offset,
            message: "code nested too deep; the innermost part is left out".into(),
        });
    }
    Parsed { body, comments, errors }
}

fn nil(span: Span) -> Node {
    Node { span, kind: Kind::Nil }
}

struct Lower<'t> {
    template: Option<&'t Compiled>,
    length: u32,
    depth: u32,
    too_deep: Option<u32>,
    /// The names met so far, by where the parser keeps them: it keeps each once, and to look one up
    /// here costs far less than among the names of all files.
    names: FxHashMap<(usize, usize), Name>,
}

fn bytes_name(bytes: &[u8]) -> Name {
    match std::str::from_utf8(bytes) {
        Ok(text) => Name::from(text),
        Err(_) => Name::from(&String::from_utf8_lossy(bytes)),
    }
}

fn text(bytes: &[u8]) -> Kind {
    Kind::Str(lossy(bytes))
}

/// Text as it stands; where it is no UTF-8, with replacement characters. The check first is much
/// faster than the lossy way, which most files never need.
fn lossy(bytes: &[u8]) -> Box<str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => String::from_utf8_lossy(bytes).into(),
    }
}

impl Lower<'_> {
    fn name(&mut self, id: &prism::ConstantId<'_>) -> Name {
        let bytes = id.as_slice();
        *self.names.entry((bytes.as_ptr() as usize, bytes.len())).or_insert_with(|| bytes_name(bytes))
    }

    fn span(&self, location: &Location<'_>) -> Span {
        // Of very broken code the parser gives places that lie outside of it.
        let start = location.start().min(self.length);
        let end = location.end().clamp(start, self.length.max(start));
        match self.template {
            None => Span { start, end },
            Some(compiled) => {
                let start_at = compiled.locate(start);
                let end_at = if end > start { compiled.locate_end(end) } else { start_at };
                Span { start: start_at, end: end_at.max(start_at) }
            }
        }
    }

    fn node(&mut self, node: &P<'_>) -> Node {
        let span = self.span(&node.location());
        if self.depth >= MAX_DEPTH {
            self.too_deep.get_or_insert(span.start);
            return Node { span, kind: Kind::Other(Vec::new()) };
        }
        self.depth += 1;
        // What stands in an `else` keeps its own place, without the word.
        let lowered = match node.as_else_node() {
            Some(otherwise) => self.statements(otherwise.statements(), span),
            None => Node { span, kind: self.kind(node, span) },
        };
        self.depth -= 1;
        lowered
    }

    fn boxed(&mut self, node: &P<'_>) -> Box<Node> {
        Box::new(self.node(node))
    }

    fn option(&mut self, node: Option<P<'_>>) -> Option<Node> {
        node.map(|n| self.node(&n))
    }

    fn or_nil(&mut self, node: Option<P<'_>>, span: Span) -> Node {
        node.map_or_else(|| nil(span), |n| self.node(&n))
    }

    fn list(&mut self, list: &NodeList<'_>) -> Vec<Node> {
        list.iter().map(|n| self.node(&n)).collect()
    }

    fn statements(&mut self, statements: Option<prism::StatementsNode<'_>>, span: Span) -> Node {
        statements.map_or_else(|| nil(span), |s| self.node(&s.as_node()))
    }

    fn arguments(&mut self, arguments: Option<prism::ArgumentsNode<'_>>) -> Vec<Node> {
        arguments.map_or_else(Vec::new, |a| self.list(&a.arguments()))
    }

    fn value(&mut self, arguments: Option<prism::ArgumentsNode<'_>>, span: Span) -> Option<Box<Node>> {
        let mut values = self.arguments(arguments);
        match values.len() {
            0 => None,
            1 => values.pop().map(Box::new),
            _ => Some(Box::new(Node { span, kind: Kind::Array(values) })),
        }
    }

    fn pairs(&mut self, elements: &NodeList<'_>) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for element in elements.iter() {
            let span = self.span(&element.location());
            if let Some(assoc) = element.as_assoc_node() {
                let key = self.node(&assoc.key());
                let value = self.node(&assoc.value());
                pairs.push(Pair { key, value });
            } else if let Some(splat) = element.as_assoc_splat_node() {
                let inner = self.or_nil(splat.value(), span);
                let key = Node { span, kind: Kind::DoubleSplat(Box::new(inner)) };
                pairs.push(Pair { key, value: nil(span) });
            } else {
                let key = self.node(&element);
                pairs.push(Pair { key, value: nil(span) });
            }
        }
        pairs
    }

    fn interp(&mut self, form: Form, parts: &NodeList<'_>, flags: &str) -> Kind {
        let parts: Vec<Node> = parts.iter().map(|p| self.part(&p)).collect();
        if form == Form::Str && parts.iter().all(|p| matches!(p.kind, Kind::Str(_))) {
            let joined: String = parts
                .iter()
                .filter_map(|p| if let Kind::Str(s) = &p.kind { Some(&**s) } else { None })
                .collect();
            return Kind::Str(joined.into());
        }
        Kind::Interp(Box::new(Interp { form, parts, flags: flags.into() }))
    }

    fn part(&mut self, part: &P<'_>) -> Node {
        let span = self.span(&part.location());
        if let Some(embedded) = part.as_embedded_statements_node() {
            return match embedded.statements() {
                Some(statements) => self.node(&statements.as_node()),
                None => nil(span),
            };
        }
        if let Some(embedded) = part.as_embedded_variable_node() {
            return self.node(&embedded.variable());
        }
        self.node(part)
    }

    fn literal(&self, form: Form, bytes: &[u8], span: Span, flags: &str) -> Kind {
        let parts = vec![Node { span, kind: text(bytes) }];
        Kind::Interp(Box::new(Interp { form, parts, flags: flags.into() }))
    }

    fn constant(&mut self, node: &P<'_>) -> Option<Box<[Name]>> {
        let mut path = Vec::new();
        let mut current = match node.as_constant_read_node() {
            Some(read) => return Some(Box::new([self.name(&read.name())])),
            None => node.as_constant_path_node()?,
        };
        loop {
            path.push(self.name(&current.name()?));
            match current.parent() {
                None => {
                    path.push(Name::from(""));
                    break;
                }
                Some(parent) => {
                    if let Some(read) = parent.as_constant_read_node() {
                        path.push(self.name(&read.name()));
                        break;
                    }
                    current = parent.as_constant_path_node()?;
                }
            }
        }
        path.reverse();
        Some(path.into())
    }

    fn assign(&mut self, target: Node, op: Option<Op>, value: &P<'_>) -> Kind {
        Kind::Assign(Box::new(Assign { target, op, value: self.node(value) }))
    }

    fn block(&mut self, block: &prism::BlockNode<'_>) -> Block {
        let span = self.span(&block.location());
        let params = self.block_params(block.parameters(), span);
        let body = self.or_nil(block.body(), Span { start: span.end, end: span.end });
        Block { span, params, body }
    }

    fn block_params(&mut self, params: Option<P<'_>>, span: Span) -> Vec<Param> {
        let implicit = |text: &str| Param {
            name: Name::from(text),
            form: ParamForm::Required,
            default: None,
            inner: Vec::new(),
            span,
        };
        let Some(params) = params else { return Vec::new() };
        if let Some(block) = params.as_block_parameters_node() {
            return block.parameters().map_or_else(Vec::new, |p| self.params(&p));
        }
        if let Some(numbered) = params.as_numbered_parameters_node() {
            return (1..=numbered.maximum()).map(|i| implicit(&format!("_{i}"))).collect();
        }
        if params.as_it_parameters_node().is_some() {
            return vec![implicit("it")];
        }
        Vec::new()
    }

    fn params(&mut self, params: &prism::ParametersNode<'_>) -> Vec<Param> {
        let mut out = Vec::new();
        for list in [params.requireds(), params.optionals()] {
            out.extend(list.iter().map(|p| self.param(&p)));
        }
        out.extend(params.rest().map(|p| self.param(&p)));
        for list in [params.posts(), params.keywords()] {
            out.extend(list.iter().map(|p| self.param(&p)));
        }
        out.extend(params.keyword_rest().map(|p| self.param(&p)));
        out.extend(params.block().map(|p| self.param(&p)));
        out
    }

    fn param(&mut self, param: &P<'_>) -> Param {
        let span = self.span(&param.location());
        let mut out =
            Param { name: Name::from(""), form: ParamForm::Required, default: None, inner: Vec::new(), span };
        match param {
            P::RequiredParameterNode { .. } => {
                if let Some(p) = param.as_required_parameter_node() {
                    out.name = self.name(&p.name());
                }
            }
            P::OptionalParameterNode { .. } => {
                if let Some(p) = param.as_optional_parameter_node() {
                    out.name = self.name(&p.name());
                    out.form = ParamForm::Optional;
                    out.default = Some(self.node(&p.value()));
                }
            }
            P::RestParameterNode { .. } => {
                out.form = ParamForm::Rest;
                out.name = Name::from("*");
                if let Some(id) = param.as_rest_parameter_node().and_then(|p| p.name()) {
                    out.name = self.name(&id);
                }
            }
            P::RequiredKeywordParameterNode { .. } => {
                out.form = ParamForm::Keyword;
                if let Some(p) = param.as_required_keyword_parameter_node() {
                    out.name = self.name(&p.name());
                }
            }
            P::OptionalKeywordParameterNode { .. } => {
                out.form = ParamForm::Keyword;
                if let Some(p) = param.as_optional_keyword_parameter_node() {
                    out.name = self.name(&p.name());
                    out.default = Some(self.node(&p.value()));
                }
            }
            P::KeywordRestParameterNode { .. } => {
                out.form = ParamForm::KeywordRest;
                out.name = Name::from("**");
                if let Some(id) = param.as_keyword_rest_parameter_node().and_then(|p| p.name()) {
                    out.name = self.name(&id);
                }
            }
            P::BlockParameterNode { .. } => {
                out.form = ParamForm::Block;
                if let Some(id) = param.as_block_parameter_node().and_then(|p| p.name()) {
                    out.name = self.name(&id);
                }
            }
            P::ForwardingParameterNode { .. } => {
                out.form = ParamForm::Forward;
                out.name = Name::from("*");
            }
            P::MultiTargetNode { .. } => {
                if let Some(p) = param.as_multi_target_node() {
                    out.inner = self.targets(&p.lefts(), p.rest(), &p.rights());
                }
            }
            _ => {}
        }
        out
    }

    fn targets(&mut self, lefts: &NodeList<'_>, rest: Option<P<'_>>, rights: &NodeList<'_>) -> Vec<Node> {
        let mut out = self.list(lefts);
        out.extend(self.option(rest));
        out.extend(self.list(rights));
        out
    }

    fn call(&mut self, call: &prism::CallNode<'_>, span: Span) -> Kind {
        let method = self.name(&call.name());
        if method == "!"
            && call.arguments().is_none()
            && let Some(receiver) = call.receiver()
        {
            return Kind::Not(self.boxed(&receiver));
        }
        let name_span = call.message_loc().map_or(span, |l| self.span(&l));
        let recv = self.option(call.receiver());
        let args = self.arguments(call.arguments());
        let (block, block_arg) = self.call_block(call.block());
        Kind::Call(Box::new(Call {
            recv,
            name: method,
            name_span,
            args,
            block,
            block_arg,
            safe_nav: call.is_safe_navigation(),
            bare: call.is_variable_call(),
        }))
    }

    fn call_block(&mut self, block: Option<P<'_>>) -> (Option<Block>, Option<Node>) {
        let Some(node) = block else { return (None, None) };
        if let Some(block) = node.as_block_node() {
            return (Some(self.block(&block)), None);
        }
        let span = self.span(&node.location());
        let inner = node.as_block_argument_node().and_then(|b| b.expression());
        (None, Some(self.or_nil(inner, span)))
    }

    /// The reader call that stands for the target of `a.b ||= c` or `a[b] += c`.
    fn reader(
        &mut self,
        recv: Option<P<'_>>,
        method: Name,
        args: Vec<Node>,
        safe_nav: bool,
        span: Span,
    ) -> Node {
        let recv = self.option(recv);
        let call = Call {
            recv,
            name: method,
            name_span: span,
            args,
            block: None,
            block_arg: None,
            safe_nav,
            bare: false,
        };
        Node { span, kind: Kind::Call(Box::new(call)) }
    }

    fn rescues(&mut self, first: Option<prism::RescueNode<'_>>) -> Vec<Rescue> {
        let mut out = Vec::new();
        let mut next = first;
        while let Some(rescue) = next {
            let span = self.span(&rescue.location());
            let classes = self.list(&rescue.exceptions());
            let binding = self.option(rescue.reference());
            let body = self.statements(rescue.statements(), span);
            out.push(Rescue { classes, binding, body });
            next = rescue.subsequent();
        }
        out
    }

    fn branch(&mut self, otherwise: Option<prism::ElseNode<'_>>, span: Span) -> Node {
        otherwise.map_or_else(|| nil(span), |e| self.statements(e.statements(), span))
    }

    fn module(
        &mut self,
        form: ModuleForm,
        path: &P<'_>,
        superclass: Option<P<'_>>,
        body: Option<P<'_>>,
        span: Span,
    ) -> Kind {
        let name_span = self.span(&path.location());
        let path = self.constant(path).unwrap_or_default();
        let superclass = self.option(superclass);
        let body = self.or_nil(body, Span { start: span.end, end: span.end });
        Kind::Module(Box::new(Module { form, path, name_span, superclass, body }))
    }

    fn out_mark(&self, location: &Location<'_>) -> Option<OutMark> {
        let compiled = self.template?;
        let start = location.start();
        compiled.outs.binary_search_by_key(&start, |o| o.ruby).ok().map(|i| compiled.outs[i])
    }
}
