//! Other sites that may read the answers.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_rails::config::SettingValue;
use wardroom_ruby::ir::{Call, Kind, Node};
use wardroom_ruby::walk;

use super::{naming, place};
use crate::context::Context;

wardroom_model::rule! {
    /// Cross-origin requests are allowed from every site: the origin is `*`, or the one that the
    /// request names is sent back, worst together with credentials.
    ///
    /// ## Why it is bad
    ///
    /// With credentials allowed, any site that a signed-in user visits can read the user's data from
    /// this application and act in the user's name.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    /// headers["Access-Control-Allow-Credentials"] = "true"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// allow do
    ///   origins "https://app.example.com"
    ///   resource "/api/*", headers: :any, methods: [:get, :post], credentials: true
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-942: Permissive Cross-domain Policy with Untrusted Domains
    rule: "cors-wildcard", "Every site may read the answers", Configuration, 942, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N"
}

/// Looks at the rules of `rack-cors` and at headers set by hand.
pub fn run(context: &Context<'_, '_>) {
    for cors in &context.app.config.cors {
        if cors.environment.as_deref().is_some_and(|e| e != "production") {
            continue;
        }
        let file = FileId(cors.file);
        let patterned = cors.origins.iter().any(|o| match o {
            SettingValue::Expr(span) => {
                matches!(context.source(file, *span).as_str(), "/.*/" | "/.+/" | "//" | "/\\A.*\\z/")
            }
            _ => false,
        });
        let by_block = cors.origin_block.is_some_and(|span| {
            let source = context.source(file, span);
            let body = source
                .trim_matches(['{', '}', ' ', '\n'])
                .rsplit(['|', '\n'])
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            // A browser sends an origin with every cross-origin request: to ask for one asks nothing.
            let name = source.split('|').nth(1).and_then(|p| p.split(',').next()).map_or("", str::trim);
            body == "true"
                || !name.is_empty()
                    && body.strip_prefix(name).is_some_and(|rest| {
                        matches!(rest, "" | ".present?" | ".presence" | "&.present?" | ".to_s.present?")
                    })
                || !name.is_empty()
                    && body
                        .strip_prefix('!')
                        .and_then(|b| b.strip_prefix(name))
                        .is_some_and(|rest| matches!(rest, ".nil?" | ".blank?" | ".empty?"))
        });
        if !cors.any_origin() && !patterned && !by_block {
            continue;
        }
        let credentials = cors.resources.iter().any(|r| {
            matches!(r.credentials, Some(SettingValue::Bool(true)))
                || r.credentials.is_none() && context.app.gems.older_than("rack-cors", "1.0")
        });
        let said = cors.resources.iter().any(|r| matches!(r.credentials, Some(SettingValue::Bool(true))));
        // The gem answers `*` together with credentials with an error; a pattern or block it reflects.
        let reflected = patterned || by_block || context.app.gems.older_than("rack-cors", "1.0");
        let (message, confidence, severity) = match (credentials, reflected) {
            (true, true) if said => {
                ("Every site may read answers with the user's cookies", Confidence::High, Severity::High)
            }
            (true, true) => (
                "Every site may read answers with the user's cookies: this `rack-cors` allows credentials unless told otherwise",
                Confidence::Medium,
                Severity::Medium,
            ),
            (true, false) => {
                ("Every origin is allowed together with credentials", Confidence::Medium, Severity::Medium)
            }
            (false, _) => {
                ("Every site may read what is answered without cookies", Confidence::Low, Severity::Info)
            }
        };
        context
            .finding(rule(), file, cors.origins_span, message)
            .confidence(confidence)
            .severity(severity)
            .remedy("Name the sites in `origins`, and leave `credentials: true` to those.")
            .report();
    }
    let hint = place::hint!("(?i)access.control.allow.origin");
    for (id, file) in context.code_files() {
        if !hint.is_match(&file.text) || naming::is_aside(&file.path) {
            continue;
        }
        let credentials =
            file.text.windows(32).any(|w| w.eq_ignore_ascii_case(b"access-control-allow-credentials"));
        walk::each(&file.parsed.body, &mut |node| {
            if let Kind::Call(call) = &node.kind
                && call.name == "[]="
                && call
                    .args
                    .first()
                    .and_then(wardroom_rails::literal_name)
                    .is_some_and(|n| n.replace('_', "-").eq_ignore_ascii_case("access-control-allow-origin"))
                && let Some(value) = call.args.last()
            {
                header(context, id, node, value, credentials);
            }
            true
        });
    }
}

fn header(context: &Context<'_, '_>, id: FileId, node: &Node, value: &Node, credentials: bool) {
    let (message, confidence, severity) = if place::text(value) == Some("*") {
        ("Every site may read this answer", Confidence::Low, Severity::Info)
    } else if is_origin(value) {
        match credentials {
            true => (
                "The origin that the request names is allowed to read answers with the user's cookies",
                Confidence::High,
                Severity::High,
            ),
            false => (
                "Whatever origin the request names is allowed to read the answer",
                Confidence::Medium,
                Severity::Low,
            ),
        }
    } else {
        return;
    };
    context
        .finding(rule(), id, node.span, message)
        .confidence(confidence)
        .severity(severity)
        .remedy("Send the header only for origins from a list that the code holds.")
        .report();
}

/// `request.headers["Origin"]`, `request.env["HTTP_ORIGIN"]`, `request.origin`, also with `|| "*"`.
fn is_origin(node: &Node) -> bool {
    match &node.kind {
        Kind::Call(call) => {
            let Call { recv, name, args, .. } = call.as_ref();
            match name.as_str() {
                "[]" | "fetch" => {
                    args.first()
                        .and_then(place::text)
                        .is_some_and(|t| matches!(t.to_ascii_uppercase().as_str(), "ORIGIN" | "HTTP_ORIGIN"))
                        && recv.as_ref().is_some_and(|r| {
                            matches!(&r.kind, Kind::Call(c) if matches!(c.name.as_str(), "headers" | "env"))
                                || matches!(r.kind, Kind::Local(_))
                        })
                }
                "origin" => {
                    recv.as_ref().is_some_and(|r| matches!(&r.kind, Kind::Call(c) if c.name == "request"))
                }
                "presence" | "to_s" => recv.as_ref().is_some_and(is_origin),
                _ => false,
            }
        }
        Kind::Or(sides) => is_origin(&sides.0),
        _ => false,
    }
}
