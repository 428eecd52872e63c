//! Who works here: from the records of kind `person`.

use std::collections::{BTreeMap, BTreeSet};

use wardroom_desk::Record;

/// The kind that holds people.
pub const PERSON: &str = "person";

/// Somebody who works here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number of their record.
    pub no: u32,
    /// What they sign in with, and are mentioned by.
    pub login: String,
    /// Their name.
    pub name: String,
    /// The name of their role.
    pub role: String,
    /// Their team.
    pub team: Option<String>,
    /// They may sign in.
    pub active: bool,
}

/// Everybody, by login.
#[derive(Clone, Debug, Default)]
pub struct People {
    by_login: BTreeMap<String, Person>,
    login_of: BTreeMap<u32, String>,
}

impl People {
    /// Takes a person's record in.
    pub fn put(&mut self, record: &Record) {
        if record.kind != PERSON {
            return;
        }
        if let Some(old) = self.login_of.remove(&record.id.no) {
            self.by_login.remove(&old);
        }
        let login = record.text("login").to_owned();
        let person = Person {
            no: record.id.no,
            login: login.clone(),
            name: record.title().to_owned(),
            role: record.text("role").to_owned(),
            team: Some(record.text("team")).filter(|t| !t.is_empty()).map(str::to_owned),
            active: record.open,
        };
        self.login_of.insert(record.id.no, login.clone());
        self.by_login.insert(login, person);
    }

    /// Somebody by their login.
    pub fn get(&self, login: &str) -> Option<&Person> {
        self.by_login.get(login)
    }

    /// Everybody, by login.
    pub fn all(&self) -> impl Iterator<Item = &Person> {
        self.by_login.values()
    }

    /// The teams of people who work here.
    pub fn teams(&self) -> BTreeSet<&str> {
        self.by_login.values().filter(|p| p.active).filter_map(|p| p.team.as_deref()).collect()
    }
}
