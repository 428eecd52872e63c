//! Running schema definitions and migrations on paper: what tables and columns they leave.

use std::collections::BTreeMap;

use wardroom_ruby::ir::{Call, Kind, Name, Node};

use super::{ColumnType, sql, table_candidates};
use crate::config::value::{self, SettingValue};
use crate::inflect::{plural, singular};

/// Table → column → type.
type Tables = BTreeMap<String, BTreeMap<String, ColumnType>>;

/// How deep statements may nest.
const DEPTH: u32 = 48;

/// Runs `ActiveRecord::Schema.define do … end`.
pub(super) fn run_schema(root: &Node, tables: &mut Tables) {
    Migration { tables, loops: Vec::new() }.statement(root, 0);
}

/// Runs one migration forwards: `change`, `up`, `self.up`, never `down`.
pub(super) fn run_migration(root: &Node, tables: &mut Tables) {
    Migration { tables, loops: Vec::new() }.statement(root, 0);
}

struct Migration<'a> {
    tables: &'a mut Tables,
    /// Block parameters of `%w(a b).each do |x|` with what they stand for.
    loops: Vec<(Name, Vec<String>)>,
}

impl Migration<'_> {
    fn statement(&mut self, node: &Node, depth: u32) {
        if depth > DEPTH {
            return;
        }
        match &node.kind {
            Kind::Seq(nodes) => nodes.iter().for_each(|n| self.statement(n, depth + 1)),
            Kind::Module(module) => self.statement(&module.body, depth + 1),
            Kind::Def(def) if !matches!(def.name.as_str(), "down" | "revert") => {
                self.statement(&def.body, depth + 1);
            }
            Kind::If(branch) => {
                self.statement(&branch.then, depth + 1);
                self.statement(&branch.otherwise, depth + 1);
            }
            Kind::Case(case) => {
                case.arms.iter().for_each(|arm| self.statement(&arm.body, depth + 1));
                if let Some(otherwise) = &case.otherwise {
                    self.statement(otherwise, depth + 1);
                }
            }
            Kind::Begin(begin) => {
                self.statement(&begin.body, depth + 1);
                for rest in [&begin.otherwise, &begin.ensure].into_iter().flatten() {
                    self.statement(rest, depth + 1);
                }
            }
            Kind::And(sides) | Kind::Or(sides) => {
                self.statement(&sides.0, depth + 1);
                self.statement(&sides.1, depth + 1);
            }
            Kind::Call(call) => self.call(call, depth),
            _ => {}
        }
    }

    fn call(&mut self, call: &Call, depth: u32) {
        let name = call.name.as_str();
        if matches!(name, "down" | "reverse_order" | "revert") {
            return;
        }
        let first = call.args.first().map(|a| self.table_names(a)).unwrap_or_default();
        let options = call.args.last().filter(|n| matches!(n.kind, Kind::Hash(_)));
        match name {
            "create_table" => {
                for table in &first {
                    self.create(table, options);
                    self.definitions(table, call, depth);
                }
            }
            "change_table" => first.iter().for_each(|table| self.definitions(table, call, depth)),
            "create_join_table" => {
                let [one, two] = [call.args.first(), call.args.get(1)].map(|a| a.and_then(value::text));
                let (Some(one), Some(two)) = (one, two) else { return };
                let (one, two) = if one < two { (one, two) } else { (two, one) };
                let (one, two) = (plural(one), plural(two));
                let named = options.and_then(|o| value::option(o, "table_name")).and_then(value::text);
                let table = named.map_or_else(|| format!("{one}_{two}"), str::to_owned);
                let columns = self.tables.entry(table.clone()).or_default();
                for side in [one, two] {
                    columns.insert(format!("{}_id", singular(&side)), ColumnType::Integer);
                }
                self.definitions(&table, call, depth);
            }
            "drop_table" => {
                for argument in &call.args {
                    for table in self.table_names(argument) {
                        self.tables.remove(&table);
                    }
                }
            }
            "rename_table" => {
                let to = call.args.get(1).map(|a| self.table_names(a)).unwrap_or_default();
                if let ([from], [to]) = (first.as_slice(), to.as_slice())
                    && let Some(columns) = self.tables.remove(from)
                {
                    self.tables.insert(to.clone(), columns);
                }
            }
            "add_column" | "change_column" | "add_columns" | "rename_column" | "remove_column"
            | "remove_columns" | "add_reference" | "add_belongs_to" | "remove_reference"
            | "remove_belongs_to" | "add_timestamps" | "remove_timestamps" | "add_attachment"
            | "remove_attachment" => {
                let rest = call.args.get(1..).unwrap_or_default();
                for table in &first {
                    self.alter(table, name, rest, options);
                }
            }
            "execute" => {
                if let Some(text) = call.args.first().and_then(value::text)
                    && text.to_ascii_uppercase().contains("CREATE TABLE")
                {
                    sql::read(text, self.tables);
                }
            }
            _ => self.run_block(call, depth),
        }
    }

    /// Blocks that run what is in them: `reversible do |dir| dir.up do`, `safety_assured do`,
    /// `%w(a b).each do |x|`, `Schema.define do`.
    fn run_block(&mut self, call: &Call, depth: u32) {
        let Some(block) = &call.block else { return };
        let before = self.loops.len();
        if let (Some(recv), "each" | "each_with_index", Some(param)) =
            (&call.recv, call.name.as_str(), block.params.first())
        {
            let items: Vec<String> = SettingValue::of(recv)
                .items()
                .iter()
                .filter_map(|item| item.as_text().map(str::to_owned))
                .collect();
            self.loops.push((param.name, items));
        }
        self.statement(&block.body, depth + 1);
        self.loops.truncate(before);
    }

    fn create(&mut self, table: &str, options: Option<&Node>) {
        let option = |name: &str| options.and_then(|o| value::option(o, name));
        let columns = if option("force").is_some() {
            self.tables.insert(table.to_owned(), BTreeMap::new());
            self.tables.entry(table.to_owned()).or_default()
        } else {
            self.tables.entry(table.to_owned()).or_default()
        };
        let kind = match option("id") {
            Some(Node { kind: Kind::False, .. }) => return,
            Some(node) => match &node.kind {
                Kind::Hash(_) => value::option(node, "type").and_then(value::text).map(ColumnType::parse),
                _ => value::text(node).map(ColumnType::parse),
            },
            None => None,
        };
        let kind = kind.unwrap_or(ColumnType::Integer);
        match option("primary_key").map(|n| (value::text(n), &n.kind)) {
            Some((Some(name), _)) => {
                columns.insert(name.to_owned(), kind);
            }
            // A key over several columns: they are declared in the block.
            Some((None, Kind::Array(_))) => {}
            _ => {
                columns.insert("id".to_owned(), kind);
            }
        }
    }

    /// The block of `create_table` and `change_table`.
    fn definitions(&mut self, table: &str, call: &Call, depth: u32) {
        let Some(block) = &call.block else { return };
        let Some(param) = block.params.first().map(|p| p.name) else { return };
        self.definition(table, param, &block.body, depth + 1);
    }

    fn definition(&mut self, table: &str, param: Name, node: &Node, depth: u32) {
        if depth > DEPTH {
            return;
        }
        match &node.kind {
            Kind::Seq(nodes) => nodes.iter().for_each(|n| self.definition(table, param, n, depth + 1)),
            Kind::If(branch) => {
                self.definition(table, param, &branch.then, depth + 1);
                self.definition(table, param, &branch.otherwise, depth + 1);
            }
            Kind::Call(call) => {
                if !call.recv.as_ref().is_some_and(|r| value::is_name(r, param.as_str())) {
                    if let Some(block) = &call.block {
                        let before = self.loops.len();
                        if let (Some(recv), Some(each)) = (&call.recv, block.params.first()) {
                            let items = SettingValue::of(recv);
                            let items = items.items().iter().filter_map(|i| i.as_text().map(str::to_owned));
                            self.loops.push((each.name, items.collect()));
                        }
                        self.definition(table, param, &block.body, depth + 1);
                        self.loops.truncate(before);
                    } else {
                        self.call(call, depth + 1);
                    }
                    return;
                }
                let options = call.args.last().filter(|n| matches!(n.kind, Kind::Hash(_)));
                let operation = match call.name.as_str() {
                    "column" => "add_column",
                    "change" => "change_column",
                    "rename" => "rename_column",
                    "remove" => "remove_columns",
                    "references" | "belongs_to" | "reference" => "add_reference",
                    "remove_references" | "remove_belongs_to" => "remove_reference",
                    "timestamps" => "add_timestamps",
                    "remove_timestamps" => "remove_timestamps",
                    "attachment" | "has_attached_file" => "add_attachment",
                    "index"
                    | "foreign_key"
                    | "check_constraint"
                    | "unique_constraint"
                    | "exclusion_constraint"
                    | "change_null"
                    | "change_default"
                    | "remove_index"
                    | "remove_foreign_key"
                    | "join"
                    | "remove_check_constraint"
                    | "unique_key"
                    | "comment"
                    | "set" => return,
                    "virtual" | "typed" => {
                        let kind = options.and_then(|o| value::option(o, "type")).and_then(value::text);
                        let kind = kind.map_or(ColumnType::Other, ColumnType::parse);
                        for name in call.args.first().map(|a| self.names(a)).unwrap_or_default() {
                            self.set(table, name, kind);
                        }
                        return;
                    }
                    kind => {
                        let kind = ColumnType::parse(kind);
                        for argument in call.args.iter().filter(|a| !matches!(a.kind, Kind::Hash(_))) {
                            for name in self.names(argument) {
                                self.set(table, name, kind);
                            }
                        }
                        return;
                    }
                };
                self.alter(table, operation, &call.args, options);
            }
            _ => {}
        }
    }

    fn alter(&mut self, table: &str, operation: &str, args: &[Node], options: Option<&Node>) {
        let option = |name: &str| options.and_then(|o| value::option(o, name));
        let plain: Vec<&Node> = args.iter().filter(|a| !matches!(a.kind, Kind::Hash(_))).collect();
        let names = |this: &Self, nodes: &[&Node]| -> Vec<String> {
            nodes.iter().flat_map(|n| this.names(n)).collect()
        };
        match operation {
            "add_column" | "change_column" => {
                let [name, kind, ..] = plain.as_slice() else { return };
                // `:enum_type`, `"varchar(20)"`
                let kind = value::text(kind).map_or(ColumnType::Other, |word| {
                    ColumnType::parse(&word.split(['(', ' ']).next().unwrap_or(word).to_ascii_lowercase())
                });
                for name in self.names(name) {
                    self.set(table, name, kind);
                }
            }
            "add_columns" => {
                let kind = option("type").and_then(value::text).map_or(ColumnType::Other, ColumnType::parse);
                for name in names(self, &plain) {
                    self.set(table, name, kind);
                }
            }
            "rename_column" => {
                let [from, to, ..] = plain.as_slice() else { return };
                let (Some(from), Some(to)) = (value::text(from), value::text(to)) else { return };
                if let Some(columns) = self.tables.get_mut(table) {
                    // A rename that asks first whether it is needed finds nothing to rename.
                    match columns.remove(from) {
                        Some(kind) => columns.insert(to.to_owned(), kind),
                        None => Some(*columns.entry(to.to_owned()).or_insert(ColumnType::Other)),
                    };
                }
            }
            "remove_column" | "remove_columns" => {
                // `remove_column :t, :c, :string` names the type last, for the way back.
                let plain =
                    if operation == "remove_column" { plain.get(..1).unwrap_or(&plain) } else { &plain };
                let gone = names(self, plain);
                if let Some(columns) = self.tables.get_mut(table) {
                    columns.retain(|name, _| !gone.contains(name));
                }
            }
            "add_reference" => {
                let kind =
                    option("type").and_then(value::text).map_or(ColumnType::Integer, ColumnType::parse);
                let polymorphic =
                    option("polymorphic").is_some_and(|n| !matches!(n.kind, Kind::False | Kind::Nil));
                for name in names(self, &plain) {
                    if polymorphic {
                        self.set(table, format!("{name}_type"), ColumnType::String);
                    }
                    self.set(table, format!("{name}_id"), kind);
                }
            }
            "remove_reference" => {
                let gone = names(self, &plain);
                if let Some(columns) = self.tables.get_mut(table) {
                    columns.retain(|column, _| {
                        let stem = column.strip_suffix("_id").or_else(|| column.strip_suffix("_type"));
                        !stem.is_some_and(|s| gone.iter().any(|g| g == s))
                    });
                }
            }
            "add_timestamps" => {
                for name in ["created_at", "updated_at"] {
                    self.set(table, name.to_owned(), ColumnType::Time);
                }
            }
            "remove_timestamps" => {
                if let Some(columns) = self.tables.get_mut(table) {
                    columns.remove("created_at");
                    columns.remove("updated_at");
                }
            }
            // Paperclip's four columns.
            "add_attachment" => {
                for name in names(self, &plain) {
                    self.set(table, format!("{name}_file_name"), ColumnType::String);
                    self.set(table, format!("{name}_content_type"), ColumnType::String);
                    self.set(table, format!("{name}_file_size"), ColumnType::Integer);
                    self.set(table, format!("{name}_updated_at"), ColumnType::Time);
                }
            }
            "remove_attachment" => {
                let gone = names(self, &plain);
                if let Some(columns) = self.tables.get_mut(table) {
                    for name in gone {
                        for end in ["file_name", "content_type", "file_size", "updated_at"] {
                            columns.remove(&format!("{name}_{end}"));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn set(&mut self, table: &str, column: String, kind: ColumnType) {
        self.tables.entry(table.to_owned()).or_default().insert(column, kind);
    }

    /// The names that a node stands for: one literal, or all that a loop's parameter takes.
    fn names(&self, node: &Node) -> Vec<String> {
        match &node.kind {
            Kind::Local(name) => {
                let found = self.loops.iter().rev().find(|(n, _)| n == name);
                found.map(|(_, items)| items.clone()).unwrap_or_default()
            }
            Kind::Array(items) => items.iter().filter_map(value::text).map(str::to_owned).collect(),
            _ => value::text(node).map(str::to_owned).into_iter().collect(),
        }
    }

    /// Like [`Migration::names`]; `Issue.table_name` is a table too.
    fn table_names(&self, node: &Node) -> Vec<String> {
        if let Kind::Call(call) = &node.kind
            && call.name == "table_name"
            && let Some(class) = call.recv.as_ref().and_then(value::const_path)
        {
            let candidates = table_candidates(&class);
            let known = candidates.iter().find(|c| self.tables.contains_key(*c)).or(candidates.first());
            return known.cloned().into_iter().collect();
        }
        self.names(node)
    }
}
