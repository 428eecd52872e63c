//! Requests that wait on purpose.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::{FileId, Habitat, MethodId, Role};
use wardroom_ruby::ir::{Call, Kind, Name, Node, Span};
use wardroom_ruby::walk;

use super::{naming, place};
use crate::context::Context;

wardroom_model::rule! {
    /// An action calls `sleep`: it holds a thread of the server for as long, and where the request says
    /// how long, for as long as a visitor likes.
    ///
    /// ## Why it is bad
    ///
    /// A server answers as many requests at once as it has threads, mostly five to a process. A few
    /// visitors who reload such a page keep all of them asleep, and nobody else is answered.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// def show
    ///   sleep params[:delay].to_i
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// def show
    ///   SlowJob.perform_later(current_user)
    ///   head :accepted
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-400: Uncontrolled Resource Consumption
    rule: "sleep-in-request", "A request that waits on purpose", DenialOfService, 400, Low,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"
}

/// Looks at `sleep` in controllers.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    context.calls_named(&["sleep"], |id, node, call| {
        let ours = match call.recv.as_ref().map(|r| &r.kind) {
            None => true,
            Some(Kind::Const(path)) => path.last().is_some_and(|n| n == "Kernel"),
            _ => false,
        };
        let file = context.file(id);
        if !ours
            || !matches!(file.role, Role::Ruby)
            || naming::is_aside(&file.path)
            || !matches!(app.habitat(Name::from(""), id), Habitat::Controller | Habitat::Endpoint)
        {
            return;
        }
        let chosen = call
            .args
            .first()
            .map(|a| context.behind(id, a))
            .filter(|(at, value)| *at == id && place::number_of_params(value));
        if let Some((_, value)) = chosen {
            let endpoints =
                context.method_at(id, node.span).map(|m| context.endpoints_of(m)).unwrap_or_default();
            context
                .finding(
                    rule(),
                    id,
                    node.span,
                    format!("`{}` says how long the request sleeps", context.source(id, value.span)),
                )
                .confidence(Confidence::High)
                .severity(Severity::Medium)
                .endpoints(endpoints)
                .remedy("Take the `sleep` out, or bound it by a small number: `clamp(0, 1)`.")
                .report();
            return;
        }
        let Some(method) = context.method_at(id, node.span) else { return };
        let action = is_action(context, method);
        if !action && !called_by_action(context, method) || elsewhere(context, id, node.span) {
            return;
        }
        if place::in_production(context, id, node.span, Confidence::High) != Some(Confidence::High) {
            return;
        }
        let seconds = seconds(context, id, call);
        let confidence = match seconds {
            Some(s) if s >= 1.0 && action && !streams(context, id) => Confidence::Medium,
            _ => Confidence::Low,
        };
        context
            .finding(
                rule(),
                id,
                node.span,
                match seconds {
                    Some(s) => format!("Each request sleeps for {s} s and holds a thread of the server"),
                    None => "Each request sleeps and holds a thread of the server".to_owned(),
                },
            )
            .confidence(confidence)
            .severity(Severity::Low)
            .reason(match (action, seconds) {
                (false, _) => "an action calls the method, perhaps not on each way",
                (_, None) => "how long is not known",
                (_, Some(s)) if s < 1.0 => "the time is short",
                _ => "it may be needed where the server has threads to spare",
            })
            .endpoints(context.endpoints_of(method))
            .remedy("Take the `sleep` out; what has to wait belongs into a job.")
            .report();
    });
}

fn is_action(context: &Context<'_, '_>, method: MethodId) -> bool {
    !context.endpoints_of(method).is_empty()
        || context.app.controllers.values().any(|c| c.actions.values().any(|m| *m == method))
}

/// Whether an action of the same class calls a method, or a filter runs it.
fn called_by_action(context: &Context<'_, '_>, method: MethodId) -> bool {
    let index = &context.app.index;
    let (owner, name) = (index.method(method).owner, index.method(method).name);
    let mut called = context
        .app
        .controllers
        .values()
        .any(|c| c.class == owner && c.filters.iter().any(|f| f.name == Some(name)));
    context.calls_named(&[name.as_str()], |id, node, call| {
        called = called
            || call.recv.is_none()
                && context
                    .method_at(id, node.span)
                    .is_some_and(|m| index.method(m).owner == owner && is_action(context, m));
    });
    called
}

/// The time as the code says it.
fn seconds<'a>(context: &Context<'_, 'a>, id: FileId, call: &'a Call) -> Option<f64> {
    let value = |node: &'a Node| match context.behind(id, node).1.kind {
        Kind::Int(seconds) => Some(seconds as f64),
        Kind::Float(seconds) => Some(seconds),
        _ => None,
    };
    let first = call.args.first()?;
    match &context.behind(id, first).1.kind {
        Kind::Call(unit) => {
            let times = match unit.name.as_str() {
                "second" | "seconds" => 1.0,
                "minute" | "minutes" => 60.0,
                _ => return None,
            };
            value(unit.recv.as_ref()?).map(|v| v * times)
        }
        _ => value(first),
    }
}

/// Whether a place runs in a thread of its own.
fn elsewhere(context: &Context<'_, '_>, id: FileId, span: Span) -> bool {
    let mut found = false;
    walk::each(&context.file(id).parsed.body, &mut |node| {
        if node.span.start > span.start || node.span.end < span.end {
            return false;
        }
        if let Kind::Call(call) = &node.kind
            && call.block.as_ref().is_some_and(|b| b.span.start <= span.start && span.end <= b.span.end)
        {
            let class = call.recv.as_ref().and_then(place::constant).unwrap_or_default();
            found |= matches!(class.as_str(), "Thread" | "Process" | "EM" | "Async" | "Ractor" | "Fiber")
                || class.starts_with("Concurrent")
                || matches!(call.name.as_str(), "fork" | "async" | "defer");
        }
        !found
    });
    found
}

/// Whether a controller sends its answers bit by bit, and waits in between on purpose.
fn streams(context: &Context<'_, '_>, id: FileId) -> bool {
    place::hint!(r"ActionController::Live|\.hijack|EventMachine").is_match(&context.file(id).text)
}
