//! The files that say which libraries there are: one module each, told by their path.

mod bun;
pub mod bundler;
mod cargo;
mod composer;
mod container;
pub(crate) mod document;
mod elixir;
mod github;
mod gitlab;
mod go;
mod gradle;
mod maven;
mod npm;
mod nuget;
mod pipfile;
mod pnpm;
mod poetry;
mod pub_dev;
mod pylock;
mod pyproject;
mod python;
pub(crate) mod reading;
mod requirements;
mod runtime;
mod settle;
mod uv;
pub(crate) mod xml;
mod yarn;

use std::sync::{Arc, LazyLock};

use wardroom_model::Problem;

use crate::{Dependency, Ecosystem, Package};

pub use settle::{settle, shadows};

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
    /// The packages that are locked, in the file's order. The project's own packages are not among them.
    pub packages: Vec<Package>,
    /// What the project itself asks for, where the file says so.
    pub asks: Vec<Dependency>,
    /// The runtime that it asks for: name and version or range.
    pub runtimes: Vec<(String, String)>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
    /// Licences where the file tells them: an index into `packages`, and the words of the file.
    pub licences: Vec<(usize, String)>,
    /// The registries that the file takes packages from, with the bytes where it names them.
    pub sources: Vec<(String, (u32, u32))>,
    /// Other files that it takes in, as it writes their paths.
    pub includes: Vec<String>,
    /// For each package the indices of those that it needs, where the file tells which version is meant;
    /// empty where names alone tell: see [`Inventory::edges`].
    pub needs: Vec<Vec<usize>>,
    /// The packages, by their indices, that come within the archive of another and so have no checksum.
    pub bundled: Vec<usize>,
}

impl Inventory {
    /// Whether nothing was understood.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
            && self.asks.is_empty()
            && self.runtimes.is_empty()
            && self.includes.is_empty()
    }
}

impl Inventory {
    /// For each package the indices of those that it needs. Where only names tell and a name is locked in
    /// several versions, the one whose version is written as the range is taken, and else all of them.
    pub fn edges(&self) -> Vec<Vec<usize>> {
        match self.needs.len() == self.packages.len() {
            true => self.needs.clone(),
            false => reading::edges_by_name(&self.packages),
        }
    }
}

/// Every format; the first that matches a path reads it.
pub fn formats() -> &'static [Format] {
    static ALL: LazyLock<Vec<Format>> = LazyLock::new(|| {
        [
            bundler::FORMATS,
            npm::FORMATS,
            yarn::FORMATS,
            pnpm::FORMATS,
            bun::FORMATS,
            cargo::FORMATS,
            go::FORMATS,
            requirements::FORMATS,
            poetry::FORMATS,
            pipfile::FORMATS,
            uv::FORMATS,
            pylock::FORMATS,
            pyproject::FORMATS,
            composer::FORMATS,
            maven::FORMATS,
            gradle::FORMATS,
            nuget::FORMATS,
            elixir::FORMATS,
            pub_dev::FORMATS,
            container::FORMATS,
            runtime::FORMATS,
            github::FORMATS,
            gitlab::FORMATS,
        ]
        .concat()
    });
    &ALL
}

/// The format of a file, by its path.
pub fn format_of(path: &str) -> Option<&'static Format> {
    formats().iter().find(|f| (f.matches)(path))
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
