//! Tables and columns out of `db/structure.sql`: what `mysqldump`, `pg_dump` and SQLite write.

use std::collections::{BTreeMap, BTreeSet};

use super::ColumnType;

/// Table → column → type.
type Tables = BTreeMap<String, BTreeMap<String, ColumnType>>;

/// Reads every `CREATE TABLE` of a dump into `tables`. One pass over the text.
pub(super) fn read(text: &str, tables: &mut Tables) {
    let mut enums = BTreeSet::new();
    let mut offset = 0;
    while offset < text.len() {
        let end = text[offset..].find('\n').map_or(text.len(), |i| offset + i + 1);
        let line = text[offset..end].trim_start();
        let mut next = end;
        if let Some(rest) = strip_word(line, "CREATE") {
            // `rest` is the end of the line.
            let start = end - rest.len();
            if let Some(name) = strip_word(rest, "TYPE") {
                let mut words = name.split_whitespace();
                if let (Some(name), Some("AS"), Some("ENUM")) = (words.next(), words.next(), words.next()) {
                    enums.insert(plain(name));
                }
            } else if let Some(end) = table(text, start, &enums, tables) {
                next = end.max(next);
            }
        }
        offset = next;
    }
}

/// Reads one table; `start` stands just after `CREATE`. Returns where it ends.
fn table(text: &str, start: usize, enums: &BTreeSet<String>, tables: &mut Tables) -> Option<usize> {
    let mut head = text[start..].trim_start();
    for word in ["UNLOGGED", "TEMPORARY", "FOREIGN"] {
        head = strip_word(head, word).unwrap_or(head);
    }
    head = strip_word(head, "TABLE")?;
    if let Some(rest) =
        strip_word(head, "IF").and_then(|h| strip_word(h, "NOT")).and_then(|h| strip_word(h, "EXISTS"))
    {
        head = rest;
    }
    // A name is short; a file full of heads without bodies must not be searched to its end each time.
    let open = head.bytes().take(512).position(|b| matches!(b, b'(' | b';'))?;
    if head.as_bytes()[open] == b';' {
        return None;
    }
    // `CREATE TABLE x PARTITION OF y FOR VALUES (…)`: the name is one word.
    let name = head[..open].trim();
    if name.contains(char::is_whitespace) && !name.starts_with(['"', '`', '[']) {
        return None;
    }
    let body_start = text.len() - head.len() + open + 1;
    let (parts, end) = split(text, body_start);
    let columns = tables.entry(plain(name)).or_default();
    for part in parts {
        if let Some((column, kind)) = column(part, enums) {
            columns.insert(column, kind);
        }
    }
    Some(end)
}

/// The parts between top-level commas from just after a `(` to its `)`, and where that is.
fn split(text: &str, start: usize) -> (Vec<&str>, usize) {
    let bytes = text.as_bytes();
    let (mut parts, mut from, mut depth, mut i) = (Vec::new(), start, 0u32, start);
    while i < bytes.len() {
        match bytes[i] {
            quote @ (b'\'' | b'"' | b'`') => {
                i += 1;
                while i < bytes.len() && bytes[i] != quote {
                    i += if bytes[i] == b'\\' && quote == b'\'' { 2 } else { 1 };
                }
            }
            b'-' if bytes.get(i + 1) == Some(&b'-') => {
                while i < bytes.len() && bytes[i] != b'\n' {
                    i += 1;
                }
            }
            b'(' => depth += 1,
            b')' if depth == 0 => {
                parts.push(&text[from..i]);
                return (parts, i + 1);
            }
            b')' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&text[from..i]);
                from = i + 1;
            }
            _ => {}
        }
        i += 1;
    }
    (parts, bytes.len())
}

/// One column's name and type; `None` for keys and constraints.
fn column(part: &str, enums: &BTreeSet<String>) -> Option<(String, ColumnType)> {
    let mut part = part.trim();
    while let Some(rest) = part.strip_prefix("--") {
        part = rest.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    }
    let (name, rest) = match part.as_bytes().first()? {
        quote @ (b'"' | b'`') => {
            let end = part[1..].find(char::from(*quote))? + 1;
            (&part[1..end], &part[end + 1..])
        }
        _ => part.split_once(char::is_whitespace)?,
    };
    // Dumps write keywords in capitals and unquoted columns in small letters: `key` is a column.
    const KEYWORDS: &[&str] = &[
        "PRIMARY",
        "KEY",
        "UNIQUE",
        "CONSTRAINT",
        "INDEX",
        "FULLTEXT",
        "SPATIAL",
        "FOREIGN",
        "CHECK",
        "EXCLUDE",
        "LIKE",
    ];
    if KEYWORDS.contains(&name) && !part.starts_with(['"', '`']) {
        return None;
    }
    Some((name.to_owned(), kind(rest.trim_start(), enums)))
}

fn kind(written: &str, enums: &BTreeSet<String>) -> ColumnType {
    let lower: String = written.chars().take(60).collect::<String>().to_ascii_lowercase();
    let word = lower.split(['(', ' ', '[', ',']).next().unwrap_or_default();
    if lower.starts_with("tinyint(1)") {
        return ColumnType::Boolean;
    }
    match word {
        "varchar" | "char" | "character" | "nvarchar" | "nchar" | "bpchar" => ColumnType::String,
        "text" | "tinytext" | "mediumtext" | "longtext" | "citext" | "clob" => ColumnType::Text,
        "int" | "integer" | "bigint" | "smallint" | "mediumint" | "tinyint" | "serial" | "bigserial" => {
            ColumnType::Integer
        }
        "float" | "double" | "real" | "decimal" | "numeric" | "money" => ColumnType::Float,
        "bool" | "boolean" => ColumnType::Boolean,
        "date" => ColumnType::Date,
        "datetime" | "timestamp" | "time" | "timestamptz" => ColumnType::Time,
        "json" | "jsonb" | "hstore" => ColumnType::Json,
        "blob" | "tinyblob" | "mediumblob" | "longblob" | "binary" | "varbinary" | "bytea" => {
            ColumnType::Binary
        }
        "uuid" => ColumnType::Uuid,
        "enum" | "set" => ColumnType::Enum,
        other => {
            let other = plain(other);
            match other.as_str() {
                "citext" => ColumnType::Text,
                "hstore" => ColumnType::Json,
                other if enums.contains(other) => ColumnType::Enum,
                _ => ColumnType::Other,
            }
        }
    }
}

/// A name without quotes and without the schema `public`.
fn plain(name: &str) -> String {
    let name: String = name.chars().filter(|c| !matches!(c, '"' | '`' | '[' | ']')).collect();
    name.strip_prefix("public.").map(str::to_owned).unwrap_or(name)
}

/// What follows a keyword, written in any case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    let rest = &text[word.len()..];
    (head.eq_ignore_ascii_case(word) && rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
}
