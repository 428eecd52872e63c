//! Tables and columns with their types: from `db/schema.rb`, `db/structure.sql`, or, where an
//! application keeps neither, from its migrations run one after the other.
//!
//! The type of a column says what a value read from it, or bound to it, can be: an integer column
//! holds no markup.

mod migrate;
mod sql;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gems::RubyFile;
use crate::inflect::{plural, underscore};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ColumnType {
    /// A short text.
    String,
    /// A long text.
    Text,
    /// A whole number.
    Integer,
    /// A number with a fraction; decimals too.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A day.
    Date,
    /// A time, with or without a day.
    Time,
    /// JSON, hstore.
    Json,
    /// Bytes.
    Binary,
    /// A UUID.
    Uuid,
    /// One of a list that the database keeps.
    Enum,
    /// Anything else: `inet`, `point`, `tsvector` …
    Other,
}

impl ColumnType {
    /// Reads the word of a migration: `string`, `t.bigint` without the `t.`.
    pub fn parse(word: &str) -> ColumnType {
        match word {
            "string" | "char" | "varchar" => ColumnType::String,
            "text" | "citext" | "mediumtext" | "longtext" | "tinytext" => ColumnType::Text,
            "integer" | "bigint" | "smallint" | "tinyint" | "mediumint" | "int" | "primary_key"
            | "serial" | "bigserial" | "unsigned_integer" | "unsigned_bigint" | "big_integer" => {
                ColumnType::Integer
            }
            "float" | "decimal" | "numeric" | "double" | "real" | "money" | "unsigned_decimal"
            | "unsigned_float" => ColumnType::Float,
            "boolean" | "bool" => ColumnType::Boolean,
            "date" => ColumnType::Date,
            "datetime" | "timestamp" | "time" | "timestamptz" => ColumnType::Time,
            "json" | "jsonb" | "hstore" => ColumnType::Json,
            "binary" | "blob" | "mediumblob" | "longblob" | "tinyblob" | "bytea" | "varbinary" => {
                ColumnType::Binary
            }
            "uuid" => ColumnType::Uuid,
            "enum" => ColumnType::Enum,
            _ => ColumnType::Other,
        }
    }

    /// Whether a value of this type can carry no text of a user's choice.
    pub fn is_plain(self) -> bool {
        matches!(
            self,
            ColumnType::Integer
                | ColumnType::Float
                | ColumnType::Boolean
                | ColumnType::Date
                | ColumnType::Time
                | ColumnType::Uuid
                | ColumnType::Enum
        )
    }
}

/// The tables of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Schema {
    /// Table → column → type.
    pub tables: BTreeMap<String, BTreeMap<String, ColumnType>>,
}

impl Schema {
    /// Reads the best that there is: `db/schema.rb` (and `db/*_schema.rb` of further databases),
    /// else `db/structure.sql` (`db/*structure.sql`), else the migrations in `db/migrate/`. The
    /// migrations of plugins and engines come on top of tables that are still unknown. Files of
    /// other paths are passed over.
    pub fn read(ruby: &[RubyFile<'_>], texts: &[(&str, &str)]) -> Schema {
        let mut schema = Schema::default();
        for &(_, path, root) in ruby {
            if path.starts_with("db/") && path.ends_with("schema.rb") && path.matches('/').count() == 1 {
                migrate::run_schema(root, &mut schema.tables);
            }
        }
        // An application that has both (otwarchive) keeps one of them up to date: the one with
        // more tables.
        let mut dumped = Schema::default();
        for (path, text) in texts {
            if path.starts_with("db/") && path.ends_with("structure.sql") {
                sql::read(text, &mut dumped.tables);
            }
        }
        if dumped.tables.len() > schema.tables.len() {
            schema = dumped;
        }
        let mut migrations: Vec<(u64, &str, &RubyFile<'_>)> = ruby
            .iter()
            .filter(|(_, path, _)| path.ends_with(".rb") && path.contains("db/migrate/"))
            .filter(|(_, path, _)| !path.split('/').any(|p| matches!(p, "spec" | "test")))
            .map(|file| (migration_number(file.1), file.1, file))
            .collect();
        migrations.sort_by_key(|(number, path, _)| (*number, *path));
        let own = schema.tables.is_empty();
        let mut further = Schema::default();
        for (_, path, (_, _, root)) in migrations {
            if path.starts_with("db/migrate/") {
                if own {
                    migrate::run_migration(root, &mut schema.tables);
                }
            } else {
                migrate::run_migration(root, &mut further.tables);
            }
        }
        for (table, columns) in further.tables {
            schema.tables.entry(table).or_insert(columns);
        }
        schema
    }

    /// Reads a dump's text alone.
    pub fn from_sql(text: &str) -> Schema {
        let mut schema = Schema::default();
        sql::read(text, &mut schema.tables);
        schema
    }

    /// A column's type.
    pub fn column(&self, table: &str, column: &str) -> Option<ColumnType> {
        self.tables.get(table)?.get(column).copied()
    }

    /// The table of a model: the first of [`table_candidates`] that exists, else one that differs
    /// only in where the words part (`OAuthToken` and `oauth_tokens`).
    pub fn table_for_class(&self, class: &str) -> Option<&str> {
        let candidates = table_candidates(class);
        for candidate in &candidates {
            if let Some((name, _)) = self.tables.get_key_value(candidate) {
                return Some(name);
            }
        }
        let letters = |name: &'_ str| name.bytes().filter(|b| *b != b'_').collect::<Vec<u8>>();
        let squeezed: Vec<Vec<u8>> = candidates.iter().map(|c| letters(c)).collect();
        let same = |table: &String| {
            squeezed
                .iter()
                .any(|s| table.len() >= s.len() && table.bytes().filter(|b| *b != b'_').eq(s.iter().copied()))
        };
        self.tables.keys().find(|table| same(table)).map(String::as_str)
    }
}

/// The tables that a model's class can have by Rails' conventions, likeliest first:
/// `Admin::UserGroup` → `admin_user_groups`, `user_groups`, then the singular ones.
pub fn table_candidates(class: &str) -> Vec<String> {
    let path = underscore(class);
    let words: Vec<&str> = path.split('/').collect();
    let mut out: Vec<String> = Vec::with_capacity(words.len() * 2 + 2);
    let mut push = |name: String| {
        if !out.contains(&name) {
            out.push(name);
        }
    };
    for from in 0..words.len() {
        push(plural(&words[from..].join("_")));
    }
    // A table's name counts from the innermost singular: `Order::Line` in `order_lines`.
    push(words.join("_"));
    if let Some(last) = words.last() {
        push((*last).to_owned());
    }
    out
}

/// The number at the start of a migration's file name; a file without one comes last.
fn migration_number(path: &str) -> u64 {
    let name = path.rsplit('/').next().unwrap_or(path);
    let digits = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    name[..digits].parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
