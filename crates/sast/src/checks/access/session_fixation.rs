//! Sign-ins that keep the session they found.

use std::collections::HashSet;

use wardroom_model::Confidence;
use wardroom_rails::{Habitat, MethodId, literal_name};
use wardroom_ruby::ir::{Call, Kind, Node};
use wardroom_ruby::walk;

use super::practice::RENEWALS;
use crate::context::Context;

wardroom_model::rule! {
    /// A sign-in writes the user into the session without starting a new one (`reset_session`).
    ///
    /// ## Why it is bad
    ///
    /// Who managed to plant a session into the victim's browser before the sign-in knows its number,
    /// or the authenticity token in it, and shares the signed-in session afterwards.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// session[:user_id] = user.id
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// reset_session
    /// session[:user_id] = user.id
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-384: Session Fixation
    /// - Rails guide "Securing Rails Applications", section on session fixation
    rule: "session-fixation", "Sign-in without a new session", Access, 384, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:N"
}

/// Looks at every method of controllers and helpers that writes the user into the session.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    let practice = context.practice();
    let in_cookie = app.config.session().is_none_or(|s| s.in_cookie());
    // Methods that start a new session, and the names that they call beside.
    let mut around: HashSet<wardroom_ruby::ir::Name> = HashSet::new();
    let relevant = |id: MethodId| {
        let method = app.index.method(id);
        matches!(
            app.habitat(method.owner, method.file),
            Habitat::Controller | Habitat::Helper | Habitat::Other
        )
    };
    context.calls_named(RENEWALS, |file, node, _| {
        if let Some(id) = context.method_at(file, node.span).filter(|id| relevant(*id)) {
            let facts = practice.facts(id);
            if facts.resets {
                around.extend(facts.own.iter().copied());
            }
        }
    });
    let mut ids = Vec::new();
    context.calls_named(&["session", "cookies"], |file, node, _| {
        ids.extend(context.method_at(file, node.span).filter(|id| relevant(*id)));
    });
    ids.sort();
    ids.dedup();
    for id in ids {
        let method = app.index.method(id);
        if app.file(method.file).is_template() {
            continue;
        }
        let facts = practice.facts(id);
        if !facts.session || facts.resets || around.contains(&method.name) {
            continue;
        }
        if practice.shows(method.owner, id, |f| f.resets) {
            continue;
        }
        let mut clears = false;
        // A number made for this sign-in alone: what was planted is worth nothing by itself.
        let fresh = super::practice::any(method.body, &mut |n| {
            super::practice::constant(n).is_some_and(|c| c == "SecureRandom" || c.ends_with("Session"))
                || matches!(&n.kind, Kind::Call(c) if c.name.ends_with("sessions"))
        });
        let mut found: Option<(&Node, &Call)> = None;
        walk::each(method.body, &mut |node| {
            if let Kind::Call(call) = &node.kind {
                clears |= call.name == "clear" && call.recv.as_ref().is_some_and(is_session);
                if found.is_none() && (signs_in(call) || sign_in_named(&method.name) && by_cookie(call)) {
                    found = Some((node, call));
                }
            }
            true
        });
        let Some((node, call)) = found.filter(|_| !clears) else { continue };
        let key = call.args.first().and_then(literal_name).unwrap_or_default();
        // Taking on another's account from within a session is no sign-in of a stranger.
        let within =
            ["impersonat", "become", "switch", "sudo", "masquerade", "stop", "assume", "revert", "restore"]
                .iter()
                .any(|w| method.name.contains(w));
        // Signed in already: after a change of the password, of the second factor.
        let entry = [
            "login",
            "session",
            "signup",
            "sign_up",
            "registration",
            "auth",
            "users",
            "account",
            "confirmation",
        ]
        .iter()
        .any(|w| app.file(method.file).path.rsplit('/').next().is_some_and(|n| n.contains(w)));
        let already = !entry
            && !context.endpoints_of(id).is_empty()
            && app.controllers.get(&method.owner).is_some_and(|c| {
                super::practice::before(c, method.name).iter().any(|f| {
                    practice.identifies(method.owner, f)
                        && f.name.is_some_and(|n| {
                            practice.asks_who(n) && !n.contains("no_") && !n.contains("not_")
                        })
                })
            });
        context
            .finding(rule(), method.file, node.span, format!("`{}[:{key}]` takes the user, and the session stays the one that the visitor came with", if signs_in(call) { "session" } else { "cookies" }))
            .confidence(if within || already || fresh && !signs_in(call) { Confidence::Low } else { Confidence::Medium })
            .reason(if in_cookie {
                "the session lies in the cookie: a planted one keeps its authenticity token"
            } else {
                "the session is kept by a number that stays the same"
            })
            .remedy("Call `reset_session` before the user is written into the session; carry over what must last.")
            .endpoints(context.endpoints_of(id))
            .report();
    }
}

fn is_session(node: &Node) -> bool {
    matches!(&node.kind, Kind::Call(call) if call.recv.is_none() && call.name == "session")
}

/// Whether a method's name says that it signs somebody in.
fn sign_in_named(name: &str) -> bool {
    let name = name.trim_end_matches('!');
    ["login", "log_in", "sign_in", "signin"].iter().any(|w| {
        name == *w
            || name.strip_prefix(w).is_some_and(|r| r.starts_with("_user") || r.starts_with("_as"))
            || name.strip_suffix(w).is_some_and(|r| r.ends_with("user_") || r.ends_with("do_"))
    })
}

/// `cookies[:auth_token] = …`, `cookies.signed[:user_id] = …`: the user is known by a cookie of the
/// application's own.
fn by_cookie(call: &Call) -> bool {
    if call.name != "[]=" {
        return false;
    }
    let mut recv = call.recv.as_ref();
    while let Some(Node { kind: Kind::Call(inner), .. }) = recv {
        if inner.name == "cookies" && inner.recv.is_none() {
            let [key, value] = call.args.as_slice() else { return false };
            // The cookie that remembers comes beside the session.
            let remembers = super::practice::any(
                value,
                &mut |n| matches!(&n.kind, Kind::Call(c) if c.name.contains("remember")),
            );
            return !matches!(value.kind, Kind::Nil)
                && !remembers
                && literal_name(key).is_some_and(|k| {
                    matches!(
                        k.as_str(),
                        "auth_token"
                            | "user_id"
                            | "user_token"
                            | "session_token"
                            | "login_token"
                            | "auth"
                            | "user_credentials"
                            | "access_token"
                            | "jwt"
                    )
                });
        }
        if !matches!(inner.name.as_str(), "signed" | "encrypted" | "permanent") {
            return false;
        }
        recv = inner.recv.as_ref();
    }
    false
}

/// `session[:user_id] = user.id`
fn signs_in(call: &Call) -> bool {
    if call.name != "[]=" || !call.recv.as_ref().is_some_and(is_session) {
        return false;
    }
    let [key, value] = call.args.as_slice() else { return false };
    let Some(key) = literal_name(key) else { return false };
    let named = matches!(
        key.as_str(),
        "user"
            | "user_id"
            | "userid"
            | "uid"
            | "current_user"
            | "current_user_id"
            | "account_id"
            | "admin_id"
            | "admin"
            | "member_id"
            | "person_id"
            | "customer_id"
            | "logged_in_user"
            | "username"
            | "login"
            | "user_token"
            | "session_token"
            | "auth_token"
            | "u"
            | "id"
    );
    if !named {
        return false;
    }
    match &value.kind {
        Kind::Nil | Kind::False | Kind::Str(_) | Kind::Sym(_) | Kind::Int(_) => false,
        Kind::Call(call) => {
            let name = call.name.as_str();
            // `session[:user_id] = session[:admin_id]`, `= params[:user_id]` (a form's memory)
            name != "[]"
                && !(name == "dup"
                    || name == "to_s"
                        && call
                            .recv
                            .as_ref()
                            .is_some_and(|r| matches!(&r.kind, Kind::Call(c) if c.name == "[]")))
        }
        Kind::Local(_) | Kind::Ivar(_) | Kind::If(_) | Kind::And(_) | Kind::Assign(_) | Kind::Or(_) => true,
        _ => false,
    }
}
