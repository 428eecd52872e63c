//! Keys and passwords written into the code.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Kind, Name, Node};
use wardroom_ruby::walk;

use super::naming::{self, Secret};
use super::place;
use crate::context::Context;

rule! {
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

/// Looks at settings, and at names of secrets that are given a literal.
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
                Kind::Call(call)
                    if matches!(call.name.as_str(), "encode" | "decode")
                        && place_is(call.recv.as_ref(), "JWT") =>
                {
                    if let Some(key) = call.args.get(1)
                        && place::text(key).is_some_and(|t| t.len() >= 4)
                    {
                        report(
                            context,
                            id,
                            key.span,
                            "The key that signs JSON web tokens stands in the code".to_owned(),
                            Confidence::High,
                        );
                    }
                }
                Kind::Call(call)
                    if call.name == "new"
                        && call.recv.as_ref().and_then(place::constant).is_some_and(|c| {
                            matches!(
                                c.as_str(),
                                "ActiveSupport::MessageEncryptor"
                                    | "ActiveSupport::MessageVerifier"
                                    | "ActiveSupport::KeyGenerator"
                                    | "ActiveSupport::CachingKeyGenerator"
                            )
                        }) =>
                {
                    if let Some(key) = call.args.first()
                        && place::text(key).is_some_and(|t| t.len() >= 8)
                    {
                        report(
                            context,
                            id,
                            key.span,
                            "The key that encrypts or signs messages stands in the code".to_owned(),
                            Confidence::High,
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
        || reported.iter().any(|r| r.0 == id && r.1 <= node.span.start && node.span.end <= r.2)
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
    report(context, id, node.span, format!("`{name}` is given a secret that stands in the code"), confidence);
}

fn report(
    context: &Context<'_, '_>,
    id: FileId,
    span: wardroom_ruby::ir::Span,
    message: String,
    confidence: Confidence,
) {
    context
        .finding(rule(), id, span, message)
        .confidence(confidence)
        .severity(if confidence == Confidence::Low { Severity::Medium } else { Severity::High })
        .reason(match confidence {
            Confidence::High => "the value looks random, as real keys do",
            Confidence::Medium => "the value may be a real key",
            Confidence::Low => "the value may be a placeholder",
        })
        .remedy("Read it from the environment or from the encrypted credentials, and replace the secret: the old one is known to all who have seen the code.")
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
