//! Text that is written in another way: base64, percent signs, escapes, two bytes a character.

use std::ops::Range;

/// Longest stretch that is decoded, in bytes.
const LONGEST: usize = 64 << 10;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The characters that a word surely brings about in base64, for each of the three places that it can
/// have in a group of three bytes. The ends, which depend on what stands beside, are left out.
pub(crate) fn in_base64(word: &[u8]) -> Vec<Vec<u8>> {
    (0..3usize)
        .map(|shift| {
            let first = (shift * 8).div_ceil(6);
            let last = (shift + word.len()) * 8 / 6;
            (first..last)
                .map(|n| {
                    let six = (0..6).fold(0u8, |six, bit| {
                        let at = n * 6 + bit - shift * 8;
                        six << 1 | (word[at / 8] >> (7 - at % 8)) & 1
                    });
                    ALPHABET[usize::from(six)]
                })
                .collect()
        })
        .collect()
}

fn in_alphabet(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// The base64 around a place, if what it says is text.
pub(crate) fn base64_around(text: &[u8], at: usize) -> Option<(Range<usize>, Vec<u8>)> {
    let mut start = at;
    while start > 0 && at - start < LONGEST && in_alphabet(text[start - 1]) {
        start -= 1;
    }
    let mut end = at;
    while end < text.len() && end - at < LONGEST && in_alphabet(text[end]) {
        end += 1;
    }
    // What is left over at the end is half a character.
    let length = (end - start) - usize::from((end - start) % 4 == 1);
    if length < 16 {
        return None;
    }
    let decoded = crate::checks::decode_base64(&text[start..start + length])?;
    let printable = decoded.iter().filter(|b| (0x20..0x7f).contains(*b) || b.is_ascii_whitespace()).count();
    (printable * 20 >= decoded.len() * 19).then(|| {
        let end = end + text[end..].iter().take(2).take_while(|b| **b == b'=').count();
        (start..end, decoded)
    })
}

/// The stretch without white space and quotes around a place.
fn word_around(text: &[u8], at: usize) -> Range<usize> {
    let apart = |b: u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`');
    let mut start = at;
    while start > 0 && at - start < 2048 && !apart(text[start - 1]) {
        start -= 1;
    }
    let mut end = at;
    while end < text.len() && end - at < 4096 && !apart(text[end]) {
        end += 1;
    }
    start..end
}

fn hex(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0u32, |sum, b| Some(sum * 16 + char::from(*b).to_digit(16)?))
}

/// A word with percent signs, decoded.
pub(crate) fn percent_around(text: &[u8], at: usize) -> Option<(Range<usize>, Vec<u8>)> {
    let range = word_around(text, at);
    let word = &text[range.clone()];
    let mut out = Vec::with_capacity(word.len());
    let mut n = 0;
    while n < word.len() {
        match word.get(n + 1..n + 3).filter(|_| word[n] == b'%').and_then(hex) {
            Some(byte) if byte != 0 => {
                out.push(byte as u8);
                n += 3;
            }
            _ => {
                out.push(word[n]);
                n += 1;
            }
        }
    }
    (out.len() < word.len()).then_some((range, out))
}

/// A line with `\u003d` and the like, decoded.
pub(crate) fn escapes_around(text: &[u8], at: usize) -> Option<(Range<usize>, Vec<u8>)> {
    let from = at.saturating_sub(2048);
    let start = memchr::memrchr(b'\n', &text[from..at]).map_or(from, |n| from + n + 1);
    let to = text.len().min(at + 4096);
    let end = memchr::memchr(b'\n', &text[at..to]).map_or(to, |n| at + n);
    let line = &text[start..end];
    let mut out = Vec::with_capacity(line.len());
    let mut n = 0;
    while n < line.len() {
        let code = (line[n] == b'\\' && matches!(line.get(n + 1), Some(b'u')))
            .then(|| line.get(n + 2..n + 6))
            .flatten()
            .and_then(hex);
        match code {
            Some(code @ 1..0x80) => {
                out.push(code as u8);
                n += 6;
            }
            _ => {
                out.push(line[n]);
                n += 1;
            }
        }
    }
    (out.len() < line.len()).then_some((start..end, out))
}

/// UTF-16 with a byte order mark, as UTF-8.
pub(crate) fn utf16(bytes: &[u8]) -> Option<Vec<u8>> {
    let big = match bytes.get(..2)? {
        [0xfe, 0xff] => true,
        [0xff, 0xfe] => false,
        _ => return None,
    };
    let units = bytes[2..]
        .chunks_exact(2)
        .map(|p| if big { u16::from_be_bytes([p[0], p[1]]) } else { u16::from_le_bytes([p[0], p[1]]) });
    Some(
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect::<String>()
            .into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_base64_wherever_they_stand() {
        let encode = |bytes: &[u8]| -> String {
            bytes
                .chunks(3)
                .flat_map(|c| {
                    let n = c.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - c.len()));
                    (0..=c.len()).map(move |i| char::from(ALPHABET[(n >> (18 - 6 * i)) as usize & 63]))
                })
                .collect()
        };
        for before in ["", "a", "bc", "def", "ghij"] {
            let text = encode(format!("{before}password=hunter").as_bytes());
            assert!(
                in_base64(b"password").iter().any(|w| text.contains(std::str::from_utf8(w).unwrap())),
                "{before}"
            );
            let at = text.len() / 2;
            let (range, decoded) = base64_around(format!("x: \"{text}\"").as_bytes(), at + 4).unwrap();
            assert_eq!(range, 4..4 + text.len());
            assert_eq!(decoded, format!("{before}password=hunter").as_bytes());
        }
    }

    #[test]
    fn percent_and_escapes() {
        let (range, decoded) = percent_around(b"go u%3Dv%26w%zz here", 5).unwrap();
        assert_eq!((range, decoded.as_slice()), (3..15, &b"u=v&w%zz"[..]));
        let (_, decoded) = escapes_around(b"a\n{\\u0022k\\u0022: 1}\nb", 4).unwrap();
        assert_eq!(decoded, b"{\"k\": 1}");
        assert_eq!(escapes_around(b"\\u00", 0), None);
        assert_eq!(utf16(b"\xff\xfea\0b\0").unwrap(), b"ab");
        assert_eq!(utf16(b"\xff\xfea\0b").unwrap(), b"a");
        assert_eq!(utf16(b"ab"), None);
    }
}
