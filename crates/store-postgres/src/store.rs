//! The store's trait, by SQL. Every read goes by a primary key or an index.

use std::path::Path;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use wardroom_desk::{Event, Millis, Record};
use wardroom_store::{
    Append, Checkpoint, Document, Hash, Head, RecordSource, Store, StoreError, StoredEvent, ledger,
    record_number, signed, unsigned,
};

use crate::failure::failed;
use crate::write;
use crate::{PostgresStore, rows};

/// A value from its stored JSON.
fn read<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(body).map_err(|e| StoreError::Damaged(format!("{what} cannot be read: {e}")))
}

fn read_all<T: DeserializeOwned>(what: &str, bodies: &[Vec<u8>]) -> Result<Vec<T>, StoreError> {
    bodies.iter().map(|body| read(what, body)).collect()
}

fn hash(bytes: Vec<u8>) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("a hash of the tree has not 32 bytes".to_owned()))
}

fn text(bytes: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(|_| StoreError::Damaged("a text is no UTF-8".to_owned()))
}

type StoredRow = (i64, i64, Vec<u8>, Vec<u8>);

fn stored((seq, record, body, leaf): StoredRow) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent { seq: unsigned(seq)?, record: record_number(record)?, body, leaf: hash(leaf)? })
}

type Row = (Vec<u8>, Vec<u8>, Option<Vec<u8>>, Vec<u8>, Option<Millis>);

fn document((collection, key, owner, body, expires): Row) -> Result<Document, StoreError> {
    let (collection, key) = (text(collection)?, text(key)?);
    let body = read(&format!("document {collection} {key}"), &body)?;
    Ok(Document { collection, key, owner: owner.map(text).transpose()?, body, expires })
}

fn keyed(rows: Vec<(Vec<u8>, i64)>) -> Result<Vec<(String, u32)>, StoreError> {
    rows.into_iter().map(|(key, no)| Ok((text(key)?, record_number(no)?))).collect()
}

/// A row of checkpoints: size, root, time, signature.
type Signed = (i64, String, Millis, String);

fn checkpoint((size, root, at, signature): Signed) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint { size: unsigned(size)?, root, at, signature })
}

#[async_trait]
impl Store for PostgresStore {
    async fn append(&self, append: &Append) -> Result<Head, StoreError> {
        self.append_all(append).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        write::head(&mut connection).await
    }

    async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let sql = "SELECT body FROM events WHERE seq > $1 ORDER BY seq LIMIT $2";
        let query = sqlx::query_scalar(sql).bind(signed(after)).bind(i64::from(limit));
        let bodies: Vec<Vec<u8>> = query.fetch_all(&self.pool).await.map_err(failed)?;
        read_all("an event", &bodies)
    }

    async fn event(&self, seq: u64) -> Result<Option<Event>, StoreError> {
        let query = sqlx::query_scalar("SELECT body FROM events WHERE seq = $1").bind(signed(seq));
        let body: Option<Vec<u8>> = query.fetch_optional(&self.pool).await.map_err(failed)?;
        body.map(|body| read(&format!("event {seq}"), &body)).transpose()
    }

    async fn timeline(&self, record: u32, after: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let sql = "SELECT body FROM events WHERE record = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let query =
            sqlx::query_scalar(sql).bind(i64::from(record)).bind(signed(after)).bind(i64::from(limit));
        let bodies: Vec<Vec<u8>> = query.fetch_all(&self.pool).await.map_err(failed)?;
        read_all("an event", &bodies)
    }

    async fn batch(&self, batch: u64) -> Result<Vec<Event>, StoreError> {
        let query =
            sqlx::query_scalar("SELECT body FROM events WHERE batch = $1 ORDER BY seq").bind(signed(batch));
        let bodies: Vec<Vec<u8>> = query.fetch_all(&self.pool).await.map_err(failed)?;
        read_all("an event", &bodies)
    }

    async fn by_record(&self, after: (u32, u64), limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = "SELECT seq, record, body, leaf FROM events WHERE (record, seq) > ($1, $2)
                   ORDER BY record, seq LIMIT $3";
        let query = sqlx::query_as(sql).bind(i64::from(after.0)).bind(signed(after.1)).bind(i64::from(limit));
        let rows: Vec<StoredRow> = query.fetch_all(&self.pool).await.map_err(failed)?;
        rows.into_iter().map(stored).collect()
    }

    async fn record(&self, no: u32) -> Result<Option<Record>, StoreError> {
        let query = sqlx::query_scalar("SELECT body FROM records WHERE no = $1").bind(i64::from(no));
        let body: Option<Vec<u8>> = query.fetch_optional(&self.pool).await.map_err(failed)?;
        body.map(|body| read(&format!("record {no}"), &body)).transpose()
    }

    async fn records(&self, nos: &[u32]) -> Result<Vec<Record>, StoreError> {
        if nos.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "SELECT r.body FROM unnest($1::bigint[]) WITH ORDINALITY AS asked (no, place)
                   JOIN records r ON r.no = asked.no ORDER BY asked.place";
        let nos: Vec<i64> = nos.iter().map(|no| i64::from(*no)).collect();
        let bodies: Vec<Vec<u8>> =
            sqlx::query_scalar(sql).bind(nos).fetch_all(&self.pool).await.map_err(failed)?;
        read_all("a record", &bodies)
    }

    async fn records_after(&self, after: u32, limit: u32) -> Result<Vec<Record>, StoreError> {
        let sql = "SELECT body FROM records WHERE no > $1 ORDER BY no LIMIT $2";
        let query = sqlx::query_scalar(sql).bind(i64::from(after)).bind(i64::from(limit));
        let bodies: Vec<Vec<u8>> = query.fetch_all(&self.pool).await.map_err(failed)?;
        read_all("a record", &bodies)
    }

    async fn find(&self, scope: &str, keys: &[String]) -> Result<Vec<(String, u32)>, StoreError> {
        let sql = "SELECT key, no FROM keys
                   WHERE scope = (SELECT id FROM scopes WHERE name = $1) AND key = ANY($2)";
        let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
        let query = sqlx::query_as(sql).bind(scope.as_bytes()).bind(keys);
        keyed(query.fetch_all(&self.pool).await.map_err(failed)?)
    }

    async fn scope(&self, scope: &str) -> Result<Vec<(String, u32)>, StoreError> {
        let sql =
            "SELECT key, no FROM keys WHERE scope = (SELECT id FROM scopes WHERE name = $1) ORDER BY key, no";
        let query = sqlx::query_as(sql).bind(scope.as_bytes());
        keyed(query.fetch_all(&self.pool).await.map_err(failed)?)
    }

    async fn scopes(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        // By length and not by pattern: a prefix may hold what a pattern gives another meaning.
        let sql =
            "SELECT name FROM scopes WHERE name >= $1 AND substring(name FROM 1 FOR octet_length($1)) = $1
                   AND EXISTS (SELECT 1 FROM keys WHERE scope = id) ORDER BY name";
        let query = sqlx::query_scalar(sql).bind(prefix.as_bytes());
        let names: Vec<Vec<u8>> = query.fetch_all(&self.pool).await.map_err(failed)?;
        names.into_iter().map(text).collect()
    }

    async fn replace_records(&self, head: u64, source: &mut dyn RecordSource) -> Result<(), StoreError> {
        self.replace_all(head, source).await
    }

    async fn put_file(&self, digest: &str, bytes: &[u8]) -> Result<(), StoreError> {
        if ledger::digest(bytes) != digest {
            return Err(StoreError::Other(format!("the file's SHA-256 is not {digest}")));
        }
        sqlx::query("INSERT INTO files (digest, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(digest)
            .bind(bytes)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn file(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar("SELECT bytes FROM files WHERE digest = $1").bind(digest);
        let bytes: Option<Vec<u8>> = query.fetch_optional(&self.pool).await.map_err(failed)?;
        match bytes {
            Some(bytes) if ledger::digest(&bytes) != digest => {
                Err(StoreError::Damaged(format!("file {digest} no longer has that SHA-256")))
            }
            bytes => Ok(bytes),
        }
    }

    async fn put(&self, document: &Document) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        rows::documents(&mut connection, std::slice::from_ref(document)).await
    }

    async fn put_new(&self, document: &Document, now: Millis) -> Result<bool, StoreError> {
        let sql = "INSERT INTO documents (collection, key, owner, body, expires) VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (collection, key) DO UPDATE SET owner = excluded.owner, body = excluded.body,
                   expires = excluded.expires WHERE documents.expires <= $6";
        let done = sqlx::query(sql)
            .bind(document.collection.as_bytes())
            .bind(document.key.as_bytes())
            .bind(document.owner.as_ref().map(String::as_bytes))
            .bind(document.body.to_string().into_bytes())
            .bind(document.expires)
            .bind(now)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    async fn get(&self, collection: &str, key: &str, now: Millis) -> Result<Option<Document>, StoreError> {
        let sql = "SELECT collection, key, owner, body, expires FROM documents
                   WHERE collection = $1 AND key = $2 AND (expires IS NULL OR expires > $3)";
        let query = sqlx::query_as(sql).bind(collection.as_bytes()).bind(key.as_bytes()).bind(now);
        let row: Option<Row> = query.fetch_optional(&self.pool).await.map_err(failed)?;
        row.map(document).transpose()
    }

    async fn list(
        &self,
        collection: &str,
        owner: Option<&str>,
        now: Millis,
    ) -> Result<Vec<Document>, StoreError> {
        let all = "SELECT collection, key, owner, body, expires FROM documents
                   WHERE collection = $1 AND (expires IS NULL OR expires > $2) ORDER BY key";
        let owned = "SELECT collection, key, owner, body, expires FROM documents
                     WHERE collection = $1 AND owner = $3 AND (expires IS NULL OR expires > $2) ORDER BY key";
        let sql = if owner.is_some() { owned } else { all };
        let query = sqlx::query_as(sql).bind(collection.as_bytes()).bind(now);
        let query = if let Some(owner) = owner { query.bind(owner.as_bytes()) } else { query };
        let rows: Vec<Row> = query.fetch_all(&self.pool).await.map_err(failed)?;
        rows.into_iter().map(document).collect()
    }

    async fn remove(&self, collection: &str, key: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM documents WHERE collection = $1 AND key = $2";
        let query = sqlx::query(sql).bind(collection.as_bytes()).bind(key.as_bytes());
        Ok(query.execute(&self.pool).await.map_err(failed)?.rows_affected() > 0)
    }

    async fn sweep(&self, now: Millis) -> Result<u64, StoreError> {
        let query = sqlx::query("DELETE FROM documents WHERE expires <= $1").bind(now);
        Ok(query.execute(&self.pool).await.map_err(failed)?.rows_affected())
    }

    async fn stored(&self, after: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = "SELECT seq, record, body, leaf FROM events WHERE seq > $1 ORDER BY seq LIMIT $2";
        let query = sqlx::query_as(sql).bind(signed(after)).bind(i64::from(limit));
        let rows: Vec<StoredRow> = query.fetch_all(&self.pool).await.map_err(failed)?;
        rows.into_iter().map(stored).collect()
    }

    async fn tiles(&self, level: u8, from: u64, limit: u32) -> Result<Vec<(u64, Hash)>, StoreError> {
        let leaves = "SELECT seq - 1, leaf FROM events WHERE seq > $1 ORDER BY seq LIMIT $2";
        let tiles = "SELECT no, hash FROM tiles WHERE level = $3 AND no >= $1 ORDER BY no LIMIT $2";
        let sql = if level == 0 { leaves } else { tiles };
        let query = sqlx::query_as(sql).bind(signed(from)).bind(i64::from(limit));
        let query = if level == 0 { query } else { query.bind(i16::from(level)) };
        let rows: Vec<(i64, Vec<u8>)> = query.fetch_all(&self.pool).await.map_err(failed)?;
        rows.into_iter().map(|(no, bytes)| Ok((unsigned(no)?, hash(bytes)?))).collect()
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let sql = "SELECT size, root, at, signature FROM checkpoints ORDER BY no";
        let rows: Vec<Signed> = sqlx::query_as(sql).fetch_all(&self.pool).await.map_err(failed)?;
        rows.into_iter().map(checkpoint).collect()
    }

    async fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        let sql = "SELECT size, root, at, signature FROM checkpoints ORDER BY no DESC LIMIT 1";
        let row: Option<Signed> = sqlx::query_as(sql).fetch_optional(&self.pool).await.map_err(failed)?;
        row.map(checkpoint).transpose()
    }

    async fn grown(&self, after: u64) -> Result<u64, StoreError> {
        self.wait_for_more(after).await
    }

    async fn documents(&self, collection: &str, key: &str, limit: u32) -> Result<Vec<Document>, StoreError> {
        let sql = "SELECT collection, key, owner, body, expires FROM documents
                   WHERE (collection, key) > ($1, $2) ORDER BY collection, key LIMIT $3";
        let query =
            sqlx::query_as(sql).bind(collection.as_bytes()).bind(key.as_bytes()).bind(i64::from(limit));
        let rows: Vec<Row> = query.fetch_all(&self.pool).await.map_err(failed)?;
        rows.into_iter().map(document).collect()
    }

    async fn digests(&self, after: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT digest FROM files WHERE digest > $1 ORDER BY digest LIMIT $2";
        let query = sqlx::query_scalar(sql).bind(after).bind(i64::from(limit));
        query.fetch_all(&self.pool).await.map_err(failed)
    }

    async fn take_over(&self, source: &dyn Store) -> Result<Head, StoreError> {
        self.take_all(source).await
    }

    async fn backup(&self, _to: &Path) -> Result<(), StoreError> {
        Err(StoreError::Other(
            "a database is copied while it is in use with pg_dump, and at rest with `wardroom admin export`"
                .to_owned(),
        ))
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        // Nothing lies beside a database; its own server sees to the rest.
        Ok(())
    }

    async fn figures(&self) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT pg_database_size(current_database()), current_setting('server_version')";
        let (bytes, version): (i64, String) =
            sqlx::query_as(sql).fetch_one(&self.pool).await.map_err(failed)?;
        let head = self.head().await?;
        Ok(vec![
            ("bytes on disk".to_owned(), bytes.to_string()),
            ("events".to_owned(), head.seq.to_string()),
            ("records".to_owned(), head.no.to_string()),
            ("schema".to_owned(), crate::schema::newest().to_string()),
            ("PostgreSQL".to_owned(), version),
            ("public key".to_owned(), ledger::to_hex(&self.public_key)),
        ])
    }
}
