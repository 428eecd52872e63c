//! ActionCable streams for anyone.

use wardroom_model::Confidence;
use wardroom_rails::{App, literal_name};
use wardroom_ruby::ir::{Kind, Name, Node};
use wardroom_ruby::walk;

use super::practice::{any, is_params};
use crate::context::Context;

wardroom_model::rule! {
    /// A channel streams what the client names (`stream_from "room_#{params[:id]}"`) without asking
    /// whether the client may hear it, or the connection never finds out who the client is.
    ///
    /// ## Why it is bad
    ///
    /// Whoever opens a socket can name any stream and hears what is meant for others.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// def subscribed
    ///   stream_from "room_#{params[:id]}"
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// def subscribed
    ///   stream_for current_user.rooms.find(params[:id])
    /// end
    /// ```
    ///
    /// and `identified_by :current_user` with `reject_unauthorized_connection` in the connection.
    ///
    /// ## References
    ///
    /// - CWE-862: Missing Authorization
    rule: "cable-unidentified", "Socket stream that anyone can hear", Access, 862, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"
}

/// Looks at channels and the connection.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    let practice = context.practice();
    let mut names: Vec<Name> = app.index.classes.keys().copied().collect();
    names.sort_by_key(|n| n.as_str());
    let below = |name: Name, root: &str| {
        app.index.class(name).is_some_and(|c| !c.module)
            && practice.ancestors(name).iter().any(|a| a.as_str() == root)
    };
    let channels: Vec<Name> =
        names.iter().copied().filter(|n| below(*n, "ActionCable::Channel::Base")).collect();
    let mut identified = false;
    for name in names.iter().copied().filter(|n| below(*n, "ActionCable::Connection::Base")) {
        let Some(class) = app.index.class(name) else { continue };
        identified |= app.index.macros(name).iter().any(|m| m.call.name == "identified_by");
        // A connection without any channel of the application's own serves Turbo's signed streams.
        let Some((file, _, span)) = class
            .places
            .first()
            .copied()
            .filter(|_| !identified && channels.iter().any(|c| *c != "ApplicationCable::Channel"))
        else {
            continue;
        };
        context
            .finding(
                rule(),
                file,
                span,
                format!("`{name}` never finds out who the client is: it has no `identified_by`"),
            )
            .confidence(Confidence::Medium)
            .reason("the channels may stream only what is public")
            .remedy(
                "Identify the client in `connect` and call `reject_unauthorized_connection` for strangers.",
            )
            .report();
    }
    for name in channels {
        let Some(id) = app.index.class(name).and_then(|c| c.methods.get(&Name::from("subscribed")).copied())
        else {
            continue;
        };
        let decided = practice.shows(name, id, |f| {
            !f.decisions.is_empty()
                || f.user
                || f.own.iter().any(|n| {
                    matches!(n.as_str(), "reject" | "ensure_confirmation_sent") || n.starts_with("reject")
                })
                || f.token
        });
        if decided {
            continue;
        }
        for &method in practice.reach(name, id).iter() {
            let method = app.index.method(method);
            walk::each(method.body, &mut |node| {
                if let Kind::Call(call) = &node.kind
                    && call.recv.is_none()
                    && matches!(call.name.as_str(), "stream_from" | "stream_for")
                    && call.args.iter().any(|a| any(a, &mut is_params))
                {
                    let nobodys = identified && call.args.iter().all(|a| loads_nobodys(app, a));
                    context
                        .finding(
                            rule(),
                            method.file,
                            node.span,
                            format!("`{name}` streams whatever the client names"),
                        )
                        .confidence(if nobodys { Confidence::Low } else { Confidence::Medium })
                        .reason(if nobodys {
                            "the record belongs to nobody, and what is sent there may be public"
                        } else {
                            "what is sent there may be public"
                        })
                        .remedy("Load the record from what the current user may see, and `reject` otherwise.")
                        .report();
                }
                true
            });
        }
    }
}

/// `Berth.find(params[:id])`, where a `Berth` belongs to nothing: no user, no account, no room.
fn loads_nobodys(app: &App<'_>, node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    if !matches!(call.name.as_str(), "find" | "find_by" | "find_by!") {
        return false;
    }
    let Some(Node { kind: Kind::Const(path), .. }) = &call.recv else { return false };
    let class = wardroom_rails::path_name(path);
    app.models.contains_key(&class)
        && !app.index.macros(class).iter().any(|m| {
            m.call.name == "belongs_to"
                || m.call.name.starts_with("has_")
                    && m.call.args.iter().filter_map(literal_name).any(|n| {
                        ["user", "member", "owner", "account", "message", "participant"]
                            .iter()
                            .any(|w| n.contains(w))
                    })
        })
}
