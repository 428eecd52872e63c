//! Reading `name = value` around a word, in whatever language or format it stands.

use std::ops::Range;

/// Longest name that is looked at, in bytes to either side of the word.
const NAME: usize = 72;
/// Most white space between the parts.
const GAP: usize = 40;
/// Longest value.
const VALUE: usize = 2400;

/// How name and value are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// `=`, `:=`, `||=`
    Equals,
    /// `:` or `=>`
    Colon,
    /// `define('NAME', 'value')`
    Comma,
    /// `<name>value</name>` or `name="x" value="y"`
    Markup,
    /// `name value`
    Space,
    /// `set_name("value")`
    Call,
}

/// One assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// Where the name stands.
    pub name: Range<usize>,
    /// Where the value stands, without quotes.
    pub value: Range<usize>,
    /// The value stands in quotes (or is an element's text).
    pub quoted: bool,
    /// How they are joined.
    pub join: Join,
    /// No space stands on either side of the sign.
    pub tight: bool,
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b'@')
}

/// The name around a word.
pub(crate) fn name_around(text: &[u8], word: Range<usize>) -> Range<usize> {
    let mut start = word.start;
    while start > 0 && word.start - start < NAME && in_name(text[start - 1]) {
        start -= 1;
    }
    let mut end = word.end;
    while end < text.len() && end - word.end < NAME && in_name(text[end]) && text[end] != b'@' {
        end += 1;
    }
    // A full stop at the end closes a sentence; dashes in front make an option of a command.
    while end > word.end && matches!(text[end - 1], b'.' | b'-') {
        end -= 1;
    }
    while start < word.start && matches!(text[start], b'-' | b'.' | b'$' | b'@') {
        start += 1;
    }
    // An escaped line break before the name is no part of it.
    if start > 0
        && text[start - 1] == b'\\'
        && start < word.start
        && matches!(text[start], b'n' | b't' | b'r')
    {
        start += 1;
    }
    start..end
}

/// Reads the assignment of which a word is in the name. `spaced`: white space alone may join.
pub(crate) fn read(text: &[u8], word: Range<usize>, spaced: bool) -> Option<Assignment> {
    let name = name_around(text, word);
    let at = |n: usize| text.get(n).copied().unwrap_or(0);
    let mut p = name.end;
    let before = name.start.checked_sub(1).map_or(0, at);
    let mut key_quoted = false;
    let mut escaped = false;
    if at(p) == b'\\' && matches!(at(p + 1), b'"' | b'\'') {
        escaped = true;
        p += 1;
    }
    if matches!(at(p), b'"' | b'\'' | b'`') {
        // What closes must have been opened: otherwise the name is the end of some sentence.
        if before != at(p) {
            return None;
        }
        key_quoted = true;
        p += 1;
    }
    let opened = p;
    if at(p) == b']' {
        p += 1;
    }
    p = skip_blanks(text, p);
    let gap_before = p > opened && at(p - 1).is_ascii_whitespace();
    let mut join = Join::Equals;
    match at(p) {
        b'=' => match at(p + 1) {
            b'>' => {
                join = Join::Colon;
                p += 2;
            }
            b'=' | b'~' => return None,
            _ => p += 1,
        },
        b':' => match at(p + 1) {
            b'=' => p += 2,
            b':' => return None,
            _ => {
                join = Join::Colon;
                p += 1;
            }
        },
        b'|' if at(p + 1) == b'|' && at(p + 2) == b'=' => p += 3,
        b'?' if at(p + 1) == b'=' => p += 2,
        b'?' if at(p + 1) == b'?' && at(p + 2) == b'=' => p += 3,
        // An argument of a call; in a list one word says nothing of the next.
        b',' if key_quoted && opens_call(text, name.start - 1) => {
            join = Join::Comma;
            p += 1;
        }
        b'>' if before == b'<' => {
            join = Join::Markup;
            p += 1;
        }
        b'>' if key_quoted => {
            join = Join::Markup;
            p += 1;
        }
        b'(' if !key_quoted && is_setter(&text[name.clone()]) => {
            join = Join::Call;
            p += 1;
        }
        byte if key_quoted && text[p..].starts_with(b"value=") && byte == b'v' => {
            join = Join::Markup;
            p += b"value=".len();
        }
        _ if before == b'<' && gap_before => {
            // `<Pass encoding="base64">`
            let rest = &text[p..text.len().min(p + 80)];
            let close = rest.iter().position(|b| matches!(b, b'>' | b'\n' | b'<'))?;
            if rest[close] != b'>' || close > 0 && rest[close - 1] == b'/' {
                return None;
            }
            join = Join::Markup;
            p += close + 1;
        }
        _ if spaced && gap_before => join = Join::Space,
        _ => return None,
    }
    let sign_end = p;
    p = skip_blanks(text, p);
    let tight = !gap_before && p == sign_end;
    if join == Join::Markup && at(sign_end - 1) == b'>' {
        let rest = &text[sign_end..text.len().min(sign_end + VALUE)];
        let close = rest.iter().position(|b| matches!(b, b'<' | b'\n'))?;
        if rest[close] != b'<' || rest.get(close + 1) != Some(&b'/') {
            return None;
        }
        let (start, end) = trim(text, sign_end, sign_end + close);
        return (end > start).then_some(Assignment { name, value: start..end, quoted: true, join, tight });
    }
    // `password: String = "…"`
    if join == Join::Colon
        && let Some(after) = skip_type(text, p)
    {
        p = after;
        join = Join::Equals;
    }
    value(text, p, escaped).and_then(|(value, quoted)| {
        let needs_quotes = matches!(join, Join::Comma | Join::Call);
        (!value.is_empty() && (quoted || !needs_quotes)).then_some(Assignment {
            name,
            value,
            quoted,
            join,
            tight,
        })
    })
}

/// Where the value is that begins at `p`, and whether it stands in quotes.
fn value(text: &[u8], mut p: usize, escaped: bool) -> Option<(Range<usize>, bool)> {
    let at = |n: usize| text.get(n).copied().unwrap_or(0);
    // `b"…"`, `u'…'`, `@"…"`, `f"…"`
    for _ in 0..2 {
        if matches!(at(p), b'b' | b'B' | b'u' | b'U' | b'r' | b'R' | b'f' | b'F' | b'L' | b'@' | b'$' | b'&')
            && matches!(at(p + 1), b'"' | b'\'' | b'@' | b'$')
        {
            p += 1;
        }
    }
    if escaped && at(p) == b'\\' {
        p += 1;
    }
    let quote = at(p);
    if matches!(quote, b'"' | b'\'' | b'`') {
        let start = p + 1;
        let limit = text.len().min(start + VALUE);
        let mut end = start;
        while end < limit {
            match text[end] {
                b'\n' => return None,
                b'\\' if escaped && at(end + 1) == quote => return Some((start..end, true)),
                b'\\' => end += 1,
                byte if byte == quote => return Some((start..end, true)),
                _ => {}
            }
            end += 1;
        }
        return None;
    }
    let limit = text.len().min(p + VALUE);
    let mut end = p;
    while end < limit && !text[end].is_ascii_whitespace() && !matches!(text[end], b'"' | b'\'' | b'<' | b'`')
    {
        end += 1;
    }
    if end == limit && limit < text.len() {
        return None;
    }
    while end > p && matches!(text[end - 1], b',' | b';') {
        end -= 1;
    }
    Some((p..end, false))
}

fn skip_blanks(text: &[u8], from: usize) -> usize {
    let mut p = from;
    while p < text.len() && p - from < GAP && matches!(text[p], b' ' | b'\t') {
        p += 1;
    }
    p
}

/// Past a type and the sign behind it, where both are there.
fn skip_type(text: &[u8], from: usize) -> Option<usize> {
    let mut p = from;
    while p < text.len()
        && p - from < 48
        && (text[p].is_ascii_alphanumeric()
            || matches!(text[p], b'_' | b'&' | b'\'' | b'?' | b'<' | b'>' | b'[' | b']' | b'.'))
    {
        p += 1;
    }
    let word = p > from && text[from].is_ascii_alphabetic() || text.get(from) == Some(&b'&');
    p = skip_blanks(text, p);
    let equals = text.get(p) == Some(&b'=') && !matches!(text.get(p + 1), Some(b'=' | b'>'));
    (word && equals).then(|| skip_blanks(text, p + 1))
}

/// Whether a bracket of a call stands before a quote.
fn opens_call(text: &[u8], quote: usize) -> bool {
    let before = text[..quote].iter().rev().take(GAP).find(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\\'));
    before == Some(&b'(')
}

fn is_setter(name: &[u8]) -> bool {
    let last = name.rsplit(|b| *b == b'.').next().unwrap_or(name);
    last.len() > 6 && (last[..3].eq_ignore_ascii_case(b"set") || last[..4].eq_ignore_ascii_case(b"with"))
}

fn trim(text: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    while start < end && text[start].is_ascii_whitespace() {
        start += 1;
    }
    while end > start && text[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    (start, end)
}

/// What a name calls its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    /// Something that a person chose.
    Password,
    /// Something that chance made.
    Key,
}

/// Words in names, in lower case, at capitals and marks: `sshUserPassword` is `ssh user password`.
pub(crate) fn words(name: &[u8]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    for (n, byte) in name.iter().enumerate() {
        let next = name.get(n + 1).copied().unwrap_or(0);
        let capital = byte.is_ascii_uppercase()
            && (n > 0 && (name[n - 1].is_ascii_lowercase() || name[n - 1].is_ascii_digit())
                || n > 0 && name[n - 1].is_ascii_uppercase() && next.is_ascii_lowercase());
        if capital && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if byte.is_ascii_alphabetic() {
            word.push(char::from(byte.to_ascii_lowercase()));
        } else if !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

/// Words that say nothing of what a value is when they stand at the end.
const TRAILING: [&str; 18] = [
    "value",
    "string",
    "str",
    "base",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "test",
    "live",
    "default",
    "plain",
    "text",
    "raw",
    "base64",
    "b",
    "v",
];
const PASSWORDS: [&str; 17] = [
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "passcode",
    "pass",
    "pwd",
    "pw",
    "passw",
    "userpassword",
    "dbpassword",
    "dbpasswd",
    "dbpass",
    "adminpassword",
    "rootpassword",
    "mdp",
    "contrasena",
];
const KEYS: [&str; 22] = [
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikey",
    "apitoken",
    "accesstoken",
    "authtoken",
    "secretkey",
    "accesskey",
    "privatekey",
    "credential",
    "credentials",
    "clientsecret",
    "appsecret",
    "apisecret",
    "sharedsecret",
    "bearer",
    "auth",
    "salt",
    "pepper",
    "jwt",
];
/// What makes a key one that is kept secret.
const BEFORE_KEY: [&str; 46] = [
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "authentication",
    "encryption",
    "encrypt",
    "crypt",
    "crypto",
    "cipher",
    "signing",
    "sign",
    "signature",
    "master",
    "service",
    "account",
    "app",
    "application",
    "admin",
    "client",
    "consumer",
    "shared",
    "session",
    "storage",
    "hmac",
    "jwt",
    "aes",
    "des",
    "rsa",
    "license",
    "deploy",
    "webhook",
    "server",
    "write",
    "read",
    "root",
    "user",
    "security",
    "subscription",
    "token",
    "nonce",
    "registration",
    "integration",
    "ingestion",
    "cookie",
];

/// What a name calls its value, by its last words; `None` where it is neither.
pub(crate) fn called(name: &[u8]) -> Option<Called> {
    let words = words(name);
    let about = [
        "public",
        "example",
        "sample",
        "dummy",
        "fake",
        "mock",
        "placeholder",
        "wrong",
        "invalid",
        "expected",
        "correct",
    ];
    if words.iter().any(|w| about.contains(&w.as_str())) {
        return None;
    }
    let mut rest = words.as_slice();
    while let Some((last, before)) = rest.split_last() {
        if TRAILING.contains(&last.as_str()) && !before.is_empty() {
            rest = before;
        } else {
            break;
        }
    }
    let (last, before) = rest.split_last()?;
    let last = last.as_str();
    let previous = before.last().map_or("", String::as_str);
    if PASSWORDS.contains(&last) {
        // `bypass`, `one pass`, `high pass` are none
        return (!matches!(
            previous,
            "hashed" | "crypted" | "by" | "render" | "high" | "low" | "band" | "first" | "second" | "multi"
        ))
        .then_some(Called::Password);
    }
    if KEYS.contains(&last) {
        let spoken = matches!(
            previous,
            "csrf"
                | "authenticity"
                | "xsrf"
                | "page"
                | "next"
                | "continuation"
                | "cancel"
                | "cancellation"
                | "sync"
                | "lexer"
                | "parser"
                | "syntax"
                | "sort"
                | "start"
                | "end"
                | "eos"
                | "pad"
                | "mask"
                | "upload"
        );
        return (!spoken).then_some(Called::Key);
    }
    (last == "key" || last == "keys").then_some(())?;
    BEFORE_KEY.contains(&previous).then_some(Called::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(text: &str, word: &str) -> Option<(String, String, bool)> {
        let start = text.find(word).unwrap();
        let found = read(text.as_bytes(), start..start + word.len(), text.starts_with('~'))?;
        Some((text[found.name].to_owned(), text[found.value].to_owned(), found.quoted))
    }

    #[test]
    fn languages_and_formats() {
        for (text, name, value, quoted) in [
            ("DB_PASSWORD=admin123\n", "DB_PASSWORD", "admin123", false),
            ("export A_TOKEN='x y'", "A_TOKEN", "x y", true),
            ("  \"sshPassphrase\" : \"SSHPass123\",", "sshPassphrase", "SSHPass123", true),
            ("define( 'DB_PASSWORD', 'admin' );", "DB_PASSWORD", "admin", true),
            ("define('AUTH_PASS',         'MW1p x');", "AUTH_PASS", "MW1p x", true),
            ("<Pass>ExamplePas123</Pass>", "Pass", "ExamplePas123", true),
            ("<Pass encoding=\"base64\">Njll</Pass>", "Pass", "Njll", true),
            ("<add key=\"DbPassword\" value=\"hunter2\"/>", "DbPassword", "hunter2", true),
            ("let password: &str = \"abc\";", "password", "abc", true),
            ("config['password'] => \"q\"", "password", "q", true),
            ("{\\\"password\\\": \\\"q1\\\"}", "password", "q1", true),
            ("$db->setPassword('hunter2');", "setPassword", "hunter2", true),
            ("  password: pa$$,word # why", "password", "pa$$,word", false),
            ("~ password \"x y\"", "password", "x y", true),
            ("  oauth_token: \"7f9c\"", "oauth_token", "7f9c", true),
            ("password ||= b'q'", "password", "q", true),
        ] {
            let word = ["assword", "PASS", "TOKEN", "assphrase", "Pass", "ASS", "oken"]
                .iter()
                .find(|w| text.contains(*w))
                .unwrap();
            assert_eq!(read_of(text, word), Some((name.into(), value.into(), quoted)), "{text}");
        }
        for text in [
            "enter your password\", x",
            "password == \"x\"",
            "Password::new",
            "the password is",
            "password:",
            "password(\"x\")",
        ] {
            assert_eq!(read_of(text, "assword"), None, "{text}");
        }
    }

    #[test]
    fn what_names_say() {
        for name in ["DB_PASSWORD", "sshUserPassword", "password1", "dbpasswd", "IRC_PASS", "MyPwd"] {
            assert_eq!(called(name.as_bytes()), Some(Called::Password), "{name}");
        }
        for name in [
            "apiKey",
            "AWS_SECRET_ACCESS_KEY",
            "client_secret",
            "secret_key_base",
            "oauth_token",
            "X-Api-Key",
            "auth",
            "APIKey",
        ] {
            assert_eq!(called(name.as_bytes()), Some(Called::Key), "{name}");
        }
        for name in [
            "password_field",
            "key",
            "primary_key",
            "token_url",
            "secret_name",
            "bypass",
            "passwordLabel",
            "csrf_token",
            "keyboard",
        ] {
            assert_eq!(called(name.as_bytes()), None, "{name}");
        }
    }
}
