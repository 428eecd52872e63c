//! A small desk that makes appends as the real one does: records that open, change, are seen by scans.

use std::collections::BTreeMap;

use serde_json::json;
use wardroom_desk::{Actor, Change, Event, Fields, Record, RecordId, Sighting};

use crate::Append;

/// Makes appends, and knows what the store must hold after them.
#[derive(Clone, Debug)]
pub struct Sample {
    seq: u64,
    at: i64,
    random: u64,
    padding: usize,
    /// The records as they are.
    pub records: BTreeMap<u32, Record>,
}

impl Sample {
    /// A desk whose events depend on the seed alone. Each text of it is `padding` bytes long.
    pub fn new(seed: u64, padding: usize) -> Sample {
        Sample { seq: 0, at: 1_700_000_000_000, random: seed | 1, padding, records: BTreeMap::new() }
    }

    /// Goes on where a store stands: its records, and where its log ends.
    pub fn resume(mut self, seq: u64, at: i64, records: impl IntoIterator<Item = Record>) -> Sample {
        self.records = records.into_iter().map(|record| (record.id.no, record)).collect();
        self.seq = seq;
        self.at = at;
        self
    }

    /// A number below `bound`, not a good one.
    pub fn below(&mut self, bound: usize) -> usize {
        // xorshift64: repeatable, and needs no crate.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % (bound.max(1) as u64)).unwrap_or_default()
    }

    /// Where the log ends after all that was made.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    fn text(&mut self) -> String {
        let start = self.below(1000);
        (0..self.padding).map(|i| char::from(b'a' + ((start + i * 7) % 26) as u8)).collect()
    }

    fn push(&mut self, append: &mut Append, no: u32, batch: u64, change: Change) {
        self.seq += 1;
        self.at += 1 + (self.seq % 977).cast_signed();
        let version = self.records.get(&no).map_or(1, |record| record.version + 1);
        let record = RecordId::new("F", no);
        let event = Event { seq: self.seq, at: self.at, actor: Actor::Scan, batch, record, version, change };
        if let Some(record) = self.records.get_mut(&no) {
            record.apply(&event);
        } else if let Some(record) = Record::opened(&event) {
            self.records.insert(no, record);
        }
        append.at = event.at;
        append.events.push(event);
    }

    /// What goes into the append's records: those that it has events of.
    fn finish(&self, mut append: Append) -> Append {
        let mut nos: Vec<u32> = append.events.iter().map(|event| event.record.no).collect();
        nos.sort_unstable();
        nos.dedup();
        append.records = nos.iter().filter_map(|no| self.records.get(no).cloned()).collect();
        append
    }

    /// Opens `many` records, each with a sighting: two events a record.
    pub fn open(&mut self, many: u32) -> Append {
        let mut append = Append::default();
        let batch = self.seq + 1;
        for _ in 0..many {
            let no = self.records.last_key_value().map_or(1, |(no, _)| no + 1);
            let (title, score) = (self.text(), self.below(100));
            let fields: Fields =
                [("title".to_owned(), json!(title)), ("score".to_owned(), json!(score as f64 / 10.0))].into();
            let opened = Change::Opened {
                kind: "finding".into(),
                state: "new".into(),
                open: true,
                fields,
                clocks: BTreeMap::new(),
                confidential: false,
            };
            self.push(&mut append, no, batch, opened);
            let seen = self.observed(no);
            self.push(&mut append, no, batch, seen);
        }
        self.finish(append)
    }

    fn observed(&mut self, no: u32) -> Change {
        let sighting = Sighting {
            repository: format!("group/app-{}", no % 3),
            branch: "main".into(),
            commit: format!("{:040x}", self.seq),
            content: String::new(),
            fingerprint: format!("{:016x}", u64::from(no) * 1_000_003 + self.below(3) as u64),
        };
        Change::Observed { sighting, fields: Fields::new(), evidence: None }
    }

    /// One event on every record: a scan that sees all of them again.
    pub fn every(&mut self) -> Append {
        let mut append = Append::default();
        let batch = self.seq + 1;
        let nos: Vec<u32> = self.records.keys().copied().collect();
        for no in nos {
            let seen = self.observed(no);
            self.push(&mut append, no, batch, seen);
        }
        self.finish(append)
    }

    /// Forgets all but the newest records, to stay small while many are made.
    pub fn forget(&mut self, keep: usize) {
        while self.records.len() > keep.max(1) {
            self.records.pop_first();
        }
    }

    /// Does `many` things to records that are there.
    pub fn work(&mut self, many: u32) -> Append {
        let mut append = Append::default();
        let batch = self.seq + 1;
        for _ in 0..many {
            let index = self.below(self.records.len());
            let Some(no) = self.records.keys().copied().nth(index) else { break };
            let change = match self.below(5) {
                0 => Change::Commented { text: self.text(), mentions: vec!["ada".into()] },
                1 => Change::Labelled { added: vec![format!("l{}", self.below(9))], removed: vec![] },
                2 => self.observed(no),
                3 => Change::Read,
                _ => {
                    let value = json!({ "deep": [self.below(1000), null, "ä\u{2028}\"\\"] });
                    let fields: Fields = [("note".to_owned(), value)].into();
                    Change::Set { fields, before: Fields::new(), because: String::new() }
                }
            };
            self.push(&mut append, no, batch, change);
        }
        self.finish(append)
    }
}
