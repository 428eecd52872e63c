//! What happened: who, when, what, on which record. Never changed once appended.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::{ClockState, RecordId};

/// Milliseconds since 1970, UTC.
pub type Millis = i64;

/// The values of a record's fields, by name.
pub type Fields = BTreeMap<String, Value>;

/// Whether a value is the one that its type begins with: such are left out of what is written.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One thing that happened to one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the log, from 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: Millis,
    /// Who.
    pub actor: Actor,
    /// The first event of what was done in one go: what can be undone as one.
    pub batch: u64,
    /// On which record.
    pub record: RecordId,
    /// The record's version after it, from 1, without gaps.
    pub version: u32,
    /// What.
    pub change: Change,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A person, by login.
    Person(String),
    /// A service, by the name of its token.
    Token(String),
    /// A scan that was delivered.
    Scan,
    /// A policy of the program, or a clock.
    Policy,
    /// The operator of the server, on its command line.
    Operator,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Person(login) => write!(f, "person:{login}"),
            Actor::Token(name) => write!(f, "token:{name}"),
            Actor::Scan => f.write_str("scan"),
            Actor::Policy => f.write_str("policy"),
            Actor::Operator => f.write_str("operator"),
        }
    }
}

impl FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once(':') {
            Some(("person", login)) => Actor::Person(login.to_owned()),
            Some(("token", name)) => Actor::Token(name.to_owned()),
            None if text == "scan" => Actor::Scan,
            None if text == "policy" => Actor::Policy,
            None if text == "operator" => Actor::Operator,
            _ => return Err(format!("`{text}` names nobody")),
        })
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What happened. Every change says all that folding needs: no program is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// The record came to be.
    Opened {
        /// Its kind.
        kind: String,
        /// The state it begins in.
        state: String,
        /// Whether that state is open.
        open: bool,
        /// What it holds.
        fields: Fields,
        /// The clocks that begin with it.
        #[serde(default, skip_serializing_if = "is_default")]
        clocks: BTreeMap<String, ClockState>,
        /// Only who may see confidential records sees it.
        #[serde(default, skip_serializing_if = "is_default")]
        confidential: bool,
    },
    /// Fields got other values; null takes a value away.
    Set {
        /// The new values.
        fields: Fields,
        /// The old ones, so that it can be read and undone.
        before: Fields,
        /// Why, where somebody said.
        #[serde(default, skip_serializing_if = "is_default")]
        because: String,
    },
    /// The record went from state to state.
    Moved {
        /// By which transition; `undo` where something was undone.
        transition: String,
        /// From this state.
        from: String,
        /// To this one.
        to: String,
        /// Whether that is open.
        open: bool,
        /// Why, where somebody said.
        #[serde(default, skip_serializing_if = "is_default")]
        because: String,
    },
    /// Somebody wrote something, in Markdown.
    Commented {
        /// What.
        text: String,
        /// Logins that it mentions.
        #[serde(default, skip_serializing_if = "is_default")]
        mentions: Vec<String>,
    },
    /// Labels came or went.
    Labelled {
        /// These came.
        #[serde(default, skip_serializing_if = "is_default")]
        added: Vec<String>,
        /// These went.
        #[serde(default, skip_serializing_if = "is_default")]
        removed: Vec<String>,
    },
    /// The record was tied to another. Both sides get the event.
    Linked {
        /// The link's name in the kind that declares it.
        relation: String,
        /// The other record.
        to: RecordId,
        /// This record is the one linked to.
        #[serde(default, skip_serializing_if = "is_default")]
        back: bool,
    },
    /// The tie was cut.
    Unlinked {
        /// The link's name.
        relation: String,
        /// The other record.
        to: RecordId,
        /// This record is the one linked to.
        #[serde(default, skip_serializing_if = "is_default")]
        back: bool,
    },
    /// A file was put with the record.
    Attached {
        /// Its name, as the sender called it.
        name: String,
        /// Its media type.
        media: String,
        /// In bytes.
        size: u64,
        /// SHA-256 of what it holds, in hex: the name it is stored under.
        digest: String,
    },
    /// A clock was started, moved, paused, resumed or stopped.
    Timed {
        /// Its name.
        clock: String,
        /// How it stands now; none where the record no longer has it.
        state: Option<ClockState>,
        /// Why it changed.
        because: String,
    },
    /// An engine saw the record's subject.
    Observed {
        /// Where.
        sighting: Sighting,
        /// What it says of it, where that differs from what the record held.
        #[serde(default, skip_serializing_if = "is_default")]
        fields: Fields,
        /// All that it found, where that differs from what it found last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Evidence>,
    },
    /// An engine looked where it had seen the record's subject, and it was gone.
    Vanished {
        /// Where it looked.
        sighting: Sighting,
    },
    /// A scan was delivered: on the record of the repository.
    Delivered {
        /// The branch.
        branch: String,
        /// The commit.
        #[serde(default, skip_serializing_if = "is_default")]
        commit: String,
        /// Over what was delivered.
        digest: String,
        /// The engine and its version.
        tool: String,
        /// How many findings it held, and what became of them: seen, opened, returned, gone, resolved.
        counts: BTreeMap<String, u64>,
    },
    /// Somebody read a confidential record.
    Read,
    /// Something else that has to be known later: a sign-in, a token, an export.
    Noted {
        /// What, in a few words.
        what: String,
        /// Particulars.
        #[serde(default, skip_serializing_if = "is_default")]
        fields: Fields,
    },
}

/// Where an engine saw something, or found it gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The repository.
    pub repository: String,
    /// The branch.
    pub branch: String,
    /// The commit; empty where none is known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub commit: String,
    /// The fingerprint under which it was seen.
    pub fingerprint: String,
    /// Over what was seen: the same means that nothing about it is new.
    #[serde(default, skip_serializing_if = "is_default")]
    pub content: String,
}

/// All that an engine found at one place, as the report has it.
pub type Evidence = Value;
