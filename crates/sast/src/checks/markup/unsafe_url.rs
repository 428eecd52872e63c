//! Links whose target a user chose.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::*;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The whole target of a link is a URL that a user wrote: `link_to name, user.website`,
    /// `<a href="<%= params[:back] %>">`.
    ///
    /// ## Why it is bad
    ///
    /// Escaping does not touch the scheme: `javascript:alert(1)` stays what it is, and runs as the
    /// site's own code when somebody follows the link.
    ///
    /// ## Example
    ///
    /// ```erb
    /// <%= link_to "Homepage", @user.website %>
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// validates :website, format: { with: %r{\Ahttps?://}i }
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - CWE-83: Improper Neutralization of Script in Attributes in a Web Page
    rule: "unsafe-url-in-link", "A link whose whole URL a user wrote", CrossSiteScripting, 83, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at flows into the start of a URL.
pub fn run(context: &Context<'_, '_>) {
    let writable = place::Writable::find(context);
    let cleaning = place::cleaning_filter(context);
    for flow in context.flows_to(Mark::Url) {
        if !place::is_page(context, flow.file) {
            continue;
        }
        let link = place::call_at(context, flow.file, flow.span, &flow.method);
        let target = match &link {
            Some((call, _)) => {
                let at = usize::from(flow.argument == "1");
                call.args.get(if call.block.is_some() { 0 } else { at })
            }
            None => None,
        };
        if flow.context.is_some() && is_inert(context, flow.file, flow.span) {
            continue;
        }
        // A page whose address is `javascript:` sends no referer.
        if flow.source == SourceKind::Request && flow.words.contains("refer") {
            continue;
        }
        let request = matches!(
            flow.source,
            SourceKind::Params | SourceKind::Cookie | SourceKind::Request | SourceKind::Upload
        );
        let attribute = flow.words.rsplit(['#', '.']).next().unwrap_or_default();
        let url_like = if request { is_target(&flow.words) } else { is_url(attribute) };
        // `href="<%= params[:x] %>"`: whatever the parameter is called, it is the whole URL.
        let written = context.source(flow.file, target.map_or(flow.span, |t| t.span));
        let whole = written.starts_with("params[") && !written.contains(['(', ' ', '?']);
        if !url_like && !whole || flow.unknown_call && request {
            continue;
        }
        if target.is_some_and(|t| !may_be_url(t)) {
            continue;
        }
        let (mut confidence, reason) = place::weigh(context, flow, &writable, cleaning);
        // The parameter's name does not say that it is meant to be a URL.
        if !url_like {
            confidence = confidence.min(Confidence::Medium);
        }
        // `safe_referer`, `filtered_return_link`: the whole point of such a name is the scheme.
        if place::is_mail(context, flow.file)
            || reason.contains("may check")
            || looks_at_scheme(context, flow.file, flow.span)
            // `link_to_if(safe_scheme?(url), url)`
            || flow.method.starts_with("link_to_if")
            || within_link_to_if(context, flow.file, flow.span)
            || validated(context, &flow.words, attribute)
        {
            confidence = Confidence::Low;
        }
        context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` is the whole URL of a link: its scheme can be `javascript:`", flow.words),
            )
            .confidence(confidence)
            .reason(reason)
            .severity(if request { Severity::High } else { Severity::Medium })
            .remedy(
                "Check that it starts with `http://` or `https://` when it is saved, and before it is shown.",
            )
            .report();
    }
}

/// Whether a condition of the link itself decides.
fn within_link_to_if(context: &Context<'_, '_>, file: wardroom_rails::FileId, span: Span) -> bool {
    place::chain(context, file, span)
        .iter()
        .any(|n| matches!(&n.kind, Kind::Call(c) if c.name.starts_with("link_to_if") || c.name == "link_to_unless"))
}

/// Whether the method around a link looks at the URL's scheme.
fn looks_at_scheme(context: &Context<'_, '_>, file: wardroom_rails::FileId, span: Span) -> bool {
    context.method_at(file, span).is_some_and(|id| {
        let method = context.app.index.method(id);
        let mut found = false;
        wardroom_ruby::walk::each(method.body, &mut |node| {
            found |= match &node.kind {
                Kind::Call(call) => {
                    call.name == "scheme" || call.name.contains("safe_url") || call.name.contains("valid_url")
                }
                Kind::Str(text) => matches!(&**text, "http" | "https" | "http://" | "https://"),
                _ => false,
            };
            !found
        });
        found
    })
}

/// `/^https?:/`: another line, with another scheme, may stand in front.
fn begins_a_line_only(code: &str) -> bool {
    !code.contains("\\A")
        && code
            .as_bytes()
            .windows(2)
            .any(|pair| pair[1] == b'^' && matches!(pair[0], b'/' | b'{' | b'(' | b'!' | b'|'))
}

/// Whether a model checks the attribute itself, or a URL at all.
fn validated(context: &Context<'_, '_>, words: &str, attribute: &str) -> bool {
    let Some((model, _)) = words.split_once('#') else { return false };
    context.app.index.macros(Name::from(model)).iter().any(|m| {
        let name = m.call.name.as_str();
        let names = |wanted: &dyn Fn(&str) -> bool| {
            m.call.args.iter().filter_map(wardroom_rails::literal_name).any(|n| wanted(&n))
        };
        if name.starts_with("validates") && names(&|n| n == attribute) {
            let code = context.source(m.file, m.span);
            if begins_a_line_only(&code) {
                return false;
            }
            return code.contains("format")
                || code.contains("url") && code.matches("url").count() > attribute.matches("url").count()
                || code.contains("with")
                || code.contains("http")
                || code.contains("URI");
        }
        (name == "validate" || name.starts_with("before_"))
            && names(&|n| {
                n.contains(attribute) || n.contains("url") || n.contains("link") || n.contains("http")
            })
    }) || context.app.index.find(Name::from(model), Name::from(&format!("{attribute}="))).is_some()
}

/// `src` of an image or frame and the like: browsers run no `javascript:` in an image.
fn is_inert(context: &Context<'_, '_>, file: wardroom_rails::FileId, span: Span) -> bool {
    let text = &context.file(file).text;
    let start = (span.start as usize).min(text.len());
    let before = String::from_utf8_lossy(&text[start.saturating_sub(200)..start]).to_lowercase();
    let tag = before.rfind('<').map(|at| before[at + 1..].to_owned()).unwrap_or_default();
    // `<%= ` is the last `<`: the tag stands in front of it.
    let outer =
        before.rfind("<%").and_then(|at| before[..at].rfind('<').map(|a| before[a + 1..at].to_owned()));
    let tag = outer.unwrap_or(tag);
    ["img", "link", "meta", "video", "audio", "source", "script", "%img", "%link", "%meta"]
        .iter()
        .any(|t| tag.starts_with(t))
        || before.trim_end_matches(|c| c != '\n').is_empty() && before.contains("%img")
}

fn is_url(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(
        name.as_str(),
        "url"
            | "uri"
            | "website"
            | "homepage"
            | "link"
            | "href"
            | "web"
            | "site"
            | "site_url"
            | "blog"
            | "external_link"
            | "web_site"
            | "home_page"
    ) || ["_url", "_uri", "_website", "_homepage", "_link", "_href"].iter().any(|e| name.ends_with(e))
        && !name.contains("image")
        && !name.contains("avatar")
}

fn is_target(words: &str) -> bool {
    let Some(key) = words.rsplit("[:").next().and_then(|k| k.strip_suffix(']')) else {
        return words.ends_with("referer") || words.ends_with("referrer");
    };
    is_url(key)
        || matches!(
            key,
            "return"
                | "back"
                | "next"
                | "redirect"
                | "return_to"
                | "redirect_to"
                | "referer"
                | "referrer"
                | "ref"
                | "to"
                | "target"
                | "continue"
                | "from"
                | "callback"
                | "goto"
                | "dest"
                | "destination"
                | "origin"
        )
        || key.ends_with("_to")
}

/// Whether the target is a text; hashes and records become paths of the application.
fn may_be_url(target: &Node) -> bool {
    match &target.kind {
        Kind::Hash(_) | Kind::Array(_) => false,
        Kind::Or(sides) => may_be_url(&sides.0) && !matches!(sides.1.kind, Kind::Hash(_) | Kind::Array(_)),
        Kind::Call(call) => {
            let name = call.name.as_str();
            !(name.ends_with("_path")
                || matches!(name, "url_for" | "merge" | "url_with" | "polymorphic_path")
                || name.ends_with("_url") && call.recv.is_none())
        }
        _ => true,
    }
}
