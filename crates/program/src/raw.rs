//! The shapes of the files, before names in them are checked. Their comments are the descriptions in
//! the published schemas.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::node::{Node, Value};
use crate::problem::{At, Problems};
use crate::read::{Entries, Read, Scalar, Words, shape};

shape! {
    /// `wardroom.toml`: whose program it is, and how the team counts days.
    pub struct Settings {
        /// The organisation's name, shown at the top of every page.
        pub name: At<String>,
        /// The time zone in which days begin and end: `Europe/Berlin`. UTC where none is given.
        pub time_zone: Option<At<String>>,
        /// Days on which nobody works, beside the days of the week: `["2026-12-25"]`.
        pub holidays: Option<Vec<At<String>>>,
        /// The days of the week on which people work: `["monday", …]`. Monday to Friday where none are given.
        pub working_days: Option<Vec<At<String>>>,
    }
}

shape! {
    /// `policies/roles.yaml`: what people and tokens may do.
    pub struct Roles {
        /// Roles by name, from the one that may most to the one that may least.
        pub roles: Entries<Role>,
    }
}

shape! {
    /// A role that a person or a token has. What is not granted is refused.
    pub struct Role {
        /// What pages call it; made of the name where it is not given.
        pub title: Option<At<String>>,
        /// Sees confidential records.
        pub confidential: Option<At<bool>>,
        /// Edits fields, labels, links and owners.
        pub edit: Option<At<bool>>,
        /// Comments and attaches files.
        pub comment: Option<At<bool>>,
        /// Sends scans.
        pub deliver: Option<At<bool>>,
        /// Manages people, tokens and the store.
        pub admin: Option<At<bool>>,
    }
}

shape! {
    /// `policies/identity.yaml`: how findings are matched from run to run.
    pub struct Identity {
        /// A finding that this many complete scans of the default branch in a row have not seen is
        /// resolved; 0 leaves it to people.
        #[schemars(range(min = 0))]
        pub resolve_unseen_after: At<f64>,
        /// From this likeness of their code on (0 to 1), a finding that came and one that went, of one
        /// rule, are shown to a person as perhaps the same.
        #[schemars(range(min = 0, max = 1))]
        pub likeness: At<f64>,
    }
}

shape! {
    /// `policies/values.yaml`: the numbers that formulas ask for, each with the day from which it holds.
    pub struct Values {
        /// Values by name.
        pub values: Entries<PolicyValue>,
    }
}

shape! {
    /// A number that formulas ask for.
    pub struct PolicyValue {
        /// One sentence on what it is.
        pub help: Option<At<String>>,
        /// From which day on it is what, oldest first.
        pub dated: Vec<Dated>,
    }
}

shape! {
    /// What a value is from a day on: `value` or `table`.
    pub struct Dated {
        /// The first day on which it holds. A record keeps to what held when it was opened.
        pub since: At<String>,
        /// The number: `policy('name')`.
        pub value: Option<At<f64>>,
        /// A number for each of some words: `policy_of('name', severity)`.
        pub table: Option<Entries<At<f64>>>,
    }
}

shape! {
    /// `kinds/NAME.yaml`: a kind of record; what it holds, how it moves, and when it is late.
    pub struct Kind {
        /// The name, one word, as the file is called; never changed once there are records.
        pub kind: At<String>,
        /// What pages call one; made of the name where it is not given.
        pub title: Option<At<String>>,
        /// What pages call many.
        pub plural: Option<At<String>>,
        /// What stands before the number of a record: `F` in `F-12`. One to four capital letters.
        #[schemars(regex(pattern = "^[A-Z]{1,4}$"))]
        pub prefix: At<String>,
        /// One sentence on what such a record is.
        pub summary: At<String>,
        /// Roles that may open one by hand; nobody where none are given.
        pub opened_by: Option<Words>,
        /// A new record is visible only to those who may see confidential ones.
        pub confidential: Option<At<bool>>,
        /// What a record holds, in the order in which pages show it. `title` must be among them.
        pub fields: Entries<Field>,
        /// The states; a record opens in the first.
        pub states: Entries<State>,
        /// The ways from state to state.
        pub transitions: Option<Entries<Transition>>,
        /// When what has to be done.
        pub clocks: Option<Entries<Clock>>,
        /// How urgent: the first rule whose condition holds.
        pub priority: Option<Vec<Priority>>,
        /// Labels with a meaning of their own: each with what it means.
        pub labels: Option<Entries<At<String>>>,
        /// People may use labels that are not declared.
        pub open_labels: Option<At<bool>>,
        /// How a record may be tied to another.
        pub links: Option<Entries<Link>>,
        /// Searches with a name, which everyone sees.
        pub queues: Option<Entries<Queue>>,
        /// Texts with the record's fields in them.
        pub letters: Option<Entries<Letter>>,
        /// Records with what the rules above must make of them: `wardroom program test` runs them.
        pub examples: Option<Vec<Example>>,
    }
}

shape! {
    /// One thing that a record holds.
    pub struct Field {
        /// What pages call it; made of the name where it is not given.
        pub title: Option<At<String>>,
        /// What values it takes.
        #[schemars(extend("enum" = crate::names::TYPES))]
        pub r#type: At<String>,
        /// The values of a `choice`.
        pub choices: Option<Vec<At<String>>>,
        /// The kind of record that a `record` leads to; any where none is given.
        pub of: Option<At<String>>,
        /// A record cannot be opened without it.
        pub required: Option<At<bool>>,
        /// Searches can name it: `severity:high`.
        pub search: Option<At<bool>>,
        /// Only engines set it (a scan, a policy); people see it.
        pub engine: Option<At<bool>>,
        /// A formula: nobody sets the field, it holds what this gives. Fields that are computed further
        /// up may be asked.
        pub compute: Option<At<String>>,
        /// Gathers a number from the records that are tied to this one.
        pub gather: Option<Gather>,
        /// It holds data about a person; how long that is kept after the record closed: `365d`.
        pub personal: Option<At<String>>,
        /// One sentence for who fills it in.
        pub help: Option<At<String>>,
    }
}

shape! {
    /// A number gathered from the records whose link leads here.
    pub struct Gather {
        /// The kind of those records.
        pub from: At<String>,
        /// Their link that leads here.
        pub link: At<String>,
        /// What is made of them all.
        #[schemars(extend("enum" = crate::names::GATHERS))]
        pub by: At<String>,
        /// A formula over each of them; where it gives nothing, that record does not count.
        pub take: At<String>,
    }
}

shape! {
    /// A state of a record.
    pub struct State {
        /// What pages call it; made of the name where it is not given.
        pub title: Option<At<String>>,
        /// Work is still to be done.
        pub open: Option<At<bool>>,
        /// An engine may open a record in it, though it is not the first.
        pub entry: Option<At<bool>>,
        /// One sentence on what it means.
        pub help: Option<At<String>>,
        /// A date on which a record leaves it by itself.
        pub leaves: Option<Leaves>,
    }
}

shape! {
    /// A date on which a record leaves a state by itself.
    pub struct Leaves {
        /// The date field: the state is left when that day is over.
        pub after: At<String>,
        /// By this transition, which `engine` may take.
        pub by: At<String>,
    }
}

shape! {
    /// A way from some states to another.
    pub struct Transition {
        /// What the button says; made of the name where it is not given.
        pub title: Option<At<String>>,
        /// From this state, or these.
        pub from: Words,
        /// To this one.
        pub to: At<String>,
        /// The roles that may take it. `engine` is the role of scans and policies.
        pub who: Words,
        /// Fields that must be filled, on the record or with the move.
        pub needs: Option<Words>,
        /// A file must be attached to the record.
        pub evidence: Option<At<bool>>,
        /// A reason in words must be given.
        pub reason: Option<At<bool>>,
        /// A condition: it may be taken only where this holds.
        pub when: Option<At<String>>,
        /// What is said where `when` does not hold.
        pub otherwise: Option<At<String>>,
        /// Ask before it is done.
        pub confirm: Option<At<bool>>,
        /// One sentence for who is about to take it.
        pub help: Option<At<String>>,
        /// What it does to other records.
        pub then: Option<Vec<Effect>>,
    }
}

shape! {
    /// What a transition does to other records: `open` or `move`.
    pub struct Effect {
        /// Opens a record of this kind, tied to this record.
        pub open: Option<At<String>>,
        /// Takes this transition on the records that `link` leads to.
        pub r#move: Option<At<String>>,
        /// With `open`, a link of the other kind that leads back here; with `move`, a link of this kind.
        pub link: At<String>,
        /// Fields of the other record, each with the field of this record that it is filled from.
        pub fields: Option<Entries<At<String>>>,
    }
}

shape! {
    /// When something has to be done, and what stops the clock.
    pub struct Clock {
        /// What pages call it; made of the name where it is not given.
        pub title: Option<At<String>>,
        /// It starts when a record first enters one of these states.
        pub starts: Words,
        /// It stops when a record enters one of these. Left again, it runs on.
        pub stops: Words,
        /// A condition: it stands still where this holds.
        pub paused: Option<At<String>>,
        /// The field whose value says how long it runs.
        pub by: Option<At<String>>,
        /// How long it runs: `30d`, or with `by` a period for each value; other values have no clock.
        pub due: Due,
    }
}

shape! {
    /// How urgent a record is, and why.
    pub struct Priority {
        /// 1 is the most urgent, 4 the least.
        #[schemars(range(min = 1, max = 4))]
        pub priority: At<f64>,
        /// A condition; without one the rule always holds.
        pub when: Option<At<String>>,
        /// Why, in a few words: shown beside the priority.
        pub because: At<String>,
    }
}

shape! {
    /// How a record may be tied to another.
    pub struct Link {
        /// What this record calls the other: `Duplicate of`; made of the name where it is not given.
        pub title: Option<At<String>>,
        /// What the other record calls this one: `Has duplicate`.
        pub back: At<String>,
        /// The kind of the other record; any where none is given.
        pub to: Option<At<String>>,
    }
}

shape! {
    /// A search with a name.
    pub struct Queue {
        /// What pages call it; made of the name where it is not given.
        pub title: Option<At<String>>,
        /// As it is typed: `is:open owner:@me`.
        pub search: At<String>,
    }
}

shape! {
    /// A text with the record's fields in it.
    pub struct Letter {
        /// What pages call it; made of the name where it is not given.
        pub title: Option<At<String>>,
        /// Markdown, with fields as `{{severity}}`.
        pub body: At<String>,
    }
}

shape! {
    /// A record, with what the kind's rules must make of it.
    pub struct Example {
        /// What it shows.
        pub name: At<String>,
        /// The state that it is in; the first where none is given.
        pub state: Option<At<String>>,
        /// The states that it has been in before; the first where none are given.
        pub passed: Option<Vec<At<String>>>,
        /// What it holds.
        pub fields: Option<Entries<Scalar>>,
        /// Its labels.
        pub labels: Option<Vec<At<String>>>,
        /// Days since it was opened; 0 where none are given.
        pub age: Option<At<f64>>,
        /// The day on which it is looked at; 2026-01-01 where none is given.
        pub today: Option<At<String>>,
        /// An engine still sees it; true where it is not given.
        pub present: Option<At<bool>>,
        /// The role of who looks at it, for `can` and `barred`; `engine` where none is given.
        pub role: Option<At<String>>,
        /// The login of who looks at it.
        pub caller: Option<At<String>>,
        /// What has to come of it.
        pub expect: Expect,
    }
}

shape! {
    /// What the rules must make of an example. What is not named is not looked at.
    pub struct Expect {
        /// The priority.
        #[schemars(range(min = 1, max = 4))]
        pub priority: Option<At<f64>>,
        /// Why it has that priority.
        pub because: Option<At<String>>,
        /// Clocks: each with the period it runs, or `none`, `paused` or `stopped`.
        pub due: Option<Entries<At<String>>>,
        /// Computed fields: each with what it holds; null for nothing.
        pub computed: Option<Entries<Scalar>>,
        /// Transitions that can be taken now, with the fields as they are.
        pub can: Option<Words>,
        /// Transitions that cannot.
        pub barred: Option<Words>,
    }
}

/// How long a clock runs: always as long, or by the value of a field.
#[derive(Clone, Debug)]
pub enum Due {
    /// `30d`.
    Fixed(At<String>),
    /// By value.
    Table(Entries<At<String>>),
}

impl Default for Due {
    fn default() -> Self {
        Due::Fixed(At::default())
    }
}

impl Read for Due {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        match node.value {
            Value::Map(_) => Due::Table(Entries::read(node, problems)),
            _ => Due::Fixed(At::read(node, problems)),
        }
    }
}

impl JsonSchema for Due {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Due".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let period = json_schema!({"type": "string", "pattern": "^[0-9]+(h|d|bd)$"});
        json_schema!({"anyOf": [period, {"type": "object", "additionalProperties": period}]})
    }
}
