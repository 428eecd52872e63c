//! GraphQL mutations without the authorization that others have.

use wardroom_model::Confidence;
use wardroom_ruby::ir::Name;

use super::practice::{decides, guards};
use crate::context::Context;

wardroom_model::rule! {
    /// A GraphQL mutation changes records without a call that decides whether the caller may
    /// (`authorized?`, `ready?`, `authorize`, a look at the current user), though most mutations of
    /// the application make one.
    ///
    /// ## Why it is bad
    ///
    /// All mutations stand behind one route: the filters of its controller ask at most who is calling.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// class DeletePost < BaseMutation
    ///   def resolve(id:)
    ///     Post.find(id).destroy
    ///   end
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// def authorized?(id:)
    ///   Post.find(id).owned_by?(context[:current_user])
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-862: Missing Authorization
    rule: "graphql-unauthorized", "GraphQL mutation without the authorization that others have", Access, 862, High,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:H/A:N"
}

/// Measures every mutation against the others.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    let practice = context.practice();
    let resolve = Name::from("resolve");
    let mut names: Vec<Name> = app.index.classes.keys().copied().collect();
    names.sort_by_key(|n| n.as_str());
    let mut mutations = Vec::new();
    for name in names {
        let Some(class) = app.index.class(name) else { continue };
        let kin = practice.ancestors(name);
        if class.module
            || !kin.iter().any(|a| {
                matches!(a.as_str(), "GraphQL::Schema::Mutation" | "GraphQL::Schema::RelayClassicMutation")
            })
        {
            continue;
        }
        let Some(id) = class.methods.get(&resolve).copied() else { continue };
        let by_method = ["authorized?", "ready?", "resolve", "load_and_authorize"]
            .iter()
            .filter_map(|m| practice.find(name, Name::from(m)))
            .any(|m| {
                practice.shows(name, m, |f| {
                    !f.decisions.is_empty()
                        || f.user
                        || f.own.iter().any(|n| n.contains("authoriz") || guards(n))
                })
            });
        let by_macro = app.index.macros(name).iter().any(|m| {
            decides(m.call)
                || m.call.name == "authorize"
                || m.call.name.contains("authoriz")
                || m.call.name.contains("permission")
                || m.call.name.contains("role")
        });
        // `context[:current_user]`
        let by_context = practice.reach(name, id).iter().any(|&m| {
            super::practice::any(app.index.method(m).body, &mut |n| {
                wardroom_rails::literal_name(n).is_some_and(|l| l.starts_with("current_") || l == "viewer")
            })
        });
        let writes = practice.shows(name, id, |f| !f.writes.is_empty());
        mutations.push((name, id, by_method || by_macro || by_context, writes));
    }
    let with = mutations.iter().filter(|m| m.2).count();
    let all = mutations.len();
    if with < 3 || with * 3 < all * 2 {
        return;
    }
    for (name, id, decided, writes) in mutations {
        if decided {
            continue;
        }
        let method = app.index.method(id);
        context
            .finding(
                rule(),
                method.file,
                method.name_span,
                format!("`{name}` never asks whether the caller may, unlike {with} of {all} mutations"),
            )
            .confidence(if writes { Confidence::Medium } else { Confidence::Low })
            .reason("the schema or a base class of a gem may ask for it")
            .remedy("Decide in `authorized?` (or what the other mutations use) before anything is changed.")
            .report();
    }
}
