//! HTML in reports, made plain text. Nothing of it is ever shown as HTML.

/// The text of a piece of HTML: paragraphs and breaks become lines, items of lists `- `, code stands in backticks.
/// Text without tags comes back as it is, apart from its entities.
pub(crate) fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    // Past the last `>` no tag can end; looking for it again and again would take the square of the length.
    let mut closes = true;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            let (text, length) = entity(rest);
            out.push_str(text.as_deref().unwrap_or(&rest[..length]));
            rest = &rest[length..];
            continue;
        }
        let begins = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        let end = if begins && closes { rest.find('>') } else { None };
        match end {
            Some(end) => {
                tag(&rest[1..end], &mut out);
                rest = &rest[end + 1..];
            }
            None => {
                closes &= !begins;
                out.push('<');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    tidy(&out)
}

/// What a tag does to the text.
fn tag(inside: &str, out: &mut String) {
    let closing = inside.starts_with('/');
    let name: String = inside
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match name.as_str() {
        "br" => out.push('\n'),
        "li" if !closing => {
            if !out.ends_with('\n') {
                out.push('\n');
            }
            out.push_str("- ");
        }
        "p" | "div" | "pre" | "ul" | "ol" | "table" | "blockquote" | "h1" | "h2" | "h3" | "h4" | "h5"
        | "h6" | "section" | "dl" => out.push_str("\n\n"),
        "tr" | "dt" => out.push('\n'),
        "td" | "th" | "dd" if !closing => out.push(' '),
        "code" | "tt" => out.push('`'),
        _ => {}
    }
}

/// What an entity at the beginning of the text stands for, and how long it is; none where it is no entity.
fn entity(text: &str) -> (Option<String>, usize) {
    let Some(end) = text.bytes().take(12).position(|b| b == b';') else { return (None, 1) };
    let name = &text[1..end];
    let number = name.strip_prefix('#').and_then(|n| match n.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => n.parse().ok(),
    });
    let character = match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        "hellip" => Some('…'),
        "lsquo" => Some('‘'),
        "rsquo" => Some('’'),
        "ldquo" => Some('“'),
        "rdquo" => Some('”'),
        "copy" => Some('©'),
        "reg" => Some('®'),
        _ => number.and_then(char::from_u32),
    };
    match character {
        Some(character) => (Some(character.to_string()), end + 1),
        None => (None, 1),
    }
}

/// No space at ends of lines, no more than one empty line, none at the ends.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let line = line.trim_end();
        if line.trim().is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        out.push_str(line);
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn html_becomes_text() {
        assert_eq!(plain("<p>One &amp; two.</p><p>Three<br/>four</p>"), "One & two.\n\nThree\nfour");
        assert_eq!(plain("Do:<ul><li>this</li><li><code>that</code></li></ul>"), "Do:\n\n- this\n- `that`");
        assert_eq!(plain("1 < 2 && 3 > 2"), "1 < 2 && 3 > 2");
        assert_eq!(plain("&lt;script&gt; &#39;x&#x41; &nosuch;"), "<script> 'xA &nosuch;");
        assert_eq!(plain("an <unclosed"), "an <unclosed");
    }

    #[test]
    fn many_open_tags_take_no_longer_than_their_length() {
        let begun = std::time::Instant::now();
        assert_eq!(plain(&"<a".repeat(2_000_000)).len(), 4_000_000);
        assert!(begun.elapsed() < std::time::Duration::from_secs(5));
    }
}
