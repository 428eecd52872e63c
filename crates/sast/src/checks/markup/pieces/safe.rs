//! What is markup already: safe buffers, and calls that escape what they are given.

use wardroom_rails::Habitat;
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use super::Pieces;
use super::names::is_markup_builder;
use super::scope::{From, Scope};

impl<'a> Pieces<'_, '_, 'a> {
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
    pub(super) fn is_builder(&self, call: &Call, scope: &Scope<'a>) -> bool {
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

    /// Whether a condition asks whether something is markup.
    pub(super) fn asks_for_safety(&self, cond: &Node) -> bool {
        let mut asked = false;
        walk::each(cond, &mut |node| {
            if let Kind::Call(call) = &node.kind {
                asked |= call.name == "html_safe?";
            }
            !asked
        });
        asked
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
