//! Options and settings: one value changed, added or taken away.

use wardroom_rails::{FileId, literal_name};
use wardroom_ruby::ir::{Call, Kind, Node, Pair, Span};

use super::{Mend, call_at, replace};
use crate::context::Context;

/// Where the value of a setting stands, if it is written as a call that ends in a literal of this kind:
/// the `true` of `config.consider_all_requests_local = true`.
pub fn value_in_setting(context: &Context<'_, '_>, file: FileId, span: Span, wanted: &str) -> Option<Span> {
    let call = call_at(context, file, span)?;
    let value = call.args.last()?;
    let literal = matches!(value.kind, Kind::True | Kind::False);
    (literal && context.source(file, value.span) == wanted).then_some(value.span)
}

/// Where a keyword's value stands in the calls of a span.
pub fn keyword_span(context: &Context<'_, '_>, file: FileId, span: Span, names: &[&str]) -> Option<Span> {
    let call = call_at(context, file, span)?;
    let Kind::Hash(pairs) = &call.args.last()?.kind else { return None };
    let pair = pairs.iter().find(|p| literal_name(&p.key).is_some_and(|k| names.contains(&k.as_str())))?;
    (context.source(file, pair.value.span) == "false").then_some(pair.value.span)
}

/// The last argument of the call that a span covers.
pub fn last_argument<'a>(context: &Context<'_, 'a>, file: FileId, span: Span) -> Option<&'a Node> {
    call_at(context, file, span)?.args.last()
}

/// Adds pairs behind the last one of a hash, written as its neighbours are.
pub fn add_options(
    context: &Context<'_, '_>,
    title: &str,
    file: FileId,
    hash: &Node,
    added: &[(&str, &str)],
) -> Option<Mend> {
    let Kind::Hash(pairs) = &hash.kind else { return None };
    let last = pairs.last()?;
    let end = last.value.span.end.max(last.key.span.end);
    let value = context.source(file, last.value.span);
    if value.starts_with("<<") || value.contains('\n') || matches!(last.key.kind, Kind::DoubleSplat(_)) {
        return None;
    }
    let before = match pairs.len().checked_sub(2).map(|i| &pairs[i]) {
        Some(pair) => pair.value.span.end.max(pair.key.span.end),
        None => hash.span.start,
    };
    let between = context.source(file, Span { start: before, end: last.key.span.start });
    let separator = match between.rfind('\n') {
        Some(at) => format!(
            ",\n{}",
            between[at + 1..].chars().take_while(|c| *c == ' ' || *c == '\t').collect::<String>()
        ),
        None => ", ".to_owned(),
    };
    let after = context.file(file).text.get(end as usize..).unwrap_or_default();
    let commented = after.iter().find(|b| !matches!(b, b' ' | b'\t')) == Some(&b'#');
    let rockets = is_rocket(context, file, last);
    let mut text = String::new();
    for (key, value) in added {
        let pair = if rockets { format!(":{key} => {value}") } else { format!("{key}: {value}") };
        // A comment behind the last pair stays with it.
        let order = if commented { [pair, separator.clone()] } else { [separator.clone(), pair] };
        text.push_str(&order.concat());
    }
    if commented {
        let start = last.key.span.start;
        return Some(replace(title, file, Span { start, end: start }, text));
    }
    Some(replace(title, file, Span { start: end, end }, text))
}

fn is_rocket(context: &Context<'_, '_>, file: FileId, pair: &Pair) -> bool {
    let between = Span { start: pair.key.span.end, end: pair.value.span.start.max(pair.key.span.end) };
    context.source(file, between).contains("=>")
}

/// A value alone becomes a hash of itself and options: `{ value: token, httponly: true }`.
pub fn with_options(
    context: &Context<'_, '_>,
    title: &str,
    file: FileId,
    value: &Node,
    added: &[(&str, &str)],
) -> Option<Mend> {
    let source = context.source(file, value.span);
    if !super::is_plain(context, file, value) {
        return None;
    }
    let modern = context.app.rails() >= (3, 1);
    let pair = |key: &str, value: &str| {
        if modern { format!("{key}: {value}") } else { format!(":{key} => {value}") }
    };
    let mut text = format!("{{ {}", pair("value", &source));
    for (key, value) in added {
        text.push_str(", ");
        text.push_str(&pair(key, value));
    }
    text.push_str(" }");
    Some(replace(title, file, value.span, text))
}

/// The change that takes a pair out of a call, with the comma in front of it.
pub fn without_pair(
    context: &Context<'_, '_>,
    file: FileId,
    call: &Call,
    key: &str,
) -> Option<(FileId, Span, String)> {
    let hash = call.args.last()?;
    let Kind::Hash(pairs) = &hash.kind else { return None };
    if let [only] = pairs.as_slice() {
        let before = call.args.len().checked_sub(2).map(|i| &call.args[i])?;
        let named = literal_name(&only.key).is_some_and(|k| k == key);
        let span = Span { start: before.span.end, end: hash.span.end };
        return (named && is_comma_and_pair(&context.source(file, span)))
            .then(|| (file, span, String::new()));
    }
    without_key(context, file, hash, key)
}

/// The change that takes a pair out of a hash, with the comma in front of it.
pub fn without_key(
    context: &Context<'_, '_>,
    file: FileId,
    hash: &Node,
    key: &str,
) -> Option<(FileId, Span, String)> {
    let Kind::Hash(pairs) = &hash.kind else { return None };
    let at = pairs.iter().position(|p| literal_name(&p.key).is_some_and(|k| k == key))?;
    let before = &pairs[at.checked_sub(1)?];
    let start = before.value.span.end.max(before.key.span.end);
    let span = Span { start, end: pairs[at].value.span.end };
    is_comma_and_pair(&context.source(file, span)).then(|| (file, span, String::new()))
}

/// Nothing but the comma and the pair may go: no comment, no brace.
fn is_comma_and_pair(text: &str) -> bool {
    text.trim_start().starts_with(',') && !text.contains(['#', '{', '}', '('])
}
