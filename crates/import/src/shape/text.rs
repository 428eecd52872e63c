//! Bytes as text.

use std::borrow::Cow;

/// UTF-8, or UTF-16 by its mark. Bytes that are not valid become `�`: one bad response in a report is no reason to
/// refuse it. A file with zero bytes is no text.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let wide = |bytes: &[u8], of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    };
    if text.bytes().take(4096).any(|b| b == 0) {
        return Err("this is a binary file, not a report".to_owned());
    }
    Ok(text)
}
