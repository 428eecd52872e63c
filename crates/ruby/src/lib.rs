//! Ruby and the template languages of Rails, read into one plain-data tree ([`ir`]).
//!
//! Prism parses Ruby; ERB, Haml and Slim are compiled here to Ruby with a map back to the places in
//! the template, then parsed the same way. Every parser returns what it understood and the problems
//! it met. This crate never touches the file system, never keeps a pointer into C memory past
//! [`parse`], and knows nothing of Rails' classes.

pub mod ir;
mod lower;
pub mod template;
pub mod walk;

pub use lower::{Comment, Parsed, SyntaxError, parse, parse_template};
