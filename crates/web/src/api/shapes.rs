//! The forms in which the API shows things. Times are RFC 3339, in UTC.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use wardroom_desk::{Millis, Running};

/// A moment, in UTC.
pub fn moment(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| t.to_string())
}

/// A scan's result in its envelope.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is sent; `wardroom_desk::intake::Envelope` reads it")]
pub struct Scan {
    /// The repository's name, as the team knows it.
    #[schema(max_length = 200)]
    repository: String,
    /// The branch.
    #[schema(required = false, default = "main", max_length = 250)]
    branch: String,
    /// The branch that counts: what is on others only is proposed.
    #[schema(required = false, default = "main", max_length = 250)]
    default_branch: String,
    /// The commit; empty where the tree is in no repository.
    #[schema(required = false, max_length = 64)]
    commit: String,
    /// Everything was looked for everywhere: what is not in the report is gone.
    #[schema(required = false, default = false)]
    complete: bool,
    /// The repository's CODEOWNERS file: who owns what is found.
    #[schema(required = false)]
    codeowners: String,
    /// Fixes as diffs, by fingerprint.
    #[schema(required = false)]
    diffs: HashMap<String, String>,
    /// Pieces of code by file, each a list of the number of its first line and its text.
    #[schema(required = false, value_type = HashMap<String, Vec<Vec<Value>>>)]
    excerpts: HashMap<String, Vec<(u32, String)>>,
    /// The report, as `wardroom scan --format json` writes it.
    #[schema(value_type = HashMap<String, Value>)]
    report: Value,
}

/// What became of a scan.
#[derive(Serialize, ToSchema)]
pub struct Delivered {
    /// It was the same as the last of its branch: nothing was written.
    unchanged: bool,
    /// Findings by fate: seen, opened, carried, returned, adopted, gone, resolved.
    counts: BTreeMap<String, u64>,
    /// Events written.
    events: u64,
    /// The record of the repository.
    asset: String,
}

impl From<wardroom_service::Delivered> for Delivered {
    fn from(done: wardroom_service::Delivered) -> Delivered {
        let wardroom_service::Delivered { unchanged, counts, events, asset } = done;
        Delivered { unchanged, counts, events, asset: asset.to_string() }
    }
}

/// A record in a list.
#[derive(Serialize, ToSchema)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// How many events it has.
    pub version: u32,
    /// The state.
    pub state: String,
    /// Work is still to be done.
    pub open: bool,
    /// The title.
    pub title: String,
    /// `info` to `critical`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// 1 is the most urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// The check that found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Whose it is: a login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Labels.
    pub labels: Vec<String>,
    /// When it came to be.
    pub opened: String,
    /// When it last changed.
    pub updated: String,
    /// When its first running clock runs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Only who may see confidential records sees it.
    pub confidential: bool,
    /// Where all of it is.
    pub href: String,
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct Page {
    /// The records, in order.
    pub records: Vec<Row>,
    /// How many there are in all.
    pub total: u64,
    /// How many come before the first of these.
    pub before: u64,
    /// The address of the next page, where there is one; in the `Link` header too.
    pub next: Option<String>,
    /// The address of the page before, where there is one.
    pub previous: Option<String>,
    /// What in the search is odd, though it could be answered.
    pub warnings: Vec<String>,
}

/// A record.
#[derive(Serialize, ToSchema)]
pub struct Record {
    /// Its name.
    pub id: String,
    /// Its kind; `GET /kinds/{kind}` says what it holds and how it moves.
    pub kind: String,
    /// How many events it has; the `ETag` of the answer.
    pub version: u32,
    /// The state.
    pub state: String,
    /// Work is still to be done.
    pub open: bool,
    /// What it holds, by field.
    #[schema(value_type = HashMap<String, Value>)]
    pub fields: BTreeMap<String, Value>,
    /// Labels.
    pub labels: Vec<String>,
    /// Ties to other records.
    pub links: Vec<Tie>,
    /// When what has to be done, by the clock's name.
    pub clocks: BTreeMap<String, Clock>,
    /// Where scans see it, by branch.
    pub seen: BTreeMap<String, Seen>,
    /// How many comments.
    pub comments: u32,
    /// How many files.
    pub files: u32,
    /// Only who may see confidential records sees it.
    pub confidential: bool,
    /// When it came to be.
    pub opened: String,
    /// When it last changed.
    pub updated: String,
    /// When it came to the state it is in.
    pub entered: String,
    /// When it last closed.
    pub closed: Option<String>,
    /// How often it was opened again.
    pub reopened: u32,
    /// Transitions that lead out of its state and that the caller's role may take.
    pub transitions: Vec<String>,
}

/// A tie to another record.
#[derive(Serialize, ToSchema)]
pub struct Tie {
    /// The link's name.
    pub relation: String,
    /// The other record.
    pub to: String,
    /// This record is the one linked to.
    pub back: bool,
}

/// A clock of a record.
#[derive(Serialize, ToSchema)]
pub struct Clock {
    /// `running`, `paused` or `stopped`.
    pub state: &'static str,
    /// When it started.
    pub started: String,
    /// When it runs out.
    pub due: String,
    /// When it stopped or was paused.
    pub since: Option<String>,
}

impl Clock {
    /// Of a clock's state.
    pub fn of(clock: &wardroom_desk::ClockState) -> Clock {
        let (state, since) = match clock.running {
            Running::Running => ("running", None),
            Running::Paused { since } => ("paused", Some(since)),
            Running::Stopped { at } => ("stopped", Some(at)),
        };
        Clock { state, started: moment(clock.started), due: moment(clock.due), since: since.map(moment) }
    }
}

/// How scans see a record on one branch.
#[derive(Serialize, ToSchema)]
pub struct Seen {
    /// The repository.
    pub repository: String,
    /// The fingerprint.
    pub fingerprint: String,
    /// The commit at which that changed last.
    pub commit: String,
    /// It is still there.
    pub present: bool,
    /// Complete scans in a row that did not see it.
    pub missed: u32,
    /// When that last changed.
    pub at: String,
}

/// Something that happened to a record.
#[derive(Serialize, ToSchema)]
pub struct Event {
    /// Its place in the log.
    pub seq: u64,
    /// When.
    pub at: String,
    /// Who: `person:LOGIN`, `token:NAME`, `scan`, `policy` or `operator`.
    pub actor: String,
    /// What was done in one go, and can be undone as one.
    pub batch: u64,
    /// On which record.
    pub record: String,
    /// The record's version after it.
    pub version: u32,
    /// What: `type` says which, the rest depends on it. Evidence is left out.
    #[schema(value_type = HashMap<String, Value>)]
    pub change: Value,
}

/// Events of a record.
#[derive(Serialize, ToSchema)]
pub struct Events {
    /// In order.
    pub events: Vec<Event>,
    /// The address of what follows, where there may be more.
    pub next: Option<String>,
}

/// What an engine found.
#[derive(Serialize, ToSchema)]
pub struct Evidence {
    /// The event that holds it.
    pub seq: u64,
    /// When.
    pub at: String,
    /// The finding as the report has it, with the code around it and the diff of its fix.
    #[schema(value_type = HashMap<String, Value>)]
    pub evidence: Value,
}

/// A record to be opened by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// Its kind.
    pub kind: String,
    /// What it holds. Fields that engines set are refused.
    #[serde(default)]
    #[schema(value_type = HashMap<String, Value>)]
    pub fields: BTreeMap<String, Value>,
}

/// What is to be done to a record.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Give fields other values; null takes one away.
    Set {
        /// The new values.
        #[schema(value_type = HashMap<String, Value>)]
        fields: BTreeMap<String, Value>,
        /// Why.
        #[serde(default)]
        because: String,
    },
    /// Take a transition.
    Move {
        /// Its name.
        transition: String,
        /// Values that the transition needs, or that go with it.
        #[serde(default)]
        #[schema(value_type = HashMap<String, Value>)]
        fields: BTreeMap<String, Value>,
        /// Why.
        #[serde(default)]
        because: String,
    },
    /// Write something, in Markdown.
    Comment {
        /// What.
        text: String,
    },
    /// Put labels on and take labels off.
    Label {
        /// Put on.
        #[serde(default)]
        add: Vec<String>,
        /// Take off.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// Tie the record to another.
    Link {
        /// The link's name.
        relation: String,
        /// The other record.
        to: String,
    },
    /// Cut a tie.
    Unlink {
        /// The link's name.
        relation: String,
        /// The other record.
        to: String,
    },
}

/// What was done to one record.
#[derive(Serialize, ToSchema)]
pub struct Done {
    /// The record after it.
    pub record: Record,
    /// What can be undone as one; null where nothing had to change.
    pub batch: Option<u64>,
}

/// The same for many records.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// All that this search finds.
    #[serde(default)]
    pub query: Option<String>,
    /// These.
    #[serde(default)]
    pub ids: Option<Vec<String>>,
    /// What is to be done to each.
    pub command: Command,
}

/// What was done to many records.
#[derive(Serialize, ToSchema)]
pub struct BulkDone {
    /// How many changed.
    pub changed: usize,
    /// How many were as wanted already.
    pub same: usize,
    /// Those that could not be changed, with the reason.
    pub refused: Vec<RefusedOne>,
    /// What can be undone as one.
    pub batch: Option<u64>,
}

/// A record that could not be changed.
#[derive(Serialize, ToSchema)]
pub struct RefusedOne {
    /// Its name.
    pub record: String,
    /// Why.
    pub reason: String,
}

/// Long work.
#[derive(Serialize, ToSchema)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// What it does.
    pub title: String,
    /// `running`, `done`, `failed` or `cancelled`.
    pub state: &'static str,
    /// What it says at its end.
    pub says: Option<String>,
    /// How much is done.
    pub done: u64,
    /// How much there is to do.
    pub total: u64,
    /// When it began.
    pub started: String,
    /// What it did can be undone as one.
    pub batch: Option<u64>,
    /// Where to look again.
    pub href: String,
}
