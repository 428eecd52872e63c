//! From routes to endpoints: each with its handler, the parameters that this reads and the filters
//! in front of it.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wardroom_model::{Endpoint, Filter, FilterRole};
use wardroom_ruby::ir::{Kind, Name, Node};
use wardroom_ruby::walk;

use crate::app::App;
use crate::controllers::{FilterDeclaration, Timing};
use crate::files::FileId;
use crate::index::{MethodId, literal_name};
use crate::routes::{Route, Target, path_parameters};

/// Makes the application's endpoints out of its routes.
pub fn attach(app: &mut App<'_>) {
    let mut endpoints = Vec::new();
    let mut of: FxHashMap<MethodId, Vec<Arc<Endpoint>>> = FxHashMap::default();
    let mut roles = Roles::default();
    for route in &app.routes.routes {
        for (endpoint, method) in from_route(app, route, &mut roles) {
            let endpoint = Arc::new(endpoint);
            if let Some(method) = method {
                of.entry(method).or_default().push(Arc::clone(&endpoint));
            }
            endpoints.push(endpoint);
        }
    }
    app.endpoints = endpoints;
    app.endpoints_of = of;
}

fn from_route(app: &App<'_>, route: &Route, roles: &mut Roles) -> Vec<(Endpoint, Option<MethodId>)> {
    let location = Some(app.file(FileId(route.file)).location(route.span));
    let parameters = path_parameters(&route.path);
    let plain = |handler: String| Endpoint {
        verb: route.verb,
        path: route.path.clone(),
        handler,
        parameters: parameters.clone(),
        filters: Vec::new(),
        route: location.clone(),
        action: None,
    };
    match &route.target {
        Target::Mount { app } => vec![(plain(app.clone()), None)],
        Target::Redirect => vec![(plain("redirect".to_owned()), None)],
        Target::Other(what) => vec![(plain(what.clone()), None)],
        Target::Action { controller, action } if route.is_wildcard() || action.starts_with(':') => {
            // The request chooses: every action of every controller (or of this one) can be reached.
            let mut out = Vec::new();
            let folder = controller.strip_suffix(":controller");
            let chosen = |path: &str| folder.map_or(path == controller, |f| path.starts_with(f));
            let mut all: Vec<_> = app.controllers.values().filter(|c| chosen(&c.path)).collect();
            all.sort_by(|a, b| a.path.cmp(&b.path));
            for found in all {
                let mut actions: Vec<_> = found.actions.iter().collect();
                actions.sort();
                for (name, id) in actions {
                    out.push((
                        endpoint(app, plain(format!("{}#{name}", found.path)), &found.path, *name, roles),
                        Some(*id),
                    ));
                }
            }
            out
        }
        Target::Action { controller, action } => {
            let name = Name::from(action.as_str());
            let found = app.controller_at(controller).and_then(|c| app.index.find(c.class, name));
            vec![(endpoint(app, plain(format!("{controller}#{action}")), controller, name, roles), found)]
        }
    }
}

fn endpoint(
    app: &App<'_>,
    mut endpoint: Endpoint,
    controller: &str,
    action: Name,
    roles: &mut Roles,
) -> Endpoint {
    let Some(controller) = app.controller_at(controller) else { return endpoint };
    endpoint.filters = controller
        .filters_for(action)
        .into_iter()
        .filter(|f| f.timing != Timing::After)
        .map(|f| Filter {
            name: f.name.map_or_else(
                || {
                    let at = app.file(f.file).location(f.span);
                    format!("block at {}:{}", at.file, at.start.line)
                },
                |n| n.to_string(),
            ),
            role: role(app, controller.class, f, roles),
            conditional: f.conditional,
        })
        .collect();
    if let Some(id) = app.index.find(controller.class, action) {
        let method = app.index.method(id);
        endpoint.action = Some(app.file(method.file).location(method.name_span));
        for parameter in read_parameters(method.body) {
            if !endpoint.parameters.contains(&parameter) {
                endpoint.parameters.push(parameter);
            }
        }
    }
    endpoint
}

/// What the filters of each class are for, as far as they have been looked at.
type Roles = FxHashMap<(Name, Name), FilterRole>;

/// What a filter is for, by its name, and where its method is known by what it does: it asks who is
/// calling only if it can stop the request over that.
fn role(app: &App<'_>, class: Name, filter: &FilterDeclaration<'_>, known: &mut Roles) -> FilterRole {
    let Some(name) =
        filter.name.filter(|_| matches!(filter.role, FilterRole::Authentication | FilterRole::Other))
    else {
        return filter.role;
    };
    if let Some(role) = known.get(&(class, name)) {
        return *role;
    }
    let role = match app.index.find(class, name) {
        None => filter.role,
        Some(id) => {
            let stops = match filter.role {
                FilterRole::Authentication => {
                    let mut seen = Seen::default();
                    look(app, class, id, 0, &mut seen);
                    seen.demands || seen.asks && seen.halts
                }
                _ => stops_strangers(app, class, app.index.method(id).body, 0),
            };
            if stops { FilterRole::Authentication } else { FilterRole::Other }
        }
    };
    known.insert((class, name), role);
    role
}

/// How far the calls of a filter are followed.
const DEPTH: u32 = 4;

#[derive(Default)]
struct Seen {
    /// It looks at who is calling.
    asks: bool,
    /// It can end the request.
    halts: bool,
    /// It calls what does both: `authenticate_user!`.
    demands: bool,
}

fn look(app: &App<'_>, class: Name, id: MethodId, depth: u32, seen: &mut Seen) {
    let mut own: Vec<Name> = Vec::new();
    walk::each(app.index.method(id).body, &mut |node| {
        seen.asks |= asks_who(node);
        seen.halts |= halts(node);
        seen.demands |= demands(node);
        if let Kind::Call(call) = &node.kind
            && matches!(call.recv.as_ref().map(|r| &r.kind), None | Some(Kind::SelfRef))
            && !own.contains(&call.name)
        {
            own.push(call.name);
        }
        true
    });
    if depth >= DEPTH || seen.demands || seen.asks && seen.halts {
        return;
    }
    for name in own {
        if let Some(callee) = app.index.find(class, name).filter(|c| *c != id) {
            look(app, class, callee, depth + 1, seen);
        }
    }
}

/// Whether a body ends the request under a condition on who is calling.
fn stops_strangers(app: &App<'_>, class: Name, body: &Node, depth: u32) -> bool {
    let mut found = false;
    let any = |node: &Node, test: &dyn Fn(&Node) -> bool| {
        let mut any = false;
        walk::each(node, &mut |n| {
            any = any || test(n);
            !any
        });
        any
    };
    let ends = |node: &Node| {
        any(node, &|n| {
            halts(n)
                || matches!(&n.kind, Kind::Call(call) if call.recv.is_none() && app.index.find(class, call.name).is_some_and(|id| any(app.index.method(id).body, &|n| halts(n) && !matches!(&n.kind, Kind::Call(c) if c.name == "raise"))))
        })
    };
    walk::each(body, &mut |node| {
        found = found
            || demands(node)
            || match &node.kind {
                Kind::If(branches) => {
                    any(&branches.cond, &asks_who) && (ends(&branches.then) || ends(&branches.otherwise))
                }
                Kind::Or(sides) | Kind::And(sides) => any(&sides.0, &asks_who) && ends(&sides.1),
                Kind::Call(call) if call.recv.is_none() && depth < 2 => {
                    let name = call.name.as_str();
                    (name.contains("login") || name.contains("authenticat") || name.contains("signed_in"))
                        && app.index.find(class, call.name).is_some_and(|id| {
                            stops_strangers(app, class, app.index.method(id).body, depth + 1)
                        })
                }
                _ => false,
            };
        !found
    });
    found
}

/// `current_user`, `logged_in?`, `User.current`, a token or a key of the caller's.
fn asks_who(node: &Node) -> bool {
    let said = |name: &str| {
        name.starts_with("current_")
            && !matches!(
                name,
                "current_page" | "current_path" | "current_url" | "current_locale" | "current_tenant"
            )
            || [
                "logged_in",
                "signed_in",
                "authenticat",
                "api_key",
                "token",
                "credential",
                "signature",
                "hmac",
                "warden",
            ]
            .iter()
            .any(|w| name.contains(w))
    };
    match &node.kind {
        Kind::Call(call) => match &call.recv {
            Some(Node { kind: Kind::Const(_), .. }) if call.name == "current" => true,
            _ => said(&call.name),
        },
        Kind::Ivar(name) | Kind::Local(name) => {
            let name = name.trim_start_matches('@');
            said(name) || matches!(name, "user" | "account" | "person" | "admin")
        }
        _ => false,
    }
}

/// Whether a call ends the request.
fn halts(node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    let name = call.name.as_str();
    matches!(
        name,
        "redirect_to"
            | "redirect_back"
            | "redirect_back_or_to"
            | "head"
            | "render"
            | "raise"
            | "throw"
            | "halt"
            | "fail"
            | "error!"
    ) || call.recv.is_none()
        && ["render_", "redirect_", "deny_", "require_", "respond_with_", "request_http_"]
            .iter()
            .any(|w| name.starts_with(w))
        || call.recv.is_none()
            && ["access_denied", "unauthorized", "forbidden", "not_found", "not_authorized"]
                .iter()
                .any(|w| name.contains(w))
}

/// Whether a call asks who is calling and ends the request by itself, as libraries offer it.
fn demands(node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    let name = call.name.as_str();
    name.starts_with("authenticate_") && name.ends_with('!')
        || name.starts_with("authenticate_or_request_with")
        || matches!(
            name,
            "doorkeeper_authorize!"
                | "authenticate!"
                | "require_login"
                | "http_basic_authenticate_or_request_with"
        )
}

/// The keys that a body reads from `params` itself.
fn read_parameters(body: &Node) -> Vec<String> {
    let mut out = Vec::new();
    walk::each(body, &mut |node| {
        if let Kind::Call(call) = &node.kind
            && matches!(call.name.as_str(), "[]" | "fetch" | "require" | "dig" | "key?" | "expect" | "permit")
            && let Some(Node { kind: Kind::Call(inner), .. }) = &call.recv
            && inner.name == "params"
            && inner.recv.is_none()
        {
            let count = if call.name == "permit" { call.args.len() } else { 1 };
            for key in call.args.iter().take(count).filter_map(literal_name) {
                if !out.iter().any(|k: &String| *k == *key) {
                    out.push(key.to_string());
                }
            }
        }
        true
    });
    out
}
