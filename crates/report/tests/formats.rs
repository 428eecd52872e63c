//! The formats for people: what they look like, and that nothing of a scanned file gets out of its
//! place in them.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::io::{self, Write};

use support::{empty, hostile, plain, written, written_as};
use wardroom_report::{Error, Format, Style};

#[test]
fn text_of_a_scan() {
    insta::assert_snapshot!(written(Format::Text, &plain()));
}

#[test]
fn text_on_a_narrow_ascii_terminal() {
    let style = Style { unicode: false, width: 60, ..Style::default() };
    let text = written_as(Format::Text, &plain(), &style);
    insta::assert_snapshot!(text);
}

#[test]
fn text_in_short() {
    insta::assert_snapshot!(written_as(Format::Text, &plain(), &Style { short: true, ..Style::default() }));
}

#[test]
fn text_of_nothing() {
    insta::assert_snapshot!(written(Format::Text, &empty()));
}

#[test]
fn markdown_of_a_scan() {
    insta::assert_snapshot!(written(Format::Markdown, &plain()));
}

#[test]
fn github_of_a_scan() {
    insta::assert_snapshot!(written(Format::Github, &plain()));
}

#[test]
fn csv_of_a_scan() {
    insta::assert_snapshot!(written(Format::Csv, &plain()));
}

#[test]
fn a_rule_explained() {
    let mut out = Vec::new();
    for rule in &support::RULES {
        wardroom_report::explain(rule, &Style { width: 72, ..Style::default() }, &mut out).unwrap();
        out.extend(b"\n====\n");
    }
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn colour_only_repeats() {
    let style = Style { color: true, ..Style::default() };
    let colored = written_as(Format::Text, &plain(), &style);
    assert!(colored.contains("\u{1b}["));
    let mut bare = String::new();
    let mut rest = colored.as_str();
    while let Some(at) = rest.find("\u{1b}[") {
        bare.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
    }
    bare.push_str(rest);
    assert_eq!(bare, written(Format::Text, &plain()));
}

#[test]
fn no_control_character_reaches_the_terminal() {
    for short in [false, true] {
        let text = written_as(Format::Text, &hostile(), &Style { short, ..Style::default() });
        let bad: Vec<char> = text
            .chars()
            .filter(|&c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c))
            .collect();
        assert!(bad.is_empty(), "{bad:?}");
        assert!(text.contains("␛[31mred"));
        assert!(text.contains("evil(params)") || short);
        let longest = text.lines().map(|l| l.chars().count()).max().unwrap();
        assert!(longest < 2500, "a line of {longest} characters");
    }
}

#[test]
fn hostile_text() {
    insta::assert_snapshot!(written(Format::Text, &hostile()));
}

#[test]
fn hostile_markdown_stays_in_its_place() {
    let page = written(Format::Markdown, &hostile());
    assert!(page.len() < 65_536);
    let mut fence: Option<String> = None;
    for line in page.lines() {
        let ticks: String = line.chars().take_while(|&c| c == '`').collect();
        match &fence {
            Some(open) if line == open => fence = None,
            Some(_) => continue,
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            None => {
                for (at, _) in line.match_indices("<script") {
                    let before = line[..at].matches('`').count();
                    assert!(before > 0, "outside a code span: {line}");
                }
                // Forges notify nobody from inside a code span.
                assert!(line.contains('`') || !line.contains("@team"), "would notify: {line}");
                assert!(!line.starts_with("::error"), "{line}");
            }
        }
    }
    assert!(fence.is_none());
}

#[test]
fn hostile_github_commands_are_one_line_each() {
    let report = hostile();
    let commands = written(Format::Github, &report);
    let lines: Vec<&str> = commands.lines().collect();
    // One a finding that counts, one a problem, and the closing line.
    assert_eq!(lines.len(), 4 + 1 + 1);
    assert!(
        lines[..5]
            .iter()
            .all(|l| l.starts_with("::error ") || l.starts_with("::warning ") || l.starts_with("::notice "))
    );
    let (properties, _) = lines[0][2..].split_once("::").unwrap();
    assert!(properties.starts_with("error file="));
    assert!(!properties.contains('\u{1b}'), "{properties}");
}

#[test]
fn hostile_cells_are_cells() {
    let table = written(Format::Csv, &hostile());
    let rows = parse_csv(&table);
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    for cell in rows.iter().flatten() {
        assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "a formula: {cell}");
    }
    assert!(rows[3].iter().any(|c| c.starts_with("'=HYPERLINK(\"")));
}

/// A reader of RFC 4180 and nothing more.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.push(chars.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty());
    rows
}

/// Reads a page strictly: every tag closed in order, every attribute quoted, every id once, every
/// entity known. Answers the names of all elements and attributes.
fn well_formed(page: &str) -> (Vec<String>, Vec<(String, String)>) {
    const VOID: [&str; 5] = ["meta", "input", "br", "wbr", "hr"];
    let (mut elements, mut attributes, mut open) = (Vec::new(), Vec::new(), Vec::<String>::new());
    let mut rest = page.strip_prefix("<!doctype html>").unwrap();
    loop {
        let style = open.last().is_some_and(|t| t == "style");
        let at = if style { rest.find("</style>") } else { rest.find('<') };
        let text = &rest[..at.unwrap_or(rest.len())];
        assert!(style || !text.contains('>'), "a loose >: {}", &text[..text.len().min(200)]);
        if !style {
            for (at, _) in text.match_indices('&') {
                let entity = &text[at + 1..at + 1 + text[at + 1..].find(';').expect("an entity ends")];
                assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "{entity}");
            }
            assert!(text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')));
        }
        let Some(at) = at else { break };
        rest = &rest[at + 1..];
        if let Some(closing) = rest.strip_prefix('/') {
            let (name, after) = closing.split_once('>').unwrap();
            assert_eq!(open.pop().as_deref(), Some(name));
            rest = after;
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
                rest = after;
                break;
            }
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap();
            let attribute = rest[..end].to_owned();
            assert!(!attribute.is_empty(), "no attribute: {}", &rest[..rest.len().min(80)]);
            rest = &rest[end..];
            let mut value = String::new();
            if let Some(after) = rest.strip_prefix("=\"") {
                let (inside, after) = after.split_once('"').unwrap();
                assert!(!inside.contains('<'), "{inside}");
                value = inside.to_owned();
                rest = after;
            }
            attributes.push((attribute, value));
        }
        if !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        elements.push(name);
    }
    assert!(open.is_empty(), "{open:?}");
    (elements, attributes)
}

#[test]
fn html_is_well_formed_and_asks_for_nothing() {
    for report in [plain(), hostile(), empty()] {
        let (elements, attributes) = well_formed(&written(Format::Html, &report));
        for forbidden in ["script", "img", "link", "iframe", "object", "embed", "form", "base", "b"] {
            assert!(!elements.iter().any(|e| e == forbidden), "<{forbidden}>");
        }
        let mut ids: Vec<&str> =
            attributes.iter().filter(|(n, _)| n == "id").map(|(_, v)| v.as_str()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "an id stands twice");
        for (name, value) in &attributes {
            assert!(!name.starts_with("on") && name != "src" && name != "style", "{name}={value}");
            if name == "href" {
                match value.strip_prefix('#') {
                    Some(id) => assert!(ids.contains(&id), "a link to nowhere: {value}"),
                    None => assert!(value.starts_with("https://"), "{value}"),
                }
            }
        }
    }
}

#[test]
fn html_takes_off_what_all_lines_are_indented_by() {
    let mut report = empty();
    let mut finding = plain().findings[0].clone();
    finding.location = support::location("app/a.rb", (3, 5), (4, 13), "    eval(\n      params)\n");
    report.findings.push(finding);
    let page = written(Format::Html, &report);
    assert!(page.contains(r#"data-n="3"><mark>eval(</mark>"#), "{page}");
    assert!(page.contains(r#"data-n="4">  <mark>params"#), "{page}");
}

#[test]
fn html_shows_what_is_hostile_as_text() {
    let page = written(Format::Html, &hostile());
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("␛[31mred"));
    assert!(page.contains("<mark>evil(params)</mark>"));
    assert!(page.len() < 300_000, "{} bytes", page.len());
}

#[test]
fn every_format_is_repeatable() {
    for format in Format::ALL {
        assert_eq!(written(format, &plain()), written(format, &plain()), "{format}");
        assert_eq!(written(format, &hostile()), written(format, &hostile()), "{format}");
    }
}

/// Takes so many bytes and then is closed, as `head` does.
struct Pipe {
    left: usize,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.left);
        self.left -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_an_error_of_its_kind() {
    for format in Format::ALL {
        for left in [0, 1, 200] {
            let error =
                wardroom_report::write(format, &plain(), &Style::default(), &mut Pipe { left }).unwrap_err();
            match error {
                Error::Io(error) => assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format}"),
                Error::Json(error) => panic!("{format}: {error}"),
            }
        }
    }
}

proptest::proptest! {
    /// Places need not fit their snippets: whatever stands in a report, it can be written.
    #[test]
    fn any_place_and_any_text_can_be_written(
        snippet in "[a-e é日🦀\\t\\r\\n`<&|=\u{1b}\u{200d}\u{301}]{0,60}",
        message in "[a-c `|<&\\n@\u{9b}\u{202e}]{0,30}",
        start in (0_u32..8, 0_u32..30),
        end in (0_u32..8, 0_u32..30),
        width in 0_usize..200,
        unicode: bool,
    ) {
        let mut report = plain();
        report.findings.truncate(1);
        let finding = &mut report.findings[0];
        finding.location = support::location("a.rb", start, end, &snippet);
        finding.message = message.clone();
        finding.path[0].location = finding.location.clone();
        finding.path[0].note = message;
        for short in [false, true] {
            let style = Style { width, unicode, short, color: true };
            let text = written_as(Format::Text, &report, &style);
            let bad = text.contains(['\u{9b}', '\u{202e}', '\r', '\u{7}']);
            proptest::prop_assert!(!bad);
        }
        well_formed(&written(Format::Html, &report));
        for format in Format::ALL {
            written(format, &report);
        }
    }
}
