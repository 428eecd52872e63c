//! XML parsers that fetch what a document tells them to.

use wardroom_flow::Mark;
use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Node, Span};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// An XML parser is told to resolve entities (`noent`), to load document types (`dtdload`) or to use the
    /// network (`nononet`, `nonet` off), or the bound on entities is lifted.
    ///
    /// ## Why it is bad
    ///
    /// A document can then name a file of the server or an address in its network, and gets it back in the
    /// text; entities in entities fill the memory.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Nokogiri::XML(params[:xml]) { |config| config.noent.dtdload }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// Nokogiri::XML(params[:xml]) { |config| config.strict.nonet }
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-611: Improper Restriction of XML External Entity Reference
    rule: "xml-external-entities", "An XML parser resolves external entities", FilesAndNetwork, 611, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:L"
}

/// Words without which none of the patterns can stand in a file.
const WORDS: &[&str] = &[
    "noent",
    "NOENT",
    "dtdload",
    "DTDLOAD",
    "nononet",
    "DTDATTR",
    "substitute_entities",
    "load_external_dtd",
    "entity_expansion",
    "replace_entities",
    "huge",
    "HUGE",
];

/// Looks for parsers with these switches.
pub fn run(context: &Context<'_, '_>) {
    let reached = context.flows_to(Mark::Xml);
    let mut found: Vec<(FileId, Span, String, Severity)> = Vec::new();
    for (file, tree) in context.files_with(WORDS) {
        wardroom_ruby::walk::each(&tree.parsed.body, &mut |node| {
            if let Kind::Call(call) = &node.kind
                && let Some((what, severity)) = opened(call)
            {
                found.push((file, node.span, what, severity));
            }
            true
        });
    }
    for (file, span, what, severity) in found {
        let flow = reached.iter().find(|f| f.file == file && f.span == span);
        let builder = match flow {
            Some(flow) => {
                context.flow_finding(rule(), flow, format!("`{}` is parsed with {what}", flow.words))
            }
            None => context
                .finding(rule(), file, span, format!("XML is parsed with {what}"))
                .confidence(Confidence::Medium),
        };
        let builder = if place::is_tooling(&context.file(file).path) {
            builder.at_most(Confidence::Low)
        } else {
            builder
        };
        builder
            .severity(severity)
            .remedy("Leave entities and document types alone: the parser's defaults are safe.")
            .report();
    }
}

fn opened(call: &Call) -> Option<(String, Severity)> {
    let recv = call.recv.as_ref().and_then(place::constant).unwrap_or_default();
    match call.name.as_str() {
        "XML" | "parse" | "new" | "Slop" | "read_memory" | "read_io" | "string" | "io" | "file"
        | "document" | "from_string" | "from_io" | "HTML"
            if recv.starts_with("Nokogiri") || recv.contains("XML") || recv.contains("LibXML") =>
        {
            // Switches stand in the arguments (constants) or in the block (calls on the options).
            let mut switches: Vec<&str> = Vec::new();
            for arg in &call.args {
                collect(arg, &mut switches);
            }
            if let Some(block) = &call.block {
                collect(&block.body, &mut switches);
            }
            switches.dedup();
            let reads =
                switches.iter().any(|s| matches!(*s, "noent" | "NOENT" | "dtdload" | "DTDLOAD" | "nononet"));
            reads.then(|| (format!("`{}`", switches.join("`, `")), Severity::High))
        }
        "default_substitute_entities=" | "default_load_external_dtd=" | "default_replace_entities="
            if matches!(call.args.first()?.kind, Kind::True) =>
        {
            Some((format!("`{}` on for every parser", call.name.trim_end_matches('=')), Severity::High))
        }
        "entity_expansion_limit=" | "entity_expansion_text_limit=" if recv.contains("REXML") => {
            let lifted = match call.args.first()?.kind {
                Kind::Int(limit) => limit <= 0 || limit > 10_000_000,
                Kind::Nil => true,
                _ => false,
            };
            lifted.then(|| ("no bound on entities".to_owned(), Severity::Medium))
        }
        _ => None,
    }
}

fn collect<'a>(node: &'a Node, into: &mut Vec<&'a str>) {
    wardroom_ruby::walk::each(node, &mut |n| {
        match &n.kind {
            Kind::Const(path)
                if path.last().is_some_and(|n| matches!(n.as_str(), "NOENT" | "DTDLOAD" | "DTDATTR")) =>
            {
                into.extend(path.last().map(|n| n.as_str()))
            }
            Kind::Call(call)
                if matches!(call.name.as_str(), "noent" | "dtdload" | "nononet" | "dtdattr")
                    && call.recv.is_some() =>
            {
                into.push(call.name.as_str())
            }
            _ => {}
        }
        true
    });
}
