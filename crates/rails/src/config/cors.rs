//! The rules of the `rack-cors` middleware: which origins may read which resources.

use serde::Serialize;
use wardroom_ruby::ir::{Block, Kind, Node, Span};

use super::read::{Conditions, branches};
use super::value::{Literals, SettingValue};

/// One `allow do … end`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CorsRule {
    /// The origins: strings, and `Expr` for regexps and whatever is made at run time.
    pub origins: Vec<SettingValue>,
    /// Where a block decides on the origin: the block.
    pub origin_block: Option<Span>,
    /// Where the origins stand.
    pub origins_span: Span,
    /// What they may read.
    pub resources: Vec<CorsResource>,
    /// The only environment in which it holds.
    pub environment: Option<String>,
    /// Whether it stands under a condition that the reader cannot decide.
    pub conditional: bool,
    /// The file.
    pub file: u32,
    /// The rule.
    pub span: Span,
}

impl CorsRule {
    /// Whether any site may read the resources.
    pub fn any_origin(&self) -> bool {
        self.origins.iter().any(|o| o.as_text() == Some("*"))
    }
}

/// One `resource "/path", …`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CorsResource {
    /// The path pattern.
    pub path: SettingValue,
    /// `credentials:`; `None` where it is not said (off since rack-cors 1.0, on before).
    pub credentials: Option<SettingValue>,
    /// `methods:`
    pub methods: Vec<SettingValue>,
    /// `headers:`
    pub headers: Vec<SettingValue>,
    /// The call.
    pub span: Span,
}

/// Reads the block of `use Rack::Cors do … end`.
pub(super) fn from_block(
    rules: &mut Vec<CorsRule>,
    block: &Block,
    file: u32,
    literals: &Literals,
    at: &Conditions,
) {
    let mut literals = literals.clone();
    allows(rules, &block.body, file, &mut literals, at, 0);
}

fn allows(
    rules: &mut Vec<CorsRule>,
    node: &Node,
    file: u32,
    literals: &mut Literals,
    at: &Conditions,
    depth: u32,
) {
    if depth > 24 {
        return;
    }
    match &node.kind {
        Kind::Seq(nodes) => nodes.iter().for_each(|n| allows(rules, n, file, literals, at, depth + 1)),
        Kind::If(branch) => {
            let (then, otherwise) = branches(literals, &branch.cond, at);
            for (body, at) in [(&branch.then, then), (&branch.otherwise, otherwise)] {
                if let Some(at) = at {
                    allows(rules, body, file, literals, &at, depth + 1);
                }
            }
        }
        Kind::Assign(assign) => {
            if let Kind::Local(name) = assign.target.kind {
                let value = literals.of(&assign.value);
                literals.names.insert(name, value);
            }
        }
        Kind::Call(call) => {
            let Some(block) = &call.block else { return };
            if call.name != "allow" {
                let inner = Conditions { conditional: true, ..at.clone() };
                allows(rules, &block.body, file, literals, &inner, depth + 1);
                return;
            }
            let mut rule = CorsRule {
                environment: at.environment.clone(),
                conditional: at.conditional,
                file,
                span: node.span,
                ..CorsRule::default()
            };
            fill(&mut rule, &block.body, literals, depth);
            rules.push(rule);
        }
        _ => {}
    }
}

fn fill(rule: &mut CorsRule, node: &Node, literals: &Literals, depth: u32) {
    if depth > 24 {
        return;
    }
    match &node.kind {
        Kind::Seq(nodes) => nodes.iter().for_each(|n| fill(rule, n, literals, depth + 1)),
        Kind::If(branch) => {
            fill(rule, &branch.then, literals, depth + 1);
            fill(rule, &branch.otherwise, literals, depth + 1);
        }
        Kind::Call(call) => match call.name.as_str() {
            "origins" => {
                rule.origins_span = node.span;
                for argument in &call.args {
                    let value = match &argument.kind {
                        Kind::Splat(inner) => literals.of(inner),
                        Kind::Lambda(block) => {
                            rule.origin_block = Some(block.span);
                            continue;
                        }
                        _ => literals.of(argument),
                    };
                    rule.origins.extend(value.items().iter().cloned());
                }
                if let Some(block) = &call.block {
                    rule.origin_block = Some(block.span);
                }
            }
            "resource" => {
                let options =
                    call.args.last().map(|a| literals.of(a)).filter(|v| matches!(v, SettingValue::Hash(_)));
                let option = |name: &str| options.as_ref().and_then(|o| o.get(name)).cloned();
                let list = |name: &str| option(name).map(|v| v.items().to_vec()).unwrap_or_default();
                rule.resources.push(CorsResource {
                    path: call.args.first().map_or(SettingValue::Nil, |a| literals.of(a)),
                    credentials: option("credentials"),
                    methods: list("methods"),
                    headers: list("headers"),
                    span: node.span,
                });
            }
            _ => {
                if let Some(block) = &call.block {
                    fill(rule, &block.body, literals, depth + 1);
                }
            }
        },
        _ => {}
    }
}
