//! Pages that a controller writes as a string.

use wardroom_flow::Mark;
use wardroom_model::Confidence;
use wardroom_ruby::ir::*;

use super::pieces::{Pieces, Source};
use super::script_context::scope_at;
use crate::context::Context;

wardroom_model::rule! {
    /// A controller answers with a string that it has put together itself: `render text:` (an HTML
    /// page before Rails 5.1) or `render html:` with a string marked `html_safe`.
    ///
    /// ## Why it is bad
    ///
    /// `render text:` does not escape and is sent as `text/html`: markup in a value is run.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// render text: "<pre>#{@host.info.to_yaml}</pre>"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// render plain: @host.info.to_yaml
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - Rails guide "Layouts and Rendering", `plain`, `html` and `body`
    rule: "render-text-as-page", "A page written as a string without escaping", CrossSiteScripting, 79, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at `render text:` before Rails 5.1, and at markup in `render html:`.
pub fn run(context: &Context<'_, '_>) {
    let old = context.app.rails() < (5, 1);
    let pieces = Pieces::new(context);
    context.calls_named(&["render", "render_to_string"], |file, node, call| {
        if call.recv.is_some() || call.args.len() != 1 || context.file(file).is_template() {
            return;
        }
        let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.first() else { return };
        let value = |wanted: &str| pairs.iter().find(|p| wardroom_rails::literal_name(&p.key).is_some_and(|k| k == wanted)).map(|p| &p.value);
        let Some(text) = value("text").filter(|_| old) else { return };
        // `content_type: "text/plain"`, or within `format.xml { … }`.
        if value("content_type").is_some_and(|t| !context.source(file, t.span).contains("html")) {
            return;
        }
        if inside_other_format(context, file, node.span) {
            return;
        }
        let flow = context.flows.flows.iter().find(|f| f.mark == Mark::Html && f.file == file && f.span == node.span && !f.unknown_call);
        let scope = scope_at(context, file, node.span);
        let open = pieces.open(text, &scope);
        let markup = matches!(&text.kind, Kind::Interp(i) if i.parts.iter().any(|p| matches!(&p.kind, Kind::Str(t) if t.contains('<'))));
        if let Some(flow) = flow {
            context.flow_finding(rule(), flow, format!("`{}` is sent as a page by `render text:`", flow.words)).remedy("Use `render plain:`, or a template.").report();
        } else if let Some(first) = open.first() {
            let sure = first.source >= Source::Text || markup;
            context
                .finding(rule(), file, node.span, format!("`{}` is sent as a page by `render text:`", first.words))
                .confidence(if sure && !is_rendering(&first.words) { Confidence::Medium } else { Confidence::Low })
                .reason("`render text:` is sent as HTML and escapes nothing")
                .remedy("Use `render plain:`, or a template.")
                .report();
        }
    });
}

/// What is serialized for programs, or rendered already.
fn is_rendering(words: &str) -> bool {
    ["to_json", "to_xml", "to_csv", "to_ical", "to_pdf", "to_html", "to_s", "render"]
        .iter()
        .any(|w| words.contains(w))
        && !words.contains("to_yaml")
}

/// `format.json { render text: … }`
fn inside_other_format(context: &Context<'_, '_>, file: wardroom_rails::FileId, span: Span) -> bool {
    super::place::chain(context, file, span).iter().any(|n| match &n.kind {
        Kind::Call(call) => {
            matches!(&call.recv, Some(Node { kind: Kind::Local(name), .. }) if matches!(name.as_str(), "format" | "wants" | "f" | "type"))
                && !matches!(call.name.as_str(), "html" | "any" | "all")
        }
        _ => false,
    })
}
