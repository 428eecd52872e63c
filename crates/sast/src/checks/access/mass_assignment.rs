//! Attributes that a request may set though nobody named them.

use std::collections::{BTreeMap, HashMap};

use wardroom_flow::{Flow, Mark};
use wardroom_model::Confidence;
use wardroom_rails::{FileId, Habitat, literal_name};
use wardroom_ruby::ir::{Call, Kind, Name, Node, Span};
use wardroom_ruby::walk;

use super::practice::{decides, is_params, is_tenant, is_user, keyword};
use crate::context::Context;

wardroom_model::rule! {
    /// The request's parameters set a record's attributes in bulk and the code does not say which:
    /// raw `params` where Rails does not refuse them, `permit!`, `to_unsafe_h`, or a list of permitted
    /// keys that holds one that decides over rights.
    ///
    /// ## Why it is bad
    ///
    /// The request may name more than the form shows: `admin=1`, another's `user_id`, the secret of
    /// the second factor.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// User.new(params[:user])          # before Rails 4, without attr_accessible
    /// User.new(params.require(:user).permit!)
    /// params.require(:user).permit(:name, :admin)
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// User.new(params.require(:user).permit(:name, :email))
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-915: Improperly Controlled Modification of Dynamically-Determined Object Attributes
    rule: "mass-assignment", "Attributes set in bulk from the request", Access, 915, High,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:H/A:N"
}

/// Looks at raw parameters, at what opens them, and at what they permit.
pub fn run(context: &Context<'_, '_>) {
    raw(context);
    let opened = opened(context);
    calls(context, &opened);
    for (at, flow) in &opened {
        through(context, *at, flow);
    }
    setting(context);
}

/// Raw parameters on versions of Rails that take them.
fn raw(context: &Context<'_, '_>) {
    let app = context.app;
    let everything = app.config.flag("action_controller.permit_all_parameters") == Some(true);
    let refuses = app.rails() >= (4, 0) && !everything;
    if refuses {
        return;
    }
    let whitelist = app.config.flag("active_record.whitelist_attributes") == Some(true)
        || app.gems.has("strong_parameters");
    for flow in context.flows_to(Mark::MassAssign) {
        if app.habitat(Name::from(""), flow.file) != Habitat::Controller {
            continue;
        }
        let model = call_at(context, flow.file, flow.span)
            .and_then(|call| model_of(context, flow.file, flow.span, call));
        let limit = match model.map(|m| protection(context, m)) {
            Some(Protection::Listed) => {
                rights(context, flow, model.unwrap_or_default());
                continue;
            }
            Some(Protection::Excepted) => Confidence::Low,
            _ if whitelist => Confidence::Low,
            // Who administrates may set these anyway.
            Some(Protection::None)
                if !flow.endpoints.is_empty()
                    && flow
                        .endpoints
                        .iter()
                        .all(|e| e.filters.iter().any(|f| f.name.contains("admin") && !f.conditional)) =>
            {
                Confidence::Medium
            }
            Some(Protection::None) => Confidence::High,
            None => Confidence::Medium,
        };
        let of = model.map_or_else(|| "the record".to_owned(), |m| format!("`{m}`"));
        context
            .flow_finding(rule(), flow, format!("`{}` sets any attribute of {of} through `{}`", flow.words, flow.method))
            .at_most(limit)
            .remedy("Name the attributes that the form may set: `attr_accessible` in the model, or `permit` in the controller (the strong_parameters gem before Rails 4).")
            .report();
    }
}

/// A model that names its attributes, with one among them that decides over rights.
fn rights(context: &Context<'_, '_>, flow: &Flow, model: Name) {
    if !people(context, model) {
        return;
    }
    let mut key = None;
    for declared in context.app.index.macros(model) {
        if declared.call.name == "attr_accessible" && keyword(declared.call, "as").is_none() {
            declared
                .call
                .args
                .iter()
                .for_each(|a| keys(a, &mut |k, _| key = key.or(over_rights(&k).then_some(k))));
        }
    }
    // Rails 3.1's roles: `update_attributes(params[:user], as: …)`.
    let as_role = call_at(context, flow.file, flow.span).is_some_and(|call| keyword(call, "as").is_some());
    let Some(key) = key.filter(|_| !as_role) else { return };
    let admins = !flow.endpoints.is_empty()
        && flow
            .endpoints
            .iter()
            .all(|e| e.filters.iter().any(|f| f.name.contains("admin") && !f.conditional));
    context
        .flow_finding(rule(), flow, format!("`{}` may name `{key}` of `{model}`: it is open to assignment in bulk and decides over rights", flow.words))
        .at_most(if admins { Confidence::Low } else { Confidence::Medium })
        .remedy("Take the key out of the parameters, or off `attr_accessible`, and set it in code that has asked whether the caller may.")
        .report();
}

/// Keys that give rights.
fn over_rights(key: &str) -> bool {
    matches!(
        key,
        "role"
            | "roles"
            | "role_id"
            | "role_ids"
            | "permissions"
            | "permission_ids"
            | "privileges"
            | "admin"
            | "is_admin"
            | "superadmin"
            | "super_admin"
            | "superuser"
            | "administrator"
    )
}

/// Whether a model's records are people who sign in.
fn people(context: &Context<'_, '_>, model: Name) -> bool {
    let last = model.rsplit("::").next().unwrap_or_default();
    matches!(
        last,
        "User"
            | "Account"
            | "Member"
            | "Person"
            | "Admin"
            | "Employee"
            | "Customer"
            | "Author"
            | "AdminUser"
            | "LegacyUser"
    ) || context.app.models.get(&model).is_some_and(|m| m.columns.keys().any(|c| c.contains("password")))
        || context.app.index.macros(model).iter().any(|m| {
            matches!(
                m.call.name.as_str(),
                "devise" | "has_secure_password" | "acts_as_authentic" | "authenticates_with_sorcery!"
            )
        })
}

/// Where parameters were opened that end up as a record's attributes, with the surest flow of each:
/// one that an action joins before others.
fn opened<'c>(context: &Context<'c, '_>) -> BTreeMap<(FileId, Span), &'c Flow> {
    let mut out: BTreeMap<(FileId, Span), &'c Flow> = BTreeMap::new();
    for flow in context.flows.flows.iter().filter(|f| f.mark == Mark::MassAssign) {
        let Some(at) = flow.opened else { continue };
        let new = is_record(context, flow);
        match out.get(&at) {
            Some(old) if is_record(context, old) || !new => {}
            _ => {
                out.insert(at, flow);
            }
        }
    }
    out
}

/// Whether it is known to be a record whose attributes are set.
fn is_record(context: &Context<'_, '_>, flow: &Flow) -> bool {
    call_at(context, flow.file, flow.span)
        .is_some_and(|call| model_of(context, flow.file, flow.span, call).is_some())
}

/// Whether the parameters are opened in the very call that sets them.
fn in_call(at: (FileId, Span), flow: &Flow) -> bool {
    at.0 == flow.file && flow.span.start <= at.1.start && at.1.end <= flow.span.end
}

/// Opened parameters that reach the record through a variable or a method.
fn through(context: &Context<'_, '_>, at: (FileId, Span), flow: &Flow) {
    let Some(opener) = call_at(context, at.0, at.1) else { return };
    // `permit!` is reported where it stands, and so is what stands in the call itself.
    if opener.name == "permit!" || in_call(at, flow) || opener.recv.as_ref().is_some_and(named_keys) {
        return;
    }
    let record = is_record(context, flow);
    let confidence = match (record, behind_admin(context, flow.file) || behind_admin(context, at.0)) {
        (true, false) => Confidence::High,
        (true, true) => Confidence::Medium,
        // Form objects and services take hashes as well, and choose from them.
        (false, _) => Confidence::Low,
    };
    let mut builder = context
        .flow_finding(
            rule(),
            flow,
            format!(
                "`{}` sets any attribute through `{}`: `{}` let every key pass",
                flow.words, flow.method, opener.name
            ),
        )
        .at_most(confidence);
    if confidence == Confidence::Medium {
        builder = builder.reason("who administrates may set them anyway");
    }
    builder.remedy("Name the keys: `permit(:title, :body)`.").report();
}

enum Protection {
    /// `attr_accessible`
    Listed,
    /// `attr_protected`
    Excepted,
    None,
}

fn protection(context: &Context<'_, '_>, model: Name) -> Protection {
    let macros = context.app.index.macros(model);
    let has = |name: &str| macros.iter().any(|m| m.call.name == name);
    if has("attr_accessible") {
        Protection::Listed
    } else if has("attr_protected") {
        Protection::Excepted
    } else {
        Protection::None
    }
}

fn call_at<'a>(context: &Context<'_, 'a>, file: FileId, span: Span) -> Option<&'a Call> {
    let mut found = None;
    walk::each(&context.file(file).parsed.body, &mut |node| {
        if node.span == span
            && let Kind::Call(call) = &node.kind
        {
            found = Some(&**call);
        }
        found.is_none() && node.span.start <= span.start && node.span.end >= span.end
    });
    found
}

/// The model whose record a call makes or changes, by the receiver's name.
fn model_of(context: &Context<'_, '_>, _file: FileId, _span: Span, call: &Call) -> Option<Name> {
    let by_name = |name: &str| context.app.by_name.get(name).map(|(class, _)| class);
    match &call.recv.as_ref()?.kind {
        Kind::Const(path) => {
            Some(wardroom_rails::path_name(path)).filter(|n| context.app.models.contains_key(n))
        }
        Kind::Ivar(name) | Kind::Local(name) => by_name(name),
        Kind::Call(inner) => by_name(&inner.name).or_else(|| {
            inner.recv.as_ref().and_then(|r| match &r.kind {
                Kind::Const(path) => {
                    Some(wardroom_rails::path_name(path)).filter(|n| context.app.models.contains_key(n))
                }
                _ => None,
            })
        }),
        _ => None,
    }
}

/// Keys that nobody may set about themselves.
fn danger(key: &str) -> Option<(&'static str, Confidence)> {
    Some(match key {
        "admin" | "is_admin" | "superadmin" | "super_admin" | "superuser" | "is_superuser"
        | "administrator" | "admin_access" | "site_admin" | "is_staff" | "staff" => {
            ("it makes an administrator", Confidence::Medium)
        }
        "otp_secret"
        | "otp_required_for_login"
        | "otp_backup_codes"
        | "totp_secret"
        | "encrypted_otp_secret"
        | "two_factor_secret"
        | "otp_secret_key"
        | "consumed_timestep" => ("it belongs to the second factor", Confidence::Medium),
        "encrypted_password"
        | "password_digest"
        | "crypted_password"
        | "password_hash"
        | "hashed_password"
        | "password_salt"
        | "reset_password_token"
        | "authentication_token"
        | "remember_token"
        | "confirmation_token"
        | "api_key"
        | "api_token"
        | "auth_token"
        | "access_token" => ("it is the credential itself", Confidence::Medium),
        "role" | "roles" | "role_id" | "role_ids" | "permissions" | "privileges" | "permission_ids"
        | "account_type" | "user_type" => ("it decides over rights", Confidence::Low),
        "user_id" | "owner_id" | "account_id" | "author_id" | "creator_id" | "created_by_id"
        | "customer_id" | "tenant_id" => ("it names the owner", Confidence::Low),
        "balance" | "credit" | "credits" | "confirmed_at" | "verified" | "approved" | "banned"
        | "email_verified" | "is_verified" => ("the application decides over it", Confidence::Low),
        _ => return None,
    })
}

fn calls(context: &Context<'_, '_>, opened: &BTreeMap<(FileId, Span), &Flow>) {
    let app = context.app;
    // Which parameter objects end up where only a URL or a log takes them.
    let mut inside: HashMap<(FileId, Span), Name> = HashMap::new();
    let takes = |name: &str| {
        harmless(name) || sets(name) || matches!(name, "merge" | "perform_later" | "perform_async")
    };
    context.calls_where(takes, |file, _, call| {
        let mark = |node: &Node, inside: &mut HashMap<(FileId, Span), Name>| {
            walk::each(node, &mut |n| {
                if let Kind::Call(c) = &n.kind
                    && matches!(c.name.as_str(), "permit!" | "to_unsafe_h" | "to_unsafe_hash")
                {
                    let kept = inside.entry((file, n.span)).or_insert(call.name);
                    if harmless(&call.name) {
                        *kept = call.name;
                    }
                }
                true
            });
        };
        call.args.iter().for_each(|a| mark(a, &mut inside));
        if harmless(&call.name)
            && let Some(recv) = &call.recv
        {
            mark(recv, &mut inside);
        }
    });
    context.calls_named(&["permit!", "to_unsafe_h", "to_unsafe_hash", "permit", "expect", "permit_params", "attr_accessible"], |file, node, call| {
        let place = app.habitat(Name::from(""), file);
        match call.name.as_str() {
            "permit!" if call.recv.as_ref().is_some_and(|r| from_params(r) && !named_keys(r)) => {
                let taker = inside.get(&(file, node.span)).copied();
                let confidence = match taker {
                    Some(name) if harmless(&name) => Confidence::Low,
                    // Seen on its way into a record.
                    _ if opened.get(&(file, node.span)).is_some_and(|f| is_record(context, f)) => Confidence::High,
                    _ if !matches!(place, Habitat::Controller | Habitat::Endpoint) => Confidence::Low,
                    Some(name) if sets(&name) => Confidence::High,
                    // A part of the parameters that a method hands out as attributes.
                    None if hands_out(context, file, node.span) && call.recv.as_ref().is_some_and(|r| !is_params(r)) => Confidence::High,
                    _ => Confidence::Medium,
                };
                let searches = context.source(file, node.span).split("permit!").next().is_some_and(|s| ["search", "filter", "query", "sort", "page"].iter().any(|w| s.contains(w)));
                let confidence = if behind_admin(context, file) || searches { confidence.min(Confidence::Medium) } else { confidence };
                context
                    .finding(rule(), file, node.span, "`permit!` lets the request name any attribute")
                    .confidence(confidence)
                    .reason(if confidence == Confidence::High { "" } else { "where the parameters go from here is not certain" })
                    .remedy("Name the keys: `permit(:title, :body)`.")
                    .report();
            }
            "to_unsafe_h" | "to_unsafe_hash" if call.recv.as_ref().is_some_and(from_params) => {
                let Some(taker) = inside.get(&(file, node.span)).copied().filter(|n| sets(n)) else { return };
                // Told where the attributes are set.
                let at = (file, node.span);
                if opened.get(&at).is_some_and(|f| !in_call(at, f)) {
                    return;
                }
                context
                    .finding(rule(), file, node.span, format!("`{}` hands every parameter to `{taker}`, past the list of permitted keys", call.name))
                    .confidence(if place == Habitat::Controller && taker != "new" { Confidence::Medium } else { Confidence::Low })
                    .remedy("Name the keys: `permit(:title, :body)`.")
                    .report();
            }
            "permit" | "expect" | "permit_params" if call.recv.as_ref().is_some_and(from_params) => {
                // Who administrates one tenant has no right over the others.
                call.args.iter().for_each(|a| keys(a, &mut |key, at| foreign(context, file, node.span, key, at)));
                if behind_admin(context, file) || decided_around(context, file, node.span) {
                    return;
                }
                // At the root stand the parameters of the request itself, seldom a record's.
                let root = call.recv.as_ref().is_some_and(is_params) && call.name != "expect";
                let account = call.recv.as_ref().is_some_and(of_account)
                    && (nobody_decides(context, file) || undecided_use(context, file, node.span));
                call.args.iter().for_each(|a| keys(a, &mut |key, _| handed_over(context, file, node.span, key)));
                call.args.iter().for_each(|a| keys(a, &mut |key, at| dangerous(context, file, key, at, "permitted from the request", root, account)));
            }
            "attr_accessible" if call.recv.is_none() => {
                let as_role = call.args.last().is_some_and(|a| matches!(&a.kind, Kind::Hash(pairs) if pairs.iter().any(|p| literal_name(&p.key).is_some_and(|k| k == "as"))));
                if !as_role {
                    call.args.iter().for_each(|a| keys(a, &mut |key, at| dangerous(context, file, key, at, "open to assignment in bulk", false, false)));
                }
            }
            _ => {}
        }
    });
}

/// `account`: the list is for an account, in a controller that asks nobody for rights.
fn dangerous(
    context: &Context<'_, '_>,
    file: FileId,
    key: Name,
    at: Span,
    how: &str,
    root: bool,
    account: bool,
) {
    let Some((why, confidence)) = danger(&key) else { return };
    // Open to every call on the model of those who sign in.
    let listed = how.starts_with("open")
        && over_rights(&key)
        && context.app.index.classes.values().any(|c| {
            c.places.iter().any(|(f, span, _)| *f == file && span.start <= at.start && at.end <= span.end)
                && people(context, c.name)
        });
    let confidence = if listed { Confidence::Medium } else { confidence };
    // A role among what people send of themselves, and a column takes it.
    let own_role = account
        && over_rights(&key)
        && context
            .app
            .models
            .values()
            .any(|m| m.columns.contains_key(&key) && m.columns.keys().any(|c| c.contains("password")));
    let confidence = if own_role { Confidence::Medium } else { confidence };
    context
        .finding(rule(), file, at, format!("`{key}` is {how}: {why}"))
        .confidence(if root { Confidence::Low } else { confidence })
        .reason("the code that uses the list may set it again afterwards")
        .remedy(
            "Take the key off the list and set the attribute in code that has asked whether the caller may.",
        )
        .report();
}

/// A foreign key on the list, though the controller takes what it names from the caller's own.
fn foreign(context: &Context<'_, '_>, file: FileId, list: Span, key: Name, at: Span) {
    let Some(stem) = key.strip_suffix("_id") else { return };
    if danger(&key).is_some() {
        return;
    }
    let app = context.app;
    let method = context.method_at(file, list);
    let name = method.map(|m| app.index.method(m).name).unwrap_or_default();
    let mut taken: Option<Span> = None;
    // The updates that take the list, itself or by the method that hands it out.
    let mut updates: Vec<Span> = Vec::new();
    walk::each(&context.file(file).parsed.body, &mut |node| {
        if let Kind::Call(call) = &node.kind
            && matches!(call.name.as_str(), "update" | "update!" | "update_attributes" | "update_attributes!")
            && call.recv.is_some() && call.args.first().is_some_and(|a| {
            a.span.start <= list.start && list.end <= a.span.end
                || matches!(&a.kind, Kind::Call(c) if c.recv.is_none() && c.args.is_empty() && c.name == name)
        }) {
            updates.push(node.span);
        }
        if taken.is_none()
            && let Kind::Call(call) = &node.kind
            && matches!(call.name.as_str(), "find" | "find_by" | "find_by!" | "find_by_id")
            && let Some(Node { kind: Kind::Call(of), .. }) = &call.recv
            && of.recv.as_ref().is_some_and(|r| is_tenant(r) || is_user(r))
            && of.name.starts_with(stem.trim_end_matches('y'))
            && call.args.iter().any(|a| {
                super::practice::any(a, &mut |n| {
                    matches!(&n.kind, Kind::Call(c) if c.name == "[]" && c.recv.as_ref().is_some_and(is_params) && c.args.first().and_then(literal_name).is_some_and(|k| k == key))
                })
            })
        {
            taken = Some(node.span);
        }
        true
    });
    let Some(taken) = taken else { return };
    // Where the update itself looks, nothing is lost.
    let within = context.method_at(file, taken);
    if updates.is_empty() || updates.iter().all(|u| context.method_at(file, *u) == within) {
        return;
    }
    context
        .finding(rule(), file, at, format!("`{key}` is permitted from the request, and so may name what is not the caller's: elsewhere the controller takes it by `{}`", context.source(file, taken)))
        .confidence(Confidence::Medium)
        .reason("the model may check it again")
        .remedy("Take the key off the list, or load what it names from what the caller may see and set that.")
        .step(file, taken, "here it must be the caller's own")
        .report();
}

/// An owner's key on a list that an update takes, though the controller elsewhere sets that key from
/// the caller or asks whether the caller may name another.
fn handed_over(context: &Context<'_, '_>, file: FileId, list: Span, key: Name) {
    if !matches!(
        key.as_str(),
        "user_id"
            | "owner_id"
            | "account_id"
            | "author_id"
            | "creator_id"
            | "site_id"
            | "tenant_id"
            | "organization_id"
            | "company_id"
            | "customer_id"
    ) {
        return;
    }
    let Some(list) = context.method_at(file, list) else { return };
    let name = context.app.index.method(list).name;
    let is_list = |n: &Node| matches!(&n.kind, Kind::Call(c) if c.recv.is_none() && c.name == name && c.args.is_empty());
    let association = key.strip_suffix("_id").unwrap_or_default();
    let mut taken: Option<Span> = None;
    let mut updates: Vec<Span> = Vec::new();
    walk::each(&context.file(file).parsed.body, &mut |node| {
        let Kind::Call(call) = &node.kind else { return true };
        if matches!(call.name.as_str(), "update" | "update!" | "update_attributes" | "update_attributes!")
            && call.recv.is_some()
            && call.args.first().is_some_and(is_list)
        {
            updates.push(node.span);
        }
        // `record.user = current_user`, `new(list.merge(user: current_user))`
        let set = call.name.strip_suffix('=').is_some_and(|n| n == association || n == key.as_str())
            && call.args.iter().any(super::practice::mentions_user)
            || matches!(
                call.name.as_str(),
                "new" | "create" | "create!" | "build" | "merge" | "assign_attributes"
            ) && [association, key.as_str()]
                .iter()
                .any(|k| keyword(call, k).is_some_and(super::practice::mentions_user));
        // `ensure_authorized("ManageUsers", user_id: list[:user_id])`
        let asked = decides(call)
            && call.args.iter().any(|a| {
                super::practice::any(a, &mut |n| {
                    matches!(&n.kind, Kind::Call(c) if c.name == "[]" && c.recv.as_ref().is_some_and(is_list) && c.args.first().and_then(literal_name).is_some_and(|k| k == key))
                })
            });
        if taken.is_none() && (set || asked) {
            taken = Some(node.span);
        }
        true
    });
    let Some(taken) = taken else { return };
    for update in updates {
        context
            .finding(rule(), file, update, format!("the update takes `{key}` from the request, and so hands the record to whomever it names: elsewhere the controller says whose it is by `{}`", context.source(file, taken).lines().next().unwrap_or_default()))
            .confidence(Confidence::Medium)
            .reason("the model may refuse the change")
            .remedy("Take the key off the list of an update; set the owner once, when the record is made.")
            .step(file, taken, "the owner is decided here")
            .report();
    }
}

/// Whether an action that nothing decides over uses the list in which a place lies.
fn undecided_use(context: &Context<'_, '_>, file: FileId, span: Span) -> bool {
    let Some(list) = context.method_at(file, span) else { return false };
    let practice = context.practice();
    practice
        .controllers()
        .into_iter()
        .filter(|c| {
            context.app.index.class(c.class).is_some_and(|class| class.places.iter().any(|p| p.0 == file))
        })
        .flat_map(|c| practice.actions(c))
        .any(|a| {
            a.by_change()
                && practice.reach(a.controller.class, a.method).contains(&list)
                && (!practice.authorized(&a) || !practice.authenticated(&a) && a.name == "create")
        })
}

/// `params.require(:user)`
fn of_account(node: &Node) -> bool {
    let Kind::Call(call) = &node.kind else { return false };
    matches!(call.name.as_str(), "require" | "[]" | "fetch")
        && call.args.first().and_then(literal_name).is_some_and(|key| {
            matches!(key.as_str(), "user" | "account" | "member" | "profile" | "registration" | "sign_up")
        })
}

/// Whether a controller's file neither decides who may nor has a filter that does.
fn nobody_decides(context: &Context<'_, '_>, file: FileId) -> bool {
    let mut decided = false;
    walk::each(&context.file(file).parsed.body, &mut |node| {
        decided |= match &node.kind {
            Kind::Call(call) => decides(call),
            Kind::Sym(name) => super::practice::guards(name),
            _ => false,
        };
        !decided
    });
    let app = context.app;
    !decided
        && app.controllers.values().any(|c| {
            app.index.class(c.class).is_some_and(|class| class.places.iter().any(|p| p.0 == file))
                && !c.filters.iter().any(|f| {
                    f.role == wardroom_model::FilterRole::Authorization
                        || f.name.is_some_and(|n| context.practice().guards(n) || n.contains("admin"))
                })
        })
}

fn harmless(name: &str) -> bool {
    name.ends_with("_path")
        || name.ends_with("_url")
        || matches!(
            name,
            "url_for"
                | "link_to"
                | "redirect_to"
                | "button_to"
                | "info"
                | "debug"
                | "to_query"
                | "inspect"
                | "slice"
                | "[]"
                | "dig"
                | "fetch"
                | "values_at"
                | "key?"
                | "call"
        )
}

/// `params.slice(:a, :b).permit!`: the keys are named after all.
fn named_keys(node: &Node) -> bool {
    matches!(&node.kind, Kind::Call(call) if matches!(call.name.as_str(), "slice" | "permit" | "extract!" | "slice!") && !call.args.is_empty() || call.recv.as_ref().is_some_and(named_keys))
}

/// Whether a place lies in a method that hands out attributes: `user_params`.
fn hands_out(context: &Context<'_, '_>, file: FileId, span: Span) -> bool {
    let mut found = false;
    walk::each(&context.file(file).parsed.body, &mut |node| {
        if node.span.start > span.start || node.span.end < span.end {
            return false;
        }
        found |= matches!(&node.kind, Kind::Def(def) if def.name.ends_with("_params") || def.name.ends_with("_attributes") || def.name == "permitted_params");
        true
    });
    found
}

fn sets(name: &str) -> bool {
    matches!(
        name,
        "new"
            | "create"
            | "create!"
            | "update"
            | "update!"
            | "build"
            | "assign_attributes"
            | "update_attributes"
            | "update_attributes!"
    )
}

/// `params`, `params[:user]`, `params.require(:user)`, `params.fetch(:user, {})`.
fn from_params(node: &Node) -> bool {
    is_params(node)
        || matches!(&node.kind, Kind::Call(call) if matches!(call.name.as_str(), "[]" | "require" | "fetch" | "dig" | "except" | "slice" | "merge" | "delete" | "dup" | "permit" | "deep_dup" | "reverse_merge" | "tap" | "to_unsafe_h" | "without" | "transform_keys")
            && call.recv.as_ref().is_some_and(from_params))
}

/// Symbols of a list of keys, nested ones too.
fn keys(node: &Node, visit: &mut dyn FnMut(Name, Span)) {
    match &node.kind {
        Kind::Sym(name) => visit(*name, node.span),
        Kind::Str(text) => visit(Name::from(text), node.span),
        Kind::Array(items) => items.iter().for_each(|i| keys(i, visit)),
        Kind::Splat(inner) => keys(inner, visit),
        Kind::Hash(pairs) => {
            for pair in pairs {
                keys(&pair.value, visit);
                if matches!(pair.value.kind, Kind::Array(ref items) if items.is_empty()) {
                    keys(&pair.key, visit);
                }
            }
        }
        _ => {}
    }
}

/// Controllers for administrators: who may enter may set more.
fn behind_admin(context: &Context<'_, '_>, file: FileId) -> bool {
    let path = &context.file(file).path;
    ["admin", "staff", "backend", "superuser", "manage", "console"].iter().any(|w| path.contains(w))
}

/// Whether the method around a place asks for rights.
fn decided_around(context: &Context<'_, '_>, file: FileId, span: Span) -> bool {
    let mut decided = false;
    walk::each(&context.file(file).parsed.body, &mut |node| {
        if node.span.start > span.start || node.span.end < span.end {
            return false;
        }
        if matches!(node.kind, Kind::Def(_)) {
            walk::each(node, &mut |n| {
                decided |= matches!(&n.kind, Kind::Call(c) if decides(c));
                !decided
            });
        }
        !decided
    });
    decided
}

fn setting(context: &Context<'_, '_>) {
    for setting in context.app.config.all("action_controller.permit_all_parameters") {
        if setting.applies_to("production") && setting.value.as_bool() == Some(true) {
            context
                .finding(
                    rule(),
                    FileId(setting.file),
                    setting.span,
                    "every parameter of every request may set attributes: `permit_all_parameters` is on",
                )
                .confidence(if setting.conditional { Confidence::Medium } else { Confidence::High })
                .remedy("Take the setting out and name the keys with `permit`.")
                .report();
        }
    }
}
