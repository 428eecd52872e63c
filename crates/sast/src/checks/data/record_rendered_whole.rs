//! Records given out with every column that they have.

use wardroom_model::Confidence;
use wardroom_rails::{ColumnType, FileId, Habitat, literal_name};
use wardroom_ruby::ir::{Call, Kind, Name, Node};

use super::naming::{self, Secret};
use super::place::keyword;
use super::record::{self, Record, Site, has_keyword};
use crate::context::Context;

wardroom_model::rule! {
    /// A record, or many, of a model that has a password's digest, a token or a key among its columns
    /// is turned into JSON or XML as it is.
    ///
    /// ## Why it is bad
    ///
    /// `as_json` of a record names every column. The digest of a password can be guessed at leisure, and
    /// a token lets in whoever has it. A column that is added later goes out as well.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// render json: User.all
    /// ```
    ///
    /// ## Use instead
    ///
    /// Name what goes out, in the call or in a serializer:
    ///
    /// ```ruby
    /// render json: User.all, only: [:id, :name]
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-201: Insertion of Sensitive Information Into Sent Data
    /// - OWASP API Security Top 10 2023, API3 Broken Object Property Level Authorization
    rule: "record-rendered-whole", "Record given out with its secret columns", DataAndCryptography, 201, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"
}

/// What Devise's `serializable_hash` leaves out.
const DEVISE: &[&str] = &[
    "encrypted_password",
    "reset_password_token",
    "password_salt",
    "confirmation_token",
    "remember_token",
    "unlock_token",
];

/// Looks at what is rendered as data.
pub fn run(context: &Context<'_, '_>) {
    let controls = |file: FileId| {
        matches!(context.app.habitat(Name::from(""), file), Habitat::Controller | Habitat::Endpoint)
    };
    context.calls_named(&["render"], |file, _, call| {
        if call.recv.is_some() || !controls(file) {
            return;
        }
        if has_keyword(
            call.args.last(),
            &["only", "except", "serializer", "each_serializer", "template", "fields"],
        ) {
            return;
        }
        for word in ["json", "xml"] {
            if let Some(value) = keyword(call, word) {
                given(context, file, value, 0);
            }
        }
    });
    context.calls_named(&["respond_with"], |file, node, call| {
        if call.recv.is_some()
            || !controls(file)
            || has_keyword(call.args.last(), &["only", "except", "serializer", "each_serializer"])
        {
            return;
        }
        let site = record::site(context, file, node.span);
        if let Some(value) = call.args.first().filter(|_| answers_data(context, site)) {
            given(context, file, value, 0);
        }
    });
    context.calls_named(&["to_json", "as_json", "to_xml"], |file, node, call| {
        if context.file(file).is_template() && call.recv.is_some() {
            given(context, file, node, 0);
        }
    });
}

/// Whether `respond_with` answers with data, and no template stands before it.
fn answers_data(context: &Context<'_, '_>, site: Site) -> bool {
    let app = context.app;
    let declared = app.index.macros(site.class).into_iter().any(|m| {
        m.call.name == "respond_to"
            && m.call.args.iter().filter_map(literal_name).any(|n| matches!(n.as_str(), "json" | "xml"))
    });
    let templated = site.method.is_some_and(|id| {
        let folder = app.render_folder(site.class, site.file);
        app.views.get(&format!("{folder}/{}", app.index.method(id).name)).iter().any(|f| {
            matches!(
                app.file(*f).role,
                wardroom_rails::Role::Template { format: wardroom_rails::Format::Other, .. }
            )
        })
    });
    declared && !templated
}

/// Looks at a value that becomes data.
fn given(context: &Context<'_, '_>, file: FileId, node: &Node, depth: u32) {
    if depth > 4 {
        return;
    }
    match &node.kind {
        Kind::Hash(pairs) => {
            if !has_keyword(Some(node), &["only"]) {
                pairs.iter().for_each(|p| given(context, file, &p.value, depth + 1));
            }
        }
        Kind::Array(items) => items.iter().for_each(|n| given(context, file, n, depth + 1)),
        Kind::If(branch) => {
            given(context, file, &branch.then, depth + 1);
            given(context, file, &branch.otherwise, depth + 1);
        }
        Kind::Call(call)
            if matches!(
                call.name.as_str(),
                "to_json" | "as_json" | "to_xml" | "serializable_hash" | "attributes"
            ) =>
        {
            if !named(call)
                && let Some(recv) = &call.recv
            {
                record(context, file, recv, node);
            }
        }
        _ => record(context, file, node, node),
    }
}

/// Whether a call names what goes out.
fn named(call: &Call) -> bool {
    // Options that are no literal may name anything.
    call.args.first().is_some_and(|options| match &options.kind {
        Kind::Hash(pairs) => {
            has_keyword(Some(options), &["only", "except"])
                || pairs.iter().any(|p| matches!(p.key.kind, Kind::DoubleSplat(_)))
        }
        _ => true,
    })
}

fn record(context: &Context<'_, '_>, file: FileId, node: &Node, at: &Node) {
    if !matches!(node.kind, Kind::Call(_) | Kind::Local(_) | Kind::Ivar(_) | Kind::Or(_)) {
        return;
    }
    let app = context.app;
    let site = record::site(context, file, at.span);
    let Some(found) = record::of(context, site, node) else { return };
    let writes_own = ["as_json", "serializable_hash", "to_json", "to_xml", "attributes"]
        .iter()
        .any(|m| app.index.find(found.class, Name::from(m)).is_some());
    if writes_own || serialized(context, found.class) {
        return;
    }
    let (sure, weak) = secrets(context, found.class);
    if sure.is_empty() && weak.is_empty() {
        return;
    }
    let columns: Vec<String> = sure.iter().chain(&weak).map(|c| format!("`{c}`")).collect();
    // A bare `token` is often only the name by which addresses call the record.
    let vague = sure.is_empty() && weak.iter().all(|c| *c == "token");
    let confidence =
        judge(&found, !sure.is_empty()).min(if vague { Confidence::Low } else { Confidence::High });
    let words = context.source(file, node.span);
    context
        .finding(
            rule(),
            file,
            at.span,
            format!(
                "`{}` goes out with every column of `{}`, {} too",
                words,
                found.class,
                columns.join(", ")
            ),
        )
        .confidence(confidence)
        .reason(match (found.guessed, found.own) {
            (true, _) => "that it is such a record is guessed from its name",
            (_, true) => "it is the caller's own record",
            _ if sure.is_empty() => "what the column opens is not known",
            _ => "",
        })
        .remedy("Name the columns that may go out: `only:`, a serializer, or an `as_json` of the model.")
        .endpoints(site.method.map(|m| context.endpoints_of(m)).unwrap_or_default())
        .report();
}

fn judge(found: &Record, sure: bool) -> Confidence {
    // A model that is itself a key or a session is given out for its token.
    let itself = ["Key", "Token", "Session", "Secret", "Credential", "Invite", "Invitation"]
        .iter()
        .any(|w| found.class.ends_with(w));
    let confidence = match (sure, found.guessed || found.own) {
        (true, false) => Confidence::High,
        (true, true) | (false, false) => Confidence::Medium,
        (false, true) => Confidence::Low,
    };
    if itself { Confidence::Low } else { confidence }
}

/// Whether a serializer of the model stands between.
fn serialized(context: &Context<'_, '_>, class: Name) -> bool {
    let last = class.rsplit("::").next().unwrap_or(&class);
    let gems = &context.app.gems;
    let by_name =
        ["active_model_serializers", "jsonapi-rails", "alba", "panko_serializer"].iter().any(|g| gems.has(g));
    by_name
        && context
            .app
            .index
            .classes
            .keys()
            .any(|c| c.rsplit("::").next().unwrap_or(c).strip_suffix("Serializer") == Some(last))
}

/// The secret columns of a model that its JSON holds: those that let in, and those that may.
fn secrets(context: &Context<'_, '_>, class: Name) -> (Vec<Name>, Vec<Name>) {
    let app = context.app;
    let Some(model) = app.models.get(&class) else { return Default::default() };
    let macros = app.index.macros(class);
    let devise = macros.iter().any(|m| m.call.name == "devise");
    let (mut sure, mut weak) = (Vec::new(), Vec::new());
    for (column, kind) in &model.columns {
        if !matches!(
            kind,
            ColumnType::String | ColumnType::Text | ColumnType::Binary | ColumnType::Json | ColumnType::Other
        ) || devise && DEVISE.contains(&column.as_str())
        {
            continue;
        }
        match letting_in(column) {
            Some(true) => sure.push(*column),
            Some(false) => weak.push(*column),
            None => {}
        }
    }
    if model.columns.is_empty() && macros.iter().any(|m| m.call.name == "has_secure_password") {
        sure.push(Name::from("password_digest"));
    }
    sure.sort();
    weak.sort();
    (sure, weak)
}

/// Whether a column lets in who knows it: surely, or perhaps.
fn letting_in(column: &str) -> Option<bool> {
    let words = naming::words(column);
    let has = |list: &[&str]| words.iter().any(|w| list.contains(&w.as_str()));
    let last = words.last().map_or("", String::as_str);
    if has(&["public", "csrf", "page", "continuation", "share", "sharing", "embed", "feed", "push", "device"])
    {
        return None;
    }
    if has(&["password", "passwd"])
        && matches!(last, "digest" | "hash" | "password" | "crypted" | "encrypted" | "salt" | "passwd")
        && !has(&["require", "requires", "has", "use", "needs"])
    {
        return Some(last != "salt");
    }
    if has(&["otp", "totp", "mfa"]) && has(&["secret", "seed", "codes", "key"]) {
        return Some(true);
    }
    match naming::secret(column)? {
        Secret::Password => Some(true),
        Secret::Key => Some(!matches!(last, "secret" | "secrets") || words.len() > 1),
        Secret::Token => Some(has(&[
            "auth",
            "authentication",
            "access",
            "refresh",
            "reset",
            "api",
            "session",
            "remember",
            "persistence",
            "login",
            "perishable",
            "recovery",
            "oauth",
        ])),
        Secret::Personal => None,
    }
}
