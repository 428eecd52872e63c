//! Archives whose entries say where they are written.

use wardroom_model::Confidence;
use wardroom_rails::gems::Version;
use wardroom_ruby::ir::{Block, Call, Kind, Node, Span};
use wardroom_ruby::walk;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// The name of an archive's entry becomes part of a path that is written.
    ///
    /// ## Why it is bad
    ///
    /// An entry can be named `../../config/initializers/x.rb`, or be a symbolic link: unpacking it
    /// overwrites files outside of the folder that was meant.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Zip::File.open(upload) do |zip|
    ///   zip.each { |entry| entry.extract(File.join(folder, entry.name)) }
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// path = File.expand_path(entry.name, folder)
    /// raise "bad entry" unless path.start_with?("#{File.expand_path(folder)}/")
    /// ```
    ///
    /// Or give the file a name of your own. From rubyzip 3 on, `entry.extract(destination_directory: folder)` checks.
    ///
    /// ## References
    ///
    /// - CWE-22: Improper Limitation of a Pathname to a Restricted Directory ("zip slip")
    rule: "zip-slip", "An archive's entry says where it is written", FilesAndNetwork, 22, High,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:H"
}

/// Readers of archives; a file without one of these words is not looked at.
const READERS: &[&str] = &["Zip::", "Minitar", "TarReader", "Archive::", "SevenZip", "Zipruby"];

/// Looks at every block that goes through an archive's entries.
pub fn run(context: &Context<'_, '_>) {
    let checks_itself = context.app.gems.version("rubyzip").is_some_and(|v| v >= Version(3, 0, 0));
    for (file, tree) in context.files_with(READERS) {
        let path = &tree.path;
        let mut found: Vec<(Span, String)> = Vec::new();
        walk::each(&tree.parsed.body, &mut |node| {
            if let Kind::Call(call) = &node.kind
                && let Some(block) = &call.block
                && matches!(
                    call.name.as_str(),
                    "each" | "each_entry" | "each_file" | "each_with_index" | "map" | "select" | "glob"
                )
                && let Some(entry) = block.params.first()
                && !guarded(&block.body)
            {
                look(block, entry.name.as_str(), &mut found);
            }
            true
        });
        found.sort();
        found.dedup();
        for (span, what) in found {
            if checks_itself && what == "extract" {
                continue;
            }
            let builder = context
                .finding(rule(), file, span, format!("The entry's own name is part of the path that `{what}` writes"))
                .confidence(if place::is_tooling(path) { Confidence::Low } else { Confidence::Medium })
                .remedy("Expand the path and compare its start with the folder's, or give the file a name of your own.");
            builder.report();
        }
    }
}

/// A check of the name within the block: its worth is not judged.
fn guarded(body: &Node) -> bool {
    place::any(body, |n| match &n.kind {
        Kind::Call(call) => match call.name.as_str() {
            "start_with?" | "starts_with?" | "basename" | "name_safe?" | "extname" | "sanitize_filename"
            | "absolute?" | "relative?" => true,
            "include?" | "match?" | "=~" | "!~" | "split" => call
                .args
                .iter()
                .any(|a| place::any(a, |n| matches!(&n.kind, Kind::Str(text) if text.contains("..")))),
            name => name.contains("safe") || name.contains("sanit"),
        },
        _ => false,
    })
}

fn look(block: &Block, entry: &str, found: &mut Vec<(Span, String)>) {
    // Variables that hold a path with the entry's name in it.
    let mut named: Vec<&str> = Vec::new();
    for _ in 0..3 {
        walk::each(&block.body, &mut |n| {
            if let Kind::Assign(assign) = &n.kind
                && let Kind::Local(target) = &assign.target.kind
                && !named.contains(&target.as_str())
                && holds_name(&assign.value, entry, &named)
            {
                named.push(target.as_str());
            }
            true
        });
    }
    walk::each(&block.body, &mut |n| {
        if let Kind::Call(call) = &n.kind
            && let Some(target) = written(call)
            && holds_name(target, entry, &named)
        {
            found.push((n.span, call.name.to_string()));
        }
        true
    });
}

/// The path that a call writes.
fn written(call: &Call) -> Option<&Node> {
    let recv = call.recv.as_ref().and_then(place::constant);
    match (call.name.as_str(), recv.as_deref()) {
        ("extract", _) if call.recv.is_some() => match call.args.len() {
            0 => None,
            1 => call.args.first(),
            // `zip.extract(entry, path)`
            _ => call.args.get(1),
        },
        ("open" | "new", Some("File")) => call
            .args
            .get(1)
            .filter(|m| matches!(&m.kind, Kind::Str(t) if t.starts_with(['w', 'a'])))
            .and(call.args.first()),
        ("write" | "binwrite", Some("File" | "IO")) => call.args.first(),
        ("cp" | "mv" | "copy_stream" | "ln_s", Some("FileUtils" | "IO")) => call.args.get(1),
        ("symlink", Some("File")) => call.args.get(1),
        _ => None,
    }
}

/// Whether an expression is a path with `entry.name` in it.
fn holds_name(node: &Node, entry: &str, named: &[&str]) -> bool {
    match &node.kind {
        Kind::Local(name) => named.contains(&name.as_str()),
        Kind::Interp(interp) => interp.parts.iter().any(|p| holds_name(p, entry, named)),
        Kind::Call(call) => match call.name.as_str() {
            "name" | "full_name" | "to_s" | "pathname" | "path" => {
                matches!(call.recv.as_ref().map(|r| &r.kind), Some(Kind::Local(name)) if *name == entry)
                    || call.recv.as_ref().is_some_and(|r| holds_name(r, entry, named))
            }
            "join" | "+" | "/" | "expand_path" | "new" | "Pathname" | "gsub" | "sub" | "delete_prefix" => {
                call.args.iter().any(|a| holds_name(a, entry, named))
                    || call.recv.as_ref().is_some_and(|r| holds_name(r, entry, named))
            }
            _ => false,
        },
        _ => false,
    }
}
