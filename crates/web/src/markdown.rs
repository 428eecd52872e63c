//! What people write in Markdown, as markup that cannot do harm.

use std::collections::HashSet;
use std::sync::LazyLock;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Markup that has been sanitised, and nothing else: templates put it out as it is.
#[derive(Clone, Debug, Default)]
pub struct Safe(String);

impl Safe {
    /// An icon of the sprite, by a name that the program itself gives.
    pub fn icon(icon: &'static str) -> Safe {
        Safe(format!("<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-{icon}\"/></svg>"))
    }
}

impl std::fmt::Display for Safe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The only kind of value that templates do not escape.
impl askama::filters::HtmlSafe for Safe {}

/// One line in which what stands between back quotes is code.
pub fn inline(text: &str) -> Safe {
    let mut out = String::with_capacity(text.len() + 32);
    let pieces: Vec<&str> = text.split('`').collect();
    // An odd quote at the end is a quote.
    let whole = pieces.len() % 2 == 1;
    for (at, piece) in pieces.iter().enumerate() {
        let last = at + 1 == pieces.len();
        let code = at % 2 == 1 && (whole || !last);
        out.push_str(if code {
            "<code>"
        } else if at % 2 == 1 {
            "`"
        } else {
            ""
        });
        html_escape(piece, &mut out);
        out.push_str(if code { "</code>" } else { "" });
    }
    Safe(out)
}

fn html_escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::default();
    builder
        .tags(HashSet::from([
            "p",
            "br",
            "hr",
            "em",
            "strong",
            "del",
            "code",
            "pre",
            "blockquote",
            "ul",
            "ol",
            "li",
            "a",
            "h3",
            "h4",
            "h5",
            "h6",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        ]))
        .generic_attributes(HashSet::new())
        .tag_attributes([("a", HashSet::from(["href"])), ("ol", HashSet::from(["start"]))].into())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .link_rel(Some("noopener noreferrer nofollow"));
    builder
});

/// How deep quotes and lists go.
const DEEPEST: usize = 40;

/// A text as markup: no pictures, no raw markup, no addresses but http, https and mailto; `@name` and
/// `F-12` become links.
pub fn render(text: &str, is_person: &dyn Fn(&str) -> bool) -> Safe {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut code = 0;
    let mut depth = 0_usize;
    let mut events: Vec<Event<'_>> = Vec::new();
    for event in Parser::new_ext(text, options) {
        // What lies deeper is shown without its frame: reading markup takes the square of its depth.
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        let own = depth + usize::from(matches!(event, Event::End(_)));
        if own > DEEPEST && matches!(event, Event::Start(_) | Event::End(_)) {
            continue;
        }
        match event {
            // Raw markup is shown as the text that it is.
            Event::Html(raw) | Event::InlineHtml(raw) => events.push(Event::Text(raw)),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                events.push(Event::Start(Tag::Heading { level: deeper(level), id, classes, attrs }));
            }
            Event::End(TagEnd::Heading(level)) => events.push(Event::End(TagEnd::Heading(deeper(level)))),
            Event::Start(Tag::CodeBlock(kind)) => {
                code += 1;
                events.push(Event::Start(Tag::CodeBlock(kind)));
            }
            Event::End(TagEnd::CodeBlock) => {
                code -= 1;
                events.push(Event::End(TagEnd::CodeBlock));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                code += 1;
                events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            Event::End(TagEnd::Link) => {
                code -= 1;
                events.push(Event::End(TagEnd::Link));
            }
            Event::Text(text) if code == 0 => linked(text, is_person, &mut events),
            other => events.push(other),
        }
    }
    let mut markup = String::new();
    html::push_html(&mut markup, events.into_iter());
    Safe(CLEANER.clean(&markup).to_string())
}

/// Pages have their own first and second headings.
fn deeper(level: pulldown_cmark::HeadingLevel) -> pulldown_cmark::HeadingLevel {
    use pulldown_cmark::HeadingLevel::{H1, H2, H3, H4, H5, H6};
    match level {
        H1 => H3,
        H2 => H4,
        H3 => H5,
        H4 | H5 | H6 => H6,
    }
}

/// Puts links where a text names somebody or a record.
fn linked<'t>(text: CowStr<'t>, is_person: &dyn Fn(&str) -> bool, events: &mut Vec<Event<'t>>) {
    let mut rest = text.as_ref();
    let mut out = String::new();
    let flush = |out: &mut String, events: &mut Vec<Event<'t>>| {
        if !out.is_empty() {
            events.push(Event::Text(std::mem::take(out).into()));
        }
    };
    while let Some(first) = rest.chars().next() {
        let before = out.chars().next_back();
        let starts = before.is_none_or(|c| !(c.is_alphanumeric() || "._-/@".contains(c)));
        let word_end =
            |s: &str| s.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(s.len());
        if starts && first == '@' {
            let login = rest[1..][..word_end(&rest[1..])].trim_end_matches(['.', '-', '_']);
            if !login.is_empty() && is_person(login) {
                flush(&mut out, events);
                link(events, format!("/queue?q=owner%3A{login}"), format!("@{login}"));
                rest = &rest[1 + login.len()..];
                continue;
            }
        }
        if starts && first.is_ascii_uppercase() {
            let word = &rest[..word_end(rest)];
            if let Ok(id) = word.parse::<wardroom_desk::RecordId>()
                && id.to_string() == word
            {
                flush(&mut out, events);
                link(events, format!("/records/{id}"), word.to_owned());
                rest = &rest[word.len()..];
                continue;
            }
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    flush(&mut out, events);
}

fn link(events: &mut Vec<Event<'_>>, href: String, text: String) {
    let link_type = pulldown_cmark::LinkType::Inline;
    events.push(Event::Start(Tag::Link {
        link_type,
        dest_url: href.into(),
        title: CowStr::Borrowed(""),
        id: CowStr::Borrowed(""),
    }));
    events.push(Event::Text(text.into()));
    events.push(Event::End(TagEnd::Link));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        render(text, &|login| login == "ana").0
    }

    #[test]
    fn names_become_links_and_markup_stays_text() {
        let html = shown("@ana see F-12, `F-13`, <b onclick=x>bold</b> ![x](https://e/x.png) mail@ana");
        assert!(html.contains("href=\"/queue?q=owner%3Aana\""), "{html}");
        assert!(html.contains("href=\"/records/F-12\""), "{html}");
        assert!(html.contains("<code>F-13</code>"), "{html}");
        assert!(
            !html.contains("<b") && !html.contains("<img") && html.contains("&lt;b onclick=x&gt;"),
            "{html}"
        );
        assert_eq!(html.matches("owner%3A").count(), 1, "{html}");
    }

    #[test]
    fn code_in_a_line_is_marked_and_escaped() {
        for (text, html) in [
            ("`a<b>` is \"c\"", "<code>a&lt;b&gt;</code> is &quot;c&quot;"),
            ("no code", "no code"),
            ("an `odd one", "an `odd one"),
            ("`a` and ` b", "<code>a</code> and ` b"),
        ] {
            assert_eq!(inline(text).0, html);
        }
    }

    #[test]
    fn addresses_cannot_carry_script() {
        for text in [
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html,x)",
            "<javascript:x>",
        ] {
            let html = shown(text);
            assert!(
                !html.to_lowercase().contains("href=\"javascript") && !html.contains("href=\"data"),
                "{html}"
            );
        }
    }
}
