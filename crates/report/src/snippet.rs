//! The source lines of a place and the stretch in them to mark.

use wardroom_model::Location;

use crate::escape::code;

/// A source line is shown up to here, around the marked stretch.
const CODE_LINE: usize = 400;

/// The source to show and the bytes to mark in it. Lines of generated code are cut to a window
/// around the marked stretch; a stretch that goes on past the snippet ends with it.
pub(crate) fn marked(location: &Location) -> (String, std::ops::Range<usize>) {
    let snippet = code(&location.snippet);
    let last = location.end.line.saturating_sub(location.start.line) as usize;
    let (mut source, mut start, mut end) = (String::new(), 0, None);
    for (index, text) in snippet.split('\n').enumerate() {
        let from = if index == 0 { location.start.column.saturating_sub(1) as usize } else { 0 };
        // With a line too long, what stands left of the stretch goes first.
        let long = text.len() > CODE_LINE && text.chars().nth(CODE_LINE).is_some();
        let skip = if long { from.saturating_sub(CODE_LINE / 5) } else { 0 };
        let mut shown: String = text.chars().skip(skip).take(CODE_LINE).collect();
        if skip > 0 {
            shown.insert(0, '…');
        }
        if long && text.chars().nth(skip + CODE_LINE).is_some() {
            shown.push('…');
        }
        let byte = |column: usize| {
            let column = column.saturating_sub(skip) + usize::from(skip > 0);
            shown.char_indices().nth(column).map_or(shown.len(), |(byte, _)| byte)
        };
        if index > 0 {
            source.push('\n');
        } else {
            start = byte(from);
        }
        if index == last {
            end = Some(source.len() + byte(location.end.column.saturating_sub(1) as usize));
        }
        source.push_str(&shown);
    }
    let end = end.unwrap_or(source.len()).max(start);
    (source, start..end)
}

#[cfg(test)]
mod tests {
    use wardroom_model::Position;

    use super::*;

    fn location(start: (u32, u32), end: (u32, u32), snippet: &str) -> Location {
        Location {
            file: "a.rb".into(),
            start: Position { line: start.0, column: start.1 },
            end: Position { line: end.0, column: end.1 },
            snippet: snippet.to_owned(),
        }
    }

    #[test]
    fn marks_count_code_points() {
        let (source, span) = marked(&location((3, 3), (3, 7), "é wäre x"));
        assert_eq!(&source[span], "wäre");
        let (source, span) = marked(&location((3, 3), (4, 4), "a bc\nd efg\nh"));
        assert_eq!(&source[span], "bc\nd e");
    }

    #[test]
    fn marks_stay_inside_a_short_snippet() {
        let (source, span) = marked(&location((3, 90), (30, 2), "a bc\nd"));
        assert_eq!(span, source.len() - 2..source.len());
        let (_, span) = marked(&location((3, 9), (3, 2), "a bc"));
        assert_eq!(span, 4..4);
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = format!("{}evil(x){}", "é".repeat(5000), "y".repeat(5000));
        let (source, span) = marked(&location((1, 5001), (1, 5008), &text));
        assert_eq!(&source[span], "evil(x)");
        assert!(source.chars().count() <= CODE_LINE + 2);
    }
}
