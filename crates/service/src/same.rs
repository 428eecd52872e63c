//! A person's word on whether a finding that came is one that went, in new words.

use serde_json::Value;
use wardroom_desk::{Caller, Change, Command, Draft, Fields, RecordId, Refused, Sighting, settle};
use wardroom_store::StoreError;

use crate::write::TRIES;
use crate::{Desk, Done, Error};

impl Desk {
    /// Answers the question that likeness asked: `new` came where `old` went. With `yes`, the old
    /// record goes on with the sightings of the new one, which becomes its duplicate; with no, they
    /// are two, and the old one is closed by the next scan that does not see it.
    pub async fn same(
        &self,
        caller: &Caller,
        new: &RecordId,
        old: &RecordId,
        yes: bool,
    ) -> Result<Done, Error> {
        let asked = |r: &wardroom_desk::Record| {
            r.links.iter().any(|l| l.relation == "same_as" && l.to.no == old.no && !l.back)
        };
        let record = self.record(caller, new).await?;
        // Before anything is written: what follows goes past what a role may.
        let program = self.program();
        let way = program.kind(&record.kind).and_then(|k| k.transition("mark_duplicate"));
        let barred = way.and_then(|t| wardroom_desk::barred(t, caller)).filter(|_| yes);
        if !caller.role.edit || barred.is_some() {
            let why = format!("your role ({}) may not say whether two findings are one", caller.role.title);
            return Err(Refused::NotAllowed(why).into());
        }
        if !asked(&record) {
            return Err(Refused::NotNow(format!("nobody asks whether {new} is {old}")).into());
        }
        if yes && way.is_none_or(|t| !t.from.contains(&record.state)) {
            return Err(Refused::NotNow(format!("{new} cannot become a duplicate now")).into());
        }
        if yes {
            self.adopt_sightings(caller, &record, old).await?;
            let command = Command::Move {
                transition: "mark_duplicate".to_owned(),
                fields: [("duplicate_of".to_owned(), serde_json::json!(old.to_string()))].into(),
                because: "the same weakness in new words".to_owned(),
            };
            self.act(caller, new, None, command).await?;
        }
        let command = Command::Unlink { relation: "same_as".to_owned(), to: old.clone() };
        self.act(caller, new, None, command).await
    }

    /// The old record is seen where the new one was, and comes back if it was closed or missing.
    async fn adopt_sightings(
        &self,
        caller: &Caller,
        new: &wardroom_desk::Record,
        old: &RecordId,
    ) -> Result<(), Error> {
        let evidence = match new.evidence {
            Some(seq) => self.store.event(seq).await?.and_then(|e| match e.change {
                Change::Observed { evidence, .. } => evidence,
                _ => None,
            }),
            None => None,
        };
        let mut head = self.writer.lock().await;
        for _ in 0..TRIES {
            let (at, draft) = self.adopted(caller, new, old, evidence.clone()).await?;
            let drafts = draft.into_iter().collect();
            match self.commit(&mut head, &caller.actor, drafts, Vec::new(), at, None).await {
                Err(Error::Store(StoreError::Behind(_))) => self.catch_up(&mut head).await?,
                other => return other.map(|_| ()),
            }
        }
        Err(StoreError::Other("other servers keep writing: try again".to_owned()).into())
    }

    async fn adopted(
        &self,
        caller: &Caller,
        new: &wardroom_desk::Record,
        old: &RecordId,
        evidence: Option<Value>,
    ) -> Result<(i64, Option<Draft>), Error> {
        let record = self.record(caller, old).await?;
        let program = self.program();
        let now = self.event_time();
        let Some(kind) = program.kind(&record.kind) else { return Ok((now, None)) };
        let mut draft = Draft::of(record, now);
        let engine_fields = ["file", "line", "scope", "code", "handler", "endpoint", "message"];
        let fields: Fields = new
            .fields
            .iter()
            .filter(|(name, _)| engine_fields.contains(&name.as_str()) && kind.field(name).is_some())
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        for (branch, seen) in new.seen.iter().filter(|(_, s)| s.present) {
            draft.push(Change::Observed {
                sighting: Sighting {
                    repository: seen.repository.clone(),
                    branch: branch.clone(),
                    commit: seen.commit.clone(),
                    fingerprint: seen.fingerprint.clone(),
                    content: seen.content.clone(),
                },
                fields: fields.clone(),
                evidence: evidence.clone(),
            });
        }
        let state = draft.record.state.clone();
        if let Some(way) = kind.ways_out(&state).find(|t| t.name == "return") {
            draft.push(Change::Moved {
                transition: way.name.clone(),
                from: state.clone(),
                to: way.to.clone(),
                open: kind.state(&way.to).is_none_or(|s| s.open),
                because: format!("{} is it in new words", new.id),
            });
        }
        settle(&program, kind, &mut draft, now, "");
        Ok((now, Some(draft)))
    }
}
