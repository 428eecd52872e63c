//! Doing something to records: decide, append, take in, tell.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::sync::MutexGuard;
use wardroom_desk::{
    Actor, Caller, Change, Command, Decided, Draft, Event, Fields, Record, RecordId, Refused, decide, settle,
};
use wardroom_program::{Effect, Program};
use wardroom_store::{Append, Document, Head, StoreError};

use crate::desk::Eyes;
use crate::{Desk, Error, Progress};

/// What was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// The record after it.
    pub record: Record,
    /// What can be undone as one; none where nothing had to change.
    pub batch: Option<u64>,
}

/// What was done to many records.
#[derive(Clone, Debug, Default)]
pub struct ManyDone {
    /// How many changed.
    pub changed: usize,
    /// How many were as wanted already.
    pub same: usize,
    /// Those that could not be changed, with the reason.
    pub refused: Vec<(RecordId, String)>,
    /// What can be undone as one.
    pub batch: Option<u64>,
}

/// How often another process may be quicker before it is given up. Who has just appended knows the end of the
/// log and is quicker the next time too: of a hundred comments from two servers at once, one was beaten
/// twenty times in a row.
pub(crate) const TRIES: u32 = 400;
/// Records changed in one append of a large change: each is whole, and others get their turn between.
const SLICE: usize = 500;
/// Longest chain of effects.
const CHAIN: usize = 64;

/// Changes to several records that belong together, by number.
pub(crate) struct Together {
    pub drafts: BTreeMap<u32, Draft>,
    pub order: Vec<u32>,
    pub next: u32,
}

impl Together {
    pub fn new(head: Head) -> Together {
        Together { drafts: BTreeMap::new(), order: Vec::new(), next: head.no + 1 }
    }

    pub fn put(&mut self, draft: Draft) {
        let no = draft.record.id.no;
        if self.drafts.insert(no, draft).is_none() {
            self.order.push(no);
        }
    }

    /// Drafts in the order in which they were first touched.
    pub fn into_drafts(mut self) -> Vec<Draft> {
        self.order.iter().filter_map(|no| self.drafts.remove(no)).collect()
    }
}

impl Desk {
    /// Does something to a record. With `seen`, only where the record is still at that version.
    pub async fn act(
        &self,
        caller: &Caller,
        id: &RecordId,
        seen: Option<u32>,
        command: Command,
    ) -> Result<Done, Error> {
        let mut head = self.writer.lock().await;
        for _ in 0..TRIES {
            let record = self.record(caller, id).await?;
            if let Some(seen) = seen.filter(|seen| *seen != record.version) {
                return Err(Refused::Stale { record: id.clone(), now: record.version, seen }.into());
            }
            let now = self.event_time();
            let mut together = Together::new(*head);
            self.decided(caller, id.no, command.clone(), now, &mut together).await?;
            match self.commit(&mut head, &caller.actor, together.into_drafts(), Vec::new(), now, None).await {
                Err(Error::Store(StoreError::Behind(_))) => self.catch_up(&mut head).await?,
                other => {
                    let (records, batch) = other?;
                    let record = records.into_iter().find(|r| r.id == *id).unwrap_or(record);
                    return Ok(Done { record, batch });
                }
            }
        }
        Err(StoreError::Other("other servers keep writing: try again".to_owned()).into())
    }

    /// Does the same to many records, in slices that are each whole. What is refused on one does not
    /// stop the others.
    pub async fn act_on_many(
        &self,
        caller: &Caller,
        nos: &[u32],
        command: &Command,
        progress: &Progress,
    ) -> Result<ManyDone, Error> {
        let mut done = ManyDone::default();
        progress.total(nos.len() as u64);
        for slice in nos.chunks(SLICE) {
            if progress.cancelled() {
                return if done.changed == 0 { Err(Error::Cancelled) } else { Ok(done) };
            }
            let mut head = self.writer.lock().await;
            for attempt in 0..TRIES {
                let mut slice_done = ManyDone::default();
                let now = self.event_time();
                let mut together = Together::new(*head);
                for record in self.store.records(slice).await? {
                    if record.confidential && !caller.role.confidential {
                        continue;
                    }
                    let id = record.id.clone();
                    // It is not read again, unless a tie has changed it already.
                    if !together.drafts.contains_key(&id.no) {
                        together.put(Draft::of(record, now));
                    }
                    match self.decided(caller, id.no, command.clone(), now, &mut together).await {
                        Ok(true) => slice_done.changed += 1,
                        Ok(false) => slice_done.same += 1,
                        Err(Error::Refused(refused)) => slice_done.refused.push((id, refused.to_string())),
                        Err(other) => return Err(other),
                    }
                }
                let drafts = together.into_drafts();
                match self.commit(&mut head, &caller.actor, drafts, Vec::new(), now, done.batch).await {
                    Err(Error::Store(StoreError::Behind(_))) if attempt + 1 < TRIES => {
                        self.catch_up(&mut head).await?;
                    }
                    other => {
                        let (_, batch) = other?;
                        done.batch = done.batch.or(batch);
                        done.changed += slice_done.changed;
                        done.same += slice_done.same;
                        done.refused.extend(slice_done.refused);
                        break;
                    }
                }
            }
            drop(head);
            progress.step(slice.len() as u64);
            tokio::task::yield_now().await;
        }
        Ok(done)
    }

    /// Opens a record by hand.
    pub async fn open_record(
        &self,
        caller: &Caller,
        kind: &str,
        fields: Fields,
        documents: Vec<Document>,
    ) -> Result<Done, Error> {
        let mut head = self.writer.lock().await;
        for _ in 0..TRIES {
            let now = self.event_time();
            let draft = {
                let shared = self.read();
                let program = &shared.program;
                let kind = program
                    .kind(kind)
                    .ok_or_else(|| Refused::invalid("kind", format!("the program has no kind `{kind}`")))?;
                let id = RecordId::new(&kind.prefix, head.no + 1);
                let world = Eyes { shared: &shared, confidential: caller.role.confidential };
                wardroom_desk::open(program, kind, &world, caller, id, fields.clone(), now)?
            };
            let id = draft.record.id.clone();
            match self.commit(&mut head, &caller.actor, vec![draft], documents.clone(), now, None).await {
                Err(Error::Store(StoreError::Behind(_))) => self.catch_up(&mut head).await?,
                other => {
                    let (records, batch) = other?;
                    let record = records.into_iter().find(|r| r.id == id);
                    let record = record.ok_or_else(|| Refused::NoRecord(id.to_string()))?;
                    return Ok(Done { record, batch });
                }
            }
        }
        Err(StoreError::Other("other servers keep writing: try again".to_owned()).into())
    }

    /// Writes down something that has to be known later, on a record.
    pub async fn note(&self, caller: &Caller, no: u32, change: Change) -> Result<(), Error> {
        let mut head = self.writer.lock().await;
        for _ in 0..TRIES {
            let Some(record) = self.store.record(no).await? else { return Ok(()) };
            let now = self.event_time();
            let mut draft = Draft::of(record, now);
            draft.push(change.clone());
            match self.commit(&mut head, &caller.actor, vec![draft], Vec::new(), now, None).await {
                Err(Error::Store(StoreError::Behind(_))) => self.catch_up(&mut head).await?,
                other => return other.map(|_| ()),
            }
        }
        Ok(())
    }

    fn is_person(&self, no: u32) -> bool {
        let shared = self.read();
        let prefix = shared.program.kind(wardroom_desk::PERSON).map(|k| k.prefix.clone());
        shared.index.id(no).is_some_and(|id| Some(id.prefix) == prefix)
    }

    /// Takes back what was done in one go, as new events: nothing is removed from the log.
    pub async fn undo(&self, caller: &Caller, batch: u64) -> Result<ManyDone, Error> {
        let mut head = self.writer.lock().await;
        let events = self.store.batch(batch).await?;
        let Some(first) = events.first() else {
            return Err(Refused::NotNow("there is nothing to undo".to_owned()).into());
        };
        if first.actor != caller.actor && !caller.role.admin {
            return Err(Refused::NotAllowed("only who did it can undo it".to_owned()).into());
        }
        // Who was an administrator when they did it, and is none any more, takes no role back.
        let of_people = events.iter().any(|e| self.is_person(e.record.no));
        if of_people && !caller.role.admin && caller.role.name != wardroom_desk::ENGINE {
            return Err(
                Refused::NotAllowed("changes to people are undone by an administrator".to_owned()).into()
            );
        }
        if !self.may_undo(caller, &events).await? {
            let why = format!("your role ({}) may no longer do what is to be undone", caller.role.title);
            return Err(Refused::NotAllowed(why).into());
        }
        let mut by_record: BTreeMap<u32, Vec<Event>> = BTreeMap::new();
        for event in events {
            by_record.entry(event.record.no).or_default().push(event);
        }
        for _ in 0..TRIES {
            let now = self.event_time();
            let (mut done, drafts) = self.taken_back(caller, &by_record, now).await?;
            match self.commit(&mut head, &caller.actor, drafts, Vec::new(), now, None).await {
                Err(Error::Store(StoreError::Behind(_))) => self.catch_up(&mut head).await?,
                other => {
                    done.batch = other?.1;
                    return Ok(done);
                }
            }
        }
        Err(StoreError::Other("other servers keep writing: try again".to_owned()).into())
    }

    /// Whether somebody may still do what they did: a role that was taken away takes nothing back.
    async fn may_undo(&self, caller: &Caller, events: &[Event]) -> Result<bool, Error> {
        if caller.role.admin || caller.role.edit {
            return Ok(true);
        }
        // The record that was named comes first; what followed from it is the program's.
        let Some(first) = events.first() else { return Ok(false) };
        let moved = events.iter().filter(|e| e.record == first.record).find_map(|e| match &e.change {
            Change::Moved { transition, .. } => Some(transition.clone()),
            _ => None,
        });
        let Some(record) = self.store.record(first.record.no).await? else { return Ok(false) };
        let program = self.program();
        let transition = moved.and_then(|name| program.kind(&record.kind)?.transition(&name).cloned());
        Ok(transition.is_some_and(|t| wardroom_desk::barred(&t, caller).is_none()))
    }

    /// What takes records back, and what is to be told of it.
    async fn taken_back(
        &self,
        caller: &Caller,
        by_record: &BTreeMap<u32, Vec<Event>>,
        now: i64,
    ) -> Result<(ManyDone, Vec<Draft>), Error> {
        let program = self.program();
        let mut done = ManyDone::default();
        let mut drafts = Vec::new();
        for (no, events) in by_record {
            let Some(record) = self.store.record(*no).await? else { continue };
            // What they may no longer know of is not there.
            if record.confidential && !caller.role.confidential {
                continue;
            }
            let id = record.id.clone();
            let last = events.last().map_or(0, |e| e.version);
            if record.version != last {
                done.refused.push((id, "it has changed since".to_owned()));
                continue;
            }
            match undone(&program, record, events, now) {
                Some(draft) if !draft.changes.is_empty() => drafts.push(draft),
                Some(_) => done.same += 1,
                None => done.refused.push((id, "what was done cannot be taken back".to_owned())),
            }
        }
        done.changed = drafts.len();
        let nothing = Together::new(Head { seq: 0, no: 0 });
        let mut together = Together::new(Head { seq: 0, no: 0 });
        for draft in drafts {
            together.put(draft);
        }
        self.gather(now, &nothing, &mut together).await?;
        Ok((done, together.into_drafts()))
    }

    /// Decides a command with all that follows from it on other records; whether anything changes.
    /// Where it is refused, `together` is as it was.
    async fn decided(
        &self,
        caller: &Caller,
        no: u32,
        command: Command,
        now: i64,
        together: &mut Together,
    ) -> Result<bool, Error> {
        let mut scratch = Together { drafts: BTreeMap::new(), order: Vec::new(), next: together.next };
        let mut work = vec![(caller.clone(), no, command)];
        let mut steps = 0;
        while let Some((by, no, command)) = work.pop() {
            steps += 1;
            if steps > CHAIN {
                return Err(Refused::NotNow("the program's effects lead in a circle".to_owned()).into());
            }
            let Some(earlier) = self.draft_of(no, now, together, &scratch).await? else { continue };
            let decision = {
                let shared = self.read();
                let world = Eyes { shared: &shared, confidential: by.role.confidential };
                decide(&shared.program, &world, &by, earlier.record.clone(), command, now)
            };
            let Decided { draft, effects } = match decision {
                Ok(decided) => decided,
                // What an effect asks of another record may have become of it already.
                Err(Refused::NotNow(_)) if steps > 1 => continue,
                Err(refused) => return Err(refused.into()),
            };
            let ties: Vec<Change> = draft.changes.iter().filter(|c| is_tie(c)).cloned().collect();
            let source = draft.record.clone();
            scratch.put(join(earlier, draft));
            for tie in ties {
                self.tie_back(&source, tie, now, together, &mut scratch).await?;
            }
            for effect in effects {
                self.effect(caller, &source, effect, now, together, &mut scratch, &mut work).await?;
            }
        }
        self.gather(now, together, &mut scratch).await?;
        let next = scratch.next;
        let mut changed = false;
        for draft in scratch.into_drafts().into_iter().filter(|d| !d.changes.is_empty()) {
            let before = together.drafts.get(&draft.record.id.no).map_or(0, |d| d.changes.len());
            changed |= draft.changes.len() > before;
            together.put(draft);
        }
        together.next = next;
        Ok(changed)
    }

    /// The other side of a tie gets it too.
    async fn tie_back(
        &self,
        source: &Record,
        tie: Change,
        now: i64,
        together: &Together,
        scratch: &mut Together,
    ) -> Result<(), Error> {
        let (to, back) = match tie {
            Change::Linked { relation, to, .. } => {
                (to, Change::Linked { relation, to: source.id.clone(), back: true })
            }
            Change::Unlinked { relation, to, .. } => {
                (to, Change::Unlinked { relation, to: source.id.clone(), back: true })
            }
            _ => return Ok(()),
        };
        if let Some(mut draft) = self.draft_of(to.no, now, together, scratch).await? {
            draft.push(back);
            scratch.put(draft);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "each is one word of the sentence")]
    async fn effect(
        &self,
        caller: &Caller,
        source: &Record,
        effect: Effect,
        now: i64,
        together: &Together,
        scratch: &mut Together,
        work: &mut Vec<(Caller, u32, Command)>,
    ) -> Result<(), Error> {
        match effect {
            Effect::Open { kind, link, fields } => {
                let fields = carried(source, &fields);
                let mut draft = {
                    let shared = self.read();
                    let program = &shared.program;
                    let kind = program
                        .kind(&kind)
                        .ok_or_else(|| Refused::NotNow(format!("the program has no kind `{kind}`")))?;
                    let id = RecordId::new(&kind.prefix, scratch.next);
                    let engine = Caller { login: caller.login.clone(), ..Caller::engine(Actor::Policy) };
                    wardroom_desk::open(program, kind, &*shared, &engine, id, fields, now)?
                };
                scratch.next += 1;
                let tie = Change::Linked { relation: link, to: source.id.clone(), back: false };
                draft.push(tie.clone());
                let opened = draft.record.clone();
                scratch.put(draft);
                self.tie_back(&opened, tie, now, together, scratch).await?;
            }
            Effect::Move { link, transition, fields } => {
                for target in source.links.iter().filter(|l| l.relation == link && !l.back) {
                    let command = Command::Move {
                        transition: transition.clone(),
                        fields: carried(source, &fields),
                        because: format!("follows from {}", source.id),
                    };
                    work.push((Caller::engine(Actor::Policy), target.to.no, command));
                }
            }
        }
        Ok(())
    }

    /// The newest draft of a record, or a fresh one of it as it is stored.
    pub(crate) async fn draft_of(
        &self,
        no: u32,
        now: i64,
        together: &Together,
        scratch: &Together,
    ) -> Result<Option<Draft>, Error> {
        if let Some(draft) = scratch.drafts.get(&no).or_else(|| together.drafts.get(&no)) {
            return Ok(Some(draft.clone()));
        }
        Ok(self.store.record(no).await?.map(|r| Draft::of(r, now)))
    }

    /// Appends drafts in one go, and takes them in. `batch` joins it to what was done before.
    pub(crate) async fn commit(
        &self,
        head: &mut MutexGuard<'_, Head>,
        actor: &Actor,
        drafts: Vec<Draft>,
        documents: Vec<Document>,
        now: i64,
        batch: Option<u64>,
    ) -> Result<(Vec<Record>, Option<u64>), Error> {
        let mut append = Append { documents, at: now, ..Append::default() };
        let first = head.seq + 1;
        let batch = batch.unwrap_or(first);
        for draft in drafts.into_iter().filter(|d| !d.changes.is_empty()) {
            let next = first + append.events.len() as u64;
            let (events, record) = draft.finish(next, batch, actor);
            append.events.extend(events);
            append.records.push(record);
        }
        if append.events.is_empty() && append.documents.is_empty() {
            return Ok((Vec::new(), None));
        }
        **head = self.store.append(&append).await?;
        self.written(now);
        if append.events.is_empty() {
            return Ok((Vec::new(), None));
        }
        self.took(&append.records, head.seq);
        Ok((append.records, Some(batch)))
    }
}

fn is_tie(change: &Change) -> bool {
    matches!(change, Change::Linked { back: false, .. } | Change::Unlinked { back: false, .. })
}

/// A draft that goes on from an earlier one of the same record.
fn join(earlier: Draft, mut draft: Draft) -> Draft {
    draft.fresh = earlier.fresh;
    draft.changes.splice(0..0, earlier.changes);
    draft
}

fn carried(source: &Record, fields: &[(String, String)]) -> Fields {
    fields
        .iter()
        .filter_map(|(to, from)| {
            let value = match from.as_str() {
                "id" => Value::String(source.id.to_string()),
                from => source.fields.get(from)?.clone(),
            };
            Some((to.clone(), value))
        })
        .collect()
}

/// The changes that take a record back to before its events; none where that cannot be.
fn undone(program: &Program, record: Record, events: &[Event], now: i64) -> Option<Draft> {
    let kind = program.kind(&record.kind)?;
    let mut draft = Draft::of(record, now);
    for event in events.iter().rev() {
        match &event.change {
            Change::Set { fields, before, .. } => draft.push(Change::Set {
                fields: before.clone(),
                before: fields.clone(),
                because: "undone".to_owned(),
            }),
            Change::Moved { from, to, .. } => draft.push(Change::Moved {
                transition: "undo".to_owned(),
                from: to.clone(),
                to: from.clone(),
                open: kind.state(from)?.open,
                because: "undone".to_owned(),
            }),
            Change::Labelled { added, removed } => {
                draft.push(Change::Labelled { added: removed.clone(), removed: added.clone() });
            }
            Change::Linked { relation, to, back } => {
                draft.push(Change::Unlinked { relation: relation.clone(), to: to.clone(), back: *back });
            }
            Change::Unlinked { relation, to, back } => {
                draft.push(Change::Linked { relation: relation.clone(), to: to.clone(), back: *back });
            }
            // Clocks follow from the rest.
            Change::Timed { .. } => {}
            _ => return None,
        }
    }
    settle(program, kind, &mut draft, now, "undone");
    Some(draft)
}
