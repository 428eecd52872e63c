//! Arguments of a program that a user can make an option.

use wardroom_flow::Mark;
use wardroom_model::Confidence;
use wardroom_ruby::ir::{Kind, Node};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A value that a user controls is an argument of a program, no shell in between, but nothing keeps it from
    /// beginning with `-`.
    ///
    /// ## Why it is bad
    ///
    /// Many programs have options that write files or run commands (`--output`, `--upload-pack`, `-exec`,
    /// `--checkpoint-action`): an argument such as `--output=/etc/x` does what the attacker wants without a shell.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// system("git", "log", params[:branch])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// system("git", "log", "--end-of-options", params[:branch])
    /// system("grep", "-r", "--", params[:term], dir)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-88: Improper Neutralization of Argument Delimiters in a Command
    rule: "argument-injection", "Program argument that a user can make an option", Injection, 88, High,
        "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:N"
}

/// Looks at every flow into an argument, and at what stands in front of it.
pub fn run(context: &Context<'_, '_>) {
    for flow in place::flows(context, Mark::Argument) {
        let Some(call) = place::call_at(context, flow.file, flow.span) else { continue };
        let at: usize = flow.argument.parse().unwrap_or(0);
        let before: Vec<&str> = call
            .args
            .iter()
            .take(at)
            .filter_map(|a| match a {
                Node { kind: Kind::Str(text), .. } => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        // Behind `--` nothing is an option; behind `-o` it is that option's value.
        let ended = before.iter().any(|t| matches!(*t, "--" | "--end-of-options"));
        let value_of_option = match at.checked_sub(1).and_then(|i| call.args.get(i)) {
            Some(Node { kind: Kind::Str(text), .. }) => text.starts_with('-') && !text.contains('='),
            _ => false,
        };
        let shell = matches!(call.args.first(), Some(Node { kind: Kind::Hash(_), .. }));
        if ended || value_of_option || shell {
            continue;
        }
        context
            .flow_finding(
                rule(),
                flow,
                format!(
                    "`{}` is an argument of the program that `{}` runs, and may begin with `-`",
                    flow.words, flow.method
                ),
            )
            .remedy("Put `\"--\"` in front of it, or refuse values that begin with `-`.")
            .at_most(Confidence::Medium)
            .report();
    }
}
