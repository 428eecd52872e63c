//! Actions that touch a record without asking whether the caller may, beside siblings that ask.

use std::collections::{BTreeMap, BTreeSet};

use wardroom_flow::FlowStep;
use wardroom_model::Confidence;
use wardroom_rails::{Controller, FileId, Timing, literal_name};
use wardroom_ruby::ir::{Kind, Name, Node, Span};
use wardroom_ruby::walk;

use super::missing_authentication::guarded_by_route;
use super::practice::{Action, Practice, before, mentions_user, reads_params};
use crate::context::Context;

wardroom_model::rule! {
    /// An action loads or changes a record without a call that decides whether the caller may
    /// (`authorize`, `can?`, a filter of the application's own), though the other actions of the same
    /// controller make such a call.
    ///
    /// ## Why it is bad
    ///
    /// Who is signed in can reach the action with the number of any record and read or change what
    /// belongs to others. A check that is written once for each action is easily forgotten in one.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// def update
    ///   authorize @donation
    ///   @donation.update!(donation_params)
    /// end
    ///
    /// def refund
    ///   @donation.refund!
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// def refund
    ///   authorize @donation
    ///   @donation.refund!
    /// end
    /// ```
    ///
    /// and let the framework notice what was forgotten: `after_action :verify_authorized` (Pundit),
    /// `check_authorization` (CanCanCan).
    ///
    /// ## References
    ///
    /// - CWE-862: Missing Authorization
    /// - OWASP Top Ten 2021, A01 Broken Access Control
    rule: "missing-authorization", "Action without the authorization that its siblings have", Access, 862, High,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N"
}

/// Measures every action against its siblings.
pub fn run(context: &Context<'_, '_>) {
    let practice = context.practice();
    spaces(context, practice);
    for controller in practice.controllers() {
        let actions = practice.actions(controller);
        if actions.is_empty()
            || super::practice::open_on_purpose(context.app, controller.class)
            || public_by_nature(&controller.path)
        {
            continue;
        }
        let state: Vec<(bool, Option<Touch>)> =
            actions.iter().map(|a| (practice.authorized(a), touch(practice, a))).collect();
        let touching = state.iter().filter(|(_, t)| t.is_some()).count();
        let decided = state.iter().filter(|(authorized, t)| *authorized && t.is_some()).count();
        alone(context, practice, controller, &actions, &state);
        for (action, (authorized, touched)) in actions.iter().zip(&state) {
            let Some(touched) = touched else { continue };
            let method = context.app.index.method(action.method);
            // Pundit notices what was forgotten only after the action has run.
            let noticed = controller.filters_for(action.name).iter().any(|f| {
                f.timing == Timing::After && f.name.is_some_and(|n| n.starts_with("verify_authorized"))
            });
            if *authorized && !noticed || method.owner != controller.class {
                continue;
            }
            let own = practice.shows(controller.class, action.method, |f| f.user);
            let pundit = |f: &super::practice::Facts<'_>| {
                f.own.iter().any(|n| {
                    matches!(
                        n.as_str(),
                        "authorize"
                            | "authorize!"
                            | "skip_authorization"
                            | "policy_scope"
                            | "skip_policy_scope"
                            | "verify_policy_scoped"
                    )
                })
            };
            if noticed
                && (before(controller, action.name)
                    .iter()
                    .any(|f| f.name.is_some_and(|n| n.starts_with("authorize")))
                    || practice.shows(controller.class, action.method, pundit)
                    || practice
                        .filter_methods(controller, action.name)
                        .into_iter()
                        .any(|m| practice.shows(controller.class, m, pundit)))
            {
                continue;
            }
            let siblings = decided >= 2 && decided * 3 >= touching * 2 || noticed && decided >= 1;
            if !siblings || own && !noticed || action.name.starts_with("index") || signs_in(&action.name) {
                continue;
            }
            let identified = practice.authenticated(action);
            let conventional = matches!(action.name.as_str(), "show" | "new" | "edit");
            // A filter that decides names it among those it leaves out: somebody thought of it.
            let left_out = !touched.changes
                && controller.filters.iter().any(|f| {
                    !f.skip && f.except.contains(&action.name) && practice.decides(controller.class, f)
                });
            let confidence = if (touched.changes || !conventional) && identified && !left_out || noticed {
                Confidence::Medium
            } else {
                Confidence::Low
            };
            let note = format!("`{}` is loaded by a name that the caller chooses", touched.what);
            let builder = context
                .finding(
                    rule(),
                    touched.file,
                    touched.span,
                    format!("`{}` {} `{}` without asking whether the caller may, unlike {decided} of the controller's {touching} actions that touch a record", action.name, if touched.changes { "changes" } else { "uses" }, touched.what),
                )
                .confidence(confidence)
                .reason(if noticed {
                    "`verify_authorized` complains only after the action has run"
                } else {
                    "the actions beside it decide who may; this one may be open on purpose"
                })
                .remedy("Call what the siblings call (`authorize`, `can?`, the controller's own filter) before the record is used.")
                .endpoints(action.endpoints.clone());
            let builder = match &touched.loaded {
                Some(step) => builder.step(step.file, step.span, note),
                None => builder,
            };
            builder.report();
        }
    }
}

/// The one action without the decision that every other action makes in its own body, where it loads
/// nothing by a name: it lists, sends or starts something.
fn alone<'a>(
    context: &Context<'_, 'a>,
    practice: &Practice<'_, 'a>,
    controller: &Controller<'a>,
    actions: &[Action<'_, 'a>],
    state: &[(bool, Option<Touch>)],
) {
    let own: Vec<bool> = actions
        .iter()
        .map(|a| practice.facts(a.method).decisions.iter().any(|c| requires(practice, c.name)))
        .collect();
    let deciding = own.iter().filter(|o| **o).count();
    if deciding < 3 || deciding * 4 < actions.len() * 3 {
        return;
    }
    for ((action, (authorized, touched)), own) in actions.iter().zip(state).zip(&own) {
        let method = context.app.index.method(action.method);
        if *own
            || *authorized
            || touched.is_some()
            || method.owner != controller.class
            || signs_in(&action.name)
        {
            continue;
        }
        let facts = practice.facts(action.method);
        // A page that only shows the user's own, or nothing at all.
        if facts.user || !practice.authenticated(action) {
            continue;
        }
        let takes = reads_params(method.body);
        let writes = practice.shows(controller.class, action.method, |f| !f.writes.is_empty());
        if !takes && !writes {
            continue;
        }
        context
            .finding(
                rule(),
                method.file,
                method.name_span,
                format!("`{}` asks nobody whether the caller may, unlike {deciding} of the controller's {} actions", action.name, actions.len()),
            )
            .confidence(if writes && action.by_change() { Confidence::Medium } else { Confidence::Low })
            .reason("the actions beside it decide who may; this one may be open on purpose")
            .remedy("Call what the siblings call (`authorize!`, `can?`) at its head.")
            .endpoints(action.endpoints.clone())
            .report();
    }
}

/// Calls that refuse by themselves: `authorize!`.
fn requires(practice: &Practice<'_, '_>, name: Name) -> bool {
    name.starts_with("authorize") || name.starts_with("authorise") || practice.guards(name)
}

/// Finds the controller that lacks the filter which the others of its namespace have.
fn spaces<'a>(context: &Context<'_, 'a>, practice: &Practice<'_, 'a>) {
    let app = context.app;
    let mut spaces: BTreeMap<&str, Vec<(&Controller<'a>, Vec<Action<'_, 'a>>)>> = BTreeMap::new();
    for controller in practice.controllers() {
        let Some((space, _)) = controller.path.rsplit_once('/') else { continue };
        let actions = practice.actions(controller);
        if !actions.is_empty() {
            spaces.entry(space).or_default().push((controller, actions));
        }
    }
    for (space, members) in spaces {
        // Two like habits are enough of a sign only where the name says who may enter.
        let named = ["admin", "staff", "backend", "backoffice", "superuser", "manage", "moderat"]
            .iter()
            .any(|w| space.contains(w));
        let enough = if named { 2 } else { 5 };
        // In how many controllers a filter that decides stands in front of every action.
        let mut habits: BTreeMap<&str, usize> = BTreeMap::new();
        for (controller, actions) in &members {
            let mut common: Option<BTreeSet<&str>> = None;
            for action in actions {
                let deciding: BTreeSet<&str> = before(controller, action.name)
                    .into_iter()
                    .filter(|f| practice.decides(controller.class, f))
                    .filter_map(|f| Some(f.name?.as_str()))
                    .collect();
                common = Some(common.map_or_else(|| deciding.clone(), |c| &c & &deciding));
            }
            for name in common.unwrap_or_default() {
                *habits.entry(name).or_default() += 1;
            }
        }
        let Some((habit, have)) = habits.into_iter().max_by_key(|(_, count)| *count) else { continue };
        if have < enough || have * 4 < (members.len() - 1) * 3 {
            continue;
        }
        for (controller, actions) in &members {
            let open = actions.iter().all(|a| {
                !practice.authorized(a)
                    && !guarded_by_route(context, a)
                    && !before(controller, a.name).iter().any(|f| f.name.is_some_and(|n| n.contains("admin")))
                    && !practice.shows(controller.class, a.method, |f| f.user || f.token || f.resets)
            });
            let Some(changing) = actions.iter().find(|a| {
                a.by_change() && practice.shows(controller.class, a.method, |f| !f.writes.is_empty())
            }) else {
                continue;
            };
            let Some((file, _, span)) =
                app.index.class(controller.class).and_then(|c| c.places.first().copied())
            else {
                continue;
            };
            if !open
                || public_by_nature(&controller.path)
                || super::practice::open_on_purpose(app, controller.class)
            {
                continue;
            }
            context
                .finding(
                    rule(),
                    file,
                    span,
                    format!(
                        "`{}` has no `{habit}`, unlike {have} of the {} other controllers in `{space}`",
                        controller.class,
                        members.len() - 1
                    ),
                )
                .confidence(Confidence::Medium)
                .reason("the controllers beside it decide who may; this one may be open on purpose")
                .remedy(format!(
                    "Put `before_action :{habit}` in front, best in a base class of the whole namespace."
                ))
                .step(
                    app.index.method(changing.method).file,
                    app.index.method(changing.method).name_span,
                    format!("`{}` changes records", changing.name),
                )
                .endpoints(actions.iter().flat_map(|a| a.endpoints.iter().cloned()).collect::<Vec<_>>())
                .report();
        }
    }
}

/// Controllers that answer strangers: sign-in, hooks, health.
pub(super) fn public_by_nature(path: &str) -> bool {
    [
        "session",
        "registration",
        "password",
        "confirmation",
        "unlock",
        "webhook",
        "hooks",
        "callback",
        "health",
        "status",
        "login",
        "signup",
        "sign_up",
        "oauth",
        "omniauth",
        "saml",
        "static",
        "pages",
        "errors",
        "home",
        "welcome",
        "unsubscribe",
        "public",
        "sitemap",
        "robots",
        "feeds",
        "invitation",
        "token",
        "about",
    ]
    .iter()
    .any(|w| path.rsplit('/').next().unwrap_or(path).contains(w))
}

fn signs_in(action: &str) -> bool {
    [
        "login",
        "log_in",
        "logout",
        "sign_",
        "callback",
        "webhook",
        "auth",
        "forgot",
        "reset_password",
        "unsubscribe",
        "confirm",
        "register",
        "activate",
        "autocomplete",
        "auto_complete",
        "search",
        "preview",
        "help",
    ]
    .iter()
    .any(|w| action.contains(w))
}

/// Where an action first touches a record that the request names.
struct Touch {
    what: String,
    changes: bool,
    file: FileId,
    span: Span,
    loaded: Option<FlowStep>,
}

/// The record that an action loads by a parameter, itself or through a filter of its own controller.
fn touch<'a>(practice: &Practice<'_, 'a>, action: &Action<'_, 'a>) -> Option<Touch> {
    let app = practice.app;
    let method = app.index.method(action.method);
    let changes = practice
        .reach(action.controller.class, action.method)
        .iter()
        .take(12)
        .any(|id| !practice.facts(*id).writes.is_empty())
        || action.by_change() && !action.by_get();
    if let Some((variable, call)) = load(method.body) {
        let what = variable.unwrap_or_else(|| app.file(method.file).source(call.span).into_owned());
        return Some(Touch { what, changes, file: method.file, span: call.span, loaded: None });
    }
    for id in practice.filter_methods(action.controller, action.name) {
        let filter = app.index.method(id);
        // A base class' filter (the tenant, the locale) is no record of this controller.
        if filter.owner != action.controller.class {
            continue;
        }
        let Some((Some(variable), call)) = load(filter.body) else { continue };
        let Some(used) = first_use(method.body, &variable) else { continue };
        let loaded = Some(FlowStep { file: filter.file, span: call.span, note: String::new() });
        return Some(Touch { what: variable, changes, file: method.file, span: used, loaded });
    }
    None
}

/// `@x = Model.find(params[:id])`: the variable and the call.
fn load(body: &Node) -> Option<(Option<String>, &Node)> {
    let mut found = None;
    walk::each(body, &mut |node| {
        if found.is_some() {
            return false;
        }
        if let Kind::Assign(assign) = &node.kind
            && let Kind::Ivar(name) | Kind::Local(name) = &assign.target.kind
            && finds(&assign.value)
        {
            found = Some((Some(name.to_string()), node));
            return false;
        }
        if finds(node) {
            found = Some((None, node));
        }
        found.is_none()
    });
    found
}

/// `Model.find(params[:id])`, `Model.find_by_slug!(params[:slug])`, `Model.friendly.find(…)`.
fn finds(node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    let name = call.name.as_str();
    let by_name =
        matches!(name, "find" | "find_by" | "find_by!" | "friendly_find") || name.starts_with("find_by_");
    if !by_name || !call.args.iter().any(reads_params) || mentions_user(node) || name.contains("token") {
        return false;
    }
    // A token is its own permission.
    if let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last()
        && pairs.iter().any(|p| {
            literal_name(&p.key)
                .is_some_and(|k| ["token", "uuid", "secret", "guid", "key"].iter().any(|w| k.contains(w)))
        })
    {
        return false;
    }
    let mut recv = call.recv.as_ref();
    while let Some(node) = recv {
        match &node.kind {
            Kind::Const(_) => return true,
            Kind::Call(inner)
                if matches!(
                    inner.name.as_str(),
                    "friendly" | "unscoped" | "includes" | "with_deleted" | "preload" | "eager_load" | "all"
                ) =>
            {
                recv = inner.recv.as_ref();
            }
            _ => return false,
        }
    }
    false
}

/// The first call on a variable.
fn first_use(body: &Node, variable: &str) -> Option<Span> {
    let mut found = None;
    walk::each(body, &mut |node| {
        if found.is_none()
            && let Kind::Call(call) = &node.kind
            && let Some(recv) = &call.recv
            && matches!(&recv.kind, Kind::Ivar(n) | Kind::Local(n) if n.as_str() == variable)
        {
            found = Some(node.span);
        }
        found.is_none()
    });
    found
}
