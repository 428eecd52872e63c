//! How a package comes in: asked for by the project, or through which others.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::lockfile::Inventory;

/// The shortest way to each package from what the project itself asks for.
#[derive(Debug)]
pub struct Paths<'i> {
    /// By name: the name that asks for it; `None` where the project does.
    parents: FxHashMap<&'i str, Option<&'i str>>,
}

impl<'i> Paths<'i> {
    /// Finds the ways of a file's packages. Names stand for packages: where a file holds two versions of one
    /// name, the way is to either.
    pub fn new(inventory: &'i Inventory) -> Self {
        let mut requires: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        let mut parents: FxHashMap<&str, Option<&str>> = FxHashMap::default();
        let mut queue = VecDeque::new();
        for package in &inventory.packages {
            let names = package.requires.iter().map(|required| required.name.as_str());
            requires.entry(&package.name).or_default().extend(names);
            if package.direct && parents.insert(&package.name, None).is_none() {
                queue.push_back(package.name.as_str());
            }
        }
        while let Some(name) = queue.pop_front() {
            for required in requires.get(name).into_iter().flatten() {
                if !parents.contains_key(required) {
                    parents.insert(required, Some(name));
                    queue.push_back(required);
                }
            }
        }
        Paths { parents }
    }

    /// The names from what the project asks for down to the package itself, shortest way; empty where the
    /// file does not tell how it comes in.
    pub fn to(&self, name: &str) -> Vec<&'i str> {
        let mut path = Vec::new();
        let mut at = self.parents.get_key_value(name);
        while let Some((name, parent)) = at {
            path.push(*name);
            at = parent.and_then(|parent| self.parents.get_key_value(parent));
        }
        path.reverse();
        path
    }
}
