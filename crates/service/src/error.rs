//! Why something could not be done.

use wardroom_desk::Refused;
use wardroom_store::StoreError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program, the record's state or the caller's role is against it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody stopped it.
    #[error("stopped")]
    Cancelled,
}
