//! Attempts to clean a text with a replacement that can be got round.

use wardroom_model::{Confidence, Severity};
use wardroom_ruby::ir::{Call, Kind, Node};

use super::{naming, place};
use crate::context::Context;

wardroom_model::rule! {
    /// Dangerous parts of a text are taken out by one replacement: script tags, `../`, event handlers,
    /// `javascript:`; or only the first occurrence is.
    ///
    /// ## Why it is bad
    ///
    /// What is left can be the very thing: `....//` becomes `../`, `<scr<script>ipt>` becomes
    /// `<script>`, and browsers read tags that a pattern does not.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// name.gsub("../", "")
    /// text.gsub(/<script.*?>.*?<\/script>/, "")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// File.basename(name)
    /// Rails::HTML5::SafeListSanitizer.new.sanitize(text)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-116: Improper Encoding or Escaping of Output
    /// - CWE-184: Incomplete List of Disallowed Inputs
    rule: "incomplete-sanitizer-regexp", "A replacement that can be got round", DenialOfService, 184, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at replacements by nothing.
pub fn run(context: &Context<'_, '_>) {
    let hint = place::hint!(
        r#"sub!?[ (].{0,12}(?:[sS]cript|on\\w)|script.{0,24}/[a-z]*, |\.remove[ (]|sub!?[ (]["'](?:\.\.|[<>"'])|sub!?[ (](?:/|%r.)\\\.\\\."#
    );
    place::calls(context, hint, &mut |id, node, call| {
        if context.file(id).is_template()
            || naming::is_aside(&context.file(id).path)
            || !matches!(call.name.as_str(), "gsub" | "gsub!" | "sub" | "sub!" | "remove" | "delete")
            || call.recv.is_none()
        {
            return;
        }
        let Some(first) = call.args.first() else { return };
        let Some((source, _, open)) = place::pattern_source(context, id, first, 0) else { return };
        if open {
            return;
        }
        let literal = matches!(first.kind, Kind::Str(_));
        let Some((what, remedy)) = danger(&source, literal, call) else { return };
        context
            .finding(
                rule(),
                id,
                node.span,
                format!(
                    "{what} by `{}` with {}, which can be got round",
                    call.name,
                    context.source(id, first.span)
                ),
            )
            .confidence(Confidence::Medium)
            .severity(Severity::Low)
            .remedy(remedy)
            .report();
    });
}

fn danger(source: &str, literal: bool, call: &Call) -> Option<(&'static str, &'static str)> {
    const MARKUP: &str =
        "Use `sanitize` (Rails' or the `sanitize` gem) to keep some markup, or escape all of it.";
    let plain: String =
        source.to_ascii_lowercase().chars().filter(|c| !matches!(c, '\\' | '(' | ')' | '?' | ':')).collect();
    let removes = matches!(call.name.as_str(), "remove") || call.args.get(1).is_some_and(is_empty);
    if removes
        && (plain.starts_with("<script")
            || plain.starts_with("</script")
            || plain.contains("<script") && !plain.contains('^'))
    {
        return Some(("Script tags are taken out", MARKUP));
    }
    if removes
        && (plain.starts_with("javascript") || plain.starts_with("onw+") || plain.starts_with("on[a-z]+"))
    {
        return Some(("Scripts in attributes are taken out", MARKUP));
    }
    if removes
        && matches!(plain.as_str(), "../" | "../+" | "..//" | "..")
        && (literal || source.contains("\\.\\."))
        && call.name != "delete"
    {
        return Some((
            "Steps up the folders are taken out",
            "Use `File.basename`, or compare `File.expand_path` with the folder that the file must stay in.",
        ));
    }
    // Only the first is replaced.
    if matches!(call.name.as_str(), "sub" | "sub!")
        && matches!(source, "<" | ">" | "'" | "\"")
        && literal
        && !removes
    {
        return Some((
            "Only the first character of its kind is escaped",
            "Use `ERB::Util.html_escape`, or `gsub`.",
        ));
    }
    None
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Str(text) if text.trim().is_empty())
}
