//! A record: what its events add up to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Change, ClockState, Event, Fields, Millis, RecordId, Sighting, is_default};

/// What the events of one record add up to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// How many events it has.
    pub version: u32,
    /// The state.
    pub state: String,
    /// Whether work is still to be done.
    pub open: bool,
    /// What it holds, `title` always among it.
    pub fields: Fields,
    /// Labels.
    #[serde(default, skip_serializing_if = "is_default")]
    pub labels: BTreeSet<String>,
    /// Ties to other records.
    #[serde(default, skip_serializing_if = "is_default")]
    pub links: Vec<LinkTo>,
    /// Clocks, by name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clocks: BTreeMap<String, ClockState>,
    /// Where an engine sees it: by branch.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seen: BTreeMap<String, Seen>,
    /// Logins that comments mention.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mentioned: BTreeSet<String>,
    /// How many comments.
    #[serde(default, skip_serializing_if = "is_default")]
    pub comments: u32,
    /// How many files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub files: u32,
    /// Only who may see confidential records sees it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub confidential: bool,
    /// When it came to be.
    pub opened: Millis,
    /// When it last changed; reading does not count.
    pub updated: Millis,
    /// When it came to the state it is in.
    pub entered: Millis,
    /// When it last closed; none while it is open.
    #[serde(default, skip_serializing_if = "is_default")]
    pub closed: Option<Millis>,
    /// How often it was opened again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reopened: u32,
    /// The event that holds what the engine found last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub evidence: Option<u64>,
    /// States it has been in, in order of first entry, with the moment.
    pub passed: Vec<(String, Millis)>,
}

/// A tie to another record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkTo {
    /// The link's name.
    pub relation: String,
    /// The other record.
    pub to: RecordId,
    /// This record is the one linked to.
    #[serde(default, skip_serializing_if = "is_default")]
    pub back: bool,
}

/// How an engine sees a record on one branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The repository.
    pub repository: String,
    /// The fingerprint under which it was last seen.
    pub fingerprint: String,
    /// Over what was last seen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub content: String,
    /// The commit at which that changed last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub commit: String,
    /// It is still there.
    pub present: bool,
    /// Complete scans in a row that did not see it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: u32,
    /// When that last changed.
    pub at: Millis,
}

impl Seen {
    fn at(sighting: &Sighting, present: bool, missed: u32, at: Millis) -> Seen {
        Seen {
            repository: sighting.repository.clone(),
            fingerprint: sighting.fingerprint.clone(),
            content: sighting.content.clone(),
            commit: sighting.commit.clone(),
            present,
            missed,
            at,
        }
    }
}

impl Record {
    /// The record that an opening event makes; none for another event.
    pub fn opened(event: &Event) -> Option<Record> {
        let Change::Opened { .. } = &event.change else { return None };
        Some(Record::blank(event.record.clone(), &event.change, event.at))
    }

    /// The record that an opening change makes.
    pub(crate) fn blank(id: RecordId, change: &Change, at: Millis) -> Record {
        let mut record = Record {
            id,
            kind: String::new(),
            version: 1,
            state: String::new(),
            open: true,
            fields: Fields::new(),
            labels: BTreeSet::new(),
            links: Vec::new(),
            clocks: BTreeMap::new(),
            seen: BTreeMap::new(),
            mentioned: BTreeSet::new(),
            comments: 0,
            files: 0,
            confidential: false,
            opened: at,
            updated: at,
            entered: at,
            closed: None,
            reopened: 0,
            evidence: None,
            passed: Vec::new(),
        };
        if let Change::Opened { kind, state, open, fields, clocks, confidential } = change {
            kind.clone_into(&mut record.kind);
            state.clone_into(&mut record.state);
            record.open = *open;
            record.fields = fields.clone();
            record.clocks = clocks.clone();
            record.confidential = *confidential;
            record.closed = (!open).then_some(at);
            record.passed.push((state.clone(), at));
        }
        record
    }

    /// Takes the next event in. The events of a record must come in order.
    pub fn apply(&mut self, event: &Event) {
        self.version = event.version;
        if !matches!(event.change, Change::Read) {
            self.updated = event.at;
        }
        match &event.change {
            Change::Opened { .. } | Change::Read | Change::Noted { .. } | Change::Delivered { .. } => {}
            Change::Set { fields, .. } => self.set(fields),
            Change::Moved { to, open, .. } => self.enter(to, *open, event.at),
            Change::Commented { mentions, .. } => {
                self.comments += 1;
                self.mentioned.extend(mentions.iter().cloned());
            }
            Change::Labelled { added, removed } => {
                self.labels.extend(added.iter().cloned());
                self.labels.retain(|l| !removed.contains(l));
            }
            Change::Linked { relation, to, back } => {
                let link = LinkTo { relation: relation.clone(), to: to.clone(), back: *back };
                if !self.links.contains(&link) {
                    self.links.push(link);
                }
            }
            Change::Unlinked { relation, to, back } => {
                self.links.retain(|l| !(l.relation == *relation && l.to == *to && l.back == *back));
            }
            Change::Attached { .. } => self.files += 1,
            Change::Timed { clock, state, .. } => match state {
                Some(state) => {
                    self.clocks.insert(clock.clone(), state.clone());
                }
                None => {
                    self.clocks.remove(clock);
                }
            },
            Change::Observed { sighting, fields, evidence } => {
                self.set(fields);
                if evidence.is_some() {
                    self.evidence = Some(event.seq);
                }
                self.seen.insert(sighting.branch.clone(), Seen::at(sighting, true, 0, event.at));
            }
            Change::Vanished { sighting } => {
                let missed = self.seen.get(&sighting.branch).map_or(0, |s| s.missed) + 1;
                self.seen.insert(sighting.branch.clone(), Seen::at(sighting, false, missed, event.at));
            }
        }
    }

    fn set(&mut self, fields: &Fields) {
        for (name, value) in fields {
            if value.is_null() {
                self.fields.remove(name);
            } else {
                self.fields.insert(name.clone(), value.clone());
            }
        }
    }

    fn enter(&mut self, state: &str, open: bool, at: Millis) {
        if open && !self.open {
            self.reopened += 1;
        }
        if open != self.open {
            self.closed = (!open).then_some(at);
        }
        self.open = open;
        self.entered = at;
        state.clone_into(&mut self.state);
        if !self.passed.iter().any(|(s, _)| s == state) {
            self.passed.push((state.to_owned(), at));
        }
    }

    /// A text field; empty where there is none.
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// The title.
    pub fn title(&self) -> &str {
        self.text("title")
    }

    /// The clock that runs out first, of those that run.
    pub fn due(&self) -> Option<(&str, Millis)> {
        let running = self.clocks.iter().filter_map(|(name, clock)| Some((name.as_str(), clock.due()?)));
        running.min_by_key(|(_, due)| *due)
    }

    /// What engines find it again by: scope and fingerprint, of which the store keeps an index. One
    /// key leads from a fingerprint on any branch of the repository; one tells what is present on a
    /// branch, and one what is missing there and still open.
    pub fn keys(&self) -> Vec<(String, String)> {
        let mut keys = Vec::new();
        for (branch, seen) in self.seen.iter().filter(|(_, s)| !s.repository.is_empty()) {
            let print = &seen.fingerprint;
            keys.push((seen.repository.clone(), print.clone()));
            let here = scope(&seen.repository, branch);
            if seen.present {
                keys.push((here, print.clone()));
            } else if self.open {
                keys.push((format!("{here}\n"), print.clone()));
            }
        }
        keys.sort();
        keys.dedup();
        keys
    }
}

/// The scope of a sighting in the store's index: neither part can hold the character between them.
pub fn scope(repository: &str, branch: &str) -> String {
    format!("{repository}\n{branch}")
}
