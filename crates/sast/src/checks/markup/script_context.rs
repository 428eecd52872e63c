//! Data inside of JavaScript in a page.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::*;

use super::pieces::{Pieces, Scope, Source};
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A value that a user controls is written into JavaScript: inside `<script>`, into an event
    /// handler such as `onclick`, into a `.js.erb` template, or into the code given to
    /// `javascript_tag` and `link_to_function`.
    ///
    /// ## Why it is bad
    ///
    /// Rails escapes for HTML. In a script other characters matter: a value without quotes around it
    /// is code as it stands; within quotes a backslash or a line's end breaks out, and in an event
    /// handler the browser takes the HTML escaping back before it runs the code.
    ///
    /// ## Example
    ///
    /// ```erb
    /// <script>var lat = <%= params[:lat] %>;</script>
    /// <a onclick="show('<%= @user.name %>')">
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```erb
    /// <div data-lat="<%= params[:lat] %>">
    /// <script>var lat = <%= raw json_escape(params[:lat].to_json) %>;</script>
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - OWASP, Cross Site Scripting Prevention Cheat Sheet, rules for JavaScript contexts
    rule: "script-context", "User data inside of a script", CrossSiteScripting, 79, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

const REMEDY: &str = "Put the value into a `data-` attribute and read it from the script, or write it as JSON: `raw json_escape(value.to_json)`.";

/// Looks at flows into scripts, and at code that is put together in Ruby.
pub fn run(context: &Context<'_, '_>) {
    let writable = place::Writable::find(context);
    let cleaning = place::cleaning_filter(context);
    let in_script = |c: Option<HtmlContext>| {
        matches!(c, Some(HtmlContext::Script | HtmlContext::ScriptString | HtmlContext::EventHandler))
    };
    let flows = context
        .flows_to(Mark::Script)
        .into_iter()
        .chain(context.flows_to(Mark::Html).into_iter().filter(|f| in_script(f.context)));
    for flow in flows {
        if !place::is_page(context, flow.file) && flow.method != "render" {
            continue;
        }
        // `<%= render … %>`, `<%= form.fields_for … %>`: what is in there is looked at by itself.
        let code = context.source(flow.file, flow.span);
        if ["render", "fields_for", "javascript_include_tag", "csrf"]
            .iter()
            .any(|w| code.trim_start().starts_with(w))
            || code.contains("escape_javascript")
            || code.contains("to_json") && context.app.rails() >= (4, 0)
        {
            continue;
        }
        let raw = flow.method == "raw output";
        let (mut confidence, reason) = place::weigh(context, flow, &writable, cleaning);
        let request = matches!(
            flow.source,
            SourceKind::Params | SourceKind::Cookie | SourceKind::Request | SourceKind::Upload
        );
        let quoted = flow.context == Some(HtmlContext::ScriptString) && !raw;
        if quoted {
            // HTML escaping takes the quote away; a backslash at the end still opens the string, which
            // whoever writes an address can put there.
            confidence = confidence.min(if request { Confidence::Medium } else { Confidence::Low });
        }
        let place = match flow.context {
            Some(HtmlContext::EventHandler) => "an event handler, where the browser undoes the HTML escaping",
            Some(HtmlContext::ScriptString) if raw => "a string of a script without escaping",
            Some(HtmlContext::ScriptString) => "a string of a script with the escaping of HTML",
            _ => "a script as code",
        };
        context
            .flow_finding(rule(), flow, format!("`{}` is written into {place}", flow.words))
            .confidence(confidence)
            .reason(reason)
            .severity(if request && !quoted { Severity::High } else { Severity::Medium })
            .remedy(REMEDY)
            .report();
    }
    built(context);
}

/// Code put together in Ruby: `link_to_function("…", "show('#{x}')")`, `onclick: "…#{x}"`.
/// Methods that take script, or attributes with script in them.
const BUILDERS: &[&str] = &[
    "link_to_function",
    "button_to_function",
    "javascript_tag",
    "update_page",
    "content_tag",
    "link_to",
    "button_tag",
    "submit_tag",
    "image_tag",
    "check_box_tag",
    "text_field_tag",
    "select_tag",
    "button_to",
    "tag",
];

fn built(context: &Context<'_, '_>) {
    let pieces = Pieces::new(context);
    let flagged: Vec<_> = context
        .flows
        .flows
        .iter()
        .filter(|f| f.mark == Mark::Html && f.method == "javascript_tag")
        .map(|f| (f.file, f.span))
        .collect();
    context.calls_named(BUILDERS, |file, node, call| {
        let own = call.recv.is_none() || matches!(&call.recv, Some(Node { kind: Kind::Local(n), .. }) if n == "page");
        let mut code: Vec<&Node> = Vec::new();
        match call.name.as_str() {
            "link_to_function" | "button_to_function" if own => code.extend(call.args.get(1)),
            "javascript_tag" | "update_page" if own => code.extend(call.args.first()),
            _ => {
                for arg in &call.args {
                    if let Kind::Hash(pairs) = &arg.kind {
                        for pair in pairs {
                            if wardroom_rails::literal_name(&pair.key).is_some_and(|k| k.starts_with("on") && k.len() > 4) {
                                code.push(&pair.value);
                            }
                        }
                    }
                }
            }
        }
        for value in code {
            if !matches!(&value.kind, Kind::Interp(_)) && !matches!(&value.kind, Kind::Call(c) if c.name == "+" || c.name == "%") {
                continue;
            }
            let scope = scope_at(context, file, node.span);
            let open: Vec<_> = pieces.open(value, &scope).into_iter().filter(|p| !is_escaped(&p.words)).collect();
            // `tags.each { |tag| link_to_function(tag, "find('#{tag}')") }`: of a record's list, in quotes.
            let listed = |p: &super::pieces::Piece| {
                let name = Name::from(p.words.as_str());
                p.source == Source::Unknown
                    && p.words.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                    && !super::pieces::is_fixed_name(&p.words)
                    && is_quoted(value)
                    && scope.member_of(name, p.span).is_some_and(is_of_record)
            };
            let Some(first) = open
                .first()
                .filter(|p| matches!(p.source, Source::Text | Source::Request))
                .or_else(|| open.iter().find(|p| listed(p)))
            else {
                continue;
            };
            if flagged.contains(&(file, node.span)) && first.source != Source::Request {
                continue;
            }
            context
                .finding(rule(), file, value.span, format!("`{}` becomes part of the code given to `{}`", first.words, call.name))
                .confidence(Confidence::Medium)
                .severity(Severity::Medium)
                .reason("the code does not escape it for JavaScript")
                .remedy("Escape it with `j(...)` inside of quotes, or put it into a `data-` attribute and read it from a script.")
                .report();
        }
    });
}

/// Whether a part of a script's text stands in quotes.
fn is_quoted(code: &Node) -> bool {
    match &code.kind {
        Kind::Interp(interp) => interp.parts.windows(2).any(|pair| {
            matches!(&pair[0].kind, Kind::Str(text) if text.ends_with(['\'', '"']))
                && !matches!(pair[1].kind, Kind::Str(_))
        }),
        _ => false,
    }
}

/// `model.tags`: a list that a record holds, or what is chosen of one.
fn is_of_record(collection: &Node) -> bool {
    let mut at = collection;
    loop {
        match &at.kind {
            Kind::Call(call) => match &call.recv {
                Some(Node { kind: Kind::Local(_) | Kind::Ivar(_), .. }) if call.args.is_empty() => {
                    return !super::pieces::is_fixed_name(&call.name)
                        && !matches!(
                            call.name.as_str(),
                            "keys" | "values" | "each" | "columns" | "fields" | "options"
                        );
                }
                Some(recv)
                    if matches!(
                        call.name.as_str(),
                        "sort"
                            | "uniq"
                            | "first"
                            | "sort_by"
                            | "limit"
                            | "order"
                            | "select"
                            | "reject"
                            | "map"
                    ) =>
                {
                    at = recv;
                }
                _ => return false,
            },
            _ => return false,
        }
    }
}

fn is_escaped(words: &str) -> bool {
    ["escape_javascript", "to_json", "j(", "j "]
        .iter()
        .any(|w| words.starts_with(w) || words.contains(&format!(".{w}")))
}

/// The scope of the method (or template) around a place.
pub fn scope_at<'a>(context: &Context<'_, 'a>, file: wardroom_rails::FileId, span: Span) -> Scope<'a> {
    match context.method_at(file, span) {
        Some(id) => Scope::of(context, context.app.index.method(id)),
        None => Scope::new(context, file, Name::from(""), &[], &context.file(file).parsed.body),
    }
}
