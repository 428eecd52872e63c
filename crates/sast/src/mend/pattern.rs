//! Anchors of a line become anchors of the text.

use wardroom_rails::FileId;
use wardroom_ruby::ir::{Form, Kind, Node};

use super::Mend;
use crate::context::Context;

/// `/^a$/` to `/\Aa\z/` in a pattern that is written at this very place.
pub fn anchors(context: &Context<'_, '_>, file: FileId, node: &Node) -> Option<Mend> {
    let Kind::Interp(interp) = &node.kind else { return None };
    if interp.form != Form::Regex || interp.flags.contains('x') || context.file(file).is_template() {
        return None;
    }
    let source = context.source(file, node.span);
    let (open, body) = match source.strip_prefix("%r") {
        Some(rest) => (3, rest.get(1..)?),
        None => (1, source.strip_prefix('/')?),
    };
    // Flags are letters; what stands in front of them closes the pattern.
    let end = body.trim_end_matches(|c: char| c.is_ascii_lowercase()).len().checked_sub(1)?;
    let body = body.get(..end)?;
    let mut out = source[..open].to_owned();
    out.push_str(&anchored(body)?);
    out.push_str(&source[open + end..]);
    (out != source)
        .then(|| super::replace("Anchors the pattern at the ends of the text", file, node.span, out))
}

fn anchored(body: &str) -> Option<String> {
    let mut out = String::with_capacity(body.len() + 4);
    let mut in_class = 0u32;
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push(c);
                out.extend(chars.next());
            }
            '#' if matches!(chars.peek(), Some('{' | '@' | '$')) => {
                // Code, with its own signs, up to its brace.
                if chars.peek() != Some(&'{') {
                    return None;
                }
                let mut depth = 0u32;
                out.push(c);
                for c in chars.by_ref() {
                    out.push(c);
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            '[' => {
                in_class += 1;
                out.push(c);
                // `[^` negates.
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
            }
            ']' => {
                in_class = in_class.saturating_sub(1);
                out.push(c);
            }
            '^' if in_class == 0 => out.push_str("\\A"),
            '$' if in_class == 0 => out.push_str("\\z"),
            _ => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::anchored;

    #[test]
    fn only_anchors_change() {
        assert_eq!(anchored(r"^[^$^]+\$\^#{a['$']}$").as_deref(), Some(r"\A[^$^]+\$\^#{a['$']}\z"));
        assert_eq!(anchored("^#$x").as_deref(), None);
        assert_eq!(anchored("^a$|^b$").as_deref(), Some(r"\Aa\z|\Ab\z"));
    }
}
