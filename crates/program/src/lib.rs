//! The program repository: how a team wants its security work done, as files.
//!
//! It takes texts and returns a [`Program`] with the problems that stand in the way, each with
//! file, line and the nearest valid name. It never reads a file system, asks a clock or changes a
//! record: `cli` hands it the files, `desk` decides by what it says.

mod calendar;
mod condition;
mod kind;
mod period;
mod policy;
mod program;

pub use calendar::Calendar;
pub use condition::{Condition, Facts};
pub use kind::{
    ClockRule, Due, Effect, Field, FieldType, Kind, Label, Leaves, Letter, Link, PriorityRule, Queue,
    Retention, State, Transition,
};
pub use period::Period;
pub use policy::{Identity, Policies, Role};
pub use program::{Built, File, Problem, Program};
