//! Published weaknesses of the locked Rails that the code's own pattern makes matter.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::gems::Version;
use wardroom_rails::{FileId, Habitat};
use wardroom_ruby::ir::{Call, Kind, Name, Node, Span};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The locked Rails has a published weakness, and the code does what makes it matter. The message
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
    /// # Rails 5.2.1
    /// render file: "#{Rails.root}/app/views/error"   # CVE-2019-5418
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// # Rails 5.2.2.1 or later
    /// render template: "error"
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1395: Dependency on Vulnerable Third-Party Component
    /// - <https://rubyonrails.org/security>
    rule: "rails-version-weakness", "A published weakness of Rails that the code exposes", Versions, 1395, High
}

/// A published weakness: its number, what it does, the first series that has it (`0.0` where all
/// older ones have it), the releases with the fix (by series), severity.
struct Published {
    cve: &'static str,
    effect: &'static str,
    since: &'static str,
    fixed: &'static [&'static str],
    severity: Severity,
}

macro_rules! published {
    ($name:ident, $cve:literal, $effect:literal, $since:literal.., [$($fixed:literal),+], $severity:ident) => {
        const $name: Published = Published {
            cve: $cve,
            effect: $effect,
            since: $since,
            fixed: &[$($fixed),+],
            severity: Severity::$severity,
        };
    };
}

// Numbers, first series and releases with the fix: ruby-advisory-db (2026-08-22), the files
// `gems/{actionpack,actionview,activemodel,activerecord,activestorage,activesupport}/CVE-*.yml`,
// `unaffected_versions` and `patched_versions`.
published!(
    XML_PARAMS,
    "CVE-2013-0156",
    "request bodies in XML become objects of any class and run code",
    "0.0"..,
    ["2.3.15", "3.0.19", "3.1.10", "3.2.11"],
    Critical
);
published!(
    JSON_YAML,
    "CVE-2013-0333",
    "request bodies in JSON are read as YAML and run code",
    "0.0"..,
    ["2.3.16", "3.0.20"],
    Critical
);
published!(
    RENDER_FILE,
    "CVE-2019-5418",
    "an Accept header makes `render file:` show any file of the server",
    "0.0"..,
    ["4.2.11.1", "5.0.7.2", "5.1.6.2", "5.2.2.1"],
    High
);
published!(
    RENDER_DYNAMIC,
    "CVE-2016-0752",
    "`render` with a parameter shows files outside the views and can run code",
    "0.0"..,
    ["3.2.22.1", "4.1.14.1", "4.2.5.1"],
    High
);
published!(
    RENDER_HASH,
    "CVE-2016-2098",
    "`render` with a hash from the request runs code",
    "0.0"..,
    ["3.2.22.2", "4.1.14.2", "4.2.5.2"],
    Critical
);
published!(
    GLOB_ROUTE,
    "CVE-2014-0130",
    "a route with `*action` renders files outside the views",
    "0.0"..,
    ["3.2.18", "4.0.5", "4.1.1"],
    High
);
published!(
    BASIC_AUTH,
    "CVE-2015-7576",
    "`http_basic_authenticate_with` compares in a time that tells the password",
    "0.0"..,
    ["3.2.22.1", "4.1.14.1", "4.2.5.1"],
    Low
);
published!(
    JSON_ESCAPE,
    "CVE-2015-3226",
    "keys of a hash are not escaped by `to_json` in a script",
    "4.1"..,
    ["4.1.11", "4.2.2"],
    Medium
);
published!(
    REDIS_CACHE,
    "CVE-2020-8165",
    "raw entries of the Redis or memcached store are read with `Marshal`",
    "0.0"..,
    ["5.2.4.3", "6.0.3.1"],
    High
);
published!(
    STRONG_PARAMS,
    "CVE-2020-8164",
    "`each` on parameters hands out what was never permitted",
    "4.0"..,
    ["5.2.4.3", "6.0.3.1"],
    Medium
);
// The advisory names 4.2.11.2 as the only release with the fix and Rails before 5.0.1 as open.
published!(
    RENDER_LOCALS,
    "CVE-2020-8163",
    "names of locals that a request chooses run as code",
    "0.0"..,
    ["4.2.11.2", "5.0.1"],
    High
);
published!(
    SERIALIZE_YAML,
    "CVE-2022-32224",
    "columns with `serialize` are read as YAML that makes any object",
    "0.0"..,
    ["5.2.8.1", "6.0.5.1", "6.1.6.1", "7.0.3.1"],
    High
);
published!(
    REDIRECT_HOST,
    "CVE-2023-22797",
    "a parameter passes the check against open redirects",
    "7.0"..,
    ["7.0.4.1"],
    Medium
);
published!(
    REDIRECT_XSS,
    "CVE-2023-28362",
    "`redirect_to` writes characters into the page that are no part of a URL",
    "0.0"..,
    ["6.1.7.4", "7.0.5.1"],
    Medium
);
published!(
    TRANSLATE,
    "CVE-2024-26143",
    "`translate` in a controller hands an unescaped default out as safe markup",
    "7.0"..,
    ["7.0.8.1", "7.1.3.1"],
    Medium
);
published!(
    TAG_NAMES,
    "CVE-2022-27777",
    "names of attributes given to `tag` are not escaped",
    "0.0"..,
    ["5.2.7.1", "6.0.4.8", "6.1.5.1", "7.0.2.4"],
    Medium
);
published!(
    CSP_HEADER,
    "CVE-2022-22577",
    "answers that are not HTML carry no content security policy",
    "5.2"..,
    ["5.2.7.1", "6.0.4.8", "6.1.5.1", "7.0.2.4"],
    Low
);
published!(
    CURRENCY,
    "CVE-2014-0081",
    "options of number helpers are not escaped",
    "0.0"..,
    ["3.2.17", "4.0.3"],
    Medium
);
published!(
    SANITIZE_CSS,
    "CVE-2013-1855",
    "`sanitize_css` lets scripts through",
    "0.0"..,
    ["2.3.18", "3.1.12", "3.2.13"],
    Medium
);
published!(
    SIMPLE_FORMAT,
    "CVE-2013-6416",
    "`simple_format` does not escape its options",
    "4.0"..,
    ["4.0.2"],
    Medium
);
published!(
    DEEP_MUNGE,
    "CVE-2013-6417",
    "JSON parameters become `nil` in conditions that must not be",
    "0.0"..,
    ["3.2.16", "4.0.2"],
    Medium
);
published!(
    VALIDATIONS,
    "CVE-2016-0753",
    "validations are skipped by attributes set from an unpermitted hash",
    "4.1"..,
    ["4.1.14.1", "4.2.5.1"],
    Medium
);
published!(
    HOST_REDIRECT,
    "CVE-2021-22942",
    "`config.hosts` entries with a leading dot redirect to other hosts",
    "6.0"..,
    ["6.0.4.1", "6.1.4.1"],
    Medium
);
published!(
    VARIANT,
    "CVE-2022-21831",
    "transformations of images that a request chooses run commands",
    "5.2"..,
    ["5.2.6.3", "6.0.4.7", "6.1.4.7", "7.0.2.3"],
    High
);

/// Whether the locked Rails lacks the fix: older than the fix of its own series, or than all of them.
fn lacks(context: &Context<'_, '_>, published: &Published) -> bool {
    let Some((text, _)) = context.app.gems.rails_text() else { return false };
    let Some(version) = Version::parse(&text) else { return false };
    let series = |text: &str| Version::parse(text).map(|v| (v.0, v.1));
    if Some((version.0, version.1)) < series(published.since) {
        return false;
    }
    let own = published.fixed.iter().find(|f| series(f) == Some((version.0, version.1)));
    let fixed = match own {
        Some(fixed) => fixed,
        // A series without a fix of its own: open if a later series had to be fixed.
        None => match published.fixed.iter().find(|f| series(f) > Some((version.0, version.1))) {
            Some(fixed) => fixed,
            None => return false,
        },
    };
    wardroom_rails::gems::compare(&text, fixed) == std::cmp::Ordering::Less
}

/// Looks for each weakness's pattern where the locked Rails has it.
pub fn run(context: &Context<'_, '_>) {
    // The version must be written down, not guessed.
    if !context.app.gems.rails_evidence().is_some_and(|e| {
        matches!(
            e,
            wardroom_rails::gems::RailsEvidence::Locked | wardroom_rails::gems::RailsEvidence::Environment
        )
    }) {
        return;
    }
    if lacks(context, &XML_PARAMS) {
        settings(context);
    }
    if lacks(context, &REDIS_CACHE)
        && let Some(store) = context.app.config.last("cache_store")
        && store.value.items().iter().any(|v| {
            v.as_text().is_some_and(|t| matches!(t, "redis_cache_store" | "mem_cache_store" | "redis_store"))
        })
        && any_raw(context)
    {
        let (file, span) = place::of(store);
        report(context, &REDIS_CACHE, file, span, "`raw: true` is used with this store", Confidence::Medium);
    }
    if lacks(context, &HOST_REDIRECT)
        && let Some(hosts) = context.app.config.hosts()
        && let Some(setting) = hosts.setting
        && hosts.value.items().iter().any(|h| h.as_text().is_some_and(|t| t.starts_with('.')))
    {
        let (file, span) = place::of(setting);
        report(context, &HOST_REDIRECT, file, span, "a host is given with a leading dot", Confidence::High);
    }
    if lacks(context, &GLOB_ROUTE) {
        for route in &context.app.routes.routes {
            if route.path.contains("*action") || route.path.contains("*controller") {
                report(
                    context,
                    &GLOB_ROUTE,
                    FileId(route.file),
                    route.span,
                    "the route takes its action from the rest of the path",
                    Confidence::High,
                );
            }
        }
    }
    let open: Vec<&Published> = [
        &RENDER_FILE,
        &RENDER_DYNAMIC,
        &RENDER_HASH,
        &BASIC_AUTH,
        &JSON_ESCAPE,
        &STRONG_PARAMS,
        &RENDER_LOCALS,
        &SERIALIZE_YAML,
        &REDIRECT_HOST,
        &REDIRECT_XSS,
        &TRANSLATE,
        &TAG_NAMES,
        &CURRENCY,
        &SANITIZE_CSS,
        &SIMPLE_FORMAT,
        &VALIDATIONS,
        &VARIANT,
    ]
    .into_iter()
    .filter(|p| lacks(context, p))
    .collect();
    if lacks(context, &CSP_HEADER)
        && let Some(policy) = context.app.config.csp()
    {
        report(
            context,
            &CSP_HEADER,
            FileId(policy.file),
            policy.span,
            "a content security policy is declared",
            Confidence::Low,
        );
    }
    if lacks(context, &DEEP_MUNGE) {
        // Every application of these releases has it; it shows where conditions take parameters.
        let home = place::application(context);
        if let Some((file, span)) = home.filter(|_| context.app.controllers.len() > 1) {
            report(context, &DEEP_MUNGE, file, span, "controllers read parameters", Confidence::Low);
        }
    }
    if open.is_empty() {
        return;
    }
    let has = |p: &Published| open.iter().any(|o| o.cve == p.cve);
    let mut once: Vec<(&str, FileId)> = Vec::new();
    context.calls_named(PATTERNS, |id, node, call| {
        let Some((published, pattern, confidence)) = pattern(context, id, node, call, &has) else { return };
        if !once.contains(&(published.cve, id)) {
            once.push((published.cve, id));
            report(context, published, id, node.span, pattern, confidence);
        }
    });
}

/// The calls that [`pattern`] tells apart.
const PATTERNS: &[&str] = &[
    "render",
    "render_to_string",
    "http_basic_authenticate_with",
    "serialize",
    "redirect_to",
    "each",
    "each_pair",
    "t",
    "translate",
    "tag",
    "content_tag",
    "number_to_currency",
    "number_to_percentage",
    "number_to_human",
    "sanitize_css",
    "simple_format",
    "to_json",
    "permit!",
    "to_unsafe_h",
    "variant",
    "variation",
];

fn pattern(
    context: &Context<'_, '_>,
    id: FileId,
    node: &Node,
    call: &Call,
    has: &dyn Fn(&Published) -> bool,
) -> Option<(&'static Published, &'static str, Confidence)> {
    let own = call.recv.is_none();
    match call.name.as_str() {
        "render" | "render_to_string" if own => {
            let habitat = context.app.habitat(Name::from(""), id);
            let file = place::keyword(call, "file");
            // Naming the format is the workaround that the announcement gives.
            if file.is_some()
                && place::keyword(call, "formats").is_none()
                && has(&RENDER_FILE)
                && habitat == Habitat::Controller
            {
                return Some((&RENDER_FILE, "`render file:` is used", Confidence::High));
            }
            let first = call.args.first()?;
            if has(&RENDER_HASH) && of_params(first) {
                return Some((&RENDER_HASH, "`render` gets a parameter", Confidence::High));
            }
            let named =
                ["template", "action", "partial", "file"].iter().find_map(|k| place::keyword(call, k));
            if has(&RENDER_DYNAMIC) && named.into_iter().chain([first]).any(of_params) {
                return Some((&RENDER_DYNAMIC, "`render` gets a parameter", Confidence::High));
            }
            if has(&RENDER_LOCALS) && place::keyword(call, "locals").is_some_and(of_params) {
                return Some((&RENDER_LOCALS, "`locals:` gets parameters", Confidence::High));
            }
            None
        }
        "http_basic_authenticate_with" if own && has(&BASIC_AUTH) => {
            Some((&BASIC_AUTH, "`http_basic_authenticate_with` is used", Confidence::Medium))
        }
        "serialize" if own && has(&SERIALIZE_YAML) => {
            let coder = call
                .args
                .get(1)
                .filter(|a| !matches!(a.kind, Kind::Hash(_)))
                .or_else(|| place::keyword(call, "coder"));
            let safe = coder.and_then(place::constant).is_some_and(|c| {
                !matches!(
                    c.as_str(),
                    "Hash" | "Array" | "Object" | "YAML" | "ActiveSupport::HashWithIndifferentAccess"
                )
            });
            let is_model = context.app.habitat(Name::from(""), id) == Habitat::Model
                && matches!(call.args.first().map(|a| &a.kind), Some(Kind::Sym(_) | Kind::Str(_)));
            (is_model && !safe).then_some((&SERIALIZE_YAML, "`serialize` is used with YAML", Confidence::Low))
        }
        "redirect_to" if own => {
            let first = call.args.first()?;
            // A hash of route options leads to the application's own pages.
            if matches!(first.kind, Kind::Hash(_)) {
                return None;
            }
            if has(&REDIRECT_HOST)
                && of_params(first)
                && context.app.config.flag("action_controller.raise_on_open_redirects") == Some(true)
            {
                return Some((&REDIRECT_HOST, "`redirect_to` gets a parameter", Confidence::High));
            }
            (has(&REDIRECT_XSS) && of_params(first)).then_some((
                &REDIRECT_XSS,
                "`redirect_to` gets a parameter",
                Confidence::Medium,
            ))
        }
        "each" | "each_pair" if has(&STRONG_PARAMS) => {
            let permit = matches!(call.recv.as_ref().map(|r| &r.kind), Some(Kind::Call(c)) if matches!(c.name.as_str(), "params"));
            (permit && call.block.is_some()).then_some((
                &STRONG_PARAMS,
                "the parameters are gone through with `each`",
                Confidence::Low,
            ))
        }
        "t" | "translate"
            if own && has(&TRANSLATE) && context.app.habitat(Name::from(""), id) == Habitat::Controller =>
        {
            let markup = call
                .args
                .first()
                .and_then(place::text)
                .is_some_and(|t| t.ends_with("_html") || t.ends_with(".html"));
            (markup
                && place::keyword(call, "default")
                    .is_some_and(|d| !matches!(d.kind, Kind::Str(_) | Kind::Sym(_))))
            .then_some((&TRANSLATE, "`translate` gets an `_html` key and a default", Confidence::High))
        }
        "tag" | "content_tag" if own && has(&TAG_NAMES) => {
            let computed = call.args.iter().filter_map(|a| match &a.kind {
                Kind::Hash(pairs) => Some(pairs),
                _ => None,
            });
            let open = computed
                .flatten()
                .any(|p| matches!(p.key.kind, Kind::Interp(_) | Kind::Local(_) | Kind::Call(_)));
            open.then_some((&TAG_NAMES, "names of attributes are made at run time", Confidence::Medium))
        }
        "number_to_currency" | "number_to_percentage" | "number_to_human" if own && has(&CURRENCY) => {
            let open = ["unit", "units", "format", "negative_format"]
                .iter()
                .filter_map(|k| place::keyword(call, k))
                .any(|v| !matches!(v.kind, Kind::Str(_)));
            open.then_some((
                &CURRENCY,
                "an option of a number helper is made at run time",
                Confidence::Medium,
            ))
        }
        "sanitize_css" if has(&SANITIZE_CSS) => {
            Some((&SANITIZE_CSS, "`sanitize_css` is used", Confidence::High))
        }
        "simple_format" if own && has(&SIMPLE_FORMAT) => {
            let open = call.args.get(1).is_some_and(|o| matches!(&o.kind, Kind::Hash(pairs) if pairs.iter().any(|p| !matches!(p.value.kind, Kind::Str(_) | Kind::Sym(_)))));
            open.then_some((
                &SIMPLE_FORMAT,
                "`simple_format` gets attributes made at run time",
                Confidence::Medium,
            ))
        }
        "to_json" if has(&JSON_ESCAPE) && context.file(id).is_template() => {
            Some((&JSON_ESCAPE, "a template writes `to_json`", Confidence::Low))
        }
        "permit!" | "to_unsafe_h" if has(&VALIDATIONS) => {
            Some((&VALIDATIONS, "attributes are not limited", Confidence::Low))
        }
        "variant" | "variation" if has(&VARIANT) && call.args.iter().any(of_params) => {
            let _ = node;
            Some((&VARIANT, "`variant` gets a parameter", Confidence::High))
        }
        _ => None,
    }
}

/// Whether an expression is a parameter, or a text with nothing but one at its start.
fn of_params(node: &Node) -> bool {
    match &node.kind {
        Kind::Call(call) => match call.name.as_str() {
            "params" => call.recv.is_none(),
            "[]" | "fetch" | "to_s" | "require" | "dig" | "presence" | "to_unsafe_h" => {
                call.recv.as_ref().is_some_and(of_params)
            }
            _ => false,
        },
        Kind::Interp(interp) => interp.parts.iter().any(of_params),
        Kind::Or(sides) => of_params(&sides.0),
        _ => false,
    }
}

/// The two that need no pattern but a parser that is on by default.
fn settings(context: &Context<'_, '_>) {
    let Some((file, span)) = place::application(context) else { return };
    let hint = place::hint!(r"param_parsers|DEFAULT_PARSERS|disable_xml|ParamsParser");
    let mut removed = false;
    place::calls(context, hint, &mut |_, _, call| {
        removed |= call.name == "delete"
            && call.args.first().is_some_and(|a| place::constant(a).is_some_and(|c| c == "Mime::XML"));
    });
    if !removed && context.app.controllers.len() > 1 {
        report(
            context,
            &XML_PARAMS,
            file,
            span,
            "the parser for XML parameters is not taken out",
            Confidence::High,
        );
    }
    if lacks(context, &JSON_YAML) && context.app.rails() < (3, 1) {
        let backend = context
            .app
            .config
            .settings
            .iter()
            .any(|s| s.key.to_ascii_lowercase().contains("json") && s.key.ends_with("backend"));
        if !backend && context.app.controllers.len() > 1 {
            report(
                context,
                &JSON_YAML,
                file,
                span,
                "the backend for JSON is left at YAML",
                Confidence::Medium,
            );
        }
    }
}

fn any_raw(context: &Context<'_, '_>) -> bool {
    let hint = place::hint!("raw:|:raw");
    let mut raw = false;
    place::calls(context, hint, &mut |_, _, call| {
        raw |= matches!(call.name.as_str(), "fetch" | "write" | "read")
            && place::keyword(call, "raw").is_some_and(|v| matches!(v.kind, Kind::True));
    });
    raw
}

fn report(
    context: &Context<'_, '_>,
    published: &Published,
    file: FileId,
    span: Span,
    pattern: &str,
    confidence: Confidence,
) {
    let version = context.app.gems.rails_text().map(|t| t.0).unwrap_or_default();
    context
        .finding(
            rule(),
            file,
            span,
            format!("Rails {version} has {}: {}; here {pattern}", published.cve, published.effect),
        )
        .confidence(confidence)
        .severity(published.severity)
        .remedy(format!("Move to a Rails with the fix ({} or later).", published.fixed.join(", ")))
        .report();
}
