//! Helpers that mark text as markup without escaping it, or build markup by hand.

use std::collections::{BTreeMap, HashMap};

use wardroom_flow::Mark;
use wardroom_model::Confidence;
use wardroom_rails::{FileId, Habitat, MethodId};
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use super::pieces::{Piece, Pieces, Scope, Source, argument};
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A helper, component or model method marks a value `html_safe` that it was given or that it
    /// reads from a record, joins unescaped parts with `.join(...).html_safe`, or puts them into a
    /// string of tags by hand. Whoever calls it cannot see that the value is no longer escaped.
    ///
    /// ## Why it is bad
    ///
    /// The first caller that hands over a name, a title or an error message opens the page to
    /// scripts, however careful its own template is.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// def badge(text)
    ///   "<span class='badge'>#{text}</span>".html_safe
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// def badge(text)
    ///   content_tag(:span, text, class: "badge")
    /// end
    /// ```
    ///
    /// For lists, `safe_join(items, ", ")` escapes what is not markup yet.
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - Rails API, `ActionView::Helpers::OutputSafetyHelper#safe_join`
    rule: "unescaped-helper-markup", "A helper marks unescaped text as markup", CrossSiteScripting, 79, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"
}

const REMEDY: &str = "Escape each part: `content_tag` or `tag` for the tags, `safe_join` for lists, `h` within a string; `sanitize` where markup is wanted.";

/// A place where parts become markup.
struct Place {
    file: FileId,
    span: Span,
    method: Option<MethodId>,
    /// What marks it: `html_safe`, `raw`, or nothing where tags are put together by hand.
    marker: Option<Name>,
    open: Vec<Piece>,
    /// `list.join(", ").html_safe`
    joined: bool,
}

/// Looks at every `html_safe` and `raw`, and at strings of tags in helpers.
pub fn run(context: &Context<'_, '_>) {
    let pieces = Pieces::new(context);
    let mut places: Vec<Place> = Vec::new();
    // Before Rails 3 the helpers that make tags did not escape what they put between them.
    let old = context.app.rails() < (3, 0) && !context.app.gems.has("rails_xss");
    for (number, method) in context.app.index.methods.iter().enumerate() {
        let id = MethodId(number as u32);
        if context.file(method.file).is_template() || is_test(&context.file(method.file).path) {
            continue;
        }
        let helper =
            matches!(context.app.habitat(method.owner, method.file), Habitat::Helper | Habitat::View);
        let mut within = Vec::new();
        let page = helper
            || matches!(
                context.app.habitat(method.owner, method.file),
                Habitat::Controller | Habitat::Mailer
            );
        find(method.body, helper, page, helper && old, &mut within);
        if within.is_empty() {
            continue;
        }
        let scope = pieces.scope(id);
        for (node, marker) in within {
            judge(context, &pieces, method.file, Some(id), &scope, node, marker, &mut places);
        }
    }
    for (file, code) in context.code_files() {
        if !code.is_template() || !place::is_page(context, file) {
            continue;
        }
        let mut within = Vec::new();
        find(&code.parsed.body, false, true, false, &mut within);
        if within.is_empty() {
            continue;
        }
        let scope = Scope::new(context, file, Name::from(""), &[], &code.parsed.body);
        for (node, marker) in within {
            judge(context, &pieces, file, None, &scope, node, marker, &mut places);
        }
    }
    context.each_output(|file, out| in_attribute(context, &pieces, file, out));
    report(context, &pieces, &places);
}

/// `title="<%= strip_tags(text) %>"`: what takes out tags says that its result is markup, so nobody
/// escapes the quotes in it.
fn in_attribute<'a>(context: &Context<'_, 'a>, pieces: &Pieces<'_, '_, 'a>, file: FileId, out: &'a Out) {
    if !matches!(out.context, HtmlContext::Quoted | HtmlContext::UrlStart | HtmlContext::UrlRest) {
        return;
    }
    let Kind::Call(call) = &out.value.kind else { return };
    let (call, marked) = match call.name.as_str() {
        "html_safe" => match call.recv.as_ref().map(|r| &r.kind) {
            Some(Kind::Call(inner)) => (inner, true),
            _ => return,
        },
        "raw" if call.recv.is_none() => match call.args.first().map(|r| &r.kind) {
            Some(Kind::Call(inner)) => (inner, true),
            _ => return,
        },
        _ => (call, out.escape == Escape::Raw),
    };
    let plain = match call.name.as_str() {
        "sanitize" => true,
        "strip_tags" => marked || context.app.rails() >= (6, 0),
        _ => false,
    };
    let Some(text) = call.args.first().filter(|_| plain && call.recv.is_none()) else { return };
    if context.app.view_methods.contains_key(&call.name) || !place::is_page(context, file) {
        return;
    }
    let scope = Scope::new(context, file, Name::from(""), &[], &context.file(file).parsed.body);
    let Some(piece) = pieces.open(text, &scope).into_iter().next() else { return };
    context
        .finding(
            rule(),
            file,
            out.value.span,
            format!("`{}` keeps the quotes in `{}`, and its result is not escaped in this attribute", call.name, piece.words),
        )
        .confidence(Confidence::Medium)
        .reason("a quote in the text ends the attribute, and what follows is an attribute of its own")
        .remedy("Hand on plain text that Rails escapes: `strip_tags(text).to_str`, or `h(strip_tags(text))` on a plain string.")
        .report();
}

fn is_test(path: &str) -> bool {
    ["spec/", "test/", "features/"].iter().any(|p| path.starts_with(p) || path.contains(&format!("/{p}")))
}

type Found<'a> = (&'a Node, Option<Name>);

/// Places in a body, outermost first; methods within are looked at by themselves.
fn find<'a>(body: &'a Node, by_hand: bool, by_page: bool, tags: bool, out: &mut Vec<Found<'a>>) {
    walk::each(body, &mut |node| {
        match &node.kind {
            Kind::Def(_) => return false,
            Kind::Call(call) => match call.name.as_str() {
                "html_safe" if call.recv.is_some() => out.push((node, Some(call.name))),
                "raw" if by_page && call.args.len() == 1 && call.recv.is_none() => {
                    out.push((node, Some(call.name)))
                }
                "content_tag"
                    if tags && call.recv.is_none() && call.block.is_none() && call.args.len() > 1 =>
                {
                    out.push((node, Some(call.name)))
                }
                "%" if by_hand && call.recv.as_ref().is_some_and(has_tag) => out.push((node, None)),
                _ => {}
            },
            Kind::Interp(_) if by_hand && has_tag(node) => out.push((node, None)),
            _ => {}
        }
        true
    });
}

/// Whether a string (or a translation of one) holds a tag.
fn has_tag(node: &Node) -> bool {
    let tag = |text: &str| {
        text.match_indices('<').any(|(at, _)| {
            let rest = text[at + 1..].trim_start_matches('/');
            let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            matches!(
                name.as_str(),
                "a" | "b"
                    | "i"
                    | "p"
                    | "br"
                    | "div"
                    | "span"
                    | "strong"
                    | "em"
                    | "li"
                    | "ul"
                    | "td"
                    | "tr"
                    | "th"
                    | "img"
                    | "h1"
                    | "h2"
                    | "h3"
                    | "h4"
                    | "script"
                    | "table"
                    | "label"
                    | "input"
                    | "pre"
                    | "code"
                    | "small"
                    | "iframe"
                    | "style"
                    | "button"
                    | "option"
                    | "dt"
                    | "dd"
                    | "abbr"
                    | "blockquote"
                    | "form"
                    | "meta"
                    | "link"
            )
        })
    };
    match &node.kind {
        Kind::Str(text) => tag(text),
        Kind::Interp(interp) => {
            interp.form == Form::Str
                && interp.parts.iter().any(|p| matches!(&p.kind, Kind::Str(text) if tag(text)))
        }
        Kind::Call(call) => matches!(call.name.as_str(), "_" | "n_" | "s_") && call.args.iter().any(has_tag),
        _ => false,
    }
}

#[expect(clippy::too_many_arguments)]
fn judge<'a>(
    context: &Context<'_, 'a>,
    pieces: &Pieces<'_, '_, 'a>,
    file: FileId,
    method: Option<MethodId>,
    scope: &Scope<'a>,
    node: &'a Node,
    marker: Option<Name>,
    out: &mut Vec<Place>,
) {
    // A class's own method of that name is not the one of Rails.
    if marker.is_some_and(|m| m == "raw" && context.app.index.find(scope.class, m).is_some()) {
        return;
    }
    let Kind::Call(call) = &node.kind else {
        push(file, node.span, method, None, pieces.open(node, scope), false, out);
        return;
    };
    let inner = match marker.as_deref() {
        Some("html_safe") => call.recv.as_ref(),
        Some("content_tag") => call.args.get(1),
        Some(_) => call.args.first(),
        None => Some(node),
    };
    let Some(inner) = inner else { return };
    let open = pieces.open(inner, scope);
    if open.is_empty() {
        return;
    }
    if marker.is_some() {
        let nodes = place::chain(context, file, node.span);
        let before = nodes.iter().rposition(|n| std::ptr::eq(*n, node)).unwrap_or(nodes.len());
        if place::is_cleaned_around(&nodes[..before]) || asked_for_safety(&nodes) {
            return;
        }
    }
    let joined = matches!(&inner.kind, Kind::Call(c) if c.name == "join")
        && method.is_some()
        && matches!(context.app.habitat(scope.class, file), Habitat::Helper | Habitat::View);
    push(file, node.span, method, marker, open, joined, out);
}

/// Whether this runs only where the value was markup already: `if text.html_safe?`.
fn asked_for_safety(nodes: &[&Node]) -> bool {
    nodes.windows(2).any(|pair| match &pair[0].kind {
        Kind::If(branches) => {
            std::ptr::eq(&branches.then, pair[1])
                && matches!(&branches.cond.kind, Kind::Call(call) if call.name == "html_safe?")
        }
        _ => false,
    })
}

fn push(
    file: FileId,
    span: Span,
    method: Option<MethodId>,
    marker: Option<Name>,
    open: Vec<Piece>,
    joined: bool,
    out: &mut Vec<Place>,
) {
    if open.is_empty() {
        return;
    }
    // `"<b>#{x}</b>".html_safe`: once.
    if marker.is_none()
        && out
            .iter()
            .rev()
            .take(6)
            .any(|p| p.file == file && p.span.start <= span.start && span.end <= p.span.end)
    {
        return;
    }
    out.push(Place { file, span, method, marker, open, joined });
}

/// What the callers of a method hand over for one of its parameters.
#[derive(Default)]
struct Handed {
    calls: u32,
    /// Calls that hand over something unescaped.
    open: Vec<(FileId, Span, Piece)>,
}

/// Parameters whose callers decide: by name and method, with the key read from each.
type Wanted = BTreeMap<(Name, MethodId), Vec<(usize, Option<Name>)>>;

fn report<'a>(context: &Context<'_, 'a>, pieces: &Pieces<'_, '_, 'a>, places: &[Place]) {
    let writable = place::Writable::find(context);
    let cleaning = place::cleaning_filter(context);
    // The engine has followed an outsider's data to these.
    let known: Vec<(FileId, Span)> = context
        .flows
        .flows
        .iter()
        .filter(|f| {
            f.mark == Mark::Html && place::weigh(context, f, &writable, cleaning).0 >= Confidence::Medium
        })
        .map(|f| (f.file, f.span))
        .collect();
    let mut wanted = Wanted::new();
    for place in places {
        if let Some(id) = place.method {
            let name = context.app.index.method(id).name;
            for piece in &place.open {
                if let Source::Param(position) = piece.source {
                    let list = wanted.entry((name, id)).or_default();
                    if !list.contains(&(position, piece.key)) {
                        list.push((position, piece.key));
                    }
                }
            }
        }
    }
    let handed = callers(context, pieces, &wanted);
    for place in places {
        if known.contains(&(place.file, place.span)) {
            continue;
        }
        let best = place
            .open
            .iter()
            .map(|p| (weight(context, p, place, &handed), p))
            .max_by_key(|((confidence, _), _)| *confidence);
        let Some(((confidence, why), piece)) = best else { continue };
        let confidence =
            if cleaning.is_some() || (place.method.is_none() && place::is_mail(context, place.file)) {
                Confidence::Low
            } else {
                confidence
            };
        let unused = confidence > Confidence::Low && place.method.is_some_and(|id| is_unused(context, id));
        let (confidence, why) = if unused {
            (Confidence::Low, "nothing in the application calls this helper".to_owned())
        } else {
            (confidence, why)
        };
        let message = match place.marker {
            Some(marker) => format!("`{}` is not escaped and `{marker}` takes it for markup", piece.words),
            None => format!("`{}` is put between tags without being escaped", piece.words),
        };
        // Between tags put together over several lines, the part itself is the place.
        let within = place.span.start <= piece.span.start && piece.span.end <= place.span.end;
        let span = if place.marker.is_none() && within { piece.span } else { place.span };
        context
            .finding(rule(), place.file, span, message)
            .confidence(confidence)
            .reason(why)
            .remedy(REMEDY)
            .report();
        // The callers are where somebody's text comes in.
        if let (Some(id), Source::Param(position)) = (place.method, piece.source)
            && let Some(handed) = handed.get(&(id, position, piece.key))
        {
            let name = context.app.index.method(id).name;
            for (file, span, given) in handed
                .open
                .iter()
                .filter(|(_, _, g)| matches!(g.source, Source::Text | Source::Request))
                .take(4)
            {
                context
                    .finding(
                        rule(),
                        *file,
                        *span,
                        format!("`{}` is handed to `{name}`, which takes it for markup", given.words),
                    )
                    .confidence(if cleaning.is_some() { Confidence::Low } else { Confidence::Medium })
                    .step(*file, given.span, format!("`{}` is handed over", given.words))
                    .step(place.file, place.span, "taken for markup")
                    .reason(format!("`{name}` does not escape its `{}`", piece.words))
                    .remedy(format!("Escape it here with `h(...)`, or better within `{name}`."))
                    .report();
            }
        }
    }
}

/// Whether the words are a call of another helper of the application, whose own text was looked
/// through; what a method makes of its own results is judged here.
fn is_other_helper(place: &Place, words: &str, context: &Context<'_, '_>) -> bool {
    words.split_once('(').is_some_and(|(name, _)| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && place.method.is_none_or(|id| context.app.index.method(id).name != name)
    })
}

/// Whether a helper is named nowhere in the application: not called, not sent, not handed on. What
/// an engine or a library offers is called from outside.
fn is_unused(context: &Context<'_, '_>, id: MethodId) -> bool {
    let app = context.app;
    let method = app.index.method(id);
    let path = &context.file(method.file).path;
    if !path.starts_with("app/helpers/") || app.habitat(method.owner, method.file) != Habitat::Helper {
        return false;
    }
    // An engine without pages of its own offers its helpers to others.
    if !app.files.iter().any(|f| f.is_template() && f.path.starts_with("app/views/")) {
        return false;
    }
    let mut called = false;
    context.calls_named(&[method.name.as_str()], |_, _, _| called = true);
    if called {
        return false;
    }
    // `send(:name)`, `helper_method :name`, and names handed on in another way.
    let Ok(word) = regex::bytes::Regex::new(&format!(r"\b{}\b", regex::escape(&method.name))) else {
        return false;
    };
    context
        .code_files()
        .all(|(file, code)| word.find_iter(&code.text).count() <= usize::from(file == method.file))
}

fn weight(
    context: &Context<'_, '_>,
    piece: &Piece,
    place: &Place,
    handed: &HashMap<Asked, Handed>,
) -> (Confidence, String) {
    match piece.source {
        Source::Text if piece.converted => {
            (Confidence::Medium, "the converter lets tags through that stand in the text".to_owned())
        }
        Source::Request => (Confidence::Medium, "it is what the request says".to_owned()),
        Source::Text => (Confidence::Medium, "it reads like a text that somebody has written".to_owned()),
        // `list.join(", ").html_safe` with a part that nothing vouches for.
        Source::Unknown if place.joined && !is_other_helper(place, &piece.words, context) => (
            Confidence::Medium,
            "`join` does not escape, and nothing shows that all the parts are markup".to_owned(),
        ),
        Source::Unknown => (Confidence::Low, "nothing is known of it".to_owned()),
        Source::Param(position) => {
            let Some(id) = place.method else {
                return (Confidence::Low, "nothing is known of it".to_owned());
            };
            match handed.get(&(id, position, piece.key)) {
                Some(handed) if !handed.open.is_empty() => {
                    let strong = handed
                        .open
                        .iter()
                        .filter(|(_, _, p)| {
                            // Messages of validations quote what was typed in.
                            matches!(p.source, Source::Text | Source::Request) || p.words.contains("errors")
                        })
                        .count();
                    let why = format!(
                        "{} of {} known calls hand over something that is not escaped",
                        handed.open.len(),
                        handed.calls
                    );
                    // Where most of many calls go by unescaped, somebody's text is among them.
                    let many = handed.open.len() >= 12 && handed.open.len() * 2 > handed.calls as usize;
                    let told = strong > 0 || many || piece.converted;
                    (if told { Confidence::Medium } else { Confidence::Low }, why)
                }
                Some(handed) if handed.calls > 0 => (
                    Confidence::Low,
                    format!(
                        "all {} known calls hand over what the code itself has written or escaped",
                        handed.calls
                    ),
                ),
                _ if piece.converted => (
                    Confidence::Medium,
                    "the converter lets tags through, and who calls this is not known".to_owned(),
                ),
                _ => (Confidence::Low, "who calls this is not known".to_owned()),
            }
        }
    }
}

/// A method, the position of a parameter, and the key that is read from it.
type Asked = (MethodId, usize, Option<Name>);

/// How far a value that is only handed on is followed through the callers of callers.
const HANDED_ON: u32 = 3;

fn callers<'a>(
    context: &Context<'_, 'a>,
    pieces: &Pieces<'_, '_, 'a>,
    wanted: &Wanted,
) -> HashMap<Asked, Handed> {
    let mut templates = HashMap::new();
    let mut out = HashMap::new();
    let mut asked = wanted.clone();
    for _ in 0..HANDED_ON {
        let found = direct_callers(context, pieces, &asked, &mut templates);
        // What a caller hands on of its own parameters is asked of its callers.
        let mut next = Wanted::new();
        for handed in found.values() {
            for (file, span, piece) in &handed.open {
                let Source::Param(position) = piece.source else { continue };
                let Some(id) = context.method_at(*file, *span) else { continue };
                if !out.contains_key(&(id, position, piece.key))
                    && !found.contains_key(&(id, position, piece.key))
                {
                    let list = next.entry((context.app.index.method(id).name, id)).or_default();
                    if !list.contains(&(position, piece.key)) {
                        list.push((position, piece.key));
                    }
                }
            }
        }
        out.extend(found);
        if next.is_empty() {
            break;
        }
        asked = next;
    }
    // In place of a call that hands a parameter on stands what its own callers hand over.
    for _ in 0..HANDED_ON {
        let mut joined: Vec<(Asked, Handed)> = Vec::new();
        for (key, handed) in &out {
            let mut ends = Handed { calls: handed.calls, open: Vec::new() };
            let mut changed = false;
            for (file, span, piece) in &handed.open {
                let through = match piece.source {
                    Source::Param(position) => context
                        .method_at(*file, *span)
                        .and_then(|id| out.get(&(id, position, piece.key)).filter(|_| id != key.0)),
                    _ => None,
                };
                match through {
                    Some(inner) if inner.calls > 0 => {
                        changed = true;
                        ends.calls += inner.calls - 1;
                        ends.open.extend(inner.open.iter().take(8).cloned());
                    }
                    _ => ends.open.push((*file, *span, piece.clone())),
                }
            }
            if changed {
                joined.push((*key, ends));
            }
        }
        if joined.is_empty() {
            break;
        }
        out.extend(joined);
    }
    out
}

fn direct_callers<'a>(
    context: &Context<'_, 'a>,
    pieces: &Pieces<'_, '_, 'a>,
    wanted: &Wanted,
    templates: &mut HashMap<FileId, std::rc::Rc<Scope<'a>>>,
) -> HashMap<Asked, Handed> {
    let mut out: HashMap<Asked, Handed> = HashMap::new();
    let mut by_name: BTreeMap<Name, Vec<MethodId>> = BTreeMap::new();
    for (name, id) in wanted.keys() {
        by_name.entry(*name).or_default().push(*id);
    }
    let names: Vec<&str> = by_name.keys().map(Name::as_str).collect();
    context.calls_named(&names, |file, node, call| {
        let own = match &call.recv {
            None => true,
            Some(Node { kind: Kind::Call(inner), .. }) => {
                inner.recv.is_none() && matches!(inner.name.as_str(), "helpers" | "view_context" | "h")
            }
            Some(Node { kind: Kind::SelfRef, .. }) => true,
            _ => false,
        };
        let Some(ids) = by_name.get(&call.name).filter(|_| own) else { return };
        let code = context.file(file);
        let scope = if code.is_template() {
            std::rc::Rc::clone(templates.entry(file).or_insert_with(|| {
                std::rc::Rc::new(Scope::new(context, file, Name::from(""), &[], &code.parsed.body))
            }))
        } else {
            let Some(id) = context.method_at(file, node.span).filter(|_| !is_test(&code.path)) else {
                return;
            };
            pieces.scope(id)
        };
        let target = pieces.resolve(call, &scope);
        for id in ids.iter().filter(|id| target == Some(**id)) {
            let params = context.app.index.method(*id).params;
            for (position, key) in wanted.get(&(call.name, *id)).into_iter().flatten() {
                let handed = out.entry((*id, *position, *key)).or_default();
                handed.calls += 1;
                let arg = argument(call, params, *position, *key);
                // `field(f, options)`: the key is in a hash that was made elsewhere.
                let arg = arg.or_else(|| {
                    call.args.get(*position).filter(|a| key.is_some() && !matches!(a.kind, Kind::Hash(_)))
                });
                if let Some(arg) = arg
                    && let Some(mut piece) = pieces.open(arg, &scope).into_iter().next()
                {
                    // The whole hash is handed on, and the key is read from it there.
                    if key.is_some() && piece.key.is_none() && matches!(arg.kind, Kind::Local(_)) {
                        piece.key = *key;
                    }
                    handed.open.push((file, arg.span, piece));
                }
            }
        }
    });
    out
}
