//! Tokens, passwords and codes from a generator that can be guessed.

use wardroom_model::Confidence;
use wardroom_ruby::ir::{Call, Kind, Name, Node};
use wardroom_ruby::walk;

use super::naming;
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A token, password, key or code is made with `rand`, `Random`, `sample`, `shuffle` or the clock.
    ///
    /// ## Why it is bad
    ///
    /// Ruby's ordinary generator is a Mersenne twister: who has seen some of its numbers can compute
    /// the others, and the time is known to everyone. A reset token made so can be guessed.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// self.reset_token = Digest::SHA1.hexdigest("#{Time.now.to_i}#{rand}")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// self.reset_token = SecureRandom.urlsafe_base64(32)
    /// code = SecureRandom.random_number(1_000_000).to_s.rjust(6, "0")
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-338: Use of Cryptographically Weak Pseudo-Random Number Generator
    /// - Ruby documentation of SecureRandom
    rule: "predictable-randomness", "A secret from a generator that can be guessed", DataAndCryptography, 338, High,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N"
}

/// How much a name says that its value must not be guessed.
fn strength(name: &Name) -> Option<Confidence> {
    let name = name.trim_end_matches(['=', '!', '?']).trim_start_matches('@');
    if naming::secret(name).is_some() {
        return Some(Confidence::High);
    }
    let words = naming::words(name);
    let has = |list: &[&str]| words.iter().any(|w| list.contains(&w.as_str()));
    // `make_token`, `generate_password_for`, `random_secret`
    let makes = matches!(
        words.first().map(String::as_str),
        Some(
            "make"
                | "generate"
                | "random"
                | "new"
                | "create"
                | "set"
                | "reset"
                | "build"
                | "gen"
                | "friendly"
                | "unique"
                | "assign"
                | "ensure"
                | "send"
        )
    );
    if makes
        && has(&["token", "password", "secret", "passphrase", "otp", "passwd"])
        && !has(&["path", "url", "form", "field"])
    {
        return Some(Confidence::High);
    }
    if matches!(
        name,
        "salt"
            | "nonce"
            | "authkey"
            | "auth_key"
            | "pin"
            | "otp_code"
            | "magic_link"
            | "password_salt"
            | "session_key"
            | "csrf"
            | "crypted_password"
            | "encrypted_password"
    ) {
        return Some(Confidence::High);
    }
    let last = words.last().map(String::as_str);
    if matches!(last, Some("code" | "pin"))
        && has(&[
            "activation",
            "confirmation",
            "verification",
            "reset",
            "auth",
            "invite",
            "invitation",
            "login",
            "access",
            "security",
            "recovery",
            "backup",
            "verify",
            "pin",
        ])
    {
        return Some(Confidence::High);
    }
    if makes && last == Some("code") || matches!(last, Some("salt" | "nonce")) {
        return Some(Confidence::Medium);
    }
    None
}

/// Looks at random numbers and times under names of secrets.
pub fn run(context: &Context<'_, '_>) {
    let hint = place::hint!(r"\brand\b|\bRandom\b|\.sample\b|\.shuffle|digest[ (]|encode64[ (]");
    naming::around(context, hint, &mut |id, node, call, names| {
        let Some((what, sure)) = guessable(call, node) else { return };
        let path = &context.file(id).path;
        let aside = naming::is_aside(path);
        let Some(strong) = names.iter().rev().filter_map(strength).max() else { return };
        let named = names.iter().rev().find(|n| strength(n).is_some()).copied().unwrap_or_default();
        // A method's name alone says less than what the value is given to: a short link's token is
        // no secret.
        let by_method = names.first() == Some(&named)
            && names.iter().skip(1).all(|n| strength(n).is_none())
            && !named.contains("password");
        let sure = sure && !by_method;
        let confidence = if aside {
            Confidence::Low
        } else if sure {
            strong
        } else {
            strong.min(Confidence::Medium)
        };
        context
            .finding(rule(), id, node.span, format!("`{named}` is made from {what}, which can be guessed"))
            .confidence(confidence)
            .remedy("Use `SecureRandom` (`urlsafe_base64`, `hex`, `random_number`), or give `sample` and `shuffle` `random: SecureRandom`.")
            .report();
    });
}

/// What of a call can be guessed, and whether nothing else is in it.
fn guessable(call: &Call, node: &Node) -> Option<(String, bool)> {
    let class = call.recv.as_ref().and_then(place::constant);
    let told = |what: &str| Some((format!("`{what}`"), true));
    match (call.name.as_str(), class.as_deref()) {
        ("rand", None) if call.recv.is_none() => told("rand"),
        ("rand" | "random_number" | "bytes", Some(class @ ("Random" | "Kernel" | "Random::DEFAULT"))) => {
            told(&format!("{class}.{}", call.name))
        }
        ("new", Some("Random")) => told("Random.new"),
        ("rand" | "bytes", None) if matches!(call.recv.as_ref().map(|r| &r.kind), Some(Kind::Call(c)) if c.name == "new" && c.recv.as_ref().and_then(place::constant).is_some_and(|c| c == "Random")) => {
            None
        }
        ("sample" | "shuffle" | "shuffle!", _) => {
            let secure = place::keyword(call, "random").is_some();
            let recv = call.recv.as_ref()?;
            (!secure && characters(recv)).then(|| (format!("`{}`", call.name), true))
        }
        // A digest over the clock and nothing else that is secret.
        (
            "hexdigest" | "digest" | "base64digest" | "encode64" | "urlsafe_encode64" | "strict_encode64",
            Some(_),
        ) => {
            let argument = call.args.first()?;
            let (mut time, mut other) = (false, false);
            walk::each(argument, &mut |inner| {
                match &inner.kind {
                    Kind::Call(c)
                        if c.recv.as_ref().and_then(place::constant).is_some_and(|k| k == "SecureRandom") =>
                    {
                        other = true
                    }
                    Kind::Call(c)
                        if matches!(c.name.as_str(), "now" | "current")
                            && c.recv
                                .as_ref()
                                .and_then(place::constant)
                                .is_some_and(|k| matches!(k.as_str(), "Time" | "DateTime" | "Time.zone")) =>
                    {
                        time = true
                    }
                    Kind::Call(c) if naming::secret(&c.name).is_some() => other = true,
                    Kind::Local(n) if naming::secret(n).is_some() => other = true,
                    // The random part is reported by itself.
                    Kind::Call(c) if c.name == "rand" => other = true,
                    _ => {}
                }
                true
            });
            let _ = node;
            (time && !other).then(|| ("the time".to_owned(), false))
        }
        _ => None,
    }
}

/// Whether a receiver is a list of characters or digits: what a code is put together from.
fn characters(recv: &Node) -> bool {
    match &recv.kind {
        Kind::Array(items) => items.iter().any(|i| match &i.kind {
            Kind::Splat(inner) => characters(inner),
            Kind::Range(_) => true,
            Kind::Str(text) => text.chars().count() == 1,
            _ => false,
        }),
        Kind::Range(_) => true,
        Kind::Str(_) => false,
        Kind::Local(name) => {
            let name = name.to_ascii_lowercase();
            name.contains("char") || name.contains("alphabet") || name.contains("letters") || name == "o"
        }
        Kind::Const(path) => path.last().is_some_and(|n| {
            let n = n.to_ascii_lowercase();
            n.contains("char") || n.contains("alphabet") || n.contains("letters") || n.contains("digits")
        }),
        Kind::Call(call) => match call.name.as_str() {
            "to_a" | "chars" | "split" | "+" | "map" | "flatten" | "join" | "uniq" | "concat" | "-"
            | "shuffle" | "push" | "collect" | "each_char" => call.recv.as_ref().is_some_and(|r| {
                characters(r) || matches!(&r.kind, Kind::Str(t) if call.name != "+" && t.len() > 8)
            }),
            _ => false,
        },
        Kind::Seq(nodes) if nodes.len() == 1 => characters(&nodes[0]),
        _ => false,
    }
}
