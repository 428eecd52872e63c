//! Errors shown to whoever asks.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::Habitat;
use wardroom_ruby::ir::{Call, Kind, Name, Node};
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;
use crate::mend;

wardroom_model::rule! {
    /// Production shows Rails' detailed error pages, or an action answers with an exception's message
    /// or backtrace.
    ///
    /// ## Why it is bad
    ///
    /// Error texts name files, queries, hosts, versions and values: an attacker learns how the inside
    /// looks and which attempt came close.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// config.consider_all_requests_local = true
    ///
    /// rescue => e
    ///   render plain: e.backtrace.join("\n")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// rescue ActiveRecord::RecordInvalid => e
    ///   Rails.error.report(e)
    ///   render json: { error: "The record could not be saved." }, status: :unprocessable_entity
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-209: Generation of Error Message Containing Sensitive Information
    rule: "detailed-exceptions", "Inner errors shown to the client", DataAndCryptography, 209, Low,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"
}

/// Looks at the setting, at the method that overrules it and at what rescues render.
pub fn run(context: &Context<'_, '_>) {
    // `def show_detailed_exceptions? = true`
    let named = context.app.index.by_name.get(&Name::from("show_detailed_exceptions?"));
    for id in named.into_iter().flatten() {
        let method = context.app.index.method(*id);
        let always = match &method.body.kind {
            Kind::Seq(list) => matches!(list.last().map(|n| &n.kind), Some(Kind::True)),
            kind => matches!(kind, Kind::True),
        };
        if always {
            context
                .finding(rule(), method.file, method.name_span, "Errors are shown in detail, whoever asks")
                .confidence(Confidence::High)
                .severity(Severity::Medium)
                .remedy("Say `request.local?`, or ask for a role.")
                .report();
        }
    }
    if let Some(local) = context.app.config.effective("consider_all_requests_local")
        && local.certain
        && local.value.as_bool() == Some(true)
        && let Some(setting) = local.setting
    {
        let (file, span) = place::of(setting);
        context
            .finding(rule(), file, span, "Production shows detailed error pages to everyone")
            .confidence(Confidence::High)
            .severity(Severity::Medium)
            .remedy("Set `config.consider_all_requests_local = false` in production.")
            .mend(
                mend::value_in_setting(context, file, span, "true")
                    .filter(|_| context.file(file).path.ends_with("environments/production.rb"))
                    .map(|at| mend::replace("Shows the public error pages", file, at, "false")),
            )
            .report();
    }
    let hint = place::hint!("rescue");
    for (id, file) in context.code_files() {
        if !hint.is_match(&file.text) || file.is_template() {
            continue;
        }
        let habitat = context.app.habitat(Name::from(""), id);
        if !matches!(habitat, Habitat::Controller | Habitat::Endpoint) {
            continue;
        }
        walk::each(&file.parsed.body, &mut |node| {
            if let Kind::Begin(begin) = &node.kind {
                for rescue in &begin.rescues {
                    let Some(Kind::Local(name)) = rescue.binding.as_ref().map(|b| &b.kind) else { continue };
                    // An exception of the application or of a validation has a text made for people.
                    let broad = rescue.classes.is_empty()
                        || rescue
                            .classes
                            .iter()
                            .filter_map(place::constant)
                            .any(|c| matches!(c.as_str(), "StandardError" | "Exception"));
                    rendered(context, id, &rescue.body, *name, broad);
                }
            }
            if let Kind::Call(call) = &node.kind
                && call.name == "rescue_from"
                && let Some(block) = &call.block
                && let Some(param) = block.params.first()
            {
                let broad = call
                    .args
                    .iter()
                    .filter_map(place::constant)
                    .any(|c| matches!(c.as_str(), "StandardError" | "Exception"));
                rendered(context, id, &block.body, param.name, broad);
            }
            true
        });
    }
}

fn rendered(
    context: &Context<'_, '_>,
    id: wardroom_rails::FileId,
    body: &Node,
    exception: Name,
    broad: bool,
) {
    walk::each(body, &mut |node| {
        let Kind::Call(call) = &node.kind else { return true };
        if call.recv.is_some()
            || !matches!(call.name.as_str(), "render" | "error!" | "render_error" | "send_data")
        {
            return true;
        }
        let (mut trace, mut message) = (false, false);
        for argument in &call.args {
            walk::each(argument, &mut |inner| {
                if let Kind::Call(inner) = &inner.kind
                    && let Call { recv: Some(recv), name, .. } = inner.as_ref()
                    && matches!(&recv.kind, Kind::Local(n) if *n == exception)
                {
                    trace |= matches!(name.as_str(), "backtrace" | "full_message" | "backtrace_locations");
                    message |= matches!(name.as_str(), "message" | "inspect" | "to_s");
                }
                true
            });
        }
        if trace || message && broad {
            // `test_connection`: to say why it fails is what the action is for.
            let tries = context.method_at(id, node.span).is_some_and(|m| {
                let name = context.app.index.method(m).name;
                name.split('_').any(|w| matches!(w, "test" | "ping" | "diagnose"))
            });
            context
                .finding(
                    rule(),
                    id,
                    node.span,
                    if trace {
                        "The backtrace of an exception is shown to the client"
                    } else {
                        "The message of any exception is shown to the client"
                    },
                )
                .confidence(match (tries, trace) {
                    (true, _) => Confidence::Low,
                    (_, true) => Confidence::High,
                    _ => Confidence::Medium,
                })
                .severity(Severity::Low)
                .remedy("Answer with a text of your own and send the exception to the error tracker.")
                .report();
        }
        false
    });
}
