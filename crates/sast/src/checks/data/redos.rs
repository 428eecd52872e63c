//! Patterns whose time explodes on texts that a user sends.

use std::collections::{HashMap, HashSet};

use wardroom_flow::{Flow, Mark, SourceKind};
use wardroom_model::{Confidence, Severity};
use wardroom_rails::gems::Version;
use wardroom_rails::{FileId, literal_name};
use wardroom_ruby::ir::{Kind, Node, Span};

use super::pattern::{Growth, Pattern};
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A regular expression that can match the same text in many ways is tried on what a user sends.
    ///
    /// ## Why it is bad
    ///
    /// Where the match fails in the end, Ruby tries all the ways: a text of fifty characters can keep
    /// a process busy for hours. A few such requests stop the application.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// params[:name] =~ /\A(\w+\s?)*\z/
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// params[:name] =~ /\A\w+(?:\s\w+)*\s?\z/
    /// Regexp.timeout = 1
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1333: Inefficient Regular Expression Complexity
    /// - Ruby 3.2 release notes: memoization and `Regexp.timeout`
    rule: "redos", "A slow pattern on what a user sends", DenialOfService, 1333, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
}

struct Slow {
    growth: Growth,
    irregular: bool,
}

/// Looks at patterns in matches that data reaches, and in validations of formats.
pub fn run<'a>(context: &Context<'_, 'a>) {
    let mut slow: HashMap<(FileId, Span), Slow> = HashMap::new();
    let hint = place::hint!(r"[*+}]\)|[*+]\S*[*+]");
    let judge = |id: FileId, node: &'a Node| -> Option<Slow> {
        if let Kind::Str(_) = node.kind {
            return None;
        }
        let (source, flags, _) = place::pattern_source(context, id, node, 0)?;
        // Without two repeats nothing can grow.
        if source.bytes().filter(|b| matches!(b, b'*' | b'+' | b'{')).count() < 2 {
            return None;
        }
        let read = Pattern::parse(&source, &flags)?;
        let growth = read.growth();
        (growth >= Growth::Search).then_some(Slow { growth, irregular: read.irregular })
    };
    let mut formats: Vec<(FileId, Span, String, Slow)> = Vec::new();
    // Judging a pattern costs more than finding it: only where data arrives.
    let flows = context.flows_to(Mark::RegexInput);
    let sites: HashSet<(FileId, Span)> = flows.iter().map(|f| (f.file, f.span)).collect();
    let files: HashSet<FileId> = flows.iter().map(|f| f.file).collect();
    let formats_hint = place::hint!("validates.*format");
    for (id, file) in context.code_files() {
        if !(files.contains(&id) || formats_hint.is_match(&file.text)) || !hint.is_match(&file.text) {
            continue;
        }
        wardroom_ruby::walk::each(&file.parsed.body, &mut |node| {
            let Kind::Call(call) = &node.kind else { return true };
            match call.name.as_str() {
                "=~" | "match" | "match?" | "!~" | "===" | "scan" | "gsub" | "sub" | "gsub!" | "sub!"
                | "split" | "slice" | "[]" | "start_with?" | "index" | "partition"
                    if sites.contains(&(id, node.span)) =>
                {
                    // The pattern stands here, or in a constant or a variable that is set once.
                    let pattern = |n: &&'a Node| {
                        matches!(n.kind, Kind::Const(_)) || place::is_pattern(context.behind(id, n).1)
                    };
                    let judge = |n: &'a Node| judge(id, n);
                    let found = (call.args.first().filter(pattern).and_then(judge))
                        .or_else(|| call.recv.as_ref().filter(pattern).and_then(judge));
                    if let Some(found) = found {
                        slow.insert((id, node.span), found);
                    }
                }
                "validates" | "validates_format_of" => {
                    let format = place::keyword(call, "format");
                    let with = match format.map(|f| &f.kind) {
                        Some(Kind::Hash(pairs)) => pairs
                            .iter()
                            .find(|p| literal_name(&p.key).is_some_and(|k| k == "with"))
                            .map(|p| &p.value),
                        Some(_) => format,
                        None => place::keyword(call, "with"),
                    };
                    if let (Some(with), Some(attribute)) = (with, call.args.first().and_then(literal_name))
                        && let Some(found) = judge(id, with).filter(|f| f.growth > Growth::Search)
                    {
                        formats.push((id, with.span, attribute.to_string(), found));
                    }
                }
                _ => {}
            }
            true
        });
    }
    let ruby = context.app.gems.ruby_version();
    let bounded = context
        .app
        .config
        .effective("regexp.timeout")
        .is_some_and(|t| !matches!(t.value, wardroom_rails::config::SettingValue::Nil));
    let limit = |found: &Slow, start: Confidence| -> (Confidence, &'static str) {
        let memoized = ruby.is_some_and(|v| v >= Version(3, 2, 0)) && !found.irregular;
        match (memoized, bounded) {
            (true, _) => (
                Confidence::Low,
                "Ruby 3.2 and later remember what they have tried, which keeps this pattern fast",
            ),
            (_, true) => (Confidence::Low, "`Regexp.timeout` ends a match after a while"),
            _ => (start, ""),
        }
    };
    for flow in flows {
        let Some(found) = slow.get(&(flow.file, flow.span)) else { continue };
        report_flow(context, flow, found, &limit);
    }
    for (id, span, attribute, found) in formats {
        let start = if found.growth == Growth::Exponential { Confidence::Medium } else { Confidence::Low };
        let (confidence, reason) = limit(&found, start);
        context
            .finding(
                rule(),
                id,
                span,
                format!("The pattern that checks `{attribute}` {}", words(found.growth)),
            )
            .confidence(confidence)
            .reason(reason)
            .severity(if found.growth == Growth::Exponential { Severity::Medium } else { Severity::Low })
            .remedy(REMEDY)
            .report();
    }
}

const REMEDY: &str = "Write the pattern so that each text can match in one way only, bound the length of the text before the match, and set `Regexp.timeout` (Ruby 3.2 and later).";

fn report_flow(
    context: &Context<'_, '_>,
    flow: &Flow,
    found: &Slow,
    limit: &impl Fn(&Slow, Confidence) -> (Confidence, &'static str),
) {
    let start = match (found.growth, flow.source) {
        // Whether a look-ahead stops the repeats is not known.
        (Growth::Exponential, SourceKind::Stored) if found.irregular => Confidence::Low,
        (Growth::Exponential, _) => Confidence::High,
        (_, SourceKind::Stored) => Confidence::Low,
        (Growth::Search, _) => Confidence::Low,
        _ => Confidence::Medium,
    };
    let (confidence, reason) = limit(found, start);
    let builder = context
        .flow_finding(
            rule(),
            flow,
            format!("`{}` is matched with a pattern that {}", flow.words, words(found.growth)),
        )
        .at_most(confidence)
        .severity(if found.growth == Growth::Exponential { Severity::Medium } else { Severity::Low })
        .remedy(REMEDY);
    if reason.is_empty() { builder.report() } else { builder.reason(reason).report() }
}

fn words(growth: Growth) -> String {
    match growth {
        Growth::Exponential => "takes exponential time on texts that nearly match".to_owned(),
        Growth::Polynomial(power) => format!("takes time that grows with the length to the power of {power}"),
        _ => "is tried anew at every character, which takes time with the square of the length".to_owned(),
    }
}
