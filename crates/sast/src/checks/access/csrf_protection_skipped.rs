//! Controllers that take the protection against forged requests away where cookies vouch.

use wardroom_model::{Confidence, FilterRole};
use wardroom_rails::{Controller, FilterDeclaration, literal_name};
use wardroom_ruby::ir::Name;

use super::practice::{Action, Practice, before, keyword};
use crate::context::Context;

wardroom_model::rule! {
    /// A controller takes the check of the authenticity token away (`skip_before_action
    /// :verify_authenticity_token`, `skip_forgery_protection`, `protect_from_forgery` with `except:`)
    /// for actions whose callers are known by their session.
    ///
    /// ## Why it is bad
    ///
    /// A page of another site can make a signed-in user's browser send the request; the browser adds
    /// the cookie, and the application does what the other site wants.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// class AccountsController < ApplicationController
    ///   skip_before_action :verify_authenticity_token
    ///   before_action :authenticate_user!
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// Leave the check on. Callers without a browser bring a token of their own: give them a
    /// controller that knows no session.
    ///
    /// ## References
    ///
    /// - CWE-352: Cross-Site Request Forgery
    rule: "csrf-protection-skipped", "Protection against forged requests taken away", Access, 352, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:H/A:N"
}

/// Looks at every declaration that takes it away.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    let practice = context.practice();
    let mut seen = std::collections::HashSet::new();
    for controller in practice.controllers() {
        for filter in &controller.filters {
            let Some(left_out) = leaves_out(filter) else { continue };
            // Judged where it is declared; a concern's in the first controller that takes it in.
            if !seen.insert((filter.file, filter.span)) {
                continue;
            }
            let holders: Vec<&Controller<'_>> = practice
                .controllers()
                .into_iter()
                .filter(|c| c.filters.iter().any(|f| f.file == filter.file && f.span == filter.span))
                .collect();
            let affected: Vec<Action<'_, '_>> = holders
                .iter()
                .flat_map(|c| practice.actions(c))
                .filter(|a| left_out.covers(a.name, filter) && !protected_elsewhere(&left_out, a, filter))
                .collect();
            let changing: Vec<&Action<'_, '_>> =
                affected.iter().filter(|a| a.by_change() || app.endpoints.is_empty()).collect();
            let by_session: Vec<&&Action<'_, '_>> =
                changing.iter().filter(|a| knows_by_session(practice, a)).collect();
            let by_token = |a: &Action<'_, '_>| {
                shows_token(practice, a.controller.class, a.method)
                    || before(a.controller, a.name).iter().any(|f| {
                        f.name.is_some_and(|n| by_token_name(&n))
                            || f.name
                                .and_then(|n| practice.find(a.controller.class, n))
                                .is_some_and(|m| shows_token(practice, a.controller.class, m))
                    })
            };
            let api = for_machines(controller);
            // The worst of them speaks for the declaration.
            let worst = by_session
                .iter()
                .filter(|a| !by_token(a))
                .min_by_key(|a| matches!(left_out, LeftOut::Only) && for_machines(a.controller));
            let judged = if let Some(action) = worst {
                let api =
                    if matches!(left_out, LeftOut::Only) { for_machines(action.controller) } else { api };
                let writes = practice.shows(action.controller.class, action.method, |f| !f.writes.is_empty());
                let stands_behind = filtered_by_session(practice, action, true);
                let called_back = [
                    "callback", "auth", "webhook", "notify", "ipn", "saml", "acs", "sso", "hook", "success",
                    "inbound",
                ]
                .iter()
                .any(|w| action.name.contains(w));
                // Who skips the sign-in as well knows the caller otherwise, or not at all.
                let let_in = action.controller.filters.iter().any(|f| {
                    f.skip
                        && !f.conditional
                        && f.applies(action.name)
                        && matches!(f.role, FilterRole::Authentication | FilterRole::Authorization)
                        || f.skip
                            && f.applies(action.name)
                            && f.name.is_some_and(|n| {
                                !n.contains("authenticity") && practice.asks_who(n) || n.contains("signed_in")
                            })
                });
                let confidence =
                    match (api || filter.conditional || called_back || let_in, stands_behind, writes) {
                        (true, ..) => Confidence::Low,
                        (false, true, true) => Confidence::High,
                        (false, true, false) | (false, false, true) => Confidence::Medium,
                        (false, false, false) => Confidence::Low,
                    };
                Some((confidence, format!("`{}` knows its caller by the session", action.name)))
            } else if by_session.is_empty()
                && changing.is_empty()
                && affected.iter().any(|a| knows_by_session(practice, a))
                && !api
                && !filter.conditional
                && filter.only.is_none()
                && matches!(left_out, LeftOut::Skip)
            {
                Some((
                    Confidence::Medium,
                    "its actions know their callers by the session; whatever is added to it stands open"
                        .to_owned(),
                ))
            } else {
                (!by_session.is_empty() || !changing.is_empty()).then(|| {
                    (
                        Confidence::Low,
                        "the callers seem to be known by something else than the session".to_owned(),
                    )
                })
            };
            let Some((confidence, reason)) = judged else { continue };
            let message = match &left_out {
                LeftOut::Skip => "the check of the authenticity token is taken away".to_owned(),
                LeftOut::Except => "`protect_from_forgery` leaves actions out".to_owned(),
                LeftOut::Only => {
                    "`protect_from_forgery` names few actions: the others take forged requests".to_owned()
                }
                LeftOut::NullSession => {
                    "a request without the authenticity token is not refused, only its session is emptied"
                        .to_owned()
                }
            };
            let confidence =
                if matches!(left_out, LeftOut::NullSession) { Confidence::Low } else { confidence };
            context
                .finding(rule(), filter.file, filter.span, format!("{message} in `{}`", controller.class))
                .confidence(confidence)
                .reason(reason)
                .remedy("Leave the check on for what browsers send; let callers without a browser use a controller that takes a token and no session.")
                .endpoints(changing.iter().flat_map(|a| a.endpoints.iter().cloned()).take(50).collect())
                .report();
        }
    }
}

enum LeftOut {
    Skip,
    Except,
    Only,
    NullSession,
}

impl LeftOut {
    fn covers(&self, action: Name, filter: &FilterDeclaration<'_>) -> bool {
        match self {
            LeftOut::Skip | LeftOut::NullSession => filter.applies(action),
            LeftOut::Except | LeftOut::Only => !filter.applies(action),
        }
    }
}

/// Controllers whose callers are programs, by their path.
fn for_machines(controller: &Controller<'_>) -> bool {
    controller.path.split('/').any(|p| {
        p == "api"
            || p.starts_with("api_")
            || p.contains("webhook")
            || p.contains("hooks")
            || p.contains("callback")
            || p.contains("omniauth")
            || p.contains("saml")
    })
}

/// Whether another declaration covers an action that a list of names does not hold.
fn protected_elsewhere(left_out: &LeftOut, action: &Action<'_, '_>, filter: &FilterDeclaration<'_>) -> bool {
    matches!(left_out, LeftOut::Only)
        && action.controller.filters.iter().any(|f| {
            !f.skip
                && (f.file, f.span) != (filter.file, filter.span)
                && f.call.name == "protect_from_forgery"
                && f.applies(action.name)
        })
}

fn leaves_out(filter: &FilterDeclaration<'_>) -> Option<LeftOut> {
    let name = filter.name?;
    if !matches!(name.as_str(), "verify_authenticity_token" | "forgery_protection") {
        return None;
    }
    if filter.skip {
        return Some(LeftOut::Skip);
    }
    if filter.call.name != "protect_from_forgery" {
        return None;
    }
    if !filter.except.is_empty() {
        return Some(LeftOut::Except);
    }
    if filter.only.as_ref().is_some_and(|only| !only.is_empty()) {
        return Some(LeftOut::Only);
    }
    let with = keyword(filter.call, "with").and_then(literal_name)?;
    (with == "null_session").then_some(LeftOut::NullSession)
}

/// Whether the filters in front of an action, or the action, know the caller by the session.
fn knows_by_session(practice: &Practice<'_, '_>, action: &Action<'_, '_>) -> bool {
    let class = action.controller.class;
    filtered_by_session(practice, action, false)
        || practice.shows(class, action.method, |f| by_session(practice, class, f))
        // `current_order` finds the visitor's basket by a cookie: the browser vouches for it all the same.
        || practice.reach(class, action.method).iter().any(|id| {
            let method = practice.app.index.method(*id);
            method.name.starts_with("current_")
                && (practice.facts(*id).session || practice.shows(class, *id, |f| f.session))
        })
}

/// Whether a method reads the session, or asks a library (Devise) that does.
fn by_session(practice: &Practice<'_, '_>, class: Name, facts: &super::practice::Facts<'_>) -> bool {
    facts.user
        && (facts.session
            || facts.own.iter().any(|n| {
                n.starts_with("current_")
                    && practice.find(class, *n).is_none()
                    && ["devise", "clearance", "sorcery"].iter().any(|g| practice.app.gems.has(g))
            }))
}

/// `by_role`: only filters that are known to ask who is calling, not those whose names say so.
fn filtered_by_session(practice: &Practice<'_, '_>, action: &Action<'_, '_>, by_role: bool) -> bool {
    let class = action.controller.class;
    before(action.controller, action.name).into_iter().any(|f| {
        let Some(name) = f.name else {
            return f.block.is_some_and(|b| super::practice::mentions_user(&b.body));
        };
        if by_token_name(&name)
            || matches!(f.call.name.as_str(), "http_basic_authenticate_with" | "doorkeeper_for")
        {
            return false;
        }
        match practice.find(class, name) {
            Some(method) => {
                (f.role != FilterRole::Other || !by_role && practice.asks_who(name))
                    && practice.shows(class, method, |f| f.session || by_session(practice, class, f))
            }
            None => {
                name.starts_with("authenticate_") && name.ends_with('!')
                    || matches!(
                        name.as_str(),
                        "require_login" | "login_required" | "require_authentication" | "authenticate"
                    )
            }
        }
    })
}

/// Whether a method asks for a token that no browser brings by itself: one out of a cookie, or handed
/// on by a method that reads it there, is a session by another name.
fn shows_token(practice: &Practice<'_, '_>, class: Name, start: wardroom_rails::MethodId) -> bool {
    practice.reach(class, start).iter().any(|id| {
        let facts = practice.facts(*id);
        facts.token
            && !facts.session
            && !facts.own.iter().any(|n| {
                (n.contains("cookie") || n.contains("token"))
                    && practice.find(class, *n).is_some_and(|m| practice.shows(class, m, |f| f.session))
            })
    })
}

/// Whether a filter's name says that a key or a signature lets callers in.
pub(super) fn by_token_name(name: &str) -> bool {
    [
        "token",
        "api",
        "key",
        "signature",
        "hmac",
        "webhook",
        "doorkeeper",
        "basic",
        "oauth",
        "jwt",
        "secret",
        "verify_request",
        "hook",
        "twilio",
        "stripe",
        "slack",
    ]
    .iter()
    .any(|w| name.contains(w))
        && !name.contains("authenticity")
        && !["store_", "set_", "remember_", "refresh_"].iter().any(|p| name.starts_with(p))
}
