//! Where code loads a record by what the request says.

use std::collections::HashMap;

use wardroom_rails::literal_name;
use wardroom_ruby::ir::{Call, Kind, Name, Node, Span};
use wardroom_ruby::walk;

use super::practice::{any, decides, is_params, mentions_user, writes};

/// One load of a record by a parameter.
pub struct Load<'a> {
    /// The call.
    pub node: &'a Node,
    /// The model.
    pub class: Name,
    /// The variable that takes it.
    pub variable: Option<Name>,
    /// It is changed on the spot.
    pub changed: bool,
    /// Many at once: a list without bounds.
    pub list: bool,
}

/// The loads of a body: `X.find(params[:id])` and lists without bounds.
pub fn loads(body: &Node) -> Vec<Load<'_>> {
    let mut out: Vec<Load<'_>> = Vec::new();
    let from_request = tainted(body);
    // Loads that only answer whether there is such a record.
    let mut asked: Vec<Span> = Vec::new();
    walk::each(body, &mut |node| {
        if asked.contains(&node.span) {
            return false;
        }
        match &node.kind {
            Kind::If(branches) => tests(&branches.cond, &mut asked),
            Kind::Not(inner) => tests(inner, &mut asked),
            Kind::Assign(assign) => {
                if let Kind::Ivar(name) | Kind::Local(name) = &assign.target.kind
                    && let Some((class, found, list)) =
                        load(either(&assign.value, &from_request), &from_request)
                {
                    let name = *name;
                    let changed = any(
                        body,
                        &mut |n| matches!(&n.kind, Kind::Call(c) if writes(c) && matches!(c.recv.as_ref().map(|r| &r.kind), Some(Kind::Ivar(v) | Kind::Local(v)) if *v == name)),
                    );
                    out.push(Load {
                        node: found,
                        class,
                        variable: Some(name),
                        changed: changed && matches!(assign.target.kind, Kind::Local(_)),
                        list,
                    });
                    return false;
                }
            }
            Kind::Call(call) => {
                if let Some(class) = changed_by_number(call, &from_request) {
                    out.push(Load { node, class, variable: None, changed: true, list: false });
                    return false;
                }
                if writes(call)
                    && let Some(recv) = &call.recv
                    && let Some((class, found, false)) = load(recv, &from_request)
                {
                    out.push(Load { node: found, class, variable: None, changed: true, list: false });
                    return false;
                }
                if let Some((class, found, false)) = load(node, &from_request) {
                    out.push(Load { node: found, class, variable: None, changed: false, list: false });
                    return false;
                }
                // `authorize X.find(…)`
                if decides(call) {
                    return false;
                }
            }
            _ => {}
        }
        true
    });
    out
}

/// The side of `a || b` that loads.
fn either<'n>(value: &'n Node, from_request: &[Name]) -> &'n Node {
    match &value.kind {
        Kind::Or(sides) => {
            if load(&sides.0, from_request).is_some() {
                &sides.0
            } else {
                either(&sides.1, from_request)
            }
        }
        _ => value,
    }
}

/// What a condition asks for without keeping it: `if X.find_by(…)`, `unless X.find_by(…).present?`.
fn tests(cond: &Node, out: &mut Vec<Span>) {
    match &cond.kind {
        Kind::Not(inner) => tests(inner, out),
        Kind::And(sides) | Kind::Or(sides) => {
            tests(&sides.0, out);
            tests(&sides.1, out);
        }
        Kind::Seq(nodes) => {
            if let Some(last) = nodes.last() {
                tests(last, out);
            }
        }
        Kind::Call(call) => match (call.name.as_str(), &call.recv) {
            ("present?" | "blank?" | "nil?" | "any?" | "exists?" | "empty?" | "!", Some(recv)) => {
                tests(recv, out)
            }
            _ => out.push(cond.span),
        },
        _ => {}
    }
}

/// `Photo.update(params[:id], …)`, `Photo.destroy(params[:id])`, `Photo.where(id: params[:ids]).delete_all`.
fn changed_by_number(call: &Call, from_request: &[Name]) -> Option<Name> {
    match call.name.as_str() {
        "update" | "update!" | "destroy" | "delete" | "destroy!" => {
            let Some(Node { kind: Kind::Const(path), .. }) = &call.recv else { return None };
            let first = call.args.first()?;
            let told = matches!(&first.kind, Kind::Call(c) if matches!(c.name.as_str(), "[]" | "fetch" | "dig" | "to_i"))
                && is_param_value(first)
                || matches!(&first.kind, Kind::Local(v) if from_request.contains(v));
            (told && writes(call)).then(|| wardroom_rails::path_name(path))
        }
        "update_all" | "delete_all" | "destroy_all" => {
            let inner = call.recv.as_ref()?;
            let Kind::Call(conditions) = &inner.kind else { return None };
            (conditions.name == "where").then(|| by_request(inner, conditions, from_request)).flatten()
        }
        _ => None,
    }
}

/// Variables that take what the request says.
fn tainted(body: &Node) -> Vec<Name> {
    let mut out = Vec::new();
    walk::each(body, &mut |node| {
        // `params[:list].each { |id| … }`
        if let Kind::Call(call) = &node.kind
            && matches!(call.name.as_str(), "each" | "each_with_index" | "map" | "each_pair")
            && let Some(block) = &call.block
            && call.recv.as_ref().is_some_and(|r| !is_params(r) && is_param_value(r))
            && let Some(first) = block.params.first()
        {
            out.push(first.name);
        }
        if let Kind::Assign(assign) = &node.kind
            && let Kind::Local(name) = &assign.target.kind
            && (is_param_value(&assign.value))
        {
            out.push(*name);
        }
        true
    });
    out
}

/// `params[:id]`, `params[:a][:id] || params[:id]`, `params[:id].to_i`.
pub fn is_param_value(node: &Node) -> bool {
    match &node.kind {
        Kind::Call(call)
            if matches!(
                call.name.as_str(),
                "[]" | "dig" | "fetch" | "require" | "to_i" | "to_s" | "presence" | "strip"
            ) =>
        {
            is_params(node) || call.recv.as_ref().is_some_and(is_param_value)
        }
        Kind::Or(sides) => is_param_value(&sides.0) || is_param_value(&sides.1),
        _ => is_params(node),
    }
}

/// The class, the call and whether it is a list, where a node loads a record by the request's word.
fn load<'a>(node: &'a Node, from_request: &[Name]) -> Option<(Name, &'a Node, bool)> {
    let Kind::Call(call) = &node.kind else { return None };
    let name = call.name.as_str();
    if matches!(name, "first" | "first!" | "last" | "take" | "take!") {
        let inner = call.recv.as_ref()?;
        let Kind::Call(conditions) = &inner.kind else { return None };
        return matches!(conditions.name.as_str(), "where")
            .then(|| by_request(inner, conditions, from_request))
            .flatten()
            .map(|c| (c, node, false));
    }
    if name == "find"
        || matches!(
            name,
            "find_by"
                | "find_by!"
                | "find_by_id"
                | "find_by_id!"
                | "friendly_find"
                | "find_by_public_id!"
                | "find_by_public_id"
                | "find_by_hashid"
                | "find_by_hashid!"
                | "find_by_guid"
                | "find_by_guid!"
                | "find_by_uuid"
                | "find_by_uuid!"
        )
    {
        return by_request(node, call, from_request).map(|c| (c, node, false));
    }
    if matches!(name, "all" | "paginate" | "page" | "search_for") {
        return match &call.recv.as_ref()?.kind {
            Kind::Const(path) => path.last().map(|_| (wardroom_rails::path_name(path), node, true)),
            _ => None,
        };
    }
    None
}

fn by_request(node: &Node, call: &Call, from_request: &[Name]) -> Option<Name> {
    let named = call.args.iter().any(|a| {
        any(a, &mut |n| is_params(n) || matches!(&n.kind, Kind::Local(v) if from_request.contains(v)))
    });
    if !named || mentions_user(node) {
        return None;
    }
    if let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() {
        // A second condition narrows it; a token is its own permission.
        let keys: Vec<Name> = pairs.iter().filter_map(|p| literal_name(&p.key)).collect();
        if keys.len() != 1 || !matches!(keys[0].as_str(), "id" | "guid" | "slug" | "uuid" | "public_id") {
            return None;
        }
    }
    let mut recv = call.recv.as_ref()?;
    loop {
        match &recv.kind {
            Kind::Const(path) => return Some(wardroom_rails::path_name(path)),
            Kind::Call(inner)
                if matches!(
                    inner.name.as_str(),
                    "friendly"
                        | "unscoped"
                        | "includes"
                        | "with_deleted"
                        | "preload"
                        | "eager_load"
                        | "all"
                        | "joins"
                ) =>
            {
                recv = inner.recv.as_ref()?
            }
            _ => return None,
        }
    }
}

/// The parameters that a value can be: `article.id`, `id`.
pub fn keys(node: &Node, values: &HashMap<Name, Vec<String>>) -> Vec<String> {
    match &node.kind {
        Kind::Or(sides) => [keys(&sides.0, values), keys(&sides.1, values)].concat(),
        Kind::Local(name) => values.get(name).cloned().unwrap_or_default(),
        Kind::Call(call) if call.name == "[]" => {
            let Some(key) = call.args.first().and_then(literal_name) else { return Vec::new() };
            match &call.recv {
                Some(recv) if is_params(recv) => vec![key.to_string()],
                Some(recv) => keys(recv, values).into_iter().map(|k| format!("{k}.{key}")).collect(),
                None => Vec::new(),
            }
        }
        Kind::Call(call) if matches!(call.name.as_str(), "to_i" | "to_s" | "presence") => {
            call.recv.as_ref().map_or_else(Vec::new, |r| keys(r, values))
        }
        _ => Vec::new(),
    }
}

pub fn spell(key: &str) -> String {
    let inner: Vec<String> = key.split('.').map(|k| format!("[:{k}]")).collect();
    format!("`params{}`", inner.concat())
}
