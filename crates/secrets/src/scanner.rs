//! One pass over a text: words first, then what stands around them.

use std::sync::Arc;

use wardroom_model::{Confidence, Problem, Severity};

use crate::allow::Allow;
use crate::archive;
use crate::decode;
use crate::hit::{Hit, Lines, Secret, redact};
use crate::keywords::{Keywords, Seen};
use crate::place::Place;
use crate::rules::{Token, book};
use crate::structure;
use crate::token::{self, Named};

/// Longest text that is looked at as a whole; what is longer is cut, with an overlap. In bytes.
const CHUNK: usize = 16 << 20;
/// What two pieces share, so that a secret on the border is seen whole.
const OVERLAP: usize = 32 << 10;
/// Most hits of one file: a file with more is a list of secrets, or no text.
const MOST: usize = 5000;
/// Where a file's first zero byte is looked for, in bytes.
const HEAD: usize = 8192;

/// Words that begin or end names of secrets.
const NAMES: [&str; 12] = [
    "_pat",
    "pass",
    "secret",
    "token",
    "key",
    "pwd",
    "auth",
    "credential",
    "salt",
    "pepper",
    "jwt",
    "bearer",
];

/// What a word sets going.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// A token begins here, or around here: its number.
    Starts(usize),
    /// A name.
    Name,
    /// Something that Rust knows.
    Structure(structure::Kind),
    /// A word in base64, as it is written there; its case counts.
    Base64,
    /// Percent signs.
    Percent,
    /// `\u00`
    Escape,
}

/// What was found before its place is worked out.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub token: &'static Token,
    /// The stretch that is hidden.
    pub start: usize,
    pub end: usize,
    pub secret: Vec<u8>,
    pub confidence: Confidence,
    pub severity: Option<Severity>,
    pub reason: &'static str,
    pub name: String,
    /// It was written in another way.
    pub decoded: bool,
}

/// The result of one file.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// The secrets, in the order of the text.
    pub hits: Vec<Hit>,
    /// Binary files: this one, or in this archive.
    pub binary: u32,
    /// Texts that were looked at: this one, or in this archive.
    pub texts: u32,
    /// Bytes in them.
    pub bytes: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Looks for secrets. Built once, used from many threads.
#[derive(Debug)]
pub struct Scanner {
    words: Keywords,
    actions: Vec<Action>,
    encoded: Vec<Option<Vec<u8>>>,
    named: Named,
    allow: Allow,
}

impl Scanner {
    /// Builds it, with the allow-lists of the project.
    pub fn new(allow: Allow) -> Scanner {
        let mut words: Vec<Vec<u8>> = Vec::new();
        let mut actions = Vec::new();
        let mut encoded: Vec<Option<Vec<u8>>> = Vec::new();
        let mut add = |word: &[u8], action: Action, exact: bool| {
            words.push(word.to_vec());
            encoded.push(exact.then(|| word.to_vec()));
            actions.push(action);
        };
        let mut hidden: Vec<Vec<u8>> = [
            "-----BEGIN ",
            "password",
            "passwd",
            "secret_key",
            "api_key",
            "PRIVATE KEY",
            "mongodb://",
            "postgres://",
            "_token",
        ]
        .map(|w| w.as_bytes().to_vec())
        .into();
        for (number, token) in book().tokens.iter().enumerate() {
            for word in &token.starts {
                add(word.as_bytes(), Action::Starts(number), false);
                if word.len() >= 5 && token.before == 0 {
                    hidden.push(word.as_bytes().to_vec());
                }
            }
            if token.also.is_empty() {
                for word in &token.named {
                    add(word.as_bytes(), Action::Name, false);
                }
            }
        }
        for name in NAMES {
            add(name.as_bytes(), Action::Name, false);
        }
        for (word, kind) in structure::WORDS {
            add(word.as_bytes(), Action::Structure(kind), false);
        }
        for word in &hidden {
            for written in decode::in_base64(word) {
                if written.len() >= 5 {
                    add(&written, Action::Base64, true);
                }
            }
        }
        for word in ["%3d", "%3a", "%22"] {
            add(word.as_bytes(), Action::Percent, false);
        }
        add(b"\\u00", Action::Escape, false);
        let keywords = Keywords::new(&words);
        Scanner { words: keywords, actions, encoded, named: Named::new(), allow }
    }

    /// The allow-lists.
    pub fn allow(&self) -> &Allow {
        &self.allow
    }

    /// Looks at one file. `path` has `/` between folders, relative to the project.
    pub fn scan(&self, path: &str, bytes: &[u8]) -> Scanned {
        let mut out = Scanned::default();
        if self.allow.path(path) {
            return out;
        }
        match archive::Kind::of(bytes) {
            None => self.member(path, bytes, &mut out),
            Some(kind) => {
                let (members, problem) = archive::members(kind, path, bytes);
                out.problems.extend(problem);
                for member in members {
                    let inner: Arc<str> = format!("{path}!{}", member.name).into();
                    self.member(&inner, &member.bytes, &mut out);
                }
            }
        }
        out
    }

    /// A text that is no archive, or inside of one.
    fn member(&self, path: &str, bytes: &[u8], out: &mut Scanned) {
        let wide = decode::utf16(bytes);
        let text = wide.as_deref().unwrap_or(bytes);
        if memchr::memchr(0, &text[..text.len().min(HEAD)]).is_some() {
            out.binary += 1;
            return;
        }
        out.texts += 1;
        out.bytes += text.len() as u64;
        let place = Place::of(path);
        let mut raws = Vec::new();
        let mut seen = Vec::new();
        let mut from = 0;
        loop {
            let to = text.len().min(from + CHUNK);
            let before = raws.len();
            self.raw(&text[from..to], path, place, 0, &mut seen, &mut raws);
            for raw in &mut raws[before..] {
                raw.start += from;
                raw.end += from;
            }
            if to == text.len() || raws.len() > MOST {
                break;
            }
            from = to - OVERLAP;
        }
        if raws.is_empty() {
            return;
        }
        tests_within(path, text, &mut raws);
        if raws.len() > MOST {
            out.problems.push(Problem {
                file: path.into(),
                line: None,
                message: format!("more than {MOST} secrets; the rest is not listed"),
                unread: false,
            });
            raws.truncate(MOST);
        }
        self.hits(path, text, raws, &mut out.hits);
    }

    /// Everything that a text holds. `depth` 1 is a text that was written in another way in a text.
    fn raw(
        &self,
        text: &[u8],
        path: &str,
        place: Place,
        depth: u8,
        seen: &mut Vec<Seen>,
        out: &mut Vec<Raw>,
    ) {
        self.words.find(text, seen);
        let mut named_until = 0;
        let mut decoded_until = 0;
        let mut inner: Vec<(usize, usize, Vec<u8>, &'static str)> = Vec::new();
        for Seen { end, word } in seen.iter().copied() {
            let start = end - self.words.length(word);
            match self.actions[word as usize] {
                Action::Starts(number) => token::starts(&book().tokens[number], text, start, place, out),
                Action::Name => {
                    if start >= named_until {
                        named_until = self.named.look(text, start..end, place, out).max(named_until);
                    }
                }
                Action::Structure(kind) => structure::look(kind, text, start, end, place, out),
                Action::Base64 => {
                    let exact = self.encoded[word as usize].as_deref() == Some(&text[start..end]);
                    if depth == 0
                        && exact
                        && start >= decoded_until
                        && let Some((range, decoded)) = decode::base64_around(text, start)
                    {
                        decoded_until = range.end;
                        inner.push((range.start, range.end, decoded, "written in base64"));
                    }
                }
                Action::Percent | Action::Escape => {
                    if depth == 0 && start >= decoded_until {
                        let percent = matches!(self.actions[word as usize], Action::Percent);
                        let found = if percent {
                            decode::percent_around(text, start)
                        } else {
                            decode::escapes_around(text, start)
                        };
                        if let Some((range, decoded)) = found {
                            decoded_until = range.end;
                            let how =
                                if percent { "written with percent signs" } else { "written with escapes" };
                            inner.push((range.start, range.end, decoded, how));
                        }
                    }
                }
            }
            if out.len() > MOST {
                break;
            }
        }
        structure::whole(text, path, place, out);
        for (start, end, decoded, how) in inner {
            let mut found = Vec::new();
            let mut again = Vec::new();
            self.raw(&decoded, path, place, 1, &mut again, &mut found);
            for raw in found {
                // A stretch that stands there as it is was seen already.
                let reason = if raw.reason.is_empty() { how } else { raw.reason };
                out.push(Raw { start, end, reason, decoded: true, ..raw });
            }
        }
    }

    /// Takes out what lies within another, and works out places.
    fn hits(&self, path: &str, text: &[u8], mut raws: Vec<Raw>, out: &mut Vec<Hit>) {
        // What is known by its own form comes before what is known by its name, and that before the rest.
        raws.sort_by_key(|r| {
            (r.start, rank(r.token), r.decoded, std::cmp::Reverse(r.confidence), std::cmp::Reverse(r.end))
        });
        let mut kept: Vec<Raw> = Vec::new();
        // What is hidden of the text; wider than the secret where others lie across it.
        let mut hidden: Vec<(usize, usize)> = Vec::new();
        for raw in raws {
            match (kept.last_mut(), hidden.last_mut()) {
                (Some(last), Some(hide)) if raw.start < last.end => {
                    hide.1 = hide.1.max(raw.end);
                    let better = (rank(raw.token), std::cmp::Reverse(raw.confidence))
                        < (rank(last.token), std::cmp::Reverse(last.confidence));
                    let side_by_side =
                        last.decoded && raw.decoded && last.end == raw.end && last.secret != raw.secret;
                    if side_by_side {
                        let same = *hide;
                        hidden.push(same);
                        kept.push(raw);
                    } else if better {
                        *last = raw;
                    }
                }
                _ => {
                    hidden.push((raw.start, raw.end));
                    kept.push(raw);
                }
            }
        }
        let lines = Lines::new(text);
        let file: Arc<str> = path.into();
        let shown: Vec<(usize, usize, String)> = kept
            .iter()
            .zip(&hidden)
            .map(|(r, (start, end))| (*start, *end, redact(r.token, &r.secret)))
            .collect();
        let first = out.len();
        for (raw, (_, _, redacted)) in kept.iter().zip(&shown) {
            let number = lines.number(raw.start);
            let line = lines.line(number);
            let above = if number > 1 { lines.line(number - 1) } else { b"" };
            let last = lines.line(lines.number(raw.end.saturating_sub(1).max(raw.start)));
            let allowed = self.allow.covers(raw, path, number, line, above, last);
            out.push(Hit {
                token: raw.token,
                secret: Secret::new(&raw.secret),
                redacted: redacted.clone(),
                location: lines.location(&file, raw.start, raw.end, &shown),
                severity: raw.severity.unwrap_or(raw.token.severity),
                confidence: raw.confidence,
                reason: raw.reason.to_owned(),
                name: raw.name.clone(),
                allowed,
            });
        }
        // An id of a key that stands without its secret tells whose it is, and opens nothing.
        let whole = out[first..].iter().any(|h| h.token.id == "aws-secret-access-key");
        for hit in &mut out[first..] {
            if hit.token.id == "aws-access-key-id" && !whole {
                hit.severity = Severity::Medium;
            }
        }
    }
}

/// A file of Rust may hold its tests at its end.
fn tests_within(path: &str, text: &[u8], raws: &mut [Raw]) {
    if !path.ends_with(".rs") {
        return;
    }
    let signs: [&[u8]; 2] = [b"#[cfg(test)]", b"#[cfg(all(test"];
    let Some(tests) = signs.iter().filter_map(|s| memchr::memmem::find(text, s)).min() else { return };
    for raw in raws.iter_mut().filter(|r| r.start > tests && r.token.starts.is_empty()) {
        raw.confidence = Confidence::Low;
        raw.reason = "it stands in a test";
    }
}

fn rank(token: &Token) -> u8 {
    if !token.starts.is_empty() || matches!(token.rule.id, "secret-private-key" | "secret-web-token") {
        0
    } else if !token.named.is_empty() || token.id == "password-file" {
        1
    } else if token.rule.id == "secret-address" || token.rule.id == "secret-password-hash" {
        2
    } else if token.rule.id == "secret-generic-key" {
        4
    } else {
        3
    }
}
