//! Published weaknesses of locked gems that the code's own pattern makes matter.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Node, Span};

use super::place;
use crate::context::Context;

rule! {
    /// A locked gem has a published weakness, and the code does what makes it matter. The message
    /// names the weakness and the pattern.
    ///
    /// ## Why it is bad
    ///
    /// Published weaknesses come with instructions. That the pattern is there means that the
    /// instructions work here.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// # rails-html-sanitizer 1.4.2
    /// sanitize(text, tags: %w[select style])   # CVE-2022-32209
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// # rails-html-sanitizer 1.4.3 or later
    /// sanitize(text, tags: %w[p em strong])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1395: Dependency on Vulnerable Third-Party Component
    /// - <https://github.com/rubysec/ruby-advisory-db>
    rule: "gem-version-weakness", "A published weakness of a gem that the code exposes", Versions, 1395, Medium
}

/// Looks for each weakness's pattern where the locked gem has it.
pub fn run(context: &Context<'_, '_>) {
    let gems = &context.app.gems;
    let sanitizer = gems.older_than("rails-html-sanitizer", "1.4.4");
    let sanitize_gem = gems.older_than("sanitize", "5.2.1");
    let omniauth = gems.has_in_production("omniauth")
        && gems.older_than("omniauth", "2.0.0")
        && !gems.has("omniauth-rails_csrf_protection");
    let kaminari = gems.older_than("kaminari", "1.2.1");
    let paperclip = gems.has_in_production("paperclip") && gems.older_than("paperclip", "4.2.2");
    if sanitizer || sanitize_gem {
        let hint = place::hint!(r"sanitiz|allowed_tags|Sanitize");
        place::calls(context, hint, &mut |id, node, call| {
            if sanitizer {
                sanitize(context, id, node, call);
            }
            if sanitize_gem && call.recv.as_ref().and_then(place::constant).is_some_and(|c| c == "Sanitize") {
                let relaxed =
                    call.args.iter().any(|a| place::constant(a).is_some_and(|c| c.ends_with("RELAXED")));
                if relaxed && matches!(call.name.as_str(), "fragment" | "clean" | "document") {
                    report(
                        context,
                        id,
                        node.span,
                        "sanitize",
                        "CVE-2020-4054",
                        "style and math tags of a relaxed configuration let scripts through",
                        "`RELAXED` is used",
                        "5.2.1",
                        Confidence::High,
                        Severity::Medium,
                    );
                }
            }
        });
        for key in [
            "action_view.sanitized_allowed_tags",
            "rails/html/safe_list_sanitizer.allowed_tags",
            "rails/html/white_list_sanitizer.allowed_tags",
        ] {
            for setting in context.app.config.all(key) {
                if sanitizer && dangerous(setting.value.items().iter().filter_map(|v| v.as_text())) {
                    let (file, span) = place::of(setting);
                    told(context, file, span);
                }
            }
        }
    }
    if omniauth {
        let setting = context.app.config.middleware.iter().find(|m| m.names("OmniAuth::Builder"));
        let place = setting
            .map(|m| (FileId(m.file), m.span))
            .or_else(|| context.app.config.all("devise.omniauth").next().map(place::of));
        if let Some((file, span)) = place {
            report(
                context,
                file,
                span,
                "omniauth",
                "CVE-2015-9284",
                "a foreign page can connect its own account to the user's by a GET request",
                "sign-in by GET is not switched off",
                "2.0.0",
                Confidence::Medium,
                Severity::Medium,
            );
        }
    }
    if kaminari {
        let hint = place::hint!(r"\bpaginate\b");
        let mut once = false;
        place::calls(context, hint, &mut |id, node, call| {
            if !once && call.name == "paginate" && call.recv.is_none() && context.file(id).is_template() {
                once = true;
                report(
                    context,
                    id,
                    node.span,
                    "kaminari",
                    "CVE-2020-11082",
                    "the parameter `original_script_name` becomes part of the page's links",
                    "a template calls `paginate`",
                    "1.2.1",
                    Confidence::High,
                    Severity::Medium,
                );
            }
        });
    }
    if paperclip {
        let hint = place::hint!("has_attached_file");
        place::calls(context, hint, &mut |id, node, call| {
            if call.name == "has_attached_file" {
                report(
                    context,
                    id,
                    node.span,
                    "paperclip",
                    "CVE-2015-2963",
                    "the type of an upload is taken from the request",
                    "`has_attached_file` is used",
                    "4.2.2",
                    Confidence::Medium,
                    Severity::Medium,
                );
            }
        });
    }
}

/// `sanitize(text, tags: %w[… style …])`
fn sanitize(context: &Context<'_, '_>, id: FileId, node: &Node, call: &Call) {
    let tags = match call.name.as_str() {
        "sanitize" => place::keyword(call, "tags"),
        "allowed_tags=" | "sanitized_allowed_tags=" => call.args.last(),
        _ => None,
    };
    let Some(tags) = tags else { return };
    let mut words = Vec::new();
    wardroom_ruby::walk::each(tags, &mut |inner| {
        if let Kind::Str(text) = &inner.kind {
            words.push(text.as_ref());
        }
        true
    });
    if dangerous(words.into_iter()) {
        told(context, id, node.span);
    }
}

/// Mixes of tags that browsers read differently from the sanitizer.
fn dangerous<'t>(tags: impl Iterator<Item = &'t str>) -> bool {
    let tags: Vec<&str> = tags.collect();
    let has = |t: &str| tags.contains(&t);
    has("style") && (has("select") || has("math") || has("svg")) || has("noscript")
}

fn told(context: &Context<'_, '_>, file: FileId, span: Span) {
    report(
        context,
        file,
        span,
        "rails-html-sanitizer",
        "CVE-2022-32209 and CVE-2022-23520",
        "a style element inside select, math or svg lets scripts through",
        "these tags are allowed",
        "1.4.4",
        Confidence::High,
        Severity::Medium,
    );
}

#[expect(clippy::too_many_arguments, reason = "each is one column of the advisory")]
fn report(
    context: &Context<'_, '_>,
    file: FileId,
    span: Span,
    gem: &str,
    cve: &str,
    effect: &str,
    pattern: &str,
    fixed: &str,
    confidence: Confidence,
    severity: Severity,
) {
    let version = context.app.gems.version_text(gem).unwrap_or_default();
    context
        .finding(rule(), file, span, format!("{gem} {version} has {cve}: {effect}; here {pattern}"))
        .confidence(confidence)
        .severity(severity)
        .remedy(format!("Move to {gem} {fixed} or later."))
        .report();
}
