//! Values that the code itself puts between the quotes of an SQL text, where the engine knows of no
//! way from outside: `where("name = '#{person.nickname}'")`. Whoever writes the quotes should have left them
//! to the database, and a value with a quote in it breaks the statement at the least.

use wardroom_flow::Mark;
use wardroom_rails::{FileId, MethodId};
use wardroom_ruby::ir::*;
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;

/// Methods that take SQL text.
const METHODS: &[&str] = &[
    "where",
    "not",
    "or",
    "rewhere",
    "having",
    "joins",
    "find_by",
    "find_by_sql",
    "count_by_sql",
    "exists?",
    "update_all",
    "delete_all",
    "execute",
    "exec_query",
    "select_all",
    "select_one",
    "select_value",
    "select_values",
    "select_rows",
];

/// How far back a value is followed through variables.
const MAX_DEPTH: u32 = 6;

/// A value between quotes, as it stands in the code.
pub struct Quoted {
    /// The file.
    pub file: FileId,
    /// The value.
    pub span: Span,
    /// The method that gets the text.
    pub method: Name,
}

/// Whether a text puts a parameter between the quotes of an SQL value.
pub fn is_between_quotes(context: &Context<'_, '_>, file: FileId, span: Span, parameter: Name) -> bool {
    let Some(Node { kind: Kind::Interp(interp), .. }) =
        place::node_at(context, file, span, &|n| matches!(n.kind, Kind::Interp(_)))
    else {
        return false;
    };
    let mut before = String::new();
    interp.parts.iter().any(|part| {
        if let Kind::Str(text) = &part.kind {
            before.push_str(text);
            return false;
        }
        let mut named = false;
        let mut keyed = false;
        walk::each(part, &mut |node| {
            named |= matches!(&node.kind, Kind::Local(name) if *name == parameter);
            keyed |= matches!(&node.kind, Kind::Call(call) if call.name == "[]");
            true
        });
        let inside = ends_in_quotes(&before);
        before.push('x');
        inside && named && !keyed
    })
}

/// Every value that is put between quotes and that the code does not fix.
pub fn find(context: &Context<'_, '_>) -> Vec<Quoted> {
    let known: Vec<(FileId, Span)> = context
        .flows
        .flows
        .iter()
        .filter(|f| f.mark == Mark::Sql)
        .flat_map(|f| f.steps.iter().map(|s| (s.file, s.span)).chain([(f.file, f.span)]))
        .collect();
    let mut out: Vec<Quoted> = Vec::new();
    context.calls_named(METHODS, |file, node, call| {
        let source = context.file(file);
        if source.is_template() || place::is_hand_run(&source.path) {
            return;
        }
        let Some(text) = call.args.first() else { return };
        let values = Values { context, method: context.method_at(file, node.span) };
        let mut found = Vec::new();
        values.quoted(text, 0, &mut found);
        for value in found {
            let told = known.iter().any(|(f, s)| {
                *f == file
                    && (s.start <= value.span.start && value.span.end <= s.end
                        || value.span.start <= s.start && s.end <= value.span.end)
            });
            if !told && !out.iter().any(|q| q.file == file && q.span == value.span) {
                out.push(Quoted { file, span: value.span, method: call.name });
            }
        }
    });
    out
}

/// The values of one method.
struct Values<'x, 'c, 'a> {
    context: &'x Context<'c, 'a>,
    method: Option<MethodId>,
}

impl<'a> Values<'_, '_, 'a> {
    /// The open values between quotes in an expression that becomes SQL.
    fn quoted(&self, text: &'a Node, depth: u32, out: &mut Vec<&'a Node>) {
        if depth > MAX_DEPTH {
            return;
        }
        walk::each(text, &mut |node| {
            match &node.kind {
                Kind::Interp(interp) if interp.form == Form::Str => {
                    let mut before = String::new();
                    for part in &interp.parts {
                        match &part.kind {
                            Kind::Str(text) => before.push_str(text),
                            _ => {
                                if ends_in_quotes(&before) && !self.is_own(part, 0) {
                                    out.push(part);
                                }
                                before.push('x');
                            }
                        }
                    }
                    true
                }
                Kind::Local(name) if depth == 0 => {
                    for value in self.assigned(*name) {
                        self.quoted(value, depth + 1, out);
                    }
                    true
                }
                // What is asked of another table has its own text.
                Kind::Call(call) if depth > 0 || node.span != text.span => {
                    !METHODS.contains(&call.name.as_str())
                }
                _ => true,
            }
        });
    }

    /// What a local variable is set to in its method.
    fn assigned(&self, name: Name) -> Vec<&'a Node> {
        let mut out = Vec::new();
        let Some(method) = self.method else { return out };
        walk::each(self.context.app.index.method(method).body, &mut |node| {
            if let Kind::Assign(assign) = &node.kind
                && matches!(assign.target.kind, Kind::Local(n) if n == name)
            {
                out.push(&assign.value);
            }
            true
        });
        out
    }

    /// The list whose members a block is given as `name`.
    fn listed(&self, name: Name) -> Option<&'a Node> {
        let mut out = None;
        walk::each(self.context.app.index.method(self.method?).body, &mut |node| {
            if let Kind::Call(call) = &node.kind
                && let Some(block) = &call.block
                && block.params.iter().any(|p| p.name == name)
            {
                out = call.recv.as_ref();
            }
            out.is_none()
        });
        out
    }

    /// Whether a value cannot hold a quote: the code or the database has made it.
    fn is_own(&self, node: &'a Node, depth: u32) -> bool {
        if depth > MAX_DEPTH {
            return true;
        }
        let own = |n: &'a Node| self.is_own(n, depth + 1);
        match &node.kind {
            Kind::Interp(interp) => interp.parts.iter().all(own),
            Kind::Array(items) | Kind::Seq(items) => items.iter().all(own),
            Kind::Hash(pairs) => pairs.iter().all(|p| own(&p.value)),
            Kind::And(sides) | Kind::Or(sides) | Kind::Range(sides) => own(&sides.0) && own(&sides.1),
            Kind::If(branches) => own(&branches.then) && own(&branches.otherwise),
            Kind::Local(name) => {
                let set = self.assigned(*name);
                match (set.is_empty(), self.listed(*name)) {
                    (false, _) => set.into_iter().all(own),
                    (true, Some(list)) => own(list),
                    // A parameter: the engine knows what callers hand over.
                    (true, None) => true,
                }
            }
            Kind::Call(call) => self.gives_own(call, depth),
            Kind::Ivar(name) => is_own_name(name.trim_start_matches('@')),
            _ => true,
        }
    }

    fn gives_own(&self, call: &'a Call, depth: u32) -> bool {
        let name = call.name.as_str();
        if is_own_name(name) || self.is_own_column(call.name) {
            return true;
        }
        let receiver = || call.recv.as_ref().is_some_and(|r| self.is_own(r, depth + 1));
        match &call.recv {
            // `Post.table_name`, `Rails.env`, `Setting.x`: of the code or of who runs it.
            Some(Node { kind: Kind::Const(_) | Kind::SelfRef, .. }) => true,
            // An own method without arguments is read by its last expression.
            None => match self.context.app.index.by_name.get(&call.name).map(Vec::as_slice) {
                Some([id]) if depth < 2 && call.args.is_empty() => {
                    let values = Values { context: self.context, method: Some(*id) };
                    values.is_own(last(self.context.app.index.method(*id).body), depth + 1)
                }
                _ => true,
            },
            Some(_) if matches!(name, "map" | "collect") => match (&call.block, &call.block_arg) {
                (Some(block), _) => self.is_own(last(&block.body), depth + 1),
                (_, Some(Node { kind: Kind::Sym(method), .. })) => {
                    is_own_name(method) || self.is_own_column(*method)
                }
                _ => receiver(),
            },
            // What a hash holds was mostly put there by the code; what the request sends was not.
            Some(recv) if name == "[]" => !matches!(&recv.kind, Kind::Call(inner) if inner.name == "params"),
            // `self.class.name`
            Some(Node { kind: Kind::Call(inner), .. }) if inner.name == "class" => true,
            Some(_)
                if call.args.is_empty()
                    || matches!(name, "join" | "gsub" | "sub" | "tr" | "+" | "first" | "last" | "split") =>
            {
                receiver() && !is_attribute(call)
            }
            // Of other methods nothing is known.
            Some(_) => true,
        }
    }

    /// Whether every column of this name holds numbers, dates or truth values.
    fn is_own_column(&self, name: Name) -> bool {
        let mut columns = self.context.app.models.values().filter_map(|m| m.columns.get(&name)).peekable();
        columns.peek().is_some() && columns.all(|c| c.is_plain())
    }
}

/// `person.nickname`: a bare reading of an object.
fn is_attribute(call: &Call) -> bool {
    call.args.is_empty()
        && call.block.is_none()
        && matches!(call.recv.as_ref().map(|r| &r.kind), Some(Kind::Local(_) | Kind::Ivar(_) | Kind::Call(_)))
        && !matches!(
            call.name.as_str(),
            "to_s"
                | "strip"
                | "downcase"
                | "upcase"
                | "compact"
                | "uniq"
                | "flatten"
                | "sort"
                | "to_a"
                | "freeze"
                | "squish"
        )
}

/// The last statement.
fn last(body: &Node) -> &Node {
    match &body.kind {
        Kind::Seq(list) => list.last().map_or(body, last),
        _ => body,
    }
}

/// Whether a text ends within the quotes of a value: `name LIKE '%`.
fn ends_in_quotes(text: &str) -> bool {
    let Some(at) = text.rfind('\'') else { return false };
    if text.matches('\'').count().is_multiple_of(2) {
        return false;
    }
    let before = text[..at].trim_end();
    if before.ends_with(['=', '(', ',', '<', '>', '~', '|']) {
        return true;
    }
    let word =
        before.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase();
    matches!(
        word.as_str(),
        "like"
            | "ilike"
            | "in"
            | "regexp"
            | "rlike"
            | "match"
            | "against"
            | "then"
            | "when"
            | "else"
            | "between"
            | "and"
    ) && before.len() > word.len()
}

/// Names of values that hold no quote: numbers, times, identifiers, what a quoting method gives.
fn is_own_name(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "id",
        "ids",
        "to_i",
        "to_f",
        "to_d",
        "object_id",
        "size",
        "length",
        "count",
        "sum",
        "class",
        "strftime",
        "iso8601",
        "utc",
        "now",
        "today",
        "ago",
        "from_now",
        "current",
        "year",
        "month",
        "day",
        "hour",
        "wday",
        "yday",
        "to_fs",
        "to_formatted_s",
        "to_date",
        "to_time",
        "to_datetime",
        "hexdigest",
        "uuid",
        "hex",
        "lft",
        "rgt",
        "type",
        "status",
        "state",
        "kind",
        "position",
        "locale",
        "env",
        "adapter_name",
        "class_name",
        "table_name",
        "model_name",
        "base_class",
        "polymorphic_name",
        "sti_name",
        "connection",
        "date",
        "time",
        "timestamp",
        "advance",
        "yesterday",
        "tomorrow",
        "zone",
        "time_zone",
        "-",
        "*",
        "/",
        "lower_bound",
        "upper_bound",
        "min",
        "max",
        "version",
        "to_sql",
        "arel",
        "fingerprint",
        "sha",
        "digest",
        "updated",
        "created",
        "primary_key",
        "column_name",
        "attribute_name",
        "quarter",
        "week",
    ];
    const ENDINGS: &[&str] = &[
        "_id",
        "_ids",
        "_at",
        "_on",
        "_date",
        "_time",
        "_count",
        "_type",
        "_sql",
        "_table",
        "_column",
        "_class",
        "_table_name",
        "_days",
        "_hours",
        "_number",
        "_status",
        "_state",
        "_uuid",
        "_hash",
        "_quoted",
        "_sha",
        "_code",
        "?",
    ];
    const BEGINNINGS: &[&str] = &[
        "quote",
        "sanitize",
        "escape",
        "beginning_of_",
        "end_of_",
        "start_",
        "quoted_",
        "safe_",
        "sql_",
        "connection_",
    ];
    NAMES.contains(&name)
        || ENDINGS.iter().any(|e| name.ends_with(e))
        || BEGINNINGS.iter().any(|b| name.starts_with(b))
}
