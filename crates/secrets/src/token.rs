//! Tokens that are known by their own form, and values that are known by their name.

use std::ops::Range;

use wardroom_model::{Confidence, Severity};

use crate::assignment::{self, Assignment, Called, Join};
use crate::checks::{self, Verdict};
use crate::keywords::{Keywords, Seen};
use crate::place::Place;
use crate::rules::{Check, Token, book};
use crate::scanner::Raw;
use crate::value;

/// Why a hit is shown only on request, by its place.
pub(crate) fn doubt(place: Place) -> &'static str {
    if place.test {
        "it stands in a test"
    } else if place.example {
        "it stands in an example"
    } else if place.locale {
        "it stands among words for people"
    } else if place.document {
        "it stands in a document"
    } else if place.vendored {
        "it stands in code of others"
    } else if place.made {
        "it stands in a file that a program wrote"
    } else {
        ""
    }
}

/// Whether a word may begin here: not in the middle of another.
fn begins(text: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1).map(|n| text[n]) else { return true };
    if !before.is_ascii_alphanumeric() && before != b'_' {
        // `…/AKIA…` and `+AKIA…` may be the middle of base64.
        return !matches!(before, b'+' | b'/')
            || start < 2
            || !text[start - 2].is_ascii_alphanumeric()
            || in_path(text, start);
    }
    // `\nghp_…` in a string, `%3Dghp_…` in a URL
    let escape = start >= 2 && text[start - 2] == b'\\' && matches!(before, b'n' | b't' | b'r');
    let percent = start >= 3
        && text[start - 3] == b'%'
        && text[start - 2].is_ascii_hexdigit()
        && before.is_ascii_hexdigit();
    escape || percent
}

/// The slash before is one of a path or URL: a few bytes before there is another sign than base64 has.
fn in_path(text: &[u8], start: usize) -> bool {
    let from = start.saturating_sub(24);
    text[from..start - 1].iter().any(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'+' | b'/' | b'='))
}

/// A token that is known by its beginning (or a word in it).
pub(crate) fn starts(token: &'static Token, text: &[u8], word: usize, place: Place, out: &mut Vec<Raw>) {
    let Some(pattern) = token.pattern() else { return };
    // Where the part before has no fixed length, shorter ones are tried too.
    let slack = if token.before == 0 { 0 } else { 4.min(token.before - 1) };
    for before in (token.before - slack..=token.before).rev() {
        let Some(start) = word.checked_sub(before) else { continue };
        let free = text[start].is_ascii_alphanumeric() || text[start] == b'_';
        if free && !begins(text, start) {
            continue;
        }
        let window = &text[start..text.len().min(start + token.window)];
        let Some(found) = pattern.captures(window) else { continue };
        let Some(whole) = found.get(0) else { continue };
        let end = start + whole.end();
        if text.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            continue;
        }
        let part = found.iter().skip(1).flatten().next().unwrap_or(whole);
        let secret = part.as_bytes();
        let prefix = token.starts.iter().map(String::as_bytes).find(|s| secret.starts_with(s));
        let random = &secret[prefix.map_or(0, <[u8]>::len)..];
        if random.is_empty()
            || value::entropy(random) < token.entropy.min(max_entropy(random.len()))
            || value::stand_in_token(random).is_some()
        {
            continue;
        }
        let verdict = checks::run(token.check, secret);
        // A wrong checksum is what examples and tests of other programs have.
        let wrong = verdict == Verdict::Wrong && token.check == Some(Check::Crc32Base62);
        if verdict == Verdict::Wrong && !wrong {
            continue;
        }
        let proven = verdict == Verdict::Proven;
        let weak = place.quiet() && !proven;
        let confidence = if weak { token.confidence.min(Confidence::Medium) } else { token.confidence };
        // Base64 of pictures and the like holds short tokens by chance.
        let confidence =
            if place.made && !proven && random.len() < 24 { Confidence::Low } else { confidence };
        let confidence = match () {
            () if wrong => Confidence::Low,
            () if proven => Confidence::High,
            () => confidence,
        };
        let reason = match () {
            () if proven => "its checksum is right",
            () if wrong => "its checksum is wrong",
            () if weak => doubt(place),
            () => "",
        };
        out.push(Raw {
            token,
            start: start + part.start(),
            end: start + part.end(),
            secret: secret.to_vec(),
            confidence,
            severity: None,
            reason,
            name: String::new(),
            decoded: false,
        });
        return;
    }
}

/// Chance cannot bring more entropy than a short text has room for.
fn max_entropy(length: usize) -> f64 {
    (length as f64).log2() * 0.85
}

/// Values that are known by what they are assigned to.
#[derive(Debug)]
pub(crate) struct Named {
    words: Keywords,
    tokens: Vec<usize>,
    generic: &'static Token,
    in_settings: &'static Token,
    in_code: &'static Token,
    in_file: &'static Token,
}

impl Named {
    pub(crate) fn new() -> Named {
        let mut words = Vec::new();
        let mut tokens = Vec::new();
        for (number, token) in book().tokens.iter().enumerate() {
            for word in &token.named {
                words.push(word.as_bytes().to_vec());
                tokens.push(number);
            }
        }
        Named {
            words: Keywords::new(&words),
            tokens,
            generic: by_structure("generic"),
            in_settings: by_structure("password-settings"),
            in_code: by_structure("password-code"),
            in_file: by_structure("password-file"),
        }
    }

    /// Looks at the assignment of whose name a word is part; where the name ends.
    pub(crate) fn look(&self, text: &[u8], word: Range<usize>, place: Place, out: &mut Vec<Raw>) -> usize {
        let Some(assignment) = assignment::read(text, word.clone(), place.spaced) else { return word.end };
        let end = assignment.name.end;
        let name = &text[assignment.name.clone()];
        let (range, secret) = bare(text, assignment.value.clone());
        if secret.is_empty() {
            return end;
        }
        let raw = |token, confidence, severity, reason| Raw {
            token,
            start: range.start,
            end: range.end,
            secret: secret.to_vec(),
            confidence,
            severity,
            reason,
            name: String::from_utf8_lossy(name).into_owned(),
            decoded: false,
        };
        if let Some(token) = self.known(name, secret, &assignment) {
            let low = place.quiet();
            let confidence = if low { Confidence::Low } else { token.confidence };
            out.push(raw(token, confidence, None, if low { doubt(place) } else { "" }));
            return end;
        }
        let Some(called) = assignment::called(name) else { return end };
        let bare_allowed =
            assignment.quoted || place.settings || place.shell || assignment.join == Join::Space;
        if !bare_allowed || place.made || long_line(text, assignment.name.start) {
            return end;
        }
        let weak = place.settings && secret.iter().any(u8::is_ascii_digit);
        if assignment.join != Join::Space && !weak && same_as_name(name, secret) {
            return end;
        }
        match called {
            Called::Key => {
                if value::random_token(secret).is_ok() && !code(secret, &assignment) {
                    let comment = !place.settings && in_comment(text, assignment.name.start);
                    let confidence = match () {
                        () if place.quiet() || comment => Confidence::Low,
                        () if secret.len() >= 20 => Confidence::High,
                        () => Confidence::Medium,
                    };
                    let reason = if comment { "it stands in a comment" } else { doubt(place) };
                    out.push(raw(self.generic, confidence, None, reason));
                }
            }
            Called::Password => {
                if let Some((token, confidence, severity, reason)) =
                    self.password(text, &assignment, secret, place)
                {
                    out.push(raw(token, confidence, severity, reason));
                }
            }
        }
        end
    }

    /// The first format of which name and value are right.
    fn known(&self, name: &[u8], secret: &[u8], assignment: &Assignment) -> Option<&'static Token> {
        let plain: Vec<u8> = name
            .iter()
            .map(|b| if matches!(b, b'-' | b'.') { b'_' } else { b.to_ascii_lowercase() })
            .collect();
        let mut seen: Vec<Seen> = Vec::new();
        self.words.find(&plain, &mut seen);
        if seen.is_empty() {
            return None;
        }
        // What the name says first, and most of, tells whose it is: `facebook_app_secret` is Facebook's.
        seen.sort_by_key(|s| {
            let length = self.words.length(s.word);
            (s.end - length, std::cmp::Reverse(length), s.word)
        });
        let words = assignment::words(name);
        for Seen { word, end } in seen {
            let token = &book().tokens[self.tokens[word as usize]];
            if token.at_start && end != self.words.length(word) {
                continue;
            }
            let says = |also: &String| {
                words.iter().any(|w| w == also || w.strip_suffix('s').is_some_and(|w| w == also))
                    || also.len() >= 3 && words.iter().any(|w| w.ends_with(also.as_str()))
                    || also.len() >= 5 && plain.windows(also.len()).any(|w| w == also.as_bytes())
            };
            if !token.also.is_empty() && !token.also.iter().any(says) {
                continue;
            }
            let fits = token.pattern().is_some_and(|p| p.is_match(secret));
            if !fits || about_it(&words) {
                continue;
            }
            let prefix = secret.iter().position(|b| *b == b':').filter(|n| *n < 12).map_or(0, |n| n + 1);
            let random = &secret[prefix..];
            let opaque = token.check == Some(Check::Opaque);
            let harmless = !opaque && value::stand_in_token(random).is_some()
                || value::entropy(random) < token.entropy.min(max_entropy(random.len()))
                || assignment.join != Join::Space
                    && token.check.is_none()
                    && !secret.iter().any(u8::is_ascii_digit)
                || token.check.is_none() && value::words(secret);
            if harmless || checks::run(token.check, secret) == Verdict::Wrong {
                continue;
            }
            return Some(token);
        }
        None
    }

    fn password(
        &self,
        text: &[u8],
        assignment: &Assignment,
        secret: &[u8],
        place: Place,
    ) -> Option<(&'static Token, Confidence, Option<Severity>, &'static str)> {
        let low = |token| Some((token, Confidence::Low, None, doubt(place)));
        if assignment.join == Join::Space {
            return (value::stand_in(secret).is_none()).then_some((self.in_file, Confidence::High, None, ""));
        }
        if code(secret, assignment) {
            return None;
        }
        if place.settings {
            if secret.len() < 4
                || value::stand_in(secret).is_some()
                || value::plain(secret).is_some()
                || secret.contains(&b' ')
            {
                return None;
            }
            if place.quiet() {
                return value::chosen_password(secret).is_ok().then(|| low(self.in_settings)).flatten();
            }
            let chosen = value::chosen_password(secret).is_ok();
            if chosen
                || ends_line(text, assignment)
                    && opens_something(text, assignment)
                    && !secret.contains(&b'_')
                    && !secret.contains(&b'.')
            {
                return Some((
                    self.in_settings,
                    if chosen { Confidence::High } else { Confidence::Medium },
                    None,
                    "",
                ));
            }
            return None;
        }
        value::chosen_password(secret).ok()?;
        if place.quiet() {
            return low(self.in_code);
        }
        if in_comment(text, assignment.name.start) {
            return Some((self.in_code, Confidence::Low, None, "it stands in a comment"));
        }
        Some((self.in_code, Confidence::Medium, None, ""))
    }
}

/// The format that Rust finds by that word.
pub(crate) fn by_structure(structure: &str) -> &'static Token {
    book()
        .tokens
        .iter()
        .find(|t| t.structure == structure)
        .expect("the rules are part of the program, and a test asks for each structure")
}

/// Without the word that says how it is used, and what a list or call closes with.
fn bare(text: &[u8], range: Range<usize>) -> (Range<usize>, &[u8]) {
    let Range { mut start, mut end } = range;
    for scheme in [&b"Bearer "[..], b"bearer ", b"Token ", b"token ", b"Basic ", b"basic "] {
        if text[start..end].starts_with(scheme) {
            start += scheme.len();
        }
    }
    while end > start {
        let open = |mark: u8| text[start..end].contains(&mark);
        let closes = match text[end - 1] {
            b')' => !open(b'('),
            b']' => !open(b'['),
            b'}' => !open(b'{'),
            _ => false,
        };
        if !closes {
            break;
        }
        end -= 1;
    }
    (start..end, &text[start..end])
}

/// The name speaks about a secret and is none: its id, its address, how long it is.
fn about_it(words: &[String]) -> bool {
    words.last().is_some_and(|w| {
        matches!(
            w.as_str(),
            "url"
                | "uri"
                | "path"
                | "file"
                | "name"
                | "length"
                | "size"
                | "type"
                | "commit"
                | "sha"
                | "sha1"
                | "sha256"
                | "hash"
                | "digest"
                | "checksum"
                | "fingerprint"
                | "etag"
                | "revision"
                | "version"
                | "md5"
                | "public"
        )
    })
}

/// `password=password`, `api_key: "api_key"`
fn same_as_name(name: &[u8], secret: &[u8]) -> bool {
    let letters = |text: &[u8]| -> Vec<u8> {
        text.iter().filter(|b| b.is_ascii_alphabetic()).map(u8::to_ascii_lowercase).collect()
    };
    let (name, secret) = (letters(name), letters(secret));
    !secret.is_empty()
        && (name == secret
            || secret.len() >= 5 && (name.ends_with(&secret) || secret.ends_with(&name) && name.len() >= 5))
}

/// A value without quotes that is an expression.
fn code(secret: &[u8], assignment: &Assignment) -> bool {
    let marks = secret.iter().any(|b| matches!(b, b'(' | b'[' | b'{' | b';'));
    !assignment.quoted
        && (marks
            || secret.contains(&b'$') && !secret.iter().any(u8::is_ascii_digit)
            || secret.ends_with(b","))
}

/// Something stands near that the password opens: a host, a user.
fn opens_something(text: &[u8], assignment: &Assignment) -> bool {
    let from = assignment.name.start.saturating_sub(400);
    let to = text.len().min(assignment.value.end + 300);
    let near: Vec<u8> =
        [&text[from..assignment.name.start], &text[assignment.value.end..to]].concat().to_ascii_lowercase();
    [&b"host"[..], b"user", b"login", b"server", b"port", b"adapter", b"database"]
        .iter()
        .any(|w| memchr::memmem::find(&near, w).is_some())
}

/// Behind a value without quotes its line ends, or a comment begins.
fn ends_line(text: &[u8], assignment: &Assignment) -> bool {
    let rest = &text[assignment.value.end..text.len().min(assignment.value.end + 80)];
    let next = rest.iter().find(|b| !matches!(b, b' ' | b'\t' | b','));
    assignment.quoted || matches!(next, None | Some(b'\n' | b'\r' | b'#' | b';'))
}

/// The line begins as comments do.
fn in_comment(text: &[u8], at: usize) -> bool {
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |n| n + 1);
    let line = text[start..at].trim_ascii_start();
    [&b"#"[..], b"//", b"*", b"/*", b"--", b"<!--"].iter().any(|c| line.starts_with(c))
}

/// Nobody wrote this line by hand.
fn long_line(text: &[u8], at: usize) -> bool {
    const LONG: usize = 1500;
    let from = at.saturating_sub(LONG);
    let to = text.len().min(at + LONG);
    let before =
        memchr::memrchr(b'\n', &text[from..at]).map_or(if from == 0 { at } else { LONG }, |n| at - from - n);
    let after = memchr::memchr(b'\n', &text[at..to]).unwrap_or(to - at);
    before + after >= LONG
}
