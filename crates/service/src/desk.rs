//! The desk: what everything else holds on to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Mutex, broadcast};
use wardroom_desk::{Caller, Event, Index, Millis, Record, RecordId, Refused, Viewer, World};
use wardroom_program::Program;
use wardroom_store::{Head, Store, StoreError};

use crate::people::People;
use crate::{Error, Jobs};

/// What time it is.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, UTC.
    fn now(&self) -> Millis;
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// What a desk is made of.
pub struct Settings {
    /// Where events are kept.
    pub store: Arc<dyn Store>,
    /// How work is done.
    pub program: Program,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Records that changed: for pages that are open.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Their names.
    pub records: Arc<[RecordId]>,
    /// Any of them is confidential: listeners who may not see such are told nothing.
    pub confidential: bool,
    /// Where the log ends now.
    pub seq: u64,
}

/// The desk. Cheap to share behind an `Arc`; every method takes `&self`.
pub struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shared: RwLock<Shared>,
    /// Held while something is decided and appended: two decisions on one record cannot cross.
    pub(crate) writer: Mutex<Head>,
    notices: broadcast::Sender<Notice>,
    /// When the newest event happened.
    last: AtomicI64,
    /// Long work.
    pub jobs: Jobs,
}

/// What is in memory, and follows from the store.
pub struct Shared {
    /// How work is done.
    pub program: Arc<Program>,
    /// Every record, for lists and figures.
    pub index: Index,
    /// Everybody.
    pub people: People,
}

/// Records read at once while the index is built, and batches that are read ahead.
const BATCH: u32 = 2_000;
const AHEAD: usize = 4;
/// How long it waits before it tries to hear other servers again: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Records taken into memory at once: readers get their turn between.
const SLICE: usize = 250;

impl Desk {
    /// Opens a desk over a store: every record is read once.
    pub async fn open(settings: Settings) -> Result<Desk, Error> {
        let Settings { store, program, clock } = settings;
        let head = store.head().await?;
        let newest = store.events(head.seq.saturating_sub(1), 1).await?;
        let (index, people) = gathered(&store, &program, head.no).await?;
        Ok(Desk {
            store,
            clock,
            shared: RwLock::new(Shared { program: Arc::new(program), index, people }),
            writer: Mutex::new(head),
            notices: broadcast::channel(1024).0,
            last: AtomicI64::new(newest.last().map_or(i64::MIN, |e| e.at)),
            jobs: Jobs::default(),
        })
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// When an event that is written now happened: never before one that was written earlier, also where
    /// the clock was set back since.
    pub fn event_time(&self) -> Millis {
        self.now().max(self.last.load(Ordering::SeqCst))
    }

    /// An event was written, here or elsewhere.
    pub(crate) fn written(&self, at: Millis) {
        self.last.fetch_max(at, Ordering::SeqCst);
    }

    /// The store, for what goes past the desk: documents, files, audits.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What is in memory. Do not hold it across an await.
    pub fn read(&self) -> RwLockReadGuard<'_, Shared> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The program.
    pub fn program(&self) -> Arc<Program> {
        Arc::clone(&self.read().program)
    }

    /// Hears of every change from now on.
    pub fn listen(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// A record that the caller may see.
    pub async fn record(&self, caller: &Caller, id: &RecordId) -> Result<Record, Error> {
        let record = self.store.record(id.no).await?;
        record
            .filter(|r| r.id == *id && (!r.confidential || caller.role.confidential))
            .ok_or_else(|| Refused::NoRecord(id.to_string()).into())
    }

    /// A record's events after a place, for a caller who may see it.
    pub async fn timeline(
        &self,
        caller: &Caller,
        id: &RecordId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, Error> {
        let record = self.record(caller, id).await?;
        Ok(self.store.timeline(record.id.no, after, limit).await?)
    }

    /// Takes records that were appended into memory, and tells who listens.
    pub(crate) fn took(&self, records: &[Record], seq: u64) {
        for slice in records.chunks(SLICE) {
            let mut shared = self.shared.write().unwrap_or_else(PoisonError::into_inner);
            for record in slice {
                shared.index.put(record);
                shared.people.put(record);
            }
        }
        // A thousand names tell a page no more than "much has changed".
        let names: Arc<[RecordId]> = records.iter().take(1_000).map(|r| r.id.clone()).collect();
        let confidential = records.iter().any(|r| r.confidential);
        // Nobody may be listening.
        let _ = self.notices.send(Notice { records: names, confidential, seq });
    }

    /// Follows what other servers append to the same store, for as long as the program runs: the index in
    /// memory, people and pages that are open hear of it as of what this server does. Where the store cannot
    /// be reached it tries again, less and less often.
    pub async fn follow_others(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.follow_once().await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    tracing::warn!(%error, "other servers cannot be heard; trying again in {pause:?}");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn follow_once(&self) -> Result<(), Error> {
        let known = self.writer.lock().await.seq;
        let seq = self.store.grown(known).await?;
        let mut head = self.writer.lock().await;
        // What this server appended itself is in memory.
        if head.seq < seq {
            self.catch_up(&mut head).await?;
            self.follow().await?;
        }
        Ok(())
    }

    /// Takes in what another process has appended to the same store.
    pub(crate) async fn catch_up(&self, head: &mut Head) -> Result<(), Error> {
        loop {
            let events = self.store.events(head.seq, BATCH).await?;
            let Some(last) = events.last() else { break };
            head.seq = last.seq;
            self.written(last.at);
            let mut nos: Vec<u32> = events.iter().map(|e| e.record.no).collect();
            nos.sort_unstable();
            nos.dedup();
            head.no = head.no.max(nos.last().copied().unwrap_or_default());
            let records = self.store.records(&nos).await?;
            self.took(&records, head.seq);
        }
        Ok(())
    }
}

/// Every record up to a number, read once. Batches are read and parsed ahead on the other threads: that
/// is most of the work, and needs no order.
pub(crate) async fn gathered(
    store: &Arc<dyn Store>,
    program: &Program,
    last: u32,
) -> Result<(Index, People), Error> {
    let mut index = Index::new(program);
    let mut people = People::default();
    let mut begins = (0..last).step_by(BATCH as usize);
    let read = |after| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.records_after(after, BATCH).await })
    };
    let mut ahead: VecDeque<_> = begins.by_ref().take(AHEAD).map(|after| (after, read(after))).collect();
    while let Some((after, batch)) = ahead.pop_front() {
        let records = batch.await.map_err(|e| StoreError::Other(e.to_string()))??;
        ahead.extend(begins.next().map(|after| (after, read(after))));
        // Where numbers are missing, a batch reaches into the next one.
        for record in records.iter().take_while(|r| r.id.no <= after.saturating_add(BATCH)) {
            index.put(record);
            people.put(record);
        }
    }
    Ok((index, people))
}

impl World for Shared {
    fn person(&self, login: &str) -> bool {
        self.people.get(login).is_some_and(|p| p.active)
    }

    fn team(&self, name: &str) -> bool {
        self.people.teams().contains(name)
    }

    fn kind_of(&self, id: &RecordId) -> Option<String> {
        let found = self.index.id(id.no).filter(|found| found == id)?;
        self.program.by_prefix(&found.prefix).map(|k| k.name.clone())
    }
}

/// The world as somebody may know it: a record that they may not see does not exist for them.
pub(crate) struct Eyes<'a> {
    pub shared: &'a Shared,
    pub confidential: bool,
}

impl World for Eyes<'_> {
    fn person(&self, login: &str) -> bool {
        self.shared.person(login)
    }

    fn team(&self, name: &str) -> bool {
        self.shared.team(name)
    }

    fn kind_of(&self, id: &RecordId) -> Option<String> {
        let viewer = Viewer { sees_confidential: self.confidential, ..Viewer::default() };
        let visible = self.confidential || self.shared.index.visible(&viewer).contains(id.no);
        visible.then(|| self.shared.kind_of(id)).flatten()
    }
}
