//! Ignores in comments: `# wardroom:ignore rule, rule -- reason`, in the comment form of the file's
//! own language.

use serde::{Deserialize, Serialize};
use wardroom_model::Location;
use wardroom_rails::{File, Role};
use wardroom_ruby::ir::Span;
use wardroom_ruby::template::Engine;

/// What such a comment begins with.
const WORD: &str = "wardroom:ignore";
/// What divides the rules from the reason.
const DIVIDER: &str = "--";

/// One such comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineIgnore {
    /// The comment.
    pub location: Location,
    /// The comment's own line, then, where it stands alone, the next line with code on it.
    pub lines: Vec<u32>,
    /// Rule ids, or `all`.
    pub rules: Vec<String>,
    /// Empty where none is given.
    pub reason: String,
    /// First byte, and just past the last, of what goes when the ignore goes: the whole line where it
    /// stands alone, otherwise the comment and the space before it.
    pub extent: (u32, u32),
}

impl InlineIgnore {
    /// Whether it stands on or above a place.
    pub fn covers(&self, place: &Location) -> bool {
        self.location.file == place.file
            && self.lines.iter().any(|l| *l == place.start.line || *l == place.end.line)
    }
}

/// Every ignore in the comments of the files.
pub fn find(files: &[File]) -> Vec<InlineIgnore> {
    let finder = memchr::memmem::Finder::new(WORD);
    let mut out = Vec::new();
    for file in files {
        if finder.find(&file.text).is_some() {
            in_file(file, &mut out);
        }
    }
    out
}

fn in_file(file: &File, out: &mut Vec<InlineIgnore>) {
    match file.role {
        Role::Ruby | Role::Migration | Role::Template { engine: Engine::Ruby, .. } => {
            for comment in file.parsed.comments.iter().filter(|c| c.text.contains(WORD)) {
                let text = comment.text.trim_start_matches('#');
                read(file, comment.span, comment.span.end, text, out);
            }
        }
        Role::Template { engine, .. } => {
            let mut start = 0;
            for line in file.text.split_inclusive(|b| *b == b'\n') {
                in_template_line(file, engine, start, line, out);
                start += line.len() as u32;
            }
        }
        _ => {}
    }
}

/// A template's comments do not all outlive its compilation, so its lines are looked at.
fn in_template_line(file: &File, engine: Engine, start: u32, line: &[u8], out: &mut Vec<InlineIgnore>) {
    let Some(word) = memchr::memmem::find(line, WORD.as_bytes()) else { return };
    let before = &line[..word];
    let opens: &[&[u8]] = match engine {
        Engine::Erb => &[b"<%#", b"<%-#", b"#"],
        Engine::Haml => &[b"-#", b"#"],
        Engine::Slim => &[b"/", b"#"],
        Engine::Ruby => &[],
    };
    let trimmed = before.trim_ascii_end();
    let Some(open) = opens.iter().find(|o| trimmed.ends_with(o)) else { return };
    let from = trimmed.len() - open.len();
    let rest = String::from_utf8_lossy(&line[word..]);
    let tag = open.starts_with(b"<%").then(|| memchr::memmem::find(&line[word..], b"%>")).flatten();
    let text = rest.find("%>").map_or(&*rest, |end| &rest[..end]).trim_end_matches(['-', '\r', '\n']);
    let end = word + text.len();
    let whole = tag.map_or(line.trim_ascii_end().len(), |t| word + t + 2);
    let span = Span { start: start + from as u32, end: start + end as u32 };
    read(file, span, start + whole as u32, text, out);
}

/// `end` is just past the comment with its closing mark.
fn read(file: &File, span: Span, end: u32, text: &str, out: &mut Vec<InlineIgnore>) {
    let Some(said) = text.trim_start().strip_prefix(WORD) else { return };
    let said = said.lines().next().unwrap_or_default().trim_start_matches(':');
    let (rules, reason) = match said.split_once(DIVIDER) {
        // An em dash is what some editors make of the divider.
        None => said.split_once('—').unwrap_or((said, "")),
        Some(parts) => parts,
    };
    let rules: Vec<String> =
        rules.split([',', ' ', '\t']).map(str::trim).filter(|r| !r.is_empty()).map(str::to_owned).collect();
    let location = file.location(span);
    let own = location.start.line;
    let mut lines = vec![own];
    let index = file.lines();
    let first = index.text(&file.text, own).trim_ascii_start();
    let column = file.text[..span.start as usize]
        .iter()
        .rev()
        .take_while(|b| **b != b'\n')
        .all(u8::is_ascii_whitespace);
    let alone = column && ends_here(file, index.text(&file.text, own), first);
    if alone {
        let count = index.count(&file.text);
        let code = |line: u32| {
            let text = index.text(&file.text, line).trim_ascii();
            !text.is_empty() && !is_comment(file, text)
        };
        lines.extend((own + 1..=count.min(own + 20)).find(|l| code(*l)));
    }
    let extent = extent(&file.text, span.start, end, alone);
    out.push(InlineIgnore { location, lines, rules, reason: reason.trim().to_owned(), extent });
}

fn extent(text: &[u8], start: u32, end: u32, alone: bool) -> (u32, u32) {
    let before = &text[..start as usize];
    let space = before.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count() as u32;
    let after = text.get(end as usize..).unwrap_or_default();
    let rest = after.iter().position(|b| *b == b'\n').map_or(after.len(), |n| n + 1) as u32;
    (start - space, if alone { end + rest } else { end })
}

/// Nothing but the comment stands on its line.
fn ends_here(file: &File, line: &[u8], trimmed: &[u8]) -> bool {
    match file.role {
        Role::Template { engine: Engine::Erb, .. } if trimmed.starts_with(b"<%") => {
            line.trim_ascii_end().ends_with(b"%>")
        }
        _ => true,
    }
}

fn is_comment(file: &File, line: &[u8]) -> bool {
    match file.role {
        Role::Template { engine: Engine::Erb, .. } => line.starts_with(b"<%#") && line.ends_with(b"%>"),
        Role::Template { engine: Engine::Haml, .. } => line.starts_with(b"-#"),
        Role::Template { engine: Engine::Slim, .. } => line.starts_with(b"/"),
        _ => line.starts_with(b"#"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardroom_source::Source;

    fn ignores(path: &str, text: &str) -> Vec<(Vec<u32>, Vec<String>, String)> {
        let loaded = wardroom_rails::load(vec![Source { path: path.into(), text: text.as_bytes().into() }]);
        find(&loaded.files).into_iter().map(|i| (i.lines, i.rules, i.reason)).collect()
    }

    fn one(lines: &[u32], rules: &[&str], reason: &str) -> (Vec<u32>, Vec<String>, String) {
        (lines.to_vec(), rules.iter().map(|r| (*r).to_owned()).collect(), reason.to_owned())
    }

    #[test]
    fn ruby() {
        let text = "a # wardroom:ignore x, y -- it is -- fine\n# wardroom:ignore all\n# another\n\nb\ns = '# wardroom:ignore z'\n";
        assert_eq!(
            ignores("app/a.rb", text),
            [one(&[1], &["x", "y"], "it is -- fine"), one(&[2, 5], &["all"], "")]
        );
    }

    #[test]
    fn what_goes_with_an_ignore() {
        for (path, text, left) in [
            ("app/a.rb", "a  # wardroom:ignore x\nb\n", "a\nb\n"),
            ("app/a.rb", "a\n  # wardroom:ignore x -- y\r\nb\n", "a\nb\n"),
            ("app/a.rb", "# wardroom:ignore x", ""),
            ("app/views/a/b.html.erb", "<p>é</p> <%# wardroom:ignore x -- y -%> <b>\n", "<p>é</p> <b>\n"),
            ("app/views/a/b.html.erb", "<p>\n  <%# wardroom:ignore x %>\n</p>\n", "<p>\n</p>\n"),
            ("app/views/a/b.html.haml", "%p\n  -# wardroom:ignore x -- y\n  = a\n", "%p\n  = a\n"),
            ("app/views/a/b.html.slim", "p\n  / wardroom:ignore x\n  = a\n", "p\n  = a\n"),
        ] {
            let loaded =
                wardroom_rails::load(vec![Source { path: path.into(), text: text.as_bytes().into() }]);
            let (start, end) = find(&loaded.files)[0].extent;
            assert_eq!(format!("{}{}", &text[..start as usize], &text[end as usize..]), left, "{text}");
        }
    }

    #[test]
    fn templates() {
        let erb = "<%# wardroom:ignore x -- why -%>\n<%= a %>\n<p><%= b %></p> <%# wardroom:ignore y -- z %>\n<!-- wardroom:ignore no -->\n";
        assert_eq!(
            ignores("app/views/a/b.html.erb", erb),
            [one(&[1, 2], &["x"], "why"), one(&[3], &["y"], "z")]
        );
        let haml = "%p\n  -# wardroom:ignore x -- why\n  = a\n  = b # wardroom:ignore y\n";
        assert_eq!(
            ignores("app/views/a/b.html.haml", haml),
            [one(&[2, 3], &["x"], "why"), one(&[4], &["y"], "")]
        );
        let slim = "p\n  / wardroom:ignore x -- why\n  = a\n";
        assert_eq!(ignores("app/views/a/b.html.slim", slim), [one(&[2, 3], &["x"], "why")]);
    }
}
