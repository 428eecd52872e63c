//! What surrounds a route where it is declared: path, module, resource, guards.

use std::rc::Rc;

use super::value::{Keywords, Value};
use crate::inflect;

/// In which kind of block a route stands; it decides what a bare action name means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Level {
    #[default]
    Top,
    Resources,
    Resource,
    Member,
    Collection,
    New,
    Nested,
    Root,
}

/// The scope at one point of a routes file.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope<'a> {
    pub path: String,
    pub shallow_path: String,
    /// What goes in front of names.
    pub prefix: Option<String>,
    pub shallow_prefix: Option<String>,
    pub module: Option<String>,
    pub controller: Option<String>,
    pub action: Option<String>,
    pub to: Option<Value<'a>>,
    pub via: Option<Value<'a>>,
    pub shallow: bool,
    pub only: Option<Vec<String>>,
    pub except: Option<Vec<String>>,
    pub path_names: Vec<(String, String)>,
    pub defaults: Vec<(String, String)>,
    pub guards: Vec<String>,
    pub authenticated: bool,
    pub development: bool,
    pub level: Level,
    pub resource: Option<Rc<Resource>>,
    /// How many shallow resources are open around.
    pub shallow_depth: u32,
    /// What `with_options` adds to every call.
    pub with: Keywords<'a>,
    /// The engine whose routes these are.
    pub engine: Option<Rc<str>>,
}

impl Scope<'_> {
    pub fn in_resource(&self) -> bool {
        matches!(self.level, Level::Resources | Level::Resource)
    }

    pub fn path_name<'s>(&'s self, action: &'s str) -> &'s str {
        self.path_names.iter().rev().find(|(name, _)| name == action).map_or(action, |(_, path)| path)
    }

    pub fn add_path(&mut self, path: &str) {
        self.path = super::value::normalise(&format!("{}/{path}", self.path));
    }

    pub fn add_prefix(&mut self, name: &str) {
        self.prefix = Some(joined(self.prefix.as_deref(), name, "_"));
    }

    pub fn add_module(&mut self, module: &str) {
        self.module = Some(joined(self.module.as_deref(), module, "/"));
    }

    /// Takes up one object of `constraints`: a class, a lambda or a hash of request attributes.
    /// Only the first two can look at who is asking.
    pub fn add_guard(&mut self, value: &Value<'_>) {
        match value {
            Value::Constant(_) | Value::Object(_) | Value::Lambda(_) => self.guards.push(value.text()),
            Value::Unknown(text) if !text.to_lowercase().contains("regex") => self.guards.push(text.clone()),
            Value::List(items) => items.iter().for_each(|item| self.add_guard(item)),
            _ => {}
        }
    }

    pub fn add_defaults(&mut self, value: &Value<'_>) {
        if let Value::Map(pairs) = value {
            for (key, value) in pairs {
                if let (Some(key), Some(value)) = (key.word(), value.word()) {
                    self.defaults.retain(|(k, _)| *k != key);
                    self.defaults.push((key, value));
                }
            }
        }
    }

    pub fn add_path_names(&mut self, value: &Value<'_>) {
        if let Value::Map(pairs) = value {
            let known = pairs.iter().filter_map(|(k, v)| Some((k.word()?, v.word()?)));
            self.path_names.extend(known);
        }
    }
}

pub(super) fn joined(head: Option<&str>, tail: &str, between: &str) -> String {
    match head {
        Some(head) if !head.is_empty() => format!("{head}{between}{tail}"),
        _ => tail.to_owned(),
    }
}

/// The resource whose block is open.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// `as` or the name.
    pub name: String,
    pub path: String,
    pub controller: String,
    pub param: String,
    pub singleton: bool,
    pub actions: Vec<&'static str>,
}

impl Resource {
    pub fn new(
        word: &str,
        singleton: bool,
        options: &Keywords<'_>,
        scope: &Scope<'_>,
        api_only: bool,
    ) -> Self {
        let name = options.word("as").unwrap_or_else(|| word.to_owned());
        // A singleton's controller is the plural of the word, whatever `as` says.
        let controller = options
            .word("controller")
            .unwrap_or_else(|| if singleton { inflect::plural(word) } else { word.to_owned() });
        let listed = |key: &str| options.get(key).map(Value::words);
        let (only, except) = match (listed("only"), listed("except")) {
            (None, None) => (scope.only.clone(), scope.except.clone()),
            given => given,
        };
        let all: &[&'static str] = match (singleton, api_only) {
            (false, false) => &["index", "create", "new", "edit", "show", "update", "destroy"],
            (false, true) => &["index", "create", "show", "update", "destroy"],
            (true, false) => &["new", "edit", "show", "update", "destroy", "create"],
            (true, true) => &["show", "update", "destroy", "create"],
        };
        let wanted = |action: &&&'static str| match (&only, &except) {
            (Some(only), _) => only.iter().any(|o| o == **action),
            (None, Some(except)) => !except.iter().any(|e| e == **action),
            (None, None) => true,
        };
        // `only` may name what an API would leave out.
        let pool: &[&'static str] = match (&only, singleton) {
            (Some(_), false) => &["index", "create", "new", "edit", "show", "update", "destroy"],
            (Some(_), true) => &["new", "edit", "show", "update", "destroy", "create"],
            _ => all,
        };
        Resource {
            path: options.word("path").unwrap_or_else(|| word.to_owned()),
            param: options.word("param").unwrap_or_else(|| "id".to_owned()),
            actions: pool.iter().filter(wanted).copied().collect(),
            name,
            controller,
            singleton,
        }
    }

    pub fn has(&self, action: &str) -> bool {
        self.actions.contains(&action)
    }

    pub fn member_name(&self) -> String {
        if self.singleton { self.name.clone() } else { inflect::singular(&self.name) }
    }

    pub fn collection_name(&self) -> String {
        let singular = self.member_name();
        match self.singleton {
            true => singular,
            false if singular == self.name => format!("{singular}_index"),
            false => self.name.clone(),
        }
    }

    pub fn member_path(&self) -> String {
        if self.singleton { self.path.clone() } else { format!("{}/:{}", self.path, self.param) }
    }

    pub fn nested_path(&self) -> String {
        if self.singleton {
            self.path.clone()
        } else {
            format!("{}/:{}_{}", self.path, self.member_name(), self.param)
        }
    }
}
