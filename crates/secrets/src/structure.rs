//! What takes more than a pattern: key blocks, web tokens, addresses, hashes, files of passwords.

use wardroom_model::{Confidence, Severity};

use crate::checks;
use crate::place::Place;
use crate::scanner::Raw;
use crate::token::{by_structure, doubt};
use crate::value;

/// Longest key block, in bytes.
const BLOCK: usize = 24 << 10;
/// Longest web token.
const WEB_TOKEN: usize = 8 << 10;

/// What a word may be part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `PRIVATE KEY-----`
    Pem,
    /// `PuTTY-User-Key-File-`
    Putty,
    /// `eyJ`
    WebToken,
    /// `://`
    Address,
    /// `Basic `
    Basic,
    /// `Bearer `
    Bearer,
    /// `.login(`
    Login,
    /// `$2y$` and the like
    Hash,
}

/// The words.
pub(crate) const WORDS: [(&str, Kind); 18] = [
    ("PRIVATE KEY-----", Kind::Pem),
    ("PRIVATE KEY BLOCK-----", Kind::Pem),
    ("PuTTY-User-Key-File-", Kind::Putty),
    ("eyJ", Kind::WebToken),
    ("://", Kind::Address),
    ("basic ", Kind::Basic),
    ("bearer ", Kind::Bearer),
    (".login(", Kind::Login),
    ("$2a$", Kind::Hash),
    ("$2b$", Kind::Hash),
    ("$2y$", Kind::Hash),
    ("$6$", Kind::Hash),
    ("$5$", Kind::Hash),
    ("$1$", Kind::Hash),
    ("$y$", Kind::Hash),
    ("$apr1$", Kind::Hash),
    ("$argon2", Kind::Hash),
    ("{SSHA}", Kind::Hash),
];

/// Looks around a word.
pub(crate) fn look(kind: Kind, text: &[u8], start: usize, end: usize, place: Place, out: &mut Vec<Raw>) {
    match kind {
        Kind::Pem => pem(text, start, end, place, out),
        Kind::Putty => putty(text, start, place, out),
        Kind::WebToken => web_token(text, start, place, out),
        Kind::Address => address(text, start, end, place, out),
        Kind::Basic => basic(text, end, place, out),
        Kind::Bearer => bearer(text, end, place, out),
        Kind::Login => login(text, end, place, out),
        Kind::Hash => hash(text, start, place, out),
    }
}

fn push(
    out: &mut Vec<Raw>,
    structure: &str,
    range: (usize, usize),
    secret: &[u8],
    place: Place,
    confidence: Confidence,
) {
    let quiet = place.quiet();
    out.push(Raw {
        token: by_structure(structure),
        start: range.0,
        end: range.1,
        secret: secret.to_vec(),
        confidence: if quiet { Confidence::Low } else { confidence },
        severity: None,
        reason: if quiet { doubt(place) } else { "" },
        name: String::new(),
        decoded: false,
    });
}

/// A block whose body is base64 of something long enough; with escapes, quotes and comment signs in
/// between, as it stands in code and JSON.
fn pem(text: &[u8], word: usize, end: usize, place: Place, out: &mut Vec<Raw>) {
    let from = word.saturating_sub(40);
    let Some(begin) = memchr::memmem::rfind(&text[from..word], b"-----BEGIN ").map(|n| from + n) else {
        return;
    };
    let label = &text[begin + 11..word];
    if label.contains(&b'\n') {
        return;
    }
    let rest = &text[end..text.len().min(end + BLOCK)];
    let Some(close) = memchr::memmem::find(rest, b"-----END ") else { return };
    let body = &rest[..close];
    let closing = memchr::memchr(b'\n', &rest[close..]).unwrap_or(rest.len() - close).min(64);
    let closing =
        memchr::memmem::find(&rest[close + 9..close + closing.max(9)], b"-----").map_or(closing, |n| n + 14);
    let mut plain = Vec::with_capacity(body.len());
    let mut encrypted = label.starts_with(b"ENCRYPTED");
    for line in body.split(|b| *b == b'\n') {
        let line = line.trim_ascii();
        if let Some(colon) = line.iter().position(|b| *b == b':') {
            encrypted |= value::contains(&line[colon..], b"ENCRYPTED");
            if !value::contains(line, b"\\n") {
                continue;
            }
        }
        let mut skip = false;
        for (n, byte) in line.iter().enumerate() {
            if std::mem::take(&mut skip) {
                continue;
            }
            match byte {
                b'\\' => skip = matches!(line.get(n + 1), Some(b'n' | b'r' | b't')),
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => plain.push(*byte),
                _ => {}
            }
        }
    }
    plain.truncate(plain.len() / 4 * 4);
    let Some(decoded) = checks::decode_base64(&plain) else { return };
    let pgp = value::contains(label, b"PGP");
    let openssh = decoded.starts_with(b"openssh-key-v1\0");
    let known = encrypted || pgp || openssh || decoded.first() == Some(&0x30);
    if decoded.len() < 40 || !known || value::entropy(&decoded) < 4.0 {
        return;
    }
    encrypted |= openssh && !decoded[15..].starts_with(b"\0\0\0\x04none");
    let structure = if pgp {
        "pgp"
    } else if encrypted {
        "pem-encrypted"
    } else {
        "pem"
    };
    let start = out.len();
    push(out, structure, (begin, end + close + closing), &decoded, place, Confidence::High);
    if encrypted && let Some(raw) = out.get_mut(start) {
        raw.severity = Some(Severity::Medium);
        if raw.reason.is_empty() {
            raw.reason = "it is encrypted; its passphrase protects it as far as nobody can guess it";
        }
    }
}

fn putty(text: &[u8], start: usize, place: Place, out: &mut Vec<Raw>) {
    let rest = &text[start..text.len().min(start + BLOCK)];
    let Some(private) = memchr::memmem::find(rest, b"Private-Lines:") else { return };
    let end = memchr::memmem::find(&rest[private..], b"Private-MAC:").map_or(rest.len(), |n| private + n);
    let mut lines = rest[private..end].split(|b| *b == b'\n').skip(1);
    let mut body: Vec<u8> = Vec::new();
    lines.by_ref().for_each(|l| body.extend_from_slice(l.trim_ascii()));
    if body.len() >= 40 && checks::decode_base64(&body).is_some() && value::entropy(&body) > 4.0 {
        let encrypted = value::contains(&rest[..private], b"Encryption: aes");
        let first = out.len();
        push(out, "putty", (start, start + end), &body, place, Confidence::High);
        if encrypted && let Some(raw) = out.get_mut(first) {
            raw.severity = Some(Severity::Medium);
        }
    }
}

fn in_web_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn web_token(text: &[u8], start: usize, place: Place, out: &mut Vec<Raw>) {
    if text[start..].get(..3) != Some(b"eyJ")
        || start > 0 && (in_web_token(text[start - 1]) || text[start - 1] == b'.')
    {
        return;
    }
    let limit = text.len().min(start + WEB_TOKEN);
    let mut end = start;
    let mut dots = 0;
    while end < limit && (in_web_token(text[end]) || text[end] == b'.' && dots < 2) {
        dots += usize::from(text[end] == b'.');
        end += 1;
    }
    let token = &text[start..end];
    let signature = token.rsplit(|b| *b == b'.').next().unwrap_or_default();
    if dots != 2 || signature.len() < 20 {
        return;
    }
    let Some(claims) = checks::web_token(token) else { return };
    let example = ["1234567890", "John Doe", "\"foo\"", "example.com", "\"hello\"", "\"some\""];
    let confidence = match () {
        () if example.iter().any(|e| claims.contains(e)) => Confidence::Low,
        () if claims.contains("\"role\":\"anon\"") => Confidence::Low,
        () if claims.contains("\"exp\"") => Confidence::Medium,
        () => Confidence::High,
    };
    push(out, "jwt", (start, end), token, place, confidence);
}

/// Schemes of databases and queues.
const DATABASES: [&str; 30] = [
    "postgres",
    "postgresql",
    "mysql",
    "mysql2",
    "trilogy",
    "mariadb",
    "mongodb",
    "mongodb+srv",
    "redis",
    "rediss",
    "amqp",
    "amqps",
    "mssql",
    "sqlserver",
    "oracle",
    "ldap",
    "ldaps",
    "clickhouse",
    "nats",
    "couchdb",
    "couchbase",
    "neo4j",
    "neo4j+s",
    "bolt",
    "influxdb",
    "smtp",
    "smtps",
    "cockroachdb",
    "postgis",
    "cassandra",
];
/// Hosts that nobody has.
const NOBODY: [&str; 14] = [
    "example",
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "::1",
    "host",
    "hostname",
    "server",
    "domain",
    "some",
    "foo",
    "bar",
    "yourserver",
    "proxy",
];

fn address(text: &[u8], mark: usize, after: usize, place: Place, out: &mut Vec<Raw>) {
    let limit = text.len().min(after + 512);
    let mut at_sign = None;
    let mut end = after;
    while end < limit {
        match text[end] {
            b'@' => at_sign = Some(end),
            b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b'{' | b'}' | b'|' | b'^' => {
                break;
            }
            b if b.is_ascii_whitespace() || b < 0x20 => break,
            _ => {}
        }
        end += 1;
    }
    let Some(at_sign) = at_sign else { return };
    let Some(colon) = text[after..at_sign].iter().position(|b| *b == b':').map(|n| after + n) else { return };
    let (user, password) = (&text[after..colon], &text[colon + 1..at_sign]);
    let host_end = text[at_sign + 1..end]
        .iter()
        .position(|b| matches!(b, b':' | b',' | b')' | b']' | b';'))
        .map_or(end, |n| at_sign + 1 + n);
    let host = String::from_utf8_lossy(&text[at_sign + 1..host_end]).to_ascii_lowercase();
    let scheme_start = (0..mark)
        .rev()
        .take(16)
        .take_while(|n| text[*n].is_ascii_alphanumeric() || matches!(text[*n], b'+' | b'-'))
        .last();
    let Some(scheme_start) = scheme_start else { return };
    let scheme = String::from_utf8_lossy(&text[scheme_start..mark]).to_ascii_lowercase();
    if password.len() < 3
        || host.is_empty()
        || value::stand_in(password).is_some()
        || user.iter().chain(password).any(|b| matches!(b, b'$' | b'%' | b'*' | b'[' | b'('))
            && !percent_encoded(password)
    {
        return;
    }
    let first = host.split('.').next().unwrap_or(&host);
    let last = host.rsplit('.').next().unwrap_or(&host);
    let nobody = NOBODY.contains(&first)
        || host.contains("example")
        || matches!(last, "test" | "invalid" | "local" | "localhost" | "domain" | "host")
        || host.starts_with("127.");
    let lower = password.to_ascii_lowercase();
    let plain = value::plain(password).is_some() && password != user
        || password.len() < 4
        || lower.starts_with(b"pass") && value::words(password)
        || lower.starts_with(b"secret")
        || value::plain(password).is_some() && nobody;
    let database = DATABASES.contains(&scheme.as_str());
    let chosen = value::chosen_password(password).is_ok();
    let confidence = match () {
        () if plain => Confidence::Low,
        () if chosen && (!nobody || database) && !(nobody && password == user) => {
            if nobody {
                Confidence::Medium
            } else {
                Confidence::High
            }
        }
        () if nobody => Confidence::Low,
        // Within a network of containers a host has a name of one word, and the password is often the name.
        () if !host.contains('.') => Confidence::Low,
        () => Confidence::Medium,
    };
    let structure = if database { "database-url" } else { "url" };
    push(out, structure, (colon + 1, at_sign), password, place, confidence);
}

fn percent_encoded(password: &[u8]) -> bool {
    password.windows(3).any(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit())
        && !password.iter().any(|b| matches!(b, b'$' | b'[' | b'(' | b'*'))
}

fn basic(text: &[u8], after: usize, place: Place, out: &mut Vec<Raw>) {
    let limit = text.len().min(after + 400);
    let length = text[after..limit]
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
        .count();
    let written = &text[after..after + length];
    if length < 12 || length % 4 != 0 {
        return;
    }
    let Some(pair) = checks::decode_base64(written) else { return };
    let Some(colon) = pair.iter().position(|b| *b == b':') else { return };
    let password = &pair[colon + 1..];
    if !pair.iter().all(|b| b.is_ascii_graphic()) || password.len() < 4 || value::stand_in(password).is_some()
    {
        return;
    }
    let confidence = if value::plain(password).is_some() || value::chosen_password(password).is_err() {
        Confidence::Low
    } else {
        Confidence::High
    };
    push(out, "authorization", (after, after + length), password, place, confidence);
}

fn bearer(text: &[u8], after: usize, place: Place, out: &mut Vec<Raw>) {
    let limit = text.len().min(after + 600);
    let length = text[after..limit]
        .iter()
        .take_while(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-' | b'.' | b'~')
        })
        .count();
    let token = &text[after..after + length];
    // Web tokens and known forms have their own look.
    if length < 20 || token.starts_with(b"eyJ") || value::random_token(token).is_err() || place.made {
        return;
    }
    push(out, "authorization", (after, after + length), token, place, Confidence::Medium);
}

/// `login('somebody@example.net', 'password')`
fn login(text: &[u8], after: usize, place: Place, out: &mut Vec<Raw>) {
    let mut p = after;
    let mut strings: Vec<(usize, usize)> = Vec::new();
    while strings.len() < 2 {
        while text.get(p).is_some_and(|b| matches!(b, b' ' | b',' | b'\t')) {
            p += 1;
        }
        let Some(quote) = text.get(p).copied().filter(|b| matches!(b, b'"' | b'\'')) else { return };
        let limit = text.len().min(p + 1 + 128);
        let Some(length) = text[p + 1..limit].iter().position(|b| *b == quote || *b == b'\n') else { return };
        strings.push((p + 1, p + 1 + length));
        p += length + 2;
    }
    let (user, password) = (&text[strings[0].0..strings[0].1], &text[strings[1].0..strings[1].1]);
    let named = user.contains(&b'@') && user.contains(&b'.');
    if named && password.len() >= 6 && value::stand_in(password).is_none() && value::plain(password).is_none()
    {
        push(out, "login-call", strings[1], password, place, Confidence::Medium);
    }
}

/// The hash of a password counts where passwords are kept: in a line `user:hash`, and in a dump.
fn hash(text: &[u8], start: usize, place: Place, out: &mut Vec<Raw>) {
    let limit = text.len().min(start + 220);
    let length = text[start..limit]
        .iter()
        .take_while(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'.' | b'/' | b'$' | b',' | b'=' | b'+' | b'-' | b'{' | b'}')
        })
        .count();
    let written = &text[start..start + length];
    let enough = match written.get(1) {
        Some(b'2') => length == 60,
        Some(b'6') => length >= 90,
        Some(b'5') => length >= 50,
        Some(b'1') => (26..=38).contains(&length),
        Some(b'a') if written.starts_with(b"$apr1$") => (28..=37).contains(&length),
        Some(b'S') => length >= 30,
        _ => length >= 60,
    };
    if !enough || value::stand_in_token(&written[4..]).is_some() || value::entropy(written) < 3.5 {
        return;
    }
    let line_start = memchr::memrchr(b'\n', &text[..start]).map_or(0, |n| n + 1);
    let before = &text[line_start..start];
    let user_line = before.len() > 1
        && before.ends_with(b":")
        && before[..before.len() - 1]
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@'));
    if user_line {
        push(out, "hash-file", (start, start + length), written, place, Confidence::High);
    } else if place.dump {
        push(out, "hash-dump", (start, start + length), written, place, Confidence::Medium);
    }
}

/// Files that hold nothing but secrets, or a secret on each line.
pub(crate) fn whole(text: &[u8], path: &str, place: Place, out: &mut Vec<Raw>) {
    let name = path.rsplit(['/', '!']).next().unwrap_or(path);
    match name {
        "master.key" => master_key(text, place, out),
        _ if name.ends_with(".key") && value::contains(path.as_bytes(), b"config/credentials/") => {
            master_key(text, place, out)
        }
        ".pgpass" | "pgpass.conf" => by_line(text, place, out, |line| {
            let mut colons =
                line.iter().enumerate().filter(|(n, b)| **b == b':' && (*n == 0 || line[n - 1] != b'\\'));
            colons.nth(3).map(|(n, _)| (n + 1, line.len()))
        }),
        ".git-credentials" | "git-credentials" => by_line(text, place, out, |line| {
            let scheme = memchr::memmem::find(line, b"://")? + 3;
            let host = line.iter().rposition(|b| *b == b'@')?;
            // The user may be an address itself; the password begins behind the first colon.
            let colon = scheme + line.get(scheme..host)?.iter().position(|b| *b == b':')?;
            Some((colon + 1, host))
        }),
        ".htpasswd" | "htpasswd" => by_line(text, place, out, |line| {
            let colon = line.iter().position(|b| *b == b':')?;
            let hash = &line[colon + 1..];
            // Those with a dollar sign are seen by their own form; this is the old `crypt`.
            (hash.len() == 13 && !hash.contains(&b'$')).then_some((colon + 1, line.len()))
        }),
        _ => {}
    }
}

fn master_key(text: &[u8], place: Place, out: &mut Vec<Raw>) {
    let key = text.trim_ascii();
    if key.len() == 32 && key.iter().all(u8::is_ascii_hexdigit) && value::stand_in_token(key).is_none() {
        let start = text.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
        push(out, "rails-master-key", (start, start + key.len()), key, place, Confidence::High);
    }
}

fn by_line(text: &[u8], place: Place, out: &mut Vec<Raw>, secret: impl Fn(&[u8]) -> Option<(usize, usize)>) {
    let mut at = 0;
    for line in text.split_inclusive(|b| *b == b'\n') {
        let bare = line.trim_ascii_end();
        if !bare.starts_with(b"#")
            && let Some((start, end)) = secret(bare)
            && end > start
            && value::stand_in(&bare[start..end]).is_none()
        {
            push(out, "password-file", (at + start, at + end), &bare[start..end], place, Confidence::High);
        }
        at += line.len();
    }
}
