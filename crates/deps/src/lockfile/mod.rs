//! The files that say which libraries there are: one module each, told by their path.

pub mod bundler;

use std::sync::Arc;

use wardroom_model::Problem;

use crate::{Dependency, Ecosystem, Package};

/// A file longer than this is not read, in bytes: nobody's lockfile is.
pub const LONGEST: usize = 64 << 20;
/// Most packages that one file may name.
pub const MOST: usize = 200_000;

/// One kind of file.
#[derive(Clone, Copy)]
pub struct Format {
    /// As its tool calls it: `Gemfile.lock`, `package-lock.json`.
    pub name: &'static str,
    /// Whose packages it names.
    pub ecosystem: Ecosystem,
    /// It fixes versions (a lockfile), or asks for ranges (a manifest).
    pub locks: bool,
    /// Whether a path, relative with `/` between folders, is one of these.
    pub matches: fn(&str) -> bool,
    /// Reads one: all that could be understood, with what could not.
    pub read: fn(&Arc<str>, &[u8]) -> Inventory,
}

/// What one file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The packages that are locked, in the file's order.
    pub packages: Vec<Package>,
    /// What the project itself asks for, where the file says so.
    pub asks: Vec<Dependency>,
    /// The runtime that it asks for: name and version or range.
    pub runtimes: Vec<(String, String)>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
}

/// Every format; the first that matches a path reads it.
pub fn formats() -> &'static [Format] {
    bundler::FORMATS
}

/// The format of a file, by its path.
pub fn format_of(path: &str) -> Option<&'static Format> {
    formats().iter().find(|f| (f.matches)(path))
}
