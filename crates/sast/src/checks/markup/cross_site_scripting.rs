//! Data that goes into a page as markup.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::HtmlContext;

use super::place;
use crate::context::Context;
use crate::mend;

wardroom_model::rule! {
    /// Text that a user controls is written into a page without being escaped: through `html_safe`,
    /// `raw`, `<%==`, `!=` in Haml, `==` in Slim or `safe_concat`. Data of the request itself
    /// (reflected) weighs more than what was stored before.
    ///
    /// ## Why it is bad
    ///
    /// `<script>` in the value is run in the browser of whoever opens the page, as the site itself:
    /// it can read what the visitor can read and do what the visitor can do.
    ///
    /// ## Example
    ///
    /// ```erb
    /// <%= raw params[:q] %>
    /// <%= @post.title.html_safe %>
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```erb
    /// <%= params[:q] %>
    /// <%= sanitize @post.body %>
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - Rails guide "Securing Rails Applications", section on cross-site scripting
    rule: "cross-site-scripting", "User data written into a page without escaping", CrossSiteScripting, 79, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at every flow into markup.
pub fn run(context: &Context<'_, '_>) {
    let writable = place::Writable::find(context);
    let cleaning = place::cleaning_filter(context);
    // Of several uses of one value in one method, the first speaks for all.
    let mut seen = std::collections::HashSet::new();
    for flow in context.flows_to(Mark::Html) {
        let script = matches!(
            flow.context,
            Some(HtmlContext::Script | HtmlContext::ScriptString | HtmlContext::EventHandler)
        );
        if script
            || !place::is_page(context, flow.file)
            || matches!(flow.method.as_str(), "render" | "render_to_string" | "javascript_tag")
        {
            continue;
        }
        let around = place::call_at(context, flow.file, flow.span, &flow.method);
        if let Some((_, nodes)) = &around
            && place::is_cleaned_around(nodes)
        {
            continue;
        }
        let (mut confidence, mut reason) = place::weigh(context, flow, &writable, cleaning);
        if flow.source == SourceKind::Stored && place::is_mail(context, flow.file) {
            confidence = confidence.min(Confidence::Low);
            reason.push_str("; mail programs run no scripts");
        }
        // The method around the sink; a template's own places are told apart.
        let method = context.method_at(flow.file, flow.span).or(flow.method_id);
        if !seen.insert((flow.file, flow.words, method))
            && flow.source == SourceKind::Stored
            && method.is_some()
        {
            confidence = confidence.min(Confidence::Low);
        }
        let (message, severity) = match (flow.source, flow.method.as_str()) {
            (SourceKind::Stored, "raw output") => {
                (format!("`{}` is written into the page without escaping", flow.words), Severity::Medium)
            }
            (_, "raw output") => {
                (format!("`{}` is written into the page without escaping", flow.words), Severity::High)
            }
            (SourceKind::Stored | SourceKind::Remote | SourceKind::Job | SourceKind::Local, method) => {
                (format!("`{}` is taken for markup by `{method}`", flow.words), Severity::Medium)
            }
            (_, method) => (format!("`{}` is taken for markup by `{method}`", flow.words), Severity::High),
        };
        context
            .flow_finding(rule(), flow, message)
            .confidence(confidence)
            .reason(reason)
            .severity(severity)
            .remedy("Let Rails escape it: leave `html_safe`, `raw` or the raw output tag away. Where markup is wanted, clean it with `sanitize`.")
            .mend(
                mend::escaped(context, flow)
                    .filter(|_| confidence == Confidence::High && !place::is_mail(context, flow.file)),
            )
            .report();
    }
}
