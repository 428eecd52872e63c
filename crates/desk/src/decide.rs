//! What a command does to a record, or why it is refused. The program says what may be; this
//! applies it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use wardroom_program::{Effect, Kind, Program, Role, Transition};

use crate::check::{self, World};
use crate::{Actor, Change, Command, Event, Fields, Millis, Record, RecordId, Refused, clocks, comment};

/// Names and values that conditions are asked about.
pub type Facts = Map<String, Value>;

/// The kind that holds people: who signs in and what they may follows from its records.
pub const PERSON: &str = "person";

/// The role of scans and policies.
pub const ENGINE: &str = "engine";

/// The field that holds the login of who opened a record, in kinds that have it.
const REQUESTED_BY: &str = "requested_by";

/// Who wants something.
#[derive(Clone, Debug)]
pub struct Caller {
    /// As events name them.
    pub actor: Actor,
    /// What they may.
    pub role: Role,
    /// Their login, where they are a person.
    pub login: Option<String>,
    /// Their team, where they have one.
    pub team: Option<String>,
}

impl Caller {
    /// A scan, a policy or the operator: may take what is left to engines, and sees everything.
    pub fn engine(actor: Actor) -> Caller {
        let role = Role {
            name: ENGINE.to_owned(),
            title: "Engine".to_owned(),
            confidential: true,
            edit: true,
            comment: true,
            deliver: true,
            admin: false,
        };
        Caller { actor, role, login: None, team: None }
    }

    fn is_engine(&self) -> bool {
        self.role.name == ENGINE
    }
}

/// A record with changes that were decided and not yet appended.
#[derive(Clone, Debug)]
pub struct Draft {
    /// As it will be.
    pub record: Record,
    /// What is to be appended, in order.
    pub changes: Vec<Change>,
    /// The record is new: the first change opens it.
    pub fresh: bool,
    at: Millis,
}

impl Draft {
    /// A draft of a record that is there.
    pub fn of(record: Record, at: Millis) -> Draft {
        Draft { record, changes: Vec::new(), fresh: false, at }
    }

    /// A draft of a new record.
    pub fn new(id: RecordId, kind: &Kind, state: &str, fields: Fields, at: Millis) -> Draft {
        let open = kind.state(state).is_none_or(|s| s.open);
        let change = Change::Opened {
            kind: kind.name.clone(),
            state: state.to_owned(),
            open,
            fields,
            clocks: BTreeMap::new(),
            confidential: kind.confidential,
        };
        let record = Record::blank(id, &change, at);
        Draft { record, changes: vec![change], fresh: true, at }
    }

    /// Adds a change, and takes it in.
    pub fn push(&mut self, change: Change) {
        let event = self.event(change, 0, 0, &Actor::Policy, self.record.version + 1);
        self.record.apply(&event);
        self.changes.push(event.change);
    }

    /// The events, numbered from `first`, and the record after them.
    pub fn finish(mut self, first: u64, batch: u64, actor: &Actor) -> (Vec<Event>, Record) {
        let version = self.record.version - u32::try_from(self.changes.len()).unwrap_or(u32::MAX);
        let changes = std::mem::take(&mut self.changes);
        let events: Vec<Event> = (version + 1..)
            .zip(first..)
            .zip(changes)
            .map(|((version, seq), change)| self.event(change, seq, batch, actor, version))
            .collect();
        // Where the evidence stands is known only now.
        let evidence = |e: &&Event| matches!(e.change, Change::Observed { evidence: Some(_), .. });
        if let Some(event) = events.iter().rfind(evidence) {
            self.record.evidence = Some(event.seq);
        }
        (events, self.record)
    }

    fn event(&self, change: Change, seq: u64, batch: u64, actor: &Actor, version: u32) -> Event {
        Event {
            seq,
            at: self.at,
            actor: actor.clone(),
            batch,
            record: self.record.id.clone(),
            version,
            change,
        }
    }
}

/// What a command does: to the record, and what its effects ask of others.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The record and its changes.
    pub draft: Draft,
    /// What has to be done to other records in the same go.
    pub effects: Vec<Effect>,
}

/// Whether a command gives fields values.
fn changes_fields(command: &Command) -> bool {
    match command {
        Command::Set { .. } => true,
        Command::Move { fields, .. } => !fields.is_empty(),
        _ => false,
    }
}

/// Decides a command on a record.
pub fn decide(
    program: &Program,
    world: &dyn World,
    caller: &Caller,
    record: Record,
    command: Command,
    now: Millis,
) -> Result<Decided, Refused> {
    let kind = program
        .kind(&record.kind)
        .ok_or_else(|| Refused::NotNow(format!("the program no longer has the kind `{}`", record.kind)))?;
    // Whoever may change a person's role or login may make themselves anybody.
    if kind.name == PERSON && !caller.role.admin && !caller.is_engine() && changes_fields(&command) {
        return Err(Refused::NotAllowed(format!(
            "your role ({}) may not change people: it takes an administrator",
            caller.role.title
        )));
    }
    let mut draft = Draft::of(record, now);
    let mut effects = Vec::new();
    match command {
        Command::Set { fields, because } => {
            may(caller, caller.role.edit, "edit records")?;
            set(kind, world, caller, &mut draft, fields, because)?;
        }
        Command::Move { transition, fields, because } => {
            effects = take(program, kind, world, caller, &mut draft, &transition, fields, because)?;
        }
        Command::Comment { text } => {
            may(caller, caller.role.comment, "comment")?;
            let text = comment::checked(&text)?;
            let mentions = comment::mentions(&text).filter(|l| world.person(l)).map(str::to_owned).collect();
            draft.push(Change::Commented { text, mentions });
        }
        Command::Label { add, remove } => {
            may(caller, caller.role.edit, "label records")?;
            let add: Vec<String> =
                check::labels(kind, add)?.into_iter().filter(|l| !draft.record.labels.contains(l)).collect();
            let remove: Vec<String> =
                remove.into_iter().filter(|l| draft.record.labels.contains(l)).collect();
            if !add.is_empty() || !remove.is_empty() {
                draft.push(Change::Labelled { added: add, removed: remove });
            }
        }
        Command::Link { relation, to } => {
            may(caller, caller.role.edit, "link records")?;
            check::link(kind, world, &draft.record, &relation, &to)?;
            if !draft.record.links.iter().any(|l| l.relation == relation && l.to == to) {
                draft.push(Change::Linked { relation, to, back: false });
            }
        }
        Command::Unlink { relation, to } => {
            may(caller, caller.role.edit, "link records")?;
            if draft.record.links.iter().any(|l| l.relation == relation && l.to == to && !l.back) {
                draft.push(Change::Unlinked { relation, to, back: false });
            }
        }
        Command::Attach { name, media, size, digest } => {
            may(caller, caller.role.comment, "attach files")?;
            draft.push(Change::Attached { name, media, size, digest });
        }
    }
    settle(program, kind, &mut draft, now, "");
    Ok(Decided { draft, effects })
}

/// Opens a record by hand or by an engine, in the kind's first state.
pub fn open(
    program: &Program,
    kind: &Kind,
    world: &dyn World,
    caller: &Caller,
    id: RecordId,
    fields: Fields,
    now: Millis,
) -> Result<Draft, Refused> {
    if !caller.is_engine() && !kind.opened_by.contains(&caller.role.name) {
        return Err(Refused::NotAllowed(if kind.opened_by.is_empty() {
            format!("{} are opened by engines, not by hand", kind.plural.to_lowercase())
        } else {
            format!(
                "your role ({}) may not open {}: it takes {}",
                caller.role.title,
                kind.plural.to_lowercase(),
                kind.opened_by.join(" or ")
            )
        }));
    }
    let mut fields = check::fields(kind, world, fields, caller.is_engine())?;
    // Who asks is known, and not said by who asks.
    if kind.field(REQUESTED_BY).is_some()
        && let Some(login) = &caller.login
    {
        fields.insert(REQUESTED_BY.to_owned(), json!(login));
    }
    if let Some(missing) = kind.fields.iter().find(|f| f.required && !filled(&fields, &f.name)) {
        return Err(Refused::invalid(&missing.name, format!("{} is needed", missing.title)));
    }
    let mut draft = Draft::new(id, kind, &kind.initial().name, fields, now);
    settle(program, kind, &mut draft, now, "");
    Ok(draft)
}

/// Brings what follows from the rest to where the program wants it: severity from CVSS, what is
/// computed, priority, clocks.
pub fn settle(program: &Program, kind: &Kind, draft: &mut Draft, now: Millis, because: &str) {
    follow(program, kind, draft, now, because);
    let facts = facts(&draft.record, now, program);
    let because = if because.is_empty() { "by the program's rules" } else { because };
    for change in clocks::settle(kind, &program.calendar, &draft.record, &facts, now, because) {
        draft.time(change);
    }
}

/// Gives the fields that follow from others their values.
fn follow(program: &Program, kind: &Kind, draft: &mut Draft, now: Millis, because: &str) {
    let derived = derived(kind, &draft.record, now, program);
    let changed: Fields = derived
        .into_iter()
        .filter(|(n, v)| draft.record.fields.get(n).unwrap_or(&Value::Null) != v)
        .collect();
    if !changed.is_empty() {
        let before = changed
            .keys()
            .map(|name| (name.clone(), draft.record.fields.get(name).cloned().unwrap_or(Value::Null)))
            .collect();
        if draft.fresh && draft.changes.len() == 1 {
            // A new record begins with what follows from its fields.
            draft.begin_with(changed);
        } else {
            let because = if because.is_empty() { "follows from the other fields" } else { because };
            draft.push(Change::Set { fields: changed, before, because: because.to_owned() });
        }
    }
}

impl Draft {
    /// What follows from the fields of a new record stands in its opening.
    fn begin_with(&mut self, more: Fields) {
        if let Some(Change::Opened { fields, .. }) = self.changes.first_mut() {
            fields.extend(more.clone());
            fields.retain(|_, value| !value.is_null());
        }
        self.record.fields.extend(more);
        self.record.fields.retain(|_, value| !value.is_null());
    }

    /// The clocks of a new record begin with its opening.
    fn time(&mut self, change: Change) {
        match (change, self.changes.as_mut_slice()) {
            (Change::Timed { clock, state: Some(state), .. }, [Change::Opened { clocks, .. }])
                if self.fresh =>
            {
                clocks.insert(clock.clone(), state.clone());
                self.record.clocks.insert(clock, state);
            }
            (change, _) => self.push(change),
        }
    }
}

/// Fields that follow from others.
fn derived(kind: &Kind, record: &Record, now: Millis, program: &Program) -> Fields {
    let mut derived = Fields::new();
    let mut record = std::borrow::Cow::Borrowed(record);
    if kind.field("cvss").is_some()
        && kind.field("severity").is_some()
        && let Ok(scored) = record.text("cvss").parse::<crate::Cvss>()
    {
        let severity = json!(scored.severity().as_str());
        record.to_mut().fields.insert("severity".to_owned(), severity.clone());
        derived.insert("severity".to_owned(), severity);
        derived.insert("score".to_owned(), json!(scored.score()));
    }
    if kind.fields.iter().any(|f| f.compute.is_some() || f.gather.is_some()) {
        let mut facts = facts(&record, now, program);
        let computed = kind.compute(&mut facts, program.ground());
        record.to_mut().fields.extend(computed.clone());
        derived.extend(computed);
    }
    if !kind.priority.is_empty() {
        let facts = facts(&record, now, program);
        let rule = kind.priority.iter().find(|r| r.when.as_ref().is_none_or(|c| c.holds(&facts)));
        if let Some(rule) = rule {
            derived.insert("priority".to_owned(), json!(rule.priority));
            derived.insert("priority_because".to_owned(), json!(rule.because));
        }
    }
    derived
}

/// What conditions may ask about a record: its fields, and `state`, `open`, `labels`, `kind`,
/// `today`, `opened`, `entered` (the day on which it came to its state), `age` (days since it was opened) and `present` (an engine still sees it).
pub fn facts(record: &Record, now: Millis, program: &Program) -> Facts {
    let mut facts: Facts = record.fields.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    facts.insert("kind".to_owned(), json!(record.kind));
    facts.insert("state".to_owned(), json!(record.state));
    facts.insert("open".to_owned(), json!(record.open));
    facts.insert("labels".to_owned(), json!(record.labels));
    facts.insert("today".to_owned(), json!(program.calendar.date(now).to_string()));
    facts.insert("opened".to_owned(), json!(program.calendar.date(record.opened).to_string()));
    facts.insert("entered".to_owned(), json!(program.calendar.date(record.entered).to_string()));
    facts.insert("age".to_owned(), json!((now - record.opened) / 86_400_000));
    facts.insert("present".to_owned(), json!(record.seen.values().any(|s| s.present)));
    facts
}

fn set(
    kind: &Kind,
    world: &dyn World,
    caller: &Caller,
    draft: &mut Draft,
    fields: Fields,
    because: String,
) -> Result<(), Refused> {
    let mut fields = check::fields(kind, world, fields, caller.is_engine())?;
    fields.retain(|name, value| draft.record.fields.get(name).unwrap_or(&Value::Null) != value);
    if let Some(field) =
        kind.fields.iter().find(|f| f.required && fields.get(&f.name).is_some_and(Value::is_null))
    {
        return Err(Refused::invalid(&field.name, format!("{} cannot be empty", field.title)));
    }
    if fields.is_empty() {
        return Ok(());
    }
    let before = fields
        .keys()
        .map(|n| (n.clone(), draft.record.fields.get(n).cloned().unwrap_or(Value::Null)))
        .collect();
    draft.push(Change::Set { fields, before, because });
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "each is one word of the sentence")]
fn take(
    program: &Program,
    kind: &Kind,
    world: &dyn World,
    caller: &Caller,
    draft: &mut Draft,
    name: &str,
    fields: Fields,
    because: String,
) -> Result<Vec<Effect>, Refused> {
    let ways = || {
        let ways: Vec<&str> = kind.ways_out(&draft.record.state).map(|t| t.name.as_str()).collect();
        if ways.is_empty() {
            "nothing leads out of it".to_owned()
        } else {
            format!("it can {}", ways.join(", "))
        }
    };
    let Some(transition) = kind.transition(name) else {
        return Err(Refused::NotNow(format!("a {} has no transition `{name}`: {}", kind.name, ways())));
    };
    if !transition.from.contains(&draft.record.state) {
        let state = kind.state(&draft.record.state).map_or(draft.record.state.as_str(), |s| s.title.as_str());
        return Err(Refused::NotNow(format!(
            "{} is in state {state}, from which `{name}` does not lead: {}",
            draft.record.id,
            ways()
        )));
    }
    if let Some(why) = barred(transition, caller) {
        return Err(Refused::NotAllowed(why));
    }
    if transition.needs_reason && because.trim().is_empty() {
        return Err(Refused::invalid("because", format!("{} needs a reason in words", transition.title)));
    }
    set(kind, world, caller, draft, fields, String::new())?;
    // What was said with the move may change what is computed, which the move may ask about.
    let now = draft.at;
    follow(program, kind, draft, now, "");
    if let Some(missing) = transition.needs.iter().find(|n| !filled(&draft.record.fields, n)) {
        let title = kind.field(missing).map_or(missing.as_str(), |f| f.title.as_str());
        return Err(Refused::invalid(missing, format!("{} needs {title}", transition.title)));
    }
    if transition.needs_evidence && draft.record.files == 0 {
        return Err(Refused::NotNow(format!("{} needs a file: attach one first", transition.title)));
    }
    let mut facts = facts(&draft.record, now, program);
    facts.insert("caller".to_owned(), json!(caller.login));
    if let Some(condition) = &transition.when
        && !condition.holds(&facts)
    {
        return Err(Refused::NotNow(match transition.otherwise.as_str() {
            "" => format!("{} is only possible where {}", transition.title, condition.source()),
            words => format!("{} is not possible: {words}", transition.title),
        }));
    }
    let from = draft.record.state.clone();
    let open = kind.state(&transition.to).is_none_or(|s| s.open);
    draft.push(Change::Moved { transition: name.to_owned(), from, to: transition.to.clone(), open, because });
    // What a field names as another record is tied to it, where the kind has a link of that name.
    for needed in &transition.needs {
        if kind.links.iter().any(|l| l.name == *needed)
            && let Ok(to) = draft.record.text(needed).parse::<RecordId>()
        {
            check::link(kind, world, &draft.record, needed, &to)?;
            draft.push(Change::Linked { relation: needed.clone(), to, back: false });
        }
    }
    Ok(transition.then.clone())
}

/// Why a caller may not take a transition; none where they may.
pub fn barred(transition: &Transition, caller: &Caller) -> Option<String> {
    (!transition.who.contains(&caller.role.name)).then(|| {
        format!(
            "your role ({}) may not {}: it takes {}",
            caller.role.title,
            transition.title.to_lowercase(),
            transition.who.iter().filter(|w| *w != ENGINE).cloned().collect::<Vec<_>>().join(" or ")
        )
    })
}

fn filled(fields: &Fields, name: &str) -> bool {
    fields.get(name).is_some_and(|v| !v.is_null() && v.as_str().is_none_or(|s| !s.trim().is_empty()))
}

fn may(caller: &Caller, allowed: bool, what: &str) -> Result<(), Refused> {
    if allowed {
        return Ok(());
    }
    Err(Refused::NotAllowed(format!("your role ({}) may not {what}", caller.role.title)))
}
