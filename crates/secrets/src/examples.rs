//! The examples that the rules carry, run.

use crate::allow::Allow;
use crate::checks::{base62, crc32};
use crate::rules::{Token, book};
use crate::scanner::Scanner;

/// A row of numbers that looks like chance and is the same every time.
struct Chance(u64);

impl Chance {
    fn one(&mut self, from: &[u8]) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from[(self.0 >> 33) as usize % from.len()]
    }

    fn some(&mut self, from: &[u8], count: usize) -> Vec<u8> {
        (0..count).map(|_| self.one(from)).collect()
    }
}

const DIGITS: &str = "0123456789";
const SMALL: &str = "abcdefghijklmnopqrstuvwxyz";
const CAPITAL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Fills a template: `{hex:32}` are 32 characters of hexadecimal, `{crc:6}` is the checksum of the
/// last stretch, everything else stands for itself.
fn fill(template: &str, chance: &mut Chance) -> String {
    let mut out: Vec<u8> = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.extend(&rest.as_bytes()[..open]);
        let close = open + rest[open..].find('}').expect("a brace that closes");
        let (kind, count) = rest[open + 1..close].split_once(':').unwrap_or((&rest[open + 1..close], "0"));
        let count: usize = count.parse().expect("a number behind the colon");
        let alphabet = match kind {
            "hex" => "0123456789abcdef".to_owned(),
            "digit" => DIGITS.to_owned(),
            "digit1" => "123456789".to_owned(),
            "alnum" => format!("{DIGITS}{CAPITAL}{SMALL}"),
            "upper" => format!("{DIGITS}{CAPITAL}"),
            "lower" => format!("{DIGITS}{SMALL}"),
            "small" => SMALL.to_owned(),
            "capital" => CAPITAL.to_owned(),
            "letter" => format!("{CAPITAL}{SMALL}"),
            "word" => format!("{DIGITS}{CAPITAL}{SMALL}_"),
            "url" => format!("{DIGITS}{CAPITAL}{SMALL}"),
            "dot" => format!("{DIGITS}{CAPITAL}{SMALL}~."),
            "base64" => format!("{DIGITS}{CAPITAL}{SMALL}+/"),
            "base32" => format!("{CAPITAL}234567"),
            "base32small" => format!("{SMALL}234567"),
            "punct" => format!("{DIGITS}{CAPITAL}{SMALL}!@#^&*(-_=+)"),
            _ => String::new(),
        };
        let part = match kind {
            "crc" => base62(crc32(&last), count),
            "uuid" => [8, 4, 4, 4, 12].map(|n| chance.some(b"0123456789abcdef", n)).join(&b'-'),
            "authpair" => b"c29tZWJvZHk6dHIwdWI0ZG9yJjM=".to_vec(),
            _ => {
                assert!(!alphabet.is_empty(), "no template is called {kind}");
                chance.some(alphabet.as_bytes(), count)
            }
        };
        out.extend(&part);
        last = part;
        rest = &rest[close + 1..];
    }
    out.extend(rest.as_bytes());
    String::from_utf8(out).expect("templates are text")
}

fn found(scanner: &Scanner, text: &str) -> Vec<String> {
    let hits = scanner.scan("config/settings.conf", text.as_bytes()).hits;
    hits.iter()
        .filter(|h| h.confidence > wardroom_model::Confidence::Low)
        .map(|h| h.token.id.clone())
        .collect()
}

/// The same text with each letter and digit behind the first few replaced: what somebody writes who
/// shows a format and not a token.
fn masked(token: &Token, text: &str) -> Option<String> {
    let prefix = token.starts.iter().filter(|s| text.contains(s.as_str())).max_by_key(|s| s.len())?;
    let at = text.find(prefix.as_str())?;
    let (before, rest) = text.split_at(at);
    if token.before > 0 {
        return None;
    }
    let mask = |c: char| if c.is_ascii_alphanumeric() { 'x' } else { c };
    Some(format!("{before}{prefix}{}", rest[prefix.len()..].chars().map(mask).collect::<String>()))
}

#[test]
fn every_example_is_found_and_every_counter_example_is_not() {
    let scanner = Scanner::new(Allow::none());
    let mut wrong = Vec::new();
    let mut run = 0;
    for token in &book().tokens {
        // More than one filling, so that no example is found by luck.
        for round in 0..3u64 {
            let mut chance = Chance(round * 7919 + 17);
            for example in &token.examples {
                let text = fill(example, &mut chance);
                let line = format!("# a line\n{text}\n");
                run += 1;
                let ids = found(&scanner, &line);
                if !ids.contains(&token.id) {
                    wrong.push(format!("{}: `{text}` is {ids:?}", token.id));
                }
                if let Some(masked) = masked(token, &text)
                    && found(&scanner, &masked).contains(&token.id)
                {
                    wrong.push(format!("{}: `{masked}` is taken for a secret", token.id));
                }
            }
            for quiet in &token.quiet {
                let text = fill(quiet, &mut chance);
                let ids = found(&scanner, &text);
                if ids.contains(&token.id) {
                    wrong.push(format!("{}: `{text}` is {ids:?}", token.id));
                }
            }
        }
    }
    assert!(run > 1000, "{run}");
    assert!(wrong.is_empty(), "{} of {run}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_wrong_checksum_is_no_token() {
    let scanner = Scanner::new(Allow::none());
    let mut chance = Chance(3);
    let right = fill("ghp_{alnum:30}{crc:6}", &mut chance);
    assert_eq!(found(&scanner, &right), ["github-personal-token"]);
    let wrong = fill("ghp_{alnum:36}", &mut chance);
    assert!(found(&scanner, &wrong).is_empty(), "{wrong}");
}
