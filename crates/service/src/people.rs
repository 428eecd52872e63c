//! Who works here: from the records of kind `person`.

use std::collections::{BTreeMap, BTreeSet};

use wardroom_desk::{Millis, PERSON, Record};

/// The state of people who may sign in. It is not an open one: a person is no work to be done.
pub const ACTIVE: &str = "active";

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
    /// Since when that is so: what they began before, such as a session, no longer holds.
    pub since: Millis,
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
        let no = record.id.no;
        if let Some(old) = self.login_of.remove(&no)
            && self.by_login.get(&old).is_some_and(|p| p.no == no)
        {
            self.by_login.remove(&old);
        }
        let login = record.text("login").to_owned();
        self.login_of.insert(no, login.clone());
        // A second record with a login takes nothing over from who has it.
        if self.by_login.get(&login).is_some_and(|p| p.no < no) {
            return;
        }
        let person = Person {
            no,
            login: login.clone(),
            name: record.title().to_owned(),
            role: record.text("role").to_owned(),
            team: Some(record.text("team")).filter(|t| !t.is_empty()).map(str::to_owned),
            active: record.state == ACTIVE,
            since: record.entered,
        };
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
