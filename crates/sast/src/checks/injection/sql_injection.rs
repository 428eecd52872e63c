//! SQL built from what a user sends.

use std::collections::HashSet;

use wardroom_flow::{Flow, Mark, SourceKind};
use wardroom_model::Confidence;
use wardroom_rails::{Habitat, literal_name};
use wardroom_ruby::ir::{Kind, Node, Span};

use super::{place, quoted};
use crate::context::Context;
use crate::mend;

wardroom_model::rule! {
    /// Text that a user controls becomes part of an SQL statement: it is built into the string given
    /// to `where`, `find_by_sql`, `joins`, a raw connection or another call that takes SQL.
    ///
    /// ## Why it is bad
    ///
    /// A quote in the value ends the string that it was meant to stay in, and what follows is run by
    /// the database: an attacker reads other people's rows, gets past a login, or changes data.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// User.where("name = '#{params[:name]}'")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// User.where(name: params[:name])
    /// User.where("name = ?", params[:name])
    /// ```
    ///
    /// For the name of a column, take it from a list that the code holds:
    ///
    /// ```ruby
    /// column = %w[name created_at].find { |c| c == params[:sort] } || "name"
    /// User.order(column)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-89: Improper Neutralization of Special Elements used in an SQL Command
    /// - Rails guide "Securing Rails Applications", section on SQL injection
    rule: "sql-injection", "SQL built from what a user sends", Injection, 89, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// Words in the names of parameters that the code itself fills: tables, columns.
const NAMED_BY_CODE: &[&str] =
    &["table", "column", "field", "class", "model", "method", "assoc", "scope", "attr", "alias", "type"];

const REMEDY: &str = "Pass the value beside the SQL: a hash (`where(name: value)`) or a placeholder (`where(\"name = ?\", value)`).";

/// Words in the names of parameters that hold what a person typed.
const TYPED: &[&str] = &[
    "search",
    "query",
    "term",
    "keyword",
    "filter",
    "name",
    "value",
    "text",
    "str",
    "sort",
    "order",
    "direction",
    "param",
    "date",
    "title",
    "email",
    "login",
    "phrase",
    "pattern",
    "tag",
    "input",
    "letter",
];

/// Looks at every flow into SQL text.
pub fn run(context: &Context<'_, '_>) {
    let overwritten = overwritten(context);
    for flow in place::flows(context, Mark::Sql) {
        let built = place::is_built(&flow.steps)
            || place::node_at(context, flow.file, flow.span, &|n| matches!(n.kind, Kind::Interp(_)))
                .is_some();
        // What goes through unknown calls or comes from a record whole is mostly a hash of
        // conditions or a node of Arel by then; only a string can be injected into.
        if !built && (flow.unknown_call || flow.source == SourceKind::Stored) {
            continue;
        }
        let finding = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` becomes part of the SQL given to `{}`", flow.words, flow.method),
            )
            .remedy(REMEDY)
            .mend(mend::placeholders(context, flow.file, flow.span));
        // Handed on whole through other methods, it may have become a hash on the way.
        let whole = !built
            && flow
                .steps
                .iter()
                .any(|s| s.note.starts_with("passed to") || s.note.starts_with("handed back"));
        // `exists?(params[:name])`: harmless as a string, SQL as a list.
        let whole = whole || flow.method == "exists?";
        let finding = if whole || overwritten.contains(&*flow.words) {
            finding.at_most(Confidence::Medium)
        } else {
            finding
        };
        let finding = match built_at(context, flow) {
            Some(span) => finding.span(span),
            None => finding,
        };
        if place::is_hand_run(&context.file(flow.file).path) {
            finding.at_most(Confidence::Low).report()
        } else {
            finding.report()
        }
    }
    // From Rails 6.1 on, `order` and `pluck` refuse what is not the name of a column; 6.0 warns.
    if context.app.rails() < (6, 1) {
        for flow in place::flows(context, Mark::SqlIdentifier) {
            if flow.unknown_call && !place::is_built(&flow.steps) {
                continue;
            }
            let bound =
                if overwritten.contains(&*flow.words) { Confidence::Medium } else { Confidence::High };
            context
                .flow_finding(rule(), flow, format!("`{}` becomes part of the SQL given to `{}`", flow.words, flow.method))
                .remedy("Take the column from a list that the code holds, and the direction from `asc` and `desc`.")
                .at_most(bound)
                .report();
        }
    }
    associations(context);
    for value in quoted::find(context) {
        context
            .finding(
                rule(),
                value.file,
                value.span,
                format!(
                    "`{}` is put between the quotes of the SQL given to `{}`",
                    context.source(value.file, value.span),
                    value.method
                ),
            )
            .reason("a quote in the value ends the text; who writes the value is not known")
            .remedy(REMEDY)
            .report();
    }
    for open in context.unresolved_to(Mark::Sql) {
        let built = place::is_built(&open.steps);
        if !built && open.calls == 0 {
            // `where(conditions)`: what is handed over may as well be a hash.
            continue;
        }
        let typed = TYPED.iter().any(|w| open.parameter.contains(w))
            && !NAMED_BY_CODE.iter().any(|w| open.parameter.contains(w));
        // Between quotes that the code writes itself, and every known caller leaves it open.
        let quoted = built
            && open.calls > 0
            && open.open_calls == open.calls
            && open.steps.iter().any(|s| quoted::is_between_quotes(context, s.file, s.span, open.parameter));
        let sure = built
            && (typed && open.calls == 0 || quoted)
            && !open.unknown_call
            && !open.guarded
            && matches!(open.habitat, Habitat::Model | Habitat::Controller);
        context
            .unresolved_finding(
                rule(),
                open,
                format!("`{}` becomes part of the SQL given to `{}`", open.parameter, open.method),
            )
            .confidence(if sure { Confidence::Medium } else { Confidence::Low })
            .remedy(REMEDY)
            .mend(mend::placeholders(context, open.file, open.span))
            .report();
    }
}

/// Parameters that a controller replaces (`params[:sort] = "id" unless valid?(params[:sort])`): what
/// a later reading gives may be the code's own.
fn overwritten(context: &Context<'_, '_>) -> HashSet<String> {
    let mut out = HashSet::new();
    context.calls_named(&["[]="], |_, _, call| {
        if let Some(Node { kind: Kind::Call(recv), .. }) = &call.recv
            && recv.name == "params"
            && let Some(key) = call.args.first().and_then(literal_name)
            && matches!(
                call.args.last(),
                Some(Node { kind: Kind::Str(_) | Kind::Sym(_) | Kind::Const(_), .. })
            )
        {
            out.insert(format!("params[:{key}]"));
        }
    });
    out
}

/// Where the data becomes part of SQL, if that is elsewhere in the sink's file: that is the line to
/// mend, and several statements may share it.
fn built_at(context: &Context<'_, '_>, flow: &Flow) -> Option<Span> {
    const WORDS: &[&str] = &[
        " = '", "like '", "like \"", "select ", "where ", " and ", " or ", " in (", " >= ", " <= ",
        "order by", " from ", " join ",
    ];
    let step = flow.steps.iter().find(|s| {
        s.note == "built into a string" && {
            let code = context.source(s.file, s.span).to_lowercase();
            WORDS.iter().any(|w| code.contains(w))
        }
    })?;
    let inside = flow.span.start <= step.span.start && step.span.end <= flow.span.end;
    (step.file == flow.file && !inside).then_some(step.span)
}

/// SQL that an association is declared with, put together for each record.
fn associations(context: &Context<'_, '_>) {
    const SQL: &[&str] = &["finder_sql", "counter_sql", "delete_sql", "insert_sql"];
    for class in context.app.index.classes.values() {
        for declared in class
            .macros
            .iter()
            .filter(|m| matches!(m.call.name.as_str(), "has_many" | "has_one" | "has_and_belongs_to_many"))
        {
            let Some(Node { kind: Kind::Hash(pairs), .. }) = declared.call.args.last() else { continue };
            for pair in
                pairs.iter().filter(|p| literal_name(&p.key).is_some_and(|k| SQL.contains(&k.as_str())))
            {
                let mut open: Option<&Node> = None;
                wardroom_ruby::walk::each(&pair.value, &mut |node| {
                    if let Kind::Interp(interp) = &node.kind {
                        open = open.or(interp.parts.iter().find(|p| is_text_of_record(p)));
                    }
                    true
                });
                if let Some(part) = open {
                    let word = context.source(declared.file, part.span);
                    context
                        .finding(rule(), declared.file, pair.value.span, format!("`{word}` becomes part of the SQL that the association runs"))
                        .reason("what a record says of itself is mostly what a user has stored")
                        .remedy("Declare the association with `:primary_key` and `:foreign_key` or a scope, or put the value through `connection.quote`.")
                        .report();
                }
            }
        }
    }
}

/// A part of SQL that may be a user's text: not a number, a name of the schema or quoted.
fn is_text_of_record(part: &Node) -> bool {
    match &part.kind {
        Kind::Call(call) => {
            let name = call.name.as_str();
            !(name == "id"
                || name.ends_with("_id")
                || name.ends_with("_ids")
                || name == "to_i"
                || name == "join"
                || name.contains("quot")
                || name.contains("sanitize")
                || name.contains("table_name"))
        }
        Kind::Ivar(_) => true,
        _ => false,
    }
}
