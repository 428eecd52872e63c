//! Where a sink stands and what the application does to its data before: parents of an expression,
//! the format of a page, sanitizing when a record is saved.

use wardroom_flow::{Flow, PatternPart, SourceKind, anchored_pattern};
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
        if name == "validate"
            && let Some(why) = call
                .args
                .iter()
                .filter_map(literal_name)
                .filter_map(|method| app.index.find(class, method))
                .find_map(|id| held_by(app.index.method(id).body, attribute))
        {
            return Some(why.to_owned());
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

/// Why a custom validation lets only harmless text through: it adds an error unless the attribute is
/// in a list, or fits a pattern that fixes the whole text.
fn held_by(body: &Node, attribute: &str) -> Option<&'static str> {
    let is_it = |node: &Node| -> bool {
        let mut node = node;
        while let Kind::Call(call) = &node.kind {
            if call.args.is_empty()
                && call.name == attribute
                && call.recv.as_ref().is_none_or(|r| matches!(r.kind, Kind::SelfRef))
            {
                return true;
            }
            match &call.recv {
                Some(recv) if matches!(call.name.as_str(), "to_s" | "to_sym" | "strip" | "downcase") => {
                    node = recv;
                }
                _ => return false,
            }
        }
        false
    };
    let mut errors = false;
    let mut why = None;
    walk::each(body, &mut |node| {
        if let Kind::Call(call) = &node.kind {
            let arg = call.args.first();
            errors |= matches!(call.name.as_str(), "add" | "<<" | "[]=")
                && call.recv.as_ref().is_some_and(
                    |r| matches!(&r.kind, Kind::Call(c) if c.name == "errors" || c.name == "[]"),
                );
            match (call.name.as_str(), &call.recv) {
                ("include?" | "member?" | "exclude?" | "key?" | "has_key?", Some(list))
                    if arg.is_some_and(is_it) && is_list(list) =>
                {
                    why = Some("a validation holds it to a list");
                }
                ("in?", Some(recv)) if is_it(recv) && arg.is_some_and(is_list) => {
                    why = Some("a validation holds it to a list");
                }
                ("match?" | "match" | "=~" | "!~", Some(recv)) => {
                    let pattern = match arg {
                        Some(arg) if is_it(recv) => Some(arg),
                        Some(arg) if is_it(arg) => Some(recv),
                        _ => None,
                    };
                    if pattern.and_then(wardroom_flow::literal_pattern).is_some_and(|p| fixes_markup(&p)) {
                        why = Some("a validation holds it to a pattern without room for markup of its own");
                    }
                }
                _ => {}
            }
        }
        true
    });
    why.filter(|_| errors)
}

/// A list that the code holds.
fn is_list(node: &Node) -> bool {
    match &node.kind {
        Kind::Const(_) | Kind::Array(_) => true,
        Kind::Call(call) => {
            matches!(call.name.as_str(), "keys" | "values" | "map" | "freeze" | "to_a" | "+" | "ids")
                && call.recv.as_ref().is_some_and(is_list)
        }
        _ => false,
    }
}

/// Whether a pattern fixes a whole text up to word characters: what stands in it as it is may be a
/// tag, but nobody can put in another.
fn fixes_markup(pattern: &str) -> bool {
    let inner = anchored_pattern(pattern, |part| match part {
        PatternPart::Escape(letter) => !matches!(letter, b'S' | b'W' | b'D' | b'H' | b'X'),
        PatternPart::Member(byte) => !matches!(byte, b'<' | b'>'),
        PatternPart::Plain(_) => true,
    });
    // Alternatives outside of a group have but one anchor each.
    inner.is_some_and(|inner| !inner.contains('|') || inner.contains('('))
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
            Some("inclusion" | "numericality" | "in" | "email" | "url" | "uri") => true,
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

/// Whether what a request sets is ever written into an attribute: `permit(:name)`, `attr_accessible`.
pub struct Writable {
    named: std::collections::HashMap<Name, Vec<FileId>>,
    /// Files that let a request set everything.
    all: Vec<FileId>,
}

impl Writable {
    /// Collects the names that requests may set, with the files that say so.
    pub fn find(context: &Context<'_, '_>) -> Self {
        let mut writable = Writable { named: std::collections::HashMap::new(), all: Vec::new() };
        const LISTS: &[&str] = &[
            "permit",
            "expect",
            "attr_accessible",
            "safe_attributes",
            "permit_params",
            "permitted_attributes",
            "parameter_filter",
            "argument",
            "optional",
            "requires",
        ];
        context.calls_named(LISTS, |file, _, call| {
            for arg in &call.args {
                if !matches!(arg.kind, Kind::Hash(_) | Kind::Array(_)) && literal_name(arg).is_none() {
                    // A list that is made elsewhere.
                    writable.all.push(file);
                }
                writable.note(file, arg);
            }
        });
        context
            .calls_named(&["permit!", "to_unsafe_h", "to_unsafe_hash"], |file, _, _| writable.all.push(file));
        for (file, code) in context.code_files() {
            if code.path.contains("permit")
                || code.path.contains("_params")
                || code.path.contains("strong_param")
            {
                writable.note(file, &code.parsed.body);
            }
        }
        writable
    }

    fn note(&mut self, file: FileId, list: &Node) {
        walk::each(list, &mut |node| {
            if let Some(name) = literal_name(node) {
                let files = self.named.entry(name).or_default();
                if files.last() != Some(&file) {
                    files.push(file);
                }
            }
            true
        });
    }

    /// Whether the attribute of `User#name` may be set from outside, as far as the code says: a file
    /// that speaks of the model lists it.
    pub fn has(&self, context: &Context<'_, '_>, words: &str) -> bool {
        if self.named.len() < 20 {
            return true;
        }
        let Some((model, attribute)) = words.split_once('#') else { return true };
        let app = context.app;
        let class = Name::from(model);
        // The model, and what inherits from it or it from.
        let mut family: Vec<Name> = app.index.ancestors(class).to_vec();
        family.push(class);
        family.extend(app.models.keys().copied().filter(|m| app.index.ancestors(*m).contains(&class)));
        let mut spellings: Vec<String> = Vec::new();
        for name in family.iter().filter(|n| app.models.contains_key(*n)) {
            let last = name.rsplit("::").next().unwrap_or(name);
            spellings.push(last.to_owned());
            spellings.push(wardroom_rails::underscore(last));
        }
        let speaks = |file: &FileId| {
            let file = context.file(*file);
            // A model speaks of many others without setting them.
            let within = !file.path.starts_with("app/models/");
            spellings
                .iter()
                .any(|s| file.path.contains(s.as_str()) || within && find(&file.text, s.as_bytes()))
        };
        let Some(named) = self.named.get(&Name::from(attribute)) else { return false };
        named.iter().any(speaks) || self.all.iter().any(speaks)
    }
}

/// Whether a text holds a word.
fn find(text: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && text.windows(word.len()).any(|w| w == word)
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

/// Whether the mark is set in a method that makes JSON or a hash: there it is lost.
fn is_data(context: &Context<'_, '_>, flow: &Flow) -> bool {
    context.method_at(flow.file, flow.span).is_some_and(|id| {
        matches!(
            context.app.index.method(id).name.as_str(),
            "as_json" | "to_json" | "serializable_hash" | "to_h" | "to_hash" | "attributes"
        )
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
    if flow.method == "html_safe" && is_data(context, flow) {
        confidence = Confidence::Low;
        reasons.push("the method hands it out as data, which no template takes for markup".to_owned());
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
        } else if !writable.has(context, &flow.words) {
            confidence = confidence.lower();
            reasons.push("no request seems to set this attribute".to_owned());
        }
    }
    (confidence, reasons.join("; "))
}
