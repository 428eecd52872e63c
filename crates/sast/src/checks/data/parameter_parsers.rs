//! Bodies of requests that become objects.

use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::{Call, Kind, Node};
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The application registers a parser for request bodies that reads YAML, `Marshal` data or XML
    /// with types.
    ///
    /// ## Why it is bad
    ///
    /// YAML and `Marshal` make objects of any class, before any filter of a controller has run: one
    /// request can run code.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// ActionController::Base.param_parsers[Mime::YAML] = :yaml
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// ActionDispatch::Request.parameter_parsers[:jsonapi] = ->(body) { JSON.parse(body) }
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-502: Deserialization of Untrusted Data
    /// - CVE-2013-0156
    rule: "parameter-parsers", "Request bodies that become objects", Configuration, 502, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// Looks at parsers that are registered.
pub fn run(context: &Context<'_, '_>) {
    let hint = place::hint!("param_parsers|parameter_parsers|ParamsParser");
    place::calls(context, hint, &mut |id, node, call| {
        let registers = match call.name.as_str() {
            "[]=" => call.recv.as_ref().is_some_and(is_registry),
            "parameter_parsers=" | "param_parsers=" => true,
            "use" | "insert_before" | "insert_after" | "swap" => call.args.iter().any(|a| {
                place::constant(a)
                    .or_else(|| place::text(a).map(str::to_owned))
                    .is_some_and(|c| c.contains("ParamsParser"))
            }),
            _ => false,
        };
        if !registers {
            return;
        }
        let mut danger: Option<(&str, Confidence, Severity)> = None;
        let inputs = call.args.iter().chain(call.block.iter().map(|b| &b.body));
        for input in inputs {
            walk::each(input, &mut |inner| {
                let found = match &inner.kind {
                    Kind::Sym(name) if name == "yaml" && matches!(inner.kind, Kind::Sym(_)) => {
                        Some(("YAML", Confidence::High, Severity::Critical))
                    }
                    Kind::Call(c) => unsafe_load(c),
                    _ => None,
                };
                danger = danger.or(found);
                true
            });
        }
        if let Some((format, confidence, severity)) = danger {
            context
                .finding(rule(), id, node.span, format!("Request bodies are read as {format}"))
                .confidence(confidence)
                .severity(severity)
                .remedy("Take the parser out, or read the body with `JSON.parse` or `YAML.safe_load`.")
                .report();
        }
    });
}

fn is_registry(node: &Node) -> bool {
    matches!(&node.kind, Kind::Call(c) if matches!(c.name.as_str(), "param_parsers" | "parameter_parsers"))
}

fn unsafe_load(call: &Call) -> Option<(&'static str, Confidence, Severity)> {
    let class = call.recv.as_ref().and_then(place::constant)?;
    match (class.as_str(), call.name.as_str()) {
        ("YAML" | "Psych", "load" | "unsafe_load") => Some(("YAML", Confidence::High, Severity::Critical)),
        ("Marshal", "load") => Some(("`Marshal` data", Confidence::High, Severity::Critical)),
        ("Hash", "from_trusted_xml") => Some(("XML with types", Confidence::High, Severity::High)),
        _ => None,
    }
}
