//! Passwords and tokens written to the log.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::Habitat;
use wardroom_ruby::ir::{Call, Kind, Name, Node};
use wardroom_ruby::walk;

use super::naming::{self, Secret};
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A password, key or token, or all parameters of a request, are written to the log.
    ///
    /// ## Why it is bad
    ///
    /// Logs are copied, kept for long and read by many. `filter_parameters` covers only what Rails
    /// itself logs, not what the code writes.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// logger.info "login with #{params[:password]}"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// logger.info "login of #{user.id}"
    /// logger.info request.filtered_parameters.inspect
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-532: Insertion of Sensitive Information into Log File
    rule: "secret-in-log", "A secret written to the log", DataAndCryptography, 532, Medium,
        "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"
}

/// Looks at what loggers are given.
pub fn run(context: &Context<'_, '_>) {
    let hint = place::hint!(r"[lL]ogger\b|\blog\.|LOGGER");
    let mut with_params: Vec<wardroom_rails::FileId> = Vec::new();
    place::calls(context, hint, &mut |id, node, call| {
        if !is_logging(call) || naming::is_aside(&context.file(id).path) {
            return;
        }
        let inputs = call.args.iter().chain(call.block.iter().map(|b| &b.body));
        for input in inputs {
            let Some((words, found)) = told(input, false) else { continue };
            let (message, confidence, severity) = match found {
                Told::Secret(Secret::Password | Secret::Personal) => {
                    (format!("`{words}` is written to the log"), Confidence::High, Severity::Medium)
                }
                Told::Secret(_) => {
                    (format!("`{words}` is written to the log"), Confidence::Medium, Severity::Medium)
                }
                Told::Params
                    if with_params.contains(&id)
                        || context.app.habitat(Name::from(""), id) != Habitat::Controller =>
                {
                    return;
                }
                Told::Params => (
                    "All parameters of the request are written to the log, unfiltered".to_owned(),
                    if takes_secret(context, id, node) { Confidence::Medium } else { Confidence::Low },
                    Severity::Low,
                ),
            };
            if matches!(found, Told::Params) {
                with_params.push(id);
            }
            context
                .finding(rule(), id, node.span, message)
                .confidence(confidence)
                .severity(severity)
                .remedy("Leave the secret out; to log parameters take `request.filtered_parameters`.")
                .report();
            return;
        }
    });
}

/// Whether a parameter that reads like a secret is taken where the parameters are logged: in the
/// method itself, or in the whole file where the method reads none by name (a filter).
fn takes_secret(context: &Context<'_, '_>, file: wardroom_rails::FileId, place: &Node) -> bool {
    let around = context.method_at(file, place.span).map(|id| context.app.index.method(id));
    let look = |body: &Node| {
        let (mut reads, mut secret, mut handed) = (false, false, false);
        walk::each(body, &mut |node| {
            if let Kind::Call(call) = &node.kind {
                let of_params =
                    |n: &Node| matches!(&n.kind, Kind::Call(c) if c.name == "params" && c.recv.is_none());
                if matches!(
                    call.name.as_str(),
                    "[]" | "fetch" | "dig" | "require" | "permit" | "expect" | "slice"
                ) && place::any_params(node)
                {
                    for name in call.args.iter().filter_map(wardroom_rails::literal_name) {
                        reads = true;
                        secret |= naming::secret(&name).is_some();
                    }
                }
                // Given to something that picks out of it what it needs.
                handed |= !is_logging(call) && call.args.iter().any(of_params);
            }
            true
        });
        (reads, secret || handed)
    };
    match around.map(|m| look(m.body)) {
        Some((_, true)) => true,
        Some((true, false)) => false,
        _ => look(&context.file(file).parsed.body).1,
    }
}

fn is_logging(call: &Call) -> bool {
    if !matches!(
        call.name.as_str(),
        "debug" | "info" | "warn" | "error" | "fatal" | "unknown" | "log" | "add" | "tagged"
    ) {
        return false;
    }
    call.recv
        .as_ref()
        .and_then(|r| match &r.kind {
            Kind::Const(path) => path.last().copied(),
            _ => naming::of(r),
        })
        .is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            name.ends_with("logger") || name == "log"
        })
}

enum Told {
    Secret(Secret),
    Params,
}

/// The secret that an expression's text shows, by its name in the code.
fn told(node: &Node, shown: bool) -> Option<(String, Told)> {
    match &node.kind {
        Kind::Interp(interp) => interp.parts.iter().find_map(|p| told(p, true)),
        Kind::Array(items) => items.iter().find_map(|n| told(n, true)),
        Kind::Hash(pairs) => pairs.iter().find_map(|p| told(&p.value, true)),
        Kind::Seq(items) => items.last().and_then(|n| told(n, shown)),
        Kind::If(branch) => told(&branch.then, shown).or_else(|| told(&branch.otherwise, shown)),
        Kind::Or(sides) => told(&sides.0, shown).or_else(|| told(&sides.1, shown)),
        Kind::Call(call) => match call.name.as_str() {
            "+" | "%" | "<<" | "concat" | "format" | "sprintf" | "join" => {
                call.recv.iter().chain(&call.args).find_map(|n| told(n, true))
            }
            "inspect" | "to_s" | "to_json" | "strip" | "to_unsafe_h" | "to_h" | "to_unsafe_hash"
            | "to_hash" | "downcase" | "pretty_inspect" | "as_json" | "to_yaml" => {
                call.recv.as_ref().and_then(|n| told(n, true))
            }
            "params" if call.recv.is_none() && call.args.is_empty() && shown => {
                Some(("params".to_owned(), Told::Params))
            }
            "[]" | "fetch" => leaf(node),
            _ if call.args.is_empty() && call.block.is_none() && !call.name.ends_with(['?', '!']) => {
                leaf(node)
            }
            _ => None,
        },
        Kind::Local(_) | Kind::Ivar(_) | Kind::Gvar(_) => leaf(node),
        _ => None,
    }
}

fn leaf(node: &Node) -> Option<(String, Told)> {
    let name = naming::of(node)?;
    let secret = naming::secret(&name)?;
    // `I18n.t(…)`, constants and the like are no values of a secret.
    let mut from_constant = false;
    walk::children(node, &mut |child| from_constant |= matches!(child.kind, Kind::Const(_)));
    (!from_constant).then(|| (name.to_string(), Told::Secret(secret)))
}
