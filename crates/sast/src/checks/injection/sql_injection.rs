//! SQL built from what a user sends.

use wardroom_flow::Mark;
use wardroom_model::Confidence;
use wardroom_rails::Habitat;

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

/// Looks at every flow into SQL text.
pub fn run(context: &Context<'_, '_>) {
    for flow in context.flows_to(Mark::Sql) {
        context
            .flow_finding(rule(), flow, format!("`{}` becomes part of the SQL given to `{}`", flow.words, flow.method))
            .remedy("Pass the value beside the SQL: a hash (`where(name: value)`) or a placeholder (`where(\"name = ?\", value)`).")
            .report();
    }
    // From Rails 6.1 on, `order` and `pluck` refuse what is not the name of a column.
    if context.app.rails() < (6, 1) {
        for flow in context.flows_to(Mark::SqlIdentifier) {
            context
                .flow_finding(rule(), flow, format!("`{}` becomes part of the SQL given to `{}`", flow.words, flow.method))
                .remedy("Take the column from a list that the code holds, and the direction from `asc` and `desc`.")
                .report();
        }
    }
    for open in context.unresolved_to(Mark::Sql) {
        let sure = open.calls == 0 && !open.unknown_call && matches!(open.habitat, Habitat::Model | Habitat::Controller);
        context
            .unresolved_finding(rule(), open, format!("`{}` becomes part of the SQL given to `{}`", open.parameter, open.method))
            .confidence(if sure { Confidence::Medium } else { Confidence::Low })
            .remedy("Pass the value beside the SQL: a hash (`where(name: value)`) or a placeholder (`where(\"name = ?\", value)`).")
            .report();
    }
}
