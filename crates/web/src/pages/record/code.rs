//! The code of a finding, with the path walked through it step by step.

use serde_json::Value;

/// A piece of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pane {
    /// The file.
    pub file: String,
    /// Its name without folders.
    pub name: String,
    /// Lines in order.
    pub lines: Vec<Line>,
}

impl Pane {
    /// First and last line shown.
    pub fn span(&self) -> String {
        match (self.lines.first(), self.lines.last()) {
            (Some(first), Some(last)) if first.number != last.number => {
                format!("lines {} to {}", first.number, last.number)
            }
            (Some(first), _) => format!("line {}", first.number),
            _ => String::new(),
        }
    }
}

/// One line of code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: u64,
    /// Lines left out before it.
    pub gap: u64,
    /// Text before what is marked.
    pub before: String,
    /// What is marked.
    pub mark: String,
    /// Text behind it.
    pub after: String,
    /// Steps that stand on it: number, note, whether it is the last one.
    pub steps: Vec<Step>,
}

/// One step of the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// From 1.
    pub number: usize,
    /// What happens there.
    pub note: String,
    /// `bookings_controller.rb:15`.
    pub at: String,
    /// It is where harm is done.
    pub end: bool,
}

struct Place {
    file: String,
    line: u64,
    from: u64,
    to: Option<u64>,
    snippet: String,
    note: String,
}

fn place(location: &Value, note: &str) -> Option<Place> {
    let line = location.pointer("/start/line")?.as_u64()?;
    let end_line = location.pointer("/end/line").and_then(Value::as_u64).unwrap_or(line);
    Some(Place {
        file: location.get("file")?.as_str()?.to_owned(),
        line,
        from: location.pointer("/start/column").and_then(Value::as_u64).unwrap_or(1),
        to: (end_line == line).then(|| location.pointer("/end/column").and_then(Value::as_u64)).flatten(),
        snippet: location.get("snippet").and_then(Value::as_str).unwrap_or_default().to_owned(),
        note: note.to_owned(),
    })
}

/// The steps of a finding, and the code that they lead through. A finding without a path has one
/// step: its place.
pub fn walk(evidence: &Value) -> (Vec<Step>, Vec<Pane>) {
    let path = evidence.get("path").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut places: Vec<Place> = path
        .iter()
        .filter_map(|s| place(s.get("location")?, s.get("note").and_then(Value::as_str).unwrap_or_default()))
        .collect();
    if places.is_empty() {
        let message = evidence.get("message").and_then(Value::as_str).unwrap_or_default();
        places.extend(evidence.get("location").and_then(|l| place(l, message)));
    }
    let last = places.len();
    let steps: Vec<Step> = (1..)
        .zip(&places)
        .map(|(number, p)| Step {
            number,
            note: p.note.clone(),
            at: format!("{}:{}", name(&p.file), p.line),
            end: number == last,
        })
        .collect();
    let mut panes: Vec<Pane> = Vec::new();
    for place in &places {
        if !panes.iter().any(|p| p.file == place.file) {
            panes.push(Pane { file: place.file.clone(), name: name(&place.file), lines: Vec::new() });
        }
    }
    for pane in &mut panes {
        let mut lines: Vec<(u64, String)> = excerpts(evidence, &pane.file);
        // What an older delivery did not bring is shown as far as the steps themselves hold it.
        for place in places.iter().filter(|p| p.file == pane.file) {
            for (number, text) in (place.line..).zip(place.snippet.lines()) {
                if !lines.iter().any(|(n, _)| *n == number) {
                    lines.push((number, text.to_owned()));
                }
            }
        }
        lines.sort_by_key(|(n, _)| *n);
        lines.dedup_by_key(|(n, _)| *n);
        let mut previous: Option<u64> = None;
        for (number, text) in lines {
            let gap = previous.map_or(0, |p| number - p - 1);
            previous = Some(number);
            let here = || places.iter().zip(&steps).filter(|(p, _)| p.file == pane.file && p.line == number);
            let (before, mark, after) = match here().next_back() {
                Some((place, _)) => split(&text, place.from, place.to),
                None => (text, String::new(), String::new()),
            };
            let steps = here().map(|(_, s)| s.clone()).collect();
            pane.lines.push(Line { number, gap, before, mark, after, steps });
        }
    }
    (steps, panes)
}

fn excerpts(evidence: &Value, file: &str) -> Vec<(u64, String)> {
    let mut lines = Vec::new();
    for piece in evidence.get("excerpts").and_then(Value::as_array).into_iter().flatten() {
        if piece.get("file").and_then(Value::as_str) != Some(file) {
            continue;
        }
        let first = piece.get("first").and_then(Value::as_u64).unwrap_or(1);
        let text = piece.get("text").and_then(Value::as_str).unwrap_or_default();
        lines.extend((first..).zip(text.lines().map(str::to_owned)));
    }
    lines
}

/// A line at two columns, which count code points from 1.
fn split(text: &str, from: u64, to: Option<u64>) -> (String, String, String) {
    let at = |column: u64| {
        let skip = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at)
    };
    let (start, end) = (at(from), to.map_or(text.len(), at));
    let end = end.max(start);
    (text[..start].to_owned(), text[start..end].to_owned(), text[end..].to_owned())
}

fn name(file: &str) -> String {
    file.rsplit('/').next().unwrap_or(file).to_owned()
}

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// `add`, `del`, `gap` or nothing.
    pub kind: &'static str,
    /// Its number in the file it belongs to.
    pub number: u64,
    /// What it says.
    pub text: String,
}

/// A unified diff of one file, line by line.
pub fn diff(text: &str) -> Vec<DiffLine> {
    let (mut old, mut new) = (0, 0);
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("---") || line.starts_with("+++") || line.starts_with('\\') {
            continue;
        }
        if let Some(rest) = line.strip_prefix("@@ -") {
            let starts = |part: &str| part.split([',', ' ']).next().and_then(|n| n.parse().ok()).unwrap_or(1);
            old = starts(rest);
            new = rest.split_once('+').map_or(1, |(_, part)| starts(part));
            if !lines.is_empty() {
                lines.push(DiffLine { kind: "gap", number: 0, text: String::new() });
            }
            continue;
        }
        let (kind, text) = match line.chars().next() {
            Some('+') => ("add", &line[1..]),
            Some('-') => ("del", &line[1..]),
            _ => ("", line.get(1..).unwrap_or_default()),
        };
        let number = if kind == "del" { old } else { new };
        if kind != "add" {
            old += 1;
        }
        if kind != "del" {
            new += 1;
        }
        lines.push(DiffLine { kind, number, text: text.to_owned() });
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_path_is_walked_through_the_files() {
        let location = |file: &str, line: u64, from: u64, to: u64, text: &str| json!({"file": file, "start": {"line": line, "column": from}, "end": {"line": line, "column": to}, "snippet": text});
        let evidence = json!({
            "path": [
                {"location": location("a.rb", 2, 3, 5, "  é1 x"), "note": "comes in"},
                {"location": location("b/c.rb", 9, 1, 2, "run"), "note": "runs"},
            ],
            "excerpts": [{"file": "a.rb", "first": 1, "text": "one\n  é1 x\nthree"}, {"file": "a.rb", "first": 8, "text": "eight"}],
        });
        let (steps, panes) = walk(&evidence);
        assert_eq!(
            steps.iter().map(|s| (s.number, s.at.as_str(), s.end)).collect::<Vec<_>>(),
            [(1, "a.rb:2", false), (2, "c.rb:9", true)]
        );
        assert_eq!(panes.len(), 2);
        let line = &panes[0].lines[1];
        assert_eq!((line.before.as_str(), line.mark.as_str(), line.after.as_str()), ("  ", "é1", " x"));
        assert_eq!(panes[0].lines[3].gap, 4);
        assert_eq!(panes[1].lines[0].mark, "r");
        assert_eq!(walk(&json!({"path": "x", "location": 3})).0, []);
    }

    #[test]
    fn diffs_are_read() {
        let lines = diff("--- a/x\n+++ b/x\n@@ -3,2 +3,2 @@\n a\n-b\n+c\n@@ -9 +9 @@\n-x\n");
        let told: Vec<_> = lines.iter().map(|l| (l.kind, l.number, l.text.as_str())).collect();
        assert_eq!(told, [("", 3, "a"), ("del", 4, "b"), ("add", 4, "c"), ("gap", 0, ""), ("del", 9, "x")]);
    }
}
