//! Which names stand for a secret, and the names around a call: what it is assigned to, passed as
//! and defined in.

use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Name, Node, ParamForm};
use wardroom_ruby::walk;

use crate::context::Context;

/// What a name says its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// A password.
    Password,
    /// A key of a service or of an algorithm.
    Key,
    /// A token that stands for a person or a right.
    Token,
    /// A number that names a person or an account: social security, payment cards.
    Personal,
}

/// The words of a name in lower case: `resetPasswordToken` and `reset_password_token` are alike.
pub fn words(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && lower_before) {
            if !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
            if !c.is_ascii_alphanumeric() {
                lower_before = false;
                continue;
            }
        }
        lower_before = c.is_ascii_lowercase() || c.is_ascii_digit();
        word.push(c.to_ascii_lowercase());
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

/// Last words after which a name is about a secret, not the secret itself: `password_reset_path`.
const ABOUT: &[&str] = &[
    "id",
    "ids",
    "at",
    "on",
    "count",
    "type",
    "types",
    "path",
    "url",
    "uri",
    "link",
    "name",
    "names",
    "length",
    "size",
    "expiry",
    "expires",
    "expiration",
    "expire",
    "changed",
    "valid",
    "field",
    "form",
    "hint",
    "label",
    "strength",
    "policy",
    "reset",
    "required",
    "enabled",
    "disabled",
    "confirmed",
    "attempts",
    "class",
    "params",
    "param",
    "key",
    "format",
    "regex",
    "regexp",
    "pattern",
    "template",
    "message",
    "error",
    "errors",
    "email",
    "mailer",
    "controller",
    "file",
    "header",
    "endpoint",
    "method",
    "mode",
    "model",
    "user",
    "users",
    "age",
    "minimum",
    "maximum",
    "min",
    "max",
    "limit",
    "status",
    "state",
    "scope",
    "scopes",
    "ttl",
    "lifetime",
    "present",
    "blank",
    "page",
    "title",
    "text",
    "options",
    "option",
    "settings",
    "service",
    "store",
    "provider",
    "authenticatable",
    "authentication",
    "auth",
    "owner",
    "last4",
    "four",
    "brand",
    "used",
    "sent",
    "updated",
    "created",
    "issuer",
    "manager",
    "generator",
    "validator",
    "checker",
    "validation",
    "complexity",
    "history",
    "version",
    "mask",
    "placeholder",
    "image",
    "icon",
    "holder",
    "locale",
    "prefix",
    "suffix",
    "info",
    "details",
    "data",
    "list",
    "index",
];

/// What a name says its value is; `None` for a name that says nothing of the kind or is only about
/// a secret (`token_id`, `password_changed?`).
pub fn secret(name: &str) -> Option<Secret> {
    if name.ends_with('?') {
        return None;
    }
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let last = *words.last()?;
    let pair = |a: &str, b: &str| words.windows(2).any(|w| w == [a, b]);
    if pair("api", "key")
        || pair("private", "key")
        || pair("access", "key")
        || pair("secret", "key")
        || pair("signing", "key")
        || pair("encryption", "key")
        || words.contains(&"apikey")
        || pair("secret", "base")
        || last == "pepper"
    {
        let after_key = words.iter().rposition(|w| matches!(*w, "key" | "apikey" | "base" | "pepper"));
        return (after_key == Some(words.len() - 1)).then_some(Secret::Key);
    }
    if matches!(words.as_slice(), [.., "tax" | "taxpayer" | "national", "id"]) && words[0] != "encrypted" {
        return Some(Secret::Personal);
    }
    if ABOUT.contains(&last)
        || matches!(words[0], "encrypted" | "hashed" | "masked" | "filtered" | "no" | "has" | "is" | "use")
    {
        return None;
    }
    let has = |list: &[&str]| words.iter().any(|w| list.contains(w));
    if has(&["digest", "hash", "encrypted", "crypted", "fingerprint"]) {
        return None;
    }
    if has(&["password", "passwd", "passphrase", "passcode"]) || matches!(last, "pwd") {
        return if has(&["token"]) { Some(Secret::Token) } else { Some(Secret::Password) };
    }
    if has(&["check", "checks", "response", "result", "avs"]) {
        return None;
    }
    if has(&["ssn", "cvv", "cvc", "cvv2", "iban"])
        || pair("social", "security")
        || pair("card", "number")
        || pair("passport", "number")
        || pair("tax", "number")
        || pair("license", "number") && has(&["driver", "drivers", "driving"])
        || pair("licence", "number") && has(&["driver", "drivers", "driving"])
        || words.ends_with(&["bank", "account", "number"])
        || words == ["account", "number"]
        || last == "cardnumber"
    {
        return Some(Secret::Personal);
    }
    if matches!(last, "secret" | "secrets")
        || pair("client", "secret")
        || pair("otp", "secret")
        || pair("totp", "secret")
    {
        return Some(Secret::Key);
    }
    if matches!(last, "token" | "tokens" | "otp" | "jwt")
        && !has(&["csrf", "authenticity", "xsrf", "cancellation", "page"])
    {
        return Some(Secret::Token);
    }
    None
}

/// The last name of an expression: `user.password` → `password`, `params[:token]` → `token`.
pub fn of(node: &Node) -> Option<Name> {
    match &node.kind {
        Kind::Local(name) | Kind::Ivar(name) | Kind::Gvar(name) | Kind::Cvar(name) => Some(*name),
        Kind::Const(path) => path.last().copied(),
        Kind::Call(call) if call.name == "[]" || call.name == "fetch" => {
            call.args.first().and_then(wardroom_rails::literal_name)
        }
        Kind::Call(call) if call.args.is_empty() && call.block.is_none() => Some(call.name),
        _ => None,
    }
}

/// The names around a call, outermost first: the method that it stands in, what it is assigned to,
/// under which key of a hash or keyword it stands, as argument of which call.
pub fn around<'a>(
    context: &Context<'_, 'a>,
    hint: &regex::bytes::Regex,
    visit: &mut impl FnMut(FileId, &'a Node, &'a Call, &[Name]),
) {
    for (id, file) in context.code_files() {
        if hint.is_match(&file.text) {
            let mut names = Vec::new();
            descend(&file.parsed.body, &mut names, &mut |node, call, names| visit(id, node, call, names));
        }
    }
}

fn descend<'a>(node: &'a Node, names: &mut Vec<Name>, visit: &mut dyn FnMut(&'a Node, &'a Call, &[Name])) {
    let depth = names.len();
    match &node.kind {
        Kind::Def(def) => {
            names.clear();
            names.push(def.name);
            for param in &def.params {
                if let (Some(default), ParamForm::Keyword | ParamForm::Optional) =
                    (&param.default, param.form)
                {
                    descend(default, names, visit);
                }
            }
            descend(&def.body, names, visit);
            names.clear();
            return;
        }
        Kind::Module(_) => {
            let mut inner = Vec::new();
            walk::children(node, &mut |child| descend(child, &mut inner, visit));
            return;
        }
        Kind::Assign(assign) => {
            if let Some(name) = of(&assign.target) {
                names.push(name);
            }
            descend(&assign.value, names, visit);
            names.truncate(depth);
            return;
        }
        Kind::Hash(pairs) => {
            for pair in pairs {
                if let Some(name) = wardroom_rails::literal_name(&pair.key) {
                    names.push(name);
                }
                descend(&pair.value, names, visit);
                names.truncate(depth);
            }
            return;
        }
        Kind::Call(call) => {
            visit(node, call, names);
            if let Some(recv) = &call.recv {
                descend(recv, names, visit);
            }
            let target = match call.name.as_str() {
                "[]=" | "write_attribute" | "update_column" | "update_attribute" => {
                    call.args.first().and_then(wardroom_rails::literal_name)
                }
                "scope" | "before_create" | "before_save" | "before_validation" | "let" => None,
                name => match name.strip_suffix('=') {
                    Some(name) if !name.is_empty() && !name.ends_with(['=', '!', '<', '>']) => {
                        Some(Name::from(name))
                    }
                    _ => None,
                },
            };
            names.extend(target);
            call.args.iter().for_each(|a| descend(a, names, visit));
            names.truncate(depth);
            if let Some(block) = &call.block {
                descend(&block.body, names, visit);
            }
            if let Some(arg) = &call.block_arg {
                descend(arg, names, visit);
            }
            names.truncate(depth);
            return;
        }
        _ => {}
    }
    walk::children(node, &mut |child| descend(child, names, visit));
    names.truncate(depth);
}

/// Whether a file serves tests, seeds or one-off tasks: what it holds is no secret of production.
pub fn is_aside(path: &str) -> bool {
    path.split('/').any(|part| {
        matches!(
            part,
            "spec"
                | "test"
                | "tests"
                | "features"
                | "factories"
                | "fixtures"
                | "seeds"
                | "db"
                | "script"
                | "scripts"
                | "demo"
                | "examples"
        )
    }) || path.contains("config/environments/development")
        || path.contains("config/environments/test")
        || path.contains("lib/tasks/")
        || path.ends_with("_faker.rb")
        || path.contains("/testing/")
        || path.contains("test_support")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        assert_eq!(secret("password"), Some(Secret::Password));
        assert_eq!(secret("new_password_confirmation"), Some(Secret::Password));
        assert_eq!(secret("resetPasswordToken"), Some(Secret::Token));
        assert_eq!(secret("stripe_api_key"), Some(Secret::Key));
        assert_eq!(secret("client_secret"), Some(Secret::Key));
        assert_eq!(secret("credit_card_number"), Some(Secret::Personal));
        assert_eq!(secret("individual_tax_id"), Some(Secret::Personal));
        assert_eq!(secret("bank_account_number"), Some(Secret::Personal));
        for about in [
            "password_reset_path",
            "token_id",
            "password_changed?",
            "password_digest",
            "encrypted_password",
            "tokenizer",
            "secretary",
            "authenticity_token",
        ] {
            assert_eq!(secret(about), None, "{about}");
        }
    }
}
