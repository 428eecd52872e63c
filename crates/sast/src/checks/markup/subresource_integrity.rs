//! Scripts and stylesheets of other hosts that a page takes as they come.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::bytes::Regex;
use wardroom_model::{Confidence, Severity};
use wardroom_rails::{FileId, Format, Role, literal_name};
use wardroom_ruby::ir::*;
use wardroom_ruby::template::Engine;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A page loads a script or a stylesheet from another host and does not say with `integrity` what
    /// it has to be.
    ///
    /// ## Why it is bad
    ///
    /// Whoever takes over the host, its name or the package there runs a script of his own in every
    /// page, as each visitor: it reads forms and acts in their name.
    ///
    /// ## Example
    ///
    /// ```erb
    /// <script src="https://cdn.example.org/jquery@3.7.1/jquery.min.js"></script>
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```erb
    /// <script src="https://cdn.example.org/jquery@3.7.1/jquery.min.js"
    ///         integrity="sha384-…" crossorigin="anonymous"></script>
    /// <%= javascript_include_tag "jquery" %>
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-353: Missing Support for Integrity Check
    /// - W3C: Subresource Integrity
    rule: "missing-subresource-integrity", "Another host's script without a checksum", Configuration, 353, Low,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Hosts that hand out released files, which never change under one address.
const LIBRARIES: &[&str] = &[
    "cdn.jsdelivr.net",
    "cdnjs.cloudflare.com",
    "unpkg.com",
    "code.jquery.com",
    "ajax.googleapis.com",
    "ajax.aspnetcdn.com",
    "ajax.microsoft.com",
    "maxcdn.bootstrapcdn.com",
    "stackpath.bootstrapcdn.com",
    "netdna.bootstrapcdn.com",
    "use.fontawesome.com",
    "cdn.datatables.net",
    "browser.sentry-cdn.com",
    "cdn.ravenjs.com",
    "esm.sh",
    "cdn.skypack.dev",
    "ga.jspm.io",
];

/// Hosts whose files change under the same address, by design: a checksum would break the page.
const LOADERS: &[&str] = &[
    "stripe.com",
    "google.com",
    "gstatic.com",
    "recaptcha.net",
    "googletagmanager.com",
    "google-analytics.com",
    "googlesyndication.com",
    "fonts.googleapis.com",
    "maps.googleapis.com",
    "facebook.net",
    "twitter.com",
    "x.com",
    "linkedin.com",
    "paypal.com",
    "paypalobjects.com",
    "braintreegateway.com",
    "squareup.com",
    "squarecdn.com",
    "hcaptcha.com",
    "challenges.cloudflare.com",
    "cloudflareinsights.com",
    "intercom.io",
    "hotjar.com",
    "plausible.io",
    "typekit.net",
    "typekit.com",
    "fonts.net",
    "fonts.bunny.net",
    "kit.fontawesome.com",
    "js.sentry-cdn.com",
    "newrelic.com",
    "nr-data.net",
    "mxpnl.com",
    "segment.com",
    "addthis.com",
    "disqus.com",
    "gravatar.com",
    "youtube.com",
    "vimeo.com",
    "zendesk.com",
    "zdassets.com",
    "apple.com",
    "appleid.cdn-apple.com",
    "microsoft.com",
    "amazon.com",
    "crisp.chat",
    "plaid.com",
    "dropbox.com",
];

/// Hosts that have served foreign scripts once their name was sold.
const TAKEN_OVER: &[&str] =
    &["polyfill.io", "bootcss.com", "bootcdn.net", "staticfile.org", "staticfile.net"];

/// One address that a page loads.
struct Loaded {
    file: FileId,
    span: Span,
    url: String,
    script: bool,
}

/// Looks at the templates' own markup, and at the helpers that write such tags.
pub fn run(context: &Context<'_, '_>) {
    let mut found: Vec<Loaded> = Vec::new();
    // Templates without any code count too.
    for (number, file) in context.app.files.iter().enumerate() {
        let id = FileId(number as u32);
        if let Role::Template { engine, format: Format::Html } = file.role {
            match engine {
                Engine::Erb => tags(id, &file.text, &mut found),
                Engine::Haml | Engine::Slim => lines(id, &file.text, &mut found),
                Engine::Ruby => {}
            }
        }
    }
    helpers(context, &mut found);
    // One finding for a file and a host.
    let mut hosts: BTreeMap<(FileId, String), Vec<(Confidence, Loaded)>> = BTreeMap::new();
    let own = own_hosts(context);
    for loaded in found {
        let Some(host) = host(&loaded.url) else { continue };
        if place::is_mail(context, loaded.file)
            || own.iter().any(|o| host == *o || host.ends_with(&format!(".{o}")) || label(&host) == Some(o))
        {
            continue;
        }
        let confidence = judge(&host, &loaded);
        let confidence = if printed(context, loaded.file) { Confidence::Low } else { confidence };
        hosts.entry((loaded.file, host)).or_default().push((confidence, loaded));
    }
    for ((file, host), mut all) in hosts {
        all.sort_by_key(|(confidence, loaded)| (std::cmp::Reverse(*confidence), loaded.span.start));
        let more = all.len() - 1;
        let Some((confidence, first)) = all.into_iter().next() else { continue };
        let taken = ends_with_any(&host, TAKEN_OVER);
        let what = if first.script { "script" } else { "stylesheet" };
        let others = match more {
            0 => String::new(),
            1 => ", and one more from there".to_owned(),
            _ => format!(", and {more} more from there"),
        };
        context
            .finding(
                rule(),
                file,
                first.span,
                format!("The page takes a {what} from `{host}` whatever it holds: it has no `integrity`{others}"),
            )
            .confidence(confidence)
            .severity(match (taken, first.script) {
                (true, true) => Severity::High,
                _ => Severity::Low,
            })
            .reason(match confidence {
                _ if printed(context, file) => "the server itself renders the page, outside of any visitor's session",
                _ if taken => "the host has changed hands and served foreign scripts",
                Confidence::High => "the host serves released files, which a checksum can name",
                Confidence::Medium if !first.script => "a stylesheet can do less than a script",
                Confidence::Medium => "whether the file stays the same is not certain",
                Confidence::Low => "the file seems to change under its address, so a checksum may not hold",
            })
            .remedy(if taken {
                "Take it out, or serve the file from the application itself."
            } else {
                "Serve the file from the application itself, or name a version and add `integrity` and `crossorigin=\"anonymous\"`."
            })
            .report();
    }
}

/// Whether the server itself renders a page, for a document: it meets no visitor's session.
fn printed(context: &Context<'_, '_>, file: FileId) -> bool {
    context.file(file).path.contains(".pdf.")
}

/// How sure it is that a checksum is due.
fn judge(host: &str, loaded: &Loaded) -> Confidence {
    if ends_with_any(host, TAKEN_OVER) && loaded.script {
        return Confidence::High;
    }
    let versioned = VERSION.is_match(loaded.url.as_bytes());
    match (LIBRARIES.contains(&host), versioned, loaded.script) {
        (true, true, true) => Confidence::High,
        (true, true, false) | (true, false, true) => Confidence::Medium,
        (true, false, false) => Confidence::Low,
        _ if ends_with_any(host, LOADERS) => Confidence::Low,
        (false, true, true) => Confidence::Medium,
        _ => Confidence::Low,
    }
}

/// `3.6.0`, `@11.1`, `v2.0`: a version that says more than the first number.
static VERSION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[/@v-]\d+\.\d+(?:\.\d+)?").expect("the pattern is a constant"));

fn ends_with_any(host: &str, list: &[&str]) -> bool {
    list.iter().any(|known| {
        host.strip_suffix(known).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// The host of an address of another host, in lower case.
fn host(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https:").or_else(|| url.strip_prefix("http:")).unwrap_or(url);
    let rest = rest.strip_prefix("//")?;
    let host = rest.split(['/', '?', '#', ':']).next()?.to_ascii_lowercase();
    let plain =
        host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    plain.then_some(host)
}

/// The label before the top-level domain: `example` of `assets.example.com`.
fn label(host: &str) -> Option<&str> {
    host.rsplit('.').nth(1)
}

/// Hosts that are the application's own: what its settings name, and what is called like it.
fn own_hosts(context: &Context<'_, '_>) -> Vec<String> {
    let app = context.app;
    let mut out = Vec::new();
    for setting in &app.config.settings {
        if setting.key.ends_with("asset_host") || setting.key.ends_with("hosts") {
            for text in context.source(FileId(setting.file), setting.span).split(['"', '\'']) {
                let text =
                    text.trim_start_matches("https:").trim_start_matches("http:").trim_start_matches("//");
                if text.contains('.') && !text.contains(char::is_whitespace) {
                    out.push(text.to_ascii_lowercase());
                }
            }
        }
    }
    for class in app.index.classes.values() {
        if class.superclass.is_some_and(|s| s == "Rails::Application")
            && let Some((module, _)) = class.name.rsplit_once("::")
        {
            out.push(module.replace("::", "").to_ascii_lowercase());
        }
    }
    out
}

/// Tags of HTML, with the engine's own tags in them.
fn tags(id: FileId, text: &[u8], out: &mut Vec<Loaded>) {
    static TAG: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?is)<!--.*?-->|<%#.*?%>|<(?P<name>script|link)\b(?P<rest>(?:[^<>%]|%[^<>]|<%.*?%>)*)>")
            .expect("the pattern is a constant")
    });
    if !HINT.is_match(text) {
        return;
    }
    for tag in TAG.captures_iter(text) {
        let (Some(whole), Some(name), Some(rest)) = (tag.get(0), tag.name("name"), tag.name("rest")) else {
            continue;
        };
        let script = name.as_bytes().eq_ignore_ascii_case(b"script");
        attributes(id, whole.start(), whole.end(), rest.as_bytes(), script, out);
    }
}

/// Lines of Haml and Slim that begin with such a tag; attributes may go on on the next lines.
fn lines(id: FileId, text: &[u8], out: &mut Vec<Loaded>) {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?m)^[ \t]*%?(?P<name>script|link)(?P<rest>[ \t({\[][^\n]*(?:,[ \t]*\n[^\n]*)*)"#)
            .expect("the pattern is a constant")
    });
    if !HINT.is_match(text) {
        return;
    }
    for line in LINE.captures_iter(text) {
        let (Some(name), Some(rest)) = (line.name("name"), line.name("rest")) else { continue };
        let start = name.start() - usize::from(name.start() > 0 && text[name.start() - 1] == b'%');
        attributes(id, start, rest.end(), rest.as_bytes(), name.as_bytes() == b"script", out);
    }
}

static HINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:src|href)["']?\s*(?:=>|=|:)\s*["']?(?:https?:)?//"#)
        .expect("the pattern is a constant")
});

fn attributes(id: FileId, start: usize, end: usize, rest: &[u8], script: bool, out: &mut Vec<Loaded>) {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)\b(?P<key>src|href)["']?\s*(?:=>|=|:)\s*["']?(?P<url>(?:https?:)?//[^\s"'<>#{]+)"#)
            .expect("the pattern is a constant")
    });
    static STYLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)\brel["']?\s*(?:=>|=|:)\s*["']?[a-z ]*stylesheet"#)
            .expect("the pattern is a constant")
    });
    static INTEGRITY: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)\bintegrity["']?\s*(?:=|:)"#).expect("the pattern is a constant"));
    if INTEGRITY.is_match(rest) || !script && !STYLE.is_match(rest) {
        return;
    }
    let wanted: &[u8] = if script { b"src" } else { b"href" };
    let Some(address) = ADDRESS
        .captures_iter(rest)
        .find(|a| a.name("key").is_some_and(|k| k.as_bytes().eq_ignore_ascii_case(wanted)))
    else {
        return;
    };
    let url = address.name("url").map(|u| String::from_utf8_lossy(u.as_bytes()).into_owned());
    let span = Span { start: start as u32, end: end as u32 };
    out.extend(url.map(|url| Loaded { file: id, span, url, script }));
}

/// `javascript_include_tag "https://…"`, `stylesheet_link_tag "//…"`.
fn helpers(context: &Context<'_, '_>, out: &mut Vec<Loaded>) {
    context.calls_named(&["javascript_include_tag", "stylesheet_link_tag"], |file, node, call| {
        if call.recv.is_some() {
            return;
        }
        let checked = call.args.iter().any(|a| match &a.kind {
            Kind::Hash(pairs) => pairs.iter().any(|p| {
                literal_name(&p.key).is_some_and(|k| k == "integrity")
                    || matches!(p.key.kind, Kind::DoubleSplat(_))
            }),
            _ => false,
        });
        if checked {
            return;
        }
        for argument in &call.args {
            let url = match &argument.kind {
                // The host stands in front of what is put in.
                Kind::Interp(interp) if interp.form == Form::Str => {
                    match interp.parts.first().map(|p| &p.kind) {
                        Some(Kind::Str(text)) if text.matches('/').count() > 2 => Some(text.to_string()),
                        _ => None,
                    }
                }
                Kind::Hash(_) => None,
                _ => context.literal(file, argument).map(|l| l.text),
            };
            let Some(url) = url.filter(|u| host(u).is_some()) else { continue };
            out.push(Loaded { file, span: node.span, url, script: call.name == "javascript_include_tag" });
        }
    });
}
