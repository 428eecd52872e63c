//! Opening a store: its connections, its schema and its key.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Acquire, Executor, PgConnection, PgPool};
use tokio::sync::Mutex;
use wardroom_store::ledger::{PublicKey, Signer};
use wardroom_store::{StoreError, key};

use crate::failure::failed;
use crate::{Address, PostgresStore, schema};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only reads: for an audit.
    pub read_only: bool,
    /// Makes a new key where the old one is lost. What was signed before is then checked with the old
    /// public key, so an auditor must know both.
    pub new_key: bool,
    /// Connections, at most.
    pub connections: u32,
    /// How long a request waits for a connection, also while the database starts.
    pub patience: Duration,
    /// How long to wait while another server writes.
    pub turn: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            read_only: false,
            new_key: false,
            connections: 16,
            patience: Duration::from_secs(4),
            turn: Duration::from_secs(10),
        }
    }
}

impl PostgresStore {
    /// Opens a database, makes the schema where it is empty, and brings it up to this version's.
    pub async fn open(address: &Address, options: &Options) -> Result<PostgresStore, StoreError> {
        let pool = connected(address, options).await?;
        let mut connection = pool.acquire().await.map_err(failed)?;
        if options.read_only {
            check_version(&mut connection).await?;
        } else {
            schema::migrate(&mut connection).await?;
            warn(&mut connection).await?;
        }
        let mut signer = key::read(address.key_path())?;
        let known = known_signer(&mut connection).await?;
        if signer.is_none() && !options.read_only && (known.is_none() || options.new_key) {
            signer = Some(key::make(address.key_path())?);
        }
        let ours = signer.as_ref().map(Signer::public_key);
        let known = match (known, ours) {
            (Some(known), _) => known,
            (None, None) => return Err(StoreError::Damaged("the state of the tree is gone".to_owned())),
            (None, Some(ours)) => first_signer(&mut connection, &ours).await?,
        };
        drop(connection);
        let mut store = PostgresStore {
            pool,
            public_key: known,
            signer: signer.filter(|_| !options.read_only),
            writing: Mutex::new(()),
            listener: Mutex::new(None),
        };
        let place = address.key_path().display();
        match ours {
            _ if options.read_only => {}
            Some(ours) if ours == known => {}
            Some(ours) if options.new_key => {
                store.change_signer().await?;
                store.public_key = ours;
            }
            Some(_) => {
                return Err(StoreError::Other(format!(
                    "{place} is not the key that signs this store's checkpoints: copy the one of the server that \
                     made it, or of its backup"
                )));
            }
            None => {
                return Err(StoreError::Other(format!(
                    "the key that signs checkpoints is not at {place}: every server needs a copy of the one that \
                     was made with the store"
                )));
            }
        }
        Ok(store)
    }
}

async fn connected(address: &Address, options: &Options) -> Result<PgPool, StoreError> {
    let millis = |time: Duration| format!("{}ms", time.as_millis());
    let read_only = if options.read_only { "on" } else { "off" };
    let connect = address.connect.clone().options([
        ("lock_timeout", millis(options.turn).as_str()),
        // A server that is cut off in the middle of an append holds up the others for no longer.
        ("idle_in_transaction_session_timeout", "60s"),
        ("tcp_keepalives_idle", "20"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "4"),
        ("default_transaction_read_only", read_only),
    ]);
    let connect = match connect.get_application_name() {
        Some(_) => connect,
        None => connect.application_name("wardroom"),
    };
    PgPoolOptions::new()
        .max_connections(options.connections.max(2))
        .acquire_timeout(options.patience)
        // A database that was started anew has ended every connection: each is asked whether it lives.
        .test_before_acquire(true)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Off, the last events could be lost after their writer was told that they are kept.
                let on = "SELECT set_config('synchronous_commit', 'on', false) \
                          WHERE current_setting('synchronous_commit') = 'off'";
                connection.execute(on).await.map(|_| ())
            })
        })
        .connect_with(connect)
        .await
        .map_err(failed)
}

async fn check_version(connection: &mut PgConnection) -> Result<(), StoreError> {
    let (found, known) = (schema::version(connection).await?, schema::newest());
    match found {
        0 => Err(StoreError::Other("the database holds no store".to_owned())),
        found if found > known => Err(StoreError::TooNew { found, known }),
        found if found < known => Err(StoreError::Unwritable(format!(
            "its schema has version {found} and must be brought to {known} first: open it for writing once"
        ))),
        _ => Ok(()),
    }
}

/// Says what the database is set to that loses events when power fails.
async fn warn(connection: &mut PgConnection) -> Result<(), StoreError> {
    for setting in ["fsync", "full_page_writes"] {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
        if value == "off" {
            tracing::warn!("the database has {setting} off: when power fails, events may be lost or damaged");
        }
    }
    Ok(())
}

/// The public key that the store says it is signed with.
async fn known_signer(connection: &mut PgConnection) -> Result<Option<PublicKey>, StoreError> {
    let found: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT signer FROM tree").fetch_optional(connection).await.map_err(failed)?;
    found.map(as_key).transpose()
}

fn as_key(bytes: Vec<u8>) -> Result<PublicKey, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("the public key of the tree is none".to_owned()))
}

/// Notes the key that signs, unless another server was quicker; the one that was noted.
async fn first_signer(connection: &mut PgConnection, ours: &PublicKey) -> Result<PublicKey, StoreError> {
    let mut transaction = connection.begin().await.map_err(failed)?;
    let sql = "INSERT INTO tree (sole, size, peaks, signer) VALUES (true, 0, '', $1) ON CONFLICT DO NOTHING";
    sqlx::query(sql).bind(ours.as_slice()).execute(&mut *transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    let noted = known_signer(connection).await?;
    noted.ok_or_else(|| StoreError::Damaged("the state of the tree is gone".to_owned()))
}
