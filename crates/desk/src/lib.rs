//! The desk's logic: records, the events they are folded from, and what may happen to them.
//!
//! Pure: values in, values out. It never sees a store, a file, a connection or a clock; the time
//! and the program are parameters, so that the same events always give the same records.

mod check;
mod clocks;
mod command;
pub mod comment;
mod decide;
mod event;
mod id;
pub mod index;
pub mod intake;
pub mod metrics;
pub mod query;
mod record;
mod score;

pub use check::{World, nearest};
pub use clocks::{ClockState, Running};
pub use command::{Command, Refused};
pub use decide::{Caller, Decided, Draft, ENGINE, Facts, PERSON, barred, decide, facts, open, settle};
pub use event::{Actor, Change, Event, Evidence, Fields, Millis, Sighting, is_default};
pub use id::{NoId, RecordId};
pub use index::{Index, Matches, Viewer};
pub use query::Query;
pub use record::{LinkTo, Record, Seen, scope};
pub use score::{Cvss, NoCvss};
