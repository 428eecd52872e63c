//! The command line of secrets: `wardroom secrets` and `wardroom hook`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use wardroom_model::{Confidence, Severity};
use wardroom_report::Format;

use crate::args::{Color, FailOn, confidences, fail_on, formats, severities};

/// Options of `wardroom secrets`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  wardroom secrets                        the files in this folder
  wardroom secrets --history              every version of every file that was ever committed
  wardroom secrets --staged               what the next commit would add
  wardroom secrets --range main..HEAD     what these commits add
  git diff | wardroom secrets --stdin     what comes in by a pipe
  wardroom secrets --verify               ask the providers which of them are alive

What is no secret can be told:
  in the code     # wardroom:ignore secret-generic-key -- a public test vector
                  (or gitleaks:allow) on the line, or alone on the line above
  in a file       the allow-lists of .gitleaks.toml and the lines of .gitleaksignore count;
                  so do entries of .wardroom-ignore.toml

A report never holds a secret: it is cut down to what all of its kind begin with, and named by a
salted hash. Nothing is sent anywhere, unless --verify is given.

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong use, 3 could not run.")]
pub struct SecretsArgs {
    /// The folder or file; for --history, --staged and --range a folder of the repository
    #[arg(default_value = ".")]
    pub path: PathBuf,

    /// The whole history: each version of each file once, whatever commit holds it
    #[arg(long, conflicts_with_all = ["staged", "range", "stdin"], help_heading = "What is read")]
    pub history: bool,
    /// What is staged, less what HEAD has already
    #[arg(long, conflicts_with_all = ["range", "stdin"], help_heading = "What is read")]
    pub staged: bool,
    /// What these commits add (`A..B`)
    #[arg(long, value_name = "A..B", conflicts_with = "stdin", help_heading = "What is read")]
    pub range: Option<String>,
    /// Standard input
    #[arg(long, help_heading = "What is read")]
    pub stdin: bool,
    /// What standard input is called in the report
    #[arg(
        long,
        value_name = "NAME",
        default_value = "stdin",
        requires = "stdin",
        help_heading = "What is read"
    )]
    pub stdin_name: String,
    /// Read what git ignores too
    #[arg(long, help_heading = "What is read")]
    pub no_ignore: bool,

    /// What to write
    #[arg(long, short, default_value = "text", value_parser = formats(), help_heading = "Report")]
    pub format: Format,
    /// Write the report to a file, whole or not at all
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    pub output: Option<PathBuf>,
    /// One line a finding
    #[arg(long, help_heading = "Report")]
    pub short: bool,
    /// Colour in the text format
    #[arg(long, value_enum, default_value_t, help_heading = "Report")]
    pub color: Color,
    /// Nothing on the terminal; only the exit code and --output speak
    #[arg(long, short, help_heading = "Report")]
    pub quiet: bool,

    /// Show findings at least this sure; what stands in tests, documents and examples is low
    #[arg(long, value_name = "LEVEL", default_value = "medium", value_parser = confidences(), help_heading = "What counts")]
    pub min_confidence: Confidence,
    /// Show findings at least this bad
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = severities(), help_heading = "What counts")]
    pub severity: Severity,
    /// Exit with 1 at a shown finding this bad, as `SEVERITY` or `SEVERITY:CONFIDENCE`, or `never`
    #[arg(long, value_name = "SEVERITY", default_value = "low", value_parser = fail_on, help_heading = "What counts")]
    pub fail_on: FailOn,
    /// Leave out the findings of an earlier JSON report
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    pub baseline: Option<PathBuf>,
    /// Take allow-lists from this file instead of .gitleaks.toml
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    pub allow: Option<PathBuf>,
    /// Name secrets with this file's bytes as salt instead of program/scans/secrets.salt
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    pub salt: Option<PathBuf>,

    /// Ask the providers, at their documented endpoints, whether the secrets are alive
    #[arg(long, help_heading = "How")]
    pub verify: bool,
    /// Send these questions to another base address
    #[arg(long, value_name = "URL", hide = true, requires = "verify")]
    pub verify_base: Option<String>,
    /// Threads to use [default: as many as the machine has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "How")]
    pub threads: Option<u16>,
}

/// Options of `wardroom hook`.
#[derive(Clone, Debug, clap::Args)]
pub struct HookArgs {
    /// What to do
    #[command(subcommand)]
    pub command: HookCommand,
}

/// What to do about hooks.
#[derive(Clone, Debug, Subcommand)]
pub enum HookCommand {
    /// Put the hook into a repository; one that is there already is kept beside it and run first
    Install {
        /// A folder of the repository
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Which
        #[arg(long, value_enum, default_value_t)]
        kind: HookKind,
    },
    /// What the hook runs
    Run {
        /// Which
        #[arg(value_enum)]
        kind: HookKind,
    },
}

/// When git asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum HookKind {
    /// On a developer's machine, before a commit is made
    #[default]
    PreCommit,
    /// On a server, before what was pushed is taken
    PreReceive,
}

impl HookKind {
    /// The hook's name, as git has it.
    pub fn name(self) -> &'static str {
        match self {
            HookKind::PreCommit => "pre-commit",
            HookKind::PreReceive => "pre-receive",
        }
    }
}
