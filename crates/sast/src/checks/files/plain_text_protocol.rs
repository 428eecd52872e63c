//! Connections that anyone on the way can read.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Node, Span};
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A client speaks a protocol without encryption: FTP, Telnet, or an `http://` address of another
    /// system that gets credentials.
    ///
    /// ## Why it is bad
    ///
    /// Anyone on the way reads what is sent, passwords and tokens included, and changes what comes back.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Net::FTP.open("files.example.com", user, password)
    /// HTTParty.post("http://api.example.com/orders", basic_auth: { username: user, password: key })
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// Net::FTP.open("files.example.com", username: user, password: password, ssl: true)
    /// HTTParty.post("https://api.example.com/orders", basic_auth: { username: user, password: key })
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-319: Cleartext Transmission of Sensitive Information
    rule: "plain-text-protocol", "A connection is not encrypted", FilesAndNetwork, 319, Low,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N"
}

const WORDS: &[&str] = &["Net::FTP", "Net::Telnet", "http://", "Net::POP3", "Net::IMAP"];

/// Looks at clients of plain protocols.
pub fn run(context: &Context<'_, '_>) {
    let mut found: Vec<(FileId, Span, String, Confidence)> = Vec::new();
    for (file, tree) in context.files_with(WORDS) {
        if tree.is_template() || place::is_test(&tree.path) || place::is_tooling(&tree.path) {
            continue;
        }
        walk::each(&tree.parsed.body, &mut |node| {
            if let Kind::Call(call) = &node.kind
                && let Some((message, confidence)) = plain(call)
            {
                found.push((file, node.span, message, confidence));
            }
            true
        });
    }
    for (file, span, message, confidence) in found {
        context
            .finding(rule(), file, span, message)
            .confidence(confidence)
            .severity(Severity::Low)
            .remedy("Use the protocol's encrypted form.")
            .report();
    }
}

fn plain(call: &Call) -> Option<(String, Confidence)> {
    let recv = call.recv.as_ref().and_then(place::constant)?;
    match (recv.as_str(), call.name.as_str()) {
        ("Net::FTP", "new" | "open") => {
            let encrypted =
                place::option(call, "ssl").is_some_and(|n| !matches!(n.kind, Kind::False | Kind::Nil));
            (!encrypted)
                .then(|| ("FTP sends the password and the files in the clear".to_owned(), Confidence::Medium))
        }
        ("Net::Telnet", "new") => {
            Some(("Telnet sends everything in the clear".to_owned(), Confidence::Medium))
        }
        _ => {
            const CLIENTS: &[&str] = &[
                "HTTParty",
                "Faraday",
                "RestClient",
                "RestClient::Request",
                "RestClient::Resource",
                "Typhoeus",
                "Excon",
                "HTTP",
                "HTTPX",
                "Net::HTTP",
                "Faraday::Connection",
                "HTTPClient",
            ];
            if !CLIENTS.contains(&recv.as_str()) {
                return None;
            }
            let url = call
                .args
                .first()
                .filter(|a| !matches!(a.kind, Kind::Hash(_)))
                .or_else(|| place::option(call, "url"))?;
            let url = match &url.kind {
                Kind::Call(inner) if matches!(inner.name.as_str(), "URI" | "parse") => inner.args.first()?,
                _ => url,
            };
            let text = place::known_start(url).filter(|t| t.starts_with("http://"))?;
            let host = text.trim_start_matches("http://").split(['/', ':', '?']).next().unwrap_or_default();
            if is_near(host) {
                return None;
            }
            let secret = call.args.iter().any(carries_secret);
            Some((
                format!("`{}` sends its request to `http://{host}` in the clear", call.name),
                if secret { Confidence::Medium } else { Confidence::Low },
            ))
        }
    }
}

/// An address of this machine or of its own network.
fn is_near(host: &str) -> bool {
    host.is_empty()
        || host == "localhost"
        || host.starts_with("127.")
        || host.starts_with("10.")
        || host.starts_with("192.168.")
        || host.starts_with("169.254.")
        || host == "0.0.0.0"
        || host == "metadata.google.internal"
        || host.ends_with(".local")
        || host.ends_with(".internal")
        || host.ends_with(".test")
        || !host.contains('.')
}

fn carries_secret(node: &Node) -> bool {
    const WORDS: &[&str] = &[
        "password",
        "token",
        "secret",
        "api_key",
        "apikey",
        "authorization",
        "basic_auth",
        "credential",
        "access_key",
    ];
    place::any(node, |n| match &n.kind {
        Kind::Sym(name) => WORDS.iter().any(|w| name.to_lowercase().contains(w)),
        Kind::Str(text) => WORDS.iter().any(|w| text.to_lowercase().contains(w)),
        Kind::Call(call) => WORDS.iter().any(|w| call.name.contains(w)),
        Kind::Local(name) | Kind::Ivar(name) => WORDS.iter().any(|w| name.contains(w)),
        _ => false,
    })
}
