//! Where a store is: in a file or in a database.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use wardroom_store::Store;
use wardroom_store::key;
use wardroom_store::ledger::PublicKey;
use wardroom_store_postgres::{Address, BadAddress, PostgresStore};
use wardroom_store_sqlite::SqliteStore;

use crate::failure::usage;

/// Where a store is. It is shown without a password.
#[derive(Clone, Debug)]
pub enum StorePlace {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Database(Box<Address>),
    /// What was meant as the address of a database and is none. It is told when it is opened: a refusal of
    /// the command line's reader would repeat what was written, with the password in it.
    Bad(BadAddress),
}

impl FromStr for StorePlace {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<StorePlace, Infallible> {
        if !Address::is_meant(text) {
            return Ok(StorePlace::File(text.into()));
        }
        Ok(text.parse().map_or_else(StorePlace::Bad, |address| StorePlace::Database(Box::new(address))))
    }
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorePlace::File(path) => path.display().fmt(f),
            StorePlace::Database(address) => address.fmt(f),
            StorePlace::Bad(_) => f.write_str("an address that cannot be read"),
        }
    }
}

impl From<&Path> for StorePlace {
    fn from(path: &Path) -> StorePlace {
        path.to_str().map_or_else(
            || StorePlace::File(path.to_owned()),
            |text| {
                let Ok(place) = text.parse();
                place
            },
        )
    }
}

/// A store that is open.
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    /// What its checkpoints are checked with.
    pub public_key: PublicKey,
}

impl From<SqliteStore> for Opened {
    fn from(store: SqliteStore) -> Opened {
        Opened { public_key: store.public_key(), store: Arc::new(store) }
    }
}

impl From<PostgresStore> for Opened {
    fn from(store: PostgresStore) -> Opened {
        Opened { public_key: store.public_key(), store: Arc::new(store) }
    }
}

/// What a store is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Reading,
    Working,
    Making,
}

impl StorePlace {
    /// Opens a store that is there.
    pub async fn existing(&self) -> anyhow::Result<Opened> {
        self.open(For::Working).await
    }

    /// Opens a store, or makes it.
    pub async fn open_or_create(&self) -> anyhow::Result<Opened> {
        self.open(For::Making).await
    }

    /// Opens a store for reading alone: beside the servers that write.
    pub async fn reading(&self) -> anyhow::Result<Opened> {
        self.open(For::Reading).await
    }

    async fn open(&self, purpose: For) -> anyhow::Result<Opened> {
        match self {
            StorePlace::Bad(why) => Err(usage(why.to_string())),
            StorePlace::File(path) => {
                let options = wardroom_store_sqlite::Options {
                    read_only: purpose == For::Reading,
                    ..wardroom_store_sqlite::Options::default()
                };
                let opened = match (path.exists(), purpose) {
                    (true, _) => SqliteStore::open(path, &options).await,
                    (false, For::Making) => SqliteStore::create(path, &options).await,
                    (false, For::Reading) => {
                        return Err(usage(format!("there is no store at {}", path.display())));
                    }
                    (false, For::Working) => {
                        return Err(usage(format!(
                            "there is no store at {} (`wardroom serve --store {0}` makes one)",
                            path.display()
                        )));
                    }
                };
                Ok(opened.with_context(|| self.to_string())?.into())
            }
            StorePlace::Database(address) => {
                let options = wardroom_store_postgres::Options {
                    read_only: purpose == For::Reading,
                    ..wardroom_store_postgres::Options::default()
                };
                Ok(PostgresStore::open(address, &options).await.with_context(|| self.to_string())?.into())
            }
        }
    }

    /// Whether it is a database, or was meant to be.
    pub fn is_database(&self) -> bool {
        !matches!(self, StorePlace::File(_))
    }

    /// The file with the key that signs.
    pub fn key_path(&self) -> anyhow::Result<PathBuf> {
        match self {
            StorePlace::Bad(why) => Err(anyhow!(why.clone())),
            StorePlace::File(path) => Ok(key::key_path(path)),
            StorePlace::Database(address) => Ok(address.key_path().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_or_a_database() {
        let shown = |text: &str| text.parse::<StorePlace>().unwrap().to_string();
        assert_eq!(shown("desk.db"), "desk.db");
        assert_eq!(shown("postgres.db"), "postgres.db");
        assert_eq!(shown("postgres://ana:s3cret@localhost/desk"), "postgres://ana@localhost:5432/desk");
        let bad: StorePlace = "postgres://ana:s3cret@localhost:x/desk".parse().unwrap();
        assert!(!format!("{bad} {bad:?}").contains("s3cret"));
        assert!(matches!(bad, StorePlace::Bad(_)));
    }
}
