//! A kind of record, as its file in `kinds/` declares it, after every name in it was checked.

use serde::Serialize;
use serde_json::Value;

use crate::{Condition, Example, Facts, Formula, Ground, Period};

/// A kind of record: what it holds, how it moves, and when it is late.
#[derive(Clone, Debug, Serialize)]
pub struct Kind {
    /// `finding`: one word, stable for ever.
    pub name: String,
    /// `Finding`.
    pub title: String,
    /// `Findings`.
    pub plural: String,
    /// What stands before the number of a record: `F` in `F-12`.
    pub prefix: String,
    /// One sentence on what such a record is.
    pub summary: String,
    /// Who may open one by hand; empty where only engines do.
    pub opened_by: Vec<String>,
    /// A new record is visible to those alone who may see confidential ones.
    pub confidential: bool,
    /// What a record holds, in the order in which pages show it. `title` is always among them.
    pub fields: Vec<Field>,
    /// The states; the first is the one that a record opens in.
    pub states: Vec<State>,
    /// The ways from state to state.
    pub transitions: Vec<Transition>,
    /// When what has to be done.
    pub clocks: Vec<ClockRule>,
    /// How urgent: the first rule that holds.
    pub priority: Vec<PriorityRule>,
    /// Labels with a meaning of their own; people may add others where `open_labels` says so.
    pub labels: Vec<Label>,
    /// People may use labels that are not declared.
    pub open_labels: bool,
    /// How a record may be tied to another.
    pub links: Vec<Link>,
    /// Searches with a name, which everyone sees.
    pub queues: Vec<Queue>,
    /// Texts with the record's fields in them.
    pub letters: Vec<Letter>,
    /// Records with what the rules above must make of them. They change nothing.
    #[serde(skip)]
    pub examples: Vec<Example>,
}

impl Kind {
    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// What the computed fields hold, given all other facts: each with its value, null for nothing.
    /// `facts` holds them afterwards.
    pub fn compute(&self, facts: &mut Facts, ground: &Ground) -> Facts {
        let mut computed = Facts::new();
        for field in &self.fields {
            // Of no records at all there are none; what was gathered since stays.
            if let Some(gather) = &field.gather
                && facts.get(&field.name).is_none_or(Value::is_null)
                && let Some(number) = gather.by.of(&[])
            {
                facts.insert(field.name.clone(), Value::from(number));
                computed.insert(field.name.clone(), Value::from(number));
            }
            let Some(formula) = &field.compute else { continue };
            let value = field.kind.fitting(formula.value(facts, ground));
            facts.insert(field.name.clone(), value.clone());
            computed.insert(field.name.clone(), value);
        }
        computed
    }

    /// A state by its name.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|s| s.name == name)
    }

    /// A transition by its name.
    pub fn transition(&self, name: &str) -> Option<&Transition> {
        self.transitions.iter().find(|t| t.name == name)
    }

    /// The state that a record opens in.
    pub fn initial(&self) -> &State {
        &self.states[0]
    }

    /// The transitions that lead out of a state, in the order of the file.
    pub fn ways_out<'a>(&'a self, state: &'a str) -> impl Iterator<Item = &'a Transition> {
        self.transitions.iter().filter(move |t| t.from.iter().any(|f| f == state))
    }
}

/// One thing that a record holds.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// `severity`: what rules and searches call it.
    pub name: String,
    /// `Severity`: what pages call it.
    pub title: String,
    /// What values it takes.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// A record cannot be opened without it.
    pub required: bool,
    /// Searches can name it: `rule:sql-injection`.
    pub search: bool,
    /// Only engines set it (a scan, a policy); people see it.
    pub engine: bool,
    /// What it holds, where that follows from the rest.
    pub compute: Option<Formula>,
    /// A number gathered from records that are tied to this one.
    pub gather: Option<Gather>,
    /// It holds data about a person, and how long it is kept.
    pub personal: Option<Retention>,
    /// One sentence for who fills it in.
    pub help: String,
}

/// A number gathered from the records whose link leads to this one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gather {
    /// The kind of those records.
    pub from: String,
    /// Their link.
    pub link: String,
    /// What is made of them all.
    pub by: By,
    /// What is taken of each; null where it does not count.
    pub take: Formula,
}

/// What is made of many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// How many there are.
    Count,
    /// All together; 0 of none.
    Sum,
    /// The highest; nothing of none.
    Highest,
    /// The lowest; nothing of none.
    Lowest,
    /// The mean; nothing of none.
    Mean,
}

impl By {
    /// Makes one number out of many.
    pub fn of(self, numbers: &[f64]) -> Option<f64> {
        let count = f64::from(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
        let sum = numbers.iter().sum::<f64>();
        match self {
            By::Count => Some(count),
            By::Sum => Some(sum),
            By::Highest => numbers.iter().copied().reduce(f64::max),
            By::Lowest => numbers.iter().copied().reduce(f64::min),
            By::Mean => (count > 0.0).then(|| sum / count),
        }
    }
}

/// How long personal data is kept after a record has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// How long.
    pub keep: Period,
}

/// What values a field takes. In JSON all are strings but numbers, flags and lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// One line.
    Text,
    /// Many lines of Markdown.
    Markdown,
    /// A short name without spaces.
    Word,
    /// One of these.
    Choice(Vec<String>),
    /// `info` … `critical`; ordered.
    Severity,
    /// `low` … `high`; ordered.
    Confidence,
    /// A number.
    Number,
    /// `2026-11-27`.
    Date,
    /// A person's login.
    Person,
    /// A team's name.
    Team,
    /// A CVSS vector, v3.0 to v4.0.
    Cvss,
    /// An `https:` or `http:` address.
    Url,
    /// True or false.
    Flag,
    /// Another record, by its id; of this kind where one is named.
    Record(Option<String>),
}

impl FieldType {
    /// A computed value, or null where it is none that a field of this type takes.
    fn fitting(&self, value: Value) -> Value {
        let fits = match (self, &value) {
            (FieldType::Number, value) => value.is_number(),
            (FieldType::Flag, value) => value.is_boolean(),
            (FieldType::Date, Value::String(text)) => text.parse::<jiff::civil::Date>().is_ok(),
            (kind, Value::String(text)) => {
                crate::names::values(kind).is_none_or(|words| words.contains(&text.as_str()))
            }
            _ => false,
        };
        if fits { value } else { Value::Null }
    }
}

/// A state of a record.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    /// `in_progress`.
    pub name: String,
    /// `In progress`.
    pub title: String,
    /// Work is still to be done.
    pub open: bool,
    /// An engine may open a record in it, though it is not the first.
    pub entry: bool,
    /// One sentence on what it means.
    pub help: String,
    /// A date on which the record leaves it by itself.
    pub leaves: Option<Leaves>,
}

/// A date on which a record leaves a state by itself, by policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leaves {
    /// The date field: the state is left when that day is over.
    pub after: String,
    /// By this transition, which `engine` may take.
    pub by: String,
}

/// A way from one state to another.
#[derive(Clone, Debug, Serialize)]
pub struct Transition {
    /// `dismiss`.
    pub name: String,
    /// `Dismiss`: what the button says.
    pub title: String,
    /// From these states.
    pub from: Vec<String>,
    /// To this one.
    pub to: String,
    /// Roles that may take it. `engine` is the role of scans and policies.
    pub who: Vec<String>,
    /// Fields that must be filled, on the record or with the move.
    pub needs: Vec<String>,
    /// A file must be attached to the record.
    pub needs_evidence: bool,
    /// A reason in words must be given with the move.
    pub needs_reason: bool,
    /// It may be taken only where this holds; the text says why not where it does not.
    pub when: Option<Condition>,
    /// What is said where that does not hold; empty where the condition itself is shown.
    pub otherwise: String,
    /// Ask before it is done.
    pub confirm: bool,
    /// One sentence for who is about to take it.
    pub help: String,
    /// What it does to other records.
    pub then: Vec<Effect>,
}

/// What a transition does to other records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Opens a record of another kind, tied to this one.
    Open {
        /// The other kind.
        kind: String,
        /// The link, declared by the other kind, that ties it to this record.
        link: String,
        /// Its fields, each from a field of this record.
        fields: Vec<(String, String)>,
    },
    /// Takes a transition on the records that a link of this record leads to.
    Move {
        /// The link, declared by this kind.
        link: String,
        /// The transition of the other record.
        transition: String,
        /// Its fields, each from a field of this record.
        fields: Vec<(String, String)>,
    },
}

/// When something has to be done, and what stops the clock.
#[derive(Clone, Debug, Serialize)]
pub struct ClockRule {
    /// `remediate`.
    pub name: String,
    /// `Remediate`.
    pub title: String,
    /// It starts when the record first enters one of these.
    pub starts: Vec<String>,
    /// It stops, met or missed, when the record enters one of these. Left again, it runs on; the time
    /// between does not count.
    pub stops: Vec<String>,
    /// It stands still where this holds.
    pub paused: Option<Condition>,
    /// How long it runs.
    pub due: Due,
}

/// How long a clock runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Due {
    /// Always as long.
    Fixed(Period),
    /// By the value of a field (`severity`); values that are not listed have no clock.
    ByField(String, Vec<(String, Period)>),
}

/// How urgent, and why: the first rule whose condition holds gives the priority.
#[derive(Clone, Debug, Serialize)]
pub struct PriorityRule {
    /// 1 is the most urgent, 4 the least.
    pub priority: u8,
    /// When; without one, always.
    pub when: Option<Condition>,
    /// Why, in a few words: shown beside the priority.
    pub because: String,
}

/// A label with a meaning of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// `area::payments`.
    pub name: String,
    /// What it means.
    pub help: String,
}

/// How a record may be tied to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// `duplicate_of`.
    pub name: String,
    /// `Duplicate of`.
    pub title: String,
    /// What the other record calls it: `Has duplicate`.
    pub back: String,
    /// The kind of the other record; any where none is named.
    pub to: Option<String>,
}

/// A search with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// `late`.
    pub name: String,
    /// `Late`.
    pub title: String,
    /// As it is typed: `is:open due:<0d`.
    pub search: String,
}

/// A text with the record's fields in it, as `{{field}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// `thanks`.
    pub name: String,
    /// `Thank the reporter`.
    pub title: String,
    /// Markdown.
    pub body: String,
}
