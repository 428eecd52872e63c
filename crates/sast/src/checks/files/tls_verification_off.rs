//! Encrypted connections to whoever answers.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Node, Pair, Span};
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;
use crate::mend::{self, Mend};

wardroom_model::rule! {
    /// A client connects by TLS without looking at the certificate of the other side: `VERIFY_NONE`,
    /// `verify: false`, LDAPS without options.
    ///
    /// ## Why it is bad
    ///
    /// Anyone on the way can answer in the other side's name, read passwords and tokens, and change what comes
    /// back. The encryption is worth nothing against them.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// http.verify_mode = OpenSSL::SSL::VERIFY_NONE
    /// HTTParty.get(url, verify: false)
    /// Net::LDAP.new(host: host, encryption: :simple_tls)
    /// ```
    ///
    /// ## Use instead
    ///
    /// Leave the client's default; for a certificate of one's own, name its authority:
    ///
    /// ```ruby
    /// http.ca_file = Rails.root.join("config", "ca.pem").to_s
    /// Net::LDAP.new(host: host, encryption: { method: :simple_tls, tls_options: OpenSSL::SSL::SSLContext::DEFAULT_PARAMS })
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-295: Improper Certificate Validation
    rule: "tls-verification-off", "A TLS connection does not check the certificate", FilesAndNetwork, 295, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N"
}

const WORDS: &[&str] = &["VERIFY_NONE", "verify", "insecure", "simple_tls", "start_tls", "sslmode"];

struct Found {
    file: FileId,
    span: Span,
    message: String,
    confidence: Confidence,
    reason: &'static str,
    remedy: &'static str,
    /// The value that switches the check off, or the hash that lacks the option, and where it is sure.
    value: Option<Span>,
}

/// Looks at attributes and options that switch the check off.
pub fn run(context: &Context<'_, '_>) {
    let mut found: Vec<Found> = Vec::new();
    for (file, tree) in context.files_with(WORDS) {
        if place::is_test(&tree.path) || tree.is_template() {
            continue;
        }
        walk::each(&tree.parsed.body, &mut |node| {
            match &node.kind {
                Kind::Call(call) => on_call(file, node, call, &mut found),
                Kind::Hash(pairs) => on_hash(file, node, pairs, &mut found),
                Kind::Assign(assign)
                    if matches!(&assign.target.kind, Kind::Const(path) if path.last().is_some_and(|n| *n == "VERIFY_PEER"))
                        && place::last_name(&assign.value) == Some("VERIFY_NONE") =>
                {
                    found.push(Found {
                        file,
                        span: node.span,
                        message: "`VERIFY_PEER` is made to mean `VERIFY_NONE` for the whole process"
                            .to_owned(),
                        confidence: Confidence::High,
                        reason: "",
                        remedy: DEFAULT,
                        value: None,
                    });
                }
                _ => {}
            }
            true
        });
    }
    // An option within a call that was noted already says the same thing.
    for Found { file, span, message, mut confidence, mut reason, remedy, mut value } in found {
        match condition(&context.file(file).parsed.body, span) {
            Condition::None => {}
            Condition::Some => {
                confidence = Confidence::Low;
                reason = "an option of whoever runs it decides";
                value = None;
            }
            Condition::NotProduction => {
                confidence = Confidence::Low;
                reason = "not in production";
                value = None;
            }
        }
        if place::is_tooling(&context.file(file).path) {
            confidence = Confidence::Low;
            reason = "no visitor runs this code";
        }
        context
            .finding(rule(), file, span, message)
            .confidence(confidence)
            .severity(Severity::Medium)
            .reason(reason)
            .remedy(remedy)
            .mend(
                value
                    .filter(|_| !is_decided(&context.file(file).parsed.body, span))
                    .and_then(|value| checked(context, file, value)),
            )
            .report();
    }
}

/// The value that switches the check on again.
fn checked(context: &Context<'_, '_>, file: FileId, value: Span) -> Option<Mend> {
    let source = context.source(file, value);
    let new = match &*source {
        "false" => "true".to_owned(),
        "\"none\"" => "\"peer\"".to_owned(),
        "'none'" => "'peer'".to_owned(),
        ":none" => ":peer".to_owned(),
        _ if source.starts_with('{') => {
            let mut hash = None;
            walk::each(&context.file(file).parsed.body, &mut |node| {
                if node.span == value && matches!(node.kind, Kind::Hash(_)) {
                    hash = Some(node);
                }
                hash.is_none()
            });
            let options = [("tls_options", "OpenSSL::SSL::SSLContext::DEFAULT_PARAMS")];
            return mend::add_options(context, "Checks the certificate", file, hash?, &options);
        }
        _ => format!("{}VERIFY_PEER", source.strip_suffix("VERIFY_NONE")?),
    };
    let title = "Checks the certificate (name the authority of one of your own in `ca_file`)";
    Some(mend::replace(title, file, value, new))
}

/// What stands round a place.
enum Condition {
    None,
    Some,
    NotProduction,
}

/// Whether a condition decides about this one setting alone: `verify_hostname = false if ip_address?`.
fn is_decided(body: &Node, span: Span) -> bool {
    let mut decided = false;
    walk::each(body, &mut |node| {
        if node.span.end <= span.start || span.end <= node.span.start {
            return false;
        }
        if let Kind::If(branches) = &node.kind {
            decided |= branches.then.span == span || branches.otherwise.span == span;
        }
        !decided
    });
    decided
}

/// Conditions round a place that look as if they decide on the check: on the environment, or on an
/// option that is named after it.
fn condition(body: &Node, span: Span) -> Condition {
    let mut out = Condition::None;
    walk::each(body, &mut |node| {
        if node.span.end <= span.start || span.end <= node.span.start {
            return false;
        }
        if let Kind::If(branches) = &node.kind
            && (branches.cond.span.end <= span.start || span.end <= branches.cond.span.start)
        {
            const ENVIRONMENTS: &[&str] = &["development?", "test?", "local?", "dev?"];
            let elsewhere = place::any(&branches.cond, |n| match &n.kind {
                Kind::Call(call) => ENVIRONMENTS.contains(&call.name.as_str()),
                Kind::Str(text) => matches!(&**text, "development" | "test"),
                _ => false,
            });
            let negated = matches!(branches.cond.kind, Kind::Not(_));
            let then = branches.then.span.start <= span.start && span.end <= branches.then.span.end;
            const WORDS: &[&str] =
                &["ssl", "verify", "insecure", "cert", "tls", "self_signed", "trust", "force"];
            let optional = place::any(&branches.cond, |n| match &n.kind {
                Kind::Call(call) => WORDS.iter().any(|w| call.name.contains(w)),
                Kind::Local(name) | Kind::Ivar(name) | Kind::Sym(name) => {
                    WORDS.iter().any(|w| name.contains(w))
                }
                Kind::Str(text) => WORDS.iter().any(|w| text.contains(w)),
                _ => false,
            });
            if elsewhere && then != negated {
                out = Condition::NotProduction;
            } else if optional && !matches!(out, Condition::NotProduction) {
                out = Condition::Some;
            }
        }
        true
    });
    out
}

const DEFAULT: &str =
    "Leave the default, which checks; name the authority (`ca_file`) of a certificate of your own.";
const LDAP: &str = "Give `encryption: { method: …, tls_options: OpenSSL::SSL::SSLContext::DEFAULT_PARAMS }`.";

/// What an expression switches the check to.
enum Off {
    Always(Span),
    Sometimes,
    Never,
}

/// `VERIFY_NONE` or `"none"`: always, in one branch, or not.
fn none(node: &Node) -> Off {
    match &node.kind {
        Kind::Const(path) if path.last().is_some_and(|n| *n == "VERIFY_NONE") => Off::Always(node.span),
        Kind::Str(text) if &**text == "none" => Off::Always(node.span),
        Kind::Sym(name) if *name == "none" => Off::Always(node.span),
        Kind::If(_) | Kind::Or(_) | Kind::And(_) | Kind::Case(_) => {
            if place::any(node, |n| place::last_name(n) == Some("VERIFY_NONE")) {
                Off::Sometimes
            } else {
                Off::Never
            }
        }
        _ => Off::Never,
    }
}

/// `false` or `VERIFY_NONE`.
fn off(node: &Node) -> Off {
    match &node.kind {
        Kind::False | Kind::Int(0) => Off::Always(node.span),
        _ => none(node),
    }
}

fn note(found: &mut Vec<Found>, file: FileId, span: Span, what: Off, message: String) {
    let (confidence, reason, value) = match what {
        Off::Always(value) => (Confidence::High, "", Some(value)),
        Off::Sometimes => (Confidence::Low, "a condition decides", None),
        Off::Never => return,
    };
    found.push(Found { file, span, message, confidence, reason, remedy: DEFAULT, value });
}

fn on_call(file: FileId, node: &Node, call: &Call, found: &mut Vec<Found>) {
    let Some(last) = call.args.last() else { return };
    match call.name.as_str() {
        "verify_mode=" | "ssl_verify_mode=" | "openssl_verify_mode=" => {
            note(
                found,
                file,
                node.span,
                none(last),
                format!("`{}` is set so that any certificate will do", call.name.trim_end_matches('=')),
            );
        }
        "ssl_verify_peer="
        | "ssl_verifypeer="
        | "ssl_verify_host="
        | "verify_ssl="
        | "verify_hostname="
        | "verify_certificate="
        | "ssl_verify=" => {
            note(
                found,
                file,
                node.span,
                off(last),
                format!("`{}` is switched off", call.name.trim_end_matches('=')),
            );
        }
        // `Excon.defaults[:ssl_verify_peer] = false`, `options[:verify_mode] = …`
        "[]=" | "store" => {
            if let Some(key) = call.args.first().and_then(place::key_name) {
                let what = match key {
                    "ssl_verify_peer" | "ssl_verifypeer" | "verify_ssl" | "verify_peer" | "ssl_verify" => {
                        off(last)
                    }
                    "verify_mode" | "ssl_verify_mode" | "openssl_verify_mode" => none(last),
                    _ => Off::Never,
                };
                note(found, file, node.span, what, format!("`{key}` is set so that any certificate will do"));
            }
        }
        // HTTParty: `default_options.update(verify: false)` is a hash; `verify false` stands in the class.
        "ssl_version" | "no_verify" => {}
        _ => {}
    }
    // RestClient, Faraday, HTTParty …: `verify: false` says it only beside a client.
    let client = call
        .recv
        .as_ref()
        .and_then(place::constant)
        .is_some_and(|c| CLIENTS.iter().any(|k| c == *k || c.ends_with(&format!("::{k}"))))
        || matches!(
            call.name.as_str(),
            "get"
                | "post"
                | "put"
                | "patch"
                | "delete"
                | "request"
                | "connection"
                | "default_options"
                | "update"
                | "head"
        ) && call.recv.is_some();
    if client
        && let Some(value) = place::option(call, "verify")
        && matches!(value.kind, Kind::False)
    {
        note(
            found,
            file,
            node.span,
            Off::Always(value.span),
            format!("`verify: false` in `{}` lets any certificate do", call.name),
        );
    }
}

const CLIENTS: &[&str] = &[
    "HTTParty",
    "Faraday",
    "RestClient",
    "Typhoeus",
    "Excon",
    "HTTP",
    "HTTPX",
    "Savon",
    "Faraday::Connection",
    "RestClient::Resource",
    "RestClient::Request",
    "Kubeclient::Client",
    "Gitlab::HTTP",
    "Mechanize",
];

fn on_hash(file: FileId, node: &Node, pairs: &[Pair], found: &mut Vec<Found>) {
    for pair in pairs {
        let Some(key) = place::key_name(&pair.key) else { continue };
        let span = Span { start: pair.key.span.start, end: pair.value.span.end };
        match key {
            "verify_mode" | "ssl_verify_mode" | "openssl_verify_mode" => {
                note(
                    found,
                    file,
                    span,
                    none(&pair.value),
                    format!("`{key}` is set so that any certificate will do"),
                );
            }
            "verify_ssl" | "ssl_verify" | "ssl_verify_peer" | "ssl_verifypeer" | "verify_peer"
            | "ssl_verifyhost" | "verify_hostname" => {
                note(found, file, span, off(&pair.value), format!("`{key}` is switched off"));
            }
            "ssl" | "ssl_options" => {
                if let Some(value) = place::in_hash(&pair.value, "verify") {
                    note(
                        found,
                        file,
                        span,
                        off(value),
                        format!("`{key}: {{ verify: … }}` lets any certificate do"),
                    );
                }
            }
            "encryption" => ldap(file, node, span, &pair.value, pairs, found),
            _ => {}
        }
    }
}

/// `Net::LDAP` and what is built on it check a certificate only with `tls_options`.
fn ldap(file: FileId, _hash: &Node, span: Span, value: &Node, pairs: &[Pair], found: &mut Vec<Found>) {
    let beside = |key: &str| pairs.iter().any(|p| place::key_name(&p.key) == Some(key));
    if !(beside("host") || beside("hosts") || beside("port") || beside("base") || beside("base_dn")) {
        return;
    }
    let is_method =
        |n: &Node| matches!(&n.kind, Kind::Sym(name) if *name == "simple_tls" || *name == "start_tls");
    let bare = match &value.kind {
        Kind::Hash(_) => {
            place::in_hash(value, "tls_options").is_none()
                && place::in_hash(value, "method").is_some_and(|m| place::any(m, is_method))
        }
        Kind::Sym(_) => is_method(value),
        Kind::If(_) | Kind::And(_) | Kind::Or(_) | Kind::Seq(_) => {
            place::any(value, is_method)
                && !place::any(value, |n| matches!(&n.kind, Kind::Sym(name) if *name == "tls_options"))
        }
        _ => false,
    };
    if bare {
        found.push(Found {
            file,
            span,
            message: "LDAP over TLS without `tls_options` takes any certificate".to_owned(),
            confidence: Confidence::High,
            reason: "",
            remedy: LDAP,
            value: matches!(value.kind, Kind::Hash(_)).then_some(value.span),
        });
    }
}
