//! The store's trait, by SQL. Every read goes by a primary key or an index.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use wardroom_desk::{Event, Millis, Record};
use wardroom_store::{
    Append, Checkpoint, Document, Hash, Head, RecordSource, Store, StoreError, StoredEvent, ledger, signed,
    unsigned,
};

use crate::failure::failed;
use crate::write;
use crate::{SqliteStore, backup};

/// How often the file is looked at for what another process appended.
const LOOK: Duration = Duration::from_millis(500);

/// A value from its stored JSON.
fn read<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(body).map_err(|e| StoreError::Damaged(format!("{what} cannot be read: {e}")))
}

fn read_all<T: DeserializeOwned>(what: &str, bodies: &[Vec<u8>]) -> Result<Vec<T>, StoreError> {
    bodies.iter().map(|body| read(what, body)).collect()
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Other(e.to_string()))
}

fn hash(bytes: Vec<u8>) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("a hash of the tree has not 32 bytes".to_owned()))
}

type StoredRow = (i64, u32, Vec<u8>, Vec<u8>);

fn stored((seq, record, body, leaf): StoredRow) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent { seq: unsigned(seq)?, record, body, leaf: hash(leaf)? })
}

type Row = (String, String, Option<String>, String, Option<Millis>);

fn document((collection, key, owner, body, expires): Row) -> Result<Document, StoreError> {
    let body = read(&format!("document {collection} {key}"), body.as_bytes())?;
    Ok(Document { collection, key, owner, body, expires })
}

#[async_trait]
impl Store for SqliteStore {
    async fn append(&self, append: &Append) -> Result<Head, StoreError> {
        self.append_all(append).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        let mut reader = self.readers.acquire().await.map_err(failed)?;
        write::head(&mut reader).await
    }

    async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let bodies: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT body FROM events WHERE seq > ? ORDER BY seq LIMIT ?")
                .bind(signed(after))
                .bind(limit)
                .fetch_all(&self.readers)
                .await
                .map_err(failed)?;
        read_all("an event", &bodies)
    }

    async fn event(&self, seq: u64) -> Result<Option<Event>, StoreError> {
        let body: Option<Vec<u8>> = sqlx::query_scalar("SELECT body FROM events WHERE seq = ?")
            .bind(signed(seq))
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        body.map(|body| read(&format!("event {seq}"), &body)).transpose()
    }

    async fn timeline(&self, record: u32, after: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let sql = "SELECT body FROM events WHERE record = ? AND seq > ? ORDER BY seq LIMIT ?";
        let bodies: Vec<Vec<u8>> = sqlx::query_scalar(sql)
            .bind(record)
            .bind(signed(after))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        read_all("an event", &bodies)
    }

    async fn batch(&self, batch: u64) -> Result<Vec<Event>, StoreError> {
        let bodies: Vec<Vec<u8>> = sqlx::query_scalar("SELECT body FROM events WHERE batch = ? ORDER BY seq")
            .bind(signed(batch))
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        read_all("an event", &bodies)
    }

    async fn by_record(&self, after: (u32, u64), limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = "SELECT seq, record, body, leaf FROM events WHERE (record, seq) > (?, ?)
                   ORDER BY record, seq LIMIT ?";
        let query = sqlx::query_as(sql).bind(after.0).bind(signed(after.1)).bind(limit);
        let rows: Vec<StoredRow> = query.fetch_all(&self.readers).await.map_err(failed)?;
        rows.into_iter().map(stored).collect()
    }

    async fn record(&self, no: u32) -> Result<Option<Record>, StoreError> {
        let body: Option<Vec<u8>> = sqlx::query_scalar("SELECT body FROM records WHERE no = ?")
            .bind(no)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        body.map(|body| read(&format!("record {no}"), &body)).transpose()
    }

    async fn records(&self, nos: &[u32]) -> Result<Vec<Record>, StoreError> {
        let sql = "SELECT r.body FROM json_each(?) j CROSS JOIN records r ON r.no = j.value ORDER BY j.rowid";
        let bodies: Vec<Vec<u8>> =
            sqlx::query_scalar(sql).bind(json(&nos)?).fetch_all(&self.readers).await.map_err(failed)?;
        read_all("a record", &bodies)
    }

    async fn records_after(&self, after: u32, limit: u32) -> Result<Vec<Record>, StoreError> {
        let bodies: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT body FROM records WHERE no > ? ORDER BY no LIMIT ?")
                .bind(after)
                .bind(limit)
                .fetch_all(&self.readers)
                .await
                .map_err(failed)?;
        read_all("a record", &bodies)
    }

    async fn find(&self, scope: &str, keys: &[String]) -> Result<Vec<(String, u32)>, StoreError> {
        let sql = "SELECT k.key, k.no FROM json_each(?2) j CROSS JOIN keys k
                   ON k.scope = (SELECT id FROM scopes WHERE name = ?1) AND k.key = j.value";
        sqlx::query_as(sql).bind(scope).bind(json(&keys)?).fetch_all(&self.readers).await.map_err(failed)
    }

    async fn scope(&self, scope: &str) -> Result<Vec<(String, u32)>, StoreError> {
        let sql =
            "SELECT key, no FROM keys WHERE scope = (SELECT id FROM scopes WHERE name = ?) ORDER BY key, no";
        sqlx::query_as(sql).bind(scope).fetch_all(&self.readers).await.map_err(failed)
    }

    async fn scopes(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        // By length and not by pattern: a prefix may hold what a pattern gives another meaning.
        let sql = "SELECT name FROM scopes WHERE name >= ?1 AND substr(name, 1, length(?1)) = ?1
                   AND EXISTS (SELECT 1 FROM keys WHERE scope = id) ORDER BY name";
        sqlx::query_scalar(sql).bind(prefix).fetch_all(&self.readers).await.map_err(failed)
    }

    async fn replace_records(&self, head: u64, source: &mut dyn RecordSource) -> Result<(), StoreError> {
        self.replace_all(head, source).await
    }

    async fn put_file(&self, digest: &str, bytes: &[u8]) -> Result<(), StoreError> {
        if ledger::digest(bytes) != digest {
            return Err(StoreError::Other(format!("the file's SHA-256 is not {digest}")));
        }
        let mut writer = self.writer.lock().await;
        sqlx::query("INSERT INTO files (digest, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(digest)
            .bind(bytes)
            .execute(&mut *writer)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn file(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes: Option<Vec<u8>> = sqlx::query_scalar("SELECT bytes FROM files WHERE digest = ?")
            .bind(digest)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        match bytes {
            Some(bytes) if ledger::digest(&bytes) != digest => {
                Err(StoreError::Damaged(format!("file {digest} no longer has that SHA-256")))
            }
            bytes => Ok(bytes),
        }
    }

    async fn put(&self, document: &Document) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        write::put_documents(&mut writer, std::slice::from_ref(document)).await
    }

    async fn put_new(&self, document: &Document, now: Millis) -> Result<bool, StoreError> {
        let sql = "INSERT INTO documents (collection, key, owner, body, expires) VALUES (?, ?, ?, ?, ?)
                   ON CONFLICT DO UPDATE SET owner = excluded.owner, body = excluded.body, expires = excluded.expires
                   WHERE documents.expires <= ?";
        let mut writer = self.writer.lock().await;
        let done = sqlx::query(sql)
            .bind(&document.collection)
            .bind(&document.key)
            .bind(&document.owner)
            .bind(document.body.to_string())
            .bind(document.expires)
            .bind(now)
            .execute(&mut *writer)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    async fn get(&self, collection: &str, key: &str, now: Millis) -> Result<Option<Document>, StoreError> {
        let sql = "SELECT collection, key, owner, body, expires FROM documents
                   WHERE collection = ? AND key = ? AND (expires IS NULL OR expires > ?)";
        let row: Option<Row> = sqlx::query_as(sql)
            .bind(collection)
            .bind(key)
            .bind(now)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        row.map(document).transpose()
    }

    async fn list(
        &self,
        collection: &str,
        owner: Option<&str>,
        now: Millis,
    ) -> Result<Vec<Document>, StoreError> {
        let all = "SELECT collection, key, owner, body, expires FROM documents
                   WHERE collection = ?1 AND (expires IS NULL OR expires > ?2) ORDER BY key";
        let owned = "SELECT collection, key, owner, body, expires FROM documents
                     WHERE collection = ?1 AND owner = ?3 AND (expires IS NULL OR expires > ?2) ORDER BY key";
        let query = sqlx::query_as(if owner.is_some() { owned } else { all }).bind(collection).bind(now);
        let query = if let Some(owner) = owner { query.bind(owner) } else { query };
        let rows: Vec<Row> = query.fetch_all(&self.readers).await.map_err(failed)?;
        rows.into_iter().map(document).collect()
    }

    async fn remove(&self, collection: &str, key: &str) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock().await;
        let done = sqlx::query("DELETE FROM documents WHERE collection = ? AND key = ?")
            .bind(collection)
            .bind(key)
            .execute(&mut *writer)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    async fn sweep(&self, now: Millis) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        let done = sqlx::query("DELETE FROM documents WHERE expires <= ?")
            .bind(now)
            .execute(&mut *writer)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected())
    }

    async fn stored(&self, after: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = "SELECT seq, record, body, leaf FROM events WHERE seq > ? ORDER BY seq LIMIT ?";
        let query = sqlx::query_as(sql).bind(signed(after)).bind(limit);
        let rows: Vec<StoredRow> = query.fetch_all(&self.readers).await.map_err(failed)?;
        rows.into_iter().map(stored).collect()
    }

    async fn tiles(&self, level: u8, from: u64, limit: u32) -> Result<Vec<(u64, Hash)>, StoreError> {
        let leaves = "SELECT seq - 1, leaf FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let tiles = "SELECT no, hash FROM tiles WHERE level = ?3 AND no >= ?1 ORDER BY no LIMIT ?2";
        let query = sqlx::query_as(if level == 0 { leaves } else { tiles }).bind(signed(from)).bind(limit);
        let query = if level == 0 { query } else { query.bind(level) };
        let rows: Vec<(i64, Vec<u8>)> = query.fetch_all(&self.readers).await.map_err(failed)?;
        rows.into_iter().map(|(no, bytes)| Ok((unsigned(no)?, hash(bytes)?))).collect()
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let sql = "SELECT size, root, at, signature FROM checkpoints ORDER BY no";
        let rows: Vec<Signed> = sqlx::query_as(sql).fetch_all(&self.readers).await.map_err(failed)?;
        rows.into_iter().map(checkpoint).collect()
    }

    async fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        let sql = "SELECT size, root, at, signature FROM checkpoints ORDER BY no DESC LIMIT 1";
        let row: Option<Signed> = sqlx::query_as(sql).fetch_optional(&self.readers).await.map_err(failed)?;
        row.map(checkpoint).transpose()
    }

    async fn grown(&self, after: u64) -> Result<u64, StoreError> {
        // A file tells nobody that it has changed: it is looked at.
        loop {
            let seq: Option<i64> = sqlx::query_scalar("SELECT max(seq) FROM events")
                .fetch_one(&self.readers)
                .await
                .map_err(failed)?;
            let seq = unsigned(seq.unwrap_or_default())?;
            if seq > after {
                return Ok(seq);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn documents(&self, collection: &str, key: &str, limit: u32) -> Result<Vec<Document>, StoreError> {
        let sql = "SELECT collection, key, owner, body, expires FROM documents
                   WHERE (collection, key) > (?, ?) ORDER BY collection, key LIMIT ?";
        let query = sqlx::query_as(sql).bind(collection).bind(key).bind(limit);
        let rows: Vec<Row> = query.fetch_all(&self.readers).await.map_err(failed)?;
        rows.into_iter().map(document).collect()
    }

    async fn digests(&self, after: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT digest FROM files WHERE digest > ? ORDER BY digest LIMIT ?")
            .bind(after)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)
    }

    async fn take_over(&self, source: &dyn Store) -> Result<Head, StoreError> {
        self.take_all(source).await
    }

    async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        backup::backup(self, to, false).await
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *writer).await.map_err(failed)?;
        Ok(())
    }

    async fn figures(&self) -> Result<Vec<(String, String)>, StoreError> {
        let size = |end: &str| {
            std::fs::metadata(wardroom_store::key::beside(&self.path, end)).map_or(0, |m| m.len())
        };
        let head = self.head().await?;
        let mut figures = vec![
            ("bytes on disk".to_owned(), (size("") + size("-wal")).to_string()),
            ("events".to_owned(), head.seq.to_string()),
        ];
        // Counting rows reads them all; the records are counted by their numbers, which have no gaps.
        figures.push(("records".to_owned(), head.no.to_string()));
        figures.push(("schema".to_owned(), crate::schema::newest().to_string()));
        figures.push(("public key".to_owned(), ledger::to_hex(&self.public_key)));
        Ok(figures)
    }
}

/// A row of checkpoints: size, root, time, signature.
type Signed = (i64, String, Millis, String);

fn checkpoint((size, root, at, signature): Signed) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint { size: unsigned(size)?, root, at, signature })
}
