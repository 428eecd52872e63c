//! Writing: appending, and putting other projections in place. One transaction each.

use std::collections::{BTreeSet, HashMap};

use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use wardroom_desk::Record;
use wardroom_store::ledger::{Frontier, thinned};
use wardroom_store::{
    Added, Append, Carrier, Checkpoint, Document, Head, Prepared, RecordSource, Store, StoreError, bodies,
    record_number, signed, unsigned,
};

use crate::failure::failed;
use crate::open::connect_writer;
use crate::{SqliteStore, rows};

impl SqliteStore {
    /// Appends in one transaction.
    pub(crate) async fn append_all(&self, append: &Append) -> Result<Head, StoreError> {
        let signer = self
            .signer
            .as_ref()
            .ok_or_else(|| StoreError::Unwritable("it is open for reading".to_owned()))?;
        let prepared = Prepared::of(append)?;
        let mut writer = self.writer.lock().await;
        // At once, and not at the first insertion: the head that is read is then the head that is built on,
        // whichever process writes.
        self.settled(&mut writer).await?;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let before = head(&mut transaction).await?;
        let mut frontier = frontier(&mut transaction).await?;
        frontier.check(before)?;
        let Added { events, tiles, head } = prepared.add(before, &mut frontier)?;
        rows::EVENTS
            .run(&mut transaction, events, |query, (seq, record, batch, leaf, body)| {
                let query = query.bind(signed(seq)).bind(i64::from(record));
                query.bind(signed(batch)).bind(leaf.to_vec()).bind(body)
            })
            .await?;
        rows::TILES
            .run(&mut transaction, tiles, |query, (level, no, hash)| {
                query.bind(i64::from(level)).bind(signed(no)).bind(hash.to_vec())
            })
            .await?;
        put_records(&mut transaction, &append.records, before.no).await?;
        put_documents(&mut transaction, &append.documents).await?;
        if !append.events.is_empty() {
            keep_frontier(&mut transaction, &frontier).await?;
            keep_checkpoint(&mut transaction, &signer.sign(&frontier, append.at)).await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(head)
    }

    /// Makes the writing connection ready after a failure. Without room SQLite rolls back by itself;
    /// the rollback that follows is refused, and the connection counts a transaction for ever that is
    /// none. It is replaced then.
    async fn settled(&self, writer: &mut SqliteConnection) -> Result<(), StoreError> {
        if !writer.is_in_transaction() {
            return Ok(());
        }
        // A rollback may still wait for its turn.
        let answers = writer.ping().await.is_ok();
        if !answers || writer.is_in_transaction() {
            *writer = connect_writer(&self.path, &self.options).connect().await.map_err(failed)?;
        }
        Ok(())
    }

    /// Puts other projections in the place of those that are there.
    pub(crate) async fn replace_all(&self, at: u64, source: &mut dyn RecordSource) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        self.settled(&mut writer).await?;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let head = head(&mut transaction).await?;
        if head.seq != at {
            return Err(StoreError::Behind(head.seq));
        }
        let clear = "DELETE FROM records; DELETE FROM keys; DELETE FROM scopes";
        sqlx::raw_sql(clear).execute(&mut *transaction).await.map_err(failed)?;
        while let Some(records) = source.next().await? {
            put_records(&mut transaction, &records, 0).await?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Fills the store, which must be empty, from another one.
    pub(crate) async fn take_all(&self, source: &dyn Store) -> Result<Head, StoreError> {
        if self.options.read_only {
            return Err(StoreError::Unwritable("it is open for reading".to_owned()));
        }
        let mut carrier = Carrier::new(source).await?;
        let mut writer = self.writer.lock().await;
        self.settled(&mut writer).await?;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let before = head(&mut transaction).await?;
        if before.seq > 0 {
            return Err(StoreError::Behind(before.seq));
        }
        while let Some(carried) = carrier.events().await? {
            rows::EVENTS
                .run(&mut transaction, carried.events, |query, (event, batch)| {
                    let query = query.bind(signed(event.seq)).bind(i64::from(event.record));
                    query.bind(signed(batch)).bind(event.leaf.to_vec()).bind(event.body)
                })
                .await?;
            rows::TILES
                .run(&mut transaction, carried.tiles, |query, (level, no, hash)| {
                    query.bind(i64::from(level)).bind(signed(no)).bind(hash.to_vec())
                })
                .await?;
        }
        while let Some(records) = carrier.records().await? {
            put_records(&mut transaction, &records, 0).await?;
        }
        while let Some(documents) = carrier.documents().await? {
            put_documents(&mut transaction, &documents).await?;
        }
        while let Some((digest, bytes)) = carrier.file().await? {
            sqlx::query("INSERT INTO files (digest, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .bind(digest)
                .bind(bytes)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        let (frontier, checkpoints) = carrier.end(self.signer.as_ref()).await?;
        keep_frontier(&mut transaction, &frontier).await?;
        for checkpoint in &checkpoints {
            insert_checkpoint(&mut transaction, checkpoint).await?;
        }
        let after = head(&mut transaction).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(after)
    }

    /// Signs what is there with the new key and notes that it signs from now on.
    pub(crate) async fn change_signer(&self, writer: &mut SqliteConnection) -> Result<(), StoreError> {
        let Some(signer) = &self.signer else { return Ok(()) };
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let frontier = frontier(&mut transaction).await?;
        let at: Option<i64> = sqlx::query_scalar("SELECT at FROM checkpoints ORDER BY no DESC LIMIT 1")
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        if let Some(at) = at {
            keep_checkpoint(&mut transaction, &signer.sign(&frontier, at)).await?;
        }
        sqlx::query("UPDATE tree SET signer = ?")
            .bind(signer.public_key().to_vec())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}

/// How far the log goes, by the log itself.
pub(crate) async fn head(connection: &mut SqliteConnection) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT (SELECT max(seq) FROM events), (SELECT max(record) FROM events)")
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    let seq: Option<i64> = row.try_get(0).map_err(failed)?;
    let no: Option<i64> = row.try_get(1).map_err(failed)?;
    Ok(Head { seq: unsigned(seq.unwrap_or_default())?, no: record_number(no.unwrap_or_default())? })
}

/// The tree's right edge.
pub(crate) async fn frontier(connection: &mut SqliteConnection) -> Result<Frontier, StoreError> {
    let row = sqlx::query("SELECT size, peaks FROM tree WHERE only = 1")
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    let damaged = || StoreError::Damaged("the state of the tree is gone: run the audit".to_owned());
    let row = row.ok_or_else(damaged)?;
    let size = unsigned(row.try_get(0).map_err(failed)?)?;
    let peaks: Vec<u8> = row.try_get(1).map_err(failed)?;
    Frontier::from_bytes(size, &peaks).ok_or_else(damaged)
}

async fn keep_frontier(connection: &mut SqliteConnection, frontier: &Frontier) -> Result<(), StoreError> {
    sqlx::query("UPDATE tree SET size = ?, peaks = ? WHERE only = 1")
        .bind(signed(frontier.size()))
        .bind(frontier.to_bytes())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn keep_checkpoint(
    connection: &mut SqliteConnection,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    let size = signed(checkpoint.size);
    let before: Option<i64> = sqlx::query_scalar("SELECT max(size) FROM checkpoints")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    insert_checkpoint(connection, checkpoint).await?;
    if let Some(thin) = thinned(before.unwrap_or(size), size) {
        sqlx::query(
            "DELETE FROM checkpoints WHERE size > ?1 AND size <= ?2 AND no NOT IN (
                SELECT max(no) FROM checkpoints WHERE size > ?1 AND size <= ?2 GROUP BY (size - 1) / ?3)",
        )
        .bind(thin.after)
        .bind(thin.to)
        .bind(thin.block)
        .execute(connection)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn insert_checkpoint(
    connection: &mut SqliteConnection,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO checkpoints (size, root, at, signature) VALUES (?, ?, ?, ?)")
        .bind(signed(checkpoint.size))
        .bind(&checkpoint.root)
        .bind(checkpoint.at)
        .bind(&checkpoint.signature)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Keeps records and their keys. None with a number above `known` is there yet.
async fn put_records(
    connection: &mut SqliteConnection,
    records: &[Record],
    known: u32,
) -> Result<(), StoreError> {
    let bodies = bodies(records)?;
    rows::RECORDS.run(connection, bodies, |query, (no, body)| query.bind(i64::from(no)).bind(body)).await?;

    let mut scopes = HashMap::new();
    let mut wanted = BTreeSet::new();
    for record in records {
        for (scope, key) in record.keys() {
            let scope = scope_id(connection, &mut scopes, scope).await?;
            wanted.insert((record.id.no, scope, key));
        }
    }
    let old: Vec<u32> = records.iter().map(|record| record.id.no).filter(|no| *no <= known).collect();
    let mut there = BTreeSet::new();
    if !old.is_empty() {
        let sql = "SELECT k.no, k.scope, k.key FROM json_each(?) j CROSS JOIN keys k ON k.no = j.value";
        let numbers = crate::store::json(&old)?;
        let found: Vec<(u32, i64, String)> =
            sqlx::query_as(sql).bind(numbers).fetch_all(&mut *connection).await.map_err(failed)?;
        there.extend(found);
    }
    for (no, scope, key) in there.difference(&wanted) {
        sqlx::query("DELETE FROM keys WHERE scope = ? AND key = ? AND no = ?")
            .bind(scope)
            .bind(key)
            .bind(i64::from(*no))
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    // In the order of their index, so that neighbours go to the same page.
    let mut new: Vec<_> =
        wanted.difference(&there).map(|(no, scope, key)| (*scope, key.clone(), *no)).collect();
    new.sort_unstable();
    rows::KEYS
        .run(connection, new, |query, (scope, key, no)| query.bind(scope).bind(key).bind(i64::from(no)))
        .await
}

/// The number of a scope, which it gets where it has none.
async fn scope_id(
    connection: &mut SqliteConnection,
    known: &mut HashMap<String, i64>,
    scope: String,
) -> Result<i64, StoreError> {
    if let Some(id) = known.get(&scope) {
        return Ok(*id);
    }
    sqlx::query("INSERT INTO scopes (name) VALUES (?) ON CONFLICT DO NOTHING")
        .bind(&scope)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    let id =
        sqlx::query_scalar("SELECT id FROM scopes WHERE name = ?").bind(&scope).fetch_one(connection).await;
    let id: i64 = id.map_err(failed)?;
    known.insert(scope, id);
    Ok(id)
}

/// Keeps documents in the place of those with their keys.
pub(crate) async fn put_documents(
    connection: &mut SqliteConnection,
    documents: &[Document],
) -> Result<(), StoreError> {
    rows::DOCUMENTS
        .run(connection, documents.to_vec(), |query, document| {
            let query = query.bind(document.collection).bind(document.key).bind(document.owner);
            query.bind(document.body.to_string()).bind(document.expires)
        })
        .await
}
