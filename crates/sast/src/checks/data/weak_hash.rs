//! MD5 and SHA-1, and any fast hash of a password.

use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::{Call, Kind, Name, Node};
use wardroom_ruby::walk;

use super::naming::{self, Secret};
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A password is stored as a fast hash (MD5, SHA-1, SHA-2), or MD5 or SHA-1 protects a token or a
    /// signature.
    ///
    /// ## Why it is bad
    ///
    /// Fast hashes are made to be fast: a graphics card tries billions of passwords a second against
    /// a stolen table. For MD5 and SHA-1 two texts with the same hash can be made, so a signature over
    /// one also fits the other.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// self.password_hash = Digest::MD5.hexdigest(password)
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// has_secure_password
    /// BCrypt::Password.create(password)
    /// OpenSSL::HMAC.hexdigest("SHA256", key, payload)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-328: Use of Weak Hash
    /// - CWE-916: Use of Password Hash With Insufficient Computational Effort
    /// - OWASP Password Storage Cheat Sheet
    rule: "weak-hash", "A hash that does not protect what it should", DataAndCryptography, 328, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N"
}

/// Looks at digests whose input or name is a secret.
pub fn run(context: &Context<'_, '_>) {
    let hint = place::hint!(r"Digest|SHA1|MD5|HMAC");
    naming::around(context, hint, &mut |id, node, call, names| {
        let Some((algorithm, hmac)) = algorithm(call) else { return };
        let weak = matches!(algorithm.as_str(), "MD5" | "SHA1" | "MD4" | "SHA");
        let inputs: Vec<Secret> = call.args.iter().flat_map(secrets_in).collect();
        let around: Vec<Secret> = names.iter().rev().take(3).filter_map(named).collect();
        let password = inputs.contains(&Secret::Password)
            || (around.contains(&Secret::Password) && !call.args.is_empty());
        // A salt is no password; where it comes from is another check's matter.
        if names.last().is_some_and(|n| n.contains("salt")) {
            return;
        }
        let harmless = names.iter().any(|n| {
            let n = n.to_ascii_lowercase();
            ["cache", "etag", "gravatar", "avatar", "checksum", "fingerprint", "libravatar"]
                .iter()
                .any(|h| n.contains(h))
        });
        let (message, confidence, severity) = if hmac {
            // A keyed hash stands even over SHA-1; only MD5 is worth a word.
            if algorithm != "MD5" {
                return;
            }
            (format!("`{algorithm}` signs a message"), Confidence::Low, Severity::Low)
        } else if password {
            (
                format!("A password is hashed with {algorithm}, which is too fast for passwords"),
                if inputs.contains(&Secret::Password) { Confidence::High } else { Confidence::Medium },
                Severity::High,
            )
        } else if !weak || harmless {
            return;
        } else if !inputs.is_empty() {
            (format!("{algorithm} protects a secret"), Confidence::Medium, Severity::Medium)
        } else if around.iter().any(|s| matches!(s, Secret::Token | Secret::Key))
            || names.iter().any(|n| n.contains("signature") || n.contains("sign_"))
        {
            (format!("{algorithm} makes a token or signature"), Confidence::Medium, Severity::Medium)
        } else {
            (format!("{algorithm} is used"), Confidence::Low, Severity::Info)
        };
        let remedy = if password {
            "Use `has_secure_password`, Devise or `BCrypt::Password.create`, and rehash each password at its owner's next login."
        } else {
            "Use SHA-256 (`Digest::SHA256`, or `OpenSSL::HMAC` with a key); for tokens `SecureRandom.urlsafe_base64`."
        };
        let severity = if naming::is_aside(&context.file(id).path) { Severity::Low } else { severity };
        context
            .finding(rule(), id, node.span, message)
            .confidence(confidence)
            .severity(severity)
            .remedy(remedy)
            .report();
    });
}

/// The algorithm of a digest call and whether it is keyed.
fn algorithm(call: &Call) -> Option<(String, bool)> {
    if !matches!(
        call.name.as_str(),
        "hexdigest" | "digest" | "base64digest" | "hexencode" | "crypt" | "new" | "file"
    ) || call.args.is_empty()
    {
        return None;
    }
    let recv = call.recv.as_ref()?;
    let class = match &recv.kind {
        Kind::Call(inner) if inner.name == "new" => inner.recv.as_ref().and_then(place::constant)?,
        _ => place::constant(recv)?,
    };
    let class = class.trim_start_matches("OpenSSL::");
    let by_name = |node: Option<&Node>| match node.map(|n| &n.kind) {
        Some(Kind::Str(text)) => Some(text.to_ascii_uppercase().replace('-', "")),
        Some(Kind::Call(inner)) => inner
            .recv
            .as_ref()
            .and_then(place::constant)
            .map(|c| c.rsplit("::").next().unwrap_or_default().to_owned())
            .filter(|c| c != "Digest")
            .or_else(|| {
                inner.args.first().and_then(place::text).map(|t| t.to_ascii_uppercase().replace('-', ""))
            }),
        _ => None,
    };
    match class {
        "HMAC" => (call.name != "new").then(|| by_name(call.args.first())).flatten().map(|a| (a, true)),
        "Digest" if call.name != "new" && call.args.len() > 1 => {
            by_name(call.args.first()).map(|a| (a, false))
        }
        "Digest" => None,
        _ if call.name == "new" || call.name == "file" => None,
        _ => {
            let name = class.strip_prefix("Digest::").or(matches!(class, "MD5" | "SHA1").then_some(class))?;
            matches!(
                name,
                "MD5" | "SHA1" | "SHA" | "MD4" | "SHA2" | "SHA256" | "SHA384" | "SHA512" | "RMD160"
            )
            .then(|| (name.to_owned(), false))
        }
    }
}

/// What the names in an expression say of it.
fn secrets_in(node: &Node) -> Vec<Secret> {
    let mut out = Vec::new();
    walk::each(node, &mut |inner| {
        if let Some(name) = naming::of(inner)
            && !matches!(inner.kind, Kind::Const(_))
            && let Some(secret) = named(&name)
        {
            out.push(secret);
        }
        !matches!(&inner.kind, Kind::Call(c) if matches!(c.name.as_str(), "present?" | "blank?" | "nil?"))
    });
    out
}

fn named(name: &Name) -> Option<Secret> {
    let lower = name.to_ascii_lowercase();
    let about_hash = [
        "password_hash",
        "password_digest",
        "hashed_password",
        "encrypted_password",
        "crypted_password",
        "hash_password",
        "encrypt_password",
        "password_encrypt",
        "encrypt",
    ];
    if about_hash.iter().any(|a| lower == *a || lower == format!("{a}=")) && lower != "encrypt" {
        return Some(Secret::Password);
    }
    match naming::secret(name) {
        None if matches!(
            lower.as_str(),
            "pass" | "passwd" | "pwd" | "plain_password" | "clear_password" | "pw"
        ) =>
        {
            Some(Secret::Password)
        }
        found => found,
    }
}
