//! Active Record models: columns, associations, enums, and what may be assigned in bulk.

use rustc_hash::FxHashMap;
use wardroom_ruby::ir::*;

use crate::index::{Index, literal_name};
use crate::inflect::{camelize, plural, singular, underscore};
use crate::schema::{ColumnType, Schema};

/// One model.
#[derive(Debug)]
pub struct Model {
    /// Its full name.
    pub class: Name,
    /// Its columns with their types; empty where no schema is known.
    pub columns: FxHashMap<Name, ColumnType>,
    /// Its associations by name.
    pub associations: FxHashMap<Name, Association>,
    /// Attributes that are enums: their values come from the code.
    pub enums: Vec<Name>,
}

/// An association.
#[derive(Clone, Copy, Debug)]
pub struct Association {
    /// The class on the other side, as far as it resolves.
    pub class: Name,
    /// More than one.
    pub many: bool,
    /// `belongs_to`
    pub owner: bool,
}

/// Finds every model.
pub fn find(
    index: &Index<'_>,
    schema: &Schema,
    paths: &dyn Fn(crate::files::FileId) -> bool,
) -> FxHashMap<Name, Model> {
    let mut models = FxHashMap::default();
    for class in index.classes.values() {
        if class.module || class.name.is_empty() {
            continue;
        }
        let record = index
            .ancestors(class.name)
            .iter()
            .any(|a| matches!(a.as_str(), "ActiveRecord::Base" | "ApplicationRecord"));
        let explicit_table =
            class.macros.iter().find(|m| matches!(m.call.name.as_str(), "table_name=" | "set_table_name"));
        let document = class.includes.iter().any(|i| i.starts_with("Mongoid::Document"));
        if !record
            && !document
            && explicit_table.is_none()
            && !class.places.iter().any(|p| paths(p.0) && class.superclass.is_some())
        {
            continue;
        }
        let mut tables: Vec<String> = explicit_table
            .and_then(|m| m.call.args.first().and_then(literal_name))
            .map(|n| vec![n.to_string()])
            .unwrap_or_default();
        for ancestor in index.ancestors(class.name) {
            if index.class(*ancestor).is_some_and(|c| !c.module) {
                tables.extend(schema.table_for_class(ancestor).map(str::to_owned));
            }
        }
        let columns = tables.iter().find_map(|t| schema.tables.get(t));
        if !record && !document && columns.is_none() {
            continue;
        }
        let columns = columns
            .map(|c| c.iter().map(|(n, t)| (Name::from(n.as_str()), *t)).collect())
            .unwrap_or_default();
        let mut model =
            Model { class: class.name, columns, associations: FxHashMap::default(), enums: Vec::new() };
        for declared in index.macros(class.name) {
            declare(&mut model, declared.call, index, &class.nesting);
        }
        models.insert(class.name, model);
    }
    models
}

fn declare(model: &mut Model, call: &Call, index: &Index<'_>, nesting: &[Name]) {
    let Some(name) = call.args.first().and_then(literal_name) else {
        if call.name == "enum"
            && let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.first()
        {
            model.enums.extend(pairs.iter().filter_map(|p| literal_name(&p.key)));
        }
        return;
    };
    let (many, owner) = match call.name.as_str() {
        "has_many" | "has_and_belongs_to_many" | "embeds_many" => (true, false),
        "has_one" | "embeds_one" => (false, false),
        "belongs_to" => (false, true),
        "enum" | "enumerize" | "aasm" | "as_enum" => {
            model.enums.push(name);
            return;
        }
        _ => return,
    };
    let option = |wanted: &str| -> Option<Name> {
        let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() else { return None };
        pairs.iter().find(|p| literal_name(&p.key).is_some_and(|k| k == wanted)).and_then(|p| {
            match &p.value.kind {
                Kind::Const(path) => Some(crate::index::path_name(path)),
                _ => literal_name(&p.value),
            }
        })
    };
    let written = option("class_name").or_else(|| option("class")).unwrap_or_else(|| {
        let base = option("source").unwrap_or(name);
        let base = if many { singular(&base) } else { base.to_string() };
        Name::from(camelize(&base).as_str())
    });
    let class = index.resolve(written, nesting);
    model.associations.insert(name, Association { class, many, owner });
}

/// The model that a variable's name suggests: `user`, `@user`, `users` (then `true`: many).
#[derive(Debug, Default)]
pub struct ByName {
    names: FxHashMap<Name, (Name, bool)>,
}

impl ByName {
    /// Prepares the look-up.
    pub fn new(models: &FxHashMap<Name, Model>) -> Self {
        let mut names: FxHashMap<Name, (Name, bool)> = FxHashMap::default();
        let mut sorted: Vec<&Name> = models.keys().collect();
        // Shorter names first: `User` wins `user` over `Admin::User`.
        sorted.sort_by_key(|n| (n.matches("::").count(), n.len(), n.as_str()));
        for class in sorted {
            let path = underscore(class);
            let base = path.rsplit('/').next().unwrap_or(&path).to_owned();
            let plural = plural(&base);
            names.entry(Name::from(base.as_str())).or_insert((*class, false));
            names.entry(Name::from(plural.as_str())).or_insert((*class, true));
        }
        ByName { names }
    }

    /// The model and whether the name is its plural.
    pub fn get(&self, variable: &str) -> Option<(Name, bool)> {
        let bare = variable.trim_start_matches('@');
        let bare = bare.strip_prefix("current_").or_else(|| bare.strip_prefix("new_")).unwrap_or(bare);
        self.names.get(&Name::from(bare)).copied()
    }
}
