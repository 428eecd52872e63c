//! Lines of CSV that a spreadsheet only reads.

/// One line (RFC 4180). What a spreadsheet would run as a formula gets an apostrophe before it.
pub fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        if formula || cell.contains([',', '"', '\n', '\r']) {
            let before = if formula { "'" } else { "" };
            out.push_str(&format!("\"{before}{}\"", cell.replace('"', "\"\"")));
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_kept_apart_and_cannot_run() {
        assert_eq!(line(["a", "b c", ""]), "a,b c,\r\n");
        assert_eq!(line(["x\"y", "1,5", "a\nb"]), "\"x\"\"y\",\"1,5\",\"a\nb\"\r\n");
        assert_eq!(line(["=cmd|'/c calc'!A1", "@x", "-1"]), "\"'=cmd|'/c calc'!A1\",\"'@x\",\"'-1\"\r\n");
    }
}
