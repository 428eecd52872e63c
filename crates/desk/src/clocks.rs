//! Clocks: when something has to be done, by the program's rules.

use serde::{Deserialize, Serialize};
use wardroom_program::{Calendar, ClockRule, Due, Kind, Period};

use crate::{Change, Facts, Millis, Record, is_default};

/// How a clock stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// When it began.
    pub started: Millis,
    /// When it runs out, as things stand.
    pub due: Millis,
    /// Whether it runs.
    #[serde(flatten)]
    pub running: Running,
    /// How long it has stood still in all, in milliseconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stood: Millis,
}

/// Whether a clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Running {
    /// It runs.
    Running,
    /// It stands still since then.
    Paused {
        /// Since when.
        since: Millis,
    },
    /// What had to be done was done then.
    Stopped {
        /// When.
        at: Millis,
    },
}

impl ClockState {
    /// When it runs out; none while it does not run.
    pub fn due(&self) -> Option<Millis> {
        (self.running == Running::Running).then_some(self.due)
    }

    /// Whether it has run out: late, or done late.
    pub fn missed(&self, now: Millis) -> bool {
        match self.running {
            Running::Running => self.due < now,
            Running::Paused { .. } => false,
            Running::Stopped { at } => self.due < at,
        }
    }
}

/// The changes that bring a record's clocks to where the program wants them at `now`. A record whose
/// clocks are right gets none.
pub fn settle(
    kind: &Kind,
    calendar: &Calendar,
    record: &Record,
    facts: &Facts,
    now: Millis,
    because: &str,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for rule in &kind.clocks {
        let before = record.clocks.get(&rule.name);
        let after = wanted(rule, calendar, record, facts, now, before);
        if before != after.as_ref() {
            changes.push(Change::Timed {
                clock: rule.name.clone(),
                state: after,
                because: because.to_owned(),
            });
        }
    }
    for name in record.clocks.keys().filter(|n| !kind.clocks.iter().any(|c| c.name == **n)) {
        changes.push(Change::Timed { clock: name.clone(), state: None, because: because.to_owned() });
    }
    changes
}

fn wanted(
    rule: &ClockRule,
    calendar: &Calendar,
    record: &Record,
    facts: &Facts,
    now: Millis,
    before: Option<&ClockState>,
) -> Option<ClockState> {
    let period = period(&rule.due, record)?;
    let started = before
        .map(|b| b.started)
        .or_else(|| record.passed.iter().filter(|(s, _)| rule.starts.contains(s)).map(|(_, at)| *at).min())?;
    let mut stood = before.map_or(0, |b| b.stood);
    let stopped = rule.stops.contains(&record.state);
    let paused = !stopped && rule.paused.as_ref().is_some_and(|c| c.holds(facts));
    let was = before.map(|b| b.running);
    // What had stopped or stood still and runs again has not used the time between.
    match was {
        Some(Running::Paused { since }) if !paused => stood += (now - since).max(0),
        Some(Running::Stopped { at }) if !stopped => stood += (now - at).max(0),
        _ => {}
    }
    let running = match was {
        Some(Running::Stopped { at }) if stopped => Running::Stopped { at },
        _ if stopped => Running::Stopped { at: record.entered.max(started) },
        Some(Running::Paused { since }) if paused => Running::Paused { since },
        _ if paused => Running::Paused { since: now },
        _ => Running::Running,
    };
    let due = calendar.after(started, period).saturating_add(stood);
    Some(ClockState { started, due, running, stood })
}

fn period(due: &Due, record: &Record) -> Option<Period> {
    match due {
        Due::Fixed(period) => Some(*period),
        Due::ByField(field, table) => {
            let value = record.text(field);
            table.iter().find(|(name, _)| name == value).map(|(_, period)| *period)
        }
    }
}
