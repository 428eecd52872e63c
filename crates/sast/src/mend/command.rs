//! A command line becomes a program and its arguments.

use wardroom_rails::FileId;
use wardroom_ruby::ir::{Kind, Node, Span};

use super::{Mend, Piece, calls, pieces, replace};
use crate::context::Context;

/// Programs that take `--` as the end of their options.
const ENDS_OPTIONS: &[&str] = &[
    "cat",
    "cp",
    "mv",
    "rm",
    "mkdir",
    "rmdir",
    "ls",
    "chmod",
    "chown",
    "touch",
    "ln",
    "grep",
    "wc",
    "head",
    "tail",
    "sort",
    "stat",
    "file",
    "du",
    "gzip",
    "gunzip",
    "bzip2",
    "md5sum",
    "sha256sum",
    "tee",
];

/// `system("cp #{from} #{to}")` to `system("cp", "--", from.to_s, to.to_s)`: only where plain spaces part
/// the words and no sign in them means anything to a shell.
pub fn arguments(context: &Context<'_, '_>, file: FileId, span: Span) -> Option<Mend> {
    let call = super::call_at(context, file, span)?;
    let takes = match (call.name.as_str(), call.recv.as_ref().map(|r| &r.kind)) {
        ("system" | "exec" | "spawn", None) => true,
        ("system" | "exec" | "spawn", Some(Kind::Const(path))) => {
            matches!(path.last().map(|n| n.as_str()), Some("Kernel" | "Process"))
        }
        ("capture2" | "capture2e" | "capture3", Some(Kind::Const(path))) => {
            path.last().is_some_and(|n| *n == "Open3")
        }
        _ => false,
    };
    let [line] = call.args.as_slice() else { return None };
    if !takes || !matches!(line.kind, Kind::Interp(_)) {
        return None;
    }
    let words = words(&pieces(context, file, line)?)?;
    let (program, rest) = words.split_first()?;
    if !program.values.is_empty() || rest.is_empty() {
        return None;
    }
    const BUILT_IN: &[&str] =
        &["cd", "source", "export", "exit", "exec", "eval", "set", "ulimit", "type", "sudo", "env"];
    let name = program.written.as_str();
    if BUILT_IN.contains(&name) || name == "." || name.contains('=') {
        return None;
    }
    let mut out = vec![format!("\"{name}\"")];
    let mut ended = false;
    for (at, word) in rest.iter().enumerate() {
        ended |= word.written == "--";
        let option_value = at > 0 && {
            let before = &rest[at - 1];
            before.values.is_empty()
                && before.written.starts_with('-')
                && !before.written.contains('=')
                && !(ENDS_OPTIONS.contains(&name) && is_flag(name, &before.written))
        };
        if word.is_value() && !ended && !option_value {
            // From here on nothing may be meant as an option.
            if !ENDS_OPTIONS.contains(&name) || rest[at..].iter().any(|w| w.written.starts_with('-')) {
                return None;
            }
            out.push("\"--\"".to_owned());
            ended = true;
        }
        out.push(match (word.values.as_slice(), word.is_value()) {
            ([value], true) => format!("{value}.to_s"),
            _ => format!("\"{}\"", word.written),
        });
    }
    Some(replace("Runs the program without a shell", file, line.span, out.join(", ")))
}

/// Options of the programs above that take no value.
fn is_flag(program: &str, option: &str) -> bool {
    !matches!(program, "grep" | "sort" | "head" | "tail")
        && (matches!(
            option,
            "-r" | "-R" | "-f" | "-rf" | "-fr" | "-p" | "-a" | "-v" | "-s" | "-sf" | "-l" | "-la"
        ) || option.len() == 2 && option.ends_with(|c: char| c.is_ascii_digit()))
}

#[derive(Default)]
struct Word {
    written: String,
    values: Vec<String>,
    fixed: bool,
}

impl Word {
    /// One value and nothing else.
    fn is_value(&self) -> bool {
        self.values.len() == 1 && !self.fixed
    }
}

fn words(pieces: &[Piece<'_>]) -> Option<Vec<Word>> {
    let mut out = Vec::new();
    let mut word = Word::default();
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                for c in text.chars() {
                    match c {
                        ' ' if word.written.is_empty() => {}
                        ' ' => out.push(std::mem::take(&mut word)),
                        c if c.is_ascii_alphanumeric() || "_./:=,@%+-".contains(c) => {
                            word.written.push(c);
                            word.fixed = true;
                        }
                        _ => return None,
                    }
                }
            }
            Piece::Code(node, source) => {
                if may_be_several(node) {
                    return None;
                }
                word.written.push_str(&format!("#{{{source}}}"));
                word.values.push(source.clone());
            }
        }
    }
    if !word.written.is_empty() {
        out.push(word);
    }
    Some(out)
}

/// Values that hold several words, or that the code has made ready for a shell.
fn may_be_several(node: &Node) -> bool {
    let several = |name: &str| {
        ["opt", "arg", "flag", "cmd", "command", "escape", "quot", "join", "sanit", "files", "paths"]
            .iter()
            .any(|w| name.contains(w))
    };
    calls(node, &several)
        || match &node.kind {
            Kind::Local(name) | Kind::Ivar(name) => several(name),
            Kind::Const(path) => path.last().is_some_and(|n| several(&n.to_ascii_lowercase())),
            _ => false,
        }
}
