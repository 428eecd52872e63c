//! Inserting many rows with few statements.

use std::sync::{Arc, LazyLock};

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};
use wardroom_store::StoreError;

use crate::failure::failed;

/// Rows of one statement. A statement costs a trip to the connection's thread, which takes longer than
/// inserting a short row.
const MANY: usize = 64;

/// An insertion, as a statement for one row and as one for many.
pub struct Insertion {
    one: Arc<str>,
    many: Arc<str>,
}

impl Insertion {
    /// `before`, then as many groups of `columns` parameters as there are rows, then `after`.
    fn new(before: &str, columns: usize, after: &str) -> Insertion {
        let group = format!("({})", vec!["?"; columns].join(", "));
        let text = |rows: usize| format!("{before} VALUES {} {after}", vec![group.as_str(); rows].join(", "));
        Insertion { one: text(1).into(), many: text(MANY).into() }
    }

    /// Inserts a row for each of `items`, with the parameters that `bind` gives it.
    pub async fn run<T>(
        &self,
        connection: &mut SqliteConnection,
        items: impl IntoIterator<Item = T>,
        bind: impl for<'q> Fn(Query<'q, Sqlite, SqliteArguments>, T) -> Query<'q, Sqlite, SqliteArguments>,
    ) -> Result<(), StoreError> {
        let mut items = items.into_iter();
        loop {
            let some: Vec<T> = items.by_ref().take(MANY).collect();
            if some.len() == MANY {
                let query = sqlx::query(AssertSqlSafe(Arc::clone(&self.many)));
                some.into_iter().fold(query, &bind).execute(&mut *connection).await.map_err(failed)?;
                continue;
            }
            for item in some {
                let query = sqlx::query(AssertSqlSafe(Arc::clone(&self.one)));
                bind(query, item).execute(&mut *connection).await.map_err(failed)?;
            }
            return Ok(());
        }
    }
}

pub static EVENTS: LazyLock<Insertion> =
    LazyLock::new(|| Insertion::new("INSERT INTO events (seq, record, batch, leaf, body)", 5, ""));
pub static RECORDS: LazyLock<Insertion> = LazyLock::new(|| {
    Insertion::new("INSERT INTO records (no, body)", 2, "ON CONFLICT (no) DO UPDATE SET body = excluded.body")
});
pub static KEYS: LazyLock<Insertion> =
    LazyLock::new(|| Insertion::new("INSERT INTO keys (scope, key, no)", 3, "ON CONFLICT DO NOTHING"));
pub static TILES: LazyLock<Insertion> =
    LazyLock::new(|| Insertion::new("INSERT INTO tiles (level, no, hash)", 3, ""));
pub static DOCUMENTS: LazyLock<Insertion> = LazyLock::new(|| {
    Insertion::new(
        "INSERT INTO documents (collection, key, owner, body, expires)",
        5,
        "ON CONFLICT (collection, key) DO UPDATE SET owner = excluded.owner, body = excluded.body, \
         expires = excluded.expires",
    )
});
