//! The tables of a report that is a page of HTML.

/// A table: rows of cells, each cell the HTML in it.
pub(crate) type Rows<'a> = Vec<Vec<&'a str>>;

/// Most tables that stand in each other, and most cells at all.
const DEEPEST: usize = 32;
const MOST_CELLS: usize = 2_000_000;

/// Every table of a page in the order in which they end; a table in a cell is one of its own and part of the cell.
pub(crate) fn tables(html: &str) -> Vec<Rows<'_>> {
    let mut done = Vec::new();
    // The rows so far, and where the open cell began.
    let mut open: Vec<(Rows<'_>, Option<usize>)> = Vec::new();
    let (mut at, mut cells) = (0, 0);
    while let Some(start) = html[at..].find('<').map(|i| at + i) {
        let rest = &html[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            let Some(end) = comment.find("-->") else { break };
            at = start + 4 + end + 3;
            continue;
        }
        let Some(end) = rest.find('>') else { break };
        at = start + end + 1;
        let inside = &rest[1..end];
        let closing = inside.starts_with('/');
        let name: String = inside
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(12)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        match (name.as_str(), closing) {
            ("script" | "style", false) => {
                let Some(end) = html[at..].find("</") else { break };
                at += end;
            }
            ("table", false) if open.len() < DEEPEST => open.push((Rows::new(), None)),
            ("table", true) => {
                if let Some((mut rows, cell)) = open.pop() {
                    close(&mut rows, cell, &html[..start]);
                    done.push(rows);
                }
            }
            ("tr", _) => {
                if let Some((rows, cell)) = open.last_mut() {
                    close(rows, cell.take(), &html[..start]);
                    if !closing {
                        rows.push(Vec::new());
                    }
                }
            }
            ("td" | "th", _) => {
                let Some((rows, cell)) = open.last_mut() else { continue };
                cells += 1;
                if cells > MOST_CELLS {
                    break;
                }
                close(rows, cell.take(), &html[..start]);
                if !closing {
                    *cell = Some(at);
                }
            }
            _ => {}
        }
    }
    done
}

fn close<'a>(rows: &mut Rows<'a>, cell: Option<usize>, before: &'a str) {
    if let (Some(from), Some(row)) = (cell, rows.last_mut()) {
        row.push(before.get(from..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::tables;

    #[test]
    fn a_table_in_a_cell_is_part_of_the_cell() {
        let html = "<table><tr><th>A<th>B</tr><tr><td>1</td><td>x<table><tr><td>in</td></tr></table></td></tr></table>";
        let found = tables(html);
        assert_eq!(found[0], [["in"]]);
        assert_eq!(found[1][0], ["A", "B"]);
        assert_eq!(found[1][1][0], "1");
        assert!(found[1][1][1].contains("in"));
    }

    #[test]
    fn many_open_tables_end_soon() {
        assert!(tables(&"<table><tr><td>".repeat(200_000)).is_empty());
    }
}
