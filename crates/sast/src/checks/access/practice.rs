//! What an application itself does about access: which of its calls decide who may, who asks, what a
//! method does beside. The checks of this family measure an action against its siblings, so they
//! all read the application the same way here.

mod words;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use wardroom_model::{Endpoint, FilterRole, Verb};
use wardroom_rails::{App, Controller, FilterDeclaration, MethodId, Timing};
use wardroom_ruby::ir::{Call, Kind, Name, Node};
use wardroom_ruby::walk;

use super::condition::switched_off;
use words::{Decision, Words, asks_token, refusal};
pub use words::{
    RENEWALS, any, asks_who, constant, decides, guards, is_params, is_tenant, is_user, keyword,
    mentions_user, reads_params, writes, writes_by_name,
};

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
        walk::each(body, &mut |node| {
            match &node.kind {
                Kind::Super(_) => facts.calls_super = true,
                Kind::Call(call) => {
                    let says = self.says(call.name);
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

    /// What a name says, read once.
    fn says(&self, name: Name) -> Words {
        *self.words.borrow_mut().entry(name).or_insert_with(|| self.words_of(name))
    }

    /// [`guards`], looked up.
    pub fn guards(&self, name: Name) -> bool {
        self.says(name).guards
    }

    /// [`asks_who`], looked up.
    pub fn asks_who(&self, name: Name) -> bool {
        self.says(name).asks_who
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
            || filter.name.is_some_and(|n| self.guards(n))
            || filter.block.is_some_and(|b| !self.read(&b.body).decisions.is_empty())
            || filter.name.and_then(|n| Some((n, self.find(class, n)?))).is_some_and(|(n, m)| {
                // `login_required` sends strangers away: that is no decision between users.
                let says = self.says(n);
                let who = says.asks_who && !says.guards;
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
            let says = self.says(name);
            return says.guards
                || says.asks_who
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

/// A body that is `true` and nothing else.
fn answers_yes(body: &Node) -> bool {
    match &body.kind {
        Kind::True => true,
        Kind::Seq(nodes) => matches!(nodes.as_slice(), [only] if answers_yes(only)),
        Kind::Return(Some(value)) => answers_yes(value),
        _ => false,
    }
}
