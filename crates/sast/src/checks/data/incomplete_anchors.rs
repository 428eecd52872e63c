//! Checks of a text that look at one line of it only.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::{FileId, literal_name};
use wardroom_ruby::ir::{Call, Kind, Name, Node, Span};
use wardroom_ruby::walk;

use super::pattern::Pattern;
use super::{naming, place};
use crate::context::Context;
use crate::mend;

wardroom_model::rule! {
    /// A pattern that checks a whole text begins with `^` or ends with `$`: in Ruby these match at
    /// every line, not only at the text's ends.
    ///
    /// ## Why it is bad
    ///
    /// A text with a good line and a bad one passes: `"javascript:alert(1)/*\nhttp://good*/"` fits
    /// `/^http:/`. What follows takes the whole text for checked.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// return value if value =~ /^[a-z]+$/
    /// validates :url, format: { with: /^https?:/, multiline: true }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// return value if value.match?(/\A[a-z]+\z/)
    /// validates :url, format: { with: /\Ahttps?:/ }
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-777: Regular Expression without Anchors
    /// - CWE-625: Permissive Regular Expression
    /// - Rails guide "Securing Rails Applications", section on regular expressions
    rule: "incomplete-anchors", "A check that looks at one line only", DenialOfService, 777, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N"
}

/// Looks at validations, and at conditions that let a value through.
pub fn run(context: &Context<'_, '_>) {
    let hint = place::hint!(r"[/{(]\^|\$[/})]|\^#\{|%r|validates.*format|format:|with:");
    for (id, file) in context.code_files() {
        if file.is_template() || !hint.is_match(&file.text) || naming::is_aside(&file.path) {
            continue;
        }
        walk::each(&file.parsed.body, &mut |node| {
            match &node.kind {
                Kind::Call(call) if matches!(call.name.as_str(), "validates" | "validates_format_of") => {
                    validation(context, id, call)
                }
                Kind::Def(def) => body(context, id, def.name, &def.body),
                _ => {}
            }
            true
        });
    }
}

/// How a pattern stands to the ends of the text: `None` where it holds the whole text.
fn line_bound<'a>(context: &Context<'_, 'a>, id: FileId, node: &'a Node) -> Option<(bool, bool)> {
    let (source, flags, _) = place::pattern_source(context, id, node, 0)?;
    let read = Pattern::parse(&source, &flags)?;
    // A comment or an empty line is looked for line by line on purpose.
    (read.line_start && (read.line_end || read.text_end) || read.text_start && read.line_end)
        .then_some((read.line_start, read.line_end))
}

fn validation<'a>(context: &Context<'_, 'a>, id: FileId, call: &'a Call) {
    let format = place::keyword(call, "format");
    let (with, options) = match format.map(|f| &f.kind) {
        Some(Kind::Hash(pairs)) => (
            pairs.iter().find(|p| literal_name(&p.key).is_some_and(|k| k == "with")).map(|p| &p.value),
            format,
        ),
        Some(_) => (format, None),
        None if call.name == "validates_format_of" => (place::keyword(call, "with"), call.args.last()),
        None => return,
    };
    let Some(with) = with else { return };
    let multiline = options.is_some_and(|o| match &o.kind {
        Kind::Hash(pairs) => pairs.iter().any(|p| {
            literal_name(&p.key).is_some_and(|k| k == "multiline") && matches!(p.value.kind, Kind::True)
        }),
        _ => false,
    });
    if let Some(why) = unbound(context, id, with) {
        unbound_validation(context, id, call, with, why);
        return;
    }
    // Since Rails 4 a validation with `^` or `$` is an error unless `multiline` is said.
    if context.app.rails() >= (4, 0) && !multiline && format.is_some() {
        return;
    }
    let Some((source, flags, _)) = place::pattern_source(context, id, with, 0) else { return };
    let Some(read) = Pattern::parse(&source, &flags) else { return };
    if !(read.line_start || read.line_end && read.text_start) {
        return;
    }
    let attributes: Vec<String> = call.args.iter().filter_map(literal_name).map(|n| n.to_string()).collect();
    let delicate = attributes.iter().any(|a| {
        [
            "url",
            "uri",
            "link",
            "website",
            "path",
            "file",
            "host",
            "domain",
            "command",
            "html",
            "css",
            "redirect",
            "subdomain",
            "ip",
        ]
        .iter()
        .any(|w| naming::words(a).iter().any(|x| x == w))
    });
    context
        .finding(
            rule(),
            id,
            with.span,
            format!(
                "The check of `{}` looks at one line only: `^` and `$` match at every line",
                attributes.join("`, `")
            ),
        )
        .confidence(if delicate {
            Confidence::High
        } else if attributes.iter().any(|a| {
            ["mail", "email", "login", "username", "color", "mac", "identifier", "format"]
                .iter()
                .any(|w| naming::words(a).iter().any(|x| x == w))
        }) {
            Confidence::Medium
        } else {
            Confidence::Low
        })
        .severity(if delicate { Severity::Medium } else { Severity::Low })
        .remedy("Write `\\A` for `^` and `\\z` for `$`.")
        .mend(mend::anchors(context, id, with).map(|(title, mut changes)| {
            // `multiline: true` only allowed the other anchors.
            let out = if multiline {
                options.and_then(|o| mend::without_key(context, id, o, "multiline"))
            } else {
                None
            };
            changes.extend(out);
            (title, changes)
        }))
        .report();
}

/// Why a pattern holds no end of the text: it has no anchor of any kind, or it is made by a library
/// without any.
fn unbound<'a>(context: &Context<'_, 'a>, id: FileId, with: &'a Node) -> Option<&'static str> {
    if let Kind::Call(call) = &with.kind
        && matches!(call.name.as_str(), "regexp" | "make_regexp")
        && matches!(&call.recv, Some(Node { kind: Kind::Const(path), .. }) if path.iter().any(|n| n == "URI"))
    {
        return Some("the pattern of `URI` finds an address anywhere in the text");
    }
    let (source, flags, _) = place::pattern_source(context, id, with, 0)?;
    Pattern::parse(&source, &flags)?;
    // Taken with its brackets out, where `^` and `$` say something else.
    let mut anchored = false;
    let (mut escaped, mut bracket) = (false, 0u32);
    for c in source.chars() {
        match c {
            _ if escaped => {
                anchored |= matches!(c, 'A' | 'z' | 'Z' | 'G');
                escaped = false;
            }
            '\\' => escaped = true,
            '[' => bracket += 1,
            ']' => bracket = bracket.saturating_sub(1),
            '^' | '$' if bracket == 0 => anchored = true,
            _ => {}
        }
    }
    let repeats = source.contains(['*', '+', '{']);
    (!anchored && repeats && !source.contains("(?")).then_some("it has neither `\\A` nor `\\z`")
}

/// What is used as an address, a path or a part of a command: a good part in it makes it no better.
fn unbound_validation<'a>(
    context: &Context<'_, 'a>,
    id: FileId,
    call: &'a Call,
    with: &'a Node,
    why: &'static str,
) {
    let attributes: Vec<String> = call.args.iter().filter_map(literal_name).map(|n| n.to_string()).collect();
    let delicate = attributes.iter().any(|a| {
        [
            "url",
            "uri",
            "link",
            "website",
            "homepage",
            "path",
            "host",
            "hostname",
            "domain",
            "command",
            "redirect",
            "subdomain",
            "slug",
            "ip",
            "filename",
            "callback",
            "endpoint",
        ]
        .iter()
        .any(|w| naming::words(a).iter().any(|x| x == w))
    });
    // `url_schema: %w[http https]`: a check of the application's own looks at it as well.
    let others = call.args.last().is_some_and(|a| match &a.kind {
        Kind::Hash(pairs) => pairs.iter().filter_map(|p| literal_name(&p.key)).any(|k| {
            naming::words(&k)
                .iter()
                .any(|w| matches!(w.as_str(), "url" | "uri" | "scheme" | "schema" | "domain"))
        }),
        _ => false,
    });
    if !delicate || others {
        return;
    }
    context
        .finding(
            rule(),
            id,
            with.span,
            format!("The check of `{}` is content with a part of the text", attributes.join("`, `")),
        )
        .confidence(Confidence::Medium)
        .severity(Severity::Medium)
        .reason(why)
        .remedy("Begin the pattern with `\\A` and end it with `\\z`, so that it holds the whole text.")
        .report();
}

/// Conditions in a method that let the very value through that they check.
fn body<'a>(context: &Context<'_, 'a>, id: FileId, method: Name, node: &'a Node) {
    let words = naming::words(&method);
    let checks = words.iter().any(|w| {
        matches!(
            w.as_str(),
            "sanitize"
                | "sanitise"
                | "clean"
                | "cleanse"
                | "validate"
                | "valid"
                | "safe"
                | "escape"
                | "allowed"
                | "permitted"
                | "whitelist"
                | "whitelisted"
                | "filter"
                | "verify"
                | "check"
                | "legal"
                | "acceptable"
                | "authorize"
                | "sanitizer"
        )
    }) || method.ends_with('?')
        && words
            .iter()
            .any(|w| matches!(w.as_str(), "url" | "uri" | "path" | "local" | "internal" | "trusted"));
    walk::each(node, &mut |inner| {
        match &inner.kind {
            Kind::Def(_) | Kind::Module(_) => return false,
            Kind::If(branch) => {
                if let Some((subject, with, positive, span)) = matching(&branch.cond) {
                    let passed = if positive { &branch.then } else { &branch.otherwise };
                    let stopped = if positive { &branch.otherwise } else { &branch.then };
                    let hands_on = uses(passed, subject) && (returns(passed, subject) || ends(stopped));
                    let from_request = of_params(subject);
                    let turned_away = ends(stopped) && (from_request || checks);
                    if (hands_on || turned_away) && (checks || from_request) {
                        report(context, id, span, subject, with, checks);
                    }
                }
            }
            _ => {}
        }
        true
    });
    // `def safe_url?(url) url =~ /^http:…$/ end`
    let last = match &node.kind {
        Kind::Seq(nodes) => nodes.last(),
        _ => Some(node),
    };
    if let Some(last) = last.filter(|_| checks)
        && let Some((subject, with, _, span)) = matching(last)
    {
        report(context, id, span, subject, with, true);
    }
}

fn report<'a>(
    context: &Context<'_, 'a>,
    id: FileId,
    span: Span,
    subject: &Node,
    with: &'a Node,
    checks: bool,
) {
    let Some((start, end)) = line_bound(context, id, with) else { return };
    let marks = match (start, end) {
        (true, true) => "`^` and `$`",
        (true, false) => "`^`",
        _ => "`$`",
    };
    context
        .finding(
            rule(),
            id,
            span,
            format!(
                "`{}` is checked line by line: {marks} match at every line",
                context.source(id, subject.span)
            ),
        )
        .confidence(Confidence::Medium)
        .severity(if checks { Severity::Medium } else { Severity::Low })
        .remedy("Write `\\A` for `^` and `\\z` for `$`.")
        .mend(mend::anchors(context, id, with))
        .report();
}

/// A condition that matches a value with a pattern: the value, the pattern, whether a match lets it
/// through, and where it stands.
fn matching(node: &Node) -> Option<(&Node, &Node, bool, Span)> {
    match &node.kind {
        Kind::Not(inner) => matching(inner).map(|(s, w, p, span)| (s, w, !p, span)),
        Kind::Seq(nodes) if nodes.len() == 1 => matching(&nodes[0]),
        Kind::And(sides) => matching(&sides.0).or_else(|| matching(&sides.1)),
        Kind::Call(call) => {
            let recv = call.recv.as_ref()?;
            let argument = call.args.first();
            match call.name.as_str() {
                "=~" | "match" | "match?" | "!~" => {
                    let argument = argument?;
                    let positive = call.name != "!~";
                    if place::is_pattern(argument) || matches!(argument.kind, Kind::Const(_)) {
                        Some((recv, argument, positive, node.span))
                    } else if place::is_pattern(recv) || matches!(recv.kind, Kind::Const(_)) {
                        Some((argument, recv, positive, node.span))
                    } else {
                        None
                    }
                }
                "!" | "nil?" => matching(recv).map(|(s, w, p, span)| (s, w, !p, span)),
                "present?" | "zero?" => matching(recv),
                _ => None,
            }
        }
        _ => None,
    }
}

fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Local(x), Kind::Local(y)) | (Kind::Ivar(x), Kind::Ivar(y)) => x == y,
        (Kind::Call(x), Kind::Call(y)) => {
            x.name == y.name
                && x.args.len() == y.args.len()
                && x.args
                    .iter()
                    .zip(&y.args)
                    .all(|(a, b)| literal_name(a).is_some() && literal_name(a) == literal_name(b))
                && match (&x.recv, &y.recv) {
                    (None, None) => true,
                    (Some(a), Some(b)) => same(a, b),
                    _ => false,
                }
        }
        _ => false,
    }
}

fn uses(node: &Node, subject: &Node) -> bool {
    let mut found = false;
    walk::each(node, &mut |inner| {
        found |= same(inner, subject);
        !found
    });
    found
}

/// `return value`, or a branch that is the value itself.
fn returns(node: &Node, subject: &Node) -> bool {
    match &node.kind {
        Kind::Return(Some(value)) => same(value, subject),
        Kind::Seq(nodes) => nodes.last().is_some_and(|n| returns(n, subject)),
        _ => same(node, subject),
    }
}

/// A branch that ends the method: an error, a refusal.
fn ends(node: &Node) -> bool {
    match &node.kind {
        Kind::Return(_) => true,
        Kind::Seq(nodes) => nodes.iter().any(ends),
        Kind::Call(call) => {
            matches!(call.name.as_str(), "raise" | "head" | "fail" | "render_404" | "not_found")
                && call.recv.is_none()
        }
        _ => false,
    }
}

fn of_params(node: &Node) -> bool {
    matches!(&node.kind, Kind::Call(call) if matches!(call.name.as_str(), "[]" | "fetch")
        && call.recv.as_ref().is_some_and(|r| matches!(&r.kind, Kind::Call(p) if p.name == "params" && p.recv.is_none())))
}
