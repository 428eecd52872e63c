//! Controllers: their actions, and the filters that run in front of each.

use rustc_hash::FxHashMap;
use wardroom_model::FilterRole;
use wardroom_ruby::ir::*;

use crate::files::FileId;
use crate::index::{Index, Macro, MethodId, Visibility, literal_name};
use crate::inflect::underscore;

/// One controller.
#[derive(Debug)]
pub struct Controller<'a> {
    /// Its full name.
    pub class: Name,
    /// As routes and views name it: `admin/users`.
    pub path: String,
    /// Its public methods, inherited ones included; not those of the framework.
    pub actions: FxHashMap<Name, MethodId>,
    /// Filter declarations in the order in which they were made, skips included.
    pub filters: Vec<FilterDeclaration<'a>>,
}

/// One `before_action` and its kin.
#[derive(Clone, Debug)]
pub struct FilterDeclaration<'a> {
    /// The method; `None` for a block or an object.
    pub name: Option<Name>,
    /// The block, where it has one.
    pub block: Option<&'a Block>,
    /// When it runs.
    pub timing: Timing,
    /// It takes the named filter away.
    pub skip: bool,
    /// Only for these actions.
    pub only: Option<Vec<Name>>,
    /// Not for these actions.
    pub except: Vec<Name>,
    /// `if:` or `unless:` decides.
    pub conditional: bool,
    /// What decides.
    pub conditions: Vec<Condition<'a>>,
    /// What it is for.
    pub role: FilterRole,
    /// Where it is declared.
    pub file: FileId,
    /// The declaration.
    pub span: Span,
    /// The call that declares it.
    pub call: &'a Call,
}

/// One `if:` or `unless:` of a filter.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'a> {
    /// `unless:`: the filter runs where it does not hold.
    pub unless: bool,
    /// As it is written: a symbol, a lambda.
    pub node: &'a Node,
    /// What is asked in the end: the statements of the method, the lambda or the proc.
    pub body: Option<&'a Node>,
    /// The method that a symbol names.
    pub method: Option<MethodId>,
}

impl Condition<'_> {
    /// Whether it lets the filter run always (`true`) or never (`false`), where the code says so.
    pub fn fixed(&self) -> Option<bool> {
        let holds = match &single(self.body?).kind {
            Kind::True => true,
            Kind::False | Kind::Nil => false,
            _ => return None,
        };
        Some(holds != self.unless)
    }
}

/// The one statement of a body; a body of several as it is.
fn single(node: &Node) -> &Node {
    match &node.kind {
        Kind::Seq(items) if items.len() == 1 => single(&items[0]),
        Kind::Return(Some(value)) => single(value),
        _ => node,
    }
}

/// When a filter runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Before the action.
    Before,
    /// Around it.
    Around,
    /// After it.
    After,
}

/// Names of the classes of the framework from which controllers descend.
const ROOTS: &[&str] = &[
    "ActionController::Base",
    "ActionController::API",
    "ActionController::Metal",
    "ApplicationController",
    "ActiveStorage::BaseController",
    "DeviseController",
];

/// Finds every controller.
pub fn find<'a>(index: &Index<'a>) -> FxHashMap<Name, Controller<'a>> {
    let mut controllers = FxHashMap::default();
    for class in index.classes.values() {
        if class.module || class.name.is_empty() {
            continue;
        }
        let ancestors = index.ancestors(class.name);
        let descends = ancestors.iter().any(|a| ROOTS.contains(&a.as_str()));
        if !descends && !class.name.ends_with("Controller") {
            continue;
        }
        let mut actions = FxHashMap::default();
        for ancestor in ancestors {
            // What every controller inherits from the application's base is no action of its own.
            if ancestor.ends_with("ApplicationController") && *ancestor != class.name {
                continue;
            }
            let Some(ancestor) = index.class(*ancestor) else { continue };
            for (name, id) in &ancestor.methods {
                if index.method(*id).visibility == Visibility::Public {
                    actions.entry(*name).or_insert(*id);
                }
            }
        }
        let filters = index
            .macros(class.name)
            .into_iter()
            .flat_map(|m| declarations(index, m, class.name, &class.nesting))
            .collect();
        let path = underscore(class.name.strip_suffix("Controller").unwrap_or(&class.name));
        controllers.insert(class.name, Controller { class: class.name, path, actions, filters });
    }
    controllers
}

impl<'a> Controller<'a> {
    /// The filters that run for an action, in order, after skips.
    pub fn filters_for(&self, action: Name) -> Vec<&FilterDeclaration<'a>> {
        let mut active: Vec<&FilterDeclaration<'a>> = Vec::new();
        for filter in &self.filters {
            if !filter.applies(action) {
                continue;
            }
            if !filter.skip {
                // Declaring a filter again moves and replaces it.
                if filter.name.is_some() {
                    active.retain(|f| f.name != filter.name || f.timing != filter.timing);
                }
                active.push(filter);
            } else if !filter.conditional {
                active.retain(|f| f.name != filter.name || f.name.is_none());
            }
        }
        active
    }
}

impl FilterDeclaration<'_> {
    /// Whether its `only` and `except` let it run for an action.
    pub fn applies(&self, action: Name) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&action)) && !self.except.contains(&action)
    }
}

fn declarations<'a>(
    index: &Index<'a>,
    declared: Macro<'a>,
    class: Name,
    nesting: &[Name],
) -> Vec<FilterDeclaration<'a>> {
    let call = declared.call;
    if call.recv.is_some() {
        return Vec::new();
    }
    let name = call.name.as_str();
    let (skip, word) = match name.strip_prefix("skip_") {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    let word = word.strip_prefix("prepend_").or_else(|| word.strip_prefix("append_")).unwrap_or(word);
    let timing = match word {
        "before_action" | "before_filter" | "filter" => Timing::Before,
        "around_action" | "around_filter" => Timing::Around,
        "after_action" | "after_filter" => Timing::After,
        "verify_authenticity_token"
        | "protect_from_forgery"
        | "forgery_protection"
        | "load_and_authorize_resource"
        | "authorize_resource"
        | "load_resource"
        | "http_basic_authenticate_with"
        | "allow_unauthenticated_access"
        | "protect_forgery"
        | "doorkeeper_for"
        | "ssl_required"
        | "acts_as_token_authentication_handler_for" => Timing::Before,
        _ => return Vec::new(),
    };
    let mut names: Vec<Name> = call.args.iter().filter_map(literal_name).collect();
    let (mut only, mut except, mut conditions) = (None, Vec::new(), Vec::new());
    if let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() {
        for pair in pairs {
            let Some(key) = literal_name(&pair.key) else { continue };
            match key.as_str() {
                "only" => only = Some(name_list(index, &pair.value, nesting)),
                "except" => except = name_list(index, &pair.value, nesting),
                word @ ("if" | "unless") => {
                    condition(index, class, word == "unless", &pair.value, &mut conditions)
                }
                _ => {}
            }
        }
    }
    // One that never holds leaves nothing of the declaration; one that always does is none.
    if conditions.iter().any(|c| c.fixed() == Some(false)) {
        return Vec::new();
    }
    conditions.retain(|c| c.fixed().is_none());
    let conditional = !conditions.is_empty();
    let declaration = |name: Option<Name>, skip: bool, block: Option<&'a Block>| FilterDeclaration {
        name,
        block,
        timing,
        skip,
        only: only.clone(),
        except: except.clone(),
        conditional,
        conditions: conditions.clone(),
        role: name.map_or(FilterRole::Other, |n| role(&n)),
        file: declared.file,
        span: declared.span,
        call,
    };
    if !word.ends_with("_action") && !word.ends_with("_filter") && word != "filter" {
        // `protect_from_forgery` and the like are filters by their own name.
        if word == "protect_from_forgery" {
            return vec![declaration(Some(Name::from("verify_authenticity_token")), skip, None)];
        }
        if word == "allow_unauthenticated_access" {
            return vec![declaration(Some(Name::from("require_authentication")), true, None)];
        }
        let mut found = declaration(Some(Name::from(word)), skip, None);
        found.role = match word {
            "http_basic_authenticate_with"
            | "doorkeeper_for"
            | "acts_as_token_authentication_handler_for" => FilterRole::Authentication,
            "load_and_authorize_resource" | "authorize_resource" => FilterRole::Authorization,
            _ => role(word),
        };
        return vec![found];
    }
    // `before_action -> { … }`, `before_action SomeFilter.new`
    let lambda = call.args.iter().find_map(|a| match &a.kind {
        Kind::Lambda(block) => Some(&**block),
        Kind::Call(inner) if matches!(inner.name.as_str(), "lambda" | "proc") => inner.block.as_ref(),
        _ => None,
    });
    if names.is_empty() {
        return vec![with_block_role(declaration(None, skip, call.block.as_ref().or(lambda)))];
    }
    names.dedup();
    let mut out: Vec<_> = names.into_iter().map(|n| declaration(Some(n), skip, None)).collect();
    if let Some(block) = call.block.as_ref().or(lambda) {
        out.push(with_block_role(declaration(None, skip, Some(block))));
    }
    out
}

/// Reads what stands behind `if:` or `unless:`; of a list each has to hold.
fn condition<'a>(index: &Index<'a>, class: Name, unless: bool, node: &'a Node, out: &mut Vec<Condition<'a>>) {
    let (body, method) = match &node.kind {
        Kind::Array(items) => {
            items.iter().for_each(|item| condition(index, class, unless, item, out));
            return;
        }
        Kind::Sym(name) => {
            let method = index.find(class, *name);
            (method.map(|id| index.method(id).body), method)
        }
        Kind::Lambda(block) => (Some(&block.body), None),
        Kind::Call(call) if matches!(call.name.as_str(), "lambda" | "proc" | "new") => {
            (call.block.as_ref().map(|b| &b.body), None)
        }
        Kind::True | Kind::False | Kind::Nil => (Some(node), None),
        _ => (None, None),
    };
    out.push(Condition { unless, node, body, method });
}

/// A block's role is that of the most telling call in it.
fn with_block_role(mut filter: FilterDeclaration<'_>) -> FilterDeclaration<'_> {
    if let Some(block) = filter.block {
        wardroom_ruby::walk::each(&block.body, &mut |n| {
            if let Kind::Call(call) = &n.kind {
                let found = role(&call.name);
                if found != FilterRole::Other && filter.role == FilterRole::Other {
                    filter.role = found;
                }
            }
            true
        });
    }
    filter
}

fn name_list(index: &Index<'_>, node: &Node, nesting: &[Name]) -> Vec<Name> {
    match &node.kind {
        Kind::Array(items) => items.iter().flat_map(|i| name_list(index, i, nesting)).collect(),
        Kind::Splat(inner) => name_list(index, inner, nesting),
        Kind::Call(call) => {
            // `%w(a b) + OTHERS`, `[:a].freeze`
            call.recv.iter().chain(&call.args).flat_map(|n| name_list(index, n, nesting)).collect()
        }
        Kind::Const(path) => {
            index.constant(path, nesting).map_or_else(Vec::new, |(value, _)| match &value.kind {
                Kind::Const(_) => Vec::new(),
                _ => name_list(index, value, nesting),
            })
        }
        _ => literal_name(node).into_iter().collect(),
    }
}

/// What a filter is for, by its name.
pub fn role(name: &str) -> FilterRole {
    let any = |words: &[&str]| words.iter().any(|w| name.contains(w));
    if any(&["verify_authenticity_token", "forgery"]) {
        FilterRole::Csrf
    } else if any(&[
        "authoriz",
        "authoris",
        "permission",
        "require_admin",
        "admin_required",
        "admin_only",
        "is_admin",
        "check_admin",
        "ensure_admin",
        "verify_admin",
        "access",
        "owner",
        "can_",
        "allowed",
        "policy",
        "restrict",
        "privilege",
        "users_only",
        "_only",
        "enforce_",
        "role",
        "moderator",
        "staff",
        "verify_membership",
        "require_member",
        "team_member",
        "scoped",
        "forbid",
        "capability",
    ]) {
        FilterRole::Authorization
    } else if any(&[
        "authenticat",
        "login",
        "log_in",
        "logged_in",
        "signed_in",
        "sign_in",
        "signin",
        "require_user",
        "user_required",
        "current_user",
        "doorkeeper",
        "token",
        "api_key",
        "session",
        "require_account",
        "confirm_user",
        "require_auth",
        "verify_signature",
        "hmac",
        "webhook",
        "oauth",
        "ensure_user",
        "find_user_from",
        "credentials",
        "basic_auth",
    ]) {
        FilterRole::Authentication
    } else {
        FilterRole::Other
    }
}
