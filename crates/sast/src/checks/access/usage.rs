//! How an application loads each of its models: through whom, by which scopes, and whose a record is.

use std::collections::HashMap;

use wardroom_rails::{FileId, literal_name};
use wardroom_ruby::ir::{Call, Kind, Name, Node};
use wardroom_ruby::walk;

use super::practice::{Practice, any, is_tenant, mentions_user};
use crate::context::Context;

/// What is known of a model's use.
#[derive(Default)]
pub struct Usage {
    /// Loads through a scope of the caller: how often.
    pub scoped: usize,
    /// How the first one is written.
    pub spelling: String,
    /// How often by a scope of the model's own.
    pub by_scope: usize,
    /// A scope of the model that looks at the user.
    pub own_scope: Option<Name>,
    /// The association that names its owner.
    pub owner: Option<Name>,
    /// Its default scope looks at who is calling.
    pub by_default: bool,
    /// It says of each record whether all may see it.
    pub visibility: Option<Name>,
    /// Uses through the tenant that the request is for: how often.
    pub by_tenant: usize,
    /// How the first one is written.
    pub tenant: String,
    /// Uses through the record that a controller holds it under: in which file, by which variable, and
    /// the spelling.
    pub parents: Vec<(FileId, Name, String)>,
}

/// Whether a scope's name says that it holds what the caller may see.
fn restricts(name: &str) -> bool {
    name.starts_with("my_")
        || name.starts_with("visible_")
        || name.starts_with("accessible_")
        || matches!(
            name,
            "my" | "mine"
                | "accessible_to"
                | "visible_to"
                | "for_current_user"
                | "authorized"
                | "visible"
                | "accessible"
                | "readable"
                | "readable_by"
                | "viewable_by"
                | "viewable"
                | "editable_by"
                | "manageable_by"
                | "managed_by"
                | "owned_by"
                | "for_user"
                | "by_user"
                | "allowed_to"
                | "authorized_as"
                | "permitted_for"
                | "shared_with"
                | "managed"
        )
}

/// How the application loads each model.
pub fn usage(context: &Context<'_, '_>, practice: &Practice<'_, '_>) -> HashMap<Name, Usage> {
    let app = context.app;
    let mut out: HashMap<Name, Usage> = HashMap::new();
    for model in app.models.values() {
        let usage = out.entry(model.class).or_default();
        usage.owner = [
            "user",
            "owner",
            "author",
            "account",
            "creator",
            "customer",
            "person",
            "member",
            "seller",
            "profile",
            "created_by",
            "uploader",
        ]
        .iter()
        .map(|n| Name::from(n))
        .find(|n| model.associations.get(n).is_some_and(|a| a.owner));
        usage.visibility = [
            "public",
            "private",
            "visibility",
            "is_public",
            "is_private",
            "hidden",
            "published",
            "confidential",
        ]
        .iter()
        .map(|n| Name::from(n))
        .find(|n| model.columns.contains_key(n));
        for class in practice.ancestors(model.class).iter().filter_map(|c| app.index.class(*c)) {
            for declared in &class.macros {
                if declared.call.name == "default_scope" {
                    usage.by_default |= looks_at_caller(practice, model.class, declared.call);
                }
                usage.by_default |=
                    matches!(declared.call.name.as_str(), "acts_as_tenant" | "multi_tenant" | "multitenant");
                if matches!(declared.call.name.as_str(), "scope" | "named_scope")
                    && let Some(name) = declared.call.args.first().and_then(literal_name)
                    && name.starts_with("my_")
                    && declared.call.args.iter().any(mentions_user)
                {
                    usage.own_scope = Some(name);
                }
            }
        }
    }
    // Scopes that look at the user.
    let mut looks: std::collections::HashSet<Name> = std::collections::HashSet::new();
    for class in
        app.models.keys().flat_map(|m| practice.ancestors(*m).to_vec()).filter_map(|c| app.index.class(c))
    {
        looks.extend(
            class
                .macros
                .iter()
                .filter(|m| {
                    matches!(m.call.name.as_str(), "scope" | "named_scope")
                        && m.call.args.iter().any(mentions_user)
                })
                .filter_map(|m| m.call.args.first().and_then(literal_name)),
        );
        looks.extend(
            class
                .singletons
                .iter()
                .filter(|(name, id)| restricts(name) && practice.facts(**id).user)
                .map(|(name, _)| *name),
        );
    }
    tenants(context, &mut out);
    const LOADS: &[&str] = &["find", "where", "find_by", "find_by_id", "find_by!", "find_by_id!"];
    let wanted = |name: &str| restricts(name) || LOADS.contains(&name);
    context.calls_where(wanted, |file, node, call| {
        let name = call.name.as_str();
        let class = if restricts(name)
            && (looks.contains(&call.name)
                || !call.args.is_empty()
                || matches!(name, "authorized" | "my" | "mine"))
        {
            match call.recv.as_ref().map(|r| &r.kind) {
                Some(Kind::Const(path)) => Some(wardroom_rails::path_name(path)),
                _ => None,
            }
        } else if LOADS.contains(&name) {
            // `current_user.photos.find(…)`
            match call.recv.as_ref().map(|r| &r.kind) {
                Some(Kind::Call(inner))
                    if inner.recv.as_ref().is_some_and(super::practice::is_user)
                        && call.args.iter().any(super::practice::reads_params) =>
                {
                    app.by_name.get(&inner.name).filter(|(_, many)| *many).map(|(class, _)| class)
                }
                _ => None,
            }
        } else {
            None
        };
        if let Some(class) = class
            && app.file(file).path.contains("app/controllers/")
        {
            let usage = out.entry(class).or_default();
            usage.scoped += 1;
            usage.by_scope += usize::from(
                name.starts_with("my_")
                    || matches!(
                        name,
                        "my" | "mine"
                            | "authorized"
                            | "authorized_as"
                            | "accessible_by"
                            | "allowed_to"
                            | "readable_by"
                            | "viewable_by"
                    ),
            );
            if usage.spelling.is_empty() {
                usage.spelling =
                    context.source(file, node.span).lines().next().unwrap_or_default().to_owned();
            }
        }
    });
    out
}

/// Counts the uses of each model through the tenant, and through the record that a controller holds.
fn tenants(context: &Context<'_, '_>, out: &mut HashMap<Name, Usage>) {
    let app = context.app;
    const NARROWED: &[&str] = &[
        "where",
        "find_by",
        "find_by!",
        "find_or_initialize_by",
        "find_or_create_by",
        "find_or_create_by!",
        "new",
        "create",
        "create!",
    ];
    let wanted = |name: &str| NARROWED.contains(&name) || app.by_name.get(name).is_some_and(|(_, many)| many);
    context.calls_where(wanted, |file, node, call| {
        if !app.file(file).path.contains("app/controllers/") {
            return;
        }
        let spelled = || context.source(file, node.span).lines().next().unwrap_or_default().to_owned();
        let Some(recv) = &call.recv else { return };
        if NARROWED.contains(&call.name.as_str()) {
            let Kind::Const(path) = &recv.kind else { return };
            let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() else { return };
            if pairs.iter().any(|p| is_tenant(&p.value) || id_of_tenant(&p.value)) {
                let class = app.index.resolve(wardroom_rails::path_name(path), &[]);
                let usage = out.entry(class).or_default();
                usage.by_tenant += 1;
                if usage.tenant.is_empty() {
                    usage.tenant = spelled();
                }
            }
            return;
        }
        let Some((class, true)) = app.by_name.get(&call.name) else { return };
        if is_tenant(recv) {
            let usage = out.entry(class).or_default();
            usage.by_tenant += 1;
            if usage.tenant.is_empty() {
                usage.tenant = spelled();
            }
        } else if let Kind::Ivar(name) = &recv.kind
            && let Some((parent, false)) = app.by_name.get(name)
            && parent != class
            && app.models.get(&parent).is_some_and(|m| m.associations.get(&call.name).is_some_and(|a| a.many))
        {
            out.entry(class).or_default().parents.push((file, *name, spelled()));
        }
    });
}

/// `current_site.id`
fn id_of_tenant(node: &Node) -> bool {
    matches!(&node.kind, Kind::Call(c) if c.name == "id" && c.recv.as_ref().is_some_and(is_tenant))
}

/// Whether a default scope depends on who is calling, itself or by a method of the class that it calls.
fn looks_at_caller(practice: &Practice<'_, '_>, class: Name, scope: &Call) -> bool {
    let current = |node: &Node| {
        any(
            node,
            &mut |n| matches!(&n.kind, Kind::Call(c) if c.name.starts_with("current") && matches!(c.recv.as_ref().map(|r| &r.kind), None | Some(Kind::Const(_)))),
        )
    };
    let bodies: Vec<&Node> = scope.args.iter().chain(scope.block.iter().map(|b| &b.body)).collect();
    bodies.iter().any(|b| mentions_user(b) || current(b))
        || bodies.iter().any(|b| {
            let mut found = false;
            walk::each(b, &mut |n| {
                if let Kind::Call(call) = &n.kind
                    && call.recv.is_none()
                    && let Some(id) = practice.app.index.find_singleton(class, call.name)
                {
                    let method = practice.app.index.method(id);
                    let body = method.body;
                    // `def within(team = Team.current)`
                    found |= method.params.iter().filter_map(|p| p.default.as_ref()).any(current)
                        || mentions_user(body)
                        || current(body)
                        || any(body, &mut |n| {
                            matches!(&n.kind, Kind::Call(c) if c.recv.is_none() && practice.app.index.find_singleton(class, c.name).is_some_and(|id| current(practice.app.index.method(id).body)))
                        });
                }
                !found
            });
            found
        })
}
