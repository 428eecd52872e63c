//! Sanitizers that let scripts through.

use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use crate::context::Context;

wardroom_model::rule! {
    /// A sanitizer is told to let tags, attributes or protocols through that run scripts: `script`,
    /// `style`, `iframe`, `object`, `on…` attributes, `srcdoc`, or `javascript:` and `data:` links.
    ///
    /// ## Why it is bad
    ///
    /// What the sanitizer is there to hold back passes it, and the result counts as safe markup. Some
    /// pairs (`math` or `svg` with `style`, `select` with `style`) have also fooled the parser itself.
    ///
    /// ## Example
    ///
    /// ```erb
    /// <%= sanitize @post.body, tags: %w[p a script], attributes: %w[href onclick] %>
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```erb
    /// <%= sanitize @post.body, tags: %w[p a], attributes: %w[href] %>
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    /// - CVE-2022-32209, CVE-2015-7578 (rails-html-sanitizer)
    rule: "sanitize-misconfigured", "A sanitizer that lets scripts through", CrossSiteScripting, 79, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"
}

const TAGS: &[&str] =
    &["script", "iframe", "object", "embed", "applet", "base", "meta", "link", "form", "frame", "frameset"];

/// Where lists of tags, attributes and protocols are given.
const SANITIZERS: &[&str] = &[
    "sanitize",
    "clean",
    "fragment",
    "document",
    "safe_list_sanitizer",
    "sanitized_allowed_tags=",
    "allowed_tags=",
    "sanitized_allowed_attributes=",
    "allowed_attributes=",
    "sanitized_allowed_protocols=",
    "merge",
    "deep_merge",
    "freeze",
];

/// Looks at the options of sanitizers, wherever they are set.
pub fn run(context: &Context<'_, '_>) {
    context.calls_named(SANITIZERS, |file, _, call| {
        let name = call.name.as_str();
        let option = |keys: &[&str]| -> Option<&Node> {
            let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() else { return None };
            pairs
                .iter()
                .find(|p| wardroom_rails::literal_name(&p.key).is_some_and(|k| keys.contains(&k.as_str())))
                .map(|p| &p.value)
        };
        let (tags, attributes, protocols) = match name {
            "sanitize" | "clean" | "fragment" | "document" | "safe_list_sanitizer" => {
                (option(&["tags", "elements"]), option(&["attributes"]), option(&["protocols"]))
            }
            "sanitized_allowed_tags=" | "allowed_tags=" => (call.args.last(), None, None),
            "sanitized_allowed_attributes=" | "allowed_attributes=" => (None, call.args.last(), None),
            "sanitized_allowed_protocols=" => (None, None, call.args.last()),
            "merge" | "deep_merge" | "freeze" if mentions_sanitize(call) => {
                let hash = call
                    .args
                    .iter()
                    .find_map(|a| if let Kind::Hash(pairs) = &a.kind { Some(pairs) } else { None });
                let pick = |wanted: &str| {
                    hash.and_then(|h| {
                        h.iter()
                            .find(|p| wardroom_rails::literal_name(&p.key).is_some_and(|k| k == wanted))
                            .map(|p| &p.value)
                    })
                };
                (pick("elements"), pick("attributes"), pick("protocols"))
            }
            _ => return,
        };
        // A sanitizer that takes its words away (`RELAXED[:elements] - %w[style]`) is no weakness.
        let mut bad: Vec<(Span, String)> = Vec::new();
        for (list, wanted) in [(tags, 0), (attributes, 1), (protocols, 2)] {
            let Some(list) = list else { continue };
            words(list, &mut |span, word| {
                let word = word.trim_end_matches(':').to_ascii_lowercase();
                let wrong = match wanted {
                    0 => TAGS.contains(&word.as_str()),
                    1 => {
                        word.starts_with("on")
                            && word.len() > 4
                            && word.bytes().all(|b| b.is_ascii_lowercase())
                            || word == "srcdoc"
                    }
                    _ => word == "javascript" || word == "vbscript",
                };
                if wrong {
                    bad.push((span, word));
                }
            });
        }
        let Some((span, word)) = bad.first() else { return };
        let sure =
            matches!(word.as_str(), "script" | "object" | "embed" | "javascript" | "srcdoc" | "vbscript")
                || word.starts_with("on");
        context
            .finding(rule(), file, *span, format!("the sanitizer lets `{word}` through"))
            .confidence(if sure { Confidence::High } else { Confidence::Medium })
            .severity(if sure { Severity::High } else { Severity::Medium })
            .reason("markup with it can run scripts or load another site's page")
            .remedy(format!("Take `{word}` out of the list."))
            .report();
    });
}

fn mentions_sanitize(call: &Call) -> bool {
    let mut found = false;
    let mut look = |node: &Node| {
        if let Kind::Const(path) = &node.kind {
            found |= path.first().is_some_and(|n| n == "Sanitize" || n == "Loofah");
        }
    };
    if let Some(recv) = &call.recv {
        look(recv);
    }
    call.args.iter().for_each(look);
    found
}

fn words(node: &Node, visit: &mut dyn FnMut(Span, &str)) {
    walk::each(node, &mut |n| {
        match &n.kind {
            Kind::Str(text) => visit(n.span, text),
            Kind::Sym(name) => visit(n.span, name),
            Kind::Call(call)
                if matches!(call.name.as_str(), "-" | "reject" | "without" | "exclude" | "delete") =>
            {
                if let Some(recv) = &call.recv {
                    words(recv, visit);
                }
                return false;
            }
            _ => {}
        }
        true
    });
}
