//! One repository's ways in, joined with what is open on them.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use wardroom_desk::index::{Branch, Shape};
use wardroom_desk::query::{Query, exactly};
use wardroom_desk::{Index, Millis, Viewer};
use wardroom_model::{FilterRole, Severity, Verb};

use super::{Asked, term};
use crate::pages::list::address;

/// Up to so many endpoints, all are in the page; beyond, those of the controller that is asked for.
const EAGER: u64 = 400;
/// Handlers with findings that are looked at: more than any application has.
const HANDLERS: usize = 100_000;
/// Controllers that stand open at first.
const UNFOLDED: usize = 6;

/// How many findings of one severity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    pub severity: String,
    pub count: u64,
    pub href: String,
}

/// What stands before a handler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    pub name: String,
    /// `sign-in`, `rights` or `forgery`.
    pub word: &'static str,
    /// It runs under a condition that the code does not tell.
    pub sometimes: bool,
}

/// A way in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    pub verb: String,
    pub writes: bool,
    pub path: String,
    pub handler: String,
    /// The part of the handler behind the controller, with its `#`.
    pub action: String,
    pub place: String,
    pub parameters: Vec<String>,
    pub guards: Vec<Guard>,
    pub signed_in: bool,
    pub checked: bool,
    pub open: Vec<Open>,
}

/// Ways into one controller.
#[derive(Clone, Debug, Default)]
pub struct Controller {
    pub name: String,
    /// All that are asked for.
    pub all: Vec<Way>,
    /// They are in the page.
    pub shown: bool,
    pub unfolded: bool,
    /// The page with them.
    pub href: String,
    /// What is open on any of them.
    pub open: Vec<Open>,
    /// How many are without sign-in.
    pub public: u64,
}

/// One repository.
#[derive(Clone, Debug, Default)]
pub struct Map {
    pub repository: String,
    pub href: String,
    /// A scan has told of its endpoints.
    pub scanned: bool,
    pub controllers: Vec<Controller>,
    /// All endpoints, and those that are asked for.
    pub total: u64,
    pub shown: u64,
    pub with_open: u64,
    pub public: u64,
    pub public_writes: u64,
    pub open_href: String,
    pub public_href: String,
    /// Findings that are open, and those of them that no request reaches as far as is known.
    pub findings: u64,
    pub findings_href: String,
    pub elsewhere: u64,
    pub elsewhere_href: String,
    /// Findings on handlers that the last scan did not see.
    pub stale: u64,
}

impl Map {
    /// Joins what a scan saw with what is open.
    pub fn new(
        index: &Index,
        eyes: &Viewer,
        repository: &str,
        surface: &Value,
        asked: &Asked,
        now: Millis,
    ) -> Map {
        let (query, _) = Query::parse("kind:finding is:open");
        let query = query.with(&term(repository));
        let found = index.find(&query, eyes, now);
        let tree = index.rollup(&found, &["handler", "severity"], HANDLERS).unwrap_or_default();
        let mut by_handler: HashMap<String, Vec<Open>> = HashMap::new();
        let mut elsewhere = 0;
        for branch in tree.below {
            if branch.value.is_empty() {
                elsewhere = branch.count;
                continue;
            }
            let query = query.with(&exactly(Shape::Word, "handler", &branch.value));
            let open = severities(&query, &branch);
            by_handler.insert(branch.value, open);
        }
        let list = surface.as_array();
        let ways: Vec<Way> =
            list.into_iter().flatten().map(|e| way(e, &by_handler)).filter(|w| !w.path.is_empty()).collect();
        let count = |holds: &dyn Fn(&Way) -> bool| ways.iter().filter(|w| holds(w)).count() as u64;
        let (with_open, public) = (count(&|w| !w.open.is_empty()), count(&|w| !w.signed_in));
        let public_writes = count(&|w| !w.signed_in && w.writes);
        let total = ways.len() as u64;
        let on_ways: u64 = {
            let mut handlers: Vec<&str> = ways.iter().map(|w| w.handler.as_str()).collect();
            handlers.sort_unstable();
            handlers.dedup();
            handlers.iter().filter_map(|h| by_handler.get(*h)).flatten().map(|o| o.count).sum()
        };
        let here = Asked { repository: repository.to_owned(), controller: String::new(), ..asked.clone() };
        let bare = here.bare();
        let mut map = Map {
            repository: repository.to_owned(),
            href: bare.address("/surface"),
            scanned: list.is_some(),
            total,
            with_open,
            public,
            public_writes,
            open_href: Asked { open: true, ..bare.clone() }.address("/surface"),
            public_href: Asked { public: true, ..bare }.address("/surface"),
            findings: tree.count,
            findings_href: address("/queue", &query),
            elsewhere,
            elsewhere_href: address("/queue", &query.with("no:handler")),
            stale: tree.count - elsewhere - on_ways.min(tree.count - elsewhere),
            ..Map::default()
        };
        map.fill(ways, asked, &here);
        map
    }

    fn fill(&mut self, ways: Vec<Way>, asked: &Asked, here: &Asked) {
        let words: Vec<String> = asked.q.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let mut by_name: BTreeMap<String, Vec<Way>> = BTreeMap::new();
        for way in ways.into_iter().filter(|w| wanted(w, asked, &words)) {
            let name = way.handler.split('#').next().unwrap_or_default().to_owned();
            by_name.entry(name).or_default().push(way);
            self.shown += 1;
        }
        let lazy = self.shown > EAGER;
        let mut controllers: Vec<Controller> = by_name
            .into_iter()
            .map(|(name, all)| {
                let chosen = name == asked.controller;
                Controller {
                    href: Asked { controller: name.clone(), ..here.clone() }.address("/surface") + "#controller",
                    open: together(&all),
                    public: all.iter().filter(|w| !w.signed_in).count() as u64,
                    shown: !lazy || chosen,
                    unfolded: chosen,
                    all,
                    name,
                }
            })
            .collect();
        // What is worst stands first; names decide between equals.
        controllers.sort_by(|a, b| weight(&b.open).cmp(&weight(&a.open)).then_with(|| a.name.cmp(&b.name)));
        if !lazy {
            // A filter leaves what was looked for; otherwise the first few that have something.
            let filtered = asked.filtered() && self.shown <= 60;
            for (at, controller) in controllers.iter_mut().enumerate() {
                controller.unfolded |= filtered || (at < UNFOLDED && !controller.open.is_empty());
            }
        }
        self.controllers = controllers;
    }
}

/// The counts of a branch's severities, worst first, with the search for each.
pub fn severities(query: &Query, branch: &Branch) -> Vec<Open> {
    let mut below: Vec<&Branch> = branch.below.iter().collect();
    below.sort_by_key(|b| std::cmp::Reverse(b.value.parse::<Severity>().ok()));
    let open = |b: &Branch| {
        let term = if b.value.is_empty() { "no:severity".to_owned() } else { format!("severity:{}", b.value) };
        let severity = if b.value.is_empty() { "info".to_owned() } else { b.value.clone() };
        Open { severity, count: b.count, href: address("/queue", &query.with(&term)) }
    };
    below.into_iter().map(open).collect()
}

/// What is open on any of some ways, each handler once: several ways may lead to one.
fn together(ways: &[Way]) -> Vec<Open> {
    let mut handlers: Vec<&str> = Vec::new();
    let mut counts: BTreeMap<Option<Severity>, (String, u64)> = BTreeMap::new();
    for way in ways.iter().filter(|w| !w.open.is_empty()) {
        if handlers.contains(&way.handler.as_str()) {
            continue;
        }
        handlers.push(&way.handler);
        for open in &way.open {
            let entry = counts.entry(open.severity.parse().ok()).or_insert_with(|| (open.severity.clone(), 0));
            entry.1 += open.count;
        }
    }
    let open = |(severity, count)| Open { severity, count, href: String::new() };
    counts.into_values().rev().map(open).collect()
}

fn weight(open: &[Open]) -> Option<(Option<Severity>, u64)> {
    open.first().map(|o| (o.severity.parse().ok(), o.count))
}

fn wanted(way: &Way, asked: &Asked, words: &[String]) -> bool {
    let text = || {
        let guards = way.guards.iter().map(|g| g.name.as_str()).collect::<Vec<_>>().join(" ");
        format!("{} {} {} {} {guards}", way.verb, way.path, way.handler, way.parameters.join(" ")).to_lowercase()
    };
    (!asked.open || !way.open.is_empty())
        && (!asked.public || !way.signed_in)
        && (!asked.writes || way.writes)
        && (!asked.unchecked || !way.checked)
        && (words.is_empty() || {
            let text = text();
            words.iter().all(|w| text.contains(w.as_str()))
        })
}

/// An endpoint as a scan reports it. What is missing or of another form is left out.
fn way(endpoint: &Value, by_handler: &HashMap<String, Vec<Open>>) -> Way {
    let text = |name: &str| endpoint.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let flag = |name: &str| endpoint.get(name).and_then(Value::as_bool).unwrap_or(false);
    let list = |name: &str| endpoint.get(name).and_then(Value::as_array).into_iter().flatten();
    let guards = list("filters").filter_map(|f| {
        let role: FilterRole = serde_json::from_value(f.get("role")?.clone()).ok()?;
        let word = match role {
            FilterRole::Authentication => "sign-in",
            FilterRole::Authorization => "rights",
            FilterRole::Csrf => "forgery",
            FilterRole::Other => return None,
        };
        let sometimes = f.get("conditional").and_then(Value::as_bool).unwrap_or(false);
        Some(Guard { name: f.get("name")?.as_str()?.to_owned(), word, sometimes })
    });
    let verb = text("method");
    let handler = text("handler");
    let place = endpoint.get("action").filter(|a| !a.is_null()).or_else(|| endpoint.get("route"));
    let file = place.and_then(|p| p.get("file")).and_then(Value::as_str).unwrap_or_default();
    let line = place.and_then(|p| p.pointer("/start/line")).and_then(Value::as_u64);
    Way {
        writes: !matches!(Verb::parse(&verb), Some(Verb::Get | Verb::Head | Verb::Options)),
        path: text("path"),
        action: handler.split_once('#').map_or(String::new(), |(_, action)| format!("#{action}")),
        place: line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")),
        parameters: list("parameters").filter_map(Value::as_str).map(str::to_owned).collect(),
        guards: guards.collect(),
        signed_in: flag("authenticated"),
        checked: flag("authorized"),
        open: by_handler.get(&handler).cloned().unwrap_or_default(),
        verb,
        handler,
    }
}
