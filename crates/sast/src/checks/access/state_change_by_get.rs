//! Actions that change something and answer a plain link.

use std::collections::HashSet;
use std::sync::Arc;

use wardroom_model::{Confidence, Endpoint, FilterRole, Verb};
use wardroom_rails::{FileId, literal_name};
use wardroom_ruby::ir::{Call, If, Kind, Name, Node, Span};
use wardroom_ruby::walk;

use super::practice::{Action, Practice, before, keyword, reads_params, writes};
use crate::context::Context;

wardroom_model::rule! {
    /// A route takes GET for an action that changes a record, the session, or who is signed in.
    ///
    /// ## Why it is bad
    ///
    /// Rails does not ask for the authenticity token on GET: a link, an image on another site or a
    /// page that is fetched ahead makes the change in the name of whoever is signed in.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// get "users/:id/impersonate", to: "users#impersonate"
    /// match "/blocks/:id/revoke", to: "blocks#revoke", via: [:get, :post]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// post "users/:id/impersonate", to: "users#impersonate"
    /// ```
    ///
    /// or, where one action shows the form and takes it, `if request.post?` around the change.
    ///
    /// ## References
    ///
    /// - CWE-352: Cross-Site Request Forgery
    /// - CWE-650: Trusting HTTP Permission Methods on the Server Side
    rule: "state-change-by-get", "Change that a plain link makes", Access, 352, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:L/A:N"
}

/// Looks into every action that a GET reaches.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    let practice = context.practice();
    let wild: HashSet<(u32, Span)> =
        app.routes.routes.iter().filter(|r| r.is_wildcard()).map(|r| (r.file, r.span)).collect();
    let wild: HashSet<_> = wild
        .into_iter()
        .map(|(file, span)| app.file(FileId(file)).location(span))
        .map(|l| (l.file, l.start))
        .collect();
    for controller in practice.controllers() {
        for action in practice.actions(controller) {
            let gets: Vec<&Arc<Endpoint>> = action
                .endpoints
                .iter()
                .filter(|e| {
                    matches!(e.verb, Verb::Get | Verb::Any)
                        && !e.route.as_ref().is_some_and(|r| wild.contains(&(Arc::clone(&r.file), r.start)))
                })
                .collect();
            if gets.is_empty() || only_by_post(context, &action) || carries_token(practice, &action) {
                continue;
            }
            let mut scan = Scan { practice, action: &action, seen: HashSet::new(), found: None };
            scan.body(app.index.method(action.method).body, &mut Vec::new(), 0);
            let Some(change) = scan.found else { continue };
            report(context, practice, &action, &gets, &change);
        }
    }
}

/// Whether the browser's cookie is what lets the caller do it: without that, a forged request can do
/// nothing that the forger could not do himself.
fn has_ambient_authority<'a>(practice: &Practice<'_, 'a>, action: &Action<'_, 'a>) -> bool {
    let class = action.controller.class;
    let reads = |body: &Node| {
        super::practice::any(body, &mut |n| {
            matches!(&n.kind, Kind::Call(c) if c.recv.is_none() && (matches!(c.name.as_str(), "session" | "cookies" | "sign_in" | "sign_out" | "logged_in_user" | "reset_session") || c.name.starts_with("current_")))
                || super::practice::is_user(n)
        })
    };
    action
        .endpoints
        .iter()
        .any(|e| e.guarded_by(FilterRole::Authentication) || e.guarded_by(FilterRole::Authorization))
        || practice.reach(class, action.method).iter().any(|m| reads(practice.app.index.method(*m).body))
}

fn report<'a>(
    context: &Context<'_, 'a>,
    practice: &Practice<'_, 'a>,
    action: &Action<'_, 'a>,
    gets: &[&Arc<Endpoint>],
    change: &Change<'_>,
) {
    let app = context.app;
    let method = app.index.method(action.method);
    // Where no action at all shows who may call it, that is decided elsewhere.
    let guarded = |e: &Arc<Endpoint>| {
        e.guarded_by(FilterRole::Authentication) || e.guarded_by(FilterRole::Authorization)
    };
    let confidence_cap = if !app.endpoints.iter().any(guarded) || has_ambient_authority(practice, action) {
        Confidence::High
    } else {
        Confidence::Low
    };
    let both = action.endpoints.iter().any(|e| !matches!(e.verb, Verb::Get | Verb::Head | Verb::Any));
    let meant = names_change(&action.name);
    let conventional = matches!(action.name.as_str(), "index" | "show" | "new" | "edit");
    let confidence = match change.kind {
        _ if conventional => Confidence::Low,
        Sort::Session | Sort::Record if meant => Confidence::Medium,
        // One action shows the form and takes it.
        Sort::Record | Sort::Session if both && change.condition.is_some() => Confidence::Medium,
        _ => Confidence::Low,
    }
    .min(confidence_cap);
    let what = match change.kind {
        Sort::Session => "changes who is signed in",
        Sort::Record => "changes a record",
    };
    let path = gets.first().map_or("", |e| e.path.as_str());
    let message = format!("GET {path} reaches `{}`, which {what}", action.name);
    let endpoints: Vec<Arc<Endpoint>> = gets.iter().map(|e| Arc::clone(e)).collect();
    let route = route_of(context, action);
    let reason = "Rails asks for no authenticity token on GET";
    match (both, route) {
        // The route alone is at fault.
        (false, Some((file, span))) if !conventional => context
            .finding(rule(), file, span, message)
            .confidence(confidence)
            .reason(reason)
            .remedy("Route it by `post`, `patch` or `delete`, and send it from a form or `button_to`.")
            .step(method.file, method.name_span, format!("`{}` answers", action.name))
            .step(change.file, change.node.span, what)
            .endpoints(endpoints)
            .report(),
        _ => {
            let span = change.condition.filter(|_| change.depth == 0 || both).map_or(change.at, |c| c.span);
            context
                .finding(rule(), method.file, span, message)
                .confidence(confidence)
                .reason(reason)
                .remedy("Make the change only `if request.post?`, or take GET off the route.")
                .step(change.file, change.node.span, what)
                .endpoints(endpoints)
                .report();
        }
    }
}

fn route_of(context: &Context<'_, '_>, action: &Action<'_, '_>) -> Option<(FileId, Span)> {
    let handler = format!("{}#{}", action.controller.path, action.name);
    context
        .app
        .routes
        .routes
        .iter()
        .find(|r| {
            matches!(r.verb, Verb::Get | Verb::Any) && !r.is_wildcard() && r.target.to_string() == handler
        })
        .map(|r| (FileId(r.file), r.span))
}

/// Rails 2's `verify method: :post`, and filters that refuse GET.
fn only_by_post(context: &Context<'_, '_>, action: &Action<'_, '_>) -> bool {
    let named = |node: Option<&Node>| -> Option<bool> {
        let node = node?;
        let mut found = false;
        walk::each(node, &mut |n| {
            found |= literal_name(n).is_some_and(|l| l == action.name);
            true
        });
        Some(found)
    };
    let verified = context.app.index.macros(action.controller.class).iter().any(|m| {
        m.call.name == "verify"
            && keyword(m.call, "method").is_some()
            && named(keyword(m.call, "only")).unwrap_or(true)
            && !named(keyword(m.call, "except")).unwrap_or(false)
    });
    verified
        || before(action.controller, action.name).iter().any(|f| {
            f.name.is_some_and(|n| {
                n.contains("post")
                    && ["require", "only", "check", "verify", "ensure"].iter().any(|w| n.contains(w))
            })
        })
}

/// Links in e-mails bring a token, callbacks a state: these must be GET.
fn carries_token(practice: &Practice<'_, '_>, action: &Action<'_, '_>) -> bool {
    let name = action.name.as_str();
    let by_name = [
        "callback",
        "confirm",
        "unsubscribe",
        "verify",
        "activate",
        "auth",
        "oauth",
        "saml",
        "magic",
        "redeem",
        "token",
        "omniauth",
        "sso",
        "success",
        "complete",
        "failure",
        "oembed",
        "health",
        "webhook",
        "ping",
        "click",
        "track",
        "openid",
        "return",
        "preview",
        "search",
        "autocomplete",
        "auto_complete",
    ]
    .iter()
    .any(|w| name.contains(w))
        && !name.contains("authorize_");
    by_name
        || action.endpoints.iter().any(|e| {
            [
                "callback",
                "/auth/",
                "/oauth",
                "/saml",
                "/sso",
                ":token",
                ":code",
                ":hash",
                ":signature",
                ":confirmation",
            ]
            .iter()
            .any(|w| e.path.contains(w))
        })
        || action.endpoints.iter().any(|e| {
            e.parameters.iter().any(|p| {
                ["token", "signature", "code", "hash", "secret", "confirm_string", "key", "uuid"]
                    .iter()
                    .any(|w| p.contains(w))
                    && !p.contains("csrf")
            })
        }) && (practice.shows(action.controller.class, action.method, |f| f.token)
            || super::practice::any(practice.app.index.method(action.method).body, &mut |n| {
                // The answer of another site, which only its own page could send here.
                matches!(&n.kind, Kind::Call(c) if c.name.contains("oauth"))
            }))
}

/// Words of actions that are meant to change something.
fn names_change(action: &str) -> bool {
    action.trim_end_matches('!').split('_').enumerate().any(|(place, word)| {
        let strong = matches!(
            word,
            "destroy"
                | "delete"
                | "remove"
                | "revoke"
                | "impersonate"
                | "unimpersonate"
                | "approve"
                | "reject"
                | "cancel"
                | "deactivate"
                | "reactivate"
                | "enable"
                | "disable"
                | "publish"
                | "unpublish"
                | "toggle"
                | "archive"
                | "unarchive"
                | "create"
                | "update"
                | "save"
                | "lock"
                | "unlock"
                | "ban"
                | "unban"
                | "follow"
                | "unfollow"
                | "vote"
                | "upvote"
                | "downvote"
                | "like"
                | "unlike"
                | "revert"
                | "undo"
                | "restore"
                | "purge"
                | "logout"
                | "signout"
                | "extlogout"
                | "close"
                | "reopen"
                | "assign"
                | "unassign"
                | "join"
                | "leave"
                | "promote"
                | "demote"
                | "grant"
                | "merge"
                | "transfer"
                | "resend"
                | "invite"
                | "accept"
                | "decline"
                | "claim"
                | "unlink"
                | "disconnect"
                | "subscribe"
                | "favorite"
                | "unfavorite"
                | "hide"
                | "unhide"
                | "move"
                | "reorder"
                | "kick"
                | "block"
                | "unblock"
                | "mute"
                | "unmute"
                | "withdraw"
                | "submit"
                | "dismiss"
                | "mark"
                | "switch"
                | "become"
                | "regenerate"
                | "adopt"
                | "finalize"
                | "unfinalize"
                | "refund"
                | "suspend"
                | "unsuspend"
                | "pin"
                | "unpin"
                | "orphan"
                | "connect"
        ) || word == "all" && action.starts_with("read");
        let first = place == 0
            && matches!(
                word,
                "set"
                    | "add"
                    | "clear"
                    | "reset"
                    | "start"
                    | "stop"
                    | "run"
                    | "execute"
                    | "clone"
                    | "duplicate"
                    | "change"
                    | "make"
                    | "import"
                    | "process"
                    | "send"
                    | "login"
                    | "log"
                    | "sign"
                    | "sort"
                    | "pause"
                    | "resume"
                    | "finish"
                    | "refresh"
                    | "sync"
                    | "drop"
            );
        strong || first
    }) && !action.starts_with("confirm_")
        && !action.starts_with("new_")
        && !action.starts_with("edit_")
        && !action.starts_with("show_")
        && !action.ends_with("_form")
        && !action.starts_with("list_")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Record,
    Session,
}

struct Change<'a> {
    kind: Sort,
    node: &'a Node,
    file: FileId,
    /// The statement of the action from which it is reached.
    at: Span,
    /// The innermost condition on parameters around it in the action.
    condition: Option<&'a Node>,
    depth: u32,
}

struct Scan<'s, 'c, 'a> {
    practice: &'s Practice<'c, 'a>,
    action: &'s Action<'s, 'a>,
    seen: HashSet<Name>,
    found: Option<Change<'a>>,
}

impl<'a> Scan<'_, '_, 'a> {
    fn body(&mut self, node: &'a Node, conditions: &mut Vec<&'a Node>, depth: u32) {
        let file = self.practice.app.index.method(self.action.method).file;
        self.visit(node, conditions, depth, None, file);
    }

    /// Goes through a node. `at` is the place in the action, once a call was followed. Says whether
    /// what follows still runs for a GET.
    fn visit(
        &mut self,
        node: &'a Node,
        conditions: &mut Vec<&'a Node>,
        depth: u32,
        at: Option<Span>,
        file: FileId,
    ) -> bool {
        if self.found.is_some() {
            return false;
        }
        match &node.kind {
            Kind::Def(_) | Kind::Module(_) => true,
            Kind::Seq(list) => list.iter().all(|n| self.visit(n, conditions, depth, at, file)),
            Kind::If(branches) => self.branch(branches, conditions, depth, at, file),
            Kind::Case(case) if case.subject.as_ref().is_some_and(|s| matches!(&s.kind, Kind::Call(c) if matches!(c.name.as_str(), "request_method" | "method" | "method_symbol"))) => true,
            Kind::And(sides) if method_test(&sides.0).is_some() => {
                if method_test(&sides.0) == Some(false) {
                    self.visit(&sides.1, conditions, depth, at, file);
                }
                true
            }
            Kind::Return(value) => {
                if let Some(value) = value {
                    self.visit(value, conditions, depth, at, file);
                }
                false
            }
            Kind::Call(call) => {
                self.call(node, call, conditions, depth, at, file);
                walk::children(node, &mut |child| {
                    self.visit(child, conditions, depth, at, file);
                });
                true
            }
            _ => {
                walk::children(node, &mut |child| {
                    self.visit(child, conditions, depth, at, file);
                });
                true
            }
        }
    }

    fn branch(
        &mut self,
        branches: &'a If,
        conditions: &mut Vec<&'a Node>,
        depth: u32,
        at: Option<Span>,
        file: FileId,
    ) -> bool {
        match post_test(&branches.cond) {
            // Only what runs for a GET counts.
            Some(true) => self.visit(&branches.otherwise, conditions, depth, at, file),
            Some(false) => self.visit(&branches.then, conditions, depth, at, file),
            None => {
                let pushed = depth == 0 && reads_params(&branches.cond);
                if pushed {
                    conditions.push(&branches.cond);
                }
                self.visit(&branches.cond, conditions, depth, at, file);
                let then = self.visit(&branches.then, conditions, depth, at, file);
                let otherwise = self.visit(&branches.otherwise, conditions, depth, at, file);
                if pushed {
                    conditions.pop();
                }
                then || otherwise
            }
        }
    }

    fn call(
        &mut self,
        node: &'a Node,
        call: &'a Call,
        conditions: &mut Vec<&'a Node>,
        depth: u32,
        at: Option<Span>,
        file: FileId,
    ) {
        if let Some(kind) = changes(call) {
            let found = Change {
                kind,
                node,
                file,
                at: at.unwrap_or(node.span),
                condition: conditions.first().copied(),
                depth,
            };
            self.found = Some(found);
            return;
        }
        let own = call.recv.as_ref().is_none_or(|r| matches!(r.kind, Kind::SelfRef));
        if !own && (self.changes_itself(call) || self.changes_each(call)) {
            self.found = Some(Change {
                kind: Sort::Record,
                node,
                file,
                at: at.unwrap_or(node.span),
                condition: conditions.first().copied(),
                depth,
            });
            return;
        }
        if own && depth < 3 && self.seen.insert(call.name) {
            let class = self.action.controller.class;
            if let Some(id) = self.practice.find(class, call.name) {
                let method = self.practice.app.index.method(id);
                if !keeps_house(&call.name) {
                    self.visit(method.body, conditions, depth + 1, at.or(Some(node.span)), method.file);
                }
            }
        }
    }
}

impl Scan<'_, '_, '_> {
    /// `@block.revoke!`: a method of a model that saves the record, by a name that says so.
    fn changes_itself(&self, call: &Call) -> bool {
        matches!(call.recv.as_ref().map(|r| &r.kind), Some(Kind::Ivar(_) | Kind::Local(_) | Kind::Call(_)))
            && self.saves(call.name)
    }

    /// `@order.adjustments.each(&:finalize!)`: the method is called on every one.
    fn changes_each(&self, call: &Call) -> bool {
        if !matches!(
            call.name.as_str(),
            "each" | "map" | "find_each" | "all?" | "any?" | "flat_map" | "collect"
        ) {
            return false;
        }
        call.block_arg.as_ref().is_some_and(|a| {
            let Kind::Sym(name) = &a.kind else { return false };
            super::practice::writes_by_name(name)
                && (name.ends_with('!') || *name == "destroy" || *name == "save")
                || self.saves(Name::from(name))
        })
    }

    /// Whether a method of a model saves the record, and its name says so.
    fn saves(&self, name: Name) -> bool {
        if !name.ends_with('!') && !names_change(&name) {
            return false;
        }
        let app = self.practice.app;
        let Some(ids) = app.index.by_name.get(&name) else { return false };
        let saves = |id: &wardroom_rails::MethodId| {
            let method = app.index.method(*id);
            let facts = self.practice.facts(*id);
            app.models.contains_key(&method.owner)
                && (facts.own.iter().any(|n| {
                    matches!(
                        n.as_str(),
                        "save"
                            | "save!"
                            | "update"
                            | "update!"
                            | "update_attributes"
                            | "update_attribute"
                            | "update_column"
                            | "update_columns"
                            | "destroy"
                            | "destroy!"
                            | "update_attributes!"
                    )
                }))
        };
        ids.len() <= 6 && ids.iter().any(saves)
    }
}

/// Own methods whose changes are no act of the user.
fn keeps_house(name: &str) -> bool {
    [
        "current_",
        "log_",
        "track",
        "record_",
        "touch",
        "find_",
        "load_",
        "store_location",
        "set_",
        "get_",
        "audit",
        "notify",
        "fetch_",
        "ensure_",
        "cache",
        "authenticate",
        "authorize",
        "require_",
        "init",
        "remember",
        "memo",
        "render",
        "redirect",
        "respond",
        "handle_error",
        "rescue",
        "build_",
        "store_",
        "visit",
    ]
    .iter()
    .any(|w| name.starts_with(w))
}

/// `request.post?` alone or beside others: `Some(true)` where the branch is never taken by a GET,
/// `Some(false)` where it is taken by a GET alone.
fn post_test(cond: &Node) -> Option<bool> {
    match &cond.kind {
        Kind::And(sides) => match (post_test(&sides.0), post_test(&sides.1)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            _ => None,
        },
        Kind::Or(sides) => match (post_test(&sides.0), post_test(&sides.1)) {
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Kind::Not(inner) => post_test(inner).map(|t| !t),
        _ => method_test(cond),
    }
}

fn method_test(node: &Node) -> Option<bool> {
    let Kind::Call(call) = &node.kind else { return None };
    let of_request = call
        .recv
        .as_ref()
        .is_some_and(|r| matches!(&r.kind, Kind::Call(c) if c.name == "request" && c.recv.is_none()));
    match call.name.as_str() {
        "post?" | "put?" | "patch?" | "delete?" | "xhr?" | "xml_http_request?" if of_request => Some(true),
        "get?" | "head?" if of_request => Some(false),
        "==" => {
            let asks = |n: &Node| matches!(&n.kind, Kind::Call(c) if matches!(c.name.as_str(), "method" | "request_method" | "method_symbol" | "request_method_symbol"));
            let (left, right) = (call.recv.as_ref()?, call.args.first()?);
            if !asks(left) && !asks(right) {
                return None;
            }
            let verb = literal_name(right).or_else(|| literal_name(left))?;
            Some(!verb.eq_ignore_ascii_case("get"))
        }
        "!" => call.recv.as_ref().and_then(post_test).map(|t| !t),
        _ => None,
    }
}

/// What a call changes, where a user would call it a change.
fn changes(call: &Call) -> Option<Sort> {
    let name = call.name.as_str();
    let session = |n: &Node| matches!(&n.kind, Kind::Call(c) if c.recv.is_none() && c.name == "session");
    match name {
        "reset_session"
        | "sign_out"
        | "sign_out_and_redirect"
        | "log_out"
        | "logout_user"
        | "log_out_user"
        | "logout_killing_session!"
        | "impersonate_user"
        | "unimpersonate_user"
        | "stop_impersonating_user"
            if call.recv.is_none() =>
        {
            return Some(Sort::Session);
        }
        "clear" | "destroy" if call.recv.as_ref().is_some_and(session) => return Some(Sort::Session),
        "delete" if call.recv.as_ref().is_some_and(session) => {
            return call.args.first().and_then(literal_name).filter(|k| user_key(k)).map(|_| Sort::Session);
        }
        "[]=" if call.recv.as_ref().is_some_and(session) => {
            return call.args.first().and_then(literal_name).filter(|k| user_key(k)).map(|_| Sort::Session);
        }
        _ => {}
    }
    if !writes(call) || housekeeping(call) {
        return None;
    }
    Some(Sort::Record)
}

fn user_key(key: &str) -> bool {
    matches!(
        key,
        "user"
            | "user_id"
            | "userid"
            | "current_user"
            | "current_user_id"
            | "account_id"
            | "admin_id"
            | "impersonator_id"
            | "impersonated_user_id"
            | "true_user_id"
            | "member_id"
            | "logged_in"
    )
}

/// Counters, time stamps, logs: no change that a user would notice.
fn housekeeping(call: &Call) -> bool {
    let quiet = |name: &str| {
        [
            "view",
            "visit",
            "hit",
            "count",
            "last_",
            "seen",
            "read_at",
            "accessed",
            "download",
            "viewed",
            "touch",
            "log",
            "event",
            "audit",
            "analytic",
            "track",
            "click",
            "impression",
            "cache",
            "cookie",
            "token",
            "session",
            "draft",
            "job",
            "history",
        ]
        .iter()
        .any(|w| name.contains(w))
    };
    if matches!(call.name.as_str(), "increment!" | "decrement!") {
        return true;
    }
    let keys = call.args.last().is_some_and(|a| match &a.kind {
        Kind::Hash(pairs) => {
            !pairs.is_empty() && pairs.iter().all(|p| literal_name(&p.key).is_some_and(|k| quiet(&k)))
        }
        _ => false,
    }) || call.args.first().and_then(literal_name).is_some_and(|k| quiet(&k));
    let of = |node: &Node| match &node.kind {
        Kind::Const(path) => path.last().is_some_and(|l| quiet(&l.to_lowercase())),
        Kind::Call(c) => quiet(&c.name),
        Kind::Local(n) | Kind::Ivar(n) => quiet(n),
        _ => false,
    };
    keys || call.recv.as_ref().is_some_and(of)
}
