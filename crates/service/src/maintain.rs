//! What happens without anybody asking: dates that pass, programs that change.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use serde_json::json;
use wardroom_desk::{Actor, Caller, Change, Command, Draft, Fields, Query, RecordId, Viewer, settle};
use wardroom_program::{File, Program};
use wardroom_store::{Document, StoreError};

use crate::desk::{Shared, gathered};
use crate::{Desk, Error, Progress};

/// The collection that holds the files of the program in force.
pub const PROGRAM: &str = "program";
/// The key of the program in force.
pub const IN_FORCE: &str = "current";
/// The key of a program that is being applied: where that broke off, opening the store again applies
/// it to the end.
pub const APPLYING: &str = "next";

/// What applying a program moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Moved {
    /// Records that were looked at.
    pub looked: u64,
    /// Records that changed.
    pub changed: u64,
    /// By what changed: a clock or a field, and how many records.
    pub by: BTreeMap<String, u64>,
    /// A few of them.
    pub examples: Vec<RecordId>,
}

/// Records looked at in one go.
const SLICE: u32 = 1_000;

impl Desk {
    /// Does what is due: records leave states whose date is over, expired documents go.
    /// Returns how many records moved.
    pub async fn tick(&self) -> Result<u64, Error> {
        {
            let mut head = self.writer.lock().await;
            self.catch_up(&mut head).await?;
            self.follow().await?;
        }
        let now = self.now();
        self.store.sweep(now).await?;
        let program = self.program();
        let today = program.calendar.date(now).to_string();
        let mut moved = 0;
        for kind in program.kinds.values() {
            for state in &kind.states {
                let Some(leaves) = &state.leaves else { continue };
                let everything = Viewer { sees_confidential: true, ..Viewer::default() };
                let (query, _) = Query::parse(&format!("kind:{} state:{}", kind.name, state.name));
                let nos: Vec<u32> = self.read().index.find(&query, &everything, now).iter().collect();
                for slice in nos.chunks(500) {
                    for record in self.store.records(slice).await? {
                        let until = record.text(&leaves.after);
                        if until.is_empty() || until >= today.as_str() || record.state != state.name {
                            continue;
                        }
                        let command = Command::Move {
                            transition: leaves.by.clone(),
                            fields: Fields::new(),
                            because: format!("{until} is over"),
                        };
                        let engine = Caller::engine(Actor::Policy);
                        match self.act(&engine, &record.id, Some(record.version), command).await {
                            Ok(_) => moved += 1,
                            // Somebody was quicker, or the program has changed under it: next time.
                            Err(Error::Refused(refused)) => {
                                tracing::warn!(record = %record.id, %refused, "a state could not be left");
                            }
                            Err(other) => return Err(other),
                        }
                    }
                }
            }
        }
        Ok(moved)
    }

    /// Takes over a program that another process has put in force on the same store.
    pub(crate) async fn follow(&self) -> Result<(), Error> {
        let Some(document) = self.store.get(PROGRAM, IN_FORCE, self.now()).await? else { return Ok(()) };
        if document.body["digest"].as_str() == Some(self.program().digest.as_str()) {
            return Ok(());
        }
        let Some(program) = kept_program(&document) else {
            tracing::error!("the program that was put in force cannot be read: the earlier one stays");
            return Ok(());
        };
        let last = self.store.head().await?.no;
        let (index, people) = gathered(&self.store, &program, last).await?;
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) =
            Shared { program: Arc::new(program), index, people };
        Ok(())
    }

    /// Puts another program in force: clocks and priorities of every open record are brought to what
    /// it wants, and what moved is told. With `dry`, nothing is written.
    pub async fn apply(
        &self,
        caller: &Caller,
        program: Program,
        dry: bool,
        progress: &Progress,
    ) -> Result<Moved, Error> {
        let mut moved = Moved::default();
        let mut head = self.writer.lock().await;
        self.catch_up(&mut head).await?;
        progress.total(u64::from(head.no));
        let digest = program.digest.clone();
        let program = Arc::new(program);
        let files: BTreeMap<&String, &String> = program.files.iter().collect();
        let mut document = Document {
            collection: PROGRAM.to_owned(),
            key: APPLYING.to_owned(),
            owner: None,
            body: json!({"digest": digest, "files": files}),
            expires: None,
        };
        if !dry {
            self.store.put(&document).await?;
        }
        IN_FORCE.clone_into(&mut document.key);
        let mut after = 0;
        loop {
            if progress.cancelled() {
                self.store.remove(PROGRAM, APPLYING).await?;
                return Err(Error::Cancelled);
            }
            let records = self.store.records_after(after, SLICE).await?;
            let Some(last) = records.last() else { break };
            let (last, looked) = (last.id.no, records.len() as u64);
            let before = moved.clone();
            let now = self.event_time();
            let mut drafts = Vec::new();
            for record in records.into_iter().filter(|r| r.open) {
                let Some(kind) = program.kind(&record.kind) else { continue };
                let mut draft = Draft::of(record, now);
                settle(&program, kind, &mut draft, now, "the program has changed");
                if draft.changes.is_empty() {
                    continue;
                }
                moved.changed += 1;
                for change in &draft.changes {
                    let what = match change {
                        Change::Timed { clock, .. } => clock.clone(),
                        Change::Set { fields, .. } => fields.keys().next().cloned().unwrap_or_default(),
                        _ => continue,
                    };
                    *moved.by.entry(what).or_default() += 1;
                }
                if moved.examples.len() < 20 {
                    moved.examples.push(draft.record.id.clone());
                }
                drafts.push(draft);
            }
            if !dry {
                match self.commit(&mut head, &caller.actor, drafts, Vec::new(), now, None).await {
                    // Somebody else wrote in between: these are looked at again.
                    Err(Error::Store(StoreError::Behind(_))) => {
                        self.catch_up(&mut head).await?;
                        moved = before;
                        continue;
                    }
                    other => other.map(|_| ())?,
                }
            }
            after = last;
            moved.looked += looked;
            progress.step(looked);
        }
        if dry {
            return Ok(moved);
        }
        // Other fields may be searched now, so the index is made anew.
        let (index, people) = gathered(&self.store, &program, head.no).await?;
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) =
            Shared { program: Arc::clone(&program), index, people };
        loop {
            let now = self.event_time();
            let mut drafts = Vec::new();
            if let Some(kind) = program.kind("program") {
                let fields: Fields = [
                    ("title".to_owned(), json!(format!("Program {}", digest.get(..12).unwrap_or(&digest)))),
                    ("digest".to_owned(), json!(digest)),
                ]
                .into();
                let id = RecordId::new(&kind.prefix, head.no + 1);
                drafts.push(Draft::new(id, kind, &kind.initial().name, fields, now));
            }
            let documents = vec![document.clone()];
            match self.commit(&mut head, &caller.actor, drafts, documents, now, None).await {
                Err(Error::Store(StoreError::Behind(_))) => self.catch_up(&mut head).await?,
                other => {
                    other?;
                    self.store.remove(PROGRAM, APPLYING).await?;
                    return Ok(moved);
                }
            }
        }
    }
}

/// The program whose files a document holds; none where they no longer load.
pub fn kept_program(document: &Document) -> Option<Program> {
    let files: BTreeMap<String, String> = serde_json::from_value(document.body["files"].clone()).ok()?;
    let files: Vec<File> = files.into_iter().map(|(path, text)| File { path, text }).collect();
    wardroom_program::load(&files).program
}
