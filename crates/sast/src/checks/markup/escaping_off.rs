//! Helpers told not to escape or not to clean.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::literal_name;
use wardroom_ruby::ir::*;

use super::pieces::{Pieces, Source};
use super::place;
use super::script_context::scope_at;
use crate::context::Context;
use crate::mend;

wardroom_model::rule! {
    /// A helper that escapes or cleans by itself is told not to: `truncate(text, escape: false)`,
    /// `simple_format(text, {}, sanitize: false)`, `auto_link(text, sanitize: false)`,
    /// `content_tag(:p, text, nil, false)`.
    ///
    /// ## Why it is bad
    ///
    /// The result counts as safe markup all the same, so nothing after it escapes.
    ///
    /// ## Example
    ///
    /// ```erb
    /// <%= simple_format @comment.body, {}, sanitize: false %>
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```erb
    /// <%= simple_format @comment.body %>
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - Rails API, `ActionView::Helpers::TextHelper`
    rule: "escaping-turned-off", "A helper is told not to escape", CrossSiteScripting, 79, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at the options of helpers.
pub fn run(context: &Context<'_, '_>) {
    let pieces = Pieces::new(context);
    const OPTIONS: &[&str] = &[
        "truncate",
        "simple_format",
        "auto_link",
        "highlight",
        "content_tag",
        "escape_html_entities_in_json=",
    ];
    context.calls_named(OPTIONS, |file, node, call| {
        let name = call.name.as_str();
        let off = |key: &str| {
            call.args.iter().any(|a| match &a.kind {
                Kind::Hash(pairs) => pairs.iter().any(|p| {
                    literal_name(&p.key).is_some_and(|k| k == key) && matches!(p.value.kind, Kind::False)
                }),
                _ => false,
            })
        };
        let (text, option) = match name {
            "truncate" if call.recv.is_none() && off("escape") => (call.args.first(), "escape: false"),
            "simple_format" | "auto_link" | "highlight" if off("sanitize") => {
                (call.args.first(), "sanitize: false")
            }
            "content_tag" if matches!(call.args.get(3).map(|a| &a.kind), Some(Kind::False)) => {
                (call.args.get(1), "escape = false")
            }
            _ => return,
        };
        let Some(text) = text else { return };
        if !place::is_page(context, file) {
            return;
        }
        let scope = scope_at(context, file, node.span);
        let open = pieces.open(text, &scope);
        let Some(first) = open.first() else { return };
        let known = matches!(first.source, Source::Text | Source::Request);
        // `truncate(strip_tags(x), escape: false)` and the like have no open parts.
        context
            .finding(
                rule(),
                file,
                node.span,
                format!("`{}` is not escaped: `{name}` is told `{option}`", first.words),
            )
            .confidence(if first.source == Source::Request {
                Confidence::High
            } else if known {
                Confidence::Medium
            } else {
                Confidence::Low
            })
            .severity(if first.source == Source::Request { Severity::High } else { Severity::Medium })
            .reason("the result counts as safe markup")
            .remedy(format!("Leave `{option}` away."))
            .mend(option.strip_suffix(": false").and_then(|key| {
                let out = mend::without_pair(context, file, call, key)?;
                Some((format!("Leaves `{option}` away"), vec![out]))
            }))
            .report();
    });
}
