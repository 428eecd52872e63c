//! Reads a page as a browser would, and says where something got out of its place.

/// What is put into every field: a tag, a quote of each kind, a handler, an address that runs.
pub const PROBE: &str = "p\"'><x-probe onprobe=1>`{{7*7}}";
/// The same as one word.
pub const WORD: &str = "p\"'><x-probe/onprobe=1>";

/// Tags of a page with their attributes, in order, entities not resolved.
pub fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, r)| r);
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(rest.len());
        let name = rest[..end].to_lowercase();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        rest = &rest[end..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if rest.is_empty() || rest.starts_with('>') {
                break;
            }
            let end =
                rest.find(|c: char| c.is_whitespace() || "=>/".contains(c)).filter(|e| *e > 0).unwrap_or(1);
            let name = rest[..end].to_lowercase();
            rest = rest[end..].trim_start();
            let mut value = String::new();
            if let Some(after) = rest.strip_prefix('=') {
                let after = after.trim_start();
                let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
                let (found, left) = match quote {
                    Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                    None => {
                        let end = after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len());
                        after.split_at(end)
                    }
                };
                value = found.to_owned();
                rest = left;
            }
            attributes.push((name, value));
        }
        tags.push((name, attributes));
    }
    tags
}

fn resolved(value: &str) -> String {
    value
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&lt;", "<")
        .replace("&#60;", "<")
        .replace("&gt;", ">")
        .replace("&#62;", ">")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}

/// What is wrong with a page; nothing where all that came from outside stays text.
pub fn escaped(html: &str) -> Option<String> {
    if let Some(at) = html.to_lowercase().find("<x-probe") {
        return Some(format!(
            "a tag got in: {}",
            html[at.saturating_sub(80)..].chars().take(160).collect::<String>()
        ));
    }
    for (tag, attributes) in tags(html) {
        for (name, value) in &attributes {
            if name.starts_with("on") || name == "style" || name.contains("probe") || name == "srcdoc" {
                return Some(format!("<{tag} {name}={value:?}>"));
            }
            let plain: String = resolved(value)
                .chars()
                .filter(|c| !c.is_control() && *c != ' ')
                .collect::<String>()
                .to_lowercase();
            let leads = matches!(name.as_str(), "href" | "src" | "action" | "formaction" | "data");
            let fits = plain.is_empty()
                || (plain.starts_with('/') && !plain.starts_with("//") && !plain.starts_with("/\\"))
                || ["#", "https://", "http://", "mailto:"].iter().any(|s| plain.starts_with(s));
            if leads && !fits {
                return Some(format!("<{tag} {name}={value:?}>"));
            }
        }
        let has = |name: &str| attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        if tag == "script" && !has("src").is_some_and(|s| s.starts_with("/static/")) {
            return Some("a script of its own".to_owned());
        }
        if matches!(tag.as_str(), "iframe" | "object" | "embed" | "base" | "applet") {
            return Some(format!("<{tag}>"));
        }
    }
    None
}

#[test]
fn the_reader_sees_what_gets_out() {
    for bad in [
        "<p><x-probe>",
        "<a href=\"x\" onclick=1>",
        "<a href=javascript:1>",
        "<a href=' java\tscript:1'>",
        "<a href=\"&#34; onclick\">",
        "<p title=\"a\"b\" onx=1>",
        "<script>1</script>",
        "<a href=//evil>",
        "<p style='x'>",
    ] {
        assert!(escaped(bad).is_some(), "{bad}");
    }
    for good in [
        "<a href=\"/x?a=&lt;x-probe\">&lt;x-probe onprobe=1&gt;</a>",
        "<br/>a < b",
        "<script type=module src=\"/static/a\">",
    ] {
        assert_eq!(escaped(good), None, "{good}");
    }
}
