//! What an audit finds wrong, in words that name the event.

use std::fmt;

use wardroom_desk::Millis;

/// Problems that are named; the rest is counted, so that a log that was shifted by one place does not
/// fill the memory.
const NAMED: usize = 1000;

/// What is wrong with one event or some in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It holds something else than when it was appended.
    Changed,
    /// It was removed.
    Missing,
    /// It was put in.
    Inserted,
    /// It stands at another place.
    Moved,
    /// It is filed under another record.
    Misfiled,
    /// Its record's versions have a gap or a repetition.
    Version,
    /// It is dated before the one before it.
    Time,
    /// The hash kept for it was changed; it was not.
    Leaf,
    /// It may be whole, but nothing proves it.
    Unproven,
    /// A hash of the tree was changed or is missing.
    Tile,
    /// A checkpoint is not what was signed.
    Checkpoint,
    /// The stored record is not what the events add up to.
    Record,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub fault: Fault,
    /// The first event.
    pub from: u64,
    /// The last: the same for one event.
    pub to: u64,
    /// Record, change and time of the first event, where they can be read.
    pub label: String,
    /// How that is known, and what else is.
    pub detail: String,
    /// The event is somewhere in the range, and which it is cannot be said.
    pub within: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.fault, Fault::Tile | Fault::Checkpoint | Fault::Record) {
            return f.write_str(&self.detail);
        }
        let many = self.from != self.to;
        match (many, self.within) {
            (false, _) => write!(f, "event {}", self.from)?,
            (true, false) => write!(f, "events {} to {}", self.from, self.to)?,
            (true, true) => write!(f, "one or more of events {} to {}", self.from, self.to)?,
        }
        match (self.label.as_str(), many) {
            ("", _) => {}
            (label, false) => write!(f, " ({label})")?,
            (label, true) => write!(f, " (the first: {label})")?,
        }
        let (one, several) = match self.fault {
            Fault::Changed => ("was changed", "were changed"),
            Fault::Missing => ("was removed", "were removed"),
            Fault::Inserted => ("was inserted", "were inserted"),
            Fault::Moved => ("stands at another's place", "stand at others' places"),
            Fault::Misfiled => ("is filed under the wrong record", "are filed under wrong records"),
            Fault::Version => {
                ("does not follow its record's last event", "do not follow their records' last events")
            }
            Fault::Time => ("is dated before the one before it", "are dated before those before them"),
            Fault::Leaf => {
                ("is whole, but the hash kept for it was changed", "are whole, but their hashes were changed")
            }
            Fault::Unproven => ("cannot be vouched for", "cannot be vouched for"),
            Fault::Tile | Fault::Checkpoint | Fault::Record => ("", ""),
        };
        write!(f, " {}", if many { several } else { one })?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

/// Problems as they are found. Such as go on from one event to the next become one.
#[derive(Debug, Default)]
pub(super) struct Problems {
    named: Vec<Problem>,
    unnamed: u64,
}

impl Problems {
    /// One event.
    pub fn add(&mut self, fault: Fault, seq: u64, label: String, detail: String) {
        let run = self.named.iter_mut().rev().take(8).find(|p| {
            p.fault == fault
                && p.to + 1 == seq
                && !p.within
                && !matches!(fault, Fault::Tile | Fault::Checkpoint | Fault::Record)
        });
        if let Some(run) = run {
            run.to = seq;
            return;
        }
        self.push(Problem { fault, from: seq, to: seq, label, detail, within: false });
    }

    /// Some events in a row.
    pub fn add_range(&mut self, fault: Fault, from: u64, to: u64, detail: String) {
        self.push(Problem { fault, from, to, label: String::new(), detail, within: false });
    }

    /// One or more events within a range.
    pub fn add_within(&mut self, fault: Fault, from: u64, to: u64, detail: String) {
        self.push(Problem { fault, from, to, label: String::new(), detail, within: true });
    }

    fn push(&mut self, problem: Problem) {
        if self.named.len() < NAMED {
            self.named.push(problem);
        } else {
            self.unnamed += 1;
        }
    }

    /// Whether an event in a range was named as moved, put in or removed: the hashes over the range are
    /// then others, whatever else was done.
    pub fn displaces(&self, from: u64, to: u64) -> bool {
        self.names(from, to, &[Fault::Missing, Fault::Inserted, Fault::Moved])
    }

    /// Whether an event in a range was named as changed.
    pub fn changes(&self, from: u64, to: u64) -> bool {
        self.names(from, to, &[Fault::Changed])
    }

    fn names(&self, from: u64, to: u64, faults: &[Fault]) -> bool {
        self.named.iter().any(|p| faults.contains(&p.fault) && p.from <= to && p.to >= from)
    }

    pub fn finish(mut self) -> (Vec<Problem>, u64) {
        self.named.sort_by_key(|p| (p.from, p.to));
        (self.named, self.unnamed)
    }
}

/// A time as people read it, in UTC.
pub(super) fn moment(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| format!("time {at}"), |time| format!("{time:.0}"))
}
