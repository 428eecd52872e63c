//! Tokens that a pattern without ends takes apart.

use wardroom_model::Confidence;
use wardroom_ruby::ir::{Form, Kind, Node};

use crate::context::Context;

wardroom_model::rule! {
    /// A token is taken apart by a pattern that is open at one end: what is checked is some part of what was sent.
    ///
    /// ## Why it is bad
    ///
    /// `/(\d+)-(\h+)/` finds its two parts anywhere in the token. A sender puts text in front or behind, and whatever
    /// else reads the token (a `split`, a cache, the log) reads another name than the one that was checked.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// if token =~ /(.*?)-(.*)/
    ///   sign_in(User.find($1)) if valid?($1, $2)
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// if (parts = /\A(?<id>\d+)-(?<digest>\h{64})\z/.match(token))
    ///   sign_in(User.find(parts[:id])) if valid?(parts[:id], parts[:digest])
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-777: Regular Expression without Anchors
    rule: "unanchored-credential", "A token is read by a pattern without ends", Access, 777, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N"
}

/// Words in the names of what proves who is calling.
const CREDENTIALS: &[&str] = &["token", "signature", "credential", "api_key", "apikey", "secret", "ticket"];

/// Looks at matches whose subject is named like a credential.
pub fn run(context: &Context<'_, '_>) {
    context.calls_named(&["=~", "match"], |file, node, call| {
        let sides = || call.recv.iter().chain(&call.args);
        let Some(pattern) = sides().find_map(pattern) else { return };
        let named = sides().filter_map(name).any(|n| CREDENTIALS.iter().any(|w| n.contains(w)));
        // One group after a fixed word (`Bearer (.*)`) is no credential taken apart.
        if !named || groups(&pattern) < 2 || is_anchored(&pattern) {
            return;
        }
        context
            .finding(
                rule(),
                file,
                node.span,
                format!("`/{pattern}/` takes its parts from anywhere in the text"),
            )
            .confidence(Confidence::Medium)
            .reason("what stands in front of the parts or behind them is not looked at")
            .remedy("Write `\\A` in front of the pattern and `\\z` behind it.")
            .report();
    });
}

/// The text of a pattern that stands in the code.
fn pattern(node: &Node) -> Option<String> {
    let Kind::Interp(interp) = &node.kind else { return None };
    let parts = Some(&interp.parts).filter(|_| interp.form == Form::Regex)?;
    let texts = parts.iter().map(|p| match &p.kind {
        Kind::Str(text) => Some(text.as_ref()),
        _ => None,
    });
    texts.collect::<Option<String>>()
}

/// What the subject of a match is called.
fn name(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Local(name) | Kind::Ivar(name) => Some(name.to_ascii_lowercase()),
        Kind::Call(call) if call.name == "[]" => {
            call.args.first().and_then(wardroom_rails::literal_name).map(|n| n.to_ascii_lowercase())
        }
        Kind::Call(call) if call.args.is_empty() => Some(call.name.to_ascii_lowercase()),
        _ => None,
    }
}

/// How many groups capture.
fn groups(pattern: &str) -> usize {
    let bytes = pattern.as_bytes();
    (0..bytes.len())
        .filter(|i| {
            bytes[*i] == b'('
                && (*i == 0 || bytes[i - 1] != b'\\')
                && match bytes.get(i + 1..) {
                    Some([b'?', b'<', next, ..]) => !matches!(next, b'=' | b'!'),
                    Some([b'?', ..]) => false,
                    _ => true,
                }
        })
        .count()
}

fn is_anchored(pattern: &str) -> bool {
    let begins = pattern.starts_with("\\A") || pattern.starts_with('^');
    let ends = ["\\z", "\\Z", "$"].iter().any(|e| pattern.ends_with(e));
    begins && ends
}
