//! Files and lines: walking a tree, reading what is in it, and telling where a byte stands.
//!
//! The only part of the scanner that touches the file system. It knows nothing of Ruby.

mod history;
mod history_diff;
mod history_pack;
mod lines;
mod stream;
mod tree;

pub use history::{Commit, History, HistoryError, Standing, Version, VersionId, Visit};
pub use history_diff::{Change, Changes, Commits};
pub use lines::LineIndex;
pub use stream::{Stream, stream_tree};
pub use tree::{Source, Tree, WalkError, Wanted, read_tree};
