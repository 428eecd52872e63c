//! JSON written into a script without escaping.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// JSON is written into a `<script>` without escaping `</`: by `JSON.generate`, `Oj.dump` or
    /// another generator, or by `to_json` where Rails does not escape (before 4.0, or with
    /// `escape_html_entities_in_json = false`).
    ///
    /// ## Why it is bad
    ///
    /// A browser ends the script at the first `</script>`, wherever it stands. A name that holds it
    /// goes on with a script of its own.
    ///
    /// ## Example
    ///
    /// ```erb
    /// <script>var user = <%= raw JSON.generate(@user.attributes) %>;</script>
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```erb
    /// <script>var user = <%= raw json_escape(@user.to_json) %>;</script>
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - Rails API, `ERB::Util#json_escape`
    rule: "json-in-script", "JSON in a script without escaping", CrossSiteScripting, 79, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at what templates write into scripts, and at scripts that helpers put together.
pub fn run(context: &Context<'_, '_>) {
    let escapes = context.app.rails() >= (4, 0)
        && context.app.config.flag("active_support.escape_html_entities_in_json") != Some(false);
    context.each_output(|file, out| {
        let script = matches!(out.context, HtmlContext::Script | HtmlContext::ScriptString);
        if !script || !place::is_page(context, file) || place::is_script_page(context, file) {
            return;
        }
        let marked = marked(&out.value);
        let raw = out.escape == Escape::Raw || marked.is_some();
        // `JSON.parse('<%= raw data.to_json %>')`
        if raw && out.context == HtmlContext::ScriptString {
            quoted(context, file, marked.unwrap_or(&out.value));
        }
        if raw {
            json(context, file, marked.unwrap_or(&out.value), escapes);
        }
    });
    // `content_tag(:script) { "var x = #{x.to_json}".html_safe }`
    context.calls_named(&["javascript_tag", "content_tag", "tag"], |file, script, call| {
        let named = call.args.first().and_then(wardroom_rails::literal_name);
        if context.file(file).is_template()
            || call.name != "javascript_tag" && named.is_none_or(|n| n != "script")
        {
            return;
        }
        let Some(method) = context.method_at(file, script.span) else { return };
        let method = context.app.index.method(method);
        walk::each(script, &mut |node| {
            let Kind::Interp(interp) = &node.kind else { return true };
            for part in &interp.parts {
                let Kind::Local(name) = &part.kind else {
                    json_at(context, file, part, part.span, escapes);
                    continue;
                };
                let mut value = None;
                walk::each(method.body, &mut |n| {
                    if let Kind::Assign(assign) = &n.kind
                        && matches!(assign.target.kind, Kind::Local(other) if other == *name)
                    {
                        value = Some(&assign.value);
                    }
                    true
                });
                if let Some(value) = value {
                    json_at(context, file, value, part.span, escapes);
                }
            }
            true
        });
    });
}

/// What `raw(x)` and `x.html_safe` mark.
fn marked(node: &Node) -> Option<&Node> {
    let Kind::Call(call) = &node.kind else { return None };
    match call.name.as_str() {
        "html_safe" => call.recv.as_ref(),
        "raw" if call.recv.is_none() => call.args.first(),
        _ => None,
    }
}

/// JSON between the quotes of a script: a quote in the data ends the string.
fn quoted(context: &Context<'_, '_>, file: FileId, value: &Node) {
    let Kind::Call(call) = &value.kind else { return };
    let Some(recv) = call.recv.as_ref().filter(|_| call.name == "to_json") else { return };
    if is_literal(recv) {
        return;
    }
    context
        .finding(rule(), file, value.span, "`to_json` stands between the quotes of a script, and leaves `'` as it is")
        .confidence(Confidence::Medium)
        .severity(Severity::Medium)
        .reason("a quote in the data ends the string, and what follows is code")
        .remedy("Leave the quotes away (`var data = <%= raw json_escape(data.to_json) %>`), or escape the JSON with `j`.")
        .report();
}

fn json(context: &Context<'_, '_>, file: FileId, value: &Node, escapes: bool) {
    json_at(context, file, value, value.span, escapes);
}

fn json_at(context: &Context<'_, '_>, file: FileId, value: &Node, span: Span, escapes: bool) {
    let Kind::Call(call) = &value.kind else { return };
    let generator = match (&call.recv, call.name.as_str()) {
        (
            Some(Node { kind: Kind::Const(path), .. }),
            "generate" | "pretty_generate" | "dump" | "fast_generate" | "encode",
        ) => {
            let name = wardroom_rails::path_name(path);
            if !matches!(name.as_str(), "JSON" | "Oj" | "MultiJson" | "Yajl::Encoder" | "::JSON") {
                return;
            }
            format!("{name}.{}", call.name)
        }
        (Some(recv), "to_json") if !escapes => {
            // A list or hash that the code itself has written.
            if is_literal(recv) {
                return;
            }
            "to_json".to_owned()
        }
        _ => return,
    };
    let data = if call.name == "to_json" { call.recv.as_ref() } else { call.args.first() };
    if data.is_some_and(is_literal) {
        return;
    }
    context
        .finding(rule(), file, span, format!("`{generator}` does not escape `</script>`"))
        .confidence(Confidence::Medium)
        .severity(Severity::Medium)
        .reason("what is in the data is not looked at")
        .remedy("Write `raw json_escape(value.to_json)`, or put the JSON into a `data-` attribute.")
        .report();
}

/// Values of the code's own: literals, translations, ids and numbers.
fn is_literal(node: &Node) -> bool {
    match &node.kind {
        Kind::Str(_)
        | Kind::Sym(_)
        | Kind::Int(_)
        | Kind::Float(_)
        | Kind::Nil
        | Kind::True
        | Kind::False
        | Kind::Const(_) => true,
        Kind::Array(items) => items.iter().all(is_literal),
        Kind::Hash(pairs) => pairs.iter().all(|p| is_literal(&p.value)),
        Kind::Call(call) => {
            call.recv.is_none() && matches!(call.name.as_str(), "t" | "l" | "_" | "translate")
                || super::pieces::is_fixed_name(&call.name)
                || call.name == "t"
                || call.name.contains("locale")
                || call.name.contains("javascript_strings")
        }
        _ => false,
    }
}
