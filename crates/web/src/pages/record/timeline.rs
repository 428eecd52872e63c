//! A record's events in words.

use serde_json::Value;
use wardroom_desk::{Actor, Change, ClockState, Event, Fields, Running};
use wardroom_program::{Kind, Program};
use wardroom_service::People;

use crate::markdown::{self, Safe};
use crate::view::{Face, ago, datetime, moment, title};

/// One entry.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Its place in the log.
    pub seq: u64,
    /// Who, where it was a person.
    pub face: Option<Face>,
    /// Who, in words.
    pub who: String,
    /// What, in words.
    pub says: String,
    /// Why, where somebody said.
    pub because: String,
    /// A comment's text.
    pub comment: Option<Safe>,
    /// A record that it leads to.
    pub link: Option<String>,
    /// When: as an age, for machines, in full.
    pub ago: String,
    pub datetime: String,
    pub moment: String,
}

/// What the words need.
pub struct Words<'a> {
    pub program: &'a Program,
    pub people: &'a People,
    pub kind: Option<&'a Kind>,
    pub now: i64,
}

impl Words<'_> {
    /// The entries of events, oldest first. What follows from an event in the same go is told with it.
    pub fn entries(&self, events: &[Event]) -> Vec<Entry> {
        events.iter().filter_map(|e| self.entry(e)).collect()
    }

    fn entry(&self, event: &Event) -> Option<Entry> {
        let mut entry = Entry {
            seq: event.seq,
            ago: ago(event.at, self.now),
            datetime: datetime(event.at),
            moment: moment(event.at),
            ..Entry::default()
        };
        match &event.actor {
            Actor::Person(login) => {
                let face = Face::of(login, self.people.get(login));
                entry.who.clone_from(&face.name);
                entry.face = Some(face);
            }
            Actor::Token(name) => entry.who = format!("The token {name}"),
            Actor::Scan => entry.who = "A scan".to_owned(),
            Actor::Policy => entry.who = "The program".to_owned(),
            Actor::Operator => entry.who = "The operator".to_owned(),
        }
        self.say(&event.change, &mut entry).then_some(entry)
    }

    /// Whether there is anything to say.
    fn say(&self, change: &Change, entry: &mut Entry) -> bool {
        match change {
            Change::Opened { state, clocks, .. } => {
                entry.says = format!("opened it as {}", self.state(state));
                for (name, clock) in clocks {
                    entry.says.push_str(&format!("; {}", self.clock(name, Some(clock))));
                }
            }
            Change::Set { fields, before, because } => {
                let told: Vec<String> = fields
                    .iter()
                    .filter(|(name, _)| *name != "priority_because" && *name != "score")
                    .map(|(name, value)| self.field(name, before.get(name), value))
                    .collect();
                if told.is_empty() {
                    return false;
                }
                entry.says = told.join("; ");
                entry.because =
                    match (because.as_str(), fields.get("priority_because").and_then(Value::as_str)) {
                        (_, Some(reason)) => reason.to_owned(),
                        ("follows from the other fields", None) => String::new(),
                        (because, None) => because.to_owned(),
                    };
            }
            Change::Moved { from, to, because, transition, .. } => {
                let verb = if transition == "undo" { "took it back" } else { "moved it" };
                entry.says = format!("{verb} from {} to {}", self.state(from), self.state(to));
                entry.because.clone_from(because);
            }
            Change::Commented { text, .. } => {
                entry.comment = Some(markdown::render(text, &|login| self.people.get(login).is_some()));
            }
            Change::Labelled { added, removed } => {
                let mut told = Vec::new();
                if !added.is_empty() {
                    told.push(format!("put on {}", added.join(", ")));
                }
                if !removed.is_empty() {
                    told.push(format!("took off {}", removed.join(", ")));
                }
                entry.says = told.join(" and ");
            }
            Change::Linked { relation, to, back } => {
                entry.says = format!("tied it as “{}” to", self.link(relation, *back));
                entry.link = Some(to.to_string());
            }
            Change::Unlinked { relation, to, back } => {
                entry.says = format!("cut the tie “{}” to", self.link(relation, *back));
                entry.link = Some(to.to_string());
            }
            Change::Attached { name, size, .. } => {
                entry.says = format!("put the file {name} with it ({})", bytes(*size));
            }
            Change::Timed { clock, state, because } => {
                entry.says = self.clock(clock, state.as_ref());
                entry.who = "Clock".to_owned();
                entry.face = None;
                if because != "by the program's rules" {
                    entry.because.clone_from(because);
                }
            }
            Change::Observed { sighting, fields, .. } => {
                let commit = short(&sighting.commit);
                entry.says = format!("saw it on {}{commit}", sighting.branch);
                let told: Vec<String> = fields
                    .iter()
                    .filter(|(name, _)| !name.ends_with("_found") && *name != "code" && *name != "message")
                    .map(|(name, value)| self.field(name, None, value))
                    .collect();
                if !told.is_empty() {
                    entry.says.push_str(&format!(": {}", told.join("; ")));
                }
            }
            Change::Vanished { sighting } => {
                entry.says = format!("no longer found it on {}{}", sighting.branch, short(&sighting.commit));
            }
            Change::Delivered { branch, commit, tool, counts, .. } => {
                let told: Vec<String> = ["seen", "opened", "returned", "adopted", "gone", "resolved"]
                    .iter()
                    .filter_map(|name| Some(format!("{} {name}", counts.get(*name)?)))
                    .collect();
                entry.says = format!("of {branch}{} came in from {tool}: {}", short(commit), told.join(", "));
            }
            Change::Read => entry.says = "read it".to_owned(),
            Change::Noted { what, .. } => entry.says.clone_from(what),
        }
        true
    }

    fn state(&self, name: &str) -> String {
        self.kind.and_then(|k| k.state(name)).map_or_else(|| title(name), |s| s.title.clone())
    }

    fn link(&self, name: &str, back: bool) -> String {
        let link = self.program.kinds.values().flat_map(|k| &k.links).find(|l| l.name == name);
        link.map_or_else(|| title(name), |l| if back { l.back.clone() } else { l.title.clone() })
    }

    fn field(&self, name: &str, before: Option<&Value>, value: &Value) -> String {
        let label = self.kind.and_then(|k| k.field(name)).map_or_else(|| title(name), |f| f.title.clone());
        let before = before.filter(|b| !b.is_null()).map(shown);
        match (before, value) {
            (Some(before), Value::Null) => format!("took away {label} ({before})"),
            (None, Value::Null) => format!("took away {label}"),
            (Some(before), value) if shown(value).len() < 80 && before.len() < 80 => {
                format!("changed {label} from {before} to {}", shown(value))
            }
            (_, value) => format!("set {label} to {}", shown(value)),
        }
    }

    fn clock(&self, name: &str, state: Option<&ClockState>) -> String {
        let label = self
            .kind
            .and_then(|k| k.clocks.iter().find(|c| c.name == name))
            .map_or_else(|| title(name), |c| c.title.clone());
        match state {
            None => format!("“{label}” no longer runs"),
            Some(state) => match state.running {
                Running::Running => format!("“{label}” runs until {}", moment(state.due)),
                Running::Paused { .. } => format!("“{label}” stands still"),
                Running::Stopped { at } if at > state.due => format!("“{label}” stopped, missed"),
                Running::Stopped { .. } => format!("“{label}” stopped in time"),
            },
        }
    }
}

/// A value in words.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => {
            let mut short: String = text.chars().take(120).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            short
        }
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        // A number that was typed is kept with a point.
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |n| n.to_string()),
        other => other.to_string(),
    }
}

fn short(commit: &str) -> String {
    if commit.is_empty() { String::new() } else { format!(" at {}", commit.get(..10).unwrap_or(commit)) }
}

/// A size in words.
pub fn bytes(size: u64) -> String {
    match size {
        0..1_024 => format!("{size} bytes"),
        1_024..1_048_576 => format!("{} kB", size / 1_024),
        _ => format!("{:.1} MB", size as f64 / 1_048_576.0),
    }
}

/// Fields that a page shows elsewhere, or that only engines read.
pub fn is_plumbing(name: &str, _fields: &Fields) -> bool {
    name.ends_with("_found")
        || matches!(
            name,
            "title" | "code" | "message" | "priority" | "priority_because" | "score" | "cvss" | "severity"
        )
}
