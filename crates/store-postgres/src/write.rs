//! Writing: appending, putting other projections in place, taking another store over. One transaction each.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use sqlx::{PgConnection, Postgres, Transaction};
use wardroom_desk::Record;
use wardroom_store::ledger::{Frontier, Signer, thinned};
use wardroom_store::{
    Added, Append, Carrier, Checkpoint, Hash, Head, Prepared, RecordSource, Store, StoreError, bodies,
    record_number, signed, unsigned,
};

use crate::failure::failed;
use crate::grown::CHANNEL;
use crate::{PostgresStore, rows};

/// How often, and how far apart, it is asked what became of an append whose end was not heard.
const ASKED: u32 = 8;
const APART: Duration = Duration::from_millis(500);

impl PostgresStore {
    fn signer(&self) -> Result<&Signer, StoreError> {
        self.signer.as_ref().ok_or_else(|| StoreError::Unwritable("it is open for reading".to_owned()))
    }

    /// Appends in one transaction.
    pub(crate) async fn append_all(&self, append: &Append) -> Result<Head, StoreError> {
        let signer = self.signer()?;
        let prepared = Prepared::of(append)?;
        let leaf = prepared.last_leaf();
        let _turn = self.writing.lock().await;
        let (mut transaction, mut frontier, before) = self.begin().await?;
        let Added { events, tiles, head } = prepared.add(before, &mut frontier)?;
        rows::events(&mut transaction, events).await?;
        rows::tiles(&mut transaction, tiles).await?;
        put_records(&mut transaction, &append.records, before.no).await?;
        rows::documents(&mut transaction, &append.documents).await?;
        if !append.events.is_empty() {
            keep_frontier(&mut transaction, &frontier).await?;
            keep_checkpoint(&mut transaction, &signer.sign(&frontier, append.at)).await?;
            tell(&mut transaction, frontier.size()).await?;
        }
        let Err(error) = transaction.commit().await.map_err(failed) else { return Ok(head) };
        match (error, &leaf) {
            (StoreError::Unavailable(why), Some(leaf)) => self.heard_no_end(&why, head, leaf).await,
            (error, _) => Err(error),
        }
    }

    /// The connection broke off while the transaction was to be committed: it may be kept or not. The event at
    /// its end says which.
    async fn heard_no_end(&self, why: &str, head: Head, leaf: &Hash) -> Result<Head, StoreError> {
        for _ in 0..ASKED {
            tokio::time::sleep(APART).await;
            // With the lock: a transaction that has no client any more may still be on its way to its end.
            let Ok((mut transaction, _, _)) = self.begin().await else { continue };
            let found: Option<Vec<u8>> = sqlx::query_scalar("SELECT leaf FROM events WHERE seq = $1")
                .bind(signed(head.seq))
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
            return match found {
                Some(found) if found == leaf => Ok(head),
                _ => Err(StoreError::Unavailable(format!("{why}; nothing was changed"))),
            };
        }
        Err(StoreError::Unavailable(format!("{why}; whether it was kept is not known")))
    }

    /// Begins a transaction that may write, alone of all servers, and says where the log ends.
    async fn begin(&self) -> Result<(Transaction<'static, Postgres>, Frontier, Head), StoreError> {
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let frontier = locked_frontier(&mut transaction).await?;
        // In a statement of its own: one that has waited for the lock still sees what was there before.
        let before = head(&mut transaction).await?;
        frontier.check(before)?;
        Ok((transaction, frontier, before))
    }

    /// Puts other projections in the place of those that are there.
    pub(crate) async fn replace_all(&self, at: u64, source: &mut dyn RecordSource) -> Result<(), StoreError> {
        self.signer()?;
        let _turn = self.writing.lock().await;
        let (mut transaction, _, before) = self.begin().await?;
        if before.seq != at {
            return Err(StoreError::Behind(before.seq));
        }
        // Not by TRUNCATE: others go on reading the old ones until the new ones are there.
        let clear = "DELETE FROM records; DELETE FROM keys; DELETE FROM scopes";
        sqlx::raw_sql(clear).execute(&mut *transaction).await.map_err(failed)?;
        while let Some(records) = source.next().await? {
            put_records(&mut transaction, &records, 0).await?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Fills the store, which must be empty, from another one.
    pub(crate) async fn take_all(&self, source: &dyn Store) -> Result<Head, StoreError> {
        let signer = self.signer()?;
        let mut carrier = Carrier::new(source).await?;
        let _turn = self.writing.lock().await;
        let (mut transaction, _, before) = self.begin().await?;
        if before.seq > 0 {
            return Err(StoreError::Behind(before.seq));
        }
        while let Some(carried) = carrier.events().await? {
            let events = carried.events.into_iter();
            let events = events.map(|(e, batch)| (e.seq, e.record, batch, e.leaf, e.body)).collect();
            rows::events(&mut transaction, events).await?;
            rows::tiles(&mut transaction, carried.tiles).await?;
        }
        while let Some(records) = carrier.records().await? {
            put_records(&mut transaction, &records, 0).await?;
        }
        while let Some(documents) = carrier.documents().await? {
            rows::documents(&mut transaction, &documents).await?;
        }
        while let Some((digest, bytes)) = carrier.file().await? {
            sqlx::query("INSERT INTO files (digest, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(digest)
                .bind(bytes)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        let (frontier, checkpoints) = carrier.end(Some(signer)).await?;
        keep_frontier(&mut transaction, &frontier).await?;
        for checkpoint in &checkpoints {
            insert_checkpoint(&mut transaction, checkpoint).await?;
        }
        let after = head(&mut transaction).await?;
        tell(&mut transaction, after.seq).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(after)
    }

    /// Signs what is there with the new key and notes that it signs from now on.
    pub(crate) async fn change_signer(&self) -> Result<(), StoreError> {
        let signer = self.signer()?;
        let (mut transaction, frontier, _) = self.begin().await?;
        let at: Option<i64> = sqlx::query_scalar("SELECT at FROM checkpoints ORDER BY no DESC LIMIT 1")
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        if let Some(at) = at {
            keep_checkpoint(&mut transaction, &signer.sign(&frontier, at)).await?;
        }
        sqlx::query("UPDATE tree SET signer = $1")
            .bind(signer.public_key().to_vec())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}

/// How far the log goes, by the log itself.
pub(crate) async fn head(connection: &mut PgConnection) -> Result<Head, StoreError> {
    let sql = "SELECT (SELECT max(seq) FROM events), (SELECT max(record) FROM events)";
    let (seq, no): (Option<i64>, Option<i64>) =
        sqlx::query_as(sql).fetch_one(connection).await.map_err(failed)?;
    Ok(Head { seq: unsigned(seq.unwrap_or_default())?, no: record_number(no.unwrap_or_default())? })
}

/// The tree's right edge. Nobody else appends until the transaction is over.
async fn locked_frontier(connection: &mut PgConnection) -> Result<Frontier, StoreError> {
    let sql = "SELECT size, peaks FROM tree FOR UPDATE";
    let row: Option<(i64, Vec<u8>)> = sqlx::query_as(sql).fetch_optional(connection).await.map_err(failed)?;
    let damaged = || StoreError::Damaged("the state of the tree is gone: run the audit".to_owned());
    let (size, peaks) = row.ok_or_else(damaged)?;
    Frontier::from_bytes(unsigned(size)?, &peaks).ok_or_else(damaged)
}

async fn keep_frontier(connection: &mut PgConnection, frontier: &Frontier) -> Result<(), StoreError> {
    sqlx::query("UPDATE tree SET size = $1, peaks = $2")
        .bind(signed(frontier.size()))
        .bind(frontier.to_bytes())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Tells every server where the log ends, when the transaction is committed.
async fn tell(connection: &mut PgConnection, seq: u64) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(seq.to_string())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn insert_checkpoint(connection: &mut PgConnection, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO checkpoints (size, root, at, signature) VALUES ($1, $2, $3, $4)")
        .bind(signed(checkpoint.size))
        .bind(&checkpoint.root)
        .bind(checkpoint.at)
        .bind(&checkpoint.signature)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn keep_checkpoint(connection: &mut PgConnection, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let size = signed(checkpoint.size);
    let before: Option<i64> = sqlx::query_scalar("SELECT max(size) FROM checkpoints")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    insert_checkpoint(connection, checkpoint).await?;
    if let Some(thin) = thinned(before.unwrap_or(size), size) {
        let sql = "DELETE FROM checkpoints WHERE size > $1 AND size <= $2 AND no NOT IN (
                       SELECT max(no) FROM checkpoints WHERE size > $1 AND size <= $2 GROUP BY (size - 1) / $3)";
        let query = sqlx::query(sql).bind(thin.after).bind(thin.to).bind(thin.block);
        query.execute(connection).await.map_err(failed)?;
    }
    Ok(())
}

/// Keeps records and their keys. None with a number above `known` is there yet.
async fn put_records(
    connection: &mut PgConnection,
    records: &[Record],
    known: u32,
) -> Result<(), StoreError> {
    rows::records(connection, bodies(records)?.into_iter().collect()).await?;

    let mut keyed: Vec<(u32, String, String)> = Vec::new();
    for record in records {
        keyed.extend(record.keys().into_iter().map(|(scope, key)| (record.id.no, scope, key)));
    }
    let names: BTreeSet<Vec<u8>> = keyed.iter().map(|(_, scope, _)| scope.clone().into_bytes()).collect();
    let scopes = scope_ids(connection, names.into_iter().collect()).await?;
    let mut wanted: BTreeSet<rows::Key> = BTreeSet::new();
    for (no, scope, key) in keyed {
        let scope = scopes.get(scope.as_bytes()).copied();
        let scope = scope.ok_or_else(|| StoreError::Damaged("a scope has no number".to_owned()))?;
        wanted.insert((scope, key.into_bytes(), no));
    }
    let old: Vec<i64> = records.iter().map(|r| r.id.no).filter(|no| *no <= known).map(i64::from).collect();
    let mut there: BTreeSet<rows::Key> = BTreeSet::new();
    if !old.is_empty() {
        let sql = "SELECT scope, key, no FROM keys WHERE no = ANY($1)";
        let found: Vec<(i64, Vec<u8>, i64)> =
            sqlx::query_as(sql).bind(old).fetch_all(&mut *connection).await.map_err(failed)?;
        for (scope, key, no) in found {
            there.insert((scope, key, record_number(no)?));
        }
    }
    rows::remove_keys(connection, there.difference(&wanted).cloned().collect()).await?;
    rows::keys(connection, wanted.difference(&there).cloned().collect()).await
}

/// The numbers of scopes, which those get that have none.
async fn scope_ids(
    connection: &mut PgConnection,
    names: Vec<Vec<u8>>,
) -> Result<HashMap<Vec<u8>, i64>, StoreError> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let find = "SELECT name, id FROM scopes WHERE name = ANY($1)";
    let there: Vec<(Vec<u8>, i64)> =
        sqlx::query_as(find).bind(&names).fetch_all(&mut *connection).await.map_err(failed)?;
    let mut found: HashMap<Vec<u8>, i64> = there.into_iter().collect();
    let new: Vec<Vec<u8>> = names.into_iter().filter(|name| !found.contains_key(name)).collect();
    if !new.is_empty() {
        let sql = "INSERT INTO scopes (name) SELECT * FROM unnest($1::bytea[]) RETURNING name, id";
        let made: Vec<(Vec<u8>, i64)> =
            sqlx::query_as(sql).bind(new).fetch_all(connection).await.map_err(failed)?;
        found.extend(made);
    }
    Ok(found)
}
