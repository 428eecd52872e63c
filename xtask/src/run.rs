//! Running other programs, and saying so.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// One line on standard error.
pub fn say(line: &str) {
    // Where even this fails, there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

fn command(root: &Path, words: &[&str]) -> anyhow::Result<Command> {
    let (program, arguments) = words.split_first().context("no program")?;
    // The very cargo that runs this command.
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(if *program == "cargo" { cargo.as_str() } else { program });
    command.args(arguments).current_dir(root);
    Ok(command)
}

/// Runs a program and fails where it fails.
pub fn run(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    run_with(root, words, &[])
}

/// As [`run`], with variables.
pub fn run_with(root: &Path, words: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<()> {
    say(&format!("$ {}", words.join(" ")));
    let status = command(root, words)?
        .envs(variables.iter().copied())
        .status()
        .with_context(|| format!("{} could not be started", words.join(" ")))?;
    if !status.success() {
        bail!("`{}` failed ({status})", words.join(" "));
    }
    Ok(())
}

/// What a program writes to standard output.
pub fn output(root: &Path, words: &[&str]) -> anyhow::Result<String> {
    let output = command(root, words)?
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} could not be started", words.join(" ")))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", words.join(" "), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} wrote no text", words.join(" ")))
}

/// Whether `cargo WORD` is there.
pub fn has(root: &Path, word: &str) -> bool {
    let command = command(root, &["cargo", word, "--version"]);
    command
        .is_ok_and(|mut c| c.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success()))
}
