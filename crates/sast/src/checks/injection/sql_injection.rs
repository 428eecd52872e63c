//! SQL built from what a user sends.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::Confidence;
use wardroom_rails::Habitat;

use super::place;
use crate::context::Context;

rule! {
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
const NAMED_BY_CODE: &[&str] = &["table", "column", "field", "class", "model", "method", "assoc", "scope", "attr", "alias", "type"];

const REMEDY: &str = "Pass the value beside the SQL: a hash (`where(name: value)`) or a placeholder (`where(\"name = ?\", value)`).";

/// Words in the names of parameters that hold what a person typed.
const TYPED: &[&str] = &[
    "search", "query", "term", "keyword", "filter", "name", "value", "text", "str", "sort", "order", "direction", "param", "date", "title", "email", "login",
    "phrase", "pattern", "tag", "input", "letter",
];

/// Looks at every flow into SQL text.
pub fn run(context: &Context<'_, '_>) {
    for flow in context.flows_to(Mark::Sql) {
        let built = place::is_built(&flow.steps);
        // What goes through unknown calls or comes from a record whole is mostly a hash of
        // conditions or a node of Arel by then; only a string can be injected into.
        if !built && (flow.unknown_call || flow.source == SourceKind::Stored) {
            continue;
        }
        let finding = context
            .flow_finding(rule(), flow, format!("`{}` becomes part of the SQL given to `{}`", flow.words, flow.method))
            .remedy(REMEDY);
        if place::is_hand_run(&context.file(flow.file).path) { finding.at_most(Confidence::Low).report() } else { finding.report() }
    }
    // From Rails 6.1 on, `order` and `pluck` refuse what is not the name of a column; 6.0 warns.
    if context.app.rails() < (6, 1) {
        for flow in context.flows_to(Mark::SqlIdentifier) {
            if flow.unknown_call && !place::is_built(&flow.steps) {
                continue;
            }
            context
                .flow_finding(rule(), flow, format!("`{}` becomes part of the SQL given to `{}`", flow.words, flow.method))
                .remedy("Take the column from a list that the code holds, and the direction from `asc` and `desc`.")
                .report();
        }
    }
    for open in context.unresolved_to(Mark::Sql) {
        let built = place::is_built(&open.steps);
        if !built && open.calls == 0 {
            // `where(conditions)`: what is handed over may as well be a hash.
            continue;
        }
        let typed = TYPED.iter().any(|w| open.parameter.contains(w)) && !NAMED_BY_CODE.iter().any(|w| open.parameter.contains(w));
        let sure = built && typed && open.calls == 0 && !open.unknown_call && !open.guarded && matches!(open.habitat, Habitat::Model | Habitat::Controller);
        context
            .unresolved_finding(rule(), open, format!("`{}` becomes part of the SQL given to `{}`", open.parameter, open.method))
            .confidence(if sure { Confidence::Medium } else { Confidence::Low })
            .remedy(REMEDY)
            .report();
    }
}
