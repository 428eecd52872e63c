//! Records and events as a caller may see them: what is confidential is not there for who may not
//! see it, not even as a name.

use serde_json::{Map, Value};
use wardroom_desk::index::Matches;
use wardroom_desk::{Change, Fields, RecordId, barred};
use wardroom_program::{FieldType, Program};

use super::caller::ApiCaller;
use super::problem::Problem;
use super::shapes::{Clock, Event, Record, Row, Seen, Tie, moment};
use crate::App;

/// What a caller may know of. Made once for a request.
pub struct Sight {
    /// None where they may see everything.
    visible: Option<Matches>,
}

impl Sight {
    /// Of a caller.
    pub fn of(app: &App, caller: &ApiCaller) -> Sight {
        Sight::with(app, &caller.eyes())
    }

    /// Of anybody.
    pub fn with(app: &App, eyes: &wardroom_desk::Viewer) -> Sight {
        let visible = (!eyes.sees_confidential).then(|| app.desk.read().index.visible(eyes));
        Sight { visible }
    }

    /// A record without the names of records that they may not know of.
    pub fn record(&self, mut record: wardroom_desk::Record) -> wardroom_desk::Record {
        record.links.retain(|l| self.may(l.to.no));
        record.fields = fields(self, &record.fields);
        record
    }

    /// Events without such names; none that is about nothing else.
    pub fn events(&self, events: Vec<wardroom_desk::Event>) -> Vec<wardroom_desk::Event> {
        let mut events = events;
        events.retain(|e| match &e.change {
            Change::Linked { to, .. } | Change::Unlinked { to, .. } => self.may(to.no),
            _ => true,
        });
        for event in &mut events {
            match &mut event.change {
                Change::Set { fields: set, before, because } => {
                    for value in set.values_mut().chain(before.values_mut()) {
                        *value = self.value(value);
                    }
                    *because = self.sentence(because);
                }
                Change::Opened { fields: set, .. } => *set = fields(self, set),
                Change::Moved { because, .. } | Change::Timed { because, .. } => {
                    *because = self.sentence(because)
                }
                _ => {}
            }
        }
        events
    }

    /// Whether they may know of a record.
    pub fn may(&self, no: u32) -> bool {
        self.visible.as_ref().is_none_or(|v| v.contains(no))
    }

    /// Whether a text names a record that they may not know of.
    fn hides(&self, text: &str) -> bool {
        self.visible.is_some() && text.parse::<RecordId>().is_ok_and(|id| !self.may(id.no))
    }

    /// A value without the names of records that they may not know of.
    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if self.hides(text) => Value::Null,
            other => other.clone(),
        }
    }

    /// A sentence without such names. Policies put them there; what people wrote stays.
    fn sentence(&self, text: &str) -> String {
        if self.visible.is_none() {
            return text.to_owned();
        }
        let words = text.split(' ').map(|word| {
            let bare = word.trim_end_matches([',', '.', ';', ':']);
            if self.hides(bare) { "another record" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// A record, all of it.
pub fn record(app: &App, caller: &ApiCaller, sight: &Sight, record: &wardroom_desk::Record) -> Record {
    let program = app.desk.program();
    let kind = program.kind(&record.kind);
    let ways = kind.map(|k| k.ways_out(&record.state)).into_iter().flatten();
    Record {
        id: record.id.to_string(),
        kind: record.kind.clone(),
        version: record.version,
        state: record.state.clone(),
        open: record.open,
        fields: fields(sight, &record.fields),
        labels: record.labels.iter().cloned().collect(),
        links: record
            .links
            .iter()
            .filter(|l| sight.may(l.to.no))
            .map(|l| Tie { relation: l.relation.clone(), to: l.to.to_string(), back: l.back })
            .collect(),
        clocks: record.clocks.iter().map(|(n, c)| (n.clone(), Clock::of(c))).collect(),
        seen: record
            .seen
            .iter()
            .map(|(branch, s)| {
                let seen = Seen {
                    repository: s.repository.clone(),
                    fingerprint: s.fingerprint.clone(),
                    commit: s.commit.clone(),
                    present: s.present,
                    missed: s.missed,
                    at: moment(s.at),
                };
                (branch.clone(), seen)
            })
            .collect(),
        comments: record.comments,
        files: record.files,
        confidential: record.confidential,
        opened: moment(record.opened),
        updated: moment(record.updated),
        entered: moment(record.entered),
        closed: record.closed.map(moment),
        reopened: record.reopened,
        transitions: ways.filter(|t| barred(t, &caller.caller).is_none()).map(|t| t.name.clone()).collect(),
    }
}

fn fields(sight: &Sight, fields: &Fields) -> Fields {
    let shown = fields.iter().map(|(name, value)| (name.clone(), sight.value(value)));
    // What is taken out must not look as if it had been there.
    shown.filter(|(name, value)| !value.is_null() || fields[name].is_null()).collect()
}

/// A record in a list.
pub fn row(record: &wardroom_desk::Record) -> Row {
    let text = |name: &str| Some(record.text(name)).filter(|t| !t.is_empty()).map(str::to_owned);
    Row {
        id: record.id.to_string(),
        kind: record.kind.clone(),
        version: record.version,
        state: record.state.clone(),
        open: record.open,
        title: record.title().to_owned(),
        severity: text("severity"),
        priority: record.fields.get("priority").and_then(Value::as_f64),
        rule: text("rule"),
        repository: text("repository"),
        file: text("file"),
        line: record.fields.get("line").and_then(Value::as_u64),
        owner: text("owner"),
        team: text("team"),
        labels: record.labels.iter().cloned().collect(),
        opened: moment(record.opened),
        updated: moment(record.updated),
        due: record.due().map(|(_, at)| moment(at)),
        confidential: record.confidential,
        href: format!("/api/v1/records/{}", record.id),
    }
}

/// An event; none where it is about a record that the caller may not know of.
pub fn event(sight: &Sight, event: &wardroom_desk::Event) -> Option<Event> {
    if let Change::Linked { to, .. } | Change::Unlinked { to, .. } = &event.change
        && !sight.may(to.no)
    {
        return None;
    }
    let mut change = serde_json::to_value(&event.change).unwrap_or_default();
    if let Value::Object(change) = &mut change {
        cleaned(sight, change);
    }
    Some(Event {
        seq: event.seq,
        at: moment(event.at),
        actor: event.actor.to_string(),
        batch: event.batch,
        record: event.record.to_string(),
        version: event.version,
        change,
    })
}

fn cleaned(sight: &Sight, change: &mut Map<String, Value>) {
    // Evidence is long, and has an address of its own.
    change.remove("evidence");
    for name in ["fields", "before"] {
        if let Some(Value::Object(fields)) = change.get_mut(name) {
            for value in fields.values_mut() {
                *value = sight.value(value);
            }
        }
    }
    if let Some(Value::String(text)) = change.get_mut("because") {
        *text = sight.sentence(text);
    }
}

/// Refuses to name records that the caller may not know of, in the words for one that is not there.
pub fn refers(program: &Program, sight: &Sight, kind: &str, fields: &Fields) -> Result<(), Problem> {
    let Some(kind) = program.kind(kind) else { return Ok(()) };
    for (name, value) in fields {
        let names_record = kind.field(name).is_some_and(|f| matches!(f.kind, FieldType::Record(_)));
        if let Some(text) = value.as_str().map(str::trim)
            && names_record
            && sight.hides(text)
        {
            return Err(no_record(name, text));
        }
    }
    Ok(())
}

/// A record that a value names is not there, or not for the caller.
pub fn no_record(field: &str, name: &str) -> Problem {
    let name = name.parse::<RecordId>().map_or_else(|_| name.to_owned(), |id| id.to_string());
    Problem::invalid(field, format!("there is no record {name}"))
}
