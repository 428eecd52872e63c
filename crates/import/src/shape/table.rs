//! Rows under a header.

/// Rows under a header.
#[derive(Debug)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

/// Most rows.
const MOST: usize = 1_000_000;

/// Fewer columns are no table but a text with a comma.
const FEWEST: usize = 2;
/// More are none that any tool writes.
const WIDEST: usize = 1000;

impl Table {
    /// Parses text; none where it does not look like a table. The separator is the one that the header holds most.
    pub(super) fn parse(text: &str, cut: &mut impl FnMut(usize, String)) -> Option<Table> {
        let header = text.lines().next()?;
        let count = |separator: u8| header.bytes().filter(|b| *b == separator).count();
        let separator = [b',', b';', b'\t'].into_iter().max_by_key(|s| count(*s))?;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
        let columns: Vec<String> = reader.headers().ok()?.iter().map(|c| c.trim().to_owned()).collect();
        if columns.len() < FEWEST || columns.len() > WIDEST || columns.iter().any(|c| c.len() > 200) {
            return None;
        }
        let mut rows = Vec::new();
        for (at, row) in reader.records().enumerate() {
            if at >= MOST {
                cut(at + 2, format!("rows after the first {MOST} were left out"));
                break;
            }
            match row {
                Ok(row) => rows.push(row),
                Err(error) => cut(at + 2, format!("a row was left out: {error}")),
            }
        }
        Some(Table { columns, rows })
    }

    /// The names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// Whether all of these columns are there, whatever their case.
    pub fn has(&self, columns: &[&str]) -> bool {
        columns.iter().all(|c| self.index(c).is_some())
    }

    fn index(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.eq_ignore_ascii_case(column))
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What stands in a row (from 0) under a column, trimmed; empty where there is nothing.
    pub fn cell(&self, row: usize, column: &str) -> &str {
        let cell = self.index(column).and_then(|at| self.rows.get(row)?.get(at));
        cell.unwrap_or_default().trim()
    }

    /// The first of several columns that has something in a row: tools rename them from version to version.
    pub fn any(&self, row: usize, columns: &[&str]) -> &str {
        columns.iter().map(|c| self.cell(row, c)).find(|c| !c.is_empty()).unwrap_or_default()
    }

    /// The table that begins at a later line, which has these columns: some reports open with lines about themselves.
    pub fn beginning_at(&self, columns: &[&str]) -> Option<Table> {
        let holds = |row: &csv::StringRecord| {
            columns.iter().all(|c| row.iter().any(|f| f.trim().eq_ignore_ascii_case(c)))
        };
        let at = self.rows.iter().take(100).position(holds)?;
        let columns = self.rows[at].iter().map(|c| c.trim().to_owned()).collect();
        Some(Table { columns, rows: self.rows[at + 1..].to_vec() })
    }
}
