//! What searches can name, by the program's kinds.

use std::collections::{BTreeMap, BTreeSet};

use wardroom_model::{Confidence, Severity};
use wardroom_program::{FieldType, Program};

/// What values a name has, and how they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A short name or a line of text: found as a whole, by a part or by its beginning.
    Word,
    /// Found as a whole or by its beginning.
    Name,
    /// A login.
    Person,
    /// A team.
    Team,
    /// One of those that the program lists.
    Choice,
    /// `info` … `critical`.
    Severity,
    /// `low` … `high`.
    Confidence,
    /// A number.
    Number,
    /// A day.
    Date,
    /// Yes or no.
    Flag,
    /// The name of a record.
    Record,
}

impl Shape {
    fn of(kind: &FieldType) -> Shape {
        match kind {
            FieldType::Text | FieldType::Markdown | FieldType::Word | FieldType::Url => Shape::Word,
            FieldType::Choice(_) => Shape::Choice,
            FieldType::Severity => Shape::Severity,
            FieldType::Confidence => Shape::Confidence,
            FieldType::Number => Shape::Number,
            FieldType::Date => Shape::Date,
            FieldType::Person => Shape::Person,
            FieldType::Team => Shape::Team,
            FieldType::Cvss => Shape::Name,
            FieldType::Flag => Shape::Flag,
            FieldType::Record(_) => Shape::Record,
        }
    }

    /// Whether its values have an order.
    pub fn ordered(self) -> bool {
        matches!(self, Shape::Severity | Shape::Confidence | Shape::Number | Shape::Date)
    }

    /// The place of a value in that order.
    pub fn rank(self, value: &str) -> Option<f64> {
        match self {
            Shape::Severity => value.parse::<Severity>().ok().map(|s| f64::from(s as u8)),
            Shape::Confidence => value.parse::<Confidence>().ok().map(|c| f64::from(c as u8)),
            Shape::Number => value.parse::<f64>().ok().filter(|n| n.is_finite()),
            Shape::Date => value.parse::<jiff::civil::Date>().ok().map(|d| f64::from(days(d))),
            _ => None,
        }
    }

    /// The words of an order that is fixed.
    pub fn levels(self) -> &'static [&'static str] {
        match self {
            Shape::Severity => &["info", "low", "medium", "high", "critical"],
            Shape::Confidence => &["low", "medium", "high"],
            Shape::Flag => &["yes", "no"],
            _ => &[],
        }
    }
}

/// A day as a number.
pub fn days(date: jiff::civil::Date) -> i32 {
    date.since(jiff::civil::Date::constant(1970, 1, 1)).map_or(0, |s| s.get_days())
}

/// A moment that every record has, or most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When it came to be.
    Opened,
    /// When it last changed.
    Updated,
    /// When it came to the state it is in.
    Entered,
    /// When it last closed.
    Closed,
    /// When its first running clock runs out.
    Due,
}

/// Where the answer to a name is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `is:open`.
    Is,
    /// `has:owner`.
    Has,
    /// `no:owner`.
    No,
    /// `in:title`: where bare words are looked for.
    In,
    /// `sort:due`.
    Sort,
    /// `group:file`.
    Group,
    /// `late:yes`.
    Late,
    /// `clock:remediate`, `clock:remediate/missed`.
    Clock,
    /// `id:F-12`.
    Id,
    /// A moment.
    Time(Moment),
    /// A column, by its place in [`Schema::columns`].
    Column(usize),
    /// A long text, of which only words are kept, by its place in [`Schema::texts`].
    Text(usize),
}

/// One name that searches can use.
#[derive(Clone, Debug)]
pub struct Name {
    /// `severity`.
    pub name: String,
    /// What pages call it.
    pub title: String,
    /// Where the answer is found.
    pub place: Place,
    /// What values it has.
    pub shape: Shape,
    /// Kinds that have it; empty for what every record has.
    pub kinds: BTreeSet<String>,
    /// The values it can have, where the program lists them.
    pub choices: Vec<String>,
}

/// What searches can name.
#[derive(Clone, Debug)]
pub struct Schema {
    /// By name.
    pub names: BTreeMap<String, Name>,
    /// Columns: name, shape, and whether a record can have several values.
    pub columns: Vec<(String, Shape, bool)>,
    /// Texts of which words are kept: names of fields.
    pub texts: Vec<String>,
    /// Kinds: name and prefix.
    pub kinds: BTreeMap<String, String>,
    /// Fields of each kind that are in a column or a text.
    pub fields: BTreeMap<String, BTreeSet<String>>,
}

/// Columns that are always there, in the order of `built_in`; those that somebody asks for by place.
pub mod column {
    /// `kind`.
    pub const KIND: usize = 0;
    /// `state`.
    pub const STATE: usize = 1;
    /// `label`.
    pub const LABEL: usize = 2;
    /// `mentions`.
    pub const MENTIONS: usize = 3;
    /// `link`: names of links.
    pub const LINK: usize = 4;
    /// `branch`: where an engine still sees it.
    pub const BRANCH: usize = 5;
    /// `reopened`.
    pub const REOPENED: usize = 6;
    /// `owner`.
    pub const OWNER: usize = 7;
    /// `severity`.
    pub const SEVERITY: usize = 9;
    /// `priority`.
    pub const PRIORITY: usize = 11;
}

/// Words that `is:` takes.
pub const IS: [&str; 7] = ["open", "closed", "late", "confidential", "reopened", "present", "gone"];
/// What `has:` and `no:` take beside names of fields.
pub const HAS: [&str; 5] = ["comments", "due", "evidence", "files", "links"];
/// What `clock:` takes behind a clock's name.
pub const CLOCK: [&str; 5] = ["met", "missed", "running", "late", "paused"];
/// What `sort:` takes.
pub const SORTS: [&str; 7] = ["priority", "due", "severity", "age", "updated", "opened", "id"];

impl Schema {
    /// What searches can name in a program.
    pub fn new(program: &Program) -> Schema {
        let mut schema = Schema {
            names: BTreeMap::new(),
            columns: Vec::new(),
            texts: Vec::new(),
            kinds: program.kinds.values().map(|k| (k.name.clone(), k.prefix.clone())).collect(),
            fields: BTreeMap::new(),
        };
        schema.built_in(program);
        for kind in program.kinds.values() {
            for field in &kind.fields {
                schema.field(kind, field);
            }
        }
        schema
    }

    fn built_in(&mut self, program: &Program) {
        let kinds = program.kinds.keys().cloned().collect();
        let mut states: Vec<String> =
            program.kinds.values().flat_map(|k| k.states.iter().map(|s| s.name.clone())).collect();
        states.sort();
        states.dedup();
        let mut links: Vec<String> =
            program.kinds.values().flat_map(|k| k.links.iter().map(|l| l.name.clone())).collect();
        links.sort();
        links.dedup();
        let mut clocks: Vec<String> =
            program.kinds.values().flat_map(|k| k.clocks.iter().map(|c| c.name.to_lowercase())).collect();
        clocks.sort();
        clocks.dedup();
        let clocks: Vec<String> = clocks
            .into_iter()
            .flat_map(|name| {
                let states: Vec<String> = CLOCK.iter().map(|state| format!("{name}/{state}")).collect();
                std::iter::once(name).chain(states)
            })
            .collect();
        let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        for (name, title, shape, many, choices) in [
            ("kind", "Kind", Shape::Choice, false, kinds),
            ("state", "State", Shape::Choice, false, states),
            ("label", "Label", Shape::Name, true, Vec::new()),
            ("mentions", "Mentions", Shape::Person, true, Vec::new()),
            ("link", "Link", Shape::Choice, true, links),
            ("branch", "Branch", Shape::Name, true, Vec::new()),
            ("reopened", "Times reopened", Shape::Number, false, Vec::new()),
            ("owner", "Owner", Shape::Person, false, Vec::new()),
            ("team", "Team", Shape::Team, false, Vec::new()),
            ("severity", "Severity", Shape::Severity, false, Vec::new()),
            ("confidence", "Confidence", Shape::Confidence, false, Vec::new()),
            ("priority", "Priority", Shape::Number, false, Vec::new()),
        ] {
            let place = Place::Column(self.columns.len());
            self.columns.push((name.to_owned(), shape, many));
            self.name(name, title, place, shape, choices);
        }
        for (name, title, place, choices) in [
            ("is", "Is", Place::Is, words(&IS)),
            ("has", "Has", Place::Has, words(&HAS)),
            ("no", "Has no", Place::No, words(&HAS)),
            ("in", "Words in", Place::In, Vec::new()),
            ("sort", "Sorted by", Place::Sort, words(&SORTS)),
            ("group", "Grouped by", Place::Group, Vec::new()),
            ("late", "Late", Place::Late, words(&["yes", "no"])),
            ("clock", "Clock", Place::Clock, clocks),
        ] {
            self.name(name, title, place, Shape::Choice, choices);
        }
        self.name("id", "Id", Place::Id, Shape::Record, Vec::new());
        for (name, title, moment) in [
            ("opened", "Opened", Moment::Opened),
            ("age", "Age", Moment::Opened),
            ("updated", "Updated", Moment::Updated),
            ("entered", "In its state since", Moment::Entered),
            ("closed", "Closed", Moment::Closed),
            ("due", "Due", Moment::Due),
        ] {
            self.name(name, title, Place::Time(moment), Shape::Date, Vec::new());
        }
    }

    fn name(&mut self, name: &str, title: &str, place: Place, shape: Shape, choices: Vec<String>) {
        let named = Name {
            name: name.to_owned(),
            title: title.to_owned(),
            place,
            shape,
            kinds: BTreeSet::new(),
            choices,
        };
        self.names.insert(name.to_owned(), named);
    }

    fn field(&mut self, kind: &wardroom_program::Kind, field: &wardroom_program::Field) {
        let name = field.name.to_ascii_lowercase();
        let long = field.kind == FieldType::Markdown || name == "title";
        let text = matches!(field.kind, FieldType::Text | FieldType::Url);
        let fixed = (column::OWNER..=column::PRIORITY).any(|c| self.columns[c].0 == name);
        // What is not meant to be searched is not; but a line of text is part of what people look
        // for by its words, unless it is about a person.
        let words = long || (text && !field.search);
        if !fixed && !field.search && (!words || field.personal.is_some()) {
            return;
        }
        if !fixed && words {
            if self.names.get(&name).is_none_or(|n| matches!(n.place, Place::Text(_))) {
                let at = self.texts.iter().position(|t| *t == name).unwrap_or_else(|| {
                    self.texts.push(name.clone());
                    self.texts.len() - 1
                });
                self.declare(kind, field, &name, Place::Text(at), Shape::Word);
            }
            return;
        }
        let shape = Shape::of(&field.kind);
        match self.names.get(&name).map(|n| (n.place, n.shape)) {
            None => {
                let place = Place::Column(self.columns.len());
                self.columns.push((name.clone(), shape, false));
                self.declare(kind, field, &name, place, shape);
            }
            Some((Place::Column(at), known)) if fixed || at > column::PRIORITY => {
                // One name with values of two forms in two kinds: both are found as words.
                let shape = if fixed || shape == known { known } else { Shape::Word };
                self.columns[at].1 = shape;
                self.declare(kind, field, &name, Place::Column(at), shape);
            }
            // A long text elsewhere, or a name that means something of its own.
            Some(_) => {}
        }
    }

    fn declare(
        &mut self,
        kind: &wardroom_program::Kind,
        field: &wardroom_program::Field,
        name: &str,
        place: Place,
        shape: Shape,
    ) {
        let named = self.names.entry(name.to_owned()).or_insert_with(|| Name {
            name: name.to_owned(),
            title: field.title.clone(),
            place,
            shape,
            kinds: BTreeSet::new(),
            choices: Vec::new(),
        });
        named.shape = shape;
        named.kinds.insert(kind.name.clone());
        if let FieldType::Choice(choices) = &field.kind {
            for choice in choices.iter().filter(|c| !named.choices.contains(*c)).cloned().collect::<Vec<_>>()
            {
                named.choices.push(choice);
            }
        }
        if shape == Shape::Word {
            // Mixed forms: the list of one kind says nothing about the other's values.
            if !matches!(field.kind, FieldType::Choice(_)) || named.kinds.len() > 1 {
                named.choices.clear();
            }
        }
        self.fields.entry(kind.name.clone()).or_default().insert(name.to_owned());
    }

    /// What a name means; none where nothing has it.
    pub fn get(&self, name: &str) -> Option<&Name> {
        let name = match name {
            "labels" => "label",
            "created" => "opened",
            "mentioned" => "mentions",
            other => other,
        };
        self.names.get(name)
    }

    /// The column of a name, where it has one.
    pub fn column(&self, name: &str) -> Option<usize> {
        match self.get(name)?.place {
            Place::Column(at) => Some(at),
            _ => None,
        }
    }

    /// Whether a name is on records of a kind.
    pub fn is_of(&self, name: &Name, kind: &str) -> bool {
        name.kinds.is_empty()
            || name.kinds.contains(kind)
            || matches!(name.place, Place::Column(at) if at <= column::PRIORITY)
    }
}
