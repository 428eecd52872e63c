//! Published weaknesses of locked gems that the code's own pattern makes matter.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Node, Span};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
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
    // Numbers and releases: ruby-advisory-db (2026-08-22), `gems/GEM/CVE-*.yml`.
    let sanitizer = gems.older_than("rails-html-sanitizer", "1.6.1");
    let sanitize_gem = gems.older_than("sanitize", "5.2.1") && gems.at_least("sanitize", "3.0.0");
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
                if sanitizer {
                    let (file, span) = place::of(setting);
                    told(context, file, span, setting.value.items().iter().filter_map(|v| v.as_text()));
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
    told(context, id, node.span, words.into_iter());
}

/// A published weakness of rails-html-sanitizer that a mix of tags opens.
struct Mix {
    cve: &'static str,
    effect: &'static str,
    fixed: &'static str,
}

/// Which weaknesses of the locked sanitizer a list of tags opens.
///
/// Numbers, mixes and releases: ruby-advisory-db (2026-08-22), `gems/rails-html-sanitizer/CVE-*.yml`.
fn mixes<'t>(context: &Context<'_, '_>, tags: impl Iterator<Item = &'t str>) -> Vec<Mix> {
    let gems = &context.app.gems;
    let tags: Vec<&str> = tags.collect();
    let has = |t: &str| tags.contains(&t);
    let before = |version: &str| gems.older_than("rails-html-sanitizer", version);
    let mut mixes = Vec::new();
    if has("style") && has("select") && before("1.4.4") {
        let cve = if before("1.4.3") { "CVE-2022-32209" } else { "CVE-2022-23520" };
        mixes.push(Mix { cve, effect: "a style element inside select lets scripts through", fixed: "1.4.4" });
    }
    if has("style") && (has("math") || has("svg")) && before("1.4.4") {
        let effect = "a style element inside math or svg lets scripts through";
        mixes.push(Mix { cve: "CVE-2022-23519", effect, fixed: "1.4.4" });
    }
    // Those of 1.6.0 want the parser for HTML 5.
    let html5 = || {
        context
            .app
            .config
            .effective("action_view.sanitizer_vendor")
            .is_some_and(|e| e.value.as_text().is_some_and(|t| t.to_ascii_lowercase().contains("html5")))
    };
    if !before("1.6.0") && before("1.6.1") && html5() {
        if has("noscript") {
            let effect = "what stands inside noscript lets scripts through";
            mixes.push(Mix { cve: "CVE-2024-53989", effect, fixed: "1.6.1" });
        }
        if has("style") {
            let cve = if has("math") {
                "CVE-2024-53986"
            } else if has("svg") {
                "CVE-2024-53985"
            } else {
                "CVE-2024-53987"
            };
            mixes.push(Mix { cve, effect: "a style element lets scripts through", fixed: "1.6.1" });
        }
    }
    mixes
}

fn told<'t>(context: &Context<'_, '_>, file: FileId, span: Span, tags: impl Iterator<Item = &'t str>) {
    for mix in mixes(context, tags) {
        report(
            context,
            file,
            span,
            "rails-html-sanitizer",
            mix.cve,
            mix.effect,
            "these tags are allowed",
            mix.fixed,
            Confidence::High,
            Severity::Medium,
        );
    }
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
