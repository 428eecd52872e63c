//! Which record an expression stands for, as far as names and the statements near by tell: for checks
//! that ask what a page or an answer shows.

use wardroom_rails::{FileId, MethodId, literal_name};
use wardroom_ruby::ir::{Kind, Name, Node, Span};
use wardroom_ruby::walk;

use crate::context::Context;

/// How deep expressions are followed.
const DEPTH: u32 = 8;

/// A model, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The model's class.
    pub class: Name,
    /// Only a name says so.
    pub guessed: bool,
    /// It is the one who asks.
    pub own: bool,
}

/// Where an expression stands.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// Its file.
    pub file: FileId,
    /// The method around it.
    pub method: Option<MethodId>,
    /// The class around it.
    pub class: Name,
}

/// Finds what stands around a place.
pub fn site(context: &Context<'_, '_>, file: FileId, span: Span) -> Site {
    let index = &context.app.index;
    let from = index.methods.partition_point(|m| m.file < file);
    let mut method: Option<MethodId> = None;
    for (number, candidate) in index.methods.iter().enumerate().skip(from) {
        if candidate.file != file {
            break;
        }
        let tighter = method.is_none_or(|m| {
            index.method(m).span.end - index.method(m).span.start >= candidate.span.end - candidate.span.start
        });
        if candidate.span.start <= span.start && span.end <= candidate.span.end && tighter {
            method = Some(MethodId(number as u32));
        }
    }
    let class = method.map_or_else(|| Name::from(""), |m| index.method(m).owner);
    Site { file, method, class }
}

/// Methods of a model or relation that give records of the same model.
const SAME: &[&str] = &[
    "all",
    "where",
    "find",
    "find_by",
    "find_by!",
    "first",
    "last",
    "first!",
    "last!",
    "order",
    "reorder",
    "limit",
    "offset",
    "includes",
    "joins",
    "left_joins",
    "preload",
    "eager_load",
    "references",
    "create",
    "create!",
    "new",
    "build",
    "find_or_create_by",
    "find_or_create_by!",
    "find_or_initialize_by",
    "page",
    "per",
    "paginate",
    "unscoped",
    "not",
    "or",
    "merge",
    "distinct",
    "lock",
    "to_a",
    "reload",
    "presence",
    "tap",
    "take",
    "sole",
    "rewhere",
    "with_deleted",
    "with_discarded",
    "kept",
    "friendly",
    "dup",
    "load",
    "sort_by",
    "reverse",
    "accessible_by",
    "uniq",
    "compact",
    "itself",
    "find_each",
    "authenticate",
];

/// The model that an expression's value is a record, or records, of.
pub fn of(context: &Context<'_, '_>, site: Site, node: &Node) -> Option<Record> {
    typed(context, site, node, 0)
}

fn typed(context: &Context<'_, '_>, site: Site, node: &Node, depth: u32) -> Option<Record> {
    if depth > DEPTH {
        return None;
    }
    let app = context.app;
    let deeper = |node: &Node| typed(context, site, node, depth + 1);
    let named =
        |name: &str| app.by_name.get(name).map(|(class, _)| Record { class, guessed: true, own: false });
    match &node.kind {
        Kind::Local(name) | Kind::Ivar(name) => {
            if let Some(values) = site
                .method
                .map(|m| values(app.index.method(m).body, *name, node.span))
                .filter(|v| !v.is_empty())
            {
                // What is written in several ways has to agree.
                let found: Option<Vec<Record>> = values.into_iter().map(deeper).collect();
                let found = found?;
                let first = *found.first()?;
                return found.iter().all(|f| f.class == first.class).then_some(first);
            }
            if matches!(node.kind, Kind::Ivar(_)) {
                for ancestor in app.index.ancestors(site.class) {
                    let Some(class) = app.index.class(*ancestor) else { continue };
                    let mut methods: Vec<MethodId> = class.methods.values().copied().collect();
                    methods.sort();
                    for id in methods {
                        let method = app.index.method(id);
                        let found = values(method.body, *name, Span { start: u32::MAX, end: u32::MAX });
                        let at = Site { file: method.file, method: Some(id), class: site.class };
                        if let Some(found) = found.into_iter().find_map(|v| typed(context, at, v, depth + 1))
                        {
                            return Some(found);
                        }
                    }
                }
            }
            named(name)
        }
        Kind::Or(sides) => deeper(&sides.0).or_else(|| deeper(&sides.1)),
        Kind::And(sides) => deeper(&sides.1),
        Kind::Assign(assign) => deeper(&assign.value),
        Kind::Seq(items) => deeper(items.last()?),
        Kind::Return(Some(value)) => deeper(value),
        Kind::If(branch) => deeper(&branch.then).or_else(|| deeper(&branch.otherwise)),
        Kind::Begin(begin) => deeper(&begin.body),
        Kind::Call(call) => {
            let name = call.name.as_str();
            let Some(recv) = &call.recv else {
                if name.starts_with("current_") && call.args.is_empty() {
                    return named(name).map(|r| Record { own: true, guessed: false, ..r });
                }
                if matches!(name, "policy_scope" | "authorize" | "paginate" | "pagy_array" | "decorate") {
                    return deeper(call.args.first()?);
                }
                if let Some(id) = app.index.find(site.class, call.name) {
                    let method = app.index.method(id);
                    let at = Site { file: method.file, method: Some(id), class: site.class };
                    return typed(context, at, method.body, depth + 2);
                }
                return (call.bare && context.file(site.file).is_template()).then(|| named(name)).flatten();
            };
            if let Kind::Const(path) = &recv.kind {
                let class = app.index.resolve(
                    wardroom_rails::path_name(path),
                    app.index.class(site.class).map_or(&[], |c| c.nesting.as_slice()),
                );
                if matches!(name, "user" | "account") && class == "Current" {
                    return named(name).map(|r| Record { own: true, guessed: false, ..r });
                }
                app.models.get(&class)?;
                let scope = || {
                    app.index.find_singleton(class, call.name).is_some_and(|id| {
                        // A scope, or a method that the model itself ends in a query.
                        let method = app.index.method(id);
                        query(method.body)
                    })
                };
                return (SAME.contains(&name) || name.starts_with("find_by_") || scope()).then_some(Record {
                    class,
                    guessed: false,
                    own: false,
                });
            }
            let of = deeper(recv)?;
            if SAME.contains(&name) || name.starts_with("find_by_") {
                return Some(of);
            }
            if !call.args.is_empty() {
                return None;
            }
            let association = app.models.get(&of.class)?.associations.get(&call.name)?;
            app.models.contains_key(&association.class).then_some(Record {
                class: association.class,
                guessed: of.guessed,
                own: of.own,
            })
        }
        _ => None,
    }
}

/// Whether a body ends in a query on its own class.
fn query(body: &Node) -> bool {
    match &body.kind {
        Kind::Seq(items) => items.last().is_some_and(query),
        Kind::Call(call) => match &call.recv {
            None => SAME.contains(&call.name.as_str()),
            Some(recv) => {
                SAME.contains(&call.name.as_str()) && (query(recv) || matches!(recv.kind, Kind::SelfRef))
            }
        },
        Kind::Lambda(block) => query(&block.body),
        _ => false,
    }
}

/// What a body assigns to a variable before a place.
fn values(body: &Node, name: Name, before: Span) -> Vec<&Node> {
    let mut out = Vec::new();
    walk::each(body, &mut |node| {
        if let Kind::Assign(assign) = &node.kind
            && matches!(&assign.target.kind, Kind::Local(n) | Kind::Ivar(n) if *n == name)
            && node.span.start < before.start
            && !matches!(assign.value.kind, Kind::Nil)
        {
            out.push(&assign.value);
        }
        true
    });
    out
}

/// A keyword of a call, by any of its names.
pub fn has_keyword(node: Option<&Node>, names: &[&str]) -> bool {
    let Some(Node { kind: Kind::Hash(pairs), .. }) = node else { return false };
    pairs.iter().any(|p| literal_name(&p.key).is_some_and(|k| names.contains(&k.as_str())))
}
