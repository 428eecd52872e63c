//! The schema's versions, each a step forward. There is no way back: restore a backup instead.

use sqlx::{Connection, PgConnection};
use wardroom_store::StoreError;

use crate::failure::failed;

/// Each version's step, the first making version 1. A step that was released is never edited.
const STEPS: &[&str] = &[include_str!("schema.sql")];

/// Held while the schema is made or changed: `Ward` as a number. Servers that start together take turns.
const LOCK: i64 = 0x5761_7264;

/// The version this program works with.
pub fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The version a database has; 0 for an empty one.
pub async fn version(connection: &mut PgConnection) -> Result<i64, StoreError> {
    // From the catalogue and not by `to_regclass`, which may go by what this connection remembers: a server
    // that waited for another one's step would not see it.
    let there = "SELECT EXISTS (SELECT 1 FROM pg_tables
                 WHERE schemaname = current_schema() AND tablename = 'wardroom_schema')";
    let there: bool = sqlx::query_scalar(there).fetch_one(&mut *connection).await.map_err(failed)?;
    if !there {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM wardroom_schema")
        .fetch_one(connection)
        .await
        .map_err(failed)
}

/// Takes the steps that are still to be taken, all or none.
pub async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    let found = version(connection).await?;
    if found > newest() {
        return Err(StoreError::TooNew { found, known: newest() });
    }
    if found == newest() {
        return Ok(());
    }
    let mut transaction = connection.begin().await.map_err(failed)?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    // Read again: another server may have taken them while this one waited.
    let found = version(&mut transaction).await?;
    if found > newest() {
        return Err(StoreError::TooNew { found, known: newest() });
    }
    if found == 0 {
        check_empty(&mut transaction).await?;
        let first = "CREATE TABLE wardroom_schema (version BIGINT PRIMARY KEY)";
        sqlx::query(first).execute(&mut *transaction).await.map_err(failed)?;
    }
    for (step, version) in STEPS.iter().zip(1_i64..).filter(|(_, version)| *version > found) {
        sqlx::raw_sql(*step).execute(&mut *transaction).await.map_err(failed)?;
        sqlx::query("INSERT INTO wardroom_schema (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// Refuses a database that is another program's.
async fn check_empty(connection: &mut PgConnection) -> Result<(), StoreError> {
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
            .fetch_one(connection)
            .await
            .map_err(failed)?;
    if tables > 0 {
        return Err(StoreError::Other(
            "there are tables in the database, but they are not Wardroom's: give it a database of its own"
                .to_owned(),
        ));
    }
    Ok(())
}
