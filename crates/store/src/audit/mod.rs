//! The audit: whether the log is what was signed, event by event, and where it is not.
//!
//! Everything is read once, in order, 256 events at a time; what is kept in memory is four bytes for
//! each record, the checkpoints and the problems. The audit trusts the public keys and checkpoints that
//! it is given and nothing that the store says about itself.

mod block;
mod body;
mod chain;
mod problem;
mod projection;

use wardroom_desk::Millis;

use crate::ledger::{PublicKey, TILE, signed_by, to_hex};
use crate::{Checkpoint, Progress, Store, StoreError};
use block::Block;
use body::Bodies;
use chain::Chain;
use problem::Problems;
pub use problem::{Fault, Problem};

/// What the auditor knows from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Public keys that may have signed: more than one where the key was changed.
    pub keys: Vec<PublicKey>,
    /// Checkpoints that were kept elsewhere. Only these show that the end of a log was cut off together
    /// with the checkpoints of that time, or that somebody with the signing key wrote another log.
    pub known: Vec<Checkpoint>,
}

impl Trust {
    /// One key and nothing else.
    pub fn key(key: PublicKey) -> Trust {
        Trust { keys: vec![key], known: Vec::new() }
    }
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many events were read.
    pub events: u64,
    /// How many records they are on.
    pub records: u32,
    /// How many checkpoints with a right signature were compared.
    pub checkpoints: u64,
    /// The root of the tree over what was read, in hex.
    pub root: String,
    /// When the newest checkpoint was signed.
    pub signed_at: Option<Millis>,
    /// What is wrong, in the order of the log.
    pub problems: Vec<Problem>,
    /// How many more problems there are than are named.
    pub unnamed: u64,
    /// What is odd but can happen to an honest log, and what cannot be vouched for because of a problem.
    pub notes: Vec<Problem>,
}

impl Report {
    /// Nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Events read at a time: some whole blocks of 256.
const READ: u32 = 1024;

/// Audits a store: every event against its hash, the tree against every checkpoint, and places,
/// records, versions and times against each other. With `projections` also whether the records are
/// what the events add up to.
///
/// The store may be in use. To stop, drop the future. `progress` is called about every thousand events.
pub async fn verify(
    store: &dyn Store,
    trust: &Trust,
    projections: bool,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, StoreError> {
    let (end, signed) = extent(store).await?;
    let of = if projections { end * 2 } else { end };
    let mut problems = Problems::default();
    let mut notes = Problems::default();
    let checkpoints = checked(signed, trust, end, &mut problems);
    let signed_end = checkpoints.iter().map(|c| c.size).max().unwrap_or_default();

    let mut bodies = Bodies::default();
    let mut chain = Chain::new(checkpoints.clone());
    let mut blocks = block::Reader::new(store, end);
    while let Some(block) = blocks.next().await? {
        missing(&block, &mut problems);
        bodies.check(&block, &mut problems, &mut notes);
        chain.take(block, &mut problems);
        let done = chain.size().min(end);
        if done.is_multiple_of(u64::from(READ)) || done == end {
            progress(Progress { done, of });
        }
    }
    bodies.end(signed_end, &mut problems);
    chain.check_upper_tiles(store, &mut problems).await?;
    chain.end(&mut problems);
    tail(store, end, signed_end, &checkpoints, &mut problems).await?;

    let mut report = Report {
        events: blocks.events(),
        records: bodies.records(),
        checkpoints: checkpoints.len() as u64,
        root: to_hex(&chain.root()),
        signed_at: checkpoints.last().map(|c| c.at),
        ..Report::default()
    };
    if projections {
        let mut second = |p: Progress| progress(Progress { done: end + p.done.min(end), of });
        projection::compare(store, end, &mut second, &mut problems).await?;
    }
    (report.problems, report.unnamed) = problems.finish();
    report.notes = notes.finish().0;
    report.notes.extend(chain.unproven.finish().0);
    Ok(report)
}

/// How far to read, with the checkpoints there were then. Between two reads something may be appended:
/// they are repeated until they agree.
async fn extent(store: &dyn Store) -> Result<(u64, Vec<Checkpoint>), StoreError> {
    let mut tries = 0;
    loop {
        let checkpoints = store.checkpoints().await?;
        let end = store.head().await?.seq;
        let agree = checkpoints.iter().map(|c| c.size).max().unwrap_or_default() == end;
        tries += 1;
        if agree || tries == 5 {
            return Ok((end, checkpoints));
        }
    }
}

/// The checkpoints whose signature is right, those known from elsewhere among them, by size.
fn checked(stored: Vec<Checkpoint>, trust: &Trust, end: u64, problems: &mut Problems) -> Vec<Checkpoint> {
    let mut good = Vec::new();
    for (checkpoint, whose) in stored
        .into_iter()
        .map(|c| (c, "stored"))
        .chain(trust.known.iter().map(|c| (c.clone(), "known from elsewhere")))
    {
        if trust.keys.iter().any(|key| signed_by(&checkpoint, key)) {
            good.push(checkpoint);
        } else {
            let at = problem::moment(checkpoint.at);
            problems.add(
                Fault::Checkpoint,
                checkpoint.size.clamp(1, end.max(1)),
                String::new(),
                format!(
                    "the checkpoint {whose} over {} events of {at} is not signed with a trusted key",
                    checkpoint.size
                ),
            );
        }
    }
    good.sort_by_key(|c| (c.size, c.at));
    good.dedup_by(|a, b| a.size == b.size && a.root == b.root);
    good
}

/// Names the events that a block should hold and does not.
fn missing(block: &Block, problems: &mut Problems) {
    for (seq, _) in block.slots().filter(|(_, event)| event.is_none()) {
        problems.add(Fault::Missing, seq, String::new(), "no event has that place".to_owned());
    }
}

/// What the end of the log says: events that were signed and are gone, or are there and were never signed.
async fn tail(
    store: &dyn Store,
    end: u64,
    signed_end: u64,
    checkpoints: &[Checkpoint],
    problems: &mut Problems,
) -> Result<(), StoreError> {
    if signed_end > end {
        let at = checkpoints.last().map_or_else(String::new, |c| problem::moment(c.at));
        problems.add_range(
            Fault::Missing,
            end + 1,
            signed_end,
            format!("the checkpoint of {at} says that the log held {signed_end} events"),
        );
    } else if signed_end < end {
        problems.add_range(
            Fault::Inserted,
            signed_end + 1,
            end,
            "no checkpoint covers that, and every append signs one".to_owned(),
        );
    }
    let beyond = store.tiles(1, end / TILE, 1).await?;
    if let (Some((no, _)), true) = (beyond.first(), signed_end <= end) {
        problems.add_range(
            Fault::Missing,
            end + 1,
            (no + 1) * TILE,
            "the tree has hashes over them: the end of the log was cut off".to_owned(),
        );
    }
    Ok(())
}
