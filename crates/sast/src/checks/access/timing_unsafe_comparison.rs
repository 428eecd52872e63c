//! Secrets compared byte by byte with `==`.

use wardroom_model::Confidence;
use wardroom_rails::{FileId, Role, literal_name};
use wardroom_ruby::ir::{Kind, Node};

use super::practice::{any, is_params};
use crate::context::Context;
use crate::mend::{self, Side};

wardroom_model::rule! {
    /// A token, key, signature or hashed password is compared with `==`, which stops at the first
    /// byte that differs.
    ///
    /// ## Why it is bad
    ///
    /// The time that the comparison takes tells how much of the guess was right; who can send many
    /// guesses finds the secret byte by byte.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// params[:key] == Setting.api_key
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// ActiveSupport::SecurityUtils.secure_compare(params[:key].to_s, Setting.api_key)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-208: Observable Timing Discrepancy
    rule: "timing-unsafe-comparison", "Secret compared with ==", Access, 208, Low,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N"
}

/// Looks at every comparison.
pub fn run<'a>(context: &Context<'_, 'a>) {
    context.calls_named(&["==", "!=", "eql?", "==="], |file, node, call| {
        let (Some(left), [right]) = (&call.recv, call.args.as_slice()) else { return };
        if fixed(left) || fixed(right) {
            return;
        }
        // `digest = Digest::SHA1.hexdigest(…)`, compared on a later line.
        let made = |side: &'a Node| {
            let behind = match side.kind {
                Kind::Local(_) => context.behind(file, side),
                _ => (file, side),
            };
            if behind.0 == file && digest(behind.1).is_some() { behind.1 } else { side }
        };
        let Some(confidence) = judge(context, file, (left, made(left)), (right, made(right))) else { return };
        let at = context.file(file);
        if !matches!(at.role, Role::Ruby) || ["db/", "bin/", "lib/tasks/", "script/", "lib/generators/", "config/"].iter().any(|f| at.path.starts_with(f)) || at.path.ends_with(".rake") {
            return;
        }
        let words = context.source(file, secret_side(left, right).span);
        context
            .finding(rule(), file, node.span, format!("`{words}` is compared with `{}`, which takes longer the more of it is right", call.name))
            .confidence(confidence)
            .reason(if confidence == Confidence::High { "" } else { "it is not certain that a stranger can send the other side" })
            .remedy("Use `ActiveSupport::SecurityUtils.secure_compare` (`Rack::Utils.secure_compare` outside of Rails).")
            .mend(mend::secure_compare(context, file, node.span, call, (side(left), side(right))))
            .report();
    });
}

/// What a side of the comparison is.
fn side(node: &Node) -> Side {
    if digest(node).is_some() {
        Side::Digest
    } else if outside(node) {
        Side::Sent
    } else {
        Side::Held
    }
}

fn secret_side<'n>(left: &'n Node, right: &'n Node) -> &'n Node {
    if outside(left) && !outside(right) || digest(left).is_none() && secret_name(left).is_none() {
        right
    } else {
        left
    }
}

/// Judges two sides, each as it is written and as what it is made of.
fn judge(
    context: &Context<'_, '_>,
    file: FileId,
    (left, left_made): (&Node, &Node),
    (right, right_made): (&Node, &Node),
) -> Option<Confidence> {
    let (from_left, from_right) = (outside(left), outside(right));
    // A digest made on the spot against something stored or sent.
    let made_here = digest(left_made)
        .map(|d| (right, right_made, d))
        .or_else(|| digest(right_made).map(|d| (left, left_made, d)));
    if let Some((other, other_made, made)) = made_here {
        if digest(other_made).is_some_and(|d| d != Digest::Keyed) && made != Digest::Keyed {
            return None;
        }
        let name = name_of(other).unwrap_or_default().to_lowercase();
        let path = &context.file(file).path;
        let password = [
            "password",
            "passwd",
            "pass",
            "crypted",
            "encrypted",
            "signature",
            "hmac",
            "token",
            "secret",
            "sig",
            "auth",
            "hashed",
        ]
        .iter()
        .any(|w| name.contains(w));
        let place =
            ["password", "auth", "login", "session", "user", "webhook", "signature", "credential", "token"]
                .iter()
                .any(|w| path.rsplit('/').next().unwrap_or(path).contains(w));
        return match made {
            Digest::Keyed if keyed(left_made) || keyed(right_made) => {
                Some(if from_left || from_right || password { Confidence::High } else { Confidence::Medium })
            }
            // Of a hashed password, what the time tells is far from the password itself.
            Digest::Keyed => Some(Confidence::Medium),
            Digest::Plain if password => Some(Confidence::Medium),
            Digest::Plain if place && (name == "hash" || name == "digest") => Some(Confidence::Medium),
            Digest::Plain => None,
        };
    }
    // A secret by its name against what a request says.
    if !from_left && !from_right {
        return None;
    }
    let (sent, held) = if from_left { (left, right) } else { (right, left) };
    let held_name = secret_name(held);
    // `session[:state] == params[:state]` holds for one visitor and one try.
    let own_session = any(
        held,
        &mut |n| matches!(&n.kind, Kind::Call(c) if c.recv.is_none() && matches!(c.name.as_str(), "session" | "cookies" | "flash")),
    );
    // What the application itself sealed cannot be guessed at.
    let sealed = any(
        sent,
        &mut |n| matches!(&n.kind, Kind::Call(c) if matches!(c.name.as_str(), "encrypted" | "signed")),
    );
    if own_session || sealed || from_left && from_right && !outside_header(left) && !outside_header(right) {
        return None;
    }
    let sent_name = secret_name(sent);
    match (held_name, sent_name) {
        (Some(_), _) => Some(Confidence::High),
        (None, Some(_))
            if matches!(held.kind, Kind::Call(_) | Kind::Const(_) | Kind::Ivar(_)) && !plain_name(held) =>
        {
            Some(Confidence::Medium)
        }
        _ => None,
    }
}

/// What the code itself writes down, or what is no text.
fn fixed(node: &Node) -> bool {
    match &node.kind {
        Kind::Nil
        | Kind::True
        | Kind::False
        | Kind::Str(_)
        | Kind::Sym(_)
        | Kind::Int(_)
        | Kind::Float(_)
        | Kind::Array(_)
        | Kind::Hash(_)
        | Kind::SelfRef
        | Kind::Range(_) => true,
        Kind::Call(call) => {
            matches!(
                call.name.as_str(),
                "size"
                    | "length"
                    | "count"
                    | "class"
                    | "id"
                    | "to_sym"
                    | "type"
                    | "name"
                    | "arity"
                    | "to_i"
                    | "public_key"
                    | "primary_key"
                    | "foreign_key"
                    | "action_name"
                    | "controller_name"
            ) || call.name.ends_with("_type")
                || call.name.ends_with("_id")
                || call.name.ends_with('?')
        }
        _ => false,
    }
}

/// The name under which a value is held.
fn name_of(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Local(name) | Kind::Ivar(name) | Kind::Cvar(name) | Kind::Gvar(name) => {
            Some(name.trim_start_matches(['@', '$']).to_owned())
        }
        Kind::Const(path) => path.last().map(|n| n.to_string()),
        Kind::Call(call) => match call.name.as_str() {
            "[]" | "fetch" | "dig" => call.args.last().and_then(literal_name).map(|n| n.to_string()),
            "to_s" | "strip" | "downcase" | "presence" | "chomp" | "upcase" | "to_str" | "last" | "first"
            | "delete_prefix" | "sub" | "gsub" => call.recv.as_ref().and_then(name_of),
            name => Some(name.to_owned()),
        },
        _ => None,
    }
}

/// Whether the name is that of a secret that a stranger has to bring.
fn secret_name(node: &Node) -> Option<String> {
    let name = name_of(node)?.to_lowercase();
    let plain = [
        "public",
        "csrf",
        "authenticity",
        "type",
        "_id",
        "count",
        "name",
        "expires",
        "_at",
        "url",
        "key_id",
        "foreign",
        "primary",
        "cache",
        "sort",
        "i18n",
        "lang",
        "label",
        "file",
        "page",
        "next_",
        "continuation",
        "version",
        "field",
    ];
    if plain.iter().any(|w| name.contains(w)) {
        return None;
    }
    let sure = [
        "token",
        "secret",
        "api_key",
        "apikey",
        "signature",
        "hmac",
        "access_key",
        "auth_key",
        "password",
        "passwd",
        "otp",
        "passcode",
        "pin_code",
        "verification_code",
        "confirmation_code",
        "security_code",
        "hashed",
        "password_hash",
        "digest",
        "_key",
        "login_code",
        "access_code",
        "shared_key",
    ];
    (sure.iter().any(|w| name.contains(w))
        || matches!(name.as_str(), "sig" | "nonce" | "hash" | "hub_signature"))
    .then_some(name)
}

fn plain_name(node: &Node) -> bool {
    name_of(node).is_some_and(|n| n.contains("type") || n.contains("name") || n.ends_with("_id"))
}

/// What a request says: `params[…]`, a header, a cookie.
fn outside(node: &Node) -> bool {
    any(node, &mut |n| is_params(n) || header(n))
}

fn outside_header(node: &Node) -> bool {
    any(node, &mut header)
}

fn header(node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    match &call.recv {
        None => call.name == "cookies",
        Some(Node { kind: Kind::Call(of), .. }) => {
            of.name == "request"
                && of.recv.is_none()
                && matches!(
                    call.name.as_str(),
                    "headers" | "env" | "authorization" | "get_header" | "cookies"
                )
        }
        _ => false,
    }
}

/// Whether a node makes a signature with a key.
fn keyed(node: &Node) -> bool {
    any(node, &mut |n| match &n.kind {
        Kind::Const(path) => path.last().is_some_and(|l| l == "HMAC"),
        Kind::Call(call) => call.name.contains("hmac") || call.name.contains("signature"),
        _ => false,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Digest {
    /// With a key or for passwords.
    Keyed,
    /// Plain.
    Plain,
}

/// Whether a node makes a digest.
fn digest(node: &Node) -> Option<Digest> {
    let Kind::Call(call) = &node.kind else { return None };
    let name = call.name.as_str();
    if matches!(
        name,
        "pbkdf2"
            | "pbkdf2_hmac"
            | "crypt"
            | "hash_secret"
            | "encrypt_password"
            | "hash_password"
            | "password_digest"
            | "compute_signature"
            | "compute_hmac"
            | "calculate_hmac"
            | "generate_signature"
            | "scrypt"
    ) && !call.args.is_empty()
    {
        return Some(Digest::Keyed);
    }
    if matches!(name, "hexdigest" | "digest" | "base64digest") {
        let constant = any(
            call.recv.as_ref()?,
            &mut |n| matches!(&n.kind, Kind::Const(path) if path.last().is_some_and(|l| l == "HMAC")),
        );
        let known = any(
            call.recv.as_ref()?,
            &mut |n| matches!(&n.kind, Kind::Const(path) if path.iter().any(|l| matches!(l.as_str(), "Digest" | "MD5" | "SHA1" | "SHA256" | "SHA512" | "HMAC"))),
        );
        return known.then_some(if constant { Digest::Keyed } else { Digest::Plain });
    }
    if matches!(
        name,
        "strict_encode64"
            | "encode64"
            | "urlsafe_encode64"
            | "strip"
            | "chomp"
            | "to_s"
            | "unpack1"
            | "upcase"
            | "downcase"
            | "first"
    ) {
        return call.args.first().and_then(digest).or_else(|| call.recv.as_ref().and_then(digest));
    }
    None
}
