//! Inserting many rows with few statements: each takes its columns as arrays.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use wardroom_store::{Document, Hash, StoreError, signed};

use crate::failure::failed;

/// Rows of one statement, and about how many bytes: what is on its way stands in memory here and there.
const ROWS: usize = 2_000;
const BYTES: usize = 8 << 20;

/// An event as a row: place, record, batch, hash, body.
pub type Event = (u64, u32, u64, Hash, Vec<u8>);

/// The next rows that go together.
fn some<T>(items: &mut impl Iterator<Item = T>, size: fn(&T) -> usize) -> Vec<T> {
    let (mut taken, mut bytes) = (Vec::new(), 0);
    while taken.len() < ROWS && bytes < BYTES {
        let Some(item) = items.next() else { break };
        bytes += size(&item);
        taken.push(item);
    }
    taken
}

/// Inserts events.
pub async fn events(connection: &mut PgConnection, items: Vec<Event>) -> Result<(), StoreError> {
    let mut items = items.into_iter();
    loop {
        let rows = some(&mut items, |(.., body)| body.len());
        if rows.is_empty() {
            return Ok(());
        }
        let (mut places, mut records, mut batches) = (Vec::new(), Vec::new(), Vec::new());
        let (mut leaves, mut bodies) = (Vec::new(), Vec::new());
        for (seq, record, batch, leaf, body) in rows {
            places.push(signed(seq));
            records.push(i64::from(record));
            batches.push(signed(batch));
            leaves.push(leaf.to_vec());
            bodies.push(body);
        }
        let sql = "INSERT INTO events (seq, record, batch, leaf, body)
                   SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])";
        let query = sqlx::query(sql).bind(places).bind(records).bind(batches).bind(leaves).bind(bodies);
        query.execute(&mut *connection).await.map_err(failed)?;
    }
}

/// Inserts hashes of the tree: level, index, hash.
pub async fn tiles(connection: &mut PgConnection, items: Vec<(u8, u64, Hash)>) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    let (mut levels, mut places, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for (level, no, hash) in items {
        levels.push(i16::from(level));
        places.push(signed(no));
        hashes.push(hash.to_vec());
    }
    let sql =
        "INSERT INTO tiles (level, no, hash) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])";
    let query = sqlx::query(sql).bind(levels).bind(places).bind(hashes);
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Keeps records, each in the place of an earlier one with its number.
pub async fn records(connection: &mut PgConnection, items: BTreeMap<u32, Vec<u8>>) -> Result<(), StoreError> {
    let mut items = items.into_iter();
    loop {
        let rows = some(&mut items, |(_, body)| body.len());
        if rows.is_empty() {
            return Ok(());
        }
        let (numbers, bodies): (Vec<i64>, Vec<Vec<u8>>) =
            rows.into_iter().map(|(no, body)| (i64::from(no), body)).unzip();
        let sql = "INSERT INTO records (no, body) SELECT * FROM unnest($1::bigint[], $2::bytea[])
                   ON CONFLICT (no) DO UPDATE SET body = excluded.body";
        sqlx::query(sql).bind(numbers).bind(bodies).execute(&mut *connection).await.map_err(failed)?;
    }
}

/// A key as a row: the scope's number, the key, the record's number.
pub type Key = (i64, Vec<u8>, u32);

fn columns(rows: Vec<Key>) -> (Vec<i64>, Vec<Vec<u8>>, Vec<i64>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (scope, key, no) in rows {
        columns.0.push(scope);
        columns.1.push(key);
        columns.2.push(i64::from(no));
    }
    columns
}

/// Inserts keys; one that is there stays.
pub async fn keys(connection: &mut PgConnection, items: Vec<Key>) -> Result<(), StoreError> {
    let sql = "INSERT INTO keys (scope, key, no)
               SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) ON CONFLICT DO NOTHING";
    with_keys(connection, items, sql).await
}

/// Removes keys.
pub async fn remove_keys(connection: &mut PgConnection, items: Vec<Key>) -> Result<(), StoreError> {
    let sql =
        "DELETE FROM keys USING unnest($1::bigint[], $2::bytea[], $3::bigint[]) AS gone (scope, key, no)
               WHERE keys.scope = gone.scope AND keys.key = gone.key AND keys.no = gone.no";
    with_keys(connection, items, sql).await
}

async fn with_keys(
    connection: &mut PgConnection,
    items: Vec<Key>,
    sql: &'static str,
) -> Result<(), StoreError> {
    let mut items = items.into_iter();
    loop {
        let rows = some(&mut items, |(_, key, _)| key.len());
        if rows.is_empty() {
            return Ok(());
        }
        let (scopes, keys, numbers) = columns(rows);
        let query = sqlx::query(sql).bind(scopes).bind(keys).bind(numbers);
        query.execute(&mut *connection).await.map_err(failed)?;
    }
}

/// Keeps documents in the place of those with their keys.
pub async fn documents(connection: &mut PgConnection, items: &[Document]) -> Result<(), StoreError> {
    // The last one with a key counts: one statement may not write a row twice.
    let last: BTreeMap<(String, String), Document> =
        items.iter().map(|d| ((d.collection.clone(), d.key.clone()), d.clone())).collect();
    let mut items = last.into_values();
    loop {
        let rows = some(&mut items, |document| document.key.len() + 1024);
        if rows.is_empty() {
            return Ok(());
        }
        let (mut collections, mut keys) = (Vec::new(), Vec::new());
        let (mut owners, mut bodies, mut expiries) = (Vec::new(), Vec::new(), Vec::new());
        for document in rows {
            collections.push(document.collection.into_bytes());
            keys.push(document.key.into_bytes());
            owners.push(document.owner.map(String::into_bytes));
            bodies.push(document.body.to_string().into_bytes());
            expiries.push(document.expires);
        }
        let sql = "INSERT INTO documents (collection, key, owner, body, expires)
                   SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[])
                   ON CONFLICT (collection, key) DO UPDATE SET owner = excluded.owner, body = excluded.body,
                   expires = excluded.expires";
        let query = sqlx::query(sql).bind(collections).bind(keys).bind(owners).bind(bodies).bind(expiries);
        query.execute(&mut *connection).await.map_err(failed)?;
    }
}
