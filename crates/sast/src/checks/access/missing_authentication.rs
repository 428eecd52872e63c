//! Actions that change something without asking who calls, beside siblings that ask.

use std::collections::HashMap;

use wardroom_model::{Confidence, FilterRole};
use wardroom_ruby::ir::Name;

use super::missing_authorization::public_by_nature;
use super::practice::{Action, Practice, before};
use crate::context::Context;

wardroom_model::rule! {
    /// An action changes records without a filter that asks who is calling, though the other actions
    /// of the controller, or the other controllers of its namespace, stand behind such a filter.
    ///
    /// ## Why it is bad
    ///
    /// Anyone on the network can call the action. An `except:` that is too wide, or a controller that
    /// descends from the wrong base, is enough.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// class PhotosController < ApplicationController
    ///   before_action :authenticate_user!, except: [:index, :show, :destroy]
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// Ask everywhere and name the few actions that are open:
    ///
    /// ```ruby
    /// class PhotosController < ApplicationController
    ///   before_action :authenticate_user!, except: [:index, :show]
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-306: Missing Authentication for Critical Function
    rule: "missing-authentication", "Changing action without the authentication that its siblings have", Access, 306, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:H/A:N"
}

/// Measures every action against its siblings.
pub fn run(context: &Context<'_, '_>) {
    let practice = context.practice();
    // How many actions of each namespace stand behind a filter.
    let mut spaces: HashMap<&str, (usize, usize)> = HashMap::new();
    let mut open: Vec<(Action<'_, '_>, usize, usize, Option<Name>)> = Vec::new();
    for controller in practice.controllers() {
        let actions = practice.actions(controller);
        let asked: Vec<bool> = actions.iter().map(|a| stopped(practice, a)).collect();
        let space = spaces.entry(namespace(&controller.path)).or_default();
        space.0 += asked.iter().filter(|a| **a).count();
        space.1 += actions.len();
        let (with, all) = (asked.iter().filter(|a| **a).count(), actions.len());
        // Visitors may look, and one changing action is asked: the other is left out by mistake.
        let guarded: Vec<Name> = actions
            .iter()
            .zip(&asked)
            .filter(|(a, asked)| **asked && a.by_change() && !a.by_get())
            .map(|(a, _)| a.name)
            .collect();
        let changing = actions.iter().filter(|a| a.by_change() && !a.by_get()).count();
        let beside = guarded.first().copied().filter(|_| guarded.len() * 2 >= changing);
        for (action, asked) in actions.into_iter().zip(asked) {
            if !asked && !public_by_nature(&controller.path) {
                open.push((action, with, all, beside));
            }
        }
    }
    for (action, with, all, beside) in open {
        let class = action.controller.class;
        let method = context.app.index.method(action.method);
        if method.owner != class || guarded_by_route(context, &action) || open_by_nature(&action.name) {
            continue;
        }
        let (asked, total) = spaces.get(namespace(&action.controller.path)).copied().unwrap_or_default();
        // The namespace counts only where nearly all of it asks.
        let siblings = with >= 2 && with * 2 >= all;
        let space =
            !siblings && action.controller.path.contains('/') && asked >= 8 && asked * 10 >= total * 9;
        let destroys = matches!(action.name.as_str(), "destroy" | "update" | "delete" | "remove" | "edit");
        let skipped = action.controller.filters.iter().rev().find(|f| {
            matches!(f.role, FilterRole::Authentication | FilterRole::Authorization)
                && (f.skip && f.applies(action.name) || !f.skip && !f.applies(action.name))
        });
        let beside = beside.filter(|_| !siblings && destroys && !action.by_get() && skipped.is_some());
        if !siblings && !space && beside.is_none() {
            continue;
        }
        let methods = practice.reach(class, action.method);
        let facts: Vec<_> = methods.iter().map(|id| practice.facts(*id)).collect();
        if facts.iter().any(|f| f.user || f.token || f.resets || !f.decisions.is_empty()) {
            continue;
        }
        let Some(write) = facts.iter().find_map(|f| f.writes.first().copied()) else { continue };
        // Visitors create orders, messages, sign-ups: that alone is no sign.
        let confidence = if destroys { Confidence::Medium } else { Confidence::Low };
        let owner = methods
            .iter()
            .copied()
            .find(|id| practice.facts(*id).writes.iter().any(|w| std::ptr::eq(*w, write)));
        let builder = context
            .finding(
                rule(),
                method.file,
                method.name_span,
                if let Some(beside) = beside {
                    format!("`{}` changes records and asks nobody who they are, unlike `{beside}` beside it", action.name)
                } else if siblings {
                    format!("`{}` changes records and asks nobody who they are, unlike {with} of the controller's {all} actions", action.name)
                } else {
                    format!("`{}` changes records and asks nobody who they are, unlike {asked} of the {total} actions in `{}`", action.name, namespace(&action.controller.path))
                },
            )
            .confidence(confidence)
            .reason("the actions beside it ask who is calling; this one may be open on purpose")
            .remedy("Let the filter that the siblings have run for this action as well.")
            .endpoints(action.endpoints.clone());
        let builder = match skipped {
            Some(filter) => {
                builder.step(filter.file, filter.span, format!("this leaves `{}` out", action.name))
            }
            None => builder,
        };
        match owner {
            Some(id) => {
                builder.step(context.app.index.method(id).file, write.span, "changes a record").report()
            }
            None => builder.report(),
        }
    }
}

/// Whether a filter in front of an action keeps strangers out: asks who is calling, and can refuse.
fn stopped<'a>(practice: &Practice<'_, 'a>, action: &Action<'_, 'a>) -> bool {
    let class = action.controller.class;
    before(action.controller, action.name).into_iter().any(|f| practice.stops(class, f))
}

fn namespace(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(space, _)| space)
}

fn open_by_nature(action: &Name) -> bool {
    [
        "login",
        "log_in",
        "logout",
        "sign",
        "callback",
        "webhook",
        "auth",
        "forgot",
        "reset",
        "unsubscribe",
        "confirm",
        "register",
        "activate",
        "track",
        "ping",
        "status",
        "verify",
        "accept",
        "subscribe",
        "search",
        "export",
        "checkout",
        "cart",
    ]
    .iter()
    .any(|w| action.contains(w))
}

/// Whether the route itself lets only some through (`authenticate :user do`, a constraint).
pub(super) fn guarded_by_route(context: &Context<'_, '_>, action: &Action<'_, '_>) -> bool {
    let handler = format!("{}#{}", action.controller.path, action.name);
    context.app.routes.routes.iter().any(|r| {
        (r.authenticated || !r.guards.is_empty() || r.development) && r.target.to_string() == handler
    })
}
