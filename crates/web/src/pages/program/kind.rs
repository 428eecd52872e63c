//! A kind in words: fields, states, transitions, clocks, priorities, links, queues and letters.

use askama::Template;
use wardroom_desk::query::Query;
use wardroom_program::{Due, Effect, FieldType, Kind, Period, Program};

use super::diagram::Diagram;
use super::{Folder, file_of, folders};
use crate::error::url_encode;
use crate::pages::list::address;
use crate::pages::record::state_class;
use crate::view::Frame;

/// A state, by name, as it is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateMark {
    pub title: String,
    pub class: &'static str,
}

#[derive(Clone, Debug, Default)]
pub struct StateLine {
    pub name: String,
    pub mark: StateMark,
    pub open: bool,
    pub help: String,
    /// `opens here`, `scans may open here`, or when it is left by itself.
    pub notes: Vec<String>,
    pub href: String,
}

#[derive(Clone, Debug, Default)]
pub struct TransitionLine {
    pub name: String,
    pub title: String,
    pub from: Vec<StateMark>,
    pub to: StateMark,
    pub who: String,
    pub needs: Vec<String>,
    pub when: String,
    pub then: Vec<String>,
    pub help: String,
}

#[derive(Clone, Debug, Default)]
pub struct FieldLine {
    pub name: String,
    pub title: String,
    pub kind: String,
    pub notes: Vec<String>,
    pub help: String,
}

#[derive(Clone, Debug, Default)]
pub struct ClockLine {
    pub name: String,
    pub title: String,
    pub due: Vec<(String, String)>,
    pub starts: String,
    pub stops: String,
    pub paused: String,
}

#[derive(Clone, Debug, Default)]
pub struct PriorityLine {
    pub priority: u8,
    pub when: String,
    pub because: String,
}

#[derive(Clone, Debug, Default)]
pub struct LinkLine {
    pub name: String,
    pub title: String,
    pub back: String,
    pub to: String,
}

#[derive(Clone, Debug, Default)]
pub struct QueueLine {
    pub title: String,
    pub search: String,
    pub href: String,
}

#[derive(Template)]
#[template(path = "program_kind.html")]
pub struct KindPage {
    pub frame: Frame,
    pub folders: Vec<Folder>,
    pub file: Option<(String, String)>,
    pub title: String,
    pub prefix: String,
    pub name: String,
    pub summary: String,
    pub opened_by: String,
    pub confidential: bool,
    pub records: String,
    pub diagram: Diagram,
    pub states: Vec<StateLine>,
    pub transitions: Vec<TransitionLine>,
    pub fields: Vec<FieldLine>,
    pub clocks: Vec<ClockLine>,
    pub priorities: Vec<PriorityLine>,
    pub labels: Vec<(String, String)>,
    pub open_labels: bool,
    pub links: Vec<LinkLine>,
    pub queues: Vec<QueueLine>,
    pub letters: Vec<(String, String)>,
}

impl KindPage {
    /// A kind of a program.
    pub fn new(frame: Frame, program: &Program, kind: &Kind) -> KindPage {
        let file = file_of(program, &kind.name);
        let own = Query::parse(&format!("kind:{}", kind.name)).0;
        KindPage {
            frame,
            folders: folders(program, file.unwrap_or_default()),
            file: file.map(|path| (path.to_owned(), format!("/program/files/{}", url_encode(path)))),
            title: kind.title.clone(),
            prefix: kind.prefix.clone(),
            name: kind.name.clone(),
            summary: kind.summary.clone(),
            opened_by: roles(program, &kind.opened_by),
            confidential: kind.confidential,
            records: address("/queue", &own),
            diagram: Diagram::of(kind),
            states: states(kind, &own),
            transitions: kind.transitions.iter().map(|t| transition(program, kind, t)).collect(),
            fields: kind.fields.iter().map(field).collect(),
            clocks: kind.clocks.iter().map(|c| clock(kind, c)).collect(),
            priorities: kind
                .priority
                .iter()
                .map(|p| PriorityLine {
                    priority: p.priority,
                    when: p.when.as_ref().map_or(String::new(), |w| w.source().to_owned()),
                    because: p.because.clone(),
                })
                .collect(),
            labels: kind.labels.iter().map(|l| (l.name.clone(), l.help.clone())).collect(),
            open_labels: kind.open_labels,
            links: kind
                .links
                .iter()
                .map(|l| LinkLine {
                    name: l.name.clone(),
                    title: l.title.clone(),
                    back: l.back.clone(),
                    to: l.to.clone().unwrap_or_default(),
                })
                .collect(),
            queues: kind
                .queues
                .iter()
                .map(|q| QueueLine {
                    title: q.title.clone(),
                    search: q.search.clone(),
                    href: address("/queue", &own.with(&q.search)),
                })
                .collect(),
            letters: kind.letters.iter().map(|l| (l.title.clone(), l.body.clone())).collect(),
        }
    }
}

fn mark(kind: &Kind, name: &str) -> StateMark {
    let state = kind.state(name);
    StateMark {
        title: state.map_or_else(|| name.to_owned(), |s| s.title.clone()),
        class: state_class(name, state.is_some_and(|s| s.open)),
    }
}

fn titles(kind: &Kind, names: &[String]) -> String {
    names.iter().map(|n| mark(kind, n).title).collect::<Vec<_>>().join(", ")
}

fn roles(program: &Program, names: &[String]) -> String {
    let title = |name: &String| {
        let role = program.policies.roles.iter().find(|r| r.name == *name);
        role.map_or_else(
            || if name == "engine" { "scans and policies".to_owned() } else { name.clone() },
            |r| r.title.clone(),
        )
    };
    if names.is_empty() {
        "scans and policies".to_owned()
    } else {
        names.iter().map(title).collect::<Vec<_>>().join(", ")
    }
}

fn states(kind: &Kind, own: &Query) -> Vec<StateLine> {
    let line = |(at, state): (usize, &wardroom_program::State)| {
        let mut notes = Vec::new();
        if at == 0 {
            notes.push("records open in it".to_owned());
        }
        if state.entry {
            notes.push("scans may open records in it".to_owned());
        }
        if let Some(leaves) = &state.leaves {
            let field = kind.field(&leaves.after).map_or(leaves.after.as_str(), |f| f.title.as_str());
            notes.push(format!("left by itself after “{field}”, by {}", leaves.by));
        }
        StateLine {
            name: state.name.clone(),
            mark: mark(kind, &state.name),
            open: state.open,
            help: state.help.clone(),
            notes,
            href: address("/queue", &own.with(&format!("state:{}", state.name))),
        }
    };
    kind.states.iter().enumerate().map(line).collect()
}

fn transition(program: &Program, kind: &Kind, t: &wardroom_program::Transition) -> TransitionLine {
    let mut needs: Vec<String> =
        t.needs.iter().map(|n| kind.field(n).map_or_else(|| n.clone(), |f| f.title.clone())).collect();
    if t.needs_reason {
        needs.push("a reason".to_owned());
    }
    if t.needs_evidence {
        needs.push("a file".to_owned());
    }
    let effect = |e: &Effect| match e {
        Effect::Open { kind, link, .. } => format!("opens a record of kind {kind}, tied by “{link}”"),
        Effect::Move { link, transition, .. } => format!("takes “{transition}” on what “{link}” leads to"),
    };
    TransitionLine {
        name: t.name.clone(),
        title: t.title.clone(),
        from: t.from.iter().map(|n| mark(kind, n)).collect(),
        to: mark(kind, &t.to),
        who: roles(program, &t.who),
        needs,
        when: t.when.as_ref().map_or(String::new(), |w| w.source().to_owned()),
        then: t.then.iter().map(effect).collect(),
        help: t.help.clone(),
    }
}

fn field(field: &wardroom_program::Field) -> FieldLine {
    let kind = match &field.kind {
        FieldType::Text => "one line".to_owned(),
        FieldType::Markdown => "Markdown".to_owned(),
        FieldType::Word => "a word".to_owned(),
        FieldType::Choice(choices) => format!("one of {}", choices.join(", ")),
        FieldType::Severity => "severity".to_owned(),
        FieldType::Confidence => "confidence".to_owned(),
        FieldType::Number => "number".to_owned(),
        FieldType::Date => "date".to_owned(),
        FieldType::Person => "person".to_owned(),
        FieldType::Team => "team".to_owned(),
        FieldType::Cvss => "CVSS vector".to_owned(),
        FieldType::Url => "address".to_owned(),
        FieldType::Flag => "yes or no".to_owned(),
        FieldType::Record(None) => "record".to_owned(),
        FieldType::Record(Some(of)) => format!("record of kind {of}"),
    };
    let mut notes = Vec::new();
    for (holds, note) in [
        (field.required, "required"),
        (field.search, "in searches"),
        (field.engine && field.compute.is_none() && field.gather.is_none(), "set by scans and policies"),
    ] {
        if holds {
            notes.push(note.to_owned());
        }
    }
    if let Some(formula) = &field.compute {
        notes.push(format!("computed: {}", formula.source()));
    }
    if let Some(gather) = &field.gather {
        let (from, take) = (&gather.from, gather.take.source());
        notes.push(format!("gathered from the records of kind {from} that are tied to it: {take}"));
    }
    if let Some(personal) = field.personal {
        notes.push(format!("personal, kept {} after the record closes", length(personal.keep)));
    }
    FieldLine { name: field.name.clone(), title: field.title.clone(), kind, notes, help: field.help.clone() }
}

fn clock(kind: &Kind, clock: &wardroom_program::ClockRule) -> ClockLine {
    let due = match &clock.due {
        Due::Fixed(period) => vec![("always".to_owned(), length(*period))],
        Due::ByField(_, list) => {
            list.iter().map(|(value, period)| (crate::view::title(value), length(*period))).collect()
        }
    };
    ClockLine {
        name: clock.name.clone(),
        title: clock.title.clone(),
        due,
        starts: titles(kind, &clock.starts),
        stops: titles(kind, &clock.stops),
        paused: clock.paused.as_ref().map_or(String::new(), |p| p.source().to_owned()),
    }
}

/// A period in words.
fn length(period: Period) -> String {
    match period {
        Period::Hours(n) => format!("{n} h"),
        Period::Days(n) => format!("{n} d"),
        Period::BusinessDays(n) => format!("{n} business d"),
    }
}
