//! The program repository: how a team wants its security work done, as files.
//!
//! It takes texts and returns a [`Program`] with the problems that stand in the way, each with
//! file, line and the nearest valid name. It never reads a file system, asks a clock or changes a
//! record: `cli` hands it the files, `desk` decides by what it says.

mod asks;
mod build;
mod built_in;
mod calendar;
mod condition;
mod diff;
mod example;
mod formula;
mod kind;
mod load;
mod names;
mod node;
mod period;
mod policy;
mod problem;
mod program;
mod raw;
mod read;
mod schema;
mod search;

pub use built_in::built_in;
pub use calendar::Calendar;
pub use condition::{Condition, Facts};
pub use diff::{Difference, diff};
pub use example::{Example, Expected, ExpectedDue, Tested};
pub use formula::{Formula, Ground};
pub use kind::{
    By, ClockRule, Due, Effect, Field, FieldType, Gather, Kind, Label, Leaves, Letter, Link, PriorityRule,
    Queue, Retention, State, Transition,
};
pub use load::load;
pub use period::Period;
pub use policy::{Dated, Identity, Policies, PolicyValue, Role};
pub use problem::Problem;
pub use program::{Built, File, Program};
pub use schema::{SCHEMAS, schema};
