//! Keys and passwords written into the code.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Name, Node, Span};
use wardroom_ruby::walk;

use super::naming::{self, Secret};
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A key, token or password stands in the code or in a setting as a literal: `secret_key_base`,
    /// Devise's pepper, the key of a service.
    ///
    /// ## Why it is bad
    ///
    /// Whoever can read the code can use it: every developer, every backup, and the world if the code
    /// is public. With `secret_key_base` an attacker signs sessions of his own. It cannot be changed
    /// without a release, so it is never changed.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Rails.application.config.secret_key_base = "6f1ed002ab5595859014ebf0951522d9"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// Rails.application.config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
    /// Stripe.api_key = Rails.application.credentials.stripe_key!
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-798: Use of Hard-coded Credentials
    /// - Rails guide "Securing Rails Applications", section on custom credentials
    rule: "hard-coded-secret", "A secret written into the code", DataAndCryptography, 798, High,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N"
}

const REMEDY: &str = "Read it from the environment or from the encrypted credentials, and replace the secret: the old one is known to all who have seen the code.";

/// Looks at settings, at what is given as a key, and at names of secrets that are given a literal.
pub fn run(context: &Context<'_, '_>) {
    let mut reported: Vec<(FileId, u32, u32)> = Vec::new();
    for secret in context.app.config.secrets() {
        let id = FileId(secret.file);
        if secret.environment.as_deref().is_some_and(|e| e != "production")
            || naming::is_aside(&context.file(id).path)
        {
            continue;
        }
        let name = secret.key.rsplit(['.', ':']).next().unwrap_or(&secret.key);
        let Some(likeness) = likeness(&secret.value) else { continue };
        let signs = matches!(
            name,
            "secret_key_base" | "secret_token" | "secret" | "secret_key" | "pepper" | "session_secret"
        );
        let fallback = context.source(id, secret.span).contains("ENV");
        let confidence = match (likeness, signs && !fallback) {
            (Confidence::High, _) if !fallback => Confidence::High,
            (Confidence::High, _) | (Confidence::Medium, true) => Confidence::Medium,
            _ => Confidence::Low,
        };
        let message = if fallback {
            format!("`{}` falls back to a secret that stands in the code", secret.key)
        } else {
            format!("`{}` is a secret that stands in the code", secret.key)
        };
        reported.push((id, secret.span.start, secret.span.end));
        report(context, id, secret.span, message, confidence);
    }
    keys(context, &mut reported);
    let hint = place::hint!("(?i)key|secret|token|passw|pepper|passphrase");
    for (id, file) in context.code_files() {
        if file.is_template() || naming::is_aside(&file.path) || !hint.is_match(&file.text) {
            continue;
        }
        walk::each(&file.parsed.body, &mut |node| {
            match &node.kind {
                // What only tests or developers run with.
                Kind::If(branch)
                    if {
                        let cond = context.source(id, branch.cond.span);
                        cond.contains("env.test?")
                            || cond.contains("env.development?")
                            || cond.contains("env.local?")
                    } =>
                {
                    return false;
                }
                Kind::Assign(assign)
                    if assign.op.is_none() || !matches!(assign.target.kind, Kind::Ivar(_)) =>
                {
                    if let Some(name) = naming::of(&assign.target) {
                        literal(context, id, node, name, &assign.value, &reported);
                    }
                }
                Kind::Call(call)
                    if call.recv.is_some()
                        && call.name.ends_with('=')
                        && call.name != "=="
                        && call.name != "[]=" =>
                {
                    if let Some(value) = call.args.last() {
                        literal(
                            context,
                            id,
                            node,
                            Name::from(call.name.trim_end_matches('=')),
                            value,
                            &reported,
                        );
                    }
                }
                Kind::Call(call) => {
                    for argument in &call.args {
                        if let Kind::Hash(pairs) = &argument.kind {
                            for pair in pairs {
                                if let (Kind::Sym(name), Kind::Str(_)) = (&pair.key.kind, &pair.value.kind) {
                                    literal(context, id, &pair.value, *name, &pair.value, &reported);
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
            true
        });
    }
}

/// Methods that are given a key, and what the key is for.
fn takes_key<'a>(context: &Context<'_, 'a>, id: FileId, call: &'a Call) -> Option<(&'a Node, &'static str)> {
    let class = |name: &str| match call.recv.as_ref().map(|r| &r.kind) {
        Some(Kind::Const(path)) => wardroom_rails::path_name(path) == name,
        _ => false,
    };
    match call.name.as_str() {
        "key=" if call.recv.as_ref().is_some_and(|r| is_cipher(context, id, r)) => {
            Some((call.args.last()?, "encrypts"))
        }
        "hexdigest" | "digest" | "base64digest" if class("OpenSSL::HMAC") => {
            Some((call.args.get(1)?, "signs messages"))
        }
        "new" if class("OpenSSL::HMAC") => Some((call.args.first()?, "signs messages")),
        "new"
            if class("ActiveSupport::MessageEncryptor")
                || class("ActiveSupport::MessageVerifier")
                || class("ActiveSupport::KeyGenerator")
                || class("ActiveSupport::CachingKeyGenerator") =>
        {
            Some((call.args.first()?, "encrypts or signs messages"))
        }
        "new" if class("RbNaCl::SecretBox") || class("RbNaCl::SimpleBox") || class("Fernet::Secret") => {
            Some((call.args.first()?, "encrypts"))
        }
        "new" if class("Lockbox") => Some((place::keyword(call, "key")?, "encrypts")),
        "encode" | "decode" if class("JWT") => Some((call.args.get(1)?, "signs JSON web tokens")),
        "attr_encrypted" | "attr_encryptor" | "has_encrypted" | "lockbox_encrypts" | "encrypts"
            if call.recv.is_none() =>
        {
            Some((place::keyword(call, "key")?, "encrypts what is stored"))
        }
        _ => None,
    }
}

/// Whether an expression is a cipher: by what it is set to, else by its name.
fn is_cipher<'a>(context: &Context<'_, 'a>, id: FileId, node: &'a Node) -> bool {
    let mut at = context.behind(id, node).1;
    while let Kind::Call(call) = &at.kind
        && let Some(recv) = &call.recv
    {
        at = recv;
    }
    match &at.kind {
        Kind::Const(path) => path.iter().any(|p| p == "Cipher"),
        Kind::Local(name) | Kind::Ivar(name) => {
            matches!(
                name.trim_start_matches('@'),
                "c" | "aes" | "des" | "crypt" | "crypto" | "decoder" | "encoder"
            ) || name.contains("cipher")
                || name.contains("crypt")
        }
        Kind::Call(call) => call.name.contains("cipher"),
        _ => false,
    }
}

/// What becomes a key is a secret, whatever it is called and looks like.
fn keys(context: &Context<'_, '_>, reported: &mut Vec<(FileId, u32, u32)>) {
    const NAMES: &[&str] = &[
        "key=",
        "new",
        "digest",
        "hexdigest",
        "base64digest",
        "encode",
        "decode",
        "attr_encrypted",
        "attr_encryptor",
        "has_encrypted",
        "lockbox_encrypts",
        "encrypts",
    ];
    context.calls_named(NAMES, |id, node, call| {
        let Some((key, does)) = takes_key(context, id, call) else { return };
        if naming::is_aside(&context.file(id).path) || context.file(id).is_template() {
            return;
        }
        let Some(literal) = context.literal(id, key) else { return };
        // What checks a signature may be public, and short texts are no keys.
        if literal.text.len() < 4
            || literal.text.contains("PUBLIC KEY")
            || literal.text.contains("CERTIFICATE")
            || naming::is_aside(&context.file(literal.file).path)
            || reported
                .iter()
                .any(|r| (r.0, r.1, r.2) == (literal.file, literal.span.start, literal.span.end))
        {
            return;
        }
        let Some(confidence) = place::in_production(context, literal.file, literal.span, Confidence::High)
        else {
            return;
        };
        if place::in_production(context, id, node.span, Confidence::High).is_none() {
            return;
        }
        reported.push((literal.file, literal.span.start, literal.span.end));
        let mut builder = context
            .finding(rule(), literal.file, literal.span, format!("The key that {does} stands in the code"))
            .confidence(confidence)
            .severity(Severity::High)
            .reason(if confidence == Confidence::High {
                "it is used as a key, whatever it looks like"
            } else {
                "it is used as a key, but stands in a branch beside production"
            })
            .remedy(REMEDY);
        if (literal.file, literal.span) != (id, key.span) {
            builder = builder.step(literal.file, literal.span, "the key stands here").step(
                id,
                node.span,
                format!("and is given to `{}`", call.name),
            );
        }
        builder.report();
    });
}

fn place_is(recv: Option<&Node>, name: &str) -> bool {
    recv.and_then(place::constant).is_some_and(|c| c == name)
}

fn literal(
    context: &Context<'_, '_>,
    id: FileId,
    node: &Node,
    name: Name,
    value: &Node,
    reported: &[(FileId, u32, u32)],
) {
    if matches!(value.kind, Kind::Nil | Kind::Local(_) | Kind::Ivar(_) | Kind::Const(_) | Kind::Int(_))
        || reported.iter().any(|r| r.0 == id && r.1 < node.span.end && node.span.start < r.2)
    {
        return;
    }
    let (text, fallback) = match &value.kind {
        Kind::Str(text) => (text.as_ref(), false),
        Kind::Or(sides) => match place::text(&sides.1) {
            Some(text) if context.source(id, sides.0.span).contains("ENV") => (text, true),
            _ => return,
        },
        Kind::Call(call) if call.name == "fetch" && place_is(call.recv.as_ref(), "ENV") => {
            match call.args.get(1).and_then(place::text) {
                Some(text) => (text, true),
                None => return,
            }
        }
        Kind::Call(call) if call.name == "freeze" => match call.recv.as_ref().and_then(place::text) {
            Some(text) => (text, false),
            None => return,
        },
        _ => return,
    };
    if text.len() < 8 {
        return;
    }
    // The cheaper question first: most literals are plain words.
    let Some(likeness) = likeness(text) else { return };
    let Some(kind) = naming::secret(&name) else { return };
    let confidence = match (kind, likeness) {
        (_, Confidence::High) if !fallback => Confidence::High,
        (_, Confidence::High) => Confidence::Medium,
        (Secret::Key, Confidence::Medium) if !fallback => Confidence::Medium,
        _ => Confidence::Low,
    };
    let Some(confidence) = place::in_production(context, id, node.span, confidence) else { return };
    report(context, id, node.span, format!("`{name}` is given a secret that stands in the code"), confidence);
}

fn report(context: &Context<'_, '_>, id: FileId, span: Span, message: String, confidence: Confidence) {
    context
        .finding(rule(), id, span, message)
        .confidence(confidence)
        .severity(if confidence == Confidence::Low { Severity::Medium } else { Severity::High })
        .reason(match confidence {
            Confidence::High => "the value looks random, as real keys do",
            Confidence::Medium => "the value may be a real key",
            Confidence::Low => "the value may be a placeholder",
        })
        .remedy(REMEDY)
        .report();
}

/// How much a text looks like a real secret: `None` for words, placeholders and names.
pub fn likeness(text: &str) -> Option<Confidence> {
    let lower = text.to_ascii_lowercase();
    const PLACEHOLDERS: &[&str] = &[
        "change",
        "example",
        "your",
        "xxx",
        "dummy",
        "test",
        "todo",
        "placeholder",
        "replace",
        "sample",
        "fake",
        "foobar",
        "insert",
        "redacted",
        "filtered",
        "secret_key_base_dummy",
        "http://",
        "https://",
        "<",
        "*****",
        "...",
        "insecure",
        "lorem",
        "development",
        "undefined",
        "not_set",
        "none",
        "00000000",
        "12345",
    ];
    if text.len() < 8 || text.contains(char::is_whitespace) || PLACEHOLDERS.iter().any(|p| lower.contains(p))
    {
        return None;
    }
    let (digits, letters) = text.bytes().fold((0, 0), |(d, l), b| {
        (d + u32::from(b.is_ascii_digit()), l + u32::from(b.is_ascii_alphabetic()))
    });
    let known_prefix =
        ["sk_live_", "rk_live_", "akia", "ghp_", "xoxb-", "xoxp-", "sg.", "aiza", "-----begin"]
            .iter()
            .any(|p| lower.starts_with(p));
    let mixed = text.bytes().any(|b| b.is_ascii_uppercase()) && text.bytes().any(|b| b.is_ascii_lowercase());
    if known_prefix {
        return Some(Confidence::High);
    }
    // Names of things: `omniauth.token`, `users/password`, `X-Api-Key`, `api_token`.
    let pieces: Vec<&str> = text.split(['_', '-', '.', '/', ':', ' ']).collect();
    let wordy = pieces.iter().all(|p| p.bytes().all(|b| b.is_ascii_alphabetic()) && p.len() < 20);
    if wordy && (pieces.len() > 1 || !mixed) || digits == 0 && !mixed {
        return None;
    }
    if text.len() >= 20
        && digits >= 3
        && letters >= 4
        && entropy(text) > 3.2
        && pieces.iter().any(|p| p.len() >= 16)
    {
        return Some(Confidence::High);
    }
    (digits > 0 && letters > 0 && (text.len() >= 12 || mixed)).then_some(Confidence::Medium)
}

/// Shannon entropy in bits for each character.
fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let all = text.len() as f64;
    counts.iter().filter(|c| **c > 0).map(|&c| f64::from(c) / all).map(|p| -p * p.log2()).sum()
}
