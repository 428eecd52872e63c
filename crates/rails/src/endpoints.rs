//! From routes to endpoints: each with its handler, the parameters that this reads and the filters
//! in front of it.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wardroom_model::{Endpoint, Filter};
use wardroom_ruby::ir::{Kind, Name, Node};
use wardroom_ruby::walk;

use crate::app::App;
use crate::controllers::Timing;
use crate::files::FileId;
use crate::index::{MethodId, literal_name};
use crate::routes::{Route, Target, path_parameters};

/// Makes the application's endpoints out of its routes.
pub fn attach(app: &mut App<'_>) {
    let mut endpoints = Vec::new();
    let mut of: FxHashMap<MethodId, Vec<Arc<Endpoint>>> = FxHashMap::default();
    for route in &app.routes.routes {
        for (endpoint, method) in from_route(app, route) {
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

fn from_route(app: &App<'_>, route: &Route) -> Vec<(Endpoint, Option<MethodId>)> {
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
                        endpoint(app, plain(format!("{}#{name}", found.path)), &found.path, *name),
                        Some(*id),
                    ));
                }
            }
            out
        }
        Target::Action { controller, action } => {
            let name = Name::from(action.as_str());
            let found = app.controller_at(controller).and_then(|c| app.index.find(c.class, name));
            vec![(endpoint(app, plain(format!("{controller}#{action}")), controller, name), found)]
        }
    }
}

fn endpoint(app: &App<'_>, mut endpoint: Endpoint, controller: &str, action: Name) -> Endpoint {
    let Some(controller) = app.controller_at(controller) else { return endpoint };
    endpoint.filters = controller
        .filters_for(action)
        .into_iter()
        .filter(|f| f.timing != Timing::After)
        .map(|f| Filter {
            name: f.name.map_or_else(|| "block".to_owned(), |n| n.to_string()),
            role: f.role,
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
