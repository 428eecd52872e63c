//! Lines of CSV that a spreadsheet only reads.

/// One line (RFC 4180). What a spreadsheet would run as a formula gets an apostrophe before it.
pub fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        self::cell(cell, &mut out);
    }
    out.push_str("\r\n");
    out
}

/// One cell.
pub fn cell(text: &str, out: &mut String) {
    let formula = is_formula(text);
    if formula || text.contains([',', '"', '\n', '\r']) {
        let before = if formula { "'" } else { "" };
        out.push_str(&format!("\"{before}{}\"", text.replace('"', "\"\"")));
    } else {
        out.push_str(text);
    }
}

/// Whether a spreadsheet would run a text: it looks past white space, and reads the wide forms of the
/// signs as the signs.
fn is_formula(text: &str) -> bool {
    let bare = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    let sign = |c| matches!(c, '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}');
    bare.starts_with(sign) || text.starts_with(['\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_kept_apart_and_cannot_run() {
        assert_eq!(line(["a", "b c", ""]), "a,b c,\r\n");
        assert_eq!(line(["x\"y", "1,5", "a\nb"]), "\"x\"\"y\",\"1,5\",\"a\nb\"\r\n");
        assert_eq!(line([" =1", "\u{ff1d}1", "a=1"]), "\"' =1\",\"'\u{ff1d}1\",a=1\r\n");
        assert_eq!(line(["=cmd|'/c calc'!A1", "@x", "-1"]), "\"'=cmd|'/c calc'!A1\",\"'@x\",\"'-1\"\r\n");
    }
}
