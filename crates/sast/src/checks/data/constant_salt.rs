//! Password hashes whose salt is the same for all.

use wardroom_model::Confidence;
use wardroom_ruby::ir::{Call, Form, Kind, Node};

use super::{naming, place};
use crate::context::Context;

wardroom_model::rule! {
    /// A password is hashed with a salt that stands in the code, so all passwords have the same.
    ///
    /// ## Why it is bad
    ///
    /// The salt is there to make equal passwords have different hashes. With one salt for all, one
    /// table of guesses fits every account, and equal passwords show.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// password.crypt("$6$company$")
    /// OpenSSL::PKCS5.pbkdf2_hmac(password, "salt", 20_000, 32, "SHA256")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// password.crypt("$6$#{SecureRandom.alphanumeric(16)}")
    /// BCrypt::Password.create(password)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-760: Use of a One-Way Hash with a Predictable Salt
    /// - CWE-759: Use of a One-Way Hash without a Salt
    rule: "constant-salt", "A password hashed with a constant salt", DataAndCryptography, 760, High,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N"
}

/// Looks at `crypt`, PBKDF2, scrypt and bcrypt with a literal salt.
pub fn run(context: &Context<'_, '_>) {
    let hint = place::hint!(r"\.crypt\b|pbkdf2|UnixCrypt|hash_secret|scrypt");
    place::calls(context, hint, &mut |id, node, call| {
        let Some((salt, sure)) = salt(call) else { return };
        if naming::is_aside(&context.file(id).path) {
            return;
        }
        // A constant is the same for all, wherever it got its value from.
        let constant = |n: &Node| matches!(n.kind, Kind::Const(_) | Kind::Str(_));
        let fixed = constant(salt)
            || matches!(&salt.kind, Kind::Interp(i) if i.form == Form::Str && i.parts.iter().all(constant))
            || context.literal(id, salt).is_some();
        if !fixed {
            return;
        }
        context
            .finding(rule(), id, node.span, format!("`{}` gets the salt {}, the same for every password", call.name, context.source(id, salt.span)))
            .confidence(if sure { Confidence::High } else { Confidence::Medium })
            .remedy("Take a random salt for each password (`SecureRandom`), or use bcrypt, which does so by itself.")
            .report();
    });
}

/// The salt of a call that hashes a password, and whether the call can be nothing else.
fn salt(call: &Call) -> Option<(&Node, bool)> {
    let class = call.recv.as_ref().and_then(place::constant).unwrap_or_default();
    match call.name.as_str() {
        "crypt" if call.args.len() == 1 && call.recv.is_some() => {
            let salt = call.args.first()?;
            // Two characters or a `$…$` prefix are what `String#crypt` takes.
            let fits = match &salt.kind {
                Kind::Str(text) => text.len() == 2 || text.starts_with('$'),
                Kind::Interp(interp) => {
                    matches!(interp.parts.first().map(|p| &p.kind), Some(Kind::Str(t)) if t.starts_with('$'))
                }
                _ => false,
            };
            fits.then_some((salt, true))
        }
        "pbkdf2_hmac" | "pbkdf2_hmac_sha1" if class.ends_with("PKCS5") => {
            call.args.get(1).map(|s| (s, is_password(call)))
        }
        "pbkdf2_hmac" | "scrypt" if class.ends_with("KDF") => {
            place::keyword(call, "salt").map(|s| (s, is_password(call)))
        }
        "hash_secret" if class == "BCrypt::Engine" => call.args.get(1).map(|s| (s, true)),
        "hash_secret" | "scrypt" if class.starts_with("SCrypt") => call.args.get(1).map(|s| (s, true)),
        "build" if class.starts_with("UnixCrypt") => call.args.get(1).map(|s| (s, true)),
        _ => None,
    }
}

fn is_password(call: &Call) -> bool {
    call.args
        .first()
        .and_then(naming::of)
        .is_some_and(|n| naming::secret(&n) == Some(naming::Secret::Password))
}
