//! Data where escaping does not hold it: attributes without quotes, names of tags and attributes, CSS.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::HtmlContext;

use super::place;
use crate::context::Context;

/// An attribute without quotes.
pub mod unquoted {
    use super::*;

    wardroom_model::rule! {
        /// A value that a user controls stands in an attribute without quotes.
        ///
        /// ## Why it is bad
        ///
        /// A space ends the attribute. Escaping does not touch spaces, so what follows becomes an
        /// attribute of its own: `x onmouseover=alert(1)`.
        ///
        /// ## Example
        ///
        /// ```erb
        /// <input value=<%= params[:q] %>>
        /// ```
        ///
        /// ## Use instead
        ///
        /// ```erb
        /// <input value="<%= params[:q] %>">
        /// ```
        ///
        /// ## References
        ///
        /// - CWE-79: Improper Neutralization of Input During Web Page Generation
        /// - CWE-83: Improper Neutralization of Script in Attributes in a Web Page
        rule: "unquoted-attribute", "User data in an attribute without quotes", CrossSiteScripting, 83, High,
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
    }

    /// Looks at flows into attributes without quotes.
    pub fn run(context: &Context<'_, '_>) {
        report(
            context,
            Mark::HtmlAttribute,
            rule(),
            &|c| c == Some(HtmlContext::Unquoted),
            "stands in an attribute without quotes, where a space begins a new attribute",
            "Put quotes around the attribute's value.",
        );
    }
}

/// The name of a tag or attribute.
pub mod dynamic_name {
    use super::*;

    wardroom_model::rule! {
        /// A value that a user controls is the name of a tag, given to `content_tag` or `tag`.
        ///
        /// ## Why it is bad
        ///
        /// Rails escapes what is in a tag, not its name: `script` or `img src=x onerror=…` become
        /// markup as they stand.
        ///
        /// ## Example
        ///
        /// ```erb
        /// <%= content_tag params[:level], @title %>
        /// ```
        ///
        /// ## Use instead
        ///
        /// ```erb
        /// <%= content_tag({ "1" => :h1, "2" => :h2 }.fetch(params[:level], :h3), @title) %>
        /// ```
        ///
        /// ## References
        ///
        /// - CWE-79: Improper Neutralization of Input During Web Page Generation
        rule: "dynamic-tag-name", "A tag whose name a user chose", CrossSiteScripting, 79, High,
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
    }

    /// Looks at flows into the names of tags.
    pub fn run(context: &Context<'_, '_>) {
        report(
            context,
            Mark::HtmlAttribute,
            rule(),
            &|c| c.is_none(),
            "is the name of a tag, which Rails does not escape",
            "Take the name from a list that the code holds.",
        );
    }
}

/// CSS in a page.
pub mod style {
    use super::*;

    wardroom_model::rule! {
        /// A value that a user controls is written into CSS: a `<style>` block or a `style` attribute.
        ///
        /// ## Why it is bad
        ///
        /// A semicolon or brace begins new rules: the page can be covered with a false one, and
        /// selectors with background images tell another site what is in its fields.
        ///
        /// ## Example
        ///
        /// ```erb
        /// <div style="color: <%= params[:color] %>">
        /// ```
        ///
        /// ## Use instead
        ///
        /// ```erb
        /// <div style="color: <%= COLORS.fetch(params[:color], "black") %>">
        /// ```
        ///
        /// ## References
        ///
        /// - CWE-79: Improper Neutralization of Input During Web Page Generation
        /// - OWASP, Securing Cascading Style Sheets Cheat Sheet
        rule: "style-context", "User data inside of CSS", CrossSiteScripting, 79, Medium,
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:N/I:L/A:N"
    }

    /// Looks at flows into CSS.
    pub fn run(context: &Context<'_, '_>) {
        report(
            context,
            Mark::Style,
            rule(),
            &|_| true,
            "is written into CSS, where it can add rules of its own",
            "Take the value from a list, or check that it is a colour or a number before it is written.",
        );
    }
}

fn report(
    context: &Context<'_, '_>,
    mark: Mark,
    rule: &'static wardroom_model::Rule,
    wanted: &dyn Fn(Option<HtmlContext>) -> bool,
    what: &str,
    remedy: &str,
) {
    let writable = place::Writable::find(context);
    let cleaning = place::cleaning_filter(context);
    for flow in context.flows_to(mark) {
        if !wanted(flow.context) || !place::is_page(context, flow.file) {
            continue;
        }
        if mark == Mark::Style
            && context
                .flows
                .flows
                .iter()
                .any(|f| f.mark == Mark::Html && f.file == flow.file && f.span == flow.span)
        {
            // Not escaped at all: that is the worse of the two.
            continue;
        }
        let code = context.source(flow.file, flow.span);
        if code.contains("&& \"")
            || code.contains("? \"")
            || code.starts_with("url_for")
            || code.contains("tag_attributes")
            || code.contains("html_attributes")
        {
            // A choice between texts of the code's own.
            continue;
        }
        let (mut confidence, reason) = place::weigh(context, flow, &writable, cleaning);
        let request = matches!(
            flow.source,
            SourceKind::Params | SourceKind::Cookie | SourceKind::Request | SourceKind::Upload
        );
        if mark == Mark::Style {
            confidence = confidence.min(if request { Confidence::Medium } else { Confidence::Low });
        }
        context
            .flow_finding(rule, flow, format!("`{}` {what}", flow.words))
            .confidence(confidence)
            .reason(reason)
            .severity(if request { rule.severity } else { Severity::Medium })
            .remedy(remedy)
            .report();
    }
}
