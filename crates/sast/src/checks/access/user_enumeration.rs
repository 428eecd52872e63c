//! Sign-ins that tell whether an account exists.

use std::collections::BTreeSet;

use wardroom_model::{Confidence, Severity};
use wardroom_rails::{FileId, Habitat, MethodId, literal_name};
use wardroom_ruby::ir::{Call, Form, Kind, Name, Node, Span};
use wardroom_ruby::walk;

use super::csrf_protection_skipped::by_token_name;
use super::practice::{any, before, is_params};
use crate::context::Context;

wardroom_model::rule! {
    /// A sign-in answers an unknown name in other words than a wrong password, or a form for forgotten
    /// passwords says that an address is unknown.
    ///
    /// ## Why it is bad
    ///
    /// Anyone can try addresses and learn who has an account: that alone may be told to nobody, and it
    /// makes guessing passwords, and letters that ask for them, worth the effort.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// user = User.find_by(email: params[:email])
    /// if user.nil?
    ///   flash[:alert] = "No such account"
    /// elsif !user.authenticate(params[:password])
    ///   flash[:alert] = "Wrong password"
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// user = User.authenticate_by(email: params[:email], password: params[:password])
    /// flash[:alert] = "The address or the password is wrong" unless user
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-204: Observable Response Discrepancy
    /// - OWASP Authentication Cheat Sheet, "Authentication and Error Messages"
    rule: "user-enumeration", "Answer tells whether an account exists", Access, 204, Low,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"
}

/// Names by which people sign in.
const PEOPLE: &[&str] = &[
    "email",
    "login",
    "username",
    "user_name",
    "nickname",
    "email_address",
    "mail",
    "phone",
    "phone_number",
    "screen_name",
    "handle",
];

/// Methods that load a person by such a name.
const LOADS: &[&str] = &[
    "find_by_email",
    "find_by_email!",
    "find_by_login",
    "find_by_login!",
    "find_by_username",
    "find_by_username!",
    "find_by_user_name",
    "find_by_nickname",
    "find_by_email_address",
    "find_by_mail",
    "find_by_phone",
    "find_by_name",
    "find_by_username_or_email",
    "find_by_login_or_email",
    "find_by_email_or_username",
    "find_for_authentication",
    "find_for_database_authentication",
    "find_user_by_email",
    "find_first_by_auth_conditions",
    "by_email",
    "by_login",
    "by_username",
    "with_email",
    "find_by",
    "find_by!",
    "where",
];

/// Looks at every method that loads a person by name.
pub fn run(context: &Context<'_, '_>) {
    let mut methods: BTreeSet<MethodId> = BTreeSet::new();
    context.calls_named(LOADS, |file, node, call| {
        if loads(call)
            && let Some(method) = enclosing(context, file, node.span)
        {
            methods.insert(method);
        }
    });
    for id in methods {
        method(context, id);
    }
}

/// Whether a call loads a person by a name of people.
fn loads(call: &Call) -> bool {
    if !LOADS.contains(&call.name.as_str()) {
        return false;
    }
    if !matches!(call.name.as_str(), "find_by" | "find_by!" | "where") {
        return true;
    }
    match call.args.first().map(|a| &a.kind) {
        Some(Kind::Hash(pairs)) => {
            pairs.iter().any(|p| literal_name(&p.key).is_some_and(|k| PEOPLE.contains(&k.as_str())))
        }
        Some(Kind::Str(text)) => {
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| PEOPLE.contains(&w))
        }
        _ => false,
    }
}

fn enclosing(context: &Context<'_, '_>, file: FileId, span: Span) -> Option<MethodId> {
    let methods = &context.app.index.methods;
    let from = methods.partition_point(|m| m.file < file);
    let inside = |m: &wardroom_rails::Method<'_>| m.span.start <= span.start && span.end <= m.span.end;
    methods[from..]
        .iter()
        .enumerate()
        .take_while(|(_, m)| m.file == file)
        .filter(|(_, m)| inside(m))
        .min_by_key(|(_, m)| m.span.end - m.span.start)
        .map(|(number, _)| MethodId((from + number) as u32))
}

/// What a branch refuses for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    /// There is no such person.
    Absent,
    /// The password is wrong.
    Wrong,
    /// Either; the caller does not learn which.
    Both,
}

/// How a refusal reaches the caller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum By {
    /// In the answer.
    Answer,
    /// As the method's value.
    Value,
    /// As an exception.
    Raise,
}

/// One refusal.
struct Refusal<'a> {
    why: Why,
    at: &'a Node,
    by: By,
    words: BTreeSet<String>,
}

/// What a method loads, and what it refuses.
struct Reading<'c, 'a> {
    app: &'c wardroom_rails::App<'a>,
    owner: Name,
    people: Vec<Name>,
    checks: Vec<Name>,
    refusals: Vec<Refusal<'a>>,
}

fn method(context: &Context<'_, '_>, id: MethodId) {
    let method = context.app.index.method(id);
    let mut reading = Reading {
        app: context.app,
        owner: method.owner,
        people: Vec::new(),
        checks: Vec::new(),
        refusals: Vec::new(),
    };
    walk::each(method.body, &mut |node| {
        if let Kind::Assign(assign) = &node.kind
            && let Kind::Local(name) | Kind::Ivar(name) = &assign.target.kind
        {
            if asks_password(&assign.value) {
                reading.checks.push(*name);
            } else if any(&assign.value, &mut |n| matches!(&n.kind, Kind::Call(c) if loads(c))) {
                reading.people.push(*name);
            }
        }
        true
    });
    reading.branches(method.body, 0);
    let first = |why: Why| reading.refusals.iter().find(|r| r.why == why);
    let (absent, wrong) = (first(Why::Absent), first(Why::Wrong));
    let path = &context.file(method.file).path;
    let (absent, other, reset) = match (absent, wrong) {
        (Some(absent), Some(wrong)) => {
            if absent.words == wrong.words {
                return;
            }
            (absent, Some(wrong), false)
        }
        (Some(absent), None) if resets(&method.name, path, method.body) => (absent, None, true),
        _ => return,
    };
    if reset && (absent.by != By::Answer || repeated(method.body, absent)) {
        return;
    }
    let by = other.map_or(absent.by, |o| absent.by.max(o.by));
    let shown = match by {
        By::Answer => Some(Confidence::High),
        By::Value => Some(Confidence::Medium),
        By::Raise => None,
    };
    let reader = if shown.is_none() { told(context, id) } else { None };
    let confidence = match (shown, &reader) {
        (Some(confidence), _) => confidence,
        (None, Some(_)) => Confidence::High,
        (None, None) => Confidence::Low,
    };
    // Callers that bring a key are the application's own, not strangers.
    let trusted =
        context.app.controllers.get(&method.owner).is_some_and(|c| {
            before(c, method.name).iter().any(|f| f.name.is_some_and(|n| by_token_name(&n)))
        });
    let confidence = match (trusted, reset) {
        (true, _) => Confidence::Low,
        (_, true) => Confidence::Medium,
        _ => confidence,
    };
    let mut builder = context
        .finding(
            rule(),
            method.file,
            absent.at.span,
            if reset {
                format!("`{}` tells whether an account exists", method.name)
            } else {
                format!("`{}` answers an unknown name in other words than a wrong password", method.name)
            },
        )
        .confidence(confidence)
        .severity(Severity::Low)
        .reason(match (reset, by, &reader) {
            (true, ..) => "that accounts exist may be public here",
            (_, By::Value, _) => "the caller may not pass the words on",
            (_, By::Raise, None) => "who shows the exception's message is not known",
            _ => "",
        })
        .remedy(
            "Answer in the same words, and after the same work, whether the name or the password is wrong.",
        )
        .endpoints(context.endpoints_of(id));
    if let Some(wrong) = other {
        builder = builder.step(method.file, wrong.at.span, "the refusal of a wrong password");
    }
    if let Some((file, span)) = reader {
        builder = builder.step(file, span, "the message is shown");
    }
    builder.report();
}

/// Whether a method sends what is needed to set a new password.
fn resets(name: &str, path: &str, body: &Node) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let named = ["forgot", "reset_password", "password_reset", "lost_password", "recover_password"]
        .iter()
        .any(|w| name.contains(w) || file.contains(w))
        || file.contains("passwords_controller") && name == "create"
        || file.contains("password") && name.contains("reset");
    named
        && any(body, &mut |n| {
            matches!(&n.kind, Kind::Call(c) if c.name.contains("deliver") || c.name.contains("send_") && c.name.contains("reset")
                || c.name.contains("mail") || c.name.contains("initiate_password") || c.name.contains("reset_token") || c.name.contains("password_reset"))
        })
}

/// Whether the words of a refusal stand elsewhere in the method as well.
fn repeated(body: &Node, refusal: &Refusal<'_>) -> bool {
    let mut all = 0;
    let mut inside = 0;
    let Some(first) = refusal.words.iter().find(|w| !w.starts_with("status ")) else { return true };
    let count = |root: &Node, out: &mut u32| {
        walk::each(root, &mut |n| {
            if text(n).is_some_and(|t| t == *first) {
                *out += 1;
            }
            true
        });
    };
    count(body, &mut all);
    count(refusal.at, &mut inside);
    all > inside
}

impl<'a> Reading<'_, 'a> {
    /// Reads the branches of a body.
    fn branches(&mut self, node: &'a Node, depth: u32) {
        if depth > 60 {
            return;
        }
        match &node.kind {
            Kind::If(branch) => {
                if let Some((why, bad)) = self.asked(&branch.cond, 0) {
                    let refused = if bad { &branch.then } else { &branch.otherwise };
                    self.refuse(why, refused);
                }
            }
            // `user = find_by(…) or raise "…"`
            Kind::Or(sides) => {
                if let Some((why, false)) = self.asked(&sides.0, 0) {
                    self.refuse(why, &sides.1);
                }
            }
            Kind::Begin(begin) => {
                let bang = any(
                    &begin.body,
                    &mut |n| matches!(&n.kind, Kind::Call(c) if c.name.ends_with('!') && loads(c)),
                );
                for rescue in begin.rescues.iter().filter(|_| bang) {
                    let missing = rescue.classes.iter().any(
                        |c| matches!(&c.kind, Kind::Const(p) if p.last().is_some_and(|l| l == "RecordNotFound")),
                    );
                    if missing {
                        self.refuse(Why::Absent, &rescue.body);
                    }
                }
            }
            _ => {}
        }
        let mut inner = Vec::new();
        walk::children(node, &mut |child| inner.push(child));
        for child in inner {
            self.branches(child, depth + 1);
        }
    }

    /// What a condition asks, and whether it holds for what is refused.
    fn asked(&self, node: &Node, depth: u32) -> Option<(Why, bool)> {
        if depth > 8 {
            return None;
        }
        let person = |node: &Node| match &node.kind {
            Kind::Local(name) | Kind::Ivar(name) => self.people.contains(name),
            Kind::Assign(assign) => {
                any(&assign.value, &mut |n| matches!(&n.kind, Kind::Call(c) if loads(c)))
                    && !asks_password(&assign.value)
            }
            Kind::Call(call) => loads(call),
            _ => false,
        };
        if person(node) {
            return Some((Why::Absent, false));
        }
        match &node.kind {
            Kind::Seq(items) if items.len() == 1 => self.asked(&items[0], depth + 1),
            Kind::Not(inner) => self.asked(inner, depth + 1).map(|(why, bad)| (why, !bad)),
            Kind::Local(name) | Kind::Ivar(name) if self.checks.contains(name) => Some((Why::Wrong, false)),
            // A check of what may not be there answers for both.
            Kind::Call(call) if asks_password(node) => {
                let both = call.safe_nav || !self.seen(Why::Absent);
                let why = if both && self.people.is_empty() { Why::Both } else { Why::Wrong };
                Some((if call.safe_nav { Why::Both } else { why }, call.name == "!="))
            }
            Kind::Call(call) => {
                let recv = call.recv.as_ref()?;
                match call.name.as_str() {
                    "present?" | "exists?" | "any?" | "persisted?" if person(recv) => {
                        Some((Why::Absent, false))
                    }
                    "nil?" | "blank?" | "empty?" | "new_record?" if person(recv) => Some((Why::Absent, true)),
                    "==" if person(recv) && matches!(call.args.first()?.kind, Kind::Nil) => {
                        Some((Why::Absent, true))
                    }
                    "!=" if person(recv) && matches!(call.args.first()?.kind, Kind::Nil) => {
                        Some((Why::Absent, false))
                    }
                    _ => None,
                }
            }
            Kind::And(sides) | Kind::Or(sides) => {
                let fails = matches!(node.kind, Kind::Or(_));
                match (self.asked(&sides.0, depth + 1), self.asked(&sides.1, depth + 1)) {
                    // What fails for this reason fails, whatever the other side asks.
                    (Some((why, bad)), None) | (None, Some((why, bad))) if bad == fails => Some((why, bad)),
                    (Some((a, bad)), Some((b, other))) if bad == other => {
                        Some((if a == b { a } else { Why::Both }, bad))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn seen(&self, why: Why) -> bool {
        self.refusals.iter().any(|r| r.why == why)
    }

    fn refuse(&mut self, why: Why, branch: &'a Node) {
        let mut words = BTreeSet::new();
        let mut by = None;
        let mut at = None;
        let speaks = |name: Name| {
            // An own method that answers with what it is given.
            self.app.index.find(self.owner, name).is_some_and(|id| {
                let method = self.app.index.method(id);
                !method.params.is_empty()
                    && any(method.body, &mut |n| match &n.kind {
                        Kind::Call(c) => {
                            matches!(c.name.as_str(), "render" | "redirect_to" | "flash" | "respond_with")
                                && c.recv.is_none()
                        }
                        _ => false,
                    })
            })
        };
        said(
            branch,
            true,
            &speaks,
            &mut |node, how, said| {
                by = Some(by.map_or(how, |b: By| b.max(how)));
                at.get_or_insert(node);
                words.extend(said);
            },
            0,
        );
        if let (Some(by), Some(at)) = (by, at)
            && words.iter().any(|w| !w.is_empty())
        {
            self.refusals.push(Refusal { why, at, by, words });
        }
    }
}

/// Whether an expression compares a password with that of a person already loaded.
fn asks_password(node: &Node) -> bool {
    any(node, &mut |n| {
        let Kind::Call(call) = &n.kind else { return false };
        let Some(recv) = &call.recv else {
            return !call.args.is_empty()
                && call.args.len() >= 2
                && matches!(call.name.as_str(), "password_matches?" | "valid_password?" | "check_password");
        };
        if matches!(recv.kind, Kind::Const(_)) {
            return false;
        }
        match call.name.as_str() {
            "authenticate"
            | "valid_password?"
            | "authenticate_password"
            | "correct_password?"
            | "password_matches?"
            | "check_password"
            | "check_password?"
            | "authenticated?"
            | "verify_password"
            | "password_valid?"
            | "valid_password"
            | "is_password?"
            | "matches_password?"
            | "has_password?"
            | "password_match?"
            | "match_password?"
            | "password?" => !call.args.is_empty(),
            "==" | "!=" | "eql?" => {
                let Some(other) = call.args.first() else { return false };
                let fixed = |n: &Node| {
                    matches!(
                        n.kind,
                        Kind::Nil | Kind::Str(_) | Kind::Sym(_) | Kind::Int(_) | Kind::True | Kind::False
                    )
                };
                let (left, right) = (last_name(recv), last_name(other));
                let password = |n: &Option<Name>| {
                    n.is_some_and(|n| {
                        ["password", "passwd", "crypted"].iter().any(|w| n.contains(w))
                            && !n.contains("confirm")
                            && !n.contains("token")
                            && !n.ends_with("_at")
                    })
                };
                let confirms = |n: &Option<Name>| n.is_some_and(|n| n.contains("confirm"));
                let both_sent = any(recv, &mut is_params) && any(other, &mut is_params);
                let own = fixed(recv) || fixed(other);
                (password(&left) || password(&right))
                    && !(own || both_sent || confirms(&left) || confirms(&right))
            }
            _ => false,
        }
    })
}

fn last_name(node: &Node) -> Option<Name> {
    match &node.kind {
        Kind::Local(name) | Kind::Ivar(name) => Some(*name),
        Kind::Call(call) if matches!(call.name.as_str(), "[]" | "fetch") => {
            call.args.first().and_then(literal_name)
        }
        Kind::Call(call) if call.args.is_empty() => Some(call.name),
        _ => None,
    }
}

/// Collects what a branch says; `value` where its last value is the method's.
fn said<'a>(
    node: &'a Node,
    value: bool,
    speaks: &dyn Fn(Name) -> bool,
    found: &mut dyn FnMut(&'a Node, By, Vec<String>),
    depth: u32,
) {
    if depth > 12 {
        return;
    }
    match &node.kind {
        Kind::Seq(items) => {
            let last = items.len().saturating_sub(1);
            for (number, item) in items.iter().enumerate() {
                said(item, value && number == last, speaks, found, depth + 1);
            }
        }
        Kind::And(sides) | Kind::Or(sides) => {
            said(&sides.0, false, speaks, found, depth + 1);
            said(&sides.1, value, speaks, found, depth + 1);
        }
        Kind::Return(Some(inner)) => said(inner, true, speaks, found, depth + 1),
        Kind::Str(_) | Kind::Interp(_) | Kind::Array(_) | Kind::Hash(_) if value => {
            let words = texts(node);
            if !words.is_empty() {
                found(node, By::Value, words);
            }
        }
        Kind::Assign(assign) => {
            if let Kind::Ivar(name) = &assign.target.kind
                && ["error", "message", "notice", "alert"].iter().any(|w| name.contains(w))
            {
                found(node, By::Answer, texts(&assign.value));
            }
        }
        Kind::Call(call) => {
            let name = call.name.as_str();
            let recv = call.recv.as_ref();
            match name {
                "raise" | "fail" if recv.is_none() => {
                    found(node, By::Raise, call.args.iter().flat_map(texts).collect());
                }
                "[]=" if recv.is_some_and(of_flash) => {
                    found(node, By::Answer, call.args.last().map(texts).unwrap_or_default());
                }
                "add" | "add_to_base" | "<<" if recv.is_some_and(of_errors) => {
                    let mut words: Vec<String> = call.args.iter().flat_map(texts).collect();
                    if words.is_empty() {
                        words.extend(call.args.iter().filter_map(literal_name).map(|n| n.to_string()));
                    }
                    found(node, By::Answer, words);
                }
                "render"
                | "redirect_to"
                | "redirect_back"
                | "error!"
                | "render_error"
                | "respond_with"
                | "redirect_with_error"
                | "json_error"
                    if recv.is_none() =>
                {
                    let mut words = Vec::new();
                    for argument in &call.args {
                        match &argument.kind {
                            Kind::Hash(pairs) => {
                                for pair in pairs {
                                    let key = literal_name(&pair.key);
                                    match key.as_deref() {
                                        Some(
                                            "json" | "plain" | "text" | "inline" | "html" | "alert"
                                            | "notice" | "flash" | "error" | "message" | "xml" | "locals"
                                            | "props" | "inertia" | "errors",
                                        ) => {
                                            words.extend(texts(&pair.value));
                                        }
                                        Some("status") => {
                                            words.extend(
                                                literal_name(&pair.value).map(|s| format!("status {s}")),
                                            );
                                        }
                                        _ => {}
                                    }
                                }
                            }
                            Kind::Str(_) | Kind::Interp(_) if name.contains("error") => {
                                words.extend(texts(argument))
                            }
                            _ => {}
                        }
                    }
                    // A page's name alone says nothing.
                    if words.iter().any(|w| !w.starts_with("status ")) {
                        found(node, By::Answer, words);
                    }
                }
                _ if recv.is_none()
                    && call.args.iter().any(|a| text(a).is_some())
                    && !matches!(
                        name,
                        "t" | "translate" | "_" | "l" | "ts" | "render" | "redirect_to" | "fail!"
                    )
                    && speaks(call.name) =>
                {
                    found(node, By::Answer, call.args.iter().flat_map(texts).collect());
                }
                "fail!" | "failure" | "Failure" if recv.is_none() => {
                    let mut words: Vec<String> = call.args.iter().flat_map(texts).collect();
                    words.extend(call.args.iter().filter_map(literal_name).map(|n| n.to_string()));
                    found(node, By::Value, words);
                }
                "json" | "html" | "js" | "any" => {
                    if let Some(block) = &call.block {
                        said(&block.body, false, speaks, found, depth + 1);
                    }
                }
                "respond_to" => {
                    if let Some(block) = &call.block {
                        said(&block.body, false, speaks, found, depth + 1);
                    }
                }
                _ => {}
            }
        }
        _ => {}
    }
}

fn of_flash(node: &Node) -> bool {
    any(node, &mut |n| matches!(&n.kind, Kind::Call(c) if c.recv.is_none() && c.name == "flash"))
}

fn of_errors(node: &Node) -> bool {
    any(node, &mut |n| matches!(&n.kind, Kind::Call(c) if c.name == "errors"))
}

/// The words of one literal or translation.
fn text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Str(text) => Some(text.trim().to_owned()),
        Kind::Interp(interp) if interp.form == Form::Str => Some(
            interp
                .parts
                .iter()
                .map(|p| if let Kind::Str(text) = &p.kind { text.as_ref() } else { "…" })
                .collect(),
        ),
        Kind::Call(call)
            if matches!(call.name.as_str(), "t" | "translate" | "_" | "l" | "ts")
                || call.name.starts_with("error_") && call.recv.is_none() =>
        {
            let key = call.args.first().and_then(literal_name);
            Some(format!("{} {}", call.name, key.as_deref().unwrap_or_default()))
        }
        _ => None,
    }
    .filter(|t| t.chars().filter(|c| c.is_alphabetic()).count() > 3)
}

/// Every text in an expression.
fn texts(node: &Node) -> Vec<String> {
    let mut out = Vec::new();
    walk::each(node, &mut |n| match text(n) {
        Some(text) => {
            out.push(text);
            false
        }
        None => true,
    });
    out
}

/// Where a controller that calls the method shows the message of what it raises.
fn told(context: &Context<'_, '_>, id: MethodId) -> Option<(FileId, Span)> {
    let method = context.app.index.method(id);
    let mut found = shows_message(method.body).map(|span| (method.file, span));
    context.calls_named(&[method.name.as_str()], |file, node, _| {
        let controls = matches!(
            context.app.habitat(Name::from(""), file),
            Habitat::Controller | Habitat::Endpoint | Habitat::Graphql
        );
        if found.is_none()
            && controls
            && let Some(caller) = enclosing(context, file, node.span)
        {
            found = shows_message(context.app.index.method(caller).body).map(|span| (file, span));
        }
    });
    found
}

/// Where a body answers with the message of an exception that it rescues.
fn shows_message(body: &Node) -> Option<Span> {
    let mut bound: Vec<Name> = Vec::new();
    walk::each(body, &mut |n| {
        if let Kind::Begin(begin) = &n.kind {
            bound.extend(begin.rescues.iter().filter_map(|r| match r.binding.as_ref().map(|b| &b.kind) {
                Some(Kind::Local(name)) => Some(*name),
                _ => None,
            }));
        }
        true
    });
    if bound.is_empty() {
        return None;
    }
    let mut found = None;
    walk::each(body, &mut |n| {
        if let Kind::Call(call) = &n.kind {
            let answers = call.recv.is_none()
                && matches!(
                    call.name.as_str(),
                    "render" | "redirect_to" | "redirect_back" | "error!" | "render_error"
                )
                || call.name == "[]=" && call.recv.as_ref().is_some_and(of_flash)
                || matches!(call.name.as_str(), "add" | "<<") && call.recv.as_ref().is_some_and(of_errors);
            let message = |a: &Node| {
                any(a, &mut |m| {
                    matches!(&m.kind, Kind::Call(c) if matches!(c.name.as_str(), "message" | "to_s" | "full_message")
                        && matches!(c.recv.as_ref().map(|r| &r.kind), Some(Kind::Local(name)) if bound.contains(name)))
                })
            };
            if found.is_none() && answers && call.args.iter().any(message) {
                found = Some(n.span);
            }
        }
        true
    });
    found
}
