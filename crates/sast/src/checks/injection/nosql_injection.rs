//! Queries of a document database that a user shapes.

use wardroom_flow::Mark;
use wardroom_model::Confidence;
use wardroom_rails::Class;
use wardroom_ruby::ir::{Call, Kind, Name};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A whole parameter is given to a query of a document database (Mongoid, MongoMapper, the Mongo driver),
    /// or text becomes part of JavaScript that the database runs (`$where`).
    ///
    /// ## Why it is bad
    ///
    /// A parameter can be a hash as well as a string: `token[$ne]=x` matches every record whose token is not
    /// `x`, and so gets past a login or a reset token. Text in `$where` is code that the database runs.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// User.where(reset_token: params[:token]).first
    /// User.where("$where" => "this.name == '#{params[:name]}'")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// User.where(reset_token: params[:token].to_s).first
    /// User.where(name: params[:name].to_s)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-943: Improper Neutralization of Special Elements in Data Query Logic
    rule: "nosql-injection", "Database query shaped by what a user sends", Injection, 943, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:N"
}

/// Gems that speak to a document database.
const GEMS: &[&str] =
    &["mongoid", "mongo_mapper", "mongo", "mongodb", "moped", "couchrest", "couchbase", "couch_potato"];

/// Looks at every flow into such a query.
pub fn run(context: &Context<'_, '_>) {
    let gems = &context.app.gems;
    if !GEMS.iter().any(|g| gems.has(g)) {
        return;
    }
    let is_document = |class: &Class<'_>| {
        class.includes.iter().any(|i| {
            i.starts_with("Mongoid::Document")
                || i.starts_with("MongoMapper::")
                || i.starts_with("CouchPotato::")
        })
    };
    let index = &context.app.index;
    let only_documents = !index.classes.values().any(|c| {
        c.superclass.is_some_and(|s| matches!(s.as_str(), "ApplicationRecord" | "ActiveRecord::Base"))
    });
    for flow in place::flows(context, Mark::NoSql) {
        let Some(call) = place::call_at(context, flow.file, flow.span) else { continue };
        // Where tables live beside documents, only what begins with a document's class is a query of these.
        let document = root(call).is_some_and(|name| {
            index
                .classes
                .values()
                .any(|c| is_document(c) && (c.name == name || c.name.ends_with(&*format!("::{name}"))))
        });
        if !only_documents && !document {
            continue;
        }
        let javascript = matches!(call.name.as_str(), "for_js" | "map_reduce")
            || context.source(flow.file, flow.span).contains("$where");
        // What is text by now cannot be an operator; only parameters are hashes.
        if !javascript && (place::is_built(&flow.steps) || flow.source != wardroom_flow::SourceKind::Params) {
            continue;
        }
        let (message, remedy) = match javascript {
            true => (
                format!(
                    "`{}` becomes part of JavaScript that the database runs in `{}`",
                    flow.words, flow.method
                ),
                "Compare fields in the query itself (`where(name: value.to_s)`) and leave `$where` out.",
            ),
            false => (
                format!(
                    "`{}` is given to `{}` whole: as a hash it brings operators of its own",
                    flow.words, flow.method
                ),
                "Make it text first (`.to_s`), so that it cannot be a hash such as `{\"$ne\" => 1}`.",
            ),
        };
        let finding = context.flow_finding(rule(), flow, message).remedy(remedy);
        // What an object was made from and hands out again it has mostly taken apart as text.
        if !javascript && flow.steps.iter().any(|s| s.note.ends_with(".new`")) {
            finding.at_most(Confidence::Low).report();
        } else {
            finding.report();
        }
    }
}

/// The constant with which a chain of calls begins.
fn root(call: &Call) -> Option<Name> {
    let mut at = call;
    for _ in 0..32 {
        match &at.recv.as_ref()?.kind {
            Kind::Call(inner) => at = inner,
            Kind::Const(path) => return Some(wardroom_rails::path_name(path)),
            _ => return None,
        }
    }
    None
}
