//! Hearing of what other servers append.

use std::time::Duration;

use sqlx::postgres::PgListener;
use wardroom_store::{StoreError, unsigned};

use crate::PostgresStore;
use crate::failure::failed;

/// Where servers tell each other where the log ends. Notices are for one database.
pub(crate) const CHANNEL: &str = "wardroom";

/// After so long without a notice the log is looked at and the connection made anew: one that was cut
/// without a word would be silent for ever.
const QUIET: Duration = Duration::from_secs(30);

impl PostgresStore {
    /// Waits until the log ends behind `after`.
    pub(crate) async fn wait_for_more(&self, after: u64) -> Result<u64, StoreError> {
        let mut kept = self.listener.lock().await;
        loop {
            let mut listener = match kept.take() {
                Some(listener) => listener,
                None => self.listening().await?,
            };
            // Looked at only now that notices come in: between the two nothing is missed.
            let seq = self.end().await?;
            if seq > after {
                *kept = Some(listener);
                return Ok(seq);
            }
            let told = tokio::time::timeout(QUIET, told(&mut listener, after)).await;
            // A connection that broke off, or was quiet for long, is not kept.
            match told {
                Ok(Ok(Some(seq))) => {
                    *kept = Some(listener);
                    return Ok(seq);
                }
                Ok(Ok(None)) | Err(_) => {}
                Ok(Err(error)) => return Err(error),
            }
        }
    }

    async fn listening(&self) -> Result<PgListener, StoreError> {
        let mut listener = PgListener::connect_with(&self.pool).await.map_err(failed)?;
        listener.listen(CHANNEL).await.map_err(failed)?;
        Ok(listener)
    }

    async fn end(&self) -> Result<u64, StoreError> {
        let seq: Option<i64> =
            sqlx::query_scalar("SELECT max(seq) FROM events").fetch_one(&self.pool).await.map_err(failed)?;
        unsigned(seq.unwrap_or_default())
    }
}

/// The first notice of more than `after`; none where the connection has broken off.
async fn told(listener: &mut PgListener, after: u64) -> Result<Option<u64>, StoreError> {
    while let Some(notice) = listener.try_recv().await.map_err(failed)? {
        // Anybody who may connect can send a notice: what is no number says nothing.
        if let Ok(seq) = notice.payload().parse::<u64>()
            && seq > after
        {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}
