//! `wardroom manual`: the help of every command as one Markdown page, which `docs/cli.md` is.

use clap::CommandFactory;

use crate::args::Args;
use crate::failure::CLEAN;
use crate::output::Console;

/// Prints the page; the exit code.
pub fn print() -> anyhow::Result<u8> {
    let mut page = String::from(
        "# The command line\n\nThis page is made from the command's own help by `cargo xtask docs`.\n",
    );
    let mut root = Args::command().term_width(96);
    root.build();
    section(&mut root, "wardroom", &mut page);
    Console::stdout(|out| Ok(out.write_all(page.as_bytes())?))?;
    Ok(CLEAN)
}

fn section(command: &mut clap::Command, name: &str, page: &mut String) {
    let help = command.clone().bin_name(name).render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    page.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim()));
    let names: Vec<String> = command
        .get_subcommands()
        .filter(|c| !c.is_hide_set() && c.get_name() != "help")
        .map(|c| c.get_name().to_owned())
        .collect();
    for sub in names {
        if let Some(found) = command.find_subcommand_mut(&sub) {
            section(found, &format!("{name} {sub}"), page);
        }
    }
}
