//! Whether an event says of itself what the store says of it, and follows what came before.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use wardroom_desk::{Millis, RecordId};

use super::block::Block;
use super::problem::{Fault, Problems, moment};

/// As much of an event as is compared: reading the rest of it would take most of an audit's time.
#[derive(Deserialize)]
struct Glance<'a> {
    seq: u64,
    at: Millis,
    record: RecordId,
    version: u32,
    #[serde(borrow)]
    change: Tag<'a>,
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    name: Cow<'a, str>,
}

/// Record numbers have no gaps, so one this far beyond the highest is wrong and not remembered: it
/// would take memory for all before it.
const JUMP: usize = 1024;

/// What was seen so far: the version of each record, and the last time.
#[derive(Default)]
pub(super) struct Bodies {
    versions: Vec<u32>,
    last: Option<Millis>,
    shift: Shift,
    /// Records with an event that was changed or stands at another's place: their versions say nothing
    /// that is not said already.
    unsure: HashSet<u32>,
}

/// Records remembered as unsure.
const UNSURE: usize = 100_000;

/// How far the events stand from where their bodies say they were appended.
#[derive(Default)]
struct Shift {
    /// The first event of the run that is going on, and how much later its events stand.
    run: Option<(u64, i128)>,
    /// Some stood later, some earlier.
    later: bool,
    earlier: bool,
}

impl Shift {
    fn see(&mut self, seq: u64, own: u64) {
        let by = i128::from(seq) - i128::from(own);
        self.later |= by > 0;
        self.earlier |= by < 0;
        match self.run {
            Some((_, run)) if run == by => {}
            _ => self.run = (by != 0).then_some((seq, by)),
        }
    }
}

impl Bodies {
    /// How many records.
    pub fn records(&self) -> u32 {
        let seen = self.versions.iter().filter(|version| **version > 0).count();
        u32::try_from(seen).unwrap_or(u32::MAX)
    }

    /// Looks at the events of a block. One whose body does not give its hash is left to the tree.
    pub fn check(&mut self, block: &Block, problems: &mut Problems, notes: &mut Problems) {
        for (seq, event) in block.slots() {
            let Some((event, hash)) = event else { continue };
            let changed = event.leaf != *hash;
            let Ok(glance) = serde_json::from_slice::<Glance<'_>>(&event.body) else {
                if !changed {
                    let detail = "what is stored is no event".to_owned();
                    problems.add(Fault::Changed, seq, String::new(), detail);
                }
                continue;
            };
            let label = || format!("{}, {}, {}", glance.record, glance.change.name, moment(glance.at));
            if !changed {
                self.shift.see(seq, glance.seq);
            }
            if (changed || glance.seq != seq) && self.unsure.len() < UNSURE {
                self.unsure.insert(glance.record.no);
            }
            if glance.seq != seq && !changed {
                let detail = format!("it was appended as event {}", glance.seq);
                problems.add(Fault::Moved, seq, label(), detail);
            }
            if glance.record.no != event.record {
                let detail = format!("the index says record {}", event.record);
                problems.add(Fault::Misfiled, seq, label(), detail);
            }
            self.follow(seq, &glance, label, problems);
            if let Some(last) = self.last.replace(glance.at)
                && glance.at < last
            {
                let detail = format!("that one is of {}", moment(last));
                notes.add(Fault::Time, seq, label(), detail);
            }
        }
    }

    /// All was read. Where every event from some place on stands the same number of places later or
    /// earlier, that many were put in or taken out before it, and the rest was numbered anew.
    /// Events beyond `signed` were put behind the end, which is said without this.
    pub fn end(&self, signed: u64, problems: &mut Problems) {
        let Some((start, by)) = self.shift.run else { return };
        if self.shift.later == self.shift.earlier || start > signed {
            return;
        }
        let many = u64::try_from(by.unsigned_abs()).unwrap_or(u64::MAX);
        if by > 0 {
            let detail = "all events after it were numbered anew".to_owned();
            problems.add_range(Fault::Inserted, start.saturating_sub(many).max(1), start - 1, detail);
        } else {
            let detail =
                "all events after it were numbered anew; the places are those before that".to_owned();
            problems.add_range(Fault::Missing, start, start + many - 1, detail);
        }
    }

    fn follow(&mut self, seq: u64, glance: &Glance<'_>, label: impl Fn() -> String, problems: &mut Problems) {
        let unsure = self.unsure.contains(&glance.record.no);
        let no = glance.record.no as usize;
        if no > self.versions.len() + JUMP {
            if !unsure {
                let detail = format!("no record before it has a number near {no}");
                problems.add(Fault::Version, seq, label(), detail);
            }
            return;
        }
        if no >= self.versions.len() {
            self.versions.resize(no + 1, 0);
        }
        let before = std::mem::replace(&mut self.versions[no], glance.version);
        if before.checked_add(1) != Some(glance.version) && !unsure {
            let detail = match before {
                0 => format!("it makes version {}, but the record has no earlier event", glance.version),
                _ => format!("it makes version {}, the one before made {before}", glance.version),
            };
            problems.add(Fault::Version, seq, label(), detail);
        }
    }
}

/// How an event is named in a problem: record, change and time, as far as its body can be read.
pub(super) fn label(body: &[u8]) -> String {
    serde_json::from_slice::<Glance<'_>>(body)
        .map_or_else(|_| String::new(), |g| format!("{}, {}, {}", g.record, g.change.name, moment(g.at)))
}
