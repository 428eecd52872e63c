//! Command lines that can be edited while the application runs.

use wardroom_ruby::ir::{Kind, Name, Node};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A setting that the application keeps in its database and lets people edit holds the program to run or its
    /// arguments: `Setting[:transpiler_command]`.
    ///
    /// ## Why it is bad
    ///
    /// Whoever may edit settings, or gets into such an account, runs commands on the server: a right in the
    /// application becomes a right on the machine.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Open3.capture2(Setting[:transpiler_command], input)
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// Open3.capture2(Rails.application.config.transpiler_command, input)
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-78: Improper Neutralization of Special Elements used in an OS Command
    /// - CVE-2021-3584, CVE-2022-3874
    rule: "command-from-setting", "Command line kept in an editable setting", Injection, 78, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"
}

/// How settings that hold a program or its arguments are called.
const ENDINGS: &[&str] = &["_command", "_cmd", "_executable", "_binary", "_command_line", "_exe"];
const NAMES: &[&str] = &["command", "sendmail_location", "sendmail_arguments", "sendmail_path", "executable"];

/// Looks at every reading of a setting that is kept in a table.
pub fn run(context: &Context<'_, '_>) {
    let command = |name: &str| NAMES.contains(&name) || ENDINGS.iter().any(|e| name.ends_with(e));
    let reads = |name: &str| matches!(name, "[]" | "get" | "fetch" | "find_by_name") || command(name);
    context.calls_where(reads, |file, node, call| {
        let Some(Node { kind: Kind::Const(path), .. }) = &call.recv else { return };
        let Some(last) = path.last() else { return };
        if !matches!(last.as_str(), "Setting" | "Settings" | "SiteSetting" | "SiteSettings" | "AppSetting" | "ApplicationSetting" | "AdminSetting" | "GlobalSetting" | "Preference") {
            return;
        }
        let name: Name = match (call.name.as_str(), call.args.first()) {
            ("[]" | "get" | "fetch" | "find_by_name", Some(arg)) => match wardroom_rails::literal_name(arg) {
                Some(name) => name,
                None => return,
            },
            (_, None) => call.name,
            _ => return,
        };
        let holds_command = command(&name);
        // A table keeps it only where the class is a model of the application.
        let class = wardroom_rails::path_name(path);
        if !holds_command || !context.app.models.contains_key(&class) || place::is_hand_run(&context.file(file).path) {
            return;
        }
        context
            .finding(rule(), file, node.span, format!("`{}` is a command line that can be edited while the application runs", context.source(file, node.span)))
            .reason("the setting is kept in the database, where its editors and whoever gets that far can change it")
            .remedy("Keep programs and their arguments in a file that only an operator of the server can change, or allow only values from a list.")
            .report();
    });
}
