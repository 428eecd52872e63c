//! Patterns that hold a whole text, and what they leave room for.

/// One part of a pattern that lets something of the text through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternPart {
    /// `\w`: the letter behind the backslash.
    Escape(u8),
    /// A byte within `[…]`.
    Member(u8),
    /// A byte outside of it; signs of repetition and alternatives too.
    Plain(u8),
}

/// What stands between the anchors of `\A…\z`, where every part of it may pass. Nothing for what
/// matches any character, or all but some: that lets everything through.
pub fn anchored(pattern: &str, may_pass: impl Fn(PatternPart) -> bool) -> Option<&str> {
    let inner = pattern.strip_prefix("\\A")?;
    let inner = inner.strip_suffix("\\z").or_else(|| inner.strip_suffix("\\Z"))?;
    let mut bytes = inner.bytes().peekable();
    let mut in_class = false;
    while let Some(byte) = bytes.next() {
        let part = match byte {
            b'\\' => match bytes.next() {
                Some(letter) => PatternPart::Escape(letter),
                None => break,
            },
            b'[' if !in_class => {
                in_class = true;
                if bytes.peek() == Some(&b'^') {
                    return None;
                }
                continue;
            }
            b']' => {
                in_class = false;
                continue;
            }
            b'.' if !in_class => return None,
            byte if in_class => PatternPart::Member(byte),
            byte => PatternPart::Plain(byte),
        };
        if !may_pass(part) {
            return None;
        }
    }
    Some(inner)
}

/// Whether a pattern holds the whole text to characters that can do no harm: `\A[\w-]+\z`.
pub fn is_strict(pattern: &str) -> bool {
    anchored(pattern, |part| match part {
        PatternPart::Escape(letter) => !matches!(letter, b'S' | b'W' | b'D' | b'H' | b's'),
        PatternPart::Member(byte) | PatternPart::Plain(byte) => {
            !matches!(byte, b'\'' | b'"' | b'<' | b'>' | b';' | b'`' | b'$')
        }
    })
    .is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_patterns_hold_the_whole_text() {
        for pattern in [r"\A[\w-]+\z", r"\A\d+\Z", r"\A[.]+\z", r"\A\.\z"] {
            assert!(is_strict(pattern), "{pattern}");
        }
        let open = [
            r"[\w-]+",
            r"\A\w+$",
            r"\A.+\z",
            r"\A[^<]+\z",
            r"\A\S+\z",
            r"\A[\w\s]+\z",
            r"\A[\w']+\z",
            r"\A<\z",
        ];
        for pattern in open {
            assert!(!is_strict(pattern), "{pattern}");
        }
    }

    #[test]
    fn the_caller_says_what_may_pass() {
        let no_member = |part| !matches!(part, PatternPart::Member(b'<'));
        assert_eq!(anchored(r"\A<b>\w*</b>\z", no_member), Some(r"<b>\w*</b>"));
        assert_eq!(anchored(r"\A[<b]\z", no_member), None);
    }
}
