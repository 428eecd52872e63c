//! Active Record: what its calls give, and which attributes users have written.

use wardroom_rails::{App, ColumnType, FileId, Habitat};
use wardroom_ruby::ir::*;

use crate::engine::source;
use crate::eval::Eval;
use crate::knowledge::SourceKind;
use crate::value::{Doubt, Shape, Value};

/// Calls that give one record.
const ONE: &[&str] = &[
    "find",
    "find_by",
    "find_by!",
    "find_or_create_by",
    "find_or_create_by!",
    "find_or_initialize_by",
    "first",
    "first!",
    "last",
    "last!",
    "take",
    "take!",
    "second",
    "third",
    "new",
    "build",
    "create",
    "create!",
    "create_with",
    "sole",
    "find_sole_by",
    "first_or_create",
    "first_or_initialize",
    "find_by_id",
    "friendly_find",
    "find_signed",
    "sample",
    "detect",
    "original",
    "becomes",
    "reload",
    "tap",
    "dup",
    "clone",
    "lock!",
    "itself",
    "decorate",
    "presence",
];
/// Calls that give many.
const MANY: &[&str] = &[
    "where",
    "order",
    "reorder",
    "joins",
    "includes",
    "preload",
    "eager_load",
    "left_joins",
    "left_outer_joins",
    "limit",
    "offset",
    "group",
    "having",
    "distinct",
    "uniq",
    "select",
    "all",
    "not",
    "or",
    "and",
    "merge",
    "unscoped",
    "scoped",
    "none",
    "readonly",
    "references",
    "from",
    "lock",
    "rewhere",
    "unscope",
    "extending",
    "page",
    "per",
    "paginate",
    "find_by_sql",
    "with_deleted",
    "visible",
    "in_order_of",
    "strict_loading",
    "reverse_order",
    "in_batches",
    "find_each",
    "find_in_batches",
    "to_a",
    "compact",
    "reject",
    "sort_by",
    "sort",
    "reverse",
    "ransack",
    "result",
    "accessible_by",
    "policy_scope",
    "load",
    "records",
    "to_ary",
    "each",
    "filter",
    "partition",
    "recent",
    "published",
    "active",
    "reload",
    "extract_associated",
    "invert_where",
    "optimizer_hints",
    "with",
    "create_with",
];
/// Calls that give numbers, booleans and the like.
const NOTHING: &[&str] = &[
    "count",
    "sum",
    "average",
    "minimum",
    "maximum",
    "exists?",
    "any?",
    "many?",
    "empty?",
    "size",
    "length",
    "ids",
    "update_all",
    "delete_all",
    "destroy_all",
    "delete",
    "destroy",
    "destroy!",
    "save",
    "save!",
    "update",
    "update!",
    "update_attributes",
    "update_attributes!",
    "update_attribute",
    "update_column",
    "update_columns",
    "touch",
    "increment",
    "increment!",
    "decrement",
    "decrement!",
    "toggle",
    "toggle!",
    "valid?",
    "invalid?",
    "persisted?",
    "new_record?",
    "destroyed?",
    "changed?",
    "id",
    "to_param",
    "insert_all",
    "upsert_all",
    "connection",
    "table_name",
    "quoted_table_name",
    "primary_key",
    "column_names",
    "columns",
    "model_name",
    "cache_key",
    "class",
    "created_at",
    "updated_at",
    "transaction",
    "reset_column_information",
    "none?",
    "one?",
    "include?",
    "to_sql",
    "arel_table",
    "human_attribute_name",
    "attribute_names",
    "columns_hash",
    "reflect_on_association",
    "nil?",
    "blank?",
    "present?",
    "hash",
    "object_id",
    "respond_to?",
    "is_a?",
    "errors",
    "total_count",
    "total_pages",
    "current_page",
    "dom_id",
    "frozen?",
    "to_key",
];

/// Attributes that a user's own words are seldom in, whatever their type.
fn is_machine_made(name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "_id",
        "_ids",
        "_type",
        "_at",
        "_on",
        "_count",
        "_digest",
        "_hash",
        "_token",
        "_key",
        "_state",
        "_status",
        "_uuid",
        "_sha",
        "_code",
        "_class",
        "_mode",
        "_salt",
        "_checksum",
        "_fingerprint",
        "_secret",
        "_format",
        "_locale",
        "_currency",
        "_cents",
        "_version",
        "_kind",
        "_iso",
    ];
    const NAMES: &[&str] = &[
        "id",
        "type",
        "state",
        "status",
        "locale",
        "uuid",
        "guid",
        "sha",
        "md5",
        "token",
        "digest",
        "kind",
        "currency",
        "timezone",
        "time_zone",
        "language",
        "lang",
        "country",
        "gender",
        "role",
        "created",
        "updated",
        "position",
        "rank",
        "score",
        "version",
        "permalink_hash",
        "checksum",
        "salt",
        "iso",
        "mime_type",
        "content_type",
        "ip",
        "ip_address",
    ];
    NAMES.contains(&name) || ENDINGS.iter().any(|e| name.ends_with(e)) || name.ends_with('?')
}

impl<'a> Eval<'_, 'a> {
    /// What a call on a model, a relation or a record gives; `None` where Active Record knows no
    /// such call.
    pub fn record_call(&mut self, recv: &Value, call: &'a Call, span: Span, args: &[Value]) -> Option<Value> {
        let name = call.name.as_str();
        match &recv.shape {
            Shape::Class(class) | Shape::Relation(class) if self.is_model(*class) => {
                let class = *class;
                if matches!(recv.shape, Shape::Relation(_)) {
                    match name {
                        "map" | "collect" | "flat_map" | "each" | "each_with_index" | "select" | "reject"
                        | "filter" | "find" | "detect" | "sort_by" | "group_by" | "inject" | "each_slice"
                            if call.block.is_some() || call.block_arg.is_some() =>
                        {
                            return None;
                        }
                        "[]" | "at" | "fetch" => return Some(Value::object(class)),
                        "pluck" | "pick" => return Some(self.plucked(class, args, span)),
                        "+" | "|" | "-" | "&" => return Some(recv.clone()),
                        _ => {}
                    }
                }
                if name == "pluck" || name == "pick" {
                    return Some(self.plucked(class, args, span));
                }
                // `find([1, 2])`, `find(:all)`, `first(3)`
                if matches!(name, "first" | "last" | "find" | "take" | "sample") {
                    let many = match args.first() {
                        Some(arg) => {
                            matches!(arg.shape, Shape::Array(_))
                                || arg.as_text() == Some("all")
                                || (name != "find" && !matches!(arg.shape, Shape::Hash(_)))
                        }
                        None => false,
                    };
                    return Some(Value::shaped(if many {
                        Shape::Relation(class)
                    } else {
                        Shape::Object(class, None)
                    }));
                }
                if ONE.contains(&name) || name.starts_with("find_by_") || name.starts_with("find_or_") {
                    return Some(Value::object(class));
                }
                if MANY.contains(&name) || name.starts_with("find_all_by_") {
                    return Some(Value::shaped(Shape::Relation(class)));
                }
                if NOTHING.contains(&name) {
                    return Some(Value::harmless());
                }
                if matches!(recv.shape, Shape::Relation(_)) {
                    let model = self.engine.app.models.get(&class)?;
                    if let Some(association) = model.associations.get(&call.name) {
                        return Some(Value::shaped(Shape::Relation(association.class)));
                    }
                }
                None
            }
            Shape::Object(class, _) if self.is_model(*class) => self.attribute(*class, call, span, args),
            _ => None,
        }
    }

    pub fn is_model(&self, class: Name) -> bool {
        self.engine.app.models.contains_key(&class)
    }

    fn plucked(&mut self, class: Name, args: &[Value], span: Span) -> Value {
        let mut out = Value::default();
        for arg in args {
            if let Some(attribute) = arg.as_text() {
                let value = self.stored(class, Name::from(attribute), span).unwrap_or_else(Value::harmless);
                out = out.join(&value);
            }
        }
        Value::shaped(Shape::Array(std::rc::Rc::new(vec![out])))
    }

    /// A call without meaning of its own on a record: an association or an attribute.
    fn attribute(&mut self, class: Name, call: &'a Call, span: Span, args: &[Value]) -> Option<Value> {
        let name = call.name;
        let model = self.engine.app.models.get(&class)?;
        if let Some(association) = model.associations.get(&name) {
            let shape = if association.many {
                Shape::Relation(association.class)
            } else {
                Shape::Object(association.class, None)
            };
            return Some(Value::shaped(shape));
        }
        if matches!(
            name.as_str(),
            "[]" | "read_attribute" | "fetch" | "public_send" | "send" | "try" | "try!" | "attribute"
        ) {
            let attribute = Name::from(args.first()?.as_text()?);
            if let Some(association) = model.associations.get(&attribute) {
                let shape = if association.many {
                    Shape::Relation(association.class)
                } else {
                    Shape::Object(association.class, None)
                };
                return Some(Value::shaped(shape));
            }
            return Some(self.stored(class, attribute, span).unwrap_or_default());
        }
        if !args.is_empty() {
            return NOTHING.contains(&name.as_str()).then(Value::harmless);
        }
        if let Some(value) = self.stored(class, name, span) {
            return Some(value);
        }
        if matches!(name.as_str(), "attributes" | "as_json" | "serializable_hash") {
            let words = Name::from(&format!("{class}#{name}"));
            return Some(Value::tainted(Shape::Unknown, source(SourceKind::Stored, words, self.file, span)));
        }
        if NOTHING.contains(&name.as_str())
            || name.ends_with('?')
            || name.ends_with("_id")
            || name.ends_with("_ids")
        {
            return Some(Value::harmless());
        }
        if ONE.contains(&name.as_str()) {
            return Some(Value::object(class));
        }
        None
    }

    /// An attribute's value, read here.
    pub fn stored(&mut self, class: Name, attribute: Name, span: Span) -> Option<Value> {
        stored(self.engine.app, class, attribute, self.file, span)
    }

    /// A bare word or a call on `self` in a model: one of its own attributes or associations.
    pub fn own_attribute(&mut self, call: &'a Call, span: Span, args: &[Value]) -> Option<Value> {
        if self.singleton {
            let class = self.model_of_self()?;
            let recv = Value::shaped(Shape::Class(class));
            return self.record_call(&recv, call, span, args);
        }
        let class = self.model_of_self()?;
        self.attribute(class, call, span, args)
    }

    /// The model that `self` is (or whose class `self` is).
    pub fn model_of_self(&self) -> Option<Name> {
        if self.habitat != Habitat::Model {
            return None;
        }
        if self.is_model(self.class) {
            return Some(self.class);
        }
        // A concern: the first model that includes it.
        self.engine.app.includers(self.class).iter().copied().find(|c| self.is_model(*c))
    }
}

/// An attribute's value: tainted where a user can have written text into it, harmless where its
/// type or name says otherwise, `None` where the model has no such column.
pub fn stored(app: &App<'_>, class: Name, attribute: Name, file: FileId, span: Span) -> Option<Value> {
    let model = app.models.get(&class)?;
    let base = attribute
        .strip_suffix("_was")
        .or_else(|| attribute.strip_suffix("_before_type_cast"))
        .unwrap_or(&attribute);
    let column = Name::from(base);
    let doubt = match model.columns.get(&column) {
        Some(
            ColumnType::String | ColumnType::Text | ColumnType::Json | ColumnType::Binary | ColumnType::Other,
        ) => Doubt::default(),
        Some(_) => return Some(Value::harmless()),
        None => {
            const USUAL: &[&str] = &[
                "name",
                "title",
                "description",
                "body",
                "content",
                "subject",
                "comment",
                "notes",
                "summary",
                "text",
                "login",
                "username",
                "url",
                "website",
                "homepage",
                "first_name",
                "last_name",
                "bio",
                "message",
                "label",
                "address",
                "full_name",
                "display_name",
            ];
            if !model.columns.is_empty() || !USUAL.contains(&attribute.as_str()) {
                return None;
            }
            Doubt { guessed: true, ..Doubt::default() }
        }
    };
    if model.enums.contains(&column) || is_machine_made(base) {
        return Some(Value::harmless());
    }
    let words = Name::from(&format!("{class}#{attribute}"));
    let mut taint = source(SourceKind::Stored, words, file, span);
    taint.doubt = doubt;
    Some(Value::tainted(Shape::Unknown, taint))
}
