//! Text put into Turbo streams.

use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::*;

use super::pieces::{Pieces, Source};
use super::script_context::scope_at;
use crate::context::Context;

wardroom_model::rule! {
    /// A string with data in it is given to `turbo_stream.append`, `update`, `replace` or their kin
    /// as the content of the stream.
    ///
    /// ## Why it is bad
    ///
    /// Turbo puts the content into the page as markup, and the builder does not escape a string: a
    /// name with `<img onerror=…>` in it is run in every browser that receives the stream.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// turbo_stream.update "tag", "✓ #{tag.label}"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```erb
    /// <%= turbo_stream.update "tag" do %>✓ <%= tag.label %><% end %>
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - Turbo handbook, "Come Alive with Turbo Streams"
    rule: "turbo-stream-unescaped", "Unescaped text in a Turbo stream", CrossSiteScripting, 79, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"
}

/// What a stream does with its content.
const ACTIONS: &[&str] = &[
    "append",
    "prepend",
    "replace",
    "update",
    "before",
    "after",
    "append_all",
    "prepend_all",
    "replace_all",
    "update_all",
    "before_all",
    "after_all",
];

/// Looks at the content given to Turbo streams.
pub fn run(context: &Context<'_, '_>) {
    let pieces = Pieces::new(context);
    let wanted = |name: &str| name.starts_with("broadcast_") || ACTIONS.contains(&name);
    context.calls_where(wanted, |file, node, call| {
        let name = call.name.as_str();
        let content = match name {
            n if ACTIONS.contains(&n) => {
                let stream = matches!(&call.recv, Some(Node { kind: Kind::Call(inner), .. }) if inner.name == "turbo_stream")
                    || matches!(&call.recv, Some(Node { kind: Kind::Local(n), .. }) if n == "turbo_stream");
                if !stream {
                    return;
                }
                keyword(call, &["html", "content"]).or_else(|| call.args.get(1).filter(|a| !matches!(a.kind, Kind::Hash(_))))
            }
            n if ACTIONS.iter().any(|a| n.contains(a)) => keyword(call, &["html", "content"]),
            _ => return,
        };
        let Some(content) = content else { return };
        if matches!(content.kind, Kind::Ivar(_)) {
            return;
        }
        let scope = scope_at(context, file, node.span);
        let open = pieces.open(content, &scope);
        let Some(first) = open.first() else { return };
        let text = matches!(first.source, Source::Text | Source::Request);
        context
            .finding(rule(), file, node.span, format!("`{}` is put into the stream by `{name}` without being escaped", first.words))
            .confidence(if text { Confidence::Medium } else { Confidence::Low })
            .severity(if first.source == Source::Request { Severity::High } else { Severity::Medium })
            .reason("the content of a stream is markup, and a string is not escaped")
            .remedy("Hand over a partial, or a block whose output tag escapes the value; `h(...)` around the value also does.")
            .report();
    });
}

fn keyword<'a>(call: &'a Call, names: &[&str]) -> Option<&'a Node> {
    let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() else { return None };
    pairs
        .iter()
        .find(|p| wardroom_rails::literal_name(&p.key).is_some_and(|k| names.contains(&k.as_str())))
        .map(|p| &p.value)
}
