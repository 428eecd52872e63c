//! Objects made from bytes that a user sends.

use wardroom_flow::{Flow, Mark, SourceKind};
use wardroom_model::{Confidence, Severity};
use wardroom_rails::gems::Version;
use wardroom_ruby::ir::{Call, Kind, Node, Span};

use super::place;
use crate::context::Context;
use crate::mend::{self, Mend};

wardroom_model::rule! {
    /// `Marshal.load`, `YAML.load` before Psych 4, `Oj.load` in object mode and their kin get what a user sent.
    ///
    /// ## Why it is bad
    ///
    /// The bytes choose the classes of the objects that they become. Chains of ordinary Ruby and Rails classes
    /// are known that run a command while they are being loaded.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Marshal.load(Base64.decode64(cookies[:cart]))
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// JSON.parse(cookies[:cart])
    /// YAML.safe_load(text, permitted_classes: [Date])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-502: Deserialization of Untrusted Data
    rule: "unsafe-deserialization", "Objects are made from bytes that a user sends", FilesAndNetwork, 502, Critical,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at every flow into a loader of objects.
pub fn run(context: &Context<'_, '_>) {
    let safe_yaml = yaml_load_is_safe(context);
    for flow in context.flows_to(Mark::Deserialize) {
        let Some(call) = place::call_at(context, flow.file, flow.span) else { continue };
        let loader = call.recv.as_ref().and_then(place::constant).unwrap_or_default();
        let yaml = matches!(loader.as_str(), "YAML" | "Psych");
        if yaml && safe_yaml && call.name == "load" && place::option(call, "permitted_classes").is_none() {
            continue;
        }
        let is = |key: &str, wanted: &str| {
            place::option(call, key).is_some_and(|n| place::key_name(n) == Some(wanted))
        };
        if loader == "Oj"
            && (is("mode", "strict")
                || is("mode", "compat")
                || is("mode", "null")
                || is("mode", "rails")
                || is("mode", "json")
                || is("mode", "wab"))
        {
            continue;
        }
        let json = loader == "JSON";
        if json
            && (place::option(call, "create_additions").is_some_and(|n| matches!(n.kind, Kind::False))
                || call.args.get(1).is_some_and(|a| matches!(a.kind, Kind::Nil)))
        {
            continue;
        }
        let remedy = match loader.as_str() {
            "YAML" | "Psych" => "Use `YAML.safe_load`, and name the classes that may come out of it.",
            "Oj" => "Say `mode: :strict` or `mode: :compat`; Oj's own default is `:object`.",
            "JSON" => "Use `JSON.parse`, which makes no objects of other classes.",
            _ => "Use JSON for what comes from outside.",
        };
        let mut builder = context
            .flow_finding(
                rule(),
                flow,
                format!("`{}` becomes objects in `{}`", flow.words, name_of(&loader, flow)),
            )
            .remedy(remedy)
            .mend(mend(context, flow, call, &loader));
        if json {
            let old = context.app.gems.older_than("json", "1.7.7");
            let most = if old || call.name == "unsafe_load" { Confidence::Medium } else { Confidence::Low };
            builder = builder.severity(Severity::Medium).at_most(most);
        }
        if flow.source == SourceKind::Local || place::is_tooling(&context.file(flow.file).path) {
            builder = builder.at_most(Confidence::Low);
        }
        if flow.source == SourceKind::Remote {
            builder = builder.severity(Severity::High);
        }
        builder.report();
    }
    unresolved(context, safe_yaml);
    patterns(context);
    unsafe_by_name(context);
}

/// Loaders that get a method's parameter, without any caller being known to hand over an outsider's bytes.
fn unresolved(context: &Context<'_, '_>, safe_yaml: bool) {
    for open in context.unresolved_to(Mark::Deserialize) {
        let Some(call) = place::call_at(context, open.file, open.span) else { continue };
        let loader = call.recv.as_ref().and_then(place::constant).unwrap_or_default();
        let yaml = matches!(loader.as_str(), "YAML" | "Psych");
        if yaml && safe_yaml && call.name == "load"
            || matches!(loader.as_str(), "JSON" | "Oj")
            || place::is_tooling(&context.file(open.file).path)
        {
            continue;
        }
        // What is called so and read by its keys came with a request.
        let params = matches!(open.parameter.as_str(), "params" | "parameters")
            && context.source(open.file, open.span).contains(&format!("{}[", open.parameter));
        let builder = context
            .unresolved_finding(
                rule(),
                open,
                format!("`{}` becomes objects in `{loader}.{}`", open.parameter, open.method),
            )
            .remedy(
                "Load plain data alone (`YAML.safe_load`, JSON), and name the classes that may come out.",
            );
        if params { builder.confidence(Confidence::Medium).report() } else { builder.report() }
    }
}

/// The loader of plain data in the place of the one of any objects.
fn mend(context: &Context<'_, '_>, flow: &Flow, call: &Call, loader: &str) -> Option<Mend> {
    let [only] = call.args.as_slice() else { return None };
    if matches!(only.kind, Kind::Hash(_)) || call.block.is_some() {
        return None;
    }
    // What the application has stored itself may well hold symbols and dates.
    let asked = matches!(
        flow.source,
        SourceKind::Params | SourceKind::Cookie | SourceKind::Request | SourceKind::Upload
    );
    match (loader, call.name.as_str()) {
        // It came with Ruby 2.1.
        ("YAML" | "Psych", "load" | "unsafe_load") if asked && context.app.rails() >= (4, 2) => {
            Some(mend::replace("Loads plain data alone", flow.file, call.name_span, "safe_load"))
        }
        ("Oj", "load") => {
            let end = only.span.end;
            Some(mend::replace(
                "Loads plain data alone",
                flow.file,
                Span { start: end, end },
                ", mode: :strict",
            ))
        }
        _ => None,
    }
}

fn name_of(loader: &str, flow: &Flow) -> String {
    if loader.is_empty() { flow.method.to_string() } else { format!("{loader}.{}", flow.method) }
}

/// From Psych 4 (Ruby 3.1) on, `YAML.load` makes plain data alone.
fn yaml_load_is_safe(context: &Context<'_, '_>) -> bool {
    let gems = &context.app.gems;
    match gems.version("psych") {
        Some(version) => version >= Version(4, 0, 0),
        None => {
            gems.ruby_version().is_some_and(|v| v >= Version(3, 1, 0))
                || gems.ruby_version().is_none() && context.app.rails() >= (7, 2)
        }
    }
}

/// `YAML.unsafe_load(version.object)`: the name says that anything may come of it, and an attribute says
/// that it was stored.
fn unsafe_by_name(context: &Context<'_, '_>) {
    let flows = context.flows_to(Mark::Deserialize);
    context.calls_named(&["unsafe_load"], |file, node, call| {
        let loader = call.recv.as_ref().and_then(place::constant).unwrap_or_default();
        let Some(Node { kind: Kind::Call(read), .. }) = call.args.first() else { return };
        let attribute = read.args.is_empty()
            && read.block.is_none()
            && matches!(
                read.recv.as_ref().map(|r| &r.kind),
                Some(Kind::Local(_) | Kind::Ivar(_) | Kind::Call(_))
            )
            && !matches!(read.name.as_str(), "read" | "to_yaml" | "to_s" | "path");
        let told = flows.iter().any(|f| f.file == file && f.span == node.span);
        if !matches!(loader.as_str(), "YAML" | "Psych")
            || !attribute
            || told
            || place::is_tooling(&context.file(file).path)
        {
            return;
        }
        context
            .finding(
                rule(),
                file,
                node.span,
                format!(
                    "`{}` becomes objects in `{loader}.unsafe_load`",
                    context.source(file, call.args[0].span)
                ),
            )
            .confidence(Confidence::Medium)
            .reason("who writes the value is not known")
            .remedy("Use `YAML.safe_load`, and name the classes that may come out of it.")
            .report();
    });
}

/// JSON that makes objects, and Oj's default mode, whatever comes in.
fn patterns(context: &Context<'_, '_>) {
    let mut found: Vec<(wardroom_rails::FileId, Span, &str, Confidence)> = Vec::new();
    for (file, tree) in context.files_with(&["create_additions", "default_options"]) {
        wardroom_ruby::walk::each(&tree.parsed.body, &mut |node: &Node| {
            let Kind::Call(call) = &node.kind else { return true };
            let loader = call.recv.as_ref().and_then(place::constant).unwrap_or_default();
            let on = |key: &str| place::option(call, key).is_some_and(|n| matches!(n.kind, Kind::True));
            if loader == "JSON"
                && matches!(call.name.as_str(), "parse" | "parse!" | "load")
                && on("create_additions")
                && !matches!(call.args.first().map(|a| &a.kind), Some(Kind::Str(_)))
            {
                found.push((
                    file,
                    node.span,
                    "`create_additions: true` lets the JSON name the classes of the objects that it becomes",
                    Confidence::Medium,
                ));
            }
            if loader == "Oj"
                && matches!(call.name.as_str(), "default_options=" | "default_options")
                && call.args.first().and_then(|a| place::in_hash(a, "mode")).and_then(place::key_name)
                    == Some("object")
            {
                found.push((
                    file,
                    node.span,
                    "Oj's mode `:object` lets the JSON name the classes of the objects that it becomes",
                    Confidence::Medium,
                ));
            }
            true
        });
    }
    for (file, span, message, confidence) in found {
        context
            .finding(rule(), file, span, message)
            .confidence(confidence)
            .severity(Severity::High)
            .remedy("Load plain data, and make the objects from it in the code.")
            .report();
    }
}
