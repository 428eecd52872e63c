//! Where a sink stands and what the application does to its data before: parents of an expression,
//! the format of a page, sanitizing when a record is saved.

use wardroom_flow::{Flow, SourceKind};
use wardroom_model::Confidence;
use wardroom_rails::{FileId, Format, Role, literal_name};
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use crate::context::Context;

/// The nodes from the root of a file down to the one with this span.
pub fn chain<'a>(context: &Context<'_, 'a>, file: FileId, span: Span) -> Vec<&'a Node> {
    let mut out: Vec<&'a Node> = vec![&context.file(file).parsed.body];
    while let Some(node) = out.last().copied() {
        if out.len() > 400 {
            break;
        }
        let mut next = None;
        walk::children(node, &mut |child| {
            if child.span.start <= span.start && span.end <= child.span.end && next.is_none() {
                next = Some(child);
            }
        });
        match next {
            Some(child) => out.push(child),
            None => break,
        }
    }
    out
}

/// The call with this name and span, and the nodes around it, innermost last.
pub fn call_at<'a>(
    context: &Context<'_, 'a>,
    file: FileId,
    span: Span,
    name: &str,
) -> Option<(&'a Call, Vec<&'a Node>)> {
    let mut nodes = chain(context, file, span);
    let at =
        nodes.iter().rposition(|n| n.span == span && matches!(&n.kind, Kind::Call(c) if c.name == name))?;
    let Kind::Call(call) = &nodes[at].kind else { return None };
    nodes.truncate(at);
    Some((call, nodes))
}

/// Whether the call that holds this expression escapes it for a script, cleans it, or takes the tags out again.
pub fn is_cleaned_around(nodes: &[&Node]) -> bool {
    nodes.iter().rev().take(3).any(|n| match &n.kind {
        Kind::Call(call) => matches!(
            call.name.as_str(),
            "j" | "escape_javascript"
                | "strip_tags"
                | "sanitize"
                | "escape_once"
                | "h"
                | "html_escape"
                | "truncate_html"
                | "textarea_tag"
                | "text_area_tag"
                | "text_field_tag"
                | "options_for_select"
        ),
        _ => false,
    })
}

/// Whether a file is a page that a browser reads as HTML or script; code counts.
pub fn is_page(context: &Context<'_, '_>, file: FileId) -> bool {
    !matches!(context.file(file).role, Role::Template { format: Format::Other, .. })
}

/// Whether a file is JavaScript (`.js.erb`).
pub fn is_script_page(context: &Context<'_, '_>, file: FileId) -> bool {
    matches!(context.file(file).role, Role::Template { format: Format::Script, .. })
}

/// Whether a file is read by mail programs, which run no scripts.
pub fn is_mail(context: &Context<'_, '_>, file: FileId) -> bool {
    let path = &context.file(file).path;
    path.contains("mailer") || path.contains("notifier")
}

/// Words of methods that clean text.
fn cleans(name: &str) -> bool {
    ["sanitiz", "sanitis", "strip_tag", "strip_html", "clean_html", "xss", "scrub", "html_escape"]
        .iter()
        .any(|w| name.contains(w))
}

/// What the application does with all parameters or with one attribute before it is shown: the
/// reason why a stored value may hold no markup, if there is one.
pub fn cleaned_when_stored(context: &Context<'_, '_>, words: &str) -> Option<String> {
    let app = context.app;
    let (model, attribute) = words.split_once('#')?;
    if super::pieces::is_rendered(attribute) {
        return Some(format!("`{attribute}` reads like markup that the application has made itself"));
    }
    let class = Name::from(model);
    for declared in app.index.macros(class) {
        let call = declared.call;
        let names_it = call.args.iter().any(|a| literal_name(a).is_some_and(|n| n == attribute));
        let name = call.name.as_str();
        if cleans(name) && (names_it || call.args.is_empty()) {
            return Some(format!("`{name}` cleans it when it is saved"));
        }
        if name.starts_with("before_") || name.starts_with("after_") {
            for arg in &call.args {
                if let Some(callback) = literal_name(arg)
                    && cleans(&callback)
                    && app
                        .index
                        .find(class, callback)
                        .is_none_or(|id| speaks_of(app.index.method(id).body, attribute))
                {
                    return Some(format!("`{callback}` may clean it when it is saved"));
                }
            }
        }
        if name.starts_with("validates") && names_it && is_narrow(call) {
            return Some("a validation holds it to harmless characters".to_owned());
        }
    }
    if let Some(id) = app.index.find(class, Name::from(&format!("{attribute}="))) {
        let mut cleaned = false;
        walk::each(app.index.method(id).body, &mut |node| {
            match &node.kind {
                Kind::Call(call) => cleaned |= cleans(&call.name),
                Kind::Const(path) => cleaned |= path.iter().any(|n| n.contains("Sanitiz") || n == "Loofah"),
                _ => {}
            }
            !cleaned
        });
        if cleaned {
            return Some("its writer cleans it".to_owned());
        }
    }
    None
}

/// Whether a method's body names an attribute, or all of them.
fn speaks_of(body: &Node, attribute: &str) -> bool {
    let mut found = false;
    walk::each(body, &mut |node| {
        let name = match &node.kind {
            Kind::Call(call) => Some(call.name),
            _ => literal_name(node),
        };
        found |= name.is_some_and(|n| {
            n.trim_end_matches('=') == attribute
                || n.starts_with("attribute")
                || n.contains("columns")
                || n == "send"
        });
        !found
    });
    found
}

/// A filter of the application's base controller that cleans every parameter.
pub fn cleaning_filter(context: &Context<'_, '_>) -> Option<Name> {
    let class = Name::from("ApplicationController");
    context
        .app
        .index
        .macros(class)
        .iter()
        .filter(|m| {
            matches!(m.call.name.as_str(), "before_action" | "before_filter" | "prepend_before_action")
        })
        .find_map(|m| m.call.args.iter().filter_map(literal_name).find(|n| cleans(n)))
}

/// Whether a validation lets only harmless text through.
fn is_narrow(call: &Call) -> bool {
    let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() else { return false };
    pairs.iter().any(|pair| {
        let key = literal_name(&pair.key);
        match key.as_deref() {
            Some("inclusion" | "numericality" | "in" | "email" | "url") => true,
            Some("format") => match &pair.value.kind {
                Kind::Hash(inner) => inner.iter().any(|p| {
                    literal_name(&p.key).is_some_and(|k| k == "with") && is_narrow_pattern(&p.value)
                }),
                _ => is_narrow_pattern(&pair.value),
            },
            Some("with") => is_narrow_pattern(&pair.value),
            _ => false,
        }
    })
}

fn is_narrow_pattern(node: &Node) -> bool {
    let Kind::Interp(interp) = &node.kind else {
        // A constant or a call: somebody has thought about it.
        return matches!(node.kind, Kind::Const(_) | Kind::Call(_));
    };
    let mut text = String::new();
    for part in &interp.parts {
        if let Kind::Str(s) = &part.kind {
            text.push_str(s);
        }
    }
    !text.contains('<')
        && !text.contains("[^")
        && !text.replace("\\.", "").contains('.')
        // After `^` another line may stand in front.
        && text.contains("\\A")
}

/// Whether what a request sets is ever written into this attribute: `permit(:name)`, `attr_accessible`.
pub struct Writable {
    named: std::collections::HashSet<Name>,
}

impl Writable {
    /// Collects the names that requests may set.
    pub fn find(context: &Context<'_, '_>) -> Self {
        let mut named = std::collections::HashSet::new();
        const LISTS: &[&str] = &[
            "permit",
            "expect",
            "attr_accessible",
            "permit_params",
            "permitted_attributes",
            "parameter_filter",
            "argument",
            "optional",
            "requires",
        ];
        context.calls_named(LISTS, |_, _, call| {
            for arg in &call.args {
                walk::each(arg, &mut |node| {
                    named.extend(literal_name(node));
                    true
                });
            }
        });
        Writable { named }
    }

    /// Whether the attribute of `User#name` may be set from outside, as far as the code says.
    pub fn has(&self, words: &str) -> bool {
        self.named.len() < 20
            || words.split_once('#').is_none_or(|(_, attribute)| self.named.contains(&Name::from(attribute)))
    }
}

/// The name that a step speaks of: `assigned to `x``.
fn step_name(note: &str) -> Option<&str> {
    let (_, rest) = note.split_once('`')?;
    rest.split('`').next()
}

/// Whether the request's data is put into a record on its way.
fn through_record(context: &Context<'_, '_>, flow: &Flow) -> bool {
    flow.steps.iter().any(|s| {
        let name = step_name(&s.note).unwrap_or_default();
        s.note.starts_with("assigned to")
            && context.app.by_name.get(name).is_some()
            && !super::pieces::is_text_name(name.trim_start_matches('@'))
    })
}

/// A method or variable on the way whose name says that it checks, cleans or renders.
fn checked_on_the_way(flow: &Flow) -> Option<&str> {
    const WORDS: &[&str] = &[
        "safe", "sanit", "valid", "filter", "clean", "escap", "to_html", "markdown", "textil", "scrub",
        "allow",
    ];
    let end = flow.steps.len().saturating_sub(1);
    flow.steps[..end].iter().filter_map(|s| step_name(&s.note)).find(|name| {
        *name != "html_safe" && !name.starts_with("unsafe") && WORDS.iter().any(|w| name.contains(w))
    })
}

/// How sure a flow is, with what the application does to stored values.
pub fn weigh(
    context: &Context<'_, '_>,
    flow: &Flow,
    writable: &Writable,
    cleaning: Option<Name>,
) -> (Confidence, String) {
    let (mut confidence, reason) = crate::context::confidence(flow);
    let mut reasons: Vec<String> = if reason.is_empty() { Vec::new() } else { vec![reason] };
    let request = matches!(
        flow.source,
        SourceKind::Params | SourceKind::Cookie | SourceKind::Request | SourceKind::Upload
    );
    if request && flow.unknown_call {
        // Found by what the request says, not made of it: mostly a record.
        confidence = Confidence::Low;
    }
    if request && through_record(context, flow) {
        confidence = Confidence::Low;
        reasons.push("on its way it is put into a record, of which this may be another part".to_owned());
    }
    if let Some(word) = checked_on_the_way(flow) {
        confidence = confidence.lower();
        reasons.push(format!("`{word}` on its way may check or render it"));
    }
    if let Some(filter) = cleaning {
        confidence = Confidence::Low;
        reasons.push(format!("`{filter}` may clean every parameter before it is stored"));
    }
    if flow.source == SourceKind::Stored {
        if let Some(why) = cleaned_when_stored(context, &flow.words) {
            confidence = Confidence::Low;
            reasons.push(why);
        } else if !writable.has(&flow.words) {
            confidence = confidence.lower();
            reasons.push("no request seems to set this attribute".to_owned());
        }
    }
    (confidence, reasons.join("; "))
}
