//! Files and lines: walking a tree, reading what is in it, and telling where a byte stands.
//!
//! The only part of the scanner that touches the file system. It knows nothing of Ruby.

mod lines;
mod tree;

pub use lines::LineIndex;
pub use tree::{Source, Tree, WalkError, Wanted, read_tree};
