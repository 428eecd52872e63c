//! What an application itself does about access: which of its calls decide who may, who asks, what a
//! method does beside. The checks of this family measure an action against its siblings, so they
//! all read the application the same way here.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use wardroom_model::{Endpoint, FilterRole, Verb};
use wardroom_rails::{App, Controller, FilterDeclaration, MethodId, Timing, literal_name};
use wardroom_ruby::ir::{Call, Kind, Name, Node};
use wardroom_ruby::walk;

use super::condition::switched_off;

/// How deep own calls are followed.
const DEPTH: u32 = 4;
/// How many methods one action may draw in.
const METHODS: usize = 60;

/// What one method's own statements show.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// Methods that it calls on itself.
    pub own: Vec<Name>,
    /// It calls `super`.
    pub calls_super: bool,
    /// Calls that decide whether the caller may.
    pub decisions: Vec<&'a Call>,
    /// It looks at who is signed in.
    pub user: bool,
    /// It reads or writes the session or a cookie.
    pub session: bool,
    /// It starts a new session.
    pub resets: bool,
    /// It asks for a token, a key or a signature.
    pub token: bool,
    /// Calls that change a record.
    pub writes: Vec<&'a Node>,
}

/// What each method calls on itself, by the class of `self` and the method.
type Reach = FxHashMap<(Name, MethodId), Rc<[MethodId]>>;

/// The application, read for its habits.
pub struct Practice<'c, 'a> {
    /// The application.
    pub app: &'c App<'a>,
    facts: RefCell<FxHashMap<MethodId, Rc<Facts<'a>>>>,
    reach: RefCell<Reach>,
    words: RefCell<FxHashMap<Name, Words>>,
    ending: RefCell<FxHashMap<(Name, Name), bool>>,
    routed: FxHashMap<&'c str, Vec<&'c Arc<Endpoint>>>,
}

/// One action that a route reaches.
pub struct Action<'p, 'a> {
    /// Its controller.
    pub controller: &'p Controller<'a>,
    /// Its name.
    pub name: Name,
    /// Its method.
    pub method: MethodId,
    /// The ways to it.
    pub endpoints: Vec<Arc<Endpoint>>,
}

impl Action<'_, '_> {
    /// Whether a route takes it by a method that browsers send for links.
    pub fn by_get(&self) -> bool {
        self.endpoints.iter().any(|e| matches!(e.verb, Verb::Get | Verb::Any))
    }

    /// Whether a route takes it by a method that is meant to change something.
    pub fn by_change(&self) -> bool {
        self.endpoints.iter().any(|e| !matches!(e.verb, Verb::Get | Verb::Head | Verb::Options))
    }
}

impl<'c, 'a> Practice<'c, 'a> {
    /// Prepares to read an application.
    pub fn new(app: &'c App<'a>) -> Self {
        let mut routed: FxHashMap<&str, Vec<&Arc<Endpoint>>> = FxHashMap::default();
        for endpoint in &app.endpoints {
            routed.entry(endpoint.handler.as_str()).or_default().push(endpoint);
        }
        Practice {
            app,
            facts: RefCell::default(),
            reach: RefCell::default(),
            words: RefCell::default(),
            ending: RefCell::default(),
            routed,
        }
    }

    /// The actions of a controller that a route reaches; all where the application shows no routes.
    pub fn actions<'p>(&'p self, controller: &'p Controller<'a>) -> Vec<Action<'p, 'a>> {
        let mut out: Vec<Action<'p, 'a>> = Vec::new();
        for (name, method) in &controller.actions {
            let handler = format!("{}#{name}", controller.path);
            let endpoints: Vec<Arc<Endpoint>> = self
                .routed
                .get(handler.as_str())
                .map(|e| e.iter().map(|e| Arc::clone(e)).collect())
                .unwrap_or_default();
            if endpoints.is_empty() && !self.app.endpoints.is_empty() {
                continue;
            }
            out.push(Action { controller, name: *name, method: *method, endpoints });
        }
        out.sort_by_key(|a| a.name.as_str());
        out
    }

    /// Controllers in a fixed order.
    pub fn controllers(&self) -> Vec<&'c Controller<'a>> {
        let mut all: Vec<_> = self.app.controllers.values().collect();
        all.sort_by_key(|c| c.class.as_str());
        all
    }

    /// A class and its ancestors.
    pub fn ancestors(&self, class: Name) -> &'c [Name] {
        self.app.index.ancestors(class)
    }

    /// The method that an own call reaches.
    pub fn find(&self, class: Name, name: Name) -> Option<MethodId> {
        if !self.app.index.by_name.contains_key(&name) {
            return None;
        }
        self.ancestors(class).iter().find_map(|a| self.app.index.class(*a)?.methods.get(&name).copied())
    }

    /// What a method shows.
    pub fn facts(&self, id: MethodId) -> Rc<Facts<'a>> {
        if let Some(known) = self.facts.borrow().get(&id) {
            return Rc::clone(known);
        }
        let found = Rc::new(self.read(self.app.index.method(id).body));
        self.facts.borrow_mut().insert(id, Rc::clone(&found));
        found
    }

    /// Reads a body's facts.
    pub fn read<'n>(&self, body: &'n Node) -> Facts<'n> {
        let mut facts = Facts::default();
        let mut words = self.words.borrow_mut();
        walk::each(body, &mut |node| {
            match &node.kind {
                Kind::Super(_) => facts.calls_super = true,
                Kind::Call(call) => {
                    let says = *words.entry(call.name).or_insert_with(|| self.words_of(call.name));
                    let own = match &call.recv {
                        None => true,
                        Some(recv) => matches!(recv.kind, Kind::SelfRef),
                    };
                    if own {
                        if !facts.own.contains(&call.name) {
                            facts.own.push(call.name);
                        }
                        facts.resets |= says.resets;
                        facts.session |= says.session;
                    }
                    facts.token |= says.token && asks_token(call);
                    facts.user |= says.user && is_user(node);
                    if says.decision.made_by(call) {
                        facts.decisions.push(call);
                    }
                    if says.writes && writes(call) {
                        facts.writes.push(node);
                    }
                }
                _ => {}
            }
            true
        });
        facts
    }

    /// What a name says, and what the application's own methods of that name make of it.
    fn words_of(&self, name: Name) -> Words {
        let mut words = Words::of(&name);
        // `def authorize?(user) = true`: a hook that every application was to fill in.
        if name.starts_with("author")
            && words.decision == Decision::Always
            && self.app.index.by_name.get(&name).is_some_and(|ids| {
                !ids.is_empty() && ids.iter().all(|id| answers_yes(self.app.index.method(*id).body))
            })
        {
            words.decision = Decision::Never;
        }
        words
    }

    /// A method and what it calls on itself, nearest first.
    pub fn reach(&self, class: Name, start: MethodId) -> Rc<[MethodId]> {
        if let Some(known) = self.reach.borrow().get(&(class, start)) {
            return Rc::clone(known);
        }
        let mut seen = FxHashSet::from_iter([start]);
        let mut out = vec![start];
        let mut level = vec![start];
        for _ in 0..DEPTH {
            let mut next = Vec::new();
            for id in level.drain(..) {
                let facts = self.facts(id);
                let owner = self.app.index.method(id).owner;
                let parent = facts
                    .calls_super
                    .then(|| self.app.index.find_super(class, owner, self.app.index.method(id).name))
                    .flatten();
                for found in facts.own.iter().filter_map(|n| self.find(class, *n)).chain(parent) {
                    if seen.len() < METHODS && seen.insert(found) {
                        out.push(found);
                        next.push(found);
                    }
                }
            }
            level = next;
        }
        let out: Rc<[MethodId]> = out.into();
        self.reach.borrow_mut().insert((class, start), Rc::clone(&out));
        out
    }

    /// Whether a method, or what it calls on itself, shows something.
    pub fn shows(&self, class: Name, start: MethodId, test: impl Fn(&Facts<'a>) -> bool) -> bool {
        self.reach(class, start).iter().any(|id| test(&self.facts(*id)))
    }

    /// The methods of the filters in front of an action.
    pub fn filter_methods(&self, controller: &Controller<'a>, action: Name) -> Vec<MethodId> {
        before(controller, action).into_iter().filter_map(|f| self.find(controller.class, f.name?)).collect()
    }

    /// Whether something in front of an action, or in it, decides who may.
    pub fn authorized(&self, action: &Action<'_, 'a>) -> bool {
        self.decided_before(action)
            || self.shows(action.controller.class, action.method, |f| !f.decisions.is_empty())
    }

    /// Whether a filter in front of an action decides who may.
    pub fn decided_before(&self, action: &Action<'_, 'a>) -> bool {
        let class = action.controller.class;
        before(action.controller, action.name).into_iter().any(|f| self.decides(class, f))
    }

    /// Whether a filter decides who may.
    pub fn decides(&self, class: Name, filter: &FilterDeclaration<'a>) -> bool {
        filter.role == FilterRole::Authorization
            || filter.name.is_some_and(|n| guards(&n))
            || filter.block.is_some_and(|b| !self.read(&b.body).decisions.is_empty())
            || filter.name.and_then(|n| Some((n, self.find(class, n)?))).is_some_and(|(n, m)| {
                // `login_required` sends strangers away: that is no decision between users.
                let who = asks_who(&n) && !guards(&n);
                self.shows(class, m, |f| f.decisions.iter().any(|c| !who || !refusal(&c.name)))
                    && self.can_end(class, n)
            })
    }

    /// Whether a filter in front of an action asks who is calling.
    pub fn authenticated(&self, action: &Action<'_, 'a>) -> bool {
        !action.endpoints.is_empty() && action.endpoints.iter().all(|e| e.handler.is_empty())
            || before(action.controller, action.name)
                .into_iter()
                .any(|f| self.identifies(action.controller.class, f))
    }

    /// Whether a filter keeps strangers out: asks who is calling, and does more than look.
    pub fn stops(&self, class: Name, filter: &FilterDeclaration<'a>) -> bool {
        self.identifies(class, filter) && filter.name.is_none_or(|n| !only_looks(&n))
    }

    /// Whether a filter's method can end the request. One whose way out lies in a library refuses as
    /// far as its name says.
    fn can_end(&self, class: Name, name: Name) -> bool {
        if let Some(known) = self.ending.borrow().get(&(class, name)) {
            return *known;
        }
        let rails = self.app.rails();
        let found = self.find(class, name).is_none_or(|method| {
            self.reach(class, method)
                .iter()
                .any(|id| any(self.app.index.method(*id).body, &mut |n| ends_request(n, rails)))
        });
        self.ending.borrow_mut().insert((class, name), found);
        found
    }

    /// Whether a filter asks who is calling.
    pub fn identifies(&self, class: Name, filter: &FilterDeclaration<'a>) -> bool {
        if filter.name.is_some_and(|n| !self.can_end(class, n)) {
            return false;
        }
        if matches!(filter.role, FilterRole::Authentication | FilterRole::Authorization) {
            return true;
        }
        if let Some(name) = filter.name {
            return guards(&name)
                || asks_who(&name)
                || self
                    .find(class, name)
                    .is_some_and(|m| self.shows(class, m, |f| !f.decisions.is_empty() || f.token));
        }
        filter.block.is_some_and(|b| {
            let facts = self.read(&b.body);
            facts.user || facts.token || !facts.decisions.is_empty()
        })
    }
}

/// Whether a filter's name says that it only notes something down.
fn only_looks(name: &str) -> bool {
    [
        "set_",
        "gon_",
        "load_current",
        "remember_",
        "store_",
        "track_",
        "log_",
        "touch_",
        "update_",
        "invalidate_",
        "reset_",
    ]
    .iter()
    .any(|w| name.starts_with(w))
        || [
            "expir",
            "profiler",
            "cookies",
            "suspended",
            "banned",
            "enabled",
            "disabled",
            "readable",
            "writable",
            "read_only",
        ]
        .iter()
        .any(|w| name.contains(w))
}

/// Whether a node can end the request: a redirect, an answer, an error, a check of a library's; before
/// Rails 5 a `false` as well.
fn ends_request(node: &Node, rails: (u32, u32)) -> bool {
    match &node.kind {
        Kind::False => rails < (5, 0),
        Kind::Super(_) => true,
        Kind::Call(call) => {
            let called = call.name.as_str();
            matches!(
                called,
                "redirect_to"
                    | "redirect_back"
                    | "redirect_back_or_to"
                    | "render"
                    | "head"
                    | "raise"
                    | "throw"
                    | "halt"
                    | "error!"
                    | "fail"
                    | "not_found"
                    | "status="
                    | "send_error"
                    | "response_body="
            ) || [
                "authenticate",
                "authorize",
                "authorise",
                "accessible_by",
                "policy_scope",
                "require_",
                "deny",
                "unauthorized",
                "forbid",
                "redirect",
                "render_",
                "access_denied",
                "error",
            ]
            .iter()
            .any(|w| called.contains(w))
        }
        _ => false,
    }
}

/// The filters that run before an action (around it too); not those that the request can switch off.
pub fn before<'f, 'a>(controller: &'f Controller<'a>, action: Name) -> Vec<&'f FilterDeclaration<'a>> {
    controller
        .filters_for(action)
        .into_iter()
        .filter(|f| f.timing != Timing::After && f.role != FilterRole::Csrf && !switched_off(f))
        .collect()
}

/// Whether a controller says that it goes without the check of authorization (`skip_authorization_check`).
pub fn open_on_purpose(app: &App<'_>, class: Name) -> bool {
    app.index.class(class).is_some_and(|c| {
        c.macros
            .iter()
            .any(|m| m.call.name.starts_with("skip_author") || m.call.name == "skip_verify_authorized")
    })
}

/// Methods that name the user who asks, beside `current_…`.
const USER_METHODS: &[&str] = &[
    "logged_in_user",
    "authenticated_user",
    "signed_in_user",
    "user_signed_in?",
    "logged_in?",
    "signed_in?",
    "doorkeeper_token",
];

/// Attributes of `Current` that name who asks.
const CURRENT_METHODS: &[&str] = &["user", "account", "session", "person", "admin"];

/// Whether a node names the user who asks: `current_user`, `User.current`, `Current.user`.
pub fn is_user(node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    let name = call.name.as_str();
    match &call.recv {
        None => {
            name.starts_with("current_")
                && [
                    "user",
                    "account",
                    "admin",
                    "member",
                    "person",
                    "customer",
                    "patient",
                    "author",
                    "profile",
                    "ability",
                    "resource_owner",
                    "merchant",
                    "seller",
                    "company",
                    "organization",
                    "team",
                    "tenant",
                ]
                .iter()
                .any(|w| name[8..].contains(w))
                || name.contains("_current_user")
                || USER_METHODS.contains(&name)
        }
        Some(Node { kind: Kind::Const(path), .. }) => {
            let last = path.last().map_or("", |n| n.as_str());
            last == "Current" && CURRENT_METHODS.contains(&name)
                || name == "current" && last.ends_with("User")
        }
        _ => matches!(&call.recv, Some(Node { kind: Kind::Const(_), .. })) && name == "current_user",
    }
}

/// Words for whom an application serves apart from others.
const TENANTS: &[&str] = &[
    "site",
    "account",
    "organization",
    "organisation",
    "tenant",
    "provider",
    "company",
    "team",
    "workspace",
    "store",
    "shop",
    "school",
    "client",
    "community",
    "instance",
    "institution",
    "agency",
    "domain",
    "vendor",
    "merchant",
    "network",
    "hub",
    "practice",
    "club",
    "church",
    "business",
];

/// Whether a node names the tenant that the request is for: `current_site`, `Current.account`,
/// `Tenant.current`.
pub fn is_tenant(node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    let name = call.name.as_str();
    if !call.args.is_empty() {
        return false;
    }
    match &call.recv {
        None => name.strip_prefix("current_").is_some_and(|n| TENANTS.contains(&n)),
        Some(Node { kind: Kind::Const(path), .. }) => {
            let last = path.last().map_or("", |n| n.as_str());
            last == "Current" && TENANTS.contains(&name)
                || name == "current" && TENANTS.iter().any(|t| last.eq_ignore_ascii_case(t))
        }
        _ => false,
    }
}

/// Whether anything in a tree names the user who asks.
pub fn mentions_user(node: &Node) -> bool {
    any(node, &mut is_user)
}

/// Whether any node of a tree passes a test.
pub fn any(node: &Node, test: &mut dyn FnMut(&Node) -> bool) -> bool {
    let mut found = false;
    walk::each(node, &mut |n| {
        found = found || test(n);
        !found
    });
    found
}

/// Whether a tree reads the request's parameters: `params[…]`, `user_params[…]`.
pub fn reads_params(node: &Node) -> bool {
    any(node, &mut is_params)
}

/// Whether a node is `params` or a method named after it.
pub fn is_params(node: &Node) -> bool {
    matches!(&node.kind, Kind::Call(call) if call.recv.is_none() && (call.name == "params" || call.name.ends_with("_params") && call.args.is_empty()))
}

/// Methods that ask for a token where their argument is one: `params[:token]`, `find_by(token: …)`.
const TOKEN_LOOKUPS: &[&str] = &["[]", "find_by", "find_by!", "where"];

/// Whether a method's name says that it asks for a token, a key or a signature.
fn names_token(name: &str) -> bool {
    name.starts_with("authenticate_with_http")
        || name.starts_with("authenticate_or_request")
        || matches!(
            name,
            "secure_compare"
                | "fixed_length_secure_compare"
                | "construct_event"
                | "doorkeeper_authorize!"
                | "find_signed"
                | "find_signed!"
                | "verified"
        )
        || name.contains("verify_signature")
        || name.contains("valid_signature")
        || name.contains("verify_slack")
        || (name.contains("by_") || name.contains("find"))
            && ["token", "_key", "secret", "signed"].iter().any(|w| name.contains(w))
}

fn asks_token(call: &Call) -> bool {
    let name = call.name.as_str();
    // What lies in a cookie is sent by the browser, whoever wrote the page.
    if call.args.iter().any(reads_cookies) {
        return false;
    }
    names_token(name)
        || name == "[]"
            && call.recv.as_ref().is_some_and(is_params)
            && call.args.first().and_then(literal_name).is_some_and(|k| {
                [
                    "token",
                    "signature",
                    "hmac",
                    "api_key",
                    "secret",
                    "digest",
                    "sig",
                    "hash",
                    "confirmation",
                    "uuid",
                    "guid",
                ]
                .iter()
                .any(|w| k.contains(w))
            })
        || matches!(name, "find_by" | "find_by!" | "where")
            && matches!(call.args.last(), Some(Node { kind: Kind::Hash(pairs), .. })
                if pairs.iter().any(|p| literal_name(&p.key).is_some_and(|k| ["token", "secret", "digest", "_key", "signature", "uuid"].iter().any(|w| k.contains(w)))))
}

/// Whether a tree reads a cookie: `cookies[:token]`, `cookies.signed[:guest_token]`.
pub fn reads_cookies(node: &Node) -> bool {
    any(node, &mut |n| matches!(&n.kind, Kind::Call(c) if c.recv.is_none() && c.name == "cookies"))
}

/// Whether a method's name says that it stops who may not.
pub fn guards(name: &str) -> bool {
    let prefix = [
        "require_",
        "ensure_",
        "check_",
        "verify_",
        "enforce_",
        "validate_",
        "restrict_",
        "deny_",
        "redirect_unless_",
        "only_",
        "must_",
        "assert_",
        "forbid_",
        "block_",
        "prevent_",
        "load_and_",
        "find_and_",
        "protect_",
    ]
    .iter()
    .any(|p| name.starts_with(p));
    let word = [
        "admin",
        "owner",
        "permission",
        "role",
        "member",
        "access",
        "authoriz",
        "authoris",
        "staff",
        "moderator",
        "allowed",
        "privilege",
        "editor",
        "organizer",
        "manager",
        "visible",
        "auditor",
        "author",
        "banned",
        "suspended",
        "feature",
        "can_",
        "_can",
        "able",
    ]
    .iter()
    .any(|w| name.contains(w));
    prefix && word
        || name.starts_with("authorize")
        || name.starts_with("authorise")
        || (name.ends_with("_required") || name.ends_with("_required!"))
            && !name.contains("login")
            && !name.contains("user")
            && !name.contains("authentication")
        || name.ends_with("_only") && !name.contains("users") && !name.contains("logged")
}

/// Whether a method's name says that it stops strangers.
pub fn asks_who(name: &str) -> bool {
    let stops = [
        "require",
        "ensure",
        "check",
        "verify",
        "must",
        "authenticate",
        "redirect",
        "force",
        "restrict",
        "only",
    ]
    .iter()
    .any(|p| name.contains(p));
    name.starts_with("authenticate")
        || name == "doorkeeper_authorize!"
        || stops
            && [
                "login", "logged", "user", "signed", "session", "auth", "account", "token", "sign_in",
                "member",
            ]
            .iter()
            .any(|w| name.contains(w))
}

/// When a call of some name decides whether the caller may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Never,
    Always,
    /// A method of its own: `require_owner`.
    Bare,
    /// The user who asks is the receiver or an argument: `post.author == current_user`.
    OfUser,
    /// The user who asks is an argument: `members.include?(current_user)`.
    WithUser,
    /// It raises what says that the caller may not.
    Raises,
    /// It answers that the caller may not.
    Forbids,
}

impl Decision {
    fn of(name: &str) -> Decision {
        match name {
            "authorize!"
            | "authorize"
            | "policy_scope"
            | "policy_scope!"
            | "skip_authorization"
            | "skip_policy_scope"
            | "can?"
            | "cannot?"
            | "allowed_to?"
            | "authorized?"
            | "permitted_to?"
            | "has_permission_to?"
            | "accessible_by"
            | "has_role?"
            | "is_admin?"
            | "access_denied"
            | "deny_access"
            | "render_403"
            | "render_404"
            | "forbidden"
            | "forbidden!"
            | "not_authorized"
            | "access_denied!"
            | "render_forbidden"
            | "permission_denied"
            | "policy"
            | "not_found!"
            | "e404"
            | "access_by?"
            | "user_not_authorized"
            | "current_ability" => return Decision::Always,
            "==" | "!=" => return Decision::OfUser,
            "raise" => return Decision::Raises,
            "head" | "render" | "halt" | "error!" | "render_error" => return Decision::Forbids,
            _ => {}
        }
        if name.starts_with("authorize") || name.starts_with("authorise") {
            return Decision::Always;
        }
        if let Some(asked) = name.strip_suffix('?') {
            let named = asked.starts_with("can_")
                || asked.starts_with("may_")
                || asked.ends_with("able_by")
                || [
                    "visible",
                    "admin",
                    "owner",
                    "owned",
                    "permission",
                    "allowed",
                    "authoriz",
                    "authoris",
                    "permitted",
                    "moderator",
                    "superuser",
                    "staff",
                    "privilege",
                    "accessible",
                    "editable",
                    "deletable",
                    "destroyable",
                    "viewable",
                    "has_role",
                    "is_owner",
                    "member_of",
                    "organizer",
                    "manager",
                    "can_",
                    "editor",
                    "belongs_to",
                    "has_access",
                    "author_of",
                    "reader_at_least",
                ]
                .iter()
                .any(|w| asked.contains(w));
            if named {
                return Decision::Always;
            }
            if asked.ends_with("_by") || matches!(asked, "owns" | "member" | "role" | "eql" | "equal") {
                return Decision::OfUser;
            }
            if asked == "include" {
                return Decision::WithUser;
            }
        }
        if guards(name) { Decision::Bare } else { Decision::Never }
    }

    fn made_by(self, call: &Call) -> bool {
        let given = |test: &mut dyn FnMut(&Node) -> bool| call.args.iter().any(|a| any(a, test));
        match self {
            Decision::Never => false,
            Decision::Always => true,
            Decision::Bare => call.recv.is_none(),
            Decision::OfUser if matches!(call.name.as_str(), "==" | "!=") && compares_with_nothing(call) => {
                false
            }
            Decision::OfUser => given(&mut is_user) || call.recv.as_ref().is_some_and(mentions_user),
            Decision::WithUser => given(&mut is_user),
            Decision::Raises => {
                given(&mut |n| constant(n).is_some_and(|class| REFUSALS.iter().any(|w| class.contains(w))))
            }
            Decision::Forbids => given(&mut |n| {
                matches!(&n.kind, Kind::Sym(s) if *s == "forbidden") || matches!(n.kind, Kind::Int(403))
            }),
        }
    }
}

/// Words in the names of errors which say that the caller may not.
const REFUSALS: &[&str] = &[
    "NotAuthorized",
    "Unauthorized",
    "Forbidden",
    "AccessDenied",
    "NotPermitted",
    "PermissionDenied",
    "Denied",
    "RecordNotFound",
    "NotFound",
];

/// A body that is `true` and nothing else.
fn answers_yes(body: &Node) -> bool {
    match &body.kind {
        Kind::True => true,
        Kind::Seq(nodes) => matches!(nodes.as_slice(), [only] if answers_yes(only)),
        Kind::Return(Some(value)) => answers_yes(value),
        _ => false,
    }
}

/// `current_user != nil`, `current_user == :false`: asks whether anybody is signed in, not who.
fn compares_with_nothing(call: &Call) -> bool {
    let sides = || call.recv.iter().chain(call.args.iter());
    let nothing =
        |n: &Node| matches!(n.kind, Kind::Nil | Kind::False | Kind::True | Kind::Sym(_) | Kind::Str(_));
    sides().any(|n| matches!(n.kind, Kind::Nil)) || sides().any(is_user) && sides().any(nothing)
}

/// Calls that send the caller away: what was asked before says why.
fn refusal(name: &str) -> bool {
    matches!(
        name,
        "access_denied"
            | "access_denied!"
            | "deny_access"
            | "render_403"
            | "render_404"
            | "forbidden"
            | "forbidden!"
            | "not_authorized"
            | "render_forbidden"
            | "permission_denied"
            | "not_found!"
            | "e404"
            | "user_not_authorized"
            | "raise"
            | "head"
            | "render"
            | "halt"
            | "error!"
            | "render_error"
    )
}

/// Whether a call decides whether the caller may.
pub fn decides(call: &Call) -> bool {
    Decision::of(&call.name).made_by(call)
}

/// Methods that start a new session.
pub const RENEWALS: &[&str] = &["reset_session", "sign_in", "sign_in_and_redirect", "warden", "auto_login"];

/// What a call's name alone says: most names say nothing, and then the call needs no closer look.
#[derive(Clone, Copy)]
struct Words {
    decision: Decision,
    user: bool,
    token: bool,
    writes: bool,
    session: bool,
    resets: bool,
}

impl Words {
    fn of(name: &str) -> Words {
        Words {
            decision: Decision::of(name),
            user: name.starts_with("current")
                || name.contains("_current_user")
                || USER_METHODS.contains(&name)
                || CURRENT_METHODS.contains(&name),
            token: TOKEN_LOOKUPS.contains(&name) || names_token(name),
            writes: WRITES.contains(&name),
            session: matches!(name, "session" | "cookies"),
            resets: RENEWALS.contains(&name),
        }
    }
}

/// Methods of a record that change it.
const WRITES: &[&str] = &[
    "save",
    "save!",
    "update",
    "update!",
    "update_attributes",
    "update_attributes!",
    "update_attribute",
    "update_column",
    "update_columns",
    "destroy",
    "destroy!",
    "delete",
    "delete!",
    "create",
    "create!",
    "toggle!",
    "increment!",
    "decrement!",
    "update_all",
    "delete_all",
    "destroy_all",
    "soft_delete",
    "soft_delete!",
    "soft_destroy",
    "discard",
    "discard!",
    "insert_all",
    "upsert",
];

/// Whether a method of this name changes a record.
pub fn writes_by_name(name: &str) -> bool {
    WRITES.contains(&name)
}

/// Whether a call changes a record: `save` and its kin on something that is no hash, file or session.
pub fn writes(call: &Call) -> bool {
    let name = call.name.as_str();
    if !WRITES.contains(&name) {
        return false;
    }
    let Some(recv) = &call.recv else { return false };
    match &recv.kind {
        Kind::Const(path) => {
            !matches!(
                path.last().map_or("", |l| l.as_str()),
                "File"
                    | "FileUtils"
                    | "Rails"
                    | "Dir"
                    | "Redis"
                    | "Net"
                    | "HTTP"
                    | "HTTParty"
                    | "Faraday"
                    | "RestClient"
                    | "Digest"
                    | "Session"
                    | "Hash"
                    | "Set"
                    | "Tempfile"
            ) && !(name == "update" || name == "delete")
                | path.last().is_some_and(|l| !l.chars().all(|c| c.is_uppercase() || c == '_'))
        }
        Kind::Call(inner) => {
            let of = inner.name.as_str();
            // `params.delete`, `session.delete`, `hash.update(…)`, `cookies.delete`
            !(matches!(
                of,
                "params"
                    | "session"
                    | "cookies"
                    | "headers"
                    | "flash"
                    | "cache"
                    | "env"
                    | "options"
                    | "to_h"
                    | "dup"
                    | "to_hash"
                    | "split"
                    | "merge"
                    | "redis"
                    | "signed"
                    | "permanent"
                    | "request"
                    | "query_parameters"
                    | "user_session"
                    | "errors"
                    | "logger"
                    | "cattr"
                    | "hexdigest"
                    | "digest"
                    | "[]"
            ) || of.ends_with("_params")
                || of.ends_with("_options")
                || of.ends_with("_hash")
                || of.ends_with("_attributes")
                || of.ends_with("_cookies"))
        }
        Kind::Local(local) => {
            let bare = local.as_str();
            let plain = [
                "params",
                "hash",
                "opts",
                "options",
                "attrs",
                "attributes",
                "args",
                "query",
                "data",
                "h",
                "list",
                "array",
                "str",
                "string",
                "digest",
                "sha",
                "md5",
                "hmac",
                "cipher",
                "ids",
                "headers",
                "result",
                "file",
                "json",
                "uri",
                "session",
                "set",
                "filters",
                "parameters",
                "config",
                "env",
            ];
            !(matches!(name, "delete" | "update" | "delete_all")
                && (plain.contains(&bare)
                    || bare.ends_with("_params")
                    || bare.ends_with("_hash")
                    || bare.ends_with("_ids")
                    || bare.ends_with("_attributes")
                    || bare.ends_with("s")))
        }
        Kind::Ivar(_) => !matches!(name, "delete" | "update") || name == "update" && !call.args.is_empty(),
        _ => false,
    }
}

/// The keyword of a call's last hash.
pub fn keyword<'a>(call: &'a Call, wanted: &str) -> Option<&'a Node> {
    let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() else { return None };
    pairs.iter().find(|p| literal_name(&p.key).is_some_and(|k| k == wanted)).map(|p| &p.value)
}

/// The last name of a constant, where a node is one.
pub fn constant(node: &Node) -> Option<Name> {
    match &node.kind {
        Kind::Const(path) => path.last().copied(),
        _ => None,
    }
}
