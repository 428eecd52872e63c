//! The schema's versions, each a step forward. There is no way back: restore a backup instead.

use sqlx::{Connection, SqliteConnection};
use wardroom_store::StoreError;

use crate::failure::failed;
use crate::open::APPLICATION;

/// Each version's step, the first making version 1. A step that was released is never edited.
const STEPS: &[&str] = &[include_str!("schema.sql")];

/// The version this program works with.
pub fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The version a store has; 0 for an empty file.
pub async fn version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let there: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema'")
            .fetch_optional(&mut *connection)
            .await
            .map_err(failed)?;
    if there.is_none() {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema")
        .fetch_one(connection)
        .await
        .map_err(failed)
}

/// Takes the steps that are still to be taken, all or none.
pub async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    if version(connection).await? == newest() {
        return Ok(());
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    // Read again: another process may have taken them while this one waited.
    let found = version(&mut transaction).await?;
    if found > newest() {
        return Err(StoreError::TooNew { found, known: newest() });
    }
    if found == 0 {
        let mark = format!("PRAGMA application_id = {APPLICATION}");
        let first = "CREATE TABLE schema (version INTEGER PRIMARY KEY) STRICT";
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(&mut *transaction).await.map_err(failed)?;
        sqlx::raw_sql(first).execute(&mut *transaction).await.map_err(failed)?;
    }
    for (step, version) in STEPS.iter().zip(1_i64..).filter(|(_, version)| *version > found) {
        sqlx::raw_sql(*step).execute(&mut *transaction).await.map_err(failed)?;
        sqlx::query("INSERT INTO schema (version) VALUES (?)")
            .bind(version)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}
