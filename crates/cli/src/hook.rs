//! `wardroom hook`: git asks before it makes a commit, and before it takes what was pushed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use wardroom_model::Confidence;
use wardroom_secrets::Scanner;
use wardroom_source::Commits;

use crate::args::{HookArgs, HookCommand};
use crate::args_secrets::HookKind;
use crate::failure::{CLEAN, FINDINGS, usage};
use crate::output::Console;
use crate::secrets::changes::{self, Which};
use crate::secrets::{Looked, Project};

/// What tells our own hook from another.
const MARK: &str = "# Made by `wardroom hook install`.";
/// What a hook that was there before is called from then on.
const BEFORE: &str = "before-wardroom";

/// Runs it; the exit code.
pub fn run(options: &HookArgs) -> anyhow::Result<u8> {
    match &options.command {
        HookCommand::Install { path, kind } => install(path, *kind),
        HookCommand::Run { kind } => ask(*kind),
    }
}

fn install(path: &Path, kind: HookKind) -> anyhow::Result<u8> {
    let folder = hooks_folder(path)?;
    fs::create_dir_all(&folder).with_context(|| format!("{} could not be made", folder.display()))?;
    let hook = folder.join(kind.name());
    let kept = folder.join(format!("{}.{BEFORE}", kind.name()));
    match fs::read_to_string(&hook) {
        Ok(text) if text.contains(MARK) => {}
        Ok(_) if kept.exists() => {
            return Err(usage(format!(
                "{} and {} are both there already; remove one",
                hook.display(),
                kept.display()
            )));
        }
        Ok(_) => {
            fs::rename(&hook, &kept).with_context(|| format!("{} could not be moved", hook.display()))?
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        // It may be no text, and is somebody's all the same.
        Err(_) => {
            fs::rename(&hook, &kept).with_context(|| format!("{} could not be moved", hook.display()))?
        }
    }
    let program = std::env::current_exe().context("where this program stands is not known")?;
    let text = script(&program, kind);
    crate::output::write_whole(&hook, text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755))?;
    }
    Console::stderr(&format!("wardroom: git runs {} from now on", hook.display()));
    Ok(CLEAN)
}

/// The shell finds the program again where it stands now, or by its name.
fn script(program: &Path, kind: HookKind) -> String {
    let name = kind.name();
    let program = program.display().to_string().replace('\'', "'\\''");
    // What was pushed comes in on standard input, and both want to read it.
    let (before, input) = match kind {
        HookKind::PreCommit => {
            (format!("[ ! -x \"$0.{BEFORE}\" ] || \"$0.{BEFORE}\" \"$@\" || exit $?\n"), "")
        }
        HookKind::PreReceive => (
            format!(
                "input=$(cat)\n[ ! -x \"$0.{BEFORE}\" ] || printf '%s\\n' \"$input\" | \"$0.{BEFORE}\" \"$@\" || exit $?\n"
            ),
            "printf '%s\\n' \"$input\" | ",
        ),
    };
    format!(
        "#!/bin/sh\n{MARK}\n{before}wardroom='{program}'\n[ -x \"$wardroom\" ] || wardroom=wardroom\n{input}\"$wardroom\" hook run {name}\n"
    )
}

/// Where git looks for hooks: a setting may say somewhere else than in the repository.
fn hooks_folder(path: &Path) -> anyhow::Result<PathBuf> {
    let answer = Command::new("git")
        .arg("-C")
        .arg(path)
        .args(["rev-parse", "--path-format=absolute", "--git-path", "hooks"])
        .stdin(Stdio::null())
        .output()
        .context("git could not be run")?;
    if !answer.status.success() {
        return Err(usage(format!("{} is in no git repository", path.display())));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim_end_matches('\n')))
}

/// What the hook runs: nothing is said where nothing was found.
fn ask(kind: HookKind) -> anyhow::Result<u8> {
    let here = Path::new(".");
    let project = Project::read(here, None, None)?;
    let scanner = Scanner::new(project.allow()?);
    let which = match kind {
        HookKind::PreCommit => Which::Staged,
        HookKind::PreReceive => {
            let mut text = String::new();
            std::io::stdin().lock().take(1 << 20).read_to_string(&mut text)?;
            let pushed = pushed(&text);
            if pushed.is_empty() {
                return Ok(CLEAN);
            }
            Which::Of(Commits::Pushed(pushed))
        }
    };
    let Looked { hits, problems, .. } = changes::look(here, &which, &scanner)?;
    let mut findings = wardroom_secrets::findings(hits, &project.salt);
    project.apply_ignores(&mut findings);
    findings.retain(|f| f.suppression.is_none() && f.confidence >= Confidence::Medium);
    for problem in problems {
        Console::stderr(&format!("wardroom: {problem}"));
    }
    if findings.is_empty() {
        return Ok(CLEAN);
    }
    for finding in &findings {
        let at = &finding.location;
        Console::stderr(&format!("{}:{}: {}", clean(&at.file), at.start.line, clean(&finding.message)));
        if !finding.reason.is_empty() {
            Console::stderr(&format!("    {}", clean(&finding.reason)));
        }
    }
    let s = if findings.len() == 1 { "" } else { "s" };
    let what = match kind {
        HookKind::PreCommit => {
            "Take it out and stage again. If it is no secret, say so beside it: `wardroom:ignore RULE -- why`."
        }
        HookKind::PreReceive => {
            "The push was refused. Take it out of the commits, and treat it as leaked if it was pushed elsewhere."
        }
    };
    Console::stderr(&format!("wardroom: {} secret{s}. {what}", findings.len()));
    Ok(FINDINGS)
}

/// The new ends of what was pushed: `old new reference`, a line each. What is deleted has no new end.
fn pushed(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|id| id.bytes().any(|b| b != b'0'))
        .map(str::to_owned)
        .collect()
}

/// Names of files come from others, and go to a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed() {
        let none = "0".repeat(40);
        let text =
            format!("{none} {} refs/heads/a\n{} {none} refs/heads/b\n\nx\n", "1".repeat(40), "2".repeat(40));
        assert_eq!(pushed(&text), ["1".repeat(40)]);
    }

    #[test]
    fn a_program_in_a_folder_with_a_quote() {
        let text = script(Path::new("/a'b/wardroom"), HookKind::PreCommit);
        assert!(text.contains("wardroom='/a'\\''b/wardroom'"), "{text}");
    }
}
