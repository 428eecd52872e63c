//! What every store must do, as tests. A store's own tests hand in a way to make an empty one; a rule
//! that is broken panics with what was expected.
#![expect(clippy::unwrap_used, reason = "the suite is a test: it stops at the first thing that is wrong")]

mod log;
mod sample;
mod tree;
mod whole;

use async_trait::async_trait;

use crate::Store;
use crate::ledger::PublicKey;
pub use sample::Sample;

/// A store under test, and what the suite does to it behind its back.
#[async_trait]
pub trait Bench: Send + Sync {
    /// The store, empty at first.
    fn store(&self) -> &dyn Store;
    /// The same store once more, as another process has it.
    async fn second(&self) -> Box<dyn Store>;
    /// What its checkpoints are checked with.
    fn public_key(&self) -> PublicKey;
    /// Writes other bytes into an event, past everything that forbids it.
    async fn tamper(&self, seq: u64, body: &[u8]);
    /// Removes an event likewise.
    async fn remove(&self, seq: u64);
}

/// Runs the suite. `make` gives a new empty store each time.
pub async fn run<B: Bench>(make: impl AsyncFn() -> B) {
    log::what_is_appended_is_read_in_order(&make().await).await;
    log::gaps_and_stale_heads_are_refused(&make().await).await;
    log::one_of_two_writers_wins(&make().await).await;
    log::all_or_nothing(&make().await).await;
    log::a_record_must_come_with_its_events(&make().await).await;
    log::keys_follow_their_records(&make().await).await;
    log::documents_expire(&make().await).await;
    log::files_are_what_their_digest_says(&make().await).await;
    log::records_are_built_again(&make().await).await;
    whole::who_waits_is_told_of_what_others_append(&make().await).await;
    whole::everything_is_carried_into_an_empty_store(&make().await, &make().await).await;
    whole::what_was_tampered_with_is_not_carried(&make().await, &make().await).await;
    tree::the_tree_is_the_naive_one(&make().await).await;
    tree::proofs_hold_without_the_store(&make().await).await;
    tree::an_untouched_store_is_clean(&make().await).await;
    tree::a_changed_event_is_named(&make().await).await;
    tree::a_removed_event_is_named(&make().await).await;
}
