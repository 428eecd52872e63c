//! Records of a user that are loaded by a number from the request without looking at whose they are.

use std::collections::HashMap;

use wardroom_model::Confidence;
use wardroom_rails::{FileId, Habitat, MethodId, literal_name};
use wardroom_ruby::ir::{Kind, Name, Node, Span};
use wardroom_ruby::walk;

use super::loads::{Load, is_param_value, keys, loads, spell};
use super::practice::{Action, Practice, any, decides, is_params, is_tenant, mentions_user};
use super::usage::{Usage, usage};
use crate::context::Context;

wardroom_model::rule! {
    /// A record is loaded by a number from the request from all records of its kind, though the
    /// application elsewhere loads such records only from those that the caller may see
    /// (`current_user.photos`, `Host.authorized`, a scope of its own), or though the record belongs to
    /// a user and nothing looks at which.
    ///
    /// ## Why it is bad
    ///
    /// By counting the number up, a user reads or changes what belongs to others.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// @photo = Photo.find(params[:id])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// @photo = current_user.photos.find(params[:id])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-639: Authorization Bypass Through User-Controlled Key
    /// - OWASP Top Ten 2021, A01 Broken Access Control
    rule: "unscoped-find", "Record of a user loaded by a number from the request", Access, 639, High,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:L/A:N"
}

/// Looks at every load in controllers.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    let practice = context.practice();
    let usage = usage(context, practice);
    // The methods that stand in front of actions or are reached from them.
    let mut users: HashMap<MethodId, Vec<usize>> = HashMap::new();
    let mut loading: HashMap<MethodId, bool> = HashMap::new();
    let mut all: Vec<Action<'_, '_>> = Vec::new();
    let controllers = practice.controllers();
    for controller in &controllers {
        for action in practice.actions(controller) {
            let mut methods = practice.reach(controller.class, action.method).to_vec();
            for filter in practice.filter_methods(controller, action.name) {
                methods.extend_from_slice(&practice.reach(controller.class, filter));
            }
            methods.sort();
            methods.dedup();
            for id in methods {
                // Most methods load nothing: they need no list of their actions.
                let loads_something = *loading.entry(id).or_insert_with(|| {
                    let method = app.index.method(id);
                    app.habitat(method.owner, method.file) == Habitat::Controller
                        && !loads(method.body).is_empty()
                });
                if loads_something {
                    let list = users.entry(id).or_default();
                    if list.len() < 200 {
                        list.push(all.len());
                    }
                }
            }
            all.push(action);
        }
    }
    crossed(context, practice, &all);
    let mut ids: Vec<MethodId> = users.keys().copied().collect();
    ids.sort();
    for id in ids {
        let method = app.index.method(id);
        let actions: Vec<&Action<'_, '_>> = users[&id].iter().map(|at| &all[*at]).collect();
        mismatch(context, id, &actions);
        for load in loads(method.body) {
            judge(context, practice, &usage, id, &actions, &load);
        }
    }
}

fn judge<'a>(
    context: &Context<'_, 'a>,
    practice: &Practice<'_, 'a>,
    usage: &HashMap<Name, Usage>,
    id: MethodId,
    actions: &[&Action<'_, 'a>],
    load: &Load<'_>,
) {
    let app = context.app;
    let method = app.index.method(id);
    let class = app
        .index
        .resolve(load.class, &app.index.class(method.owner).map_or_else(Vec::new, |c| c.nesting.clone()));
    let Some(known) = usage.get(&class) else { return };
    // A check of the record itself, in the method or in an action that uses it.
    let names = aliases(method.body, load);
    let number = load_keys(load.node);
    let checked =
        |body: &Node| names.iter().any(|v| checks(body, *v)) || !number.is_empty() && asks_for(body, &number);
    if checked(method.body) {
        return;
    }
    let open: Vec<&Action<'_, 'a>> = actions
        .iter()
        .copied()
        .filter(|a| {
            !practice
                .reach(a.controller.class, a.method)
                .iter()
                .copied()
                .chain(practice.filter_methods(a.controller, a.name))
                .any(|m| checked(app.index.method(m).body))
                && !super::practice::before(a.controller, a.name)
                    .iter()
                    .any(|f| f.block.is_some_and(|b| checked(&b.body)))
        })
        .collect();
    if open.is_empty() {
        return;
    }
    let writing = |actions: &[&Action<'_, 'a>]| {
        actions
            .iter()
            .any(|a| a.by_change() && practice.shows(a.controller.class, a.method, |f| !f.writes.is_empty()))
    };
    let undecided: Vec<&&Action<'_, 'a>> = open.iter().filter(|a| !practice.authorized(a)).collect();
    let what = app.file(method.file).source(load.node.span).into_owned();
    let (evidence, confidence) = if load.list {
        let Some(scope) = known
            .own_scope
            .filter(|s| s.starts_with("my_") || s.contains("visible") || s.contains("accessible"))
        else {
            return;
        };
        if practice.shows(method.owner, id, |f| f.user) {
            return;
        }
        (
            format!(
                "`{class}` has the scope `{scope}` for what the caller may see, and the list goes without it"
            ),
            Confidence::Medium,
        )
    } else if let Some(scope) = known.own_scope {
        (format!("`{class}` has the scope `{scope}` for what the caller may see"), Confidence::Medium)
    } else if known.scoped >= 2 && (!undecided.is_empty() || known.by_scope >= 3) {
        (
            format!(
                "elsewhere it is loaded through the caller {} times, as in `{}`",
                known.scoped, known.spelling
            ),
            if known.owner.is_some() || known.scoped >= 3 { Confidence::Medium } else { Confidence::Low },
        )
    } else if known.by_tenant >= 2 && !mentions_tenant(load.node) {
        // A right within one's own tenant is none over the records of the others.
        (
            format!(
                "elsewhere it is taken from the tenant {} times, as in `{}`",
                known.by_tenant, known.tenant
            ),
            if load.changed || writing(&open) { Confidence::Medium } else { Confidence::Low },
        )
    } else if let Some((_, _, parent)) = known.parents.iter().find(|(file, variable, _)| {
        *file == method.file
            && (load.changed || load.variable.is_some())
            && !derived(method.body, *variable, load)
            && open.iter().any(|a| holds(practice, a, *variable))
    }) {
        (
            format!("the same controller takes it from `{parent}`"),
            if load.changed || writing(&open) { Confidence::Medium } else { Confidence::Low },
        )
    } else if load.changed && known.owner.is_some() && open.iter().any(|a| !by_role(practice, a)) {
        (
            format!(
                "a `{class}` belongs to its `{}`, and it is changed at once",
                known.owner.unwrap_or_default()
            ),
            Confidence::Medium,
        )
    } else if by_user_id(load.node)
        && class.ends_with("User")
        && !undecided.is_empty()
        && !app.file(method.file).path.contains("user")
        && !app.file(method.file).path.contains("admin")
    {
        let identified = undecided.iter().any(|a| practice.authenticated(a));
        let user = undecided.iter().any(|a| practice.shows(a.controller.class, a.method, |f| f.user));
        (
            "`params[:user_id]` names the account, and the caller may name another's".to_owned(),
            if identified && !user { Confidence::Medium } else { Confidence::Low },
        )
    } else if let (Some(owner), false) = (known.owner, undecided.is_empty()) {
        let writes =
            undecided.iter().any(|a| practice.shows(a.controller.class, a.method, |f| !f.writes.is_empty()));
        let user = undecided.iter().any(|a| practice.shows(a.controller.class, a.method, |f| f.user));
        let identified = undecided.iter().any(|a| practice.authenticated(a));
        let sure = (writes || known.visibility.is_some()) && identified && !user;
        (
            format!("a `{class}` belongs to its `{owner}`"),
            if sure { Confidence::Medium } else { Confidence::Low },
        )
    } else {
        return;
    };
    let shown: Vec<_> = if undecided.is_empty() {
        open.iter().flat_map(|a| a.endpoints.iter().cloned()).collect()
    } else {
        undecided.iter().flat_map(|a| a.endpoints.iter().cloned()).collect()
    };
    let confidence =
        if super::practice::open_on_purpose(app, method.owner) { Confidence::Low } else { confidence };
    let bound = known.by_default
        && !any(
            load.node,
            &mut |n| matches!(&n.kind, Kind::Call(c) if matches!(c.name.as_str(), "unscoped" | "unscope" | "with_deleted")),
        );
    let (whose, confidence, reason) = if bound {
        (
            "within its default scope",
            Confidence::Low,
            "the default scope depends on who is calling; the caller's own permission is left out",
        )
    } else {
        ("whosever it is", confidence, "no check of the record was found between here and its use")
    };
    let reachable = !shown.is_empty() || app.endpoints.is_empty();
    context
        .finding(rule(), method.file, load.node.span, format!("`{what}` takes any `{class}`, {whose}: {evidence}"))
        .confidence(if reachable { confidence } else { Confidence::Low })
        .reason(reason)
        .remedy("Load it from what the caller may see (an association of the current user, the model's own scope), or check the record before it is used.")
        .endpoints(shown)
        .report();
}

/// The variable of a load, and those that take something of it in the same method: `@owners =
/// @photo.owners`, `@check_ownership_of = @photo`.
fn aliases(body: &Node, load: &Load<'_>) -> Vec<Name> {
    let Some(variable) = load.variable else { return Vec::new() };
    let mut out = vec![variable];
    walk::each(body, &mut |node| {
        if let Kind::Assign(assign) = &node.kind
            && let Kind::Ivar(name) | Kind::Local(name) = &assign.target.kind
            && *name != variable
        {
            let mut value = &assign.value;
            while let Kind::Call(call) = &value.kind
                && let Some(recv) = &call.recv
            {
                value = recv;
            }
            if matches!(&value.kind, Kind::Ivar(v) | Kind::Local(v) if *v == variable) {
                out.push(*name);
            }
        }
        true
    });
    out
}

/// The parameters by which a record is loaded.
fn load_keys(node: &Node) -> Vec<String> {
    let mut out = Vec::new();
    walk::each(node, &mut |n| {
        if matches!(&n.kind, Kind::Call(c) if c.name == "[]") {
            out.extend(keys(n, &HashMap::new()));
        }
        true
    });
    out
}

/// Whether a body decides about the very parameter: `ensure_authorized("Manage", user_id: params[:id])`.
fn asks_for(body: &Node, number: &[String]) -> bool {
    any(body, &mut |node| {
        matches!(&node.kind, Kind::Call(call) if call.recv.is_none() && decides(call)
            && call.args.iter().any(|a| any(a, &mut |n| keys(n, &HashMap::new()).iter().any(|k| number.contains(k)))))
    })
}

/// Whether what stands around an action takes a variable from the caller's own, or decides about it:
/// then the records below it are the caller's, and others are not.
fn holds<'a>(practice: &Practice<'_, 'a>, action: &Action<'_, 'a>, variable: Name) -> bool {
    practice
        .reach(action.controller.class, action.method)
        .iter()
        .copied()
        .chain(practice.filter_methods(action.controller, action.name))
        .any(|m| {
            let body = practice.app.index.method(m).body;
            checks(body, variable)
                || any(body, &mut |n| {
                    matches!(&n.kind, Kind::Assign(a) if matches!(&a.target.kind, Kind::Ivar(v) if *v == variable)
                        && (mentions_tenant(&a.value) || mentions_user(&a.value)))
                })
        })
}

/// Whether a variable comes from the very record that is loaded: `@project = @repository.project`.
fn derived(body: &Node, variable: Name, load: &Load<'_>) -> bool {
    any(body, &mut |n| {
        let Kind::Assign(assign) = &n.kind else { return false };
        matches!(&assign.target.kind, Kind::Ivar(v) if *v == variable)
            && any(&assign.value, &mut |n| {
                n.span == load.node.span
                    || matches!(&n.kind, Kind::Ivar(v) | Kind::Local(v) if Some(*v) == load.variable)
            })
    })
}

fn mentions_tenant(node: &Node) -> bool {
    any(node, &mut is_tenant)
}

/// `User.find(params[:user_id])`
fn by_user_id(node: &Node) -> bool {
    any(
        node,
        &mut |n| matches!(&n.kind, Kind::Call(c) if c.name == "[]" && c.recv.as_ref().is_some_and(is_params) && c.args.first().and_then(literal_name).is_some_and(|k| k == "user_id")),
    )
}

/// Whether a filter asks for a role by its name: moderators may change what is not theirs.
fn by_role(practice: &Practice<'_, '_>, action: &Action<'_, '_>) -> bool {
    super::practice::before(action.controller, action.name)
        .iter()
        .any(|f| f.name.is_some_and(|n| n.contains("authorize_resource") || practice.guards(n)))
}

/// Whether a body makes a decision about a variable: `authorize @x`, `@x.visible?`, `@x.user == current_user`.
fn checks(body: &Node, variable: Name) -> bool {
    // `@check_ownership_of = @photo`: left for a filter to look at.
    if variable.contains("check_") {
        return true;
    }
    any(body, &mut |node| {
        let Kind::Call(call) = &node.kind else { return false };
        let is =
            |n: &Node| any(n, &mut |n| matches!(&n.kind, Kind::Ivar(v) | Kind::Local(v) if *v == variable));
        (decides(call)
            || matches!(call.name.as_str(), "==" | "!=") && any(node, &mut is_tenant)
            || call.name.ends_with('?') && (call.args.iter().any(mentions_user) || call.recv.as_ref().is_some_and(mentions_user)))
            && (call.recv.as_ref().is_some_and(is) || call.args.iter().any(is))
            // Handed on together with the user: `check_ownership(@x, current_user)`.
            || call.args.len() > 1 && call.args.iter().any(is) && call.args.iter().any(mentions_user)
            || call.recv.is_none() && call.args.len() == 1 && call.args.iter().any(is) && super::practice::asks_who(&call.name)
    })
}

/// A check that looks at one parameter in front of a load by another.
fn mismatch(context: &Context<'_, '_>, id: MethodId, actions: &[&Action<'_, '_>]) {
    let app = context.app;
    let method = app.index.method(id);
    let mut checked: Option<(Vec<String>, &Node, Name)> = None;
    let mut values: HashMap<Name, Vec<String>> = HashMap::new();
    let mut done = false;
    walk::each(method.body, &mut |node| {
        match &node.kind {
            Kind::Assign(assign) => {
                if let Kind::Local(name) = &assign.target.kind
                    && is_param_value(&assign.value)
                {
                    values.insert(*name, keys(&assign.value, &values));
                }
            }
            Kind::Call(call) if !done => {
                let name = call.name.as_str();
                let guard = call.recv.is_none()
                    && call.args.len() == 1
                    && (super::practice::guards(name)
                        || ["access", "allowed", "permitted", "authoriz", "granted", "can_", "may_"]
                            .iter()
                            .any(|w| name.contains(w)));
                if guard {
                    let of = keys(&call.args[0], &values);
                    if !of.is_empty() {
                        checked = Some((of, node, call.name));
                    }
                } else if let Some((of, guard, guard_name)) = &checked
                    && matches!(name, "find" | "find_by_id")
                    && matches!(call.recv.as_ref().map(|r| &r.kind), Some(Kind::Const(_)))
                    && let [argument] = call.args.as_slice()
                {
                    let loaded = keys(argument, &values);
                    let last = |key: &String| key.rsplit('.').next().unwrap_or(key).to_owned();
                    if let Some(other) =
                        loaded.iter().find(|k| !of.contains(k) && of.iter().any(|o| last(o) == last(k)))
                    {
                        done = true;
                        context
                            .finding(rule(), method.file, node.span, format!("`{guard_name}` looks at {}, and what is loaded is {}: the caller names a record that was never checked", spell(&of[0]), spell(other)))
                            .confidence(Confidence::High)
                            .reason("the check and the load read different parameters")
                            .remedy("Load the record once, and check the very record that is used.")
                            .step(method.file, guard.span, format!("looks at {}", spell(&of[0])))
                            .step(method.file, argument.span, format!("can be {}", spell(other)))
                            .endpoints(actions.iter().flat_map(|a| a.endpoints.iter().cloned()).collect())
                            .report();
                    }
                }
            }
            _ => {}
        }
        true
    });
}

/// A filter that lets the user through whose number one of several parameters holds, in front of an
/// action that loads by another of them: `params[:id] || params[:user_id]`.
fn crossed<'a>(context: &Context<'_, 'a>, practice: &Practice<'_, 'a>, actions: &[Action<'_, 'a>]) {
    let app = context.app;
    let mut guards: HashMap<(Name, MethodId), Option<Asked>> = HashMap::new();
    let mut seen: std::collections::HashSet<(FileId, Span)> = std::collections::HashSet::new();
    for action in actions {
        let class = action.controller.class;
        for filter in practice.filter_methods(action.controller, action.name) {
            let guard = guards.entry((class, filter)).or_insert_with(|| either_of(practice, class, filter));
            let Some((keys_asked, guard_file, guard_span)) = guard else { continue };
            let method = app.index.method(action.method);
            walk::each(method.body, &mut |node| {
                if let Kind::Call(call) = &node.kind
                    && matches!(call.name.as_str(), "find" | "find_by_id" | "find_by_id!")
                    && call.recv.is_some()
                    && let [argument] = call.args.as_slice()
                    && let [loaded] = keys(argument, &HashMap::new()).as_slice()
                    && keys_asked[0] != *loaded
                    && keys_asked.contains(loaded)
                    && seen.insert((method.file, node.span))
                {
                    context
                        .finding(rule(), method.file, node.span, format!("the check in front looks at {} first, and what is loaded is {}: who sends both passes with their own number", spell(&keys_asked[0]), spell(loaded)))
                        .confidence(Confidence::High)
                        .reason("the check and the load read different parameters")
                        .remedy("Load the record once, and check the very record that is used.")
                        .step(*guard_file, *guard_span, format!("looks at {}", spell(&keys_asked[0])))
                        .endpoints(action.endpoints.clone())
                        .report();
                }
                true
            });
        }
    }
}

/// The parameters that a check looks at, and its place.
type Asked = (Vec<String>, FileId, Span);

/// The parameters, two or more, of which a method compares whichever is there with the user.
fn either_of(practice: &Practice<'_, '_>, class: Name, id: MethodId) -> Option<Asked> {
    let app = practice.app;
    let method = app.index.method(id);
    if !practice.facts(id).user {
        return None;
    }
    let own = |node: &Node| -> Vec<String> {
        let Kind::Call(call) = &node.kind else { return keys(node, &HashMap::new()) };
        if call.recv.is_none()
            && call.args.is_empty()
            && let Some(id) = practice.find(class, call.name)
        {
            let body = app.index.method(id).body;
            let last = match &body.kind {
                Kind::Seq(nodes) => nodes.last().unwrap_or(body),
                _ => body,
            };
            return keys(last, &HashMap::new());
        }
        keys(node, &HashMap::new())
    };
    let mut values: HashMap<Name, Vec<String>> = HashMap::new();
    let mut found = None;
    walk::each(method.body, &mut |node| {
        match &node.kind {
            Kind::Assign(assign) => {
                if let Kind::Local(name) = &assign.target.kind {
                    values.insert(*name, own(&assign.value));
                }
            }
            Kind::Call(call) if found.is_none() && matches!(call.name.as_str(), "==" | "!=") => {
                if let (Some(left), [right]) = (&call.recv, call.args.as_slice()) {
                    for (user, value) in [(left, right), (right, left)] {
                        let asked = match &value.kind {
                            Kind::Local(name) => values.get(name).cloned().unwrap_or_default(),
                            _ => own(value),
                        };
                        if mentions_user(user) && asked.len() >= 2 {
                            found = Some((asked, method.file, node.span));
                        }
                    }
                }
            }
            _ => {}
        }
        true
    });
    found
}
