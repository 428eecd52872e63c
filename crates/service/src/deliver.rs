//! Taking in a scan: all of it in one append, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use wardroom_desk::intake::{self, Delivery};
use wardroom_desk::{Actor, Caller, Change, Draft, Fields, RecordId, Refused};
use wardroom_store::{Document, StoreError};

use crate::{Desk, Error};

/// The collection of documents that say what is known of a repository.
const REPOSITORY: &str = "repository";
/// The collection of documents that hold the ways into an application.
pub(crate) const SURFACE: &str = "surface";

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Delivered {
    /// It was the same as the last of its branch: nothing was written.
    pub unchanged: bool,
    /// Findings by fate: seen, opened, carried, returned, adopted, gone, resolved.
    pub counts: BTreeMap<String, u64>,
    /// Events written.
    pub events: u64,
    /// The record of the repository.
    pub asset: RecordId,
}

impl Desk {
    /// Takes in a scan.
    pub async fn deliver(&self, caller: &Caller, delivery: &Delivery) -> Result<Delivered, Error> {
        if !caller.role.deliver {
            let why = format!("your role ({}) may not send scans", caller.role.title);
            return Err(Refused::NotAllowed(why).into());
        }
        let mut head = self.writer.lock().await;
        loop {
            let now = self.event_time();
            let known = self.store.get(REPOSITORY, &delivery.repository, now).await?;
            let asset = known.as_ref().and_then(|d| d.body.get("asset")?.as_u64());
            let asset = match asset.and_then(|no| u32::try_from(no).ok()) {
                Some(no) => self.store.record(no).await?,
                None => None,
            };
            let last =
                |d: &Document| d.body.get("deliveries")?.get(&delivery.branch)?.as_str().map(str::to_owned);
            if let (Some(asset), Some(digest)) = (&asset, known.as_ref().and_then(last))
                && digest == delivery.digest
            {
                let counts = [("seen".to_owned(), delivery.found.len() as u64)].into();
                return Ok(Delivered { unchanged: true, counts, events: 0, asset: asset.id.clone() });
            }

            let records = self.concerned(delivery).await?;
            let (asset, fresh) = match asset {
                Some(record) => (Draft::of(record, now), false),
                None => (self.new_asset(delivery, head.no + 1, now)?, true),
            };
            let next = head.no + 1 + u32::from(fresh);
            let taken = {
                let shared = self.read();
                intake::take(&shared.program, &*shared, delivery, records, next, now)?
            };
            let mut asset = asset;
            asset.push(Change::Delivered {
                branch: delivery.branch.clone(),
                commit: delivery.commit.clone(),
                digest: delivery.digest.clone(),
                tool: delivery.tool.clone(),
                counts: taken.counts.clone(),
            });
            let id = asset.record.id.clone();
            let mut drafts = vec![asset];
            drafts.extend(taken.drafts);
            let documents = documents(delivery, known, id.no);
            let before = head.seq;
            match self
                .commit(&mut head, &Actor::Scan, self.tied(drafts, now).await?, documents, now, None)
                .await
            {
                Err(Error::Store(StoreError::Behind(_))) => self.catch_up(&mut head).await?,
                other => {
                    other?;
                    let events = head.seq - before;
                    return Ok(Delivered { unchanged: false, counts: taken.counts, events, asset: id });
                }
            }
        }
    }

    /// Every record that a delivery may concern.
    async fn concerned(&self, delivery: &Delivery) -> Result<Vec<wardroom_desk::Record>, Error> {
        let prints: Vec<String> = delivery.found.iter().map(|f| f.fingerprint.clone()).collect();
        let mut nos: BTreeSet<u32> = BTreeSet::new();
        nos.extend(self.store.find(&delivery.repository, &prints).await?.into_iter().map(|(_, no)| no));
        for scope in intake::scopes(delivery) {
            nos.extend(self.store.scope(&scope).await?.into_iter().map(|(_, no)| no));
        }
        let nos: Vec<u32> = nos.into_iter().collect();
        Ok(self.store.records(&nos).await?)
    }

    /// The other side of each tie gets it too.
    async fn tied(&self, mut drafts: Vec<Draft>, now: i64) -> Result<Vec<Draft>, Error> {
        let mut ties = Vec::new();
        for draft in &drafts {
            for change in &draft.changes {
                let from = draft.record.id.clone();
                match change {
                    Change::Linked { relation, to, back: false } => ties
                        .push((to.no, Change::Linked { relation: relation.clone(), to: from, back: true })),
                    Change::Unlinked { relation, to, back: false } => ties
                        .push((to.no, Change::Unlinked { relation: relation.clone(), to: from, back: true })),
                    _ => {}
                }
            }
        }
        for (no, back) in ties {
            if let Some(draft) = drafts.iter_mut().find(|d| d.record.id.no == no) {
                draft.push(back);
            } else if let Some(record) = self.store.record(no).await? {
                let mut draft = Draft::of(record, now);
                draft.push(back);
                drafts.push(draft);
            }
        }
        Ok(drafts)
    }

    fn new_asset(&self, delivery: &Delivery, no: u32, now: i64) -> Result<Draft, Error> {
        let shared = self.read();
        let program = &shared.program;
        let kind = program
            .kind("asset")
            .ok_or_else(|| Refused::NotNow("the program has no kind `asset`".to_owned()))?;
        let mut fields = Fields::new();
        for (name, value) in [
            ("title", &delivery.repository),
            ("repository", &delivery.repository),
            ("default_branch", &delivery.default_branch),
        ] {
            if kind.field(name).is_some() {
                fields.insert(name.to_owned(), json!(value));
            }
        }
        let id = RecordId::new(&kind.prefix, no);
        let engine = Caller::engine(Actor::Scan);
        Ok(wardroom_desk::open(program, kind, &*shared, &engine, id, fields, now)?)
    }

    /// The ways into the application of a repository, as the last scan of its default branch saw them.
    pub async fn surface(&self, repository: &str) -> Result<Value, Error> {
        let document = self.store.get(SURFACE, repository, self.now()).await?;
        Ok(document.map_or(Value::Null, |d| d.body))
    }
}

fn documents(delivery: &Delivery, known: Option<Document>, asset: u32) -> Vec<Document> {
    let mut body = known.map_or_else(|| json!({"deliveries": {}}), |d| d.body);
    body["asset"] = json!(asset);
    body["deliveries"][&delivery.branch] = json!(delivery.digest);
    let document = |collection: &str, body: Value| Document {
        collection: collection.to_owned(),
        key: delivery.repository.clone(),
        owner: None,
        body,
        expires: None,
    };
    let mut documents = vec![document(REPOSITORY, body)];
    if delivery.counts() {
        documents.push(document(SURFACE, delivery.surface.clone()));
    }
    documents
}
