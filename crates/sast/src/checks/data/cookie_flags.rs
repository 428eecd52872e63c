//! Cookies with secrets that scripts can read or that travel unencrypted.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Node, Pair, Span};

use super::naming::{self, Secret};
use super::place;
use crate::context::Context;
use crate::mend::{self, Mend};

wardroom_model::rule! {
    /// A cookie that holds a token or another secret is set without `httponly` or `secure`.
    ///
    /// ## Why it is bad
    ///
    /// Without `httponly` any script on the page can read the cookie, so one cross-site scripting hole
    /// gives the account away. Without `secure` the browser also sends it over plain HTTP, where
    /// anyone on the network reads it.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// cookies[:auth_token] = user.auth_token
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// cookies.encrypted[:auth_token] = { value: user.auth_token, httponly: true, secure: true, same_site: :lax }
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-614: Sensitive Cookie in HTTPS Session Without 'Secure' Attribute
    /// - CWE-1004: Sensitive Cookie Without 'HttpOnly' Flag
    rule: "cookie-flags", "A secret cookie without its flags", DataAndCryptography, 614, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:N/A:N"
}

/// Looks at every cookie that is set under a name of a secret or with a secret.
pub fn run(context: &Context<'_, '_>) {
    let everywhere_secure =
        context.app.config.force_ssl().is_some_and(|f| f.value.as_bool() == Some(true) || !f.certain);
    let hint = place::hint!("cookies|set_cookie");
    place::calls(context, hint, &mut |id, node, call| {
        let aside = naming::is_aside(&context.file(id).path);
        if call.name == "[]=" && call.recv.as_ref().is_some_and(is_jar) {
            if let [key, value] = call.args.as_slice() {
                cookie(context, id, node.span, key, value, everywhere_secure, aside);
            }
        } else if call.name == "set_cookie" && call.args.len() == 2 {
            cookie(context, id, node.span, &call.args[0], &call.args[1], everywhere_secure, aside);
        }
    });
}

/// `cookies`, `cookies.signed`, `cookies.permanent.encrypted`
fn is_jar(node: &Node) -> bool {
    match &node.kind {
        Kind::Call(call) => match call.name.as_str() {
            "cookies" | "cookie_jar" => true,
            "signed" | "permanent" | "encrypted" | "signed_or_encrypted" => {
                call.recv.as_ref().is_some_and(is_jar)
            }
            _ => false,
        },
        _ => false,
    }
}

fn cookie(
    context: &Context<'_, '_>,
    id: FileId,
    span: Span,
    key: &Node,
    value: &Node,
    everywhere_secure: bool,
    aside: bool,
) {
    let written = wardroom_rails::literal_name(key).or_else(|| naming::of(key));
    let name = match &key.kind {
        // `"token_#{id}"`: what is fixed of it.
        Kind::Interp(interp) => {
            interp.parts.iter().filter_map(place::text).collect::<String>().trim_matches('_').to_owned()
        }
        _ => written.map(|n| n.to_string()).unwrap_or_default(),
    };
    let lower = name.to_ascii_lowercase();
    // The token against forged requests is there to be read by scripts.
    if lower.contains("csrf") || lower.contains("xsrf") {
        return;
    }
    let (content, options) = match &value.kind {
        Kind::Hash(pairs) => {
            if pairs.iter().any(|p| matches!(p.key.kind, Kind::DoubleSplat(_))) {
                return;
            }
            (
                pairs
                    .iter()
                    .find(|p| wardroom_rails::literal_name(&p.key).is_some_and(|k| k == "value"))
                    .map(|p| &p.value),
                Some(pairs),
            )
        }
        // What is handed over whole may carry its flags.
        Kind::Local(_) | Kind::Ivar(_)
            if naming::of(value).is_some_and(|n| n.contains("options") || n.contains("cookie")) =>
        {
            return;
        }
        Kind::Call(call)
            if matches!(call.name.as_str(), "merge" | "reverse_merge" | "slice")
                || call.name.contains("cookie") =>
        {
            return;
        }
        _ => (Some(value), None),
    };
    if matches!(
        content.map(|c| &c.kind),
        None | Some(Kind::Nil | Kind::True | Kind::False | Kind::Int(_) | Kind::Str(_))
    ) {
        return;
    }
    let by_name = matches!(naming::secret(&name), Some(Secret::Token | Secret::Key | Secret::Password))
        || ["auth", "session_id", "remember_me", "remember_user", "jwt"].iter().any(|w| lower.contains(w))
            && !lower.contains("author");
    let by_value = content.and_then(secret_in);
    if !by_name && by_value.is_none() {
        return;
    }
    let flag = |wanted: &[&str]| {
        options
            .and_then(|o| {
                o.iter().find(|p| {
                    wardroom_rails::literal_name(&p.key).is_some_and(|k| wanted.contains(&k.as_str()))
                })
            })
            .map(|p| &p.value)
    };
    let off = |node: Option<&Node>| matches!(node.map(|n| &n.kind), None | Some(Kind::False | Kind::Nil));
    let no_httponly = off(flag(&["httponly", "http_only"]));
    let no_secure = off(flag(&["secure"])) && !everywhere_secure;
    let missing = match (no_httponly, no_secure) {
        (true, true) => "`httponly` and `secure`",
        (true, false) => "`httponly`",
        (false, true) => "`secure`",
        (false, false) => return,
    };
    let confidence = match (by_name, no_httponly) {
        (true, true) => Confidence::High,
        (true, false) | (false, true) => Confidence::Medium,
        (false, false) => Confidence::Low,
    };
    let mend = flags(context, id, value, options.map(Vec::as_slice), no_httponly, no_secure);
    context
        .finding(rule(), id, span, format!("The cookie `{name}` holds a secret and is set without {missing}"))
        .confidence(if aside { Confidence::Low } else { confidence })
        .severity(if no_httponly { Severity::Medium } else { Severity::Low })
        .remedy(format!(
            "Set it with {{ value: …, httponly: true, secure: {}, same_site: :lax }}.",
            if everywhere_secure { "true" } else { "Rails.env.production?" }
        ))
        .mend(mend)
        .report();
}

/// Gives a cookie its flags: in the hash that it is set with, or in a new one round its value.
fn flags(
    context: &Context<'_, '_>,
    id: FileId,
    value: &Node,
    options: Option<&[Pair]>,
    no_httponly: bool,
    no_secure: bool,
) -> Option<Mend> {
    const TITLE: &str = "Gives the cookie its flags";
    let wanted = [("httponly", "true", no_httponly), ("secure", "Rails.env.production?", no_secure)];
    if context.app.rails() < (3, 0) {
        return None;
    }
    let (mut added, mut replaced) = (Vec::new(), Vec::new());
    for (key, text, _) in wanted.iter().filter(|w| w.2) {
        let pair = options.and_then(|o| {
            o.iter()
                .find(|p| wardroom_rails::literal_name(&p.key).is_some_and(|k| k.replace('_', "") == *key))
        });
        match pair {
            // `http_only` is no option of Rails: it goes for the one that is.
            Some(pair) if wardroom_rails::literal_name(&pair.key).is_some_and(|k| k == *key) => {
                replaced.push((id, pair.value.span, (*text).to_owned()))
            }
            Some(_) => return None,
            None => added.push((*key, *text)),
        }
    }
    if !added.is_empty() {
        let (_, more) = match options {
            Some(_) => mend::add_options(context, TITLE, id, value, &added)?,
            None => mend::with_options(context, TITLE, id, value, &added)?,
        };
        replaced.extend(more);
    }
    Some((TITLE.to_owned(), replaced))
}

fn secret_in(node: &Node) -> Option<Secret> {
    let named =
        |node: &Node| naming::of(node).and_then(|n| naming::secret(&n)).filter(|s| *s != Secret::Personal);
    named(node).or_else(|| match &node.kind {
        Kind::Call(call) => {
            let Call { recv, args, .. } = call.as_ref();
            recv.iter().chain(args).find_map(named)
        }
        _ => None,
    })
}
