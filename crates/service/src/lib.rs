//! The desk at work: commands come in, events go to the store, the index and the listeners.
//!
//! One writer at a time. It decides nothing itself (`desk` does), knows no store by name and no
//! page: `web` and `cli` call it.

mod deliver;
mod desk;
mod error;
mod gather;
mod jobs;
mod maintain;
mod people;
mod same;
mod write;

pub use deliver::Delivered;
pub use desk::{Clock, Desk, Notice, Settings, SystemClock};
pub use error::Error;
pub use jobs::{Job, JobState, Jobs, Progress};
pub use maintain::{APPLYING, IN_FORCE, Moved, PROGRAM, kept_program};
pub use people::{ACTIVE, People, Person};
pub use write::{Done, ManyDone};
