//! Opening a store: its file, its connections, its schema and its key.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::Mutex;
use wardroom_store::StoreError;
use wardroom_store::key::{self, file_failed};
use wardroom_store::ledger::{PublicKey, Signer};

use crate::failure::failed;
use crate::{SqliteStore, schema};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only reads: for an audit, or beside the process that writes.
    pub read_only: bool,
    /// Makes a new key where the old one is lost. What was signed before is then checked with the old
    /// public key, so an auditor must know both.
    pub new_key: bool,
    /// For a copy of a store that has this public key: a new file gets no key of its own, so that it can be
    /// filled once and nothing appended to it until the other store's key lies beside it.
    pub copy_of: Option<PublicKey>,
    /// Connections that read at the same time.
    pub readers: u32,
    /// How long to wait while another process writes.
    pub patience: Duration,
    /// The most pages of 8 KiB that the file may have; none for as many as the disk holds.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            read_only: false,
            new_key: false,
            copy_of: None,
            readers: 4,
            patience: Duration::from_secs(10),
            max_pages: None,
        }
    }
}

/// Bytes of a page: three events of usual size fit, of which 4 KiB would hold one and waste the rest.
const PAGE: u32 = 8192;

/// Cache of one connection in KiB. All of them together stay under 50 MB.
const WRITER_CACHE: i32 = 16 * 1024;
const READER_CACHE: i32 = 6 * 1024;

/// The file's mark in its header, so that another program's database is not taken for a store: `Ward`.
pub(crate) const APPLICATION: i32 = 0x5761_7264;

/// What all connections share.
pub(crate) fn connect(path: &Path, options: &Options) -> SqliteConnectOptions {
    let mut connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .read_only(options.read_only)
        .busy_timeout(options.patience)
        .foreign_keys(true)
        // Not mapped into memory: a file that is cut off while it is mapped ends the process by a
        // signal, where reading it gives an error.
        .pragma("mmap_size", "0")
        .pragma("trusted_schema", "OFF")
        .pragma("cache_size", format!("-{READER_CACHE}"))
        .disable_statement_logging();
    if options.read_only && !writable_beside(path) {
        // SQLite makes files beside the store even to read it; where it cannot, and none is there,
        // nobody can be writing either.
        connect = connect.immutable(true);
    }
    connect
}

fn writable_beside(path: &Path) -> bool {
    if key::beside(path, "-wal").exists() {
        return true;
    }
    let probe = key::beside(path, &format!(".probe{}", std::process::id()));
    let made = key::private(&probe).is_ok();
    let _ = std::fs::remove_file(&probe);
    made
}

pub(crate) fn connect_writer(path: &Path, options: &Options) -> SqliteConnectOptions {
    let mut connect = connect(path, options);
    if !options.read_only {
        connect = connect
            .page_size(PAGE)
            .journal_mode(SqliteJournalMode::Wal)
            // In this mode FULL is what makes a commit outlive a power cut: NORMAL would lose the last
            // events after their writer was told that they are kept, and with them a signed checkpoint.
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", "67108864")
            .pragma("cache_size", format!("-{WRITER_CACHE}"));
    }
    if let Some(most) = options.max_pages {
        connect = connect.pragma("max_page_count", most.to_string());
    }
    connect
}

impl SqliteStore {
    /// Makes a new store with its key beside it. There must be no file at the path.
    pub async fn create(path: &Path, options: &Options) -> Result<SqliteStore, StoreError> {
        // Made here and not by SQLite, which would let others read it.
        key::private(path).map_err(|e| file_failed(path, &e))?;
        SqliteStore::open(path, options).await
    }

    /// Opens a store that is there, and brings its schema up to this version's. An empty file becomes
    /// a new store.
    pub async fn open(path: &Path, options: &Options) -> Result<SqliteStore, StoreError> {
        if !path.exists() {
            return Err(StoreError::Other(format!("there is no store at {}", path.display())));
        }
        let found = look(path, options).await?;
        let mut signer = key::read(&key::key_path(path))?;
        let mut writer = connect_writer(path, options).connect().await.map_err(failed)?;
        if options.read_only {
            if found < schema::newest() {
                return Err(StoreError::Unwritable(format!(
                    "its schema has version {found} and must be brought to {} first: open it for writing once",
                    schema::newest()
                )));
            }
        } else {
            schema::migrate(&mut writer).await?;
        }
        let fresh = signers(&mut writer).await?.is_none();
        let keyless = fresh && options.copy_of.is_some();
        if signer.is_none() && !options.read_only && !keyless && (fresh || options.new_key) {
            signer = Some(key::make(&key::key_path(path))?);
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers.max(1))
            // Opening a file costs nothing worth keeping old connections for, and asking each whether
            // it lives costs a round trip per read.
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(connect(path, options).pragma("query_only", "ON"));
        let store = SqliteStore {
            path: path.to_owned(),
            options: options.clone(),
            public_key: [0; 32],
            signer,
            writer: Mutex::new(writer),
            readers,
        };
        store.settle_key().await
    }

    /// Ends the connections. What was appended is safe without it too; it tidies up the files beside
    /// the store.
    pub async fn close(self) -> Result<(), StoreError> {
        self.readers.close().await;
        self.writer.into_inner().close().await.map_err(failed)
    }

    /// Sees to it that the key at hand is the one that signs, and takes a new one over where that was
    /// asked for.
    async fn settle_key(mut self) -> Result<SqliteStore, StoreError> {
        let mut writer = self.writer.lock().await;
        let known = signers(&mut writer).await?;
        let ours = self.signer.as_ref().map(Signer::public_key);
        let public_key = match (known, ours) {
            (Some(known), Some(ours)) if known == ours => known,
            (Some(known), None) if self.options.read_only => known,
            (Some(_), Some(ours)) if self.options.new_key && !self.options.read_only => {
                self.change_signer(&mut writer).await?;
                ours
            }
            (Some(known), Some(_)) if self.options.read_only => known,
            (Some(_), Some(_)) => {
                return Err(StoreError::Other(format!(
                    "{} is not the key that signed this store's checkpoints: put the right one there, or \
                     allow a new key",
                    key::key_path(&self.path).display()
                )));
            }
            (Some(_), None) => {
                return Err(StoreError::Other(format!(
                    "the key that signs checkpoints is not at {}: put it back, or allow a new one",
                    key::key_path(&self.path).display()
                )));
            }
            (None, ours) => {
                let first = ours.or(self.options.copy_of);
                let first =
                    first.ok_or_else(|| StoreError::Damaged("the state of the tree is gone".to_owned()))?;
                sqlx::query("INSERT INTO tree (only, size, peaks, signer) VALUES (1, 0, x'', ?) ON CONFLICT DO NOTHING")
                    .bind(first.as_slice())
                    .execute(&mut *writer)
                    .await
                    .map_err(failed)?;
                first
            }
        };
        drop(writer);
        self.public_key = public_key;
        Ok(self)
    }
}

/// The schema's version, by a connection that changes nothing: a writer's would put another program's
/// database, or a newer store, into another mode before it is refused.
async fn look(path: &Path, options: &Options) -> Result<i64, StoreError> {
    let mut connection = connect(path, options).connect().await.map_err(failed)?;
    let mut found = check_mark(&mut connection).await;
    if found.is_ok() {
        found = schema::version(&mut connection).await;
    }
    connection.close().await.map_err(failed)?;
    match found {
        Ok(found) if found > schema::newest() => Err(StoreError::TooNew { found, known: schema::newest() }),
        found => found,
    }
}

/// Refuses a database that is another program's.
async fn check_mark(writer: &mut SqliteConnection) -> Result<i64, StoreError> {
    let mark: i32 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *writer).await.map_err(failed)?;
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *writer).await.map_err(failed)?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(writer).await.map_err(failed)?;
    if mark != APPLICATION && pages > 0 && tables > 0 {
        return Err(StoreError::Other("the file is a database, but not one of Wardroom's".to_owned()));
    }
    Ok(0)
}

/// The public key that the store says it is signed with.
async fn signers(connection: &mut SqliteConnection) -> Result<Option<[u8; 32]>, StoreError> {
    if schema::version(connection).await? == 0 {
        return Ok(None);
    }
    let found: Option<Vec<u8>> = sqlx::query_scalar("SELECT signer FROM tree WHERE only = 1")
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    let as_key = |bytes: Vec<u8>| {
        bytes.try_into().map_err(|_| StoreError::Damaged("the public key of the tree is none".to_owned()))
    };
    found.map(as_key).transpose()
}
