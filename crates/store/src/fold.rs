//! Folding all events into records, one record at a time.

use async_trait::async_trait;
use wardroom_desk::{Change, Event, Record};

use crate::{Progress, RecordSource, Store, StoreError, StoredEvent};

/// Events read at a time, and records handed on at a time: some megabytes of either.
const EVENTS: u32 = 512;
const RECORDS: usize = 256;

/// Folds the events of a store in the order of their records. Holds a few hundred of either, however
/// many there are, and reads every event once.
pub struct Folding<'a> {
    store: &'a dyn Store,
    progress: &'a mut (dyn FnMut(Progress) + Send),
    total: u64,
    done: u64,
    after: (u32, u64),
    open: Option<Record>,
    ended: bool,
    strays: Vec<Stray>,
    lenient: bool,
}

/// An event that cannot be folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stray {
    pub seq: u64,
    pub text: String,
}

/// An event from what is stored.
pub(crate) fn read(stored: &StoredEvent) -> Result<Event, StoreError> {
    serde_json::from_slice(&stored.body)
        .map_err(|e| StoreError::Damaged(format!("event {} cannot be read: {e}", stored.seq)))
}

impl<'a> Folding<'a> {
    /// Over all events of a store, which ends at `total`.
    pub fn new(store: &'a dyn Store, total: u64, progress: &'a mut (dyn FnMut(Progress) + Send)) -> Self {
        let (after, open, strays) = ((0, 0), None, Vec::new());
        Folding { store, progress, total, done: 0, after, open, ended: false, strays, lenient: false }
    }

    /// Goes on where an event has no record to be on, and remembers it.
    pub(crate) fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Such events since this was last asked.
    pub(crate) fn strays(&mut self) -> Vec<Stray> {
        std::mem::take(&mut self.strays)
    }

    /// Takes the next event in; a record that is complete comes out.
    fn take(&mut self, stored: &StoredEvent) -> Result<Option<Record>, StoreError> {
        match read(stored) {
            Ok(event) => self.apply(&event),
            Err(_) if self.lenient => {
                self.strays
                    .push(Stray { seq: stored.seq, text: format!("event {} cannot be read", stored.seq) });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn apply(&mut self, event: &Event) -> Result<Option<Record>, StoreError> {
        let same = self.open.as_ref().is_some_and(|record| record.id.no == event.record.no);
        if let (true, Some(record)) = (same, &mut self.open) {
            record.apply(event);
            return Ok(None);
        }
        let complete = self.open.take();
        match Record::opened(event) {
            Some(record) => self.open = Some(record),
            None if self.lenient => {
                let text = format!("{} has events but was never opened", event.record);
                if self.strays.last().is_none_or(|stray| stray.text != text) {
                    self.strays.push(Stray { seq: event.seq, text });
                }
            }
            None => {
                return Err(StoreError::Damaged(format!(
                    "event {} is on {}, which was never opened: run the audit",
                    event.seq, event.record
                )));
            }
        }
        Ok(complete)
    }
}

#[async_trait]
impl RecordSource for Folding<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Record>>, StoreError> {
        let mut records = Vec::new();
        while !self.ended && records.len() < RECORDS {
            let events = self.store.by_record(self.after, EVENTS).await?;
            let Some(last) = events.last() else {
                self.ended = true;
                records.extend(self.open.take());
                break;
            };
            // By the columns that the order goes by: a body that was tampered with may say anything.
            self.after = (last.record, last.seq);
            for event in &events {
                records.extend(self.take(event)?);
            }
            self.done += events.len() as u64;
            (self.progress)(Progress { done: self.done, of: self.total });
        }
        Ok((!records.is_empty()).then_some(records))
    }
}

/// Builds the records and their keys again from the events, and puts them in the place of those that
/// are there, all or nothing. Nothing can be appended meanwhile.
pub async fn rebuild(
    store: &dyn Store,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<u64, StoreError> {
    let head = store.head().await?;
    let mut folding = Folding::new(store, head.seq, progress);
    store.replace_records(head.seq, &mut folding).await?;
    Ok(folding.done)
}

/// One record from its events; none where it has none or was never opened.
pub async fn fold_one(store: &dyn Store, no: u32) -> Result<Option<Record>, StoreError> {
    let mut record: Option<Record> = None;
    let mut after = (no, 0);
    loop {
        let events = store.by_record(after, EVENTS).await?;
        let Some(last) = events.last() else { return Ok(record) };
        after = (last.record, last.seq);
        for stored in &events {
            if stored.record != no {
                return Ok(record);
            }
            let event = read(stored)?;
            match (&mut record, &event.change) {
                (None, Change::Opened { .. }) => record = Record::opened(&event),
                (None, _) => return Ok(None),
                (Some(record), _) => record.apply(&event),
            }
        }
    }
}
