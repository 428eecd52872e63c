//! Copies of a store, and putting one back. Neither is believed before it was read again.

use std::fs;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use wardroom_store::key::{self, file_failed};
use wardroom_store::ledger::to_hex;
use wardroom_store::{Head, StoreError};

use crate::failure::{code_of, failed};
use crate::{Options, SqliteStore, open, schema, write};

impl SqliteStore {
    /// Like the trait's `backup`, and copies the signing key to beside the copy where `with_key` is set.
    ///
    /// Without it the copy can be read and audited with the public key, but whoever holds it can sign
    /// nothing. With it, keep the copy as secret as the store.
    pub async fn backup_with(&self, to: &Path, with_key: bool) -> Result<(), StoreError> {
        backup(self, to, with_key).await
    }
}

/// Writes a whole copy while the store is in use, under another name until it is checked.
pub(crate) async fn backup(store: &SqliteStore, to: &Path, with_key: bool) -> Result<(), StoreError> {
    let key_to = key::key_path(to);
    for place in [to, key_to.as_path()] {
        if place.exists() {
            return Err(StoreError::Other(format!("{} is there already", place.display())));
        }
    }
    let draft = key::beside(to, ".part");
    discard(&draft)?;
    // SQLite writes into an empty file that is there, and leaves who may read it.
    key::private(&draft).map_err(|e| file_failed(&draft, &e))?;
    let made = copy_into(store, &draft).await;
    if made.is_err() {
        discard(&draft)?;
    }
    made?;
    if with_key {
        let secret = fs::read(key::key_path(&store.path)).map_err(|e| file_failed(&store.path, &e))?;
        key::private(&key_to)
            .and_then(|mut file| std::io::Write::write_all(&mut file, &secret).and_then(|()| file.sync_all()))
            .map_err(|e| file_failed(&key_to, &e))?;
    }
    fs::rename(&draft, to).map_err(|e| file_failed(to, &e))?;
    key::sync_folder(to)
}

async fn copy_into(store: &SqliteStore, draft: &Path) -> Result<(), StoreError> {
    let options = Options { read_only: false, max_pages: None, ..store.options.clone() };
    let mut connection = open::connect(&store.path, &options).connect().await.map_err(failed)?;
    let name = draft.to_str().ok_or_else(|| {
        StoreError::Other(format!("{}: the name of a backup must be UTF-8", draft.display()))
    })?;
    sqlx::query("VACUUM INTO ?").bind(name).execute(&mut connection).await.map_err(failed)?;
    // SQLite does not wait for the disk here.
    fs::File::open(draft).and_then(|file| file.sync_all()).map_err(|e| file_failed(draft, &e))?;
    let copied = verify_copy(draft).await?;
    // The store may have grown since, but what it said of its root at that size it still says.
    let same: Option<i64> = sqlx::query_scalar("SELECT 1 FROM checkpoints WHERE size = ? AND root = ?")
        .bind(wardroom_store::signed(copied.head.seq))
        .bind(&copied.root)
        .fetch_optional(&mut connection)
        .await
        .map_err(failed)?;
    if same.is_none() && copied.head.seq > 0 {
        return Err(StoreError::Damaged(format!(
            "the copy's root at event {} is not the one that was signed: run the audit on the store",
            copied.head.seq
        )));
    }
    connection.close().await.map_err(failed)
}

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// How far its log goes.
    pub head: Head,
    /// Its root, in hex.
    pub root: String,
}

/// Reads a copy again: that SQLite finds every page and index right, and that the log ends where the
/// tree and its newest checkpoint say. Whether events were changed is the audit's to find.
pub async fn verify_copy(path: &Path) -> Result<Copied, StoreError> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        // Nobody else has it open: no files are made beside it.
        .immutable(true)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(failed)?;
    let checked = check(&mut connection).await;
    connection.close().await.map_err(failed)?;
    checked
}

async fn check(connection: &mut SqliteConnection) -> Result<Copied, StoreError> {
    let version = schema::version(connection).await?;
    if version > schema::newest() {
        return Err(StoreError::TooNew { found: version, known: schema::newest() });
    }
    if version == 0 {
        return Err(StoreError::Damaged("the file is no store".to_owned()));
    }
    let found: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check(5)").fetch_all(&mut *connection).await.map_err(failed)?;
    if found != ["ok"] {
        return Err(StoreError::Damaged(found.join("; ")));
    }
    let head = write::head(connection).await?;
    let frontier = write::frontier(connection).await?;
    let root = to_hex(&frontier.root());
    let signed: Option<(i64, String)> =
        sqlx::query_as("SELECT size, root FROM checkpoints ORDER BY no DESC LIMIT 1")
            .fetch_optional(connection)
            .await
            .map_err(failed)?;
    let (size, signed) = signed.unwrap_or((0, root.clone()));
    if frontier.size() != head.seq || wardroom_store::unsigned(size)? != head.seq || signed != root {
        return Err(StoreError::Damaged(format!(
            "the log ends at {}, its tree at {}, its newest checkpoint at {size}: run the audit",
            head.seq,
            frontier.size()
        )));
    }
    Ok(Copied { head, root })
}

/// Puts a backup in the place of a store, or where none is. The key file is left as it is.
///
/// A store that is there is only replaced where `overwrite` is set and no process has it open; it is
/// kept until the copy has been checked.
pub async fn restore(from: &Path, to: &Path, overwrite: bool) -> Result<Copied, StoreError> {
    if to.exists() && !overwrite {
        return Err(StoreError::Other(format!(
            "{} is there already: say that it may be replaced",
            to.display()
        )));
    }
    let source = verify_copy(from).await?;
    if to.exists() {
        release(to).await?;
    }
    let draft = key::beside(to, ".part");
    discard(&draft)?;
    let copied = key::private(&draft)
        .and_then(|mut file| {
            std::io::copy(&mut fs::File::open(from)?, &mut file)?;
            file.sync_all()
        })
        .map_err(|e| file_failed(&draft, &e));
    let checked = match copied {
        Ok(()) => verify_copy(&draft).await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(copied) if copied == source => {}
        Ok(_) => {
            discard(&draft)?;
            return Err(StoreError::Other(format!("{} changed while it was copied", from.display())));
        }
        Err(error) => {
            discard(&draft)?;
            return Err(error);
        }
    }
    // What an old store had not yet taken in must not be taken into the new one.
    for end in ["-wal", "-shm"] {
        discard(&key::beside(to, end))?;
    }
    fs::rename(&draft, to).map_err(|e| file_failed(to, &e))?;
    key::sync_folder(to)?;
    Ok(source)
}

/// Makes sure that nobody has a store open: leaving write-ahead mode needs it alone.
async fn release(path: &Path) -> Result<(), StoreError> {
    let connect = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_millis(200));
    let Ok(mut connection) = connect.disable_statement_logging().connect().await else { return Ok(()) };
    let left = sqlx::query("PRAGMA journal_mode = DELETE").fetch_all(&mut connection).await;
    let _ = connection.close().await;
    match left {
        // A damaged store is why it is restored.
        Err(error) if code_of(&error).is_some_and(|code| matches!(code & 0xff, 5 | 6)) => Err(
            StoreError::Unwritable(format!("{} is open in another process: stop that first", path.display())),
        ),
        _ => Ok(()),
    }
}

fn discard(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_failed(path, &error)),
        _ => Ok(()),
    }
}
