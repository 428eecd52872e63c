//! Developer commands: `cargo xtask ready` and the like. They need nothing installed beyond the Rust
//! toolchain, but for `ready`, which runs cargo-deny; and they never look into the engines.

mod bench;
mod docs;
mod e2e;
mod layers;
mod new_check;
mod ready;
mod recall;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "Usage: cargo xtask COMMAND

  ready                   all that CI runs: format, lints, layers, tests, docs, licences (wants cargo-deny)
  new-check FAMILY NAME   a new check and its spec, ready to be filled in
  docs [--check]          write docs/rules*, docs/cli.md from the program (or compare them)
  e2e [NAME]              the browser tests, or one file of them (wants Node.js, npm and Chromium)
  bench [--runs N] PATH…  scan folders: processor seconds per 100,000 lines, memory, warm re-scan
  recall CASES REPOSITORIES
                          scan the commits before and after published fixes (see docs/recall.md)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    let result = match words.as_slice() {
        ["ready"] => ready::run(&root),
        ["new-check", family, name] => new_check::run(&root, family, name),
        ["docs"] => docs::run(&root, false),
        ["docs", "--check"] => docs::run(&root, true),
        ["e2e"] => e2e::run(&root, None),
        ["e2e", only] => e2e::run(&root, Some(only)),
        ["bench", "--runs", runs, paths @ ..]
            if !paths.is_empty() && runs.parse::<usize>().is_ok_and(|n| n > 0) =>
        {
            bench::run(&root, runs.parse().unwrap_or(1), paths)
        }
        ["bench", paths @ ..] if !paths.is_empty() && !paths[0].starts_with('-') => {
            bench::run(&root, 5, paths)
        }
        ["recall", cases, repositories] => recall::run(&root, Path::new(cases), Path::new(repositories)),
        [] | ["help" | "--help" | "-h"] => {
            run::say(USAGE);
            return ExitCode::SUCCESS;
        }
        _ => {
            run::say(USAGE);
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}
