//! What the words of the code say about access: names that decide who may, that ask who is calling,
//! that change a record, that stand for the user, the tenant or what the request holds.

use wardroom_rails::literal_name;
use wardroom_ruby::ir::{Call, Kind, Name, Node};
use wardroom_ruby::walk;

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

pub(super) fn asks_token(call: &Call) -> bool {
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
fn reads_cookies(node: &Node) -> bool {
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
    let word = || {
        [
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
        .any(|w| name.contains(w))
    };
    prefix && word()
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
    let stops = || {
        [
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
        .any(|p| name.contains(p))
    };
    name.starts_with("authenticate")
        || name == "doorkeeper_authorize!"
        || stops()
            && [
                "login", "logged", "user", "signed", "session", "auth", "account", "token", "sign_in",
                "member",
            ]
            .iter()
            .any(|w| name.contains(w))
}

/// When a call of some name decides whether the caller may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
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
    /// `guards`: what [`guards`] says of the name.
    fn of(name: &str, guards: bool) -> Decision {
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
        if guards { Decision::Bare } else { Decision::Never }
    }

    pub(super) fn made_by(self, call: &Call) -> bool {
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

/// `current_user != nil`, `current_user == :false`: asks whether anybody is signed in, not who.
fn compares_with_nothing(call: &Call) -> bool {
    let sides = || call.recv.iter().chain(call.args.iter());
    let nothing =
        |n: &Node| matches!(n.kind, Kind::Nil | Kind::False | Kind::True | Kind::Sym(_) | Kind::Str(_));
    sides().any(|n| matches!(n.kind, Kind::Nil)) || sides().any(is_user) && sides().any(nothing)
}

/// Calls that send the caller away: what was asked before says why.
pub(super) fn refusal(name: &str) -> bool {
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
    Decision::of(&call.name, guards(&call.name)).made_by(call)
}

/// Methods that start a new session.
pub const RENEWALS: &[&str] = &["reset_session", "sign_in", "sign_in_and_redirect", "warden", "auto_login"];

/// What a call's name alone says: most names say nothing, and then the call needs no closer look.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub decision: Decision,
    pub user: bool,
    pub token: bool,
    pub writes: bool,
    pub session: bool,
    pub resets: bool,
    /// [`guards`]
    pub guards: bool,
    /// [`asks_who`]
    pub asks_who: bool,
}

impl Words {
    pub fn of(name: &str) -> Words {
        let guards = guards(name);
        Words {
            decision: Decision::of(name, guards),
            user: name.starts_with("current")
                || name.contains("_current_user")
                || USER_METHODS.contains(&name)
                || CURRENT_METHODS.contains(&name),
            token: TOKEN_LOOKUPS.contains(&name) || names_token(name),
            writes: WRITES.contains(&name),
            session: matches!(name, "session" | "cookies"),
            resets: RENEWALS.contains(&name),
            guards,
            asks_who: asks_who(name),
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
