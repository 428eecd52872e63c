//! What can be verified in a token without asking anybody: checksums, and whether it decodes.

use crate::rules::Check;
use crate::value;

/// What the check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is right, and chance would not bring it about.
    Proven,
    /// Nothing speaks against it.
    Plausible,
    /// It cannot be a secret of that form.
    Wrong,
}

/// Runs a check over a whole token.
pub(crate) fn run(check: Option<Check>, token: &[u8]) -> Verdict {
    let fits = |right: bool| if right { Verdict::Plausible } else { Verdict::Wrong };
    match check {
        None => Verdict::Plausible,
        Some(Check::Crc32Base62) => crc_base62(token),
        Some(Check::Crc32Base62Hint) => match crc_base62(token) {
            Verdict::Wrong => Verdict::Plausible,
            right => right,
        },
        Some(Check::GitlabRoutable) => gitlab_routable(token),
        Some(Check::AwsSecret) => {
            let hex = token.iter().all(u8::is_ascii_hexdigit);
            fits(
                !hex && !value::words(token)
                    && token.iter().any(u8::is_ascii_uppercase)
                    && token.iter().any(u8::is_ascii_digit),
            )
        }
        Some(Check::Macaroon) => {
            let body = token.strip_prefix(b"pypi-").unwrap_or(token);
            // Version 2, then the field "location" with its length.
            fits(body.get(..16).and_then(decode_base64).is_some_and(|bytes| bytes.starts_with(&[2, 1])))
        }
        Some(Check::BasicPair) => fits(decode_base64(token).is_some_and(|bytes| {
            let printable = bytes.iter().all(|b| b.is_ascii_graphic());
            printable && bytes.iter().position(|b| *b == b':').is_some_and(|n| n > 0 && n + 1 < bytes.len())
        })),
        Some(Check::Npmrc) => fits(decode_base64(token).is_some_and(|bytes| bytes.len() >= 6)),
        Some(Check::Password) => fits(value::chosen_password(token).is_ok()),
        Some(Check::Django) => {
            let random = token.strip_prefix(b"django-insecure-").unwrap_or(token);
            let kinds = [u8::is_ascii_lowercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
            fits(
                random.len() >= 40
                    && kinds.iter().all(|kind| random.iter().any(kind))
                    && value::entropy(random) > 4.0,
            )
        }
        Some(Check::Opaque) => fits(value::entropy(token) > 3.7),
    }
}

/// The form of GitHub and npm: `prefix_`, thirty characters, and their CRC-32 in six of base 62.
fn crc_base62(token: &[u8]) -> Verdict {
    let Some(at) = token.iter().position(|b| *b == b'_') else { return Verdict::Wrong };
    let body = &token[at + 1..];
    if body.len() < 7 {
        return Verdict::Wrong;
    }
    let (random, sum) = body.split_at(body.len() - 6);
    if base62(crc32(random), 6) == sum { Verdict::Proven } else { Verdict::Wrong }
}

/// The form of GitLab: what the last seven characters are the CRC-32 of, in base 36, is all before them.
fn gitlab_routable(token: &[u8]) -> Verdict {
    let (rest, sum) = token.split_at(token.len().saturating_sub(7));
    if base36(crc32(rest), 7) == sum { Verdict::Proven } else { Verdict::Plausible }
}

/// The CRC-32 of zip, gzip and Ethernet.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A number in base 62, digits before capitals before small letters, filled up with zeros.
pub(crate) fn base62(number: u32, width: usize) -> Vec<u8> {
    in_base(number, width, b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
}

/// A number in base 36, filled up with zeros.
pub(crate) fn base36(number: u32, width: usize) -> Vec<u8> {
    in_base(number, width, b"0123456789abcdefghijklmnopqrstuvwxyz")
}

fn in_base(mut number: u32, width: usize, digits: &[u8]) -> Vec<u8> {
    let base = digits.len() as u32;
    let mut out = Vec::new();
    while number > 0 || out.len() < width {
        out.push(digits[(number % base) as usize]);
        number /= base;
    }
    out.reverse();
    out
}

/// Base64 in either alphabet, with or without padding; `None` where a character is of neither, or the
/// length cannot be.
pub(crate) fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii_end();
    let end = text.iter().rposition(|b| *b != b'=').map_or(0, |n| n + 1);
    let text = &text[..end];
    if text.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut have) = (0u32, 0);
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xff_ffff;
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push((bits >> have) as u8);
        }
    }
    Some(out)
}

/// Whether a web token's header is one, and what its claims say, as text.
pub(crate) fn web_token(token: &[u8]) -> Option<String> {
    let mut parts = token.split(|b| *b == b'.');
    let header = decode_base64(parts.next()?)?;
    let claims = decode_base64(parts.next()?)?;
    let (header, claims) = (String::from_utf8(header).ok()?, String::from_utf8(claims).ok()?);
    let object = |text: &str| text.trim_start().starts_with('{') && text.trim_end().ends_with('}');
    (object(&header) && header.contains("\"alg\"") && object(&claims)).then_some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(base62(0, 6), b"000000");
        assert_eq!(base62(61, 2), b"0z");
        let random = b"abcdefghijklmnopqrstuvwxyz0123";
        let right = [b"ghp_".as_slice(), random, &base62(crc32(random), 6)].concat();
        assert_eq!(run(Some(Check::Crc32Base62), &right), Verdict::Proven);
        let mut wrong = right.clone();
        wrong[10] ^= 1;
        assert_eq!(run(Some(Check::Crc32Base62), &wrong), Verdict::Wrong);
    }

    #[test]
    fn base64_of_both_alphabets() {
        assert_eq!(decode_base64(b"aGk_Pw==").unwrap(), b"hi??");
        assert_eq!(decode_base64(b"aGk/Pw").unwrap(), b"hi??");
        assert_eq!(decode_base64(b"a"), None);
        assert_eq!(decode_base64(b"a b c d"), None);
        assert_eq!(decode_base64(b""), Some(Vec::new()));
    }
}
